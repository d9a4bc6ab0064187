"""Files shipped with the package: beside it in a checkout, inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_PACKAGE = Path(__file__).resolve().parents[1]


def path(name: str) -> Path:
    """Path of a shipped folder, "checkpoints" or "assets"; the folder need not exist."""
    candidates = (_PACKAGE.parent / name, _PACKAGE / name)
    return next((folder for folder in candidates if folder.is_dir()), _PACKAGE / name)


def document(name: str) -> Path | None:
    """Path of a text of the repository, "docs/concepts.md"; None where it is not installed."""
    is_checkout = (_PACKAGE.parent / "pyproject.toml").is_file()
    found = (_PACKAGE.parent if is_checkout else _PACKAGE) / name
    return found if found.is_file() else None


def checkpoint_arrays(file: str) -> dict[str, np.ndarray] | None:
    """Arrays of an .npz file beside the shipped checkpoint; None where there is none."""
    found = path("checkpoints") / file
    if not found.is_file():
        return None
    with np.load(found) as arrays:
        return dict(arrays)


ASSETS = path("assets")
