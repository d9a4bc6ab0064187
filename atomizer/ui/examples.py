"""Examples: eight fills that show at a click what the Atomizer does.

Each has a sound, a recipe and a sentence on what to listen for. Their results are cached, so that
they answer at once: `python -m atomizer examples` computes them. The name of a cached result
contains a hash of the checkpoint, the sound and the recipe, so one of another checkpoint is never
played. Results are cached in half precision: computed again from its settings, an example is the
same to within three steps of 16 bits.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..atoms.selection import parse
from ..errors import AtomizerError
from ..inpainting.fill import Step
from ..inpainting.presets import PRESETS
from ..inpainting.recipe import Recipe
from ..inpainting.resolve import ORDERED_STEPS
from ..inpainting.settings import Settings
from ..inpainting.task import Task
from ..io import resources
from ..priors.recording.context import CopySource
from .published import cache_folder

ASSETS = resources.path("assets")
SHIPPED = ASSETS / "examples"  # results of the shipped checkpoint
# of the cached files and of the sampler: raise it when the same recipe begins to sound different
FORMAT = 12

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Example:
    """An example on the page.

    listen  one sentence: what to listen for
    sound   name of a file in assets/
    is_faulty  whether the sound has a fault in the selection: it is played first, and no metric
               compares with it
    """

    id: str
    title: str
    listen: str
    sound: str
    recipe: Recipe
    is_faulty: bool = False

    @property
    def path(self) -> Path:
        """The sound file."""
        return ASSETS / self.sound


def _recipe(*select: str, features: str = "velocity,sign", order: str | None = None) -> Recipe:
    return Recipe(parse(select, features.split(",")), Settings(order=order))


def _lost_packets(seconds: float, apart: float = 0.25, length: float = 0.02) -> list[str]:
    """Selections of the packets of a call that are lost, one every `apart` seconds."""
    starts = apart * np.arange(1, seconds / apart + 1)
    return [f"time:{start:g}-{start + length:g}" for start in starts]


EXAMPLES = {
    example.id: example
    for example in (
        Example(
            "phone",
            "Take the phone out of the music",
            "A phone rings over the music at 5 seconds; "
            "listen for the notes of the melody, which are there again.",
            "phone.flac",
            _recipe("rect:4.95,7.6,900,5000", order="random"),
            is_faulty=True,
        ),
        Example(
            "highs",
            "Bring back the highs",
            "Masked sounds muffled; listen for the air returning around the cymbals and shakers.",
            "percussion.flac",
            _recipe("above:8000", order="frequency"),
        ),
        Example(
            "channel",
            "Lost channel",
            "With headphones: masked plays on the left only; "
            "listen for the instruments returning to their places.",
            "ensemble.flac",
            _recipe("channel:1", order="frequency"),
        ),
        Example(
            "hole",
            "Repair a dropout",
            "A note is cut out at 4 seconds; listen for whether the violin's tone is unbroken.",
            "solo.flac",
            _recipe("time:4-4.12", order="random"),
        ),
        Example(
            "packets",
            "Lost packets",
            "Four times a second, 20 ms of a call are lost; "
            "listen for the clicks going away, and for the words running on.",
            "speech.flac",
            _recipe(*_lost_packets(seconds=7.75), order="time"),
        ),
        Example(
            "continue",
            "Continue from here",
            "Everything after 9 seconds is from the model. Listen: the sound of the voices goes "
            "on, as a texture and louder; their tune does not.",
            "voices.flac",
            _recipe("after:9", order="time"),
        ),
        Example(
            "compression",
            "One atom in ten",
            "With the loudest 10 % of the atoms it sounds like a bad MP3; "
            "listen for the room coming back.",
            "band.flac",
            _recipe("quietest:90", order="velocity"),
        ),
        Example(
            "signs",
            "Scrambled signs",
            "Every level is right, but half of the signs are random; "
            "listen for the roughness leaving the tone.",
            "solo.flac",
            _recipe("random:50", features="sign", order="velocity"),
        ),
    )
}


def available() -> list[Example]:
    """Return the examples whose sounds are installed."""
    return [example for example in EXAMPLES.values() if example.path.is_file()]


def key_of(example: Example) -> str:
    """Return a hash of everything that the result depends on.

    That is the checkpoint, the sound, the recipe, and the presets for settings that it leaves open.
    """
    presets = {name: asdict(preset) for name, preset in PRESETS.items()}
    recipe = json.dumps(
        [FORMAT, presets, ORDERED_STEPS, example.recipe.to_dict()], sort_keys=True
    ).encode()
    content = _checkpoint_hash().encode() + _hash(example.path).encode() + recipe
    return hashlib.sha256(content).hexdigest()[:16]


def _file_name(example: Example) -> str:
    return f"{example.id}-{key_of(example)}.npz"


def cached(example: Example, task: Task) -> Step | None:
    """Return the cached result of an example's task, or None."""
    name = _file_name(example)
    for folder in (SHIPPED, cache_folder("examples")):
        if (folder / name).is_file():
            try:
                with np.load(folder / name, allow_pickle=False) as file:
                    grid = task.erased()
                    grid[task.mask] = file["values"].astype(np.float32) * file["scale"]
                    return Step(1, 1, grid, task.mask, *_origin_of(file))
            except Exception:
                log.exception("A cached example cannot be read: %s", name)
    return None


def _origin_of(file: Mapping[str, np.ndarray]) -> tuple[tuple[CopySource, ...], tuple[str, ...]]:
    """Return sources and priors of a step; older files do not have them."""
    if "sources" not in file:
        return (), ()
    rows = file["sources"].reshape(-1, 6).tolist()
    sources = tuple(CopySource((a, b), (c, d), lag, sure) for a, b, c, d, lag, sure in rows)
    return sources, tuple(file["priors"].tolist())


def store(example: Example, task: Task, step: Step, folder: Path | None = None) -> Path | None:
    """Cache a result in half precision (66 dB below each atom), and delete older ones of it.

    Returns the file, or None where the folder cannot be written: the example is then computed
    again next time.
    """
    folder = folder or cache_folder("examples")
    values = step.grid[task.mask]
    scale = np.float32(max(float(np.abs(values).max(initial=0)), 1e-30))
    path = folder / _file_name(example)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.part")
        with open(partial, "wb") as file:
            np.savez_compressed(
                file,
                values=(values / scale).astype(np.float16),
                scale=scale,
                sources=[(*s.target, *s.source, s.lag, s.confidence) for s in step.sources],
                priors=np.array(step.priors, str),
            )
        partial.replace(path)
        for old in folder.glob(f"{example.id}-*.npz"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError as error:
        log.warning("An example cannot be cached: %s", error)
        return None
    return path


def compute(
    folder: Path = SHIPPED, on_example: Callable[[Example], object] | None = None
) -> list[Path]:
    """Compute every example that is not cached in `folder` yet.

    Parameters
    ----------
    folder : Path
        Where the results are written.
    on_example : callable, optional
        Called with each example before it is computed.

    Returns
    -------
    list of Path
        The files of all examples.

    Raises
    ------
    AtomizerError
        Where the folder cannot be written.
    """
    from .. import load_model
    from ..inpainting.fill import fill, last
    from ..io.audio import read

    paths, model = [], None
    for example in available():
        path = folder / _file_name(example)
        if not path.is_file():
            if on_example is not None:
                on_example(example)
            model = model or load_model()
            task = example.recipe.task(read(example.path))
            step = last(fill(task, example.recipe.settings, model))
            if store(example, task, step, folder) is None:
                raise AtomizerError(f"The examples cannot be written into {str(folder)!r}.")
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
    """Hash a file; modification time and size are the key of the cache."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
