"""The parts of a long sound, and what of a selection lies in each of them.

Parts begin and end on frames that are whole samples at the sound's own rate. Regions that are
bounded in time are never cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ...atoms.selection import Region, Selection
from ...atoms.space import AtomSpace
from ...errors import AtomizerError

PART_SECONDS = 30.0
CONTEXT_SECONDS = 6.0  # on either side of a part
HOLE_CONTEXT_SECONDS = 20.0  # where the recording around is copied from
MARGIN_SECONDS = 1.0  # between a region that is bounded in time and the end of its part
LONGEST_SECONDS = 600.0  # of one region that is bounded in time


@dataclass(frozen=True)
class SoundPart:
    """A part: its own frames, and those that are read.

    first, stop            frames of the grid that belong to it
    read_first, read_stop  frames that are read, with the context
    """

    first: int
    stop: int
    read_first: int
    read_stop: int


def plan_parts(
    selection: Selection, is_extended: bool, frames: int, rate: int, space: AtomSpace
) -> list[SoundPart]:
    """The parts of a sound of some frames at `rate`, with the context that they are filled from.

    Raises AtomizerError for a region that is too long to be filled at once.
    """
    unit = _unit(rate, space)
    per_second = space.rate / space.hop
    bounded = [region for region in selection.regions if region.bounds_time]
    context = HOLE_CONTEXT_SECONDS if bounded or is_extended else CONTEXT_SECONDS
    reach = math.ceil(context * per_second / unit) * unit
    step = max(1, round(PART_SECONDS * per_second / unit)) * unit
    spans = list(_uncut_spans(bounded, frames, per_second))
    parts, first = [], 0
    while first < frames:
        stop = first + step
        while stop < frames and any(a < stop < b for a, b in spans):
            stop += unit
        stop = frames if stop + step / 2 >= frames else stop
        parts.append(SoundPart(first, stop, max(0, first - reach), min(frames, stop + reach)))
        first = stop
    return parts


def _unit(rate: int, space: AtomSpace) -> int:
    """The fewest frames whose hops are whole samples at `rate`."""
    return space.rate // math.gcd(space.hop * rate, space.rate)


def _uncut_spans(
    regions: Iterable[Region], frames: int, per_second: float
) -> Iterable[tuple[float, float]]:
    """Frames (start, stop) that must lie in one part: regions bounded in time, and a margin."""
    margin = MARGIN_SECONDS * per_second
    for region in regions:
        start, end = extent(region)
        stop = frames if end is None else min(frames, end * per_second + margin)
        if (stop - start * per_second) / per_second > LONGEST_SECONDS:
            raise AtomizerError(
                f"A region of {(stop / per_second - start):.0f} seconds is too long to be filled:"
                f" up to {LONGEST_SECONDS:g} are accepted."
            )
        yield start * per_second - margin, stop


def extent(region: Region) -> tuple[float, float | None]:
    """Start and end, in seconds, of a region that is bounded in time; None for no end."""
    if region.points is not None:
        times = [t for t, _ in region.points]
        reach = region.size[0] if region.kind == "brush" else 0.0
        return min(times) - reach, max(times) + reach
    start, end = region.t or (None, None)
    return start or 0.0, end


def selection_in(selection: Selection, start: float, end: float) -> Selection:
    """A selection as seen from a part from `start` to `end` seconds."""
    regions = []
    for region in selection.regions:
        if not region.bounds_time:
            regions.append(region)
            continue
        low, high = extent(region)
        if low < end and (high is None or high > start):
            regions.append(shifted(region, start))
    return replace(selection, regions=tuple(regions))


def shifted(region: Region, seconds: float) -> Region:
    """A region that is earlier by `seconds`."""
    if region.points is not None:
        points = tuple((t - seconds, f) for t, f in region.points)
        return replace(region, points=points)
    start, end = region.t or (None, None)
    start = None if start is None else max(0.0, start - seconds)
    return replace(region, t=(start, None if end is None else end - seconds))
