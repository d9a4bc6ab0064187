"""Variations in words: their titles, what they are made of, and all of their settings."""

from __future__ import annotations

from ..atoms.space import LOUDNESS
from ..inpainting.highs.like import name_of
from ..inpainting.highs.timbre import describe_timbre
from ..inpainting.origin import describe_origin
from ..inpainting.recipe import Recipe
from ..inpainting.settings import Resolved, Settings
from ..inpainting.step import Step
from ..inpainting.task import Task
from .decomposition import NAMES

FILLED_BY = {
    "model": "the model",
    "noise": "noise baseline",
    "erased": "nothing",
    "paste": "copied atoms",
}
MADE_BY = {
    "model": "predicted by the model",
    "noise": "noise as loud as what is around it",
    "erased": "erased, with nothing in its place",
    "paste": "copied atoms",
}


def title_of(recipe: Recipe, settings: Resolved) -> str:
    """Return a short title: what is added, the ordering and its steps, or noise, and the seed."""
    if settings.method == "paste":
        way = "later" if settings.shift > 0 else "earlier"
        return f"pasted from {abs(settings.shift):.2f} s {way}"
    words = ["noise"]
    if settings.method == "model":
        by = settings.order if settings.order == "random" else f"by {settings.order}"
        words = [
            by + (" reversed" if settings.reverse else ""),
            "1 step" if settings.steps == 1 else f"{settings.steps} steps",
        ]
    if settings.like:
        words.append(f"highs like {reference_of(settings)}")
    if recipe.atomizer != "mdct":
        words.append(f"on {NAMES[recipe.atomizer]}")
    return ", ".join([*_added_by(recipe), *words, f"seed {settings.seed}"])


def summary_of(recipe: Recipe, step: Step, task: Task, settings: Resolved, rate: int) -> str:
    """Return in plain words what a fill adds, and what it is made of.

    step      the last one of the fill
    settings  of `resolve`
    rate      samples per second of the result; the input has fewer where highs are added
    """
    words = describe_origin(step, task, settings)
    if settings.timbre:  # says how the prediction was changed, not what it is made of
        words = (MADE_BY[settings.method], *words)
    origin = ", ".join(words) or MADE_BY[settings.method]
    origin += f", with highs like {reference_of(settings)}" if settings.like else ""
    added = _added_by(recipe)
    heard = task.sound.rate / 2000
    added += [f"highs above {heard:g} kHz"] if task.sound.rate < rate else []
    text = ": ".join([*added, origin])
    return text[0].upper() + text[1:] + (", stopped early" if recipe.stop_after else "")


def details_of(recipe: Recipe, settings: Resolved) -> list[tuple[str, str]]:
    """Return all settings as (name, text)."""
    rows = [
        ("filled in by", FILLED_BY[settings.method]),
        ("unknown", ", ".join(recipe.selection.features or LOUDNESS)),
    ]
    if settings.method == "model":
        rows += [
            ("ordering", settings.order + (", reversed" if settings.reverse else "")),
            ("steps", str(settings.steps)),
            ("amplitudes", settings.amplitudes),
            ("temperature", f"{settings.temperature:g}"),
            ("nucleus", f"{settings.nucleus:g}"),
            ("using", settings.using),
        ]
    timbre = describe_timbre(settings.timbre).removeprefix("timbre ") if settings.timbre else ""
    like = reference_of(settings) if settings.like else ""
    given = [("source", settings.source), ("not from", settings.not_from)]
    given += [("timbre", timbre), ("highs like", like)]
    return [*rows, *(row for row in given if row[1]), ("seed", str(settings.seed))]


def reference_of(settings: Settings) -> str:
    """Return the name of the reference recording of a fill; a settings file may have none."""
    return name_of(settings.like) or "another recording"


def _added_by(recipe: Recipe) -> list[str]:
    """What a recipe adds to the sound: time, or a channel."""
    added = [f"{recipe.extend:g} s longer"] if recipe.extend else []
    return added + (["a second channel"] if recipe.add_channels else [])
