"""What is known of a whole recording, for the network: statistics of its bands, in torch.

The statistics of `band_levels.py`, for masks of any form and many recordings at once: a band of a
frame counts where all of its coefficients are known in a channel, and nothing else is read. Nothing
is read back to the host.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..atoms.space import AtomSpace
from .band_levels import ACTIVE_DB, FLOOR_DB, MIN_FRAMES, band_edges

LAGS = (1, 4, 16)  # frames between two levels of a band, whose difference is its modulation
FEATURES = 3 + len(LAGS)  # per band: whether it is known, mean, deviation and modulations
CENTRE_DB, SCALE_DB = -50.0, 20.0  # of mean levels relative to the reference of a window
SPREAD_DB = 10.0  # of deviations and modulations
FRAMES_AT_ONCE = 2048  # of a recording, which bounds the memory


@lru_cache(maxsize=8)
def _members(space: AtomSpace, device: torch.device) -> Tensor:
    """(F, BANDS) 1 where a bin belongs to a band."""
    edges, bins = band_edges(space), np.arange(space.hop)[:, None]
    inside = (bins >= edges[:-1]) & (bins < edges[1:])
    with torch.inference_mode(False):
        return torch.from_numpy(inside.astype(np.float32)).to(device)


def band_powers(grid: Tensor, known: Tensor, space: AtomSpace) -> tuple[Tensor, Tensor]:
    """Mean power of a coefficient in every band, and where all coefficients of the band are known.

    grid   (..., F) amplitudes, read where known
    known  (..., F) bool

    Returns (..., BANDS) float32, zero where not known, and (..., BANDS) bool.
    """
    members, full = _members(space, grid.device), known_bands(known, space)
    powers = torch.where(known, grid, 0).square() @ members / members.sum(0).clamp(min=1)
    return torch.where(full, powers, 0), full


def known_bands(known: Tensor, space: AtomSpace) -> Tensor:
    """(..., BANDS) bool: bands all of whose coefficients (..., F) are known."""
    members = _members(space, known.device)
    width = members.sum(0)
    return (known.float() @ members >= width) & (width > 0)


def statistics(powers: Tensor, full: Tensor) -> Tensor:
    """Statistics of the bands of B recordings over their active frames.

    powers, full  (B, C, T, BANDS), as `band_powers`

    Returns
    -------
    (B, FEATURES, BANDS) float32
        1 for bands that are known in `MIN_FRAMES` active frames; their mean level in dB, its
        standard deviation over time, and its mean absolute change after `LAGS` frames. All are 0
        in other bands.
    """
    count = full.sum(1)
    power = (powers * full).sum(1) / count.clamp(min=1)  # (B, T, BANDS), of the known channels
    known = count > 0
    total = power.sum(2)
    active = total > total.amax(1, keepdim=True) * 10 ** (ACTIVE_DB / 10)
    known = known & active[:, :, None]
    loudest = power.amax((1, 2), keepdim=True)
    level = 10 * torch.log10(power + loudest * 10 ** (FLOOR_DB / 10) + 1e-30)
    frames = known.sum(1)
    mean = (level * known).sum(1) / frames.clamp(min=1)
    squared = (level - mean[:, None]).square() * known
    rows = [mean, (squared.sum(1) / frames.clamp(min=1)).sqrt()]
    for lag in LAGS:
        both = known[:, lag:] & known[:, :-lag]
        change = (level[:, lag:] - level[:, :-lag]).abs() * both
        rows.append(change.sum(1) / both.sum(1).clamp(min=1))
    is_known = (frames >= MIN_FRAMES)[:, None]
    return torch.cat([is_known.float(), torch.stack(rows, 1) * is_known], 1)


def scaled(found: Tensor, reference: Tensor) -> Tensor:
    """The model's input of `statistics` (B, FEATURES, BANDS): numbers of about 1.

    reference  (B,) amplitude of windows at 0 dB, to which mean levels are relative
    """
    is_known, mean, spread = found[:, :1], found[:, 1:2], found[:, 2:]
    mean = mean - 20 * torch.log10(reference)[:, None, None] - CENTRE_DB
    return torch.cat([is_known, mean / SCALE_DB * is_known, spread / SPREAD_DB], 1)


def of_recording(grid: np.ndarray, known: np.ndarray, space: AtomSpace) -> Tensor:
    """(1, FEATURES, BANDS) `statistics` of a recording (C, T, F), read where it is known."""
    parts = [
        band_powers(
            torch.from_numpy(np.ascontiguousarray(grid[:, start : start + FRAMES_AT_ONCE])).float(),
            torch.from_numpy(np.ascontiguousarray(known[:, start : start + FRAMES_AT_ONCE])),
            space,
        )
        for start in range(0, grid.shape[1], FRAMES_AT_ONCE)
    ]
    powers, full = (torch.cat(part, 1)[None] for part in zip(*parts))
    return statistics(powers, full)
