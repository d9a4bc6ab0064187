"""Matching pursuit on the frames of a union of MDCT bases, compiled by numba.

All inner products of the residual are stored (float32); those with atoms that overlap a taken atom
are corrected by the tables of `gram`. A tree of the maxima of blocks of bins finds the best one.
Amplitudes are measured on the residual itself (float64). All inner products are recomputed
regularly, so that errors of rounding and of the dropped table entries do not accumulate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from ..mdct import window_of
from . import gram
from .dictionary import MDCTUnion, cosines
from .local import TakenAtoms

BLOCK = 64  # bins
# samples of sound per step between two full analyses: steps and analyses then take equally long
SAMPLES_PER_STEP = 100
_FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "reassoc"}


class Layout(NamedTuple):
    """Where the values of every scale are in the flat arrays; s scales, each (s,) or (s + 1,).

    hops    samples from frame to frame, which is also the number of bins
    counts  frames
    blocks  blocks of bins of a frame
    start   first of the inner products
    leaf    first of the leaves of the tree
    first   first of the tables of one value per bin
    pad     samples before the sound in the residual
    """

    hops: np.ndarray
    counts: np.ndarray
    blocks: np.ndarray
    start: np.ndarray
    leaf: np.ndarray
    first: np.ndarray
    pad: int


class Arrays(NamedTuple):
    """What changes with every atom.

    residual  (channels, n) float64
    products  inner products of the residual with all atoms: scale, channel, frame and bin
    tree      binary tree of maxima, from index 1 on; its leaves, the second half, hold the largest
              energy of every block: scale, frame and block
    """

    residual: np.ndarray
    products: np.ndarray
    tree: np.ndarray


class Tables(NamedTuple):
    """Lookup tables of all scales, as flat arrays; real and imaginary parts apart.

    long, short  `gram.Pair.by_long` and `by_short` of all pairs of scales, the longer one first
    offsets      (2, s, s) where those of a pair begin in both
    reach        (s, s) `gram.Pair.reach`
    phase        `gram.bin_phases`
    waves        `dictionary.cosines`
    windows      of the atoms
    """

    long_re: np.ndarray
    long_im: np.ndarray
    short_re: np.ndarray
    short_im: np.ndarray
    offsets: np.ndarray
    reach: np.ndarray
    phase_re: np.ndarray
    phase_im: np.ndarray
    waves: np.ndarray
    windows: np.ndarray


class CompiledPursuit:
    """State of a pursuit, like `local.LocalPursuit`, for atoms on frames."""

    def __init__(self, dictionary: MDCTUnion, samples: np.ndarray):
        self.dictionary, self.length = dictionary, samples.shape[1]
        residual = dictionary.padded(samples)
        self.layout = _layout(dictionary, len(residual), self.length)
        products = np.zeros(self.layout.start[-1], np.float32)
        leaves = 1 << int(self.layout.leaf[-1] - 1).bit_length()
        self.arrays = Arrays(residual, products, np.zeros(2 * leaves, np.float32))
        self.tables = _tables(dictionary.strides, dictionary.space.window)
        self.since = 0  # steps since the last full analysis
        self.analyse()

    @property
    def residual(self) -> np.ndarray:
        """(channels, n) float64: the sound without the atoms taken, padded."""
        return self.arrays.residual

    @property
    def energy(self) -> float:
        """Energy of the residual, including the part beyond the ends of the sound."""
        return float(np.einsum("cn,cn->", self.residual, self.residual))

    def analyse(self) -> None:
        """Compute all inner products."""
        layout, products = self.layout, self.arrays.products
        for scale, (count, hop) in enumerate(zip(layout.counts, layout.hops)):
            own = products[layout.start[scale] : layout.start[scale + 1]]
            whole = own.reshape(len(self.residual), count, hop)
            chunk = max(1, (1 << 21) // int(hop))
            for first in range(0, count, chunk):
                last = min(int(count), first + chunk)
                whole[:, first:last] = self.dictionary.inner(self.residual, scale, first, last)
        _grow(self.arrays, layout)
        self.since = 0

    def run(self, steps: int, max_channels: int, target_energy: float) -> TakenAtoms:
        """Take up to `steps` atoms while the energy of the residual is above `target_energy`.

        max_channels  channels of an atom, the loudest ones
        """
        channels, interval = len(self.residual), max(256, self.length // SAMPLES_PER_STEP)
        place, amplitude = np.zeros((steps, 3), np.int64), np.zeros((steps, channels))
        done, energy = 0, self.energy
        while done < steps and energy > target_energy:
            if self.since >= interval:
                self.analyse()
            batch = min(steps - done, interval - self.since)
            rows = slice(done, done + batch)
            taken, energy, stale = _pursue(
                (place[rows], amplitude[rows]),
                (max_channels, target_energy),
                energy,
                self.arrays,
                self.layout,
                self.tables,
            )
            done += taken
            if taken < batch and energy > target_energy:
                if not stale or (taken == 0 and self.since == 0):
                    break  # only rounding errors are left
                self.analyse()
            else:
                self.since += taken
        place, amplitude = place[:done], amplitude[:done]
        scale, frame, bin_ = place.T
        return TakenAtoms(
            scale.astype(np.int8),
            frame * self.layout.hops[scale],
            bin_,
            (amplitude >= 0).astype(np.int8),
            amplitude,
        )


def _layout(dictionary: MDCTUnion, channels: int, length: int) -> Layout:
    """The layout of the arrays of a sound of some channels and samples."""
    hops = np.array(dictionary.strides, np.int64)
    counts, blocks = np.array(dictionary.counts(length), np.int64), -(-hops // BLOCK)
    start, leaf, first = (
        np.concatenate([[0], np.cumsum(sizes)])
        for sizes in (channels * counts * hops, counts * blocks, hops)
    )
    return Layout(hops, counts, blocks, start, leaf, first, dictionary.pad)


@lru_cache(maxsize=2)
def _tables(hops: tuple[int, ...], window: str) -> Tables:
    """Lookup tables for MDCT bases of these hops."""
    pairs = {
        (a, b): gram.pair(hops[a], hops[b], window) for a in range(len(hops)) for b in range(a + 1)
    }
    offsets = np.zeros((2, len(hops), len(hops)), np.int64)
    reach = np.zeros((len(hops), len(hops)), np.int64)
    parts = []
    for side, name in enumerate(("by_long", "by_short")):
        flat = {key: getattr(p, name).ravel() for key, p in pairs.items()}
        at = 0
        for key, values in flat.items():
            offsets[side][key] = at
            at += len(values)
        pool = np.concatenate(list(flat.values()))
        parts += [np.ascontiguousarray(pool.real), np.ascontiguousarray(pool.imag)]
    for key, p in pairs.items():
        reach[key] = p.reach
    phases = np.concatenate([gram.bin_phases(hop) for hop in hops])
    long_re, long_im, short_re, short_im = parts
    return Tables(
        long_re,
        long_im,
        short_re,
        short_im,
        offsets,
        reach,
        np.ascontiguousarray(phases.real),
        np.ascontiguousarray(phases.imag),
        np.concatenate([cosines(hop) for hop in hops]),
        np.concatenate([window_of(window, hop, np.float64) for hop in hops]),
    )


def _compile(**options):
    return numba.njit(cache=True, nogil=True, **options)


@_compile(fastmath=_FAST)
def _peak(products, channels, stride, at, size):
    """Largest energy over all channels among `size` bins from `at` on."""
    best = np.float32(0)
    if channels == 1:
        one = products[at : at + size]
        for i in range(size):
            e = one[i] * one[i]
            best = e if e > best else best
        return best
    for i in range(size):
        e = np.float32(0)
        for c in range(channels):
            x = products[at + c * stride + i]
            e += x * x
        best = e if e > best else best
    return best


@_compile()
def _climb(tree, low, high):
    """Update the tree above the leaves low … high, given as indices of the tree."""
    while low > 1:
        low >>= 1
        high >>= 1
        for i in range(low, high + 1):
            a, b = tree[2 * i], tree[2 * i + 1]
            tree[i] = a if a >= b else b


@_compile()
def _grow(arrays, layout):
    """Fill the whole tree."""
    residual, products, tree = arrays
    leaves = len(tree) // 2
    for s in range(len(layout.hops)):
        hop, count, blocks = layout.hops[s], layout.counts[s], layout.blocks[s]
        for frame in range(count):
            at, leaf = layout.start[s] + frame * hop, leaves + layout.leaf[s] + frame * blocks
            for block in range(blocks):
                low, high = block * BLOCK, min(hop, (block + 1) * BLOCK)
                tree[leaf + block] = _peak(
                    products, len(residual), count * hop, at + low, high - low
                )
    _climb(tree, leaves, 2 * leaves - 1)


@_compile()
def _waveform(out, hop, bin_, wave, window):
    """MDCT atom of a bin, from a table of the cosine.

    Its first half is odd about its middle, its second half even.
    """
    period, step = 8 * hop, 2 * (2 * bin_ + 1)
    for start, sign in ((0, -1.0), (hop, 1.0)):
        at = ((2 * start + 1 + hop) * (2 * bin_ + 1)) % period
        last = 2 * start + hop - 1
        for n in range(start, start + hop // 2):
            value = wave[at]
            out[n] = value * window[n]
            out[last - n] = sign * value * window[last - n]
            at += step
            if at >= period:
                at -= period


@_compile(fastmath=_FAST)
def _dot(a, b):
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@_compile(fastmath=_FAST)
def _subtract(a, factor, b):
    for i in range(len(a)):
        a[i] -= factor * b[i]


@_compile(fastmath=_FAST)
def _first_term(  # noqa: PLR0913
    out, re, im, tr, ti, c, d
):
    """Set out = Re (c + i d) (re + i im) (tr + i ti)."""
    for i in range(len(out)):
        out[i] = c * (re[i] * tr[i] - im[i] * ti[i]) - d * (re[i] * ti[i] + im[i] * tr[i])


@_compile(fastmath=_FAST)
def _second_term(  # noqa: PLR0913
    out, re, im, tr, ti, c, d
):
    """Add Re (c + i d) (re + i im) (tr + i ti) to out."""
    for i in range(len(out)):
        out[i] += c * (re[i] * tr[i] - im[i] * ti[i]) - d * (re[i] * ti[i] + im[i] * tr[i])


@_compile(fastmath=_FAST)
def _alternate(out, odd):
    """Change the sign of every other value: the odd ones where `odd`."""
    for i in range(1 if odd else 0, len(out), 2):
        out[i] = -out[i]


@_compile()
def _quarter_turns(j, c, d):
    """Real and imaginary part of (c + i d) i^j."""
    j = j % 4
    if j == 1:
        return -d, c
    if j == 2:
        return -c, -d
    if j == 3:
        return d, -c
    return c, d


@_compile()
def _pursue(out, limits, energy, arrays, layout, tables):
    """Take an atom for every row of `out`.

    out     place (n, 3: scale, frame and bin) and amplitude (n, channels), both written
    limits  channels of an atom, the loudest ones, and the energy at which the pursuit ends
    energy  of the residual

    Returns the number of atoms, the energy of the residual, and True if the products are out of
    date.
    """
    place, amplitude = out
    max_channels, target_energy = limits
    longest = layout.hops[-1]
    wave, change = np.zeros(2 * longest), np.zeros(longest, np.float32)
    for step in range(len(place)):
        if energy <= target_energy or arrays.tree[1] <= 0:
            return step, energy, False
        atom, expected = _loudest(arrays, layout)
        taken = amplitude[step]
        power, energy = _subtract_atom(
            (taken, wave, atom), (expected, max_channels), energy, arrays, layout, tables
        )
        if power < 0.5 * expected or power <= 0:
            return step, energy, True
        place[step, 0], place[step, 1], place[step, 2] = atom
        for scale in range(len(layout.hops)):
            _correct_scale((taken, change, atom), scale, arrays, layout, tables)
    return len(place), energy, False


@_compile()
def _loudest(arrays, layout):
    """Scale, frame and bin of the atom with the largest products, and their energy."""
    products, tree, leaves = arrays.products, arrays.tree, len(arrays.tree) // 2
    node = 1
    while node < leaves:
        node = 2 * node if tree[2 * node] >= tree[2 * node + 1] else 2 * node + 1
    node -= leaves
    scale = len(layout.hops) - 1
    while layout.leaf[scale] > node:
        scale -= 1
    hop, node = layout.hops[scale], node - layout.leaf[scale]
    frame, block = node // layout.blocks[scale], node % layout.blocks[scale]
    at, stride = layout.start[scale] + frame * hop, layout.counts[scale] * hop
    bin_, best = 0, np.float32(-1)
    for k in range(block * BLOCK, min(hop, (block + 1) * BLOCK)):
        e = np.float32(0)
        for c in range(len(arrays.residual)):
            e += products[at + c * stride + k] * products[at + c * stride + k]
        if e > best:
            bin_, best = k, e
    return (scale, frame, bin_), best


@_compile()
def _subtract_atom(rows, limits, energy, arrays, layout, tables):
    """Measure an atom on the residual, and subtract it there.

    rows    `taken` (channels,), the amplitudes, and `wave`, both written; scale, frame and bin
    limits  energy that the products give, and channels of an atom

    Returns the energy of the atom in all channels, and that of the residual. Where the former is
    less than half of the expected one, nothing is subtracted.
    """
    taken, wave, (scale, frame, bin_) = rows
    expected, max_channels = limits
    hop, first = layout.hops[scale], layout.first
    atom = wave[: 2 * hop]
    _waveform(
        atom,
        hop,
        bin_,
        tables.waves[8 * first[scale] : 8 * first[scale + 1]],
        tables.windows[2 * first[scale] : 2 * first[scale + 1]],
    )
    begin = layout.pad + (frame - 1) * hop
    power, heard = 0.0, 0
    for c in range(len(taken)):
        taken[c] = _dot(arrays.residual[c, begin : begin + 2 * hop], atom)
        power += taken[c] * taken[c]
        heard += taken[c] != 0
    if power < 0.5 * expected or power <= 0:
        return power, energy
    for _ in range(heard - max_channels):
        _drop_quietest(taken)
    for c in range(len(taken)):
        if taken[c] != 0:
            _subtract(arrays.residual[c, begin : begin + 2 * hop], taken[c], atom)
            energy -= taken[c] * taken[c]
    return power, energy


@_compile()
def _drop_quietest(taken):
    """Set the smallest amplitude (channels,) that is not 0 to 0."""
    quietest = -1
    for c in range(len(taken)):
        if taken[c] != 0 and (quietest < 0 or abs(taken[c]) < abs(taken[quietest])):
            quietest = c
    taken[quietest] = 0


@_compile()
def _correct_scale(rows, scale, arrays, layout, tables):
    """Subtract a taken atom from the products of a scale, and update the tree.

    rows  `taken` (channels,), the amplitudes; `change`, written; scale, frame and bin of the atom
    """
    # what the loop reads has names here: numba counts references wherever a tuple is read
    taken, change, (own, own_frame, bin_) = rows
    products, tree, hop, own_hop = (
        arrays.products,
        arrays.tree,
        layout.hops[scale],
        layout.hops[own],
    )
    blocks, stride = layout.blocks[scale], layout.counts[scale] * hop
    start, leaf = layout.start[scale], len(tree) // 2 + layout.leaf[scale]
    longer, shorter, is_longer = max(own, scale), min(own, scale), scale >= own
    lowest, highest = _frames_beside(own_frame, own_hop, hop, layout.counts[scale])
    low, high, is_mirrored = _bins_near(bin_, own_hop, hop, tables.reach[longer, shorter])
    first_block, last_block = low // BLOCK, (high - 1) // BLOCK
    at, first = layout.first[own] + bin_, layout.first[scale] + low
    phase = tables.phase_re[at], tables.phase_im[at]
    phases = (
        tables.phase_re[first : first + high - low],
        tables.phase_im[first : first + high - low],
    )
    by_long, by_short = (tables.long_re, tables.long_im), (tables.short_re, tables.short_im)
    ratio = max(hop, own_hop) // min(hop, own_hop)
    near, mirrored = _rows(bin_, hop, ratio, is_longer)
    begin = tables.offsets[0 if is_longer else 1, longer, shorter] + 4 * hop + low
    near, mirrored = begin + near, begin + mirrored
    delta = change[: high - low]
    for frame in range(lowest, highest + 1):
        if is_longer:
            j = own_frame - 1 - (frame - 1) * ratio
            places = near + 3 * hop * j, mirrored + 3 * hop * j, is_mirrored
            _products_with_longer(delta, by_long, phases, phase, places, (bin_, j))
        else:
            j = frame - 1 - (own_frame - 1) * ratio
            places = near + 3 * hop * j, mirrored + 3 * hop * j, is_mirrored
            _products_with_shorter(delta, by_short, phases, phase, places, j)
            if j % 2:
                _alternate(delta, low % 2 == 0)
        here = start + frame * hop
        for c in range(len(taken)):
            if taken[c] != 0:
                at = here + c * stride + low
                _subtract(products[at : at + high - low], np.float32(taken[c]), delta)
                if scale == own and frame == own_frame:
                    products[here + c * stride + bin_] = 0
        own_leaf = leaf + frame * blocks
        for block in range(first_block, last_block + 1):
            size = min(BLOCK, hop - block * BLOCK)
            peak = _peak(products, len(taken), stride, here + block * BLOCK, size)
            tree[own_leaf + block] = peak
        if blocks > 1:
            _climb(tree, own_leaf + first_block, own_leaf + last_block)
    if blocks == 1:  # the leaves of all frames stand side by side
        _climb(tree, leaf + lowest, leaf + highest)


@_compile()
def _frames_beside(frame, own_hop, hop, count):
    """First and last of `count` frames of a hop that overlap a frame of another hop."""
    if hop >= own_hop:
        ratio = hop // own_hop
        return max(0, -(-frame // ratio) - 1), min(count - 1, frame // ratio + 1)
    ratio = own_hop // hop
    return max(0, (frame - 1) * ratio), min(count - 1, (frame + 1) * ratio)


@_compile()
def _bins_near(bin_, own_hop, hop, reach):
    """First bin of a hop with products with a bin of another hop, the end, and `is_mirrored`.

    reach  `gram.Pair.reach` of both

    `is_mirrored`: whether the second term of the products (`gram`) counts, as it does near the
    lowest and highest frequencies.
    """
    if hop >= own_hop:
        ratio = hop // own_hop
        at = bin_ * ratio
        low, high = max(0, at + ratio // 2 - reach), min(hop, at + ratio // 2 + reach + 1)
        return low, high, at + low < reach or at + high > 2 * hop - reach - ratio
    ratio = own_hop // hop
    at = bin_ - ratio // 2
    low, high = max(0, (at - reach) // ratio), min(hop, (at + reach) // ratio + 2)
    is_mirrored = low * ratio + bin_ < reach or high * ratio + bin_ > 2 * own_hop - reach - ratio
    return low, high, is_mirrored


@_compile()
def _rows(bin_, hop, ratio, is_longer):
    """Where the first and the second term begin in a table, from the place of V_0(0) (`gram`).

    For the products of a bin with bins of a frame of `hop` bins, which is longer, or shorter.
    """
    if is_longer:
        return -bin_ * ratio - ratio // 2, (bin_ + 1) * ratio - ratio // 2
    plane = (2 * ratio + 1) * 3 * hop  # of the differences with one remainder
    near, mirrored = ratio // 2 - bin_ - (1 - ratio % 2), bin_ + ratio - ratio // 2
    return (
        near % ratio * plane + near // ratio,
        mirrored % ratio * plane + mirrored // ratio,
    )


@_compile(inline="always")
def _products_with_longer(delta, table, phases, phase, places, bin_and_j):
    """Set delta (n,) to the products of an atom with n bins of a frame as long, or longer.

    table          real and imaginary part of `Tables.long`
    phases, phase  real and imaginary part of `Tables.phase`, of the bins (n,) and of the atom
    places         in the table, of both terms; whether the second counts
    bin_and_j      bin of the atom; frames from the longer one to the shorter (j of `gram`)
    """
    (re, im), (tr, ti), (cr, ci) = table, phases, phase
    near, mirrored, is_mirrored = places
    bin_, j = bin_and_j
    n = len(delta)
    sign = -1 if (bin_ * j) % 2 else 1
    c, d = _quarter_turns(j, sign * cr, -sign * ci)
    _first_term(delta, re[near : near + n], im[near : near + n], tr, ti, c, d)
    if is_mirrored:
        sign = -1 if ((bin_ + 1) * j) % 2 else 1
        c, d = _quarter_turns(j, sign * cr, sign * ci)
        _second_term(delta, re[mirrored : mirrored + n], im[mirrored : mirrored + n], tr, ti, c, d)


@_compile(inline="always")
def _products_with_shorter(delta, table, phases, phase, places, j):
    """As `_products_with_longer`, with `Tables.short`, for n bins of a shorter frame.

    The sign of every other bin, which alternates where j is odd, is left out.
    """
    (re, im), (tr, ti), (cr, ci) = table, phases, phase
    near, mirrored, is_mirrored = places
    n = len(delta)
    # the conjugate of this term, which has the same real part
    c, d = _quarter_turns(-j, cr, -ci)
    _first_term(delta, re[near : near + n], im[near : near + n], tr, ti, c, d)
    if is_mirrored:
        sign = -1 if j % 2 else 1
        c, d = _quarter_turns(j, sign * cr, sign * ci)
        _second_term(delta, re[mirrored : mirrored + n], im[mirrored : mirrored + n], tr, ti, c, d)
