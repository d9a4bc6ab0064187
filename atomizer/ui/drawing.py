"""Atoms packed into the bytes that the picture draws and the orderings play.

N atoms are N frames (uint16), N bins (uint16), N velocities (uint16) and N flags (uint8), one array after the other, quiet atoms
first, so that a picture drawn in this order keeps the loud ones on top. A velocity spans the dB from the quietest audible level, 0,
to the loudest atom of the scene, 65535: steps of a thousandth of a dB, so that what is made of these atoms sounds like the original.
"""

from __future__ import annotations

import numpy as np

from ..atoms.space import AtomSpace
from ..limits import limits

TOP = 65_535
KEPT, UNKNOWN, FILLED = range(3)  # the state of an atom: two bits of its flags


def audible(magnitude: np.ndarray, loudest: float, space: AtomSpace) -> np.ndarray:
    """Bool array: which magnitudes are heard beside an atom of magnitude `loudest`; never those of zero."""
    return magnitude >= max(loudest * 10 ** ((space.floor_db - space.step_db / 2) / 20), 1e-30)


def loudest_cells(
    grid: np.ndarray,
    space: AtomSpace,
    where: np.ndarray | None = None,
    loudest: float | None = None,
    limit: int | None = None,
) -> np.ndarray:
    """Flat indices of the `limit` loudest audible cells of a grid, by default `limits().atoms_drawn`, the quiet ones first.

    where    bool array of the grid's shape, which cells count; all by default
    loudest  magnitude beside which they are heard; the grid's own loudest by default
    """
    limit = limits().atoms_drawn if limit is None else limit
    magnitude = np.abs(grid).ravel()
    heard = audible(
        magnitude, float(magnitude.max(initial=0.0)) if loudest is None else loudest, space
    )
    cells = np.flatnonzero(heard if where is None else heard & where.ravel())
    if len(cells) > limit:
        cells = cells[np.argpartition(magnitude[cells], -limit)[-limit:]]
    return cells[ascending(magnitude[cells])]


def ascending(magnitude: np.ndarray) -> np.ndarray:
    """Stable argsort of float32 magnitudes: their bits sort like whole numbers, and halves of them by radix, ten times faster."""
    halves = np.ascontiguousarray(magnitude, "<f4").view("<u2").reshape(-1, 2)
    low = np.argsort(halves[:, 0], kind="stable")
    return low[np.argsort(halves[low, 1], kind="stable")]


def audible_count(grid: np.ndarray, space: AtomSpace) -> int:
    """How many atoms of a grid are heard beside its loudest."""
    magnitude = np.abs(grid)
    return int(np.count_nonzero(audible(magnitude, float(magnitude.max(initial=0.0)), space)))


def pack(
    grid: np.ndarray,
    cells: np.ndarray,
    space: AtomSpace,
    states: np.ndarray | None = None,
    loudest: float = 0.0,
) -> bytes:
    """Bytes of the atoms at `cells`, flat indices into a grid (channels, frames, bins).

    states   uint8 of KEPT, UNKNOWN and FILLED, one per cell; all kept by default
    loudest  magnitude of the highest velocity; the grid's own loudest by default
    """
    channel, frame, bin_ = np.unravel_index(cells, grid.shape)
    amplitude = grid.ravel()[cells]
    loudest = loudest or max(float(np.abs(grid).max(initial=0.0)), 1e-30)
    velocity = velocities(np.abs(amplitude), loudest, space)
    flags = (amplitude >= 0).astype(np.uint8) | (channel.astype(np.uint8) << 1)
    if states is not None:
        flags |= states.astype(np.uint8) << 4
    return b"".join(
        [
            frame.astype("<u2").tobytes(),
            bin_.astype("<u2").tobytes(),
            velocity.astype("<u2").tobytes(),
            flags.tobytes(),
        ]
    )


def velocities(magnitude: np.ndarray, loudest: float, space: AtomSpace) -> np.ndarray:
    """Magnitudes as velocities from 0 to TOP, the one of `loudest`."""
    db = 20 * np.log10(np.maximum(magnitude / max(loudest, 1e-30), 1e-9))
    return np.clip(np.round(TOP * (1 - db / space.floor_db)), 0, TOP)


def bits(mask: np.ndarray) -> bytes:
    """A bool array as bits, the first in the lowest."""
    return np.packbits(mask, bitorder="little").tobytes()
