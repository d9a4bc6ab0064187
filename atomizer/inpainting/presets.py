"""The purpose of a fill: what the shape of a selection is for, and what suits it.

What suits was found by evaluation of the shipped model (docs/log.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..atoms.selection import Selection

SHORT_GAP = 6  # frames across which what is predictable of a sound carries


@dataclass(frozen=True)
class Purpose:
    """What suits one shape of a selection.

    order, steps, temperature, nucleus, amplitudes   of `fill.Settings` that leave them open
    steady        (share, dB): what is around a hole tells its level as well as the model does, and both together better. The share of the former in the
                  mean of a level, and by how many dB that is raised, because means of levels that are not sure are too quiet, and a dip is heard more
                  than a level off by a little; None where the model alone is asked
    hush          atoms that are inaudible with more than this probability are silent: what is too quiet to hear, made audible, is a hiss in a pause
    runs_through  whether partials run through it, as through a hole in time, or on after an end
    boxed         whether what is above and below tells when it is loud, as far as the frames in which its bins are known do
    below, above  whether all of it lies below everything else that can be heard, or above
    """

    order: str = "random"
    steps: int = 1
    temperature: float = 1.0
    nucleus: float = 0.95
    amplitudes: str = "texture"
    steady: tuple[float, float] | None = None
    hush: float = 1.0
    runs_through: bool = False
    boxed: bool = False
    below: bool = False
    above: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The fields that `fill.Settings` have too."""
        return {
            name: getattr(self, name)
            for name in ("order", "steps", "temperature", "nucleus", "amplitudes")
        }


PURPOSES = {
    "bandwidth": Purpose(temperature=0.85, hush=0.65),  # highs, or lows
    "upmix": Purpose(temperature=0.6, steady=(0.0, 1.0)),  # whole channels
    "continue": Purpose(steady=(0.5, 0.0), runs_through=True),  # everything after a moment
    "gap": Purpose(
        steady=(0.5, 2.0), runs_through=True
    ),  # a hole in time of more than SHORT_GAP frames
    "region": Purpose(steady=(0.75, 1.0), boxed=True),  # any other region
    "compress": Purpose(temperature=0.8, hush=0.65, below=True),  # all but the loudest atoms
    "loudest": Purpose(steady=(0.0, 3.0), above=True),  # the loudest atoms
    "restore": Purpose(amplitudes="expected"),  # random parts, and short holes in time
}


def purpose_of(selection: Selection, mask: np.ndarray, recorded: np.ndarray) -> str:
    """A name in `PURPOSES`, of the shape of a selection's mask (channels, frames, bins); recorded (bins,) bool, what the sound's own rate can hold."""
    if selection.parts and not selection.regions:
        kinds = {part.kind for part in selection.parts}
        return (
            "compress"
            if kinds <= {"quietest", "keep"}
            else "loudest"
            if kinds == {"loudest"}
            else "restore"
        )
    if mask[..., : recorded.sum()].all(axis=(1, 2)).any() or (
        len(mask) > 1 and _only_channels(selection)
    ):
        return "upmix"
    frames, bins = np.any(mask, axis=(0, 2)), np.any(mask, axis=(0, 1))
    if frames.all() and bins[-1] and not bins[0]:
        return "bandwidth"
    spans_all_bins = bins[recorded].all() and all(
        r.f is None and r.points is None for r in selection.regions
    )
    if spans_all_bins:
        if frames[-1] and not frames[0]:
            return "continue"
        return (
            "gap"
            if np.diff(np.flatnonzero(np.diff(np.pad(frames, 1).astype(int))))[::2].max()
            > SHORT_GAP
            else "restore"
        )
    return "region"


def _only_channels(selection: Selection) -> bool:
    return all(
        r.channels is not None and r.t is None and r.f is None and r.points is None
        for r in selection.regions
    )
