"""Stereo image: textures drawn along the principal directions of the channels.

One source in several channels differs between them by a gain alone. Textures drawn independently
per channel have no place between the channels: what was in the centre spreads to both sides. Here
they are drawn along the eigenvectors of the C x C covariance of the known atoms around, per band,
with the power that all channels are expected to have together.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from ..atoms.bands import erb_bands_hz

DECAY_FRAMES = 43.0  # decay of the weight of known frames with their distance: 1 s
BANDS = 24  # of equal width in ERB-rate
MIN_BINS = 4  # of a band
MIN_CELLS = 8.0  # weighted known cells per channel from which a covariance is measured


def erb_band_edges(bins: int, bin_hz: float) -> np.ndarray:
    """First bins of bands of equal width in ERB-rate, and the end."""
    hertz = erb_bands_hz(bins * bin_hz, BANDS)
    edges = [0]
    for edge in np.round(hertz[1:-1] / bin_hz).astype(int):
        if edge - edges[-1] >= MIN_BINS and bins - edge >= MIN_BINS:
            edges.append(int(edge))
    return np.array([*edges, bins])


def channel_covariance(
    grid: np.ndarray, known: np.ndarray, weight: np.ndarray
) -> np.ndarray | None:
    """(C, C) weighted covariance of the cells (C, T, F) that all channels know; None of too few.

    weight  (T,) of every frame
    """
    cells = known.all(0) * weight[:, None]
    if cells.sum() < MIN_CELLS * len(grid):
        return None
    x = grid * np.sqrt(cells)
    return np.einsum("ctf,dtf->cd", x, x, dtype=np.float64)


def conditional(
    covariance: np.ndarray, unknown: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (U, U) of some channels given others, and the matrix (U, K) that predicts them."""
    across = covariance[np.ix_(unknown, known)]
    inverse = np.linalg.pinv(covariance[np.ix_(known, known)], rcond=1e-6, hermitian=True)
    predictor = across @ inverse
    return covariance[np.ix_(unknown, unknown)] - predictor @ across.T, predictor


class StereoImage:
    """Textures of several channels, collected cell by cell and then mixed.

    grid, known  (C, T, F) amplitudes, read where known (bool) from the start
    """

    def __init__(self, grid: np.ndarray, known: np.ndarray, bin_hz: float):
        self.known, self.edges = known, erb_band_edges(grid.shape[2], bin_hz)
        zeros = (np.zeros(grid.shape, np.float32) for _ in range(4))
        self.unit, self.std, self.gain, self.offset = zeros
        self.drawn = np.zeros(grid.shape, bool)

    def put(
        self,
        at: tuple[np.ndarray, ...],
        texture: np.ndarray,
        std: np.ndarray,
        gain: np.ndarray | float = 1.0,
        offset: np.ndarray | float = 0.0,
    ) -> None:
        """Collect textures (n,) at places, drawn independently for every channel.

        std           expected standard deviation of the texture
        gain, offset  the result is offset + gain * texture
        """
        self.unit[at] = np.where(std > 0, texture / np.maximum(std, 1e-30), 0)
        self.std[at], self.gain[at], self.offset[at] = std, gain, offset
        self.drawn[at] = True

    def mix(self, out: np.ndarray, known: np.ndarray, mask: np.ndarray) -> None:
        """Write the textures into `out` (C, T, F) where all masked channels are collected.

        known, mask  (C, T, F) bool: cells of `out` that are known by now, and cells to fill
        """
        now = mask & self.drawn & ~(mask & ~self.drawn).any(0)
        if len(out) > 1 and now.any():
            textures = self._mixed(out, known, now)
            out[now] = (self.offset + textures)[now]
            self.drawn &= ~now

    def _mixed(self, grid: np.ndarray, known: np.ndarray, now: np.ndarray) -> np.ndarray:
        """(C, T, F): textures that give the sum with the offset the image of the surroundings.

        They are independent where nothing is known.
        """
        out = self.gain * self.unit * self.std
        weight = np.exp(-distance_transform_edt(~now.any(axis=(0, 2))) / DECAY_FRAMES)
        digits = 1 << np.arange(len(grid))
        for low, high in zip(self.edges, self.edges[1:]):
            t, f = np.nonzero(now[..., low:high].any(0))
            if not len(t):
                continue
            band = slice(low, high)
            covariance = channel_covariance(grid[..., band], self.known[..., band], weight)
            if covariance is None or np.trace(covariance) <= 0:
                continue
            f = f + low
            wanted, beside = now[:, t, f], (known & ~now)[:, t, f]
            pattern = digits @ wanted + (digits @ beside << len(grid))
            for value in np.unique(pattern):  # cells with the same unknown and known channels
                cells = np.flatnonzero(pattern == value)
                u = np.flatnonzero(wanted[:, cells[0]])
                k = np.flatnonzero(beside[:, cells[0]])
                to = (u[:, None], t[cells], f[cells])
                given = grid[k[:, None], t[cells], f[cells]]
                own, predictor = conditional(covariance, u, k)
                scale = np.trace(covariance[np.ix_(u, u)])
                if scale <= 0:
                    continue
                gain = self.gain[to].astype(np.float64)
                power = ((gain * self.std[to]) ** 2).sum(0)
                own = _complement(own / scale, power, self.offset[to])
                texture = _along_principal_directions(own, self.unit[to])
                out[to] = np.sqrt(power) * texture + gain * (predictor @ given)
        return out


def _complement(covariance: np.ndarray, power: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Covariance (U, U) of textures that, added to an offset, have a covariance (U, U).

    power   (n,) of the textures, all channels together
    offset  (U, n) what is predicted, and may have another image than the surroundings

    Both covariances are relative: their traces are those of channels alone and at most 1.
    """
    predicted = offset.astype(np.float64) @ offset.T
    own = power.sum()
    if not np.trace(predicted) or not own:
        return covariance
    trace = np.trace(covariance)
    left = covariance * (own + np.trace(predicted)) / max(trace, 1e-30) - predicted
    values, directions = np.linalg.eigh(left)
    values = values.clip(min=0)
    return (directions * values) @ directions.T * trace / max(values.sum(), 1e-30)


def _along_principal_directions(covariance: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """(U, n) textures of this covariance (U, U) from independent ones of unit power (U, n)."""
    values, directions = np.linalg.eigh(covariance)
    return (directions * np.sqrt(values.clip(min=0))) @ unit
