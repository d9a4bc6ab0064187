"""Fitted copies: sums of copies, with gains per channel and band.

The gains are a ridge regression of the known atoms around a span on all copies, separately near the
start and near the end of a span, shrunk by cross-validation over blocks of time. Bands whose
cross-validated correlation is low have no prediction; between two thresholds it fades in. Nothing
is copied where few bands match on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ...atoms.bands import octave_band_edges
from .context import CopySource, HiddenSpan, RecordingContext, RecordingPrediction
from .copies import Copy, Piece, copy_pieces
from .lag_search import MAX_PHRASE_SECONDS, LagSearch

RIDGE = 0.05  # of the mean energy of the copies
FIT_DECAY_SECONDS = 0.3  # from the edge of a span, in which the weight of known atoms falls to 1/e
MIN_TWO_SIDED_SECONDS = 0.7  # of a span with a fit of its own on either side
BLOCK_FRAMES = 6  # of cross-validation
# Gain and confidence of a band rise from zero at the lower of these correlations to all of what was
# fitted at the higher one
MIN_CORRELATION, FULL_CORRELATION = 0.3, 0.6
# Support of a match: the mean over bands and channels, weighted by amplitude, of the geometric mean
# of the correlations on both sides. All copies fade in between these two: a match in a few bands,
# or on one side alone, is an accident
MIN_SUPPORT, FULL_SUPPORT = 0.15, 0.3
MAX_GAIN = 1.5  # of all copies of a band together
# Power of a copy at any moment, relative to the highest nearby, and mean power, relative to the
# mean nearby; the higher the correlation, the higher the limit
MAX_PEAK_POWER, MAX_MEAN_POWER = 1.0, 1.5
MAX_LIMIT_FACTOR = 100.0  # of these limits
MIN_SOURCE_SHARE = 0.02  # of the gains, for a copy to be listed as a source


def fitted_copies(
    context: RecordingContext, span: HiddenSpan, search: LagSearch
) -> RecordingPrediction | None:
    """Copies with gains per channel and band; None where nothing correlates."""
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    if (stop - start) / context.rate <= MAX_PHRASE_SECONDS:
        chains: list[tuple[Piece, ...]] = [(Piece(start, stop, lag),) for lag in search.lags(span)]
    else:
        chains = search.phrase_chains(span)
    frames = context.frames_around(span)
    copies = [copy_pieces(context, frames, chain) for chain in chains]
    return _weighted_sum(context, span, frames, copies) if copies else None


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
    support      (..., C, B) geometric mean of the correlations on both sides
    amplitude    (..., C, B) of the target, root of the weighted sum of squares
    """

    gains: np.ndarray
    correlation: np.ndarray
    support: np.ndarray
    amplitude: np.ndarray

    def trust(self) -> float:
        """Share of the gains that the support of all bands together is worth, 0 to 1."""
        support = float((self.amplitude * self.support).sum() / max(self.amplitude.sum(), 1e-20))
        return float(np.clip((support - MIN_SUPPORT) / (FULL_SUPPORT - MIN_SUPPORT), 0, 1))


FIT_PARTS = tuple(field.name for field in fields(_Fit))


def _weighted_sum(
    context: RecordingContext, span: HiddenSpan, frames: slice, copies: Sequence[Copy]
) -> RecordingPrediction | None:
    """Sum of the copies with gains per channel and band; None if it is zero where hidden.

    The gains are fitted on either side of the span and interpolated in between.
    """
    target, mask = context.grid[:, frames], context.mask[:, frames]
    at = np.arange(frames.start, frames.stop)
    stack, edges = np.stack([c.atoms for c in copies]), octave_band_edges(target.shape[2])
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
    fit = _Fit(*(np.stack([getattr(f, name) for f in fits]) for name in FIT_PARTS))
    trust = fit.trust()
    if not trust:
        return None
    fit = replace(fit, gains=trust * fit.gains, correlation=trust * fit.correlation)
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
    gains = np.zeros((copies, channels, bands))
    correlation, support, amplitude = (np.zeros((channels, bands)) for _ in range(3))
    for c in range(channels):
        known = data.known[c]
        x, y = data.target[c] * known, data.copies[:, c] * known
        energy = _block_sums(membership, x * x, data.edges)
        cross = np.stack([_block_sums(membership, x * v, data.edges) for v in y])
        gram = np.zeros((copies, copies, *energy.shape))
        for i in range(copies):
            for j in range(i, copies):
                gram[i, j] = gram[j, i] = _block_sums(membership, y[i] * y[j], data.edges)
        gains[:, c], correlation[c], support[c] = _ridge(energy, cross, gram, before)
        amplitude[c] = np.sqrt(energy.sum(0))
    return _Fit(gains, correlation, support, amplitude)


def _block_sums(membership: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums (N, B) over blocks, with weights (N, t), and bands of values (t, F)."""
    return np.add.reduceat(membership @ values, edges[:-1], axis=1)


def _ridge(
    energy: np.ndarray, cross: np.ndarray, gram: np.ndarray, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    (K, B), (B,), (B,)
        Gains, correlations of the predictions with the blocks left out, and geometric means of
        these on both sides of the span.
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
    support = correlation
    shrinkage = np.clip(product.sum(0) / np.maximum(power.sum(0), 1e-30), 0, 1)
    if (truth > 0).any(1).all():  # known on both sides: at most the mean of both correlations
        sides = np.clip(product / np.sqrt(np.maximum(power * truth, 1e-30)), 0, 1)
        support = np.sqrt(sides[0] * sides[1])
        overall, correlation = correlation, np.minimum(sides.sum(0) / 2, correlation)
        shrinkage = shrinkage * (correlation / np.maximum(overall, 1e-9))
    reliability = np.clip(
        (correlation - MIN_CORRELATION) / (FULL_CORRELATION - MIN_CORRELATION), 0, 1
    )
    gains = _solve(total_cross, total_gram) * shrinkage * reliability
    limit = np.minimum(1, MAX_GAIN / np.maximum(np.abs(gains).sum(0), 1e-12))
    return gains * limit, correlation * reliability, support * reliability


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
            confidence = float(correlation * share[k])
            out.append(CopySource.of(piece.start, piece.stop, piece.lag, rate, confidence))
    return out
