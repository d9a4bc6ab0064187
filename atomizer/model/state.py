"""What the model sees: a window of the grid of atoms, each feature known or not."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ..atoms.space import AtomSpace


@dataclass
class State:
    """A batch of windows. B windows, C channels, T frames, F bins; K loose atoms.

    velocity        (B, C, T, F) int64 levels; read only where known
    sign            (B, C, T, F) int64, 0 or 1; read only where known
    velocity_known  (B, C, T, F) bool
    sign_known      (B, C, T, F) bool
    present         (B, C, T, F) bool, False outside the sound: a missing channel, frames before its start or after its end
    rank            (B, C, T, F) float or None: the user's ordering, for the "order" serialisation
    estimate        (B, C, T, F) float or None: Wiener estimate of the signed amplitude of what was unknown at first, zero elsewhere,
    spread          (B, C, T, F) float or None: and its prior's standard deviation; zero in windows without an estimate
    blind           (B, C, T, F) float or None: deviation of noise with interpolated levels; all relative to the window's reference
    loose           (B, K, 5) int64 or None: atoms without a place; a feature's cardinality stands for ∅
    loose_valid     (B, K) bool or None
    """

    velocity: Tensor
    sign: Tensor
    velocity_known: Tensor
    sign_known: Tensor
    present: Tensor
    rank: Tensor | None = None
    estimate: Tensor | None = None
    spread: Tensor | None = None
    blind: Tensor | None = None
    loose: Tensor | None = None
    loose_valid: Tensor | None = None

    def to(self, device) -> State:
        return State(
            **{
                f.name: v.to(device) if (v := getattr(self, f.name)) is not None else None
                for f in fields(self)
            }
        )

    @property
    def inaudible(self) -> Tensor:
        return self.velocity_known & (self.velocity == 0)

    @property
    def occupied(self) -> Tensor:
        """Places with an atom in them: audible, or unknown."""
        return self.present & ~self.inaudible

    def unknown(self, feature: str) -> Tensor:
        """Places whose velocity or sign is to be found."""
        known = self.velocity_known if feature == "velocity" else self.sign_known
        return self.occupied & ~known

    def codes(self, space: AtomSpace) -> tuple[Tensor, Tensor]:
        """Indices of velocity and sign into their embedding tables, whose last row is ∅."""
        velocity = torch.where(self.velocity_known, self.velocity, space.levels)
        return velocity, torch.where(self.sign_known, self.sign, 2)
