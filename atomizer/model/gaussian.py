"""Gaussian priors of amplitudes, and the distributions of levels and signs that they imply.

Given its surroundings, the level of an atom is mostly the noise of a Gaussian variable, so that a
mean and a standard deviation give most of its distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from ..atoms.space import AtomSpace


@dataclass
class GaussianPrior:
    """Gaussian priors of n amplitudes, all tensors (n,) float32.

    mean          the Wiener estimate, 0 without one
    prior_std     standard deviation of the Wiener estimate's prior, 0 without one
    envelope_std  standard deviation of noise with the interpolated envelope, 0 without one
    magnitude     the magnitude where it is known, else 0
    """

    mean: Tensor
    prior_std: Tensor
    envelope_std: Tensor
    magnitude: Tensor

    def std(self, prior_weight: Tensor, log_gain: Tensor) -> Tensor:
        """(n,) standard deviation: both standard deviations, interpolated in dB, times a gain.

        prior_weight  (n,) weight of `prior_std`; the rest is the weight of `envelope_std`
        log_gain      (n,) natural logarithm of the gain, limited to -3 … 3
        """
        envelope = torch.where(self.envelope_std > 0, self.envelope_std, self.prior_std)
        prior = torch.where(self.prior_std > 0, self.prior_std, self.envelope_std)
        envelope, prior = envelope.clamp(min=1e-7).log(), prior.clamp(min=1e-7).log()
        log_std = prior_weight * prior + (1 - prior_weight) * envelope + log_gain.clamp(-3, 3)
        return log_std.exp().clamp(min=1e-7)

    def level_log_density(self, std: Tensor, space: AtomSpace) -> Tensor:
        """(n, levels) log-density of the level of Gaussian amplitudes with this mean and `std`."""
        y = level_amplitude(torch.arange(space.levels, device=std.device), space) / std[:, None]
        mean = (self.mean / std).abs()[:, None]
        # the magnitude has a folded normal density, its level that density times the magnitude
        log_density = y.log() - 0.5 * (y - mean).square() + torch.log1p(torch.exp(-2 * y * mean))
        return log_density.clamp(min=-12)

    def sign_logit(self, std: Tensor) -> Tensor:
        """(n,) logit of a positive sign; an unknown magnitude counts as max(|mean|, std)."""
        magnitude = torch.where(
            self.magnitude > 0, self.magnitude, torch.maximum(self.mean.abs(), std)
        )
        return (2 * self.mean * magnitude / std.square()).clamp(-12, 12)


def level_amplitude(level: Tensor, space: AtomSpace) -> Tensor:
    """Amplitude of levels of any shape, relative to the reference."""
    return 10 ** (((level - space.levels + 1) * space.step_db + space.headroom_db) / 20)


@cache
def velocity_floor(step_db: float) -> float:
    """Lowest cross-entropy in nats of the level of a Gaussian coefficient of known variance.

    The level in dB is 10 log10 of a chi-square variable with one degree of freedom. The entropy of
    its quantisation is its differential entropy minus log(step), numerically 3.53 nats at 1 dB.
    """
    x = np.linspace(-120, 25, 200_001)
    power = 10 ** (x / 10)
    density = np.sqrt(power / (2 * np.pi)) * np.exp(-power / 2) * math.log(10) / 10
    nats = -np.sum(density * np.log(np.maximum(density, 1e-300))) * (x[1] - x[0])
    return float(nats - math.log(step_db))
