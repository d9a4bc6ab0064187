"""What the known atoms of training windows predict: priors, and statistics of the recording."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..atoms.space import AtomSpace
from ..priors import band_context, devices, envelope_batch, wiener
from .data import Windows
from .plans import Plan
from .regions import PLACEMENT, SCATTERED, UNPREDICTABLE


@dataclass
class Priors:
    """What the known atoms predict, as in `State`, in the units of the grid; (B, C, T, F) each."""

    estimate: Tensor
    prior_std: Tensor
    envelope_std: Tensor


def predict(plans: list[Plan], grid: Tensor, space: AtomSpace) -> Priors:
    """Priors of windows (B, C, T, F), given what is known before anything is revealed.

    A GPU predicts all windows at once, a CPU one after the other, which saves what they do not
    need. Tasks of placement have no prior.
    """
    planes = grid.new_zeros((3, *grid.shape))
    wanted = [b for b, plan in enumerate(plans) if plan.task not in PLACEMENT]
    parts = [[b] for b in wanted] if devices.is_host(grid) else [wanted] if wanted else []
    for part in parts:
        index = devices.send(torch.tensor(part), grid.device)
        chosen = [plans[b] for b in part]
        planes.index_copy_(1, index, _prior_planes(chosen, grid.index_select(0, index), space))
    return Priors(*planes)


def _prior_planes(plans: list[Plan], grid: Tensor, space: AtomSpace) -> Tensor:
    """(3, B, C, T, F): the priors of windows (B, C, T, F), one window on a CPU."""
    hidden = torch.stack([plan.mask for plan in plans])
    channels = torch.tensor([plan.channels for plan in plans])
    present = torch.arange(grid.shape[1]) < channels[:, None]
    there = devices.send(present, grid.device)[:, :, None, None]
    known = there & ~hidden
    envelope_std = envelope_batch.envelope_std(grid, known, present)
    if any(plan.task == "loudness" for plan in plans):
        loudness = devices.send(
            torch.tensor([plan.task == "loudness" for plan in plans]), grid.device
        )
        envelope_std = _bounded(envelope_std, (grid.abs() * there, known, hidden), loudness, space)
    if devices.is_host(grid):
        part = slice(plans[0].channels)
        bound = grid[0, part].abs() if plans[0].task == "sign" else None
        alone = wiener.interpolate(grid[0, part], hidden[0, part], bound, space.window)
        out = grid.new_zeros((3, *grid.shape))
        out[2] = envelope_std
        if alone is not None:
            out[0, 0, part], out[1, 0, part] = alone.amplitude, alone.prior_std
        return out
    out = torch.stack([torch.zeros_like(grid), torch.zeros_like(grid), envelope_std])
    predicted = [b for b, plan in enumerate(plans) if plan.task not in UNPREDICTABLE]
    if predicted:
        index = devices.send(torch.tensor(predicted), grid.device)
        signs = torch.tensor([plans[b].task == "sign" for b in predicted])
        grid, hidden, there = (x.index_select(0, index) for x in (grid, hidden, there))
        is_bound = devices.send(signs, grid.device)[:, None, None, None]
        bounds = torch.where(is_bound, grid.abs(), torch.inf)
        found = wiener.interpolate_batch(grid * there, hidden, bounds, space.window)
        out[0].index_copy_(0, index, found.amplitude * there)
        out[1].index_copy_(0, index, found.prior_std * there)
    return out


def _bounded(
    std: Tensor, atoms: tuple[Tensor, Tensor, Tensor], loudness: Tensor, space: AtomSpace
) -> Tensor:
    """Deviations, replaced in windows in which all hidden atoms are quieter than the known ones.

    atoms     magnitudes, known and hidden atoms of B windows, each (B, C, T, F)
    loudness  (B,) windows whose atoms were selected by loudness
    """
    magnitude, known, hidden = atoms
    axes = (1, 2, 3)
    audible = magnitude > magnitude.amax(axes, keepdim=True) * 10 ** (space.floor_db / 20)
    threshold = torch.where(known & audible, magnitude, torch.inf).amin(axes)
    loudest = torch.where(hidden, magnitude, 0).amax(axes)
    is_bound = loudness & (loudest <= threshold) & (threshold < torch.inf)
    if not devices.may_be_any(is_bound):
        return std
    kept = known & (magnitude >= threshold[:, None, None, None])
    return torch.where(
        is_bound[:, None, None, None], envelope_batch.censored_std(kept, threshold), std
    )


def statistics_of(
    plans: list[Plan], windows: Windows, reference: Tensor, space: AtomSpace
) -> Tensor | None:
    """(B, FEATURES, BANDS) what is known of the whole recording before anything is revealed.

    None for windows without surroundings. Tasks of placement have no statistics, as in fills.
    """
    around, frames = windows.surroundings, windows.grid.shape[2]
    if around is None:
        return None
    device = windows.grid.device
    there = torch.stack([_known_around(plan, space) for plan in plans])
    full = there[:, :, None] & around.there[:, None, :, None]
    known = torch.stack(
        [plan.mask & False if plan.task in PLACEMENT else _known_levels(plan) for plan in plans]
    )
    window = slice(around.first, around.first + frames)
    powers = around.powers.clone()
    powers[:, :, window], full[:, :, window] = band_context.band_powers(windows.grid, known, space)
    after = torch.tensor([plan.task == "suffix" for plan in plans])
    full[:, :, window.stop :] &= ~devices.send(after, device)[:, None, None, None]
    return band_context.scaled(band_context.statistics(powers, full), reference.flatten())


def _known_levels(plan: Plan) -> Tensor:
    """(C, T, F) bool: atoms whose velocities are known before anything is revealed."""
    there = torch.arange(len(plan.mask), device=plan.mask.device) < plan.channels
    return there[:, None, None] & (~plan.mask | (plan.task == "sign"))


def _known_around(plan: Plan, space: AtomSpace) -> Tensor:
    """(C, BANDS) bool: bands that are known around a window, where its task hides atoms, too.

    What a suffix hides after the window is left to `statistics_of`.
    """
    if plan.task in UNPREDICTABLE:  # the same bins and channels are hidden everywhere
        return band_context.known_bands(_known_levels(plan).any(1), space)
    known = torch.zeros_like(plan.mask[:, 0])
    known[: plan.channels] = plan.task not in (*SCATTERED, *PLACEMENT)
    return band_context.known_bands(known, space)
