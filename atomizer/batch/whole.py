"""A file that is filled as a whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..inpainting.erase import erase_atoms
from ..inpainting.fill import needs_model
from ..inpainting.highs.cutoff import describe_cutoff, resolve_for
from ..inpainting.origin import describe_origin
from ..inpainting.recipe import Recipe
from ..inpainting.repair_first import repair_first
from ..inpainting.resolve import resolve
from ..io.audio import Sound, check_writable, write
from .request import Outcome, Request, Watch

if TYPE_CHECKING:
    from ..analysis.cutoff import Cutoff
    from ..inpainting.step import Step


def fill_whole(sound: Sound, target: Path, request: Request, watch: Watch) -> Outcome:
    """Fill in a sound, and write a file."""
    outcome = Outcome(target, warnings=[sound.note] if sound.note else [])
    repaired, recipes = repair_first(sound, request.defects, request.recipes)
    sound = repaired.sound
    outcome.add_defects(request, repaired.defects)
    has_pursuit = request.pursuit is not None and bool(recipes)
    if has_pursuit:
        outcome.cutoff = _resolve_cutoff(recipes, sound, outcome)
    _check_whole(target, sound, recipes, request)
    if has_pursuit:
        sound, recipes = _erase(sound, recipes[0], request, outcome)
    for recipe in recipes:
        sound = _run_recipe(recipe, sound, request, outcome, watch)
    report = write(target, sound, request.peaks)
    outcome.warnings += [report] if report else []
    outcome.seconds, outcome.channels, outcome.rate = sound.seconds, sound.channels, sound.rate
    return outcome


def _check_whole(target: Path, sound: Sound, recipes: list[Recipe], request: Request) -> None:
    """Raise AtomizerError for errors of the recipes or the format, before a model is loaded."""
    rate, channels = sound.rate, sound.channels
    if recipes:
        task = recipes[0].task(sound)
        resolve(recipes[0].settings, task)
        channels += sum(max(0, recipe.add_channels) for recipe in recipes)
        if request.pursuit is None or recipes[0].settings.method != "erased":
            rate = task.output_rate
    check_writable(target, rate, channels, sound.subtype)


def _run_recipe(
    recipe: Recipe, sound: Sound, request: Request, outcome: Outcome, watch: Watch
) -> Sound:
    """Fill in a sound by one recipe; the model is loaded if this fill needs it."""
    task = recipe.task_after_erasing(sound)
    settings = resolve(recipe.settings, task)
    model = None
    if request.load is not None and needs_model(task, recipe.settings):
        model = request.load()

    def on_step(step: Step) -> None:
        if step.number == step.total:
            outcome.sources += step.sources
            made_of = describe_origin(step, task, settings)
            outcome.notes += [f"Filled in: {', '.join(made_of)}."] if made_of else []
        if watch.on_step is not None:
            watch.on_step(step)

    outcome.cutoff = outcome.cutoff or task.cutoff
    outcome.notes += task.notes
    return recipe.run(sound, task, model, on_step)


def _resolve_cutoff(recipes: list[Recipe], sound: Sound, outcome: Outcome) -> Cutoff | None:
    """Replace `above:auto` in the first recipe, whose atoms are those of a pursuit."""
    selection, cutoff = resolve_for(recipes[0].selection, sound)
    recipes[0] = replace(recipes[0], selection=selection)
    if cutoff is not None:
        outcome.notes.append(describe_cutoff(cutoff))
    return cutoff


def _erase(
    sound: Sound, recipe: Recipe, request: Request, outcome: Outcome
) -> tuple[Sound, list[Recipe]]:
    """The sound without the selected pursuit atoms, and the recipes that are left."""
    assert request.pursuit is not None
    recipe.check_pursuit()
    residual = erase_atoms(sound, recipe.selection, request.pursuit, recipe.settings.seed)
    outcome.notes.append(f"{residual} remain.")
    if recipe.settings.method != "erased":
        outcome.notes.append(
            "The region is filled in by the MDCT model, on top of the sound of the atoms that"
            " remain."
        )
    return residual.sound, recipe.after_erasing()
