"""Baselines of single features: the commonest value, or what the known atoms around suggest."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter, uniform_filter1d

from ...priors.spectral_envelope import interpolate_envelope

AROUND = (3, 5)  # frames and bins of a neighbourhood
WHILE = 65  # frames, 1.5 s, for which a sinusoid may be stationary


def level_db(grid: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(channels, frames, bins) mean level in dB of the known atoms of AROUND; where there are none, what the noise fill takes."""
    known = (~mask & (grid != 0)).astype(np.float64)
    db = 20 * np.log10(np.maximum(np.abs(grid), 1e-20)) * known
    count, total = (uniform_filter(a, (0, *AROUND), mode="constant") for a in (known, db))
    wide = 10 * np.log10(np.maximum(interpolate_envelope(np.where(mask, 0, grid), ~mask), 1e-40))
    return np.where(count > 1e-6, total / np.maximum(count, 1e-6), wide)


def expected_sign(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """(channels, frames, bins) +-1: the signs that the known ones one and two frames before and after let expect.

    A stationary sinusoid obeys X[m] = 2 cos(w N) X[m - 1] - X[m - 2] in every bin (Zhang, Dou & Yang 2013). How alike atoms one and two
    frames apart are is found in the bin itself, over WHILE frames of known atoms, square roots of magnitudes weighing less than
    magnitudes would. Where nothing is known, a random sign.
    """
    known = np.where(mask, 0, np.sign(grid) * np.sqrt(np.abs(grid)))
    padded = np.pad(known, ((0, 0), (2, 2), (0, 0)))
    shifted = lambda frames: padded[:, 2 + frames : 2 + frames + grid.shape[1]]  # noqa: E731
    expected = sum(
        uniform_filter1d(known * shifted(-lag), WHILE, axis=1, mode="constant")
        * (shifted(-lag) + shifted(lag))
        for lag in (1, 2)
    )
    random = np.random.default_rng(seed).choice([-1.0, 1.0], grid.shape)
    return np.where(expected == 0, random, np.sign(expected))


def fill_neighbours(
    grid: np.ndarray, mask: np.ndarray, features: tuple[str, ...], seed: int = 0
) -> np.ndarray:
    """The grid with neighbours' levels and, where levels are known, neighbours' signs; where both are unknown signs are random.

    Atoms without a place take places by loudness: see `place`.
    """
    if not set(features) <= {"velocity", "sign"}:
        return place(grid, mask, features, level_db(grid, mask))
    if features == ("sign",):
        sign, magnitude = expected_sign(grid, mask, seed), np.abs(grid)
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
    """The grid with the commonest known sign, or level in whole dB, of the audible (bool) atoms; any of the possible places."""
    known = grid[~mask & audible]
    if features == ("sign",):
        sign = 1.0 if (known > 0).mean() >= 0.5 else -1.0
        return np.where(mask, sign * np.abs(grid), grid).astype(np.float32)
    if features == ("velocity",):
        levels, count = np.unique(np.round(20 * np.log10(np.abs(known))), return_counts=True)
        commonest = 10 ** (levels[count.argmax()] / 20) if len(levels) else 0.0
        return np.where(mask, np.sign(grid) * commonest, grid).astype(np.float32)
    return place(grid, mask, features, np.random.default_rng(seed).random(grid.shape))


def groups(places: tuple[np.ndarray, ...], features: tuple[str, ...]) -> np.ndarray:
    """One number per place (channel, frame, bin), equal where all coordinates but the unknown features agree."""
    channel, frame, bin_ = (
        np.where(name in features, 0, value).astype(np.int64)
        for name, value in zip(("channel", "time", "frequency"), places)
    )
    return (channel << 48) + (frame << 24) + bin_


def place(
    grid: np.ndarray, mask: np.ndarray, features: tuple[str, ...], loudness: np.ndarray
) -> np.ndarray:
    """The grid with its hidden atoms placed again: of those that may swap places, the louder atom gets the louder place.

    loudness  (channels, frames, bins) of every place
    """
    places = np.nonzero(mask)
    group = groups(places, features)
    atoms, seats = grid[mask], loudness[mask]
    out = grid.copy()
    values = np.empty_like(atoms)
    values[np.lexsort((seats, group))] = atoms[np.lexsort((np.abs(atoms), group))]
    out[mask] = values
    return out
