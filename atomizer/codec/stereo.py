"""Mid and side of two channels, band by band, where they are cheaper than left and right."""

from __future__ import annotations

import numpy as np

from .coder import STOP, Stream, code, compiled, counters

BLOCK = 64  # frames of a decision
_SMALL = 1e-6  # of the largest magnitude: quieter atoms cost nothing


def choose_mid_side(grid: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(blocks, bands) uint8, 1 where mid and side have fewer bits than left and right.

    grid  (2, T, F) float. The bits of an atom are the logarithm of its magnitude.
    """
    small = _SMALL * max(float(grid.max(initial=0)), -float(grid.min(initial=0)), 1e-30)
    out = []
    for start in range(0, grid.shape[1], BLOCK):
        left, right = grid[:, start : start + BLOCK]
        pairs = (left, right), ((left + right) * 0.5**0.5, (left - right) * 0.5**0.5)
        bits = [sum(np.log2(np.abs(x) + small).sum(0) for x in pair) for pair in pairs]
        apart, together = (np.add.reduceat(bit, edges[:-1]) for bit in bits)
        out.append(together < apart - 1e-6 * np.abs(apart))
    return np.array(out, np.uint8)


def rotate(grid: np.ndarray, edges: np.ndarray, mid_side: np.ndarray) -> None:
    """Left and right to mid and side, or back, in place where `mid_side` (blocks, bands) is 1."""
    where = np.repeat(mid_side.astype(bool), np.diff(edges), axis=1)
    for block, bins in enumerate(where):
        span = slice(block * BLOCK, (block + 1) * BLOCK)
        left, right = grid[0, span][:, bins], grid[1, span][:, bins]
        grid[0, span, bins] = ((left + right) * 0.5**0.5).T
        grid[1, span, bins] = ((left - right) * 0.5**0.5).T


def code_mid_side(stream: Stream, mid_side: np.ndarray) -> None:
    """Encode decisions (blocks, bands), or decode them in place."""
    _code_mid_side(stream.arrays, mid_side, counters(4))


@compiled
def _code_mid_side(stream, mid_side, counter):
    """`code_mid_side` on arrays: the contexts are the decisions before and below."""
    blocks, bands = mid_side.shape
    for k in range(blocks):
        for b in range(bands):
            context = 2 * np.int64(mid_side[k - 1, b]) if k > 0 else 0
            context += np.int64(mid_side[k, b - 1]) if b > 0 else 0
            p = min(65000, max(500, counter[context] >> 16))
            bit = code(stream, np.int64(mid_side[k, b]), p)
            if stream[0][STOP] != 0:
                return
            mid_side[k, b] = bit
            counter[context] += (((bit << 32) - counter[context]) * 5) >> 6
