"""The decoder: one atom's velocity and sign from what the Transformer says about its place and from its neighbourhood.

It is exactly equivariant to polarity. Every layer carries an even stream h, which a flip of all neighbours' signs leaves alone, and
an odd stream o, which it flips:

    u = W o,  b = V h + bias,   o' = gelu(b + u) - gelu(b - u),   h' = gelu(b + u) + gelu(b - u)

Where no sign is known nearby, as in most of a lost band, o stays zero and is not computed.

The velocity is read from the even stream, the sign from the odd one. Where there is a Wiener estimate, both also know what it implies: a
Gaussian belief about the amplitude, whose width and weight the even stream sets.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ModelConfig
from .gaussian import Belief, level_amplitude
from .state import State


class Neighbourhood:
    """Planes of known levels and signed amplitudes, and of the Wiener estimate, around every place; a row is one contiguous read."""

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
        self.even, self.odd = (
            self._rows(planes, rt, rf) for planes in ((level, known), (amplitude, audible))
        )
        self.frames, self.size = 2 * rt + 1, (2 * rt + 1) * (2 * rf + 1) * channels
        self.wiener = config.wiener
        if config.wiener:
            self.estimate = self._estimate(state, config, dtype)
            self.state = state
            self.space = config.space

    def _estimate(self, state: State, config: ModelConfig, dtype: torch.dtype) -> Tensor | None:
        """Rows of the estimate: its signed root, its level, that of its spread and that of the noise; each zero where there is none."""
        if state.estimate is None:
            return None
        space, (rt, rf) = config.space, config.wiener

        def level(amplitude: Tensor) -> Tensor:
            return (
                (20 * torch.log10(amplitude.abs() + 1e-12) - space.headroom_db) / space.step_db
                + space.levels
                - 1
            ).clamp(0, space.levels - 1)

        height = level(state.estimate)
        root = (
            10 ** ((height - space.levels) * (space.step_db / 40))
            * state.estimate.sign()
            * (height > 0)
        )
        planes = (
            root,
            height * (1.5 / space.levels),
            level(state.spread) * (1.5 / space.levels),
            level(state.blind) * (1.5 / space.levels),
        )
        return self._rows(tuple(plane.to(dtype) for plane in planes), rt, rf)

    @staticmethod
    def _rows(planes: tuple[Tensor, ...], rt: int, rf: int) -> Tensor:
        """(B, C, T + 2 rt, F, (2 rf + 1) * C * planes) view: the neighbours along frequency, own channel first."""
        grid = torch.stack(planes, -1).permute(0, 2, 3, 1, 4)  # (B, T, F, C, planes)
        row = grid.shape[3] * len(planes)
        grid = torch.stack([grid.roll(-c, 3) for c in range(grid.shape[3])], 1)
        grid = F.pad(grid, (0, 0, 0, 0, rf, rf, rt, rt)).contiguous()
        b, c, t, f, _, _ = grid.shape
        return grid.as_strided(
            (b, c, t, f - 2 * rf, (2 * rf + 1) * row), grid.stride()[:3] + (row, 1)
        )

    def at(
        self, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Even and odd features of n places, (n, .) as `features` counts them."""
        rows = time[:, None] + torch.arange(self.frames, device=time.device)
        index = (batch[:, None], channel[:, None], rows, frequency[:, None])
        even, odd = (
            self.even[index].flatten(1),
            self.odd[index].flatten(1).view(len(time), self.size, 2),
        )
        amplitude, polarity = odd.unbind(2)
        peak = amplitude.abs().amax(1, keepdim=True)
        if not self.wiener:
            return even, torch.cat([amplitude / (peak + 1e-3), polarity], 1)
        if self.estimate is None:
            size = estimate_size(self.wiener, self.even.shape[1])
            return F.pad(even, (0, 3 * size)), F.pad(
                torch.cat([amplitude / (peak + 1e-3), polarity], 1), (0, size)
            )
        rows = time[:, None] + torch.arange(2 * self.wiener[0] + 1, device=time.device)
        around = (
            self.estimate[batch[:, None], channel[:, None], rows, frequency[:, None]]
            .flatten(1)
            .unflatten(1, (-1, 4))
        )
        root, levels = around[..., 0], around[..., 1:].transpose(1, 2).flatten(1)
        peak = torch.maximum(peak, root.abs().amax(1, keepdim=True)) + 1e-3
        return torch.cat([even, levels], 1), torch.cat([amplitude / peak, polarity, root / peak], 1)

    def belief(self, *place: Tensor) -> Belief | None:
        """The Wiener estimate of n places, float32; None where there is none."""
        if not self.wiener or self.estimate is None:
            return None
        level = self.state.velocity[place]
        amplitude = level_amplitude(level, self.space) * (
            self.state.velocity_known[place] & (level > 0)
        )
        return Belief(
            self.state.estimate[place].float(),
            self.state.spread[place].float(),
            self.state.blind[place].float(),
            amplitude,
        )


def estimate_size(reach: tuple[int, int] | None, channels: int) -> int:
    """How many places of the Wiener estimate the decoder sees around an atom."""
    return (2 * reach[0] + 1) * (2 * reach[1] + 1) * channels if reach else 0


def gelu(x: Tensor) -> Tensor:
    """The activation, in its approximation by tanh."""
    return F.gelu(x, approximate="tanh")


class Decoder(nn.Module):
    """Heads for velocity and sign, and the vector that a pointer looks for."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        size = (2 * config.reach[0] + 1) * (2 * config.reach[1] + 1) * config.space.channels
        estimate = estimate_size(config.wiener, config.space.channels)
        h = config.hidden
        self.frequency = nn.Embedding(config.space.hop, 16)
        self.channel = nn.Embedding(config.space.channels, 2)
        even = [2 * size + 3 * estimate + 16 + 2 + config.slot + 2] + [h] * (config.depth - 1)
        odd = [2 * size + estimate] + [h] * (config.depth - 1)
        self.even = nn.ModuleList(nn.Linear(n, h) for n in even)
        self.odd = nn.ModuleList(nn.Linear(n, h, bias=False) for n in odd)
        self.velocity, self.sign = nn.Linear(h, config.space.levels), nn.Linear(h, 1, bias=False)
        self.space = config.space
        if config.wiener:  # log of the belief's width, its weight for the level and for the sign, and how much the width is the prior's
            self.trust = nn.Linear(h, 4)
        nn.init.normal_(self.frequency.weight, std=0.3)

    def forward(
        self,
        around: tuple[Tensor, Tensor],
        channel: Tensor,
        frequency: Tensor,
        slot: Tensor,
        envelope: Tensor,
        belief: Belief | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode n atoms.

        around    even and odd features of their neighbourhoods
        slot      (n, slot) what the Transformer says about the atom; envelope (n, 2) what it says about its cell and channel
        belief    what Wiener interpolation says about it
        Returns velocity logits (n, levels), sign logits (n,), and even vectors (n, hidden).
        """
        even, odd = around
        h = torch.cat(
            [
                even,
                self.frequency(frequency).to(even.dtype),
                self.channel(channel).to(even.dtype),
                slot.to(even.dtype),
                envelope.to(even.dtype),
            ],
            1,
        )
        polar = odd.any(1).nonzero().squeeze(1)
        o = odd[polar]
        for to_even, to_odd in zip(self.even, self.odd):
            bias, u = to_even(h), to_odd(o)
            some = bias[polar]
            plus, minus = gelu(some + u), gelu(some - u)
            h, o = (
                (
                    plus + minus
                    if len(polar) == len(bias)
                    else (2 * gelu(bias)).index_copy(0, polar, plus + minus)
                ),
                plus - minus,
            )
        velocity, sign = self.velocity(h), self.sign(o).squeeze(1)
        sign = sign.new_zeros(len(h)).index_copy(0, polar, sign)
        if belief is not None:
            trust = self.trust(h).float()
            has = torch.maximum(belief.spread, belief.blind) > 0
            width = belief.width(trust[:, 3], trust[:, 0])
            velocity = velocity + torch.where(has, trust[:, 1], 0)[:, None] * belief.levels(
                width, self.space
            )
            sign = sign + torch.where(has, trust[:, 2], 0) * belief.sign(width)
        return velocity, sign, h
