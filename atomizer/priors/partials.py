"""Partials that go on through what is missing: tracked on both sides, paired, joined by a phase that fits both.

1. Peaks of short-time spectra (8 hops per window, a step per hop) that touch the hidden span from either side,
   frequency by a parabola and by the advance of phase, are tracked away from it.
2. A track is believed as far as its own phase was predictable from one window to the next: noise is not.
3. Tracks of both sides are paired (40 cents, 12 dB); between them the phase is a cubic polynomial that has the
   phases and frequencies of both ends and bends least, the level is linear in dB. The more whole turns the two
   frequencies leave open, the less is believed. What has no partner fades.

McAulay & Quatieri 1986, "Speech analysis/synthesis based on a sinusoidal representation", eqs. 34 to 37; Lagrange,
Marchand & Rault 2005 on gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .recording_context import (
    NEAR,
    HiddenSpan,
    RecordingContext,
    RecordingPrediction,
    mdct_frames,
    merge,
)

HOPS = 8  # per window
FRAMES = 20  # of a track on either side, at most
SHORTEST = HOPS + 1  # frames of a track that shares nothing with noise
MOST = 48  # partials of a channel
LONGEST = 1.2  # seconds of a span
RANGE_DB = 66.0  # below the loudest peak
PROMINENT_DB = 9.0  # above the level around it
CENTS, LEVEL_DB = 40.0, 12.0  # between partners, and from frame to frame of a track
LEAST = 0.3  # confidence below which a partial is nothing
JITTER = 0.1
OPEN = 1.2
EDGE = (
    0.03  # seconds in which what is sure at the edge of a span fades to what is sure inside of it
)
DECAY = 0.06  # seconds in which a partial without a partner fades to 1/e


@dataclass(frozen=True)
class Track:
    """A partial on one side of a span, knots from the span outwards, `time` in samples of the recording.

    time, phase, omega, level   (k,) centres of the windows, radians there, radians per sample, nepers of amplitude
    jitter                      variance of the phase, in square radians, predicted over the length of a window
    """

    time: np.ndarray
    phase: np.ndarray
    omega: np.ndarray
    level: np.ndarray
    jitter: float


def predict(context: RecordingContext) -> RecordingPrediction | None:
    """Tones that go on through the hidden spans; None where there are none."""
    found = []
    for span in context.spans:
        if (span.last - span.first) * context.space.hop <= LONGEST * context.rate:
            prediction = _predict_span(context, span)
            if prediction is not None:
                found.append(prediction)
    return merge(found)


def _predict_span(context: RecordingContext, span: HiddenSpan) -> RecordingPrediction | None:
    frames, hop = context.near(span), context.space.hop
    low, high = (frames.start - 1) * hop, frames.stop * hop
    start, end = span.reach(hop, context.samples.shape[1])
    before = context.hidden_frames[max(0, span.first - NEAR) : span.first][::-1]
    after = context.hidden_frames[span.last : span.last + NEAR]
    clear = [int(np.argmax(np.append(side, True))) for side in (before, after)]
    mean = np.zeros((len(context.samples), high - low), np.float32)
    sure = np.zeros((len(mean), frames.stop - frames.start, context.space.bins), np.float32)
    wanted = context.mask[:, frames]
    for channel in np.flatnonzero(wanted.any(axis=(1, 2))):
        x = context.samples[channel]
        sides = [_tracks(x, start, -1, clear[0], hop), _tracks(x, end, 1, clear[1], hop)]
        bins = wanted[channel].any(0)
        for partial, confidence in _joined(sides, start, end, hop, context.rate):
            middle = int(np.mean(partial.omega) / np.pi * context.space.bins)
            if not bins[max(0, middle - 2) : middle + 3].any():
                continue
            _add(mean[channel], low, partial, confidence, start, end, context.rate)
            sure[channel, :, max(0, middle - 3) : middle + 4] = np.maximum(
                sure[channel, :, max(0, middle - 3) : middle + 4], confidence
            )
    if not mean.any():
        return None
    atoms = mdct_frames(mean, low, frames, context.space)
    if not wanted.all(
        axis=2
    ).any():  # of a box: what is known around it is no business of its partials
        atoms = atoms * _bins_of(wanted)
    return RecordingPrediction(frames, atoms, sure * (atoms != 0))


def _bins_of(wanted: np.ndarray) -> np.ndarray:
    """(C, 1, F) float32: bins of which something is hidden."""
    return wanted.any(axis=1, keepdims=True).astype(np.float32)


# ---- analysis


def _tracks(x: np.ndarray, edge: int, side: int, clear: int, hop: int) -> list[Track]:
    """Partials of x (n,) that touch sample `edge` from before (side -1) or after (1), where `clear` frames are known."""
    size = HOPS * hop
    count = min(FRAMES, (clear - 1) - HOPS + 1)
    if side < 0:
        starts = edge - size - hop * np.arange(max(count, 0))
    else:
        starts = edge + hop * np.arange(max(count, 0))
    starts = starts[(starts >= 0) & (starts + size <= len(x))]
    if len(starts) < 2:
        return []
    window = np.hanning(size + 1)[:-1]
    pieces = np.stack([x[s : s + size] for s in starts]) * window
    spectra = np.fft.rfft(np.roll(pieces, -size // 2, axis=1), axis=1) * (2 / window.sum())
    level = np.log(np.abs(spectra) + 1e-12)
    peaks = [_peaks(row) for row in level]
    centres = starts + size // 2
    if not len(peaks[0]):
        return []
    order = peaks[0][np.argsort(-level[0, peaks[0]])][:MOST]
    out = []
    for k in order:
        track = _follow(int(k), peaks, level, spectra, centres, side, size)
        if track is not None:
            out.append(track)
    return out


def _peaks(level: np.ndarray) -> np.ndarray:
    """Bins of the local maxima of a spectrum's level (nepers) that stand out."""
    inner = level[2:-2]
    top = (
        (inner > level[1:-3]) & (inner >= level[3:-1]) & (inner > level[:-4]) & (inner > level[4:])
    )
    bins = np.flatnonzero(top) + 2
    bins = bins[level[bins] > level.max() - RANGE_DB / 8.686]
    width = 16
    mean = np.convolve(
        np.pad(level, width, mode="edge"), np.ones(2 * width + 1) / (2 * width + 1), "valid"
    )
    return bins[level[bins] > mean[bins] + PROMINENT_DB / 8.686]


def _parabola(level: np.ndarray, k: int) -> tuple[float, float]:
    """Position in bins and height of the peak at bin k (Smith & Serra 1987)."""
    a, b, c = level[k - 1 : k + 2]
    curve = a - 2 * b + c
    shift = 0.5 * (a - c) / curve if curve < 0 else 0.0
    return k + shift, b - 0.25 * (a - c) * shift


def _follow(k: int, peaks, level, spectra, centres, side: int, size: int) -> Track | None:
    """The track that starts at peak k of the first frame, away from the span."""
    position, height = _parabola(level[0], k)
    bins, heights, phases = [position], [height], [float(np.angle(spectra[0, k]))]
    for n in range(1, len(level)):
        if not len(peaks[n]):
            break
        near = peaks[n][np.abs(peaks[n] - position).argmin()]
        there, its = _parabola(level[n], near)
        if (
            abs(there - position) > max(0.75, position * (2 ** (CENTS / 1200) - 1))
            or abs(its - height) > LEVEL_DB / 8.686
        ):
            break
        position, height = there, its
        bins.append(there)
        heights.append(its)
        phases.append(float(np.angle(spectra[n, near])))
    if len(bins) < min(SHORTEST, len(level)) or len(bins) < 3:
        return None
    time, phase = centres[: len(bins)].astype(np.float64), np.array(phases)
    rough = np.array(bins) * 2 * np.pi / size
    # the advance of phase from frame to frame is the mean frequency in between
    step = np.diff(time)
    turn = 0.5 * (rough[1:] + rough[:-1]) * step
    advance = (turn + _wrapped(np.diff(phase) - turn)) / step
    omega = np.concatenate([advance[:1], 0.5 * (advance[1:] + advance[:-1]), advance[-1:]])
    if len(advance) > 1:
        omega[0] = 1.5 * advance[0] - 0.5 * advance[1] if len(advance) < 4 else advance[:2].mean()
    if len(bins) > HOPS:
        far = slice(HOPS, None)
        near = slice(0, len(bins) - HOPS)
        foretold = phase[far] + 0.5 * (omega[far] + omega[near]) * (time[near] - time[far])
        jitter = float(np.mean(_wrapped(phase[near] - foretold) ** 2))
    else:
        jitter = 1.0
    return Track(time, phase, omega, np.array(heights), jitter)


def _wrapped(angle: np.ndarray) -> np.ndarray:
    return (angle + np.pi) % (2 * np.pi) - np.pi


# ---- pairs


def _joined(sides: list[list[Track]], start: int, end: int, hop: int, rate: int):
    """(track through the span, confidence in the middle of it) of partners, and of those that have none."""
    left, right = sides
    free = list(range(len(right)))
    for a in left:
        best, cost = None, 1.0
        for n in free:
            b = right[n]
            cents = (
                abs(1200 * np.log2(b.omega[0] / a.omega[0])) / CENTS
                if b.omega[0] > 0 and a.omega[0] > 0
                else 9.0
            )
            levels = abs(b.level[0] - a.level[0]) * 8.686 / LEVEL_DB
            if cents < 1 and levels < 1 and cents + 0.3 * levels < cost:
                best, cost = n, cents + 0.3 * levels
        if best is None:
            continue
        free.remove(best)
        b = right[best]
        confidence = _confidence(a, b, hop)
        if confidence >= LEAST:
            track = Track(
                *(
                    np.concatenate([getattr(a, name)[::-1], getattr(b, name)])
                    for name in ("time", "phase", "omega", "level")
                ),
                0.0,
            )
            yield track, confidence


def _confidence(a: Track, b: Track, hop: int) -> float:
    """How far the phase between two tracks can be foretold, 0 to 1."""
    time = b.time[0] - a.time[0]
    turns = (a.phase[0] + 0.5 * (a.omega[0] + b.omega[0]) * time - b.phase[0]) / (2 * np.pi)
    open_ = 2 * np.pi * (turns - np.round(turns))
    variance = 0.5 * (a.jitter + b.jitter) * (time / (HOPS * hop)) ** 2 * JITTER
    return float(np.exp(-0.5 * min(variance, 20.0)) * np.exp(-0.5 * (open_ / OPEN) ** 2))


# ---- synthesis


def _add(
    out: np.ndarray, low: int, track: Track, confidence: float, start: int, end: int, rate: int
) -> None:
    """Add a track to samples `out` (m,), of which the first is sample `low` of the recording."""
    margin = (track.time[1] - track.time[0]) * HOPS / 2 if len(track.time) > 1 else 0
    first, last = (
        max(low, int(track.time[0] - margin)),
        min(low + len(out), int(track.time[-1] + margin)),
    )
    at = np.arange(first, last, dtype=np.float64)
    k = np.clip(np.searchsorted(track.time, at, side="right") - 1, 0, len(track.time) - 2)
    step = np.diff(track.time)
    w0, w1, p0, p1 = track.omega[:-1], track.omega[1:], track.phase[:-1], track.phase[1:]
    turns = np.round((p0 + 0.5 * (w0 + w1) * step - p1) / (2 * np.pi))
    gap = p1 - p0 - w0 * step + 2 * np.pi * turns
    alpha = 3 / step**2 * gap - (w1 - w0) / step
    beta = -2 / step**3 * gap + (w1 - w0) / step**2
    t = at - track.time[k]
    t_in = np.clip(t, 0, step[k])
    phase = p0[k] + w0[k] * t_in + alpha[k] * t_in**2 + beta[k] * t_in**3
    phase += np.where(t < 0, track.omega[0] * t, 0) + np.where(
        t > step[k], track.omega[-1] * (t - step[k]), 0
    )
    level = np.interp(at, track.time, track.level)
    inside = np.minimum(at - start, end - at).clip(min=0)
    gain = confidence + (1 - confidence) * np.exp(-inside / (EDGE * rate))
    fade = np.clip(np.minimum(at - first, last - 1 - at) / max(margin, 1), 0, 1)
    out[first - low : last - low] += (np.exp(level) * np.cos(phase) * gain * fade).astype(
        np.float32
    )
