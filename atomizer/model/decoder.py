"""The decoder: one atom's velocity and sign from the Transformer's vectors and its neighbourhood.

It is exactly equivariant to polarity. Every layer carries an even stream h, which is invariant to
a flip of all signs in the neighbourhood, and an odd stream o, which changes its sign:

    u = W o,  b = V h + bias,   o' = gelu(b + u) - gelu(b - u),   h' = gelu(b + u) + gelu(b - u)

GELU is the exact one: its approximation by tanh takes CPUs four times as long.

Where no sign is known nearby, as in most of a lost band, o stays zero and is not computed.

The velocity is a function of the even stream, the sign of the odd one. With a Wiener estimate,
both add what it implies: a Gaussian prior of the amplitude (`gaussian.py`), whose standard
deviation and weights are functions of the even stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..atoms.space import AtomSpace
from ..priors.devices import may_wait
from .config import ModelConfig
from .gaussian import GaussianPrior, level_amplitude
from .state import State


class Neighbourhood:
    """Known levels, amplitudes and priors around every position of a batch of windows.

    The planes are stored as rows along frequency, so that a row is one contiguous read.
    """

    def __init__(self, state: State, config: ModelConfig, dtype: torch.dtype):
        rt, rf = config.reach
        levels, channels = config.space.levels, config.space.channels
        known = (state.velocity_known & state.present).to(dtype)
        level = (state.velocity.to(dtype) - levels / 2) * (3 / levels) * known
        polarity = (2 * state.sign - 1).to(dtype) * (state.sign_known & state.present)
        # the square root of amplitudes: loud neighbours would hide quiet ones on a linear scale
        root = 10 ** ((state.velocity - levels).float() * (config.space.step_db / 40))
        amplitude = root.to(dtype) * polarity * known * (state.velocity > 0)
        audible = polarity * ~state.inaudible  # the sign alone, also where the level is unknown
        self.even, self.odd = (
            _rows(planes, rt, rf) for planes in ((level, known), (amplitude, audible))
        )
        self.frames, self.size = 2 * rt + 1, (2 * rt + 1) * (2 * rf + 1) * channels
        self.wiener, self.state, self.space = config.wiener, state, config.space
        self.estimate = (
            _estimate_rows(state, config.space, config.wiener, dtype) if config.wiener else None
        )

    def features(
        self, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(n, even) and (n, odd) inputs of the decoder around n positions, all indices (n,)."""
        rows = time[:, None] + torch.arange(self.frames, device=time.device)
        index = (batch[:, None], channel[:, None], rows, frequency[:, None])
        even = self.even[index].flatten(1)
        amplitude, polarity = self.odd[index].flatten(1).view(len(time), self.size, 2).unbind(2)
        peak = amplitude.abs().amax(1, keepdim=True)
        if not self.wiener:
            return even, torch.cat([amplitude / (peak + 1e-3), polarity], 1)
        if self.estimate is None:
            size = estimate_size(self.wiener, self.even.shape[1])
            odd = torch.cat([amplitude / (peak + 1e-3), polarity], 1)
            return F.pad(even, (0, 3 * size)), F.pad(odd, (0, size))
        rows = time[:, None] + torch.arange(2 * self.wiener[0] + 1, device=time.device)
        index = (batch[:, None], channel[:, None], rows, frequency[:, None])
        nearby = self.estimate[index].flatten(1).unflatten(1, (-1, 4))
        root, levels = nearby[..., 0], nearby[..., 1:].transpose(1, 2).flatten(1)
        peak = torch.maximum(peak, root.abs().amax(1, keepdim=True)) + 1e-3
        return torch.cat([even, levels], 1), torch.cat([amplitude / peak, polarity, root / peak], 1)

    def prior(
        self, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> GaussianPrior | None:
        """Gaussian priors of n positions, float32; None without a Wiener estimate."""
        state = self.state
        if self.estimate is None or state.estimate is None:
            return None
        assert state.prior_std is not None and state.envelope_std is not None
        index = (batch, channel, time, frequency)
        level = state.velocity[index]
        known = state.velocity_known[index] & (level > 0)
        return GaussianPrior(
            state.estimate[index].float(),
            state.prior_std[index].float(),
            state.envelope_std[index].float(),
            level_amplitude(level, self.space) * known,
        )


def _estimate_rows(
    state: State, space: AtomSpace, reach: tuple[int, int], dtype: torch.dtype
) -> Tensor | None:
    """(B, C, T + 2 rt, F, .) rows of the Wiener estimate; None for a state without one.

    Four planes: the signed root of the estimate, its level, the level of `prior_std` and that of
    `envelope_std`, each zero without an estimate.
    """
    if state.estimate is None:
        return None
    assert state.prior_std is not None and state.envelope_std is not None

    def level(amplitude: Tensor) -> Tensor:
        decibels = 20 * torch.log10(amplitude.abs() + 1e-12) - space.headroom_db
        return (decibels / space.step_db + space.levels - 1).clamp(0, space.levels - 1)

    height = level(state.estimate)
    root = 10 ** ((height - space.levels) * (space.step_db / 40))
    planes = (
        root * state.estimate.sign() * (height > 0),
        height * (1.5 / space.levels),
        level(state.prior_std) * (1.5 / space.levels),
        level(state.envelope_std) * (1.5 / space.levels),
    )
    return _rows(tuple(plane.to(dtype) for plane in planes), *reach)


def _rows(planes: tuple[Tensor, ...], rt: int, rf: int) -> Tensor:
    """(B, C, T + 2 rt, F, (2 rf + 1) * C * planes) view: neighbours, own channel first."""
    channels = planes[0].shape[1]
    own_first = [[(own + k) % channels for k in range(channels)] for own in range(channels)]
    grid = torch.stack(
        [torch.stack([p[:, c] for c in order for p in planes], -1) for order in own_first], 1
    )
    grid = F.pad(grid, (0, 0, rf, rf, rt, rt))
    b, c, t, f, row = grid.shape
    return grid.as_strided((b, c, t, f - 2 * rf, (2 * rf + 1) * row), grid.stride()[:3] + (row, 1))


def estimate_size(reach: tuple[int, int] | None, channels: int) -> int:
    """Number of positions of the Wiener estimate that the decoder sees around an atom."""
    return (2 * reach[0] + 1) * (2 * reach[1] + 1) * channels if reach else 0


class Decoder(nn.Module):
    """Heads for velocity and sign, and the vectors that unplaced atoms are matched with.

    The names of the submodules are the state_dict keys of trained checkpoints.
    """

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
        if config.wiener:
            # log gain of the prior's standard deviation, weight of the prior for the level and for
            # the sign, and the weight of `prior_std` against `envelope_std`
            self.trust = nn.Linear(h, 4)
        nn.init.normal_(self.frequency.weight, std=0.3)

    def forward(
        self,
        neighbourhood: tuple[Tensor, Tensor],
        position: tuple[Tensor, Tensor],
        slot: Tensor,
        envelope: Tensor,
        prior: GaussianPrior | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode n atoms to velocity logits (n, levels), sign logits (n,) and vectors (n, hidden).

        neighbourhood  even and odd features, see `Neighbourhood.features`
        position       channel (n,) and frequency (n,)
        slot           (n, slot) the Transformer's vector of the atom
        envelope       (n, 2) the Transformer's prediction for the atom's cell and channel
        prior          Gaussian priors of the n amplitudes
        """
        even, odd = neighbourhood
        channel, frequency = position
        parts = (self.frequency(frequency), self.channel(channel), slot, envelope)
        h = torch.cat([even, *(part.to(even.dtype) for part in parts)], 1)
        every = torch.arange(len(odd), device=odd.device)
        polar = odd.any(1).nonzero().squeeze(1) if may_wait(odd) else every
        o = odd[polar]
        for to_even, to_odd in zip(self.even, self.odd):
            h, o = self._layer(to_even(h), to_odd(o), polar)
        velocity, sign = self.velocity(h), self.sign(o).squeeze(1)
        sign = sign.new_zeros(len(h)).index_copy(0, polar, sign)
        if prior is not None:
            log_gain, level_weight, sign_weight, prior_weight = self.trust(h).float().unbind(1)
            informed = torch.maximum(prior.prior_std, prior.envelope_std) > 0
            std = prior.std(prior_weight, log_gain)
            level_weight = torch.where(informed, level_weight, 0)[:, None]
            velocity = velocity + level_weight * prior.level_log_density(std, self.space)
            sign = sign + torch.where(informed, sign_weight, 0) * prior.sign_logit(std)
        return velocity, sign, h

    @staticmethod
    def _layer(bias: Tensor, u: Tensor, polar: Tensor) -> tuple[Tensor, Tensor]:
        """One layer: even stream (n, hidden), and odd stream of the m `polar` rows (m, hidden)."""
        is_all = len(polar) == len(bias)
        some = bias if is_all else bias[polar]
        plus, minus = F.gelu(some + u), F.gelu(some - u)
        if is_all:
            return plus + minus, plus - minus
        return (2 * F.gelu(bias)).index_copy(0, polar, plus + minus), plus - minus
