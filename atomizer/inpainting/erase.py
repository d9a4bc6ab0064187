"""What is left of a sound when some of its matching-pursuit atoms are erased.

The Transformer knows MDCT atoms only. A region of matching-pursuit atoms is therefore erased here, and the region is then filled in as
that of any other sound: of the sound of the atoms that remain.

    rest = remaining(sound, parse(["above:8000"]), MatchingPursuitAtomizer())
    filled = Recipe(parse(["above:8000"])).make(rest.sound, load_model())
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..analysis import MatchingPursuitAtomizer
from ..atoms.atoms import Atoms
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound, resample_to_length


@dataclass(frozen=True)
class Remaining:
    """atoms  all of the sound's; erased  (N,) bool; sound  that of the others, at the rate and of the length of the input"""

    atoms: Atoms
    erased: np.ndarray
    sound: Sound

    def __str__(self) -> str:
        return f"{np.count_nonzero(~self.erased):,} of {len(self.atoms):,} matching-pursuit atoms"


def remaining(
    sound: Sound,
    selection: Selection,
    atomizer: MatchingPursuitAtomizer,
    seed: int = 0,
    atoms: Atoms | None = None,
) -> Remaining:
    """The sound without the selected atoms, which are found by the atomizer where they are not given.

    Raises AtomizerError where no atom is selected, or something else than a region is to be filled in.
    """
    check_erases(selection)
    atoms = atomizer.analyse(sound.at(atomizer.space.rate)) if atoms is None else atoms
    nothing = not selection.regions and not selection.parts
    erased = (
        np.zeros(len(atoms), bool)
        if nothing
        else selection.mask_atoms(atoms, seed, nyquist=sound.rate / 2)
    )
    samples = resample_to_length(
        atomizer.synthesise(atoms[~erased], sound.channels),
        atomizer.space.rate,
        sound.rate,
        sound.samples.shape[1],
    )
    return Remaining(atoms, erased, replace(sound, samples=samples))


def check_erases(selection: Selection) -> None:
    """Raise AtomizerError for what can only be done to MDCT atoms."""
    if not selection.erases:
        raise AtomizerError(
            "Matching-pursuit atoms are known or erased: leave velocity and sign unknown."
        )


def check_fillable(selection: Selection) -> None:
    """Raise AtomizerError for what can be erased among matching-pursuit atoms, but not filled in among those of the MDCT."""
    check_erases(selection)
    if selection.parts:
        raise AtomizerError(
            "Parts by rank can be erased among matching-pursuit atoms, but not filled in: select a region."
        )
