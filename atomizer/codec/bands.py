"""Bands of a grid and their levels: the coarsest description of a sound.

The level of a band is its root mean square over `FRAMES` frames in steps of 3 dB. The levels
decide the audibility ordering, are contexts of the atoms, and are what a decoder fills in where
no atom was sent.
"""

from __future__ import annotations

import numpy as np

from .coder import INPUTS, STOP, Stream, code_mixed, compiled, mixture

FRAMES = 2  # frames of a level
PART = 512  # frames at a time
STEPS = 2  # per factor of 2 in amplitude
MAX_STEP = 63
_CLASSES = 7  # of a difference, -3 … 3
_NODES = 16  # decisions of a difference: is it 0, its sign, is it larger than 1, 2, …
_SIZES = (
    _NODES * _CLASSES * _CLASSES,
    _NODES * _CLASSES * _CLASSES,
    _NODES * 32 * 2,
    _NODES * _CLASSES * _CLASSES,
    _NODES * 16,
    _NODES * _CLASSES * _CLASSES,
)
_STARTS = np.concatenate([[0], np.cumsum(_SIZES)]).astype(np.int64)


def band_steps(grid: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(C, groups, bands) int64: levels of the bands of an integer grid (C, T, F), 0 … MAX_STEP."""
    channels, frames, _ = grid.shape
    groups = -(-frames // FRAMES)
    energy = np.empty((channels, frames, len(edges) - 1))
    for first in range(0, frames, PART):
        part = np.square(grid[:, first : first + PART], dtype=np.float64)
        energy[:, first : first + PART] = np.add.reduceat(part, edges[:-1], axis=2)
    energy = np.pad(energy, ((0, 0), (0, groups * FRAMES - frames), (0, 0)))
    energy = energy.reshape(channels, groups, FRAMES, -1).sum(2) / (FRAMES * np.diff(edges))
    steps = np.round(STEPS * 0.5 * np.log2(np.maximum(energy, 1.0)))
    return np.clip(steps, 0, MAX_STEP).astype(np.int64)


def code_steps(stream: Stream, steps: np.ndarray) -> int:
    """Encode levels (C, groups, bands), or decode them in place; returns the groups coded."""
    return _code_steps(stream.arrays, steps, _STARTS, mixture(int(_STARTS[-1]), _NODES))


@compiled
def _difference(value):
    return min(3, max(-3, value)) + 3


@compiled
def _step_contexts(sizes, base, steps, place):
    """Contexts of the level at place (c, g, b); returns the level that it is coded relative to.

    sizes, base  (INPUTS,) number of contexts of every kind, and the one of this level: written
    """
    c, g, b = place
    before = steps[c, g - 1, b] if g > 0 else 0
    earlier = steps[c, g - 2, b] if g > 1 else before
    below = steps[c, g, b - 1] if b > 0 else 0
    below_before = steps[c, g - 1, b - 1] if b > 0 and g > 0 else below
    above_before = steps[c, g - 1, b + 1] if b + 1 < steps.shape[2] and g > 0 else before
    other = 0
    if c > 0 and g > 0:
        other = steps[c - 1, g, b] - steps[c - 1, g - 1, b]
    if g == 0:
        before = steps[c - 1, g, b] if c > 0 else below
    rise = _difference(below - below_before)
    twice = rise
    if b > 1 and g > 0:
        twice = _difference(steps[c, g, b - 2] - steps[c, g - 1, b - 2])
    sizes[0], base[0] = _CLASSES * _CLASSES, rise * _CLASSES + _difference(other)
    sizes[1], base[1] = _CLASSES * _CLASSES, _difference(before - earlier) * _CLASSES + rise
    sizes[2], base[2] = 64, b * 2 + min(c, 1)
    sizes[3], base[3] = _CLASSES * _CLASSES, rise * _CLASSES + twice
    sizes[4], base[4] = 16, min(15, before // 2)
    sizes[5] = _CLASSES * _CLASSES
    base[5] = rise * _CLASSES + _difference((below + above_before) // 2 - before)
    return before


@compiled
def _decision(wanted, node, size):
    """The bit of a difference at a node: it is not 0, it is below 0, it is larger than `size`."""
    if node == 0:
        return 1 if wanted != 0 else 0
    if node == 1:
        return 1 if wanted < 0 else 0
    return 1 if abs(wanted) > size else 0


@compiled
def _code_difference(stream, wanted, model, contexts, kinds):
    """Encode or decode a difference, decision by decision; returns it.

    contexts  (INPUTS,) int64, written
    kinds     first context, number of contexts and context of every kind, each (INPUTS,)
    """
    starts, sizes, base = kinds
    node, sign, size = 0, 1, 0
    while True:
        for i in range(INPUTS):
            contexts[i] = starts[i] + node * sizes[i] + base[i]
        bit = code_mixed(stream, _decision(wanted, node, size), model, contexts, node)
        if stream[0][STOP] != 0:
            return 0
        if node == 0:
            if bit == 0:
                return 0
            node, size = 1, 1
        elif node == 1:
            sign, node = 1 - 2 * bit, 2
        elif bit == 0 or size >= 2 * MAX_STEP:
            return sign * size
        else:
            size, node = size + 1, min(_NODES - 1, node + 1)


@compiled
def _code_steps(stream, steps, starts, model):
    """`code_steps` on arrays: differences to the group before, in a mixture of contexts."""
    channels, groups, bands = steps.shape
    contexts, base = np.zeros(INPUTS, np.int64), np.zeros(INPUTS, np.int64)
    sizes = np.zeros(INPUTS, np.int64)
    for g in range(groups):
        for c in range(channels):
            for b in range(bands):
                before = _step_contexts(sizes, base, steps, (c, g, b))
                wanted = steps[c, g, b] - before
                found = _code_difference(stream, wanted, model, contexts, (starts, sizes, base))
                if stream[0][STOP] != 0:
                    return g
                steps[c, g, b] = min(MAX_STEP, max(0, before + found))
    return groups
