"""FLAC: the number of samples that a stream holds, from its last complete frame (RFC 9639)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .part import FilePart

_TAIL = 1 << 20  # bytes at the end in which the last frames are searched
_STREAMINFO = 42  # bytes of the marker, the first block's header and STREAMINFO
_BLOCK_SIZES = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)}}
_BLOCK_SIZES |= {code: 256 << (code - 8) for code in range(8, 16)}
_RATES = {1: 88_200, 2: 176_400, 3: 192_000, 4: 8000, 5: 16_000, 6: 22_050, 7: 24_000}
_RATES |= {8: 32_000, 9: 44_100, 10: 48_000, 11: 96_000}


@dataclass(frozen=True)
class _Frame:
    """A frame: its offset in the file, its first sample and its number of samples."""

    offset: int
    first: int
    size: int


def flac_contents(data, size: int) -> tuple[list[FilePart], int] | None:
    """The part that holds complete frames, and the samples that are missing after it.

    data  bytes or mmap of a FLAC file of `size` bytes

    Returns None where the header is right, or the file is no FLAC stream.
    """
    if size < _STREAMINFO or data[:4] != b"fLaC" or data[4] & 0x7F:
        return None
    info = int.from_bytes(data[8:_STREAMINFO], "big")
    promised = (info >> 128) & ((1 << 36) - 1)
    last = _last_frame(data, size)
    if last is None:
        return None
    frame, stop = last
    total = frame.first + frame.size
    if promised and total >= promised:
        return None
    fixed = (info & ~(((1 << 36) - 1) << 128)) | (total << 128)
    patch = (8, fixed.to_bytes(_STREAMINFO - 8, "big"))
    return [FilePart(0, stop, patches=(patch,))], max(0, promised - total)


def _last_frame(data, size: int) -> tuple[_Frame, int] | None:
    """The last complete frame, and its end.

    A frame is complete where its checksum is right up to the next one or the end of the file.
    """
    if data[max(0, size - 128) : size][:3] == b"TAG":
        size -= 128  # ID3v1
    frames = list(_frames(data, max(_STREAMINFO, size - _TAIL), size))
    if not frames:
        return None
    ends = [frame.offset for frame in frames] + [size]
    for index in range(len(frames) - 1, -1, -1):
        frame = frames[index]
        for end in reversed(ends[index + 1 : index + 4]):
            if _crc16(data[frame.offset : end]) == 0:
                return frame, end
    return None


def _frames(data, start: int, stop: int) -> Iterator[_Frame]:
    """Frames whose headers begin between `start` and `stop` and belong to this stream."""
    info = int.from_bytes(data[18:26], "big")
    rate, channels, bits = info >> 44, (info >> 41) & 7, ((info >> 36) & 31) + 1
    block = int.from_bytes(data[10:12], "big")
    at = data.find(b"\xff", start, stop)
    while 0 <= at < stop - 6:
        if data[at + 1] & 0xFE == 0xF8:
            header = bytes(data[at : at + 18])
            frame = _parse(header, at, block)
            if frame is not None and _agrees(header, rate, channels, bits):
                yield frame
        at = data.find(b"\xff", at + 1, stop)


def _agrees(header: bytes, rate: int, channels: int, bits: int) -> bool:
    """Whether a frame header names the rate, channels and bits of the stream, or none."""
    named = _RATES.get(header[2] & 15, rate)
    assignment = header[3] >> 4
    sizes = {0: bits, 1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
    same_channels = assignment == channels or (assignment in (8, 9, 10) and channels == 1)
    return named == rate and same_channels and sizes.get((header[3] >> 1) & 7) == bits


def _parse(header: bytes, offset: int, block: int) -> _Frame | None:
    """Frame of a header, whose checksum has to be right; None if it is not."""
    code, rate_code, at = header[2] >> 4, header[2] & 15, 4
    if not code or rate_code == 15 or header[3] & 1:
        return None
    ones = 8 - (~header[4] & 0xFF).bit_length()  # number of leading ones, as in UTF-8
    if ones == 1 or ones > 7:
        return None
    number = header[4] & (0x7F >> ones)
    for byte in header[5 : 5 + max(0, ones - 1)]:
        if byte >> 6 != 2:
            return None
        number = number << 6 | byte & 63
    at += max(1, ones)
    size = _BLOCK_SIZES.get(code, 0)
    if code in (6, 7):
        size = int.from_bytes(header[at : at + code - 5], "big") + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if at >= len(header) or _crc8(header[:at]) != header[at]:
        return None
    variable = header[1] & 1
    return _Frame(offset, number if variable else number * block, size)


@cache
def _table(bits: int, polynomial: int) -> list[int]:
    """Checksums of all bytes."""
    table, top = [], 1 << (bits - 1)
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value & top else 0)
        table.append(value & ((1 << bits) - 1))
    return table


def _crc8(data: bytes) -> int:
    table, value = _table(8, 0x07), 0
    for byte in data:
        value = table[value ^ byte]
    return value


def _crc16(data: bytes) -> int:
    table, value = _table(16, 0x8005), 0
    for byte in data:
        value = (value << 8) & 0xFFFF ^ table[value >> 8 ^ byte]
    return value
