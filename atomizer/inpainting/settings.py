"""Settings of a fill; `resolve.py` replaces open ones by the defaults for a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..model.inference import AtomModel

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
