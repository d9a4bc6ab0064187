"""Sounds whose right fill is known: noises, tones, hits and trains of impulses."""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfiltfilt

LEVEL = 0.05  # RMS of a noise, -26 dB


def level(x: np.ndarray) -> float:
    """Mean power in dB."""
    return float(10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-30))


def noise(seconds: float, rate: int, slope: float = 0.0, seed: int = 0) -> np.ndarray:
    """(n,) steady noise whose spectrum changes by `slope` dB per octave from 50 Hz on."""
    n = round(seconds * rate)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / rate), 50) / 50)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    x = np.fft.irfft(spectrum * 10 ** (slope * octaves / 20), n)
    return LEVEL * x / x.std()


def tones(seconds: float, rate: int, pitches: list[float], vibrato: float = 0.0) -> np.ndarray:
    """(n,) sinusoids of equal level, which a vibrato of 5 Hz moves by up to `vibrato` cents."""
    t = np.arange(round(seconds * rate)) / rate
    width = 2 ** (vibrato / 1200) - 1
    phase = t + width / (2 * np.pi * 5) * (1 - np.cos(2 * np.pi * 5 * t))
    return sum(LEVEL * np.sin(2 * np.pi * pitch * phase + pitch) for pitch in pitches)


def pulses(seconds: float, rate: int, hertz: float) -> np.ndarray:
    """(n,) band-limited impulses of a period, as a low voice or a buzz has them."""
    harmonics = np.arange(1, int(0.45 * rate / hertz))
    t = np.arange(round(seconds * rate)) / rate
    x = sum(np.cos(2 * np.pi * hertz * k * t + 0.3 * k) / (1 + k / 20) for k in harmonics)
    return LEVEL * x / x.std()


def hit(seconds: float, rate: int, seed: int = 1) -> np.ndarray:
    """(n,) a decaying drum."""
    t = np.arange(round(seconds * rate)) / rate
    body = np.sin(2 * np.pi * 180 * t) + 0.5 * np.random.default_rng(seed).standard_normal(len(t))
    return 0.5 * np.exp(-t / 0.08) * body


def band(x: np.ndarray, rate: int, low: float, high: float) -> np.ndarray:
    """The part of the samples between two frequencies; all above `low` up to Nyquist."""
    if high >= 0.49 * rate:
        return sosfiltfilt(butter(6, low, "high", fs=rate, output="sos"), x)
    return sosfiltfilt(butter(4, (low, high), "band", fs=rate, output="sos"), x)


def octaves(rate: int, low: float = 200.0, high: float = np.inf) -> list[tuple[float, float]]:
    """Bands of an octave between two frequencies, below the Nyquist frequency."""
    edges = low * 2.0 ** np.arange(12)
    edges = edges[edges < min(high, 0.45 * rate)]
    return list(zip(edges, edges[1:]))


def excess(x: np.ndarray, y: np.ndarray, rate: int, spans: list[slice], bands=None) -> float:
    """How much louder the spans of `y` (C, n) are than all of `x` (C, n): dB, mean over octaves."""
    out = []
    for low, high in bands or octaves(rate):
        p, q = band(x, rate, low, high), band(y, rate, low, high)
        out.append(level(np.concatenate([q[:, s] for s in spans], 1)) - level(p))
    return float(np.mean(out))
