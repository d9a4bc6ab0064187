"""Masking: what of a training window is unknown, so that every state which the sampler will meet has been trained."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..atoms.orderings import sort_key
from ..atoms.space import AtomSpace
from ..inpainting.state import REFERENCE_FLOOR_DB
from ..model.state import State
from ..priors import wiener
from ..priors.spectral_envelope import censored_std, interpolate_envelope

# How often each task is drawn. The last three hide where atoms are; they need few atoms, so they are cheap.
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
    "loose-time": 0.02,
    "loose-frequency": 0.02,
    "loose-channel": 0.02,
}
ORDERS = {"random": 0.45, "velocity": 0.2, "frequency": 0.15, "time": 0.15, "channel": 0.05}
NOTHING_REVEALED = (
    0.5  # how often a window is as a fill's first step finds it; fills of one step see no other
)
MAX_LOOSE = 128


@dataclass
class Batch:
    """A state and what is true of it.

    velocity, sign  (B, C, T, F) true values
    ask             (B, C, T, F) bool, unknown places that a loss may ask for: below the cutoff of the recording
    loose_place     (B, K, 3) true channel, time and frequency of loose atoms
    task            name of every window's task
    """

    state: State
    velocity: Tensor
    sign: Tensor
    ask: Tensor
    loose_place: Tensor | None
    task: list[str]

    def to(self, device) -> Batch:
        return replace(
            self,
            state=self.state.to(device),
            velocity=self.velocity.to(device),
            sign=self.sign.to(device),
            ask=self.ask.to(device),
            loose_place=None if self.loose_place is None else self.loose_place.to(device),
        )


def choose(weights: dict[str, float], generator: torch.Generator) -> str:
    """A name, drawn with a chance in proportion to its weight."""
    names = list(weights)
    return names[
        int(torch.multinomial(torch.tensor([weights[n] for n in names]), 1, generator=generator))
    ]


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """A number drawn evenly between two."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def integer(low: int, high: int, generator: torch.Generator) -> int:
    """From low up to and including high."""
    return int(torch.randint(low, max(low, high) + 1, (), generator=generator))


def region(kind: str, grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """(C, T, F) bool: the places that a task selects in one window (C, T, F)."""
    frames, bins = space.frames, space.hop
    mask = torch.zeros_like(grid, dtype=torch.bool)
    if kind == "cut":
        cut = int(math.exp(uniform(math.log(0.05), math.log(0.7), g)) * bins)
        if uniform(0, 1, g) < 0.1:
            mask[:, :, :cut] = True
        else:
            mask[:, :, cut:] = True
    elif kind == "gap":
        size = round(math.exp(uniform(math.log(2), math.log(max(2, frames * 3 // 8)), g)))
        start = integer(1, frames - size - 1, g)
        where = slice(None) if uniform(0, 1, g) < 0.8 else integer(0, channels - 1, g)
        mask[where, start : start + size] = True
    elif kind == "suffix":
        start = integer(frames // 8, frames - 4, g)
        mask[:, start:] = True
    elif kind == "channel":
        mask[integer(0, channels - 1, g)] = True
    elif kind == "rect":
        for _ in range(integer(1, 4, g)):
            t, f = integer(0, frames - 4, g), integer(0, bins - 17, g)
            height = int(math.exp(uniform(math.log(8), math.log(bins / 2), g)))
            where = slice(None) if uniform(0, 1, g) < 0.7 else integer(0, channels - 1, g)
            mask[where, t : t + integer(2, frames // 2, g), f : f + height] = True
    elif kind == "random":
        mask = torch.rand(grid.shape, generator=g).to(grid.device) < uniform(0.05, 0.95, g)
    elif kind == "loudness":
        magnitude = grid.abs()
        audible = magnitude > magnitude.max() * 10 ** (space.floor_db / 20)
        if audible.any():
            values = magnitude[audible]
            share = uniform(0.3, 0.97, g) if uniform(0, 1, g) < 0.7 else uniform(0.01, 0.2, g)
            rank = int(share * (len(values) - 1))
            if share >= 0.3:  # the quietest part, with or without what cannot be heard at all
                mask = (audible | (uniform(0, 1, g) < 0.5)) & (
                    magnitude <= values.sort().values[rank]
                )
            else:
                mask = audible & (magnitude >= values.sort(descending=True).values[rank])
    return mask


def keys(order: str, magnitude: Tensor, g: torch.Generator) -> Tensor:
    """(C, T, F) sort keys of an ordering; the sampler's own predictions, by which it goes, are off by some decibels."""
    noise = torch.rand(magnitude.shape, generator=g)
    key = torch.from_numpy(sort_key(order, magnitude.cpu().numpy(), noise.numpy()))
    return (key + 6 * noise if order == "velocity" else key).to(magnitude.device)


def mask_batch(
    grid: Tensor,
    channels: Tensor,
    cutoff: Tensor,
    space: AtomSpace,
    generator: torch.Generator,
    task: str | None = None,
    reveal: float | None = None,
    order: str | None = None,
) -> Batch:
    """Hide something of every window of grid (B, C, T, F), then reveal a part of that along some ordering.

    channels (B,) and cutoff (B,) as `AudioBank.draw` gives them. task, reveal (a share) and order are drawn unless given.
    """
    batch, count, frames, bins = grid.shape
    present = torch.zeros_like(grid, dtype=torch.bool)
    hidden = torch.zeros_like(present)
    v_known, s_known = torch.ones_like(present), torch.ones_like(present)
    ask, rank = torch.zeros_like(present), torch.zeros_like(grid)
    estimate, spread, blind = torch.zeros_like(grid), torch.zeros_like(grid), torch.zeros_like(grid)
    names = []
    for b in range(batch):
        have = int(channels[b])
        if have > 1 and task is None and uniform(0, 1, generator) < 0.1:
            have = 1  # a stereo sound's left channel alone is a mono sound
        present[b, :have] = True
        name = task or choose(TASKS, generator)
        if have == 1 and name in ("channel", "loose-channel"):
            name = "cut"
        names.append(name)
        by = order or choose(ORDERS, generator)
        direction = 1 if uniform(0, 1, generator) > (0.2 if by == "velocity" else 0.4) else -1
        key = direction * keys(by, grid[b].abs(), generator)
        if name.startswith("loose"):
            mask = _small_rect(grid[b], have, space, name, generator)
        elif name in ("sign", "velocity"):
            mask = region(
                choose({"random": 1.0, "rect": 1.0, "gap": 1.0}, generator),
                grid[b],
                have,
                space,
                generator,
            )
        else:
            mask = region(name, grid[b], have, space, generator)
        if (
            name == "random" and uniform(0, 1, generator) < 0.6
        ):  # as `random:50` selects: only what can be heard
            mask &= grid[b].abs() > grid[b].abs().max() * 10 ** (space.floor_db / 20)
        mask &= present[b]
        if not name.startswith("loose"):
            # from what is known before anything is revealed, as the sampler has it
            limit = grid[b, :have].abs() if name == "sign" else None
            blind[b, :have] = torch.from_numpy(
                _blind(grid[b, :have].cpu().numpy(), mask[:have].cpu().numpy(), name, space)
            ).to(grid.device)
            known = wiener.interpolate(grid[b, :have], mask[:have], limit, space.window)
            if known is not None:
                estimate[b, :have], spread[b, :have] = known.amplitude, known.prior_std
        # what is hidden stands where its expected level would, as in the sampler
        rank[b] = (
            direction * keys(by, torch.where(mask, blind[b], grid[b].abs()), generator)
            if by != "random"
            else key
        )
        share = (
            reveal
            if reveal is not None
            else (
                0.0 if uniform(0, 1, generator) < NOTHING_REVEALED else uniform(0, 0.95, generator)
            )
        )
        if share > 0 and mask.any() and not name.startswith("loose"):
            values = key[mask]
            mask &= key >= values.sort().values[min(int(share * len(values)), len(values) - 1)]
        hidden[b] = mask
        if name != "sign":
            v_known[b] = ~mask
        if name != "velocity":
            s_known[b] = ~mask
        ask[b] = mask
        ask[b, ..., int(cutoff[b]) :] = False

    magnitude = grid.abs()
    heard = (magnitude * v_known * present).amax((1, 2, 3))
    reference = torch.maximum(
        heard, magnitude.amax((1, 2, 3)) * 10 ** (REFERENCE_FLOOR_DB / 20)
    ).clamp(min=1e-6)
    louder = (
        torch.rand(batch, generator=generator) * 20 * (torch.rand(batch, generator=generator) < 0.3)
    )
    reference = reference * (10 ** (louder / 20)).to(grid.device)
    decibels = 20 * torch.log10(magnitude / reference[:, None, None, None] + 1e-12)
    velocity = (
        (torch.round((decibels - space.headroom_db) / space.step_db) + space.levels - 1)
        .clamp(0, space.levels - 1)
        .long()
    )
    sign = (grid >= 0).long()
    scale = 1 / reference[:, None, None, None]
    state = State(
        velocity,
        sign,
        v_known,
        s_known,
        present,
        rank,
        estimate * scale,
        spread * scale,
        blind * scale,
    )
    batch_ = Batch(state, velocity, sign, ask & state.occupied, None, names)
    return _loosen(batch_, hidden, space, generator)


def _blind(grid: np.ndarray, mask: np.ndarray, task: str, space: AtomSpace) -> np.ndarray:
    """(C, T, F) deviation of noise with the levels that the known atoms of a window let expect, as `Canvas.blind` has it."""
    if task == "loudness":
        magnitude = np.abs(grid)
        kept = ~mask & (magnitude > magnitude.max() * 10 ** (space.floor_db / 20))
        threshold = float(magnitude[kept].min(initial=np.inf))
        if magnitude[mask].max(initial=0) <= threshold < np.inf:  # the quietest part
            return censored_std(kept, mask, threshold)
    return np.sqrt(interpolate_envelope(np.where(mask, 0, grid), ~mask))


def _small_rect(
    grid: Tensor, channels: int, space: AtomSpace, task: str, g: torch.Generator
) -> Tensor:
    """A rectangle small enough for all of its atoms to be loose, long along the axis that will be unknown."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    size = {"loose-time": (32, 8), "loose-frequency": (4, 64), "loose-channel": (16, 16)}[task]
    size = (min(size[0], space.frames), min(size[1], space.hop))
    t = integer(0, space.frames - size[0], g)
    f = int((space.hop - size[1]) * uniform(0, 1, g) ** 2)
    where = slice(None) if task == "loose-channel" else integer(0, channels - 1, g)
    mask[where, t : t + size[0], f : f + size[1]] = True
    return mask


def _loosen(batch: Batch, hidden: Tensor, space: AtomSpace, g: torch.Generator) -> Batch:
    """Turn hidden audible atoms of the "loose" tasks into loose ones; all but MAX_LOOSE of a window are revealed in place."""
    where = [b for b, name in enumerate(batch.task) if name.startswith("loose")]
    if not where:
        return batch
    state = batch.state
    device = batch.velocity.device
    unknown = torch.tensor([f.cardinality for f in space.features], device=device)
    loose = unknown.expand(len(batch.task), MAX_LOOSE, 5).clone()
    valid = torch.zeros(len(batch.task), MAX_LOOSE, dtype=torch.bool, device=device)
    place = torch.zeros(len(batch.task), MAX_LOOSE, 3, dtype=torch.long, device=device)
    for b in where:
        c, t, f = (hidden[b] & (batch.velocity[b] > 0)).nonzero().unbind(1)
        chosen = torch.randperm(len(c), generator=g).to(device)
        rest, i = chosen[MAX_LOOSE:], chosen[:MAX_LOOSE]
        state.velocity_known[b, c[rest], t[rest], f[rest]] = True
        state.sign_known[b, c[rest], t[rest], f[rest]] = True
        atoms = torch.stack(
            [
                t[i],
                f[i],
                c[i],
                batch.velocity[b, c[i], t[i], f[i]],
                batch.sign[b, c[i], t[i], f[i]],
            ],
            1,
        )
        axis = ("loose-time", "loose-frequency", "loose-channel").index(batch.task[b])
        atoms[:, axis] = unknown[axis]
        loose[b, : len(i)], valid[b, : len(i)] = atoms, True
        place[b, : len(i)] = torch.stack([c[i], t[i], f[i]], 1)
    state = replace(state, unplaced=loose, unplaced_valid=valid)
    return replace(batch, state=state, ask=batch.ask & state.unknown("velocity"), loose_place=place)
