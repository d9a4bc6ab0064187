"""The result of one step of a fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Step:
    """The state after a step: `number` of `total` done.

    A model that fills in a single step reveals the sound part by part, from start to end.

    Attributes
    ----------
    grid : (channels, frames, bins) float32
        Known and revealed atoms; atoms that remain unknown are silent. Placed atoms of unknown
        velocity or sign have the median level of the known ones and are positive (`placement`).
    revealed : (channels, frames, bins) bool
        Selected atoms that are filled by now.
    """

    number: int
    total: int
    grid: np.ndarray
    revealed: np.ndarray
