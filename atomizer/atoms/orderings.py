"""Orderings: pure functions from atoms to a permutation of them.

A sound is the sum of its atoms, so any order gives the same sound; which atoms come first is the user's choice.
Every ordering breaks ties by time, then frequency, then channel, so that it is a total order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import AtomizerError
from .atoms import Atoms


def _by(atoms: Atoms, *keys: np.ndarray) -> np.ndarray:
    """Permutation that sorts by the first key, then the second …, then time, frequency, channel."""
    return _sorted(*keys, *(_known(atoms, name) for name in ("time", "frequency", "channel")))


def _sorted(*keys: np.ndarray) -> np.ndarray:
    """Permutation (N,) that sorts by the first key, then the second …; equal atoms stay in their order.

    What np.lexsort does, several times faster: a radix sort of words that hold as many keys as fit into 64 bits, by 16 bits at a time,
    for which numpy's stable sort counts and does not compare.
    """
    permutation = np.arange(len(keys[0]))
    for word, bits in _words(keys):
        for shift in range(0, bits, 16):
            digit = (word >> np.uint64(shift)).astype(np.uint16)
            permutation = permutation[np.argsort(digit[permutation], kind="stable")]
    return permutation


def _words(keys: Sequence[np.ndarray]) -> list[tuple[np.ndarray, int]]:
    """Keys packed into uint64 words, from the last key up, and the bits that are used of each word."""
    words = [(np.zeros(len(keys[0]), np.uint64), 0)]
    for key in reversed(keys):
        value, bits = _whole(key)
        word, used = words[-1]
        if used + bits > 64:
            words.append((value, bits))
        else:
            words[-1] = (word | value << np.uint64(used), used + bits)
    return words


def _whole(key: np.ndarray) -> tuple[np.ndarray, int]:
    """The key as uint64 from 0 on, in the same order, and how many bits the largest value has."""
    if key.dtype.kind == "f" and key.dtype.itemsize <= 8:
        # the bits of floats from 0 on are in the order of the floats, those of negative ones in the opposite order; NaN comes last
        raw = (
            np.where(np.isnan(key), np.nan, key + 0)
            .astype(key.dtype)
            .view(f"u{key.dtype.itemsize}")
        )  # -0 + 0 is 0
        top = raw.dtype.type(1 << 8 * key.dtype.itemsize - 1)
        key = np.where(raw & top, ~raw, raw | top)
    elif key.dtype.kind not in "iu":
        key = np.unique(key, return_inverse=True)[1]
    low, high = (int(key.min()), int(key.max())) if len(key) else (0, 0)
    return key.astype(np.uint64) - np.uint64(low % (1 << 64)), (high - low).bit_length()


def _known(atoms: Atoms, feature: str) -> np.ndarray:
    """The feature's values, with one and the same, the last, where they are unknown."""
    values, unknown = getattr(atoms, feature), atoms.is_unknown(feature)
    return (
        np.where(unknown, values.max(where=~unknown, initial=0) + 1, values)
        if unknown.any()
        else values
    )


def by_time(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """First things first: continuation."""
    return _by(atoms)


def by_frequency(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From low to high: bandwidth extension."""
    return _by(atoms, _known(atoms, "frequency"))


def by_velocity(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """From loud to quiet: compression. Within a level, the exactly louder atom first; unknown velocities come last."""
    known = ~atoms.is_unknown("velocity")
    return _by(
        atoms, -np.where(known, atoms.velocity, -1), -np.where(known, np.abs(atoms.amplitude), 0)
    )


def by_channel(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """One channel after the other: upmixing."""
    return _by(atoms, _known(atoms, "channel"))


def at_random(atoms: Atoms, seed: int = 0) -> np.ndarray:
    """In no order: restoration. The same seed gives the same order for the same set of atoms, however they are stored."""
    canonical = _by(atoms)
    return canonical[np.random.default_rng(seed).permutation(len(atoms))]


ORDERINGS: dict[str, Callable[[Atoms, int], np.ndarray]] = {
    "time": by_time,
    "frequency": by_frequency,
    "velocity": by_velocity,
    "channel": by_channel,
    "random": at_random,
}


# Axes of a grid (channels, frames, bins) from the slowest to the fastest, so that its places lie as an ordering has them.
_AXES = {
    "time": (1, 2, 0),
    "random": (1, 2, 0),
    "velocity": (1, 2, 0),
    "frequency": (2, 1, 0),
    "channel": (0, 1, 2),
}


def reveal_schedule(
    mask: np.ndarray,
    magnitude: np.ndarray,
    by: str,
    turns: int,
    reverse: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """In which of 1 … `turns` turns (255 at most) of equal size every place of a mask comes, 0 outside: `order` for the places of a grid.

    mask, magnitude  (channels, frames, bins) bool and float; magnitudes matter to the ordering by velocity only
    Returns uint8. A grid of minutes has tens of millions of places, which as Atoms would not fit into memory.
    """
    axes = _AXES[by]
    where = mask.transpose(axes)
    total = int(mask.sum())
    bounds = [total * n // turns for n in range(turns + 1)]
    sizes = np.diff(bounds)
    numbers = np.arange(1, turns + 1, dtype=np.uint8)
    turn = np.repeat(numbers[::-1], sizes[::-1]) if reverse else np.repeat(numbers, sizes)
    if by in ("random", "velocity"):
        permutation = (
            np.random.default_rng(seed).permutation(total)
            if by == "random"
            else np.argsort(-magnitude.transpose(axes)[where], kind="stable")
        )
        sequence = np.empty_like(turn)
        sequence[permutation] = turn
        turn = sequence
    out = np.zeros(mask.shape, np.uint8)
    out.transpose(axes)[where] = turn
    return out


def serial_key(by: str, magnitude: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Sort keys that line the places of a grid up by an ordering; noise, 0 … 1, decides between places that stand alike.

    magnitude, noise  (channels, frames, bins) float32; magnitudes matter to the ordering by velocity only
    """
    if by == "random":
        return noise
    if by == "velocity":
        return -20 * np.log10(magnitude + np.float32(1e-9))
    axis = ("channel", "time", "frequency").index(by)
    shape = [-1 if n == axis else 1 for n in range(3)]
    return np.arange(magnitude.shape[axis], dtype=np.float32).reshape(shape) + 0.5 * noise


def order(
    atoms: Atoms,
    by: str | Callable[[Atoms], np.ndarray] | Sequence[int] = "time",
    reverse: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Permutation of N atoms: `atoms[order(atoms, "velocity")]` has the loudest first.

    by       a name in `ORDERINGS`; or a function from Atoms to N keys, sorted from small to large; or a permutation of N
    reverse  the same permutation from its end
    seed     of the random ordering

    Raises AtomizerError for an unknown name or a sequence that is no permutation.
    """
    if isinstance(by, str):
        if by not in ORDERINGS:
            raise AtomizerError(
                f"There is no ordering {by[:40]!r}: choose from {', '.join(ORDERINGS)}."
            )
        permutation = ORDERINGS[by](atoms, seed)
    elif callable(by):
        keys = np.asarray(by(atoms))
        if keys.shape != (len(atoms),):
            raise AtomizerError(
                f"An ordering's key function returns one key per atom, {len(atoms)} in all, not {keys.shape}."
            )
        permutation = _by(atoms, keys)
    else:
        permutation = np.asarray(by)
        if len(permutation) == 0:
            permutation = permutation.astype(int)
        if permutation.dtype.kind not in "iu" or not np.array_equal(
            np.sort(permutation), np.arange(len(atoms))
        ):
            raise AtomizerError(
                f"This is no permutation of the {len(atoms)} atoms: every index from 0 on must occur once."
            )
    return permutation[::-1] if reverse else permutation
