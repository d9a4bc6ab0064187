"""Lost channels beside other unknown atoms: two tasks, one after the other.

The settings of a task follow the shape of its selection. Highs, a hole or a continuation in the
channels that are there need others than a channel that is lost, and are filled in first: the lost
channel follows the whole of the others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..atoms.selection import Selection
from .presets import lost_channels
from .step import Step
from .task import Task, preset_of, recorded_bins


def task_of_known_channels(task: Task) -> Task | None:
    """The task without its lost channels; None where it has none, or nothing else is selected."""
    lost = _lost_channels(task)
    kept = ~lost
    if not (task.selection.erases and lost.any() and task.mask[kept].any()):
        return None
    sound = replace(task.sound, samples=np.ascontiguousarray(task.sound.samples[kept]))
    selection, mask = _of_channels(task.selection, kept), task.mask[kept]
    preset = preset_of(sound, selection, mask, task.space)
    return replace(
        task,
        sound=sound,
        grid=task.grid[kept],
        mask=mask,
        selection=selection,
        preset=preset,
        is_mid_side=False,
    )


def task_of_lost_channels(task: Task, filled: np.ndarray) -> Task:
    """What is left of a task after `filled` (K, T, F), the atoms of its known channels."""
    lost = _lost_channels(task)
    grid, mask = task.grid.copy(), task.mask.copy()
    grid[~lost], mask[~lost] = filled, False
    return replace(task, grid=grid, mask=mask, extended=0.0)


def in_all_channels(task: Task, step: Step) -> Step:
    """A step of the task of known channels, half of the steps of the task itself."""
    lost = _lost_channels(task)
    grid, revealed = task.erased(), np.zeros_like(task.mask)
    grid[~lost], revealed[~lost] = step.grid, step.revealed
    return replace(step, total=2 * step.total, grid=grid, revealed=revealed)


def _of_channels(selection: Selection, kept: np.ndarray) -> Selection:
    """A selection in the channels (C,) bool alone, by their new numbers."""
    number, regions = np.cumsum(kept) - 1, []
    for region in selection.regions:
        if region.channels is None:
            regions.append(region)
            continue
        channels = tuple(int(number[c]) for c in region.channels if kept[c])
        if channels:
            regions.append(replace(region, channels=channels))
    return replace(selection, regions=tuple(regions))


def _lost_channels(task: Task) -> np.ndarray:
    return lost_channels(task.mask, recorded_bins(task.sound, task.space))
