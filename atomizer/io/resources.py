"""The files that come with the package: beside it in a checkout, inside of it once it is installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def folder(name: str) -> Path:
    """Where "checkpoints" or "assets" lies; it need not exist."""
    return next(
        (place for place in (_PACKAGE.parent / name, _PACKAGE / name) if place.is_dir()),
        _PACKAGE / name,
    )
