"""Orderings: pure functions from atoms to a permutation of them.

A sound is the sum of its atoms, so the order does not change it; it decides which atoms are filled
in, kept or heard first. Ties are broken by time, then frequency, then channel: orderings are total.

An ordering is one function and one row of `ORDERINGS`; command line, endpoints, menus, sampler and
training use the table. dev/architecture.md lists what the page and the tests need of a new one.

In a fill an ordering sees the selected frames and their context only, in training the frames of
a window: never the whole sound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import AtomizerError
from .atoms import Atoms
from .audibility import audibility_db
from .space import BIT, AtomSpace

_LEVEL_AND_PLACE = sum(BIT[name] for name in ("time", "frequency", "channel", "velocity"))


def _sort(atoms: Atoms, *keys: np.ndarray) -> np.ndarray:
    """Permutation (N,) that sorts by the keys, the first one first, then by the tie-breaks."""
    return _radix_sort(*keys, *(_known(atoms, name) for name in ("time", "frequency", "channel")))


def _radix_sort(*keys: np.ndarray) -> np.ndarray:
    """Permutation (N,) that sorts by the keys, the first one first; equal atoms keep their order.

    Equals np.lexsort and is several times faster: a radix sort of 64-bit words that hold several
    keys each, by 16 bits at a time; numpy sorts uint16 by counting.
    """
    permutation = np.arange(len(keys[0]))
    for word, bits in _words(keys):
        for shift in range(0, bits, 16):
            digit = (word >> np.uint64(shift)).astype(np.uint16)
            permutation = permutation[np.argsort(digit[permutation], kind="stable")]
    return permutation


def _words(keys: Sequence[np.ndarray]) -> list[tuple[np.ndarray, int]]:
    """Keys packed into uint64 words, from the last key on, and the bits used of each word."""
    words = [(np.zeros(len(keys[0]), np.uint64), 0)]
    for key in reversed(keys):
        value, bits = _as_uint64(key)
        word, used = words[-1]
        if used + bits > 64:
            words.append((value, bits))
        else:
            words[-1] = (word | value << np.uint64(used), used + bits)
    return words


def _as_uint64(key: np.ndarray) -> tuple[np.ndarray, int]:
    """The key as uint64 from 0 on, in the same order, and the bits of its largest value."""
    if key.dtype.kind == "f" and key.dtype.itemsize <= 8:
        # bits of positive floats ascend with the floats, bits of negative ones descend; NaN is last
        same_zeros = np.where(np.isnan(key), np.nan, key + 0).astype(key.dtype)  # -0 + 0 is 0
        raw = same_zeros.view(f"u{key.dtype.itemsize}")
        top = raw.dtype.type(1 << 8 * key.dtype.itemsize - 1)
        key = np.where(raw & top, ~raw, raw | top)
    elif key.dtype.kind not in "iu":
        key = np.unique(key, return_inverse=True)[1]
    low, high = (int(key.min()), int(key.max())) if len(key) else (0, 0)
    return key.astype(np.uint64) - np.uint64(low % (1 << 64)), (high - low).bit_length()


def _known(atoms: Atoms, feature: str) -> np.ndarray:
    """Values of a feature (N,); all unknown ones are replaced by one value above the known ones."""
    values, unknown = getattr(atoms, feature), atoms.is_unknown(feature)
    if not unknown.any():
        return values
    return np.where(unknown, values.max(where=~unknown, initial=0) + 1, values)


def by_time(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From start to end: continuation."""
    return _sort(atoms)


def by_frequency(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From low to high: bandwidth extension."""
    return _sort(atoms, _known(atoms, "frequency"))


def by_velocity(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From loud to quiet: compression.

    Within a level the larger amplitude comes first. Unknown velocities come last.
    """
    known = ~atoms.is_unknown("velocity")
    level = np.where(known, atoms.velocity, -1)
    return _sort(atoms, -level, -np.where(known, np.abs(atoms.amplitude), 0))


def by_channel(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """Channel by channel: upmixing."""
    return _sort(atoms, _known(atoms, "channel"))


def at_random(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """In random order: restoration.

    The same seed gives the same order for the same set of atoms, whatever their order in memory.
    """
    canonical = _sort(atoms)
    return canonical[np.random.default_rng(seed).permutation(len(atoms))]


def by_audibility(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From clearly audible to masked: perceptual compression.

    Levels relative to the masking by all known atoms. Atoms of unknown velocity or place come last.
    """
    known = (atoms.unknown & _LEVEL_AND_PLACE) == 0
    excess = np.zeros(len(atoms))
    excess[known] = audibility_db(
        atoms.time[known],
        atoms.frequency[known],
        atoms.channel[known],
        np.abs(atoms.amplitude[known]),
        atoms.space,
    )
    return _sort(atoms, ~known, -excess)


ORDERINGS: dict[str, Callable[[Atoms, int], np.ndarray]] = {
    "time": by_time,
    "frequency": by_frequency,
    "velocity": by_velocity,
    "channel": by_channel,
    "random": at_random,
    "audibility": by_audibility,
}
# Orderings that depend on velocities: where these are unknown, a fill predicts them first.
BY_LEVEL = ("velocity", "audibility")


# Axes of a grid (channels, frames, bins), slowest first, along which an ordering visits the cells.
# A shortcut: without a row here, atoms are made of the cells and sorted.
_CELL_AXES = {"time": (1, 2, 0), "frequency": (2, 1, 0), "channel": (0, 1, 2)}


def reveal_schedule(
    mask: np.ndarray,
    magnitude: np.ndarray,
    by: str,
    steps: int,
    reverse: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Step, 1 … `steps`, that reveals each cell of a mask: `order` for the cells of a grid.

    mask       (channels, frames, bins) bool
    magnitude  (channels, frames, bins) float, used by the ordering by velocity only
    steps      number of steps of equal size, at most 255

    Returns (channels, frames, bins) uint8, 0 outside the mask. Minutes of sound have tens of
    millions of cells, too many for Atoms in memory; hence the shortcuts.
    """
    axes = _CELL_AXES.get(by, (1, 2, 0))
    total = int(mask.sum())
    sizes = np.diff([total * n // steps for n in range(steps + 1)])
    numbers = np.arange(1, steps + 1, dtype=np.uint8)
    step = np.repeat(numbers[::-1], sizes[::-1]) if reverse else np.repeat(numbers, sizes)
    if by not in _CELL_AXES:
        if by == "random":
            permutation = np.random.default_rng(seed).permutation(total)
        elif by == "velocity":
            magnitudes = magnitude.transpose(axes)[mask.transpose(axes)]
            permutation = np.argsort(-magnitudes, kind="stable")
        else:
            axes = (0, 1, 2)
            permutation = ORDERINGS[by](_cells(magnitude, mask), seed)
        step_of_rank, step = step, np.empty_like(step)
        step[permutation] = step_of_rank
    out = np.zeros(mask.shape, np.uint8)
    out.transpose(axes)[mask.transpose(axes)] = step
    return out


def sort_key(by: str, magnitude: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Sort keys of the cells of a grid, ascending along an ordering; broadcasts to its shape.

    magnitude  (channels, frames, bins) float32, used by the ordering by velocity only
    noise      (channels, frames, bins) float32 from 0 to 1, decides between equal cells
    """
    if by == "random":
        return noise
    if by == "velocity":
        return -20 * np.log10(magnitude + np.float32(1e-9))
    if by in _CELL_AXES:
        axis = ("channel", "time", "frequency").index(by)
        shape = [-1 if n == axis else 1 for n in range(3)]
        return np.arange(magnitude.shape[axis], dtype=np.float32).reshape(shape) + 0.5 * noise
    rank = np.empty(magnitude.size, np.float32)
    rank[ORDERINGS[by](_cells(magnitude, np.ones(magnitude.shape, bool)), 0)] = np.arange(rank.size)
    return rank.reshape(magnitude.shape)


def _cells(magnitude: np.ndarray, mask: np.ndarray) -> Atoms:
    """Atoms of the cells of a mask, by channel, then time, then frequency."""
    space = AtomSpace(hop=magnitude.shape[2])
    length = (magnitude.shape[1] - 1) * space.hop
    return Atoms.from_grid(magnitude, space, length, where=mask)


def order(
    atoms: Atoms,
    by: str | Callable[[Atoms], np.ndarray] | Sequence[int] = "time",
    reverse: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Permutation (N,) that puts N atoms in an order.

    Parameters
    ----------
    atoms : Atoms
        The atoms.
    by : str, callable or sequence of int
        Name in `ORDERINGS`; or a function from Atoms to N keys, sorted ascending; or a permutation.
    reverse : bool
        The same permutation from its end.
    seed : int
        Seed of the random ordering.

    Returns
    -------
    ndarray
        The permutation: `atoms[order(atoms, "velocity")]` has the loudest atom first.

    Raises
    ------
    AtomizerError
        The name is unknown, the keys have another shape, or the sequence is no permutation.
    """
    if isinstance(by, str):
        if by not in ORDERINGS:
            raise AtomizerError(
                f"There is no ordering {by[:40]!r}: choose from {', '.join(ORDERINGS)}."
            )
        permutation = ORDERINGS[by](atoms, seed) if len(atoms) else np.empty(0, int)
    elif callable(by):
        keys = np.asarray(by(atoms))
        if keys.shape != (len(atoms),):
            raise AtomizerError(
                f"The key function of an ordering returns one key per atom, {len(atoms)} in all,"
                f" not {keys.shape}."
            )
        permutation = _sort(atoms, keys)
    else:
        permutation = np.asarray(by)
        if len(permutation) == 0:
            permutation = permutation.astype(int)
        if permutation.dtype.kind not in "iu" or not np.array_equal(
            np.sort(permutation), np.arange(len(atoms))
        ):
            raise AtomizerError(
                f"This is no permutation of the {len(atoms)} atoms: every index from 0 on must"
                " occur once."
            )
    return permutation[::-1] if reverse else permutation
