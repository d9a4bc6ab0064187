"""Plain copies: the recording goes on, or is replaced, as it is elsewhere, in all bands at once.

Gains per band are fitted to the atoms around a span: bands that are quiet there, but not inside of
it, would get none, and after the end of a recording nothing validates them. Where the whole
spectrum matches, one gain for all bands is better: the copy keeps its new notes and its power. A
source that the user chose is copied in this way, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .copies import Piece, copy_pieces
from .lag_search import MAX_PHRASE_SECONDS, LagSearch, is_two_sided
from .recording_context import CopySource, HiddenSpan, RecordingContext, RecordingPrediction

BLOCK_SECONDS = 0.2  # whose correlations are averaged: the loudest block does not decide alone
MATCH_SECONDS = (1.0, 2.0, 4.0)  # of context on either side; the match is the mean over these
CONTEXTS_SECONDS = (1.0, 2.0, 4.0)  # of context, in searches for candidates
# The copy has no share of the fill below the lower of these matches, and is all of it above the
# higher one
MIN_MATCH, FULL_MATCH = 0.3, 0.45
# The same after an end, for the mean of the best matches: music repeats in several places
REPEATS = 3
MIN_REPEATS, FULL_REPEATS = 0.17, 0.22
MIN_DISTANCE_SECONDS = 0.05  # between two of these places
MAX_GAIN_DB = 3.0  # of the copy, up or down


class Match(NamedTuple):
    """How well the context of a span repeats at a lag.

    correlation  mean correlation of blocks, -1 to 1
    gain         amplitude of the context relative to that of its copy
    """

    correlation: float
    gain: float


def plain_copy(
    context: RecordingContext, span: HiddenSpan, search: LagSearch
) -> RecordingPrediction | None:
    """The best match of a span in the recording, copied with one gain; None without a match.

    Its `power_share` is the share of the fill that the copy is worth: 1 for a chosen source.
    """
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    found = [lag for seconds in CONTEXTS_SECONDS for lag in search.lags(span, seconds)]
    candidates = list(dict.fromkeys(found))  # all find the same if both sides are known
    if not candidates:
        return None
    matches = {lag: measure_match(search, start, stop, lag) for lag in candidates}
    lag = max(candidates, key=lambda lag: matches[lag].correlation)
    match = matches[lag]
    share = _share(context, span, matches)
    if not share:
        return None
    pieces: tuple[Piece, ...] = (Piece(start, stop, lag),)
    if (stop - start) / context.rate > MAX_PHRASE_SECONDS:
        pieces = search.phrases_from(span, lag) or pieces
    frames = context.frames_around(span)
    copy = copy_pieces(context, frames, pieces)
    hidden = context.mask[:, frames].any(axis=1, keepdims=True)  # bins of a box
    gain = match.gain if is_two_sided(context, span) else 1.0
    mean = (gain * copy.atoms * hidden).astype(np.float32)
    if not (mean * context.mask[:, frames]).any():
        return None
    known = np.broadcast_to(copy.known[:, None] & hidden, mean.shape).astype(np.float32)
    confidence = float(np.clip(match.correlation, 0, 1))
    sources = [
        CopySource.of(piece.start, piece.stop, piece.lag, context.rate, confidence)
        for piece in pieces
    ]
    return RecordingPrediction(frames, mean, known * confidence, sources, power_share=known * share)


def _share(context: RecordingContext, span: HiddenSpan, matches: dict[float, Match]) -> float:
    """Share of the fill that the best copy is worth, by the matches at all candidate lags."""
    if context.is_source_chosen:
        return 1.0
    best = max(match.correlation for match in matches.values())
    share = (best - MIN_MATCH) / (FULL_MATCH - MIN_MATCH)
    if not is_two_sided(context, span):
        repeats = float(np.mean(_best_distinct(matches, MIN_DISTANCE_SECONDS * context.rate)))
        share = max(share, (repeats - MIN_REPEATS) / (FULL_REPEATS - MIN_REPEATS))
    return float(np.clip(share, 0, 1))


def _best_distinct(matches: dict[float, Match], distance: float) -> list[float]:
    """Correlations (REPEATS,) of the best matches, with lags that differ by `distance` samples."""
    lags: list[float] = []
    for lag in sorted(matches, key=lambda lag: -matches[lag].correlation):
        if all(abs(lag - other) > distance for other in lags):
            lags.append(lag)
    found = [matches[lag].correlation for lag in lags[:REPEATS]]
    return found + [0.0] * (REPEATS - len(found))


def measure_match(search: LagSearch, start: int, stop: int, lag: float) -> Match:
    """Match of the context of samples `start` to `stop` with the same context, `lag` later.

    The correlation is the geometric mean of those of both sides: a match on one of them alone is
    none.
    """
    block = round(BLOCK_SECONDS * search.context.rate)
    correlations, squares = [], np.zeros(2)
    for seconds in MATCH_SECONDS:
        count = round(seconds / BLOCK_SECONDS)
        before = [start - (n + 1) * block for n in range(count)]
        after = [stop + n * block for n in range(count)]
        sides = [_compare(search, starts, block, round(lag)) for starts in (before, after)]
        known = [side for side in sides if side is not None]
        correlation = min((side.correlation for side in known), default=0.0)
        if len(known) == 2 and correlation > 0:
            correlation = float(np.sqrt(known[0].correlation * known[1].correlation))
        correlations.append(correlation)
        squares = sum((side.squares for side in known), np.zeros(2))
    limit = 10 ** (MAX_GAIN_DB / 20)
    gain = np.sqrt(squares[0] / squares[1]) if squares[1] > 0 else 1.0
    return Match(float(np.mean(correlations)), float(np.clip(gain, 1 / limit, limit)))


class _Side(NamedTuple):
    """One side of a span: mean correlation of blocks, and sums of squares of it and of its copy."""

    correlation: float
    squares: np.ndarray


def _compare(search: LagSearch, starts: list[int], block: int, lag: int) -> _Side | None:
    """Compare blocks of samples with those `lag` later; None if nothing of both is known."""
    product = weights = 0.0
    squares = np.zeros(2)
    for a in starts:
        b = a + block
        if min(a, a + lag) < 0 or max(b, b + lag) > len(search.signal):
            continue
        if search.is_any_hidden(a, b) or search.is_any_hidden(a + lag, b + lag):
            continue
        x, y = search.signal[a:b], search.signal[a + lag : b + lag]
        own, other, both = float(x @ x), float(y @ y), float(x @ y)
        weight = np.sqrt(max(own, other))  # silence that meets sound does not match
        product += weight * both / np.sqrt(own * other + 1e-20)
        weights += weight
        squares += own, other
    return _Side(product / weights, squares) if weights > 0 else None


def blend(
    plain: RecordingPrediction | None, fitted: RecordingPrediction | None
) -> RecordingPrediction | None:
    """A plain copy, and with the rest of its `power_share` the copies fitted by bands.

    Both predict the same frames.
    """
    if plain is None or plain.power_share is None:
        return fitted
    share = plain.power_share
    if fitted is None:
        fitted = RecordingPrediction(
            plain.frames, np.zeros_like(plain.mean), np.zeros_like(plain.mean)
        )
    most = float(share.max())
    scaled = [s._replace(confidence=s.confidence * (1 - most)) for s in fitted.sources]
    return RecordingPrediction(
        plain.frames,
        share * plain.mean + (1 - share) * fitted.mean,
        share * plain.confidence + (1 - share) * fitted.confidence,
        plain.sources + [source for source in scaled if source.confidence > 0],
        power_share=share,
    )
