"""Matching pursuit: takes, one by one, the atom that explains most of the residual.

    for state in MatchingPursuitAtomizer().pursue(samples, Stop(srr_db=20)):
        print(state.count, state.srr_db)  # state.atoms and state.residual are available, too

Mallat & Zhang 1993, with the local updates of MPTK (Krstulovic & Gribonval 2006) and, if the space
is finer than the frames, the local optimisation of Moussallam, Daudet & Richard 2012. The space
determines the dictionary: a union of MDCT bases, or Gabor atoms.
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
from .pursuit import LocalPursuit, TakenAtoms, dictionary_of
from .pursuit.dictionary import MDCTUnion
from .pursuit.gram import MAX_RATIO

PLAIN = ScaleSpace()
OPTIMISED = ScaleSpace(hop=1)
GABOR = ScaleSpace(hop=32, window="gauss", phases=16)

MAX_SRR_DB = 100.0  # limit of single-precision amplitudes
_YIELD_SECONDS = 0.1  # between two yields
_MAX_STEPS = 1 << 16


@dataclass(frozen=True)
class Stop:
    """When a pursuit ends: at the first of these, or when only rounding errors are left.

    atoms    number of atoms; a step takes one per channel
    srr_db   signal-to-residual ratio in dB
    seconds  time since the start of the pursuit
    """

    atoms: int | None = None
    srr_db: float | None = None
    seconds: float | None = None

    def validate(self) -> None:
        """Raise AtomizerError if a value is out of range."""
        if self.atoms is not None and self.atoms < 0:
            raise AtomizerError(f"A pursuit stops at 0 or more atoms, not at {self.atoms}.")
        if self.srr_db is not None and not 0 <= self.srr_db <= MAX_SRR_DB:
            raise AtomizerError(
                f"A pursuit stops at a signal-to-residual ratio of 0 to {MAX_SRR_DB:g} dB, not at"
                f" {self.srr_db:g}."
            )
        if self.seconds is not None and not self.seconds >= 0:
            raise AtomizerError(
                f"A pursuit stops after 0 or more seconds, not after {self.seconds:g}."
            )


@dataclass
class Pursuit:
    """A running pursuit.

    count    number of atoms taken
    srr_db   energy of the sound over that of the residual, which may reach beyond the ends of the
             sound; 0 for silence
    seconds  time since the start
    done     "" while it runs, then the reason for its end: "atoms", "srr", "seconds" or "silence"
             (nothing is left)
    """

    space: ScaleSpace
    length: int
    taken: list[TakenAtoms]
    state: LocalPursuit
    count: int = 0
    srr_db: float = 0.0
    seconds: float = 0.0
    done: str = ""

    @property
    def atoms(self) -> Atoms:
        """The atoms in the order in which they were taken; several may share a place."""
        channels = len(self.state.residual)

        def join(name: str, *shape: int) -> np.ndarray:
            arrays = (getattr(taken, name) for taken in self.taken)
            return np.concatenate([np.zeros((0, *shape), int), *arrays])

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
        """The sound minus its atoms: (channels, samples) float64."""
        pad = self.state.dictionary.pad
        return self.state.residual[:, pad : pad + self.length]


class MatchingPursuitAtomizer:
    """Turns samples into few atoms and back.

    space     determines the dictionary: `PLAIN`, `OPTIMISED` (each atom moves to the sample where
              it takes the most energy) or `GABOR`
    stop      when the pursuit ends
    compiled  whether to use numba; by default if it is installed and supports the dictionary. The
              atoms are the same.
    """

    def __init__(
        self,
        space: ScaleSpace = PLAIN,
        stop: Stop = Stop(srr_db=30.0),
        compiled: bool | None = None,
    ):
        stop.validate()
        self.space, self.stop, self.dictionary = space, stop, dictionary_of(space)
        supported = (
            isinstance(self.dictionary, MDCTUnion)
            and space.hop == self.dictionary.strides[0]
            and space.scales[-1] <= MAX_RATIO * space.scales[0]
        )
        self.compiled = (
            supported and importlib.util.find_spec("numba") is not None
            if compiled is None
            else compiled
        )
        if self.compiled and not supported:
            raise AtomizerError(
                "Only pursuits on the frames of MDCT bases are compiled, with scales at most"
                f" {MAX_RATIO} times apart."
            )

    def pursue(
        self, samples: np.ndarray, stop: Stop | None = None, every: int | None = None
    ) -> Iterator[Pursuit]:
        """Take atoms from samples; yields the same growing `Pursuit` regularly and at its end.

        samples  (channels, n) at space.rate
        stop     by default the atomizer's own
        every    steps between two yields; by default about a tenth of a second

        Raises AtomizerError, at the first state, for more channels than the space has or an
        invalid stop.
        """
        stop = self.stop if stop is None else stop
        stop.validate()
        if len(samples) > self.space.channels:
            raise AtomizerError(
                f"This sound has {len(samples)} channels; up to {self.space.channels} are accepted."
            )
        started = time.perf_counter()
        engine: Any = LocalPursuit
        if self.compiled:
            from .pursuit.compiled import CompiledPursuit as engine
        state = engine(self.dictionary, samples)
        pursuit = Pursuit(self.space, samples.shape[1], [], state)
        total = energy = state.energy
        target_energy = total * 10 ** (
            -min(stop.srr_db if stop.srr_db is not None else math.inf, MAX_SRR_DB) / 10
        )
        steps, channels = every or 64, len(samples)
        while not pursuit.done:
            left = None if stop.atoms is None else stop.atoms - pursuit.count
            batch, max_channels = _next_batch(steps, channels, left)
            start = time.perf_counter()
            taken = state.run(batch, max_channels, target_energy)
            if len(taken.bin):
                pursuit.taken.append(taken)
                pursuit.count += int(np.count_nonzero(taken.amplitude))
                energy = state.energy
            now = time.perf_counter()
            if not every:
                steps = _steps_per_yield(steps, now - start)
            pursuit.seconds = now - started
            pursuit.srr_db = 10 * math.log10(total / max(energy, 1e-30 * total)) if total else 0.0
            is_reached = energy <= target_energy
            if total <= 0 or (len(taken.bin) < batch and not is_reached):
                pursuit.done = "silence"
            else:
                pursuit.done = _reason_to_end(pursuit, stop, is_reached)
            yield pursuit

    def analyse(
        self, samples: np.ndarray, threshold_db: float | None = None, loudest: int | None = None
    ) -> Atoms:
        """Atoms of (channels, samples) float32 at space.rate, in the order of the pursuit.

        threshold_db  keep only atoms at or above this velocity, in dB relative to the loudest
        loudest       stop after this many atoms

        Raises AtomizerError as `pursue` does.
        """
        stop = self.stop if loudest is None else Stop(atoms=loudest)
        *_, pursuit = self.pursue(samples, stop)
        return pursuit.atoms if threshold_db is None else pursuit.atoms.above(threshold_db)

    def synthesise(self, atoms: Atoms, channels: int | None = None) -> np.ndarray:
        """Samples (channels, n) float32 of atoms in any order.

        channels  of the result; by default up to the highest channel of the atoms
        """
        channels = int(atoms.channel.max(initial=0)) + 1 if channels is None else channels
        atoms = atoms[atoms.channel < channels]
        off_frame = np.ones(len(atoms), bool)
        out = np.zeros((channels, atoms.length))
        if isinstance(self.dictionary, MDCTUnion):
            strides = np.array(self.dictionary.strides)
            off_frame = atoms.time.astype(np.int64) * self.space.hop % strides[atoms.scale] != 0
            out = self._sum_of_frames(self.dictionary, atoms[~off_frame], channels)
        return (out + self._sum_of_waveforms(atoms[off_frame], channels)).astype(np.float32)

    def _sum_of_frames(self, dictionary: MDCTUnion, atoms: Atoms, channels: int) -> np.ndarray:
        """Samples (channels, n) of atoms on frames of an MDCT, which are transformed together."""
        out = np.zeros((channels, atoms.length))
        time_ = atoms.time.astype(np.int64) * self.space.hop
        bin_ = self.space.scale_bin(atoms.scale, atoms.frequency)
        counts = dictionary.counts(atoms.length)
        for scale, (stride, count) in enumerate(zip(dictionary.strides, counts)):
            here = atoms.scale == scale
            if here.any():
                grid = np.zeros((channels, count, stride))
                place = atoms.channel[here], time_[here] // stride, bin_[here]
                np.add.at(grid, place, atoms.amplitude[here])
                out += imdct(grid, atoms.length, self.space.window)
        return out

    def _sum_of_waveforms(self, atoms: Atoms, channels: int) -> np.ndarray:
        """Samples (channels, n) of atoms anywhere, by adding their waveforms."""
        time_ = atoms.time.astype(np.int64) * self.space.hop
        bin_ = self.space.scale_bin(atoms.scale, atoms.frequency)
        padded = self.dictionary.padded(np.zeros((channels, atoms.length)))
        # atoms of one place share their waveforms
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
            span: Any = self.dictionary.span(scale, at)  # the stubs of numpy do not allow slices
            np.add.at(padded, (atoms.channel[here], span), waves)
        return padded[:, self.dictionary.pad : self.dictionary.pad + atoms.length]


def _next_batch(steps: int, channels: int, left: int | None) -> tuple[int, int]:
    """Number of steps to take at once, and of channels that each takes an atom of.

    The last step may take atoms of the loudest channels only.

    left  number of atoms that may still be taken; None for any number
    """
    if left is None:
        return steps, channels
    batch = min(steps, left // channels) if left >= channels else min(1, left)
    return batch, min(channels, max(1, left))


def _steps_per_yield(steps: int, seconds: float) -> int:
    """Steps that take about `_YIELD_SECONDS`, by the seconds of the last ones."""
    wanted = steps * _YIELD_SECONDS / max(seconds, 1e-6)
    return int(np.clip(wanted, max(1, steps // 2), min(2 * steps, _MAX_STEPS)))


def _reason_to_end(pursuit: Pursuit, stop: Stop, is_reached: bool) -> str:
    """`Pursuit.done`; `is_reached`: the residual is as quiet as it has to be."""
    if is_reached:
        return "srr" if stop.srr_db is not None else "silence"
    if stop.atoms is not None and pursuit.count >= stop.atoms:
        return "atoms"
    if stop.seconds is not None and pursuit.seconds >= stop.seconds:
        return "seconds"
    return ""
