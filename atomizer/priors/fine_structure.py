"""Fine structure: how far single atoms lie above or below the spectral envelope.

Bandwidth extension copies the fine structure and the signs of the octave below the cutoff to the
bins above it (patching, as in spectral band replication; Dietz et al. 2002): partials stay partials
and attacks stay attacks, while the network predicts the envelope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from .spectral_envelope import LOG_MEAN

DB_PER_NEPER = 10 / np.log(10)  # of power
# Smoothing, as standard deviations in frames and octaves, that separates the envelope (predicted
# by the network) from the fine structure (patched from the octave below)
SMOOTHING = (3.0, 1 / 8)
FLOOR_DB = -100.0  # below the peak: quieter levels count as this one


@dataclass(frozen=True)
class FineStructure:
    """Patched planes, each (channels, frames, bins) float32 and NaN where nothing is patched.

    deviation_db  level above the smoothed level, in dB
    positive      sign, 1 or 0
    """

    deviation_db: np.ndarray
    positive: np.ndarray

    def at(self, place: tuple[np.ndarray, ...]) -> tuple[Tensor, Tensor]:
        """Deviations and signs of n places (channel, frame, bin), each (n,)."""
        return torch.from_numpy(self.deviation_db[place]), torch.from_numpy(self.positive[place])


def cutoff_bin(observed: np.ndarray) -> int | None:
    """First bin above everything known of (C, T, F), if the octave below it is known; else None."""
    known = np.asarray(observed.any(axis=(0, 1)))
    cutoff = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    if not 2 <= cutoff < len(known) or not known[cutoff // 2 : cutoff].all():
        return None
    return cutoff


def patch_fine_structure(
    magnitude: np.ndarray, positive: np.ndarray, known: np.ndarray, cutoff: int, peak: float
) -> FineStructure:
    """Copy the octave below a cutoff to the bins above it, as often as it fits.

    Parameters
    ----------
    magnitude, positive, known : (channels, frames, bins)
        Magnitudes (float), signs and known atoms (bool) of a window; unknown ones, and those beyond
        the sound's ends, have no level that others could be compared with.
    cutoff : int
        First bin to patch.
    peak : float
        Largest magnitude of the sound.
    """
    bins = magnitude.shape[2]
    octave = slice(cutoff // 2, cutoff)
    level = 20 * np.log10(np.maximum(magnitude[..., octave], peak * 10 ** (FLOOR_DB / 20)))
    there = known[..., octave]

    def smooth(x: np.ndarray) -> np.ndarray:
        sigma = (0, SMOOTHING[0], SMOOTHING[1] * level.shape[2])
        return gaussian_filter(x, sigma, mode="nearest")

    envelope = smooth(level * there) / smooth(there.astype(np.float32)).clip(min=1e-6)
    above = np.arange(cutoff, bins)
    out = np.full((2, *magnitude.shape), np.nan, np.float32)
    for plane, source in zip(out, (level - envelope, positive[..., octave])):
        patch = np.where(there, source, np.nan)
        plane[..., above] = patch[..., (above - cutoff) % (cutoff - cutoff // 2)]
    return FineStructure(out[0], out[1])


def gaussian_fine_structure(count: int, generator: torch.Generator) -> Tensor:
    """(count,) dB: levels of Gaussian noise about their mean level."""
    noise = torch.randn(count, generator=generator).abs().clamp(min=1e-6)
    return 20 * torch.log10(noise) + LOG_MEAN * DB_PER_NEPER
