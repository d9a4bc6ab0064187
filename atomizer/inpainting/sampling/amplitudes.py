"""Amplitudes: three ways to turn a model's prediction of level and sign into an amplitude.

Expected   the expected signed amplitude (2p - 1) E|a|: least error, less energy
Sampled    levels and signs drawn one by one
Textured   the mean predicted level with the fine structure of noise, or of the octave below

The uncertainty of a level is mostly about the loudness of its surroundings, and is the same for all
atoms around. Levels drawn one by one differ by that too, and sound rougher than the sound. A
texture takes the mean of the predicted level in dB and adds the fine structure of Gaussian noise, a
chi-square variable with a standard deviation of 9.6 dB, scaled down where the model is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...priors.highs.fine_structure import (
    FineStructure,
    first_patched_bin,
    gaussian_fine_structure,
    patch_fine_structure,
)
from ...priors.log_power import DB_PER_LOG_POWER, LOG_MEAN, NOISE_STD_DB, log_power
from ...priors.spectral_envelope import excess_variance
from ..settings import Resolved
from .state import FillState
from .windows import Window, crop

MODEL_STD_DB = 3.0  # error of the network's level of a steady sound
SILENCE_STEP_DB = 3.0  # distance of the inaudible level below the quietest audible one


@dataclass
class Targets:
    """n atoms of a window whose amplitudes are wanted.

    place    channel (index into the window's channels), frame of the window and bin, each (n,)
    frame    (n,) frame of the sound
    ceiling  (n,) largest magnitude that is allowed
    """

    place: tuple[np.ndarray, ...]
    frame: np.ndarray
    ceiling: Tensor

    @classmethod
    def at(cls, place: tuple[np.ndarray, ...], window: Window, ceiling: np.ndarray) -> Targets:
        """The targets at n places of a window; `ceiling` (channels, F) is that of its bins."""
        channel, frame, bin_ = place
        return cls(place, frame + window.start, torch.from_numpy(ceiling[channel, bin_]))

    def part(self, part: slice) -> Targets:
        """Some of the targets."""
        place = tuple(index[part] for index in self.place)
        return Targets(place, self.frame[part], self.ceiling[part])


@dataclass
class Draw:
    """What a strategy returns for n targets, each (n,).

    magnitude  magnitudes
    positive   probabilities of a positive sign, 0 or 1 where signs are drawn
    std        expected standard deviation of the amplitude, of textures only
    """

    magnitude: np.ndarray
    positive: np.ndarray
    std: np.ndarray | None = None


@dataclass
class Moments:
    """What a texture takes of the predictions of n targets, each (n,).

    mean_db  mean level in dB
    std_db   standard deviation of the level in dB
    silence  probability of the inaudible level
    sign     logits of the sign
    """

    mean_db: Tensor
    std_db: Tensor
    silence: Tensor
    sign: Tensor

    def map(self, function: Callable[[Tensor], Tensor]) -> Moments:
        """The moments with a function applied to each of them."""
        return Moments(*(function(getattr(self, f.name)) for f in fields(self)))

    @staticmethod
    def join(parts: Sequence[Moments]) -> Moments:
        """The moments of several lists of targets, one after the other."""
        return Moments(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Moments)))


class Amplitudes(Protocol):
    """A strategy, prepared for one window."""

    def draw(self, logits: Tensor, sign: Tensor, targets: Targets) -> Draw:
        """Magnitudes and signs of n targets.

        logits  (n, levels) of the velocity, sign (n,) logits of the sign
        """


class Expected:
    """The mean of magnitude and sign: least error."""

    def __init__(self, scale: Tensor):
        """`scale`: (levels,) amplitude of every level."""
        self.scale = scale

    def draw(self, logits: Tensor, sign: Tensor, targets: Targets) -> Draw:
        """See `Amplitudes.draw`."""
        return Draw((logits.softmax(1) @ self.scale).numpy(), sign.sigmoid().numpy())


class Sampled:
    """Levels and signs drawn one by one."""

    def __init__(self, scale: Tensor, settings: Resolved, generator: torch.Generator):
        self.scale, self.settings, self.generator = scale, settings, generator

    def draw(self, logits: Tensor, sign: Tensor, targets: Targets) -> Draw:
        """See `Amplitudes.draw`."""
        settings = self.settings
        positive = draw_sign(sign, settings.temperature, self.generator)
        level = draw_level(logits, settings.temperature, settings.nucleus, self.generator)
        return Draw(self.scale[level].numpy(), positive)


class Textured:
    """The mean predicted level, with the fine structure of noise or of the octave below."""

    def __init__(
        self,
        scale: Tensor,
        state: FillState,
        window: Window,
        settings: Resolved,
        generator: torch.Generator,
    ):
        self.scale, self.settings, self.generator = scale, settings, generator
        self.preset, self.distance = state.preset, state.distance_to_context
        self.fine = window_fine_structure(state, window)
        self.blend = envelope_blend(state, window)

    def draw(self, logits: Tensor, sign: Tensor, targets: Targets) -> Draw:
        """See `Amplitudes.draw`."""
        return self.draw_from(self.moments(logits, sign), targets)

    def moments(self, logits: Tensor, sign: Tensor) -> Moments:
        """The moments of logits (n, levels), (n,)."""
        probability = logits.softmax(1)
        return Moments(*level_moments(probability, self.scale), probability[:, 0], sign)

    def draw_from(self, moments: Moments, targets: Targets) -> Draw:
        """Magnitudes and signs of n targets with these moments."""
        positive, fine_db = self._fine_structure(moments.sign, targets)
        scale_of_fine = (moments.std_db / NOISE_STD_DB).clamp(max=1)
        drawn = self.settings.temperature * scale_of_fine
        mean_db, silent = self._levels(moments, targets, drawn)
        level = mean_db + self.settings.temperature * fine_db * scale_of_fine
        expected = mean_db + fine_structure_gain_db(scale_of_fine)
        magnitude, std = (
            magnitude_of(decibels, self.scale, targets.ceiling, silent).numpy()
            for decibels in (level, expected)
        )
        return Draw(magnitude, positive, std)

    def _fine_structure(self, sign: Tensor, targets: Targets) -> tuple[np.ndarray, Tensor]:
        """Signs, 1 or 0, and fine structure in dB, each (n,): patched ones where there are."""
        positive = draw_sign(sign, self.settings.temperature, self.generator)
        fine_db = gaussian_fine_structure(len(sign), self.generator)
        if self.fine is None:
            return positive, fine_db
        patched_db, patched_sign = self.fine.at(targets.place)
        fine_db = torch.where(patched_db.isnan(), fine_db, patched_db)
        return np.where(np.isnan(patched_sign.numpy()), positive, patched_sign.numpy()), fine_db

    def _levels(self, moments: Moments, targets: Targets, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Mean levels in dB, and which targets are silent (bool), each (n,).

        drawn  (n,) scale of the fine structure that is drawn
        """
        silent = moments.silence > self.preset.silence_threshold
        if self.blend is None:
            return moments.mean_db, silent
        std, own_weight, gain_db = self.blend.at(targets.place)
        weight = np.maximum(self.distance[targets.frame], own_weight)
        mean_db = blend_envelope(
            moments.mean_db,
            std,
            torch.from_numpy(weight),
            gain_db,
            fine_structure_gain_db(drawn),
            float(silence_db(self.scale)),
        )
        # an envelope that falls below the quietest audible level is not raised to it
        by_envelope = 20 * torch.log10(std + 1e-30) < silence_db(self.scale)
        if self.preset.continues_tilt:
            # a trusted tilt decides alone: the network lets highs of noise fall below it
            return mean_db, torch.where(torch.from_numpy(own_weight) < 0.5, silent, by_envelope)
        # an interpolated envelope adds silence to that of the network, which sees single pauses
        trusted = torch.from_numpy(weight) >= 0.5
        return mean_db, silent | (trusted & by_envelope & (std > 0))


def strategy_for(
    state: FillState,
    window: Window,
    scale: Tensor,
    settings: Resolved,
    generator: torch.Generator,
) -> Amplitudes:
    """The strategy that `settings.amplitudes` names, prepared for a window."""
    if settings.amplitudes == "expected":
        return Expected(scale)
    if settings.amplitudes == "sampled":
        return Sampled(scale, settings, generator)
    return Textured(scale, state, window, settings, generator)


def window_fine_structure(state: FillState, window: Window) -> FineStructure | None:
    """Fine structure to patch into a window; None without a cutoff and an octave below it."""
    cutoff = first_patched_bin(state.observed[list(window.channels)])
    if cutoff is None:
        return None
    return patch_fine_structure(
        crop(state.magnitude, window, 0),
        crop(state.positive, window, False),
        crop(state.velocity_known, window, False),
        cutoff,
        state.peak,
        window.start,
    )


@dataclass(frozen=True)
class EnvelopeBlend:
    """The envelope of a window, and how it is blended with the predicted levels.

    std      (channels, size, F) float32, standard deviations of a texture with the envelope
    weight   (channels, F) float32, of the envelope in the mean level, 0 to 1
    gain_db  (channels, F) float32, added where there is an envelope
    """

    std: np.ndarray
    weight: np.ndarray
    gain_db: np.ndarray

    def at(self, place: tuple[np.ndarray, ...]) -> tuple[Tensor, np.ndarray, Tensor]:
        """Standard deviations, weights and gains of n places, each (n,)."""
        channel, _, bin_ = place
        std, gain_db = self.std[place], self.gain_db[channel, bin_]
        return torch.from_numpy(std), self.weight[channel, bin_], torch.from_numpy(gain_db)


def envelope_blend(state: FillState, window: Window) -> EnvelopeBlend | None:
    """The blend of a window; None for presets that rely on the network alone."""
    if state.preset.envelope_weight is None:
        return None
    by = _blend_by_tilt if state.preset.continues_tilt else _blend_by_steadiness
    return EnvelopeBlend(state.texture_std(window), *by(state, window))


def _blend_by_tilt(state: FillState, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Weight and gain above a cutoff, where the envelope is a continued tilt.

    The weight is `FillState.tilt_weight`.
    """
    weight = state.tilt_weight[list(window.channels)]
    gain_db = np.zeros_like(weight)
    for row, channel in enumerate(window.channels):
        tilt = state.tilts[channel]
        if tilt is not None:
            gain_db[row] = weight[row] * tilt.gain_db
    return weight, gain_db


def _blend_by_steadiness(state: FillState, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Weight and gain of an envelope that is interpolated from the surroundings.

    Two estimates of a level are weighted by their precision: the network's has a standard deviation
    of `MODEL_STD_DB`, that of the envelope varies as much as the levels around the selection vary
    beyond the variance of steady noise. A log-normal level with a standard deviation of s dB has a
    mean power s^2 ln(10) / 20 dB above its median: nothing for a steady sound.
    """
    preset = state.preset
    least, most = preset.envelope_weight or 0.0, preset.envelope_gain_db
    shape = (len(window.channels), state.magnitude.shape[2])
    if not preset.has_surroundings:
        return np.full(shape, least, np.float32), np.full(shape, most, np.float32)
    excess = np.zeros(shape, np.float32)
    context = state.prior_context(window)
    if not state.is_in_pause(context):  # a pause alone gives its level
        log = log_power(context.wide_amplitude, context.peak)
        excess = excess_variance(log, context.wide_observed)
    weight = MODEL_STD_DB**2 / (MODEL_STD_DB**2 + excess)
    gain_db = excess * np.float32(np.log(10) / 20)
    return np.maximum(weight, np.float32(least)), np.minimum(gain_db, np.float32(most))


def fine_structure_gain_db(scale: Tensor) -> Tensor:
    """(n,) dB of the mean power of Gaussian fine structure, scaled by 0 to 1 in dB.

    Of 20 log10 |z|, z standard normal, plus LOG_MEAN: E |z|^2s = 2^s Gamma(s + 1/2) / sqrt(pi).
    """
    log = scale * np.log(2) + torch.lgamma(scale + 0.5) - np.log(np.pi) / 2 + scale * LOG_MEAN
    return (DB_PER_LOG_POWER * log).to(scale.dtype)


def silence_db(scale: Tensor) -> Tensor:
    """Level in dB at which the inaudible level counts: just below the quietest audible one."""
    return 20 * torch.log10(scale[1].clamp(min=1e-30)) - SILENCE_STEP_DB


def level_moments(probability: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation in dB, each (n,), of levels with probabilities (n, levels).

    scale  (levels,) amplitude of every level, 0 for the inaudible one
    """
    decibels = 20 * torch.log10(scale.clamp(min=1e-30))
    decibels[0] = silence_db(scale)
    mean = probability @ decibels
    variance = probability @ decibels.square() - mean.square()
    return mean, variance.clamp(min=0).sqrt()


def blend_envelope(
    mean_db: Tensor,
    envelope_std: Tensor,
    weight: Tensor,
    gain_db: Tensor | float,
    fine_gain_db: Tensor | float,
    floor_db: float,
) -> Tensor:
    """Blend the mean predicted level with the level of the spectral envelope; (n,) each.

    envelope_std  standard deviations of noise with the interpolated envelope, 0 where there is none
    gain_db       added where there is an envelope
    fine_gain_db  by how much the mean power of the texture is above its mean level
    floor_db      the envelope counts as at least this loud
    """
    level = 20 * torch.log10(envelope_std.clamp(min=1e-30)) - fine_gain_db
    level = level.clamp(min=floor_db)
    blended = mean_db + weight * (level - mean_db) + gain_db
    return torch.where(envelope_std > 0, blended, mean_db)


def magnitude_of(level_db: Tensor, scale: Tensor, ceiling: Tensor, silent: Tensor) -> Tensor:
    """Magnitudes (n,) of levels in dB, at most `ceiling`; zero where silent or inaudible."""
    loud = torch.minimum(10 ** (level_db / 20), ceiling)
    inaudible = level_db < silence_db(scale) + SILENCE_STEP_DB / 2
    return torch.where(inaudible | silent, 0.0, loud)


def draw_sign(sign: Tensor, temperature: float, generator: torch.Generator) -> np.ndarray:
    """(n,) 1 or 0: signs drawn from logits (n,)."""
    chance = torch.rand(len(sign), generator=generator)
    return (chance < (sign / max(temperature, 1e-3)).sigmoid()).float().numpy()


def draw_level(
    logits: Tensor, temperature: float, nucleus: float, generator: torch.Generator
) -> Tensor:
    """(n, levels) logits -> (n,) levels, drawn from the nucleus.

    The nucleus is the smallest set of the most likely values that hold this probability. At
    temperature 0 the most likely value is taken. Source: Holtzman et al. 2020, "The curious case of
    neural text degeneration".
    """
    if temperature <= 0:
        return logits.argmax(1)
    probability = (logits / temperature).softmax(1)
    if nucleus < 1:
        ranked, values = probability.sort(1, descending=True)
        ranked = torch.where(ranked.cumsum(1) - ranked < nucleus, ranked, 0)
        probability = torch.zeros_like(probability).scatter_(1, values, ranked)
    # one uniform number per atom, inverted through the cumulative sum: on a CPU much faster than
    # torch.multinomial
    total = probability.cumsum(1)
    chance = torch.rand(len(logits), 1, generator=generator) * total[:, -1:]
    return (total <= chance).sum(1).clamp(max=logits.shape[1] - 1)
