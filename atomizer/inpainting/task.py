"""A fill as a task: a sound, its grid of atoms, what of it is unknown; and how a filled grid becomes sound again.

The result is the input plus the change: out = in + synthesis(filled - original) over the selected atoms. Samples out of reach of
the selection are therefore the input's own, whatever its rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..analysis import MDCTAtomizer
from ..analysis.mdct import imdct
from ..atoms.atoms import Atoms
from ..atoms.selection import Region, Selection
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound, max_duration, resample
from ..limits import limits
from .presets import purpose_of
from .render import limited

_FRAMES = 1024  # that are synthesised at a time


_FADE = 0.02  # seconds at the end of what a sound was extended by


@dataclass(frozen=True)
class Task:
    """What to fill.

    sound      the input, with silence where it is to be extended and silent channels where some are to be added
    space      of the atoms
    grid       (channels, frames, bins) float32, the sound's coefficients at space.rate
    mask       (channels, frames, bins) bool, the selected atoms
    selection  what the mask was made from; its features are unknown
    purpose    a name in `PURPOSES`, after the shape of the mask
    reference  the loudest atom outside the selection; 0 where that is silent
    extended   seconds that the sound was extended by
    """

    sound: Sound
    space: AtomSpace
    grid: np.ndarray
    mask: np.ndarray
    selection: Selection
    purpose: str
    reference: float
    extended: float = 0.0

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features of the selected atoms that are unknown."""
        return self.selection.features

    @property
    def length(self) -> int:
        """Samples at space.rate."""
        return -(-self.sound.samples.shape[1] * self.space.rate // self.sound.rate)

    def near(self, frames: int) -> tuple[Task, slice]:
        """The same task in the selected frames and `frames` to either side of them, and which frames of this one those are."""
        selected = np.flatnonzero(self.mask.any(axis=(0, 2)))
        part = slice(
            max(0, int(selected[0]) - frames),
            min(self.mask.shape[1], int(selected[-1]) + 1 + frames),
        )
        return replace(self, grid=self.grid[:, part], mask=self.mask[:, part]), part

    @property
    def threshold(self) -> float:
        """The quietest audible atom outside the selection: where all but the loudest atoms are selected, those lie below it."""
        known = np.abs(self.grid[~self.mask])
        return float(
            known[self.space.quantise(known, self.reference or 1.0) > 0].min(initial=self.reference)
        )

    @property
    def output_rate(self) -> int:
        """The input's rate, unless the selection reaches above what that rate can hold."""
        bins = np.flatnonzero(self.mask.any(axis=(0, 1)))
        beyond = self.space.hertz(bins[-1]) > self.sound.rate / 2 if len(bins) else False
        return self.space.rate if beyond and self.sound.rate < self.space.rate else self.sound.rate

    def atoms(self, grid: np.ndarray | None = None) -> Atoms:
        """Every audible or selected atom, the selected ones with their features unknown."""
        grid = self.grid if grid is None else grid
        reference = self.reference or float(np.abs(self.grid).max(initial=0.0))
        where = (self.space.quantise(grid, reference) > 0) | self.mask
        atoms = Atoms.from_grid(grid, self.space, self.length, reference, where)
        return atoms.with_unknown(self.mask[where], self.features)

    def erased(self) -> np.ndarray:
        """The grid with the selected atoms silent."""
        return np.where(self.mask, np.float32(0), self.grid)

    def masked(self, seed: int = 0) -> np.ndarray:
        """(channels, frames, bins) float32: what is heard while the unknown is unknown.

        Atoms that lost their velocity or their place are silent; those that only lost their sign have a random one.
        """
        if set(self.features) != {"sign"}:
            return self.erased()
        signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), self.grid.shape)
        return np.where(self.mask, np.abs(self.grid) * signs, self.grid)

    def render(self, grid: np.ndarray) -> Sound:
        """The input plus the change that `grid` makes to the selected atoms, at `output_rate`."""
        rate, length = self.output_rate, self.sound.samples.shape[1]
        change = resample(self._change(grid), self.space.rate, rate)
        if rate == self.sound.rate:
            base = self.sound.samples
        else:
            base = self.sound.at(rate)
            length = base.shape[1]
        if change.shape[1] < length:
            change = np.pad(change, ((0, 0), (0, length - change.shape[1])))
        change = change[:, :length]
        if rate != self.space.rate:
            # the resampler rings for ever; the change ends with the windows of the selected atoms
            change = change * self._reach(rate, length)
        out = base.copy(order="K")  # as it lies in memory: interleaved channels are slow to part
        frames = np.flatnonzero(self.mask.any(axis=(0, 2)))
        if len(frames):  # beyond the windows of the selected atoms there is no change
            hop = self.space.hop * rate / self.space.rate
            part = slice(
                max(0, int((frames[0] - 1) * hop)),
                min(length, int(np.ceil((frames[-1] + 1) * hop)) + 1),
            )
            out[:, part] += limited(change[:, part], base[:, part], rate)
        if (
            self.extended
        ):  # what nobody played on ends at no better moment than any other: without a click
            fade = min(round(_FADE * rate), round(self.extended * rate))
            out[:, length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        return Sound(out, rate, self.sound.subtype)

    def _change(self, grid: np.ndarray) -> np.ndarray:
        """(channels, n) samples at space.rate: what the selected atoms of `grid` change of the sound."""
        out = np.zeros((len(grid), self.length), np.float32)
        frames = np.flatnonzero(self.mask.any(axis=(0, 2)))
        if not len(frames):
            return out
        # only from the first frame that changes to the last, a part at a time: a gap costs the same in a long sound as in a short one, and highs
        # of minutes need no second grid
        hop = self.space.hop
        for first in range(int(frames[0]), int(frames[-1]) + 1, _FRAMES):
            part, start = slice(first, min(first + _FRAMES, int(frames[-1]) + 1)), (first - 1) * hop
            change = np.where(self.mask[:, part], grid[:, part] - self.grid[:, part], np.float32(0))
            change = np.pad(
                change, ((0, 0), (1, 0), (0, 0))
            )  # the synthesis starts in the middle of its first frame
            samples = imdct(change, change.shape[1] * hop, self.space.window)
            low, high = max(0, start), min(self.length, start + samples.shape[1])
            out[:, low:high] += samples[:, low - start : high - start]
        return out

    def _reach(self, rate: int, length: int) -> np.ndarray:
        """(channels, length) bool: samples that a selected atom's window covers."""
        first = (np.arange(self.mask.shape[1]) - 1) * self.space.hop * rate / self.space.rate
        frame_of = np.searchsorted(first, np.arange(length), side="right") - 1
        frames = np.any(self.mask, axis=2)
        return frames[:, frame_of] | frames[:, np.maximum(frame_of - 1, 0)]


def prepare(
    sound: Sound,
    selection: Selection,
    *,
    extend: float = 0.0,
    add_channels: int = 0,
    seed: int = 0,
    space: AtomSpace = AtomSpace(),
) -> Task:
    """The task of filling `selection` in `sound`, of continuing it by `extend` seconds, or of adding channels to it.

    Raises AtomizerError where nothing, or nothing of this sound, is selected.
    """
    if not 0 <= extend <= limits().extend_seconds:
        raise AtomizerError(
            f"A sound can be continued by 0 to {limits().extend_seconds:g} seconds, not by {extend:g}."
        )
    if add_channels < 0 or sound.channels + add_channels > limits().channels:
        raise AtomizerError(
            f"{add_channels} channels cannot be added to the {sound.channels} of this sound: at most "
            f"{limits().channels - sound.channels} can."
        )
    most = max_duration(sound.channels + add_channels, sound.rate)
    if (extend or add_channels) and sound.seconds + extend > most:
        raise AtomizerError(
            f"The sound would become longer than {most:g} seconds, the most that is accepted of {sound.channels + add_channels} channels."
        )
    extra = []
    if extend:
        extra.append(Region(t=(sound.seconds, None)))
    if add_channels:
        extra.append(Region(channels=tuple(range(sound.channels, sound.channels + add_channels))))
    selection = replace(selection, regions=selection.regions + tuple(extra))
    if extra and not selection.erases:
        raise AtomizerError(
            "What is added to a sound has neither velocity nor sign yet: leave both features unknown."
        )
    if extra:
        sound = replace(
            sound,
            samples=np.pad(sound.samples, ((0, add_channels), (0, round(extend * sound.rate)))),
        )
    atomizer = MDCTAtomizer(space)
    grid = atomizer.grid(sound.at(space.rate))
    mask = selection.mask(grid, space, seed, nyquist=sound.rate / 2)
    purpose = purpose_of(selection, mask, space.hertz(np.arange(space.hop)) <= sound.rate / 2)
    return Task(sound, space, grid, mask, selection, purpose, _loudest_outside(grid, mask), extend)


def _loudest_outside(grid: np.ndarray, mask: np.ndarray) -> float:
    """The largest magnitude of grid (channels, frames, bins) outside of mask; 0 where there is none."""
    frames = np.flatnonzero(mask.any(axis=(0, 2)))
    first, last = int(frames[0]), int(frames[-1]) + 1
    within = np.where(mask[:, first:last], np.float32(0), grid[:, first:last])
    # without a copy of what may be long
    return max(
        float(max(part.max(initial=0), -part.min(initial=0)))
        for part in (grid[:, :first], within, grid[:, last:])
    )
