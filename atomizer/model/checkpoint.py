"""Checkpoints: where the shipped model is, and how a checkpoint is loaded."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ..errors import AtomizerError
from ..io import resources
from . import AtomTransformer, ModelConfig

MAX_CONFIG_BYTES = 1 << 20
MAX_SPACE = 1 << 16  # of every number of a model's AtomSpace
MAX_PRODUCT = 1 << 24  # cells of a window, and atoms of a neighbourhood
SHIPPED = Path(os.environ.get("ATOMIZER_CHECKPOINT") or resources.path("checkpoints"))
TRAINING = "training.json"  # how the weights beside it were trained, see `training_of`
TRAINING_KEYS = {"steps", "minutes", "hours", "recordings", "sources", "commands"}


def load(checkpoint: str | os.PathLike | None = None, device: str | None = None) -> AtomTransformer:
    """Load a trained model in evaluation mode.

    Parameters
    ----------
    checkpoint
        Folder with config.json and model.safetensors; by default the shipped one.
    device
        Name of a torch device; by default a GPU if there is one.

    Raises
    ------
    AtomizerError
        If the folder holds no valid checkpoint, or the device does not exist.
    """
    folder = Path(checkpoint or SHIPPED)
    if not (folder / "config.json").is_file():
        raise AtomizerError(
            f"There is no checkpoint in {folder.name!r}: give a folder with config.json and "
            "model.safetensors."
        )
    try:
        torch.empty(1, device=device or "cpu")
    except (RuntimeError, AssertionError, ValueError) as error:  # torch asserts a build with CUDA
        raise AtomizerError(
            f"There is no device {str(device)[:40]!r} here: leave it out for the default, or use "
            "cpu."
        ) from error
    try:
        check(folder)
        model = AtomTransformer.from_pretrained(str(folder), map_location="cpu")
        return model.to(device or _default_device())
    except Exception as error:
        raise AtomizerError(
            f"The checkpoint in {folder.name!r} is broken or not an Atomizer's: a folder with "
            "config.json and model.safetensors as `train` writes them is accepted."
        ) from error


def _default_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def check(folder: Path) -> None:
    """Raise ValueError for an invalid configuration, or one of more weights than the folder holds.

    Nothing is allocated for the model before this check.
    """
    path = folder / "config.json"
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ValueError(f"The configuration has more than {MAX_CONFIG_BYTES:,} bytes.")
    config = ModelConfig.from_dict(json.loads(path.read_text(encoding="utf-8")))
    for name, value in asdict(config.space).items():
        if isinstance(value, (int, float)) and not abs(value) <= MAX_SPACE:
            raise ValueError(f"The {name} of a model cannot be {value}: at most {MAX_SPACE:,}.")
    reaches = [reach for reach in (config.reach, config.wiener) if reach]
    sizes = [math.prod(config.cells), *(math.prod(2 * n + 1 for n in reach) for reach in reaches)]
    if not all(0 < size <= MAX_PRODUCT for size in sizes):
        raise ValueError("The configuration's windows or neighbourhoods are too large.")
    with torch.device("meta"):  # shapes without memory
        weights = sum(tensor.numel() for tensor in AtomTransformer(config).state_dict().values())
    held = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if weights > held:
        raise ValueError(
            f"The configuration needs {weights:,} weights, and the folder holds {held:,} bytes."
        )


def training_of(checkpoint: str | os.PathLike) -> dict[str, Any]:
    """How a checkpoint was trained; empty where its folder does not say so.

    Keys are `steps` and `minutes` of training in all, `hours`, `recordings` and `sources` of the
    last run's data, and `commands`, those of all runs, the first one first.
    """
    try:
        found = json.loads((Path(checkpoint) / TRAINING).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.keys() >= TRAINING_KEYS else {}
