"""Parts: spans of a file, with corrected bytes, that a decoder reads as files of their own."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FilePart:
    """A span of a file that is decoded by itself.

    start, stop  bytes of the file
    prefix       bytes before them
    patches      (offset in the part, bytes) that replace its own
    """

    start: int
    stop: int
    prefix: bytes = b""
    patches: tuple[tuple[int, bytes], ...] = field(default=())

    def open(self, path: Path) -> OpenPart:
        """The part of the file `path`, as a seekable binary file."""
        return OpenPart(path, self)


class OpenPart(io.RawIOBase):
    """A part of a file, with its prefix and patches, for a decoder that reads binary files."""

    def __init__(self, path: Path, part: FilePart):
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115  closed with this object
        self._part, self._at = part, 0
        self._length = len(part.prefix) + part.stop - part.start

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset, as other files do."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, origin + offset)
        return self._at

    def readinto(self, buffer) -> int:
        """Read into a buffer; returns the number of bytes."""
        target = memoryview(buffer).cast("B")
        part, at, lead = self._part, self._at, len(self._part.prefix)
        count = max(0, min(len(target), self._length - at))
        head = part.prefix[at : at + count]
        data = bytearray(head)
        if count > len(head):
            self._file.seek(part.start + at + len(head) - lead)
            data += self._file.read(count - len(head))
        for offset, new in part.patches:
            first = offset + lead - at
            low, high = max(first, 0), min(first + len(new), len(data))
            if low < high:
                data[low:high] = new[low - first : high - first]
        target[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
