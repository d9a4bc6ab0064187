"""The Transformer: attention in windows along serializations of the tokens.

Serializations follow Point Transformer V3 (Wu et al. 2024), which orders the points of a cloud.
Blocks are pre-norm (RMSNorm, Zhang & Sennrich 2019), with normalised queries and keys and axial
rotary positions for time and frequency (Su et al. 2021). Side tokens stand beside the cells: a few
global ones, which every window attends to, and the unplaced atoms, whose position is unknown.

Attribute names of the modules are the state_dict keys of trained checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..priors.band_context import FEATURES
from ..priors.band_levels import BANDS
from ..priors.devices import constant, may_wait
from .config import ModelConfig

Rotation = tuple[Tensor, Tensor]  # cosines and sines (B, L, width / heads / 2)


@dataclass
class Tokens:
    """Input of the Transformer: L cells and K unplaced atoms of B windows.

    index              (B, L) number of every token's cell
    cells              (B, L, width) embeddings of the cells
    coordinates        (B, L, 3) cells along time, frequency and channel
    valid              (B, L) bool, False for padding
    rank               (B, L) or None: position in the user's ordering
    unplaced           (B, K, width) embeddings of the unplaced atoms
    unplaced_position  (B, K, 2) frame and bin, NaN where unknown
    unplaced_valid     (B, K) bool, False for padding
    statistics         (B, FEATURES, BANDS) or None, as in `State`
    """

    index: Tensor
    cells: Tensor
    coordinates: Tensor
    valid: Tensor
    rank: Tensor | None
    unplaced: Tensor
    unplaced_position: Tensor
    unplaced_valid: Tensor
    statistics: Tensor | None = None


@dataclass
class Serialization:
    """Tokens sorted and cut into windows: L tokens, n windows of W places.

    order    (B, n * W) token at every place; L where a place is empty
    inverse  (B, L) place of every token
    padding  (B, n * W) bool, True where a place is empty or its token is padding
    """

    order: Tensor
    inverse: Tensor
    padding: Tensor


@dataclass
class Layout:
    """Positions and padding of the tokens, the same for all layers.

    rotation, side_rotation  rotary positions of cells and side tokens
    valid, side_valid        (B, L) and (B, S) bool, False for padding
    """

    rotation: Rotation
    side_rotation: Rotation
    valid: Tensor
    side_valid: Tensor


def sort_keys(name: str, coordinates: Tensor, rank: Tensor | None) -> Tensor:
    """(B, L) float64 keys that a serialization sorts tokens by.

    name         "time", "frequency", "tile" or "order"
    coordinates  (B, L, 3) cells along time, frequency, channel
    rank         (B, L) position in the user's ordering, for "order"
    """
    t, f, c = coordinates.double().unbind(-1)
    if name == "time":
        return (t * 2**20 + f) * 16 + c
    if name == "frequency":
        return (f * 2**20 + t) * 16 + c
    if name == "tile":
        tile = (t // 16) * 2**10 + f // 16
        return ((tile * 16 + t % 16) * 16 + f % 16) * 16 + c
    if rank is None:
        raise ValueError('The "order" serialization needs the ranks of the atoms.')
    return rank.double()


def serialize(key: Tensor, valid: Tensor, window: int, shifted: bool) -> Serialization:
    """Sort (B, L) tokens by key, padding last, and cut them into windows.

    `shifted` moves the cuts by half a window.
    """
    batch, length = key.shape
    token = torch.argsort(torch.where(valid, key, torch.inf), dim=1, stable=True)
    # the shift depends on the row's own count, so that the rest of the batch has no influence
    start = (window // 2) * (valid.sum(1, keepdim=True) > window) * shifted
    most = int(start.max()) if may_wait(key) else window // 2 * shifted
    places = -(-(length + most) // window) * window
    place = torch.arange(length, device=key.device) + start
    order = torch.full((batch, places), length, device=key.device).scatter_(1, place, token)
    padding = torch.ones((batch, places), dtype=torch.bool, device=key.device)
    padding.scatter_(1, place, ~valid.gather(1, token))
    return Serialization(order, torch.empty_like(token).scatter_(1, token, place), padding)


def rotations(config: ModelConfig, position: Tensor) -> Rotation:
    """Cosines and sines (B, L, width / heads / 2) of axial rotary positions.

    position  (B, L, 2) frames and bins; an unknown one is NaN and gets no rotation
    """
    quarter = config.width // config.heads // 4
    angles = []
    for axis, extent in ((0, config.space.frames), (1, config.space.hop)):
        size = config.cell[axis]
        exponent = torch.linspace(0, 1, quarter, device=position.device)
        periods = 2 * size * (2 * extent / size) ** exponent
        angles.append(position[..., axis, None] * (2 * torch.pi) / periods)
    angle = torch.cat(angles, -1).nan_to_num(0.0)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the pairs of (B, L, H, D) by angles (B, L, D / 2)."""
    a, b = x.chunk(2, -1)
    cos, sin = cos[:, :, None].to(x.dtype), sin[:, :, None].to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class _Rearrange(torch.autograd.Function):
    """Rows of x (B, L, D) at index (B, M), zero where it is L, with a fast backward pass.

    The transpose is the same operation with `inverse` (B, L), zero where that is M. It is known in
    advance, so the backward pass gathers and need not scatter, which is several times slower.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(index, inverse)
        return _rows(x, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        index, inverse = ctx.saved_tensors
        return rearrange(grad, inverse, index), None, None


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """Rows (B, M, D) of x (B, L, D) at index (B, M), zero where it is L."""
    padded = F.pad(x, (0, 0, 0, 1))
    offset = torch.arange(len(x), device=x.device)[:, None] * padded.shape[1]
    rows = padded.flatten(0, 1).index_select(0, (index + offset).flatten())
    return rows.view(*index.shape, x.shape[-1])


def rearrange(x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
    """Rows (B, M, D) of x (B, L, D) at index (B, M), see `_Rearrange`."""
    out: Tensor = _Rearrange.apply(x, index, inverse)
    return out


class RMSNorm(nn.RMSNorm):
    """nn.RMSNorm in the precision of its input, of shape (..., width).

    Autocast leaves the weight in float32, and mixed precisions have no fast kernel.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        assert self.weight is not None
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x.dtype), 1e-5)


class Block(nn.Module):
    """One layer: attention, then an MLP, with the same weights for cells and side tokens.

    Cells attend to their window and the global tokens, side tokens to all tokens.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        d = config.width
        self.heads, self.window, self.globals = config.heads, config.window, config.globals
        self.norm_a, self.norm_m = RMSNorm(d), RMSNorm(d)
        self.norm_q, self.norm_k = RMSNorm(d // config.heads), RMSNorm(d // config.heads)
        self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def project(self, x: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, L, width) of tokens (B, L, width)."""
        q, k, v = self.qkv(self.norm_a(x)).chunk(3, -1)
        shape = (*x.shape[:2], self.heads, -1)
        q, k = (
            rotate(norm(u.view(shape)), *rotation).flatten(2).to(v.dtype)
            for norm, u in ((self.norm_q, q), (self.norm_k, k))
        )
        return q, k, v

    def split_heads(self, x: Tensor) -> Tensor:
        """(..., L, width) -> (..., heads, L, width / heads)."""
        return x.view(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def forward(
        self, x: Tensor, side: Tensor, serialization: Serialization, layout: Layout
    ) -> tuple[Tensor, Tensor]:
        """Update cells x (B, L, width) and side tokens (B, S, width), the global ones first."""
        cells = self.project(x, layout.rotation)
        sides = self.project(side, layout.side_rotation)
        x = x + self.out(self._attend_windows(cells, sides, serialization))
        side = side + self.out(self._attend_all(cells, sides, layout))
        return x + self.feed_forward(x), side + self.feed_forward(side)

    def _attend_windows(
        self, cells: tuple[Tensor, ...], sides: tuple[Tensor, ...], serialization: Serialization
    ) -> Tensor:
        """(B, L, width) attention of cells to their window and to the global tokens."""
        batch, order, inverse = len(cells[0]), serialization.order, serialization.inverse
        queries, *windows = (
            rearrange(u, order, inverse).view(batch, -1, self.window, u.shape[-1]) for u in cells
        )
        count = queries.shape[1]
        keys, values = (
            torch.cat([u[:, None, : self.globals].expand(-1, count, -1, -1), w], 2)
            for u, w in zip(sides[1:], windows)
        )
        mask = None
        if not may_wait(queries) or serialization.padding.any():
            valid = ~serialization.padding.view(batch, count, self.window)
            mask = F.pad(valid, (self.globals, 0), value=True).flatten(0, 1)[:, None, None]
        q, k, v = (self.split_heads(u.flatten(0, 1)) for u in (queries, keys, values))
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended = attended.transpose(1, 2).reshape(batch, count * self.window, -1)
        return rearrange(attended, inverse, order)

    def _attend_all(
        self, cells: tuple[Tensor, ...], sides: tuple[Tensor, ...], layout: Layout
    ) -> Tensor:
        """(B, S, width) attention of side tokens to all tokens."""
        valid = torch.cat([layout.side_valid, layout.valid], 1)[:, None, None]
        attended = F.scaled_dot_product_attention(
            self.split_heads(sides[0]),
            self.split_heads(torch.cat([sides[1], cells[1]], 1)),
            self.split_heads(torch.cat([sides[2], cells[2]], 1)),
            attn_mask=None if may_wait(valid) and valid.all() else valid,
        )
        return attended.transpose(1, 2).flatten(2)

    def feed_forward(self, x: Tensor) -> Tensor:
        """Return the MLP of normalised tokens (B, L, width)."""
        out: Tensor = self.down(F.gelu(self.up(self.norm_m(x))))
        return out


class Trunk(nn.Module):
    """Layers that alternate between the serializations, every other round with shifted windows."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.globals = nn.Parameter(torch.randn(config.globals, config.width) * 0.3)
        self.statistics: nn.Linear | None = None
        if config.statistics:
            size = config.statistics * config.width
            self.statistics = nn.Linear(FEATURES * BANDS, size, bias=False)
        self.norm = RMSNorm(config.width)

    def forward(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """Return updated cells (B, L, width) and unplaced atoms (B, K, width)."""
        config, batch = self.config, len(tokens.cells)
        names = config.serialisations
        kinds = [
            (names[layer % len(names)], layer // len(names) % 2 == 1)
            for layer in range(config.layers)
        ]
        serializations = {
            (name, shifted): serialize(
                sort_keys(name, tokens.coordinates, tokens.rank),
                tokens.valid,
                config.window,
                shifted,
            )
            for name, shifted in dict.fromkeys(kinds)
        }
        device, globals_ = tokens.cells.device, config.globals
        cell = constant(config.cell[:2], device)
        unknown = torch.full((batch, globals_, 2), torch.nan, device=device)
        layout = Layout(
            rotations(config, (tokens.coordinates[..., :2] + 0.5) * cell - 0.5),
            rotations(config, torch.cat([unknown, tokens.unplaced_position], 1)),
            tokens.valid,
            F.pad(tokens.unplaced_valid, (globals_, 0), value=True),
        )
        x, unplaced = tokens.cells, tokens.unplaced
        side = torch.cat([self._global_tokens(tokens).to(unplaced.dtype), unplaced], 1)
        for kind, block in zip(kinds, self.blocks):
            x, side = block(x, side, serializations[kind], layout)
        return self.norm(x), self.norm(side[:, globals_:])

    def _global_tokens(self, tokens: Tokens) -> Tensor:
        """(B, globals, width): trained vectors, plus what the statistics of the recording say.

        A sum, not further tokens, which would change attention even if they were zero.
        """
        out = self.globals.expand(len(tokens.cells), -1, -1)
        if self.statistics is None or tokens.statistics is None:
            return out
        informed = self.statistics(tokens.statistics.flatten(1)).unflatten(1, (-1, out.shape[2]))
        return out + F.pad(informed, (0, 0, 0, out.shape[1] - informed.shape[1]))
