"""Atoms: a sound as an unordered set of small integer tuples.

* `Feature`    one discrete property of an atom: its name, cardinality and unit
* `AtomSpace`  the five features and their units: seconds, hertz, decibels
* `ScaleSpace` the same for atoms of several scales: a sixth feature, `scale`
* `Atoms`      N atoms as a struct of arrays, in any order, each feature known or unknown (∅)

Embeddings, masks, decoder heads, command-line choices and tick boxes derive from
`AtomSpace.features`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..errors import AtomizerError
from . import npz
from .space import BIT, FEATURES, MAX_PLACES, AtomSpace, ScaleSpace, parse_features

DTYPES: dict[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        "time": np.int32,
        "frequency": np.int32,
        "channel": np.int32,
        "velocity": np.int16,
        "sign": np.int8,
        "amplitude": np.float32,
        "unknown": np.uint8,
        "scale": np.int8,
    }.items()
}


def _array(name: str):
    """A dataclass field: by default an empty array of the type of this name."""
    return field(default_factory=lambda: np.zeros(0, DTYPES[name]))


@dataclass
class Atoms:
    """N atoms, in any order: the order does not change the sound.

    time, frequency, channel, velocity, sign  (N,) int, values as declared in `space.features`
    scale      (N,) int8, only in a ScaleSpace
    amplitude  (N,) float32, exact signed coefficient behind velocity and sign, used for synthesis
    unknown    (N,) uint8, a bit per feature (`BIT`): set if the feature is ∅ and must not be read
    length     samples of the sound at space.rate
    reference  amplitude at 0 dB, the loudest known atom
    """

    space: AtomSpace
    length: int
    reference: float
    time: np.ndarray = _array("time")
    frequency: np.ndarray = _array("frequency")
    channel: np.ndarray = _array("channel")
    velocity: np.ndarray = _array("velocity")
    sign: np.ndarray = _array("sign")
    amplitude: np.ndarray = _array("amplitude")
    unknown: np.ndarray = _array("unknown")
    scale: np.ndarray = _array("scale")

    ARRAYS = FEATURES + ("amplitude", "unknown")

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the arrays: `ARRAYS` and the features of the space beyond `FEATURES`."""
        return self.ARRAYS + tuple(feature.name for feature in self.space.features[len(FEATURES) :])

    @classmethod
    def from_grid(
        cls,
        grid: np.ndarray,
        space: AtomSpace,
        length: int,
        reference: float | None = None,
        where: np.ndarray | None = None,
    ) -> Atoms:
        """Atoms of a dense grid of coefficients.

        grid       (channels, frames, bins) float
        length     samples of the sound
        reference  amplitude at 0 dB; by default the largest magnitude of the atoms
        where      (channels, frames, bins) bool, the cells that become atoms; by default the
                   non-zero ones
        """
        where = grid != 0 if where is None else where
        channel, time, frequency = (i.astype(np.int32) for i in np.nonzero(where))
        amplitude = grid[where].astype(np.float32)
        if reference is None:
            reference = float(np.abs(amplitude).max(initial=0.0))
        return cls(
            space,
            length,
            reference,
            time,
            frequency,
            channel,
            space.quantise(amplitude, reference),
            (amplitude >= 0).astype(np.int8),
            amplitude,
            np.zeros(len(amplitude), np.uint8),
        )

    def to_grid(self) -> np.ndarray:
        """Dense grid of coefficients: (channels, frames, bins) float32.

        Atoms that share a place add up. Raises AtomizerError for atoms of a ScaleSpace, which has
        one grid per scale.
        """
        if isinstance(self.space, ScaleSpace):
            raise AtomizerError(
                "Atoms of several scales have no common grid: only MDCT atoms are accepted here."
            )
        shape = (self.space.channels, self.space.frame_count(self.length), self.space.hop)
        grid = np.zeros(shape, np.float32)
        place = np.ravel_multi_index((self.channel, self.time, self.frequency), shape)
        np.add.at(grid.reshape(-1), place, self.amplitude)
        return grid

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, index) -> Atoms:
        """Atoms at a permutation, mask, slice or index array, in that order."""
        return replace(self, **{name: getattr(self, name)[index] for name in self.arrays})

    def is_unknown(self, feature: str) -> np.ndarray:
        """(N,) bool: atoms of which this feature is unknown."""
        return (self.unknown & BIT[feature]) != 0

    @property
    def audible(self) -> np.ndarray:
        """(N,) bool: atoms above level 0."""
        return self.velocity > 0

    def with_unknown(self, mask: np.ndarray, features: Iterable[str]) -> Atoms:
        """The same atoms with `features` unknown where mask (N,) is True."""
        known_names = tuple(feature.name for feature in self.space.features)
        bits = np.uint8(sum(BIT[name] for name in parse_features(features, known_names)))
        unknown = np.where(mask, self.unknown | bits, self.unknown).astype(np.uint8)
        return replace(self, unknown=unknown)

    def above(self, db: float) -> Atoms:
        """Atoms at or above a velocity threshold, in dB relative to the reference."""
        return self[np.abs(self.amplitude) >= self.reference * 10 ** (db / 20)]

    def loudest(self, count: int) -> Atoms:
        """The `count` loudest atoms, in their present order; of equal ones the first are kept."""
        if count >= len(self):
            return self
        keep = np.argsort(-np.abs(self.amplitude), kind="stable")[: max(0, count)]
        return self[np.sort(keep)]

    def atoms_only(self) -> Atoms:
        """The same atoms with amplitudes rebuilt from velocity and sign alone."""
        amplitude = self.space.amplitude(self.velocity, self.reference)
        if self.space.features[FEATURES.index("sign")].cardinality == 2:  # not a phase
            amplitude = amplitude * np.where(self.sign > 0, 1, -1)
        return replace(self, amplitude=amplitude.astype(np.float32))

    def save(self, path) -> None:
        """Write an `.npz` file atomically; `load` reads it back.

        Raises AtomizerError if the file cannot be written.
        """
        arrays = {name: getattr(self, name) for name in self.arrays}
        npz.save(Path(path), self.space, self.length, self.reference, arrays)

    @classmethod
    def load(cls, path) -> Atoms:
        """Read an `.npz` file written by `save`.

        Raises AtomizerError if the file holds anything else, invalid values, or more than
        `MAX_PLACES` atoms.
        """
        space, length, reference, arrays = npz.load(path, DTYPES)
        atoms = cls(space, length, reference, **arrays)
        atoms.validate()
        return atoms

    def validate(self) -> None:
        """Raise AtomizerError if arrays differ in length or a value is out of range."""
        self.space.validate()
        if self.length < 0 or not 0 <= self.reference < math.inf:
            raise AtomizerError(
                "The length and the reference of these atoms must be finite numbers from 0."
            )
        if (
            any(getattr(self, name).ndim != 1 for name in self.arrays)
            or len({len(getattr(self, name)) for name in self.arrays}) != 1
        ):
            raise AtomizerError(
                "The arrays of these atoms differ in length: every atom needs all of its features."
            )
        frames = self.space.frame_count(self.length)
        if max(frames * self.space.hop, self.space.bins) * self.space.channels > MAX_PLACES:
            raise AtomizerError(
                f"These atoms lie in a plane of more than {MAX_PLACES:,} places, the most that is"
                " accepted."
            )
        for feature in self.space.features:
            values = getattr(self, feature.name)
            top = (
                min(feature.cardinality, frames) if feature.name == "time" else feature.cardinality
            )
            if len(values) and (values.min() < 0 or values.max() >= top):
                raise AtomizerError(f"An atom's {feature.name} lies outside 0 … {top - 1}.")
        if not np.isfinite(self.amplitude).all():
            raise AtomizerError("An atom's amplitude is not a finite number.")
