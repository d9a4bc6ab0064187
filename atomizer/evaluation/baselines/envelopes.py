"""Baselines from levels: noise of known or interpolated levels, and copies of other bands."""

from __future__ import annotations

import numpy as np

from ...priors.highs.fine_structure import is_flipped
from ...priors.spectral_envelope import interpolate_envelope

BAND_BINS = 16  # 345 Hz
FLOOR_DB = -120.0  # lowest level, below the loudest atom


def fold(grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The grid with the octave below the cutoff copied repeatedly into the hidden bins above it.

    As in the folding of CELT (Valin et al. 2013). Every band of BAND_BINS bins is then scaled to
    the power of the noise baseline, an extrapolated tilt. Atoms that are hidden below the cutoff
    are silent.
    """
    known = np.where(mask, np.float32(0), grid)
    envelope = interpolate_envelope(known, ~mask)
    out = known.copy()
    for channel in range(len(grid)):
        bins = np.flatnonzero(~mask[channel].all(axis=0))
        cut = int(bins[-1]) + 1 if len(bins) else 0
        if not 2 <= cut < grid.shape[2]:
            continue
        above = np.arange(cut, grid.shape[2])
        below = cut - cut // 2 + (above - cut) % (cut // 2)
        flipped = is_flipped(above - below, np.arange(grid.shape[1])[:, None])
        source = known[channel][:, below] * np.where(flipped, -1, 1)
        gain = np.sqrt(
            band_means(envelope[channel][:, above]) / np.maximum(band_means(source**2), 1e-20)
        )
        out[channel][:, above] = source * gain
    return np.where(mask, out, grid).astype(np.float32)


def oracle(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with Gaussian noise of the TRUE power of the hidden atoms.

    The power is that per channel, frame and band of BAND_BINS bins. An upper bound for methods
    that fill in textures: it reads the hidden atoms.
    """
    hidden = band_means(mask)
    power = band_means(np.where(mask, grid, 0).astype(np.float64) ** 2) / np.where(
        hidden > 0, hidden, 1
    )
    noise = np.random.default_rng(seed).standard_normal(grid.shape) * np.sqrt(power)
    return np.where(mask, noise, grid).astype(np.float32)


def band_means(values: np.ndarray) -> np.ndarray:
    """(..., bins), each value the mean of its band of BAND_BINS bins."""
    edges = np.arange(0, values.shape[-1], BAND_BINS)
    width = np.diff(np.append(edges, values.shape[-1]))
    return np.repeat(
        np.add.reduceat(values, edges, axis=-1, dtype=np.float64) / width, width, axis=-1
    )


def interpolate(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with levels interpolated linearly in dB over time, bin by bin, and random signs.

    The interpolation runs between the frames before and after a run of frames with hidden atoms.
    A run at either end of the sound keeps the level of its only known side.
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
            before, after = run[0] - 1, run[-1] + 1
            if before < 0:
                before = after
            elif after == grid.shape[1]:
                after = before
            weight = (run - before) / max(after - before, 1)
            level[channel, run] = np.outer(1 - weight, db[channel, before]) + np.outer(
                weight, db[channel, after]
            )
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], grid.shape)
    return np.where(mask, sign * 10 ** (level / 20), grid).astype(np.float32)
