"""Variations on the server: their recipes and files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..inpainting.recipe import Recipe
from ..io.audio import Sound


@dataclass(frozen=True)
class StoredVariation:
    """A variation on the server: its recipe, and files with the exact filled and masked sound.

    digest  of the samples of the filled sound
    """

    recipe: Recipe
    filled: Path
    masked: Path
    digest: str


def digest_of(sound: Sound) -> str:
    """Return a text that two sounds share only if they have the same samples."""
    return hashlib.blake2b(sound.samples.tobytes()).hexdigest()
