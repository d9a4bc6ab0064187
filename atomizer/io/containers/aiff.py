"""AIFF: the length that a header promises."""

from __future__ import annotations

from .wav import chunks

_COMMON = 18  # bytes of the chunk that describes the samples, at least
_OFFSETS = 8  # bytes between the header of the sound chunk and its samples


def aiff_missing(data, size: int) -> int:
    """Samples per channel that are missing at the end of an AIFF file of `size` bytes.

    data  bytes or mmap; 0 where it is no AIFF file or says nothing
    """
    if data[:4] != b"FORM" or data[8:12] not in (b"AIFF", b"AIFC"):
        return 0
    width = promised = 0
    for name, start, length in chunks(data, size, "big"):
        if name == b"COMM" and length >= _COMMON:
            channels, frames, bits = (
                int.from_bytes(data[start + at : start + at + count], "big")
                for at, count in ((0, 2), (2, 4), (6, 2))
            )
            width, promised = channels * -(-bits // 8), frames
        if name == b"SSND" and width and start + length > size:
            return max(0, promised - max(0, size - start - _OFFSETS) // width)
    return 0
