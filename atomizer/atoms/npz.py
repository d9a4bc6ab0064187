"""Files of atoms (`.npz`): the space, the length, the reference and one array per feature.

Keys: `space_*` (fields of the space), `length`, `reference` and the names of the arrays.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AtomizerError
from ..io.atomic_write import atomic_write
from .space import MAX_PLACES, AtomSpace, ScaleSpace

_BYTES_PER_ATOM = 21
_NO_FEATURES = ("amplitude", "unknown")  # arrays beside those of the features


def save(
    path: Path, space: AtomSpace, length: int, reference: float, arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a file of atoms atomically, with exactly this name.

    Raises AtomizerError if it cannot be written.
    """
    meta = {f"space_{name}": value for name, value in asdict(space).items()}
    target = io.BytesIO()  # numpy would add an ending to a name
    values: dict[str, Any] = {"length": length, "reference": reference, **meta, **arrays}
    np.savez_compressed(target, **values)
    atomic_write(path, target.getbuffer(), "The atoms")


def load(
    path, dtypes: Mapping[str, np.dtype]
) -> tuple[AtomSpace, int, float, dict[str, np.ndarray]]:
    """Space, length, reference and arrays of a file that `save` wrote.

    dtypes  name and type of every array that atoms of any space may have

    Raises AtomizerError if the file holds anything else. The values are not validated.
    """
    try:
        _check_size(path)
        with np.load(path, allow_pickle=False) as file:
            space = _space(file)
            features = {feature.name for feature in space.features}
            names = [name for name in dtypes if name in features or name in _NO_FEATURES]
            # casts stay within one kind of number: floats are not positions, text is no amplitude
            arrays = {name: file[name].astype(dtypes[name], casting="same_kind") for name in names}
            return space, int(file["length"]), float(file["reference"]), arrays
    except AtomizerError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for damaged files
        raise AtomizerError(
            "This file holds no atoms: an .npz written by the Atomizer is accepted."
        ) from error


def _check_size(path) -> None:
    """Raise AtomizerError for a small file that unpacks to more than the memory."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_PLACES * _BYTES_PER_ATOM:
        raise AtomizerError(
            f"This file unpacks to {unpacked / 1e9:.0f} GB: atoms of up to {MAX_PLACES:,} places"
            " are accepted."
        )


def _space(file) -> AtomSpace:
    """The validated space of an open file."""
    values: dict[str, Any] = {
        key.removeprefix("space_"): _python(file[key])
        for key in file.files
        if key.startswith("space_")
    }
    space = (ScaleSpace if "scales" in values else AtomSpace)(**values)
    space.validate()
    return space


def _python(array: np.ndarray) -> Any:
    """A Python scalar, or a tuple of an array with one axis."""
    return array.item() if array.ndim == 0 else tuple(array.tolist())
