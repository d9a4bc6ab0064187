"""Baseline of holes: a plain copy of the place in the recording whose surroundings fit best.

One lag for all bands and channels, no gain and no threshold: what the search alone achieves.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import oaconvolve

CONTEXT_SECONDS = 0.8  # on either side of a hole
ONE_SIDED_SECONDS = 2.0  # if only one side is known
EMPHASIS = 0.85  # coefficient of the pre-emphasis
QUIET_SHARE = 1e-4  # of the mean power: quieter surroundings fit nothing


def best_lag(x: np.ndarray, start: int, stop: int, rate: int) -> int | None:
    """Lag in samples of the best copy of samples `start` to `stop` of x (channels, n).

    The surroundings of the copy have the highest normalised correlation with those of the hole
    (pre-emphasised mono); the copy does not overlap the hole. None where no copy fits into x.
    """
    mono = x.mean(0).astype(np.float64)
    mono[1:] -= EMPHASIS * mono[:-1].copy()
    one_sided = start == 0 or stop >= len(mono)
    around = round((ONE_SIDED_SECONDS if one_sided else CONTEXT_SECONDS) * rate)
    first, last = max(0, start - around), min(len(mono), stop + around)
    weight = np.ones(last - first)
    weight[start - first : stop - first] = 0
    part = mono[first:last] * weight
    cross = oaconvolve(mono, part[::-1])[len(part) - 1 :]
    energy = oaconvolve(mono**2, weight[::-1])[len(part) - 1 :]
    score = cross / np.sqrt(
        np.maximum(energy, QUIET_SHARE * (mono**2).mean() * weight.sum() + 1e-20)
    )
    lag = np.arange(len(score)) - first
    fits = (start + lag >= 0) & (stop + lag <= len(mono))
    is_known = (stop + lag <= start) | (start + lag >= stop)
    score[~(fits & is_known)] = -np.inf
    return int(lag[score.argmax()]) if np.isfinite(score).any() else None


def shift(x: np.ndarray, lag: int) -> np.ndarray:
    """Samples (channels, n) of which sample i is sample i + lag of x; zero outside."""
    out, n = np.zeros_like(x), x.shape[1]
    start, stop = max(0, -lag), min(n, n - lag)
    out[:, start:stop] = x[:, start + lag : stop + lag]
    return out
