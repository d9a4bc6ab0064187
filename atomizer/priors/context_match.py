"""How well the context of a hidden span repeats at a lag, beside how well a texture would match it.

The spectral error that a copy has inside of a span is about the error that it has in the context:
in 175 holes of 0.5 and 2 s the mean of the former grew with the latter from 0.60 at 0.60 to 0.77 at
0.71, while textures had 0.95 to 1.10. Of the candidates, the one with the least error in the
context is better than the one whose waveform correlates best. The correlation of waveforms tells as
well whether the recording repeats at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.fft import rfft
from scipy.ndimage import uniform_filter1d

from .lag_search import LagSearch, hidden_band
from .recording_context import HiddenSpan

MATCH_SECONDS = 2.0  # of context on either side, whose spectra are compared
MATCH_WINDOW = 8192  # samples of a spectrum: semitones above 100 Hz are apart
TEXTURE_BINS = 25  # over which the levels of a texture are averaged
# Share of the side that matches less in the error of both: what follows a copy that only begins
# well is another part of the piece
WORSE_SHARE = 2 / 3
BESIDE_SHARE = 1 / 3  # of what is known beside a box, at the same time, in the error
MAX_GAIN_DB = 3.0  # of the copy, up or down
BLOCK_SECONDS = 0.2  # whose correlations are averaged: the loudest block does not decide alone
CORRELATED_SECONDS = (1.0, 2.0, 4.0)  # of context on either side; the mean over these counts


class Match(NamedTuple):
    """How well the context of a span repeats at a lag.

    error     spectral convergence: norm of the difference of the magnitude spectra of the context
              and of its copy, relative to that of the context
    relative  the same, relative to the error that a texture with the levels of the context has
    worst     the relative error of the side that matches less
    gain      amplitude of the context relative to that of its copy
    """

    error: float
    relative: float
    worst: float
    gain: float


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
    """Error of the copy of a part, the same relative to a texture's, and energies of both."""

    error: float
    relative: float
    own: float
    other: float


class ContextSpectra:
    """Magnitude spectra of the known context of a span: before, after, and beside a box.

    Before and after a box, its own band is compared, beside it the rest.
    """

    def __init__(self, search: LagSearch, span: HiddenSpan):
        self.hidden_before = search.context.hidden_before
        mix = search.mix
        if len(mix) < MATCH_WINDOW:
            mix = np.pad(mix, (0, MATCH_WINDOW - len(mix)))
        self.windows = np.lib.stride_tricks.sliding_window_view(mix, MATCH_WINDOW)
        self.shape = np.hanning(MATCH_WINDOW).astype(np.float32)
        hop = MATCH_WINDOW // 2
        start, stop = span.sample_range(search.context.space.hop, len(search.mix))
        steps = np.arange(round(MATCH_SECONDS * search.context.rate) // hop - 1) * hop
        bins = _compared_bins(search, span)
        self.sides = [
            self._part(starts[self._are_known(starts)], bins)
            for starts in (start - MATCH_WINDOW - steps, stop + steps)
        ]
        during = np.arange(start, stop - MATCH_WINDOW, hop)
        is_box = not bins.all()
        self.beside = self._part(during, ~bins) if is_box and len(during) else None

    def match(self, lag: int) -> Match:
        """The match at a lag in samples, of the parts whose copy is known."""
        compared = (self._compare(part, lag) for part in self.sides)
        sides = [side for side in compared if side is not None]
        if not sides:
            return Match(np.inf, np.inf, np.inf, 1.0)
        error = _of_both([side.error for side in sides])
        relative = _of_both([side.relative for side in sides])
        beside = self._compare(self.beside, lag) if self.beside else None
        if beside:
            error = (1 - BESIDE_SHARE) * error + BESIDE_SHARE * beside.error
            relative = (1 - BESIDE_SHARE) * relative + BESIDE_SHARE * beside.relative
        own, other = sum(side.own for side in sides), sum(side.other for side in sides)
        limit = 10 ** (MAX_GAIN_DB / 20)
        gain = float(np.clip(np.sqrt(own / other), 1 / limit, limit)) if other > 0 else 1.0
        return Match(error, relative, max(side.relative for side in sides), gain)

    def _compare(self, part: _Part, lag: int) -> _Comparison | None:
        """Compare a part with its copy; None if nothing of that is known."""
        known = self._are_known(part.starts + lag)
        if not known.any():
            return None
        own, other = part.spectra[known], self._spectra(part.starts[known] + lag)[:, part.bins]
        energy = float(np.sum(own**2))
        error = float(np.sqrt(np.sum((own - other) ** 2) / (energy + 1e-20)))
        return _Comparison(error, error / part.texture_error, energy, float(np.sum(other**2)))

    def _part(self, starts: np.ndarray, bins: np.ndarray) -> _Part:
        spectra = self._spectra(starts)[:, bins]
        return _Part(starts, spectra, bins, texture_error(spectra))

    def _are_known(self, starts: np.ndarray) -> np.ndarray:
        return _are_known(self.hidden_before, starts, MATCH_WINDOW)

    def _spectra(self, starts: np.ndarray) -> np.ndarray:
        """Magnitudes (k, F) of windows that start at samples (k,)."""
        return np.abs(rfft(self.windows[starts] * self.shape, axis=1))


def _are_known(hidden_before: np.ndarray, starts: np.ndarray, size: int) -> np.ndarray:
    """Whether `size` samples from each of (k,) on lie in the known recording: (k,) bool."""
    length = len(hidden_before) - 1
    a, b = np.clip(starts, 0, length), np.clip(starts + size, 0, length)
    return (starts >= 0) & (starts + size <= length) & (hidden_before[b] == hidden_before[a])


def _compared_bins(search: LagSearch, span: HiddenSpan) -> np.ndarray:
    """Bins of a spectrum that are compared before and after a span: (F,) bool."""
    band = hidden_band(search.context, span)
    bins = np.ones(MATCH_WINDOW // 2 + 1, bool)
    if band is not None:
        first, stop = np.array(band) * len(bins) // search.context.mask.shape[2]
        bins[:first] = bins[stop:] = False
    return bins


def _of_both(errors: list[float]) -> float:
    """Error of both sides, or of the one that is known."""
    return float(WORSE_SHARE * max(errors) + (1 - WORSE_SHARE) * min(errors))


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

    It is the geometric mean of both sides: a match on one of them alone is none.
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
