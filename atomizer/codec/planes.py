"""The atoms of a sound, level by level from the loudest down.

Level p holds the atoms whose scaled magnitude has its highest bit at p. For each level, the places
of the atoms that become significant are coded, band by band from low to high, each with its sign;
then the magnitudes of earlier ones are refined. A refinement divides the interval of a magnitude
into thirds: the middle one keeps the centre, so that no refinement moves a magnitude away from its
value, and the SNR of a prefix never falls as it grows.

A tile is a band of a frame of a channel. A tile whose atoms are all below the level is one bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .coder import AT, HALF, INPUTS, STOP, Stream, code, code_mixed, compiled, mixture
from .contexts import (
    AMPLITUDES,
    COARSE,
    DIGITS,
    FINE,
    MAX_LEVEL,
    REFINE,
    SETS,
    SUMS,
    TOTAL,
    expected_class,
    place_contexts,
    refinement_contexts,
    sums_around,
    tile_contexts,
)

PAD = 2  # cells around the grid of levels, which have no atoms


def _refines(levels: int) -> np.ndarray:
    """(levels,) bool: whether magnitudes are refined at a number of levels below their own.

    They are as soon as their interval is twice as wide as the threshold of the level.
    """
    out, width, parts = np.zeros(levels, np.bool_), 1, 1
    for below in range(1, levels):
        width *= 2
        if width >= 2 * parts:
            out[below], parts = True, parts * 3
    return out


REFINES = _refines(MAX_LEVEL + 2)


@dataclass
class Levels:
    """What is known of the magnitudes of a grid (C, T, F).

    level     (C, T + 4, F + 4) uint8, 1 + level of each atom; 0 where none is significant
    negative  (C, T, F) uint8, 1 for a negative atom
    digits    (C, T, F) uint8, number of refinements
    rest      (C, T, F) int32; when decoded, the refinements as a number of base 3; when encoded,
              what is left of the magnitude
    """

    level: np.ndarray
    negative: np.ndarray
    digits: np.ndarray
    rest: np.ndarray

    @classmethod
    def empty(cls, shape: tuple[int, int, int]) -> Levels:
        """No atoms in a grid of this shape."""
        return cls.encoding(np.zeros(shape, np.uint8), np.zeros(shape, np.int32))

    @classmethod
    def encoding(cls, negative: np.ndarray, magnitude: np.ndarray) -> Levels:
        """No atoms yet of signs and magnitudes (C, T, F), which become `negative` and `rest`."""
        channels, frames, bins = magnitude.shape
        padded = (channels, frames + 2 * PAD, bins + 2 * PAD)
        level = np.zeros(padded, np.uint8)
        return cls(level, negative, np.zeros(magnitude.shape, np.uint8), magnitude)

    @property
    def levels(self) -> np.ndarray:
        """(C, T, F) uint8: the levels without padding."""
        return self.level[:, PAD:-PAD, PAD:-PAD]

    def signed(self, frames: slice) -> np.ndarray:
        """(C, n, F) float64: centres of the intervals of the atoms of frames, 0 elsewhere."""
        levels = self.level[:, frames.start + PAD : frames.stop + PAD, PAD:-PAD]
        levels = levels[:, : self.negative[:, frames].shape[1]]
        inside = (self.rest[:, frames] + 0.5) / 3.0 ** self.digits[:, frames]
        out = np.ldexp(1 + inside, levels.astype(np.int32) - 1)
        return np.where(levels > 0, np.where(self.negative[:, frames], -out, out), 0)


@dataclass(frozen=True)
class Tiles:
    """Bands of a grid and what is known of them.

    edges     (bands + 1,) int64, first bin of every band, and the end
    expected  (C, groups, bands) int64, level of the root mean square, in quarters of a level
    frames    of a group
    """

    edges: np.ndarray
    expected: np.ndarray
    frames: int


@dataclass(frozen=True)
class Reached:
    """Where a code ends.

    The places of `level` are known in all bands before `band` and in its frames before `frame`,
    those of the level above in all others.
    """

    level: int
    band: int
    frame: int

    def levels(self, frames: slice, bands: int) -> np.ndarray:
        """(n, bands) int64: lowest level of the places that are known, for frames."""
        bands_before = np.arange(bands) < self.band
        frames_before = np.arange(frames.start, frames.stop)[:, None] < self.frame
        here = (np.arange(bands) == self.band) & frames_before
        return np.where(bands_before | here, self.level, self.level + 1)


@dataclass(frozen=True)
class Span:
    """Which atoms are coded.

    top    highest level
    atoms  largest number of atoms
    """

    top: int
    atoms: int


def _nothing() -> np.ndarray:
    return np.zeros(0, np.int64)


def _ignore(share: float) -> None:
    """Do not report progress."""


@dataclass(frozen=True)
class Watch:
    """What is noted while levels are coded.

    counts    (n,) int64, rising numbers of atoms
    bytes     (n,) int64, number of bytes read after each of them; those that are never reached
              stay as they are
    on_share  called after every level with the share of the work that is done, about
    """

    counts: np.ndarray = field(default_factory=_nothing)
    bytes: np.ndarray = field(default_factory=_nothing)
    on_share: Callable[[float], None] = _ignore


def code_levels(
    stream: Stream,
    levels: Levels,
    tiles: Tiles,
    span: Span,
    magnitude: np.ndarray | None = None,
    watch: Watch | None = None,
) -> tuple[int, Reached]:
    """Encode or decode levels from the highest one down, as far as the stream has bytes.

    magnitude  (C, T, F) int32 to encode, in units of the step sizes, with the signs in `levels`;
               None to decode
    watch      `watch.bytes` is changed in place when decoding

    Returns the number of atoms, and where the code ends.
    """
    channels, frames, _ = levels.negative.shape
    shape = (channels, frames + 2, len(tiles.edges) + 1)
    counts = np.zeros(shape, np.int64)
    reached = np.array([span.top + 1, 0, 0], np.int64)
    watch, model = watch or Watch(), mixture(TOTAL, SETS)
    tile, found = np.zeros_like(counts), 0
    watch.bytes[watch.counts <= 0] = stream.state[AT]
    for level in range(span.top, -1, -1) if span.atoms > 0 else ():
        found = _code_level(
            stream.arrays,
            levels.rest if magnitude is None else magnitude,
            (levels.level, levels.negative, levels.digits, levels.rest),
            (tiles.edges, tiles.expected, tiles.frames, tile, counts),
            (model, (FINE, COARSE, AMPLITUDES, REFINES)),
            (level, span.atoms, found, reached, watch.counts, watch.bytes),
        )
        # without a limit of bytes, a level has about as many of them as those above together
        watch.on_share(max(stream.state[AT] / max(1, len(stream.data)), 2.0**-level))
        if stream.stopped or found >= span.atoms:
            break
    return found, Reached(*reached.tolist())


@compiled
def _code_level(stream, magnitude, known, tiles, model_and_tables, place):
    """A level of `code_levels` on arrays; returns the number of atoms so far."""
    p, atoms, _, reached, _, _ = place
    model, (fine, coarse, amplitudes, refines) = model_and_tables
    amplitude = np.zeros(MAX_LEVEL + 2, np.int64)
    for i in range(1, len(amplitude)):
        amplitude[i] = amplitudes[min(len(amplitudes) - 1, max(0, i - 1 - p))]
    tables = fine, coarse, amplitude
    found = _code_places(stream, magnitude, known, tiles, model, tables, place)
    if stream[0][STOP] == 0 and found < atoms:
        reached[1] = len(tiles[0]) - 1
        _code_refinements(stream, known, tiles, model, (*tables, refines), p)
    return found


@compiled
def _reaches(magnitudes, level):
    """Whether one of the magnitudes (n,) reaches a level."""
    for magnitude in magnitudes:
        if magnitude >> level != 0:
            return True
    return False


@compiled
def _code_places(  # noqa: PLR0913 compiled: numba takes arrays, no objects
    stream, magnitude, known, tiles, model, tables, place
):
    """The places and signs of the atoms of a level; returns the number of atoms so far."""
    p, atoms, found, reached, marked, marks = place
    edges, expected, per_group, tile, count = tiles
    channels, frames, _ = known[1].shape
    coarse, contexts = tables[1], np.zeros(INPUTS, np.int64)
    done = np.array([found, np.searchsorted(marked, found, side="right")])
    for b in range(len(edges) - 1):
        for t in range(frames):
            reached[0], reached[1], reached[2] = p, b, t
            for c in range(channels):
                cell, e = (p, c, t, b), expected_class(expected[c, t // per_group, b], p)
                if _code_tile(stream, magnitude, cell, e, (edges, tile), (model, contexts)):
                    bins = edges[b], edges[b + 1]
                    dense, dense_here = _densities(count, coarse, cell, bins)
                    where = cell, bins, (e, dense, dense_here)
                    before = done[0]
                    _code_atoms(
                        stream,
                        magnitude,
                        known,
                        (model, tables, contexts),
                        where,
                        (atoms, marked, marks, done),
                    )
                    count[c, t + 1, b + 1] += done[0] - before
                if stream[0][STOP] != 0 or done[0] >= atoms:
                    return done[0]
    return done[0]


@compiled
def _code_tile(stream, magnitude, cell, expected, bands, coding):
    """Whether a tile has atoms that reach the level, or a level above: codes a bit if need be.

    cell    level, channel, frame and band
    bands   first bin of every band, and the tiles
    coding  the mixture, and room for the contexts

    Also False where the stream stops.
    """
    p, c, t, b = cell
    edges, tile = bands
    model, contexts = coding
    if tile[c, t + 1, b + 1] != 0:
        return True
    bit = 1 if stream[2] and _reaches(magnitude[c, t, edges[b] : edges[b + 1]], p) else 0
    tile_contexts(contexts, tile, (c, t, b), p, expected)
    if code_mixed(stream, bit, model, contexts, SUMS + min(c, 1)) == 0:
        return False
    tile[c, t + 1, b + 1] = p + 1
    return True


@compiled
def _densities(count, coarse, cell, bins):
    """Classes of the density of atoms: in the frames beside a tile, and in it and the band below.

    count  (C, T + 2, bands + 1) atoms of every tile
    """
    _, c, t, b = cell
    width = bins[1] - bins[0]
    beside = count[c, t, b + 1] + count[c, t + 2, b + 1]
    here = count[c, t + 1, b + 1] + count[c, t + 1, b]
    return coarse[min(511, beside * 16 // width)], min(3, coarse[min(511, here * 8 // width)])


@compiled
def _code_atoms(stream, magnitude, known, coding, where, progress):
    """Which atoms of a tile reach a level, and their signs, until the stream stops.

    coding    the mixture, tables, and room for the contexts
    where     cell (level, channel, frame and band), first bin and end, classes of the tile
    progress  largest number of atoms, and `Watch.counts` and `Watch.bytes`; array with the number
              of atoms so far, and of counts that are reached
    """
    state, _, encoding = stream
    level, negative, _, rest = known
    model, (fine, coarse, amplitude), contexts = coding
    (p, c, t, b), (low, high), densities = where
    atoms, marked, marks, done = progress
    for f in range(low, high):
        if level[c, t + PAD, f + PAD] != 0:
            continue
        frame, time, other = sums_around(level, amplitude, c, t + PAD, f + PAD)
        total = fine[min(511, frame + time + other)]
        classes = coarse[frame], coarse[time], min(3, coarse[other]), total
        place_contexts(contexts, (p, c, b, f), densities, classes)
        bit = 1 if magnitude[c, t, f] >> p != 0 else 0  # ignored by a decoder
        if code_mixed(stream, bit, model, contexts, total) == 0:
            if state[STOP] != 0:
                return
            continue
        sign = code(stream, np.int64(negative[c, t, f]), HALF)
        if state[STOP] != 0:
            return
        negative[c, t, f] = sign
        level[c, t + PAD, f + PAD] = p + 1
        rest[c, t, f] = magnitude[c, t, f] - (1 << p) if encoding else 0
        done[0] += 1
        while done[1] < len(marked) and marked[done[1]] <= done[0]:
            marks[done[1]] = state[AT]
            done[1] += 1
        if done[0] >= atoms:
            return


@compiled
def _code_digit(stream, digit, model, contexts):
    """Encode or decode the third of an interval, 0 … 2; returns it."""
    if code_mixed(stream, 1 if digit == 1 else 0, model, contexts, SUMS + 2) == 1:
        return 1
    if stream[0][STOP] != 0:
        return 0
    for i in range(INPUTS):
        contexts[i] += (TOTAL - REFINE) // 2
    return 2 * code_mixed(stream, 1 if digit == 2 else 0, model, contexts, SUMS + 3)


@compiled
def _code_refinements(stream, known, tiles, model, tables, p):
    """Refinements of the atoms above level p, as far as the stream has bytes."""
    state, _, encoding = stream
    level, negative, digits, rest = known
    edges, _, _, tile, _ = tiles
    fine, coarse, amplitude, refines = tables
    channels, frames, _ = negative.shape
    contexts = np.zeros(INPUTS, np.int64)
    for b in range(len(edges) - 1):
        for t in range(frames):
            for c in range(channels):
                if tile[c, t + 1, b + 1] <= p + 1:
                    continue
                for f in range(edges[b], edges[b + 1]):
                    own = level[c, t + PAD, f + PAD]
                    if own <= p + 1 or not refines[own - 1 - p]:
                        continue
                    frame, time, other = sums_around(level, amplitude, c, t + PAD, f + PAD)
                    width = np.int64(1) << (own - 1)
                    digit = 0
                    if encoding:
                        tripled = np.int64(3) * rest[c, t, f]
                        digit = tripled // width
                        rest[c, t, f] = tripled - digit * width
                    n = min(DIGITS - 1, digits[c, t, f])
                    classes = coarse[frame], coarse[time], fine[min(511, frame + time + other)]
                    refinement_contexts(contexts, (own - 1 - p, c, b), n, classes)
                    digit = _code_digit(stream, digit, model, contexts)
                    if state[STOP] != 0:
                        return
                    if not encoding:
                        rest[c, t, f] = 3 * rest[c, t, f] + digit
                    digits[c, t, f] += 1
