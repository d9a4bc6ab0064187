"""Variations: the stored files, metrics against the original, titles and details."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import metrics
from ..atoms.space import LOUDNESS
from ..inpainting.highs.like import name_of
from ..inpainting.highs.timbre import describe_timbre
from ..inpainting.origin import describe_origin
from ..inpainting.recipe import Recipe
from ..inpainting.settings import Resolved, Settings
from ..inpainting.shaping import spans_of
from ..inpainting.step import Step
from ..inpainting.task import Task
from ..io.audio import Sound
from .decomposition import NAMES

METRIC_RATE = 44_100
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
MIN_SAMPLES = metrics.SIZE * 4  # the shortest span that a spectral distance is measured on


@dataclass(frozen=True)
class StoredVariation:
    """A variation on the server: its recipe, and files with the exact filled and masked sound.

    digest  of the samples of the filled sound
    """

    recipe: Recipe
    filled: Path
    masked: Path
    digest: str


def digest_of(sound: Sound) -> str:
    """Return a text that two sounds share only if they have the same samples."""
    return hashlib.blake2b(sound.samples.tobytes()).hexdigest()


def judge(
    task: Task, step: Step, filled: Sound, recipe: Recipe
) -> tuple[float | None, float | None]:
    """Return SNR in dB and log-spectral distance of a fill against the original.

    The SNR is that of the selected atoms, the distance that of the smallest span and band around
    them. A metric is None where there is no reference for it.
    """
    hidden = task.grid[task.mask]
    is_restored = not (recipe.extend or recipe.add_channels or recipe.settings.method == "paste")
    if not is_restored or not np.any(hidden):
        return None, None
    snr = metrics.snr_db(hidden[None], step.grid[task.mask][None])
    channels, frames, bins = (
        np.flatnonzero(task.mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))
    )
    reference, estimate = metrics.normalise(
        task.sound.at(METRIC_RATE)[channels], filled.at(METRIC_RATE)[channels]
    )
    start, end = (
        round(float(task.space.seconds(frames[k])) * METRIC_RATE) + shift * task.space.hop
        for k, shift in ((0, -1), (-1, 1))
    )
    start = max(0, min(start, reference.shape[1] - MIN_SAMPLES))
    span = slice(start, max(end, start + MIN_SAMPLES))
    low, high = (float(task.space.hertz(bins[k])) for k in (0, -1))
    top = min(high, task.sound.rate / 2)
    if top <= low + METRIC_RATE / metrics.SIZE:  # narrower than a bin of the transform
        return snr, None
    return snr, metrics.lsd(reference[:, span], estimate[:, span], low, top)


def has_reference(recipe: Recipe) -> bool:
    """Whether the original is surely what a fill should sound like.

    It is where velocities or signs are kept, and where atoms are erased by their rank. An erased
    region of a visitor's own sound may hold a cough: no metric says how well that is replaced.
    """
    return not (recipe.selection.erases and recipe.selection.regions)


def level_difference(task: Task, step: Step) -> float | None:
    """Return the level of the filled atoms in dB relative to the original ones.

    None where nothing was filled in.
    """
    original, filled = (
        float(np.sum(grid[task.mask].astype(np.float64) ** 2)) for grid in (task.grid, step.grid)
    )
    return 10 * math.log10(filled / original) if original > 0 and filled > 0 else None


def changed_spans(masked: Sound, filled: Sound) -> list[tuple[float, float]]:
    """Return (start, stop) in seconds of the spans in which two sounds of one size differ."""
    spans = spans_of(filled.samples - masked.samples, filled.rate)
    return [(start / filled.rate, stop / filled.rate) for start, stop in spans]


def title_of(recipe: Recipe, settings: Resolved) -> str:
    """Return a short title: what is added, the ordering and its steps, or noise, and the seed."""
    if settings.method == "paste":
        way = "later" if settings.shift > 0 else "earlier"
        return f"pasted from {abs(settings.shift):.2f} s {way}"
    beyond = [f"{recipe.extend:g} s longer"] if recipe.extend else []
    beyond += ["a second channel"] if recipe.add_channels else []
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
    return ", ".join([*beyond, *words, f"seed {settings.seed}"])


def reference_of(settings: Settings) -> str:
    """Return the name of the reference recording of a fill; a settings file may have none."""
    return name_of(settings.like) or "another recording"


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
    beyond = [f"{recipe.extend:g} s longer"] if recipe.extend else []
    beyond += ["a second channel"] if recipe.add_channels else []
    heard = task.sound.rate / 2000
    beyond += [f"highs above {heard:g} kHz"] if task.sound.rate < rate else []
    text = ": ".join([*beyond, origin])
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
