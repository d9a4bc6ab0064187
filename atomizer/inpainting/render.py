"""Rendering: from a filled grid back to sound.

The result is the input plus the change: out = in + synthesis(filled - original) over the selected
atoms. Samples beyond the windows of these atoms are the input's own, at any rate; of holes in time,
all samples outside (`holes.py`). The result may exceed full scale: see `io/peaks.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..analysis.mdct import imdct
from ..io.audio import Sound, resample_to_length
from .holes import above_atoms, erase_holes, fill_holes, holes_in_samples

if TYPE_CHECKING:
    from .task import Task

FRAMES_AT_ONCE = 1024  # frames that are synthesised together
FADE_SECONDS = 0.02  # fade at the end of an extension


def render(task: Task, grid: np.ndarray) -> Sound:
    """The input plus the change that `grid` makes to the selected atoms, at `task.output_rate`."""
    rate = task.output_rate
    base = task.sound.samples if rate == task.sound.rate else task.sound.at(rate)
    length = base.shape[1]
    out = base.copy(order="K")  # keep the memory layout: interleaved channels are slow to separate
    if np.array_equal(grid[task.mask], task.grid[task.mask]):
        return task.sound.with_samples(out, rate)
    change = resample_to_length(_change(task, grid), task.space.rate, rate, length)
    if rate != task.space.rate:
        # the resampler's ringing has no end; the change ends with the windows of the atoms
        change = change * _covered(task, rate, length)
    change = _complete(task, grid, change, base, rate)
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    if len(frames):
        hop = task.space.hop * rate / task.space.rate
        stop = int(np.ceil((frames[-1] + 1) * hop)) + 1
        part = slice(max(0, int((frames[0] - 1) * hop)), min(length, stop))
        out[:, part] += change[:, part]
    if task.extended:  # an extension stops at an arbitrary moment: fade to avoid a click
        fade = min(round(FADE_SECONDS * rate), round(task.extended * rate))
        out[:, length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return task.sound.with_samples(out, rate)


def _complete(
    task: Task, grid: np.ndarray, change: np.ndarray, base: np.ndarray, rate: int
) -> np.ndarray:
    """The change (channels, n) of samples `base` at `rate`, where atoms alone do not describe it.

    Holes in time change inside alone. Above the band of the atoms, what is selected is erased.
    """
    selection, atom_rate = task.selection, task.space.rate
    holes = holes_in_samples(selection, rate, change.shape[1])
    if holes and not task.extended and not grid[task.mask].any():
        return erase_holes(base, holes, rate)
    if holes:
        return fill_holes(change, base, holes, rate, atom_rate)
    if rate > atom_rate and selection.regions and selection.erases:
        above = above_atoms(base, 0, base.shape[1], rate, atom_rate)
        return (change - above * _share_above(task, rate, base.shape[1])).astype(np.float32)
    return change


def _share_above(task: Task, rate: int, length: int) -> np.ndarray:
    """(channels, length) share, from 0 to 1, in which the highest atoms are selected.

    It rises and falls as the squared windows of neighbouring frames overlap.
    """
    highest = task.mask[..., -1]
    position = np.arange(length) * (task.space.rate / (rate * task.space.hop))
    frame = np.minimum(position.astype(int), highest.shape[1] - 2)
    later = np.sin(np.pi / 2 * np.clip(position - frame, 0, 1)) ** 2
    return highest[:, frame] * (1 - later) + highest[:, frame + 1] * later


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
