"""Packs atoms into the bytes that the browser draws, orders and plays.

Atoms are in drawing order: by velocity, quiet ones first, so that loud ones are drawn on top; of
equal velocities in the order of channels, frames and bins. There are two formats:

- listed: N frames (uint16), N bins (uint16), N velocities (uint16) and N flags (uint8), one array
  after the other, in drawing order. Flags: bit 0 the sign, bits 1 to 3 the channel, bits 4 and 5
  the state.
- mapped: N velocities (uint16), a bit per cell of the grid (1: it has an atom), a bit per atom (1:
  positive), in the order of cells. The browser sorts them. A third of the bytes where most cells
  have atoms.

A velocity spans the dB from the quietest audible level (0) to the loudest atom of the scene
(65535): steps of a thousandth of a dB, so that a sound made of these atoms matches the original.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..atoms.space import AtomSpace
from ..limits import limits

TOP = 65_535  # the highest velocity
KEPT, UNKNOWN, FILLED = range(3)  # states of an atom


def audible(magnitude: np.ndarray, loudest: float, space: AtomSpace) -> np.ndarray:
    """Return (…) bool: which magnitudes are audible beside `loudest`; zero never is."""
    return magnitude >= max(loudest * 10 ** ((space.floor_db - space.step_db / 2) / 20), 1e-30)


def loudest_cells(
    grid: np.ndarray,
    space: AtomSpace,
    where: np.ndarray | None = None,
    loudest: float | None = None,
    limit: int | None = None,
) -> np.ndarray:
    """Return the flat indices of the loudest audible cells of a grid, in drawing order.

    where    bool array of the grid's shape: which cells count; all by default
    loudest  magnitude of the loudest atom of the scene; the grid's own by default
    limit    how many cells at most; `limits().atoms_drawn` by default
    """
    magnitude = np.abs(grid).ravel()
    loudest = float(magnitude.max(initial=0.0)) if loudest is None else loudest
    heard = audible(magnitude, loudest, space)
    is_drawn = _loudest(magnitude, heard if where is None else heard & where.ravel(), limit)
    return _in_drawing_order(magnitude, is_drawn, loudest, space)


def _loudest(magnitude: np.ndarray, heard: np.ndarray, limit: int | None) -> np.ndarray:
    """Return which of the cells that are heard (bool) are among the loudest `limit`."""
    limit = limits().atoms_drawn if limit is None else limit
    if np.count_nonzero(heard) <= limit:
        return heard
    cells = np.flatnonzero(heard)
    is_drawn = np.zeros(len(heard), bool)
    is_drawn[cells[np.argpartition(magnitude[cells], -limit)[-limit:]]] = True
    return is_drawn


def _in_drawing_order(
    magnitude: np.ndarray, is_drawn: np.ndarray, loudest: float, space: AtomSpace
) -> np.ndarray:
    """Return the indices of the drawn cells (bool), quiet ones first."""
    cells = np.flatnonzero(is_drawn)
    # 16 bits sort by radix, in a fifth of the time of floats
    return cells[np.argsort(velocities(magnitude[cells], loudest, space), kind="stable")]


def ascending(magnitude: np.ndarray) -> np.ndarray:
    """Return a stable argsort of float32 magnitudes.

    The bits of non-negative floats sort like integers, and 16-bit halves sort by radix, which is
    ten times faster.
    """
    halves = np.ascontiguousarray(magnitude, "<f4").view("<u2").reshape(-1, 2)
    low = np.argsort(halves[:, 0], kind="stable")
    return low[np.argsort(halves[low, 1], kind="stable")]


class PackedScene(NamedTuple):
    """The drawn atoms of a grid.

    data       the bytes
    is_mapped  whether they are in the mapped format, not in the listed one
    drawn      how many atoms are drawn
    audible    how many are audible beside the loudest
    loudest    its magnitude
    """

    data: bytes
    is_mapped: bool
    drawn: int
    audible: int
    loudest: float


def pack_scene(grid: np.ndarray, space: AtomSpace, limit: int | None = None) -> PackedScene:
    """Pack the loudest audible atoms of a grid, in the format that takes fewer bytes.

    grid   coefficients (channels, frames, bins)
    limit  how many atoms at most; `limits().atoms_drawn` by default
    """
    magnitude = np.abs(grid).ravel()
    loudest = float(magnitude.max(initial=0.0))
    heard = audible(magnitude, loudest, space)
    is_drawn = _loudest(magnitude, heard, limit)
    count = int(np.count_nonzero(is_drawn))
    is_mapped = 2 * count + (grid.size + count) / 8 < 7 * count
    if is_mapped:
        data = velocities(magnitude[is_drawn], loudest, space).tobytes()
        data += bits(is_drawn) + bits(grid.ravel()[is_drawn] >= 0)
    else:
        cells = _in_drawing_order(magnitude, is_drawn, loudest, space)
        data = pack(grid, cells, space, loudest=loudest)
    return PackedScene(data, is_mapped, count, int(np.count_nonzero(heard)), loudest)


def pack(
    grid: np.ndarray,
    cells: np.ndarray,
    space: AtomSpace,
    states: np.ndarray | None = None,
    loudest: float = 0.0,
) -> bytes:
    """Return the bytes of listed atoms at `cells`, flat indices of a (channels, frames, bins) grid.

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
            velocity.tobytes(),
            flags.tobytes(),
        ]
    )


def velocities(magnitude: np.ndarray, loudest: float, space: AtomSpace) -> np.ndarray:
    """Return magnitudes as velocities from 0 to TOP (uint16), where `loudest` is TOP."""
    level = magnitude / max(loudest, 1e-30)
    # in place: an array of every atom is larger than the caches
    np.maximum(level, 1e-9, out=level)
    np.log10(level, out=level)
    level *= 20
    level /= space.floor_db
    np.subtract(1, level, out=level)
    level *= TOP
    np.round(level, out=level)
    return np.clip(level, 0, TOP, out=level).astype("<u2")


def bits(mask: np.ndarray) -> bytes:
    """Return a bool array as bits, the first in the lowest bit of the first byte."""
    return np.packbits(mask, bitorder="little").tobytes()


# ---------- the way back


def unpack(
    data: bytes, count: int, shape: tuple[int, int, int], space: AtomSpace, loudest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cells, amplitudes and states of what `pack` has packed, in drawing order.

    shape    of the grid that the flat indices `cells` are of
    loudest  magnitude of the highest velocity
    """
    columns = np.frombuffer(data, "<u2", 3 * count).reshape(3, count)
    flags = np.frombuffer(data, np.uint8, count, 6 * count)
    frame, bin_, velocity = columns
    cells = np.ravel_multi_index(((flags >> 1) & 7, frame, bin_), shape)
    return cells, _amplitudes(velocity, flags & 1, space, loudest), flags >> 4


def unpack_scene(
    data: bytes, count: int, shape: tuple[int, int, int], space: AtomSpace, loudest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return cells and amplitudes of mapped atoms of `pack_scene`, in drawing order."""
    size = int(np.prod(shape))
    velocity = np.frombuffer(data, "<u2", count)
    packed = np.frombuffer(data, np.uint8, offset=2 * count)
    has_atom, is_positive = packed[: -(-size // 8)], packed[-(-size // 8) :]
    cells = np.flatnonzero(np.unpackbits(has_atom, count=size, bitorder="little"))
    signs = np.unpackbits(is_positive, count=count, bitorder="little")
    order = np.argsort(velocity, kind="stable")
    return cells[order], _amplitudes(velocity, signs, space, loudest)[order]


def _amplitudes(
    velocity: np.ndarray, is_positive: np.ndarray, space: AtomSpace, loudest: float
) -> np.ndarray:
    """Return signed amplitudes (float32) of velocities from 0 to TOP."""
    magnitude = loudest * 10 ** (space.floor_db * (1 - velocity / TOP) / 20)
    return np.where(is_positive, magnitude, -magnitude).astype(np.float32)
