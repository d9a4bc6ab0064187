"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import AtomizerError


class Whole:
    """A binary file for libraries that lose errors: what a write or a seek raises is kept in `error`."""

    def __init__(self, file: BinaryIO):
        self.file = file
        self.error: OSError | None = None

    def write(self, data) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self.file.seek(offset, whence)  # writes what is buffered
        except OSError as error:
            self.error = self.error or error
            return 0

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int = -1) -> bytes:
        return self.file.read(size)


def reason_of(error: Exception) -> str:
    """Why a file could not be written, in the system's words, without its end."""
    reason = (
        error.strerror if isinstance(error, OSError) else getattr(error, "error_string", None)
    ) or str(error)
    return reason.removeprefix("Error : ").strip().rstrip(".") or "unknown reason"


@contextlib.contextmanager
def whole(path: Path, what: str, errors: tuple[type[Exception], ...] = ()) -> Iterator[Whole]:
    """A file that takes the place of `path` where everything was written, and leaves it alone otherwise.

    what    names the content for people, such as "The sound"
    errors  that the writer raises, beside OSError and ValueError, where the file is not to blame

    Raises AtomizerError with the reason where the file cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.part{path.suffix}")
    try:
        with open(partial, "w+b") as file:
            checked = Whole(file)
            try:
                yield checked
            except Exception as error:
                if checked.error:
                    raise checked.error from error
                raise
            if checked.error:
                raise checked.error
        partial.replace(path)
    except (OSError, ValueError) + errors as error:
        with contextlib.suppress(OSError, ValueError):
            partial.unlink()
        raise AtomizerError(
            f"{what} cannot be written to {path.name[:80]!r}: {reason_of(error)}."
        ) from error
