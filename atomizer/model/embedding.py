"""Tokens: the sum of one embedding per feature of an atom, and cells that pack nearby atoms."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..priors.devices import constant, may_wait
from .config import ModelConfig
from .state import State


class FeatureEmbedding(nn.Module):
    """Embedding of atoms: y_n = sum over features f of E_f(z_nf).

    The last row of every table E_f is the feature's own trained ∅ vector. Where level and sign are
    both known, sign * A(velocity) is added, because no sum of the two is a signed amplitude.

    Attribute names are the state_dict keys of trained checkpoints.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.tables = nn.ParameterDict(
            {
                f.name: nn.Parameter(torch.randn(f.cardinality + 1, config.embed) * 0.3)
                for f in config.space.features
            }
        )
        self.signed = nn.Parameter(torch.randn(config.space.levels, config.embed) * 0.3)
        if config.encoding == "sinusoidal":
            for feature in config.space.features[:2]:
                self.register_buffer(
                    f"waves_{feature.name}",
                    _waves(feature.cardinality, config.embed),
                    persistent=False,
                )

    def table(self, name: str) -> Tensor:
        """(cardinality + 1, embed) embeddings of a feature; the last row is ∅."""
        table = self.tables[name]
        if self.config.encoding == "sinusoidal" and name in ("time", "frequency"):
            return torch.cat([getattr(self, f"waves_{name}") + 0 * table[:-1], table[-1:]])
        return table

    def content(self) -> Tensor:
        """((levels + 1) * 3, embed) sums of the velocity and sign embeddings, for every code."""
        velocity, sign = self.table("velocity"), self.table("sign")
        direction = constant((-1.0, 1.0, 0.0), velocity.device)
        product = self.signed[:, None] * direction[:, None]
        product = torch.cat([product, torch.zeros_like(product[:1])])
        return (velocity[:, None] + sign + product).flatten(0, 1)

    def forward(self, atoms: Tensor) -> Tensor:
        """Embed (..., features) values, a cardinality for ∅, as (..., embed)."""
        values = dict(zip((f.name for f in self.config.space.features), atoms.unbind(-1)))
        out = self.content()[values.pop("velocity") * 3 + values.pop("sign")]
        for name, value in values.items():
            out = out + self.table(name)[value]
        return out


def _waves(cardinality: int, width: int) -> Tensor:
    """(cardinality, width) sinusoids with geometric periods from 4 to 4 * cardinality values."""
    periods = 4 * cardinality ** torch.linspace(0, 1, math.ceil(width / 2))
    phase = 2 * math.pi * torch.arange(cardinality)[:, None] / periods
    return torch.cat([phase.sin(), phase.cos()], 1)[:, :width]


class Cells(nn.Module):
    """One token per occupied cell: a linear map of its atoms' embeddings, zero in empty slots."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.pack = nn.Linear(config.slots * config.embed, config.width)
        t, f, c = torch.meshgrid(*(torch.arange(n) for n in config.cells), indexing="ij")
        origin = torch.stack([t, f, c], -1).flatten(0, 2) * torch.tensor(config.cell)
        self.origin: Tensor  # (cells, 3): first frame, bin and channel of a cell
        self.register_buffer("origin", origin, persistent=False)

    def split(self, grid: Tensor) -> Tensor:
        """(B, C, T, F) -> (B, cells, slots)."""
        (ct, cf, cc), (t, f, c) = self.config.cells, self.config.cell
        grid = grid.view(len(grid), cc, c, ct, t, cf, f)
        return grid.permute(0, 3, 5, 1, 4, 6, 2).reshape(len(grid), ct * cf * cc, t * f * c)

    def address(self, channel: Tensor, time: Tensor, frequency: Tensor) -> tuple[Tensor, Tensor]:
        """Cell and slot (n,) of atoms at indices (n,), numbered as by `split`."""
        (_, cf, cc), (t, f, c) = self.config.cells, self.config.cell
        cell = (time // t * cf + frequency // f) * cc + channel // c
        slot = (time % t * f + frequency % f) * c + channel % c
        return cell, slot

    def occupied(self, state: State) -> tuple[Tensor, Tensor]:
        """Cells with an atom: their numbers (B, L), and (B, L) bool, False for padding.

        Of cells whose atoms are all unknown, those alone that will be decoded (`State.wanted`).
        """
        has = self.split(state.occupied).any(-1)
        if state.wanted is not None:
            known = state.present & (state.velocity_known | state.sign_known)
            has &= self.split(known | state.wanted).any(-1)
        length = max(1, int(has.sum(1).max())) if may_wait(has) else has.shape[1]
        index = torch.argsort(~has, dim=1, stable=True)[:, :length]
        return index, has.gather(1, index)

    def forward(self, state: State, embedding: FeatureEmbedding, index: Tensor) -> Tensor:
        """Return the tokens (B, L, width) of the cells `index` (B, L)."""
        rows = index[..., None].expand(-1, -1, self.config.slots)
        velocity, sign = state.codes(self.config.space)
        codes = self.split(torch.where(state.occupied, velocity * 3 + sign, 0)).gather(1, rows)
        content = embedding.content()
        # code 0 is an inaudible atom, an empty slot
        content = torch.cat([torch.zeros_like(content[:1]), content[1:]])
        # sums before look-ups: the gradients of sums are sums, those of look-ups slow scatters
        position = (
            embedding.table("time")[:-1, None, None]
            + embedding.table("frequency")[:-1, None]
            + embedding.table("channel")[:-1]
        )
        (ct, cf, cc), (t, f, c) = self.config.cells, self.config.cell
        position = position.view(ct, t, cf, f, cc, c, -1).permute(0, 2, 4, 1, 3, 5, 6)
        position = nn.functional.embedding(index, position.flatten(3).flatten(0, 2))
        position = position.view(*index.shape, self.config.slots, -1)
        atoms = nn.functional.embedding(codes, content) + position * (codes > 0)[..., None]
        tokens: Tensor = self.pack(atoms.flatten(2))
        return tokens
