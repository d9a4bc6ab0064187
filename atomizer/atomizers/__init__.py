"""Atomizers: one file per analysis method, all with the same interface, `analyse` and `synthesise`."""

from collections.abc import Callable
from functools import partial
from typing import Any

from .matching_pursuit import GABOR, OPTIMISED, MatchingPursuitAtomizer, Pursuit, Stop
from .mdct import MDCTAtomizer

ATOMIZERS: dict[str, Callable[..., Any]] = {
    "mdct": MDCTAtomizer,
    "matching-pursuit": MatchingPursuitAtomizer,
    "matching-pursuit-optimised": partial(MatchingPursuitAtomizer, OPTIMISED),
    "matching-pursuit-gabor": partial(MatchingPursuitAtomizer, GABOR),
}

__all__ = ["ATOMIZERS", "MDCTAtomizer", "MatchingPursuitAtomizer", "Pursuit", "Stop"]
