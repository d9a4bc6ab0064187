"""Erasing matching-pursuit atoms: the sound of the atoms that remain.

The model fills in MDCT atoms only. Selected matching-pursuit atoms are therefore erased here, and
the region is then filled in on top of the sound of the other atoms.

    residual = erase_atoms(sound, parse(["above:8000"]), MatchingPursuitAtomizer())
    filled = Recipe(parse(["above:8000"])).apply(residual.sound, load_model())
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..analysis import MatchingPursuitAtomizer
from ..atoms.atoms import Atoms
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound, resample_to_length
from .highs.cutoff import resolve_for


@dataclass(frozen=True)
class Residual:
    """A sound without some of its matching-pursuit atoms.

    atoms   all atoms of the sound
    erased  (N,) bool, the erased ones
    sound   sound of the other atoms, with the rate and the length of the input
    """

    atoms: Atoms
    erased: np.ndarray
    sound: Sound

    def __str__(self) -> str:
        return f"{np.count_nonzero(~self.erased):,} of {len(self.atoms):,} matching-pursuit atoms"


def erase_atoms(
    sound: Sound,
    selection: Selection,
    atomizer: MatchingPursuitAtomizer,
    seed: int = 0,
    atoms: Atoms | None = None,
) -> Residual:
    """Erase the selected matching-pursuit atoms of a sound; an empty selection erases none.

    seed   of a random part of the selection
    atoms  atoms of the sound if they are known; found by the atomizer by default

    Raises AtomizerError if no atom is selected, or if velocity or sign stays known.
    """
    check_erases(selection)
    selection, _ = resolve_for(selection, sound)
    if atoms is None:
        atoms = atomizer.analyse(sound.at(atomizer.space.rate))
    if selection.regions or selection.parts:
        erased = selection.mask_atoms(atoms, seed, nyquist=sound.rate / 2)
    else:
        erased = np.zeros(len(atoms), bool)
    samples = resample_to_length(
        atomizer.synthesise(atoms[~erased], sound.channels),
        atomizer.space.rate,
        sound.rate,
        sound.samples.shape[1],
    )
    return Residual(atoms, erased, replace(sound, samples=samples))


def check_erases(selection: Selection) -> None:
    """Raise AtomizerError if matching-pursuit atoms cannot be erased by this selection."""
    if not selection.erases:
        raise AtomizerError(
            "Matching-pursuit atoms are known or erased: leave velocity and sign unknown."
        )


def check_fillable(selection: Selection) -> None:
    """Raise AtomizerError if the selection can be erased, but not filled in with MDCT atoms."""
    check_erases(selection)
    if selection.parts:
        raise AtomizerError(
            "Parts by rank can be erased among matching-pursuit atoms, but not filled in: select a"
            " region."
        )
