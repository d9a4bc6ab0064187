"""Levels of a recording in ERB bands: their edges, powers, and statistics over active frames.

What predicts highs from the recording as a whole (`highs/`), and the model's input of statistics
(`band_context.py`), see it in these bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..atoms.bands import erb_bands_hz
from ..atoms.space import AtomSpace

BANDS = 36  # ERB bands up to half of the atoms' rate
RATE = 44_100  # of the atoms that models of these bands were fitted on
FLOOR_DB = -90.0  # below the loudest band of a frame: quieter levels count as this one
ACTIVE_DB = -50.0  # below the loudest frame: quieter frames are pauses
MIN_FRAMES = 16  # active frames from which statistics are reliable


@dataclass(frozen=True)
class BandStatistics:
    """Statistics of ERB bands over the active frames of a recording, each (bands,) in dB.

    mean    mean level of a coefficient
    std     standard deviation of the level over time
    change  mean absolute change of the level from frame to frame
    """

    mean: np.ndarray
    std: np.ndarray
    change: np.ndarray


@lru_cache(maxsize=8)
def band_edges(space: AtomSpace) -> np.ndarray:
    """(BANDS + 1,) bins at which ERB bands begin and end."""
    return np.round(erb_bands_hz(space.rate / 2, BANDS) / space.bin_hz).astype(int)


def band_powers(grid: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(T, bands) mean power of a coefficient of (C, T, F), over all channels.

    A band that is narrower than a bin has the power of the bin in which it begins.
    """
    power = np.square(grid, dtype=np.float32).mean(0)
    width = np.maximum(np.diff(edges), 1)
    return np.add.reduceat(power, edges[:-1], axis=1)[:, : len(edges) - 1] / width


def active_frames(powers: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(T,) bool: frames of band powers (T, bands) that are not pauses."""
    total = powers @ np.diff(edges)[: powers.shape[1]]
    return total > total.max() * 10 ** (ACTIVE_DB / 10)


def statistics(powers: np.ndarray, loudest: float) -> BandStatistics:
    """Statistics of band powers (T, bands) of active frames; `loudest` power of all bands."""
    level = 10 * np.log10(powers + loudest * 10 ** (FLOOR_DB / 10))
    return BandStatistics(level.mean(0), level.std(0), np.abs(np.diff(level, axis=0)).mean(0))


def known_bands(cutoff: int, space: AtomSpace) -> int:
    """Number of bands that lie below bin `cutoff` entirely."""
    return int(np.searchsorted(band_edges(space), cutoff, side="right")) - 1
