"""Paste: the atoms of another time of the same recording, as they are.

A frame that is moved by whole hops sounds the same at its new place.
"""

from __future__ import annotations

import numpy as np

from ..errors import AtomizerError
from ..priors.recording.context import CopySource
from .settings import Resolved
from .step import Step
from .task import Task


def paste(grid: np.ndarray, mask: np.ndarray, frames: int) -> np.ndarray:
    """(C, T, F) the grid with other atoms in the places of the mask (C, T, F).

    They are those that lie `frames` later, or earlier if it is negative; before the first frame
    and after the last there are none.
    """
    moved = np.zeros_like(grid)
    if frames >= 0:
        moved[:, : grid.shape[1] - frames] = grid[:, frames:]
    else:
        moved[:, -frames:] = grid[:, :frames]
    return np.where(mask, moved, grid)


def paste_step(task: Task, settings: Resolved) -> Step:
    """The only step of the method "paste".

    Raises AtomizerError where nothing would be pasted.
    """
    space, count = task.space, task.grid.shape[1]
    frames = round(settings.shift * space.rate / space.hop)
    selected = np.flatnonzero(task.mask.any(axis=(0, 2)))
    first, last = int(selected[0]), int(selected[-1])
    if not frames or last + frames < 0 or first + frames >= count:
        raise AtomizerError(
            "Pasting needs a shift of at least one frame, to atoms inside of the sound: "
            f"{settings.shift:g} s is not one."
        )
    if not task.selection.erases:
        raise AtomizerError("Pasting replaces velocity and sign: leave both features unknown.")
    hop, rate = space.hop, space.rate
    source = CopySource.of(first * hop, (last + 1) * hop, float(frames * hop), rate, 1.0)
    return Step(1, 1, paste(task.grid, task.mask, frames), task.mask, sources=(source,))
