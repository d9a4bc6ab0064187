"""Where the shipped model lies, and how it is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from . import shipped
from .atoms import AtomizerError
from .model import AtomTransformer

SHIPPED = Path(os.environ.get("ATOMIZER_CHECKPOINT") or shipped.folder("checkpoints"))


def load(checkpoint: str | os.PathLike | None = None, device: str | None = None) -> AtomTransformer:
    """A trained model in evaluation mode. Raises AtomizerError where the folder holds none."""
    folder = Path(checkpoint or SHIPPED)
    if not (folder / "config.json").is_file():
        raise AtomizerError(f"There is no checkpoint in {folder.name!r}: give a folder with config.json and model.safetensors.")
    device = device or ("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return AtomTransformer.from_pretrained(str(folder), map_location="cpu").to(device)
    except Exception as error:
        raise AtomizerError(f"The checkpoint in {folder.name!r} is broken or not an Atomizer's: a folder with config.json and "
                            "model.safetensors as `train` writes them is accepted.") from error
