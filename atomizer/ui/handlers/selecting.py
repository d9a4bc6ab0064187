"""A selection, or a feature of it, changes, or comes from a settings file."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ...atoms.beats import NoBeat
from ...atoms.selection import Selection
from ...atoms.space import parse_features
from ...errors import AtomizerError
from ...inpainting.acting import acting_settings
from ...inpainting.highs.timbre import without_idle_timbre
from ...inpainting.recipe import Recipe, parse_recipes
from ...inpainting.resolve import check_settings
from ...inpainting.settings import Settings
from ...inpainting.shaping import FillShape
from ...inpainting.work import Work, work_of
from ..message import Chosen, Message
from ..session import Session, scenes
from . import responses
from .controls import METHOD_TITLES, FillControls, parse_integer, settings_of
from .estimating import ADDITIONS, FILL, plan
from .fill_status import fill_status
from .recipes import (
    acting_on,
    brighten_recipe,
    extend_recipe,
    widen_recipe,
    with_default_seed,
)
from .responses import is_active, no_session, sentence_of


def describe(
    chosen: Chosen, session: Session | None, features: list[str], *controls: Any
) -> Message:
    """Mark the selected parts, and say what the next step is, and how long it will take.

    The status message has the problem instead, if there is one.

    controls  as in filling.py
    """
    if not is_active(session):
        return no_session(session)
    session.features = features
    session.has_selection = bool(chosen.get("regions") or chosen.get("parts"))
    number, refused = session.revision, ""
    loaded = session.shown.loaded  # is in the selection by now
    planned = None
    try:
        status, planned = _check(chosen, features, controls, session)
    except Exception as error:
        status = sentence_of(error)
        if isinstance(error, NoBeat):  # the page takes it out, and keeps the rest of the selection
            refused = next(part for part in chosen["parts"] if part.startswith("beats:"))
    session.update(refused=refused, described=chosen.key)
    plan(session, {FILL: planned})
    session.drop_loaded(loaded)
    return _publish(session, status, number, chosen.key, features)


def plan_additions(session: Session | None, seconds: Any, *controls: Any) -> None:
    """Find how long Extend, Widen and Brighten will take, and which settings act on them.

    The next message has the former, and the latter where nothing is selected. `controls` are as in
    filling.py.
    """
    if not is_active(session):
        return
    *values, count = controls
    planned: dict[str, tuple[Work, int] | None] = dict.fromkeys(ADDITIONS)
    with suppress(AtomizerError):  # a control is invalid: pressing a button says so
        settings = settings_of(FillControls(*values))
        settings = replace(settings, timbre=0)  # takes no time, and the outline has no atoms
        times = parse_integer("number of variations", count) or 1
        for name, recipe in _additions(session, settings, seconds).items():
            with suppress(AtomizerError):  # the sound would become too long
                planned[name] = work_of(recipe.outline(session.sound), settings), times
        if not session.has_selection and session.shown.proposal is None:
            session.update(acting=_acting_on_additions(session, settings))
    plan(session, planned)


def _additions(session: Session, settings: Settings, seconds: Any) -> dict[str, Recipe]:
    """Return the recipes of those of Extend, Widen and Brighten that a sound can have."""
    recipes = {}
    with suppress(AtomizerError):
        recipes["extend"] = extend_recipe(settings, seconds)
    if session.sound.channels == 1:
        recipes["widen"] = widen_recipe(settings)
    if session.sound.rate < session.space.rate:
        recipes["brighten"] = brighten_recipe(session, settings)
    return recipes


def _acting_on_additions(session: Session, settings: Settings) -> tuple[str, ...]:
    """Return the settings that act on Extend, Widen or Brighten, however long they are."""
    recipes = _additions(session, settings, seconds=1).values()
    acting = {name for recipe in recipes for name in acting_on(session, recipe)}
    return tuple(sorted(acting))


def leave_example(chosen: Chosen, session: Session | None) -> Recipe | None:
    """Return the recipe of the example whose selection has changed just now, or None.

    Its settings are not meant for the visitor's own selection.
    """
    if not is_active(session) or session.example_recipe is None:
        return None
    recipe = session.example_recipe
    features = recipe.selection.features
    with suppress(AtomizerError):
        if Selection.from_dict({**chosen, "features": features}) == recipe.selection:
            return None
    session.example_recipe = None
    return recipe


def load_settings(session: Session | None, request: Any) -> tuple[Message, Recipe | None]:
    """Take the last fill of a settings file: the selection here, the controls by its recipe.

    `request` is {text, name}. The recipe is None where the file is not one that fits the sound.
    """
    if not is_active(session):
        if session is None:
            responses.warn("Load a sound first.", title="Not loaded")
        return no_session(session), None
    try:
        request = request if isinstance(request, dict) else {}
        recipes = parse_recipes(str(request.get("text", "")))
        if not recipes:
            raise AtomizerError("This settings file has no fill.")
        recipe = recipes[-1]
        check_settings(recipe.settings)
        selection = recipe.selection
        data = selection.to_dict()
        if data["regions"] or data.get("parts"):
            session.check_selection(selection, recipe.settings.seed)
        proposal = scenes.proposal_of(selection, secrets.token_hex(6))
    except Exception as error:
        sentence = sentence_of(error)
        responses.warn(sentence, title="Not loaded")
        return session.publish(sentence), None
    session.features, session.example_recipe = list(selection.features), None
    session.like = recipe.settings.like
    session.update(loaded=proposal)
    return session.publish(_loaded_status(str(request.get("name")), recipes)), recipe


def _loaded_status(name: str, recipes: list[Recipe]) -> str:
    """Return what to press for the last of these recipes, and what the page cannot take of it."""
    recipe = recipes[-1]
    button = "Extend" if recipe.extend else "Widen" if recipe.add_channels else "Fill in"
    which = f"The last of {len(recipes)} fills of {name} is" if recipes[1:] else f"{name} is"
    settings, usual = recipe.settings, Settings()
    left_out = [
        field
        for field in ("amplitudes", "source", "not_from", "shift")
        if getattr(settings, field) != getattr(usual, field)
    ]
    if settings.method not in METHOD_TITLES:
        left_out.insert(0, f"method {settings.method}")
    if recipe.atomizer != "mdct":
        left_out.append("atomizer")
    if recipe.shape != FillShape():
        left_out.append("shape")
    without = f", without its {', '.join(left_out)}" if left_out else ""
    return f"{which} loaded{without}: press {button}."


def _check(
    chosen: Chosen, features: list[str], controls: tuple, session: Session
) -> tuple[str, tuple[Work, int] | None]:
    """Mark the selected parts; returns the status message, and the work and number of fills.

    Raises AtomizerError.
    """
    *values, count = controls
    fields = FillControls(*values)
    settings = settings_of(fields)
    selection = Selection.from_dict({**chosen})
    settings = with_default_seed(session, Recipe(selection, settings), fields).settings
    is_empty = not chosen["regions"] and not chosen["parts"]
    # what stands out takes long to find: the task says which atoms do
    is_narrowed = selection.standout is not None and session.pursuit is None
    if is_empty or not is_narrowed:
        scenes.show_parts(session, selection, settings.seed, chosen.key)
    if is_empty:
        session.update(acting=_acting_on_additions(session, settings))
        return (
            "Nothing is selected: drag over the spectrogram with a tool such as Box, "
            "or add a preset."
        ), None
    selection = replace(selection, features=parse_features(features))
    task = session.check_selection(selection, settings.seed)
    if is_narrowed:
        scenes.show_parts(session, selection, settings.seed, chosen.key, task.mask)
    acting = acting_settings(settings, task)
    session.update(acting=acting)
    if "like" in acting:
        settings = replace(settings, like=session.like)
    times = parse_integer("number of variations", count) or 1
    planned = work_of(task, without_idle_timbre(settings, task)), times
    if session.pursuit is None:
        return "Ready: press Fill in.", planned
    scenes.hide_other_variation(session, chosen.key)
    return (
        "Masked plays the sound without the selected atoms; "
        "the model fills erased parts with MDCT atoms."
    ), planned


def _publish(session: Session, status: str, number: int, key: str, features: list[str]) -> Message:
    """Publish the status of a selection, unless that of a fill stays.

    A fill that began or ended since message `number` keeps its status. The selection of the
    variation that is shown keeps the status of its fill; a selection that was removed and made
    again gets it back.
    """
    with session.lock:
        variation = session.current_variation
        if session.revision != number:
            status = session.status
        elif not session.is_filled(key, features):
            session.selection_status = status
        elif session.status != session.selection_status or variation is None:
            status = session.status
        else:
            status = fill_status(variation)
        return session.publish(status)
