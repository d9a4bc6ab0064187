"""The Transformer: windows of attention along serialisations of the tokens, as Point Transformer V3 does for point clouds.

Pre-norm blocks (RMSNorm, Zhang & Sennrich 2019), normalised queries and keys, axial rotary positions for time and frequency (Su et
al. 2021), and side tokens beside the cells: a few global ones, which every window sees, and the loose atoms, which have no place.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig


def sort_keys(name: str, place: Tensor, rank: Tensor | None) -> Tensor:
    """(B, L) float64 keys that line tokens up.

    place  (B, L, 3) cell coordinates along time, frequency, channel
    rank   (B, L) position in the user's ordering, for "order"
    """
    t, f, c = place.double().unbind(-1)
    if name == "time":
        return (t * 2**20 + f) * 16 + c
    if name == "frequency":
        return (f * 2**20 + t) * 16 + c
    if name == "tile":
        tile = (t // 16) * 2**10 + f // 16
        return ((tile * 16 + t % 16) * 16 + f % 16) * 16 + c
    if rank is None:
        raise ValueError('The "order" serialisation needs the ranks of the atoms.')
    return rank.double()


@dataclass
class Line:
    """Tokens in line: windows of a serialisation. L tokens, n windows of W places.

    forth  (B, n * W) token of every place; L where a place is empty
    back   (B, L) place of every token
    empty  (B, n * W) bool
    """

    forth: Tensor
    back: Tensor
    empty: Tensor


def line_up(key: Tensor, valid: Tensor, window: int, shifted: bool) -> Line:
    """Sort tokens by key, padding last, and cut them into windows; `shifted` moves the cuts by half a window."""
    batch, length = key.shape
    order = torch.argsort(torch.where(valid, key, torch.inf), dim=1, stable=True)
    # each line by its own count, so that a window reads the same whatever else is in the batch
    start = (window // 2) * (valid.sum(1, keepdim=True) > window) * shifted
    places = -(-(length + int(start.max())) // window) * window
    seat = torch.arange(length, device=key.device) + start
    forth = torch.full((batch, places), length, device=key.device).scatter_(1, seat, order)
    empty = torch.ones((batch, places), dtype=torch.bool, device=key.device).scatter_(
        1, seat, ~valid.gather(1, order)
    )
    return Line(forth, torch.empty_like(order).scatter_(1, order, seat), empty)


def rotations(config: ModelConfig, position: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (B, L, width / heads / 2) of axial rotary positions.

    position  (B, L, 2) frames and bins; NaN along an axis that is unknown, which then does not turn
    """
    quarter = config.width // config.heads // 4
    periods = [
        2
        * config.cell[axis]
        * (2 * extent / config.cell[axis]) ** torch.linspace(0, 1, quarter, device=position.device)
        for axis, extent in ((0, config.space.frames), (1, config.space.hop))
    ]
    angle = torch.cat(
        [position[..., axis, None] * (2 * torch.pi) / periods[axis] for axis in (0, 1)], -1
    ).nan_to_num(0.0)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs of (B, L, H, D) by angles (B, L, D / 2)."""
    a, b = x.chunk(2, -1)
    cos, sin = cos[:, :, None].to(x.dtype), sin[:, :, None].to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


class _Rearrange(torch.autograd.Function):
    """Rows of x (B, L, D) at index (B, M), zero where it is L. Its transpose is the same with `inverse` (B, L), zero where that is M:
    known in advance, so the backward pass is a read and not a scatter, which is several times slower."""

    @staticmethod
    def forward(ctx, x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(index, inverse)
        return _rows(x, index)

    @staticmethod
    def backward(ctx, grad: Tensor):
        index, inverse = ctx.saved_tensors
        return _Rearrange.apply(grad, inverse, index), None, None


def _rows(x: Tensor, index: Tensor) -> Tensor:
    padded = F.pad(x, (0, 0, 0, 1))
    offset = torch.arange(len(x), device=x.device)[:, None] * padded.shape[1]
    return (
        padded.flatten(0, 1)
        .index_select(0, (index + offset).flatten())
        .view(*index.shape, x.shape[-1])
    )


def rearrange(x: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
    """Rows of x (B, L, D) at index (B, M) -> (B, M, D); see `_Rearrange`."""
    return _Rearrange.apply(x, index, inverse)


class RMSNorm(nn.RMSNorm):
    """nn.RMSNorm in the precision of its input: autocast leaves the weight behind, and the mixture has no fast kernel."""

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x.dtype), 1e-5)


class Block(nn.Module):
    """One layer: windowed attention among cells, full attention for side tokens, then an MLP; weights shared by both."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        d = config.width
        self.heads, self.window, self.globals = config.heads, config.window, config.globals
        self.norm_a, self.norm_m = RMSNorm(d), RMSNorm(d)
        self.norm_q, self.norm_k = RMSNorm(d // config.heads), RMSNorm(d // config.heads)
        self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def project(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (B, L, width)."""
        q, k, v = self.qkv(self.norm_a(x)).chunk(3, -1)
        shape = (*x.shape[:2], self.heads, -1)
        q, k = (
            rotate(norm(u.view(shape)), *turn).flatten(2).to(v.dtype)
            for norm, u in ((self.norm_q, q), (self.norm_k, k))
        )
        return q, k, v

    def split_heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def forward(
        self,
        x: Tensor,
        side: Tensor,
        line: Line,
        turn,
        turn_side,
        valid: Tensor,
        valid_side: Tensor,
    ):
        """x (B, L, width) cells, side (B, S, width), of which the first are global -> the same."""
        batch, width = len(x), self.window
        q, k, v = self.project(x, turn)
        q_side, k_side, v_side = self.project(side, turn_side)

        windows = [
            rearrange(u, line.forth, line.back).view(batch, -1, width, u.shape[-1])
            for u in (q, k, v)
        ]
        count = windows[0].shape[1]
        keys, values = (
            torch.cat([u[:, None, : self.globals].expand(-1, count, -1, -1), w], 2)
            for u, w in ((k_side, windows[1]), (v_side, windows[2]))
        )
        mask = None
        if line.empty.any():
            mask = F.pad(
                ~line.empty.view(batch, count, width), (self.globals, 0), value=True
            ).flatten(0, 1)[:, None, None]
        attended = F.scaled_dot_product_attention(
            *(self.split_heads(u.flatten(0, 1)) for u in (windows[0], keys, values)), attn_mask=mask
        )
        attended = rearrange(
            attended.transpose(1, 2).reshape(batch, count * width, -1), line.back, line.forth
        )

        everyone = torch.cat([valid_side, valid], 1)[:, None, None]
        mask = None if everyone.all() else everyone
        heard = F.scaled_dot_product_attention(
            self.split_heads(q_side),
            self.split_heads(torch.cat([k_side, k], 1)),
            self.split_heads(torch.cat([v_side, v], 1)),
            attn_mask=mask,
        )
        x = x + self.out(attended)
        side = side + self.out(heard.transpose(1, 2).flatten(2))
        return x + self.feed_forward(x), side + self.feed_forward(side)

    def feed_forward(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(self.norm_m(x)), approximate="tanh"))


class Trunk(nn.Module):
    """Layers that take the serialisations in turns, every other round with shifted windows."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.globals = nn.Parameter(torch.randn(config.globals, config.width) * 0.3)
        self.norm = RMSNorm(config.width)

    def forward(
        self,
        x: Tensor,
        place: Tensor,
        valid: Tensor,
        loose: Tensor,
        loose_position: Tensor,
        loose_valid: Tensor,
        rank: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Run the layers.

        x      (B, L, width) tokens of cells; place (B, L, 3) their coordinates in cells; valid (B, L)
        loose  (B, K, width) tokens of loose atoms; loose_position (B, K, 2) frames and bins, NaN where unknown; loose_valid (B, K)
        rank   (B, L) or None
        Returns the tokens of cells (B, L, width) and of loose atoms (B, K, width).
        """
        config, batch = self.config, len(x)
        names = config.serialisations
        lines = {}
        for layer in range(config.layers):
            kind = (names[layer % len(names)], layer // len(names) % 2 == 1)
            if kind not in lines:
                lines[kind] = line_up(
                    sort_keys(kind[0], place, rank), valid, config.window, kind[1]
                )
        cell = torch.tensor(config.cell[:2], device=x.device)
        turn = rotations(config, (place[..., :2] + 0.5) * cell - 0.5)
        nowhere = torch.full((batch, config.globals, 2), torch.nan, device=x.device)
        turn_side = rotations(config, torch.cat([nowhere, loose_position], 1))
        side = torch.cat([self.globals.expand(batch, -1, -1).to(loose.dtype), loose], 1)
        valid_side = F.pad(loose_valid, (config.globals, 0), value=True)
        for layer, block in enumerate(self.blocks):
            line = lines[names[layer % len(names)], layer // len(names) % 2 == 1]
            x, side = block(x, side, line, turn, turn_side, valid, valid_side)
        return self.norm(x), self.norm(side[:, config.globals :])
