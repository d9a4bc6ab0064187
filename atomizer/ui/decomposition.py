"""Matching-pursuit atoms on the page: the pursuit, and the bytes that the browser reads.

N atoms are N times (uint32, in hops), N frequencies (uint16, in bins of the longest scale),
N velocities (uint16), N flags and N scales (uint8), one array after the other, quiet atoms first;
velocities and flags are those of `drawing`.
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

# the atomizers of the page, and their names there; the others are available to programs only
NAMES = {
    "mdct": "MDCT",
    "matching-pursuit": "matching pursuit",
    "matching-pursuit-optimised": "optimised pursuit",
}
# a pursuit stops at any of these, unless the limits are lower
ATOMS, SRR_DB, SECONDS = 200_000, 20.0, 120.0


@dataclass
class Decomposition:
    """The matching-pursuit atoms of a sound, or those that were found so far.

    name    of the atomizer, in `NAMES`
    srr_db  signal-to-residual ratio in dB
    energy  of the whole sound
    """

    name: str
    atomizer: MatchingPursuitAtomizer
    atoms: Atoms
    srr_db: float
    energy: float

    @cached_property
    def drawn(self) -> np.ndarray:
        """Indices of the atoms in drawing order, quiet ones first."""
        return drawing.ascending(np.abs(self.atoms.amplitude))

    def pack(self) -> bytes:
        """Return the atoms as the browser reads them, in drawing order."""
        atoms = self.atoms[self.drawn]
        velocity = drawing.velocities(np.abs(atoms.amplitude), atoms.reference, atoms.space)
        flags = (atoms.sign > 0).astype(np.uint8) | (atoms.channel.astype(np.uint8) << 1)
        return b"".join(
            [
                atoms.time.astype("<u4").tobytes(),
                atoms.frequency.astype("<u2").tobytes(),
                velocity.tobytes(),
                flags.tobytes(),
                atoms.scale.astype(np.uint8).tobytes(),
            ]
        )

    def bits(self, selection: Selection, seed: int, nyquist: float) -> bytes:
        """Return which atoms are selected, one bit each, in drawing order."""
        return drawing.bits(selection.mask_atoms(self.atoms, seed, nyquist)[self.drawn])


def stop_criterion() -> Stop:
    """Return when a pursuit stops, on the page and through the endpoints."""
    return Stop(min(ATOMS, limits().atoms_drawn), SRR_DB, min(SECONDS, limits().fill_seconds))


def decompose(sound: Sound, name: str) -> Iterator[tuple[Decomposition, str]]:
    """Find the matching-pursuit atoms of a sound.

    Yields the atoms so far, again and again, and the reason why the pursuit stopped ("" while it
    goes on). Raises AtomizerError for a name that the page does not offer.
    """
    if not isinstance(name, str) or name not in NAMES or name == "mdct":
        raise AtomizerError(
            f"There is no pursuit {str(name)[:40]!r}: choose from {', '.join(list(NAMES)[1:])}."
        )
    atomizer = ATOMIZERS[name](stop=stop_criterion())
    samples = sound.at(atomizer.space.rate)
    energy = float(np.sum(np.square(samples, dtype=np.float64)))
    for state in atomizer.pursue(samples):
        yield Decomposition(name, atomizer, state.atoms, state.srr_db, energy), state.done


def pursuit_status(found: Decomposition) -> str:
    """Return the number of atoms and the signal-to-residual ratio, as the page shows them."""
    return f"{len(found.atoms):,} atoms reproduce the sound at {found.srr_db:.1f} dB SRR"
