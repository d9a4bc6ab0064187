"""Fill: the sampler that reveals the unknown atoms of a task, step by step, along an ordering.

task = prepare(read("in.wav"), parse(["above:8000"]))
for step in fill(task, Settings(), model):
    print(step.number, step.total)
write("out.wav", task.render(step.grid))
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AtomizerError
from .settings import Settings, resolve
from .task import Task

if TYPE_CHECKING:
    from ..model import AtomTransformer


@dataclass(frozen=True)
class Step:
    """The state after a step: `number` of `total` done. A model that looks only once reveals the sound part by part, from its start to its end.

    grid      (channels, frames, bins) float32: known and revealed atoms; those still unknown are silent; those that have found a place, but not yet a
              velocity or sign, have the median level of the known ones and are positive (`placing`)
    revealed  (channels, frames, bins) bool: selected atoms that are filled in by now
    """

    number: int
    total: int
    grid: np.ndarray
    revealed: np.ndarray


def fill(
    task: Task, settings: Settings = Settings(), model: AtomTransformer | None = None
) -> Iterator[Step]:
    """Fill the task's unknown atoms in; yields after every step, and the last step holds the result.

    Only what is near the unknown atoms is computed. What the selection hides is never read.
    Raises AtomizerError for settings out of range, or a model of another AtomSpace.
    """
    settings = resolve(settings, task)
    if settings.method == "erased" or (
        settings.method == "noise" and set(task.features) == {"sign"}
    ):  # known levels need no noise
        yield Step(1, 1, task.masked(settings.seed), task.mask)
    elif settings.method == "noise":
        from ..priors.spectral_envelope import (  # scipy is loaded only where it is used
            noise_fill,
            substitute,
        )

        noise = (
            substitute(task.grid, task.mask, task.threshold, settings.seed)
            if task.purpose == "compress"
            else noise_fill(task.grid, task.mask, settings.seed)
        )
        yield Step(1, 1, noise, task.mask)
    elif model is None:
        raise AtomizerError(
            "The method 'model' needs a trained model: give a checkpoint, or choose the method noise."
        )
    else:
        from .sampler import sample  # torch is loaded only where a model is used

        yield from sample(task, settings, model)


def last(steps: Iterator[Step]) -> Step:
    """Run a fill to its end; only the last step is kept in memory."""
    return deque(steps, maxlen=1).pop()
