"""The Atomizer: audio as atoms, in any order, and a Transformer that fills in what is unknown.

from atomizer import read, write, parse, prepare, fill, load_model

task = prepare(read("in.wav"), parse(["above:8000"]))
for step in fill(task, model=load_model()):
    print(f"step {step.number} of {step.total}")
write("out.wav", task.render(step.grid))
"""

from .analysis import MatchingPursuitAtomizer, MDCTAtomizer, Stop
from .atoms.atoms import Atoms
from .atoms.orderings import ORDERINGS, order
from .atoms.selection import Region, Selection, parse
from .atoms.space import FEATURES, AtomSpace, Feature, ScaleSpace
from .errors import AtomizerError
from .inpainting.fill import Step, fill
from .inpainting.settings import Settings
from .inpainting.task import Task, prepare
from .io.audio import Sound, read, write

__version__ = "0.1.0"


def load_model(checkpoint=None, device: str | None = None):
    """The shipped model, or that of another checkpoint folder, on `device` (a GPU where there is one), ready to fill.

    Raises AtomizerError where the folder holds no checkpoint or a broken one, or there is no such device.
    """
    from .model.checkpoint import load

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
    "load_model",
    "order",
    "parse",
    "prepare",
    "read",
    "write",
]
