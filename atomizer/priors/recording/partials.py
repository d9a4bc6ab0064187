"""Partials that continue through a hidden span: tracked on both sides, paired and joined in phase.

1. Peaks of short-time spectra (`WINDOW_HOPS` hops per window, one hop per frame) beside a hidden
   span are tracked away from it; frequency by a parabola and by the advance of the phase.
2. The jitter of a track is the variance of its phase, predicted over the length of a window: large
   for noise, small for a steady partial.
3. Tracks of both sides are paired by frequency and level (`PAIR_CENTS`, `PAIR_DB`). Between them
   the phase is the smoothest cubic polynomial with the phases and frequencies of both ends, and the
   level is linear in dB. The confidence falls with the jitter and with the mismatch between the
   phases and the mean frequency. Tracks without a partner are dropped.

McAulay & Quatieri 1986, "Speech analysis/synthesis based on a sinusoidal representation", eqs. 34
to 37; Lagrange, Marchand & Rault 2005, on gaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .context import (
    HiddenSpan,
    RecordingContext,
    RecordingPrediction,
    mdct_frames,
    merge,
)

DB_PER_NEPER = 20 / np.log(10)
WINDOW_HOPS = 8  # hops per analysis window
MAX_TRACK_FRAMES = 20  # on either side
MIN_TRACK_FRAMES = WINDOW_HOPS + 1  # so that the first and the last window share no samples
MAX_PARTIALS = 48  # per channel and side
MAX_SPAN_SECONDS = 1.2
RANGE_DB = 66.0  # of peaks, below the loudest one
PROMINENCE_DB = 9.0  # of peaks, above the mean level of the bins around
PROMINENCE_BINS = 16  # of that mean, on either side
PAIR_CENTS, PAIR_DB = 40.0, 12.0  # largest steps between partners, and between frames of a track
LEVEL_COST = 0.3  # of a step in level against one in frequency, in the choice of a partner
MIN_CONFIDENCE = 0.3
UNKNOWN_JITTER = 1.0  # of tracks too short to measure it
JITTER_WEIGHT = 0.1
PHASE_TOLERANCE = 1.2  # radians, standard deviation of the phase mismatch of partners
EDGE_SECONDS = 0.03  # in which the gain falls from 1 at the edge of a span to the confidence


@dataclass(frozen=True)
class Track:
    """A partial on one side of a span; knots ordered from the span outwards, arrays (k,).

    time    centres of the windows, in samples of the recording
    phase   radians at these centres
    omega   frequency, radians per sample
    level   log of the amplitude, in nepers
    jitter  variance of the phase as predicted over the length of a window, square radians
    """

    time: np.ndarray
    phase: np.ndarray
    omega: np.ndarray
    level: np.ndarray
    jitter: float


@dataclass(frozen=True)
class Partial:
    """Two tracks joined across a span; knots (k,) in the order of time, units as in `Track`."""

    time: np.ndarray
    phase: np.ndarray
    omega: np.ndarray
    level: np.ndarray
    confidence: float


@dataclass(frozen=True)
class _Spectra:
    """Short-time spectra of n frames, ordered from the span outwards.

    values   (n, size / 2 + 1) complex, phases relative to the centres of the windows
    level    (n, size / 2 + 1) nepers
    peaks    bins of the peaks, one array per frame
    centres  (n,) of the windows, in samples of the recording
    size     samples per window
    """

    values: np.ndarray
    level: np.ndarray
    peaks: list[np.ndarray]
    centres: np.ndarray
    size: int


class PartialsPrior:
    """Joins partials across hidden spans of at most `MAX_SPAN_SECONDS`."""

    name = "partials"

    def predict(self, context: RecordingContext) -> RecordingPrediction | None:
        """Partials through the hidden spans; None where no tracks can be paired."""
        found = []
        for span in context.spans:
            if (span.stop - span.first) * context.space.hop <= MAX_SPAN_SECONDS * context.rate:
                prediction = _predict_span(context, span)
                if prediction is not None:
                    found.append(prediction)
        return merge(found)


def _predict_span(context: RecordingContext, span: HiddenSpan) -> RecordingPrediction | None:
    frames, hop, space = context.frames_around(span), context.space.hop, context.space
    low, high = (frames.start - 1) * hop, frames.stop * hop
    start, stop = span.sample_range(hop, context.samples.shape[1])
    before, after = context.known_frames_beside(span)
    samples = np.zeros((len(context.samples), high - low), np.float32)
    confidence = np.zeros((len(samples), frames.stop - frames.start, space.bins), np.float32)
    hidden = context.mask[:, frames]
    for channel in np.flatnonzero(hidden.any(axis=(1, 2))):
        x = context.samples[channel]
        left, right = _tracks(x, start, -1, before, hop), _tracks(x, stop, 1, after, hop)
        hidden_bins = hidden[channel].any(0)
        for partial in _join(left, right, hop):
            centre = int(np.mean(partial.omega) / np.pi * space.bins)
            if not hidden_bins[max(0, centre - 2) : centre + 3].any():
                continue
            _add_partial(samples[channel], low, partial, (start, stop), context.rate)
            lobe = confidence[channel, :, max(0, centre - 3) : centre + 4]
            np.maximum(lobe, partial.confidence, out=lobe)
    if not samples.any():
        return None
    atoms = mdct_frames(samples, low, frames, space)
    if not hidden.all(axis=2).any():  # a box: bins without hidden atoms stay as they are
        atoms = atoms * hidden.any(axis=1, keepdims=True).astype(np.float32)
    return RecordingPrediction(frames, atoms, confidence * (atoms != 0))


# ---- analysis


def _tracks(x: np.ndarray, edge: int, side: int, known_frames: int, hop: int) -> list[Track]:
    """Tracks that touch sample `edge` of x (n,) from before (side -1) or after (side 1) it."""
    size = WINDOW_HOPS * hop
    count = max(0, min(MAX_TRACK_FRAMES, (known_frames - 1) - WINDOW_HOPS + 1))
    starts = edge - size - hop * np.arange(count) if side < 0 else edge + hop * np.arange(count)
    starts = starts[(starts >= 0) & (starts + size <= len(x))]
    if len(starts) < 2:
        return []
    spectra = _short_time_spectra(x, starts, size)
    first, level = spectra.peaks[0], spectra.level[0]
    loudest = first[np.argsort(-level[first])][:MAX_PARTIALS]
    tracks = (_follow(int(k), spectra) for k in loudest)
    return [track for track in tracks if track is not None]


def _short_time_spectra(x: np.ndarray, starts: np.ndarray, size: int) -> _Spectra:
    window = np.hanning(size + 1)[:-1]
    pieces = np.stack([x[s : s + size] for s in starts]) * window
    values = np.fft.rfft(np.roll(pieces, -size // 2, axis=1), axis=1) * (2 / window.sum())
    level = np.log(np.abs(values) + 1e-12)
    return _Spectra(values, level, [_peaks(row) for row in level], starts + size // 2, size)


def _peaks(level: np.ndarray) -> np.ndarray:
    """Bins of the prominent local maxima of a spectrum's level (nepers)."""
    inner = level[2:-2]
    left = (inner > level[1:-3]) & (inner > level[:-4])
    right = (inner >= level[3:-1]) & (inner > level[4:])
    bins = np.flatnonzero(left & right) + 2
    bins = bins[level[bins] > level.max() - RANGE_DB / DB_PER_NEPER]
    width = 2 * PROMINENCE_BINS + 1
    mean = np.convolve(np.pad(level, PROMINENCE_BINS, mode="edge"), np.ones(width) / width, "valid")
    return bins[level[bins] > mean[bins] + PROMINENCE_DB / DB_PER_NEPER]


def _parabola(level: np.ndarray, k: int) -> tuple[float, float]:
    """Position in bins and height of the peak at bin k (Smith & Serra 1987)."""
    a, b, c = level[k - 1 : k + 2]
    curve = a - 2 * b + c
    shift = 0.5 * (a - c) / curve if curve < 0 else 0.0
    return k + shift, b - 0.25 * (a - c) * shift


def _follow(k: int, spectra: _Spectra) -> Track | None:
    """The track that starts at peak k of the first frame; None if it is too short."""
    position, height = _parabola(spectra.level[0], k)
    bins, heights = [position], [height]
    phases = [float(np.angle(spectra.values[0, k]))]
    for level, values, peaks in zip(spectra.level[1:], spectra.values[1:], spectra.peaks[1:]):
        if not len(peaks):
            break
        nearest = peaks[np.abs(peaks - position).argmin()]
        next_position, next_height = _parabola(level, nearest)
        max_step = max(0.75, position * (2 ** (PAIR_CENTS / 1200) - 1))
        if (
            abs(next_position - position) > max_step
            or abs(next_height - height) > PAIR_DB / DB_PER_NEPER
        ):
            break
        position, height = next_position, next_height
        bins.append(position)
        heights.append(height)
        phases.append(float(np.angle(values[nearest])))
    if len(bins) < max(3, min(MIN_TRACK_FRAMES, len(spectra.level))):
        return None
    time, phase = spectra.centres[: len(bins)].astype(np.float64), np.array(phases)
    omega = _frequency(time, phase, np.array(bins) * 2 * np.pi / spectra.size)
    return Track(time, phase, omega, np.array(heights), _jitter(time, phase, omega))


def _frequency(time: np.ndarray, phase: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """Frequencies (k,) at the knots from the advance of the phase, unwrapped by rough ones."""
    step = np.diff(time)
    turn = 0.5 * (rough[1:] + rough[:-1]) * step
    advance = (turn + _wrap(np.diff(phase) - turn)) / step  # mean frequency between two knots
    omega = np.concatenate([advance[:1], 0.5 * (advance[1:] + advance[:-1]), advance[-1:]])
    extrapolated = 1.5 * advance[0] - 0.5 * advance[1]
    omega[0] = extrapolated if len(advance) < 4 else advance[:2].mean()
    return omega


def _jitter(time: np.ndarray, phase: np.ndarray, omega: np.ndarray) -> float:
    """Mean square error of the phase, predicted over the length of a window, square radians."""
    if len(time) <= WINDOW_HOPS:
        return UNKNOWN_JITTER
    far, near = slice(WINDOW_HOPS, None), slice(0, len(time) - WINDOW_HOPS)
    predicted = phase[far] + 0.5 * (omega[far] + omega[near]) * (time[near] - time[far])
    return float(np.mean(_wrap(phase[near] - predicted) ** 2))


def _wrap(angle: np.ndarray) -> np.ndarray:
    """Angles in -pi to pi."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


# ---- pairs


def _join(left: list[Track], right: list[Track], hop: int) -> Iterator[Partial]:
    """Partials from the tracks of both sides that can be paired with enough confidence."""
    free = list(range(len(right)))
    for a in left:
        best, cost = None, 1.0
        for n in free:
            distance = _pair_distance(a, right[n])
            if distance < cost:
                best, cost = n, distance
        if best is None:
            continue
        free.remove(best)
        b = right[best]
        confidence = _confidence(a, b, hop)
        if confidence >= MIN_CONFIDENCE:
            yield Partial(
                np.concatenate([a.time[::-1], b.time]),
                np.concatenate([a.phase[::-1], b.phase]),
                np.concatenate([a.omega[::-1], b.omega]),
                np.concatenate([a.level[::-1], b.level]),
                confidence,
            )


def _pair_distance(a: Track, b: Track) -> float:
    """Distance of two tracks in frequency and level, below 1 for possible partners."""
    if a.omega[0] <= 0 or b.omega[0] <= 0:
        return np.inf
    cents = abs(1200 * np.log2(b.omega[0] / a.omega[0])) / PAIR_CENTS
    levels = abs(b.level[0] - a.level[0]) * DB_PER_NEPER / PAIR_DB
    return cents + LEVEL_COST * levels if cents < 1 and levels < 1 else np.inf


def _confidence(a: Track, b: Track, hop: int) -> float:
    """Reliability of the phase between two tracks, 0 to 1."""
    time = b.time[0] - a.time[0]
    turns = (a.phase[0] + 0.5 * (a.omega[0] + b.omega[0]) * time - b.phase[0]) / (2 * np.pi)
    mismatch = 2 * np.pi * (turns - np.round(turns))
    variance = 0.5 * (a.jitter + b.jitter) * (time / (WINDOW_HOPS * hop)) ** 2 * JITTER_WEIGHT
    return float(
        np.exp(-0.5 * min(variance, 20.0)) * np.exp(-0.5 * (mismatch / PHASE_TOLERANCE) ** 2)
    )


# ---- synthesis


def _add_partial(
    out: np.ndarray, low: int, partial: Partial, span: tuple[int, int], rate: int
) -> None:
    """Add a partial to samples.

    out   (m,) samples, changed in place
    low   place of the first of them in the recording
    span  first sample of the hidden span, and the one after the last
    rate  samples per second
    """
    time = partial.time
    margin = (time[1] - time[0]) * WINDOW_HOPS / 2  # half a window beyond the outer knots
    first, stop = max(low, int(time[0] - margin)), min(low + len(out), int(time[-1] + margin))
    at = np.arange(first, stop, dtype=np.float64)
    phase, level = _phase(partial, at), np.interp(at, time, partial.level)
    inside = np.minimum(at - span[0], span[1] - at).clip(min=0)
    confidence = partial.confidence
    gain = confidence + (1 - confidence) * np.exp(-inside / (EDGE_SECONDS * rate))
    fade = np.clip(np.minimum(at - first, stop - 1 - at) / max(margin, 1), 0, 1)
    out[first - low : stop - low] += (np.exp(level) * np.cos(phase) * gain * fade).astype(
        np.float32
    )


def _phase(partial: Partial, at: np.ndarray) -> np.ndarray:
    """Phase at samples `at`: cubic between the knots, of constant frequency beyond them."""
    k = np.clip(np.searchsorted(partial.time, at, side="right") - 1, 0, len(partial.time) - 2)
    step = np.diff(partial.time)
    w0, w1, p0, p1 = partial.omega[:-1], partial.omega[1:], partial.phase[:-1], partial.phase[1:]
    turns = np.round((p0 + 0.5 * (w0 + w1) * step - p1) / (2 * np.pi))
    gap = p1 - p0 - w0 * step + 2 * np.pi * turns
    alpha = 3 / step**2 * gap - (w1 - w0) / step
    beta = -2 / step**3 * gap + (w1 - w0) / step**2
    t = at - partial.time[k]
    inner = np.clip(t, 0, step[k])
    phase = p0[k] + w0[k] * inner + alpha[k] * inner**2 + beta[k] * inner**3
    before = np.where(t < 0, partial.omega[0] * t, 0)
    after = np.where(t > step[k], partial.omega[-1] * (t - step[k]), 0)
    return phase + (before + after)
