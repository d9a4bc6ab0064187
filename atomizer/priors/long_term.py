"""Long-term envelope: mean levels of the bands above a cutoff, from those of all that is known.

The network hears a window of 1.5 s. What a recording sounds like above a cutoff follows better from
its statistics as a whole: for every ERB band below the cutoff the mean level, its deviation and how
much it changes from frame to frame. A ridge regression maps them to the mean levels of the bands
above (`tools/fit_long_term.py` fits it and writes `long_term.npz`). Where the user names a
recording with the highs that are wanted, its bands are these levels (`inpainting/like.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..atoms.bands import erb_bands_hz
from ..atoms.space import AtomSpace
from ..io import resources
from . import timbre as timbres

BANDS = 36  # ERB bands up to half of the atoms' rate
RATE = 44_100  # of the atoms that the regression was fitted on
FILE = "long_term.npz"  # beside the shipped checkpoint
FIRST_BAND = 18  # first band (above 2 kHz) that may be unknown
FLOOR_DB = -90.0  # below the loudest band of a frame: quieter levels count as this one
ACTIVE_DB = -50.0  # below the loudest frame: quieter frames are pauses
MIN_FRAMES = 16  # active frames from which statistics are reliable
MAX_GAIN_DB = 15.0  # largest correction of a band
LIKE_BANDS = 4  # known bands below a cutoff whose level a reference recording is brought to
MAX_LIKE_DB = 40.0  # largest correction of a band towards a reference recording


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


def known_bands(cutoff: int, space: AtomSpace) -> int:
    """Number of bands that lie below bin `cutoff` entirely."""
    return int(np.searchsorted(band_edges(space), cutoff, side="right")) - 1


@lru_cache(maxsize=1)
def shipped() -> LongTermEnvelope | None:
    """The regression beside the shipped checkpoint; None where there is none."""
    arrays = resources.checkpoint_arrays(FILE)
    return None if arrays is None else LongTermEnvelope(arrays)


def predicts(grid: np.ndarray, cutoff: int, space: AtomSpace) -> bool:
    """Whether the known bands of a grid (C, T, F) predict the levels above bin `cutoff`."""
    model, known = shipped(), known_bands(cutoff, space)
    if model is None or space.rate != RATE or known not in model.cutoffs:
        return False
    edges = band_edges(space)[: known + 1]
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
    if like is None and not predicts(grid, cutoff, space):
        return out
    if space.rate != RATE or known >= BANDS:
        return out
    powers = band_powers(grid, edges)
    active = active_frames(powers[:, :known], edges)
    if not active.any():
        return out
    loudest = float(powers[:, :known].max())
    heard = statistics(powers[active, :known], loudest)
    if like is not None:
        found: BandLevels | None = levels_like(heard, like)
    else:
        model = shipped()
        found = None if model is None else model.predict(heard)
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


def timbre_gains(cutoff: int, trust: np.ndarray, space: AtomSpace, timbre: int) -> np.ndarray:
    """Gains by which a code of timbre changes the bands above a cutoff (`timbre.py`).

    Parameters
    ----------
    cutoff : int
        First filled bin.
    trust : (F,)
        Share of the level's variance, 0 to 1, of which the fill is sure: where the known band goes
        on as noise does, all that is likely is close to it.
    space : AtomSpace
        Of the grid.
    timbre : int
        The code; 0 for the most likely levels.

    Returns
    -------
    (F,) float32
        The same for all channels and frames: 1 below the cutoff, and everywhere where the known
        bands predict nothing.
    """
    out = np.ones(len(trust), np.float32)
    model, codes, known = shipped(), timbres.shipped(), known_bands(cutoff, space)
    if model is None or codes is None or space.rate != RATE or known not in model.cutoffs:
        return out
    error = model.arrays[f"error_{known}"].astype(np.float64)
    edges, above = band_edges(space), np.arange(cutoff, len(out))
    centre = (edges[:-1] + edges[1:])[known : known + len(error)] / 2
    offset = np.interp(above, centre, codes.offset_db(timbre, error))
    out[cutoff:] = 10 ** (np.sqrt(1 - trust[cutoff:]) * offset / 20)
    return out
