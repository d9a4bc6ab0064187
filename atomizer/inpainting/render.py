"""Rendering: from a filled grid back to sound.

The result is the input plus the change: out = in + synthesis(filled - original) over the selected
atoms. Samples beyond the windows of these atoms are the input's own, at any rate; of holes in time,
all samples outside (`holes.py`). Above the band of the atoms, what is selected is erased. The
result may exceed full scale: see `io/peaks.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..analysis.mdct import imdct, mdct
from ..io.audio import Sound, resample_to_length
from .mid_side import left_and_right
from .time_domain.holes import Hole, above_atoms, erase_holes, fill_holes, holes_in_samples

if TYPE_CHECKING:
    from .task import Task

FRAMES_AT_ONCE = 1024  # frames that are synthesised together
FADE_SECONDS = 0.02  # fade at the end of an extension


def render(task: Task, grid: np.ndarray) -> Sound:
    """The input plus the change that `grid` makes to the selected atoms, at `task.output_rate`."""
    rate = task.output_rate
    base = task.sound.samples if rate == task.sound.rate else task.sound.at(rate)
    out = base.copy(order="K")  # keep the memory layout: interleaved channels are slow to separate
    is_unchanged = task.mask.any() and np.array_equal(grid[task.mask], task.grid[task.mask])
    if not is_unchanged:
        holes = holes_in_samples(task.selection, rate, base.shape[1])
        if task.mask.any():
            change, part = _change_at(rate, task, grid, base, holes)
            out[:, part] += change[:, part]
        if not holes and task.selection.reaches_above(grid.shape[1], task.space, rate / 2):
            out -= _selected_above(task, base, rate)
        if task.extended:  # an extension stops at an arbitrary moment: fade to avoid a click
            fade = min(round(FADE_SECONDS * rate), round(task.extended * rate))
            out[:, out.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return task.sound.with_samples(left_and_right(out) if task.is_mid_side else out, rate)


def _change_at(
    rate: int, task: Task, grid: np.ndarray, base: np.ndarray, holes: list[Hole]
) -> tuple[np.ndarray, slice]:
    """The change of the samples `base` at `rate`, (channels, n), and where it is not zero.

    holes  of the selection in time, in these samples
    """
    space, length = task.space, base.shape[1]
    change = resample_to_length(_change(task, grid), space.rate, rate, length)
    if rate != space.rate:
        # the resampler's ringing has no end; the change ends with the windows of the atoms
        change = change * _covered(task, rate, length)
    if holes and not task.extended and not grid[task.mask].any():
        change = erase_holes(base, holes, rate)
    elif holes:
        change = fill_holes(change, base, holes, rate, space.rate)
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    hop = space.hop * rate / space.rate
    stop = int(np.ceil((frames[-1] + 1) * hop)) + 1
    return change, slice(max(0, int((frames[0] - 1) * hop)), min(length, stop))


def _selected_above(task: Task, base: np.ndarray, rate: int) -> np.ndarray:
    """The selected part (channels, n) of samples `base` at `rate` above the band of the atoms.

    It consists of the selected coefficients of an MDCT at that rate.
    """
    octaves = round(np.log2(rate / task.space.rate))
    space = replace(task.space, rate=rate, hop=task.space.hop << octaves)
    length = base.shape[1]
    grid = mdct(above_atoms(base, 0, length, rate, task.space.rate), space.hop, space.window)
    grid[~task.selection.region_mask(grid.shape, space, rate / 2)] = 0
    return imdct(grid, length, space.window)


def _change(task: Task, grid: np.ndarray) -> np.ndarray:
    """(channels, n) samples at space.rate: the change that the selected atoms of `grid` make.

    Only the frames from the first to the last selected one are synthesised, a part at a time: a gap
    costs the same in a long sound as in a short one, and minutes of highs need no second grid.
    """
    space, mask = task.space, task.mask
    out = np.zeros((len(grid), task.length), np.float32)
    frames = np.flatnonzero(mask.any(axis=(0, 2)))
    if not len(frames):
        return out
    hop, end = space.hop, int(frames[-1]) + 1
    for first in range(int(frames[0]), end, FRAMES_AT_ONCE):
        part, start = slice(first, min(first + FRAMES_AT_ONCE, end)), (first - 1) * hop
        change = np.where(mask[:, part], grid[:, part] - task.grid[:, part], np.float32(0))
        # the synthesis starts in the middle of its first frame
        change = np.pad(change, ((0, 0), (1, 0), (0, 0)))
        samples = imdct(change, change.shape[1] * hop, space.window)
        low, high = max(0, start), min(task.length, start + samples.shape[1])
        out[:, low:high] += samples[:, low - start : high - start]
    return out


def _covered(task: Task, rate: int, length: int) -> np.ndarray:
    """(channels, length) bool: samples within the window of a selected atom."""
    frames = np.any(task.mask, axis=2)
    first = (np.arange(frames.shape[1]) - 1) * task.space.hop * rate / task.space.rate
    frame_of = np.searchsorted(first, np.arange(length), side="right") - 1
    return frames[:, frame_of] | frames[:, np.maximum(frame_of - 1, 0)]
