"""Draws from a generator: of names, numbers and planes."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def choose(weights: dict[str, float], generator: torch.Generator) -> str:
    """Return a name, drawn with a chance in proportion to its weight."""
    names = list(weights)
    chances = torch.tensor([weights[n] for n in names])
    return names[int(torch.multinomial(chances, 1, generator=generator))]


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Return a number, drawn uniformly from low to high."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def log_uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Return a number from low to high, whose logarithm is uniform."""
    return math.exp(uniform(math.log(low), math.log(high), generator))


def integer(low: int, high: int, generator: torch.Generator) -> int:
    """Return an integer from low to high, both included; low where high is smaller."""
    return int(torch.randint(low, max(low, high) + 1, (), generator=generator))


def random_plane(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return numbers from 0 to 1 of the shape and on the device of `like`.

    A GPU draws its own, from a seed that the generator of the host gives.
    """
    if like.device.type != "cpu":
        seed = int(torch.randint(1 << 62, (), generator=generator))
        generator = torch.Generator(like.device).manual_seed(seed)
    return torch.rand(like.shape, generator=generator, device=like.device)
