"""Copies from several places of a recording, combined into what they agree on.

A single copy has errors of its own: another melody above the same chords, a note that begins some
milliseconds later. Those of different places are nearly independent, so that a sum of copies has
less of them than the best copy. Its weights per band are those with the least squared error in the
known surroundings of the span: a multichannel Wiener filter whose channels are places. Compare
non-local means (Buades, Coll & Morel 2005), whose weights are those of similarity.

The weights are shrunk towards those of the best copy alone, by a share of the energy of the copies
around the span and inside of it: a band that is quiet around the span, but not inside of it, says
nothing about weights, and is the best copy.

A sum has less power than the truth, the less, the worse it correlates. With the correlation r its
power is r^2 of the truth and its squared error 1 - r^2; it is raised to r here, which costs less
than 0.07 of the power of the truth. The result is r of that and, for the rest, the best copy, which
has at least the spectrum of the truth. Both cancel in part: past an end, where no waveform has to
be met again, the result is raised to the mean power of both. Highs are the best copy alone: their
phases differ even where the notes agree, and a sum only blurs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...atoms.bands import octave_band_edges
from ..threads import in_threads
from .context import CONTEXT_FRAMES, HiddenSpan, RecordingContext
from .copies import Copy, Piece, copy_pieces
from .lag_search import hidden_band, is_two_sided

RIDGE = 0.02  # of the mean energy of the copies
# From the edge of a span, in which the weight of known atoms falls to 1/e; where one side alone is
# known, more of it is read, because the copy has to go on for longer
DECAY_SECONDS, ONE_SIDED_DECAY_SECONDS = 0.3, 1.0
ONE_SIDED_CONTEXT = 4  # times `CONTEXT_FRAMES`
MIN_TWO_SIDED_SECONDS = 0.7  # of a hole with weights of its own on either side
MIN_KNOWN_SHARE = 0.9  # of the weight of frames, in which a copy has to be known
MAX_COMBINED_HZ = 4000.0  # above which copies of different places are not added
MAX_RAISE = 2.2  # of the amplitude of a sum
MAX_ATOMS = 32_000_000  # of all copies together, 128 MB


@dataclass(frozen=True)
class Combination:
    """A sum of copies on the frames around a span.

    mean         (C, t, F) float32
    correlation  (t, F) float32, expected between mean and truth, 0 to 1
    known        (t,) bool, frames in which some copy is known
    shares       (K,) of the copies in the amplitude of the sum
    """

    mean: np.ndarray
    correlation: np.ndarray
    known: np.ndarray
    shares: np.ndarray

    @property
    def overall_correlation(self) -> float:
        """Expected correlation of all bands together, each with its power."""
        power = np.square(self.mean).sum(axis=0)
        return float((power * self.correlation).sum() / max(float(power.sum()), 1e-20))


def combine_copies(
    context: RecordingContext, span: HiddenSpan, lags: Sequence[float], gain: float
) -> Combination:
    """Combine the copies of a span at several lags in samples.

    The best copy is the first one, with a gain for all bands.
    """
    length = context.samples.shape[1]
    start, stop = span.sample_range(context.space.hop, length)
    around, frames = context.frames_around(span), _read_frames(context, span)
    size = len(context.grid) * (frames.stop - frames.start) * context.grid.shape[2]
    count = max(1, MAX_ATOMS // size)
    pieces = [(Piece(start, stop, lag),) for lag in lags[:count]]
    copies = in_threads(partial(copy_pieces, context, frames), pieces)
    sides = _sides(context, span, np.arange(frames.start, frames.stop), copies[0].known)
    wide = _weighted_sum(context, span, frames, copies, sides, gain)
    part = slice(around.start - frames.start, around.stop - frames.start)
    return Combination(wide.mean[:, part], wide.correlation[part], wide.known[part], wide.shares)


def _weighted_sum(
    context: RecordingContext,
    span: HiddenSpan,
    frames: slice,
    copies: Sequence[Copy],
    sides: list[_Side],
    best_gain: float,
) -> Combination:
    read = np.max([side.weight for side in sides], axis=0)
    enough = MIN_KNOWN_SHARE * float(read.sum())
    is_used = np.array([float(read @ copy.known) >= enough for copy in copies])
    target, known = context.grid[:, frames], (~context.mask[:, frames]).astype(np.float32)
    used = [copy for copy, use in zip(copies, is_used) if use]
    stack = np.stack([copy.atoms for copy in used])
    best = np.zeros(len(used))
    best[0] = best_gain
    keeps_power = not is_two_sided(context, span)
    mean = np.zeros_like(target)
    correlation = np.zeros(target.shape[1:], np.float32)
    amplitude = np.zeros(len(copies))
    for band in (slice(*edges) for edges in pairwise(octave_band_edges(target.shape[2]))):
        count = len(used) if band.start * context.space.bin_hz < MAX_COMBINED_HZ else 1
        atoms = stack[:count, ..., band]
        rms = np.sqrt(np.square(atoms).sum(axis=(1, 2, 3)))
        hidden = 1 - known[..., band]
        inside = _products(atoms * hidden) / max(float(hidden.sum()), 1.0)
        for weight, share in sides:
            weights = known[..., band] * weight[:, None]
            root = np.sqrt(weights)
            # as if the copies were as loud around the span as inside of it
            as_loud = inside * float(weights.sum())
            fit = _fit(atoms * root, target[..., band] * root, best[:count], as_loud, keeps_power)
            mean[..., band] += share[:, None] * np.tensordot(fit.gains, atoms, 1)
            correlation[:, band] += share[:, None] * fit.correlation
            amplitude[is_used.nonzero()[0][:count]] += np.abs(fit.gains) * rms * share.mean()
    known_frames = np.atleast_1d(np.stack([copy.known for copy in used]).any(0))
    return Combination(mean, correlation, known_frames, amplitude / max(amplitude.sum(), 1e-20))


def _read_frames(context: RecordingContext, span: HiddenSpan) -> slice:
    """Frames whose known atoms decide on the weights."""
    frames = context.frames_around(span)
    if is_two_sided(context, span):
        return frames
    reach = ONE_SIDED_CONTEXT * CONTEXT_FRAMES
    return slice(max(0, span.first - reach), min(context.mask.shape[1], span.stop + reach))


class _Side(NamedTuple):
    """Weights of frames (t,) in a fit, and shares (t,) of its result in the sum, float32."""

    weight: np.ndarray
    share: np.ndarray


def _sides(
    context: RecordingContext, span: HiddenSpan, at: np.ndarray, known: np.ndarray
) -> list[_Side]:
    """Fits of a span, of frames (t,) in which the best copy is known (bool).

    A long hole has a fit for either side, from one to the other of which it fades.
    """
    frames_per_second = context.rate / context.space.hop
    two_sided = is_two_sided(context, span)
    decay = DECAY_SECONDS if two_sided else ONE_SIDED_DECAY_SECONDS
    before, after = (
        np.where(beside & known, np.exp(-distance / (decay * frames_per_second)), 0).astype(
            np.float32
        )
        for beside, distance in (
            (at < span.first, np.abs(at - (span.first - 1))),
            (at >= span.stop, np.abs(at - span.stop)),
        )
    )
    seconds = (span.stop - span.first) / frames_per_second
    if not two_sided or hidden_band(context, span) or seconds < MIN_TWO_SIDED_SECONDS:
        inside = ((at >= span.first) & (at < span.stop)).astype(np.float32)
        return [_Side(before + after + inside, np.ones(len(at), np.float32))]
    share = np.clip((at - span.first + 1) / (span.stop - span.first + 1), 0, 1).astype(np.float32)
    return [_Side(before, 1 - share), _Side(after, share)]


class _Fit(NamedTuple):
    """Gains (K,) of copies, and the correlation of their fitted sum with what is known."""

    gains: np.ndarray
    correlation: np.float32


def _products(copies: np.ndarray) -> np.ndarray:
    """Products (K, K) of copies (K, C, t, f), float64."""
    y = copies.reshape(len(copies), -1)
    return (y @ y.T).astype(np.float64)


def _fit(
    copies: np.ndarray,
    target: np.ndarray,
    best: np.ndarray,
    inside: np.ndarray,
    keeps_power: bool,
) -> _Fit:
    """Fit the gains of copies (K, C, t, f) to (C, t, f), shrunk towards the best copy's, (K,).

    A single copy keeps its gain.

    inside       products (K, K) of the copies inside of the span; their mean energy counts beside
                 that of `copies`
    keeps_power  whether the power inside of the span is at least the mean one of the fitted sum and
                 the best copy, which both have shares in the result
    """
    x = target.ravel()
    gram, energy = _products(copies), float(x @ x)
    cross = (copies.reshape(len(copies), -1) @ x).astype(np.float64)
    ridge = RIDGE * (np.trace(gram) + np.trace(inside)) / len(gram) + 1e-20
    fitted = best
    if len(best) > 1:
        fitted = best + np.linalg.solve(gram + ridge * np.eye(len(gram)), cross - gram @ best)
    own = max(float(fitted @ gram @ fitted), 0.0)
    correlation = np.clip(fitted @ cross / np.sqrt(own * energy + 1e-20), 0, 1)
    raised = fitted * np.clip(np.sqrt(correlation * energy / (own + 1e-20)), 1, MAX_RAISE)
    share = correlation if len(best) > 1 else 0.0
    gains = share * raised + (1 - share) * best
    if keeps_power:
        power = share * raised @ inside @ raised + (1 - share) * best @ inside @ best
        lost = power / (float(gains @ inside @ gains) + 1e-20)
        gains = gains * np.clip(np.sqrt(lost), 1, MAX_RAISE)
    return _Fit(gains.astype(np.float32), np.float32(correlation))
