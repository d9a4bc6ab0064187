"""Lost channels beside other unknown atoms: two tasks, one after the other.

The settings of a task follow the shape of its selection. Highs, a hole or a continuation in the
channels that are there need other settings than a lost channel. They are filled in first, and the
lost channel is predicted from all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..atoms.selection import Selection
from .presets import lost_channels
from .step import Step
from .task import Task, preset_of


def lost_beside_others(task: Task) -> np.ndarray | None:
    """(C,) bool: the lost channels; None where there are none, or nothing else is selected."""
    lost = lost_channels(task.mask, task.recorded_bins)
    is_mixed = task.selection.erases and lost.any() and task.mask[~lost].any()
    return lost if is_mixed else None


def task_of_known_channels(task: Task, lost: np.ndarray) -> Task:
    """The task without its channels `lost` (C,) bool."""
    kept = ~lost
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


def task_of_lost_channels(task: Task, lost: np.ndarray, filled: np.ndarray) -> Task:
    """What is left of a task after `filled` (K, T, F), the atoms of the channels not `lost`."""
    grid, mask = task.grid.copy(), task.mask.copy()
    grid[~lost], mask[~lost] = filled, False
    return replace(task, grid=grid, mask=mask, extended=0.0)


def in_all_channels(task: Task, lost: np.ndarray, step: Step) -> Step:
    """A step of the task of known channels, in all channels."""
    grid, revealed = task.erased(), np.zeros_like(task.mask)
    grid[~lost], revealed[~lost] = step.grid, step.revealed
    return replace(step, grid=grid, revealed=revealed)


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
