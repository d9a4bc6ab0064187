"""Contexts: what the probability of a bit of `planes` depends on.

Every bit has `coder.INPUTS` contexts, each the number of an adaptive counter. They are classes of
what encoder and decoder know of the surroundings: neighbouring tiles and atoms of the frame, of the
frames beside it and of the other channel, the expected level of the band, and the place.
"""

from __future__ import annotations

import numpy as np

from .coder import compiled

BANDS = 32  # at most
MAX_LEVEL = 24
SUMS = 12  # classes of the weighted magnitudes around an atom
DIGITS = 4  # classes of the number of refinements
_BINS, _EXPECTED, _DENSITIES = 3, 24, 8  # classes of other contexts
_STATES = 5  # of a neighbouring tile: not significant, or its level above the present one


def _classes(steps: tuple[int, ...], size: int) -> np.ndarray:
    """(size,) class of each value: the number of steps that it reaches."""
    return np.searchsorted(np.array(steps), np.arange(size), side="right").astype(np.int64)


FINE = _classes((1, 2, 3, 4, 6, 8, 11, 16, 24, 36, 56), 512)  # 12 classes
COARSE = _classes((1, 2, 3, 5, 8, 14, 28), 512)  # 8 classes
AMPLITUDES = np.array([1, 2, 4, 8, 12], np.int64)  # of a neighbour, by its level above the present

# start of each group of contexts in the counters
_PLACES = (0, 256, 640, 832, 1088, 1088 + 2 * 4096 * _BINS)
_TILES = _PLACES[5] + MAX_LEVEL * SUMS + 2 * _EXPECTED * _DENSITIES
REFINE = _TILES + 125 + 120 + 320 + 125 + 240 + 768
TOTAL = REFINE + 2 * DIGITS * (SUMS + BANDS + MAX_LEVEL + 8 + 8 + 2)
SETS = SUMS + 2 + 2  # of weights: for places, tiles and refinements


@compiled
def _neighbour_state(tile_level, level):
    """Class of a neighbouring tile, 0 … _STATES - 1."""
    return 0 if tile_level == 0 else 1 + min(3, tile_level - 1 - level)


@compiled
def expected_class(expected, level):
    """Class of the expected root mean square relative to a level, 0 … _EXPECTED - 1."""
    return min(_EXPECTED - 1, max(0, (expected - 4 * level + 26) // 2))


@compiled
def tile_contexts(contexts, tile, place, level, expected):
    """Contexts of the bit of the tile at place (c, t, b)."""
    c, t, b = place
    before = _neighbour_state(tile[c, t, b + 1], level)
    after = _neighbour_state(tile[c, t + 2, b + 1], level)
    below = _neighbour_state(tile[c, t + 1, b], level)
    above = _neighbour_state(tile[c, t + 1, b + 2], level)
    other = 0
    if len(tile) > 1:
        other = _neighbour_state(tile[c - 1 if c > 0 else 1, t + 1, b + 1], level)
    at = _TILES
    contexts[0] = at + (before * 5 + after) * 5 + below
    at += 125
    contexts[1] = at + expected * 5 + before
    at += 120
    contexts[2] = at + (min(c, 1) * 5 + other) * 32 + b
    at += 320
    contexts[3] = at + (below * 5 + above) * 5 + other
    at += 125
    contexts[4] = at + (expected * 5 + other) * 2 + min(c, 1)
    at += 240
    contexts[5] = at + expected * 32 + b


@compiled
def sums_around(level, amplitude, c, t, f):
    """Weighted magnitudes around an atom: of its frame, the frames beside, the other channel.

    t, f count from the padding.
    """
    row = level[c, t]
    frame = (
        2 * (amplitude[row[f - 1]] + amplitude[row[f + 1]])
        + amplitude[row[f - 2]]
        + amplitude[row[f + 2]]
    )
    before, after = level[c, t - 1], level[c, t + 1]
    time = (
        2 * (amplitude[before[f]] + amplitude[after[f]])
        + amplitude[before[f - 1]]
        + amplitude[before[f + 1]]
        + amplitude[after[f - 1]]
        + amplitude[after[f + 1]]
        + amplitude[level[c, t - 2, f]]
    )
    other = 0
    if len(level) > 1:
        beside = level[c - 1 if c > 0 else 1, t]
        other = 2 * amplitude[beside[f]] + amplitude[beside[f - 1]] + amplitude[beside[f + 1]]
    return frame, time, other


@compiled
def place_contexts(contexts, cell, densities, classes):
    """Contexts of the bit of a place.

    cell       level that is coded, channel, band and bin
    densities  classes of the tile: expected level, atoms of the frames beside, atoms of its own
    classes    of the weighted magnitudes around: frame, frames beside, other channel, all
    """
    p, c, b, f = cell
    e, dense, dense_here = densities
    frame, time, other, total = classes
    contexts[0] = (frame * 8 + time) * 4 + other
    contexts[1] = _PLACES[1] + total * BANDS + b
    contexts[2] = _PLACES[2] + e * 8 + min(7, total)
    contexts[3] = _PLACES[3] + ((dense * 4 + dense_here) * 4 + min(3, frame)) * 2
    contexts[3] += min(c, 1)
    contexts[4] = _PLACES[4] + ((min(c, 1) * 4096 + min(f, 4095)) * _BINS + min(2, total))
    contexts[5] = _PLACES[5] + p * SUMS + total


@compiled
def refinement_contexts(contexts, cell, n, classes):
    """Contexts of the first bit of a refinement, the `n`-th of its atom.

    cell     levels below that of the atom, channel and band
    classes  of the weighted magnitudes around: frame, frames beside, all
    """
    below, c, b = cell
    frame, time, total = classes
    contexts[0] = REFINE + n * SUMS + total
    at = REFINE + DIGITS * SUMS
    contexts[1] = at + n * BANDS + b
    at += DIGITS * BANDS
    contexts[2] = at + n * MAX_LEVEL + below
    at += DIGITS * MAX_LEVEL
    contexts[3] = at + n * 8 + frame
    at += DIGITS * 8
    contexts[4] = at + n * 8 + time
    at += DIGITS * 8
    contexts[5] = at + n * 2 + min(c, 1)
