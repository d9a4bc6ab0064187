"""Matching pursuit on the frames of a union of MDCT bases, compiled by numba.

All inner products of the residual are kept (float32), and those with atoms that overlap a taken one are corrected by the tables of
`gram`; the best of them is found through a tree of the maxima of blocks of bins. Amplitudes are measured on the residual itself (float64),
and every so often all inner products are computed anew, so that what rounding and the tables' cut leave behind does not add up.
"""

from __future__ import annotations

from functools import lru_cache

import numba
import numpy as np

from ..mdct import window_of
from . import gram
from .dictionary import MDCTUnion, cosines
from .local import Taken

BLOCK = 64  # bins
ANEW = (
    100  # samples of sound per step between two analyses of the whole: both then take about as long
)
_FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "reassoc"}


class CompiledPursuit:
    """The state of a pursuit, as `local.LocalPursuit`, for dictionaries whose atoms lie on frames."""

    def __init__(self, dictionary: MDCTUnion, samples: np.ndarray):
        self.dictionary, self.length = dictionary, samples.shape[1]
        self.residual = dictionary.padded(samples)
        self.hops = np.array(dictionary.strides, np.int64)
        self.counts = np.array(dictionary.counts(self.length), np.int64)
        self.blocks = -(-self.hops // BLOCK)
        places = self.counts * self.hops
        self.start = len(self.residual) * np.concatenate(
            [[0], np.cumsum(places)]
        )  # of every scale in `products`
        self.leaf = np.concatenate(
            [[0], np.cumsum(self.counts * self.blocks)]
        )  # and in the leaves of the tree
        self.products = np.zeros(self.start[-1], np.float32)
        self.leaves = 1 << int(self.leaf[-1] - 1).bit_length()
        self.tree = np.zeros(2 * self.leaves, np.float32)
        self.tables = _tables(tuple(int(hop) for hop in self.hops), dictionary.space.window)
        self.since = 0  # steps since the last analysis of the whole
        self.analyse()

    @property
    def energy(self) -> float:
        """Of the residual, that beyond the ends of the sound included."""
        return float(np.einsum("cn,cn->", self.residual, self.residual))

    def analyse(self) -> None:
        """Compute every inner product anew."""
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

    def run(self, steps: int, most: int, enough: float) -> Taken:
        """Take up to `steps` atoms, each in up to `most` channels (the loudest), while the energy of the residual is above `enough`."""
        channels, often = len(self.residual), max(256, self.length // ANEW)
        place, amplitude = np.zeros((steps, 3), np.int64), np.zeros((steps, channels))
        done, energy = 0, self.energy
        while done < steps and energy > enough:
            if self.since >= often:
                self.analyse()
            batch = min(steps - done, often - self.since)
            taken, energy, stale = _pursue(
                batch,
                most,
                enough,
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
            if taken < batch and energy > enough:
                if not stale or (taken == 0 and self.since == 0):
                    break  # nothing is left but rounding
                self.analyse()
            else:
                self.since += taken
        place, amplitude = place[:done], amplitude[:done]
        scale, frame, bin_ = place.T
        return Taken(
            scale.astype(np.int8),
            frame * self.hops[scale],
            bin_,
            (amplitude >= 0).astype(np.int8),
            amplitude,
        )


@lru_cache(maxsize=2)
def _tables(hops: tuple[int, ...], window: str) -> tuple:
    """What `_pursue` looks up, as flat arrays and where they begin in them; of every pair of scales, the longer one first."""
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
    turns = np.concatenate([gram.turns(hop) for hop in hops])
    waves = np.concatenate([cosines(hop) for hop in hops])
    windows = np.concatenate([window_of(window, hop, np.float64) for hop in hops])
    first = np.concatenate([[0], np.cumsum(hops)])  # of every scale in arrays of one value per bin
    return (
        *pools,
        offsets,
        reach,
        np.ascontiguousarray(turns.real),
        np.ascontiguousarray(turns.imag),
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
    """Correct the tree above the leaves low … high, given as places in the tree."""
    while low > 1:
        low >>= 1
        high >>= 1
        for i in range(low, high + 1):
            a, b = tree[2 * i], tree[2 * i + 1]
            tree[i] = a if a >= b else b


@_compile()
def _grow(channels, hops, counts, blocks, start, leaf, products, tree):
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
    """The MDCT atom of a bin, from a table of the cosine: a first half that is odd about its middle, and a second that is even."""
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
def _first_term(out, re, im, tr, ti, c, d):
    """out = Re (c + i d) (re + i im) (tr + i ti)"""
    for i in range(len(out)):
        out[i] = c * (re[i] * tr[i] - im[i] * ti[i]) - d * (re[i] * ti[i] + im[i] * tr[i])


@_compile(fastmath=_FAST)
def _second_term(out, re, im, tr, ti, c, d):
    """out += Re (c + i d) (re + i im) (tr + i ti)"""
    for i in range(len(out)):
        out[i] += c * (re[i] * tr[i] - im[i] * ti[i]) - d * (re[i] * ti[i] + im[i] * tr[i])


@_compile(fastmath=_FAST)
def _alternate(out, odd):
    """Change the sign of every other value: the odd ones where `odd`."""
    for i in range(1 if odd else 0, len(out), 2):
        out[i] = -out[i]


@_compile()
def _quarter_turns(j, c, d):
    """(c + i d) i^j"""
    j = j % 4
    if j == 1:
        return -d, c
    if j == 2:
        return -c, -d
    if j == 3:
        return d, -c
    return c, d


@_compile()
def _pursue(
    steps,
    most,
    enough,
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
    turn_re,
    turn_im,
    waves,
    windows,
    first,
    place,
    amplitude,
):
    """Take up to `steps` atoms into `place` (scale, frame, bin) and `amplitude`: how many, the energy left, whether the products went stale."""
    channels, scales, leaves = len(residual), len(hops), len(tree) // 2
    wave, change = np.zeros(2 * hops[-1]), np.zeros(hops[-1], np.float32)
    for step in range(steps):
        if energy <= enough or tree[1] <= 0:
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
        for _ in range(heard - most):  # the quietest are left
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
                turn_re[first[b] + low : first[b] + high],
                turn_im[first[b] + low : first[b] + high],
            )
            cr, ci = turn_re[first[a] + bin_], turn_im[first[a] + bin_]
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
