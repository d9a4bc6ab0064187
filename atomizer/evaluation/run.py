"""Run tasks and methods over clips: records, a table, a JSON file that grows clip by clip and from which a run resumes."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..atoms import AtomizerError
from ..audio import Sound, read
from ..clips import Clip, list_clips
from ..fill import Settings, fill, last, resolve
from ..task import prepare
from . import metrics
from .tasks import TASKS

METHODS = ("model", "erased", "noise", "trunk-off")


def excerpt(clip: Clip, seconds: float) -> Sound:
    """The middle of a clip, at 44.1 kHz."""
    sound = read(clip.path)
    samples = sound.at(44_100)
    length = min(samples.shape[1], int(seconds * 44_100))
    start = (samples.shape[1] - length) // 2
    return Sound(np.ascontiguousarray(samples[:2, start : start + length]), 44_100)


def fill_with(method: str, task, settings: Settings, model) -> np.ndarray:
    """The grid that a method fills in."""
    if method == "trunk-off":
        from ..sampler import sample  # needs torch, which the baselines do not

        steps = sample(task, resolve(settings, task), model, trunk=False)
    else:
        steps = fill(task, replace(settings, method=method), model)
    return last(steps).grid


def evaluate(audio: str, out: str | None = None, tasks: list[str] | None = None, methods: list[str] | None = None, model=None,
             settings: Settings = Settings(), clips: int = 20, seconds: float = 6.0, everything: bool = False,
             progress: bool = True) -> dict:
    """Every method on every task on clips of held-out sources (of all sources with `everything`).

    Returns {"conventions", "records": [{"task", "clip", "method", "metric", "value"}]}; also written to `out` after every clip, and
    what is already there is not computed again.
    """
    for name, known in [(n, TASKS) for n in tasks or []] + [(n, METHODS) for n in methods or []]:
        if name not in known:
            raise AtomizerError(f"There is no {name!r} to evaluate: choose from {', '.join(known)}.")
    chosen = [c for c in list_clips(audio) if everything or c.held_out]
    if not chosen:
        raise AtomizerError("No clip of this folder belongs to a held-out source: evaluate all of them.")
    # spread over categories: the folder is sorted by category
    chosen = [chosen[i] for i in np.unique(np.linspace(0, len(chosen) - 1, clips).round().astype(int))]
    report = {"conventions": {**metrics.CONVENTIONS, "seconds": seconds, "seed": settings.seed}, "records": []}
    if out and Path(out).is_file():
        report["records"] = json.loads(Path(out).read_text())["records"]
    done = {(r["task"], r["clip"], r["method"]) for r in report["records"]}
    for clip in tqdm(chosen, desc="clips", disable=not progress):
        sound = excerpt(clip, seconds)
        if np.sqrt((sound.samples**2).mean()) < 1e-4:
            continue
        for name in tasks or TASKS:
            task = TASKS[name]
            if sound.channels < task.channels or sound.seconds < 2:
                continue
            prepared = None
            for method in methods or METHODS:
                if (name, clip.path.name, method) in done or (method in ("model", "trunk-off") and model is None):
                    continue
                prepared = prepared or prepare(sound, task.select(sound), seed=settings.seed)
                filled = prepared.render(fill_with(method, prepared, settings, model)).samples
                x, y = metrics.normalise(sound.samples, filled)
                for metric, value in task.measure(x, y, sound, clip.cutoff_hz).items():
                    report["records"].append({"task": name, "clip": clip.path.name, "method": method, "metric": metric,
                                              "value": round(float(value), 4)})
        if out:
            partial = Path(out).with_suffix(".part")
            partial.write_text(json.dumps(report, indent=0))
            partial.replace(out)
    return report


def table(report: dict) -> str:
    """The means over clips as text: a row per task and metric, a column per method."""
    values = defaultdict(list)
    for r in report["records"]:
        values[r["task"], r["metric"], r["method"]].append(r["value"])
    methods = [m for m in METHODS if any(key[2] == m for key in values)]
    lines = ["| task | metric | clips | " + " | ".join(methods) + " |", "|---|---|---|" + "---|" * len(methods)]
    for task, metric in dict.fromkeys(key[:2] for key in values):
        cells = [values.get((task, metric, m)) for m in methods]
        count = max(len(c) for c in cells if c)
        lines.append(f"| {task} | {metric} | {count} | " + " | ".join(f"{np.mean(c):.3f}" if c else "" for c in cells) + " |")
    return "\n".join(lines)
