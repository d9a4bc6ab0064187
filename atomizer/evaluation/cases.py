"""A case is a clip of which a task hides atoms: input of the methods and of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .. import metrics
from ..atoms.selection import Selection
from ..inpainting.task import Task, prepare
from ..io.audio import Sound
from .baselines.neighbours import exchange_groups


@dataclass(frozen=True)
class Estimate:
    """Result of a method for a case.

    samples        (channels, n), as many as the sound of the case has
    grid           (channels, frames, bins) if the method fills in atoms, else None
    extra_metrics  metrics that only the method can compute, such as the size of an encoded file
    """

    samples: np.ndarray
    grid: np.ndarray | None = None
    extra_metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationTask:
    """A row of `tasks.TASKS`.

    name      name of the task in reports
    kind      kind of task; scores and methods list the kinds that they apply to
    select    sound -> selection of the hidden atoms
    channels  least number of channels of a clip
    above_hz  the task applies to recordings with a bandwidth above this frequency
    band_hz   hidden frequencies, (lowest, highest)
    span      sound -> hidden seconds (start, end); None if all of the sound is affected
    """

    name: str
    kind: str
    select: Callable[[Sound], Selection]
    channels: int = 1
    above_hz: float = 0.0
    band_hz: tuple[float, float] = (0.0, np.inf)
    span: Callable[[Sound], tuple[float, float]] | None = None

    def applies(self, sound: Sound, cutoff_hz: float) -> bool:
        """Whether a clip has the channels and the bandwidth that the task needs."""
        return sound.channels >= self.channels and cutoff_hz > self.above_hz


@dataclass(frozen=True)
class Case:
    """A clip of which a task hides atoms.

    evaluation  the evaluation task
    task        the inpainting task: sound, grid, mask
    cutoff_hz   bandwidth of the recording; frequencies above it are not judged
    """

    evaluation: EvaluationTask
    task: Task
    cutoff_hz: float

    @classmethod
    def from_sound(
        cls, evaluation: EvaluationTask, sound: Sound, cutoff_hz: float, seed: int = 0
    ) -> Case:
        """Hide the atoms of a sound that the task selects."""
        task = prepare(sound, evaluation.select(sound), seed=seed)
        return cls(evaluation, task, min(cutoff_hz, sound.rate / 2))

    @property
    def hidden_span(self) -> tuple[float, float] | None:
        """Hidden seconds (start, end); None for a task without a span."""
        return self.evaluation.span(self.task.sound) if self.evaluation.span else None

    @property
    def span_samples(self) -> tuple[int, int]:
        """Start and stop sample of the hidden span; of the whole sound without one."""
        sound = self.task.sound
        start, end = self.hidden_span or (0.0, sound.seconds)
        return round(start * sound.rate), round(end * sound.rate)

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
        """Original and estimated samples (channels, n), normalised as by `metrics.normalise`."""
        original, estimated = metrics.normalise(self.task.sound.samples, estimate.samples)
        return original, estimated
