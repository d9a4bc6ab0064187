"""Parts: sounds of any length, filled in a part at a time, in memory that does not grow with them.

A part begins and ends on a frame that is a whole sample at the sound's own rate, and is filled
with context on both sides. Parts are joined between frames of the grid: the windows of the MDCT
cross-fade from one to the next, so that there is no seam, and known samples stay what they are.
What is selected on both sides of a joint has the same level there.
Regions that are bounded in time are never cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..analysis import MDCTAtomizer
from ..analysis.cutoff import Cutoff, FrameSample
from ..atoms.selection import Region, Selection
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound
from .fill import fill, last, needs_model
from .highs import resolve_cutoff
from .recipe import Recipe
from .repair import Repaired, repair
from .task import Task, prepare

if TYPE_CHECKING:
    from ..model.inference import AtomModel

    Load = Callable[[], AtomModel]

WHOLE_SECONDS = 120.0  # sounds up to this length are filled as a whole
PART_SECONDS = 30.0
CONTEXT_SECONDS = 6.0  # on either side of a part
HOLE_CONTEXT_SECONDS = 20.0  # where the recording around is copied from
MARGIN_SECONDS = 1.0  # between a region that is bounded in time and the end of its part
LONGEST_SECONDS = 600.0  # of one region that is bounded in time
DECODE_CHUNK = 4_096  # atoms that the model decodes at a time
JOINT_FRAMES = 8  # of the neighbouring parts that are rendered along, for the resampler
LEVEL_SECONDS = 1.0  # on either side of a joint, where the levels of two parts are compared
RAMP_SECONDS = 5.0  # on either side of a joint, within which their levels meet
LEVEL_BINS = 16  # of a band that has one level
MAX_STEP_DB = 12.0  # between two levels that meet

Read = Callable[[int, int], np.ndarray]  # first and stop sample -> (C, stop - first) samples
Progress = Callable[[float], object]  # called with the share, 0 to 1, that is done


@dataclass(frozen=True)
class Stream:
    """A sound that is read by parts.

    read    from anywhere, mostly in order
    length  samples per channel
    form    a `Sound` without samples: rate, subtype, layout and tags
    """

    read: Read
    length: int
    form: Sound

    def part(self, first: int, stop: int) -> Sound:
        """The sound of the samples from `first` to `stop`."""
        return self.form.with_samples(self.read(max(0, first), min(stop, self.length)))


@dataclass(frozen=True)
class _Part:
    """A part: its own frames, and those that are read.

    first, stop  frames of the grid that belong to it
    start, end   frames from which, and up to which, the sound is read
    """

    first: int
    stop: int
    start: int
    end: int


@dataclass(frozen=True)
class _Filled:
    """A part after its fill.

    sound  what was read
    task   of this sound; None where nothing is selected
    grid   the filled grid (C, T, F) of the task
    """

    part: _Part
    sound: Sound
    task: Task | None = None
    grid: np.ndarray | None = None

    def strip(self, first: int, stop: int) -> _Strip | None:
        """Frames from `first` to `stop` of the whole sound."""
        if self.task is None or self.grid is None:
            return None
        local = slice(max(0, first - self.part.start), max(0, stop - self.part.start))
        arrays = (self.task.grid, self.task.mask, self.grid)
        return _Strip(first, *(array[:, local].copy() for array in arrays))

    def louder_towards(
        self, joint: int, gain_db: np.ndarray, bins: np.ndarray, space: AtomSpace
    ) -> _Filled:
        """The same with gains that rise to those in dB (F,) at a joint, from `RAMP_SECONDS` on.

        joint  frame of the whole sound
        bins   (C, F) bool, of which the selected atoms change
        """
        assert self.task is not None and self.grid is not None
        frames = np.arange(self.grid.shape[1]) + self.part.start - joint
        is_left = self.part.first < joint
        away = (-frames if is_left else frames) * space.hop / space.rate / RAMP_SECONDS
        near = np.flatnonzero(away < 1)
        part = slice(int(near[0]), int(near[-1]) + 1)
        ramp = np.clip(1 - away[part], 0, 1)
        gain = (10 ** (ramp[:, None] * gain_db / 20)).astype(np.float32)
        changed = self.task.mask[:, part] & bins[:, None]
        grid, loudest = self.grid.copy(), np.float32(self.task.reference)
        louder = (grid[:, part] * gain).clip(-loudest, loudest)
        grid[:, part] = np.where(changed, louder, grid[:, part])
        return replace(self, grid=grid)


@dataclass(frozen=True)
class _Strip:
    """Consecutive frames of a filled part, from frame `first` of the whole sound on.

    original, filled  (C, n, F) grids before and after the fill
    mask              (C, n, F) bool, the selected atoms
    """

    first: int
    original: np.ndarray
    mask: np.ndarray
    filled: np.ndarray


def can_go_by_parts(recipe: Recipe) -> bool:
    """Whether a recipe can be applied by parts.

    Matching pursuits, chosen sources of copies, pasted atoms, and parts of a selection that compare
    all atoms of a sound need the whole.
    """
    kinds = {part.kind for part in recipe.selection.parts}
    settings = recipe.settings
    if settings.source or settings.not_from or settings.method == "paste" or recipe.stop_after:
        return False
    return recipe.atomizer == "mdct" and kinds <= {"random"}


def resolve_cutoff_by_parts(sound: Stream, recipe: Recipe) -> tuple[Recipe, Cutoff | None]:
    """Replace `above:auto` in a recipe by what lies above the cutoff of the whole sound.

    Raises AtomizerError where no cutoff is found.
    """
    if not recipe.selection.above_cutoff:
        return recipe, None
    space, sample, rate = AtomSpace(), FrameSample(), sound.form.rate
    size = round(PART_SECONDS * rate)
    for first in range(0, sound.length, size):
        sample.add(MDCTAtomizer(space).grid(sound.part(first, first + size).at(space.rate)))
    selection, cutoff = resolve_cutoff(recipe.selection, sample.grid, space, rate / 2)
    return replace(recipe, selection=selection), cutoff


def fill_by_parts(
    sound: Stream,
    recipe: Recipe,
    load: Load | None = None,
    progress: Progress | None = None,
) -> Iterator[Sound]:
    """Fill a long sound; yields consecutive blocks of the result, all of the same rate.

    Parameters
    ----------
    sound : Stream
        Read twice, in order.
    recipe : Recipe
        What is unknown, and how it is filled; `can_go_by_parts` is true of it.
    load : callable, optional
        Returns the model; called for every part that needs it.
    progress : callable, optional
        Called with the share that is done.

    Yields
    ------
    Sound
        Up to `PART_SECONDS` each, or longer where a region is.

    Raises
    ------
    AtomizerError
        Nothing is selected, or a value is out of range.
    """
    space = AtomSpace()
    parts = _plan(sound, recipe, space)
    reference, rate = _survey(sound, recipe, parts, space)
    pending: _Filled | None = None  # waits for the first frames of the next part
    left: _Strip | None = None
    for number, part in enumerate(parts):
        current = _fill(sound, recipe, part, (space, reference), load)
        if pending is not None:
            pending, current = _with_equal_levels(pending, current, space)
            right = current.strip(part.first, part.first + JOINT_FRAMES)
            yield _render(pending, [left, right], space, rate)
            left = pending.strip(part.first - JOINT_FRAMES, part.first)
        pending = current
        if progress is not None:
            progress((number + 1) / len(parts))
    assert pending is not None
    yield _render(pending, [left], space, rate, is_last=True)


def repair_by_parts(
    sound: Stream, kinds: Iterable[str], seed: int = 0, erase: bool = False
) -> Iterator[Repaired]:
    """Repair a long sound (`repair.repair`); yields consecutive parts, with times of the whole."""
    rate, kinds = sound.form.rate, tuple(kinds)
    size, context = round(PART_SECONDS * rate), round(MARGIN_SECONDS * 2 * rate)
    for first in range(0, sound.length, size):
        stop, start = min(first + size, sound.length), max(0, first - context)
        found = repair(sound.part(start, stop + context), kinds, seed, erase)
        local = first - start
        defects = [
            replace(d, first=d.first + start, stop=d.stop + start)
            for d in found.defects
            if local <= d.first < stop - start
        ]
        offset = start / rate
        regions = tuple(
            _shifted(region, -offset)
            for region in found.selection.regions
            if first / rate <= _extent(region)[0] + offset < stop / rate
        )
        samples = found.sound.samples[:, local : stop - start]
        yield Repaired(found.sound.with_samples(samples), defects, Selection(regions))


# planning


def _plan(sound: Stream, recipe: Recipe, space: AtomSpace) -> list[_Part]:
    """The parts of a sound."""
    unit, _ = _unit(sound.form.rate, space)
    frames = space.frame_count(-(-sound.length * space.rate // sound.form.rate))
    per_second = space.rate / space.hop
    bounded = [region for region in recipe.selection.regions if region.bounds_time]
    context = HOLE_CONTEXT_SECONDS if bounded or recipe.extend else CONTEXT_SECONDS
    reach = math.ceil(context * per_second / unit) * unit
    step = max(1, round(PART_SECONDS * per_second / unit)) * unit
    margin = MARGIN_SECONDS * per_second
    spans = []
    for region in bounded:
        start, end = _extent(region)
        stop = frames if end is None else min(frames, end * per_second + margin)
        spans.append((start * per_second - margin, stop))
        if (stop - start * per_second) / per_second > LONGEST_SECONDS:
            raise AtomizerError(
                f"A region of {(stop / per_second - start):.0f} seconds is too long to be filled:"
                f" up to {LONGEST_SECONDS:g} are accepted."
            )
    parts, first = [], 0
    while first < frames:
        stop = first + step
        while stop < frames and any(a < stop < b for a, b in spans):
            stop += unit
        stop = frames if stop + step / 2 >= frames else stop
        parts.append(_Part(first, stop, max(0, first - reach), min(frames, stop + reach)))
        first = stop
    return parts


def _unit(rate: int, space: AtomSpace) -> tuple[int, int]:
    """The fewest frames whose hops are whole samples at `rate`, and the number of these."""
    common = math.gcd(space.hop * rate, space.rate)
    return space.rate // common, space.hop * rate // common


def _extent(region: Region) -> tuple[float, float | None]:
    """Start and end, in seconds, of a region that is bounded in time; None for no end."""
    if region.points is not None:
        times = [t for t, _ in region.points]
        reach = region.size[0] if region.kind == "brush" else 0.0
        return min(times) - reach, max(times) + reach
    start, end = region.t or (None, None)
    return start or 0.0, end


def _selection_in(selection: Selection, start: float, end: float) -> Selection:
    """A selection as seen from a part from `start` to `end` seconds."""
    regions = []
    for region in selection.regions:
        if not region.bounds_time:
            regions.append(region)
            continue
        low, high = _extent(region)
        if low < end and (high is None or high > start):
            regions.append(_shifted(region, start))
    return replace(selection, regions=tuple(regions))


def _shifted(region: Region, seconds: float) -> Region:
    """A region that is earlier by `seconds`."""
    if region.points is not None:
        points = tuple((t - seconds, f) for t, f in region.points)
        return replace(region, points=points)
    start, end = region.t or (None, None)
    start = None if start is None else max(0.0, start - seconds)
    return replace(region, t=(start, None if end is None else end - seconds))


# filling


def _task(sound: Stream, recipe: Recipe, part: _Part, space: AtomSpace) -> Task | None:
    """The task of a part; None if nothing is selected in it."""
    seconds = space.hop / space.rate
    is_last = _sample(part.stop, sound, space) >= sound.length
    extend = recipe.extend if is_last else 0.0
    selection = _selection_in(recipe.selection, part.start * seconds, part.end * seconds)
    inside = _selection_in(recipe.selection, part.first * seconds, part.stop * seconds)
    if not (inside.regions or inside.parts or extend or recipe.add_channels):
        return None
    return prepare(
        sound.part(_sample(part.start, sound, space), _sample(part.end, sound, space)),
        selection,
        extend=extend,
        add_channels=recipe.add_channels,
        seed=_seed(recipe, part),
        space=space,
    )


def _sample(frame: int, sound: Stream, space: AtomSpace) -> int:
    """The sample, at the sound's own rate, that a frame is centred at."""
    return frame * space.hop * sound.form.rate // space.rate


def _seed(recipe: Recipe, part: _Part) -> int:
    """Seed of a part: textures differ from part to part, holes do not depend on the parts."""
    bounded = all(region.bounds_time for region in recipe.selection.regions)
    alone = bounded and not recipe.selection.parts and not recipe.add_channels
    return recipe.settings.seed + (0 if alone else part.first)


def _survey(
    sound: Stream, recipe: Recipe, parts: list[_Part], space: AtomSpace
) -> tuple[float, int]:
    """Magnitude of the loudest atom outside the selection, and the rate of the result."""
    loudest, rate, selected = 0.0, sound.form.rate, False
    for part in parts:
        own = replace(part, start=part.first, end=part.stop)
        task = _task(sound, recipe, own, space)
        if task is not None:
            loudest, selected = max(loudest, task.reference), True
            rate = max(rate, task.output_rate)
            continue
        samples = sound.part(_sample(part.first, sound, space), _sample(part.stop, sound, space))
        if samples.samples.shape[1]:
            grid = MDCTAtomizer(space).grid(samples.at(space.rate))
            loudest = max(loudest, float(np.abs(grid).max(initial=0)))
    if not selected:
        raise AtomizerError(
            "Nothing is selected: choose atoms to fill in, for instance all above 8000 Hz."
        )
    return loudest, rate


def _fill(
    sound: Stream,
    recipe: Recipe,
    part: _Part,
    scale: tuple[AtomSpace, float],
    load: Load | None,
) -> _Filled:
    """Fill a part; `scale` is the space and the magnitude of the loudest atom of the sound."""
    space, reference = scale
    task = _task(sound, recipe, part, space)
    if task is None:
        first, stop = (_sample(frame, sound, space) for frame in (part.start, part.end))
        return _Filled(part, sound.part(first, stop))
    task = replace(task, reference=reference, recording_seed=recipe.settings.seed)
    settings = replace(recipe.settings, seed=_seed(recipe, part))
    model = load() if load is not None and needs_model(task, settings) else None
    with _little_memory(model):
        return _Filled(part, task.sound, task, last(fill(task, settings, model)).grid)


@contextmanager
def _little_memory(model: AtomModel | None) -> Iterator[None]:
    """Decode fewer atoms at a time, if there is a model."""
    if model is None:
        yield
        return
    from ..model.inference import decode_chunk  # loads torch

    token = decode_chunk.set(DECODE_CHUNK)
    try:
        yield
    finally:
        decode_chunk.reset(token)


def _with_equal_levels(left: _Filled, right: _Filled, space: AtomSpace) -> tuple[_Filled, _Filled]:
    """Two neighbours whose levels meet at their joint, in the bins that are selected there.

    Every part predicts levels of its own. Each is brought halfway, in dB, to the other one; at
    `RAMP_SECONDS` from the joint it is what it was. All channels have the same gain.
    """
    joint, near = right.part.first, round(LEVEL_SECONDS * space.rate / space.hop)
    strips = [side.strip(joint - near, joint + near) for side in (left, right)]
    sides = [strip for strip in strips if strip is not None]
    if len(sides) < 2:
        return left, right
    at_joint = np.logical_and.reduce([side.mask[:, near - 1 : near + 1].all(1) for side in sides])
    edges = np.arange(0, at_joint.shape[1], LEVEL_BINS)
    powers = [
        np.add.reduceat(np.square(side.filled * at_joint[:, None] * side.mask).sum((0, 1)), edges)
        for side in sides
    ]
    heard = (powers[0] > 0) & (powers[1] > 0)
    if not heard.any():
        return left, right
    step_db = 10 * np.log10(powers[1][heard] / powers[0][heard])
    centres = edges[heard] + (LEVEL_BINS - 1) / 2
    half_db = np.interp(
        np.arange(at_joint.shape[1]), centres, step_db.clip(-MAX_STEP_DB, MAX_STEP_DB) / 2
    )
    return (
        left.louder_towards(joint, half_db, at_joint, space),
        right.louder_towards(joint, -half_db, at_joint, space),
    )


def _render(
    filled: _Filled,
    neighbours: list[_Strip | None],
    space: AtomSpace,
    rate: int,
    is_last: bool = False,
) -> Sound:
    """The sound of a part at `rate`, with the frames of its neighbours on both sides."""
    part, result = filled.part, filled.sound
    if filled.task is not None and filled.grid is not None:
        original, mask, grid = (
            array.copy() for array in (filled.task.grid, filled.task.mask, filled.grid)
        )
        for strip in filter(None, neighbours):
            at = strip.first - part.start
            frames = slice(at, min(at + strip.mask.shape[1], grid.shape[1]))
            count = frames.stop - frames.start
            original[:, frames] = strip.original[:, :count]
            mask[:, frames], grid[:, frames] = strip.mask[:, :count], strip.filled[:, :count]
        result = replace(filled.task, grid=original, mask=mask).render(grid)
    samples = result.at(rate)
    first = (part.first - part.start) * space.hop * rate // space.rate
    stop = (part.stop - part.start) * space.hop * rate // space.rate
    return result.with_samples(samples[:, first : None if is_last else stop], rate)
