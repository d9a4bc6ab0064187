"""Wiener interpolation: linear prediction of the unknown atoms from the known ones.

Partials last longer than a gap or a missing atom. Let the signal be Gaussian with a short-time
power spectrum P that changes slowly; the most likely unknown atoms minimise

    sum over frames and bins of |STFT of the signal|^2 / P

with the known atoms fixed. P is estimated from the signal itself, smoothed along time, in turns
with the atoms (as Janssen, Veldhuis & Vries 1986 do for an autoregressive model and samples); the
minimum is found by preconditioned conjugate gradients. The STFT window spans several hops, which
resolves partials that an MDCT frame cannot; shorter structure is left to the network.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..analysis.mdct import imdct_torch, mdct_torch
from .interface import Prediction, PriorContext

# Hops per STFT window and conjugate-gradient iterations per round, for scattered atoms (False) and
# for holes in time (True): the longer the window, the longer a partial can be extrapolated
# (measured, dev/LOG.md)
FRAMES = {False: 8, True: 16}
ITERATIONS = {False: 8, True: 40}
SMOOTHING = 6.0  # standard deviation, in STFT frames, of the smoothing of P
# How far P may fall between partials, relative to the mean over neighbouring bins; a lower floor
# converges more slowly and gained nothing
FLOOR = 0.1
NEIGHBOURS = 257  # bins of that mean
ROUNDS = 3  # estimates of P
MARGIN = 2  # windows of context on either side of the unknown atoms


class WienerPrior:
    """Linear prediction as a prior: the Wiener estimate, and the deviation under the spectrum P."""

    name = "wiener"

    def predict(self, context: PriorContext) -> Prediction | None:
        """Wiener estimate of the unknown atoms of a window; None where `interpolate` has none."""
        bound = context.magnitude_bound
        found = interpolate(
            torch.from_numpy(context.amplitude),
            torch.from_numpy(~context.observed),
            None if bound is None else torch.from_numpy(bound),
            context.space.window,
        )
        if found is None:
            return None
        return Prediction(np.asarray(found.amplitude), np.asarray(found.prior_std))


@dataclass
class WienerEstimate:
    """Estimated atoms of a window, each (C, T, F).

    amplitude  most likely signed amplitude where unknown, zero elsewhere
    prior_std  standard deviation of the amplitude under the spectrum P
    """

    amplitude: Tensor
    prior_std: Tensor


def is_predictable(amplitude: Tensor, unknown: Tensor) -> bool:
    """Whether some bin of a channel has both audible known and unknown atoms; (C, T, F) each."""
    audible = (amplitude.abs() * ~unknown).amax(1)
    return bool(((audible > 0) & unknown.any(1)).any())


@torch.no_grad()
def interpolate(
    amplitude: Tensor, unknown: Tensor, bound: Tensor | None = None, window: str = "sine"
) -> WienerEstimate | None:
    """Estimate the unknown atoms of one window of a sound.

    Parameters
    ----------
    amplitude : (C, T, F) float32
        MDCT coefficients; read only where known.
    unknown : (C, T, F) bool
    bound : (C, T, F) float32, optional
        Magnitude of every atom, where levels are known and only signs are not.
    window : str
        Window of the MDCT.

    Returns
    -------
    WienerEstimate or None
        None where no bin has both known and unknown atoms (`is_predictable`).
    """
    known_amplitude = amplitude.masked_fill(unknown, 0)
    if not is_predictable(known_amplitude, unknown):
        return None
    with _full_precision(amplitude.device.type):
        has_hole = bool(unknown.all(2).any()) or _has_local_hole(unknown)
        frames, margin = unknown.any(2).any(0).nonzero(), MARGIN * FRAMES[has_hole]
        first, last = int(frames[0]) - margin, int(frames[-1]) + 1 + margin
        part = slice(max(0, first), min(unknown.shape[1], last))
        problem = _Problem(known_amplitude[:, part], unknown[:, part], window, FRAMES[has_hole])
        estimate = torch.zeros_like(problem.known)
        for n in range(ROUNDS):
            power = problem.power(estimate, min_weight=0.1 * n)
            estimate = problem.descend(estimate, power, ITERATIONS[has_hole])
            if bound is not None:
                limit = bound[:, part]
                estimate = torch.minimum(torch.maximum(estimate, -limit), limit) * problem.unknown
        prior_std = (problem.at_atoms(power) / problem.all.taper.square().sum()).sqrt()
        out = WienerEstimate(torch.zeros_like(amplitude), torch.zeros_like(amplitude))
        out.amplitude[:, part], out.prior_std[:, part] = estimate, prior_std
        return out


def _full_precision(device: str) -> AbstractContextManager:
    """Disable autocast, only where it is enabled.

    Leaving the outermost autocast context of a thread clears the cache of cast weights that all
    threads share: a training step that runs beside this one would cast its weights again, and round
    its gradients differently.
    """
    if torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()


def _has_local_hole(unknown: Tensor) -> bool:
    """Whether three frames in a row somewhere lack most of a bin's neighbourhood.

    Scattered atoms converge faster than holes.
    """
    size = (min(3, unknown.shape[1]), min(33, unknown.shape[2]))
    share = F.avg_pool2d(unknown.float()[:, None], size, 1)
    return bool((share > 0.999).any())


class _ShortTime:
    """Short-time spectra (C, count, size / 2 + 1) of atoms (C, frames, bins), and the transpose."""

    def __init__(self, frames: int, bins: int, hops: int, window: str, device: torch.device):
        """Hops of the MDCT per STFT window, which advances by half of its length."""
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
    """Minimise sum |STFT|^2 / P over the unknown atoms.

    Atoms are (C, T, F), short-time spectra (C, K, bins).
    """

    def __init__(self, known: Tensor, unknown: Tensor, window: str, hops: int):
        """`hops`: of the MDCT per STFT window."""
        self.known, self.unknown = known, unknown
        _, frames, bins = known.shape
        device, half = known.device, hops // 2
        self.all = _ShortTime(frames, bins, hops, window, device)
        # the unknown atoms alone reach few short-time frames: gradients need no others
        where = unknown.any(2).any(0).nonzero()
        self.near = slice(int(where[0]) // half * half, int(where[-1]) + 1)
        self.few = _ShortTime(self.near.stop - self.near.start, bins, hops, window, device)
        self.reached = slice(self.near.start // half, self.near.start // half + self.few.count)
        # centres of the STFT frames, counted in MDCT frames, and vice versa; frame 0 of both starts
        # one hop early
        step = torch.arange(self.all.count, device=device)
        self.to_short = _interpolation(step * self.all.hop / bins - 1, frames)
        self.to_atoms = _interpolation(
            (torch.arange(frames, device=device) + 1) * bins / self.all.hop, self.all.count
        )
        self.kernel = torch.exp(-0.5 * ((step[:, None] - step) / SMOOTHING) ** 2)
        share = (~unknown).float().repeat_interleave(half, 2)
        self.certainty = F.pad(_along_time(self.to_short, share), (0, 1)) ** 2

    def power(self, estimate: Tensor, min_weight: float) -> Tensor:
        """P: short-time power, smoothed along time.

        Frames are weighted by the share of them that is known, at least by `min_weight`.
        """
        spectrum = self.all.spectrum(self.known + estimate)
        power = spectrum.real.square() + spectrum.imag.square()
        weight = self.certainty.clamp(min=min_weight) + 1e-4
        power = (self.kernel @ (power * weight)) / (self.kernel @ weight)
        mean = _moving_mean(power, NEIGHBOURS)
        return power + FLOOR * mean + 1e-10 * power.amax((1, 2), keepdim=True) + 1e-20

    def at_atoms(self, power: Tensor) -> Tensor:
        """Mean of a short-time spectrum at the place of every atom."""
        bins = self.known.shape[2]
        return _along_time(self.to_atoms, power[..., :-1].unflatten(2, (bins, -1)).mean(3))

    def descend(self, estimate: Tensor, power: Tensor, iterations: int) -> Tensor:
        """Conjugate gradients, preconditioned by P at every atom, from an initial estimate."""
        unknown, weight = self.unknown[:, self.near], 1 / power
        precondition = (self.at_atoms(power) * self.unknown)[:, self.near]
        gradient = self.all.adjoint(self.all.spectrum(self.known + estimate) * weight)
        residual = -gradient[:, self.near] * unknown
        found, weight = estimate[:, self.near], weight[:, self.reached]
        z = precondition * residual
        direction, slope = z, _dot(residual, z)
        for _ in range(iterations):
            applied = self.few.adjoint(self.few.spectrum(direction) * weight) * unknown
            size = slope / (_dot(direction, applied) + 1e-30)
            found, residual = found + size * direction, residual - size * applied
            z = precondition * residual
            former, slope = slope, _dot(residual, z)
            direction = z + slope / (former + 1e-30) * direction
        estimate = estimate.clone()
        estimate[:, self.near] = found
        return estimate


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner products of (C, T, F), channel by channel: (C, 1, 1)."""
    return (a * b).sum((1, 2), keepdim=True)


def _moving_mean(x: Tensor, width: int) -> Tensor:
    """Mean over an odd number of neighbours along the last axis, fewer at its ends.

    Computed from differences of cumulative sums in float64, because power spans decades.
    """
    total = F.pad(x.double().cumsum(-1), (1, 0))
    at = torch.arange(x.shape[-1], device=x.device)
    low, high = (at - width // 2).clamp(min=0), (at + width // 2 + 1).clamp(max=x.shape[-1])
    return ((total[..., high] - total[..., low]) / (high - low)).clamp(min=0).to(x.dtype)


def _interpolation(position: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Lower index, upper index and weight of the upper, to interpolate `count` values linearly."""
    position = position.clamp(0, count - 1)
    low = position.floor().long()
    return low, (low + 1).clamp(max=count - 1), (position - low)[:, None]


def _along_time(at: tuple[Tensor, Tensor, Tensor], values: Tensor) -> Tensor:
    low, high, share = at
    return values[:, low] * (1 - share) + values[:, high] * share
