"""Settings of a fill, and their defaults for a task."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from ..atoms.orderings import ORDERINGS
from ..errors import AtomizerError
from ..limits import limits
from ..priors.choices import USING
from .highs.like import check_like, parse_levels
from .highs.timbre import check_code, check_timbre, timbre_of
from .presets import PRESETS
from .source_spans import check_spans, parse_spans

if TYPE_CHECKING:
    from ..model.inference import AtomModel
    from .task import Task

ORDERED_STEPS = 4  # steps where an ordering was chosen: in a single step it could not be heard
METHODS = ("model", "noise", "erased", "paste")
AMPLITUDES = ("expected", "sampled", "texture")


@dataclass(frozen=True)
class Settings:
    """How to fill. None means the default for the task (`resolve`).

    Attributes
    ----------
    method : str
        "model", "noise" (interpolated spectral envelope), "erased", or "paste" (atoms of another
        time). Where only the sign is unknown, "noise" and "erased" keep the levels and draw signs.
    order : str or None
        A name in `ORDERINGS`; "velocity" reveals the loudest predicted atoms first.
    reverse : bool
        Start from the end of the ordering.
    steps : int or None
        Number of sampling steps.
    temperature : float or None
        Of the sampled features; 1 samples from the predicted distribution. With expected amplitudes
        nothing is sampled: atoms without a place get the most likely one.
    nucleus : float or None
        Sample levels from the most likely values that hold this probability. If it is given and
        `amplitudes` is not, amplitudes are "sampled".
    amplitudes : str or None
        "expected" is the expected signed amplitude (2p - 1) E|a|: least error, less energy.
        "sampled" draws levels one by one. "texture" adds the fine structure of noise, or of the
        octave below, to the mean predicted level (`amplitudes.py`).
    seed : int
        The same seed gives the same sound.
    using : str
        What the rest of the recording contributes to holes, boxes and continuations: "recording"
        copies from elsewhere, "partials" continues tones, "auto" does both, "texture" neither.
    source, not_from : str
        Spans of the sound, "START-END" in seconds, several separated by commas: the only ones that
        are copied, and those that are not. Without a source the best match is copied, and only
        where it matches well; what is copied from a chosen source replaces all of the fill.
    shift : float
        Seconds from the selection to the atoms that the method "paste" puts there, rounded to whole
        frames; negative for earlier ones.
    like : str
        The name of a reference recording and the mean levels of its bands (`like.levels_of`), to
        which highs are filled; empty for the levels that the rest of the sound predicts.
    timbre : int
        Code by which filled highs differ from the ones that the rest of the sound predicts, from 1,
        the darkest, to 16, the brightest (`priors/highs/timbre.py`); 0 for the most likely ones
        with seed 0, and a code drawn by its frequency with any other.
    """

    method: str = "model"
    order: str | None = None
    reverse: bool = False
    steps: int | None = None
    temperature: float | None = None
    nucleus: float | None = None
    amplitudes: str | None = None
    seed: int = 0
    using: str = "auto"
    source: str = ""
    not_from: str = ""
    shift: float = 0.0
    like: str = ""
    timbre: int = 0

    @property
    def is_texture(self) -> bool:
        """Whether the model fills with textures; of resolved settings."""
        return self.method == "model" and self.amplitudes == "texture"


@dataclass(frozen=True)
class Resolved(Settings):
    """Settings without None, as `resolve` returns them."""

    order: str = "random"
    steps: int = 1
    temperature: float = 1.0
    nucleus: float = 1.0
    amplitudes: str = "sampled"


class ModelOrdering(NamedTuple):
    """The user's ordering, for models whose tokens follow it."""

    name: str
    reverse: bool
    seed: int


def model_ordering(model: AtomModel, settings: Settings) -> ModelOrdering | None:
    """The ordering of a model's tokens; None where the model has serializations of its own."""
    if "order" not in model.config.serialisations:
        return None
    return ModelOrdering(settings.order or "random", settings.reverse, settings.seed)


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
