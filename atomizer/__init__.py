"""The Atomizer: audio as atoms, in any order, and a Transformer that fills in unknown ones.

from atomizer import inpaint, read, write

write("out.wav", inpaint(read("in.wav"), "above:8000", seed=1))

The same step by step:

from atomizer import fill, load_model, parse, prepare, read, write

task = prepare(read("in.wav"), parse(["above:8000"]))
for step in fill(task, model=load_model()):
    print(f"step {step.number} of {step.total}")
write("out.wav", task.render(step.grid))
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .analysis import MatchingPursuitAtomizer, MDCTAtomizer, Stop
from .atoms.atoms import Atoms
from .atoms.orderings import ORDERINGS, order
from .atoms.selection import Region, Selection, parse
from .atoms.space import FEATURES, AtomSpace, Feature, ScaleSpace
from .codec import write_sound_of
from .codec.names import MAGIC
from .errors import AtomizerError
from .inpainting.fill import fill
from .inpainting.inpaint import inpaint
from .inpainting.settings import Settings
from .inpainting.step import Step
from .inpainting.task import Task, prepare
from .io.audio import Sound, read, write
from .io.decoders import DECODERS

if TYPE_CHECKING:
    from .model import AtomTransformer

__version__ = "0.2.0"
DECODERS[MAGIC] = write_sound_of  # files of atoms are read like sounds


def load_model(checkpoint: str | Path | None = None, device: str | None = None) -> AtomTransformer:
    """Load a model for filling.

    Parameters
    ----------
    checkpoint : str or Path, optional
        Folder of a checkpoint; the shipped one by default.
    device : str, optional
        "cpu", "cuda", …; by default a GPU if there is one.

    Returns
    -------
    AtomTransformer

    Raises
    ------
    AtomizerError
        The folder holds no valid checkpoint, or the device does not exist.
    """
    from .model.checkpoint import load  # loads torch

    return load(checkpoint, device)


__all__ = [
    "FEATURES",
    "ORDERINGS",
    "AtomSpace",
    "Atoms",
    "AtomizerError",
    "Feature",
    "MDCTAtomizer",
    "MatchingPursuitAtomizer",
    "Region",
    "ScaleSpace",
    "Selection",
    "Settings",
    "Sound",
    "Step",
    "Stop",
    "Task",
    "fill",
    "inpaint",
    "load_model",
    "order",
    "parse",
    "prepare",
    "read",
    "write",
]
