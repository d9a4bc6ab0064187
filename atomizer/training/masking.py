"""Masking: the unknown atoms of training windows, in all the states that sampling meets.

A task selects a region, then a part of the region is revealed in some ordering.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..atoms.space import AtomSpace
from ..model.state import REFERENCE_FLOOR_DB, State
from ..priors import devices
from .data import Windows
from .draws import random_plane
from .plans import Choice, draw_plan, rank_of, still_hidden
from .regions import PLACEMENT
from .window_priors import predict, statistics_of

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
    power_level        (B, C, T, F) float or None: as velocity, of the mean of squared MDCT and
                       MDST, in levels
    ready              event of the stream of a GPU that computes the batch, or None
    """

    state: State
    velocity: Tensor
    sign: Tensor
    target_mask: Tensor
    unplaced_position: Tensor | None
    task: list[str]
    power_level: Tensor | None = None
    ready: torch.cuda.Event | None = None

    def arrive(self) -> None:
        """Make the present stream of the GPU, not the host, wait until the batch is ready."""
        if self.ready is None:
            return
        stream = torch.cuda.current_stream()
        stream.wait_event(self.ready)
        for tensor in (*vars(self.state).values(), *vars(self).values()):
            if isinstance(tensor, Tensor):
                tensor.record_stream(stream)

    def to(self, device: torch.device | str) -> Batch:
        """Copy all tensors to a device."""
        position, power = self.unplaced_position, self.power_level
        return replace(
            self,
            state=self.state.to(device),
            velocity=self.velocity.to(device),
            sign=self.sign.to(device),
            target_mask=self.target_mask.to(device),
            unplaced_position=None if position is None else position.to(device),
            power_level=None if power is None else power.to(device),
        )


def mask_batch(
    windows: Windows,
    space: AtomSpace,
    generator: torch.Generator,
    task: str | None = None,
    reveal: float | None = None,
    order: str | None = None,
) -> Batch:
    """Hide atoms of every window (B, C, T, F), then reveal a part of them in some ordering.

    task, reveal and order are drawn where they are None, see `Choice`. A lowered window has no
    other task than what its file lacks.
    """
    grid = windows.grid
    choice = Choice(task, reveal, order)
    plans = [
        draw_plan(window, int(channels), space, generator, one)
        for window, channels, one in zip(grid, windows.channels, _choices(choice, windows, space))
    ]
    priors = predict(plans, grid, space)
    mask = torch.stack([still_hidden(plan) for plan in plans])
    rank = torch.stack([rank_of(*one) for one in zip(plans, grid, priors.envelope_std)])
    present, target_mask = torch.zeros_like(mask), mask.clone()
    velocity_known, sign_known = ~mask, ~mask
    for b, m in enumerate(plans):
        present[b, : m.channels] = True
        if m.task == "sign":
            velocity_known[b] = True
        if m.task == "velocity":
            sign_known[b] = True
        target_mask[b, ..., int(windows.cutoff[b]) :] = False
    reference = _reference(grid, velocity_known & present, generator)
    velocity = _levels(grid.abs() / reference, space).round().long()
    sign = (grid >= 0).long()
    scale = 1 / reference
    state = State(
        velocity,
        sign,
        velocity_known,
        sign_known,
        present,
        rank,
        estimate=priors.estimate * scale,
        prior_std=priors.prior_std * scale,
        envelope_std=priors.envelope_std * scale,
        statistics=statistics_of(plans, windows, reference, space),
    )
    target_mask &= state.occupied
    batch = Batch(state, velocity, sign, target_mask, None, [plan.task for plan in plans])
    if windows.power is not None:
        batch.power_level = _levels(windows.power.sqrt() / reference, space)
    return _unplace(batch, mask, space, generator)


def _choices(choice: Choice, windows: Windows, space: AtomSpace) -> list[Choice]:
    """The same choice for all windows, but for lowered ones whose task is not fixed."""
    if windows.lowered is None or choice.task not in (None, "cut"):
        return [choice] * len(windows.grid)
    return [
        replace(choice, task="cut", cut=cut) if cut < space.hop else choice
        for cut in windows.lowered.tolist()
    ]


def _levels(magnitude: Tensor, space: AtomSpace) -> Tensor:
    """Levels, not rounded, of magnitudes relative to the reference."""
    decibels = 20 * torch.log10(magnitude + 1e-12)
    level = (decibels - space.headroom_db) / space.step_db + space.levels - 1
    return level.clamp(0, space.levels - 1)


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
    return (reference * devices.send(10 ** (louder_db / 20), grid.device))[:, None, None, None]


def _unplace(batch: Batch, hidden: Tensor, space: AtomSpace, g: torch.Generator) -> Batch:
    """Turn hidden audible atoms of the tasks of placement into unplaced ones.

    At most MAX_UNPLACED of a window; the others are revealed in place.
    """
    windows = [b for b, name in enumerate(batch.task) if name in PLACEMENT]
    if not windows:
        return batch
    state, device = batch.state, batch.velocity.device
    unknown = devices.send(torch.tensor([f.cardinality for f in space.features]), device)
    unplaced = unknown.expand(len(batch.task), MAX_UNPLACED, 5).clone()
    valid = torch.zeros(len(batch.task), MAX_UNPLACED, dtype=torch.bool, device=device)
    position = torch.zeros(len(batch.task), MAX_UNPLACED, 3, dtype=torch.long, device=device)
    for b in windows:
        audible = hidden[b] & (batch.velocity[b] > 0)
        key = torch.where(audible, random_plane(audible, g), 2.0).flatten()
        chosen = key.topk(min(MAX_UNPLACED, key.numel()), largest=False)
        rest = audible & (key > chosen.values[-1]).view_as(audible)
        state.velocity_known[b] |= rest
        state.sign_known[b] |= rest
        place = torch.stack(devices.places(chosen.indices, audible.shape), 1)
        c, t, f = place.unbind(1)
        atoms = torch.stack([t, f, c, batch.velocity[b, c, t, f], batch.sign[b, c, t, f]], 1)
        axis = list(PLACEMENT).index(batch.task[b])  # time, frequency, channel
        atoms[:, axis] = unknown[axis]
        there = chosen.values < 2
        unplaced[b, : len(place)] = torch.where(there[:, None], atoms, unknown)
        valid[b, : len(place)], position[b, : len(place)] = there, place * there[:, None]
    state = replace(state, unplaced=unplaced, unplaced_valid=valid)
    target_mask = batch.target_mask & state.unknown("velocity")
    return replace(batch, state=state, target_mask=target_mask, unplaced_position=position)
