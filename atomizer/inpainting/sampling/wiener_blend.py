"""How the Wiener estimate of amplitudes is combined with what the model draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...priors.interface import prediction_gain
from .state import FillState
from .windows import Window, crop

# How much the Wiener estimate is shrunk, in units of the prior's variance, in holes of time and
# among scattered atoms: an expected amplitude relies on it the more, the further it stands out from
# its prior. For partials the model's levels are too blurred (measured, dev/LOG.md).
WIENER_SHRINKAGE_IN_HOLES, WIENER_SHRINKAGE = 0.03, 0.3


@dataclass(frozen=True)
class WienerBlend:
    """How the Wiener estimate is combined with the model's amplitudes: offset + gain * amplitude.

    offset, gain  (channels, size, F) float32
    """

    offset: np.ndarray
    gain: np.ndarray

    def at(self, place: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Offsets and gains of n places, each (n,)."""
        return self.offset[place], self.gain[place]


def wiener_blend(
    state: FillState, window: Window, amplitudes: str, ceiling: np.ndarray
) -> WienerBlend | None:
    """Combine the Wiener estimate of a window with the model's amplitudes.

    An expected amplitude relies on the estimate the more, the further it stands out from its prior.
    The texture of a hole in time is added to the estimate, reduced by the share of the power that
    the estimate accounts for.

    ceiling  (channels, F) largest magnitude that is allowed
    Returns None where the estimate is not used.
    """
    if amplitudes == "expected":
        return _blend_with_expected(state, window, ceiling)
    if amplitudes == "texture":
        background = state.background_of(window)
        if state.preset.extend_partials or background is not None:
            return _blend_with_texture(state, window, ceiling, background)
    return None


def _blend_with_expected(state: FillState, window: Window, ceiling: np.ndarray) -> WienerBlend:
    """The blend by the distance of the estimate from zero, relative to its prior."""
    mean, std = _estimate(state, window, ceiling)
    frames = np.arange(window.start, window.start + window.size)
    distance = state.distance_to_context[frames.clip(0, len(state.distance_to_context) - 1)]
    in_hole, scattered = np.float32(WIENER_SHRINKAGE_IN_HOLES), np.float32(WIENER_SHRINKAGE)
    shrinkage = np.where(distance > 0, in_hole, scattered)[:, None]
    weight = mean**2 / (mean**2 + shrinkage * std**2 + 1e-20)
    return WienerBlend(weight * mean, 1 - weight)


def _blend_with_texture(
    state: FillState, window: Window, ceiling: np.ndarray, background: np.ndarray | None
) -> WienerBlend:
    """The blend in which a texture has the power that the estimate leaves to it."""
    mean, std = _estimate(state, window, ceiling)
    if background is not None:
        if not state.preset.extend_partials:
            mean = np.where(background != 0, mean, np.float32(0))
        std = std_of_whole(std, background, state.predictions(window)[1].std)
    gain = prediction_gain(mean, std)
    if state.background is not None:  # of a plain copy, which has the power of the truth
        gain = np.maximum(gain, crop(state.background.power_share, window, 0))
    return WienerBlend(mean, np.sqrt(1 - gain))


def _estimate(
    state: FillState, window: Window, ceiling: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean, within the ceiling, and standard deviation of the estimate, float32."""
    prediction, _ = state.predictions(window)
    limit = ceiling[:, None]
    mean = prediction.mean.astype(np.float32).clip(-limit, limit)
    return mean, prediction.std.astype(np.float32)


def std_of_whole(std: np.ndarray, background: np.ndarray, level_std: np.ndarray) -> np.ndarray:
    """Standard deviation of the sound itself, from that of its residual; arrays (C, T, F) float32.

    Where a window has no known atom of a band, the Wiener estimate gives none (0), and the level
    prior does: a background that is quieter than this level leaves room for a texture.
    """
    by_level = np.maximum(level_std.astype(np.float32), np.abs(background))
    return np.where(std > 0, np.hypot(std, background), by_level)
