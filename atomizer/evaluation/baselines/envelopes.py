"""Baselines that know, or guess, how loud the hidden atoms are, and fill in noise or what lies elsewhere in the sound."""

from __future__ import annotations

import numpy as np

from ...priors.spectral_envelope import interpolate_envelope

BAND = 16  # bins, 345 Hz
FLOOR_DB = -120.0  # of a level, below the sound's loudest


def fold(grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The grid with the octave below the cutoff copied into the hidden bins above it, again and again, as CELT folds (Valin et al. 2013).

    Every band of BAND bins is then brought to the power that the noise fill would give it: a blind tilt. Atoms that are hidden below the
    cutoff stay silent.
    """
    known = np.where(mask, np.float32(0), grid)
    blind = interpolate_envelope(known, ~mask)
    out = known.copy()
    for channel in range(len(grid)):
        bins = np.flatnonzero(~mask[channel].all(axis=0))
        cut = int(bins[-1]) + 1 if len(bins) else 0
        if not 2 <= cut < grid.shape[2]:
            continue
        above = np.arange(cut, grid.shape[2])
        source = known[channel][:, cut - cut // 2 + (above - cut) % (cut // 2)]
        gain = np.sqrt(
            band_means(blind[channel][:, above]) / np.maximum(band_means(source**2), 1e-20)
        )
        out[channel][:, above] = source * gain
    return np.where(mask, out, grid).astype(np.float32)


def oracle(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with Gaussian noise of the TRUE power in the hidden atoms, per channel, frame and band of BAND bins.

    The ceiling of whatever fills in textures: it reads what is hidden.
    """
    hidden = band_means(mask)
    power = band_means(np.where(mask, grid, 0).astype(np.float64) ** 2) / np.where(
        hidden > 0, hidden, 1
    )
    noise = np.random.default_rng(seed).standard_normal(grid.shape) * np.sqrt(power)
    return np.where(mask, noise, grid).astype(np.float32)


def band_means(values: np.ndarray) -> np.ndarray:
    """(..., bins), each the mean of its band of BAND bins."""
    edges = np.arange(0, values.shape[-1], BAND)
    width = np.diff(np.append(edges, values.shape[-1]))
    return np.repeat(
        np.add.reduceat(values, edges, axis=-1, dtype=np.float64) / width, width, axis=-1
    )


def interpolate(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with levels that lead, bin by bin and linearly in dB, from the frame before a run of hidden frames to the one after it.

    Signs are random. A run at either end of the sound keeps the level of its one known side.
    """
    magnitude = np.abs(np.where(mask, 0, grid))
    db = 20 * np.log10(
        np.maximum(magnitude, max(float(magnitude.max(initial=0)), 1e-20) * 10 ** (FLOOR_DB / 20))
    )
    level = db.copy()
    for channel in range(len(grid)):
        hidden = np.flatnonzero(mask[channel].any(axis=1))
        for run in np.split(hidden, np.flatnonzero(np.diff(hidden) > 1) + 1):
            if not len(run) or len(run) == grid.shape[1]:
                continue
            first, last = run[0] - 1, run[-1] + 1
            first, last = (
                (last, last)
                if first < 0
                else (first, first)
                if last == grid.shape[1]
                else (first, last)
            )
            share = (run - first) / max(last - first, 1)
            level[channel, run] = np.outer(1 - share, db[channel, first]) + np.outer(
                share, db[channel, last]
            )
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], grid.shape)
    return np.where(mask, sign * 10 ** (level / 20), grid).astype(np.float32)
