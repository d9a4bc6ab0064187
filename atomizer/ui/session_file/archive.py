"""A zip in memory of files and arrays: the container of a session file.

Arrays are stored plane by plane: the first bytes of all values, then the second ones. Neighbouring
samples have similar exponents, so that this takes a fifth less space than the values as they are.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from ...errors import AtomizerError
from ...limits import MEGABYTE, limits
from .content import ENDING

MAX_ENTRIES = 20_000  # of the directory of the zip
DAMAGED = "This session file is damaged or incomplete: save it again, or choose another one."
NO_SESSION = (
    f"This zip is no session: a file that “Save session” has written ({ENDING}) is accepted."
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENTRY = b"PK\x01\x02"


def is_session_file(path: str | os.PathLike) -> bool:
    """Whether a file claims to be a session file, by its ending or as a zip."""
    if Path(path).suffix.lower() == ENDING:
        return True
    try:
        with open(path, "rb") as file:
            return file.read(4) in _ZIP
    except OSError:  # whatever reads it next says so
        return False


class Writer:
    """A zip in memory that ends with an error where it becomes too large."""

    def __init__(self) -> None:
        self.target = io.BytesIO()
        self.zip = zipfile.ZipFile(self.target, "w")

    def add(self, name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
        """Add a file."""
        entry = zipfile.ZipInfo(name)  # of a fixed date: equal sessions are equal files
        entry.compress_type = method
        self.zip.writestr(entry, data, compresslevel=1)
        if self.target.tell() > limits().file_mb * MEGABYTE:
            raise AtomizerError(
                f"As a file this session has more than {limits().file_mb:g} MB, the most that can"
                " be loaded again: delete variations or undo layers, and save again."
            )

    def add_arrays(self, name: str, *arrays: np.ndarray) -> None:
        """Add arrays, one after the other."""
        self.add(name, b"".join(to_planes(array) for array in arrays))

    def finish(self) -> bytes:
        """Return the zip."""
        self.zip.close()
        return self.target.getvalue()


class Reader:
    """A zip in memory; nothing that it claims about itself is believed."""

    def __init__(self, data: bytes) -> None:
        if data.count(_ENTRY) > MAX_ENTRIES:  # reading its directory would take the memory
            raise AtomizerError(NO_SESSION)
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
        except Exception as error:  # zipfile raises many kinds for damaged files
            raise AtomizerError(DAMAGED) from error

    def read(self, name: str, size: int, at_most: bool = False) -> bytes:
        """Return the file of a name, of this size, or up to it.

        It is not unpacked where its entry in the zip claims another size.
        """
        try:
            entry = self.zip.getinfo(name)
            if entry.file_size > size or (entry.file_size < size and not at_most):
                raise AtomizerError(DAMAGED)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise AtomizerError(DAMAGED)
            data = self.zip.read(entry)  # no more than `file_size`
        except AtomizerError:
            raise
        except Exception as error:  # zipfile raises many kinds for damaged files
            raise AtomizerError(DAMAGED) from error
        if len(data) != entry.file_size:
            raise AtomizerError(DAMAGED)
        return data

    def arrays(self, name: str, count: int, dtypes: Sequence[str]) -> list[np.ndarray]:
        """Return the arrays of a file, (count,) each."""
        types = [np.dtype(dtype) for dtype in dtypes]
        sizes = [count * dtype.itemsize for dtype in types]
        data = memoryview(self.read(name, sum(sizes)))  # slices without a copy
        starts = accumulate(sizes, initial=0)
        return [
            from_planes(data[start : start + size], dtype)
            for start, size, dtype in zip(starts, sizes, types)
        ]


def to_planes(array: np.ndarray) -> bytes:
    """The bytes of an array, those of equal weight together."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


def from_planes(data: bytes | memoryview, dtype: np.dtype) -> np.ndarray:
    """The array (count,) whose `to_planes` are these bytes."""
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, -1)
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype)
