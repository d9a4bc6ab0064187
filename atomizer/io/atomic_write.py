"""Atomic writes: a file is replaced as a whole or left alone.

Content is encoded into memory first: encoders such as libsndfile hide errors of the disk, while
writing bytes does not.
"""

from __future__ import annotations

import contextlib
import uuid
from pathlib import Path

from ..errors import AtomizerError


def atomic_write(path: Path, data: bytes | memoryview, content: str) -> None:
    """Replace the file `path` with `data`; after an error the old file is unchanged.

    Parameters
    ----------
    path : Path
        The file. A temporary file beside it is renamed once everything is written.
    data : bytes or memoryview
        The whole new content.
    content : str
        What the data is, for the error message, such as "The sound".

    Raises
    ------
    AtomizerError
        The file cannot be written; the message holds the reason.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.part{path.suffix}")
    try:
        with open(partial, "wb") as file:
            file.write(data)
        partial.replace(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        with contextlib.suppress(OSError, ValueError):
            partial.unlink()
        raise write_error(path, content, error) from error


def write_error(path: Path, content: str, error: Exception) -> AtomizerError:
    """AtomizerError of one sentence: the content, the file's name and the reason."""
    return AtomizerError(f"{content} cannot be written to {path.name[:80]!r}: {reason_of(error)}.")


def reason_of(error: Exception) -> str:
    """Reason of a failed write, in the words of the system, without the final period."""
    reason = (
        error.strerror if isinstance(error, OSError) else getattr(error, "error_string", None)
    ) or str(error)
    return reason.removeprefix("Error : ").strip().rstrip(".") or "unknown reason"
