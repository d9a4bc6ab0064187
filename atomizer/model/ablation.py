"""Ablation: the model without its Transformer, which measures what the Transformer adds."""

from __future__ import annotations

import torch
from torch import Tensor

from .atom_transformer import AtomTransformer, Decoded, Encoded
from .config import ModelConfig
from .state import State


class WithoutTrunk:
    """A model whose encoder skips the Transformer and returns zero vectors for the decoder.

    The decoder alone sees the neighbourhood of an atom and the Wiener estimate. Unplaced atoms
    keep their embeddings, with which they look for positions. The weights are those of `model`.
    """

    def __init__(self, model: AtomTransformer):
        self.model = model

    @property
    def config(self) -> ModelConfig:
        """Configuration of the model."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.model.device

    def eval(self) -> WithoutTrunk:
        """Set evaluation mode, as `nn.Module.eval` does."""
        self.model.eval()
        return self

    def encode(self, state: State) -> Encoded:
        """Encode windows as `AtomTransformer.encode` does, with zeros for the trunk's vectors."""
        tokens = self.model.tokenise(state)
        shape, config = tokens.cells.shape[:2], self.config
        slots = tokens.cells.new_zeros(*shape, config.slots * config.slot)
        envelope = tokens.cells.new_zeros(*shape, config.cell[2] * 2)
        return self.model.assemble(state, tokens, slots, envelope, tokens.unplaced)

    def decode(
        self, encoded: Encoded, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> Decoded:
        """Predict velocity and sign at n positions, see `AtomTransformer.decode`."""
        return self.model.decode(encoded, batch, channel, time, frequency)

    def point(self, unplaced: Tensor, atoms: Tensor, positions: Decoded) -> Tensor:
        """Return the scores (K, n) of n positions, see `AtomTransformer.point`."""
        return self.model.point(unplaced, atoms, positions)
