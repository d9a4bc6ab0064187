"""The sound of what was received of a file of atoms, part by part."""

from __future__ import annotations

import numpy as np

from ..analysis.mdct import imdct_blocks
from ..io.audio import Sound
from .bands import PART
from .decoder import Received, at_own_rate
from .noise_fill import check_levels, fill_with_noise
from .stereo import BLOCK, rotate


def render(received: Received, fill: str | None = None, seed: int = 0) -> Sound:
    """The sound of what was received; `fill` and `seed` as in `atomizer.codec.decode`.

    Part by part: of the grid, memory holds `PART` frames.
    """
    if fill is not None:
        check_levels(received)
    header, rng = received.header, np.random.default_rng(seed)
    (channels, frames, hop), length = header.shape, header.samples
    samples = np.zeros((channels, length), np.float32)
    for first in range(0, frames, PART):
        grid = received.grid(first, first + PART)
        if fill is not None:
            fill_with_noise(received, grid, first, rng)
        if channels == 2:
            rotate(grid, received.edges, received.mid_side[first // BLOCK :][: PART // BLOCK])
        start = (first - 1) * hop  # of the first frame in the sound
        sums = imdct_blocks(grid, header.space.window)[:, max(0, -start) : length - start]
        samples[:, max(0, start) : max(0, start) + sums.shape[1]] += sums
    return at_own_rate(header, samples)
