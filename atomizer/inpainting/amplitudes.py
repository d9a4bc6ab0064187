"""Texture: levels that share what the model is unsure of, with the unevenness of noise or of the sound itself.

What a model does not know of a level is mostly how loud its surroundings are, and this is the same for all of them. Levels drawn one by
one, each from its own distribution, differ from each other by that too, and sound rougher than the sound they are meant for. A texture
takes the mean of the predicted level in dB, and adds the unevenness of Gaussian noise, a chi-square variable whose standard deviation
is 9.6 dB, scaled down where the model is surer than that.

Highs are lent the unevenness, and the signs, of the octave below them, as bandwidth extension has done since spectral band replication
(Dietz et al. 2002): partials stay partials, attacks attacks, and the model says how loud all of it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, uniform_filter
from torch import Tensor

from ..priors.spectral_envelope import LOG_MEAN

if TYPE_CHECKING:
    from .state import Canvas, Window

DECIBELS = 10 / np.log(10)  # per neper of power
NOISE_DB = 9.64  # standard deviation of a Gaussian variable's level
AROUND = (
    3.0,
    1 / 8,
)  # frames and octaves, standard deviation: what is more even than this is the model's business, what is less is lent
QUIET_DB = -100.0  # below the loudest: quieter levels are as uneven as this one
NEAR = (3, 5)  # frames and bins over which it is told how much of a sound linear prediction has
_SILENCE_DB = 3.0  # how far below the quietest audible level the inaudible one counts


def lent(canvas: Canvas, window: Window, size: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Unevenness in dB and signs, 1 or 0, that a window's highs are lent, each (channels, size, F) and NaN elsewhere; None without any."""
    known = canvas.given[list(window.channels)].any(axis=(0, 1))
    cut = int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
    if not 2 <= cut < len(known) or not known[cut // 2 : cut].all():
        return None
    octave = slice(cut // 2, cut)
    level = canvas.cut(canvas.magnitude, window, size, 0)[..., octave]
    level = 20 * np.log10(np.maximum(level, canvas.loudest * 10 ** (QUIET_DB / 20)))
    # what lies beyond the sound's ends, or is unknown itself, has no level that others could stand out from
    there = canvas.cut(canvas.velocity_known, window, size, False)[..., octave]

    def around(x: np.ndarray) -> np.ndarray:
        return gaussian_filter(x, (0, AROUND[0], AROUND[1] * level.shape[2]), mode="nearest")

    uneven = level - around(level * there) / around(there.astype(np.float32)).clip(min=1e-6)
    positive = canvas.cut(canvas.positive, window, size, False)[..., octave]
    above = np.arange(cut, len(known))
    out = np.full((2, len(level), size, len(known)), np.nan, np.float32)
    for plane, source in zip(out, (uneven, positive)):
        plane[..., above] = np.where(there, source, np.nan)[..., (above - cut) % (cut - cut // 2)]
    return out[0], out[1]


def at(
    lent: tuple[np.ndarray, np.ndarray] | None,
    place: tuple[np.ndarray, ...],
    generator: torch.Generator,
) -> tuple[Tensor, np.ndarray]:
    """Unevenness (n,) in dB and signs (n,) of places: what is lent to them, else noise, and NaN for a sign that is not lent."""
    noise = torch.randn(len(place[0]), generator=generator).abs().clamp(min=1e-6)
    noise = 20 * torch.log10(noise) + LOG_MEAN * DECIBELS
    if lent is None:
        return noise, np.full(len(noise), np.nan, np.float32)
    uneven, positive = (torch.from_numpy(plane[place]) for plane in lent)
    return torch.where(uneven.isnan(), noise, uneven), positive.numpy()


def foretold(estimate: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(channels, T, F) share of the power, 0 to 1, that a Wiener estimate has of what its prior expects: near 1 inside of a partial that
    runs through a hole, 0 where nothing can be predicted, or nothing is to be."""

    def around(x: np.ndarray) -> np.ndarray:
        return uniform_filter(np.square(x, dtype=np.float32), (0, *NEAR))

    return np.clip(around(estimate) / (around(np.where(estimate != 0, spread, 0)) + 1e-20), 0, 1)


def magnitude(
    velocity: Tensor,
    scale: Tensor,
    unevenness: Tensor,
    highest: Tensor,
    blind: Tensor | None = None,
    steady: tuple[Tensor | float, float] = (0.0, 0.0),
    hush: float = 1.0,
) -> Tensor:
    """Magnitudes (n,) of atoms: the mean of the predicted level, and its unevenness where the prediction is no surer than noise.

    velocity    (n, levels) logits, scale (levels,) amplitude of every level, 0 for the inaudible one
    unevenness  (n,) dB about the mean
    highest     (n,) the largest magnitudes that are accepted
    blind       (n,) deviations of noise with interpolated levels, 0 where there is none
    steady      their share in the mean, one or (n,), and the dB by which such a mean is raised
    hush        atoms that are inaudible with more than this probability are silent
    """
    probability = velocity.softmax(1)
    decibels = 20 * torch.log10(scale.clamp(min=1e-30))
    decibels[0] = decibels[1] - _SILENCE_DB
    mean = probability @ decibels
    deviation = (probability @ decibels.square() - mean.square()).clamp(min=0).sqrt()
    if blind is not None:
        level = (20 * torch.log10(blind.clamp(min=1e-30)) - LOG_MEAN * DECIBELS).clamp(
            min=float(decibels[0])
        )
        share, lift = steady
        mean = torch.where(blind > 0, mean + share * (level - mean) + lift, mean)
    level = mean + unevenness * (deviation / NOISE_DB).clamp(max=1)
    loud = torch.minimum(10 ** (level / 20), highest)
    silent = level < decibels[0] + _SILENCE_DB / 2
    return torch.where(silent | (probability[:, 0] > hush), 0.0, loud)
