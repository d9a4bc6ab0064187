"""A report as text: per task a table of means over clips."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from .methods import METHODS
from .tasks import TASKS

# The better direction of every metric, and the rows in their order
BETTER = {
    "snr_db": "↑",
    "si_sdr_db": "↑",
    "visqol": "↑",
    "lsd_hidden": "↓",
    "lsd_full": "↓",
    "convergence": "↓",
    "side_lsd": "↓",
    "mono_lsd": "↓",
    "ild_db": "↓",
    "coherence": "↓",
    "level_drift_db": "→ 0",
    "accuracy": "↑",
    "accuracy_loudest": "↑",
    "excess_nats": "↓",
    "kbps": "",
}


def means(report: dict[str, Any]) -> dict[tuple[str, str, str], list[float]]:
    """(task, metric, method) -> the values of all clips."""
    values = defaultdict(list)
    for r in report["records"]:
        values[r["task"], r["metric"], r["method"]].append(r["value"])
    return dict(values)


def table(report: dict[str, Any]) -> str:
    """Markdown: a table per task with a row per metric and a column per method that has values; means over `clips` clips."""
    values = means(report)
    parts = []
    for task in _sorted({key[0] for key in values}, TASKS):
        mine = {key[1:]: v for key, v in values.items() if key[0] == task}
        methods = _sorted({key[1] for key in mine}, METHODS)
        lines = [
            f"| {task} | clips | " + " | ".join(methods) + " |",
            "|---|---|" + "---|" * len(methods),
        ]
        for metric in _sorted({key[0] for key in mine}, BETTER):
            cells = [mine.get((metric, m), []) for m in methods]
            text = " | ".join(f"{np.mean(c):.3f}" if c else "" for c in cells)
            lines.append(
                f"| {metric} {BETTER.get(metric, '')}".rstrip()
                + f" | {max(map(len, cells))} | {text} |"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _sorted(names: set[str], order: Any) -> list[str]:
    """Names in the order of a registry, unknown ones last."""
    known = {name: i for i, name in enumerate(order)}
    return sorted(names, key=lambda name: (known.get(name, len(known)), name))
