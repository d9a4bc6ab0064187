"""Atomizers: one file per analysis method, all with the methods `analyse` and `synthesise`."""

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
