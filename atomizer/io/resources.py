"""Files shipped with the package: beside it in a checkout, inside it once it is installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def path(name: str) -> Path:
    """Path of a shipped folder, "checkpoints" or "assets"; the folder need not exist."""
    candidates = (_PACKAGE.parent / name, _PACKAGE / name)
    return next((folder for folder in candidates if folder.is_dir()), _PACKAGE / name)


ASSETS = path("assets")
