"""Regions of training windows: the positions that a task hides."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..atoms.space import AtomSpace
from ..priors import devices
from .draws import choose, integer, log_uniform, random_plane, uniform

# Relative frequency of every task. The last three hide positions; they have few atoms and cost
# little.
TASKS = {
    "cut": 0.24,
    "gap": 0.12,
    "suffix": 0.08,
    "channel": 0.11,
    "loudness": 0.11,
    "random": 0.15,
    "rect": 0.08,
    "sign": 0.03,
    "velocity": 0.02,
    "place-time": 0.02,
    "place-frequency": 0.02,
    "place-channel": 0.02,
}
# Tasks of placement, with the frames and bins of their region: small enough for all of its atoms
# to be unplaced, and long along the axis that is unknown.
PLACEMENT = {"place-time": (32, 8), "place-frequency": (4, 64), "place-channel": (16, 16)}
# Tasks that leave no bin with both known and unknown atoms: linear prediction has nothing to say
UNPREDICTABLE = ("cut", "channel")
# Tasks that hide atoms of the whole recording without a form: nothing around a window counts
SCATTERED = ("random", "loudness", "velocity")


def _cut(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """All bins above a cutoff, one time in ten below it."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    cut = int(log_uniform(0.05, 0.7, g) * space.hop)
    if uniform(0, 1, g) < 0.1:
        mask[:, :, :cut] = True
    else:
        mask[:, :, cut:] = True
    return mask


def _gap(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """Some frames, one time in five of one channel."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    size = round(log_uniform(2, max(2, space.frames * 3 // 8), g))
    start = integer(1, space.frames - size - 1, g)
    mask[_channels(0.8, channels, g), start : start + size] = True
    return mask


def _suffix(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """All frames from some frame on."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    mask[:, integer(space.frames // 8, space.frames - 4, g) :] = True
    return mask


def _channel(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """One channel."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    mask[integer(0, channels - 1, g)] = True
    return mask


def _rect(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """One to four rectangles."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    frames, bins = space.frames, space.hop
    for _ in range(integer(1, 4, g)):
        t, f = integer(0, frames - 4, g), integer(0, bins - 17, g)
        height = int(log_uniform(8, bins / 2, g))
        where = _channels(0.7, channels, g)
        mask[where, t : t + integer(2, frames // 2, g), f : f + height] = True
    return mask


def _random(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """Scattered atoms, a share from 5 to 95 %."""
    return random_plane(grid, g) < uniform(0.05, 0.95, g)


def _loudness(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """The quietest or the loudest atoms."""
    magnitude = grid.abs()
    audible = magnitude > magnitude.max() * 10 ** (space.floor_db / 20)
    if not devices.may_be_any(audible):
        return torch.zeros_like(audible)
    share = uniform(0.3, 0.97, g) if uniform(0, 1, g) < 0.7 else uniform(0.01, 0.2, g)
    if share >= 0.3:  # the quietest part, with or without the inaudible atoms
        selectable = audible | (uniform(0, 1, g) < 0.5)
        return selectable & (magnitude <= value_at(magnitude, audible, share, all_but=1))
    return audible & (magnitude >= -value_at(-magnitude, audible, share, all_but=1))


def value_at(values: Tensor, where: Tensor, share: float, all_but: int = 0) -> Tensor:
    """The value that a share of n - `all_but` values precede in ascending order, () float32.

    The n values are those of `where` (bool); without any, infinity. On a GPU all values are
    sorted: to count them would take a wait.
    """
    if devices.is_host(values):
        chosen = values[where]
        if not len(chosen):
            return values.new_tensor(torch.inf)
        place = min(int(share * (len(chosen) - all_but)), len(chosen) - 1)
        return chosen.kthvalue(place + 1).values
    count = where.sum()
    first = torch.minimum((share * (count - all_but).double()).long(), count - 1).clamp(min=0)
    ascending = torch.where(where, values, torch.inf).flatten().sort().values
    return ascending.gather(0, first[None])[0]


def _channels(all_chance: float, channels: int, g: torch.Generator) -> slice | int:
    """All channels, or one of them."""
    return slice(None) if uniform(0, 1, g) < all_chance else integer(0, channels - 1, g)


def _small_rect(
    grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator, task: str
) -> Tensor:
    """A rectangle of the size that a task of placement has; low bins are more frequent."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    frames, bins = (min(n, most) for n, most in zip(PLACEMENT[task], (space.frames, space.hop)))
    t = integer(0, space.frames - frames, g)
    f = int((space.hop - bins) * uniform(0, 1, g) ** 2)
    where = slice(None) if task == "place-channel" else integer(0, channels - 1, g)
    mask[where, t : t + frames, f : f + bins] = True
    return mask


REGIONS: dict[str, Callable[[Tensor, int, AtomSpace, torch.Generator], Tensor]] = {
    "cut": _cut,
    "gap": _gap,
    "suffix": _suffix,
    "channel": _channel,
    "loudness": _loudness,
    "random": _random,
    "rect": _rect,
}


def draw_region(
    task: str, grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator
) -> Tensor:
    """(C, T, F) bool: the positions that a task selects in one window (C, T, F)."""
    if task in PLACEMENT:
        return _small_rect(grid, channels, space, g, task)
    region = task
    if task in ("sign", "velocity"):
        region = choose({"random": 1.0, "rect": 1.0, "gap": 1.0}, g)
    mask = REGIONS[region](grid, channels, space, g)
    if task == "random" and uniform(0, 1, g) < 0.6:  # as `random:50` selects: audible atoms only
        mask &= grid.abs() > grid.abs().max() * 10 ** (space.floor_db / 20)
    return mask
