"""A task: a sound, its grid of atoms, and which of them are unknown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..analysis import MDCTAtomizer
from ..analysis.cutoff import Cutoff
from ..atoms.atoms import Atoms
from ..atoms.selection import Region, Selection
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound, max_duration
from ..limits import limits
from .highs.cutoff import cutoff_bin, describe_cutoff, resolve_cutoff, with_slope
from .presets import PRESETS, preset_for
from .render import render
from .standout import check_narrowed, narrow

# Nyquist frequency of a file, relative to that of the atoms, from which on it may have sound above
# the atoms: the 2 kHz that 48 kHz have more are the slope of a converter's filter
MIN_ULTRASOUND = 1.1


@dataclass(frozen=True)
class Task:
    """What to fill.

    Attributes
    ----------
    sound : Sound
        The input, with silence where it is extended, and silent channels where some are added.
    space : AtomSpace
    grid : (channels, frames, bins) float32
        Coefficients of the sound at space.rate.
    mask : (channels, frames, bins) bool
        Selected atoms.
    selection : Selection
        What the mask was made from; its features are unknown.
    preset : str
        A name in `PRESETS`, chosen by the shape of the mask.
    reference : float
        Magnitude of the loudest atom outside the selection; 0 where everything is silent.
    extended : float
        Seconds by which the sound was extended.
    cutoff : Cutoff or None
        The recording's own cutoff, where the mask has its slope or begins with it (`highs/`).
    is_mid_side : bool
        Whether the channels are mid and side (`mid_side.py`): the input is mono, and gets a second
        channel.
    standing_out : float or None
        Share of the selected atoms that stand out and are in the mask; None where the selection is
        not narrowed.
    recording_seed : int or None
        Seed of what is drawn once for a recording of which this task is a part; None for the seed
        of the settings.
    """

    sound: Sound
    space: AtomSpace
    grid: np.ndarray
    mask: np.ndarray
    selection: Selection
    preset: str
    reference: float
    extended: float = 0.0
    cutoff: Cutoff | None = None
    is_mid_side: bool = False
    standing_out: float | None = None
    recording_seed: int | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features of the selected atoms that are unknown."""
        return self.selection.features

    @property
    def uses_recording(self) -> bool:
        """Whether the rest of the recording contributes tones and copies (`Settings.using`)."""
        return self.selection.erases and PRESETS[self.preset].has_surroundings

    @cached_property
    def erased_cutoff(self) -> int | None:
        """`cutoff_bin` of the mask; None, too, where what is selected is not erased."""
        return cutoff_bin(self.mask) if self.selection.erases else None

    @cached_property
    def recorded_bins(self) -> np.ndarray:
        """(F,) bool: the bins below the Nyquist frequency of the sound's own rate."""
        return _recorded_bins(self.sound, self.space)

    @property
    def length(self) -> int:
        """Samples at space.rate."""
        return -(-self.sound.samples.shape[1] * self.space.rate // self.sound.rate)

    def crop(self, context_frames: int) -> tuple[Task, slice]:
        """The task in the selected frames and their context.

        Returns the smaller task, and the frames of this one that it consists of.
        """
        selected = np.flatnonzero(self.mask.any(axis=(0, 2)))
        first, stop = int(selected[0]) - context_frames, int(selected[-1]) + 1 + context_frames
        part = slice(max(0, first), min(self.mask.shape[1], stop))
        return replace(self, grid=self.grid[:, part], mask=self.mask[:, part]), part

    @property
    def threshold(self) -> float:
        """Magnitude of the quietest audible atom outside the selection."""
        known = np.abs(self.grid[~self.mask])
        return float(
            known[self.space.quantise(known, self.reference or 1.0) > 0].min(initial=self.reference)
        )

    @property
    def output_rate(self) -> int:
        """The input's rate, or space.rate if the selection reaches above the input's Nyquist."""
        bins = np.flatnonzero(self.mask.any(axis=(0, 1)))
        beyond = self.space.hertz(bins[-1]) > self.sound.rate / 2 if len(bins) else False
        return self.space.rate if beyond and self.sound.rate < self.space.rate else self.sound.rate

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user about what differs from the plain selection."""
        notes = [] if self.cutoff is None else [describe_cutoff(self.cutoff)]
        if self.standing_out is not None:
            decibels = f"{self.selection.standout:g} dB"
            notes.append(
                f"{100 * self.standing_out:.0f} % of what is selected stands out by {decibels}."
            )
        nyquist = self.sound.rate / 2
        reaches = self.selection.reaches_above(self.grid.shape[1], self.space, nyquist)
        if reaches and nyquist > MIN_ULTRASOUND * self.space.rate / 2:
            notes.append(
                f"There are no atoms above {self.space.rate / 2:,.0f} Hz: what is selected there is"
                " erased, not filled in."
            )
        return tuple(notes)

    def atoms(self, grid: np.ndarray | None = None) -> Atoms:
        """All audible or selected atoms, the selected ones with their features unknown."""
        grid = self.grid if grid is None else grid
        reference = self.reference or float(np.abs(self.grid).max(initial=0.0))
        where = (self.space.quantise(grid, reference) > 0) | self.mask
        atoms = Atoms.from_grid(grid, self.space, self.length, reference, where)
        return atoms.with_unknown(self.mask[where], self.features)

    def erased(self) -> np.ndarray:
        """The grid with the selected atoms silent."""
        return np.where(self.mask, np.float32(0), self.grid)

    def masked(self, seed: int = 0) -> np.ndarray:
        """(channels, frames, bins) float32: the grid before it is filled.

        Atoms of unknown velocity or place are silent; those of which only the sign is unknown have
        a random one.
        """
        if set(self.features) != {"sign"}:
            return self.erased()
        signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), self.grid.shape)
        return np.where(self.mask, np.abs(self.grid) * signs, self.grid)

    def render(self, grid: np.ndarray) -> Sound:
        """The input plus the change that `grid` makes to the selected atoms (`render.py`)."""
        return render(self, grid)


def prepare(
    sound: Sound,
    selection: Selection,
    *,
    extend: float = 0.0,
    add_channels: int = 0,
    seed: int = 0,
    space: AtomSpace = AtomSpace(),
) -> Task:
    """Make a task: which atoms of a sound are unknown.

    Parameters
    ----------
    sound : Sound
    selection : Selection
        Atoms to fill; may be empty if the sound is extended or gets channels.
    extend : float
        Seconds to continue the sound by.
    add_channels : int
        Number of channels to add. The first that a mono sound gets is its side signal: the result
        is stereo whose mono sum is the sound.
    seed : int
        Of random parts of the selection.
    space : AtomSpace
        Of the atoms.

    Returns
    -------
    Task

    Raises
    ------
    AtomizerError
        Where nothing of this sound is selected, or a value is out of range.
    """
    check_narrowed(selection, has_additions=bool(extend or add_channels))
    selection = _with_additions(sound, selection, extend, add_channels)
    is_mid_side = sound.channels == 1 and add_channels == 1
    if extend or add_channels:
        padding = ((0, add_channels), (0, round(extend * sound.rate)))
        sound = replace(sound, samples=np.pad(sound.samples, padding))
    grid = MDCTAtomizer(space).grid(sound.at(space.rate))
    nyquist = sound.rate / 2
    selection, cutoff = resolve_cutoff(selection, grid, space, nyquist)
    selection = selection.with_beats(grid, space)  # they are holes in time
    whole = selection.mask(grid, space, seed, nyquist=nyquist)
    mask = narrow(whole, grid, selection)
    standing_out = None if mask is whole else float(mask.sum() / whole.sum())
    if selection.erases:
        mask, cutoff = with_slope(mask, grid, space, nyquist, cutoff)
    preset = preset_of(sound, selection, mask, space)
    reference = _loudest_outside(grid, mask)
    return Task(
        sound,
        space,
        grid,
        mask,
        selection,
        preset,
        reference,
        extended=extend,
        cutoff=cutoff,
        is_mid_side=is_mid_side,
        standing_out=standing_out,
    )


def outline(
    sound: Sound,
    selection: Selection,
    *,
    extend: float = 0.0,
    add_channels: int = 0,
    space: AtomSpace = AtomSpace(),
) -> Task:
    """The task that `prepare` makes of regions, without atoms, to count its work (`work.py`).

    Its sound and its grid are silent and take no memory; the slope of a cutoff is not in its mask.
    Parameters and errors are those of `prepare`.
    """
    selection = _with_additions(sound, selection, extend, add_channels)
    selection = replace(selection, standout=None)  # nothing does in a silent grid
    channels, length = sound.samples.shape
    shape = channels + add_channels, length + round(extend * sound.rate)
    sound = replace(sound, samples=np.broadcast_to(np.float32(0), shape))
    frames = space.frame_count(-(-shape[1] * space.rate // sound.rate))
    grid = np.broadcast_to(np.float32(0), (shape[0], frames, space.hop))
    return replace(task_of_selection(sound, grid, selection, space=space), extended=extend)


def task_of_selection(
    sound: Sound, grid: np.ndarray, selection: Selection, *, space: AtomSpace, seed: int = 0
) -> Task:
    """The task of a selection in a sound with a grid (C, T, F), to count its work (`work.py`).

    The slope of a cutoff is not in its mask, and its reference is 0. `above:auto` has to be
    resolved (`resolve_cutoff`); raises AtomizerError as `prepare` does.
    """
    selection = selection.with_beats(grid, space)  # they are holes in time
    check_narrowed(selection)
    mask = narrow(selection.mask(grid, space, seed, nyquist=sound.rate / 2), grid, selection)
    preset = preset_of(sound, selection, mask, space)
    return Task(sound, space, grid, mask, selection, preset, reference=0.0)


def preset_of(sound: Sound, selection: Selection, mask: np.ndarray, space: AtomSpace) -> str:
    """Name of the preset of a mask (C, T, F)."""
    return preset_for(selection, mask, _recorded_bins(sound, space))


def _recorded_bins(sound: Sound, space: AtomSpace) -> np.ndarray:
    """`Task.recorded_bins` of a sound and the space of its atoms."""
    recorded: np.ndarray = space.hertz(np.arange(space.bins)) <= sound.rate / 2
    return recorded


def _with_additions(
    sound: Sound, selection: Selection, extend: float, add_channels: int
) -> Selection:
    """The selection with what is added to a sound; the arguments are those of `prepare`."""
    check_additions(sound, extend, add_channels)
    extra = []
    if extend:
        extra.append(Region(t=(sound.seconds, None)))
    if add_channels:
        added = range(sound.channels, sound.channels + add_channels)
        extra.append(Region(channels=tuple(added)))
    if extra and not selection.erases:
        raise AtomizerError(
            "Added time or channels have neither velocity nor sign: leave both features unknown."
        )
    return replace(selection, regions=selection.regions + tuple(extra))


def check_additions(sound: Sound, extend: float, add_channels: int) -> None:
    """Raise AtomizerError where a sound cannot be extended that far, or get that many channels."""
    if not 0 <= extend <= limits().extend_seconds:
        most = limits().extend_seconds
        raise AtomizerError(f"A sound can be extended by 0 to {most:g} seconds, not by {extend:g}.")
    channels = sound.channels + add_channels
    if add_channels < 0 or channels > limits().channels:
        raise AtomizerError(
            f"{add_channels} channels cannot be added to the {sound.channels} of this sound: "
            f"at most {limits().channels - sound.channels} can."
        )
    longest_seconds = max_duration(channels, sound.rate)
    if (extend or add_channels) and sound.seconds + extend > longest_seconds:
        raise AtomizerError(
            f"The sound would become longer than {longest_seconds:g} seconds, "
            f"the limit for {channels} channels."
        )


def _loudest_outside(grid: np.ndarray, mask: np.ndarray) -> float:
    """Largest magnitude of grid (channels, frames, bins) outside of mask; 0 where all is masked."""
    frames = np.flatnonzero(mask.any(axis=(0, 2)))
    first, stop = (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (0, 0)
    within = np.where(mask[:, first:stop], np.float32(0), grid[:, first:stop])
    parts = grid[:, :first], within, grid[:, stop:]  # views: the grid may be long
    return max(float(max(part.max(initial=0), -part.min(initial=0))) for part in parts)
