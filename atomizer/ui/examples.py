"""Stories: six fills that show at a click what the Atomizer does, each an example sound, a recipe and what to listen for.

Their results are cached so that they answer at once: `python -m atomizer stories` computes them. A cached result is found by the
checkpoint, the sound and the recipe that it was made from, so that one of another checkpoint is never played; it is computed anew.
Results are cached in half precision: done again from its settings, a story is the same to within three steps of 16 bits.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..atoms.selection import parse
from ..errors import AtomizerError
from ..inpainting.fill import Step
from ..inpainting.presets import PRESETS
from ..inpainting.recipe import Recipe
from ..inpainting.settings import ORDERED_STEPS, Settings
from ..inpainting.task import Task
from ..io import resources

ASSETS = resources.path("assets")
SHIPPED = ASSETS / "stories"  # what the command writes, to be shipped with a checkpoint
FORMAT = 3  # of the cached files, and of the sampler: raise it where the same recipe comes to sound differently

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Story:
    """id, title, listen (one sentence: what to listen for), sound (a file of assets/), and the recipe of the fill."""

    id: str
    title: str
    listen: str
    sound: str
    recipe: Recipe

    @property
    def path(self) -> Path:
        return ASSETS / self.sound


def _recipe(*select: str, features: str = "velocity,sign", order: str | None = None) -> Recipe:
    return Recipe(parse(select, features.split(",")), Settings(order=order))


STORIES = {
    story.id: story
    for story in (
        Story(
            "highs",
            "Bring back the highs",
            "Masked sounds as if behind a curtain; listen for the air around cymbals and shakers coming back.",
            "percussion.flac",
            _recipe("above:8000", order="frequency"),
        ),
        Story(
            "channel",
            "One channel lost",
            "With headphones: masked plays on the left only; listen for the instruments finding their places again.",
            "ensemble.flac",
            _recipe("channel:1", order="frequency"),
        ),
        Story(
            "hole",
            "A hole in time",
            "A note is cut out at 4 seconds; listen for whether the violin's tone runs through.",
            "solo.flac",
            _recipe("time:4-4.12", order="random"),
        ),
        Story(
            "continue",
            "Continue from here",
            "Everything after 9 seconds is the model's own; listen for where it takes the voices.",
            "voices.flac",
            _recipe("after:9", order="time"),
        ),
        Story(
            "compression",
            "The quietest 90 % gone",
            "Masked keeps one atom in ten and bubbles; listen for the room between the notes.",
            "band.flac",
            _recipe("quietest:90", order="velocity"),
        ),
        Story(
            "signs",
            "Scrambled signs",
            "Masked has every velocity right and half of the signs by chance; listen for the roughness leaving the tone.",
            "solo.flac",
            _recipe("random:50", features="sign", order="velocity"),
        ),
    )
}


def available() -> list[Story]:
    """The stories whose sounds are there."""
    return [story for story in STORIES.values() if story.path.is_file()]


def cache_folder() -> Path:
    """Where results are kept that were computed on this machine."""
    return Path(os.environ.get("ATOMIZER_CACHE") or Path.home() / ".cache" / "atomizer") / "stories"


def key_of(story: Story) -> str:
    """Names the result: by the checkpoint, the sound, the recipe, and what suits a recipe that leaves settings open."""
    suits = {name: asdict(preset) for name, preset in PRESETS.items()}
    recipe = json.dumps(
        [FORMAT, suits, ORDERED_STEPS, story.recipe.to_dict()], sort_keys=True
    ).encode()
    return hashlib.sha256(
        _checkpoint_hash().encode() + _hash(story.path).encode() + recipe
    ).hexdigest()[:16]


def cached(story: Story, task: Task) -> Step | None:
    """The result of a story's task, where it was computed before."""
    name = f"{story.id}-{key_of(story)}.npz"
    for folder in (SHIPPED, cache_folder()):
        if (folder / name).is_file():
            try:
                with np.load(folder / name, allow_pickle=False) as file:
                    grid = task.erased()
                    grid[task.mask] = file["values"].astype(np.float32) * file["scale"]
                    return Step(1, 1, grid, task.mask)
            except Exception:
                log.exception("A cached story cannot be read: %s", name)
    return None


def keep(story: Story, task: Task, step: Step, folder: Path | None = None) -> Path | None:
    """Cache a result, in half precision (66 dB below each atom); results of other checkpoints are removed.

    Returns the file, or None where this machine lets nothing be written: the story is then computed again next time.
    """
    folder = folder or cache_folder()
    values = step.grid[task.mask]
    scale = np.float32(max(float(np.abs(values).max(initial=0)), 1e-30))
    path = folder / f"{story.id}-{key_of(story)}.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        with open(partial, "wb") as file:
            np.savez_compressed(file, values=(values / scale).astype(np.float16), scale=scale)
        partial.replace(path)
        for old in folder.glob(f"{story.id}-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("A story cannot be cached: %s", error)
        return None
    return path


def build(folder: Path = SHIPPED, on_story=lambda story: None) -> list[Path]:
    """Compute every story that is not cached in `folder` yet; returns the files."""
    from .. import load_model
    from ..inpainting.fill import fill, last
    from ..io.audio import read

    paths, model = [], None
    for story in available():
        path = folder / f"{story.id}-{key_of(story)}.npz"
        if not path.is_file():
            on_story(story)
            model = model or load_model()
            task = story.recipe.task(read(story.path))
            if keep(story, task, last(fill(task, story.recipe.settings, model)), folder) is None:
                raise AtomizerError(f"The stories cannot be written into {str(folder)!r}.")
        paths.append(path)
    return paths


def _checkpoint_hash() -> str:
    from ..model.checkpoint import SHIPPED as checkpoint  # needs torch

    return "".join(_hash(checkpoint / name) for name in ("config.json", "model.safetensors"))


def _hash(path: Path) -> str:
    stat = path.stat() if path.is_file() else None
    return _hash_of(path, stat.st_mtime_ns, stat.st_size) if stat else "none"


@lru_cache(maxsize=64)
def _hash_of(path: Path, modified: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
