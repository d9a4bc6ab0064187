"""Masking: the level below which an atom is hidden by others, and the threshold in quiet.

Levels of bands spread to other bands with the slopes of Schroeder, Atal & Hall (1979, JASA 66),
25 dB per Bark to lower and 10 dB per Bark to higher ones, and decay in time. The threshold in quiet
is that of Terhardt (1979, Hearing Research 1), for a full-scale sine of 96 dB. All levels are whole
numbers of quarter levels, 1.5 dB, relative to an amplitude of 1: the codec computes the same on
every machine. The loudest masker of a band counts, not the sum of all.

The threshold of an atom follows its masker by SHARE / 16 of its level. With equal ratios of noise
to masker, loud bands get too few bits at rates at which noise is audible everywhere.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from .bands import erb_bands_hz

QUARTERS = 4  # units of a level per factor of 2 in amplitude
BANDS = 22  # of equal width in ERB up to half the rate, wider at low frequencies
MIN_BINS = 4  # of a band
FORWARD_DECAY_DB = 195.0  # per second
FULL_SCALE_SPL = 96.0  # dB, of a sine of amplitude 1
SHARE = 12  # sixteenths
LOWEST = -1000  # quarter levels: silence
DB = 20 * math.log10(2) / QUARTERS  # of a unit
_LOWER_SLOPE, _UPPER_SLOPE = 25.0, 10.0  # dB per Bark


def band_edges(bins: int, rate: int) -> np.ndarray:
    """(bands + 1,) int64: first bin of every band, and the end.

    bins  of a grid that reaches from 0 to rate / 2
    """
    hertz = erb_bands_hz(rate / 2, BANDS)
    wanted = (hertz / (rate / 2 / bins) / MIN_BINS).round().astype(np.int64) * MIN_BINS
    edges = [0]
    for edge in wanted[1:-1]:
        edge = max(int(edge), edges[-1] + MIN_BINS)
        if edge < bins:
            edges.append(edge)
    return np.array([*edges, bins], np.int64)


def threshold_in_quiet(edges: np.ndarray, bins: int, rate: int) -> np.ndarray:
    """(bands,) int64: level of the quietest audible atom of every band, in quarter levels."""
    full_scale = math.sqrt(bins / 2)  # amplitude of an atom of a full-scale sine
    out = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist()):
        khz = (low + high) / 2 * (rate / 2 / bins) / 1000
        spl = 3.64 * khz**-0.8 - 6.5 * math.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
        db = min(spl, FULL_SCALE_SPL) - FULL_SCALE_SPL + 20 * math.log10(full_scale)
        out.append(round(db / DB))
    return np.array(out, np.int64)


def masking(levels: np.ndarray, edges: np.ndarray, bins: int, rate: int, hop: int) -> np.ndarray:
    """Levels (C, T, bands) int64 of the maskers of every band, the loudest of them.

    levels  (C, T, bands) int64, root mean square of the atoms of a band, in quarter levels
    bins    of a grid that reaches from 0 to rate / 2
    hop     samples between two values of the second axis
    """
    up, down = _slopes(tuple(edges.tolist()), bins, rate)
    decay = max(1, round(FORWARD_DECAY_DB * hop / rate / DB))
    out = levels.copy()
    bands = out.shape[2]
    for b in range(1, bands):
        out[:, :, b] = np.maximum(out[:, :, b], out[:, :, b - 1] - up[b - 1])
    for b in range(bands - 2, -1, -1):
        out[:, :, b] = np.maximum(out[:, :, b], out[:, :, b + 1] - down[b])
    for t in range(1, out.shape[1]):
        out[:, t] = np.maximum(out[:, t], out[:, t - 1] - decay)
    return out


@lru_cache(maxsize=8)
def _slopes(
    edges: tuple[int, ...], bins: int, rate: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Units by which a masker decays from each band to the next, and from the next to it."""
    hertz = [(low + high) / 2 * (rate / 2 / bins) for low, high in zip(edges, edges[1:])]
    barks = [13 * math.atan(0.76e-3 * f) + 3.5 * math.atan((f / 7500) ** 2) for f in hertz]
    widths = [high - low for low, high in zip(barks, barks[1:])]
    return (
        tuple(round(_UPPER_SLOPE * width / DB) for width in widths),
        tuple(round(_LOWER_SLOPE * width / DB) for width in widths),
    )
