"""Evaluation tasks: what is hidden of a clip, and which metrics judge what was filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from .. import metrics
from ..atoms.selection import Region, Selection, parse
from ..atoms.space import FEATURES
from ..inpainting.task import Task, prepare
from ..io.audio import Sound
from .baselines.neighbours import groups

KINDS = ("bandwidth", "gap", "continue", "upmix", "box", "restore", "compress", "levels", "places")
CLOSE_DB = 3.0  # a level that is that near is right
LOUDEST = 0.02  # share of the atoms whose signs carry most of what is heard
RATES = (1000, 2000, 4000, 8000)  # atoms per second that compress-N keeps
CONVENTIONS = {
    "gaps": "snr_db on the span; convergence 8192/2048 over the frames that overlap it; atoms whose windows overlap it are hidden",
    "continue": f"convergence is the mean of STFTs {'/'.join(map(str, metrics.RESOLUTIONS))} over the frames that overlap what is hidden",
    "accuracy": f"share of the hidden audible atoms below the recording's cutoff: sign right; level within {CLOSE_DB:g} dB; at its own place with "
    "its level and sign, of those that have more than one place to go to; accuracy_loudest: of the loudest 2 %",
    "excess_nats": "cross-entropy of the model's beliefs, nothing revealed, over hidden audible atoms; velocity: less a Gaussian's, sign: less 0",
    "kbps": "compress-N: an estimate, log2 C(places, N) + N (H0(level) + 1) bits per second for exact amplitudes of N atoms; codecs: measured file "
    "size less its headers",
}


@dataclass(frozen=True)
class Filled:
    """What a method made of a case.

    samples  (channels, n), as many as the case's sound has
    grid     (channels, frames, bins) where the method fills in atoms
    facts    metrics that only the method itself knows, such as the size of an encoded file
    """

    samples: np.ndarray
    grid: np.ndarray | None = None
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationTask:
    """What is evaluated.

    name      of the row in every table
    kind      one of KINDS; methods say which kinds they apply to
    select    sound -> what is hidden
    measure   (case, filled) -> metrics by name; None for one that has no value there
    channels  that the clip needs at least
    above_hz  what the recording must reach beyond
    span      sound -> the seconds that are hidden
    """

    name: str
    kind: str
    select: Callable[[Sound], Selection]
    measure: Callable[[Case, Filled], dict[str, float | None]]
    channels: int = 1
    above_hz: float = 0.0
    span: Callable[[Sound], tuple[float, float]] | None = None

    def applies(self, sound: Sound, cutoff_hz: float) -> bool:
        return sound.channels >= self.channels and cutoff_hz > self.above_hz


@dataclass(frozen=True)
class Case:
    """A clip under a task: what methods fill and metrics judge.

    task       the fill: sound, grid, mask
    cutoff_hz  where the recording ends; nothing is judged above it
    """

    evaluation: EvaluationTask
    task: Task
    cutoff_hz: float

    @classmethod
    def of(cls, evaluation: EvaluationTask, sound: Sound, cutoff_hz: float, seed: int = 0) -> Case:
        return cls(
            evaluation,
            prepare(sound, evaluation.select(sound), seed=seed),
            min(cutoff_hz, sound.rate / 2),
        )

    @property
    def span(self) -> tuple[float, float]:
        """Seconds that the task hides; all of the sound where it names none."""
        sound = self.task.sound
        return self.evaluation.span(sound) if self.evaluation.span else (0.0, sound.seconds)

    @property
    def span_samples(self) -> tuple[int, int]:
        """First and last (excluded) sample of the hidden span."""
        start, end = self.span
        return round(start * self.task.sound.rate), round(end * self.task.sound.rate)

    @property
    def reached_samples(self) -> tuple[int, int]:
        """First and last (excluded) sample under the window of a hidden atom."""
        frames, hop = np.flatnonzero(self.task.mask.any(axis=(0, 2))), self.task.space.hop
        return max(0, int(frames[0] - 1) * hop), min(
            self.task.sound.samples.shape[1], int(frames[-1] + 1) * hop
        )

    @cached_property
    def masked(self) -> np.ndarray:
        """(channels, n) samples of what is left of the sound."""
        return self.task.render(self.task.erased()).samples

    @cached_property
    def audible(self) -> np.ndarray:
        """(channels, frames, bins) bool, hidden or not."""
        return (
            self.task.space.quantise(self.task.grid, float(np.abs(self.task.grid).max(initial=0)))
            > 0
        )

    @cached_property
    def asked(self) -> np.ndarray:
        """(channels, frames, bins) bool: the atoms whose accuracy is judged, see `CONVENTIONS`."""
        task = self.task
        asked = (
            task.mask
            & self.audible
            & (task.space.hertz(np.arange(task.space.hop)) <= self.cutoff_hz)
        )
        if self.evaluation.kind == "places":
            group = groups(np.nonzero(task.mask), task.features)
            _, which, count = np.unique(group, return_inverse=True, return_counts=True)
            asked[task.mask] &= (count > 1)[which]
        return asked

    def measure(self, filled: Filled) -> dict[str, float]:
        """Metrics by name; those without a value are left out."""
        values = {**self.evaluation.measure(self, filled), **filled.facts}
        return {
            name: float(value)
            for name, value in values.items()
            if value is not None and np.isfinite(value)
        }

    def signals(self, filled: Filled) -> tuple[np.ndarray, ...]:
        """Original and filled samples, normalised."""
        return metrics.normalise(self.task.sound.samples, filled.samples)


def accuracy(case: Case, grid: np.ndarray) -> dict[str, float | None]:
    """accuracy and accuracy_loudest of a filled grid, by what the task hides."""
    true, guess = case.task.grid[case.asked], grid[case.asked]
    if not len(true):
        return {"accuracy": None, "accuracy_loudest": None}
    if case.task.features == ("sign",):
        right = true * guess > 0
    elif case.task.features == ("velocity",):
        right = np.abs(20 * np.log10(np.maximum(np.abs(guess), 1e-20) / np.abs(true))) <= CLOSE_DB
    else:
        level = lambda amplitude: case.task.space.quantise(
            amplitude, float(np.abs(case.task.grid).max())
        )  # noqa: E731
        right = (level(true) == level(guess)) & (true * guess > 0)
    loudest = np.argsort(-np.abs(true), kind="stable")[: max(1, round(LOUDEST * len(true)))]
    return {"accuracy": right.mean(), "accuracy_loudest": right[loudest].mean()}


def estimated_kbps(case: Case) -> float:
    """Kilobits per second that the known atoms would take: which places they are at, their levels by zero-order entropy, their signs."""
    task = case.task
    kept = task.grid[~task.mask & case.audible]
    places, count = task.grid.size, len(kept)
    combinations = (
        gammaln(places + 1) - gammaln(count + 1) - gammaln(places - count + 1)
    ) / np.log(2)
    share = np.unique(task.space.quantise(kept, task.reference), return_counts=True)[1] / max(
        count, 1
    )
    entropy = -(share * np.log2(share)).sum()
    return float((combinations + count * (entropy + 1)) / task.sound.seconds / 1000)


def _snr(x: np.ndarray, y: np.ndarray) -> float | None:
    """SNR, or None of a silent reference: there is nothing to be found again."""
    return metrics.snr_db(x, y) if np.sqrt((x**2).mean()) > metrics.SILENCE else None


def _bandwidth(low_hz: float) -> EvaluationTask:
    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        return {
            "lsd_hidden": metrics.lsd(x, y, low_hz * 1.02, case.cutoff_hz),
            "lsd_full": metrics.lsd(x, y, 0, case.cutoff_hz),
            "visqol": metrics.visqol(x, y),
        }

    return EvaluationTask(
        f"bwe-{low_hz / 1000:g}k",
        "bandwidth",
        lambda sound: parse([f"above:{low_hz}"]),
        measure,
        above_hz=1.2 * low_hz,
    )


def _middle(milliseconds: int) -> Callable[[Sound], tuple[float, float]]:
    return lambda sound: (
        sound.seconds / 2 - milliseconds / 2000,
        sound.seconds / 2 + milliseconds / 2000,
    )


def _gap(milliseconds: int) -> EvaluationTask:
    span = _middle(milliseconds)

    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        hidden = slice(*case.span_samples)
        return {
            "snr_db": _snr(x[:, hidden], y[:, hidden]),
            "convergence": metrics.convergence(x, y, 8192, case.span),
            "lsd_hidden": metrics.lsd(x, y, 0, case.cutoff_hz, case.span),
        }

    return EvaluationTask(
        f"gap-{milliseconds}ms",
        "gap",
        lambda sound: Selection((Region(t=span(sound)),)),
        measure,
        span=span,
    )


def _continue(milliseconds: int) -> EvaluationTask:
    def span(sound: Sound) -> tuple[float, float]:
        return sound.seconds - milliseconds / 1000, sound.seconds

    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        hidden = slice(*case.span_samples)
        return {
            "convergence": metrics.multi_resolution(x, y, case.span),
            "lsd_hidden": metrics.lsd(x, y, 0, case.cutoff_hz, case.span),
            "level_drift_db": metrics.level_drift_db(x[:, hidden], y[:, hidden]),
        }

    return EvaluationTask(
        f"continue-{milliseconds}ms",
        "continue",
        lambda sound: parse([f"after:{span(sound)[0]}"]),
        measure,
        span=span,
    )


def _upmix() -> EvaluationTask:
    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        side, mono = (lambda z: (z[:1] - z[1:2]) / 2), (lambda z: (z[:1] + z[1:2]) / 2)
        top = case.cutoff_hz
        return {
            "side_lsd": metrics.lsd(side(x), side(y), 0, top),
            "ild_db": metrics.ild_db(x, y, top),
            "coherence": metrics.coherence(x, y, top),
            "mono_lsd": metrics.lsd(mono(x), mono(y), 0, top),
            "lsd_hidden": metrics.lsd(x[1:2], y[1:2], 0, top),
        }

    return EvaluationTask("upmix", "upmix", lambda sound: parse(["channel:1"]), measure, channels=2)


def _box(milliseconds: int, low_hz: float, high_hz: float) -> EvaluationTask:
    span = _middle(milliseconds)

    def measure(case: Case, filled: Filled):
        assert filled.grid is not None, "only methods that fill in atoms apply to boxes"
        x, y = case.signals(filled)
        mask = case.task.mask
        true, found = metrics.normalise(
            case.task.grid, filled.grid
        )  # an orthonormal transform has the sound's own level
        return {
            "lsd_hidden": metrics.lsd(x, y, low_hz, min(high_hz, case.cutoff_hz), case.span),
            "visqol": metrics.visqol(x, y),
            "level_drift_db": metrics.level_drift_db(true[mask][None], found[mask][None]),
        }

    return EvaluationTask(
        f"box-{milliseconds}ms",
        "box",
        lambda sound: Selection((Region(t=span(sound), f=(low_hz, high_hz)),)),
        measure,
        above_hz=1.2 * low_hz,
        span=span,
    )


def _restore(name: str, part: str, percent: int) -> EvaluationTask:
    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        return {
            "snr_db": _snr(x, y),
            "si_sdr_db": metrics.si_sdr_db(x, y),
            "convergence": metrics.convergence(x, y),
            "visqol": metrics.visqol(x, y),
        }

    return EvaluationTask(
        f"{name}-{percent}", "restore", lambda sound: parse([f"{part}:{percent}"]), measure
    )


def _compress(kept: int) -> EvaluationTask:
    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        return {
            "kbps": estimated_kbps(case),
            "snr_db": _snr(x, y),
            "lsd_full": metrics.lsd(x, y, 0, case.cutoff_hz),
            "visqol": metrics.visqol(x, y),
        }

    return EvaluationTask(
        f"compress-{kept}", "compress", lambda sound: parse([f"keep:{kept}"]), measure
    )


def _feature(name: str, percent: int) -> EvaluationTask:
    def measure(case: Case, filled: Filled):
        x, y = case.signals(filled)
        assert filled.grid is not None, "only methods that fill in atoms apply to single features"
        return {**accuracy(case, filled.grid), "snr_db": _snr(x, y)}

    return EvaluationTask(
        name,
        "levels" if name in ("velocity", "sign") else "places",
        lambda sound: parse([f"random:{percent}"], (name,)),
        measure,
        channels=2 if name == "channel" else 1,
    )


# Lost places are dear to find again, and one atom in a hundred leaves enough of them in every bin to be mistaken for each other
_HIDDEN = {"sign": 50, "velocity": 50, "channel": 10, "time": 1, "frequency": 1}
TASKS = {
    task.name: task
    for task in (
        _bandwidth(4000),
        _bandwidth(8000),
        _gap(50),
        _gap(200),
        _gap(500),
        _continue(500),
        _upmix(),
        _box(1000, 500, 4000),
        _restore("restore", "random", 50),
        _restore("loudest", "loudest", 5),
        *(_compress(kept) for kept in RATES),
        *(_feature(name, _HIDDEN[name]) for name in reversed(FEATURES)),
    )
}
