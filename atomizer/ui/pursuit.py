"""Matching-pursuit atoms on the page: how they are found, and what the picture gets of them.

N atoms are N times (uint32, in hops), N frequencies (uint16, in bins of the largest scale), N velocities (uint16) and N flags and N scales
(uint8), one array after the other, quiet atoms first; velocities and flags are those of `drawing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..analysis import ATOMIZERS, MatchingPursuitAtomizer, Stop
from ..atoms.atoms import Atoms
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..io.audio import Sound
from ..limits import limits
from . import drawing

# what the page offers, and how it is called there; all others are for programs
NAMES = {
    "mdct": "MDCT",
    "matching-pursuit": "matching pursuit",
    "matching-pursuit-optimised": "optimised pursuit",
}
ATOMS, SRR_DB, SECONDS = 200_000, 20.0, 120.0  # where a pursuit ends, unless limits are lower


@dataclass
class Decomposition:
    """A sound as matching-pursuit atoms, perhaps not all of them yet.

    name    of the atomizer, in `NAMES`
    energy  of the whole sound
    """

    name: str
    atomizer: MatchingPursuitAtomizer
    atoms: Atoms
    srr_db: float
    energy: float

    @cached_property
    def drawn(self) -> np.ndarray:
        """Indices of the atoms, quiet ones first, as the picture has them."""
        return drawing.ascending(np.abs(self.atoms.amplitude))

    def pack(self) -> bytes:
        """The drawn atoms as the picture reads them: times (u4), frequencies and velocities (u2), signs and channels, scales (u1)."""
        atoms = self.atoms[self.drawn]
        velocity = drawing.velocities(np.abs(atoms.amplitude), atoms.reference, atoms.space)
        flags = (atoms.sign > 0).astype(np.uint8) | (atoms.channel.astype(np.uint8) << 1)
        return b"".join(
            [
                atoms.time.astype("<u4").tobytes(),
                atoms.frequency.astype("<u2").tobytes(),
                velocity.astype("<u2").tobytes(),
                flags.tobytes(),
                atoms.scale.astype(np.uint8).tobytes(),
            ]
        )

    def bits(self, selection: Selection, seed: int, nyquist: float) -> bytes:
        """Which of the drawn atoms are selected, a bit each."""
        return drawing.bits(selection.mask_atoms(self.atoms, seed, nyquist)[self.drawn])


def end() -> Stop:
    """Where a pursuit ends, on the page and through the endpoints."""
    return Stop(min(ATOMS, limits().atoms_drawn), SRR_DB, min(SECONDS, limits().fill_seconds))


def decompose(sound: Sound, name: str) -> Iterator[tuple[Decomposition, str]]:
    """Find the atoms of a sound; yields what there is again and again, and why the pursuit has ended, "" while it goes on."""
    if not isinstance(name, str) or name not in NAMES or name == "mdct":
        raise AtomizerError(
            f"There is no pursuit {str(name)[:40]!r}: choose from {', '.join(list(NAMES)[1:])}."
        )
    atomizer = ATOMIZERS[name](stop=end())
    samples = sound.at(atomizer.space.rate)
    energy = float(np.sum(np.square(samples, dtype=np.float64)))
    for state in atomizer.pursue(samples):
        yield Decomposition(name, atomizer, state.atoms, state.srr_db, energy), state.done
