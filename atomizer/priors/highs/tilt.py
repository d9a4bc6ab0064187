"""How far a tilt can be trusted that is continued above a cutoff.

The levels of some sounds, such as noise, fall above a cutoff as they do below it; those of most do
not. The known band shows which: the same line, fitted further down, is compared with the known
levels above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.special import polygamma

from ..log_power import DB_PER_LOG_POWER, LOG_MEAN
from ..spectral_envelope import BAND_BINS, VARIANCE_MARGIN

BANDS_PER_CUTOFF = 8  # least number of bands below a cutoff
STEPS = (0.5, 1.0)  # octaves below the cutoff at which the line is tried out
TESTED_OCTAVES = 0.5  # length of its trial continuation
TESTED_BANDS = 4  # of the trial, whose mean errors count
MIN_FRAMES = 8  # known frames of a bin from which its mean level is used


@dataclass(frozen=True)
class Tilt:
    """How well a continued tilt holds above the cutoff of one channel.

    variance  (F,) dB^2 of the mean level that the tilt predicts, 0 below the cutoff
    gain_db   (F,) level of the line through bands above that of the line through bins, in which
              bins count as quiet that a codec has emptied, or that a melody leaves out
    """

    variance: np.ndarray
    gain_db: np.ndarray


def continued_tilt(log: np.ndarray, known: np.ndarray) -> Tilt | None:
    """How well a tilt holds that is continued above a cutoff.

    The error of the line grows with the distance from the cutoff. The variance over time of the
    levels of known bands, beyond that of steady noise, adds to it: the tilt of one moment is not
    that of the next.

    log, known  (T, F) log powers, read where known (bool)

    Returns None without a cutoff and two known octaves below it.
    """
    counts = known.sum(0)
    bins = np.flatnonzero(counts >= MIN_FRAMES)
    cutoff = int(bins[-1]) + 1 if len(bins) else 0
    if not 16 <= cutoff < len(counts) or (counts[cutoff // 4 : cutoff] < MIN_FRAMES).any():
        return None
    width = min(BAND_BINS, cutoff // BANDS_PER_CUTOFF)
    band = _band_levels(log[:, :cutoff], known[:, :cutoff], width)
    count = counts[:cutoff]
    level = DB_PER_LOG_POWER * (band * known[:, :cutoff]).sum(0) / count
    octave = slice(cutoff // 2, cutoff)
    deviation = (DB_PER_LOG_POWER * band[:, octave] - level[octave]) * known[:, octave]
    steady = DB_PER_LOG_POWER**2 * float(polygamma(1, width / 2)) + VARIANCE_MARGIN
    excess = max(0.0, float(np.square(deviation).sum() / count[octave].sum()) - steady)
    distance = np.log2(np.maximum(np.arange(len(counts)) + 0.5, cutoff) / cutoff)
    error = tilt_error(level, cutoff) * (1 + distance / TESTED_OCTAVES)
    variance = np.where(distance > 0, np.square(error) + excess, 0).astype(np.float32)
    own = DB_PER_LOG_POWER * (log[:, :cutoff] * known[:, :cutoff]).sum(0) / count
    position = np.log2(np.arange(len(counts)) + 0.5)
    lines = [_falling_line(position, values, octave) for values in (level, own)]
    gain = lines[0] - lines[1] - DB_PER_LOG_POWER * LOG_MEAN
    return Tilt(variance, gain.clip(min=0).astype(np.float32))


def _falling_line(position: np.ndarray, level: np.ndarray, fitted: slice) -> np.ndarray:
    """(F,) line over positions (F,) that never rises, fitted to a part of the levels."""
    x, y = position[fitted], level[fitted]
    slope = min(0.0, float(np.polyfit(x, y, 1)[0]))
    return y.mean() + slope * (position - x.mean())


def _band_levels(log: np.ndarray, known: np.ndarray, width: int) -> np.ndarray:
    """(T, F) log powers of the bands of `width` bins around every bin, where known."""

    def total(x: np.ndarray) -> np.ndarray:
        return uniform_filter1d(x, width, axis=1, mode="reflect")

    power = total(np.where(known, np.exp(log.astype(np.float64)), 0)).clip(1e-300)
    return np.log(power / np.maximum(total(known.astype(np.float64)), 1e-9))


def tilt_error(level: np.ndarray, cutoff: int) -> float:
    """RMS error of a continued line over log-frequency, tested on known levels below the cutoff.

    level  (F,) mean level per bin, known below bin `cutoff`
    """
    errors = []
    for octaves in STEPS:
        below = int(cutoff * 2**-octaves)
        part = np.arange(below // 2, int(below * 2**TESTED_OCTAVES))
        x = np.log2(part + 0.5)
        fitted, tried = part < below, part >= below
        slope, intercept = np.polyfit(x[fitted], level[part[fitted]], 1)
        missed = (level[part] - slope * x - intercept)[tried]
        errors += [band.mean() for band in np.array_split(missed, min(TESTED_BANDS, len(missed)))]
    return float(np.sqrt(np.mean(np.square(errors))))
