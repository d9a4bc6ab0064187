"""Files of a training run: the model, the state from which training resumes, and the log."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch

from ..model import AtomTransformer
from ..model.checkpoint import TRAINING

STATE = "training.pt"
LOG = "log.txt"


def write_model(model: AtomTransformer, record: dict[str, Any], folder: Path) -> None:
    """Write a model, and how it was trained, as `checkpoint.training_of` reads it.

    Each file replaces the former atomically, and a model card is kept.
    """
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=folder) as partial:
        model.save_pretrained(partial)
        text = json.dumps(record, indent=1) + "\n"
        (Path(partial) / TRAINING).write_text(text, encoding="utf-8")
        for path in Path(partial).iterdir():
            keep_card = path.suffix == ".md" and (folder / path.name).exists()
            if not keep_card:
                path.replace(folder / path.name)


def write_state(state: dict[str, Any], folder: Path) -> None:
    """Write the state from which training resumes; it replaces the former atomically."""
    partial = folder / (STATE + ".part")
    try:
        torch.save(state, partial)
        partial.replace(folder / STATE)
    finally:
        partial.unlink(missing_ok=True)


def append_to_log(folder: Path, title: str, values: dict[str, float]) -> None:
    """Append a line to the log; the step of `values` is its first value."""
    line = " ".join(f"{k} {v:.5g}" for k, v in values.items())
    with open(folder / LOG, "a", encoding="utf-8") as file:
        file.write(f"{title}: {line}\n")


def clear_up(folder: Path, step: int) -> None:
    """Remove partial files of a killed process, and the log of the steps that are repeated.

    step  steps that the state includes
    """
    for path in (folder / (STATE + ".part"), *folder.glob(".saving-*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    log = folder / LOG
    if log.is_file():
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        log.write_text("".join(x for x in lines if _is_done(x, step)), encoding="utf-8")


def _is_done(line: str, step: int) -> bool:
    """Whether a line of the log is of a step that the state includes."""
    found = re.search(r": step (\d+)", line)
    return found is None or int(found[1]) <= step
