"""Baselines of single features: the most frequent value, or a prediction from known neighbours."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter, uniform_filter1d

from ...priors.spectral_envelope import interpolate_envelope

NEIGHBOURHOOD = (3, 5)  # frames, bins
STATIONARY_FRAMES = 65  # 1.5 s, in which a sinusoid is assumed to be stationary


def level_db(grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(channels, frames, bins) mean level in dB of the known atoms of the NEIGHBOURHOOD.

    The level of the noise baseline where the neighbourhood has no known atoms.
    """
    known = (~mask & (grid != 0)).astype(np.float64)
    db = 20 * np.log10(np.maximum(np.abs(grid), 1e-20)) * known
    count, total = (uniform_filter(a, (0, *NEIGHBOURHOOD), mode="constant") for a in (known, db))
    wide = 10 * np.log10(np.maximum(interpolate_envelope(np.where(mask, 0, grid), ~mask), 1e-40))
    return np.where(count > 1e-6, total / np.maximum(count, 1e-6), wide)


def predict_sign(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """(channels, frames, bins) +-1, predicted from known signs one and two frames away.

    A stationary sinusoid obeys X[m] = 2 cos(w N) X[m - 1] - X[m - 2] in every bin (Zhang, Dou &
    Yang 2013). The correlation of atoms one and two frames apart is estimated in the bin itself,
    over STATIONARY_FRAMES frames of known atoms, from square roots of magnitudes, which give loud
    atoms less weight. Signs without a prediction are random.
    """
    known = np.where(mask, 0, np.sign(grid) * np.sqrt(np.abs(grid)))
    padded = np.pad(known, ((0, 0), (2, 2), (0, 0)))

    def shifted(frames: int) -> np.ndarray:
        return padded[:, 2 + frames : 2 + frames + grid.shape[1]]

    predicted = sum(
        uniform_filter1d(known * shifted(-lag), STATIONARY_FRAMES, axis=1, mode="constant")
        * (shifted(-lag) + shifted(lag))
        for lag in (1, 2)
    )
    random = np.random.default_rng(seed).choice([-1.0, 1.0], grid.shape)
    return np.where(predicted == 0, random, np.sign(predicted))


def fill_neighbours(
    grid: np.ndarray, mask: np.ndarray, features: tuple[str, ...], seed: int = 0
) -> np.ndarray:
    """The grid with levels and signs predicted from neighbours.

    Signs are predicted only where levels are known; where both are unknown they are random.
    Atoms without a position are placed by loudness: see `place_by_loudness`.
    """
    if not set(features) <= {"velocity", "sign"}:
        return place_by_loudness(grid, mask, features, level_db(grid, mask))
    if features == ("sign",):
        sign, magnitude = predict_sign(grid, mask, seed), np.abs(grid)
    else:
        magnitude = 10 ** (level_db(grid, mask) / 20)
        sign = (
            np.sign(grid)
            if features == ("velocity",)
            else np.random.default_rng(seed).choice([-1.0, 1.0], grid.shape)
        )
    return np.where(mask, sign * magnitude, grid).astype(np.float32)


def fill_majority(
    grid: np.ndarray,
    mask: np.ndarray,
    features: tuple[str, ...],
    audible: np.ndarray,
    seed: int = 0,
) -> np.ndarray:
    """The grid with the most frequent sign, or level in whole dB, of the known audible atoms.

    Atoms without a position are placed at random.

    audible  (channels, frames, bins) bool
    """
    known = grid[~mask & audible]
    if features == ("sign",):
        sign = 1.0 if (known > 0).mean() >= 0.5 else -1.0
        return np.where(mask, sign * np.abs(grid), grid).astype(np.float32)
    if features == ("velocity",):
        levels, count = np.unique(np.round(20 * np.log10(np.abs(known))), return_counts=True)
        most_frequent = 10 ** (levels[count.argmax()] / 20) if len(levels) else 0.0
        return np.where(mask, np.sign(grid) * most_frequent, grid).astype(np.float32)
    return place_by_loudness(grid, mask, features, np.random.default_rng(seed).random(grid.shape))


def exchange_groups(positions: tuple[np.ndarray, ...], features: tuple[str, ...]) -> np.ndarray:
    """One number per position (channel, frame, bin): atoms of one group can exchange positions.

    It is equal for positions that agree in all coordinates but the unknown `features`.
    """
    channel, frame, bin_ = (
        np.where(name in features, 0, value).astype(np.int64)
        for name, value in zip(("channel", "time", "frequency"), positions)
    )
    return (channel << 48) + (frame << 24) + bin_


def place_by_loudness(
    grid: np.ndarray, mask: np.ndarray, features: tuple[str, ...], loudness: np.ndarray
) -> np.ndarray:
    """The grid with its hidden atoms placed again: louder atoms get louder positions.

    Atoms only exchange positions within their `exchange_groups`.

    loudness  (channels, frames, bins) of every position
    """
    group = exchange_groups(np.nonzero(mask), features)
    atoms = grid[mask]
    by_loudness = np.lexsort((loudness[mask], group))
    out = grid.copy()
    values = np.empty_like(atoms)
    values[by_loudness] = atoms[np.lexsort((np.abs(atoms), group))]
    out[mask] = values
    return out
