"""The result of one step of a fill."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..priors.recording.context import CopySource
    from .time_domain.fades import Fade

PARTS = 8  # at most, in which a fill of a single step is shown
AUTOREGRESSION = "autoregression"  # in `Step.priors`: a short hole, filled by samples alone


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
    sources : tuple of CopySource
        Spans of the recording that were copied to the selection, the most important first.
    priors : tuple of str
        Names of the recording priors that contributed, or `AUTOREGRESSION` for short holes.
    fade : Fade or None
        The fade of the sound that was continued.
    copied : float
        Share of the selected atoms, 0 to 1, that are copies alone, without the network.
    """

    number: int
    total: int
    grid: np.ndarray
    revealed: np.ndarray
    sources: tuple[CopySource, ...] = ()
    priors: tuple[str, ...] = ()
    fade: Fade | None = None
    copied: float = 0.0

    def as_first_of_two(self, steps: int) -> Step:
        """The step where another fill follows, whose setting is `steps`.

        The second fill counts with the most steps that it can have: progress never goes back.
        """
        return replace(self, total=self.total + (PARTS if steps == 1 else steps))

    def as_second_of_two(self, first: Step) -> Step:
        """The step where its fill follows another one; `first` is the last step of that."""
        return replace(self, number=first.total + self.number, total=first.total + self.total)
