"""What a session file holds, as data without files and without a server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...atoms.atoms import Atoms
from ...atoms.selection import Selection
from ...atoms.space import AtomSpace
from ...inpainting.recipe import Recipe
from ...inpainting.shaping import FillShape
from ...io.audio import Sound
from .patch import Patch

ENDING = ".atomizer"
Plane = tuple[int, int, int]  # channels, frames, bins
# fields of `message.Variation` that are stored as they are
ROW = (
    *("label", "title", "details", "heard", "snr_db", "level_db", "lsd", "has_reference"),
    *("seconds", "order", "reverse", "origin", "sources", "done", "total"),
)


@dataclass(frozen=True)
class Drawn:
    """N drawn atoms of a plane of (channels, frames, bins).

    cells      (N,) int64, ascending flat indices of the plane
    amplitude  (N,) float32, signed
    state      (N,) uint8 of `drawing`
    """

    cells: np.ndarray
    amplitude: np.ndarray
    state: np.ndarray


@dataclass(frozen=True)
class SavedScene:
    """The plane of a fill that is longer or wider than its original, or lies on other atoms.

    added        regions beyond the loaded sound
    is_mid_side  whether its channels are mid and side
    """

    atoms: Drawn
    added: Selection
    is_mid_side: bool


@dataclass(frozen=True)
class SavedVariation:
    """A variation of an original.

    row             the fields `ROW` of the variation, JSON-ready
    shape           how the fill is changed afterwards
    is_drawn        whether it fills a selection, and does not add to the sound
    filled, masked  its sounds, relative to the original
    hidden          (N,) int64, ascending: the drawn cells of the plane that it replaces
    atoms           what is drawn in their place
    scene           its plane where that is not the plane of the original
    """

    row: dict[str, Any]
    recipe: Recipe
    shape: FillShape
    is_drawn: bool
    filled: Patch
    masked: Patch
    hidden: np.ndarray
    atoms: Drawn
    scene: SavedScene | None = None


@dataclass(frozen=True)
class SavedPursuit:
    """Matching-pursuit atoms that replace the MDCT atoms of an original.

    name    of the atomizer
    srr_db  signal-to-residual ratio in dB
    """

    name: str
    atoms: Atoms
    srr_db: float


@dataclass(frozen=True)
class SavedOriginal:
    """The loaded sound, or what an accepted fill made of the original before.

    variations  can be read once: a file is decoded, and sounds are read, one by one
    current     index of the variation that is shown; None for the original
    patch       relative to the original before; None for the loaded sound
    recipe      of the accepted fill; None for the loaded sound
    accepted    its name
    """

    variations: Iterable[SavedVariation]
    current: int | None = None
    pursuit: SavedPursuit | None = None
    patch: Patch | None = None
    recipe: Recipe | None = None
    accepted: str = ""


@dataclass(frozen=True)
class SavedWork:
    """The selection and the controls of the page: what Fill in would do.

    fill         the selection, the features and the settings
    is_new_seed  whether the field of the seed is empty
    count        number of variations
    seconds      to add at the end
    """

    fill: Recipe = field(default_factory=Recipe)
    is_new_seed: bool = True
    count: int = 1
    seconds: float = 4.0


@dataclass(frozen=True)
class SavedSession:
    """All that a visitor has made of a sound.

    sound      as it was loaded
    name       of its file
    part       (start, seconds) of the file that it is an excerpt of; None for a whole file
    next_seed  above all that fills used
    originals  the loaded sound, then one per accepted fill; can be read once
    """

    sound: Sound
    name: str
    originals: Iterable[SavedOriginal]
    work: SavedWork = field(default_factory=SavedWork)
    part: tuple[float, float] | None = None
    next_seed: int = 0


def length_at(to: int, length: int, rate: int) -> int:
    """Return the samples of a sound of `length` samples at another rate."""
    return -(-length * to // rate)


def plane_of(channels: int, length: int, rate: int) -> Plane:
    """Return the (channels, frames, bins) of the atoms of a sound of `length` samples."""
    space = AtomSpace()
    return channels, space.frame_count(length_at(space.rate, length, rate)), space.hop
