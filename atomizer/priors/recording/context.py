"""Input and output of the recording priors, which read the whole recording around hidden atoms.

Shapes: C channels, T frames of the recording, t frames of a prediction, F bins, n samples.
`RecordingContext` contains no hidden atom, so that a prior cannot read one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from ...analysis.mdct import imdct, mdct
from ...analysis.runs import runs
from ...atoms.space import AtomSpace

CONTEXT_FRAMES = 44  # on either side of a span, for which a prediction is given, too
MAX_SPANS = 24  # predicted per recording, the longest first
MIN_KNOWN_FRAMES = 4  # beside a span


@dataclass(frozen=True)
class HiddenSpan:
    """A stretch of frames with hidden atoms, from `first` to `stop` (excluded)."""

    first: int
    stop: int

    def sample_range(self, hop: int, length: int) -> tuple[int, int]:
        """First sample under a window of the span, and the one after the last."""
        return max(0, (self.first - 1) * hop), min(length, self.stop * hop)


@dataclass(frozen=True)
class RecordingContext:
    """The known atoms of a recording.

    Attributes
    ----------
    samples : (C, n) float32
        Samples at `space.rate`, synthesised with the hidden atoms silent.
    grid : (C, T, F) float32
        Coefficients of `samples`; zero where hidden.
    mask : (C, T, F) bool
        The hidden atoms.
    space : AtomSpace
        Rate, hop and window of the transform.
    barred : (n,) bool or None
        Samples that must not be copied; they still count as context.
    is_source_chosen : bool
        Whether the user chose what is copied, so that it is copied even if it matches badly.
    """

    samples: np.ndarray
    grid: np.ndarray
    mask: np.ndarray
    space: AtomSpace
    barred: np.ndarray | None = None
    is_source_chosen: bool = False

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self.space.rate

    @cached_property
    def hidden_frames(self) -> np.ndarray:
        """Frames with hidden atoms: (T,) bool."""
        return np.asarray(self.mask.any(axis=(0, 2)))

    @cached_property
    def hidden_samples(self) -> np.ndarray:
        """Samples under the windows of hidden atoms: (n,) bool."""
        hidden = self.hidden_frames
        blocks = hidden[:-1] | hidden[1:]  # block m of samples lies under frames m and m + 1
        return np.repeat(blocks, self.space.hop)[: self.samples.shape[1]]

    @cached_property
    def hidden_before(self) -> np.ndarray:
        """Number of hidden samples before each sample, and in all: (n + 1,) int."""
        return np.concatenate([[0], np.cumsum(self.hidden_samples)])

    @property
    def copyable_samples(self) -> np.ndarray:
        """Known samples that may be copied: (n,) bool."""
        known = ~self.hidden_samples
        return known if self.barred is None else known & ~self.barred

    @cached_property
    def spans(self) -> list[HiddenSpan]:
        """The `MAX_SPANS` longest hidden spans, in the order of time."""
        spans = sorted(hidden_spans(self.hidden_frames), key=lambda s: s.first - s.stop)
        return sorted(spans[:MAX_SPANS], key=lambda s: s.first)

    def frames_around(self, span: HiddenSpan) -> slice:
        """Frames of a span and `CONTEXT_FRAMES` on either side, within the recording."""
        start = max(0, span.first - CONTEXT_FRAMES)
        return slice(start, min(self.mask.shape[1], span.stop + CONTEXT_FRAMES))

    def known_frames_beside(self, span: HiddenSpan) -> tuple[int, int]:
        """Completely known frames before and after a span, at most `CONTEXT_FRAMES` each."""
        first = max(0, span.first - CONTEXT_FRAMES)
        before = self.hidden_frames[first : span.first][::-1]
        after = self.hidden_frames[span.stop : span.stop + CONTEXT_FRAMES]
        return int(np.argmax(np.append(before, True))), int(np.argmax(np.append(after, True)))


class CopySource(NamedTuple):
    """Where a part of a prediction was copied from.

    target, source  (start, stop) in seconds
    lag             of the source behind the target, in samples; may be negative and fractional
    confidence      0 to 1
    """

    target: tuple[float, float]
    source: tuple[float, float]
    lag: float
    confidence: float

    @classmethod
    def of(cls, start: int, stop: int, lag: float, rate: int, confidence: float) -> CopySource:
        """Source of the samples `start` to `stop` at a rate."""
        target = (start / rate, stop / rate)
        source = ((start + lag) / rate, (stop + lag) / rate)
        return cls(target, source, float(lag), confidence)


class PredictedPart(NamedTuple):
    """Some frames of a `RecordingPrediction`: arrays (C, t, F), zero where it has none."""

    mean: np.ndarray
    confidence: np.ndarray
    power_share: np.ndarray


@dataclass(frozen=True)
class RecordingPrediction:
    """Signed amplitudes that a recording prior predicts for some frames of a recording.

    Attributes
    ----------
    frames : slice
        Frames of the recording that the arrays cover.
    mean : (C, t, F) float32
        Predicted amplitudes; zero where nothing is predicted. Known atoms near a hidden span have a
        prediction, too: `residual` subtracts it, so that the next prior joins the edges.
    confidence : (C, t, F) float32
        Expected correlation of mean and truth, 0 to 1; zero where nothing is predicted.
    sources : list of CopySource
        Where copied parts come from; empty without copies.
    power_share : (C, t, F) float32 or None
        Share, 0 to 1, of the power of the truth that the mean is meant to have by itself: as much
        less texture is added. None: only as much as the mean explains statistically.
    priors : tuple of str
        Names of the priors that predict hidden atoms; `registry.predict_from_recording` adds them.
    """

    frames: slice
    mean: np.ndarray
    confidence: np.ndarray
    sources: list[CopySource] = field(default_factory=list)
    priors: tuple[str, ...] = ()
    power_share: np.ndarray | None = None

    def cut(self, first: int, stop: int) -> PredictedPart:
        """The frames `first` to `stop` (excluded); zero outside `frames`."""
        shape = (self.mean.shape[0], stop - first, self.mean.shape[2])
        out = PredictedPart(*(np.zeros(shape, np.float32) for _ in range(3)))
        a, b = max(first, self.frames.start), min(stop, self.frames.stop)
        if a < b:
            part = slice(a - self.frames.start, b - self.frames.start)
            for target, source in zip(out, (self.mean, self.confidence, self.power_share)):
                if source is not None:
                    target[:, a - first : b - first] = source[:, part]
        return out


class RecordingPrior(Protocol):
    """What `registry.RECORDING_PRIORS` lists."""

    name: str

    def predict(self, context: RecordingContext) -> RecordingPrediction | None:
        """Predict the hidden atoms of a recording; None where the known atoms predict nothing."""


def erase_hidden(
    samples: np.ndarray, grid: np.ndarray, mask: np.ndarray, space: AtomSpace
) -> RecordingContext:
    """Context of a recording without its hidden atoms: synthesises the known atoms alone.

    Parameters
    ----------
    samples : (C, n)
        The recording at `space.rate`; read only outside the windows of hidden atoms.
    grid : (C, T, F)
        Its coefficients; read only where `mask` is False.
    mask : (C, T, F) bool
        The hidden atoms.
    space : AtomSpace
        Rate, hop and window of the transform.

    Returns
    -------
    RecordingContext
    """
    known = np.where(mask, np.float32(0), grid)
    out = np.array(samples, np.float32)
    hop = space.hop
    for span in hidden_spans(np.atleast_1d(mask.any(axis=(0, 2)))):
        start, stop = span.sample_range(hop, out.shape[1])
        # with one frame on either side, whose windows overlap the span
        frames = slice(max(0, span.first - 1), min(grid.shape[1], span.stop + 1))
        piece, offset = _synthesise(known[:, frames], frames.start, space)
        out[:, start:stop] = piece[:, start - offset : stop - offset]
    return RecordingContext(out, known, mask, space)


def hidden_spans(hidden: np.ndarray) -> list[HiddenSpan]:
    """Runs of True in (T,) bool, in order."""
    return [HiddenSpan(first, stop) for first, stop in runs(hidden)]


def _synthesise(atoms: np.ndarray, first: int, space: AtomSpace) -> tuple[np.ndarray, int]:
    """Samples of atoms (C, t, F) from frame `first` on, and the place of the first sample."""
    padded = np.pad(atoms, ((0, 0), (1, 0), (0, 0)))  # synthesis starts at the first frame's centre
    piece = imdct(padded, padded.shape[1] * space.hop, space.window)
    return piece, (first - 1) * space.hop


def mdct_frames(samples: np.ndarray, start: int, frames: slice, space: AtomSpace) -> np.ndarray:
    """Coefficients of some frames of a recording, from samples of a part of it.

    Parameters
    ----------
    samples : (C, m)
        Part of the recording; the rest counts as zero.
    start : int
        Place of the first of these samples in the recording.
    frames : slice
        Frames of the recording to compute.
    space : AtomSpace
        Hop and window of the transform.

    Returns
    -------
    (C, t, F) float32
    """
    low, high = (frames.start - 1) * space.hop, frames.stop * space.hop
    piece = np.zeros((len(samples), high - low), np.float32)
    a, b = max(low, start), min(high, start + samples.shape[1])
    if a < b:
        piece[:, a - low : b - low] = samples[:, a - start : b - start]
    return mdct(piece, space.hop, space.window)[:, 1:-1]


def merge(predictions: Sequence[RecordingPrediction]) -> RecordingPrediction | None:
    """One prediction of several spans; where two overlap, the more confident one counts."""
    if len(predictions) < 2:
        return predictions[0] if predictions else None
    start = min(p.frames.start for p in predictions)
    stop = max(p.frames.stop for p in predictions)
    total = PredictedPart(*(np.zeros_like(a) for a in predictions[0].cut(start, stop)))
    for p in predictions:
        part = p.cut(start, stop)
        better = part.confidence > total.confidence
        for target, source in zip(total, part):
            target[better] = source[better]
    sources = [source for p in predictions for source in p.sources]
    return _prediction(slice(start, stop), total, sources)


def _prediction(
    frames: slice, part: PredictedPart, sources: list[CopySource], priors: tuple[str, ...] = ()
) -> RecordingPrediction:
    share = part.power_share if part.power_share.any() else None
    return RecordingPrediction(frames, part.mean, part.confidence, sources, priors, share)


def residual(context: RecordingContext, prediction: RecordingPrediction | None) -> RecordingContext:
    """Context without the predicted part of the known atoms, in its coefficients and samples."""
    if prediction is None:
        return context
    frames, hop = prediction.frames, context.space.hop
    predicted = np.where(context.mask[:, frames], np.float32(0), prediction.mean)
    grid, samples = context.grid.copy(), context.samples.copy()
    grid[:, frames] -= predicted
    piece, offset = _synthesise(predicted, frames.start, context.space)
    a, b = max(0, offset), min(samples.shape[1], frames.stop * hop)
    samples[:, a:b] -= piece[:, a - offset : b - offset]
    return replace(context, samples=samples, grid=grid)


def add(
    first: RecordingPrediction | None, second: RecordingPrediction | None
) -> RecordingPrediction | None:
    """Sum of a prediction and of a second one, of the residual of the first."""
    if first is None or second is None:
        return first or second
    frames = slice(
        min(first.frames.start, second.frames.start), max(first.frames.stop, second.frames.stop)
    )
    one, two = (p.cut(frames.start, frames.stop) for p in (first, second))
    total = PredictedPart(
        one.mean + two.mean,
        np.maximum(one.confidence, two.confidence),
        np.maximum(one.power_share, two.power_share),
    )
    return _prediction(frames, total, first.sources + second.sources, first.priors + second.priors)
