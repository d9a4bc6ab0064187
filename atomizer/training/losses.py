"""Losses of the model's predictions on masked windows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import AtomTransformer
from ..model.atom_transformer import Decoded, Encoded
from ..model.gaussian import level_amplitude, velocity_floor
from .masking import Batch

LOUD_PART = 3  # one target in three is drawn by its loudness, for the signs
LOUD_SLOPE = 0.06  # the chance of such a draw grows with the amplitude to the power of 0.52
SIGN_SLOPE = 0.035  # in decades per dB: weight of louder signs among the uniformly drawn
MOST_CATEGORIES = 1 << 22  # of a multinomial draw; torch accepts up to 2^24
WEIGHTS = {
    "velocity": 1.0,
    "sign": 1.0,
    "error": 0.5,
    "envelope": 10.0,
    "occupancy": 0.3,
    "pointer": 0.2,
}

Positions = tuple[Tensor, Tensor, Tensor, Tensor]  # window, channel, frame and bin, each (n,)
Report = dict[str, float]


class Losses(nn.Module):
    """forward(batch) -> the training loss and measurements; a module so that DDP can wrap it."""

    def __init__(self, model: AtomTransformer, n_targets: int = 16_000):
        super().__init__()
        self.model, self.n_targets = model, n_targets

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Report]:
        """Return the loss of a batch, and its parts and other measurements as plain numbers.

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
        return loss, {**{k: float(v.detach()) for k, v in parts.items()}, **report}

    def _draw_targets(
        self, batch: Batch, generator: torch.Generator | None
    ) -> tuple[Positions, Tensor]:
        """Positions of n targets, and (n,) bool: drawn uniformly, or else by loudness."""
        positions = batch.target_mask.nonzero()
        if not len(positions):
            positions = batch.state.present.nonzero()[:1]
        n_loud = self.n_targets // LOUD_PART
        size = (self.n_targets - n_loud,)
        uniform = torch.randint(len(positions), size, generator=generator).to(positions.device)
        level = batch.velocity[positions.unbind(1)]
        weight = torch.exp(LOUD_SLOPE * (level - level.max()).float())
        if len(weight) > MOST_CATEGORIES:
            keep = torch.randint(len(weight), (MOST_CATEGORIES,), device=weight.device)
            loud = keep[torch.multinomial(weight[keep], n_loud, replacement=True)]
        else:
            loud = torch.multinomial(weight, n_loud, replacement=True)
        index = torch.cat([uniform, loud])
        b, c, t, f = positions[index].unbind(1)
        return (b, c, t, f), torch.arange(len(index), device=index.device) < len(uniform)

    def _velocity(
        self, batch: Batch, positions: Positions, uniform: Tensor, decoded: Decoded, report: Report
    ) -> Tensor:
        """Cross-entropy of the unknown levels among the uniformly drawn targets."""
        velocity = batch.velocity[positions]
        nats = F.cross_entropy(decoded.velocity.float(), velocity, reduction="none")
        target = uniform & ~batch.state.velocity_known[positions]
        audible = target & (velocity > 0)
        if audible.any():
            floor = velocity_floor(self.model.config.space.step_db)
            report["excess_nats"] = float(nats[audible].mean().detach()) - floor
        return nats[target].mean() if target.any() else nats.new_zeros(())

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
        if target.sum() > 50:
            right = ((decoded.sign > 0) == (sign > 0))[target].float()
            loudest = velocity[target].argsort(descending=True)
            for percent in (2, 10):
                count = max(1, len(loudest) * percent // 100)
                report[f"sign_{percent}"] = float(right[loudest[:count]].mean())
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
        return ratio[energy > 1e-12].sum() / len(batch.task)

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
        squared = (envelope[..., 0] - mean) ** 2 * (n_audible > 0)
        share = n_audible / n_targets.clamp(min=1)
        nats = F.binary_cross_entropy_with_logits(envelope[..., 1], share, reduction="none")
        nats = nats * (n_targets > 0)
        return (
            squared.sum() / (n_audible > 0).sum().clamp(min=1),
            nats.sum() / (n_targets > 0).sum().clamp(min=1),
        )

    def _pointer(self, batch: Batch, encoded: Encoded, report: Report) -> Tensor:
        """Cross-entropy of the true positions of unplaced atoms.

        The softmax is over the unknown positions that agree with an atom's known features.
        """
        state, true_positions = batch.state, batch.unplaced_position
        if state.unplaced is None or state.unplaced_valid is None or true_positions is None:
            return torch.zeros((), device=batch.velocity.device)
        losses, right = [], []
        for b in state.unplaced_valid.any(1).nonzero().flatten().tolist():
            valid = state.unplaced_valid[b]
            atoms, true = state.unplaced[b][valid], true_positions[b][valid]
            free = state.unknown("velocity")[b].nonzero()
            decoded = self.model.decode(encoded, torch.full_like(free[:, 0], b), *free.unbind(1))
            score = self.model.point(encoded.unplaced[b][valid], atoms, decoded)
            score = score.masked_fill(~self._fits(atoms, free), -1e4)
            target = (true[:, None] == free).all(-1).float().argmax(1)
            losses.append(F.cross_entropy(score, target, reduction="none"))
            right.append((score.argmax(1) == target).float())
        if not losses:
            return torch.zeros((), device=batch.velocity.device)
        report["pointer_right"] = float(torch.cat(right).mean())
        return torch.cat(losses).mean()

    def _fits(self, atoms: Tensor, positions: Tensor) -> Tensor:
        """(K, n) bool: which of n positions (n, 3) agree with the known features of K atoms."""
        unknown = [f.cardinality for f in self.model.config.space.features[:3]]
        c, t, f = positions.unbind(1)
        located = atoms[:, None, :3]
        same = located == torch.stack([t, f, c], 1)
        return (same | (located == torch.tensor(unknown, device=atoms.device))).all(-1)
