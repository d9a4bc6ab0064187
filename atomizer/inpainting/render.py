"""Rendering: from a filled grid back to sound."""

from __future__ import annotations

import numpy as np


def limited(change: np.ndarray, base: np.ndarray, rate: int) -> np.ndarray:
    """The change, turned down around the moments where base + change would pass full scale; (channels, n) each.

    The gain falls and rises over 10 ms. Where the base itself passes full scale, as decoded MP3s do, that peak is the limit around it.
    """
    if not (np.abs(base + change) > 1).any():
        return change
    from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d

    width = max(3, int(0.01 * rate)) | 1
    highest = np.maximum(1, maximum_filter1d(np.abs(base), width, axis=1))
    room = highest - base * np.sign(change)
    over = np.abs(base + change) > highest
    need = np.where(over, np.clip(room / np.maximum(np.abs(change), 1e-9), 0, 1), 1).min(0)
    gain = uniform_filter1d(minimum_filter1d(need, width), width, mode="nearest")
    return (change * np.minimum(gain, need)).astype(np.float32)
