"""How well the context of a hidden span repeats at a lag, beside how well a texture would match it.

The spectral error that a copy has inside of a span is about the error that it has in the context:
in 175 holes of 0.5 and 2 s the mean of the former grew with the latter from 0.60 at 0.60 to 0.77 at
0.71, while textures had 0.95 to 1.10. Of the candidates, the one with the least error in the
context is better than the one whose waveform correlates best. The correlation of waveforms tells as
well whether the recording repeats at all.

Loud partials make up most of that error. What lies between them, and the highs, count in the
log-spectral distance of the nearest second, and the candidate with the least product of both is
copied: in 69 continuations of 3 s its distance was 0.76 instead of 0.80, its error 0.71 instead of
0.73.
Of that second all channels are compared, of the rest their mix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import rfft
from scipy.ndimage import uniform_filter1d

from .context import HiddenSpan
from .lag_search import LagSearch, hidden_band, is_two_sided

MATCH_SECONDS = 2.0  # of context on either side, whose spectra are compared
MATCH_WINDOW = 8192  # samples of a spectrum: semitones above 100 Hz are apart
NEAR_SECONDS = 1.0  # of context on either side, whose log spectra are compared
NEAR_WINDOW = 2048  # samples of a log spectrum: attacks are apart
MAX_BESIDE = 100  # windows beside a box, whose log spectra are compared
LOG_FLOOR = 1e-8  # of a log power spectrum, relative to the power of the recording
TEXTURE_BINS = 25  # over which the levels of a texture are averaged
# Share of the side that matches less in the error of both: what follows a copy that only begins
# well is another part of the piece
WORSE_SHARE = 2 / 3
BESIDE_SHARE = 1 / 3  # of what is known beside a box, at the same time, in the error
MAX_GAIN_DB = 3.0  # of the copy, up or down
# Windows for which the prior assumption counts that a copy is no better than a texture: in short
# recordings few windows are compared, and one of many places fits by accident
DOUBT_WINDOWS = 1
BLOCK_SECONDS = 0.2  # whose correlations are averaged: the loudest block does not decide alone
CORRELATED_SECONDS = (1.0, 2.0, 4.0)  # of context on either side; the mean over these counts


class Match(NamedTuple):
    """How well the context of a span repeats at a lag.

    error     spectral convergence: norm of the difference of the magnitude spectra of the context
              and of its copy, relative to that of the context
    relative  the same, relative to the error that a texture with the levels of the context has
    worst     the relative error of the side that matches less, the nearer to 1 the less of it was
              compared
    gain      amplitude of the context relative to that of its copy
    distance  log-spectral distance of the nearest context from its copy
    """

    error: float
    relative: float
    worst: float
    gain: float
    distance: float

    @property
    def rank(self) -> float:
        """The lower, the better a copy is expected to be."""
        return self.error * self.distance


class _Windows:
    """Windows of a known signal (n,), all of one size, and their magnitude spectra.

    hidden_before  `RecordingContext.hidden_before`
    """

    def __init__(self, signal: np.ndarray, hidden_before: np.ndarray, size: int):
        self.size, self.hidden_before = size, hidden_before
        padded = np.pad(signal, (0, max(0, size - len(signal))))
        self.windows = np.lib.stride_tricks.sliding_window_view(padded, size)
        self.shape = np.hanning(size).astype(np.float32)

    def are_known(self, starts: np.ndarray) -> np.ndarray:
        """Whether the windows from samples (k,) on lie in the known recording: (k,) bool."""
        return _are_known(self.hidden_before, starts, self.size)

    def spectra(self, starts: np.ndarray) -> np.ndarray:
        """Magnitudes (k, F) of windows that start at samples (k,)."""
        return np.abs(rfft(self.windows[starts] * self.shape, axis=1))

    def beside(self, start: int, stop: int, seconds: float, rate: int) -> list[np.ndarray]:
        """First samples of known windows before `start` and from `stop` on, which overlap by half.

        seconds  of context on either side
        """
        hop = self.size // 2
        steps = np.arange(round(seconds * rate) // hop - 1) * hop
        sides = (start - self.size - steps, stop + steps)
        return [starts[self.are_known(starts)] for starts in sides]


class _Part(NamedTuple):
    """A part of the context: first samples (k,) of its windows, and their magnitudes (k, bins).

    bins           (F,) bool, bins of a spectrum that are compared
    texture_error  error that a texture has here
    """

    starts: np.ndarray
    spectra: np.ndarray
    bins: np.ndarray
    texture_error: float


class _Comparison(NamedTuple):
    """Error of the copy of a part, the same relative to a texture's, and energies of both.

    windows  number of windows that were compared
    """

    error: float
    relative: float
    own: float
    other: float
    windows: int

    @property
    def doubted(self) -> float:
        """The relative error, averaged with 1 as if `DOUBT_WINDOWS` more had been compared."""
        return 1 - (1 - self.relative) * self.windows / (self.windows + DOUBT_WINDOWS)


class ContextSpectra:
    """Magnitude spectra of the known context of a span: before, after, and beside a box.

    Before and after a box, its own band is compared, beside it the rest.
    """

    def __init__(self, search: LagSearch, span: HiddenSpan):
        rate = search.context.rate
        start, stop = span.sample_range(search.context.space.hop, len(search.mix))
        self.windows = _Windows(search.mix, search.context.hidden_before, MATCH_WINDOW)
        bins = _compared_bins(search, span)
        sides = self.windows.beside(start, stop, MATCH_SECONDS, rate)
        self.sides = [self._part(starts, bins) for starts in sides]
        during = np.arange(start, stop - MATCH_WINDOW, MATCH_WINDOW // 2)
        is_box = not bins.all()
        self.beside = self._part(during, ~bins) if is_box and len(during) else None
        self.near = _NearSpectra(search, span)

    def match(self, lag: int) -> Match:
        """The match at a lag in samples, of the parts whose copy is known."""
        compared = [self._compare(part, lag) for part in self.sides if len(part.starts)]
        sides = [side for side in compared if side is not None]
        if not sides:
            return Match(np.inf, np.inf, np.inf, 1.0, np.inf)
        error = _of_both([side.error for side in sides])
        relative = _of_both([side.relative for side in sides])
        beside = self._compare(self.beside, lag) if self.beside else None
        if beside:
            error = _with_beside(error, beside.error)
            relative = _with_beside(relative, beside.relative)
        own, other = sum(side.own for side in sides), sum(side.other for side in sides)
        limit = 10 ** (MAX_GAIN_DB / 20)
        gain = float(np.clip(np.sqrt(own / other), 1 / limit, limit)) if other > 0 else 1.0
        worst = max(1.0 if side is None else side.doubted for side in compared)
        return Match(error, relative, worst, gain, self.near.distance(lag))

    def _compare(self, part: _Part, lag: int) -> _Comparison | None:
        """Compare a part with its copy; None if nothing of that is known."""
        known = self.windows.are_known(part.starts + lag)
        if not known.any():
            return None
        own = part.spectra[known]
        other = self.windows.spectra(part.starts[known] + lag)[:, part.bins]
        energy = float(np.sum(own**2))
        error = float(np.sqrt(np.sum((own - other) ** 2) / (energy + 1e-20)))
        relative = error / part.texture_error
        return _Comparison(error, relative, energy, float(np.sum(other**2)), int(known.sum()))

    def _part(self, starts: np.ndarray, bins: np.ndarray) -> _Part:
        spectra = self.windows.spectra(starts)[:, bins]
        return _Part(starts, spectra, bins, texture_error(spectra))


class _NearPart(NamedTuple):
    """First samples (k,) of windows, and their log powers (C, k, bins) at bins (F,) bool."""

    starts: np.ndarray
    log_power: np.ndarray
    bins: np.ndarray


class _NearSpectra:
    """Log power spectra of the nearest known context of a span, and beside a box, per channel."""

    def __init__(self, search: LagSearch, span: HiddenSpan):
        start, stop = span.sample_range(search.context.space.hop, len(search.mix))
        samples, hidden_before = search.context.samples, search.context.hidden_before
        self.channels = [_Windows(x, hidden_before, NEAR_WINDOW) for x in samples]
        self.windows = self.channels[0]
        power = float(np.mean(np.square(samples, dtype=np.float64)))
        self.floor = LOG_FLOOR * power * float(self.windows.shape.sum()) ** 2 + 1e-20
        bins = _compared_bins(search, span, NEAR_WINDOW)
        sides = self.windows.beside(start, stop, NEAR_SECONDS, search.context.rate)
        self.sides = [self._part(starts, bins) for starts in sides]
        step = max(NEAR_WINDOW // 2, (stop - start) // MAX_BESIDE)
        during = np.arange(start, stop - NEAR_WINDOW, step)
        self.beside = None if bins.all() else self._part(during, ~bins)

    def distance(self, lag: int) -> float:
        """Log-spectral distance from the copy at a lag, of the parts whose copy is known."""
        compared = (self._distance(part, lag) for part in self.sides)
        sides = [side for side in compared if side is not None]
        if not sides:
            return np.inf
        beside = self._distance(self.beside, lag) if self.beside else None
        return _with_beside(_of_both(sides), beside)

    def _distance(self, part: _NearPart, lag: int) -> float | None:
        """Mean distance of the windows of a part; None if nothing of their copy is known."""
        known = self.windows.are_known(part.starts + lag)
        if not known.any():
            return None
        other = self._log_power(part.starts[known] + lag, part.bins)
        difference = part.log_power[:, known] - other
        return float(np.sqrt(np.square(difference).mean(axis=2)).mean())

    def _part(self, starts: np.ndarray, bins: np.ndarray) -> _NearPart:
        return _NearPart(starts, self._log_power(starts, bins), bins)

    def _log_power(self, starts: np.ndarray, bins: np.ndarray) -> np.ndarray:
        power = [channel.spectra(starts)[:, bins] ** 2 for channel in self.channels]
        return np.log10(np.stack(power) + self.floor)


def _are_known(hidden_before: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Whether `size` samples from each of (k,) on lie in the known recording: (k,) bool."""
    length = len(hidden_before) - 1
    a, b = np.clip(starts, 0, length), np.clip(starts + size, 0, length)
    return (starts >= 0) & (starts + size <= length) & (hidden_before[b] == hidden_before[a])


def _compared_bins(search: LagSearch, span: HiddenSpan, size: int = MATCH_WINDOW) -> np.ndarray:
    """Bins of a spectrum of `size` samples that are compared beside a span in time: (F,) bool."""
    band = hidden_band(search.context, span)
    bins = np.ones(size // 2 + 1, bool)
    if band is not None:
        first, stop = np.array(band) * len(bins) // search.context.mask.shape[2]
        bins[:first] = bins[stop:] = False
    return bins


def _of_both(errors: list[float]) -> float:
    """Error of both sides, or of the one that is known."""
    return float(WORSE_SHARE * max(errors) + (1 - WORSE_SHARE) * min(errors))


def _with_beside(error: float, beside: float | None) -> float:
    """Error of both sides, and of what is known beside a box."""
    return error if beside is None else (1 - BESIDE_SHARE) * error + BESIDE_SHARE * beside


def texture_error(spectra: np.ndarray) -> float:
    """Expected error of a texture with the mean levels of magnitude spectra (k, bins).

    Its magnitudes are Rayleigh distributed, with the power averaged over time and `TEXTURE_BINS`.
    In steady noise this is the error of any two excerpts, 0.66; in music it is about 1.
    """
    power = spectra**2
    total = power.sum()
    if not total:
        return 1.0
    level = np.maximum(uniform_filter1d(power.mean(axis=0), TEXTURE_BINS), 0)
    cross = np.sqrt(np.pi / 4) * np.sum(spectra * np.sqrt(level))
    return float(np.sqrt(1 + (len(power) * level.sum() - 2 * cross) / total))


def waveform_correlation(search: LagSearch, span: HiddenSpan, lag: int) -> float:
    """Mean correlation of blocks of the context of a span with those at a lag in samples, -1 to 1.

    It is the geometric mean of both sides: a match on one of them alone is none. Where the copy of
    one side is beyond the recording, that side counts as half as correlated as the other one.
    """
    block = round(BLOCK_SECONDS * search.context.rate)
    start, stop = span.sample_range(search.context.space.hop, len(search.signal))
    correlations = []
    for seconds in CORRELATED_SECONDS:
        count = round(seconds / BLOCK_SECONDS)
        before = [start - (n + 1) * block for n in range(count)]
        after = [stop + n * block for n in range(count)]
        sides = [_block_correlation(search, starts, block, lag) for starts in (before, after)]
        known = [side for side in sides if side is not None]
        correlation = min(known, default=0.0)
        if len(known) == 2 and correlation > 0:
            correlation = float(np.sqrt(known[0] * known[1]))
        elif len(known) == 1 and is_two_sided(search.context, span):
            correlation *= float(np.sqrt(1 / 2))
        correlations.append(correlation)
    return float(np.mean(correlations))


def _block_correlation(search: LagSearch, starts: list[int], block: int, lag: int) -> float | None:
    """Mean correlation of blocks with those `lag` later; None if nothing of both is known."""
    hidden_before, at = search.context.hidden_before, np.array(starts)
    known = _are_known(hidden_before, at, block) & _are_known(hidden_before, at + lag, block)
    product = weights = 0.0
    for a in at[known]:
        b = a + block
        x, y = search.signal[a:b], search.signal[a + lag : b + lag]
        own, other, both = float(x @ x), float(y @ y), float(x @ y)
        weight = np.sqrt(max(own, other))  # silence that meets sound does not match
        product += weight * both / np.sqrt(own * other + 1e-20)
        weights += weight
    return product / weights if weights > 0 else None
