"""Repair, then fill: defects of a sound are filled in before recipes are applied to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound
from .recipe import Recipe
from .repair import Repaired, repair
from .settings import Settings


def repair_first(
    sound: Sound, kinds: Sequence[str], recipes: Sequence[Recipe]
) -> tuple[Repaired, list[Recipe]]:
    """Repair defects of a sound, with the settings of the first recipe that is applied to it.

    kinds  names in `analysis.defects.DETECTORS`; may be empty

    Returns the repaired sound, and the recipes that are left (`recipes_after_repair`).
    """
    repaired = Repaired(sound, [], Selection())
    if kinds:
        repaired = repair(sound, kinds, settings_of_repair(recipes))
    return repaired, recipes_after_repair(recipes, kinds, repaired.selection)


def settings_of_repair(recipes: Sequence[Recipe]) -> Settings:
    """Settings of a repair before recipes: those of the first one."""
    return recipes[0].settings if recipes else Settings()


def recipes_after_repair(
    recipes: Sequence[Recipe], kinds: Sequence[str], holes: Selection
) -> list[Recipe]:
    """The recipes that are left after a repair.

    The first one fills in the long dropouts, too; it is left out if it has nothing to fill.

    kinds  names of the defects that were repaired; without any, all recipes are left as they are
    holes  the long dropouts (`Repaired.selection`)

    Raises AtomizerError if the selection of the first recipe is narrowed: nothing of a dropout
    stands out.
    """
    if not kinds or not recipes:
        return list(recipes)
    selection = recipes[0].selection
    _check_not_narrowed(selection, kinds)
    first = replace(recipes[0], selection=selection + holes)
    return [first, *recipes[1:]] if first.fills_anything else list(recipes[1:])


def _check_not_narrowed(selection: Selection, kinds: Iterable[str]) -> None:
    if selection.standout is not None:
        raise AtomizerError(
            f"{', '.join(kinds)} cannot be narrowed to what stands out: repair them in a call of"
            " their own."
        )
