"""From samples to atoms and back, and what is found in a sound.

Atomizers, all with the methods `analyse` and `synthesise`:

    mdct_atomizer.py     one atom per coefficient of the MDCT (mdct.py)
    matching_pursuit.py  one atom after the other; pursuit/ has dictionaries and loops

What is found:

    cutoff.py    where the spectrum of a recording ends
    similar.py   where a box of atoms occurs again
    defects/     clicks, clipped peaks, dropouts
    summary.py   counts of the atoms of a sound, for `atomizer info`
    runs.py      runs of frames or samples
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..errors import AtomizerError
from .matching_pursuit import GABOR, OPTIMISED, MatchingPursuitAtomizer, Pursuit, Stop
from .mdct_atomizer import MDCTAtomizer

ATOMIZERS: dict[str, Callable[..., Any]] = {
    "mdct": MDCTAtomizer,
    "matching-pursuit": MatchingPursuitAtomizer,
    "matching-pursuit-optimised": partial(MatchingPursuitAtomizer, OPTIMISED),
    "matching-pursuit-gabor": partial(MatchingPursuitAtomizer, GABOR),
}


def check_name(name: Any) -> str:
    """The name of an atomizer as it is. Raises AtomizerError for anything else."""
    if not isinstance(name, str) or name not in ATOMIZERS:
        raise AtomizerError(
            f"There is no atomizer {str(name)[:40]!r}: choose from {', '.join(ATOMIZERS)}."
        )
    return name


__all__ = ["ATOMIZERS", "MDCTAtomizer", "MatchingPursuitAtomizer", "Pursuit", "Stop", "check_name"]
