"""Optimisers of a training run: AdamW, or Muon for the matrices of the trunk's blocks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .config import TrainingConfig

MOMENTUM = 0.95
ADAM_BETAS = (0.9, 0.98)
RMS_OF_ADAM = 0.2  # usual size of an update of AdamW, per unit of the learning rate
# Jordan et al. 2024: the polynomial that drives singular values to 1 fastest, and its iterations
NEWTON_SCHULZ, ITERATIONS = (3.4445, -4.7750, 2.0315), 5


class Muon(torch.optim.Optimizer):
    """Momentum whose updates are orthogonal matrices (Jordan et al. 2024).

    Updates have the size of those of AdamW, so that both take the same learning rate and weight
    decay (Liu et al. 2025, "Muon is scalable for LLM training"). torch's Muon iterates in bfloat16,
    which takes a CPU eight seconds a step for this model and float32 half of one, and it reads no
    `found_inf`.

    found_inf  1 on the weights' device where gradients are not finite: the step is left out
    """

    found_inf: Tensor | None = None

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float):
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all weights that have a gradient."""
        for group in self.param_groups:
            for weights in _by_shape(group["params"]):
                self._update(weights, group["lr"], group["weight_decay"])

    def _update(self, weights: list[Tensor], lr: float, decay: float) -> None:
        """Update matrices of one shape together."""
        first = weights[0]
        found = first.new_zeros(()) if self.found_inf is None else self.found_inf
        taken = 1 - found.to(first.device)
        gradient = torch.stack([w.grad for w in weights if w.grad is not None])
        gradient = torch.nan_to_num(gradient, 0.0, 0.0, 0.0) * taken
        momenta = []
        for weight, one in zip(weights, gradient):
            state = self.state[weight]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(weight)
            momenta.append(state["momentum"].lerp_(one, 1 - MOMENTUM))
        update = orthogonal(gradient.lerp(torch.stack(momenta), MOMENTUM))
        size = lr * RMS_OF_ADAM * math.sqrt(max(first.shape))
        for weight, one in zip(weights, update):
            weight.mul_(1 - lr * decay * taken).sub_(size * taken * one)


def _by_shape(weights: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Lists of the weights that have a gradient, those of one shape together."""
    found: dict[torch.Size, list[Tensor]] = defaultdict(list)
    for weight in weights:
        if weight.grad is not None:
            found[weight.shape].append(weight)
    yield from found.values()


def orthogonal(matrices: Tensor) -> Tensor:
    """Bring the singular values of (N, rows, columns) near to 1, by Newton-Schulz iterations.

    They end up between 0.7 and 1.2, which trains as well as 1; the directions stay.
    """
    rows, columns = matrices.shape[1:]
    x = matrices if rows <= columns else matrices.mT
    x = x.bfloat16() if x.is_cuda else x.float()  # bfloat16 is slow on most CPUs
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x if rows <= columns else x.mT).to(matrices.dtype)


class Optimisers:
    """Several optimisers that step together, each with weights of its own."""

    def __init__(self, *optimisers: torch.optim.Optimizer):
        self.optimisers = optimisers

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of all optimisers."""
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]

    def step(self, found_inf: Tensor) -> None:
        """Step with all; where `found_inf` is 1 on the device, no weight changes."""
        for optimiser in self.optimisers:
            optimiser.found_inf = found_inf  # type: ignore[attr-defined]
            optimiser.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """The states of all optimisers."""
        return [optimiser.state_dict() for optimiser in self.optimisers]

    def load_state_dict(self, states: list[dict[str, Any]] | dict[str, Any]) -> None:
        """Restore the states; that of one optimiser may come without a list.

        Raises ValueError for states of other optimisers.
        """
        found = [states] if isinstance(states, dict) else states
        for optimiser, state in zip(self.optimisers, found, strict=True):
            optimiser.load_state_dict(state)


def make_optimisers(
    model: nn.Module, new_weights: Collection[str], config: TrainingConfig
) -> Optimisers:
    """Optimisers of a model.

    Matrices have a weight decay, vectors have none. Weights that are not among `new_weights` train
    at `config.inherited` of the learning rate, and are kept where that is 0.
    """
    groups: dict[str, list[dict[str, Any]]] = {"adamw": [], "muon": []}
    for is_new in (False, True):
        share = 1.0 if is_new else config.inherited
        kinds: dict[tuple[str, bool], list[Tensor]] = defaultdict(list)
        for name, weight in model.named_parameters():
            if (name in new_weights) != is_new:
                continue
            weight.requires_grad_(share > 0)
            in_block = weight.ndim == 2 and ".blocks." in name
            kind = "muon" if config.optimiser == "muon" and in_block else "adamw"
            kinds[kind, weight.ndim > 1].append(weight)
        for (kind, has_decay), weights in sorted(kinds.items(), key=lambda item: not item[0][1]):
            decay = config.weight_decay if has_decay else 0.0
            groups[kind].append({"params": weights, "weight_decay": decay, "share": share})
    adamw = torch.optim.AdamW(groups["adamw"], lr=config.lr, betas=ADAM_BETAS, fused=True)
    if not groups["muon"]:
        return Optimisers(adamw)
    return Optimisers(adamw, Muon(groups["muon"], config.lr))
