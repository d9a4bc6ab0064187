"""The recipes of the buttons that fill, from what a visitor selected and entered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...atoms.selection import Region, Selection
from ...atoms.space import LOUDNESS, AtomSpace
from ...errors import AtomizerError
from ...inpainting.acting import acting_settings
from ...inpainting.recipe import Recipe, vary_seed
from ...inpainting.settings import Settings
from ...inpainting.source_spans import Span, spans_text, widened
from ...limits import limits
from ..message import Chosen, Variation
from ..session import Session, jobs
from .controls import FillControls, parse_integer, parse_number, settings_of
from .responses import has_variation

RecipeMaker = Callable[[Session, Settings], Recipe]


def recipes_of(session: Session, make_recipe: RecipeMaker, controls: tuple) -> list[Recipe]:
    """Return a recipe as often as variations are wanted, each with another seed.

    `controls` are the fields of FillControls and the number of variations. Raises AtomizerError for
    invalid ones.
    """
    *values, count = controls
    fields = FillControls(*values)
    count = parse_integer("number of variations", count) or 1
    if not 1 <= count <= limits().variations:
        raise AtomizerError(
            f"1 to {limits().variations} variations are possible at a time, not {count}."
        )
    recipe = with_default_seed(session, make_recipe(session, settings_of(fields)), fields)
    recipe = _with_reference(session, recipe)
    return vary_seed(jobs.for_shown_atoms(session, recipe), count)


def extend_recipe(settings: Settings, seconds: Any) -> Recipe:
    """Return the recipe of Extend. Raises AtomizerError for seconds that are no number."""
    return Recipe(settings=settings, extend=parse_number("seconds", seconds) or 0.0)


def widen_recipe(settings: Settings) -> Recipe:
    """Return the recipe of Widen, for a mono sound."""
    return Recipe(settings=settings, add_channels=1)


def brighten_recipe(session: Session, settings: Settings) -> Recipe:
    """Return the recipe of Brighten: everything above the Nyquist frequency of a low rate."""
    nyquist = session.sound.rate / 2
    return Recipe(Selection((Region(f=(nyquist, None)),)), settings)


def paste_recipe(chosen: Chosen, shift: Any) -> Recipe:
    """Return the recipe that pastes the atoms `shift` seconds away from the selected ones."""
    selection = Selection.from_dict({**chosen, "features": list(LOUDNESS)})
    seconds = parse_number("shift", shift) or 0.0
    return Recipe(selection, Settings(method="paste", shift=seconds))


def noise_recipe(session: Session, number: Any) -> Recipe:
    """Return the recipe of a variation with the noise baseline in place of the model."""
    if not has_variation(session, number):
        raise AtomizerError("There is no fill to compare with noise: fill something in first.")
    recipe = session.stored[number].recipe
    settings = replace(recipe.settings, method="noise", like="")  # noise has its own levels
    return replace(recipe, settings=settings, stop_after=0)


def refill_recipe(session: Session, number: Any, source: Any, not_from: Any) -> Recipe:
    """Return the recipe of a variation with another source, or without one.

    source, not_from  spans from the browser: the one to copy from, or one not to copy from
    """
    if not has_variation(session, number):
        raise AtomizerError("There is no fill whose source could be changed.")
    recipe = session.stored[number].recipe
    if recipe.settings.method == "paste":
        return _moved_paste(recipe, session.variation(number), source)
    chosen = "" if source is None else _source_text(source, session.sound.seconds)
    barred = [] if chosen else [recipe.settings.not_from, spans_text([_span_of(not_from)])]
    settings = replace(recipe.settings, source=chosen, not_from=",".join(filter(None, barred)))
    return replace(recipe, settings=settings, stop_after=0)


def _moved_paste(recipe: Recipe, variation: Variation, source: Any) -> Recipe:
    """Return the recipe that pastes from a span that begins elsewhere."""
    if source is None:
        raise AtomizerError("Pasted atoms come from one place: drag it to another one.")
    moved = _span_of(source)[0] - variation.sources[0].source[0]
    settings = replace(recipe.settings, shift=recipe.settings.shift + moved)
    return replace(recipe, settings=settings, stop_after=0)


def _source_text(span: Any, seconds: float) -> str:
    """Return a span to copy from, wide enough for a hole of its length, as text of the settings."""
    return spans_text([widened(_span_of(span), seconds, AtomSpace())])


def _span_of(span: Any) -> Span:
    """Return a span that comes from the browser."""
    try:
        start, stop = (float(value) for value in span)
    except (TypeError, ValueError) as error:
        raise AtomizerError("A source is a start and an end in seconds.") from error
    return start, stop


def with_default_seed(session: Session, recipe: Recipe, fields: FillControls) -> Recipe:
    """Return the recipe with the default seed where none was entered."""
    if fields.entered_seed is not None:
        return recipe
    return recipe.with_seed(session.default_seed(recipe))


def _with_reference(session: Session, recipe: Recipe) -> Recipe:
    """Return the recipe with the reference recording of the session, where it acts."""
    if session.like and "like" in acting_on(session, recipe):
        return replace(recipe, settings=replace(recipe.settings, like=session.like))
    return recipe


def acting_on(session: Session, recipe: Recipe) -> tuple[str, ...]:
    """Settings that act on a fill (`acting_settings`); the fill itself says what is invalid."""
    try:
        if recipe.extend or recipe.add_channels:
            task = recipe.outline(session.sound)
        else:
            task = session.check_selection(recipe.selection, recipe.settings.seed)
        return acting_settings(recipe.settings, task)
    except AtomizerError:
        return ()
