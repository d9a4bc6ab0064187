"""Codes of timbre: the ways in which highs differ from those that the known bands predict.

The long-term envelope (`long_term.py`) is a mean over recordings that sound the same below a
cutoff. What it misses has a few typical shapes, from dark to bright, found by k-means in what
the regression misses of sources that it was not fitted on (`tools/fit_timbre.py`). The known bands
do not say which of them a recording has: a code is chosen by the user, or drawn by its share in
recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...atoms.space import AtomSpace
from ...io import resources
from ..band_levels import band_edges, known_bands
from .long_term import shipped_for

FILE = "timbre.npz"  # beside the shipped checkpoint
MAX_OFFSET_DB = 15.0  # largest difference that a code makes to a band
STD_PER_ERROR = 1.25  # standard deviation per mean absolute error, of a normal distribution
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 by the golden ratio
_MUCH, _SOME, _LITTLE = 1.5, 0.7, 0.2  # mean differences, in `Codes.describe`
_STEEP, _TILTED = 1.0, 0.5  # of the top third from the lowest one


@dataclass(frozen=True)
class Codes:
    """Codes 1 to n, from the darkest to the brightest.

    shapes  (n, positions) difference from the predicted level in standard deviations of its error,
            from the cutoff to the end
    share   (n,) share of recordings
    """

    shapes: np.ndarray
    share: np.ndarray

    @property
    def count(self) -> int:
        """Number of codes."""
        return len(self.share)

    def offset_db(self, code: int, error_db: np.ndarray) -> np.ndarray:
        """Difference in dB that a code makes to n predicted levels; 0 for code 0.

        error_db  (n,) mean absolute error of the levels
        """
        if not code:
            return np.zeros(len(error_db))
        shape = self.shapes[code - 1].astype(np.float64)
        at = np.interp(np.linspace(0, 1, len(error_db)), np.linspace(0, 1, len(shape)), shape)
        return (at * STD_PER_ERROR * error_db).clip(-MAX_OFFSET_DB, MAX_OFFSET_DB)

    def of_seed(self, seed: int) -> int:
        """The code of a seed; 0, the most likely level, for seed 0.

        Multiples of the golden ratio are spread evenly: every code has its share of the seeds, and
        seeds that follow each other have different codes.
        """
        if not seed:
            return 0
        at = seed * _GOLDEN % 2**64 / 2**64
        code = np.searchsorted(np.cumsum(self.share), at * self.share.sum(), side="right")
        return int(min(code, self.count - 1)) + 1

    def describe(self, code: int) -> str:
        """A code in words: brightness, and how it rises or falls from the cutoff on."""
        shape = self.shapes[code - 1].astype(np.float64)
        mean, third = shape.mean(), len(shape) // 3
        tilt = shape[-third:].mean() - shape[:third].mean()
        words = "as predicted"
        if abs(mean) > _LITTLE:
            degree = "much " if abs(mean) > _MUCH else "" if abs(mean) > _SOME else "a little "
            words = degree + ("brighter" if mean > 0 else "darker")
        if abs(tilt) > _TILTED:
            words += ", rising" if tilt > 0 else ", falling"
            words += " steeply" if abs(tilt) > _STEEP else ""
        return words


@lru_cache(maxsize=1)
def shipped() -> Codes | None:
    """The codes beside the shipped checkpoint; None where there are none."""
    arrays = resources.checkpoint_arrays(FILE)
    return None if arrays is None else Codes(arrays["shapes"], arrays["share"])


def timbre_gains(cutoff: int, trust: np.ndarray, space: AtomSpace, timbre: int) -> np.ndarray:
    """Gains by which a code of timbre changes the bands above a cutoff.

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
    model, codes, known = shipped_for(cutoff, space), shipped(), known_bands(cutoff, space)
    if model is None or codes is None:
        return out
    error = model.arrays[f"error_{known}"].astype(np.float64)
    edges, above = band_edges(space), np.arange(cutoff, len(out))
    centre = (edges[:-1] + edges[1:])[known : known + len(error)] / 2
    offset = np.interp(above, centre, codes.offset_db(timbre, error))
    out[cutoff:] = 10 ** (np.sqrt(1 - trust[cutoff:]) * offset / 20)
    return out
