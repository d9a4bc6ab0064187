"""How far an atom is above its masking threshold."""

from __future__ import annotations

import numpy as np

from .masking import DB, LOWEST, QUARTERS, SHARE, band_edges, masking, threshold_in_quiet
from .space import AtomSpace

FRAME = 1024  # samples; orders of smaller hops, of matching pursuits, have this resolution
_SILENT = 1e-12  # magnitude


def audibility_db(
    time: np.ndarray,
    frequency: np.ndarray,
    channel: np.ndarray,
    magnitude: np.ndarray,
    space: AtomSpace,
) -> np.ndarray:
    """(N,) float64: levels of atoms in dB above their masking thresholds, up to a constant.

    All arrays are (N,). The thresholds are those of the sound of these atoms, channel by channel.
    """
    if not len(time):
        return np.zeros(0)
    edges = band_edges(space.bins, space.rate)
    frames_per_level = max(1, FRAME // space.hop)
    level_time = (time - time.min()) // frames_per_level
    band = np.searchsorted(edges, frequency, side="right") - 1
    shape = int(channel.max()) + 1, int(level_time.max()) + 1, len(edges) - 1
    place = np.ravel_multi_index((channel, level_time, band), shape)
    energy = np.bincount(place, np.square(magnitude, dtype=np.float64), int(np.prod(shape)))
    power = energy.reshape(shape) / np.diff(edges) / frames_per_level
    with np.errstate(divide="ignore"):
        levels = np.floor(QUARTERS / 2 * np.log2(power) + 0.5)
    levels = np.maximum(levels, LOWEST).astype(np.int64)
    hop = space.hop * frames_per_level
    mask = masking(levels, edges, space.bins, space.rate, hop)
    mask = np.maximum(mask, threshold_in_quiet(edges, space.bins, space.rate))
    threshold = DB * SHARE / 16 * mask.reshape(-1)[place]
    return 20 * np.log10(np.maximum(magnitude, _SILENT)) - threshold
