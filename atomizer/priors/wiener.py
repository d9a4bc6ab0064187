"""Wiener interpolation: what the known atoms say about the unknown ones by linear prediction alone, before any model is asked.

Partials last longer than a gap or a missing atom. Let the signal be Gaussian with a short-time power spectrum P that changes
slowly; the likeliest unknown atoms are those that minimise

    sum over frames and bins of |STFT of the signal|^2 / P

with the known atoms as they are. P is estimated from the signal itself, smoothed along time, in turns with the atoms (as Janssen,
Veldhuis & Vries 1986 do for an autoregressive model and samples); the minimum is found by preconditioned conjugate gradients. The
STFT's window is several hops long, which resolves partials that an MDCT frame cannot; what is shorter than that is the model's business.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..analysis.mdct import imdct_torch, mdct_torch

# Hops per window of the STFT, and iterations of conjugate gradients per round, of scattered atoms and where whole stretches of time are unknown:
# a partial is known the longer, the finer its frequency is (docs/log.md)
FRAMES = {False: 8, True: 16}
ITERATIONS = {False: 8, True: 40}
SMOOTH = 6.0  # standard deviation, in frames of the STFT, of the smoothing of P
FLOOR = 0.1  # of the mean over neighbouring bins: how far P may fall between partials; lower converges more slowly, and gained nothing
NEIGHBOURS = 257  # bins of that mean
ROUNDS = 3  # estimates of P
MARGIN = 2  # windows of context that are enough on either side of the unknown


@dataclass
class Estimate:
    """amplitude (C, T, F) likeliest signed amplitude where unknown, zero elsewhere; spread (C, T, F) standard deviation of the prior."""

    amplitude: Tensor
    spread: Tensor


def helps(amplitude: Tensor, unknown: Tensor) -> bool:
    """Whether some bin of a channel has both known sound and unknown atoms; amplitude, unknown (C, T, F)."""
    sounds = (amplitude.abs() * ~unknown).amax(1)
    return bool(((sounds > 0) & unknown.any(1)).any())


@torch.no_grad()
def interpolate(
    amplitude: Tensor, unknown: Tensor, limit: Tensor | None = None, window: str = "sine"
) -> Estimate | None:
    """Estimate the unknown atoms of one window of a sound.

    amplitude  (C, T, F) float32 MDCT coefficients; read only where known
    unknown    (C, T, F) bool
    limit      (C, T, F) largest magnitude of every unknown atom, where levels are known and only signs are not
    Returns None where the known atoms say nothing: where no bin has known and unknown atoms.
    """
    known_amplitude = amplitude.masked_fill(unknown, 0)
    if not helps(known_amplitude, unknown):
        return None
    with _full_precision(amplitude.device.type):
        blank = bool(unknown.all(2).any()) or _holes(unknown)
        frames, margin = unknown.any(2).any(0).nonzero(), MARGIN * FRAMES[blank]
        part = slice(
            max(0, int(frames[0]) - margin), min(unknown.shape[1], int(frames[-1]) + 1 + margin)
        )
        problem = _Problem(known_amplitude[:, part], unknown[:, part], window, FRAMES[blank])
        estimate = torch.zeros_like(problem.known)
        for n in range(ROUNDS):
            power = problem.power(estimate, trust=0.1 * n)
            estimate = problem.descend(estimate, power, ITERATIONS[blank])
            if limit is not None:
                bound = limit[:, part]
                estimate = torch.minimum(torch.maximum(estimate, -bound), bound) * problem.unknown
        spread = (problem.at_atoms(power) / problem.all.taper.square().sum()).sqrt()
        out = Estimate(torch.zeros_like(amplitude), torch.zeros_like(amplitude))
        out.amplitude[:, part], out.spread[:, part] = estimate, spread
        return out


def _full_precision(device: str) -> AbstractContextManager:
    """No autocast. It is entered only where some is on, since whoever leaves the last one of a thread empties the cache of cast weights,
    which all threads share: a training step beside this would cast its weights anew, and round their gradients otherwise."""
    return (
        torch.autocast(device, enabled=False)
        if torch.is_autocast_enabled(device)
        else nullcontext()
    )


def _holes(unknown: Tensor) -> bool:
    """Whether somewhere three frames in a row lack most of a bin's neighbourhood: scattered atoms converge faster than holes."""
    size = (min(3, unknown.shape[1]), min(33, unknown.shape[2]))
    share = F.avg_pool2d(unknown.float()[:, None], size, 1)
    return bool((share > 0.999).any())


class _ShortTime:
    """Short-time spectra (C, count, size / 2 + 1) of the sound of atoms (C, frames, bins), and their transpose."""

    def __init__(self, frames: int, bins: int, hops: int, window: str, device: torch.device):
        """hops: of the MDCT, per window of the STFT, which moves by half of it"""
        self.bins, self.window = bins, window
        self.size, self.hop = hops * bins, hops * bins // 2
        self.length = (frames + 1) * bins
        self.count = -(-self.length // self.hop) + 1
        self.taper = torch.hann_window(self.size, periodic=True, device=device).sqrt()

    def spectrum(self, atoms: Tensor) -> Tensor:
        """The short-time spectrum of the sound of atoms."""
        samples = F.pad(
            imdct_torch(atoms, self.window).flatten(1),
            (self.hop, self.count * self.hop - self.length),
        )
        return torch.fft.rfft(samples.unfold(1, self.size, self.hop) * self.taper)

    def adjoint(self, spectrum: Tensor) -> Tensor:
        """The transpose of `spectrum`, up to a constant."""
        pieces = torch.fft.irfft(spectrum, self.size) * self.taper
        out = F.pad(pieces[..., : self.hop], (0, 0, 0, 1))
        out[:, 1:] += pieces[..., self.hop :]
        samples = out.flatten(1)[:, self.hop : self.hop + self.length]
        return mdct_torch(samples.unflatten(1, (-1, self.bins)), self.window)


class _Problem:
    """Minimise sum |STFT|^2 / P over the unknown atoms; tensors are (C, T, F), short-time spectra (C, K, bins)."""

    def __init__(self, known: Tensor, unknown: Tensor, window: str, hops: int):
        """hops: per window of the STFT"""
        self.known, self.unknown = known, unknown
        _, frames, bins = known.shape
        device, half = known.device, hops // 2
        self.all = _ShortTime(frames, bins, hops, window, device)
        # the unknown atoms alone are heard in a few short-time frames: gradients ask for no others
        where = unknown.any(2).any(0).nonzero()
        self.near = slice(int(where[0]) // half * half, int(where[-1]) + 1)
        self.few = _ShortTime(self.near.stop - self.near.start, bins, hops, window, device)
        self.heard = slice(self.near.start // half, self.near.start // half + self.few.count)
        # centres of the short-time frames, counted in frames of the MDCT, and the other way round; frame 0 of both starts a hop early
        step = torch.arange(self.all.count, device=device)
        self.to_short = _interpolation(step * self.all.hop / bins - 1, frames)
        self.to_atoms = _interpolation(
            (torch.arange(frames, device=device) + 1) * bins / self.all.hop, self.all.count
        )
        self.kernel = torch.exp(-0.5 * ((step[:, None] - step) / SMOOTH) ** 2)
        share = (~unknown).float().repeat_interleave(half, 2)
        self.certainty = F.pad(_along_time(self.to_short, share), (0, 1)) ** 2

    def power(self, estimate: Tensor, trust: float) -> Tensor:
        """P: short-time power, smoothed along time, where frames weigh by how much of them is known, at least `trust`."""
        spectrum = self.all.spectrum(self.known + estimate)
        power = spectrum.real.square() + spectrum.imag.square()
        weight = self.certainty.clamp(min=trust) + 1e-4
        power = (self.kernel @ (power * weight)) / (self.kernel @ weight)
        around = _moving_mean(power, NEIGHBOURS)
        return power + FLOOR * around + 1e-10 * power.amax((1, 2), keepdim=True) + 1e-20

    def at_atoms(self, power: Tensor) -> Tensor:
        """Mean of a short-time spectrum at the place of every atom."""
        bins = self.known.shape[2]
        return _along_time(self.to_atoms, power[..., :-1].unflatten(2, (bins, -1)).mean(3))

    def descend(self, estimate: Tensor, power: Tensor, iterations: int) -> Tensor:
        """Conjugate gradients, preconditioned by P at every atom, from an estimate."""
        unknown, precondition, weight = (
            self.unknown[:, self.near],
            (self.at_atoms(power) * self.unknown)[:, self.near],
            1 / power,
        )
        residual = (
            -self.all.adjoint(self.all.spectrum(self.known + estimate) * weight)[:, self.near]
            * unknown
        )
        found, weight = estimate[:, self.near], weight[:, self.heard]
        dot = lambda a, b: (a * b).sum((1, 2), keepdim=True)  # noqa: E731
        z = precondition * residual
        direction, slope = z, dot(residual, z)
        for _ in range(iterations):
            applied = self.few.adjoint(self.few.spectrum(direction) * weight) * unknown
            size = slope / (dot(direction, applied) + 1e-30)
            found, residual = found + size * direction, residual - size * applied
            z = precondition * residual
            former, slope = slope, dot(residual, z)
            direction = z + slope / (former + 1e-30) * direction
        estimate = estimate.clone()
        estimate[:, self.near] = found
        return estimate


def _moving_mean(x: Tensor, width: int) -> Tensor:
    """Mean over an odd number of neighbours along the last axis, fewer at its ends, from differences of sums (float64: power spans decades)."""
    total = F.pad(x.double().cumsum(-1), (1, 0))
    at = torch.arange(x.shape[-1], device=x.device)
    low, high = (at - width // 2).clamp(min=0), (at + width // 2 + 1).clamp(max=x.shape[-1])
    return ((total[..., high] - total[..., low]) / (high - low)).clamp(min=0).to(x.dtype)


def _interpolation(position: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lower and upper index and share of the upper, for linear interpolation at positions among `count` values."""
    position = position.clamp(0, count - 1)
    low = position.floor().long()
    return low, (low + 1).clamp(max=count - 1), (position - low)[:, None]


def _along_time(at: tuple[Tensor, Tensor, Tensor], values: Tensor) -> Tensor:
    low, high, share = at
    return values[:, low] * (1 - share) + values[:, high] * share
