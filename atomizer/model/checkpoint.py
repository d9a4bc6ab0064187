"""Where the shipped model lies, and how it is loaded."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import torch

from ..errors import AtomizerError
from ..io import resources
from . import AtomTransformer, ModelConfig

LONGEST_CONFIG = 1 << 20  # bytes
LARGEST = {
    "layers": 256,
    "depth": 256,
    "globals": 4096,
}  # of a configuration's numbers; LARGEST_OTHER for those not named here
LARGEST_OTHER = 1 << 16
LARGEST_PRODUCT = 1 << 24  # cells of a window, and atoms of a neighbourhood
SHIPPED = Path(os.environ.get("ATOMIZER_CHECKPOINT") or resources.path("checkpoints"))


def load(checkpoint: str | os.PathLike | None = None, device: str | None = None) -> AtomTransformer:
    """A trained model in evaluation mode. Raises AtomizerError where the folder holds none, or there is no such device."""
    folder = Path(checkpoint or SHIPPED)
    if not (folder / "config.json").is_file():
        raise AtomizerError(
            f"There is no checkpoint in {folder.name!r}: give a folder with config.json and model.safetensors."
        )
    try:
        torch.empty(1, device=device or "cpu")
    except (
        RuntimeError,
        AssertionError,
        ValueError,
    ) as error:  # torch asserts that it was built with CUDA
        raise AtomizerError(
            f"There is no device {str(device)[:40]!r} here: leave it out for what there is, or take cpu."
        ) from error
    device = device or (
        "cuda"
        if torch.cuda.is_available()
        else "mps"
        if torch.backends.mps.is_available()
        else "cpu"
    )
    try:
        check(folder)
        return AtomTransformer.from_pretrained(str(folder), map_location="cpu").to(device)
    except Exception as error:
        raise AtomizerError(
            f"The checkpoint in {folder.name!r} is broken or not an Atomizer's: a folder with config.json and "
            "model.safetensors as `train` writes them is accepted."
        ) from error


def check(folder: Path) -> None:
    """Raise ValueError where a configuration asks for more weights than lie in the folder, before any memory is taken for them."""
    if (folder / "config.json").stat().st_size > LONGEST_CONFIG:
        raise ValueError("The configuration is longer than a configuration can be.")
    data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for name, value in [*data.items(), *data["space"].items()]:
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, (int, float)) and not abs(number) <= LARGEST.get(
                name, LARGEST_OTHER
            ):
                raise ValueError(f"The configuration has {name} = {number}.")
    config = ModelConfig.from_dict(data)
    config.space.validate()
    sizes = [
        math.prod(config.cells),
        *(math.prod(2 * n + 1 for n in reach) for reach in (config.reach, config.wiener) if reach),
    ]
    if not all(0 < size <= LARGEST_PRODUCT for size in sizes):
        raise ValueError("The configuration's windows or neighbourhoods are too large.")
    with torch.device("meta"):  # shapes without memory
        weights = sum(tensor.numel() for tensor in AtomTransformer(config).state_dict().values())
    held = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    if weights > held:
        raise ValueError(
            f"The configuration asks for {weights:,} weights, and the folder holds {held:,} bytes."
        )
