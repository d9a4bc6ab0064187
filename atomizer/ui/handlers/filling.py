"""Fills: of the selection, past the end, of a channel, of the highs, with noise, by pasting.

`pressed` is when the visitor pressed the button of a fill, in ms by the browser's clock, or None. A
fill that was pressed before Stop, or before another sound was chosen, does not begin after it.
`controls` are the fields of FillControls and the number of variations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...atoms.selection import Selection
from ...inpainting.recipe import Recipe
from ...inpainting.settings import Settings
from ...inpainting.time_domain.fades import has_faded_out
from ..message import Chosen, Message
from ..session import Session
from . import responses
from .recipes import (
    RecipeMaker,
    brighten_recipe,
    extend_recipe,
    noise_recipe,
    paste_recipe,
    recipes_of,
    refill_recipe,
    widen_recipe,
)
from .responses import has_variation, is_active
from .running import run


def fill_selection(
    chosen: Chosen,
    session: Session | None,
    features: list[str],
    *controls,
    pressed: float | None = None,
) -> Iterator[Message]:
    """Fill the unknown features of the selected atoms."""
    if is_active(session):
        session.features = features

    def make_recipe(session: Session, settings: Settings) -> Recipe:
        return Recipe(Selection.from_dict({**chosen, "features": features}), settings)

    yield from _fill(session, make_recipe, controls, pressed, chosen.key)


def continue_sound(
    session: Session | None, seconds: float | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Continue the sound past its end."""

    def make_recipe(session: Session, settings: Settings) -> Recipe:
        recipe = extend_recipe(settings, seconds)
        if has_faded_out(session.sound):
            responses.warn(
                "The sound has faded out, so silence is added. To continue what sounds before, "
                "cut the end off, or select the fade and fill it in.",
                title="Nothing to continue",
            )
        return recipe

    yield from _fill(session, make_recipe, controls, pressed)


def add_channel(
    session: Session | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Add a second channel to a mono sound."""
    yield from _fill(session, lambda _, settings: widen_recipe(settings), controls, pressed)


def extend_bandwidth(
    session: Session | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Add the highs above the Nyquist frequency of a low sample rate."""
    yield from _fill(session, brighten_recipe, controls, pressed)


def _fill(
    session: Session | None,
    make_recipe: RecipeMaker,
    controls: tuple,
    pressed: float | None,
    key: str = "",
) -> Iterator[Message]:
    """Run a recipe with the values of the controls, as often as variations are wanted."""
    yield from run(
        session, lambda session: recipes_of(session, make_recipe, controls), key, pressed
    )


def compare_with_noise(
    session: Session | None, number: Any, pressed: float | None = None
) -> Iterator[Message]:
    """Repeat the fill of a variation with the noise baseline, to hear what the model adds."""
    yield from run(
        session, lambda session: [noise_recipe(session, number)], _key(session, number), pressed
    )


def fill_from_source(
    session: Session | None,
    number: Any,
    source: Any = None,
    not_from: Any = None,
    pressed: float | None = None,
) -> Iterator[Message]:
    """Repeat the fill of a variation from another span of the recording, or without a span.

    source, not_from  (start, stop) in seconds; a source replaces those before, and spans that must
                      not be copied add up
    """

    def make_recipes(session: Session) -> list[Recipe]:
        return [refill_recipe(session, number, source, not_from)]

    yield from run(session, make_recipes, _key(session, number), pressed)


def paste(
    chosen: Chosen, session: Session | None, shift: Any = None, pressed: float | None = None
) -> Iterator[Message]:
    """Put the atoms that lie `shift` seconds away in the place of the selected ones."""
    yield from run(session, lambda _: [paste_recipe(chosen, shift)], chosen.key, pressed)


def _key(session: Session | None, number: Any) -> str:
    """Return the key of the selection that a variation fills; empty without this variation."""
    return session.variation(number).key if has_variation(session, number) else ""
