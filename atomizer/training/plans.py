"""Plans: what is drawn for a training window, its region and the share that an ordering reveals."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..atoms.orderings import ORDERINGS, sort_key
from ..atoms.space import AtomSpace
from .draws import choose, random_plane, uniform
from .regions import PLACEMENT, TASKS, draw_region, value_at

# Relative frequency of the orderings; `order_weights` adds those that have no weight here.
ORDER_WEIGHTS = {
    "random": 0.45,
    "velocity": 0.2,
    "frequency": 0.15,
    "time": 0.15,
    "channel": 0.05,
    "audibility": 0.05,
}
DEFAULT_ORDER_WEIGHT = 0.05
NOTHING_REVEALED = 0.5  # chance of the first step's state; fills of one step have no other
MONO_CHANCE = 0.1  # of a stereo window that loses its second channel
REVERSE_CHANCE = {"velocity": 0.2}  # of the reverse ordering; 0.4 for others
AXES = ("channel", "time", "frequency")  # of a grid, and the orderings along them


@dataclass(frozen=True)
class Choice:
    """Fixed parameters of the masks; None is drawn at random.

    task    name of a task
    reveal  share of the region that is revealed, 0 … 1
    order   name of the ordering in which it is revealed
    cut     first bin that the task `cut` hides
    """

    task: str | None = None
    reveal: float | None = None
    order: str | None = None
    cut: int | None = None


@dataclass
class Plan:
    """What is drawn for one window; tensors are (C, T, F).

    task      name of the task
    channels  of the window
    order     name of the ordering
    reverse   whether the ordering is reversed
    mask      bool, the region of the task
    key       sort keys of the true levels
    noise     0 to 1, of the sort keys of the expected levels; None for the random ordering
    share     of the region that is revealed
    """

    task: str
    channels: int
    order: str
    reverse: bool
    mask: Tensor
    key: Tensor
    noise: Tensor | None
    share: float


def order_weights() -> dict[str, float]:
    """Relative frequency of every ordering in `ORDERINGS`, so that a new one is trained, too."""
    others = [name for name in ORDERINGS if name not in ORDER_WEIGHTS]
    return ORDER_WEIGHTS | dict.fromkeys(others, DEFAULT_ORDER_WEIGHT)


def draw_plan(
    grid: Tensor, channels: int, space: AtomSpace, generator: torch.Generator, choice: Choice
) -> Plan:
    """Draw the mask of one window (C, T, F)."""
    if channels > 1 and choice.task is None and uniform(0, 1, generator) < MONO_CHANCE:
        channels = 1
    task = choice.task or choose(TASKS, generator)
    if channels == 1 and task in ("channel", "place-channel"):
        task = "cut"
    order = choice.order or choose(order_weights(), generator)
    reverse = uniform(0, 1, generator) <= REVERSE_CHANCE.get(order, 0.4)
    key = ordering_keys(order, grid.abs(), random_plane(grid, generator), reverse)
    mask = draw_region(task, grid, channels, space, generator)
    if task == "cut" and choice.cut is not None:
        mask = (torch.arange(space.hop, device=grid.device) >= choice.cut).expand_as(grid).clone()
    mask[channels:] = False
    noise = None if order == "random" else random_plane(grid, generator)
    share = choice.reveal
    if share is None:
        nothing = uniform(0, 1, generator) < NOTHING_REVEALED
        share = 0.0 if nothing else uniform(0, 0.95, generator)
    return Plan(task, channels, order, reverse, mask, key, noise, share)


def still_hidden(plan: Plan) -> Tensor:
    """(C, T, F) bool: the region without the share that the ordering reveals."""
    if not plan.share or plan.task in PLACEMENT:
        return plan.mask
    return plan.mask & (plan.key >= value_at(plan.key, plan.mask, plan.share))


def rank_of(plan: Plan, grid: Tensor, envelope_std: Tensor) -> Tensor:
    """(C, T, F) position in the ordering: as in sampling, of the expected level where hidden."""
    if plan.noise is None:
        return plan.key
    magnitude = torch.where(plan.mask, envelope_std, grid.abs())
    return ordering_keys(plan.order, magnitude, plan.noise, plan.reverse)


def ordering_keys(order: str, magnitude: Tensor, noise: Tensor, reverse: bool = False) -> Tensor:
    """(C, T, F) sort keys of an ordering: `orderings.sort_key` on any device.

    The sampler sorts by predicted levels, which are wrong by some decibels: noise imitates this.
    Orderings that sort all atoms do so on the host.
    """
    if order == "random":
        key = noise
    elif order == "velocity":
        key = 6 * noise - 20 * torch.log10(magnitude + 1e-9)
    elif order in AXES:
        axis = AXES.index(order)
        shape = [-1 if n == axis else 1 for n in range(3)]
        place = torch.arange(magnitude.shape[axis], dtype=torch.float32, device=magnitude.device)
        key = place.view(shape) + 0.5 * noise
    else:
        sorted_there = sort_key(order, magnitude.cpu().numpy(), noise.cpu().numpy())
        key = torch.from_numpy(sorted_there).to(magnitude.device)
    return -key if reverse else key
