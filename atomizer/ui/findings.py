"""What is found in a loaded sound, and can be selected with one click.

To find one more thing, write a function from a `Subject` to its findings and add it to `FINDERS`,
or to `SLOW_FINDERS` where it takes more than a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..analysis.cutoff import find_cutoff
from ..analysis.defects import DETECTORS
from ..atoms.space import AtomSpace
from ..io.audio import Sound
from ..limits import limits
from .message import Finding

INAUDIBLE_HZ = 19_000.0  # few people hear what is missing above; nothing is offered for it
LOW_RATE = 0.94  # a cutoff above this share of the Nyquist frequency is that of the sample rate
STEEP = 1.03  # end of a slope relative to its start, below which it is named as one frequency


@dataclass(frozen=True)
class Subject:
    """A sound, and its coefficients (channels, frames, bins) of a space.

    has_filled_highs  whether a fill that was kept has filled in the highs
    """

    sound: Sound
    grid: np.ndarray
    space: AtomSpace
    has_filled_highs: bool = False


def find_all(subject: Subject, thorough: bool = False) -> list[Finding]:
    """Return what the finders find; those that take seconds run only if `thorough`.

    Otherwise the last finding offers them.
    """
    finders = FINDERS + SLOW_FINDERS if thorough else FINDERS
    found = [finding for finder in finders for finding in finder(subject)]
    return found if thorough else [*found, OFFER]


def cutoff(subject: Subject) -> Iterable[Finding]:
    """Find the frequency where the recording ends; what lies above can be filled in.

    Not where it was: filled highs may be too quiet to hide the end of the recording.
    """
    if subject.has_filled_highs:
        return
    nyquist = subject.sound.rate / 2
    found = find_cutoff(subject.grid, subject.space, nyquist)
    if found is None or found.end_hz > INAUDIBLE_HZ:
        return
    is_low_rate = found.end_hz > LOW_RATE * nyquist
    end_hz = nyquist if is_low_rate else found.end_hz
    start, end = (f"{hertz / 1000:.1f} kHz" for hertz in (found.start_hz, end_hz))
    is_steep = end_hz < STEEP * found.start_hz
    where = f"Stops at {end}" if is_steep else f"Weakens from {start}, stops at {end}"
    cause = "its sample rate holds no more" if is_low_rate else "a lossy or filtered file"
    yield Finding(
        kind="cutoff",
        text=f"{where}: {cause}",
        action=f"Fill above {start}",
        regions=[{"kind": "rect", "op": "add", "f": [found.start_hz, None]}],
        fills=True,
    )


def spans(kind: str, text: str, times: list[tuple[float, float]]) -> Iterable[Finding]:
    """Return the finding of spans (start, stop) in seconds; overlapping ones are one region.

    Only the longest ones are selected where a selection cannot hold all of them.
    """
    merged: list[tuple[float, float]] = []
    for start, stop in sorted(times):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], stop)
        else:
            merged.append((start, stop))
    if not merged:
        return
    most = limits().regions
    chosen = sorted(sorted(merged, key=_length)[-most:])
    action = "Select it" if len(merged) == 1 else "Select them"
    action = action if len(merged) <= most else f"Select the longest {most}"
    regions = [{"kind": "rect", "op": "add", "t": [start, stop]} for start, stop in chosen]
    yield Finding(kind=kind, text=text.format(len(merged)), action=action, regions=regions)


def _length(span: tuple[float, float]) -> float:
    return span[1] - span[0]


def defects(kind: str, text: str, subject: Subject) -> Iterable[Finding]:
    """Find the defects of a detector, a name in `DETECTORS`; `text` has a place for their number.

    What is selected are holes in time of all channels, which are filled sample by sample.
    """
    found = DETECTORS[kind](subject.sound)
    return spans(kind, text, [(defect.start, defect.end) for defect in found])


FINDERS: tuple[Callable[[Subject], Iterable[Finding]], ...] = (
    cutoff,
    partial(defects, "clipped", "Clipped peaks: {:,}"),
    partial(defects, "dropouts", "Dropouts: {:,}"),
)
SLOW_FINDERS = (partial(defects, "clicks", "Clicks: {:,}"),)
# without regions: its button starts the thorough search
OFFER = Finding(kind="search", text="Clicks:", action="look for them", regions=[])
