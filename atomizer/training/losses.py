"""Losses: what the model is asked, and what it is told."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..model import AtomTransformer
from ..model.gaussian import level_amplitude, velocity_floor
from .masking import Batch

LOUD_PART = 3  # one asked atom in so many is drawn by its loudness, for the signs
LOUD_SLOPE = 0.06  # the chance to be drawn so grows with the amplitude to the power of 0.52
WEIGHTS = {
    "velocity": 1.0,
    "sign": 1.0,
    "error": 0.5,
    "envelope": 10.0,
    "occupancy": 0.3,
    "pointer": 0.2,
}


class Losses(nn.Module):
    """forward(batch) -> the training loss and a dict of detached numbers; a module so that DDP can wrap it."""

    def __init__(self, model: AtomTransformer, asked: int = 16_000):
        super().__init__()
        self.model, self.asked = model, asked

    def forward(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, and its parts and what else was measured, as plain numbers; `generator` draws the atoms that are asked for."""
        model, state = self.model, batch.state
        space = model.config.space
        device = batch.velocity.device
        context = model.encode(state)
        places, uniform = self._ask(batch, generator)
        decoded = model.decode(context, *places)
        target_v, target_s = batch.velocity[places], batch.sign[places].float()
        zero = torch.zeros((), device=device)
        parts, report = {}, {}

        ask_v = uniform & ~state.velocity_known[places]
        nats = F.cross_entropy(decoded.velocity.float(), target_v, reduction="none")
        parts["velocity"] = nats[ask_v].mean() if ask_v.any() else zero
        audible = ask_v & (target_v > 0)
        if audible.any():
            report["excess_nats"] = float(nats[audible].mean().detach()) - velocity_floor(
                space.step_db
            )

        ask_s = (target_v > 0) & ~state.sign_known[places]
        logistic = F.binary_cross_entropy_with_logits(
            decoded.sign.float(), target_s, reduction="none"
        )
        # louder signs count more: by weight among those drawn evenly, by number among the rest, but never by both, which would leave
        # a few hundred atoms to learn from
        weight = (10 ** ((target_v - space.levels) * space.step_db * 0.035) + 0.02) * (
            ask_s & uniform
        )
        loud = ask_s & ~uniform
        parts["sign"] = 0.5 * (logistic * weight).sum() / (weight.sum() + 1e-6) + 0.5 * (
            logistic * loud
        ).sum() / (loud.sum() + 1e-6)
        ask_s &= uniform
        if ask_s.sum() > 50:
            right = ((decoded.sign > 0) == (target_s > 0))[ask_s].float()
            loudest = target_v[ask_s].argsort(descending=True)
            for percent in (2, 10):
                report[f"sign_{percent}"] = float(
                    right[loudest[: max(1, len(loudest) * percent // 100)]].mean()
                )

        parts["error"] = self._error(batch, places, decoded)
        parts["envelope"], parts["occupancy"] = self._envelope(batch, context)
        parts["pointer"] = (
            self._pointer(batch, context, report) if state.unplaced is not None else zero
        )
        loss = sum((WEIGHTS[name] * part for name, part in parts.items()), zero)
        return loss, {**{k: float(v.detach()) for k, v in parts.items()}, **report}

    def _ask(
        self, batch: Batch, generator: torch.Generator | None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Places to decode, (b, c, t, f), and which of them were drawn evenly; the rest are loud ones, for the signs."""
        places = batch.ask.nonzero()
        if not len(places):
            places = batch.state.present.nonzero()[:1]
        even = torch.randint(
            len(places), (self.asked - self.asked // LOUD_PART,), generator=generator
        ).to(places.device)
        level = batch.velocity[places.unbind(1)]
        weight = torch.exp(LOUD_SLOPE * (level - level.max()).float())
        if len(weight) > 1 << 22:  # multinomial takes up to 2^24 categories
            keep = torch.randint(len(weight), (1 << 22,), device=weight.device)
            loud = keep[torch.multinomial(weight[keep], self.asked // LOUD_PART, replacement=True)]
        else:
            loud = torch.multinomial(weight, self.asked // LOUD_PART, replacement=True)
        index = torch.cat([even, loud])
        uniform = torch.arange(len(index), device=index.device) < len(even)
        return places[index].unbind(1), uniform

    def _error(self, batch: Batch, places: tuple[Tensor, ...], decoded) -> Tensor:
        """Energy of the error of the expected signed amplitudes over that of the true ones, a mean over windows. Cross-entropy alone
        blurs the levels of partials, which linear prediction has almost exactly."""
        state, space = batch.state, self.model.config.space
        amplitude = level_amplitude(torch.arange(space.levels, device=batch.velocity.device), space)
        amplitude[0] = 0
        velocity, sign = batch.velocity[places], batch.sign[places]
        magnitude = torch.where(
            state.velocity_known[places],
            amplitude[velocity],
            decoded.velocity.float().softmax(1) @ amplitude,
        )
        direction = torch.where(
            state.sign_known[places], 2.0 * sign - 1, 2 * decoded.sign.float().sigmoid() - 1
        )
        true = amplitude[velocity] * (2.0 * sign - 1)
        sums = torch.zeros(2, len(batch.task), device=true.device)
        energy = sums[0].index_add(0, places[0], true.square())
        error = sums[1].index_add(0, places[0], (magnitude * direction - true).square())
        return (error / energy.clamp(min=1e-12)).clamp(max=4)[energy > 1e-12].sum() / len(
            batch.task
        )

    def _envelope(self, batch: Batch, context) -> tuple[Tensor, Tensor]:
        """Mean level of the unknown audible atoms of every cell and channel, and their share of the unknown ones."""
        cells, slots_per_channel = (
            self.model.cells,
            self.model.config.cell[0] * self.model.config.cell[1],
        )
        rows = context.index[..., None].expand(-1, -1, self.model.config.slots)
        split = lambda x: (
            cells.split(x).gather(1, rows).unflatten(-1, (slots_per_channel, -1)).transpose(2, 3)
        )  # (B, L, C, n)
        ask = split(batch.ask & ~batch.state.velocity_known)
        level = split(batch.velocity)
        loud = ask & (level > 0)
        envelope = context.envelope[:, :-1].float()
        has, some = loud.sum(-1), ask.sum(-1)
        mean = (level * loud).sum(-1) / has.clamp(min=1) / 32
        squared = (envelope[..., 0] - mean) ** 2 * (has > 0)
        share = has / some.clamp(min=1)
        entropy = F.binary_cross_entropy_with_logits(envelope[..., 1], share, reduction="none") * (
            some > 0
        )
        return squared.sum() / (has > 0).sum().clamp(min=1), entropy.sum() / (some > 0).sum().clamp(
            min=1
        )

    def _pointer(self, batch: Batch, context, report: dict[str, float]) -> Tensor:
        """Cross-entropy of the true places of loose atoms among the unknown places that their known features allow."""
        loose_valid, loose, loose_place = (
            batch.state.unplaced_valid,
            batch.state.unplaced,
            batch.loose_place,
        )
        assert loose_valid is not None and loose is not None and loose_place is not None, (
            "no atom is loose"
        )
        losses, right = [], []
        cardinality = torch.tensor(
            [f.cardinality for f in self.model.config.space.features], device=batch.velocity.device
        )
        for b in loose_valid.any(1).nonzero().flatten().tolist():
            c, t, f = batch.state.unknown("velocity")[b].nonzero().unbind(1)
            valid = loose_valid[b]
            atoms, place = loose[b][valid], loose_place[b][valid]
            decoded = self.model.decode(context, torch.full_like(c, b), c, t, f)
            score = self.model.point(context.unplaced[b][valid], atoms, decoded)
            where = torch.stack([t, f, c], 1)
            fits = ((atoms[:, None, :3] == where) | (atoms[:, None, :3] == cardinality[:3])).all(-1)
            target = (place[:, None, 0] == c) & (place[:, None, 1] == t) & (place[:, None, 2] == f)
            target = target.float().argmax(1)
            score = score.masked_fill(~fits, -1e4)
            losses.append(F.cross_entropy(score, target, reduction="none"))
            right.append((score.argmax(1) == target).float())
        if not losses:
            return torch.zeros((), device=batch.velocity.device)
        report["pointer_right"] = float(torch.cat(right).mean())
        return torch.cat(losses).mean()
