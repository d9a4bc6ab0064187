"""Silence: where everything known is silent, a fill is silent, too.

Digital silence occurs between pieces, in gated tracks and after editing. Neither the network nor an
envelope over several frames is exactly zero beside a loud sound.
"""

from __future__ import annotations

import numpy as np

from ..analysis.runs import runs
from .task import Task

INAUDIBLE = 1e-5  # magnitude relative to the loudest known atom: -100 dB
MIN_BINS = 8  # that a silent frame knows and other frames have sound in: fewer are no evidence
BESIDE = 2  # silent frames on either side of a hole that make it silent


def keep_silence(task: Task, grid: np.ndarray, through_holes: bool = True) -> np.ndarray:
    """A filled grid (C, T, F) without atoms in frames whose known atoms are all silent.

    through_holes  whether holes in time between silent frames are silent, too
    """
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    if not len(frames) or not task.reference:
        return grid
    part = slice(max(0, int(frames[0]) - BESIDE), int(frames[-1]) + 1 + BESIDE)
    # above the file's band only the slope of a resampler is known
    in_band = task.recorded_bins
    known = ~task.mask[:, part] & in_band
    loud = np.abs(task.grid[:, part]) > INAUDIBLE * task.reference
    silent = known.any(axis=2) & ~(loud & known).any(axis=2)
    if not silent.any():
        return grid
    whole = np.abs(task.grid) > INAUDIBLE * task.reference
    loud_bins = (whole & ~task.mask).any(axis=1)
    silent &= (known & loud_bins[:, None]).sum(axis=2) >= MIN_BINS
    if through_holes:
        hidden: np.ndarray = ~np.any(known, axis=(0, 2))
        for first, stop in runs(hidden):
            sides = silent[:, max(0, first - BESIDE) : first], silent[:, stop : stop + BESIDE]
            if all(side.shape[1] for side in sides):
                silent[:, first:stop] = np.all([side.all(axis=1) for side in sides], 0)[:, None]
    if not silent.any():
        return grid
    out = grid.copy()
    out[:, part][task.mask[:, part] & silent[:, :, None]] = 0
    return out
