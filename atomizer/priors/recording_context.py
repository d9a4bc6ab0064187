"""What a prior is given, and what it answers: predictions of unknown atoms from the rest of the recording.

Shapes: C channels, T frames, F bins, n samples. A prior never reads what the mask hides: `RecordingContext` holds
nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..analysis.mdct import imdct, mdct
from ..atoms.space import AtomSpace

NEAR = 44  # frames on either side of a span for which a prior says what it would have predicted
MOST_SPANS = 24  # hidden stretches of time that are predicted, the longest first
LEAST_KNOWN = 4  # frames that must be known beside a span


@dataclass(frozen=True)
class HiddenSpan:
    """A stretch of frames, first to last (excluded), in which atoms are hidden; `reach` of samples that they touch."""

    first: int
    last: int

    def reach(self, hop: int, length: int) -> tuple[int, int]:
        """First sample that a hidden atom's window covers, and the one after the last."""
        return max(0, (self.first - 1) * hop), min(length, self.last * hop)


@dataclass(frozen=True)
class RecordingContext:
    """What is known of a recording.

    samples  (C, n) float32 at space.rate, rendered with the hidden atoms silent
    grid     (C, T, F) float32 coefficients of `samples`, hidden atoms zero
    mask     (C, T, F) bool, the hidden atoms
    space    of the atoms: rate in Hz, hop in samples
    """

    samples: np.ndarray
    grid: np.ndarray
    mask: np.ndarray
    space: AtomSpace

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self.space.rate

    @cached_property
    def hidden_frames(self) -> np.ndarray:
        """(T,) bool: frames in which something is hidden."""
        return self.mask.any(axis=(0, 2))

    @cached_property
    def spans(self) -> list[HiddenSpan]:
        """The hidden stretches of time, in order; of very many, the longest."""
        edges = np.flatnonzero(np.diff(np.pad(self.hidden_frames, 1).astype(np.int8)))
        spans = [HiddenSpan(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]
        spans = sorted(spans, key=lambda s: s.first - s.last)[:MOST_SPANS]
        return sorted(spans, key=lambda s: s.first)

    def near(self, span: HiddenSpan, reach: int = NEAR) -> slice:
        """Frames of a span and `reach` to either side, within the recording."""
        return slice(max(0, span.first - reach), min(self.mask.shape[1], span.last + reach))


class CopySource(NamedTuple):
    """A span that was copied; times in seconds, lag in samples."""

    target: tuple[float, float]
    source: tuple[float, float]
    lag: float
    confidence: float


@dataclass
class RecordingPrediction:
    """What a prior says of the frames `frames` of a grid.

    frames      slice of the grid's frames; all arrays are of these
    mean        (C, t, F) float32 signed amplitudes, zero where nothing is predicted. At hidden atoms: the
                prediction. At known atoms nearby: what the same prediction says there, so that `grid - mean`
                is what it leaves, and linear prediction of that joins the edges
    confidence  (C, t, F) float32, 0 to 1: expected correlation of mean and truth; zero where nothing is predicted
    sources     (target (start, end) s, source (start, end) s, lag in samples, confidence) of what was copied
    """

    frames: slice
    mean: np.ndarray
    confidence: np.ndarray
    sources: list[CopySource] = field(default_factory=list)

    def cut(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and confidence of the frames first to last (excluded), each (C, last - first, F), zero outside."""
        shape = (self.mean.shape[0], last - first, self.mean.shape[2])
        out = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        a, b = max(first, self.frames.start), min(last, self.frames.stop)
        if a < b:
            part = slice(a - self.frames.start, b - self.frames.start)
            for target, source in zip(out, (self.mean, self.confidence)):
                target[:, a - first : b - first] = source[:, part]
        return out


def erase_hidden(
    samples: np.ndarray, grid: np.ndarray, mask: np.ndarray, space: AtomSpace
) -> RecordingContext:
    """The context of a recording: hidden atoms are taken out exactly, by synthesis of the known ones alone.

    samples  (C, n) at space.rate, of which only those out of reach of hidden atoms are read
    grid     (C, T, F), read where not masked
    """
    known = np.where(mask, np.float32(0), grid)
    out = np.array(samples, np.float32)
    hidden = mask.any(axis=(0, 2))
    edges = np.flatnonzero(np.diff(np.pad(hidden, 1).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2]):
        start, end = max(0, (first - 1) * space.hop), min(out.shape[1], last * space.hop)
        low, high = max(0, first - 1), min(grid.shape[1], last + 1)  # the neighbours overlap
        part = np.pad(
            known[:, low:high], ((0, 0), (1, 0), (0, 0))
        )  # synthesis starts amid its first frame
        piece = imdct(part, part.shape[1] * space.hop, space.window)
        offset = (low - 1) * space.hop  # sample of the recording at which the piece starts
        out[:, start:end] = piece[:, start - offset : end - offset]
    return RecordingContext(out, known, mask, space)


def mdct_frames(samples: np.ndarray, start: int, frames: slice, space: AtomSpace) -> np.ndarray:
    """(C, t, F) atoms of `frames` of a recording of which `samples` (C, m) begin at sample `start`; zero outside."""
    low, high = (frames.start - 1) * space.hop, frames.stop * space.hop
    piece = np.zeros((len(samples), high - low), np.float32)
    a, b = max(low, start), min(high, start + samples.shape[1])
    if a < b:
        piece[:, a - low : b - low] = samples[:, a - start : b - start]
    return mdct(piece, space.hop, space.window)[:, 1:-1]


def merge(predictions: list[RecordingPrediction]) -> RecordingPrediction | None:
    """One prediction of several spans; what they say of the known atoms between two of them is cross-faded."""
    if len(predictions) < 2:
        return predictions[0] if predictions else None
    start = min(p.frames.start for p in predictions)
    stop = max(p.frames.stop for p in predictions)
    shape = (predictions[0].mean.shape[0], stop - start, predictions[0].mean.shape[2])
    mean, confidence = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for p in predictions:
        part = slice(p.frames.start - start, p.frames.stop - start)
        better = p.confidence > confidence[:, part]
        mean[:, part] = np.where(better, p.mean, mean[:, part])
        confidence[:, part] = np.where(better, p.confidence, confidence[:, part])
    return RecordingPrediction(
        slice(start, stop), mean, confidence, [s for p in predictions for s in p.sources]
    )


def residual(context: RecordingContext, prediction: RecordingPrediction | None) -> RecordingContext:
    """What a prediction leaves of the known atoms, near the spans; the samples follow."""
    if prediction is None:
        return context
    frames, hop = prediction.frames, context.space.hop
    explained = np.where(context.mask[:, frames], np.float32(0), prediction.mean)
    grid, samples = context.grid.copy(), context.samples.copy()
    grid[:, frames] -= explained
    piece = imdct(
        np.pad(explained, ((0, 0), (1, 0), (0, 0))),
        (frames.stop - frames.start + 1) * hop,
        context.space.window,
    )
    offset = (frames.start - 1 - 1) * hop + hop  # first sample under the first frame
    a, b = max(0, offset), min(samples.shape[1], frames.stop * hop)
    samples[:, a:b] -= piece[:, a - offset : b - offset]
    return replace(context, samples=samples, grid=grid)


def add(
    first: RecordingPrediction | None, second: RecordingPrediction | None
) -> RecordingPrediction | None:
    """The sum of a prediction and of one of what it leaves."""
    if first is None or second is None:
        return first or second
    start, stop = (
        min(first.frames.start, second.frames.start),
        max(first.frames.stop, second.frames.stop),
    )
    (mean, sure), (more, also) = first.cut(start, stop), second.cut(start, stop)
    return RecordingPrediction(
        slice(start, stop), mean + more, np.maximum(sure, also), first.sources + second.sources
    )
