"""Edges of frequency bands: equally wide in ERB-rate, as hearing resolves them, or in octaves."""

from __future__ import annotations

import numpy as np

OCTAVE_BANDS = 24  # about 0.3 octaves each at 512 bins


def erb_bands_hz(high_hz: float, bands: int) -> np.ndarray:
    """(bands + 1,) edges in Hz, from 0 to `high_hz`, of bands of equal width in ERB-rate.

    The ERB-rate is that of Glasberg & Moore 1990, eq. 4.
    """
    number = np.linspace(0, 21.4 * np.log10(0.00437 * high_hz + 1), bands + 1)
    return (10 ** (number / 21.4) - 1) / 0.00437


def octave_band_edges(bins: int) -> np.ndarray:
    """First bins of up to `OCTAVE_BANDS` bands of equal width in octaves, then `bins`.

    The first band holds the lowest 4 bins, which are too few to divide in octaves.
    """
    edges = np.geomspace(min(4, bins), bins, OCTAVE_BANDS)
    return np.concatenate([[0], np.unique(np.round(edges).astype(int))])
