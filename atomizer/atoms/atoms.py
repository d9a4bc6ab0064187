"""Atoms: a sound as a bag of small integer tuples.

* `Feature`    one discrete property of an atom: its name, cardinality and unit
* `AtomSpace`  the five features and what their values mean in seconds, hertz and decibels
* `ScaleSpace` the same for atoms of several scales: a sixth feature, `scale`
* `Atoms`      N atoms as a struct of arrays, in any order, each feature known or unknown (∅)

Everything else (embeddings, masks, heads, command-line choices, tick boxes) derives from the declaration in `AtomSpace.features`.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AtomizerError
from .space import BIT, FEATURES, MAX_PLACES, AtomSpace, ScaleSpace, parse_features


def _empty(dtype) -> np.ndarray:
    return np.zeros(0, dtype)


@dataclass
class Atoms:
    """N atoms, in any order: the order carries no meaning for the sound.

    time, frequency, channel, velocity, sign  int arrays of shape (N,), values as declared in `space.features`
    scale      (N,) int8, only in a ScaleSpace
    amplitude  (N,) float32, the exact signed coefficient behind velocity and sign; what is heard of a known atom
    unknown    (N,) uint8, a bit per feature (`BIT`): set where that feature is ∅ and must not be read
    length     samples of the sound at space.rate
    reference  amplitude at 0 dB, the loudest known atom
    """

    space: AtomSpace
    length: int
    reference: float
    time: np.ndarray = field(default_factory=lambda: _empty(np.int32))
    frequency: np.ndarray = field(default_factory=lambda: _empty(np.int32))
    channel: np.ndarray = field(default_factory=lambda: _empty(np.int32))
    velocity: np.ndarray = field(default_factory=lambda: _empty(np.int16))
    sign: np.ndarray = field(default_factory=lambda: _empty(np.int8))
    amplitude: np.ndarray = field(default_factory=lambda: _empty(np.float32))
    unknown: np.ndarray = field(default_factory=lambda: _empty(np.uint8))
    scale: np.ndarray = field(default_factory=lambda: _empty(np.int8))

    ARRAYS = FEATURES + ("amplitude", "unknown")

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the arrays that these atoms have: `ARRAYS`, and the features that their space has beyond `FEATURES`."""
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

        grid   (channels, frames, bins) float
        where  (channels, frames, bins) bool, which cells become atoms; by default the non-zero ones
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
        """(channels, frames, bins) float32; atoms that share a place add up, so every order gives the same grid.

        Raises AtomizerError for atoms of a ScaleSpace, whose scales have a grid each.
        """
        if isinstance(self.space, ScaleSpace):
            raise AtomizerError(
                "Atoms of several scales lie on no single grid: only those of the MDCT are accepted here."
            )
        shape = (self.space.channels, self.space.frame_count(self.length), self.space.hop)
        grid = np.zeros(shape, np.float32)
        place = np.ravel_multi_index((self.channel, self.time, self.frequency), shape)
        np.add.at(grid.reshape(-1), place, self.amplitude)
        return grid

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, index) -> Atoms:
        """The atoms of a permutation, mask, slice or index array, in that order."""
        return replace(self, **{name: getattr(self, name)[index] for name in self.arrays})

    def is_unknown(self, feature: str) -> np.ndarray:
        """(N,) bool: the atoms whose feature of this name is unknown."""
        return (self.unknown & BIT[feature]) != 0

    @property
    def audible(self) -> np.ndarray:
        """(N,) bool: the atoms above level 0."""
        return self.velocity > 0

    def with_unknown(self, mask: np.ndarray, features: Iterable[str]) -> Atoms:
        """The same atoms with `features` of the masked ones unknown."""
        bits = np.uint8(
            sum(
                BIT[name]
                for name in parse_features(features, tuple(f.name for f in self.space.features))
            )
        )
        return replace(
            self, unknown=np.where(mask, self.unknown | bits, self.unknown).astype(np.uint8)
        )

    def above(self, db: float) -> Atoms:
        """Only the atoms at or above a velocity threshold, in dB relative to the reference."""
        return self[np.abs(self.amplitude) >= self.reference * 10 ** (db / 20)]

    def loudest(self, count: int) -> Atoms:
        """Only the `count` loudest atoms, in their present order; ties go to the earlier atom."""
        if count >= len(self):
            return self
        keep = np.argsort(-np.abs(self.amplitude), kind="stable")[: max(0, count)]
        return self[np.sort(keep)]

    def atoms_only(self) -> Atoms:
        """The discrete representation alone: amplitudes rebuilt from level and sign."""
        amplitude = self.space.amplitude(self.velocity, self.reference)
        if self.space.features[4].cardinality == 2:  # phases are no part of the amplitude
            amplitude = amplitude * np.where(self.sign > 0, 1, -1)
        return replace(self, amplitude=amplitude.astype(np.float32))

    def save(self, path) -> None:
        """Write an `.npz` that `load` reads back, under the very name that was given. Raises AtomizerError where it cannot be written."""
        from ..io.atomic_write import whole  # which needs the error that is declared here

        meta = {f"space_{k}": v for k, v in asdict(self.space).items()}
        with whole(
            Path(path), "The atoms"
        ) as target:  # a file, because numpy would add an ending to a name
            np.savez_compressed(
                target.file,
                length=self.length,
                reference=self.reference,
                **meta,
                **{name: getattr(self, name) for name in self.arrays},
            )

    @classmethod
    def load(cls, path) -> Atoms:
        """Read an `.npz` written by `save`. Raises AtomizerError where it is anything else, or holds more than `MAX_PLACES` atoms."""
        try:
            with zipfile.ZipFile(path) as archive:  # a few bytes may claim to unpack to anything
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MAX_PLACES * 21:  # bytes per atom
                raise AtomizerError(
                    f"This file unpacks to {unpacked / 1e9:.0f} GB: atoms of up to {MAX_PLACES:,} places are accepted."
                )
            with np.load(path, allow_pickle=False) as file:
                # a tuple comes back as an array of one axis
                values: dict[str, Any] = {
                    k[6:]: file[k].item() if file[k].ndim == 0 else tuple(file[k].tolist())
                    for k in file.files
                    if k.startswith("space_")
                }
                space = (ScaleSpace if "scales" in values else AtomSpace)(**values)
                space.validate()  # before its features are asked for
                empty = cls(space, int(file["length"]), float(file["reference"]))
                # no cast but to the declared kind of number: floats are no places, and text is no amplitude
                atoms = replace(
                    empty,
                    **{
                        name: file[name].astype(getattr(empty, name).dtype, casting="same_kind")
                        for name in empty.arrays
                    },
                )
        except AtomizerError:
            raise
        except Exception as error:
            raise AtomizerError(
                "This file holds no atoms: an .npz written by the Atomizer is accepted."
            ) from error
        atoms.validate()
        return atoms

    def validate(self) -> None:
        """Raise AtomizerError where arrays disagree in length or a value lies outside its cardinality."""
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
                f"These atoms lie in a plane of more than {MAX_PLACES:,} places, the most that is accepted."
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
