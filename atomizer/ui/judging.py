"""Fills against the original: metrics, and where they differ."""

from __future__ import annotations

import math

import numpy as np

from .. import metrics
from ..inpainting.recipe import Recipe
from ..inpainting.shaping import spans_of
from ..inpainting.step import Step
from ..inpainting.task import Task
from ..io.audio import Sound

METRIC_RATE = 44_100
MIN_SAMPLES = metrics.SIZE * 4  # the shortest span that a spectral distance is measured on


def judge(
    task: Task, step: Step, filled: Sound, recipe: Recipe
) -> tuple[float | None, float | None]:
    """Return SNR in dB and log-spectral distance of a fill against the original.

    The SNR is that of the selected atoms, the distance that of the smallest span and band around
    them. A metric is None where there is no reference for it.
    """
    hidden = task.grid[task.mask]
    is_restored = not (recipe.extend or recipe.add_channels or recipe.settings.method == "paste")
    if not is_restored or not np.any(hidden):
        return None, None
    snr = metrics.snr_db(hidden[None], step.grid[task.mask][None])
    low, high = _band_of(task)
    if high <= low + METRIC_RATE / metrics.SIZE:  # narrower than a bin of the transform
        return snr, None
    channels = np.flatnonzero(task.mask.any(axis=(1, 2)))
    reference, estimate = metrics.normalise(
        task.sound.at(METRIC_RATE)[channels], filled.at(METRIC_RATE)[channels]
    )
    span = _span_of(task, reference.shape[1])
    return snr, metrics.lsd(reference[:, span], estimate[:, span], low, high)


def _band_of(task: Task) -> tuple[float, float]:
    """Lowest and highest selected frequency in Hz, up to the Nyquist frequency of the sound."""
    bins = np.flatnonzero(task.mask.any(axis=(0, 1)))
    low, high = (float(task.space.hertz(bins[k])) for k in (0, -1))
    return low, min(high, task.sound.rate / 2)


def _span_of(task: Task, length: int) -> slice:
    """Samples, of `length` at `METRIC_RATE`, under the windows of the selected atoms."""
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    first, last = (round(float(task.space.seconds(frames[k])) * METRIC_RATE) for k in (0, -1))
    start = max(0, min(first - task.space.hop, length - MIN_SAMPLES))
    return slice(start, max(last + task.space.hop, start + MIN_SAMPLES))


def has_reference(recipe: Recipe) -> bool:
    """Whether the original is surely what a fill should sound like.

    It is where velocities or signs are kept, and where atoms are erased by their rank. An erased
    region of a visitor's own sound may hold a cough: no metric says how well that is replaced.
    """
    return not (recipe.selection.erases and recipe.selection.regions)


def level_difference(task: Task, step: Step) -> float | None:
    """Return the level of the filled atoms in dB relative to the original ones.

    None where nothing was filled in.
    """
    original, filled = (
        float(np.sum(grid[task.mask].astype(np.float64) ** 2)) for grid in (task.grid, step.grid)
    )
    return 10 * math.log10(filled / original) if original > 0 and filled > 0 else None


def changed_spans(masked: Sound, filled: Sound) -> list[tuple[float, float]]:
    """Return (start, stop) in seconds of the spans in which two sounds of one size differ."""
    spans = spans_of(filled.samples - masked.samples, filled.rate)
    return [(start / filled.rate, stop / filled.rate) for start, stop in spans]
