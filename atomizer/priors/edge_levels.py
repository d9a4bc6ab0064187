"""Levels at the edges of holes, for frames far from anything known.

Interpolation over a few seconds of context knows nothing in the middle of a long hole, or long
after the end of a sound. Such frames have the levels of the sound beside the hole, per bin, on a
straight line in dB between both edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from .log_power import LOG_MEAN, log_power

EDGE_FRAMES = 16  # known frames (370 ms) beside a hole whose mean level per bin its edge has
NEAREST_FRAMES = 4  # of these (93 ms), the ones that give the level of bands of BAND_BINS
BAND_BINS = 33
CHANGE_SCALE = 0.35  # 1.5 dB, by which frames of a steady sound differ


@dataclass(frozen=True)
class EdgeLevels:
    """Edges of holes in a sound.

    frame  (edges,) int, the known frame beside the edge
    level  (edges, C, F) mean log power of the known frames beside it
    """

    frame: np.ndarray
    level: np.ndarray

    @classmethod
    def measure(cls, magnitude: np.ndarray, observed: np.ndarray, peak: float) -> EdgeLevels:
        """Edges of the runs of frames without an observed atom.

        magnitude, observed  (C, T, F) float, read where observed (bool)
        peak                 largest magnitude of the sound
        """
        known = np.atleast_1d(observed.any(axis=(0, 2)))
        steps = np.diff(known.astype(np.int8))
        edges = []
        for t in np.flatnonzero(steps < 0).tolist():
            edges.append((t, t - np.arange(min(EDGE_FRAMES, t + 1))))
        for t in (np.flatnonzero(steps > 0) + 1).tolist():
            edges.append((t, np.arange(t, min(t + EDGE_FRAMES, len(known)))))
        edges.sort(key=lambda edge: edge[0])
        levels = [
            _level(log_power(magnitude[:, part], peak), observed[:, part]) for _, part in edges
        ]
        shape = (0, magnitude.shape[0], magnitude.shape[2])
        stacked = np.stack(levels) if levels else np.zeros(shape, np.float32)
        return cls(np.array([frame for frame, _ in edges], int), stacked)

    def of_channels(self, channels: list[int]) -> EdgeLevels:
        """The edges of some channels only."""
        return EdgeLevels(self.frame, self.level[:, channels])

    def blend(self, power: np.ndarray, frames: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """(C, n, F) float32: powers that change to those of the edges with growing distance.

        power     (C, n, F) interpolated power
        frames    (n,) frames of the sound
        distance  (n,) 0 near known frames to 1 far from them
        """
        if not len(self.frame):
            return power
        right = np.searchsorted(self.frame, frames).clip(0, len(self.frame) - 1)
        left = np.maximum(right - 1, 0)
        left = np.where(self.frame[right] <= frames, right, left)
        right = np.where(self.frame[left] > frames, left, right)
        length = np.maximum(self.frame[right] - self.frame[left], 1)
        position = np.clip((frames - self.frame[left]) / length, 0, 1)[:, None, None]
        level = self.level[left] * (1 - position) + self.level[right] * position
        far = np.maximum(np.exp(level + LOG_MEAN).swapaxes(0, 1), 1e-30)
        weight = distance[None, :, None]
        blended = np.maximum(power, 1e-30) ** (1 - weight) * far**weight
        return np.where(weight > 0, blended, power).astype(np.float32)


def _level(log: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(C, F) level of frames (C, n, F) that lead away from a hole.

    The mean of all frames per bin, corrected by bands to the nearest frames, as after a fade-out.
    """

    def mean(frames: slice) -> np.ndarray:
        weight = observed[:, frames]
        return (log[:, frames] * weight).sum(1) / np.maximum(weight.sum(1), 1)

    usual = mean(slice(None))
    change = mean(slice(NEAREST_FRAMES)) - usual
    change = uniform_filter1d(change, BAND_BINS, axis=1, mode="nearest")
    return usual + change**3 / (change**2 + CHANGE_SCALE**2)
