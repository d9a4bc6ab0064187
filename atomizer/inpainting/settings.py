"""Settings of a fill, and their defaults for a task."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from ..atoms.orderings import ORDERINGS
from ..errors import AtomizerError
from ..limits import limits
from .presets import PURPOSES

if TYPE_CHECKING:
    from .task import Task

ORDERED_STEPS = 4  # where an ordering was chosen: it is to be heard, and in a single step it is not


METHODS = ("model", "noise", "erased")


AMPLITUDES = ("expected", "sampled", "texture")


@dataclass(frozen=True)
class Settings:
    """How to fill; None means: what suits the task (`resolve`).

    method       "model", "noise" (interpolated levels) or "erased"; where only the sign is unknown, the last two keep the levels and draw signs
    order        a name in `orderings.ORDERINGS`; velocity means loudest predicted first
    reverse      from that ordering's end
    steps        how many times the model looks again
    temperature  of the sampled features; 1 is the model's own belief
    nucleus      sample levels from the likeliest values that hold this probability together; where it is given, open amplitudes are "sampled"
    amplitudes   a name in `AMPLITUDES`: "expected" is the expected signed amplitude (2p - 1) E|a|, least error and less energy; "sampled"
                 levels are drawn one by one; those of a "texture" share what the model is unsure of (`texture`)
    seed         same seed, same sound
    """

    method: str = "model"
    order: str | None = None
    reverse: bool = False
    steps: int | None = None
    temperature: float | None = None
    nucleus: float | None = None
    amplitudes: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Resolved(Settings):
    """Settings of which none is open, as `resolve` makes them."""

    order: str = "random"
    steps: int = 1
    temperature: float = 1.0
    nucleus: float = 1.0
    amplitudes: str = "sampled"


def resolve(settings: Settings, task: Task) -> Resolved:
    """The settings with every None replaced by what suits the task. Raises AtomizerError for values out of range."""
    defaults = PURPOSES[task.purpose if set(task.features) != {"sign"} else "restore"].settings
    if (
        task.mask.all()
    ):  # nothing is known to expect signs from, and the expectation of a sign by chance is silence
        defaults = {**defaults, "amplitudes": "texture"}
    chosen = {k: v for k, v in defaults.items() if getattr(settings, k) is None}
    if "steps" in chosen and settings.order not in (None, "random"):
        chosen["steps"] = max(chosen["steps"], ORDERED_STEPS)
    if "amplitudes" in chosen and settings.nucleus is not None and "velocity" in task.features:
        chosen["amplitudes"] = (
            "sampled"  # no other levels have a nucleus, and whoever gave one is to hear it
        )
    settings = Resolved(**{**asdict(settings), **chosen})
    if settings.method not in METHODS:
        raise AtomizerError(
            f"There is no method {str(settings.method)[:40]!r}: choose from {', '.join(METHODS)}."
        )
    if settings.order not in tuple(ORDERINGS):
        raise AtomizerError(
            f"There is no ordering {str(settings.order)[:40]!r}: choose from {', '.join(ORDERINGS)}."
        )
    if settings.amplitudes not in AMPLITUDES:
        raise AtomizerError(
            f"There are no {str(settings.amplitudes)[:40]!r} amplitudes: choose from {', '.join(AMPLITUDES)}."
        )
    if not isinstance(settings.steps, int) or not 1 <= settings.steps <= limits().steps:
        raise AtomizerError(f"A fill takes 1 to {limits().steps} steps, not {settings.steps}.")
    if not 0 <= settings.temperature <= 4:
        raise AtomizerError(
            f"The temperature lies between 0 and 4, not at {settings.temperature:g}."
        )
    if not 0 <= settings.seed < 2**63:  # what torch's generators take
        raise AtomizerError(
            f"A seed is a whole number from 0 and below 2^63, not {settings.seed:.6g}."
        )
    if not 0 < settings.nucleus <= 1:
        raise AtomizerError(f"The nucleus lies above 0 and up to 1, not at {settings.nucleus:g}.")
    return (
        settings if settings.method == "model" else replace(settings, steps=1)
    )  # only the model looks again
