"""Ogg: the links of a chained stream, as joined files are (RFC 3533)."""

from __future__ import annotations

from .part import FilePart

_FIRST = 2  # flag of the first page of a logical stream


def ogg_links(data, size: int) -> tuple[list[FilePart], bool]:
    """One part for every link of a chain, and whether the file ends within a page.

    data  bytes or mmap of an Ogg file of `size` bytes
    """
    starts, at, in_header = [], 0, False
    while 0 <= at <= size - 27:
        if data[at : at + 4] != b"OggS":
            at = data.find(b"OggS", at + 1)
            continue
        first = bool(data[at + 5] & _FIRST)
        if first and not in_header:
            starts.append(at)
        in_header = first  # the first pages of all streams of a link precede all others
        segments = data[at + 26]
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    parts = [FilePart(start, stop) for start, stop in zip(starts, [*starts[1:], size])]
    return parts, at > size
