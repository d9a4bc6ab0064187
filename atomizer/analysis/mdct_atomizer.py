"""The MDCT atomizer: one atom per non-zero coefficient of a modified discrete cosine transform."""

from __future__ import annotations

import numpy as np

from ..atoms.atoms import Atoms
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from .mdct import imdct, mdct


class MDCTAtomizer:
    """Turns samples into atoms and back; without a threshold it is exact to float precision."""

    def __init__(self, space: AtomSpace = AtomSpace()):
        self.space = space

    def grid(self, samples: np.ndarray) -> np.ndarray:
        """Coefficients of (channels, samples): (channels, frames, bins) float32."""
        return mdct(samples, self.space.hop, self.space.window)

    def analyse(
        self, samples: np.ndarray, threshold_db: float | None = None, loudest: int | None = None
    ) -> Atoms:
        """Atoms of (channels, samples) float32 at space.rate.

        threshold_db  keep only atoms at or above this velocity, in dB relative to the loudest
        loudest       keep only this many, the loudest

        Raises AtomizerError for another shape, or more channels than the space has.
        """
        if np.ndim(samples) != 2:
            raise AtomizerError(
                "Samples are an array (channels, samples), as sound.at(RATE) returns it."
            )
        channels, length = samples.shape
        if channels > self.space.channels:
            raise AtomizerError(
                f"This sound has {channels} channels; up to {self.space.channels} are accepted."
            )
        atoms = Atoms.from_grid(self.grid(samples), self.space, length)
        if threshold_db is not None:
            atoms = atoms.above(threshold_db)
        return atoms if loudest is None else atoms.loudest(loudest)

    def synthesise(self, atoms: Atoms, channels: int | None = None) -> np.ndarray:
        """Samples (channels, n) float32 of atoms in any order.

        channels  of the result; by default up to the highest channel of the atoms

        Raises AtomizerError for atoms of several scales.
        """
        channels = int(atoms.channel.max(initial=0)) + 1 if channels is None else channels
        return imdct(atoms.to_grid()[:channels], atoms.length, self.space.window)
