"""Gaussian beliefs about amplitudes, and what they say of levels and signs.

Levels given their surroundings are mostly the noise of a Gaussian variable, so that a mean and a deviation say most of what can be said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..atoms.space import AtomSpace


@dataclass
class Belief:
    """Gaussian beliefs about n amplitudes, all (n,): the mean, the deviation of the Wiener estimate's prior and that of noise with
    interpolated levels, each 0 where there is none, and the magnitude where it is known, else 0."""

    mean: Tensor
    spread: Tensor
    blind: Tensor
    magnitude: Tensor

    def width(self, trust: Tensor, scale: Tensor) -> Tensor:
        """(n,) deviation: between that of the prior and that of the noise, in dB, and scaled."""
        blind = torch.where(self.blind > 0, self.blind, self.spread).clamp(min=1e-7).log()
        spread = torch.where(self.spread > 0, self.spread, self.blind).clamp(min=1e-7).log()
        return (trust * spread + (1 - trust) * blind + scale.clamp(-3, 3)).exp().clamp(min=1e-7)

    def levels(self, width: Tensor, space: AtomSpace) -> Tensor:
        """(n, levels) log-density of the level of a Gaussian amplitude with this mean and a deviation of `width`."""
        y = level_amplitude(torch.arange(space.levels, device=width.device), space) / width[:, None]
        mean = (self.mean / width).abs()[:, None]
        # of the magnitude, a folded normal density; of its level, that times the magnitude
        return (y.log() - 0.5 * (y - mean).square() + torch.log1p(torch.exp(-2 * y * mean))).clamp(
            min=-12
        )

    def sign(self, width: Tensor) -> Tensor:
        """(n,) logit of the sign of a Gaussian amplitude; where its magnitude is unknown, as if that were the deviation's size."""
        magnitude = torch.where(
            self.magnitude > 0, self.magnitude, torch.maximum(self.mean.abs(), width)
        )
        return (2 * self.mean * magnitude / width.square()).clamp(-12, 12)


def level_amplitude(level: Tensor, space: AtomSpace) -> Tensor:
    """Amplitude of levels, relative to the reference."""
    return 10 ** (((level - space.levels + 1) * space.step_db + space.headroom_db) / 20)


def velocity_floor(step_db: float) -> float:
    """Cross-entropy in nats of the level of a Gaussian coefficient whose variance is known: nothing predicts it better.

    The level in dB is 10 log10 of a chi-square variable with one degree of freedom; the entropy of its quantisation is its
    differential entropy minus log(step), numerically 3.53 nats at 1 dB.
    """
    x = np.linspace(-120, 25, 200_001)
    power = 10 ** (x / 10)
    density = np.sqrt(power / (2 * np.pi)) * np.exp(-power / 2) * math.log(10) / 10
    return float(
        -np.sum(density * np.log(np.maximum(density, 1e-300))) * (x[1] - x[0]) - math.log(step_db)
    )
