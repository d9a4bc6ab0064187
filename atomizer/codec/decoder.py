"""From the bytes of a file of atoms, or the first of them, to a sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..analysis.mdct import imdct
from ..atoms.masking import QUARTERS, band_edges
from ..io.audio import Sound, resample_to_length
from .allocation import EQUAL, step_sizes
from .bands import FRAMES, STEPS, code_steps
from .bitstream import HEADER_BYTES, Header, from_chunks
from .coder import Stream
from .encoder import UNKNOWN
from .planes import Levels, Reached, Span, Tiles, Watch, code_levels
from .stereo import BLOCK, code_mid_side, rotate


@dataclass(frozen=True)
class Received:
    """What was decoded of a file of atoms, or of its first bytes.

    header    of the file
    edges     (bands + 1,) int64, first bin of every band, and the end
    mid_side  (blocks, bands) uint8, 1 where two channels are mid and side
    steps     (C, groups, bands) int64, levels of the bands; None if they were not sent
    sizes     (C, groups, bands) int64, step sizes in quarter levels
    levels    the atoms
    reached   where the code ends
    atoms     number of atoms
    """

    header: Header
    edges: np.ndarray
    mid_side: np.ndarray
    steps: np.ndarray | None
    sizes: np.ndarray
    levels: Levels
    reached: Reached
    atoms: int

    def scale(self, group: int) -> np.ndarray:
        """(C, 1, F) float64: amplitude of a step of the atoms of a group of frames."""
        sizes = np.repeat(self.sizes[:, group], np.diff(self.edges), axis=1)[:, None]
        return 2.0 ** (sizes / QUARTERS + self.header.exponent)

    def grid(self, first: int = 0, stop: int | None = None) -> np.ndarray:
        """(C, n, F) float32: the amplitudes of the atoms of frames, `first` a multiple of `FRAMES`.

        They are those of mid and side where they were sent. All frames by default.
        """
        channels, frames, bins = self.header.shape
        stop = frames if stop is None else min(stop, frames)
        out = np.zeros((channels, stop - first, bins), np.float32)
        for start in range(first, stop, FRAMES):
            span = slice(start, min(start + FRAMES, stop))
            out[:, start - first : span.stop - first] = self.levels.signed(span) * self.scale(
                start // FRAMES
            )
        return out


def receive(data: bytes, max_seconds: float | None = None, watch: Watch | None = None) -> Received:
    """Decode the bytes of a file; see `atomizer.codec.decode`.

    watch  counts bytes of the code, without header and checksums
    """
    header = Header.unpack(data, max_seconds)
    stream = Stream.reading(from_chunks(data[HEADER_BYTES:], header.size))
    channels, frames, bins = header.shape
    space = header.space
    edges = band_edges(bins, space.rate)
    groups, bands = -(-frames // FRAMES), len(edges) - 1
    mid_side = np.zeros((-(-frames // BLOCK) if channels == 2 else 0, bands), np.uint8)
    code_mid_side(stream, mid_side)
    steps = np.zeros((channels, groups, bands), np.int64)
    sizes, expected = np.full_like(steps, EQUAL), np.full_like(steps, UNKNOWN)
    if header.order == "audibility":
        if not stream.stopped:
            code_steps(stream, steps)
        sizes = step_sizes(steps, edges, space, header.exponent)
        expected = steps * (QUARTERS // STEPS) - sizes
    levels, reached, atoms = Levels.empty(header.shape), Reached(header.top + 1, 0, 0), 0
    if not stream.stopped:
        tiles = Tiles(edges, expected, FRAMES)
        atoms, reached = code_levels(
            stream, levels, tiles, Span(header.top, header.atoms), watch=watch
        )
    sent = steps if header.order == "audibility" else None
    return Received(header, edges, mid_side, sent, sizes, levels, reached, atoms)


def synthesise(received: Received, grid: np.ndarray) -> Sound:
    """The sound of a grid (C, T, F) of what was received, which is changed in place."""
    header = received.header
    if header.channels == 2:
        rotate(grid, received.edges, received.mid_side)
    return at_own_rate(header, imdct(grid, header.samples, header.space.window))


def at_own_rate(header: Header, samples: np.ndarray) -> Sound:
    """Samples at the rate of the atoms as a sound with the rate and length of the original."""
    if header.space.rate != header.rate:
        samples = resample_to_length(samples, header.space.rate, header.rate, header.length)
    return Sound(np.ascontiguousarray(samples), header.rate)
