"""The decoder: one atom's velocity and sign from what the Transformer says about its place and from its neighbourhood.

It is exactly equivariant to polarity. Every layer carries an even stream h, which a flip of all neighbours' signs leaves alone, and
an odd stream o, which it flips:

    u = W o,  b = V h + bias,   o' = gelu(b + u) - gelu(b - u),   h' = gelu(b + u) + gelu(b - u)

The velocity is read from the even stream, the sign from the odd one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig
from .state import State


class Neighbourhood:
    """Planes of known levels and signed amplitudes around every place, laid out so that a row is one contiguous read."""

    def __init__(self, state: State, config: ModelConfig, dtype: torch.dtype):
        rt, rf = config.reach
        levels, channels = config.space.levels, config.space.channels
        known = (state.velocity_known & state.present).to(dtype)
        level = (state.velocity.to(dtype) - levels / 2) * (3 / levels) * known
        polarity = (2 * state.sign - 1).to(dtype) * (state.sign_known & state.present)
        # an amplitude's square root: linear ones would hide the quiet neighbours behind the loud
        root = 10 ** ((state.velocity - levels).float() * (config.space.step_db / 40))
        amplitude = root.to(dtype) * polarity * known * (state.velocity > 0)
        audible = polarity * ~state.inaudible  # the sign alone, also where the level is unknown
        self.even, self.odd = (self._rows(planes, rt, rf, channels) for planes in ((level, known), (amplitude, audible)))
        self.size = (2 * rt + 1) * (2 * rf + 1) * channels
        self.frames = 2 * rt + 1

    @staticmethod
    def _rows(planes: tuple[Tensor, Tensor], rt: int, rf: int, channels: int) -> Tensor:
        """(B, C, T + 2 rt, F, (2 rf + 1) * C * 2) view: the neighbours along frequency, own channel first."""
        grid = torch.stack(planes, -1).permute(0, 2, 3, 1, 4)  # (B, T, F, C, 2)
        grid = torch.stack([grid.roll(-c, 3) for c in range(channels)], 1)
        grid = F.pad(grid, (0, 0, 0, 0, rf, rf, rt, rt)).contiguous()
        b, c, t, f, _, _ = grid.shape
        row = channels * 2
        return grid.as_strided((b, c, t, f - 2 * rf, (2 * rf + 1) * row), grid.stride()[:3] + (row, 1))

    def at(self, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor) -> tuple[Tensor, Tensor]:
        """Even and odd features (n, 2 * size) of n places."""
        rows = time[:, None] + torch.arange(self.frames, device=time.device)
        index = (batch[:, None], channel[:, None], rows, frequency[:, None])
        even, odd = self.even[index].flatten(1), self.odd[index].flatten(1).view(len(time), self.size, 2)
        peak = odd[..., 0].abs().amax(1, keepdim=True) + 1e-3
        return even, torch.cat([odd[..., 0] / peak, odd[..., 1]], 1)


class Decoder(nn.Module):
    """Heads for velocity and sign, and the vector that a pointer looks for."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        size = (2 * config.reach[0] + 1) * (2 * config.reach[1] + 1) * config.space.channels
        h = config.hidden
        self.frequency = nn.Embedding(config.space.hop, 16)
        self.channel = nn.Embedding(config.space.channels, 2)
        even = [2 * size + 16 + 2 + config.slot + 2] + [h] * (config.depth - 1)
        odd = [2 * size] + [h] * (config.depth - 1)
        self.even = nn.ModuleList(nn.Linear(n, h) for n in even)
        self.odd = nn.ModuleList(nn.Linear(n, h, bias=False) for n in odd)
        self.velocity, self.sign = nn.Linear(h, config.space.levels), nn.Linear(h, 1, bias=False)
        nn.init.normal_(self.frequency.weight, std=0.3)

    def forward(self, around: tuple[Tensor, Tensor], channel: Tensor, frequency: Tensor, slot: Tensor,
                envelope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decode n atoms.

        around    even and odd features of their neighbourhoods
        slot      (n, slot) what the Transformer says about the atom; envelope (n, 2) what it says about its cell and channel
        Returns velocity logits (n, levels), sign logits (n,), and even vectors (n, hidden).
        """
        even, odd = around
        h = torch.cat([even, self.frequency(frequency).to(even.dtype), self.channel(channel).to(even.dtype), slot.to(even.dtype),
                       envelope.to(even.dtype)], 1)
        o = odd
        for to_even, to_odd in zip(self.even, self.odd):
            bias, u = to_even(h), to_odd(o)
            plus, minus = F.gelu(bias + u, approximate="tanh"), F.gelu(bias - u, approximate="tanh")
            h, o = plus + minus, plus - minus
        return self.velocity(h), self.sign(o).squeeze(1), h
