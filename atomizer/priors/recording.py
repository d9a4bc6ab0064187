"""What is missing, copied from elsewhere in the recording.

1. Lags: normalised cross-correlation of what is known around a hidden span with the whole recording, on a
   pre-emphasised, decimated mono mix, refined at the full rate. One lag holds for all channels.
2. A lag moves the waveform; the moved waveform, analysed on the grid, has the right signs: a copy.
3. Per channel and band, known atoms around the span say how much of each copy there is in the sound: a ridge
   regression over all copies, near the start and near the end of the span by themselves, its gain shrunk by
   cross-validation over blocks of time. What does not predict blocks that it was not fitted to is not believed.
4. Long spans are copied phrase by phrase: each goes on from where the one before it leads.

Search in a recording for what follows the same context: Perraudin, Holighaus, Majdak & Balazs 2018, "Inpainting
of long audio segments with similarity graphs"; here on waveforms, with gains per band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve, resample_poly

from .recording_context import (
    LEAST_KNOWN,
    NEAR,
    CopySource,
    HiddenSpan,
    RecordingContext,
    RecordingPrediction,
    mdct_frames,
    merge,
)

SEARCH_RATE = 11_025  # Hz, at least, of the signal that is searched
LONG_SEARCH = 300.0  # seconds of recording above which it is searched at half of that
EMPHASIS = 0.85
AROUND = 0.5  # seconds of context on either side of a hole that are looked for
BEFORE_END = 1.0  # seconds before what has no other side
COPIES = 8  # of a span, from as many lags
APART = 0.002  # seconds between two lags
BANDS = 24  # equally wide in octaves
LEAST = 0.3  # correlation below which a copy is nothing
RIDGE = 0.05  # of the mean energy of the copies
FITTED = 0.3  # seconds from an edge of a span at which a known atom counts 1/e in the fit
BLOCK = 6  # frames of a block of cross-validation
LEAD = 0.3  # correlation over all bands above which the best lag is believed in bands that are quiet around a span
QUIET = 1.0  # of a band's usual power: as quiet as that, it says little of a lag
MOST_GAIN = 1.5  # of all copies of a band together
MOST_PEAK, MOST_MEAN = (
    1.0,
    1.5,
)  # power of a copy over that of what is nearby, at any moment and in the mean, where it is unsure
EVEN = 3
LEAN = 1.0
CHAINS = 3  # of phrases, of a long span
PHRASE = 4.0  # seconds, the longest span that is copied in one piece
JOIN = 0.05  # seconds of a cross-fade between two phrases


@dataclass(frozen=True)
class Piece:
    """Samples start to end (excluded) of the target are those `lag` samples later in the recording."""

    start: int
    end: int
    lag: float


@dataclass(frozen=True)
class Copy:
    """A copy of all that is near a span.

    atoms  (C, t, F) float32; zero in frames of which the recording does not know the source
    known  (t,) bool
    """

    atoms: np.ndarray
    known: np.ndarray
    pieces: tuple[Piece, ...]


def predict(context: RecordingContext) -> RecordingPrediction | None:
    """What elsewhere in the recording follows, or precedes, the same context; None where nothing does."""
    if len(context.spans) == 0 or context.hidden_frames.mean() > 0.9:
        return None
    search = Search(context)
    found = [
        p for p in (_predict_span(context, span, search) for span in context.spans) if p is not None
    ]
    return merge(found)


def _predict_span(
    context: RecordingContext, span: HiddenSpan, search: Search
) -> RecordingPrediction | None:
    before, after = _known_beside(context, span)
    if max(before, after) < LEAST_KNOWN:
        return None
    start, end = span.reach(context.space.hop, context.samples.shape[1])
    if (end - start) / context.rate <= PHRASE:
        lags = search.lags(span, COPIES)
        paths = [(Piece(start, end, lag),) for lag in lags]
    else:
        paths = search.paths(span)
    frames = context.near(span)
    copies = [_copy(context, frames, path) for path in paths]
    if not copies:
        return None
    return _fit(context, span, frames, copies)


def _known_beside(context: RecordingContext, span: HiddenSpan) -> tuple[int, int]:
    """Frames before and after a span of which everything is known, at most NEAR."""
    before = context.hidden_frames[max(0, span.first - NEAR) : span.first][::-1]
    after = context.hidden_frames[span.last : span.last + NEAR]
    return tuple(int(np.argmax(np.append(side, True))) for side in (before, after))


# ---- copies


def _copy(context: RecordingContext, frames: slice, pieces: tuple[Piece, ...]) -> Copy:
    """The recording moved by the lags of `pieces`, on the grid's frames; the first and last go on to the ends of `frames`."""
    hop, length = context.space.hop, context.samples.shape[1]
    low, high = (frames.start - 1) * hop, frames.stop * hop
    fade = round(JOIN * context.rate)
    out = np.zeros((len(context.samples), high - low), np.float32)
    sure = np.zeros(high - low, np.float32)
    clear = ~_hidden_samples(context)
    for number, piece in enumerate(pieces):
        a = low if number == 0 else piece.start - fade
        b = high if number == len(pieces) - 1 else piece.end + fade
        a, b = max(a, low), min(b, high)
        weight = np.ones(b - a, np.float32)
        if number > 0:
            weight[: 2 * fade] = np.linspace(0, 1, 2 * fade)[: len(weight)]
        if number < len(pieces) - 1:
            weight[-2 * fade :] *= np.linspace(1, 0, 2 * fade)[-len(weight) :]
        source = moved(context.samples, a, b, piece.lag)
        whole = round(piece.lag)
        p, q = max(a, -whole), min(b, length - whole)
        there = np.zeros(b - a, np.float32)
        if p < q:
            there[p - a : q - a] = clear[p + whole : q + whole]
        out[:, a - low : b - low] += source * weight
        sure[a - low : b - low] += there * weight
    whole = (sure > 0.999).reshape(-1, hop).all(1)
    known = whole[:-1] & whole[1:]
    return Copy(mdct_frames(out, low, frames, context.space) * known[:, None], known, pieces)


def moved(samples: np.ndarray, start: int, end: int, lag: float, pad: int = 32) -> np.ndarray:
    """(C, end - start) samples of (C, n) from start + lag on; the fraction of a lag by a windowed sinc; zero outside."""
    whole = int(np.floor(lag))
    fraction = lag - whole
    if min(fraction, 1 - fraction) < 0.02:
        whole, fraction, pad = round(lag), 0.0, 0
    piece = np.zeros((len(samples), end - start + 2 * pad), np.float32)
    low, high = start + whole - pad, end + whole + pad
    a, b = max(low, 0), min(high, samples.shape[1])
    if a < b:
        piece[:, a - low : b - low] = samples[:, a:b]
    if not pad:
        return piece
    # y[n] = sum_m x[n + m] sinc(m - fraction)
    at = np.arange(-pad, pad + 1) - fraction
    kernel = (np.sinc(at) * np.cos(np.pi * at / (2 * pad + 2)) ** 2).astype(np.float32)
    return oaconvolve(piece, kernel[None, ::-1], "valid", axes=1)


def _hidden_samples(context: RecordingContext) -> np.ndarray:
    """(n,) bool: samples that a hidden atom's window covers."""
    hop, n = context.space.hop, context.samples.shape[1]
    hidden = context.hidden_frames
    blocks = hidden[:-1] | hidden[1:]  # block m of samples lies under frames m and m + 1
    return np.repeat(blocks, hop)[:n]


# ---- search


class Search:
    """Normalised cross-correlation of contexts with a whole recording."""

    def __init__(self, context: RecordingContext):
        self.context = context
        rate, n = context.rate, context.samples.shape[1]
        least = SEARCH_RATE if n / rate <= LONG_SEARCH else SEARCH_RATE / 2
        self.step = max(1, int(rate // least))
        self.weights = _principal(context)
        hidden = _hidden_samples(context)
        self.hidden_before = np.concatenate(
            [[0], np.cumsum(hidden)]
        )  # hidden samples before each sample
        self.signal = self._mono(0, n)
        self.low = self._decimated(self.signal)

    def _mono(self, start: int, end: int) -> np.ndarray:
        x = self.weights @ self.context.samples[:, start:end]
        x[1:] -= EMPHASIS * x[:-1].copy()
        return x

    def _decimated(self, x: np.ndarray) -> np.ndarray:
        return x if self.step == 1 else resample_poly(x, 1, self.step).astype(np.float32)

    def views(self, span: HiddenSpan) -> list[tuple[np.ndarray, bool]]:
        """Decimated signals that are looked for, and whether each is hidden during the span."""
        bins = np.flatnonzero(self.context.mask[:, span.first : span.last].any(axis=(0, 1)))
        count = self.context.mask.shape[2]
        if bins[0] <= 1 and bins[-1] >= 0.6 * count:
            return [(self.low, True)]
        spectrum = np.fft.rfft(self.low)
        hertz = np.linspace(0, self.context.rate / 2 / self.step, len(spectrum))
        bin_hz = self.context.rate / 2 / count
        band = (hertz >= bins[0] * bin_hz) & (hertz <= (bins[-1] + 1) * bin_hz)
        inner = np.fft.irfft(spectrum * band, len(self.low)).astype(np.float32)
        return [(inner, True), (self.low - inner, False)]

    def lags(self, span: HiddenSpan, count: int) -> list[float]:
        """The lags in samples whose surroundings match those of a span best, best first."""
        context, step = self.context, self.step
        hop, rate, n = context.space.hop, context.rate, context.samples.shape[1]
        start, end = span.reach(hop, n)
        before, after = _known_beside(context, span)
        two_sided = min(before, after) >= LEAST_KNOWN
        around = AROUND if two_sided else BEFORE_END
        first, last = max(0, start - round(around * rate)), min(n, end + round(around * rate))
        views = [(signal, hidden, signal) for signal, hidden in self.views(span)]
        ranked = self.ranked(views, start, end, first, last, not two_sided, count)
        return [self.refined(span, lag) for lag in ranked]

    def ranked(
        self, views, start: int, end: int, first: int, last: int, tapered: bool, count: int
    ) -> list[int]:
        """Lags of samples start to end, those whose context from sample first to last matches best first.

        views    (signal that is searched, whether it is hidden from start to end, signal that is looked for), decimated
        tapered  whether context counts the less, the further it is away
        """
        step, rate = self.step, self.context.rate
        low, high, a, b = first // step, last // step, start // step, -(-end // step)
        total = np.zeros(len(self.low) + high - low - 1)
        for signal, hidden, wanted in views:
            weight = np.ones(high - low, np.float32)
            if tapered:
                at = np.arange(low, high)
                away = np.maximum(0, np.maximum(a - at, at - b))
                weight = np.maximum(0, 1 - away / (BEFORE_END * rate / step)).astype(np.float32)
            if hidden:
                weight[a - low : b - low] = 0
            total += normalised_correlation(signal, wanted[low:high], weight) / len(views)
        # at index k the context starts at sample k - (high - low) + 1
        lag = (np.arange(len(total)) - (high - low) + 1 - low) * step
        total = np.where(self.clear(start, end, lag), total, -1)
        found, apart = [], max(1, round(APART * rate / step))
        for _ in range(count):
            k = int(total.argmax())
            if total[k] <= 0:
                break
            found.append(int(lag[k]))
            total[max(0, k - apart) : k + apart + 1] = -1
        return found

    def clear(self, start: int, end: int, lag: np.ndarray) -> np.ndarray:
        """Whether the recording knows all of the source of samples start to end at every lag."""
        n = len(self.hidden_before) - 1
        a, b = start + lag, end + lag
        inside = (a >= 0) & (b <= n)
        return inside & (
            self.hidden_before[np.clip(b, 0, n)] == self.hidden_before[np.clip(a, 0, n)]
        )

    def refined(self, span: HiddenSpan, lag: int) -> float:
        """A lag to a fraction of a sample: the peak of the correlation at the full rate, by a parabola."""
        context, n = self.context, self.context.samples.shape[1]
        start, end = span.reach(context.space.hop, n)
        reach, more = round(0.4 * context.rate), self.step + 2
        sides = [(max(0, start - reach), start), (end, min(n, end + reach))]
        lags = np.arange(lag - more, lag + more + 1)
        cross, energy = np.zeros(len(lags)), np.zeros(len(lags))
        for a, b in sides:
            a, b = max(a, more - lag, 0), min(b, n - lag - more)
            if b - a < 16:
                continue
            target, source = self.signal[a:b], self.signal[a + lags[0] : b + lags[-1]]
            pieces = np.lib.stride_tricks.sliding_window_view(source, b - a)
            cross += pieces @ target
            squares = np.concatenate([[0], np.cumsum(source.astype(np.float64) ** 2)])
            energy += squares[b - a :] - squares[: len(squares) - (b - a)]
        score = cross / np.sqrt(np.maximum(energy, 1e-12))
        k = int(score.argmax())
        if not 0 < k < len(lags) - 1:
            return float(lags[k])
        left, top, right = score[k - 1 : k + 2]
        curve = left - 2 * top + right
        return float(lags[k] + (0.5 * (left - right) / curve if curve < 0 else 0))

    def paths(self, span: HiddenSpan, count: int = CHAINS) -> list[tuple[Piece, ...]]:
        """Phrases of a long span, one after the other, from its start or, where only what follows is known, from its end.

        A phrase goes on with the lag of the one before it while the recording lasts; then it takes the lag whose
        surroundings match what was copied last. The last phrase is to match what follows the span too.
        """
        n = self.context.samples.shape[1]
        start, end = span.reach(self.context.space.hop, n)
        parts = -(-(end - start) // round(PHRASE * self.context.rate))
        edges = np.linspace(start, end, parts + 1).round().astype(int)
        phrases = [(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:])]
        before, after = _known_beside(self.context, span)
        if before < LEAST_KNOWN:
            phrases = phrases[::-1]
        views = self.views(span)
        found = [
            self._path(phrases, views, turn, min(before, after) >= LEAST_KNOWN)
            for turn in range(count)
        ]
        return [tuple(sorted(path, key=lambda p: p.start)) for path in found if path]

    def _path(
        self, phrases: list[tuple[int, int]], views, turn: int, two_sided: bool
    ) -> list[Piece]:
        """Pieces of one chain, the one that starts with the best lag but `turn`; empty where the recording holds none."""
        n, step, rate = self.context.samples.shape[1], self.step, self.context.rate
        filled = [signal.copy() for signal, _ in views]
        forward = phrases[0][0] <= phrases[-1][0]
        pieces: list[Piece] = []
        for number, (a, b) in enumerate(phrases):
            lag = pieces[-1].lag if pieces else None
            if lag is None or not self.clear(a, b, np.array([int(lag)]))[0]:
                more, last = round(BEFORE_END * rate), two_sided and number == len(phrases) - 1
                low = max(0, a - more) if forward or last else a
                high = min(n, b + more) if not forward or last else b
                wanted = [
                    (signal, hidden, looked) for (signal, hidden), looked in zip(views, filled)
                ]
                lags = self.ranked(wanted, a, b, low, high, True, turn + 1 if number == 0 else 1)
                if len(lags) <= (turn if number == 0 else 0):
                    return []
                lag = lags[-1]
            pieces.append(Piece(a, b, float(lag)))
            p, q, shift = a // step, b // step, int(lag) // step
            for looked, (signal, hidden) in zip(filled, views):
                if hidden:
                    source = signal[max(0, p + shift) : q + shift]
                    looked[p : p + len(source)] = source
        return pieces


def normalised_correlation(signal: np.ndarray, part: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(n + m - 1,) correlation of `part` (m,) with `signal` (n,) at every place, also past the ends of the signal.

    weight (m,) of the samples of the part. Index k is the place where the part ends on sample k.
    """
    cross = oaconvolve(signal, (part * weight)[::-1])
    energy = oaconvolve(signal * signal, weight[::-1])
    own = float((part * part * weight).sum())
    quiet = 1e-4 * float(np.mean(signal.astype(np.float64) ** 2)) * float(weight.sum())
    return cross / np.sqrt(np.maximum(energy, quiet + 1e-20) * max(own, quiet + 1e-20))


def _principal(context: RecordingContext) -> np.ndarray:
    """(C,) float32 weights of the mix with the most energy of all; opposite channels do not cancel in it."""
    x = context.samples[:, :: max(1, context.samples.shape[1] // 200_000)].astype(np.float64)
    if len(x) == 1:
        return np.ones(1, np.float32)
    _, vectors = np.linalg.eigh(x @ x.T)
    v = vectors[:, -1]
    return (v * np.sign(v.sum() or 1)).astype(np.float32)


# ---- gains


def band_edges(bins: int, count: int = BANDS) -> np.ndarray:
    """First bins of bands that are equally wide in octaves, and the bin after the last."""
    return np.concatenate(
        [[0], np.unique(np.round(np.geomspace(min(4, bins), bins, count)).astype(int))]
    )


def _fit(
    context: RecordingContext, span: HiddenSpan, frames: slice, copies: list[Copy]
) -> RecordingPrediction | None:
    """The copies' weighted sum per channel and band, weights fitted on either side and interpolated in between."""
    target, mask = context.grid[:, frames], context.mask[:, frames]
    stack, there = np.stack([c.atoms for c in copies]), np.stack([c.known for c in copies])
    edges = band_edges(target.shape[2])
    at = np.arange(frames.start, frames.stop)
    rate = context.rate / context.space.hop
    away = np.stack(
        [np.abs(at - (span.first - 1)), np.abs(at - span.last)]
    )  # frames from either edge
    inside = (at >= span.first) & (at < span.last)
    weights = np.exp(-away / (FITTED * rate))
    if (span.last - span.first) / rate <= 0.7 or not mask[:, inside].all():
        weights = weights.max(0, keepdims=True)  # one fit for both sides
    # blocks of cross-validation, counted from the edges of the span, so that none of them lies on both sides
    middle = (span.first + span.last) / 2
    blocks = np.where(
        at < middle, (span.first - 1 - at) // BLOCK * 2, (at - span.last) // BLOCK * 2 + 1
    )
    blocks = (
        np.unique(blocks, return_inverse=True)[1]
        if mask[:, inside].all()
        else (at - at[0]) // BLOCK
    )
    sides = [_side(target, mask, stack, w, edges, blocks, at < middle) for w in weights]
    sides = [s for s in sides if s is not None]
    if not sides:
        return None
    gains, rho = (
        np.stack([s[0] for s in sides]),
        np.stack([s[1] for s in sides]),
    )  # (sides, K, C, B), (sides, C, B)
    if (
        min(_known_beside(context, span)) < LEAST_KNOWN
    ):  # nothing beyond the span confirms a lag band by band
        gains, rho = _with_lead(context, edges, gains, rho, np.stack([s[2] for s in sides]))
    if len(sides) == 2:
        share = np.clip((at - span.first + 1) / (span.last - span.first + 1), 0, 1)
        shares = np.stack([1 - share, share])
    else:
        shares = np.ones((1, len(at)))
    spread = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
    mean = np.zeros_like(target)
    for s in range(len(sides)):
        for k in range(len(copies)):
            mean += (shares[s][:, None] * gains[s, k][:, None, spread]).astype(np.float32) * stack[
                k
            ]
    confidence = np.einsum("st,scb->ctb", shares, rho).astype(np.float32)
    mean *= _allowed(target, mask, mean, edges, confidence)[..., spread]
    confidence = confidence[..., spread]
    confidence *= there.any(0)[:, None]
    if not (mean * mask).any():
        return None
    return RecordingPrediction(frames, mean, confidence, _sources(context, copies, gains, rho))


def _allowed(target, mask, mean, edges, rho):
    """(C, t, B) float32 factors, at most 1: no band of a copy is much louder than it is nearby, at any moment and in the mean.

    rho (C, t, B) says how much louder it may be: a note that only the copy knows is as loud as the copy is sure.
    """
    earned = 1 / np.maximum(1 - rho**2, 0.01)
    known = (~mask).astype(np.float32)
    share = np.add.reduceat(known, edges[:-1], axis=2) / np.diff(edges)
    power = (
        np.add.reduceat(target**2 * known, edges[:-1], axis=2)
        / np.maximum(share, 0.5)
        * (share >= 0.5)
    )
    count = (share >= 0.5).sum(1, keepdims=True)
    highest, usual = power.max(1, keepdims=True), power.sum(1, keepdims=True) / np.maximum(count, 1)
    own = np.add.reduceat(mean**2, edges[:-1], axis=2)
    hidden = share < 0.5
    factor = np.minimum(1, np.sqrt(MOST_PEAK * earned * highest / (own + 1e-20)))
    total = (own * factor**2 * hidden).sum(1, keepdims=True) / np.maximum(
        hidden.sum(1, keepdims=True), 1
    )
    factor = factor * np.minimum(1, np.sqrt(MOST_MEAN * earned * usual / (total + 1e-20)))
    return np.where(hidden & (count > 0), factor, 1).astype(np.float32)


def _side(target, mask, stack, weight, edges, blocks, early):
    """Gains (K, C, B) and cross-validated correlations (C, B) of one fit; None where nothing is known."""
    copies, channels, _, bins = stack.shape
    membership = np.zeros((blocks.max() + 1, len(blocks)), np.float32)
    membership[blocks, np.arange(len(blocks))] = weight
    early = np.array([early[blocks == n].any() for n in range(len(membership))])
    if not weight.any():
        return None
    bands = len(edges) - 1
    gains, rho, lead = (
        np.zeros((copies, channels, bands)),
        np.zeros((channels, bands)),
        np.zeros((4, channels, bands)),
    )
    for c in range(channels):
        known = (~mask[c]).astype(np.float32)
        x = target[c] * known
        y = stack[:, c] * known

        def sums(product):
            return np.add.reduceat(membership @ product, edges[:-1], axis=1)  # (blocks, bands)

        energy = sums(x * x)
        cross = np.stack([sums(x * v) for v in y])
        gram = np.zeros((copies, copies, *energy.shape))
        for i in range(copies):
            for j in range(i, copies):
                gram[i, j] = gram[j, i] = sums(y[i] * y[j])
        gains[:, c], rho[c] = _ridge(energy, cross, gram, early)
        lead[:, c] = energy.sum(0), cross[0].sum(0), gram[0, 0].sum(0), sums(known).sum(0)
    return gains, rho, lead


def _with_lead(context, edges, gains, rho, lead):
    """Gains and correlations, those of bands that are unusually quiet around the span drawn to what all bands say of the best lag.

    gains (S, K, C, B), rho (S, C, B) of S fits; lead (S, 4, C, B) energies of the target, products with the first copy, energies of that, and
    numbers of atoms. What is silent where it can be compared says nothing of a lag that the rest agrees on.
    """
    energy, cross, own, count = np.moveaxis(lead, 1, 0)
    weight = np.sqrt(energy)
    each = cross / np.sqrt(np.maximum(energy * own, 1e-30))
    whole = (each * weight).sum((1, 2)) / np.maximum(weight.sum((1, 2)), 1e-20)
    every = context.grid[:, ::4]
    usual = np.add.reduceat((every**2).mean(1), edges[:-1], axis=1) / np.diff(edges)
    heard = energy / np.maximum(count, 1e-9) / np.maximum(usual, 1e-20)
    doubt = np.exp(-np.minimum(heard / QUIET, 30)) * (whole >= LEAD)[:, None, None]
    share = whole[:, None, None] * doubt
    first = np.zeros_like(gains)
    first[:, 0] = share
    return gains * (1 - doubt[:, None]) + first, rho * (1 - doubt) + share


def _ridge(
    energy: np.ndarray, cross: np.ndarray, gram: np.ndarray, early: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gains (K, B) of a ridge regression, shrunk by cross-validation over blocks, and the correlations (B,) that it earned.

    energy (N, B) of the target per block, cross (K, N, B) with the copies, gram (K, K, N, B) of the copies
    """
    blocks = energy.shape[0]

    def solve(c, g):
        g = np.moveaxis(g, -1, 0)  # (B, K, K)
        mean = np.trace(g, axis1=1, axis2=2) / len(c)
        g = g + (RIDGE * mean + 1e-20)[:, None, None] * np.eye(len(c))
        return np.linalg.solve(g, np.moveaxis(c, -1, 0)[..., None])[..., 0].T  # (K, B)

    total_c, total_g = cross.sum(1), gram.sum(2)
    got, power, truth = (np.zeros((2, energy.shape[1])) for _ in range(3))
    for n in range(blocks):
        if not energy[n].any():
            continue
        g = solve(total_c - cross[:, n], total_g - gram[:, :, n])
        side = int(early[n])
        got[side] += (g * cross[:, n]).sum(0)
        power[side] += np.einsum("ib,ijb,jb->b", g, gram[:, :, n], g)
        truth[side] += energy[n]
    whole = np.clip(got.sum(0) / np.sqrt(np.maximum(power.sum(0) * truth.sum(0), 1e-30)), 0, 1)
    shrink = np.clip(got.sum(0) / np.maximum(power.sum(0), 1e-30), 0, 1)
    each = np.clip(got / np.sqrt(np.maximum(power * truth, 1e-30)), 0, 1)
    rho = whole
    if EVEN and (truth > 0).any(1).all():
        rho = (
            each.min(0) if EVEN == 2 else np.sqrt(each.prod(0)) if EVEN == 1 else (each.sum(0) / 2)
        )
        rho = np.minimum(rho, whole)
        shrink = shrink * (rho / np.maximum(whole, 1e-9)) ** LEAN
    trusted = rho >= LEAST
    gains = solve(total_c, total_g) * shrink * trusted
    return gains * np.minimum(1, MOST_GAIN / np.maximum(np.abs(gains).sum(0), 1e-12)), rho * trusted


def _sources(context, copies, gains, rho):
    """The copies that are heard: target and source spans in seconds, lag in samples, and how much of the prediction each is."""
    heard = np.abs(gains).sum(axis=(0, 2, 3))
    share = heard / max(heard.sum(), 1e-20)
    sure = rho.max(0)
    sure = float(sure[sure > 0].mean()) if (sure > 0).any() else 0.0
    out = []
    for k in np.argsort(-heard):
        if share[k] < 0.02:
            continue
        for p in copies[k].pieces:
            r = context.rate
            span = (p.start / r, p.end / r)
            out.append(
                CopySource(
                    span,
                    (span[0] + p.lag / r, span[1] + p.lag / r),
                    float(p.lag),
                    float(sure * share[k]),
                )
            )
    return out
