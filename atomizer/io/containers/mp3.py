"""MP3: frames, counted one by one, where the header has no length or a wrong one.

A Xing header holds the number of frames. Joined files have several: each begins a part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .part import FilePart

_RATES = (44_100, 48_000, 32_000)
_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True)
class _Frame:
    """A frame of layer III.

    size     in bytes
    samples  per channel
    rate     in Hz
    mono     whether it has one channel
    header   its four bytes
    """

    size: int
    samples: int
    rate: int
    mono: bool
    header: bytes

    @property
    def info_offset(self) -> int:
        """Offset of a Xing header in the frame: after header and side information."""
        long = self.samples == 1152
        return 4 + ((17 if self.mono else 32) if long else (9 if self.mono else 17))


@dataclass
class _Run:
    """Frames that belong together: the first one, their number, and whether their sizes vary."""

    start: int
    first: _Frame
    count: int = 0
    stop: int = 0
    varies: bool = False


def mp3_parts(data, size: int) -> tuple[list[FilePart], int] | None:
    """Parts that declare their length, and the samples that are missing for the length they had.

    data  bytes or mmap of an MP3 file of `size` bytes

    Returns None where the header is right, or the file is no MP3.
    """
    runs = list(_runs(data, size))
    if not runs:
        return None
    parts, missing, right = [], 0, len(runs) == 1
    for run in runs:
        part, frames = _part(data, run)
        parts.append(part)
        missing += max(0, (frames or 0) - run.count + 1) * run.first.samples
        right = right and not part.prefix and not part.patches
    return None if right else (parts, missing)


def _part(data, run: _Run) -> tuple[FilePart, int | None]:
    """The part of a run of frames, and the frames that its header promises; None without one."""
    at = run.start + run.first.info_offset
    mark = bytes(data[at : at + 4])
    if mark in (b"Xing", b"Info") and data[at + 7] & 1:
        frames, held = int.from_bytes(data[at + 8 : at + 12], "big"), run.count - 1
        if frames == held:
            return FilePart(run.start, run.stop), frames
        patches = [(at + 8 - run.start, held.to_bytes(4, "big"))]
        flags = data[at + 7]
        lame = at + 8 + 4 * bool(flags & 1) + 4 * bool(flags & 2) + 100 * bool(flags & 4)
        lame += 4 * bool(flags & 8)
        padding = lame + 22  # delay and padding: 12 bits each, from byte 21
        patches.append((padding - run.start, bytes([data[padding] & 0xF0, 0])))
        return FilePart(run.start, run.stop, patches=tuple(patches)), frames
    if mark in (b"Xing", b"Info") or bytes(data[run.start + 36 : run.start + 40]) == b"VBRI":
        run = _Run(run.start + run.first.size, run.first, run.count - 1, run.stop, run.varies)
    if not run.varies:
        return FilePart(run.start, run.stop), None
    return FilePart(run.start, run.stop, prefix=_xing(run)), None


def _xing(run: _Run) -> bytes:
    """A frame like the first one of a run, with a Xing header that holds the number of frames."""
    header = bytearray(run.first.header)
    header[1] |= 1  # no checksum
    header[2] = (header[2] & 0x0D) | 0x90  # long enough for the header at every rate
    frame = _parse(bytes(header))
    assert frame is not None
    body = b"Xing" + (1).to_bytes(4, "big") + run.count.to_bytes(4, "big")
    start = bytes(header) + bytes(frame.info_offset - 4) + body
    return start + bytes(frame.size - len(start))


def _runs(data, size: int) -> Iterator[_Run]:
    """Runs of frames of the same kind; a Xing header begins another one."""
    run: _Run | None = None
    for at, frame in _frames(data, size):
        mark = bytes(data[at + frame.info_offset : at + frame.info_offset + 4])
        same = run is not None and (frame.samples, frame.rate, frame.mono) == (
            run.first.samples,
            run.first.rate,
            run.first.mono,
        )
        if run is None or not same or mark in (b"Xing", b"Info"):
            if run is not None:
                yield run
            run = _Run(at, frame)
        run.varies |= run.count > 0 and frame.header[2] & 0xF0 != run.first.header[2] & 0xF0
        run.count, run.stop = run.count + 1, min(size, at + frame.size)
    if run is not None:
        yield run


def _frames(data, size: int) -> Iterator[tuple[int, _Frame]]:
    """Offsets and frames; tags and garbage between them are skipped."""
    at, in_step = 0, False
    while 0 <= at <= size - 4:
        if data[at : at + 3] == b"ID3" and at + 10 <= size:
            at, in_step = tag_end(data, at), False
            continue
        frame = _parse(bytes(data[at : at + 4]))
        if frame is not None and (in_step or _follows(data, at + frame.size, size)):
            if at + frame.size > size:
                return  # cut off in this frame
            yield at, frame
            at, in_step = at + frame.size, True
            continue
        found = [p for p in (data.find(b"\xff", at + 1), data.find(b"ID3", at + 1)) if p > 0]
        at, in_step = min(found, default=-1), False


def tag_end(data, at: int) -> int:
    """Offset after the ID3v2 tag at `at`, whose size is in four bytes of seven bits."""
    size = bytes(data[at + 6 : at + 10]).ljust(4, b"\0")
    return at + 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])


def _follows(data, at: int, size: int) -> bool:
    """Whether another frame, a tag or the end of the file is at `at`."""
    if at >= size - 4 or data[at : at + 3] in (b"ID3", b"TAG"):
        return True
    return _parse(bytes(data[at : at + 4])) is not None


def _parse(header: bytes) -> _Frame | None:
    """Frame of layer III of four bytes; None if they are none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, kbps, rate = (header[1] >> 3) & 3, header[2] >> 4, (header[2] >> 2) & 3
    if version == 1 or kbps in (0, 15) or rate == 3:
        return None
    long = version == 3
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    size = (144 if long else 72) * _KBPS[long][kbps] * 1000 // hertz + ((header[2] >> 1) & 1)
    return _Frame(size, 1152 if long else 576, hertz, header[3] >> 6 == 3, header)
