"""Selections: which atoms are unknown, and which of their features.

A selection is data: regions of the time-frequency plane (`regions.py`), parts of the audible atoms
(`parts_by_rank.py`), and names of features. It can be written as short specifications, such as
`above:8000` (`specifications.py`), or as JSON, and becomes a mask over the grid of a sound or over
its atoms.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AtomizerError
from .atoms import Atoms
from .beats import NoBeat, find_beats
from .parts_by_rank import Part
from .regions import Region
from .space import LOUDNESS, AtomSpace, parse_features
from .specifications import ABOVE_CUTOFF, STANDOUT, Standout, parse_specification

if TYPE_CHECKING:
    from .selection_schema import SelectionSchema


@dataclass(frozen=True)
class Selection:
    """Unknown atoms: regions (in order), parts (added to them), and the unknown features.

    above_cutoff  whether the highs above the recording's own cutoff are unknown, too
                  (`above:auto`): `inpainting.highs.cutoff.resolve_cutoff` makes a region of them
    standout      decibels by which atoms have to stand out from the surroundings of the selection
                  to be selected (`standout:10`), or None: `inpainting.standout.narrow` applies it
                  to a mask
    """

    regions: tuple[Region, ...] = ()
    parts: tuple[Part, ...] = ()
    features: tuple[str, ...] = LOUDNESS
    above_cutoff: bool = False
    standout: float | None = None

    @property
    def erases(self) -> bool:
        """True if both velocity and sign are unknown.

        Every selected cell, silent or not, is then an unknown atom.
        """
        return set(LOUDNESS) <= set(self.features)

    def mask(
        self, grid: np.ndarray, space: AtomSpace, seed: int = 0, nyquist: float | None = None
    ) -> np.ndarray:
        """Bool mask over a grid of coefficients (channels, frames, bins).

        seed     of the random part
        nyquist  highest recorded frequency in Hz; only regions that limit the frequency reach
                 above it

        Raises AtomizerError if the selection, or one region of it, contains no cell of this sound;
        a region above the atoms of a sound of a high rate may.
        """
        if seed < 0:
            raise AtomizerError(f"A seed is a whole number from 0, not {seed}.")
        frames, bins = grid.shape[1:]
        recorded = space.hertz(np.arange(bins))[None, :] <= (nyquist or math.inf)
        with_spans = self.with_beats(grid, space)
        if with_spans is not self:
            return with_spans.mask(grid, space, seed, nyquist)
        out = self.region_mask(grid.shape, space, nyquist)
        if self.parts:
            magnitude = np.abs(grid)
            audible = (space.quantise(grid, float(magnitude.max(initial=0))) > 0) & recorded
            seconds = (frames - 1) * space.hop / space.rate
            for part in self.parts:
                out |= part.mask(magnitude, audible, recorded, seconds, seed)
        if not out.any() and not self.reaches_above(frames, space, nyquist):
            raise AtomizerError(
                "Nothing is selected: choose atoms to fill in, for instance all above 8000 Hz."
            )
        return out

    def with_beats(self, grid: np.ndarray, space: AtomSpace) -> Selection:
        """The selection with time spans in place of its parts by beats; itself without any.

        grid  coefficients (channels, frames, bins) of the sound

        Raises NoBeat where the sound has none, or too few.
        """
        by_beats = [part for part in self.parts if part.kind == "beats"]
        if not by_beats:
            return self
        beats = find_beats(grid, space)
        end = float(space.seconds(np.array(grid.shape[1] - 1)))
        regions = [Region(t=span) for part in by_beats for span in part.spans(beats, end)]
        if not regions:
            raise NoBeat(f"Only {len(beats)} beats were found in this sound: choose one of fewer.")
        others = tuple(part for part in self.parts if part.kind != "beats")
        return replace(self, regions=(*self.regions, *regions), parts=others)

    def region_mask(
        self, shape: tuple[int, ...], space: AtomSpace, nyquist: float | None = None
    ) -> np.ndarray:
        """Bool mask of the regions alone over a grid of a shape (channels, frames, bins).

        Raises AtomizerError as `mask` does.
        """
        channels, frames, bins = shape
        t = space.seconds(np.arange(frames))[:, None]
        f = space.hertz(np.arange(bins))[None, :]
        recorded = f <= (nyquist or math.inf)
        out = np.zeros(shape, bool)
        for region in self.regions:
            rows: slice | np.ndarray = slice(None)
            if region.bounds_frequency:
                inside = region.contains(t, f, space.hop / space.rate)
            else:  # the same for all frequencies: only its frames are touched, of many short spans
                rows = np.flatnonzero(region.contains(t, f[:, :1], space.hop / space.rate))
                inside = np.repeat(recorded, len(rows), axis=0)
            for channel in range(channels) if region.channels is None else region.channels:
                if channel >= channels:
                    raise AtomizerError(
                        f"There is no channel {channel}: this sound has channels 0 to"
                        f" {channels - 1}."
                    )
                out[channel, rows] = _combined(out[channel, rows], region.op, inside)
            above = self.erases and _reaches_above(region, t, space, nyquist)
            if region.op == "add" and not inside.any() and not above:
                raise AtomizerError(
                    "A selected region holds no atom of this sound, whose atoms lie between 0 and"
                    f" {t[-1, 0]:.2f} s and below {space.rate / 2:.0f} Hz."
                )
        return out

    def reaches_above(self, frames: int, space: AtomSpace, nyquist: float | None) -> bool:
        """Whether regions erase a part of a sound of some frames above the band of the atoms.

        nyquist  highest recorded frequency in Hz
        """
        t = space.seconds(np.arange(frames))[:, None]
        return self.erases and any(_reaches_above(r, t, space, nyquist) for r in self.regions)

    def mask_atoms(self, atoms: Atoms, seed: int = 0, nyquist: float | None = None) -> np.ndarray:
        """Bool mask (N,) over N atoms, of any scales; an atom is in a region if its centre is.

        Raises AtomizerError if no atom is selected, or if the selection has to be narrowed.
        """
        if self.standout is not None:
            raise AtomizerError(
                "What stands out is found among the atoms of the MDCT: choose these, or leave"
                " standout out."
            )
        space = atoms.space
        t, f = space.seconds(atoms.time), space.hertz(atoms.frequency)
        half_window = space.half_window(atoms.scale)
        recorded = f <= (nyquist or math.inf)
        out = np.zeros(len(atoms), bool)
        for region in self.regions:
            inside = region.contains(t, f, half_window)
            if region.channels is not None:
                inside &= np.isin(atoms.channel, region.channels)
            if not region.bounds_frequency:
                inside &= recorded
            out = _combined(out, region.op, inside)
        magnitude, audible = np.abs(atoms.amplitude), atoms.audible & recorded
        seconds = atoms.length / space.rate
        for part in self.parts:
            out |= part.mask(magnitude, audible, recorded, seconds, seed)
        if not out.any():
            raise AtomizerError(
                f"None of the {len(atoms)} atoms of this sound is selected: choose a larger part"
                " of it."
            )
        return out

    def to_dict(self) -> dict[str, Any]:
        """The selection as JSON-ready data; `from_dict` reads it back."""
        data: dict[str, Any] = {
            "regions": [region.to_dict() for region in self.regions],
            "features": list(self.features),
        }
        parts = [part.text for part in self.parts]
        parts += [ABOVE_CUTOFF] * self.above_cutoff
        if self.standout is not None:
            parts.append(f"{STANDOUT}:{self.standout!r}".removesuffix(".0"))
        if parts:
            data["parts"] = parts
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Selection:
        """Selection of parsed JSON; raises AtomizerError that says what is invalid."""
        from ..validation import validate  # loads pydantic
        from .selection_schema import SelectionSchema

        return cls.from_schema(validate(SelectionSchema, data))

    @classmethod
    def from_schema(cls, valid: SelectionSchema) -> Selection:
        """Selection of valid data; raises AtomizerError for a part or a name of a feature."""
        selection = parse(valid.parts, valid.features)
        regions = tuple(Region.from_schema(region) for region in valid.regions)
        return replace(selection, regions=regions + selection.regions)

    @classmethod
    def from_json(cls, text: str) -> Selection:
        """Selection of JSON text; raises AtomizerError that says what is invalid."""
        from ..validation import parse_json  # loads pydantic

        return cls.from_dict(parse_json(text, "The selection"))

    def __add__(self, other: Selection) -> Selection:
        """Both selections together; the features are those of the first one."""
        return replace(
            self,
            regions=self.regions + other.regions,
            parts=self.parts + other.parts,
            above_cutoff=self.above_cutoff or other.above_cutoff,
            standout=self.standout if other.standout is None else other.standout,
        )


def _reaches_above(region: Region, t: np.ndarray, space: AtomSpace, nyquist: float | None) -> bool:
    """Whether a region contains a frequency above the band of the atoms at seconds (n, 1)."""
    f = np.arange(space.rate / 2, nyquist or 0, space.bin_hz)[None]
    return bool(region.contains(t, f, space.hop / space.rate).any())


def _combined(selected: np.ndarray, op: str, inside: np.ndarray) -> np.ndarray:
    """Selected cells or atoms after a region was added or subtracted."""
    return selected | inside if op == "add" else selected & ~inside


def parse(specifications: str | Iterable[str], features: Iterable[str] = LOUDNESS) -> Selection:
    """Selection of short specifications.

    Parameters
    ----------
    specifications : str or iterable of str
        One specification or several, such as "above:8000" or "time:2-4", which add up, and
        "standout:10", which narrows them; `specifications.HELP` lists them all.
    features : iterable of str
        Names of the unknown features.

    Returns
    -------
    Selection

    Raises
    ------
    AtomizerError
        A specification or the name of a feature is invalid.

    Examples
    --------
    >>> parse(["above:8000", "random:10"]).to_dict()["parts"]
    ['random:10']
    """
    texts = [specifications] if isinstance(specifications, str) else list(specifications)
    items = [parse_specification(text) for text in texts if text != ABOVE_CUTOFF]
    regions = tuple(item for item in items if isinstance(item, Region))
    parts = tuple(item for item in items if isinstance(item, Part))
    standouts = [item.decibels for item in items if isinstance(item, Standout)]
    return Selection(
        regions,
        parts,
        parse_features(features),
        ABOVE_CUTOFF in texts,
        standout=max(standouts, default=None),
    )
