"""From a sound to the bytes of a file of atoms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..analysis.mdct import mdct_blocks
from ..atoms.masking import QUARTERS, band_edges
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound
from .allocation import EQUAL, step_sizes
from .bands import FRAMES, PART, STEPS, band_steps, code_steps
from .bitstream import EXPONENTS, HEADER_BYTES, MAX_ATOMS, Header, code_bytes, to_chunks
from .coder import Stream
from .planes import Levels, Span, Tiles, Watch, code_levels
from .stereo import choose_mid_side, code_mid_side, rotate

PEAK_BITS = 23  # of the loudest atom, in units of the grid
UNKNOWN = -1000  # expected level of a band of which none was sent
_SCALES = np.array([round(65536 * 2 ** (-k / QUARTERS)) for k in range(QUARTERS)], np.int64)


@dataclass(frozen=True)
class Budget:
    """Where a file ends: at the first of these that is reached; None for no limit.

    size   bytes of the file
    atoms  number of atoms
    """

    size: int | None = None
    atoms: int | None = None


def encode_sound(
    sound: Sound,
    space: AtomSpace,
    order: str,
    budget: Budget,
    on_share: Callable[[float], None] | None = None,
) -> bytes:
    """The file of a sound; see `atomizer.codec.encode`."""
    grid = analyse(sound.at(space.rate), space)
    edges = band_edges(space.bins, space.rate)
    mid_side = choose_mid_side(grid, edges) if len(grid) == 2 else np.zeros((0, 0), np.uint8)
    if len(grid) == 2:
        rotate(grid, edges, mid_side)
    peak = float(max(grid.max(initial=0), -grid.min(initial=0)))
    exponent = math.frexp(peak)[1] - PEAK_BITS if peak else 0
    exponent = min(EXPONENTS[1], max(EXPONENTS[0], exponent))
    np.ldexp(grid, -exponent, out=grid)
    whole = np.rint(grid, out=grid).astype(np.int32)
    del grid
    steps = band_steps(whole, edges)
    sizes = np.full_like(steps, EQUAL)
    if order == "audibility":
        sizes = step_sizes(steps, edges, space, exponent)
    negative = (whole < 0).view(np.uint8)
    magnitude = _scaled(whole, edges, sizes)
    # what is left of a magnitude takes its place: it is not read again once its level is coded
    levels = Levels.encoding(negative, magnitude)
    top = max(0, int(magnitude.max(initial=0)).bit_length() - 1)
    stream = Stream.writing(_room(magnitude.size, budget))
    code_mid_side(stream, mid_side)
    expected = np.full_like(steps, UNKNOWN)
    if order == "audibility":
        code_steps(stream, steps)
        expected = steps * (QUARTERS // STEPS) - sizes
    atoms = MAX_ATOMS if budget.atoms is None else min(MAX_ATOMS, budget.atoms)
    tiles, watch = Tiles(edges, expected, FRAMES), Watch(on_share=on_share) if on_share else None
    code_levels(stream, levels, tiles, Span(top, atoms), magnitude, watch)
    code = stream.finish()
    if budget.size is not None:
        code = code[: code_bytes(budget.size)]
    length = sound.samples.shape[1]
    header = Header(
        sound.rate, length, sound.channels, order, space, exponent, top, len(code), atoms
    )
    return header.pack() + to_chunks(code)


def analyse(samples: np.ndarray, space: AtomSpace) -> np.ndarray:
    """(C, T, F) float64 MDCT: rounding it gives the same integers on every machine."""
    channels, length = samples.shape
    frames, hop = space.frame_count(length), space.hop
    grid = np.empty((channels, frames, hop))
    for first in range(0, frames, PART):
        count = min(PART, frames - first)
        blocks = np.zeros((channels, (count + 1) * hop))
        start = (first - 1) * hop  # of these blocks in the sound
        inside = samples[:, max(0, start) : max(0, start + blocks.shape[1])]
        at = max(0, -start)
        blocks[:, at : at + inside.shape[1]] = inside
        grid[:, first : first + count] = mdct_blocks(
            blocks.reshape(channels, count + 1, hop), space.window
        )
    return grid


def _scaled(whole: np.ndarray, edges: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Magnitudes of integers (C, T, F) in units of the step sizes, rounded down, in their place."""
    for group in range(sizes.shape[1]):
        frames = slice(group * FRAMES, (group + 1) * FRAMES)
        size = np.repeat(sizes[:, group], np.diff(edges), axis=1)[:, None]
        scale, shift = _SCALES[size % QUARTERS], 16 + size // QUARTERS
        whole[:, frames] = (np.abs(whole[:, frames]).astype(np.int64) * scale) >> shift
    return whole


def _room(atoms: int, budget: Budget) -> int:
    """Bytes of the array for the code: no more than three of each atom, and a few."""
    room = 3 * atoms + 4096
    return room if budget.size is None else min(room, code_bytes(budget.size))


def file_size(sound: Sound, kbps: float | None, size: int | None) -> int | None:
    """Bytes of a file of at most `size` bytes and `kbps`; None without either."""
    sizes = [] if size is None else [size]
    if kbps is not None:
        if not (math.isfinite(kbps) and kbps > 0):
            raise AtomizerError(f"A bit rate is a positive number of kbit/s, not {kbps:g}.")
        sizes.append(max(HEADER_BYTES, round(kbps * 125 * sound.seconds)))
    if not sizes:
        return None
    if min(sizes) < HEADER_BYTES:
        raise AtomizerError(f"A file of atoms has at least {HEADER_BYTES} bytes, not {min(sizes)}.")
    return min(sizes)
