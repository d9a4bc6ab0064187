"""Levels as natural logarithms of power, and how they vary in Gaussian noise."""

from __future__ import annotations

import numpy as np

DB_PER_LOG_POWER = 10 / np.log(10)  # of a natural logarithm
LOG_MEAN = 1.2704  # log of a Gaussian's mean power minus its mean log power: gamma + ln 2
NOISE_STD_DB = 9.64  # standard deviation of the level of Gaussian noise


def log_power(grid: np.ndarray, peak: float) -> np.ndarray:
    """Natural logarithm of the power of amplitudes, not below -120 dB relative to the peak."""
    return np.log(np.maximum(grid.astype(np.float32) ** 2, peak**2 * 1e-12))
