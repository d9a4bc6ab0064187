"""Rendering: from a filled grid back to sound.

The result is the input plus the change: out = in + synthesis(filled - original) over the selected
atoms. Samples beyond the windows of these atoms are the input's own, at any rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..analysis.mdct import imdct
from ..io.audio import Sound, resample

if TYPE_CHECKING:
    from .task import Task

FRAMES_AT_ONCE = 1024  # frames that are synthesised together
FADE_SECONDS = 0.02  # fade at the end of an extension
GAIN_SECONDS = 0.01  # rise and fall of the limiter's gain


def render(task: Task, grid: np.ndarray) -> Sound:
    """The input plus the change that `grid` makes to the selected atoms, at `task.output_rate`."""
    rate, length = task.output_rate, task.sound.samples.shape[1]
    base = task.sound.samples
    if rate != task.sound.rate:
        base = task.sound.at(rate)
        length = base.shape[1]
    change = resample(_change(task, grid), task.space.rate, rate)
    if change.shape[1] < length:
        change = np.pad(change, ((0, 0), (0, length - change.shape[1])))
    change = change[:, :length]
    if rate != task.space.rate:
        # the resampler's ringing has no end; the change ends with the windows of the atoms
        change = change * _covered(task, rate, length)
    out = base.copy(order="K")  # keep the memory layout: interleaved channels are slow to separate
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    if len(frames):
        hop = task.space.hop * rate / task.space.rate
        stop = int(np.ceil((frames[-1] + 1) * hop)) + 1
        part = slice(max(0, int((frames[0] - 1) * hop)), min(length, stop))
        out[:, part] += limit_change(change[:, part], base[:, part], rate)
    if task.extended:  # an extension stops at an arbitrary moment: fade to avoid a click
        fade = min(round(FADE_SECONDS * rate), round(task.extended * rate))
        out[:, length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return Sound(out, rate, task.sound.subtype)


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


def limit_change(change: np.ndarray, base: np.ndarray, rate: int) -> np.ndarray:
    """Reduce the change around the moments where base + change would exceed full scale.

    The gain falls and rises over 10 ms. Where the base itself exceeds full scale, as decoded MP3s
    do, its peak is the limit around it. Arrays are (channels, n).
    """
    if not (np.abs(base + change) > 1).any():
        return change
    from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

    width = max(3, int(GAIN_SECONDS * rate)) | 1
    highest = np.maximum(1, maximum_filter1d(np.abs(base), width, axis=1))
    headroom = highest - base * np.sign(change)
    over = np.abs(base + change) > highest
    wanted = np.clip(headroom / np.maximum(np.abs(change), 1e-9), 0, 1)
    wanted = np.where(over, wanted, 1).min(0)
    gain = uniform_filter1d(minimum_filter1d(wanted, width), width, mode="nearest")
    return (change * np.minimum(gain, wanted)).astype(np.float32)
