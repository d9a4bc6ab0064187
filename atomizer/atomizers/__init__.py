"""Atomizers: one file per analysis method, all with the same interface, `analyse` and `synthesise`."""

from functools import partial

from .matching_pursuit import GABOR, OPTIMISED, MatchingPursuitAtomizer, Pursuit, Stop
from .mdct import MDCTAtomizer

ATOMIZERS = {
    "mdct": MDCTAtomizer,
    "matching-pursuit": MatchingPursuitAtomizer,
    "matching-pursuit-optimised": partial(MatchingPursuitAtomizer, OPTIMISED),
    "matching-pursuit-gabor": partial(MatchingPursuitAtomizer, GABOR),
}

__all__ = ["ATOMIZERS", "MDCTAtomizer", "MatchingPursuitAtomizer", "Pursuit", "Stop"]
