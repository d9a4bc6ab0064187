"""The spectral envelope of many windows at once, for training: `spectral_envelope.py` in torch.

The same prior on any device, with nothing read back to the host. What a loop decides there (which
bins are known throughout, where the cutoff is) are masks here.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import devices
from .log_power import LOG_MEAN
from .spectral_envelope import (
    BIN_SMOOTHING,
    CENSOR_KERNEL,
    MIN_CELLS,
    MIN_PRECISION,
    OCTAVE_DECAY,
    RIDGE_PRIOR,
    SILENCE,
    SLOPE_VARIANCE,
    TIME_SMOOTHING,
)


@torch.no_grad()
def envelope_std(grid: Tensor, known: Tensor, present: Tensor) -> Tensor:
    """Standard deviation of atoms with the interpolated envelope of what is known.

    Equals `SpectralEnvelopePrior` for a window that is the longest stretch that is known.

    Parameters
    ----------
    grid : (B, C, T, F) float32
        Amplitudes; read where known.
    known : (B, C, T, F) bool
    present : (B, C) bool, on the host
        Channels that the sound has; the others are not read.

    Returns
    -------
    (B, C, T, F) float32
    """
    batch, channels = grid.shape[:2]
    there = devices.send(present.flatten().nonzero().flatten(), grid.device)
    present = devices.send(present, grid.device)
    known = known & present[:, :, None, None]
    amplitude = torch.where(known, grid, 0)
    peak = amplitude.abs().amax((1, 2, 3))
    floor = peak.square()[:, None, None, None] * 1e-12
    log = torch.maximum(amplitude.square(), floor).log()
    counts = known.sum(2, dtype=torch.float32)
    wanted = ~(known | ~present[:, :, None, None]).all(2).all(1)
    found = (counts > 0) & wanted[:, None]
    informed = torch.where(found.flatten(1).any(1)[:, None, None], found, counts > 0).any(2)

    def rows(x: Tensor) -> Tensor:
        """(B, C, ...) -> the rows of channels that are present."""
        return x.flatten(0, 1).index_select(0, there)

    def windows(x: Tensor) -> Tensor:
        """The inverse of `rows`, zero elsewhere."""
        out = x.new_zeros((batch * channels, *x.shape[1:]))
        return out.index_copy_(0, there, x).unflatten(0, (batch, channels))

    log, known, counts = rows(log), rows(known), rows(counts)
    weight = known.float()
    mean = _pull_push((log * weight).sum(1, keepdim=True), counts[:, None])
    deviation = log - mean
    onset = _onset_gain(deviation, known)
    level = mean + onset + _pull_push((deviation - onset) * weight, weight)
    level = _continue_tilt(level, (log, known), (mean, counts[:, None] > 0))
    loudest = 2 * rows(peak.log()[:, None, None, None].expand(-1, channels, 1, 1))
    power = torch.minimum(level + LOG_MEAN, loudest).exp()
    power = windows(torch.where(level < loudest + np.log(SILENCE), 0, power))
    if devices.may_be_any(~informed & present):
        mean_power = windows(_pull_push(log.exp() * weight, weight))
        share = informed.float() / informed.sum(1, keepdim=True).clamp(min=1)
        others = (mean_power * share[:, :, None, None]).sum(1, keepdim=True)
        power = torch.where(informed[:, :, None, None], power, others)
    heard = (peak > 0)[:, None] & present
    return torch.where(heard[:, :, None, None], power, 0).sqrt()


@torch.no_grad()
def censored_std(kept: Tensor, threshold: Tensor) -> Tensor:
    """`spectral_envelope.censored_std` of (B, C, T, F) bool, with thresholds (B,)."""
    rows, columns = CENSOR_KERNEL
    padded = F.pad(kept.float(), (columns // 2, columns // 2, rows // 2, rows // 2), "replicate")
    share = F.avg_pool2d(F.avg_pool2d(padded, (rows, 1), 1), (1, columns), 1)
    quantile = -torch.special.ndtri(share.clamp(1e-9, 0.9).double() / 2).float()
    std = threshold[:, None, None, None] / quantile.clamp(min=0.1)
    return torch.where(share > 1e-6, std, 0)


def _onset_gain(deviation: Tensor, known: Tensor) -> Tensor:
    """`spectral_envelope.shared_onset_gain` of rows (R, T, F)."""
    always = known.all(1)
    hidden = ~always & always.any(1, keepdim=True)
    if not devices.may_be_any(hidden):
        return torch.zeros_like(deviation)
    nearness = _nearness(deviation.shape[2], deviation.device)
    total = always.float() @ nearness
    gain = (deviation * always[:, None]) @ nearness / total.clamp(min=1e-30)[:, None]
    gain = gain * hidden[:, None]
    own = deviation * (known & hidden[:, None])
    square = (gain.square() * known).sum(1)
    # the smoothing runs over the hidden bins alone, as if the others were not there
    place = torch.where(hidden, hidden.cumsum(1) - 1, hidden.shape[1] - 1)
    product, square = (_smooth_hidden(x, hidden, place) for x in ((own * gain).sum(1), square))
    slope, frames = RIDGE_PRIOR
    ratio = ((product + slope * frames) / (square + frames)).clamp(0, 1)
    return gain * ratio[:, None]


def _smooth_hidden(values: Tensor, hidden: Tensor, place: Tensor) -> Tensor:
    """Gaussian means of values (R, F) over the hidden bins, which stand side by side.

    place  (R, F) number of every hidden bin among them
    """
    count = hidden.sum(1, keepdim=True)
    order = torch.argsort(~hidden, dim=1, stable=True)
    at = torch.arange(values.shape[1], device=values.device)
    side_by_side = values.gather(1, order.gather(1, torch.minimum(at, (count - 1).clamp(min=0))))
    return _gaussian(side_by_side, BIN_SMOOTHING).gather(1, place)


@lru_cache(maxsize=4)
def _nearness(bins: int, device: torch.device) -> Tensor:
    """(F, F) weights of bins for each other, which fall with their distance in octaves."""
    octave = np.log2(np.arange(bins) + 0.5).astype(np.float32)
    weight = np.exp(-np.abs(octave[:, None] - octave) / OCTAVE_DECAY)
    return torch.from_numpy(weight.astype(np.float32)).to(device)


def _continue_tilt(
    level: Tensor, below: tuple[Tensor, Tensor], mean: tuple[Tensor, Tensor]
) -> Tensor:
    """Levels (R, T, F), above the highest known bin of a row on a line fitted below it.

    below  levels (R, T, F) and which are known; where the octave below the cutoff is unknown,
    mean   levels of the bins (R, 1, F), and which of these are known
    """
    at = torch.arange(level.shape[2], device=level.device)
    cutoff = torch.where(mean[1][:, 0], at + 1, 0).amax(1)[:, None]
    if not devices.may_be_any(cutoff < level.shape[2]):
        return level
    octave = (at >= cutoff // 2) & (at < cutoff)
    has_octave = (below[1].any(1) & octave).any(1)[:, None, None]
    tilt = _tilt(*below, octave)
    if devices.may_be_any(~has_octave):
        tilt = torch.where(has_octave, tilt, _tilt(*mean, octave))
    return torch.where((at < cutoff)[:, None], level, tilt)


def _tilt(log: Tensor, known: Tensor, octave: Tensor) -> Tensor:
    """`spectral_envelope.extrapolate_tilt` of rows (R, T, F); `octave` (R, F) is fitted."""
    position = (torch.arange(log.shape[2], device=log.device) + 0.5).log2()
    part = slice(None)
    if devices.is_host(octave) and octave.any():
        fitted = octave.any(0).nonzero().flatten().tolist()
        part = slice(fitted[0], fitted[-1] + 1)
    x = position[part].double()
    weight = (known & octave[:, None])[..., part].double()
    y = log[..., part] * weight
    powers = torch.stack([torch.ones_like(x), x, x.square()], 1)
    sums = torch.cat([weight @ powers, y @ powers[:, :2]], 2).transpose(1, 2)
    fast, slow = (
        _gaussian(sums, frames, "constant") + 1e-9 * sums.mean(2, keepdim=True)
        for frames in TIME_SMOOTHING
    )
    slope = _slopes(slow, sums.sum(2, keepdim=True))
    n, sx, _, sy, _ = fast.unbind(1)
    intercept = ((sy - slope * sx) / n).float()[..., None]
    return intercept + slope.float()[..., None] * position


def _slopes(local: Tensor, whole: Tensor) -> Tensor:
    """`spectral_envelope._slopes` of rows (R, 5, T) and (R, 5, 1): (R, T)."""
    slope, precision = _line(local)
    steady, _ = _line(whole)
    chance = SLOPE_VARIANCE / precision.clamp(min=MIN_PRECISION)
    weight = precision + 1e-9
    beyond = (slope - steady).square() - chance
    excess = ((beyond * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)).clamp(min=0)
    return steady + excess / (excess + chance) * (slope - steady)


def _line(sums: Tensor) -> tuple[Tensor, Tensor]:
    """`spectral_envelope._line` of rows (R, 5, T): each (R, T)."""
    n, sx, sxx, sy, sxy = sums.unbind(1)
    spread = n * sxx - sx.square()
    spread = torch.where(spread > 1e-9 * n.square(), spread, torch.inf)
    slope = ((n * sxy - sx * sy) / spread).clamp(max=0)
    return slope, torch.where(spread.isfinite(), spread / n.clamp(min=1e-30), 0)


def _gaussian(x: Tensor, sigma: float, beyond: str = "replicate") -> Tensor:
    """`scipy.ndimage.gaussian_filter1d` along the last axis.

    beyond  what is beyond its ends: the edge values ("replicate"), or zeros ("constant")
    """
    radius = int(4 * sigma + 0.5)
    at = torch.arange(-radius, radius + 1, device=x.device, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    # in float64: convolutions of float32 may have the precision of TF32 on a GPU
    padded = F.pad(x.double().flatten(0, -2)[:, None], (radius, radius), beyond)
    smooth = F.conv1d(padded, (kernel / kernel.sum())[None, None])
    return smooth[:, 0].view(x.shape).to(x.dtype)


def _pull_push(total: Tensor, weight: Tensor) -> Tensor:
    """`spectral_envelope._pull_push` of rows (R, T, F)."""
    mean = total / weight.clamp(min=1e-9)
    rows, columns = total.shape[1:]
    if max(rows, columns) == 1:
        return mean
    even = (0, columns % 2, 0, rows % 2)
    halves = (_halve(F.pad(x, even) if any(even) else x) for x in (total, weight))
    coarse = _upsample(_upsample(_pull_push(*halves), 1), 2)[:, :rows, :columns]
    return torch.lerp(coarse, mean, (weight / MIN_CELLS).clamp(max=1))


def _halve(x: Tensor) -> Tensor:
    """Sums of 2 x 2 cells of (R, T, F)."""
    x = x[:, ::2] + x[:, 1::2]
    return x[..., ::2] + x[..., 1::2]


def _upsample(x: Tensor, axis: int) -> Tensor:
    """`spectral_envelope._upsample` along an axis of (R, T, F)."""
    size = x.shape[axis]
    out = x.new_empty((*x.shape[: axis + 1], 2, *x.shape[axis + 1 :]))
    near = x * 0.75
    for side, edge, first in ((0, 0, 1), (1, size - 1, 0)):
        half = out.select(axis + 1, side)
        own, other = near.narrow(axis, first, size - 1), x.narrow(axis, 1 - first, size - 1)
        half.narrow(axis, first, size - 1).copy_(torch.add(own, other, alpha=0.25))
        half.narrow(axis, edge, 1).copy_(x.narrow(axis, edge, 1))
    return out.flatten(axis, axis + 1)
