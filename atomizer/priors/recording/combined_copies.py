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
from .copy_gains import Products, fit_gains
from .lag_search import hidden_band, is_two_sided

# From the edge of a span, in which the weight of known atoms falls to 1/e; where one side alone is
# known, more of it is read, because the copy has to go on for longer
DECAY_SECONDS, ONE_SIDED_DECAY_SECONDS = 0.3, 1.0
ONE_SIDED_CONTEXT = 4  # times `CONTEXT_FRAMES`
MIN_TWO_SIDED_SECONDS = 0.7  # of a hole with weights of its own on either side
MIN_KNOWN_SHARE = 0.9  # of the weight of frames, in which a copy has to be known
OCTAVES_BELOW, OCTAVES_ABOVE = 3, 1  # beside a box, whose known atoms count
BESIDE_SHARE = 1.0  # of their energy, relative to that of the copies inside of the box
BESIDE_DECAY_SECONDS = 0.1  # in which their weight falls to 1/e
MOMENT_FRAMES = 4  # between the weights of a box, from one to the next of which it fades
MAX_COMBINED_HZ = 4000.0  # above which copies of different places are not added
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
    around = _Surroundings(target, known, sides, not is_two_sided(context, span))
    used = [copy for copy, use in zip(copies, is_used) if use]
    stack = np.stack([copy.atoms for copy in used])
    bands = [slice(*edges) for edges in pairwise(octave_band_edges(target.shape[2]))]
    beside = around.products_beside(stack, bands)
    best = np.zeros(len(used))
    best[0] = best_gain
    mean = np.zeros_like(target)
    correlation = np.zeros(target.shape[1:], np.float32)
    amplitude = np.zeros(len(copies))
    for band in bands:
        is_sum = band.start * context.space.bin_hz < MAX_COMBINED_HZ
        count = len(used) if is_sum else 1
        atoms = stack[:count, ..., band]
        gains, correlation[:, band] = around.gains(
            atoms, band, beside if is_sum else [], best[:count]
        )
        mean[..., band] = np.einsum("tk,kctf->ctf", gains, atoms, optimize=True)
        rms = np.sqrt(np.square(atoms).sum(axis=(1, 2, 3)))
        amplitude[is_used.nonzero()[0][:count]] += np.abs(gains).mean(axis=0) * rms
    known_frames = np.atleast_1d(np.stack([copy.known for copy in used]).any(0))
    return Combination(mean, correlation, known_frames, amplitude / max(amplitude.sum(), 1e-20))


@dataclass(frozen=True)
class _Surroundings:
    """What is known on the frames around a span.

    target       (C, t, F), zero where hidden
    known        (C, t, F) float32, 1 where known, else 0
    sides        fits of the span
    keeps_power  see `fit_gains`
    """

    target: np.ndarray
    known: np.ndarray
    sides: Sequence[_Side]
    keeps_power: bool

    def products_beside(self, copies: np.ndarray, bands: Sequence[slice]) -> list[Products]:
        """Products of what is known beside a box, in the octaves near it, of every moment.

        Empty without a box.
        """
        weights = [m.beside for side in self.sides for m in side.moments if m.beside is not None]
        if not weights:
            return []
        hidden = [n for n, band in enumerate(bands) if not self.known[..., band].all()]
        first = bands[max(0, hidden[0] - OCTAVES_BELOW)].start
        stop = bands[min(len(bands) - 1, hidden[-1] + OCTAVES_ABOVE)].stop
        near = (..., slice(first, stop))
        frames = Products.of_frames(copies[near], self.target[near], self.known[near])
        return [frames.sum_frames(weight) for weight in weights]

    def gains(
        self, copies: np.ndarray, band: slice, beside: Sequence[Products], best: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gains (t, K) of the copies (K, C, t, f) of a band, and correlations (t, 1) of their sum.

        beside  products of what is known beside a box, of every moment; empty if they do not count
        best    (K,) gains of the best copy alone
        """
        known = self.known[..., band]
        products, hidden = Products.of_frames(copies, self.target[..., band], known), 1 - known
        inside = _gram(copies * hidden) / max(float(hidden.sum()), 1.0)
        gains = np.zeros((known.shape[1], len(copies)), np.float32)
        correlation = np.zeros((known.shape[1], 1), np.float32)
        for side in self.sides:
            # as if the copies were as loud around the span as inside of it
            as_loud = inside * float(side.weight @ known.sum(axis=(0, 2)))
            around = products.sum_frames(side.weight)
            for number, moment in enumerate(side.moments):
                evidence = around
                if beside:
                    other = beside[number]
                    scale = BESIDE_SHARE * np.trace(as_loud) / (np.trace(other.gram) + 1e-20)
                    evidence = around.plus(other, scale)
                fit = fit_gains(evidence, best, as_loud, self.keeps_power)
                gains += moment.share[:, None] * fit.gains
                correlation += moment.share[:, None] * fit.correlation
        return gains, correlation


def _read_frames(context: RecordingContext, span: HiddenSpan) -> slice:
    """Frames whose known atoms decide on the weights."""
    frames = context.frames_around(span)
    if is_two_sided(context, span):
        return frames
    reach = ONE_SIDED_CONTEXT * CONTEXT_FRAMES
    return slice(max(0, span.first - reach), min(context.mask.shape[1], span.stop + reach))


class _Moment(NamedTuple):
    """A fit of a span.

    share   (t,) float32, of its result in the sum, by frame
    beside  (t,) float32, weights of frames for what is known beside a box; None without a box
    """

    share: np.ndarray
    beside: np.ndarray | None = None


class _Side(NamedTuple):
    """Weights (t,) float32 of frames around a span, and the fits that use them.

    A box has a single side.
    """

    weight: np.ndarray
    moments: list[_Moment]


def _sides(
    context: RecordingContext, span: HiddenSpan, at: np.ndarray, known: np.ndarray
) -> list[_Side]:
    """Fits of a span, of frames `at` (t,), in which the best copy is known (t,) or not.

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
    is_inside = (at >= span.first) & (at < span.stop)
    both = before + after + is_inside.astype(np.float32)
    if hidden_band(context, span):
        decay = BESIDE_DECAY_SECONDS * frames_per_second
        return [_Side(both, _moments(at, is_inside, decay))]
    if not two_sided or (span.stop - span.first) / frames_per_second < MIN_TWO_SIDED_SECONDS:
        return [_Side(both, [_Moment(np.ones(len(at), np.float32))])]
    share = np.clip((at - span.first + 1) / (span.stop - span.first + 1), 0, 1).astype(np.float32)
    return [_Side(before, [_Moment(1 - share)]), _Side(after, [_Moment(share)])]


def _moments(at: np.ndarray, is_inside: np.ndarray, decay: float) -> list[_Moment]:
    """Fits of a box, `MOMENT_FRAMES` apart, the first and the last of which reach beyond it.

    decay  frames in which the weight of what is known beside the box falls to 1/e
    """
    inside = at[is_inside]
    count = max(1, round(len(inside) / MOMENT_FRAMES))
    middles = inside[0] + (np.arange(count) + 0.5) * len(inside) / count - 0.5
    shares = [np.interp(at, middles, share).astype(np.float32) for share in np.eye(count)]
    weights = np.exp(-np.abs(at - middles[:, None]) / decay) * is_inside
    return [_Moment(*each) for each in zip(shares, weights.astype(np.float32))]


def _gram(copies: np.ndarray) -> np.ndarray:
    """Products (K, K) of copies (K, C, t, f), float64."""
    y = copies.reshape(len(copies), -1)
    return (y @ y.T).astype(np.float64)
