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
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .devices import is_host
from .interface import Prediction, PriorContext
from .short_time import ShortTime


class Effort(NamedTuple):
    """How atoms are estimated.

    hops        of the MDCT per STFT window: the more, the further a partial can be extrapolated
    iterations  of conjugate gradients per estimate of P, at most
    """

    hops: int
    iterations: int


SCATTERED, HOLES = Effort(8, 8), Effort(16, 40)  # measured, dev/LOG.md
SMOOTHING = 6.0  # standard deviation, in STFT frames, of the smoothing of P
# How far P may fall between partials, relative to the mean over neighbouring bins; a lower floor
# converges more slowly and gained nothing
FLOOR = 0.1
NEIGHBOURS = 257  # bins of that mean
ROUNDS = 3  # estimates of P
# Of the squared gradient that an estimate of P starts with: iterations end below it. Errors of the
# estimate are within 0.002 dB of those after all iterations (dev/LOG.md)
TOLERANCE = 3e-4
ROUNDING_DB = -100.0  # below the loudest atom of the sound: what an exact copy leaves
MARGIN = 2  # windows of context on either side of the unknown atoms


class WienerPrior:
    """Linear prediction as a prior: the Wiener estimate, and the deviation under the spectrum P."""

    name = "wiener"

    def predict(self, context: PriorContext) -> Prediction | None:
        """Wiener estimate of the unknown atoms of a window.

        None where `interpolate` has none, and where what is known is not audible.
        """
        bound = context.magnitude_bound
        if np.abs(context.amplitude).max() < context.peak * 10 ** (ROUNDING_DB / 20):
            return None
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
        effort = HOLES if has_hole else SCATTERED
        frames, margin = unknown.any(2).any(0).nonzero(), MARGIN * effort.hops
        first, last = int(frames[0]) - margin, int(frames[-1]) + 1 + margin
        part = slice(max(0, first), min(unknown.shape[1], last))
        problem = _Problem(known_amplitude[:, part], unknown[:, part], window, effort.hops)
        limit = None if bound is None else bound[:, part]
        found = problem.solve(limit, effort.iterations)
        out = WienerEstimate(torch.zeros_like(amplitude), torch.zeros_like(amplitude))
        out.amplitude[:, part], out.prior_std[:, part] = found.amplitude, found.prior_std
        return out


@torch.no_grad()
def interpolate_batch(
    amplitude: Tensor, unknown: Tensor, bound: Tensor, window: str = "sine"
) -> WienerEstimate:
    """Estimate the unknown atoms of B windows at once: `interpolate` for a GPU.

    No result is read back to the host. So both lengths of the STFT window run for all windows, and
    all of them have the same number of frames, of which the superfluous ones have no weight.

    Parameters
    ----------
    amplitude : (B, C, T, F) float32
        MDCT coefficients; read only where known.
    unknown : (B, C, T, F) bool
    bound : (B, C, T, F) float32
        Largest magnitude of every atom; infinite where levels are unknown.
    window : str
        Window of the MDCT.

    Returns
    -------
    WienerEstimate
        Zero in windows for which `interpolate` returns None.
    """
    batch, channels, frames, _ = amplitude.shape
    known = amplitude.masked_fill(unknown, 0)
    audible = known.abs().amax(2) > 0
    predictable = (audible & unknown.any(2)).flatten(1).any(1)
    hole = _runs(_runs(unknown.flatten(0, 1), min(3, frames), 1), min(33, known.shape[3]), 2)
    has_hole = hole.unflatten(0, (batch, channels)).flatten(1).any(1)
    has_hole |= unknown.all(3).flatten(1).any(1)
    out = WienerEstimate(torch.zeros_like(amplitude), torch.zeros_like(amplitude))
    with _full_precision(amplitude.device.type):
        for effort, chosen in (
            (SCATTERED, predictable & ~has_hole),
            (HOLES, predictable & has_hole),
        ):
            part = _Part(unknown, MARGIN * effort.hops)
            inside = (part.cut(known), part.cut(unknown.float()) > 0)
            problem = _Problem(*inside, window, effort.hops, part.count)
            found = problem.solve(part.cut(bound), effort.iterations)
            there = chosen[:, None, None, None]
            out.amplitude = torch.where(there, part.paste(found.amplitude), out.amplitude)
            out.prior_std = torch.where(there, part.paste(found.prior_std), out.prior_std)
    return out


class _Part:
    """The frames with unknown atoms, and some on either side, of B windows.

    They are moved to the beginning and padded to T frames.
    """

    def __init__(self, unknown: Tensor, margin: int):
        """`unknown` (B, C, T, F) bool; `margin` in frames."""
        self.shape = unknown.shape
        frames = self.shape[2]
        frame = torch.arange(frames, device=unknown.device)
        there = unknown.any(3).any(1)
        first = torch.where(there, frame, frames).amin(1).clamp(max=frames - 1)
        last = torch.where(there, frame, 0).amax(1)
        low = (first - margin).clamp(min=0)
        count = ((last + 1 + margin).clamp(max=frames) - low).clamp(min=1)
        self.count = count.repeat_interleave(
            self.shape[1], output_size=len(unknown) * self.shape[1]
        )
        self.source = (frame + low[:, None]).clamp(max=frames - 1)
        self.target = (frame - low[:, None]).clamp(min=0)
        self.inside = frame < count[:, None]
        self.back = (frame >= low[:, None]) & (frame < (low + count)[:, None])

    def cut(self, grid: Tensor) -> Tensor:
        """(B, C, T, F) -> (B * C, T, F), zero beyond the part."""
        return self._frames(grid, self.source, self.inside).flatten(0, 1)

    def paste(self, rows: Tensor) -> Tensor:
        """(B * C, T, F) -> (B, C, T, F), zero outside of the part."""
        return self._frames(rows.view(self.shape), self.target, self.back)

    def _frames(self, grid: Tensor, index: Tensor, keep: Tensor) -> Tensor:
        moved = grid.gather(2, index[:, None, :, None].expand(grid.shape))
        return torch.where(keep[:, None, :, None], moved, 0)


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
    frames, bins = (min(n, most) for n, most in zip(unknown.shape[1:], (3, 33)))
    return bool(_runs(_runs(unknown, frames, 1), bins, 2).any())


def _runs(x: Tensor, length: int, axis: int) -> Tensor:
    """Where a run of `length` True values begins along an axis of a bool tensor."""
    done = 1
    while done < length:
        step = min(done, length - done)
        count = x.shape[axis] - step
        x, done = x.narrow(axis, 0, count) & x.narrow(axis, step, count), done + step
    return x


class _Problem:
    """Minimise sum |STFT|^2 / P over the unknown atoms.

    Atoms are (C, T, F) and packed, short-time spectra (C, K, bins).
    """

    def __init__(
        self,
        known: Tensor,
        unknown: Tensor,
        window: str,
        hops: int,
        counts: Tensor | None = None,
    ):
        """Atoms in the order of bins.

        hops    of the MDCT per STFT window
        counts  (C,) frames of every row, of which the others are padding; None: all are frames, and
                those that the unknown atoms do not reach are left out where that saves time
        """
        _, frames, bins = known.shape
        device, half = known.device, hops // 2
        self.all = ShortTime(frames, bins, hops, window, device)
        self.packed = self.all.packed
        self.known, self.unknown = self.packed.pack(known), self.packed.pack(unknown.float())
        # the unknown atoms alone reach few short-time frames: gradients need no others
        self.near = slice(0, frames)
        if counts is None:
            where = unknown.any(2).any(0).nonzero()
            self.near = slice(int(where[0]) // half * half, int(where[-1]) + 1)
        self.few = ShortTime(self.near.stop - self.near.start, bins, hops, window, device)
        self.reached = slice(self.near.start // half, self.near.start // half + self.few.count)
        # centres of the STFT frames, counted in MDCT frames, and vice versa; frame 0 of both starts
        # one hop early
        step = torch.arange(self.all.count, device=device)
        lengths = torch.full((1,), frames, device=device) if counts is None else counts
        short = -(-(lengths + 1) // half) + 1  # short-time frames of a row, as `ShortTime.count`
        self.is_frame = (step < short[:, None])[..., None]
        self.to_short = _interpolation(step * self.all.hop / bins - 1, lengths)
        self.to_atoms = _interpolation(
            (torch.arange(frames, device=device) + 1) * bins / self.all.hop, short
        )
        self.kernel = torch.exp(-0.5 * ((step[:, None] - step) / SMOOTHING) ** 2)
        share = (~unknown).float().repeat_interleave(half, 2)
        self.certainty = F.pad(_along_time(self.to_short, share), (0, 1)) ** 2

    def solve(self, limit: Tensor | None, iterations: int) -> WienerEstimate:
        """Estimate P and the unknown atoms in turns.

        limit  largest magnitudes (C, T, F), in the order of bins
        """
        estimate = torch.zeros_like(self.known)
        if limit is not None:
            limit = torch.where(self.unknown > 0, self.packed.pack(limit), 0)
        for n in range(ROUNDS):
            spectrum = self.all.spectrum(self.known + estimate)
            power = self.power(spectrum, min_weight=0.1 * n)
            estimate = self.descend(estimate, spectrum, power, iterations)
            if limit is not None:
                estimate = torch.minimum(torch.maximum(estimate, -limit), limit)
        prior_std = (self.at_atoms(power) / self.all.taper.square().sum()).sqrt()
        return WienerEstimate(self.packed.unpack(estimate), self.packed.unpack(prior_std))

    def power(self, spectrum: Tensor, min_weight: float) -> Tensor:
        """P: short-time power, smoothed along time.

        Frames are weighted by the share of them that is known, at least by `min_weight`.
        """
        power = spectrum.real.square() + spectrum.imag.square()
        weight = (self.certainty.clamp(min=min_weight) + 1e-4) * self.is_frame
        power = (self.kernel @ (power * weight)) / (self.kernel @ weight)
        mean = _moving_mean(power, NEIGHBOURS)
        loudest = (power * self.is_frame).amax((1, 2), keepdim=True)
        return power + FLOOR * mean + 1e-10 * loudest + 1e-20

    def at_atoms(self, power: Tensor) -> Tensor:
        """Mean of a short-time spectrum at the place of every atom."""
        pooled = power[..., :-1].unflatten(2, (self.all.bins, -1)).mean(3)
        return self.packed.pack(_along_time(self.to_atoms, pooled))

    def descend(self, estimate: Tensor, spectrum: Tensor, power: Tensor, iterations: int) -> Tensor:
        """Conjugate gradients, preconditioned by P at every atom, from an initial estimate.

        spectrum  of the known atoms and the estimate
        """
        unknown = self.unknown[:, self.near]
        conjugate, weight = unknown * self.packed.conjugate, 1 / power
        precondition = self.at_atoms(power)[:, self.near] * unknown
        gradient = self.all.adjoint(_weighted(spectrum, _twice(weight)))
        residual = -gradient[:, self.near] * conjugate
        found, weight = estimate[:, self.near].clone(), _twice(weight[:, self.reached])
        direction = z = precondition * residual
        slope = _dot(residual, z)
        least = TOLERANCE * slope
        for _ in range(iterations):
            moves = slope > least  # of every channel, whatever the others do
            if is_host(moves) and not moves.any():  # a GPU would have to wait
                break
            spectrum = _weighted(self.few.spectrum(direction), weight)
            applied = self.few.adjoint(spectrum).mul_(conjugate)
            size = moves * slope / (_dot(direction, applied) + 1e-30)
            found.addcmul_(size, direction)
            residual.addcmul_(-size, applied)
            z = precondition * residual
            former, slope = slope, _dot(residual, z)
            direction = z.addcmul_(slope / (former + 1e-30), direction)
        estimate = estimate.clone()
        estimate[:, self.near] = found
        return estimate


def _twice(weight: Tensor) -> Tensor:
    """Weights (..., n) for the real and the imaginary part: (..., n, 2)."""
    return weight[..., None].repeat(1, 1, 1, 2)


def _weighted(spectrum: Tensor, weight: Tensor) -> Tensor:
    """A spectrum (..., n) times weights (..., n, 2), in place."""
    torch.view_as_real(spectrum).mul_(weight)
    return spectrum


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


def _interpolation(position: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Lower index, upper index and weight of the upper, to interpolate values linearly in time.

    position  (n,) in units of the values
    counts    (C,) number of values of every row
    """
    last = counts[:, None] - 1
    position = torch.minimum(position.clamp(min=0), last)
    low = position.floor().long()
    return low, torch.minimum(low + 1, last), (position - low)[..., None]


def _along_time(at: tuple[Tensor, Tensor, Tensor], values: Tensor) -> Tensor:
    low, high, share = at
    if len(low) == 1:
        return values[:, low[0]] * (1 - share) + values[:, high[0]] * share
    low, high = (i[..., None].expand(-1, -1, values.shape[2]) for i in (low, high))
    return values.gather(1, low) * (1 - share) + values.gather(1, high) * share
