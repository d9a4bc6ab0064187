"""The Atomizer: audio as atoms, in any order, and a Transformer that fills in what is unknown.

from atomizer import read, write, parse, prepare, fill, load_model

task = prepare(read("in.wav"), parse(["above:8000"]))
for step in fill(task, model=load_model()):
    print(f"step {step.number} of {step.total}")
write("out.wav", task.render(step.grid))
"""

from .atomizers import MatchingPursuitAtomizer, MDCTAtomizer, Stop
from .atoms import FEATURES, AtomizerError, Atoms, AtomSpace, Feature, ScaleSpace
from .audio import Sound, read, write
from .fill import Settings, Step, fill
from .orderings import ORDERINGS, order
from .selection import Region, Selection, parse
from .task import Task, prepare

__version__ = "0.1.0"


def load_model(checkpoint=None, device: str | None = None):
    """The shipped model, or that of another checkpoint folder, on `device` (a GPU where there is one), ready to fill.

    Raises AtomizerError where the folder holds no checkpoint or a broken one, or there is no such device.
    """
    from .checkpoint import load

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
