"""Long-term envelope: mean levels of the bands above a cutoff, from those of all that is known.

The network hears a window of 1.5 s. What a recording sounds like above a cutoff follows better from
its statistics as a whole: for every ERB band below the cutoff the mean level, its deviation and how
much it changes from frame to frame. A ridge regression maps them to the mean levels of the bands
above (`tools/fit_long_term.py` fits it and writes `long_term.npz`). Where the user names a
recording with the highs that are wanted, its bands are these levels (`inpainting/highs/like.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...atoms.space import AtomSpace
from ...io import resources
from ..band_levels import (
    BANDS,
    MIN_FRAMES,
    RATE,
    BandStatistics,
    active_frames,
    band_edges,
    band_powers,
    known_bands,
    statistics,
)

FILE = "long_term.npz"  # beside the shipped checkpoint
FIRST_BAND = 18  # first band (above 2 kHz) that may be unknown
MAX_GAIN_DB = 15.0  # largest correction of a band
LIKE_BANDS = 4  # known bands below a cutoff whose level a reference recording is brought to
MAX_LIKE_DB = 40.0  # largest correction of a band towards a reference recording


@dataclass(frozen=True)
class BandLevels:
    """Predicted mean levels of bands.

    first     first band
    level_db  (n,) as `BandStatistics.mean`
    error_db  (n,) mean absolute error that is expected; 0 where the level is the one to have
    """

    first: int
    level_db: np.ndarray
    error_db: np.ndarray


def features(known: BandStatistics) -> np.ndarray:
    """(3 n,) features of n known bands; levels are relative to the mean of all."""
    return np.concatenate([known.mean - known.mean.mean(), known.std, known.change])


class LongTermEnvelope:
    """A fitted regression, as `tools/fit_long_term.py` stores it."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self.arrays = arrays
        self.cutoffs = [first for first in range(BANDS) if f"weights_{first}" in arrays]

    def predict(self, known: BandStatistics) -> BandLevels | None:
        """Mean levels of the bands above the known ones; None without weights for this cutoff."""
        first = len(known.mean)
        if first not in self.cutoffs:
            return None
        mean, scale, error = (
            self.arrays[f"{name}_{first}"].astype(np.float64) for name in ("mean", "scale", "error")
        )
        weights = self.arrays[f"weights_{first}"].astype(np.float64)
        level = weights[0] + (features(known) - mean) / scale @ weights[1:]
        return BandLevels(first, level + known.mean.mean(), error)


def levels_like(known: BandStatistics, like: np.ndarray) -> BandLevels:
    """Levels of the bands above the known ones as in a reference recording, up to its end.

    like  (BANDS,) mean levels of the recording in dB, nan above its end; the last `LIKE_BANDS`
          known bands give the difference in level
    """
    first = len(known.mean)
    offset = (known.mean - like[:first])[-LIKE_BANDS:].mean()
    level = like[first:][np.isfinite(like[first:])] + offset
    return BandLevels(first, level, np.zeros(len(level)))


@lru_cache(maxsize=1)
def shipped() -> LongTermEnvelope | None:
    """The regression beside the shipped checkpoint; None where there is none."""
    arrays = resources.checkpoint_arrays(FILE)
    return None if arrays is None else LongTermEnvelope(arrays)


def shipped_for(cutoff: int, space: AtomSpace) -> LongTermEnvelope | None:
    """`shipped`, None also where it has no weights for bin `cutoff` of atoms of this space."""
    model = shipped()
    if model is None or space.rate != RATE or known_bands(cutoff, space) not in model.cutoffs:
        return None
    return model


def predicts(grid: np.ndarray, cutoff: int, space: AtomSpace) -> bool:
    """Whether the known bands of a grid (C, T, F) predict the levels above bin `cutoff`."""
    if shipped_for(cutoff, space) is None:
        return False
    edges = band_edges(space)[: known_bands(cutoff, space) + 1]
    powers = band_powers(grid[..., : edges[-1]], edges)
    return int(active_frames(powers, edges).sum()) >= MIN_FRAMES


def level_gains(
    grid: np.ndarray,
    cutoff: int,
    fill_error_db: np.ndarray,
    space: AtomSpace,
    like: np.ndarray | None = None,
) -> np.ndarray:
    """Gains that bring the bands above a cutoff to the levels that the known bands predict.

    Parameters
    ----------
    grid : (C, T, F)
        A filled grid, known below bin `cutoff`.
    cutoff : int
        First filled bin.
    fill_error_db : (F,)
        Expected error of the fill's mean levels.
    space : AtomSpace
        Of the grid.
    like : (BANDS,), optional
        Levels of a reference recording (`levels_like`) instead of those that the known bands
        predict.

    Returns
    -------
    (F,) float32
        Gain of every bin, the same for all channels and frames: 1 below the cutoff, and everywhere
        where the known bands predict nothing, as in atoms of another rate. The two levels are
        weighted by their precision; those of a reference recording hold.
    """
    out = np.ones(grid.shape[2], np.float32)
    edges, known = band_edges(space), known_bands(cutoff, space)
    if space.rate != RATE or known >= BANDS:
        return out
    if like is None and not predicts(grid, cutoff, space):
        return out
    powers = band_powers(grid, edges)
    active = active_frames(powers[:, :known], edges)
    if not active.any():
        return out
    loudest = float(powers[:, :known].max())
    found = _levels_above(statistics(powers[active, :known], loudest), like)
    if found is None:
        return out
    filled = statistics(powers[active], loudest).mean[known : known + len(found.level_db)]
    centre = (edges[:-1] + edges[1:])[known : known + len(found.level_db)] / 2
    own = np.interp(centre, np.arange(len(out)), fill_error_db)
    weight = own**2 / np.maximum(own**2 + found.error_db**2, 1e-12)
    weight = np.where(found.error_db > 0, weight, 1)
    most = MAX_GAIN_DB if like is None else MAX_LIKE_DB
    gain_db = (weight * (found.level_db - filled)).clip(-most, most)
    above = np.arange(cutoff, len(out))
    out[cutoff:] = 10 ** (np.interp(above, centre, gain_db) / 20)
    return out


def _levels_above(heard: BandStatistics, like: np.ndarray | None) -> BandLevels | None:
    """Levels of the bands above the known ones; None where nothing predicts them."""
    if like is not None:
        return levels_like(heard, like)
    model = shipped()
    return None if model is None else model.predict(heard)
