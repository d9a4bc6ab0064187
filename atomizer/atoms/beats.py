"""The beats of a sound, found in the levels of its atoms.

Ellis 2007, "Beat tracking by dynamic programming": onset strength, a tempo by autocorrelation with
a preference for 120 beats per minute, and the beats that maximise the sum of their onset strengths
while their distances stay near that of the tempo.
"""

from __future__ import annotations

import numpy as np

from ..errors import AtomizerError
from .bands import octave_band_edges
from .space import AtomSpace

RANGE_DB = 60.0  # below the loudest band, where a level counts as silence
MEAN_SECONDS = 1.0  # over which the mean onset strength is taken away
BPM = (40.0, 240.0)
PREFERRED_BPM, OCTAVES = 120.0, 0.9  # middle and standard deviation of the preference
TWICE = 0.4  # weight of the correlation at twice a lag
TIGHTNESS = 100.0  # of the distances of beats, relative to the onset strength
# Onsets recur if their correlation with those a beat later exceeds the first value, and that of
# chance by this many standard deviations
MIN_CORRELATION, MIN_DEVIATIONS = 0.12, 4.0
MIN_RISE_DB = 1.5  # of the mean level of the bands at the beats


class NoBeat(AtomizerError):
    """A sound has no beat, or not as many as are selected."""


def find_beats(grid: np.ndarray, space: AtomSpace) -> np.ndarray:
    """Return the times of the beats of a grid of coefficients (channels, frames, bins), in seconds.

    They are whole frames, and precede the attacks by -4 to 22 ms.

    Raises NoBeat where there is none, as in steady noise, a pure tone, or silence.
    """
    rate = space.rate / space.hop
    onsets = onset_strength(grid)
    centred = _centred(onsets, rate)
    period = beat_period(centred, rate)
    beats = np.zeros(0, int) if period is None else track_beats(centred, period)
    if len(beats) < 3 or onsets[beats].mean() < MIN_RISE_DB:
        raise NoBeat(
            "No beat was found in this sound: select spans of time instead, such as time:2-2.5."
        )
    return beats / rate


def onset_strength(grid: np.ndarray) -> np.ndarray:
    """Return how much the levels of the bands rise in every frame, their mean in dB: (frames,).

    grid  (channels, frames, bins)
    """
    # the coefficients of a steady tone change with its phase; with the difference of their
    # neighbours for the other part they hardly do (Daudet & Sandler 2004)
    frames, bins = grid.shape[1:]
    power = np.zeros((frames, bins), np.float32)
    for channel in grid:
        power += channel**2
        power[:, 1:-1] += (channel[:, 2:] - channel[:, :-2]) ** 2
    bands = np.add.reduceat(power, octave_band_edges(bins)[:-1], axis=1)
    floor = float(bands.max(initial=0)) * 10 ** (-RANGE_DB / 10)
    level = 10 * np.log10(bands + floor + 1e-30)
    return np.maximum(np.diff(level, axis=0, prepend=level[:1]), 0).mean(axis=1)


def _centred(onsets: np.ndarray, rate: float) -> np.ndarray:
    """The onset strength (frames,), a little smoothed, less its mean nearby."""
    from scipy.ndimage import convolve1d, uniform_filter1d  # take a third of a second to load

    smooth = convolve1d(onsets, [0.25, 0.5, 0.25], mode="nearest")
    return smooth - uniform_filter1d(smooth, max(1, round(MEAN_SECONDS * rate)), mode="nearest")


def beat_period(onsets: np.ndarray, rate: float) -> float | None:
    """Return the frames from one beat to the next; None where no onsets recur.

    onsets  (frames,) less their mean
    rate    frames per second
    """
    count, power = len(onsets), float(onsets @ onsets)
    shortest, longest = (60 * rate / bpm for bpm in reversed(BPM))
    lags = np.arange(shortest, min(longest, count / 2), 0.1)
    if not power or not len(lags):
        return None
    spectrum = np.fft.rfft(onsets, 2 * count)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:count] / power
    # with that of twice the lag: of even clicks, which recur after every number of beats, the
    # preference alone would often take every second one
    once, twice = (
        np.interp(n * lags, np.arange(count), correlation, right=0) * _preference(n * lags, rate)
        for n in (1, 2)
    )
    period = float(lags[np.argmax(once + TWICE * twice)])
    found = np.interp(period, np.arange(count), correlation)
    return period if found > max(MIN_CORRELATION, MIN_DEVIATIONS / np.sqrt(count)) else None


def _preference(lags: np.ndarray, rate: float) -> np.ndarray:
    """Weights of lags in frames: a normal distribution over the octaves of the tempo."""
    octaves = np.log2(60 * rate / lags / PREFERRED_BPM) / OCTAVES
    return np.exp(-0.5 * octaves**2)


def track_beats(onsets: np.ndarray, period: float) -> np.ndarray:
    """Return the frames of the beats that have strong onsets at nearly even distances.

    onsets  (frames,) less their mean
    period  frames from one beat to the next
    """
    distances = np.arange(round(period / 2), round(2 * period) + 1)
    cost = TIGHTNESS * np.log(distances / period) ** 2
    score = onsets / max(float(onsets.std()), 1e-9)
    before = np.full(len(onsets), -1)
    for frame in range(distances[0], len(onsets)):
        past = distances[: np.searchsorted(distances, frame, "right")]
        total = score[frame - past] - cost[: len(past)]
        best = int(np.argmax(total))
        if total[best] > 0:
            score[frame] += total[best]
            before[frame] = frame - past[best]
    last = max(0, len(onsets) - round(period))
    beats = [last + int(np.argmax(score[last:]))]
    while before[beats[-1]] >= 0:
        beats.append(int(before[beats[-1]]))
    return np.array(beats[::-1])
