"""Evaluation tasks: what is hidden of a clip, and which metrics judge what was filled in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..audio import Sound
from ..selection import Region, Selection, parse
from . import metrics


@dataclass(frozen=True)
class EvaluationTask:
    """name; select(sound) -> what is hidden; measure(original, filled, sound, cutoff_hz) -> metrics by name."""

    name: str
    select: Callable[[Sound], Selection]
    measure: Callable[[np.ndarray, np.ndarray, Sound, float], dict[str, float]]
    channels: int = 1  # that the clip needs at least


def _band(low_hz: float) -> EvaluationTask:
    def measure(x, y, sound, cutoff):
        return {"lsd_hidden": metrics.lsd(x, y, low_hz * 1.02, min(cutoff, 22_050)), "lsd_full": metrics.lsd(x, y, 0, min(cutoff, 22_050))}

    return EvaluationTask(f"bwe-{low_hz / 1000:g}k", lambda sound: parse([f"above:{low_hz}"]), measure)


def _gap(milliseconds: int) -> EvaluationTask:
    def span(sound: Sound) -> tuple[float, float]:
        middle = sound.seconds * 0.5
        return middle - milliseconds / 2000, middle + milliseconds / 2000

    def select(sound: Sound) -> Selection:
        return Selection((Region(t=span(sound)),))

    def measure(x, y, sound, cutoff):
        a, b = (int(s * sound.rate) for s in span(sound))
        return {"snr_db": metrics.snr_db(x[:, a:b], y[:, a:b]), "lsd_hidden": metrics.lsd(x, y, 0, min(cutoff, 22_050), span(sound))}

    return EvaluationTask(f"gap-{milliseconds}ms", select, measure)


def _continue(milliseconds: int) -> EvaluationTask:
    def measure(x, y, sound, cutoff):
        start = int((sound.seconds - milliseconds / 1000) * sound.rate)
        level = 10 * np.log10(((y[:, start:] ** 2).mean() + 1e-12) / ((x[:, start:] ** 2).mean() + 1e-12))
        return {"lsd_hidden": metrics.lsd(x, y, 0, min(cutoff, 22_050), (start / sound.rate, sound.seconds)), "level_drift_db": float(level)}

    return EvaluationTask(f"continue-{milliseconds}ms", lambda sound: parse([f"after:{sound.seconds - milliseconds / 1000}"]), measure)


def _upmix() -> EvaluationTask:
    def measure(x, y, sound, cutoff):
        side = lambda z: (z[:1] - z[1:2]) / 2  # noqa: E731
        return {"lsd_hidden": metrics.lsd(x[1:2], y[1:2], 0, min(cutoff, 22_050)),
                "side_lsd": metrics.lsd(side(x), side(y), 0, min(cutoff, 22_050))}

    return EvaluationTask("upmix", lambda sound: parse(["channel:1"]), measure, channels=2)


def _restore(specification: str, name: str, features=("velocity", "sign")) -> EvaluationTask:
    def measure(x, y, sound, cutoff):
        return {"snr_db": metrics.snr_db(x, y), "si_sdr_db": metrics.si_sdr_db(x, y), "convergence": metrics.convergence(x, y)}

    return EvaluationTask(name, lambda sound: parse([specification], features), measure)


TASKS = {task.name: task for task in (
    _band(4000), _band(8000), _gap(50), _gap(200), _gap(500), _continue(500), _upmix(), _restore("random:50", "restore-50"),
    _restore("quietest:90", "compress-10%"), _restore("random:50", "sign", ("sign",)), _restore("random:50", "velocity", ("velocity",)))}
