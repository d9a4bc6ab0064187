"""The joints of parts that were filled one after the other.

Parts are joined between frames of the grid: the windows of the MDCT cross-fade from one to the
next, so that there is no seam, and known samples stay what they are. What is selected on both sides
of a joint has the same level there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...atoms.space import AtomSpace
from ...io.audio import Sound
from ..task import Task
from .plan import SoundPart

JOINT_FRAMES = 8  # of the neighbouring parts that are rendered along, for the resampler
LEVEL_SECONDS = 1.0  # on either side of a joint, where the levels of two parts are compared
RAMP_SECONDS = 5.0  # on either side of a joint, within which their levels meet
LEVEL_BINS = 16  # of a band that has one level
MAX_STEP_DB = 12.0  # between two levels that meet


@dataclass(frozen=True)
class FilledPart:
    """A part after its fill.

    sound  what was read
    task   of this sound; None where nothing is selected
    grid   the filled grid (C, T, F) of the task
    """

    part: SoundPart
    sound: Sound
    task: Task | None = None
    grid: np.ndarray | None = None

    def strip(self, first: int, stop: int) -> Strip | None:
        """Frames from `first` to `stop` of the whole sound."""
        if self.task is None or self.grid is None:
            return None
        local = slice(max(0, first - self.part.read_first), max(0, stop - self.part.read_first))
        arrays = (self.task.grid, self.task.mask, self.grid)
        return Strip(first, *(array[:, local].copy() for array in arrays))

    def louder_towards(
        self, joint: int, gain_db: np.ndarray, bins: np.ndarray, space: AtomSpace
    ) -> FilledPart:
        """The part with gains in dB (F,) at a joint, to which they rise over `RAMP_SECONDS`.

        joint  frame of the whole sound
        bins   (C, F) bool, those whose selected atoms change
        """
        assert self.task is not None and self.grid is not None
        frames = np.arange(self.grid.shape[1]) + self.part.read_first - joint
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
class Strip:
    """Consecutive frames of a filled part, from frame `first` of the whole sound on.

    original, filled  (C, n, F) grids before and after the fill
    mask              (C, n, F) bool, the selected atoms
    """

    first: int
    original: np.ndarray
    mask: np.ndarray
    filled: np.ndarray


def with_equal_levels(
    left: FilledPart, right: FilledPart, space: AtomSpace
) -> tuple[FilledPart, FilledPart]:
    """Two neighbours whose levels meet at their joint, in the bins that are selected there.

    Every part predicts levels of its own. Each is brought halfway, in dB, to the other one at the
    joint, and stays as it is at `RAMP_SECONDS` from there. All channels have the same gain.
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


def render_part(
    filled: FilledPart,
    neighbours: list[Strip | None],
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
            at = strip.first - part.read_first
            frames = slice(at, min(at + strip.mask.shape[1], grid.shape[1]))
            count = frames.stop - frames.start
            original[:, frames] = strip.original[:, :count]
            mask[:, frames], grid[:, frames] = strip.mask[:, :count], strip.filled[:, :count]
        result = replace(filled.task, grid=original, mask=mask).render(grid)
    samples = result.at(rate)
    first = (part.first - part.read_first) * space.hop * rate // space.rate
    stop = (part.stop - part.read_first) * space.hop * rate // space.rate
    return result.with_samples(samples[:, first : None if is_last else stop], rate)
