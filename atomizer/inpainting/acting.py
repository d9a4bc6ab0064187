"""Settings that act only on some fills: those of highs, and those of holes and boxes."""

from __future__ import annotations

from dataclasses import replace

from .highs.like import takes_like
from .resolve import resolve
from .settings import Settings
from .task import Task


def acting_settings(settings: Settings, task: Task) -> tuple[str, ...]:
    """Names of those of the fields `using`, `timbre` and `like` that can change a fill.

    Raises AtomizerError for settings out of range.
    """
    if settings.method != "model":
        return ()
    acts = {
        "using": task.uses_recording,
        "timbre": task.erased_cutoff is not None,
        "like": takes_like(resolve(replace(settings, timbre=0), task), task),
    }
    return tuple(name for name, is_acting in acts.items() if is_acting)
