"""Settings of a fill with the defaults for its task, within range."""

from __future__ import annotations

import math
from dataclasses import asdict, replace

from ..atoms.orderings import ORDERINGS
from ..errors import AtomizerError
from ..limits import limits
from ..priors.choices import USING
from .highs.like import check_like, parse_levels
from .highs.timbre import check_code, check_timbre, timbre_of
from .presets import PRESETS
from .settings import AMPLITUDES, METHODS, Resolved, Settings
from .source_spans import check_spans, parse_spans
from .task import Task

ORDERED_STEPS = 4  # steps where an ordering was chosen: in a single step it could not be heard


def resolve(settings: Settings, task: Task) -> Resolved:
    """Replace every None by the default of the task's preset, and check the values.

    Raises AtomizerError for values out of range.
    """
    signs_only = set(task.features) == {"sign"}
    defaults = PRESETS["restore" if signs_only else task.preset].settings
    # little predicts signs far from known atoms: their expectation would be near silence
    if task.mask.all() or (signs_only and task.preset != "restore"):
        defaults = {**defaults, "amplitudes": "texture"}
    chosen = {k: v for k, v in defaults.items() if getattr(settings, k) is None}
    if "steps" in chosen and settings.order not in (None, "random"):
        chosen["steps"] = max(chosen["steps"], ORDERED_STEPS)
    if "amplitudes" in chosen and settings.nucleus is not None and "velocity" in task.features:
        chosen["amplitudes"] = "sampled"  # only sampled levels have a nucleus
    resolved = Resolved(**{**asdict(settings), **chosen})
    _check(resolved)
    check_spans(resolved, task)
    check_like(resolved, task)
    check_timbre(resolved, task)
    resolved = replace(resolved, timbre=timbre_of(resolved, task))
    # only the model fills in several steps
    return resolved if resolved.method == "model" else replace(resolved, steps=1)


def check_settings(settings: Settings) -> None:
    """Raise AtomizerError for values that no task accepts; None, the default of a task, is fine."""
    _check(Resolved(**{k: v for k, v in asdict(settings).items() if v is not None}))
    for spans in (settings.source, settings.not_from):
        if spans:
            parse_spans(spans)
    parse_levels(settings.like)
    check_code(settings.timbre)
    if not math.isfinite(settings.shift):
        raise AtomizerError(f"The shift must be a number of seconds, not {settings.shift:g}.")


def _check(settings: Resolved) -> None:
    """Raise AtomizerError for values out of range."""
    for name, value, known in (
        ("method", settings.method, METHODS),
        ("ordering", settings.order, tuple(ORDERINGS)),
        ("kind of amplitudes", settings.amplitudes, AMPLITUDES),
        ("prior", settings.using, USING),
    ):
        if value not in known:
            raise AtomizerError(
                f"There is no {name} {str(value)[:40]!r}: choose from {', '.join(known)}."
            )
    steps, most = settings.steps, limits().steps
    if not isinstance(steps, int) or not 1 <= steps <= most:
        raise AtomizerError(f"A fill takes 1 to {most} steps, not {steps}.")
    if not 0 <= settings.temperature <= 4:
        raise AtomizerError(
            f"The temperature must be between 0 and 4, not {settings.temperature:g}."
        )
    if not 0 <= settings.seed < 2**63:  # the range of torch's generators
        raise AtomizerError(
            f"A seed is a whole number from 0 and below 2^63, not {settings.seed:.6g}."
        )
    if not 0 < settings.nucleus <= 1:
        raise AtomizerError(f"The nucleus must be above 0 and up to 1, not {settings.nucleus:g}.")
