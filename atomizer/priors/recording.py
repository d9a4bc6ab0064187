"""Copies from elsewhere in the recording, where its context repeats.

1. Lags: normalised cross-correlation of the known context of a hidden span with the whole
   recording, on a pre-emphasised, decimated mono mix, refined at the full rate. All channels share
   a lag.
2. A copy is the recording, shifted by a lag and analysed on the grid: levels and signs fit.
3. Gains: per channel and band, a ridge regression of the known atoms around the span on all copies,
   separately near the start and near the end of a span, shrunk by cross-validation over blocks of
   time. Bands whose cross-validated correlation is low have no prediction;
   between two thresholds it fades in.
4. Long spans are copied in phrases: each continues the one before it.

Perraudin, Holighaus, Majdak & Balazs 2018, "Inpainting of long audio segments with similarity
graphs", search for similar context, too; here the search is on waveforms, with gains per band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import oaconvolve, resample_poly

from .recording_context import (
    MIN_KNOWN_FRAMES,
    CopySource,
    HiddenSpan,
    RecordingContext,
    RecordingPrediction,
    mdct_frames,
    merge,
)

# search
SEARCH_RATE = 11_025  # Hz, lowest rate of the decimated signal
LONG_RECORDING_SECONDS = 300.0  # above which the lowest rate is half of that
EMPHASIS = 0.85  # coefficient of the pre-emphasis
CONTEXT_SECONDS = 0.5  # of context on either side of a span
ONE_SIDED_SECONDS = 1.0  # of context, if only one side is known
REFINE_SECONDS = 0.4  # of context on either side, at the full rate
MIN_REFINE_SAMPLES = 16  # of a side
MAX_COPIES = 8  # per span, each with its own lag
MIN_LAG_SECONDS = 0.002  # between two lags
QUIET_SHARE = 1e-4  # of the recording's mean power: quieter context correlates with nothing
FULL_BAND_SHARE = 0.6  # of the bins up to which hidden atoms reach in a span of all frequencies

# copies
MAX_PHRASE_SECONDS = 4.0  # longest span that is copied in one piece
MAX_CHAINS = 3  # of phrases, per long span
CROSSFADE_SECONDS = 0.05  # half of the cross-fade of two phrases
SINC_TAPS = 32  # on either side, of the interpolation of fractional lags
MIN_FRACTION = 0.02  # of a lag, below which it is rounded

# gains
BANDS = 24  # of equal width in octaves
RIDGE = 0.05  # of the mean energy of the copies
FIT_DECAY_SECONDS = 0.3  # from the edge of a span, in which the weight of known atoms falls to 1/e
MIN_TWO_SIDED_SECONDS = 0.7  # of a span with a fit of its own on either side
BLOCK_FRAMES = 6  # of cross-validation
# Gain and confidence of a band rise from zero at the lower of these correlations to all of what was
# fitted at the higher one
MIN_CORRELATION, FULL_CORRELATION = 0.3, 0.6
MIN_LEAD_CORRELATION = 0.3  # over all bands, for the best lag to count in quiet bands
QUIET_POWER = 1.0  # of a band, relative to its mean: quieter ones follow the other bands
MAX_GAIN = 1.5  # of all copies of a band together
# Power of a copy at any moment, relative to the highest nearby, and mean power, relative to the
# mean nearby; the higher the correlation, the higher the limit
MAX_PEAK_POWER, MAX_MEAN_POWER = 1.0, 1.5
MAX_LIMIT_FACTOR = 100.0  # of these limits
MIN_SOURCE_SHARE = 0.02  # of the gains, for a copy to be listed as a source


@dataclass(frozen=True)
class Piece:
    """Samples `start` to `stop` (excluded) are copied from `lag` samples later in the recording."""

    start: int
    stop: int
    lag: float


@dataclass(frozen=True)
class Copy:
    """A shifted recording on the frames around a span.

    atoms   (C, t, F) float32; zero in frames with an unknown source
    known   (t,) bool, frames with a known source
    pieces  shifts of the parts of the span, in the order of time
    """

    atoms: np.ndarray
    known: np.ndarray
    pieces: tuple[Piece, ...]


class RecordingCopyPrior:
    """Copies what follows, or precedes, the same context elsewhere in the recording."""

    name = "recording"

    def predict(self, context: RecordingContext) -> RecordingPrediction | None:
        """Weighted sums of copies at all hidden spans; None where no context repeats."""
        if not context.spans or context.hidden_frames.mean() > 0.9:
            return None
        search = LagSearch(context)
        found = (_predict_span(context, span, search) for span in context.spans)
        return merge([prediction for prediction in found if prediction is not None])


def _predict_span(
    context: RecordingContext, span: HiddenSpan, search: LagSearch
) -> RecordingPrediction | None:
    if max(context.known_frames_beside(span)) < MIN_KNOWN_FRAMES:
        return None
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    if (stop - start) / context.rate <= MAX_PHRASE_SECONDS:
        chains: list[tuple[Piece, ...]] = [(Piece(start, stop, lag),) for lag in search.lags(span)]
    else:
        chains = search.phrase_chains(span)
    frames = context.frames_around(span)
    copies = [_copy(context, frames, chain) for chain in chains]
    return _weighted_sum(context, span, frames, copies) if copies else None


def _is_two_sided(context: RecordingContext, span: HiddenSpan) -> bool:
    """Whether enough frames are known on both sides of a span."""
    return min(context.known_frames_beside(span)) >= MIN_KNOWN_FRAMES


# ---- copies


def _copy(context: RecordingContext, frames: slice, pieces: tuple[Piece, ...]) -> Copy:
    """The recording, shifted by the lags of pieces, which are cross-faded.

    The first and the last piece extend to the ends of `frames`.
    """
    hop, length = context.space.hop, context.samples.shape[1]
    low, high = (frames.start - 1) * hop, frames.stop * hop
    fade = round(CROSSFADE_SECONDS * context.rate)
    out = np.zeros((len(context.samples), high - low), np.float32)
    known_share = np.zeros(high - low, np.float32)
    known_samples = ~context.hidden_samples
    last = len(pieces) - 1
    for number, piece in enumerate(pieces):
        a = low if number == 0 else max(piece.start - fade, low)
        b = high if number == last else min(piece.stop + fade, high)
        weight = np.ones(b - a, np.float32)
        if number > 0:
            weight[: 2 * fade] = np.linspace(0, 1, 2 * fade)[: len(weight)]
        if number < last:
            weight[-2 * fade :] *= np.linspace(1, 0, 2 * fade)[-len(weight) :]
        shift = round(piece.lag)
        p, q = max(a, -shift), min(b, length - shift)
        known = np.zeros(b - a, np.float32)
        if p < q:
            known[p - a : q - a] = known_samples[p + shift : q + shift]
        out[:, a - low : b - low] += shifted(context.samples, a, b, piece.lag) * weight
        known_share[a - low : b - low] += known * weight
    blocks = np.atleast_1d((known_share > 0.999).reshape(-1, hop).all(1))
    known_frames = blocks[:-1] & blocks[1:]
    atoms = mdct_frames(out, low, frames, context.space) * known_frames[:, None]
    return Copy(atoms, known_frames, pieces)


def shifted(samples: np.ndarray, start: int, stop: int, lag: float) -> np.ndarray:
    """Samples `start + lag` to `stop + lag` of (C, n), zero outside: (C, stop - start).

    Fractional lags are interpolated by a windowed sinc.
    """
    whole, pad = int(np.floor(lag)), SINC_TAPS
    fraction = lag - whole
    if min(fraction, 1 - fraction) < MIN_FRACTION:
        whole, fraction, pad = round(lag), 0.0, 0
    piece = np.zeros((len(samples), stop - start + 2 * pad), np.float32)
    low, high = start + whole - pad, stop + whole + pad
    a, b = max(low, 0), min(high, samples.shape[1])
    if a < b:
        piece[:, a - low : b - low] = samples[:, a:b]
    if not pad:
        return piece
    # y[n] = sum_m x[n + m] sinc(m - fraction)
    at = np.arange(-pad, pad + 1) - fraction
    kernel = (np.sinc(at) * np.cos(np.pi * at / (2 * pad + 2)) ** 2).astype(np.float32)
    return oaconvolve(piece, kernel[None, ::-1], "valid", axes=1)


# ---- search


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
        # number of hidden samples before each sample
        self.hidden_before = np.concatenate([[0], np.cumsum(context.hidden_samples)])
        self.signal = _principal_mix(context.samples)
        self.signal[1:] -= EMPHASIS * self.signal[:-1].copy()
        self.decimated = self.signal
        if self.step > 1:
            self.decimated = resample_poly(self.signal, 1, self.step).astype(np.float32)

    def lags(self, span: HiddenSpan) -> list[float]:
        """Lags in samples at which the context of a span repeats, best match first."""
        rate, length = self.context.rate, self.context.samples.shape[1]
        start, stop = span.sample_range(self.context.space.hop, length)
        two_sided = _is_two_sided(self.context, span)
        around = round((CONTEXT_SECONDS if two_sided else ONE_SIDED_SECONDS) * rate)
        query = _Query(
            start, stop, max(0, start - around), min(length, stop + around), not two_sided
        )
        return [self._refine(span, lag) for lag in self._rank(self._views(span), query, MAX_COPIES)]

    def _views(self, span: HiddenSpan) -> list[_View]:
        """Signals to search: the recording, or for a box the band inside of it and the rest."""
        bins = np.flatnonzero(self.context.mask[:, span.first : span.stop].any(axis=(0, 1)))
        count = self.context.mask.shape[2]
        if bins[0] <= 1 and bins[-1] >= FULL_BAND_SHARE * count:
            return [_View(self.decimated, self.decimated, True)]
        spectrum = np.fft.rfft(self.decimated)
        hertz = np.linspace(0, self.context.rate / 2 / self.step, len(spectrum))
        bin_hz = self.context.rate / 2 / count
        band = (hertz >= bins[0] * bin_hz) & (hertz <= (bins[-1] + 1) * bin_hz)
        inside = np.fft.irfft(spectrum * band, len(self.decimated)).astype(np.float32)
        outside = self.decimated - inside
        return [_View(inside, inside, True), _View(outside, outside, False)]

    def _rank(self, views: list[_View], query: _Query, count: int) -> list[int]:
        """At most `count` lags of highest correlation with the context, best match first."""
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
        lag = (np.arange(len(total)) - (high - low) + 1 - low) * step
        total = np.where(self._is_source_known(query.start, query.stop, lag), total, -1)
        found: list[int] = []
        distance = max(1, round(MIN_LAG_SECONDS * rate / step))
        for _ in range(count):
            k = int(total.argmax())
            if total[k] <= 0:
                break
            found.append(int(lag[k]))
            total[max(0, k - distance) : k + distance + 1] = -1
        return found

    def _is_source_known(self, start: int, stop: int, lag: np.ndarray) -> np.ndarray:
        """Whether the sources of samples `start` to `stop` at lags (m,) are known: (m,) bool."""
        length = len(self.hidden_before) - 1
        a, b = start + lag, stop + lag
        hidden_before_a = self.hidden_before[np.clip(a, 0, length)]
        hidden_before_b = self.hidden_before[np.clip(b, 0, length)]
        return (a >= 0) & (b <= length) & (hidden_before_b == hidden_before_a)

    def _refine(self, span: HiddenSpan, lag: int) -> float:
        """A lag to a fraction of a sample: the peak of the correlation at the full rate."""
        length = self.context.samples.shape[1]
        start, stop = span.sample_range(self.context.space.hop, length)
        reach, margin = round(REFINE_SECONDS * self.context.rate), self.step + 2
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
        if not 0 < k < len(lags) - 1:
            return float(lags[k])
        left, top, right = score[k - 1 : k + 2]  # the vertex of a parabola
        curve = left - 2 * top + right
        return float(lags[k] + (0.5 * (left - right) / curve if curve < 0 else 0))

    def phrase_chains(self, span: HiddenSpan) -> list[tuple[Piece, ...]]:
        """Chains of phrases for a long span, from its start, or from its end if only that is known.

        A phrase keeps the lag of the phrase before it while the source is known. Then it takes the
        lag whose context matches the last copied samples best. The last phrase has to match what
        follows the span, too.
        """
        length = self.context.samples.shape[1]
        start, stop = span.sample_range(self.context.space.hop, length)
        parts = -(-(stop - start) // round(MAX_PHRASE_SECONDS * self.context.rate))
        edges = np.linspace(start, stop, parts + 1).round().astype(int)
        phrases = [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:])]
        if self.context.known_frames_beside(span)[0] < MIN_KNOWN_FRAMES:
            phrases = phrases[::-1]
        views, two_sided = self._views(span), _is_two_sided(self.context, span)
        chains = [self._chain(phrases, views, n, two_sided) for n in range(MAX_CHAINS)]
        return [tuple(sorted(chain, key=lambda p: p.start)) for chain in chains if chain]

    def _chain(
        self, phrases: list[tuple[int, int]], views: list[_View], rank: int, two_sided: bool
    ) -> list[Piece]:
        """Pieces of a chain whose first lag has a rank (from 0); empty without enough lags."""
        views = [replace(view, template=view.signal.copy()) for view in views]
        forward = phrases[0][0] <= phrases[-1][0]
        pieces: list[Piece] = []
        for number, (a, b) in enumerate(phrases):
            lag = int(pieces[-1].lag) if pieces else None
            if lag is None or not self._is_source_known(a, b, np.array([lag]))[0]:
                is_last = two_sided and number == len(phrases) - 1
                query = self._phrase_query(a, b, forward or is_last, not forward or is_last)
                skipped = rank if number == 0 else 0
                lags = self._rank(views, query, skipped + 1)
                if len(lags) <= skipped:
                    return []
                lag = lags[-1]
            pieces.append(Piece(a, b, float(lag)))
            p, q, shift = a // self.step, b // self.step, lag // self.step
            for view in views:
                if view.hidden:  # the next phrase continues the copied samples
                    source = view.signal[max(0, p + shift) : q + shift]
                    view.template[p : p + len(source)] = source
        return pieces

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


# ---- gains


@dataclass(frozen=True)
class _Regression:
    """Data of the regression of known atoms on the copies. Shapes: K copies, B bands.

    target  (C, t, F) coefficients
    known   (C, t, F) float32, 1 where known
    copies  (K, C, t, F) coefficients of the copies
    edges   (B + 1,) first bins of the bands, and the bin after the last
    blocks  (t,) block of cross-validation of every frame
    before  (t,) bool, frames before the middle of the span
    """

    target: np.ndarray
    known: np.ndarray
    copies: np.ndarray
    edges: np.ndarray
    blocks: np.ndarray
    before: np.ndarray


@dataclass(frozen=True)
class _Fit:
    """Regressions near one edge of a span, or several of them stacked. Shapes: K copies, B bands.

    gains        (..., K, C, B) of the copies
    correlation  (..., C, B), cross-validated
    sums         (..., 4, C, B) of the energy of the target, of its products with the best copy, of
                 the energy of that copy, and of the weights of the atoms
    """

    gains: np.ndarray
    correlation: np.ndarray
    sums: np.ndarray


def band_edges(bins: int, count: int = BANDS) -> np.ndarray:
    """First bins of bands of equal width in octaves, and the bin after the last."""
    edges = np.unique(np.round(np.geomspace(min(4, bins), bins, count)).astype(int))
    return np.concatenate([[0], edges])


def _weighted_sum(
    context: RecordingContext, span: HiddenSpan, frames: slice, copies: Sequence[Copy]
) -> RecordingPrediction | None:
    """Sum of the copies with gains per channel and band; None if it is zero where hidden.

    The gains are fitted on either side of the span and interpolated in between.
    """
    target, mask = context.grid[:, frames], context.mask[:, frames]
    at = np.arange(frames.start, frames.stop)
    stack, edges = np.stack([c.atoms for c in copies]), band_edges(target.shape[2])
    is_gap = bool(mask[:, (at >= span.first) & (at < span.stop)].all())
    data = _Regression(
        target,
        (~mask).astype(np.float32),
        stack,
        edges,
        _blocks(at, span, is_gap),
        at < (span.first + span.stop) / 2,
    )
    fits = [_fit(data, w) for w in _fit_weights(context, span, at, is_gap)]
    fit = _Fit(
        np.stack([f.gains for f in fits]),
        np.stack([f.correlation for f in fits]),
        np.stack([f.sums for f in fits]),
    )
    if not _is_two_sided(context, span):  # no atoms beyond the span to validate a lag per band
        fit = _fill_quiet_bands(context.grid, edges, fit)
    shares = np.ones((1, len(at)))
    if len(fits) == 2:
        share = np.clip((at - span.first + 1) / (span.stop - span.first + 1), 0, 1)
        shares = np.stack([1 - share, share])
    band_of_bin = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    mean = np.zeros_like(target)
    for share, gains in zip(shares, fit.gains):
        for gain, atoms in zip(gains, stack):
            mean += (share[:, None] * gain[:, None, band_of_bin]).astype(np.float32) * atoms
    correlation = np.einsum("st,scb->ctb", shares, fit.correlation).astype(np.float32)
    mean *= _power_limit(data, mean, correlation)[..., band_of_bin]
    confidence = correlation[..., band_of_bin]
    confidence *= np.atleast_1d(np.stack([c.known for c in copies]).any(0))[:, None]
    if not (mean * mask).any():
        return None
    return RecordingPrediction(frames, mean, confidence, _sources(context.rate, copies, fit))


def _fit_weights(
    context: RecordingContext, span: HiddenSpan, at: np.ndarray, is_gap: bool
) -> np.ndarray:
    """Weights of frames in the fits: (2, t), near either edge, or (1, t), near both of them."""
    rate = context.rate / context.space.hop
    distance = np.stack([np.abs(at - (span.first - 1)), np.abs(at - span.stop)])
    weights = np.exp(-distance / (FIT_DECAY_SECONDS * rate))
    if (span.stop - span.first) / rate <= MIN_TWO_SIDED_SECONDS or not is_gap:
        return weights.max(0, keepdims=True)
    return weights


def _blocks(at: np.ndarray, span: HiddenSpan, is_gap: bool) -> np.ndarray:
    """Blocks of cross-validation of frames; beside a gap, no block lies on both of its sides."""
    if not is_gap:
        return (at - at[0]) // BLOCK_FRAMES
    before = (span.first - 1 - at) // BLOCK_FRAMES * 2
    after = (at - span.stop) // BLOCK_FRAMES * 2 + 1
    blocks = np.where(at < (span.first + span.stop) / 2, before, after)
    return np.unique(blocks, return_inverse=True)[1]


def _power_limit(data: _Regression, mean: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Factors (C, t, B) float32, at most 1, that limit the power of a prediction in every band.

    The power at any moment and the mean power are limited by those of the known atoms nearby. The
    limits rise with the correlation (C, t, B), so that loud notes can be copied with confidence.
    """
    first = data.edges[:-1]
    raised = 1 / np.maximum(1 - correlation**2, 1 / MAX_LIMIT_FACTOR)
    share = np.add.reduceat(data.known, first, axis=2) / np.diff(data.edges)
    is_known, hidden = share >= 0.5, share < 0.5
    power = np.add.reduceat(data.target**2 * data.known, first, axis=2)
    power = power / np.maximum(share, 0.5) * is_known
    count = is_known.sum(1, keepdims=True)
    peak_power = power.max(1, keepdims=True)
    mean_power = power.sum(1, keepdims=True) / np.maximum(count, 1)
    own = np.add.reduceat(mean**2, first, axis=2)
    factor = np.minimum(1, np.sqrt(MAX_PEAK_POWER * raised * peak_power / (own + 1e-20)))
    own_mean = (own * factor**2 * hidden).sum(1, keepdims=True)
    own_mean = own_mean / np.maximum(hidden.sum(1, keepdims=True), 1)
    limit = MAX_MEAN_POWER * raised * mean_power
    factor = factor * np.minimum(1, np.sqrt(limit / (own_mean + 1e-20)))
    return np.where(hidden & (count > 0), factor, 1).astype(np.float32)


def _fit(data: _Regression, weight: np.ndarray) -> _Fit:
    """Regression of all channels and bands, with weights (t,) of the frames."""
    copies, channels = data.copies.shape[:2]
    bands, frames = len(data.edges) - 1, np.arange(len(data.blocks))
    membership = np.zeros((data.blocks.max() + 1, len(frames)), np.float32)
    membership[data.blocks, frames] = weight
    before = np.array([data.before[data.blocks == n].any() for n in range(len(membership))])
    gains, correlation = np.zeros((copies, channels, bands)), np.zeros((channels, bands))
    sums = np.zeros((4, channels, bands))
    for c in range(channels):
        known = data.known[c]
        x, y = data.target[c] * known, data.copies[:, c] * known
        energy = _block_sums(membership, x * x, data.edges)
        cross = np.stack([_block_sums(membership, x * v, data.edges) for v in y])
        gram = np.zeros((copies, copies, *energy.shape))
        for i in range(copies):
            for j in range(i, copies):
                gram[i, j] = gram[j, i] = _block_sums(membership, y[i] * y[j], data.edges)
        gains[:, c], correlation[c] = _ridge(energy, cross, gram, before)
        count = _block_sums(membership, known, data.edges)
        sums[:, c] = energy.sum(0), cross[0].sum(0), gram[0, 0].sum(0), count.sum(0)
    return _Fit(gains, correlation, sums)


def _block_sums(membership: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums (N, B) over blocks, with weights (N, t), and bands of values (t, F)."""
    return np.add.reduceat(membership @ values, edges[:-1], axis=1)


def _fill_quiet_bands(grid: np.ndarray, edges: np.ndarray, fit: _Fit) -> _Fit:
    """Fits in which bands that are quiet around the span follow the other bands.

    Silence validates no lag: the quieter a band, relative to its mean over the recording, the more
    of its gain and correlation comes from the best copy in all bands, if that correlates enough.
    """
    energy, cross, copy_energy, count = np.moveaxis(fit.sums, 1, 0)
    weight = np.sqrt(energy)
    each = cross / np.sqrt(np.maximum(energy * copy_energy, 1e-30))
    overall = (each * weight).sum((1, 2)) / np.maximum(weight.sum((1, 2)), 1e-20)
    power = (grid[:, ::4] ** 2).mean(1)
    usual = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)
    relative = energy / np.maximum(count, 1e-9) / np.maximum(usual, 1e-20)
    quietness = np.exp(-np.minimum(relative / QUIET_POWER, 30))
    quietness *= (overall >= MIN_LEAD_CORRELATION)[:, None, None]
    lead = overall[:, None, None] * quietness
    best_copy = np.zeros_like(fit.gains)
    best_copy[:, 0] = lead
    return _Fit(
        fit.gains * (1 - quietness[:, None]) + best_copy,
        fit.correlation * (1 - quietness) + lead,
        fit.sums,
    )


def _ridge(
    energy: np.ndarray, cross: np.ndarray, gram: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ridge regression per band, shrunk by cross-validation over blocks. Shapes: N blocks.

    Parameters
    ----------
    energy : (N, B)
        Of the target.
    cross : (K, N, B)
        Products of the copies with the target.
    gram : (K, K, N, B)
        Products of the copies.
    before : (N,) bool
        Blocks before the middle of the span.

    Returns
    -------
    (K, B), (B,)
        Gains, and correlations of the predictions with the blocks left out.
    """
    total_cross, total_gram = cross.sum(1), gram.sum(2)
    # sums over the blocks on either side of the span, each block predicted from all others
    product, power, truth = (np.zeros((2, energy.shape[1])) for _ in range(3))
    for n in range(len(energy)):
        if not energy[n].any():
            continue
        gains = _solve(total_cross - cross[:, n], total_gram - gram[:, :, n])
        side = int(before[n])
        product[side] += (gains * cross[:, n]).sum(0)
        power[side] += np.einsum("ib,ijb,jb->b", gains, gram[:, :, n], gains)
        truth[side] += energy[n]
    correlation = np.clip(
        product.sum(0) / np.sqrt(np.maximum(power.sum(0) * truth.sum(0), 1e-30)), 0, 1
    )
    shrinkage = np.clip(product.sum(0) / np.maximum(power.sum(0), 1e-30), 0, 1)
    if (truth > 0).any(1).all():  # known on both sides: at most the mean of both correlations
        sides = np.clip(product / np.sqrt(np.maximum(power * truth, 1e-30)), 0, 1)
        overall, correlation = correlation, np.minimum(sides.sum(0) / 2, correlation)
        shrinkage = shrinkage * (correlation / np.maximum(overall, 1e-9))
    reliability = np.clip(
        (correlation - MIN_CORRELATION) / (FULL_CORRELATION - MIN_CORRELATION), 0, 1
    )
    gains = _solve(total_cross, total_gram) * shrinkage * reliability
    limit = np.minimum(1, MAX_GAIN / np.maximum(np.abs(gains).sum(0), 1e-12))
    return gains * limit, correlation * reliability


def _solve(cross: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Ridge regression gains (K, B) from products (K, B) with the target and (K, K, B)."""
    gram = np.moveaxis(gram, -1, 0)  # (B, K, K)
    mean = np.trace(gram, axis1=1, axis2=2) / len(cross)
    gram = gram + (RIDGE * mean + 1e-20)[:, None, None] * np.eye(len(cross))
    return np.linalg.solve(gram, np.moveaxis(cross, -1, 0)[..., None])[..., 0].T


def _sources(rate: int, copies: Sequence[Copy], fit: _Fit) -> list[CopySource]:
    """Sources of the copies, the largest gains first; the share of gains scales confidence."""
    total_gain = np.abs(fit.gains).sum(axis=(0, 2, 3))
    share = total_gain / max(total_gain.sum(), 1e-20)
    best = fit.correlation.max(0)
    correlation = float(best[best > 0].mean()) if (best > 0).any() else 0.0
    out = []
    for k in np.argsort(-total_gain):
        if share[k] < MIN_SOURCE_SHARE:
            continue
        for piece in copies[k].pieces:
            target = (piece.start / rate, piece.stop / rate)
            source = (target[0] + piece.lag / rate, target[1] + piece.lag / rate)
            confidence = float(correlation * share[k])
            out.append(CopySource(target, source, float(piece.lag), confidence))
    return out
