"""Equivalent rectangular bandwidths of hearing (Glasberg & Moore 1990, eq. 4)."""

from __future__ import annotations

import numpy as np


def erb_bands_hz(high_hz: float, bands: int) -> np.ndarray:
    """(bands + 1,) edges in Hz, from 0 to `high_hz`, of bands of equal width in ERB-rate."""
    number = np.linspace(0, 21.4 * np.log10(0.00437 * high_hz + 1), bands + 1)
    return (10 ** (number / 21.4) - 1) / 0.00437
