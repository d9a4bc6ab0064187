"""Matching pursuit (Mallat & Zhang 1993) in unions of time-frequency bases.

    dictionary.py  which atoms there are: their waveforms, and the inner products of whole frames
    local.py       the pursuit with local updates (MPTK, Krstulovic & Gribonval 2006), in NumPy; also with atoms moved in time (PyMP's LoMP)
    gram.py        inner products between the atoms of a union of MDCT bases, as tables
    compiled.py    the pursuit with those tables, compiled by numba where that is installed

`atomizers/matching_pursuit.py` is what the rest of the program uses.
"""

from .dictionary import dictionary_of
from .local import LocalPursuit, Taken

__all__ = ["LocalPursuit", "Taken", "dictionary_of"]
