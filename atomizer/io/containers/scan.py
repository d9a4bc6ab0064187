"""Scan: which parts of a file are decoded, and what its header promises."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

from .aiff import aiff_missing
from .flac import flac_contents
from .mp3 import mp3_parts, tag_end
from .ogg import ogg_links
from .part import FilePart
from .wav import wav_facts, wav_of_unknown_length


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    parts    decoded one after the other; empty where the file can be decoded as it is
    missing  samples per channel that are missing at its end, according to its header
    mask     channel mask of WAVEFORMATEXTENSIBLE; 0 if unknown
    ends_within_a_page
             whether an Ogg file is cut off, which does not say how much is missing
    """

    parts: tuple[FilePart, ...] = ()
    missing: int = 0
    mask: int = 0
    ends_within_a_page: bool = False


def scan(path: Path) -> Contents:
    """Contents of a file; formats other than WAV, AIFF, FLAC, Ogg and MP3 are not examined."""
    size = path.stat().st_size
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = bytes(data[:4])
        if start in (b"RIFF", b"RF64"):
            missing, mask = wav_facts(data, size)
            part = wav_of_unknown_length(data, size)
            return Contents((part,) if part else (), missing, mask)
        if start == b"OggS":
            links, cut = ogg_links(data, size)
            return Contents(tuple(links) if len(links) > 1 else (), ends_within_a_page=cut)
        if start == b"FORM":
            return Contents(missing=aiff_missing(data, size))
        if start == b"fLaC":
            found = flac_contents(data, size)
        elif _may_be_mp3(data):
            found = mp3_parts(data, size)
        else:
            found = None
    return Contents() if found is None else Contents(tuple(found[0]), found[1])


def _may_be_mp3(data) -> bool:
    """Whether a file begins with a frame of layer III, or with a tag that a frame may follow."""
    if data[:3] != b"ID3":
        return len(data) > 4 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2
    after = tag_end(data, 0)
    return data[after : after + 4] not in (b"fLaC", b"RIFF", b"FORM")
