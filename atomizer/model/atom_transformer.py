"""AtomTransformer: embeddings, cells, Transformer, decoder and heads, with a Hugging Face API."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import (
    PyTorchModelHubMixin,
    load_torch_model,
    save_torch_state_dict,
    snapshot_download,
)
from torch import Tensor, nn

from ..errors import AtomizerError
from ..priors.devices import constant
from .config import ModelConfig
from .decoder import Decoder, Neighbourhood
from .embedding import Cells, FeatureEmbedding
from .state import State
from .trunk import Block, Tokens, Trunk

SHARD_SIZE = "9MB"  # plain git hosting refuses files of 10 MB


@dataclass
class Encoded:
    """Output of the encoder for B windows with L tokens: the decoder's input.

    token         (B, cells) number of every cell's token; L where the cell is empty
    slots         (B, L + 1, slots, slot) the Transformer's vector of every atom
    envelope      (B, L + 1, channels of a cell, 2) predicted mean level, in levels / 32, and logit
                  of the share of audible atoms
    index, valid  (B, L) cell of every token, and False for padding
    unplaced      (B, K, width) vectors of the unplaced atoms
    neighbourhood what is known around every position
    """

    token: Tensor
    slots: Tensor
    envelope: Tensor
    index: Tensor
    valid: Tensor
    unplaced: Tensor
    neighbourhood: Neighbourhood


@dataclass
class Decoded:
    """Predictions for n atoms.

    velocity  (n, levels) logits
    sign      (n,) logits of a positive sign
    vector    (n, hidden) vectors that unplaced atoms are matched with
    """

    velocity: Tensor
    sign: Tensor
    vector: Tensor


class AtomTransformer(nn.Module, PyTorchModelHubMixin):
    """A Transformer over cells of atoms with a small decoder per atom.

    The names of the submodules are the state_dict keys of trained checkpoints.

    Examples
    --------
    >>> model = AtomTransformer(ModelConfig())
    >>> encoded = model.encode(state)  # the Transformer, once per state  # doctest: +SKIP
    >>> decoded = model.decode(encoded, *indices)  # any number of atoms  # doctest: +SKIP
    """

    def __init__(self, config: ModelConfig = ModelConfig()):
        super().__init__()
        self.config = config
        self.embedding, self.cells = FeatureEmbedding(config), Cells(config)
        self.trunk, self.decoder = Trunk(config), Decoder(config)
        self.loose = nn.Linear(config.embed, config.width)  # of unplaced atoms
        self.unpack = nn.Linear(config.width, config.slots * config.slot)
        self.envelope = nn.Linear(config.width, config.cell[2] * 2)
        self.query = nn.Linear(config.width, config.hidden)
        self.evidence = nn.Parameter(torch.ones(2))  # weights of both heads in `point`
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.trunk.blocks:  # residual branches start small
            assert isinstance(block, Block)
            for layer in (block.out, block.down):
                std = 0.3 * layer.in_features**-0.5 * self.config.layers**-0.5
                nn.init.normal_(layer.weight, std=std)
        for layer in (self.decoder.velocity, self.decoder.sign, self.query, self.envelope):
            nn.init.normal_(layer.weight, std=0.02)
        if self.trunk.statistics is not None:
            # without effect at first: a trained model that gets them starts from what it does
            nn.init.zeros_(self.trunk.statistics.weight)
        if self.config.wiener:
            # the prior starts with half of the weight for the level and all of it for the sign
            nn.init.zeros_(self.decoder.trust.weight)
            self.decoder.trust.bias.data.copy_(torch.tensor([-0.3, 0.5, 1.0, 0.7]))

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.embedding.signed.device

    def encode(self, state: State) -> Encoded:
        """Run the Transformer over B windows (B, C, T, F)."""
        tokens = self.tokenise(state)
        cells, unplaced = self.trunk(tokens)
        return self.assemble(state, tokens, self.unpack(cells), self.envelope(cells), unplaced)

    def tokenise(self, state: State) -> Tokens:
        """Embed L occupied cells and K unplaced atoms of windows (B, C, T, F)."""
        space, index, valid = self.config.space, *self.cells.occupied(state)
        device = index.device
        if state.unplaced is None or state.unplaced_valid is None:
            atoms = torch.zeros((len(index), 0, 5), dtype=torch.long, device=device)
            atoms_valid = torch.zeros((len(index), 0), dtype=torch.bool, device=device)
        else:
            atoms, atoms_valid = state.unplaced, state.unplaced_valid
        unknown = constant((space.frames, space.hop), device)
        position = atoms[..., :2]
        rank = None
        if state.rank is not None:
            rank = self.cells.split(state.rank).amin(-1).gather(1, index)
        return Tokens(
            index=index,
            cells=self.cells(state, self.embedding, index),
            coordinates=self.cells.origin[index] // constant(self.config.cell, device),
            valid=valid,
            rank=rank,
            unplaced=self.loose(self.embedding(atoms)),
            unplaced_position=torch.where(position < unknown, position.float(), torch.nan),
            unplaced_valid=atoms_valid,
            statistics=state.statistics,
        )

    def assemble(
        self, state: State, tokens: Tokens, slots: Tensor, envelope: Tensor, unplaced: Tensor
    ) -> Encoded:
        """Collect the decoder's input from the Transformer's output for L tokens.

        slots  (B, L, slots * slot), envelope (B, L, channels of a cell * 2),
        unplaced  (B, K, width)
        """
        config, (batch, length) = self.config, tokens.index.shape
        device = tokens.index.device
        number = torch.where(tokens.valid, torch.arange(length, device=device), length)
        token = torch.full((batch, self.cells.origin.shape[0]), length, device=device)
        token.scatter_(1, tokens.index, number)
        shape = (batch, length + 1)  # the last one is that of empty cells
        slots = nn.functional.pad(slots, (0, 0, 0, 1)).view(*shape, config.slots, config.slot)
        envelope = nn.functional.pad(envelope, (0, 0, 0, 1)).view(*shape, config.cell[2], 2)
        neighbourhood = Neighbourhood(state, config, slots.dtype)
        return Encoded(token, slots, envelope, tokens.index, tokens.valid, unplaced, neighbourhood)

    def decode(
        self, encoded: Encoded, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> Decoded:
        """Predict velocity and sign at n positions, all indices (n,)."""
        cell, slot = self.cells.address(channel, time, frequency)
        token = encoded.token[batch, cell]
        return Decoded(
            *self.decoder(
                encoded.neighbourhood.features(batch, channel, time, frequency),
                (channel, frequency),
                encoded.slots[batch, token, slot],
                encoded.envelope[batch, token, channel % self.config.cell[2]],
                encoded.neighbourhood.prior(batch, channel, time, frequency),
            )
        )

    def point(self, unplaced: Tensor, atoms: Tensor, positions: Decoded) -> Tensor:
        """Scores (K, n) of n positions for K unplaced atoms.

        unplaced   (K, width) vectors of the atoms, from `encode`
        atoms      (K, 5) their features, a feature's cardinality for ∅
        positions  predictions for the n positions

        The score is a learned match plus the log-probability of the known velocity and sign at the
        position (Bayes).
        """
        score = self.query(unplaced).float() @ positions.vector.float().T / self.config.hidden**0.5
        log_velocity = positions.velocity.float().log_softmax(1)
        nothing_known = positions.velocity.new_zeros(len(positions.sign), 1).float()
        log_velocity = torch.cat([log_velocity, nothing_known], 1)
        score = score + self.evidence[0] * log_velocity.T[atoms[:, 3]]
        direction = constant((-1.0, 1.0, 0.0), score.device)[atoms[:, 4]][:, None]
        log_sign = nn.functional.logsigmoid(direction * positions.sign.float()) * (direction != 0)
        return score + self.evidence[1] * log_sign

    def with_statistics(self, tokens: int) -> AtomTransformer:
        """Return the same model with `tokens` global tokens that hold statistics.

        It predicts the same until it is trained. Raises AtomizerError for a model that has another
        number of them.
        """
        if tokens == self.config.statistics:
            return self
        if self.config.statistics:
            raise AtomizerError(
                f"The checkpoint has {self.config.statistics} tokens of statistics, not {tokens}: "
                "leave the number out."
            )
        model = AtomTransformer(replace(self.config, statistics=tokens))
        model.load_state_dict(self.state_dict(), strict=False)
        return model.train(self.training)

    def with_layers(self, more: int) -> AtomTransformer:
        """Return the same model with more layers in the Transformer, after those it has.

        It predicts the same until it is trained.
        """
        if not more:
            return self
        model = AtomTransformer(replace(self.config, layers=self.config.layers + more))
        model.load_state_dict(self.state_dict(), strict=False)
        for block in model.trunk.blocks[self.config.layers :]:
            assert isinstance(block, Block)
            for branch in (block.out, block.down):  # residual: without effect while they are zero
                nn.init.zeros_(branch.weight)
        return model.train(self.training)

    # ------------------------------------------------------------------ files

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write config.json and bfloat16 safetensors in shards below 10 MB."""
        save_directory = Path(save_directory)
        config = json.dumps(self.config.to_dict(), indent=1) + "\n"
        (save_directory / "config.json").write_text(config)
        weights = {
            name: value.detach().to(torch.bfloat16).cpu().contiguous()
            for name, value in self.state_dict().items()
        }
        save_torch_state_dict(
            weights, save_directory, max_shard_size=SHARD_SIZE, safe_serialization=True
        )

    @classmethod
    def _from_pretrained(
        cls, *, model_id: str, map_location: str = "cpu", **options: Any
    ) -> AtomTransformer:
        """Load a local folder, or a model from the Hugging Face Hub."""
        folder = Path(model_id)
        if not folder.is_dir():
            names = ("revision", "cache_dir", "force_download", "token", "local_files_only")
            download = {name: options[name] for name in names if name in options}
            folder = Path(snapshot_download(model_id, **download))
        model = cls(ModelConfig.from_dict(json.loads((folder / "config.json").read_text())))
        load_torch_model(model, folder, strict=True, safe=True, map_location=map_location)
        return model.to(map_location).eval()
