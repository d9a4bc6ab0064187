"""Atoms packed into the bytes that the picture draws.

N atoms are N frames (uint16), N bins (uint16), N brightnesses (uint8) and N flags (uint8), one array after the other, quiet atoms
first, so that a picture drawn in this order keeps the loud ones on top.
"""

from __future__ import annotations

import numpy as np

from ..atoms import AtomSpace

MAX_DRAWN = 400_000
KEPT, UNKNOWN, FILLED = range(3)  # the state of an atom: two bits of its flags


def loudest_cells(grid: np.ndarray, space: AtomSpace, limit: int = MAX_DRAWN) -> np.ndarray:
    """Flat indices of the `limit` loudest audible cells of a grid, the quiet ones first."""
    magnitude = np.abs(grid).ravel()
    cells = np.flatnonzero(magnitude >= _threshold(magnitude, space))
    if len(cells) > limit:
        cells = cells[np.argpartition(magnitude[cells], -limit)[-limit:]]
    return cells[np.argsort(magnitude[cells], kind="stable")]


def audible_count(grid: np.ndarray, space: AtomSpace) -> int:
    magnitude = np.abs(grid)
    return int(np.count_nonzero(magnitude >= _threshold(magnitude, space)))


def _threshold(magnitude: np.ndarray, space: AtomSpace) -> float:
    """The quietest audible magnitude, above zero also where all is silent."""
    return max(float(magnitude.max(initial=0.0)) * 10 ** ((space.floor_db - space.step_db / 2) / 20), 1e-30)


def pack(grid: np.ndarray, cells: np.ndarray, space: AtomSpace, states: np.ndarray | None = None,
         loudest: float = 0.0) -> bytes:
    """Bytes of the atoms at `cells`, flat indices into a grid (channels, frames, bins).

    states   (channels, frames, bins) uint8 of KEPT, UNKNOWN and FILLED; all kept by default
    loudest  magnitude of full brightness; the grid's own loudest by default

    The brightness spans the dB from the quietest audible level, 0, to the loudest atom, 255.
    """
    channel, frame, bin_ = np.unravel_index(cells, grid.shape)
    amplitude = grid.ravel()[cells]
    loudest = loudest or max(float(np.abs(grid).max(initial=0.0)), 1e-30)
    db = 20 * np.log10(np.maximum(np.abs(amplitude) / loudest, 1e-9))
    brightness = np.clip(255 * (1 - db / space.floor_db), 0, 255)
    flags = (amplitude >= 0).astype(np.uint8) | (channel.astype(np.uint8) << 1)
    if states is not None:
        flags |= states.ravel()[cells] << 4
    return b"".join([frame.astype("<u2").tobytes(), bin_.astype("<u2").tobytes(), brightness.astype(np.uint8).tobytes(),
                     flags.tobytes()])
