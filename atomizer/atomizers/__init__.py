"""Atomizers: one file per analysis method, all with the same interface, `analyse` and `synthesise`."""

from .mdct import MDCTAtomizer

ATOMIZERS = {"mdct": MDCTAtomizer}

__all__ = ["ATOMIZERS", "MDCTAtomizer"]
