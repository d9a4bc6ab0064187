"""Defects: spans of samples that are wrong, found in the sound itself.

Each detector is one file with one function from a sound to its defects (defect.py):

    clicks.py    what linear prediction does not expect
    clipping.py  runs at the extreme values
    dropouts.py  digital silence, or a held value; sags.py where the level of a tape only falls
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...io.audio import Sound
from .clicks import find_clicks
from .clipping import find_clipped
from .defect import Defect
from .dropouts import find_dropouts

DETECTORS: dict[str, Callable[[Sound], list[Defect]]] = {
    "clicks": find_clicks,
    "clipped": find_clipped,
    "dropouts": find_dropouts,
}


def find_defects(sound: Sound, kinds: Iterable[str] = tuple(DETECTORS)) -> list[Defect]:
    """Defects of some kinds, names in `DETECTORS`, in the order of their times."""
    found = [defect for kind in dict.fromkeys(kinds) for defect in DETECTORS[kind](sound)]
    return sorted(found, key=_place)


def _place(defect: Defect) -> tuple[int, int, int]:
    return defect.first, defect.stop, defect.channel


__all__ = [
    "DETECTORS",
    "Defect",
    "find_clicks",
    "find_clipped",
    "find_defects",
    "find_dropouts",
]
