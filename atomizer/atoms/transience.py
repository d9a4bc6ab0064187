"""Which atoms of a grid belong to transients, and which to steady sounds."""

from __future__ import annotations

import numpy as np

# Lengths of the medians: 0.2 s and 0.7 kHz at 44.1 kHz
FRAMES, BINS = 17, 17


def transience(magnitude: np.ndarray) -> np.ndarray:
    """Return from 0 (steady) to 1 (transient) for the cells of a grid, of the same shape.

    Steady sounds are lines along time, transients along frequency: the median over the cells beside
    a cell in frequency, relative to the sum of it and the median over those beside it in time
    (Fitzgerald 2010, "Harmonic/percussive separation using median filtering").

    magnitude  (channels, frames, bins), not negative
    """
    from scipy.ndimage import median_filter  # takes a third of a second to load

    steady = median_filter(magnitude, (1, FRAMES, 1), mode="nearest")
    sudden = median_filter(magnitude, (1, 1, BINS), mode="nearest")
    return sudden / np.maximum(sudden + steady, np.float32(1e-30))
