"""A case is a clip of which a task hides atoms: input of the methods and of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .. import metrics
from ..analysis import MDCTAtomizer
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..inpainting.task import Task, prepare
from ..io.audio import Sound
from ..priors.recording.context import CopySource
from .baselines.neighbours import exchange_groups


@dataclass(frozen=True)
class Estimate:
    """Result of a method for a case.

    samples        (channels, n), as many as the sound of the case has
    grid           (channels, frames, bins) if the method fills in atoms, else None
    extra_metrics  metrics that only the method can compute, such as the size of an encoded file
    sources        spans of the recording that were copied, the most important first
    """

    samples: np.ndarray
    grid: np.ndarray | None = None
    extra_metrics: dict[str, float] = field(default_factory=dict)
    sources: tuple[CopySource, ...] = ()


class NoCase(AtomizerError):
    """A clip gives no case of a task; the sentence says why."""


class HiddenPlace(NamedTuple):
    """Which one of the hidden places of a recording, counted from 0, and the seed of all."""

    number: int = 0
    seed: int = 0


class Hidden(NamedTuple):
    """What a task hides of a sound.

    sound      what the methods get
    selection  the hidden atoms
    span       hidden seconds (start, end); None if all of the sound is affected
    truth      (channels, n) samples that are right, if they are not those of `sound`
    band_hz    frequencies that are scored, (lowest, highest), if they are not those of the task
    """

    sound: Sound
    selection: Selection
    span: tuple[float, float] | None = None
    truth: np.ndarray | None = None
    band_hz: tuple[float, float] | None = None


def _nothing_missing() -> None:
    return None


@dataclass(frozen=True)
class EvaluationTask:
    """A row of `tasks.TASKS`.

    name             name of the task in reports
    kind             kind of task; scores and methods list the kinds that they apply to
    hide             (sound, place) -> what is hidden; may raise `NoCase`
    channels         least number of channels of a clip
    above_hz         the task applies to recordings with a bandwidth above this frequency
    band_hz          hidden frequencies, (lowest, highest)
    places           number of places per recording, each a case of its own
    context_seconds  (least, most) seconds of a recording, instead of `run.Options.seconds`
    margin_seconds   what is scored beside the hidden span; None for all of the sound
    missing          () -> a sentence about missing software that the task needs, or None
    """

    name: str
    kind: str
    hide: Callable[[Sound, HiddenPlace], Hidden]
    channels: int = 1
    above_hz: float = 0.0
    band_hz: tuple[float, float] = (0.0, np.inf)
    places: int = 1
    context_seconds: tuple[float, float] | None = None
    margin_seconds: float | None = None
    missing: Callable[[], str | None] = _nothing_missing

    def applies(self, sound: Sound, cutoff_hz: float) -> bool:
        """Whether a clip has the length, the channels and the bandwidth that the task needs."""
        least = self.context_seconds[0] if self.context_seconds else 0.0
        return (
            sound.seconds >= least and sound.channels >= self.channels and cutoff_hz > self.above_hz
        )


@dataclass(frozen=True)
class Case:
    """A clip of which a task hides atoms.

    evaluation   the evaluation task
    task         the inpainting task: sound, grid, mask
    cutoff_hz    bandwidth of the recording; frequencies above it are not judged
    hidden_span  hidden seconds (start, end); None for a task without a span
    truth        (channels, n) samples to compare with; by default those of the task's sound
    band_hz      frequencies that are scored; by default those of the evaluation task
    """

    evaluation: EvaluationTask
    task: Task
    cutoff_hz: float
    hidden_span: tuple[float, float] | None = None
    truth: np.ndarray | None = None
    band_hz: tuple[float, float] | None = None

    @classmethod
    def from_sound(
        cls,
        evaluation: EvaluationTask,
        sound: Sound,
        cutoff_hz: float,
        place: HiddenPlace = HiddenPlace(),
    ) -> Case:
        """Hide the atoms of a sound that the task selects; raises NoCase where that is nothing."""
        hidden = evaluation.hide(sound, place)
        cutoff = min(cutoff_hz, sound.rate / 2)
        if hidden.band_hz is not None and hidden.band_hz[0] >= cutoff:
            raise NoCase("The file has all that the recording has.")
        task = prepare(hidden.sound, hidden.selection, seed=place.seed)
        return cls(evaluation, task, cutoff, hidden.span, hidden.truth, hidden.band_hz)

    @property
    def original(self) -> np.ndarray:
        """(channels, n) samples that estimates are compared with."""
        return self.task.sound.samples if self.truth is None else self.truth

    @property
    def scored_hz(self) -> tuple[float, float]:
        """Frequencies that are scored, (lowest, highest), up to the cutoff of the recording."""
        low, high = self.evaluation.band_hz if self.band_hz is None else self.band_hz
        return low, min(high, self.cutoff_hz)

    @property
    def span_samples(self) -> tuple[int, int]:
        """Start and stop sample of the hidden span; of the whole sound without one."""
        sound = self.task.sound
        start, end = self.hidden_span or (0.0, sound.seconds)
        return round(start * sound.rate), round(end * sound.rate)

    @property
    def scored_samples(self) -> tuple[int, int]:
        """Start and stop sample of what is scored: the hidden span and its margins, or all."""
        length, margin = self.task.sound.samples.shape[1], self.evaluation.margin_seconds
        if margin is None:
            return 0, length
        start, stop = self.span_samples
        beside = round(margin * self.task.sound.rate)
        return max(0, start - beside), min(length, stop + beside)

    @property
    def scored_span(self) -> tuple[float, float] | None:
        """Seconds (start, end) of the hidden span in what is scored; None without a span."""
        if self.hidden_span is None:
            return None
        first = self.scored_samples[0] / self.task.sound.rate
        return self.hidden_span[0] - first, self.hidden_span[1] - first

    @property
    def affected_samples(self) -> tuple[int, int]:
        """Start and stop sample of the windows of all hidden atoms."""
        frames, hop = np.flatnonzero(self.task.mask.any(axis=(0, 2))), self.task.space.hop
        length = self.task.sound.samples.shape[1]
        return max(0, int(frames[0] - 1) * hop), min(length, int(frames[-1] + 1) * hop)

    @cached_property
    def masked(self) -> np.ndarray:
        """(channels, n) samples of the sound without the hidden atoms."""
        return self.task.render(self.task.erased()).samples

    @cached_property
    def true_grid(self) -> np.ndarray:
        """(channels, frames, bins) atoms of the original."""
        if self.truth is None:
            return self.task.grid
        return MDCTAtomizer(self.task.space).grid(self.truth)

    @cached_property
    def audible(self) -> np.ndarray:
        """(channels, frames, bins) bool: atoms with a velocity above 0, hidden or not."""
        loudest = float(np.abs(self.task.grid).max(initial=0))
        return self.task.space.quantise(self.task.grid, loudest) > 0

    @cached_property
    def judged(self) -> np.ndarray:
        """(channels, frames, bins) bool: the atoms in the accuracy, see `scores.CONVENTIONS`."""
        task = self.task
        below_cutoff = task.space.hertz(np.arange(task.space.hop)) <= self.cutoff_hz
        judged = task.mask & self.audible & below_cutoff
        if self.evaluation.kind == "places":
            groups = exchange_groups(np.nonzero(task.mask), task.features)
            _, index, count = np.unique(groups, return_inverse=True, return_counts=True)
            judged[task.mask] &= (count > 1)[index]
        return judged

    def signals(self, estimate: Estimate) -> tuple[np.ndarray, np.ndarray]:
        """Original and estimated samples (channels, n) of what is scored, normalised.

        Both have the gain of `metrics.normalise`.
        """
        scored = slice(*self.scored_samples)
        original, estimated = metrics.normalise(
            self.original[:, scored], estimate.samples[:, scored]
        )
        return original, estimated

    def span_signals(self, estimate: Estimate) -> tuple[np.ndarray, np.ndarray]:
        """The part of `signals` in the hidden span."""
        first, (start, stop) = self.scored_samples[0], self.span_samples
        x, y = (signal[:, start - first : stop - first] for signal in self.signals(estimate))
        return x, y
