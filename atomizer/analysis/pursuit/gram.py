"""Tables of the inner products between the atoms of a union of MDCT bases.

Let a long frame have hop N and window w, and a short one hop M = N / r and window v; the short one
starts j M samples after the long one (-1 <= j < 2 r). The inner product of the long atom of bin k
and the short atom of bin l is, with the product of cosines written as a sum,

    Re e^{i a(k)} e^{-i b(l)} i^j (-1)^{l j} V_j(k - l r - r // 2)  +  the same with -1 - l for l,
    V_j(d) = 1 / sqrt(N M) * sum_n w(n) v(n - j M) e^{i pi (d + h) n / N},
    h = 1/2 for even r and 0 for odd r,
    a(k) = pi / N (k + 1/2) (N + 1) / 2,   b(l) = pi / M (l + 1/2) (M + 1) / 2.

V_j is periodic in d with period 2 N, and V_j(-d - 2 h) is its conjugate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..mdct import window_of

MAX_RATIO = 64  # largest ratio of two scales: tables grow with its square
_CUT = 3e-5  # smaller inner products are dropped


@dataclass(frozen=True)
class Pair:
    """Tables for a long and a short scale, complex64.

    by_long   (2 r + 1, 3 N): V_j(d) at [j + 1, d + N], for a short atom and all bins k of a long
              frame
    by_short  (r, 2 r + 1, 3 M): V_j(t r + p) at [p, j + 1, t + M], for a long atom and all bins l
              of a short frame
    reach     largest distance, in bins of the long scale, of inner products above _CUT
    """

    by_long: np.ndarray
    by_short: np.ndarray
    reach: int


@lru_cache(maxsize=16)
def pair(long: int, short: int, window: str) -> Pair:
    """Tables for atoms of two hops, the first a multiple of the second."""
    n, m = long, short
    r = n // m
    w, v = window_of(window, n, np.float64), window_of(window, m, np.float64)
    half = 0.5 if r % 2 == 0 else 0.0
    products = np.zeros((2 * r + 1, 2 * n), complex)
    for row, j in enumerate(range(-1, 2 * r)):
        start, end = max(0, j * m), min(2 * n, j * m + 2 * m)
        products[row, start:end] = w[start:end] * v[start - j * m : end - j * m]
    products *= np.exp(1j * np.pi * half * np.arange(2 * n) / n)
    table = np.fft.ifft(products, axis=1) * (2 * n / np.sqrt(n * m))  # (rows, d from 0 to 2 N - 1)
    away = np.abs(table).max(0)
    away = np.maximum(away[: n + 1], np.concatenate([away[:1], away[: n - 1 : -1]]))
    reach = int(np.flatnonzero(away > _CUT).max()) + 1
    by_long = np.take(table, np.arange(-n, 2 * n) % (2 * n), axis=1).astype(np.complex64)
    by_short = np.take(
        table, (np.arange(r)[:, None] + np.arange(-m, 2 * m) * r) % (2 * n), axis=1
    ).astype(np.complex64)
    return Pair(by_long, np.ascontiguousarray(by_short.transpose(1, 0, 2)), reach)


def bin_phases(hop: int) -> np.ndarray:
    """Phase of every bin's cosine at the start of its frame: (hop,) complex64.

    That is e^{i pi / hop (k + 1/2) (hop + 1) / 2}.
    """
    # the angle is a whole multiple of pi / (4 hop): the modulo is exact
    return np.exp(
        1j * np.pi / (4 * hop) * ((2 * np.arange(hop) + 1) * (hop + 1) % (8 * hop))
    ).astype(np.complex64)
