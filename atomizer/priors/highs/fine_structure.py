"""Fine structure: how far single atoms lie above or below the spectral envelope.

Bandwidth extension copies the fine structure and the signs of a band below the cutoff to the bins
above it (patching, as in spectral band replication; Dietz et al. 2002): partials stay partials
and attacks stay attacks, while the network predicts the envelope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ..log_power import DB_PER_LOG_POWER, LOG_MEAN

# Smoothing, as standard deviations in frames and octaves, that separates the envelope (predicted
# by the network) from the fine structure (patched from the octave below)
SMOOTHING = (3.0, 1 / 8)
# Shifts that continue harmonics: frames of one shift, the least correlation, and how much better
# another shift must be than that of the frames before
BLOCK_FRAMES, MIN_CORRELATION, HYSTERESIS = 16, 0.3, 0.1
CHANCE = 3.5  # standard deviations of the correlation of unrelated bins
CLIP_DB = 20.0  # largest deviation that counts in the correlation
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


def first_patched_bin(observed: np.ndarray) -> int | None:
    """First bin above everything known of (C, T, F), if the octave below it is known; else None."""
    known = np.asarray(observed.any(axis=(0, 1)))
    cutoff = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    if not 2 <= cutoff < len(known) or not known[cutoff // 2 : cutoff].all():
        return None
    return cutoff


def patch_fine_structure(
    magnitude: np.ndarray,
    positive: np.ndarray,
    known: np.ndarray,
    cutoff: int,
    peak: float,
    first_frame: int = 0,
) -> FineStructure:
    """Copy a band below a cutoff to the bins above it, as often as it fits.

    The band is as wide as the shift that `harmonic_shifts` finds: harmonics go on as harmonics.

    Parameters
    ----------
    magnitude, positive, known : (channels, frames, bins)
        Magnitudes (float), signs and known atoms (bool) of a window; unknown ones, and those beyond
        the sound's ends, have no level that others could be compared with.
    cutoff : int
        First bin to patch.
    peak : float
        Largest magnitude of the sound.
    first_frame : int
        Frame of the sound at which the window begins.
    """
    channels, frames, bins = magnitude.shape
    below = slice(0, cutoff)
    level = 20 * np.log10(np.maximum(magnitude[..., below], peak * 10 ** (FLOOR_DB / 20)))
    there = known[..., below]

    def smooth(x: np.ndarray) -> np.ndarray:
        sigma = (0, SMOOTHING[0], SMOOTHING[1] * (cutoff - cutoff // 2))
        return gaussian_filter(x, sigma, mode="nearest")

    envelope = smooth(level * there)
    if not there.all():
        envelope /= smooth(there.astype(np.float32)).clip(min=1e-6)
    deviation = np.where(there, level - envelope, np.nan)
    signs = np.where(there, positive[..., below], np.nan)
    out = np.full((2, *magnitude.shape), np.nan, np.float32)
    above, frame = np.arange(cutoff, bins), np.arange(frames)[:, None]
    shift = harmonic_shifts(np.where(there, deviation, 0), cutoff)[:, None]
    source = above - shift * (1 + (above - cutoff) // shift)
    out[0][..., above] = deviation[:, frame, source]
    sign = signs[:, frame, source]
    flipped = is_flipped(above - source, frame + first_frame)
    out[1][..., above] = np.where(flipped, 1 - sign, sign)
    return FineStructure(out[0], out[1])


def is_flipped(shift: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Whether the sign of an MDCT coefficient changes when it is copied `shift` bins up.

    A sinusoid turns by pi more per frame in the next bin: shifted by an odd number of bins, its
    coefficients change their sign in every other frame of the sound.
    """
    return (shift % 2 == 1) & (frame % 2 == 1)


def harmonic_shifts(deviation: np.ndarray, cutoff: int) -> np.ndarray:
    """(frames,) int: shift in bins, per frame, by which the band below a cutoff is copied above it.

    The shift, between a quarter and a half of the cutoff, that maps the octave below the cutoff
    onto itself best: the maximum of the correlation of its deviations from the envelope, averaged
    over `BLOCK_FRAMES`. It changes where another one is better by `HYSTERESIS`. Below a correlation
    of `MIN_CORRELATION`, or of what few unrelated bins have, it is half of the cutoff.

    deviation  (channels, frames, cutoff) dB, 0 where unknown
    """
    octave = cutoff - cutoff // 2
    shifts = np.arange(max(1, octave // 2), octave + 1)
    out = np.full(deviation.shape[1], octave)
    least = max(MIN_CORRELATION, CHANCE / np.sqrt(octave))
    last = None
    for start in range(0, deviation.shape[1], BLOCK_FRAMES):
        block = slice(start, start + BLOCK_FRAMES)
        mean = deviation[:, block].clip(-CLIP_DB, CLIP_DB).mean(axis=(0, 1))
        found = np.array([_correlation(mean[cutoff // 2 :], mean, int(s)) for s in shifts])
        best = int(found.argmax())
        if last is not None and found[last] > found[best] - HYSTERESIS:
            best = last
        last = best if found[best] >= least else None
        if last is not None:
            out[block] = shifts[last]
    return out


def _correlation(octave: np.ndarray, below: np.ndarray, shift: int) -> float:
    """Correlation of the octave at the end of `below` (n,) with what lies `shift` bins lower."""
    stop = len(below) - shift
    lower = below[max(0, stop - len(octave)) : stop]
    upper = octave[len(octave) - len(lower) :]
    power = float(np.sqrt((upper @ upper) * (lower @ lower)))
    return float(upper @ lower) / power if power > 0 else 0.0


def gaussian_fine_structure(count: int, generator: torch.Generator) -> Tensor:
    """(count,) dB: levels of Gaussian noise about their mean level."""
    noise = torch.randn(count, generator=generator).abs().clamp(min=1e-6)
    return 20 * torch.log10(noise) + LOG_MEAN * DB_PER_LOG_POWER
