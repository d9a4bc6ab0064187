"""Mono to stereo: the channel that is added to a mono sound is its side signal.

Left is mid + side, right is mid - side: the mono sum of the result is the input, and its image is
centred. The fill predicts the side as it predicts a lost channel; what resembles the mid in it
would only shift the image, and is taken away. The rest has the level of the sides of recordings.
"""

from __future__ import annotations

import numpy as np

from ..atoms.space import AtomSpace

# Level of the side relative to the mid, in dB at frequencies in Hz: mean of the medians of 108
# recordings of music and 16 of percussion
SIDE_HZ = (30.0, 90.0, 180.0, 350.0, 700.0, 1400.0, 2800.0, 5600.0, 11_000.0)
SIDE_DB = (-20.0, -15.0, -10.0, -9.0, -7.0, -7.0, -6.0, -7.0, -7.0)
SMOOTHING_FRAMES = 8.0  # standard deviation of the mean over time
MAX_GAIN = 4.0  # of what is predicted
HEADROOM = 100.0  # power of the smoothed mid relative to that of three frames, at most
GRID_STEP = 2.0**-23  # sums with samples of 24 bit are exact in float32 for sides of this step


def side_level(bins: int, space: AtomSpace) -> np.ndarray:
    """(bins,) amplitude of the side relative to the mid."""
    hertz = np.maximum(space.hertz(np.arange(bins)), 1.0)
    return 10 ** (np.interp(np.log(hertz), np.log(SIDE_HZ), SIDE_DB) / 20)


def side_of(mid: np.ndarray, channel: np.ndarray, space: AtomSpace) -> np.ndarray:
    """(T, F) float32: a side signal of mid (T, F), from a predicted second channel (T, F).

    Per band and smoothed over time, it is uncorrelated with the mid.
    """
    from .stereo_image import erb_band_edges  # loads scipy

    out, level = np.zeros(mid.shape, np.float32), side_level(mid.shape[1], space)
    edges = erb_band_edges(mid.shape[1], space.bin_hz)
    for low, high in zip(edges, edges[1:]):
        m, x = (a[:, low:high].astype(np.float64) for a in (mid, channel))
        power, product = _mean(m * m), _mean(m * x)
        rest = x - np.divide(product, power, out=np.zeros_like(power), where=power > 0) * m
        own = _mean(rest * rest)
        # where the mid pauses, the side pauses, too
        sounding = np.minimum(power, HEADROOM * _loudest(m * m))
        wanted = np.sqrt(np.divide(sounding, own, out=np.zeros_like(power), where=own > 0))
        out[:, low:high] = level[low:high] * np.minimum(wanted, MAX_GAIN) * rest
    return out


def _mean(values: np.ndarray) -> np.ndarray:
    """(T, 1) mean over bins, smoothed over time."""
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(values.mean(1, keepdims=True), SMOOTHING_FRAMES, 0, mode="nearest")


def _loudest(values: np.ndarray) -> np.ndarray:
    """(T, 1) mean over bins, the largest of a frame and its neighbours."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(values.mean(1, keepdims=True), 3, 0, mode="nearest")


def left_and_right(samples: np.ndarray) -> np.ndarray:
    """(2, n) samples of left and right, from those of mid and side."""
    mid, side = samples
    side = np.round(side / np.float32(GRID_STEP)) * np.float32(GRID_STEP)
    return np.stack([mid + side, mid - side])
