"""The baseline of continuation that everyone can do by hand: repeat what was heard last."""

from __future__ import annotations

import numpy as np


def loop(x: np.ndarray, count: int, period: int, fade: int = 441) -> np.ndarray:
    """(channels, count) samples that go on after x (channels, n): its last `period` samples again and again.

    Over the first `fade` samples the sound's own mirror image fades out, and at each later seam what follows the end of the loop: no jumps.
    """
    period = min(period, x.shape[1])
    fade = min(fade, period // 2)
    piece = x[:, x.shape[1] - period :].astype(np.float64)
    mirror = piece[:, ::-1][:, :fade]
    rise = np.linspace(0, 1, fade)
    smooth = piece.copy()
    smooth[:, :fade] = rise * piece[:, :fade] + (1 - rise) * mirror
    return np.tile(smooth, (1, -(-count // period)))[:, :count].astype(np.float32)
