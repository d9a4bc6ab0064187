"""Fills without a network: noise with the interpolated spectral envelope."""

from __future__ import annotations

import numpy as np

from .spectral_envelope import censored_std, interpolate_envelope


def noise_fill(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fill the masked cells with Gaussian noise of interpolated power; (channels, frames, bins)."""
    power = interpolate_envelope(np.where(mask, 0, grid), ~mask)
    noise = np.random.default_rng(seed).standard_normal(grid.shape, np.float32) * np.sqrt(power)
    return np.where(mask, noise, grid).astype(np.float32)


def noise_substitution(
    grid: np.ndarray, mask: np.ndarray, threshold: float, seed: int = 0
) -> np.ndarray:
    """Fill removed quiet atoms with noise, wherever a neighbourhood kept some louder ones.

    threshold  the amplitude below which atoms were removed; the noise stays below it too
    """
    std = censored_std(~mask & (np.abs(grid) >= threshold), mask, threshold)
    noise = np.random.default_rng(seed).standard_normal(grid.shape) * std
    # a draw above the threshold is folded back below it
    noise = np.where(np.abs(noise) > threshold, np.fmod(noise, threshold), noise)
    return np.where(mask, noise, grid).astype(np.float32)
