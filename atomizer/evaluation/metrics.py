"""Metrics between a reference and an estimate.

Conventions: signals are (channels, samples) at 44.1 kHz; `normalise` brings both to the level at which the reference has RMS 0.1.
The STFT is 2048 / 512 Hann, its power scaled so that a full-scale sine has 1/4, with a floor of 1e-10; LSD is in log10 units of
power. Metrics of a hidden region are computed on that region only.
"""

from __future__ import annotations

import numpy as np

SIZE, HOP, FLOOR = 2048, 512, 1e-10
CONVENTIONS = {"stft": f"{SIZE}/{HOP} Hann, power / (sum of window)^2", "floor": FLOOR, "rms": 0.1, "lsd": "log10 of power"}


def validate(reference: np.ndarray, estimate: np.ndarray) -> None:
    """Raise ValueError unless both are (channels, samples) of the same shape."""
    if reference.shape != estimate.shape or reference.ndim != 2:
        raise ValueError(f"Metrics compare signals of one shape (channels, samples), not {reference.shape} and {estimate.shape}.")


def normalise(reference: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """All signals scaled by what gives the reference an RMS of 0.1."""
    gain = 0.1 / max(float(np.sqrt(np.mean(reference.astype(float) ** 2))), 1e-12)
    return tuple(signal.astype(np.float64) * gain for signal in (reference, *others))


def power(signal: np.ndarray) -> np.ndarray:
    """(channels, samples) -> (channels, frames, SIZE / 2 + 1) short-time power."""
    window = np.hanning(SIZE + 1)[:-1]
    padded = np.pad(signal, ((0, 0), (SIZE // 2, SIZE)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE, axis=1)[:, :: HOP][:, : signal.shape[1] // HOP + 1]
    return np.abs(np.fft.rfft(frames * window)) ** 2 / window.sum() ** 2


def snr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-noise ratio, 10 log10 |x|^2 / |x - y|^2."""
    validate(reference, estimate)
    x, y = reference.astype(float), estimate.astype(float)
    return float(10 * np.log10(max((x**2).sum(), 1e-20) / max(((x - y) ** 2).sum(), 1e-20)))


def si_sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, eq. 5)."""
    validate(reference, estimate)
    x, y = reference.astype(float).ravel(), estimate.astype(float).ravel()
    target = x * (x @ y) / max(x @ x, 1e-20)
    return float(10 * np.log10(max(target @ target, 1e-20) / max(((target - y) ** 2).sum(), 1e-20)))


def lsd(reference: np.ndarray, estimate: np.ndarray, low_hz: float = 0, high_hz: float = 22_050, span: tuple[float, float] | None = None,
        rate: int = 44_100) -> float:
    """Log-spectral distance: mean over frames of the RMS over bins of log10 (P + floor) / (Q + floor).

    low_hz, high_hz  the band; span  (start, end) in seconds, None for all
    """
    validate(reference, estimate)
    p, q = power(reference), power(estimate)
    hertz = np.arange(p.shape[-1]) * rate / SIZE
    seconds = np.arange(p.shape[1]) * HOP / rate
    bins = (hertz >= low_hz) & (hertz <= high_hz)
    frames = np.ones(len(seconds), bool) if span is None else (seconds >= span[0]) & (seconds < span[1])
    difference = np.log10((p + FLOOR) / (q + FLOOR))[:, frames][:, :, bins]
    return float(np.sqrt((difference**2).mean(-1)).mean())


def convergence(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Spectral convergence: |  |X| - |Y|  | / |X| over short-time magnitudes (Sturmel & Daudet 2011)."""
    validate(reference, estimate)
    x, y = np.sqrt(power(reference)), np.sqrt(power(estimate))
    return float(np.linalg.norm(x - y) / max(np.linalg.norm(x), 1e-12))
