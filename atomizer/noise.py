"""Noise with interpolated levels: the fill that needs no model, and the yardstick of the one that does."""

from __future__ import annotations

import numpy as np

ENOUGH = 8  # known cells that make a mean power trustworthy


def interpolated_power(grid: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(channels, frames, bins) float32: the mean power around every cell, from known cells only.

    Pull-push (Gortler et al. 1996): power and knowledge are summed over blocks of 2 x 2, 4 x 4 … cells; every cell then takes the
    mean of the smallest block around it that knows enough, interpolated between blocks. A channel that knows nothing takes the mean
    power of those that do.
    """
    power = np.zeros(grid.shape, np.float32)
    wanted = ~known.all(axis=(0, 1))  # what is known of other bins, such as silence above a low rate's Nyquist, tells nothing of these
    informed = (known & wanted).any(axis=(1, 2))
    if not informed.any():
        informed = known.any(axis=(1, 2))
    for channel in np.flatnonzero(informed):
        weight = known[channel].astype(np.float32)
        power[channel] = _pull_push(grid[channel].astype(np.float32) ** 2 * weight, weight)
    if informed.any() and not informed.all():
        power[~informed] = power[informed].mean(0)
    return power


def _pull_push(energy: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean energy around every cell of (rows, columns)."""
    mean = energy / np.maximum(weight, 1e-9)
    trust = np.minimum(1, weight / ENOUGH)
    if max(energy.shape) == 1:
        return mean
    rows, columns = energy.shape
    even = ((0, rows % 2), (0, columns % 2))
    halves = [np.pad(a, even).reshape((rows + 1) // 2, 2, (columns + 1) // 2, 2).sum((1, 3)) for a in (energy, weight)]
    coarse = _double(_double(_pull_push(*halves), 0), 1)[:rows, :columns]
    return trust * mean + (1 - trust) * coarse


def _double(a: np.ndarray, axis: int) -> np.ndarray:
    """Twice as many values along an axis, linearly interpolated between the centres of the old ones."""
    a = np.moveaxis(a, axis, 0)
    before, after = np.concatenate([a[:1], a[:-1]]), np.concatenate([a[1:], a[-1:]])
    out = np.stack([0.75 * a + 0.25 * before, 0.75 * a + 0.25 * after], 1).reshape(-1, *a.shape[1:])
    return np.moveaxis(out, 0, axis)


def noise_fill(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with Gaussian noise of interpolated power in the masked cells; shapes (channels, frames, bins)."""
    power = interpolated_power(np.where(mask, 0, grid), ~mask)
    noise = np.random.default_rng(seed).standard_normal(grid.shape, np.float32) * np.sqrt(power)
    return np.where(mask, noise, grid).astype(np.float32)
