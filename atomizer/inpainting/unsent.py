"""The atoms that a file of atoms has no bytes for, filled in as the quietest atoms of a sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound
from .fill import fill
from .task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..codec.decoder import Received
    from ..model.inference import AtomModel
    from .settings import Settings
    from .step import Step


def unsent_task(received: Received) -> Task:
    """Task of filling the unsent atoms of a file in the order of velocity.

    They are quieter than the last level that was sent. Sums and differences of mid and side that
    are below that level are unknown, too.

    Raises AtomizerError for another order, whose last level differs from band to band, and for a
    file without any atoms.
    """
    from ..codec.decoder import synthesise

    header = received.header
    if header.order != "velocity":
        raise AtomizerError(
            "Only files in the order of velocity can be filled by the model: others are filled with"
            " noise at the levels of their bands."
        )
    if received.atoms == 0:
        raise AtomizerError("This part of the file holds no atoms: more bytes of it are needed.")
    grid = received.grid()
    sound = synthesise(received, grid)  # mid and side of the grid become left and right
    mask = np.abs(grid) < 2.0**received.reached.level * received.scale(0).min()
    if not mask.any():
        raise AtomizerError("This file holds all atoms: nothing of it is left to fill in.")
    reference = float(np.abs(grid).max())
    grid[mask] = 0
    return Task(sound, header.space, grid, mask, Selection(), "compress", reference)


def fill_unsent(
    received: Received,
    settings: Settings,
    model: AtomModel | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Sound:
    """The sound of a file with its unsent atoms filled in.

    Raises AtomizerError as `unsent_task` and `fill.fill` do.
    """
    task = unsent_task(received)
    for step in fill(task, settings, model):
        on_step(step)
    return task.render(step.grid)
