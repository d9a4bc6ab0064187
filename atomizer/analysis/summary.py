"""Summary of the atoms of a sound, for `atomizer info`.

MDCT atoms are counted part by part, so that memory does not grow with the length of the sound.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..atoms.space import AtomSpace
from ..io.audio import Sound, open_long
from ..io.reader import SoundReader
from .cutoff import FrameSample, cutoff_of, find_cutoff
from .matching_pursuit import MatchingPursuitAtomizer
from .mdct import imdct, mdct_blocks
from .mdct_atomizer import MDCTAtomizer

PART_FRAMES = 512  # frames that are analysed together
Parts = Callable[[], Iterable[np.ndarray]]  # the samples of a sound, (C, n) at a time
Grids = Iterator[tuple[np.ndarray, np.ndarray]]  # as `_grids` yields them


@dataclass(frozen=True)
class Counts:
    """Facts on the atoms of a sound.

    atoms, audible  numbers of atoms
    seconds         duration of the analysis
    snr_db          of the atoms' sound, in dB; None for silence
    frames          (C, n, F) some frames of MDCT atoms; None for other atoms
    """

    atoms: int
    audible: int
    seconds: float
    snr_db: float | None
    frames: np.ndarray | None = None


def parts_of(samples: np.ndarray, space: AtomSpace) -> Parts:
    """The samples (C, n) of a sound at space.rate, as parts."""
    size = PART_FRAMES * space.hop
    return lambda: (samples[:, at : at + size] for at in range(0, samples.shape[1], size))


def count_atoms(parts: Parts, space: AtomSpace, loudest: int | None = None) -> Counts:
    """Count the MDCT atoms of a sound.

    parts    returns samples (C, n) at space.rate, of whole hops but for the last part; it is called
             twice
    loudest  keep this many atoms; all by default
    """
    mdct_blocks(np.zeros((2, space.hop), np.float32), space.window)  # the first call makes tables
    survey = _survey(parts(), space, loudest)
    kept = survey.atoms if loudest is None else min(loudest, survey.atoms)
    grids = _grids(parts(), space)
    if kept < survey.atoms:
        grids = _loudest_of(grids, survey.largest, kept)
    audible, snr_db = _measure(grids, space, survey.peak)
    return Counts(kept, audible, survey.seconds, snr_db, survey.frames)


class _Survey(NamedTuple):
    """A first look at all atoms of a sound.

    atoms    their number
    peak     largest magnitude
    largest  the largest magnitudes, as many as are kept; none where all are
    seconds  duration of the analysis
    frames   (C, n, F) some of the frames
    """

    atoms: int
    peak: float
    largest: np.ndarray
    seconds: float
    frames: np.ndarray


def _survey(parts: Iterable[np.ndarray], space: AtomSpace, loudest: int | None) -> _Survey:
    """Look at the atoms of the samples (C, n) of a sound, of which the `loudest` are kept."""
    atoms, peak, seconds = 0, 0.0, 0.0
    largest, sample = np.zeros(0, np.float32), FrameSample()
    start = time.perf_counter()
    for grid, _ in _grids(parts, space):
        seconds += time.perf_counter() - start
        sample.add(grid)
        magnitude = np.abs(grid)
        atoms += int(np.count_nonzero(magnitude))
        peak = max(peak, float(magnitude.max(initial=0)))
        if loudest is not None:
            largest = _largest(np.concatenate([largest, magnitude[magnitude > 0]]), loudest)
        start = time.perf_counter()
    return _Survey(atoms, peak, largest, seconds, sample.grid)


def _loudest_of(grids: Grids, largest: np.ndarray, kept: int) -> Grids:
    """The grids with the loudest atoms alone, `kept` in all; of equal ones the first are kept."""
    least = float(largest.min(initial=math.inf))
    ties = kept - int(np.count_nonzero(largest > least))
    for grid, samples in grids:
        grid, ties = _without_quiet(grid, least, ties)
        yield grid, samples


def _measure(grids: Grids, space: AtomSpace, peak: float) -> tuple[int, float | None]:
    """Number of audible atoms, and SNR in dB of their sound; None for silence."""
    audible, signal, noise, carry = 0, 0.0, 0.0, None
    for grid, samples in grids:
        audible += int(np.count_nonzero(space.quantise(grid[grid != 0], peak)))
        carry = np.zeros_like(grid[:, :1]) if carry is None else carry
        estimate = imdct(np.concatenate([carry, grid], 1), samples.shape[1], space.window)
        carry = grid[:, -1:]
        signal += float((samples.astype(float) ** 2).sum())
        noise += float(((samples - estimate).astype(float) ** 2).sum())
    snr_db = round(10 * math.log10(signal / max(noise, 1e-30)), 3) if signal else None
    return audible, snr_db


def _grids(parts: Iterable[np.ndarray], space: AtomSpace) -> Grids:
    """Frames (C, n, hop), and the n hops of samples that are complete with them.

    These are one hop behind: a hop is the sum of the frame before and the frame after it. The
    sound begins with a hop of silence, and its last hop is padded.
    """
    last: np.ndarray | None = None
    for part in parts:
        padded = np.pad(part, ((0, 0), (0, -part.shape[1] % space.hop)))
        hops = padded.reshape(len(part), -1, space.hop)
        last = np.zeros_like(hops[:, :1]) if last is None else last
        blocks = np.concatenate([last, hops], 1)
        yield mdct_blocks(blocks, space.window), blocks[:, :-1].reshape(len(part), -1)
        last = hops[:, -1:]
    if last is not None:
        blocks = np.concatenate([last, np.zeros_like(last)], 1)
        yield mdct_blocks(blocks, space.window), last[:, 0]


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """The `count` largest values, in any order."""
    if len(values) <= count:
        return values
    if not count:
        return values[:0]
    return np.partition(values, len(values) - count)[len(values) - count :]


def _without_quiet(grid: np.ndarray, least: float, ties: int) -> tuple[np.ndarray, int]:
    """The grid without magnitudes below `least`, and all but the first `ties` equal to it.

    Returns the grid, and how many of the ties are left for the next one.
    """
    magnitude = np.abs(grid)
    equal = np.flatnonzero(magnitude == least)
    out = np.where(magnitude >= least, grid, np.float32(0))
    out.flat[equal[ties:]] = 0
    return out, max(0, ties - len(equal))


def summarise(
    sound: Sound,
    name: str,
    atomizer: MDCTAtomizer | MatchingPursuitAtomizer,
    loudest: int | None = None,
) -> dict[str, Any]:
    """Counts, duration of the analysis, SNR, cutoff and features, as JSON-ready data.

    The cutoff is [start, end] of its slope in Hz, or None (`cutoff.py`).

    name     of the atomizer, in `ATOMIZERS`
    loudest  keep this many MDCT atoms; all by default. A pursuit has a `Stop` of its own.
    """
    samples = sound.at(atomizer.space.rate)
    if isinstance(atomizer, MDCTAtomizer):
        space = atomizer.space
        counts = count_atoms(parts_of(samples, space), space, loudest)
    else:
        counts = _count_pursuit(samples, atomizer)
    facts = describe(sound, counts, name, atomizer)
    if counts.frames is None:
        cutoff = cutoff_of(sound)
        facts["cutoff_hz"] = None if cutoff is None else cutoff.rounded
    return facts


def summarise_file(
    path: str | os.PathLike, loudest: int | None = None
) -> tuple[dict[str, Any], str | None]:
    """The summary of the MDCT atoms of a file of any length, and the note of its reader.

    loudest  keep this many atoms; all by default

    Raises AtomizerError if the file is not a valid sound.
    """
    atomizer = MDCTAtomizer()
    space = atomizer.space
    with open_long(path) as file:
        counts = count_atoms(
            lambda: file.resampled(space.rate, PART_FRAMES * space.hop), space, loudest
        )
        return describe(file, counts, "mdct", atomizer), file.note(file.frames)


def describe(
    sound: Sound | SoundReader,
    counts: Counts,
    name: str,
    atomizer: MDCTAtomizer | MatchingPursuitAtomizer,
) -> dict[str, Any]:
    """The counts of a sound, with facts on it and the features of its atoms."""
    cutoff = None
    if counts.frames is not None:
        cutoff = find_cutoff(counts.frames, atomizer.space, sound.rate / 2)
    return {
        "atoms": counts.atoms,
        "audible": counts.audible,
        "channels": sound.channels,
        "rate": sound.rate,
        "duration_s": round(sound.seconds, 6),
        "analysis_s": round(counts.seconds, 6),
        "snr_db": counts.snr_db,
        "cutoff_hz": None if cutoff is None else cutoff.rounded,
        "atomizer": name,
        "features": {
            feature.name: {"cardinality": feature.cardinality, "unit": feature.unit}
            for feature in atomizer.space.features
        },
    }


def _count_pursuit(samples: np.ndarray, atomizer: MatchingPursuitAtomizer) -> Counts:
    """Counts of the matching-pursuit atoms of (C, n) samples."""
    # once before the clock starts: the first call imports, compiles and makes tables
    atomizer.analyse(np.ones((1, 1), np.float32), loudest=1)
    start = time.perf_counter()
    atoms = atomizer.analyse(samples)
    seconds = time.perf_counter() - start
    snr = _snr_db(samples, atomizer.synthesise(atoms, len(samples)))
    return Counts(len(atoms), int(atoms.audible.sum()), seconds, snr)


def _snr_db(samples: np.ndarray, estimate: np.ndarray) -> float | None:
    """Signal-to-noise ratio in dB, rounded; None for silence."""
    signal = float((samples.astype(float) ** 2).sum())
    noise = float(((samples - estimate).astype(float) ** 2).sum())
    return round(10 * np.log10(signal / max(noise, 1e-30)), 3) if signal else None
