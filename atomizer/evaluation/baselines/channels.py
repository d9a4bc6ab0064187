"""Baselines of the upmix: the hidden channel as a copy of a known one, or as its decorrelation."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

DECAY = 0.01  # seconds in which the decorrelator's response falls by a factor of e
LENGTH = 8192  # samples of the decorrelator


def allpass(seed: int = 0, length: int = LENGTH, rate: int = 44_100) -> np.ndarray:
    """(length,) impulse response with magnitude 1 at every frequency.

    Whitened noise with an exponential decay (Kendall 1995), periodic in `length`.
    """
    noise = np.random.default_rng(seed).standard_normal(length) * np.exp(
        -np.arange(length) / (DECAY * rate)
    )
    spectrum = np.fft.rfft(noise)
    return np.fft.irfft(spectrum / np.maximum(np.abs(spectrum), 1e-12), length)


def copy(grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The grid with hidden atoms copied from the first channel in which they are known.

    Atoms that are hidden in all channels are silent.
    """
    known = np.where(mask, 0, grid)
    source = np.take_along_axis(known, (~mask).argmax(axis=0)[None], axis=0)
    return np.where(mask, source, grid).astype(np.float32)


def decorrelate(
    samples: np.ndarray, hidden: np.ndarray, seed: int = 0, rate: int = 44_100
) -> np.ndarray:
    """(channels, n) samples in which every hidden channel is the filtered mean of the known ones.

    hidden  (channels,) bool; each hidden channel has an all-pass filter of its own
    """
    known = samples[~hidden].mean(axis=0)
    out = samples.astype(np.float64)
    for channel in np.flatnonzero(hidden):
        response = allpass(seed + int(channel), rate=rate)
        out[channel] = fftconvolve(known, response)[: samples.shape[1]]
    return out.astype(np.float32)
