"""Plain copies: a hidden span sounds as another place of the recording, in all bands.

Gains per band (`fitted_copies`) are fitted to the atoms around a span. Bands that are quiet there,
but not inside the span, get none, and after the end of a recording nothing validates them. Where
the whole spectrum matches, one gain for all bands is better: the copy keeps its new notes and its
power. Where several places match, what they agree on is better than any of them
(`combined_copies`). A source that the user chose is copied as it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..threads import in_threads
from .combined_copies import combine_copies
from .context import CopySource, HiddenSpan, RecordingContext, RecordingPrediction
from .context_match import ContextSpectra, Match, waveform_correlation
from .copies import Piece, copy_pieces
from .lag_search import MAX_PHRASE_SECONDS, LagSearch, is_two_sided

# The copy has no share of the fill at the first of two values, and is all of it at the second one.
# Error relative to that of a texture, of the side that matches less
NO_ERROR_SHARE, FULL_ERROR_SHARE = 0.9, 0.8
NO_CORRELATION_SHARE, FULL_CORRELATION_SHARE = 0.3, 0.45  # of the waveforms of both sides
# The same after an end, where one side alone is known, of the mean of the best matches: music
# repeats in several places, speech matches once by accident
NO_REPEAT_SHARE, FULL_REPEAT_SHARE = 0.17, 0.22
REPEATS = 3
MIN_DISTANCE_SECONDS = 0.05  # between two of these places
MIN_CONFIDENCE = 0.05  # of a copy
MIN_SOURCE_SHARE = 0.5  # of the largest share of a copy in a combination, to be listed as a source
# Mean power of a copy relative to that of the louder side, times the square of the relative error
# of the side that matches less: the better both match, the louder the sounds that may be copied
MAX_POWER = 2.0


def plain_copy(
    context: RecordingContext, span: HiddenSpan, search: LagSearch
) -> RecordingPrediction | None:
    """The best matches of a span in the recording, combined; None without a match.

    A source that the user chose, and long spans, which are filled phrase by phrase, are copies of
    one place. The `power_share` is the share of the fill that the copy is worth: 1 for a chosen
    source.
    """
    candidates = search.candidates(span)
    if not candidates:
        return None
    compare = ContextSpectra(search, span)
    matches = dict(zip(candidates, in_threads(lambda lag: compare.match(round(lag)), candidates)))
    lags = sorted(candidates, key=lambda lag: matches[lag].rank)
    match = matches[lags[0]]
    share = 1.0 if context.is_source_chosen else share_of_fill(search, span, matches)
    if not share:
        return None
    gain = match.gain if is_two_sided(context, span) else 1.0
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    if context.is_source_chosen or (stop - start) / context.rate > MAX_PHRASE_SECONDS:
        found = _single_copy(context, span, search, lags[0], match, gain)
    else:
        found = _combined_copies(context, span, lags + search.lags_beside(span, lags), gain)
    frames = found.frames
    hidden = context.mask[:, frames].any(axis=1, keepdims=True)  # bins of a box
    mean = found.mean * hidden
    if not context.is_source_chosen:
        mean *= _limit(context, frames, mean, match)
    if not (mean * context.mask[:, frames]).any():
        return None
    confidence = found.confidence * hidden
    power_share = np.float32(share) * (confidence > 0)
    return replace(found, mean=mean, confidence=confidence, power_share=power_share)


def _single_copy(
    context: RecordingContext,
    span: HiddenSpan,
    search: LagSearch,
    lag: float,
    match: Match,
    gain: float,
) -> RecordingPrediction:
    """Copy one place, or one after the other in a long span, with a gain for all bands."""
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    pieces: tuple[Piece, ...] = (Piece(start, stop, lag),)
    if (stop - start) / context.rate > MAX_PHRASE_SECONDS:
        pieces = search.phrases_from(span, lag) or pieces
    frames = context.frames_around(span)
    copy = copy_pieces(context, frames, pieces)
    mean = (gain * copy.atoms).astype(np.float32)
    sure = float(np.sqrt(max(1 - match.error**2, MIN_CONFIDENCE**2)))
    confidence = np.broadcast_to(np.float32(sure) * copy.known[:, None], mean.shape)
    sources = [
        CopySource.of(piece.start, piece.stop, piece.lag, context.rate, sure) for piece in pieces
    ]
    return RecordingPrediction(frames, mean, confidence, sources)


def _combined_copies(
    context: RecordingContext, span: HiddenSpan, lags: list[float], gain: float
) -> RecordingPrediction:
    """Combine the copies of several places; those with a large share are its sources."""
    found = combine_copies(context, span, lags, gain)
    sure = np.maximum(found.correlation, np.float32(MIN_CONFIDENCE)) * found.known[:, None]
    confidence = np.broadcast_to(sure, found.mean.shape)
    start, stop = span.sample_range(context.space.hop, context.samples.shape[1])
    loudest = np.argsort(-found.shares)
    main = [k for k in loudest if found.shares[k] >= MIN_SOURCE_SHARE * found.shares.max()]
    sources = [
        CopySource.of(start, stop, lags[k], context.rate, found.overall_correlation) for k in main
    ]
    return RecordingPrediction(context.frames_around(span), found.mean, confidence, sources)


def share_of_fill(search: LagSearch, span: HiddenSpan, matches: dict[float, Match]) -> float:
    """Share of the fill that a copy is worth: the larger one by spectra and by waveforms.

    By spectra, the place that is copied counts, or the one with the least error, which may lack a
    side.
    """
    two_sided = is_two_sided(search.context, span)
    distance = MIN_DISTANCE_SECONDS * search.context.rate
    if two_sided:
        places = list(matches.values())
        least, copied = min(places, key=lambda m: m.error), min(places, key=lambda m: m.rank)
        error = min(least.worst, copied.worst)
    else:
        errors = {lag: min(1.0, match.relative) for lag, match in matches.items()}
        error = float(np.mean(best_distinct(errors, distance, 1.0)))
    share = _ramp(error, NO_ERROR_SHARE, FULL_ERROR_SHARE)
    if share == 1:
        return share
    negative = {lag: -waveform_correlation(search, span, round(lag)) for lag in matches}
    share = max(share, _ramp(-min(negative.values()), NO_CORRELATION_SHARE, FULL_CORRELATION_SHARE))
    if two_sided:
        return share
    repeats = -float(np.mean(best_distinct(negative, distance, 0.0)))
    return max(share, _ramp(repeats, NO_REPEAT_SHARE, FULL_REPEAT_SHARE))


def _ramp(value: float, none: float, full: float) -> float:
    """0 at `none`, 1 at `full`, linear in between."""
    return float(np.clip((value - none) / (full - none), 0, 1))


def best_distinct(values: dict[float, float], distance: float, missing: float) -> list[float]:
    """The `REPEATS` lowest values at lags that differ by `distance`, filled up by `missing`."""
    lags: list[float] = []
    for lag in sorted(values, key=lambda lag: values[lag]):
        if all(abs(lag - other) > distance for other in lags):
            lags.append(lag)
    found = [values[lag] for lag in lags[:REPEATS]]
    return found + [missing] * (REPEATS - len(found))


def _limit(context: RecordingContext, frames: slice, mean: np.ndarray, match: Match) -> np.float32:
    """Factor of a copy (C, t, F) that is louder than its surroundings and its match allow."""
    mask = context.mask[:, frames]
    hidden, bins = context.hidden_frames[frames], np.asarray(mask.any(axis=(0, 1)))
    power = np.square(context.grid[:, frames][..., bins]).mean(axis=(0, 2))
    middle = np.flatnonzero(hidden).mean()
    is_before = np.arange(len(hidden)) < middle
    sides = [power[~hidden & side] for side in (is_before, ~is_before)]
    around = max(float(side.mean()) for side in sides if len(side))
    own = float(np.square(mean[mask]).mean())
    limit = MAX_POWER * around / max(match.worst, 1e-3) ** 2
    return np.float32(min(1.0, np.sqrt(limit / (own + 1e-20))))


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
