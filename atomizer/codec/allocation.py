"""Step sizes of the bands, from the masking of their levels: the audibility ordering of a file."""

from __future__ import annotations

import numpy as np

from ..atoms.masking import QUARTERS, masking, threshold_in_quiet
from ..atoms.space import AtomSpace
from .bands import FRAMES, STEPS

# A step follows its masker by 10 / 16 of its level: with equal ratios of noise to masker, loud
# bands get too few bits at rates at which all noise is audible.
SHARE = 10
FINEST = 16  # quarter levels by which the steps of the last level are finer than the shared level
_OTHER_CHANNEL = 4  # quarter levels, 6 dB: noise of a channel is masked by the other one, too


def step_sizes(steps: np.ndarray, edges: np.ndarray, space: AtomSpace, exponent: int) -> np.ndarray:
    """(C, groups, bands) int64: step sizes in quarter levels, from 0.

    steps     (C, groups, bands) int64, levels of `bands.band_steps`
    exponent  of the unit of the grid, 2 ** exponent
    """
    levels = steps * (QUARTERS // STEPS)
    mask = masking(levels, edges, space.bins, space.rate, space.hop * FRAMES)
    if len(mask) == 2:
        mask = np.maximum(mask, mask[::-1] - _OTHER_CHANNEL)
    quiet = threshold_in_quiet(edges, space.bins, space.rate) - QUARTERS * exponent
    mask = np.maximum(mask, quiet)
    return np.maximum(0, mask * SHARE // 16 - FINEST)
