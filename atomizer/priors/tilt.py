"""How far a tilt can be trusted that is continued above a cutoff.

Some sounds, such as noise, go on above a cutoff as they fall below it; most do not. The known band
tells: the same line, fitted further down, is compared with the known levels above it.
"""

from __future__ import annotations

import numpy as np

from .spectral_envelope import bin_sums

DB_PER_NEPER = 10 / np.log(10)  # of power
NOISE_VARIANCE, VARIANCE_MARGIN = 92.9, 5.0  # dB^2 of the levels of steady noise, and its error
STEPS = (0.5, 1.0)  # octaves below the cutoff at which the line is tried out
TESTED_OCTAVES = 0.5  # length of its trial continuation
MIN_FRAMES = 8  # known frames of a bin from which its mean level is used


def continued_tilt_variance(log: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Variance, in dB^2, of the mean level that a continued tilt predicts above a cutoff.

    The error of the line grows with the distance from the cutoff. The variance of the
    known levels over time, beyond that of steady noise, adds to it: the tilt of one moment is not
    that of the next.

    log, known  (T, F) log powers in nepers, read where known (bool)

    Returns (F,), 0 below the cutoff; None without a cutoff and two known octaves below it.
    """
    totals, counts = (sums[0] for sums in bin_sums(log[None], known[None]))
    bins = np.flatnonzero(counts >= MIN_FRAMES)
    cutoff = int(bins[-1]) + 1 if len(bins) else 0
    if not 16 <= cutoff < len(counts) or (counts[cutoff // 4 : cutoff] < MIN_FRAMES).any():
        return None
    level = DB_PER_NEPER * totals / np.maximum(counts, 1)
    octave = slice(cutoff // 2, cutoff)
    deviation = (DB_PER_NEPER * log[:, octave] - level[octave]) * known[:, octave]
    steady = NOISE_VARIANCE + VARIANCE_MARGIN
    excess = max(0.0, float(np.square(deviation).sum() / counts[octave].sum()) - steady)
    distance = np.log2(np.maximum(np.arange(len(counts)) + 0.5, cutoff) / cutoff)
    error = tilt_error(level, cutoff) * (1 + distance / TESTED_OCTAVES)
    return np.where(distance > 0, np.square(error) + excess, 0).astype(np.float32)


def tilt_error(level: np.ndarray, cutoff: int) -> float:
    """RMS error in which a line over log-frequency, continued, misses the known levels above it.

    level  (F,) mean level per bin, known below bin `cutoff`
    """
    errors = []
    for octaves in STEPS:
        below = int(cutoff * 2**-octaves)
        part = np.arange(below // 2, int(below * 2**TESTED_OCTAVES))
        x = np.log2(part + 0.5)
        fitted, tried = part < below, part >= below
        slope, intercept = np.polyfit(x[fitted], level[part[fitted]], 1)
        missed = level[part] - slope * x - intercept
        errors += [band.mean() for band in np.array_split(missed[tried], 4)]
    return float(np.sqrt(np.mean(np.square(errors))))
