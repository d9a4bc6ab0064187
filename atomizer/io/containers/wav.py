"""WAV: the promised length and the channel mask of a header, and writing the mask into one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .part import FilePart

_EXTENSIBLE = 0xFFFE
_UNKNOWN = (0, 0xFFFFFFFF)  # lengths that programs write which do not know it
MASK_OFFSET = 40  # bytes of the channel mask in the headers that libsndfile writes


def wav_facts(data, size: int) -> tuple[int, int]:
    """Samples that are missing at the end of a file of `size` bytes, and the channel mask.

    data  bytes or mmap; both facts are 0 where it is no WAV file or says nothing
    """
    missing = mask = 0
    width = 1
    if size < 12 or data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        return 0, 0
    for name, start, length in chunks(data, size):
        if name == b"fmt ":
            width = _number(data, start + 12, 2) or 1
        if name == b"fmt " and length >= 40 and _number(data, start, 2) == _EXTENSIBLE:
            mask = _number(data, start + 20, 4)
        if name == b"data" and length not in _UNKNOWN:
            missing = max(0, start + length - size) // width
    return missing, mask


def wav_of_unknown_length(data, size: int) -> FilePart | None:
    """A file of `size` bytes whose header says that it has no samples, with their true length.

    Programs that write to a pipe cannot correct the length of 0. None for other files, and where
    other chunks follow to the end of the file: these have indeed no samples.

    data  bytes or mmap of a WAV file
    """
    if data[:4] != b"RIFF":
        return None
    found = list(chunks(data, size))
    empty = [start for name, start, length in found if name == b"data" and not length]
    _, start, length = found[-1] if found else (b"", 0, 0)
    if not empty or (start > empty[0] and 0 <= size - start - length <= 1):
        return None
    count = size - empty[0]
    lengths = {4: size - 8, empty[0] - 4: count - count % 2}
    patches = tuple((at, number.to_bytes(4, "little")) for at, number in lengths.items())
    return FilePart(0, size, patches=patches) if 0 < count and size < _UNKNOWN[1] else None


def chunks(
    data, size: int, order: Literal["little", "big"] = "little"
) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of every chunk, up to the first one whose name is none.

    order  of the bytes of numbers
    """
    at = 12
    while at <= size - 8:
        name, length = bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8], order)
        if not (name.isascii() and name.decode().isprintable()):
            return
        yield name, at + 8, length
        at += 8 + length + length % 2


def _number(data, at: int, count: int) -> int:
    return int.from_bytes(data[at : at + count], "little")
