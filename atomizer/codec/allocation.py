"""Step sizes of the bands, from the masking of their levels: the order by audibility of a file."""

from __future__ import annotations

import numpy as np

from ..atoms.masking import QUARTERS, SHARE, masking, threshold_in_quiet
from ..atoms.space import AtomSpace
from .bands import FRAMES, STEPS

EQUAL = 24  # quarter levels, the step size of the order by velocity: 102 dB below the loudest atom
FINEST = 34  # quarter levels by which the steps of the last level are below the masking thresholds
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
