"""Runs of frames or samples, such as holes."""

from __future__ import annotations

import numpy as np


def runs(selected: np.ndarray) -> list[tuple[int, int]]:
    """First index and the one after the last, of every run of True in (n,) bool, in order."""
    edges = np.flatnonzero(np.diff(np.pad(selected, 1).astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2]))
