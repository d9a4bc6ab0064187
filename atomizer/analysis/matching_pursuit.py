"""The matching-pursuit atomizer: atoms taken one after the other, each the one that leaves least of the sound.

    for state in MatchingPursuitAtomizer().pursue(samples, Stop(srr_db=20)):
        print(state.count, state.srr_db)          # state.atoms and state.residual are there at any time

Mallat & Zhang 1993, with the local updates of MPTK (Krstulovic & Gribonval 2006) and, where the space is finer than the frames, the local
optimisation of Moussallam, Daudet & Richard 2012. The dictionary follows from the space: a union of MDCT bases, or Gabor atoms.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..atoms.atoms import Atoms
from ..atoms.space import ScaleSpace
from ..errors import AtomizerError
from .mdct import imdct
from .pursuit import LocalPursuit, Taken, dictionary_of
from .pursuit.dictionary import MDCTUnion
from .pursuit.gram import MAX_RATIO

PLAIN = ScaleSpace()
OPTIMISED = ScaleSpace(hop=1)
GABOR = ScaleSpace(hop=32, window="gauss", phases=16)

MOST_DB = 100.0  # single-precision amplitudes hold no more
_BREATH = 0.1  # seconds between two yields
_MOST_STEPS = 1 << 16


@dataclass(frozen=True)
class Stop:
    """When a pursuit ends: at whichever comes first, and at the latest when nothing but rounding is left.

    atoms    number of atoms; every channel of a step has one
    srr_db   signal-to-residual ratio
    seconds  time since the pursuit began
    """

    atoms: int | None = None
    srr_db: float | None = None
    seconds: float | None = None

    def validate(self) -> None:
        """Raise AtomizerError for values out of range."""
        if self.atoms is not None and self.atoms < 0:
            raise AtomizerError(f"A pursuit stops at 0 or more atoms, not at {self.atoms}.")
        if self.srr_db is not None and not 0 <= self.srr_db <= MOST_DB:
            raise AtomizerError(
                f"A pursuit stops at a signal-to-residual ratio of 0 to {MOST_DB:g} dB, not at {self.srr_db:g}."
            )
        if self.seconds is not None and not self.seconds >= 0:
            raise AtomizerError(
                f"A pursuit stops after 0 or more seconds, not after {self.seconds:g}."
            )


@dataclass
class Pursuit:
    """A pursuit under way.

    count    atoms taken
    srr_db   energy of the sound over that of the residual, the part beyond the ends of the sound included; 0 for silence
    seconds  since it began
    done     "" while it goes on, else why it ended: "atoms", "srr", "seconds" or "silence" (nothing is left)
    """

    space: ScaleSpace
    length: int
    taken: list[Taken]
    state: LocalPursuit
    count: int = 0
    srr_db: float = 0.0
    seconds: float = 0.0
    done: str = ""

    @property
    def atoms(self) -> Atoms:
        """The atoms, in the order in which they were taken; a place can occur again."""
        channels = len(self.state.residual)
        join = lambda name, *shape: np.concatenate(
            [np.zeros((0, *shape), int), *(getattr(taken, name) for taken in self.taken)]
        )
        scale, time_, bin_ = join("scale"), join("time"), join("bin")
        sign, amplitude = join("sign", channels), join("amplitude", channels)
        step, channel = np.nonzero(amplitude)
        heard = amplitude[step, channel].astype(np.float32)
        reference = float(np.abs(heard).max(initial=0.0))
        return Atoms(
            self.space,
            self.length,
            reference,
            (time_[step] // self.space.hop).astype(np.int32),
            self.space.fine_bin(scale[step], bin_[step]).astype(np.int32),
            channel.astype(np.int32),
            self.space.quantise(heard, reference),
            sign[step, channel].astype(np.int8),
            heard,
            np.zeros(len(step), np.uint8),
            scale[step].astype(np.int8),
        )

    @property
    def residual(self) -> np.ndarray:
        """(channels, samples) float64: what the atoms leave of the sound."""
        pad = self.state.dictionary.pad
        return self.state.residual[:, pad : pad + self.length]


class MatchingPursuitAtomizer:
    """Turns samples into few atoms and back.

    space     whose dictionary is used: `PLAIN`, `OPTIMISED` (atoms are moved to the sample where they take most) or `GABOR`
    stop      when the pursuit ends
    compiled  whether numba does the work; by default where it is installed and knows the dictionary. The atoms are the same.
    """

    def __init__(
        self,
        space: ScaleSpace = PLAIN,
        stop: Stop = Stop(srr_db=30.0),
        compiled: bool | None = None,
    ):
        stop.validate()
        self.space, self.stop, self.dictionary = space, stop, dictionary_of(space)
        can = (
            isinstance(self.dictionary, MDCTUnion)
            and space.hop == self.dictionary.strides[0]
            and space.scales[-1] <= MAX_RATIO * space.scales[0]
        )
        self.compiled = (
            can and importlib.util.find_spec("numba") is not None if compiled is None else compiled
        )
        if self.compiled and not can:
            raise AtomizerError(
                f"Only pursuits on the frames of MDCT bases are compiled, whose scales are at most {MAX_RATIO} times apart."
            )

    def pursue(
        self, samples: np.ndarray, stop: Stop | None = None, every: int | None = None
    ) -> Iterator[Pursuit]:
        """Take atoms from (channels, samples) at space.rate; yields the same, growing `Pursuit` again and again, and lastly when it is done.

        stop   instead of the atomizer's own
        every  steps between two yields; by default about a tenth of a second

        Raises AtomizerError, when the first state is asked for, for more channels than the space has or a stop out of range.
        """
        stop = self.stop if stop is None else stop
        stop.validate()
        if len(samples) > self.space.channels:
            raise AtomizerError(
                f"This sound has {len(samples)} channels; up to {self.space.channels} are accepted."
            )
        began = time.perf_counter()
        engine: Any = LocalPursuit
        if self.compiled:
            from .pursuit.compiled import CompiledPursuit as engine
        state = engine(self.dictionary, samples)
        pursuit = Pursuit(self.space, samples.shape[1], [], state)
        whole = energy = state.energy
        enough = whole * 10 ** (
            -min(stop.srr_db if stop.srr_db is not None else math.inf, MOST_DB) / 10
        )
        steps, channels = every or 64, len(samples)
        while not pursuit.done:
            asked, most = steps, channels
            if (
                stop.atoms is not None
            ):  # the last step takes no more atoms than are left: those of the loudest channels
                left = stop.atoms - pursuit.count
                asked, most = (
                    min(steps, left // channels) if left >= channels else min(1, left),
                    min(channels, max(1, left)),
                )
            start = time.perf_counter()
            taken = state.run(asked, most, enough)
            if len(taken.bin):
                pursuit.taken.append(taken)
                pursuit.count += int(np.count_nonzero(taken.amplitude))
                energy = state.energy
            now = time.perf_counter()
            if not every:
                steps = int(
                    np.clip(
                        steps * _BREATH / max(now - start, 1e-6),
                        max(1, steps // 2),
                        min(2 * steps, _MOST_STEPS),
                    )
                )
            pursuit.seconds = now - began
            pursuit.srr_db = 10 * math.log10(whole / max(energy, 1e-30 * whole)) if whole else 0.0
            if whole <= 0 or (len(taken.bin) < asked and energy > enough):
                pursuit.done = "silence"
            elif energy <= enough:
                pursuit.done = "srr" if stop.srr_db is not None else "silence"
            elif stop.atoms is not None and pursuit.count >= stop.atoms:
                pursuit.done = "atoms"
            elif stop.seconds is not None and pursuit.seconds >= stop.seconds:
                pursuit.done = "seconds"
            yield pursuit

    def analyse(
        self, samples: np.ndarray, threshold_db: float | None = None, loudest: int | None = None
    ) -> Atoms:
        """Atoms of (channels, samples) float32 at space.rate, in the order in which they were taken.

        threshold_db  keep only atoms at or above this velocity, in dB relative to the loudest
        loudest       stop after this many atoms

        Raises AtomizerError as `pursue` does.
        """
        stop = self.stop if loudest is None else Stop(atoms=loudest)
        *_, pursuit = self.pursue(samples, stop)  # which is one and the same object
        return pursuit.atoms if threshold_db is None else pursuit.atoms.above(threshold_db)

    def synthesise(self, atoms: Atoms, channels: int | None = None) -> np.ndarray:
        """(channels, samples) float32 of atoms in any order; `channels` defaults to the highest that occurs."""
        channels = int(atoms.channel.max(initial=0)) + 1 if channels is None else channels
        atoms = atoms[atoms.channel < channels]
        out = np.zeros((channels, atoms.length))
        time_, bin_ = (
            atoms.time.astype(np.int64) * self.space.hop,
            self.space.scale_bin(atoms.scale, atoms.frequency),
        )
        loose = np.ones(len(atoms), bool)
        if isinstance(self.dictionary, MDCTUnion):  # what lies on frames is transformed at once
            strides = np.array(self.dictionary.strides)
            loose = time_ % strides[atoms.scale] != 0
            for scale, (stride, count) in enumerate(
                zip(strides, self.dictionary.counts(atoms.length))
            ):
                here = (atoms.scale == scale) & ~loose
                if here.any():
                    grid = np.zeros((channels, count, stride))
                    np.add.at(
                        grid,
                        (atoms.channel[here], time_[here] // stride, bin_[here]),
                        atoms.amplitude[here],
                    )
                    out += imdct(grid, atoms.length, self.space.window)
        return (out + self._one_by_one(atoms[loose], time_[loose], bin_[loose], channels)).astype(
            np.float32
        )

    def _one_by_one(
        self, atoms: Atoms, time_: np.ndarray, bin_: np.ndarray, channels: int
    ) -> np.ndarray:
        padded = self.dictionary.padded(np.zeros((channels, atoms.length)))
        # all atoms of one place share their waveforms
        places, index = np.unique(
            np.stack([atoms.scale, time_, bin_], 1), axis=0, return_inverse=True
        )
        members = np.split(
            np.argsort(index.ravel(), kind="stable"),
            np.cumsum(np.bincount(index.ravel(), minlength=len(places)))[:-1],
        )
        for (scale, at, k), here in zip(places, members):
            waves = self.dictionary.combination(
                atoms.sign[here], atoms.amplitude[here], scale, k
            ) @ self.dictionary.waveforms(scale, k)
            np.add.at(padded, (atoms.channel[here], self.dictionary.span(scale, at)), waves)  # type: ignore[arg-type]  # numpy's stubs know no slices
        return padded[:, self.dictionary.pad : self.dictionary.pad + atoms.length]
