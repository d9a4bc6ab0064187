"""Noise in place of the atoms that were not sent, at the levels of their bands.

Where no atom of a place was received, its magnitude is below the last level that was; noise below
that level brings a band to the level that it is known to have (noise substitution; Herre & Schulz
1998, AES 104th Convention).
"""

from __future__ import annotations

import numpy as np

from ..errors import AtomizerError
from .bands import FRAMES, STEPS
from .decoder import Received

GAIN = 0.7  # of the noise: less than the missing level, because noise also disturbs what was sent
CEILING = 3**-0.5  # root mean square below a level: that of magnitudes evenly spread up to it


def check_levels(received: Received) -> None:
    """Raise AtomizerError if a file has no levels of bands."""
    if received.steps is None:
        raise AtomizerError(
            "Files in the order of velocity have no levels of bands to fill in: files in the order"
            " of audibility are filled with noise."
        )


def fill_with_noise(
    received: Received, grid: np.ndarray, first: int, rng: np.random.Generator
) -> None:
    """Fill frames (C, n, F) of what was received, from frame `first` on, with noise in place.

    first  a multiple of `FRAMES`
    """
    assert received.steps is not None, "the levels are checked"
    edges, widths = received.edges, np.diff(received.edges)
    for start in range(0, grid.shape[1], FRAMES):
        part = grid[:, start : start + FRAMES]
        group = (first + start) // FRAMES
        frames = slice(first + start, first + start + part.shape[1])
        steps = received.steps[:, group]
        empty = received.levels.levels[:, frames] == 0
        unit = 2.0**received.header.exponent
        total = (
            np.where(steps > 0, (unit * 2.0 ** (steps / STEPS)) ** 2, 0) * part.shape[1] * widths
        )
        energy = np.add.reduceat(np.square(part, dtype=np.float64).sum(1), edges[:-1], axis=1)
        count = np.add.reduceat(empty.sum(1), edges[:-1], axis=1)
        missing = np.sqrt(np.maximum(total - energy, 0) / np.maximum(count, 1))
        missing = np.repeat(missing, widths, axis=1)[:, None]
        level = np.repeat(received.reached.levels(frames, len(widths)), widths, axis=1)
        noise = GAIN * np.minimum(missing, CEILING * 2.0**level * received.scale(group))
        part += np.where(empty, noise * rng.uniform(-(3**0.5), 3**0.5, part.shape), 0)
