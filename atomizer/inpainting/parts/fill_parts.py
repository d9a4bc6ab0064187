"""Parts: sounds of any length, filled in a part at a time, in memory that does not grow with them.

A part is filled with context on both sides (`plan.py`) and joined to its neighbours
(`joints.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis import MDCTAtomizer
from ...analysis.cutoff import Cutoff, FrameSample
from ...atoms.selection import Selection
from ...atoms.space import AtomSpace
from ...errors import AtomizerError
from ...io.audio import Sound
from ..fill import fill, last, needs_model
from ..highs.cutoff import resolve_cutoff
from ..recipe import Recipe
from ..repair import Repaired, repair
from ..settings import Settings
from ..standout import NothingStandsOut
from ..task import Task, prepare
from . import plan
from .joints import JOINT_FRAMES, FilledPart, Strip, render_part, with_equal_levels
from .plan import SoundPart, extent, plan_parts, selection_in, shifted

if TYPE_CHECKING:
    from ...model.inference import AtomModel

    Load = Callable[[], AtomModel]

WHOLE_SECONDS = 120.0  # sounds up to this length are filled as a whole
DECODE_CHUNK = 4_096  # atoms that the model decodes at a time

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
    size = round(plan.PART_SECONDS * rate)
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
    filler = _PartFiller(sound, recipe, AtomSpace())
    space, parts = filler.space, filler.plan()
    reference, rate = filler.survey(parts)
    pending: FilledPart | None = None  # waits for the first frames of the next part
    left: Strip | None = None
    for number, part in enumerate(parts):
        current = filler.fill(part, reference, load)
        if pending is not None:
            pending, current = with_equal_levels(pending, current, space)
            right = current.strip(part.first, part.first + JOINT_FRAMES)
            yield render_part(pending, [left, right], space, rate)
            left = pending.strip(part.first - JOINT_FRAMES, part.first)
        pending = current
        if progress is not None:
            progress((number + 1) / len(parts))
    assert pending is not None
    yield render_part(pending, [left], space, rate, is_last=True)


def repair_by_parts(
    sound: Stream, kinds: Iterable[str], settings: Settings = Settings()
) -> Iterator[Repaired]:
    """Repair a long sound (`repair.repair`); yields consecutive parts, with times of the whole."""
    rate, kinds = sound.form.rate, tuple(kinds)
    size, context = round(plan.PART_SECONDS * rate), round(plan.MARGIN_SECONDS * 2 * rate)
    for first in range(0, sound.length, size):
        stop, start = min(first + size, sound.length), max(0, first - context)
        found = repair(sound.part(start, stop + context), kinds, settings)
        local = first - start
        defects = [
            replace(d, first=d.first + start, stop=d.stop + start)
            for d in found.defects
            if local <= d.first < stop - start
        ]
        offset = start / rate
        regions = tuple(
            shifted(region, -offset)
            for region in found.selection.regions
            if first / rate <= extent(region)[0] + offset < stop / rate
        )
        samples = found.sound.samples[:, local : stop - start]
        yield Repaired(found.sound.with_samples(samples), defects, Selection(regions))


@dataclass(frozen=True)
class _PartFiller:
    """Fills the parts of a sound by a recipe."""

    sound: Stream
    recipe: Recipe
    space: AtomSpace

    def plan(self) -> list[SoundPart]:
        """The parts of the sound."""
        rate, recipe = self.sound.form.rate, self.recipe
        frames = self.space.frame_count(-(-self.sound.length * self.space.rate // rate))
        return plan_parts(recipe.selection, bool(recipe.extend), frames, rate, self.space)

    def survey(self, parts: list[SoundPart]) -> tuple[float, int]:
        """Magnitude of the loudest atom outside the selection, and the rate of the result.

        Raises AtomizerError where nothing is selected.
        """
        loudest, rate, selected = 0.0, self.sound.form.rate, False
        for part in parts:
            task = self._task(replace(part, read_first=part.first, read_stop=part.stop))
            if task is not None:
                loudest, selected = max(loudest, task.reference), True
                rate = max(rate, task.output_rate)
                continue
            samples = self._read(part.first, part.stop)
            if samples.samples.shape[1]:
                grid = MDCTAtomizer(self.space).grid(samples.at(self.space.rate))
                loudest = max(loudest, float(np.abs(grid).max(initial=0)))
        if not selected and self.recipe.selection.standout is not None:
            raise NothingStandsOut(self.recipe.selection)
        if not selected:
            raise AtomizerError(
                "Nothing is selected: choose atoms to fill in, for instance all above 8000 Hz."
            )
        return loudest, rate

    def fill(self, part: SoundPart, reference: float, load: Load | None) -> FilledPart:
        """Fill a part; `reference` is the magnitude of the loudest atom of the whole sound."""
        task = self._task(part)
        if task is None:
            return FilledPart(part, self._read(part.read_first, part.read_stop))
        task = replace(task, reference=reference, recording_seed=self.recipe.settings.seed)
        settings = replace(self.recipe.settings, seed=self._seed(part))
        model = load() if load is not None and needs_model(task, settings) else None
        with _little_memory(model):
            return FilledPart(part, task.sound, task, last(fill(task, settings, model)).grid)

    def _task(self, part: SoundPart) -> Task | None:
        """The task of a part; None if nothing is selected in it."""
        recipe, seconds = self.recipe, self.space.hop / self.space.rate
        is_last = self._sample(part.stop) >= self.sound.length
        extend = recipe.extend if is_last else 0.0
        selection = selection_in(
            recipe.selection, part.read_first * seconds, part.read_stop * seconds
        )
        inside = selection_in(recipe.selection, part.first * seconds, part.stop * seconds)
        if not (inside.regions or inside.parts or extend or recipe.add_channels):
            return None
        try:
            return prepare(
                self._read(part.read_first, part.read_stop),
                selection,
                extend=extend,
                add_channels=recipe.add_channels,
                seed=self._seed(part),
                space=self.space,
            )
        except NothingStandsOut:  # in this part
            return None

    def _seed(self, part: SoundPart) -> int:
        """Seed of a part: textures differ from part to part, holes do not depend on the parts."""
        recipe = self.recipe
        bounded = all(region.bounds_time for region in recipe.selection.regions)
        alone = bounded and not recipe.selection.parts and not recipe.add_channels
        return recipe.settings.seed + (0 if alone else part.first)

    def _read(self, first: int, stop: int) -> Sound:
        """The sound from one frame to another."""
        return self.sound.part(self._sample(first), self._sample(stop))

    def _sample(self, frame: int) -> int:
        """The sample, at the sound's own rate, that a frame is centred at."""
        return frame * self.space.hop * self.sound.form.rate // self.space.rate


@contextmanager
def _little_memory(model: AtomModel | None) -> Iterator[None]:
    """Decode fewer atoms at a time, if there is a model."""
    if model is None:
        yield
        return
    from ...model.inference import decode_chunk  # loads torch

    token = decode_chunk.set(DECODE_CHUNK)
    try:
        yield
    finally:
        decode_chunk.reset(token)
