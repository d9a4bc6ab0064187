"""Matching pursuit (Mallat & Zhang 1993) in unions of time-frequency bases.

    dictionary.py  the atoms: their waveforms, and the inner products of whole frames
    local.py       the pursuit with local updates (MPTK, Krstulovic & Gribonval 2006) in NumPy, with
                   optional optimisation in time (LoMP, Moussallam, Daudet & Richard 2012)
    gram.py        tables of the inner products between the atoms of a union of MDCT bases
    compiled.py    the pursuit with those tables, compiled by numba if that is installed

Other packages use `analysis/matching_pursuit.py`.
"""

from .dictionary import dictionary_of
from .local import LocalPursuit, TakenAtoms

__all__ = ["LocalPursuit", "TakenAtoms", "dictionary_of"]
