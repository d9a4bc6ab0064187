"""A report as text: a table per task with means over the clips."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from .methods import METHODS
from .scores import SCORES
from .tasks import TASKS


def categories_of(report: dict[str, Any]) -> list[str]:
    """Categories of the clips of a report; reports of older versions have none."""
    return sorted({r["category"] for r in report["records"] if "category" in r})


def values_of(
    report: dict[str, Any], category: str | None = None
) -> dict[tuple[str, str, str], list[float]]:
    """Values of all clips, or of those of a category, by (task, metric, method)."""
    values = defaultdict(list)
    for r in report["records"]:
        if category is None or r.get("category") == category:
            values[r["task"], r["metric"], r["method"]].append(r["value"])
    return dict(values)


def heading(report: dict[str, Any], training: dict[str, Any]) -> str:
    """Markdown: the weights of a report, and how they were trained.

    training  `checkpoint.training_of` the checkpoint
    """
    text = f"Weights with the SHA-256 {report['conventions']['checkpoint_sha256']}"
    if not training:
        return text + "; their training is not recorded."
    text += (
        f": {training['steps']:,} steps in {training['minutes']:.0f} minutes, "
        f"{training['hours']:.1f} hours of {training['recordings']:,} recordings from "
        f"{training['sources']:,} sources."
    )
    return "\n\n".join([text, *(f"    {command}" for command in training["commands"])])


def table(report: dict[str, Any], category: str | None = None) -> str:
    """Markdown: a table per task with a row per metric and a column per method with values.

    Cells are means over clips and places; the column `clips` has their number. With a `category`,
    only its clips count.
    """
    values = values_of(report, category)
    parts = []
    for task in _sorted({key[0] for key in values}, TASKS):
        of_task = {key[1:]: v for key, v in values.items() if key[0] == task}
        methods = _sorted({key[1] for key in of_task}, METHODS)
        lines = [
            f"| {task} | clips | " + " | ".join(methods) + " |",
            "|---|---|" + "---|" * len(methods),
        ]
        for metric in _sorted({key[0] for key in of_task}, SCORES):
            cells = [of_task.get((metric, method), []) for method in methods]
            name = f"{metric} {SCORES[metric].better if metric in SCORES else ''}".rstrip()
            text = " | ".join(f"{np.mean(cell):.3f}" if cell else "" for cell in cells)
            lines.append(f"| {name} | {max(map(len, cells))} | {text} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _sorted(names: set[str], registry: Iterable[str]) -> list[str]:
    """Names in the order of a registry, unknown names last."""
    position = {name: i for i, name in enumerate(registry)}
    return sorted(names, key=lambda name: (position.get(name, len(position)), name))
