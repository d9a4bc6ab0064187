"""Matching pursuit on the frames of a union of MDCT bases, compiled by numba.

All inner products of the residual are stored (float32); those with atoms that overlap a taken atom
are corrected by the tables of `gram`. A tree of the maxima of blocks of bins finds the best one.
Amplitudes are measured on the residual itself (float64). All inner products are recomputed
regularly, so that errors of rounding and of the dropped table entries do not accumulate.
"""

from __future__ import annotations

from functools import lru_cache

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


class CompiledPursuit:
    """State of a pursuit, like `local.LocalPursuit`, for atoms on frames."""

    def __init__(self, dictionary: MDCTUnion, samples: np.ndarray):
        self.dictionary, self.length = dictionary, samples.shape[1]
        self.residual = dictionary.padded(samples)
        self.hops = np.array(dictionary.strides, np.int64)
        self.counts = np.array(dictionary.counts(self.length), np.int64)
        self.blocks = -(-self.hops // BLOCK)
        places = self.counts * self.hops
        # start of every scale in `products`, and in the leaves of the tree
        self.start = len(self.residual) * np.concatenate([[0], np.cumsum(places)])
        self.leaf = np.concatenate([[0], np.cumsum(self.counts * self.blocks)])
        self.products = np.zeros(self.start[-1], np.float32)
        self.leaves = 1 << int(self.leaf[-1] - 1).bit_length()
        self.tree = np.zeros(2 * self.leaves, np.float32)
        self.tables = _tables(tuple(int(hop) for hop in self.hops), dictionary.space.window)
        self.since = 0  # steps since the last full analysis
        self.analyse()

    @property
    def energy(self) -> float:
        """Energy of the residual, including the part beyond the ends of the sound."""
        return float(np.einsum("cn,cn->", self.residual, self.residual))

    def analyse(self) -> None:
        """Compute all inner products."""
        for scale, (count, hop) in enumerate(zip(self.counts, self.hops)):
            whole = self.products[self.start[scale] : self.start[scale + 1]].reshape(
                len(self.residual), count, hop
            )
            chunk = max(1, (1 << 21) // int(hop))
            for first in range(0, count, chunk):
                last = min(int(count), first + chunk)
                whole[:, first:last] = self.dictionary.inner(self.residual, scale, first, last)
        _grow(
            len(self.residual),
            self.hops,
            self.counts,
            self.blocks,
            self.start,
            self.leaf,
            self.products,
            self.tree,
        )
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
            taken, energy, stale = _pursue(
                batch,
                max_channels,
                target_energy,
                energy,
                self.dictionary.pad,
                self.residual,
                self.hops,
                self.counts,
                self.blocks,
                self.start,
                self.leaf,
                self.products,
                self.tree,
                *self.tables,
                place[done:],
                amplitude[done:],
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
            frame * self.hops[scale],
            bin_,
            (amplitude >= 0).astype(np.int8),
            amplitude,
        )


@lru_cache(maxsize=2)
def _tables(hops: tuple[int, ...], window: str) -> tuple:
    """Lookup tables of `_pursue`, as flat arrays and their offsets.

    For every pair of scales, the longer one first.
    """
    pairs = {
        (a, b): gram.pair(hops[a], hops[b], window) for a in range(len(hops)) for b in range(a + 1)
    }
    offsets = np.zeros((2, len(hops), len(hops)), np.int64)
    reach = np.zeros((len(hops), len(hops)), np.int64)
    pools = []
    for side, name in enumerate(("by_long", "by_short")):
        flat = {key: getattr(p, name).ravel() for key, p in pairs.items()}
        at = 0
        for key, values in flat.items():
            offsets[side][key] = at
            at += len(values)
        pool = np.concatenate(list(flat.values()))
        pools += [np.ascontiguousarray(pool.real), np.ascontiguousarray(pool.imag)]
    for key, p in pairs.items():
        reach[key] = p.reach
    phases = np.concatenate([gram.bin_phases(hop) for hop in hops])
    waves = np.concatenate([cosines(hop) for hop in hops])
    windows = np.concatenate([window_of(window, hop, np.float64) for hop in hops])
    # start of every scale in arrays of one value per bin
    first = np.concatenate([[0], np.cumsum(hops)])
    return (
        *pools,
        offsets,
        reach,
        np.ascontiguousarray(phases.real),
        np.ascontiguousarray(phases.imag),
        waves,
        windows,
        first,
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
def _grow(  # noqa: PLR0913 compiled: numba takes arrays, no objects
    channels, hops, counts, blocks, start, leaf, products, tree
):
    """Fill the whole tree."""
    leaves = len(tree) // 2
    for s in range(len(hops)):
        hop, stride = hops[s], counts[s] * hops[s]
        for frame in range(counts[s]):
            for block in range(blocks[s]):
                size = min(BLOCK, hop - block * BLOCK)
                tree[leaves + leaf[s] + frame * blocks[s] + block] = _peak(
                    products, channels, stride, start[s] + frame * hop + block * BLOCK, size
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
def _pursue(  # noqa: PLR0913 compiled: numba takes arrays, no objects
    steps,
    max_channels,
    target_energy,
    energy,
    pad,
    residual,
    hops,
    counts,
    blocks,
    start,
    leaf,
    products,
    tree,
    long_re,
    long_im,
    short_re,
    short_im,
    offsets,
    reach,
    phase_re,
    phase_im,
    waves,
    windows,
    first,
    place,
    amplitude,
):
    """Take up to `steps` atoms into `place` (scale, frame, bin) and `amplitude`.

    Returns the number of atoms, the energy of the residual, and True if the products are out of
    date.
    """
    channels, scales, leaves = len(residual), len(hops), len(tree) // 2
    wave, change = np.zeros(2 * hops[-1]), np.zeros(hops[-1], np.float32)
    for step in range(steps):
        if energy <= target_energy or tree[1] <= 0:
            return step, energy, False
        node = 1
        while node < leaves:
            node = 2 * node if tree[2 * node] >= tree[2 * node + 1] else 2 * node + 1
        node -= leaves
        a = scales - 1
        while leaf[a] > node:
            a -= 1
        hop = hops[a]
        frame, block = (node - leaf[a]) // blocks[a], (node - leaf[a]) % blocks[a]
        at, stride = start[a] + frame * hop, counts[a] * hop
        bin_, best = 0, np.float32(-1)
        for k in range(block * BLOCK, min(hop, (block + 1) * BLOCK)):
            e = np.float32(0)
            for c in range(channels):
                e += products[at + c * stride + k] * products[at + c * stride + k]
            if e > best:
                bin_, best = k, e

        # the exact amplitudes, and the exact residual
        atom = wave[: 2 * hop]
        _waveform(
            atom,
            hop,
            bin_,
            waves[8 * first[a] : 8 * first[a + 1]],
            windows[2 * first[a] : 2 * first[a + 1]],
        )
        begin = pad + (frame - 1) * hop
        taken = amplitude[step]
        power, heard = 0.0, 0
        for c in range(channels):
            taken[c] = _dot(residual[c, begin : begin + 2 * hop], atom)
            power += taken[c] * taken[c]
            heard += taken[c] != 0
        if power < 0.5 * best or power <= 0:
            return step, energy, True
        for _ in range(heard - max_channels):  # drop the quietest channels
            quietest = -1
            for c in range(channels):
                if taken[c] != 0 and (quietest < 0 or abs(taken[c]) < abs(taken[quietest])):
                    quietest = c
            taken[quietest] = 0
        for c in range(channels):
            if taken[c] != 0:
                _subtract(residual[c, begin : begin + 2 * hop], taken[c], atom)
                energy -= taken[c] * taken[c]
        place[step, 0], place[step, 1], place[step, 2] = a, frame, bin_

        for b in range(scales):
            other, size = hops[b], blocks[b]
            if b >= a:  # frames as long as the atom, or longer
                r = other // hop
                lowest, highest = max(0, -(-frame // r) - 1), min(counts[b] - 1, frame // r + 1)
                cut = reach[b, a]
                middle = bin_ * r + r // 2
                low, high = max(0, middle - cut), min(other, middle + cut + 1)
            else:
                r = hop // other
                lowest, highest = max(0, (frame - 1) * r), min(counts[b] - 1, (frame + 1) * r)
                cut = reach[a, b]
                low, high = (
                    max(0, (bin_ - r // 2 - cut) // r),
                    min(other, (bin_ - r // 2 + cut) // r + 2),
                )
            n = high - low
            delta = change[:n]
            tr, ti = (
                phase_re[first[b] + low : first[b] + high],
                phase_im[first[b] + low : first[b] + high],
            )
            cr, ci = phase_re[first[a] + bin_], phase_im[first[a] + bin_]
            for f in range(lowest, highest + 1):
                if b >= a:
                    j = frame - 1 - (f - 1) * r
                    row = offsets[0, b, a] + (j + 1) * 3 * other + other
                    sign = -1 if (bin_ * j) % 2 else 1
                    c, d = _quarter_turns(j, sign * cr, -sign * ci)
                    v = row + low - bin_ * r - r // 2
                    _first_term(delta, long_re[v : v + n], long_im[v : v + n], tr, ti, c, d)
                    if bin_ * r + low < cut or bin_ * r + high > 2 * other - cut - r:
                        sign = -1 if ((bin_ + 1) * j) % 2 else 1
                        c, d = _quarter_turns(j, sign * cr, sign * ci)
                        v = row + low + (bin_ + 1) * r - r // 2
                        _second_term(delta, long_re[v : v + n], long_im[v : v + n], tr, ti, c, d)
                else:
                    j = f - 1 - (frame - 1) * r
                    v = r // 2 - bin_ - (1 - r % 2)
                    row = (
                        offsets[1, a, b]
                        + ((v % r) * (2 * r + 1) + j + 1) * 3 * other
                        + other
                        + v // r
                        + low
                    )
                    # the conjugate of this term, which has the same real part
                    c, d = _quarter_turns(-j, cr, -ci)
                    _first_term(
                        delta, short_re[row : row + n], short_im[row : row + n], tr, ti, c, d
                    )
                    if low * r + bin_ < cut or high * r + bin_ > 2 * hop - cut - r:
                        sign = -1 if j % 2 else 1
                        v = bin_ + r - r // 2
                        row = (
                            offsets[1, a, b]
                            + ((v % r) * (2 * r + 1) + j + 1) * 3 * other
                            + other
                            + v // r
                            + low
                        )
                        c, d = _quarter_turns(j, sign * cr, sign * ci)
                        _second_term(
                            delta, short_re[row : row + n], short_im[row : row + n], tr, ti, c, d
                        )
                    if j % 2:
                        _alternate(delta, low % 2 == 0)
                here = start[b] + f * other
                for c_ in range(channels):
                    if taken[c_] != 0:
                        begin = here + c_ * counts[b] * other + low
                        _subtract(products[begin : begin + n], np.float32(taken[c_]), delta)
                if b == a and f == frame:
                    for c_ in range(channels):
                        if taken[c_] != 0:
                            products[here + c_ * stride + bin_] = 0
                leaf_ = leaves + leaf[b] + f * size
                for block in range(low // BLOCK, (high - 1) // BLOCK + 1):
                    tree[leaf_ + block] = _peak(
                        products,
                        channels,
                        counts[b] * other,
                        here + block * BLOCK,
                        min(BLOCK, other - block * BLOCK),
                    )
                if size > 1:
                    _climb(tree, leaf_ + low // BLOCK, leaf_ + (high - 1) // BLOCK)
            if size == 1:
                _climb(tree, leaves + leaf[b] + lowest, leaves + leaf[b] + highest)
    return steps, energy, False
