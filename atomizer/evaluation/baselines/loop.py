"""Baseline of the continuation: repeat the end of the sound."""

from __future__ import annotations

import numpy as np


def loop(x: np.ndarray, count: int, period: int, fade: int = 441) -> np.ndarray:
    """(channels, count) samples that continue x (channels, n) by repeating its last `period`.

    The first `fade` samples of every repetition are cross-faded from the time-reversed end of x,
    so that neither the start nor a seam jumps.
    """
    period = min(period, x.shape[1])
    fade = min(fade, period // 2)
    piece = x[:, x.shape[1] - period :].astype(np.float64)
    mirror = piece[:, ::-1][:, :fade]
    fade_in = np.linspace(0, 1, fade)
    smooth = piece.copy()
    smooth[:, :fade] = fade_in * piece[:, :fade] + (1 - fade_in) * mirror
    return np.tile(smooth, (1, -(-count // period)))[:, :count].astype(np.float32)
