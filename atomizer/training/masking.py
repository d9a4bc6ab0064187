"""Masking: the unknown atoms of training windows, in all the states that sampling meets.

A task selects a region, then a part of the region is revealed in some ordering.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..atoms.orderings import ORDERINGS, sort_key
from ..atoms.space import AtomSpace
from ..model.state import REFERENCE_FLOOR_DB, State
from ..priors import wiener
from ..priors.interface import PriorContext
from ..priors.registry import LEVEL_PRIOR
from .data import Windows

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
LOUDER_CHANCE, LOUDER_DB = 0.3, 20  # of a reference that is up to 20 dB above the window's
MAX_UNPLACED = 128


@dataclass
class Batch:
    """Masked windows and their true values.

    state              the model's input
    velocity, sign     (B, C, T, F) true values
    target_mask        (B, C, T, F) bool, unknown positions that losses may use: those below the
                       cutoff of the recording
    unplaced_position  (B, K, 3) true channel, frame and bin of the unplaced atoms, or None
    task               name of every window's task
    """

    state: State
    velocity: Tensor
    sign: Tensor
    target_mask: Tensor
    unplaced_position: Tensor | None
    task: list[str]

    def to(self, device: torch.device | str) -> Batch:
        """Copy all tensors to a device."""
        position = self.unplaced_position
        return replace(
            self,
            state=self.state.to(device),
            velocity=self.velocity.to(device),
            sign=self.sign.to(device),
            target_mask=self.target_mask.to(device),
            unplaced_position=None if position is None else position.to(device),
        )


@dataclass(frozen=True)
class Choice:
    """Fixed parameters of the masks; None is drawn at random.

    task    name of a task
    reveal  share of the region that is revealed, 0 … 1
    order   name of the ordering in which it is revealed
    """

    task: str | None = None
    reveal: float | None = None
    order: str | None = None


@dataclass
class MaskedWindow:
    """The mask of one window, and what the known atoms predict; tensors are (C, T, F).

    mask         bool, True where hidden
    rank         position in the ordering
    estimate, prior_std, envelope_std  as in `State`, in the units of the grid
    """

    task: str
    channels: int
    mask: Tensor
    rank: Tensor
    estimate: Tensor
    prior_std: Tensor
    envelope_std: Tensor


def order_weights() -> dict[str, float]:
    """Relative frequency of every ordering in `ORDERINGS`, so that a new one is trained, too."""
    others = [name for name in ORDERINGS if name not in ORDER_WEIGHTS]
    return ORDER_WEIGHTS | dict.fromkeys(others, DEFAULT_ORDER_WEIGHT)


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


# --------------------------------------------------------------------------- regions of the tasks


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
    return torch.rand(grid.shape, generator=g).to(grid.device) < uniform(0.05, 0.95, g)


def _loudness(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """The quietest or the loudest atoms."""
    magnitude = grid.abs()
    audible = magnitude > magnitude.max() * 10 ** (space.floor_db / 20)
    if not audible.any():
        return torch.zeros_like(audible)
    values = magnitude[audible]
    share = uniform(0.3, 0.97, g) if uniform(0, 1, g) < 0.7 else uniform(0.01, 0.2, g)
    rank = int(share * (len(values) - 1))
    if share >= 0.3:  # the quietest part, with or without the inaudible atoms
        selectable = audible | (uniform(0, 1, g) < 0.5)
        return selectable & (magnitude <= values.sort().values[rank])
    return audible & (magnitude >= values.sort(descending=True).values[rank])


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


# ------------------------------------------------------------------------------------- the masks


def mask_batch(
    windows: Windows,
    space: AtomSpace,
    generator: torch.Generator,
    task: str | None = None,
    reveal: float | None = None,
    order: str | None = None,
) -> Batch:
    """Hide atoms of every window (B, C, T, F), then reveal a part of them in some ordering.

    task, reveal and order are drawn where they are None, see `Choice`.
    """
    grid = windows.grid
    choice = Choice(task, reveal, order)
    masked = [
        _mask_window(window, int(channels), space, generator, choice)
        for window, channels in zip(grid, windows.channels)
    ]
    mask = torch.stack([m.mask for m in masked])
    present, target_mask = torch.zeros_like(mask), mask.clone()
    velocity_known, sign_known = ~mask, ~mask
    for b, m in enumerate(masked):
        present[b, : m.channels] = True
        if m.task == "sign":
            velocity_known[b] = True
        if m.task == "velocity":
            sign_known[b] = True
        target_mask[b, ..., int(windows.cutoff[b]) :] = False
    reference = _reference(grid, velocity_known & present, generator)
    decibels = 20 * torch.log10(grid.abs() / reference + 1e-12)
    level = torch.round((decibels - space.headroom_db) / space.step_db) + space.levels - 1
    velocity, sign = level.clamp(0, space.levels - 1).long(), (grid >= 0).long()
    scale = 1 / reference
    state = State(
        velocity,
        sign,
        velocity_known,
        sign_known,
        present,
        torch.stack([m.rank for m in masked]),
        torch.stack([m.estimate for m in masked]) * scale,
        torch.stack([m.prior_std for m in masked]) * scale,
        torch.stack([m.envelope_std for m in masked]) * scale,
    )
    target_mask &= state.occupied
    batch = Batch(state, velocity, sign, target_mask, None, [m.task for m in masked])
    return _unplace(batch, mask, space, generator)


def _mask_window(
    grid: Tensor, channels: int, space: AtomSpace, generator: torch.Generator, choice: Choice
) -> MaskedWindow:
    """Mask one window (C, T, F)."""
    if channels > 1 and choice.task is None and uniform(0, 1, generator) < MONO_CHANCE:
        channels = 1
    task = choice.task or choose(TASKS, generator)
    if channels == 1 and task in ("channel", "place-channel"):
        task = "cut"
    order = choice.order or choose(order_weights(), generator)
    reverse = uniform(0, 1, generator) <= REVERSE_CHANCE.get(order, 0.4)
    direction = -1 if reverse else 1
    key = direction * ordering_keys(order, grid.abs(), generator)
    mask = draw_region(task, grid, channels, space, generator)
    mask[channels:] = False
    rank, zero = key, torch.zeros_like(grid)
    out = MaskedWindow(task, channels, mask, rank, zero, zero.clone(), zero.clone())
    if task not in PLACEMENT:
        _predict(out, grid, space)
    if order != "random":  # hidden atoms have the rank of their expected level, as in sampling
        magnitude = torch.where(mask, out.envelope_std, grid.abs())
        out.rank = direction * ordering_keys(order, magnitude, generator)
    share = choice.reveal
    if share is None:
        nothing = uniform(0, 1, generator) < NOTHING_REVEALED
        share = 0.0 if nothing else uniform(0, 0.95, generator)
    if share > 0 and mask.any() and task not in PLACEMENT:
        values = key[mask]
        first = min(int(share * len(values)), len(values) - 1)
        out.mask = mask & (key >= values.sort().values[first])
    return out


def ordering_keys(order: str, magnitude: Tensor, g: torch.Generator) -> Tensor:
    """(C, T, F) sort keys of an ordering.

    The sampler sorts by predicted levels, which are wrong by some decibels: noise imitates this.
    """
    noise = torch.rand(magnitude.shape, generator=g)
    key = torch.from_numpy(sort_key(order, magnitude.cpu().numpy(), noise.numpy()))
    return (key + 6 * noise if order == "velocity" else key).to(magnitude.device)


def _predict(window: MaskedWindow, grid: Tensor, space: AtomSpace) -> None:
    """Set the priors of a window, given the atoms that are known before anything is revealed.

    The Wiener estimate is computed on the grid's device, which is faster than the prior in the
    registry where that is a GPU.
    """
    part = slice(window.channels)
    grid, mask = grid[part], window.mask[part]
    envelope_std = _envelope_std(grid.cpu().numpy(), ~mask.cpu().numpy(), window.task, space)
    window.envelope_std[part] = torch.from_numpy(envelope_std).to(grid.device)
    bound = grid.abs() if window.task == "sign" else None
    found = wiener.interpolate(grid, mask, bound, space.window)
    if found is not None:
        window.estimate[part], window.prior_std[part] = found.amplitude, found.prior_std


def _envelope_std(
    grid: np.ndarray, observed: np.ndarray, task: str, space: AtomSpace
) -> np.ndarray:
    """(C, T, F) float32 standard deviation of the envelope's prior, from the observed atoms."""
    amplitude = np.where(observed, grid, np.float32(0))
    peak = float(np.abs(amplitude).max())
    if peak == 0:
        return np.zeros_like(amplitude)
    threshold = _threshold(np.abs(grid), observed, space) if task == "loudness" else None
    # the window itself is the longest stretch that is known
    context = PriorContext(
        amplitude, observed, space, peak, amplitude, observed, 0, None, threshold
    )
    prediction = LEVEL_PRIOR.predict(context)
    return np.zeros_like(amplitude) if prediction is None else prediction.std


def _threshold(magnitude: np.ndarray, observed: np.ndarray, space: AtomSpace) -> float | None:
    """Magnitude below which all hidden atoms lie; None where the loudest are hidden."""
    audible = magnitude > magnitude.max() * 10 ** (space.floor_db / 20)
    threshold = float(magnitude[observed & audible].min(initial=np.inf))
    is_bound = magnitude[~observed].max(initial=0) <= threshold < np.inf
    return threshold if is_bound else None


def _reference(grid: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 1, 1, 1) reference of every window: its loudest known atom, sometimes a louder one.

    In sampling, a neighbouring window may set it.
    """
    batch, magnitude = len(grid), grid.abs()
    loudest = (magnitude * known).amax((1, 2, 3))
    floor = magnitude.amax((1, 2, 3)) * 10 ** (REFERENCE_FLOOR_DB / 20)
    reference = torch.maximum(loudest, floor).clamp(min=1e-6)
    louder_db = torch.rand(batch, generator=generator) * LOUDER_DB
    louder_db = louder_db * (torch.rand(batch, generator=generator) < LOUDER_CHANCE)
    return (reference * (10 ** (louder_db / 20)).to(grid.device))[:, None, None, None]


def _unplace(batch: Batch, hidden: Tensor, space: AtomSpace, g: torch.Generator) -> Batch:
    """Turn hidden audible atoms of the tasks of placement into unplaced ones.

    At most MAX_UNPLACED of a window; the others are revealed in place.
    """
    windows = [b for b, name in enumerate(batch.task) if name in PLACEMENT]
    if not windows:
        return batch
    state, device = batch.state, batch.velocity.device
    unknown = torch.tensor([f.cardinality for f in space.features], device=device)
    unplaced = unknown.expand(len(batch.task), MAX_UNPLACED, 5).clone()
    valid = torch.zeros(len(batch.task), MAX_UNPLACED, dtype=torch.bool, device=device)
    position = torch.zeros(len(batch.task), MAX_UNPLACED, 3, dtype=torch.long, device=device)
    for b in windows:
        c, t, f = (hidden[b] & (batch.velocity[b] > 0)).nonzero().unbind(1)
        chosen = torch.randperm(len(c), generator=g).to(device)
        rest, i = chosen[MAX_UNPLACED:], chosen[:MAX_UNPLACED]
        state.velocity_known[b, c[rest], t[rest], f[rest]] = True
        state.sign_known[b, c[rest], t[rest], f[rest]] = True
        c, t, f = c[i], t[i], f[i]
        atoms = torch.stack([t, f, c, batch.velocity[b, c, t, f], batch.sign[b, c, t, f]], 1)
        axis = list(PLACEMENT).index(batch.task[b])  # time, frequency, channel
        atoms[:, axis] = unknown[axis]
        unplaced[b, : len(i)], valid[b, : len(i)] = atoms, True
        position[b, : len(i)] = torch.stack([c, t, f], 1)
    state = replace(state, unplaced=unplaced, unplaced_valid=valid)
    target_mask = batch.target_mask & state.unknown("velocity")
    return replace(batch, state=state, target_mask=target_mask, unplaced_position=position)
