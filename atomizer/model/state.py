"""The model's input: windows of the grid of atoms, and which features of each atom are known."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ..atoms.space import AtomSpace

REFERENCE_FLOOR_DB = -50.0  # lowest reference of a window, relative to that of the sound


@dataclass
class State:
    """A batch of B windows of C channels, T frames and F bins, with K unplaced atoms.

    Amplitudes are relative to the reference of their window.

    velocity        (B, C, T, F) int64 levels; read only where known
    sign            (B, C, T, F) int64, 0 or 1; read only where known
    velocity_known  (B, C, T, F) bool
    sign_known      (B, C, T, F) bool
    present         (B, C, T, F) bool, False outside the sound: a missing channel, frames before
                    its start or after its end
    rank            (B, C, T, F) float or None: the user's ordering, for the "order" serialization
    estimate        (B, C, T, F) float or None: Wiener estimate of the signed amplitudes that were
                    unknown at first, zero elsewhere
    prior_std       (B, C, T, F) float or None: standard deviation of the Wiener estimate's prior,
                    zero in windows without an estimate
    envelope_std    (B, C, T, F) float or None: standard deviation of noise with the interpolated
                    spectral envelope
    statistics      (B, FEATURES, BANDS) float or None: what is known of the whole recording, as
                    `priors.band_context.scaled`; None counts as nothing known
    wanted          (B, C, T, F) bool or None: positions that will be decoded; a cell without one,
                    all of whose atoms are unknown, gets no token. None: every cell gets one
    unplaced        (B, K, 5) int64 or None: features of atoms whose position is unknown; a
                    feature's cardinality stands for ∅
    unplaced_valid  (B, K) bool or None, False for padding
    """

    velocity: Tensor
    sign: Tensor
    velocity_known: Tensor
    sign_known: Tensor
    present: Tensor
    rank: Tensor | None = None
    estimate: Tensor | None = None
    prior_std: Tensor | None = None
    envelope_std: Tensor | None = None
    statistics: Tensor | None = None
    wanted: Tensor | None = None
    unplaced: Tensor | None = None
    unplaced_valid: Tensor | None = None

    def to(self, device: torch.device | str) -> State:
        """Copy all tensors to a device."""
        tensors: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        moved: dict[str, Any] = {k: v if v is None else v.to(device) for k, v in tensors.items()}
        return State(**moved)

    @property
    def inaudible(self) -> Tensor:
        """(B, C, T, F) bool: positions whose atom is known to be inaudible."""
        return self.velocity_known & (self.velocity == 0)

    @property
    def occupied(self) -> Tensor:
        """(B, C, T, F) bool: positions with an atom, audible or of unknown velocity."""
        return self.present & ~self.inaudible

    def unknown(self, feature: str) -> Tensor:
        """(B, C, T, F) bool: occupied positions whose "velocity" or "sign" is unknown."""
        known = self.velocity_known if feature == "velocity" else self.sign_known
        return self.occupied & ~known

    def codes(self, space: AtomSpace) -> tuple[Tensor, Tensor]:
        """(B, C, T, F) rows of the velocity and sign embeddings, whose last row is ∅."""
        velocity = torch.where(self.velocity_known, self.velocity, space.levels)
        return velocity, torch.where(self.sign_known, self.sign, 2)
