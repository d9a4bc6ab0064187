"""The work of a fill, counted before it starts, and how long it takes one core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..analysis.runs import runs
from ..atoms.orderings import BY_LEVEL
from ..atoms.space import LOUDNESS
from ..priors.recording.context import CONTEXT_FRAMES, MAX_SPANS
from .fill import needs_model
from .presets import PRESETS
from .resolve import resolve
from .sampling.windows import plan_windows
from .settings import Resolved, Settings
from .task import Task
from .time_domain.holes import holes_in_samples, passes_over

WINDOW_FRAMES = 64  # of the shipped model

# Seconds of one core of an AMD EPYC for a unit of every kind of work, by non-negative least
# squares over 111 fills (dev/LOG.md)
SECONDS = {
    "sound": 0.0104,  # second of a channel: analysis, masked preview, synthesis, files
    "strips": 0.078,  # channel of a short hole or of an edge of a longer one: autoregression
    "noise": 0.00018,  # hidden frame of a channel: interpolated levels
    "search": 0.0118,  # hidden span, per second of the recording: where its context repeats
    "copies": 0.00063,  # frame of a channel in and around hidden spans: copies and partials
    "windows": 0.2,  # window of the Transformer, in every step
    "mixed windows": 0.0745,  # channel of a window in which some bins are partly known
    "mixed cells": 3.9e-6,  # hidden cell of such a window: linear prediction
    "cells": 9.3e-6,  # hidden cell: the decoder
    "model": 1.7,  # the model, where it is loaded first
    "placed": 0.00034,  # cell where atoms of unknown time, frequency or channel are placed
}
OF_NETWORK = "windows", "cells"
# Share of the work on windows, and on cells, where few bins are decoded (`coarse_bins.py`)
COARSE_WINDOWS, COARSE_CELLS = 0.65, 0.08


@dataclass(frozen=True)
class Work:
    """How much work a fill is.

    path     the way in which the cells are filled
    amounts  units of the kinds in `SECONDS`
    """

    path: str
    amounts: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """Seconds on the one core that `SECONDS` was measured on."""
        return sum(SECONDS[kind] * amount for kind, amount in self.amounts.items())

    @property
    def may_be_copied(self) -> bool:
        """Whether atoms may be copies alone: the recording is searched for them."""
        return self.amounts.get("search", 0.0) > 0

    def without_copied(self, share: float) -> Work:
        """The work of a fill in which a share of the atoms, 0 to 1, are copies alone.

        The share is known after the fill: work that is counted before has all windows.
        """
        left = {kind: (1 - share) * self.amounts.get(kind, 0.0) for kind in OF_NETWORK}
        return replace(self, amounts={**self.amounts, **left})


def work_of(task: Task, settings: Settings) -> Work:
    """Count the work of a fill, in milliseconds: it reads the mask of the task, never the grid.

    Raises AtomizerError for invalid settings.
    """
    resolved = resolve(settings, task)
    hidden = np.asarray(task.mask.any(axis=2))
    sound = {"sound": len(hidden) * task.sound.seconds}
    if not hidden.any() or resolved.method in ("erased", "paste"):
        return Work(resolved.method, sound)
    holes = float(len(hidden) * _joined_holes(task))
    if resolved.method == "noise":
        return Work("noise", {**sound, "strips": 2 * holes, "noise": float(hidden.sum())})
    if not needs_model(task, settings):
        return Work("short holes", {**sound, "strips": holes})
    recording, model = (of(task, resolved, hidden) for of in (_of_recording, _of_model))
    return Work(task.preset, {**sound, "strips": 2 * holes, **recording, **model})


def _joined_holes(task: Task) -> int:
    """How often holes in time are joined to the samples around them, all holes together."""
    holes = holes_in_samples(task.selection, task.space.rate, task.length)
    return len(holes) * passes_over(holes, task.space.rate)


def _of_recording(task: Task, settings: Resolved, hidden: np.ndarray) -> dict[str, float]:
    """Work of the recording priors; hidden: (C, T) bool, frames with hidden cells."""
    if settings.using == "texture" or not task.uses_recording:
        return {}
    spans = runs(np.asarray(hidden.any(axis=0)))[:MAX_SPANS]
    frames = sum(stop - first + 2 * CONTEXT_FRAMES for first, stop in spans)
    searched = 0.0 if settings.using == "partials" else task.sound.seconds
    return {"search": len(spans) * searched, "copies": float(len(hidden) * frames)}


def _of_model(task: Task, settings: Resolved, hidden: np.ndarray) -> dict[str, float]:
    """Work of the model and of the priors of its windows; hidden: (C, T) bool."""
    channels = len(hidden)
    # of more than two channels, each hidden one has windows of its own
    groups = 1 if channels <= 2 else int(hidden.any(axis=1).sum())
    frames = np.asarray(hidden.any(axis=0))[None, :, None]
    windows = groups * len(plan_windows(frames, WINDOW_FRAMES, [((0,), 1)]))
    cells = float(np.count_nonzero(task.mask))
    # orders by level predict all remaining cells in every step
    decoded = (settings.steps + 1) / 2 if settings.order in BY_LEVEL else 1.0
    encoded = float(windows * settings.steps)
    if PRESETS[task.preset].continues_tilt and settings.amplitudes == "texture":
        encoded, decoded = encoded * COARSE_WINDOWS, decoded * COARSE_CELLS
    work = {"windows": encoded, "cells": cells * decoded}
    if (task.mask.any(axis=1) & ~task.mask.all(axis=1)).any():
        work |= {"mixed windows": float(windows * min(channels, 2)), "mixed cells": cells}
    if not (task.selection.erases or set(task.features) <= set(LOUDNESS)):
        work["placed"] = cells
    return work
