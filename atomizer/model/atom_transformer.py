"""AtomTransformer: embeddings, cells, Transformer, decoder and heads in one model with a Hugging Face face."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from huggingface_hub import (
    PyTorchModelHubMixin,
    load_torch_model,
    save_torch_state_dict,
    snapshot_download,
)
from torch import Tensor, nn

from .config import ModelConfig
from .decoder import Decoder, Neighbourhood
from .embedding import Cells, FeatureEmbedding
from .state import State
from .trunk import Trunk

SHARD_SIZE = "9MB"  # plain git hosting refuses files of 10 MB


@dataclass
class Context:
    """What the Transformer made of a batch of windows, for the decoder to read.

    token      (B, cells) index of every cell's token; L where the cell is empty
    slots      (B, L + 1, slots, slot) what it says about every atom
    envelope   (B, L + 1, channels of a cell, 2) predicted mean level (in levels / 32) and logit of the audible share
    index, valid  (B, L) cell of every token, and whether it is no padding
    loose      (B, K, width) loose atoms
    around     the neighbourhoods
    """

    token: Tensor
    slots: Tensor
    envelope: Tensor
    index: Tensor
    valid: Tensor
    loose: Tensor
    around: Neighbourhood


@dataclass
class Decoded:
    """Predictions for n atoms: velocity logits (n, levels), sign logits (n,), vectors that pointers look for (n, hidden)."""

    velocity: Tensor
    sign: Tensor
    vector: Tensor


class AtomTransformer(nn.Module, PyTorchModelHubMixin):
    """A Transformer over cells of atoms with a small decoder per atom.

    model = AtomTransformer(ModelConfig())
    context = model.read(state)                  # the Transformer, once per state of knowledge
    decoded = model.decode(context, *places)     # as many atoms as asked for
    """

    def __init__(self, config: ModelConfig = ModelConfig()):
        super().__init__()
        self.config = config
        self.embedding, self.cells = FeatureEmbedding(config), Cells(config)
        self.trunk, self.decoder = Trunk(config), Decoder(config)
        self.loose = nn.Linear(config.embed, config.width)
        self.unpack = nn.Linear(config.width, config.slots * config.slot)
        self.envelope = nn.Linear(config.width, config.cell[2] * 2)
        self.query = nn.Linear(config.width, config.hidden)
        self.evidence = nn.Parameter(
            torch.ones(2)
        )  # how much a pointer trusts the velocity and the sign head
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.trunk.blocks:  # residual branches start small
            for layer in (block.out, block.down):
                nn.init.normal_(
                    layer.weight, std=0.3 * layer.in_features**-0.5 * self.config.layers**-0.5
                )
        for layer in (self.decoder.velocity, self.decoder.sign, self.query, self.envelope):
            nn.init.normal_(layer.weight, std=0.02)
        if (
            self.config.wiener
        ):  # at first, half the weight of a belief for the level and all of it for the sign
            nn.init.zeros_(self.decoder.trust.weight)
            self.decoder.trust.bias.data.copy_(torch.tensor([-0.3, 0.5, 1.0, 0.7]))

    @property
    def device(self) -> torch.device:
        return self.embedding.signed.device

    def read(self, state: State, trunk: bool = True) -> Context:
        """Run the Transformer. `trunk=False` leaves its vectors zero: the decoder alone, to see what the Transformer adds."""
        config = self.config
        index, valid = self.cells.occupied(state)
        batch, length = index.shape
        token = torch.full((batch, self.cells.origin.shape[0]), length, device=index.device)
        token.scatter_(
            1, index, torch.where(valid, torch.arange(length, device=index.device), length)
        )
        if state.loose is None:
            loose_atoms = torch.zeros((batch, 0, 5), dtype=torch.long, device=index.device)
            loose_valid = torch.zeros((batch, 0), dtype=torch.bool, device=index.device)
        else:
            loose_atoms, loose_valid = state.loose, state.loose_valid
        x = self.cells(state, self.embedding, index)
        loose = self.loose(self.embedding(loose_atoms))
        place = self.cells.origin[index]
        rank = None
        if state.rank is not None:
            rank = self.cells.split(state.rank).amin(-1).gather(1, index)
        if trunk:
            position = torch.where(
                loose_atoms[..., :2]
                < torch.tensor([config.space.frames, config.space.hop], device=index.device),
                loose_atoms[..., :2].float(),
                torch.nan,
            )
            x, loose = self.trunk(
                x,
                place // torch.tensor(config.cell, device=index.device),
                valid,
                loose,
                position,
                loose_valid,
                rank,
            )
            slots, envelope = self.unpack(x), self.envelope(x)
        else:
            slots = x.new_zeros(batch, length, config.slots * config.slot)
            envelope = x.new_zeros(batch, length, config.cell[2] * 2)
        slots = nn.functional.pad(slots, (0, 0, 0, 1)).view(
            batch, length + 1, config.slots, config.slot
        )
        envelope = nn.functional.pad(envelope, (0, 0, 0, 1)).view(
            batch, length + 1, config.cell[2], 2
        )
        return Context(
            token, slots, envelope, index, valid, loose, Neighbourhood(state, config, slots.dtype)
        )

    def decode(
        self, context: Context, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> Decoded:
        """Decode n atoms at (n,) places."""
        cell, slot = self.cells.address(channel, time, frequency)
        token = context.token[batch, cell]
        return Decoded(
            *self.decoder(
                context.around.at(batch, channel, time, frequency),
                channel,
                frequency,
                context.slots[batch, token, slot],
                context.envelope[batch, token, channel % self.config.cell[2]],
                context.around.belief(batch, channel, time, frequency),
            )
        )

    def point(self, loose: Tensor, atoms: Tensor, places: Decoded) -> Tensor:
        """Scores (K, n) of n places for K loose atoms.

        loose  (K, width) from the Transformer; atoms (K, 5) their features, cardinality for ∅
        The score is a learned match plus what the heads believe about the known velocity and sign at that place (Bayes).
        """
        score = self.query(loose).float() @ places.vector.float().T / self.config.hidden**0.5
        belief = torch.cat(
            [
                places.velocity.float().log_softmax(1),
                places.velocity.new_zeros(len(places.sign), 1).float(),
            ],
            1,
        )
        score = score + self.evidence[0] * belief.T[atoms[:, 3]]
        direction = torch.tensor([-1.0, 1.0, 0.0], device=score.device)[atoms[:, 4]]
        log_sign = (
            nn.functional.logsigmoid(direction[:, None] * places.sign.float())
            * (direction != 0)[:, None]
        )
        return score + self.evidence[1] * log_sign

    # ------------------------------------------------------------------ files

    def _save_pretrained(self, save_directory: Path) -> None:
        """config.json and bfloat16 safetensors in shards below 10 MB."""
        save_directory = Path(save_directory)
        (save_directory / "config.json").write_text(
            json.dumps(self.config.to_dict(), indent=1) + "\n"
        )
        small = {
            k: v.detach().to(torch.bfloat16).cpu().contiguous()
            for k, v in self.state_dict().items()
        }
        save_torch_state_dict(
            small, save_directory, max_shard_size=SHARD_SIZE, safe_serialization=True
        )

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id,
        revision=None,
        cache_dir=None,
        force_download=False,
        token=None,
        local_files_only=False,
        map_location="cpu",
        **_,
    ) -> AtomTransformer:
        """A local folder, or a model on the Hugging Face Hub."""
        folder = Path(model_id)
        if not folder.is_dir():
            folder = Path(
                snapshot_download(
                    model_id,
                    revision=revision,
                    cache_dir=cache_dir,
                    force_download=force_download,
                    token=token,
                    local_files_only=local_files_only,
                )
            )
        model = cls(ModelConfig.from_dict(json.loads((folder / "config.json").read_text())))
        load_torch_model(model, folder, strict=True, safe=True, map_location=map_location)
        return model.to(map_location).eval()
