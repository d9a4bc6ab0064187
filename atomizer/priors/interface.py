"""The interface of a prior: from the known atoms of a window to a prediction of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.ndimage import uniform_filter

from ..atoms.space import AtomSpace

if TYPE_CHECKING:
    from .edge_levels import EdgeLevels

GAIN_KERNEL = (3, 5)  # frames and bins


@dataclass(frozen=True)
class PriorContext:
    """Known atoms of a window and of its surroundings. Shapes: C channels, T frames, F bins.

    Attributes
    ----------
    amplitude : (C, T, F) float32
        Signed amplitudes; zero where unknown.
    observed : (C, T, F) bool
        True where the atom is known from the start, and outside of the sound.
    space : AtomSpace
        Rate, hop and window of the transform.
    peak : float
        Largest known magnitude of the whole sound.
    wide_amplitude, wide_observed : (C, W, F)
        The same for a longer stretch of the sound around the window.
    offset : int
        First frame of the window, counted in frames of the longer stretch; may be negative.
    magnitude_bound : (C, T, F) float32 or None
        Magnitudes of all atoms where only signs are unknown.
    threshold : float or None
        Magnitude below which all unknown atoms lie; None where that is not known.
    use_band_context : bool
        Whether levels are interpolated over the longer stretch (boxes) or over the window alone.
    edges : EdgeLevels or None
        Levels at the edges of holes in time, of the window's channels; None where the selection is
        no hole or continuation.
    frames, distance : (T,)
        Frames of the sound that the window consists of, and their distance to known ones, 0 to 1.
    inside : (int, int) or None
        First frame of the window that lies within the sound, and the one after the last; None: all
        do. Silence beyond the ends says nothing about levels.
    """

    amplitude: np.ndarray
    observed: np.ndarray
    space: AtomSpace
    peak: float
    wide_amplitude: np.ndarray
    wide_observed: np.ndarray
    offset: int
    magnitude_bound: np.ndarray | None = None
    threshold: float | None = None
    use_band_context: bool = False
    edges: EdgeLevels | None = None
    frames: np.ndarray | None = None
    distance: np.ndarray | None = None
    inside: tuple[int, int] | None = None


@dataclass(frozen=True)
class Prediction:
    """A Gaussian prediction of the unknown atoms of a window; arrays (C, T, F) float32.

    Attributes
    ----------
    mean
        Predicted signed amplitude; zero where nothing is predicted. At observed atoms: what the
        same prediction says there, or zero; it is subtracted before the next prior.
    std
        Standard deviation of the amplitude under the prior, before the mean was found; zero where
        the prior gives none.
    """

    mean: np.ndarray
    std: np.ndarray

    @property
    def confidence(self) -> np.ndarray:
        """Share of the expected power that the mean accounts for, 0 to 1; (C, T, F) float32."""
        return prediction_gain(self.mean, self.std)


class Prior(Protocol):
    """What `registry.py` lists."""

    name: str

    def predict(self, context: PriorContext) -> Prediction | None:
        """Predict the unknown atoms of a window; None where the known atoms say nothing."""


def bound_by_level(plane: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Reduce amplitudes that are louder than the level prior predicts; arrays (C, T, F).

    The windows of linear prediction are long: they smear an attack into the pause before it.

    plane  amplitudes or standard deviations; std  standard deviations under the level prior
    """
    return plane * np.minimum(1, np.sqrt(_local_power(std) / (_local_power(plane) + 1e-30)))


def _local_power(x: np.ndarray) -> np.ndarray:
    """Power averaged over `GAIN_KERNEL`; running sums may round below zero."""
    return uniform_filter(np.square(x, dtype=np.float32), (0, *GAIN_KERNEL)).clip(min=0)


def prediction_gain(mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Power of a predicted mean over the power that its prior expects, 0 to 1.

    Near 1 inside a partial that continues through a hole, 0 where nothing is predictable. Both
    powers are averaged over `GAIN_KERNEL`. Arrays (C, T, F).
    """
    expected = _local_power(np.where(mean != 0, std, 0))
    return np.clip(_local_power(mean) / (expected + 1e-20), 0, 1)
