"""WAV: the promised length and the channel mask of a header, and writing the mask into one."""

from __future__ import annotations

from collections.abc import Iterator

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
    for name, start, length in _chunks(data, size):
        if name == b"fmt ":
            width = _number(data, start + 12, 2) or 1
        if name == b"fmt " and length >= 40 and _number(data, start, 2) == _EXTENSIBLE:
            mask = _number(data, start + 20, 4)
        if name == b"data" and length not in _UNKNOWN:
            missing = max(0, start + length - size) // width
    return missing, mask


def _chunks(data, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of every chunk."""
    at = 12
    while at <= size - 8:
        length = _number(data, at + 4, 4)
        yield bytes(data[at : at + 4]), at + 8, length
        at += 8 + length + length % 2


def _number(data, at: int, count: int) -> int:
    return int.from_bytes(data[at : at + count], "little")
