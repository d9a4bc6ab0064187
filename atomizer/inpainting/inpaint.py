"""Inpainting in one call: prepare, fill, render."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..atoms.selection import Selection, parse
from ..atoms.space import parse_features
from ..errors import AtomizerError
from ..io.audio import Sound
from .fill import needs_model
from .highs.like import levels_of
from .recipe import Recipe
from .repair import split_defects
from .repair_first import repair_first
from .settings import Settings

if TYPE_CHECKING:
    from ..model.inference import AtomModel


def inpaint(
    sound: Sound,
    selection: str | Iterable[str] | Selection = (),
    *,
    model: AtomModel | None = None,
    extend: float = 0.0,
    add_channels: int = 0,
    like: Sound | None = None,
    **settings: Any,
) -> Sound:
    """Fill in a part of a sound, continue it, or add channels to it.

    Parameters
    ----------
    sound : Sound
        The input, as `read` returns it.
    selection : str, iterable of str, or Selection
        What is unknown: a specification such as "above:8000", several of them, or a selection of
        `parse` or `Selection.from_json`. May be empty with `extend` or `add_channels`. "clicks",
        "clipped" and "dropouts" are found in the sound (`repair`).
    model : AtomTransformer, optional
        From `load_model`; by default the shipped model is loaded at every call that needs it.
    extend : float
        Seconds by which the sound is continued.
    add_channels : int
        Number of channels to add.
    like : Sound, optional
        A reference recording, which gives filled highs their levels, such as another part of the
        same recording without the cutoff.
    **settings
        `features` (names of the unknown features) and the fields of `Settings`: `method`, `order`,
        `reverse`, `steps`, `temperature`, `nucleus`, `amplitudes`, `seed`, `using`, `source`,
        `not_from`, `shift`, `timbre`.

    Returns
    -------
    Sound
        The input plus the change in the selected part; other samples are unchanged.

    Raises
    ------
    AtomizerError
        The selection contains no atom of the sound, a value is out of range, there is no model, or
        `sound` is something else, such as the name of a file; the reference recording `like` is
        silent, too short, or has no highs above the cutoff.

    Examples
    --------
    >>> from atomizer import inpaint, read, write
    >>> write("out.wav", inpaint(read("in.wav"), "above:8000", seed=1))  # doctest: +SKIP
    """
    if not isinstance(sound, Sound):
        raise AtomizerError(
            f"inpaint fills a Sound, which read(FILE) returns, not {type(sound).__name__}."
        )
    features = settings.pop("features", None)
    if like is not None:
        settings["like"] = levels_of(like)
    chosen = Settings(**settings)
    if isinstance(selection, str):
        selection = [selection]
    defects: list[str] = []
    if not isinstance(selection, Selection):
        defects, rest = split_defects(selection)
        selection = parse(rest)
    if features is not None:
        selection = replace(selection, features=parse_features(features))
    recipe = Recipe(selection, chosen, extend, add_channels)
    repaired, left = repair_first(sound, defects, [recipe])
    sound = repaired.sound
    for recipe in left:
        task = recipe.task(sound)
        if model is None and needs_model(task, chosen):
            from ..model.checkpoint import load  # loads torch

            model = load()
        sound = recipe.run(sound, task, model)
    return sound
