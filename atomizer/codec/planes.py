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

BANDS = 32  # at most
PAD = 2  # cells around the grid of levels, which have no atoms
MAX_LEVEL = 24
_DIGITS = 4  # classes of the number of refinements
_SUMS, _BINS, _EXPECTED, _DENSITIES = 12, 3, 24, 8  # classes of the contexts below
_STATES = 5  # of a neighbouring tile: not significant, or its level above the present one


def _quantiser(steps: tuple[int, ...], size: int) -> np.ndarray:
    """(size,) class of each value: the number of steps that it reaches."""
    return np.searchsorted(np.array(steps), np.arange(size), side="right").astype(np.int64)


FINE = _quantiser((1, 2, 3, 4, 6, 8, 11, 16, 24, 36, 56), 512)  # 12 classes
COARSE = _quantiser((1, 2, 3, 5, 8, 14, 28), 512)  # 8 classes
AMPLITUDES = np.array([1, 2, 4, 8, 12], np.int64)  # of a neighbour, by its level above the present


def _refines(levels: int) -> np.ndarray:
    """(levels,) bool: whether magnitudes are refined at a number of levels below their own.

    They are once their interval is twice as wide as the threshold of the level.
    """
    out, width, parts = np.zeros(levels, np.bool_), 1, 1
    for below in range(1, levels):
        width *= 2
        if width >= 2 * parts:
            out[below], parts = True, parts * 3
    return out


REFINES = _refines(MAX_LEVEL + 2)

# start of each group of contexts in the counters
_PLACES = (0, 256, 640, 832, 1088, 1088 + 2 * 4096 * _BINS)
_TILES = _PLACES[5] + MAX_LEVEL * _SUMS + 2 * _EXPECTED * _DENSITIES
_REFINE = _TILES + 125 + 120 + 320 + 125 + 240 + 768
_TOTAL = _REFINE + 2 * _DIGITS * (_SUMS + BANDS + MAX_LEVEL + 8 + 8 + 2)
_SETS = _SUMS + 2 + 2


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
    watch, model = watch or Watch(), mixture(_TOTAL, _SETS)
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
def _neighbour_state(tile_level, level):
    """Class of a neighbouring tile, 0 … _STATES - 1."""
    return 0 if tile_level == 0 else 1 + min(3, tile_level - 1 - level)


@compiled
def _expected_class(expected, level):
    """Class of the expected root mean square relative to a level, 0 … _EXPECTED - 1."""
    return min(_EXPECTED - 1, max(0, (expected - 4 * level + 26) // 2))


@compiled
def _tile_contexts(contexts, tile, place, level, expected):
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
def _sums(level, amplitude, c, t, f):
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
def _place_contexts(contexts, cell, densities, classes):
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
    contexts[5] = _PLACES[5] + p * _SUMS + total


@compiled
def _refinement_contexts(contexts, cell, n, classes):
    """Contexts of the first bit of a refinement, the `n`-th of its atom.

    cell     levels below that of the atom, channel and band
    classes  of the weighted magnitudes around: frame, frames beside, all
    """
    below, c, b = cell
    frame, time, total = classes
    contexts[0] = _REFINE + n * _SUMS + total
    at = _REFINE + _DIGITS * _SUMS
    contexts[1] = at + n * BANDS + b
    at += _DIGITS * BANDS
    contexts[2] = at + n * MAX_LEVEL + below
    at += _DIGITS * MAX_LEVEL
    contexts[3] = at + n * 8 + frame
    at += _DIGITS * 8
    contexts[4] = at + n * 8 + time
    at += _DIGITS * 8
    contexts[5] = at + n * 2 + min(c, 1)


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
    state, _, encoding = stream
    p, atoms, found, reached, marked, marks = place
    level, negative, _, rest = known
    edges, expected, per_group, tile, count = tiles
    fine, coarse, amplitude = tables
    channels, frames, _ = negative.shape
    contexts = np.zeros(INPUTS, np.int64)
    mark = np.searchsorted(marked, found, side="right")
    for b in range(len(edges) - 1):
        low, high = edges[b], edges[b + 1]
        for t in range(frames):
            reached[0], reached[1], reached[2] = p, b, t
            for c in range(channels):
                e = _expected_class(expected[c, t // per_group, b], p)
                if tile[c, t + 1, b + 1] == 0:
                    bit = 1 if encoding and _reaches(magnitude[c, t, low:high], p) else 0
                    _tile_contexts(contexts, tile, (c, t, b), p, e)
                    bit = code_mixed(stream, bit, model, contexts, _SUMS + min(c, 1))
                    if state[STOP] != 0:
                        return found
                    if bit == 0:
                        continue
                    tile[c, t + 1, b + 1] = p + 1
                near = count[c, t, b + 1] + count[c, t + 2, b + 1]
                dense = coarse[min(511, near * 16 // (high - low))]
                here = count[c, t + 1, b + 1] + count[c, t + 1, b]
                dense_here = min(3, coarse[min(511, here * 8 // (high - low))])
                for f in range(low, high):
                    if level[c, t + PAD, f + PAD] != 0:
                        continue
                    frame, time, other = _sums(level, amplitude, c, t + PAD, f + PAD)
                    total = fine[min(511, frame + time + other)]
                    classes = coarse[frame], coarse[time], min(3, coarse[other]), total
                    _place_contexts(contexts, (p, c, b, f), (e, dense, dense_here), classes)
                    bit = 1 if magnitude[c, t, f] >> p != 0 else 0  # ignored by a decoder
                    bit = code_mixed(stream, bit, model, contexts, total)
                    if state[STOP] != 0:
                        return found
                    if bit == 0:
                        continue
                    sign = code(stream, np.int64(negative[c, t, f]), HALF)
                    if state[STOP] != 0:
                        return found
                    negative[c, t, f] = sign
                    level[c, t + PAD, f + PAD] = p + 1
                    rest[c, t, f] = magnitude[c, t, f] - (1 << p) if encoding else 0
                    count[c, t + 1, b + 1] += 1
                    found += 1
                    while mark < len(marked) and marked[mark] <= found:
                        marks[mark] = state[AT]
                        mark += 1
                    if found >= atoms:
                        return found
    return found


@compiled
def _code_digit(stream, digit, model, contexts):
    """Encode or decode the third of an interval, 0 … 2; returns it."""
    if code_mixed(stream, 1 if digit == 1 else 0, model, contexts, _SUMS + 2) == 1:
        return 1
    if stream[0][STOP] != 0:
        return 0
    for i in range(INPUTS):
        contexts[i] += (_TOTAL - _REFINE) // 2
    return 2 * code_mixed(stream, 1 if digit == 2 else 0, model, contexts, _SUMS + 3)


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
                    frame, time, other = _sums(level, amplitude, c, t + PAD, f + PAD)
                    width = np.int64(1) << (own - 1)
                    digit = 0
                    if encoding:
                        tripled = np.int64(3) * rest[c, t, f]
                        digit = tripled // width
                        rest[c, t, f] = tripled - digit * width
                    n = min(_DIGITS - 1, digits[c, t, f])
                    classes = coarse[frame], coarse[time], fine[min(511, frame + time + other)]
                    _refinement_contexts(contexts, (own - 1 - p, c, b), n, classes)
                    digit = _code_digit(stream, digit, model, contexts)
                    if state[STOP] != 0:
                        return
                    if not encoding:
                        rest[c, t, f] = 3 * rest[c, t, f] + digit
                    digits[c, t, f] += 1
