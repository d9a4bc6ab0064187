"""Evaluation tasks: which atoms of a clip are hidden.

A new task is a row of `TASKS`. Its kind decides which `scores.SCORES` and `methods.METHODS` apply.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..atoms.selection import Region, Selection, parse
from ..atoms.space import FEATURES
from ..io.audio import Sound
from .cases import EvaluationTask

KEPT_PER_SECOND = (1000, 2000, 4000, 8000)  # atoms that compress-N keeps
# Percent of the atoms of which a single feature is hidden. Atoms without a position are costly to
# place, and one in a hundred is enough: every bin then has several that can be confused.
HIDDEN_PERCENT = {"sign": 50, "velocity": 50, "channel": 10, "time": 1, "frequency": 1}


def _bandwidth(low_hz: float) -> EvaluationTask:
    """Everything above a frequency; the score starts 2 % above it."""
    return EvaluationTask(
        f"bwe-{low_hz / 1000:g}k",
        "bandwidth",
        lambda sound: parse([f"above:{low_hz}"]),
        above_hz=1.2 * low_hz,
        band_hz=(low_hz * 1.02, np.inf),
    )


def _middle(milliseconds: int) -> Callable[[Sound], tuple[float, float]]:
    """Seconds (start, end) of a span in the middle of a sound."""
    return lambda sound: (
        sound.seconds / 2 - milliseconds / 2000,
        sound.seconds / 2 + milliseconds / 2000,
    )


def _gap(milliseconds: int) -> EvaluationTask:
    span = _middle(milliseconds)
    return EvaluationTask(
        f"gap-{milliseconds}ms",
        "gap",
        lambda sound: Selection((Region(t=span(sound)),)),
        span=span,
    )


def _continue(milliseconds: int) -> EvaluationTask:
    def span(sound: Sound) -> tuple[float, float]:
        return sound.seconds - milliseconds / 1000, sound.seconds

    return EvaluationTask(
        f"continue-{milliseconds}ms",
        "continue",
        lambda sound: parse([f"after:{span(sound)[0]}"]),
        span=span,
    )


def _upmix() -> EvaluationTask:
    return EvaluationTask("upmix", "upmix", lambda sound: parse(["channel:1"]), channels=2)


def _box(milliseconds: int, low_hz: float, high_hz: float) -> EvaluationTask:
    span = _middle(milliseconds)
    return EvaluationTask(
        f"box-{milliseconds}ms",
        "box",
        lambda sound: Selection((Region(t=span(sound), f=(low_hz, high_hz)),)),
        above_hz=1.2 * low_hz,
        band_hz=(low_hz, high_hz),
        span=span,
    )


def _restore(name: str, part: str, percent: int) -> EvaluationTask:
    return EvaluationTask(
        f"{name}-{percent}", "restore", lambda sound: parse([f"{part}:{percent}"])
    )


def _compress(kept: int) -> EvaluationTask:
    return EvaluationTask(f"compress-{kept}", "compress", lambda sound: parse([f"keep:{kept}"]))


def _feature(name: str, percent: int) -> EvaluationTask:
    """A single feature of atoms at random."""
    return EvaluationTask(
        name,
        "levels" if name in ("velocity", "sign") else "places",
        lambda sound: parse([f"random:{percent}"], (name,)),
        channels=2 if name == "channel" else 1,
    )


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
        *(_compress(kept) for kept in KEPT_PER_SECOND),
        *(_feature(name, HIDDEN_PERCENT[name]) for name in reversed(FEATURES)),
    )
}
KINDS = tuple(dict.fromkeys(task.kind for task in TASKS.values()))
