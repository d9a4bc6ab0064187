"""Losses of the model's predictions on masked windows."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import AtomTransformer
from ..model.atom_transformer import Decoded, Encoded
from ..model.gaussian import level_amplitude, velocity_floor
from ..priors.devices import constant, places, send
from .masking import Batch
from .regions import PLACEMENT

LOUD_PART = 3  # one target in three is drawn by its loudness, for the signs
LOUD_SLOPE = 0.06  # the chance of such a draw grows with the amplitude to the power of 0.52
SIGN_SLOPE = 0.035  # in decades per dB: weight of louder signs among the uniformly drawn
# of a window of placement that may be unknown: the largest region of `regions.PLACEMENT`
MOST_PLACES = max(frames * bins for frames, bins in PLACEMENT.values())  # per channel
# Mean level of the mean power of two Gaussian coefficients, relative to that of one of them
POWER_DB = 10 * math.log10(2)
POWER_SHARE = 0.97  # of audible atoms, from which on the mean level of these is that of all
WEIGHTS = {
    "velocity": 1.0,
    "sign": 1.0,
    "error": 0.5,
    "envelope": 10.0,
    "occupancy": 0.3,
    "pointer": 0.2,
}

Positions = tuple[Tensor, Tensor, Tensor, Tensor]  # window, channel, frame and bin, each (n,)
Report = dict[str, Tensor]  # measurements () on the device; NaN: none in this batch


class Losses(nn.Module):
    """forward(batch) -> the training loss and measurements; a module so that DDP can wrap it."""

    def __init__(self, model: AtomTransformer, n_targets: int = 16_000):
        super().__init__()
        self.model, self.n_targets = model, n_targets

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Report]:
        """Return the loss of a batch, and its parts and other measurements.

        Nothing is read back to the host, except the report by `plain`.

        `generator` draws the targets, the atoms whose predictions are compared with the truth.
        """
        encoded = self.model.encode(batch.state)
        positions, uniform = self._draw_targets(batch, generator)
        decoded = self.model.decode(encoded, *positions)
        parts: dict[str, Tensor] = {}
        report: Report = {}
        parts["velocity"] = self._velocity(batch, positions, uniform, decoded, report)
        parts["sign"] = self._sign(batch, positions, uniform, decoded, report)
        parts["error"] = self._error(batch, positions, decoded)
        parts["envelope"], parts["occupancy"] = self._envelope(batch, encoded)
        parts["pointer"] = self._pointer(batch, encoded, report)
        zero = torch.zeros((), device=batch.velocity.device)
        loss = sum((WEIGHTS[name] * part for name, part in parts.items()), zero)
        return loss, {**{k: v.detach() for k, v in parts.items()}, **report}

    def _draw_targets(
        self, batch: Batch, generator: torch.Generator | None
    ) -> tuple[Positions, Tensor]:
        """Positions of n targets, and (n,) bool: drawn uniformly, or else by loudness."""
        mask, level = batch.target_mask, batch.velocity
        mask = torch.where(mask.any(), mask, batch.state.present)
        n_loud = self.n_targets // LOUD_PART
        n_uniform = self.n_targets - n_loud
        loudest = torch.where(mask, level, 0).amax()
        loudness = torch.exp(LOUD_SLOPE * (level - loudest).float()) * mask
        chosen = [
            _draw(weight.flatten(), size, generator)
            for weight, size in ((mask.float(), n_uniform), (loudness, n_loud))
        ]
        b, c, t, f = places(torch.cat(chosen), mask.shape)
        return (b, c, t, f), torch.arange(self.n_targets, device=mask.device) < n_uniform

    def _velocity(
        self, batch: Batch, positions: Positions, uniform: Tensor, decoded: Decoded, report: Report
    ) -> Tensor:
        """Cross-entropy of the unknown levels among the uniformly drawn targets."""
        velocity = batch.velocity[positions]
        nats = F.cross_entropy(decoded.velocity.float(), velocity, reduction="none")
        target = uniform & ~batch.state.velocity_known[positions]
        audible = target & (velocity > 0)
        floor = velocity_floor(self.model.config.space.step_db)
        report["excess_nats"] = (nats.detach() * audible).sum() / audible.sum() - floor
        return (nats * target).sum() / target.sum().clamp(min=1)

    def _sign(
        self, batch: Batch, positions: Positions, uniform: Tensor, decoded: Decoded, report: Report
    ) -> Tensor:
        """Cross-entropy of the unknown signs of audible targets; louder ones count more.

        They count by weight among the uniformly drawn targets and by number among the rest, never
        by both: a few hundred atoms would then dominate the gradient.
        """
        space = self.model.config.space
        velocity, sign = batch.velocity[positions], batch.sign[positions].float()
        target = (velocity > 0) & ~batch.state.sign_known[positions]
        nats = F.binary_cross_entropy_with_logits(decoded.sign.float(), sign, reduction="none")
        weight = 10 ** ((velocity - space.levels) * space.step_db * SIGN_SLOPE) + 0.02
        weight = weight * (target & uniform)
        loud = target & ~uniform
        target = target & uniform
        right = ((decoded.sign > 0) == (sign > 0)).float()
        loudest = right[torch.where(target, velocity, -1).argsort(descending=True)]
        place, n_targets = torch.arange(len(right), device=right.device), target.sum()
        for percent in (2, 10):
            count = (n_targets * percent // 100).clamp(min=1)
            share = (loudest * (place < count)).sum() / count
            report[f"sign_{percent}"] = torch.where(n_targets > 50, share, torch.nan)
        return 0.5 * (nats * weight).sum() / (weight.sum() + 1e-6) + 0.5 * (nats * loud).sum() / (
            loud.sum() + 1e-6
        )

    def _error(self, batch: Batch, positions: Positions, decoded: Decoded) -> Tensor:
        """Energy of the error of expected signed amplitudes over that of the true ones.

        A mean over windows. Cross-entropy alone blurs the levels of partials, which linear
        prediction estimates almost exactly.
        """
        state, space = batch.state, self.model.config.space
        amplitude = level_amplitude(torch.arange(space.levels, device=batch.velocity.device), space)
        amplitude[0] = 0
        velocity, sign = batch.velocity[positions], 2.0 * batch.sign[positions] - 1
        expected = decoded.velocity.float().softmax(1) @ amplitude
        magnitude = torch.where(state.velocity_known[positions], amplitude[velocity], expected)
        expected_sign = 2 * decoded.sign.float().sigmoid() - 1
        direction = torch.where(state.sign_known[positions], sign, expected_sign)
        true = amplitude[velocity] * sign
        sums = torch.zeros(2, len(batch.task), device=true.device)
        energy = sums[0].index_add(0, positions[0], true.square())
        error = sums[1].index_add(0, positions[0], (magnitude * direction - true).square())
        ratio = (error / energy.clamp(min=1e-12)).clamp(max=4)
        return torch.where(energy > 1e-12, ratio, 0).sum() / len(batch.task)

    def _envelope(self, batch: Batch, encoded: Encoded) -> tuple[Tensor, Tensor]:
        """Losses of the mean level and of the share of audible atoms among the unknown ones.

        Both are means over cells and channels.
        """
        cells, config = self.model.cells, self.model.config
        atoms_per_channel = config.cell[0] * config.cell[1]
        rows = encoded.index[..., None].expand(-1, -1, config.slots)

        def split(x: Tensor) -> Tensor:
            """(B, C, T, F) -> (B, L, channels of a cell, atoms)."""
            atoms = cells.split(x).gather(1, rows)
            return atoms.unflatten(-1, (atoms_per_channel, -1)).transpose(2, 3)

        target = split(batch.target_mask & ~batch.state.velocity_known)
        level = split(batch.velocity)
        audible = target & (level > 0)
        envelope = encoded.envelope[:, :-1].float()
        n_audible, n_targets = audible.sum(-1), target.sum(-1)
        mean = (level * audible).sum(-1) / n_audible.clamp(min=1) / 32
        share = n_audible / n_targets.clamp(min=1)
        if batch.power_level is not None:
            power = split(batch.power_level) - POWER_DB / config.space.step_db
            power = (power * target).sum(-1) / n_targets.clamp(min=1) / 32
            mean = torch.where(share > POWER_SHARE, power, mean)
        nats = F.binary_cross_entropy_with_logits(envelope[..., 1], share, reduction="none")
        nats = nats * (n_targets > 0)
        squared = (envelope[..., 0] - mean) ** 2 * (n_audible > 0)
        return (
            squared.sum() / (n_audible > 0).sum().clamp(min=1),
            nats.sum() / (n_targets > 0).sum().clamp(min=1),
        )

    def _pointer(self, batch: Batch, encoded: Encoded, report: Report) -> Tensor:
        """Cross-entropy of the true positions of unplaced atoms.

        The softmax is over the unknown positions that agree with an atom's known features.
        """
        state, true_positions = batch.state, batch.unplaced_position
        none = torch.zeros((), device=batch.velocity.device)
        if state.unplaced is None or state.unplaced_valid is None or true_positions is None:
            return none
        total, right, count = none, none, none
        for b in (b for b, task in enumerate(batch.task) if task in PLACEMENT):
            valid, atoms, true = state.unplaced_valid[b], state.unplaced[b], true_positions[b]
            hidden = state.unknown("velocity")[b]
            size = min(len(hidden) * MOST_PLACES, hidden.numel())
            is_free, place = hidden.flatten().float().topk(size)
            free = torch.stack(places(place, hidden.shape), 1)
            decoded = self.model.decode(encoded, torch.full_like(place, b), *free.unbind(1))
            score = self.model.point(encoded.unplaced[b], atoms, decoded)
            score = score.masked_fill(~(self._fits(atoms, free) & (is_free > 0)), -1e4)
            target = (true[:, None] == free).all(-1).float().argmax(1)
            total = total + (F.cross_entropy(score, target, reduction="none") * valid).sum()
            right, count = right + ((score.argmax(1) == target) & valid).sum(), count + valid.sum()
        report["pointer_right"] = right / count
        return total / count.clamp(min=1)

    def _fits(self, atoms: Tensor, positions: Tensor) -> Tensor:
        """(K, n) bool: which of n positions (n, 3) agree with the known features of K atoms."""
        features = self.model.config.space.features[:3]
        unknown = constant(tuple(f.cardinality for f in features), atoms.device)
        c, t, f = positions.unbind(1)
        located = atoms[:, None, :3]
        same = located == torch.stack([t, f, c], 1)
        return (same | (located == unknown)).all(-1)


def _draw(weight: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    """(count,) indices, drawn with replacement in proportion to weights (n,) float.

    A draw of the generator, on the host, or of the device.
    """
    place = generator.device if generator else weight.device
    uniform = torch.rand(count, generator=generator, dtype=torch.float64, device=place)
    total = weight.double().cumsum(0)
    drawn = torch.searchsorted(total, send(uniform, weight.device) * total[-1], right=True)
    return drawn.clamp(max=len(weight) - 1)


def plain(report: Report) -> dict[str, float]:
    """Measurements as numbers, without those that a batch has not: waits for the device."""
    values = torch.stack([v.float() for v in report.values()]).tolist() if report else []
    return {k: v for k, v in zip(report, values) if v == v}
