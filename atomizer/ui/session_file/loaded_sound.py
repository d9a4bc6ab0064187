"""The loaded sound in a session file: as FLAC and what that lacks, or as WAV, without loss."""

from __future__ import annotations

import math
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import AtomizerError
from ...io.audio import Sound, TooLong, check_values, read, write
from ...limits import limits
from .archive import DAMAGED, Reader, Writer
from .schema import SoundSchema

FLAC, WAV, REST = "sound.flac", "sound.wav", "sound.rest"


class Flac(NamedTuple):
    """A sound as a FLAC file: its samples times `gain`, plus the `rest` where there is one."""

    data: bytes
    gain: int
    rest: np.ndarray | None


def add_sound(archive: Writer, sound: Sound) -> dict[str, Any]:
    """Add a sound without loss; returns its part of the manifest."""
    flac = _flac_of(sound)
    facts = {"subtype": sound.subtype, "mask": sound.mask, "gain": 1, "has_rest": False}
    if flac is None:
        archive.add(WAV, _file_of(replace(sound, subtype="FLOAT"), WAV)[0])
        return {**facts, "file": WAV}
    archive.add(FLAC, flac.data, zipfile.ZIP_STORED)
    if flac.rest is not None:
        archive.add_arrays(REST, np.asarray(flac.rest, "<f4"))
    return {**facts, "file": FLAC, "gain": flac.gain, "has_rest": flac.rest is not None}


def _flac_of(sound: Sound) -> Flac | None:
    """Return a sound without loss; None where FLAC does not hold it.

    Samples that no FLAC file holds, such as those of a decoded MP3, become a file of 24 bit, a
    power of two as its gain, and a rest, which together are a tenth smaller than the samples.
    """
    peak = float(np.abs(sound.samples).max(initial=0.0))
    power = 1 << max(0, math.frexp(peak)[1])  # above all samples
    for subtype, gain, has_rest in (
        ("PCM_16", 1, False),
        ("PCM_24", 1, False),
        ("PCM_24", power, True),
    ):
        scaled = replace(sound, samples=sound.samples / np.float32(gain), subtype=subtype)
        try:
            data, held = _file_of(scaled, FLAC)
        except AtomizerError:  # FLAC has limits of its own
            return None
        held = held * np.float32(gain)
        rest = sound.samples - held if has_rest else None
        if np.array_equal(_bits(held if rest is None else held + rest), _bits(sound.samples)):
            return Flac(data, gain, rest)
    return None


def _file_of(sound: Sound, name: str) -> tuple[bytes, np.ndarray]:
    """Return the bytes of a sound file, and the samples that are read from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, sound)
        return path.read_bytes(), read(path, math.inf).samples


def _bits(samples: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(samples, np.float32).view(np.uint32)


def read_sound(archive: Reader, facts: SoundSchema) -> Sound:
    """Return the sound that `add_sound` has added; `facts` are its part of the manifest."""
    longest = limits().excerpt_seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / facts.file
        path.write_bytes(archive.read(facts.file, 1 << 40, at_most=True))
        try:
            sound = read(path, longest)
        except TooLong as error:
            raise AtomizerError(
                f"The sound of this session is longer than {longest:g} seconds, the most that"
                " is accepted at a time."
            ) from error
    if sound.note:
        raise AtomizerError(DAMAGED)
    if facts.has_rest:
        (rest,) = archive.arrays(REST, sound.samples.size, ["<f4"])
        samples = sound.samples * np.float32(facts.gain) + rest.reshape(sound.samples.shape)
        check_values(samples)
        sound = replace(sound, samples=samples)
    mask = facts.mask if facts.mask.bit_count() == sound.channels else 0
    return replace(sound, subtype=facts.subtype, mask=mask)
