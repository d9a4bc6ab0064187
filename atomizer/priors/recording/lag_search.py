"""Lags at which the context of hidden spans repeats elsewhere in the recording.

Normalised cross-correlation of the known context of a span with the whole recording, on a
pre-emphasised, decimated mono mix, refined at the full rate. All channels share a lag. Long spans
have chains of phrases, each of which continues the one before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from scipy.signal import oaconvolve, resample_poly

from ..threads import in_threads
from .context import MIN_KNOWN_FRAMES, HiddenSpan, RecordingContext
from .copies import Piece

SEARCH_RATE = 11_025  # Hz, lowest rate of the decimated signal
LONG_RECORDING_SECONDS = 300.0  # above which the lowest rate is half of that
EMPHASIS = 0.85  # coefficient of the pre-emphasis
ONE_SIDED_SECONDS = 1.0  # of tapered context
MIN_REFINE_SAMPLES = 16  # of a side
MAX_COPIES = 8  # per span, each with its own lag
MIN_LAG_SECONDS = 0.002  # between two lags
QUIET_SHARE = 1e-4  # of the recording's mean power: quieter context correlates with nothing
FULL_BAND_SHARE = 0.6  # of the bins up to which hidden atoms reach in a span of all frequencies
MAX_PHRASE_SECONDS = 4.0  # longest span that is copied in one piece
MAX_CHAINS = 3  # of phrases, per long span
EQUAL_SHARE = 0.9  # of the best correlation, from which a match counts as equally good
PART_SECONDS = 0.25  # of a box, for which places of its own are searched
COPIES_PER_PART = 6


class _Context(NamedTuple):
    """Seconds of context that are searched before and after a span.

    reach       seconds on either side by which a lag is refined
    is_tapered  whether the weight falls with the distance, to zero at `ONE_SIDED_SECONDS`
    """

    before: float
    after: float
    reach: float
    is_tapered: bool


# The first one gives the lags of copies with gains per band, all together those of plain copies: in
# a hole, one side alone may find a better place than both together
TWO_SIDED_CONTEXTS = (
    _Context(0.5, 0.5, 0.4, False),
    _Context(ONE_SIDED_SECONDS, 0.0, 0.4, True),
    _Context(0.0, ONE_SIDED_SECONDS, 0.4, True),
)
# After an end, or before a beginning: the side that is not there has no samples
ONE_SIDED_CONTEXTS = (
    _Context(ONE_SIDED_SECONDS, ONE_SIDED_SECONDS, 1.0, True),
    _Context(2.0, 2.0, 2.0, False),
    _Context(4.0, 4.0, 4.0, False),
)


def is_two_sided(context: RecordingContext, span: HiddenSpan) -> bool:
    """Whether enough frames are known on both sides of a span."""
    return min(context.known_frames_beside(span)) >= MIN_KNOWN_FRAMES


def hidden_band(context: RecordingContext, span: HiddenSpan) -> tuple[int, int] | None:
    """First hidden bin of a box, and the one after the last; None for all frequencies."""
    bins = np.flatnonzero(context.mask[:, span.first : span.stop].any(axis=(0, 1)))
    is_full = bins[0] <= 1 and bins[-1] >= FULL_BAND_SHARE * context.mask.shape[2]
    return None if is_full else (int(bins[0]), int(bins[-1]) + 1)


@dataclass(frozen=True)
class _View:
    """A decimated signal that is searched for a context.

    signal    (m,) the recording, or a band of it
    template  (m,) signal that the context is cut out of
    hidden    whether the signal is hidden during the span
    """

    signal: np.ndarray
    template: np.ndarray
    hidden: bool


@dataclass(frozen=True)
class _Query:
    """A part of the recording for which a source is searched, and its context.

    start, stop                  samples of the part
    context_start, context_stop  samples of the part and its context
    is_tapered                   whether the weight of the context falls with its distance
    """

    start: int
    stop: int
    context_start: int
    context_stop: int
    is_tapered: bool

    def weight(self, step: int, rate: int) -> np.ndarray:
        """Weights of the decimated context: (m,) float32."""
        low, high = self.context_start // step, self.context_stop // step
        if not self.is_tapered:
            return np.ones(high - low, np.float32)
        at = np.arange(low, high)
        distance = np.maximum(0, np.maximum(self.start // step - at, at - -(-self.stop // step)))
        return np.maximum(0, 1 - distance / (ONE_SIDED_SECONDS * rate / step)).astype(np.float32)


class LagSearch:
    """Normalised cross-correlation of the context of hidden spans with the whole recording."""

    def __init__(self, context: RecordingContext):
        self.context = context
        rate, length = context.rate, context.samples.shape[1]
        is_long = length / rate > LONG_RECORDING_SECONDS
        self.step = max(1, int(rate // (SEARCH_RATE / 2 if is_long else SEARCH_RATE)))
        # number of samples before each sample that cannot be copied
        self.barred_before = np.concatenate([[0], np.cumsum(~context.copyable_samples)])
        self.mix = _principal_mix(context.samples)
        self.signal = self.mix.copy()
        self.signal[1:] -= EMPHASIS * self.mix[:-1]
        self.found: dict[tuple[HiddenSpan, _Context], list[float]] = {}
        self.views: dict[HiddenSpan, list[_View]] = {}
        self.decimated = self.signal
        if self.step > 1:
            self.decimated = resample_poly(self.signal, 1, self.step).astype(np.float32)

    def lags(self, span: HiddenSpan) -> list[float]:
        """Lags in samples at which the context of a span repeats, best match first."""
        return self._search(span, self._contexts(span)[0])

    def candidates(self, span: HiddenSpan) -> list[float]:
        """Lags at which contexts of several lengths, or of either side alone, repeat."""
        self._views(span)  # which all searches read
        found = in_threads(partial(self._search, span), self._contexts(span))
        return list(dict.fromkeys(chain.from_iterable(found)))

    def lags_beside(self, span: HiddenSpan, others: Sequence[float] = ()) -> list[float]:
        """Lags at which what is known beside a box, at the same time, repeats for a part of it.

        All are at least `MIN_LAG_SECONDS` apart, and away from `others`. Empty for a span of all
        frequencies.
        """
        views = [view for view in self._views(span) if not view.hidden]
        if not views:
            return []
        length, rate = self.context.samples.shape[1], self.context.rate
        start, stop = span.sample_range(self.context.space.hop, length)
        parts = max(1, round((stop - start) / (PART_SECONDS * rate)))
        edges = [int(edge) for edge in np.linspace(start, stop, parts + 1)]

        def search(part: tuple[int, int]) -> list[float]:
            first_lag, total = self._correlations(views, _Query(*part, *part, False))
            peaks = self._peaks(total, COPIES_PER_PART)
            return [first_lag + self.step * (k + vertex(total, k)) for k in peaks]

        lags, distance = list(others), MIN_LAG_SECONDS * rate
        for lag in chain.from_iterable(in_threads(search, list(pairwise(edges)))):
            if all(abs(lag - other) >= distance for other in lags):
                lags.append(lag)
        return lags[len(others) :]

    def _contexts(self, span: HiddenSpan) -> tuple[_Context, ...]:
        return TWO_SIDED_CONTEXTS if is_two_sided(self.context, span) else ONE_SIDED_CONTEXTS

    def _search(self, span: HiddenSpan, around: _Context) -> list[float]:
        """Lags by the correlation of a context, refined at the full rate."""
        key = span, around
        if key not in self.found:
            rate, length = self.context.rate, self.context.samples.shape[1]
            start, stop = span.sample_range(self.context.space.hop, length)
            first = max(0, start - round(around.before * rate))
            last = min(length, stop + round(around.after * rate))
            query = _Query(start, stop, first, last, around.is_tapered)
            ranked = self._rank(self._views(span), query, MAX_COPIES)
            reach = round(around.reach * rate)
            self.found[key] = [self._refine(span, lag, reach) for lag, _ in ranked]
        return self.found[key]

    def _views(self, span: HiddenSpan) -> list[_View]:
        """Signals to search for a span, computed once."""
        if span not in self.views:
            self.views[span] = self._split(span)
        return self.views[span]

    def _split(self, span: HiddenSpan) -> list[_View]:
        """The recording, or for a box the band inside of it and the rest."""
        hidden = hidden_band(self.context, span)
        if hidden is None:
            return [_View(self.decimated, self.decimated, True)]
        spectrum = np.fft.rfft(self.decimated)
        hertz = np.linspace(0, self.context.rate / 2 / self.step, len(spectrum))
        bin_hz = self.context.rate / 2 / self.context.mask.shape[2]
        band = (hertz >= hidden[0] * bin_hz) & (hertz <= hidden[1] * bin_hz)
        inside = np.fft.irfft(spectrum * band, len(self.decimated)).astype(np.float32)
        outside = self.decimated - inside
        return [_View(inside, inside, True), _View(outside, outside, False)]

    def _rank(self, views: list[_View], query: _Query, count: int) -> list[tuple[int, float]]:
        """At most `count` lags and their correlations with the context, best match first."""
        first_lag, total = self._correlations(views, query)
        return [(first_lag + k * self.step, float(total[k])) for k in self._peaks(total, count)]

    def _correlations(self, views: list[_View], query: _Query) -> tuple[int, np.ndarray]:
        """A lag, and the correlations (m,) at it and at every `step` samples more.

        -1 where the source is not known.
        """
        step, rate = self.step, self.context.rate
        low, high = query.context_start // step, query.context_stop // step
        total = np.zeros(len(self.decimated) + high - low - 1)
        for view in views:
            weight = query.weight(step, rate)
            if view.hidden:
                weight[query.start // step - low : -(-query.stop // step) - low] = 0
            part = view.template[low:high]
            total += normalised_correlation(view.signal, part, weight) / len(views)
        # at index k the context starts at sample k - (high - low) + 1
        first_lag = (1 - high) * step
        lag = first_lag + np.arange(len(total)) * step
        known = self._is_source_known(query.start, query.stop, lag)
        return first_lag, np.where(known, total, -1)

    def _peaks(self, correlations: np.ndarray, count: int) -> list[int]:
        """Indices of at most `count` positive correlations (m,), the largest first."""
        left, found = correlations.copy(), []
        distance = max(1, round(MIN_LAG_SECONDS * self.context.rate / self.step))
        for _ in range(count):
            k = int(left.argmax())
            if left[k] <= 0:
                break
            found.append(k)
            left[max(0, k - distance) : k + distance + 1] = -1
        return found

    def _is_source_known(self, start: int, stop: int, lag: np.ndarray) -> np.ndarray:
        """Whether samples `start` to `stop` can be copied from lags (m,): (m,) bool."""
        length = len(self.barred_before) - 1
        a, b = start + lag, stop + lag
        barred_before_a = self.barred_before[np.clip(a, 0, length)]
        barred_before_b = self.barred_before[np.clip(b, 0, length)]
        return (a >= 0) & (b <= length) & (barred_before_b == barred_before_a)

    def _refine(self, span: HiddenSpan, lag: int, reach: int) -> float:
        """A lag to a fraction of a sample: the peak of the correlation at the full rate.

        reach  samples of context on either side
        """
        length = self.context.samples.shape[1]
        start, stop = span.sample_range(self.context.space.hop, length)
        margin = self.step + 2
        lags = np.arange(lag - margin, lag + margin + 1)
        cross, energy = np.zeros(len(lags)), np.zeros(len(lags))
        for a, b in ((max(0, start - reach), start), (stop, min(length, stop + reach))):
            a, b = max(a, margin - lag, 0), min(b, length - lag - margin)
            if b - a < MIN_REFINE_SAMPLES:
                continue
            target, source = self.signal[a:b], self.signal[a + lags[0] : b + lags[-1]]
            cross += np.lib.stride_tricks.sliding_window_view(source, b - a) @ target
            squares = np.concatenate([[0], np.cumsum(source.astype(np.float64) ** 2)])
            energy += squares[b - a :] - squares[: len(squares) - (b - a)]
        score = cross / np.sqrt(np.maximum(energy, 1e-12))
        k = int(score.argmax())
        return float(lags[k] + vertex(score, k))

    def phrase_chains(self, span: HiddenSpan) -> list[tuple[Piece, ...]]:
        """Chains of phrases for a long span, with the best lags for its first phrase."""
        phrases, views = self._phrases(span), self._views(span)
        is_forward = phrases[0][0] < phrases[-1][0]
        query = self._phrase_query(*phrases[0], is_forward, not is_forward)
        chains = (self.phrases_from(span, lag) for lag, _ in self._rank(views, query, MAX_CHAINS))
        return [chain for chain in chains if chain]

    def _phrases(self, span: HiddenSpan) -> list[tuple[int, int]]:
        """Parts of a long span in samples, from its start, or from its end if only that is known.

        None is longer than `MAX_PHRASE_SECONDS`.
        """
        start, stop = span.sample_range(self.context.space.hop, self.context.samples.shape[1])
        parts = -(-(stop - start) // round(MAX_PHRASE_SECONDS * self.context.rate))
        edges = np.linspace(start, stop, parts + 1).round().astype(int)
        phrases = [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:])]
        is_forward = self.context.known_frames_beside(span)[0] >= MIN_KNOWN_FRAMES
        return phrases if is_forward else phrases[::-1]

    def phrases_from(self, span: HiddenSpan, lag: float) -> tuple[Piece, ...]:
        """The chain of phrases for a long span whose first phrase has this lag; empty without one.

        A phrase keeps the lag of the phrase before it while the source is known. Then it takes the
        lag whose context matches the last copied samples best; of lags that match about as well,
        the one whose source was copied least, so that a continuation does not run in a circle. The
        last phrase has to match what follows the span, too.
        """
        phrases, two_sided = self._phrases(span), is_two_sided(self.context, span)
        views = [replace(view, template=view.signal.copy()) for view in self._views(span)]
        is_forward = phrases[0][0] <= phrases[-1][0]
        pieces: list[Piece] = []
        for number, (a, b) in enumerate(phrases):
            if pieces and not self._is_source_known(a, b, np.array([round(lag)]))[0]:
                is_last = two_sided and number == len(phrases) - 1
                query = self._phrase_query(a, b, is_forward or is_last, not is_forward or is_last)
                ranked = self._rank(views, query, MAX_COPIES)
                if not ranked:
                    return ()
                lag = float(least_copied(ranked, pieces, a, b))
            pieces.append(Piece(a, b, lag))
            p, q, shift = a // self.step, b // self.step, round(lag) // self.step
            for view in views:
                if view.hidden:  # the next phrase continues the copied samples
                    source = view.signal[max(0, p + shift) : q + shift]
                    view.template[p : p + len(source)] = source
        return tuple(sorted(pieces, key=lambda piece: piece.start))

    def _phrase_query(self, start: int, stop: int, before: bool, after: bool) -> _Query:
        """Query of a phrase with the context before it, after it, or both."""
        around, length = round(ONE_SIDED_SECONDS * self.context.rate), self.context.samples.shape[1]
        return _Query(
            start,
            stop,
            max(0, start - around) if before else start,
            min(length, stop + around) if after else stop,
            True,
        )


def least_copied(
    ranked: list[tuple[int, float]], pieces: list[Piece], start: int, stop: int
) -> int:
    """Of the lags that match nearly best, the one whose source shares least with earlier pieces.

    ranked       lags and correlations, best match first
    start, stop  samples of the next piece
    """

    def copied(lag: int) -> float:
        a, b = start + lag, stop + lag
        sources = [(piece.start + piece.lag, piece.stop + piece.lag) for piece in pieces]
        return sum(max(0.0, min(b, d) - max(a, c)) for c, d in sources)

    good = [lag for lag, correlation in ranked if correlation >= EQUAL_SHARE * ranked[0][1]]
    return min(good, key=copied)


def vertex(values: np.ndarray, k: int) -> float:
    """Place of the maximum beside index k of (m,), by a parabola; 0 without a maximum there."""
    if not 0 < k < len(values) - 1:
        return 0.0
    left, top, right = values[k - 1 : k + 2]
    curve = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / curve, -0.5, 0.5)) if curve < 0 else 0.0


def normalised_correlation(signal: np.ndarray, part: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Correlation of a part with a signal at every place, also past the ends of the signal.

    Parameters
    ----------
    signal : (n,)
    part : (m,)
    weight : (m,)
        Weights of the samples of the part.

    Returns
    -------
    (n + m - 1,)
        Correlations, -1 to 1; at index k the part ends on sample k of the signal.
    """
    cross = oaconvolve(signal, (part * weight)[::-1])
    energy = oaconvolve(signal * signal, weight[::-1])
    part_energy = float((part * part * weight).sum())
    power = float(np.mean(signal.astype(np.float64) ** 2))
    quiet = QUIET_SHARE * power * float(weight.sum()) + 1e-20
    return cross / np.sqrt(np.maximum(energy, quiet) * max(part_energy, quiet))


def _principal_mix(samples: np.ndarray) -> np.ndarray:
    """Mono mix (n,) of largest energy of (C, n): opposite channels do not cancel."""
    x = samples[:, :: max(1, samples.shape[1] // 200_000)].astype(np.float64)
    if len(x) == 1:
        return np.ones(1, np.float32) @ samples
    _, vectors = np.linalg.eigh(x @ x.T)
    v = vectors[:, -1]
    return (v * np.sign(v.sum() or 1)).astype(np.float32) @ samples
