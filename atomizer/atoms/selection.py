"""Selections: which atoms are unknown, and which of their features.

A selection is data: regions of the time-frequency plane, parts of the audible atoms, and names of
features. It can be written as short specifications (`above:8000`) or as JSON, and becomes a mask
over the grid of a sound or over its atoms.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AtomizerError
from .atoms import Atoms
from .beats import NoBeat, find_beats
from .shapes import BRUSH_SIZE, SHAPES, Points, Shape, Span
from .space import LOUDNESS, AtomSpace, parse_features
from .transience import transience

if TYPE_CHECKING:
    from .selection_schema import RegionSchema, SelectionSchema

# parts that need the frames and bins of the MDCT
OF_GRIDS = ("transients", "steady", "every", "beats")
LOWEST = ("quietest", "steady")  # the first atoms in the order of their rank, not the last


@dataclass(frozen=True)
class Region:
    """A region of the time-frequency plane.

    kind      name in `shapes.SHAPES`:
              rect   `t` and / or `f`, each (from, to), None for no limit
              lasso  a closed polygon through `points`
              brush  within `size` = (seconds, Hz or octaves) of the line through `points`
    op        "add" to, or "subtract" from, the regions before it
    channels  the channels that it applies to; None for all
    points    (seconds, Hz) pairs
    scale     "linear" or "log": whether edges are straight and brush sizes even in Hz or in octaves

    A bin is in a region if its centre is. A rect without `f` is a time span: it contains every atom
    whose window overlaps it.
    """

    kind: str = "rect"
    op: str = "add"
    channels: tuple[int, ...] | None = None
    t: Span = None
    f: Span = None
    points: Points | None = None
    size: tuple[float, float] = BRUSH_SIZE
    scale: str = "linear"

    @property
    def shape(self) -> Shape:
        """The geometry of the region."""
        return SHAPES[self.kind](**_shape_fields(self.kind, self))

    @property
    def bounds_time(self) -> bool:
        """True if the region limits the time, False for bands and whole channels."""
        return self.shape.bounds_time

    @property
    def bounds_frequency(self) -> bool:
        """True if the region limits the frequency, False for time spans and whole channels."""
        return self.shape.bounds_frequency

    def contains(self, t: np.ndarray, f: np.ndarray, half_window: float | np.ndarray) -> np.ndarray:
        """Bool array of the broadcast shape of `t` (seconds) and `f` (Hz).

        t, f         (n, 1) and (1, m), the cells of a grid; or (n,) each, n atoms
        half_window  half the length of an atom's window, in seconds
        """
        return self.shape.contains(t, f, half_window)

    @classmethod
    def from_schema(cls, valid: RegionSchema) -> Region:
        """Region of valid data."""
        channels = None if valid.channels is None else tuple(dict.fromkeys(valid.channels))
        return cls(valid.kind, valid.op, channels, **_shape_fields(valid.kind, valid))

    def to_dict(self) -> dict[str, Any]:
        """The region as JSON-ready data, with the fields that its kind uses."""
        names = ["channels", *(field.name for field in fields(SHAPES[self.kind]))]
        values = {name: getattr(self, name) for name in names}
        item: dict[str, Any] = {"kind": self.kind, "op": self.op}
        for name, value in values.items():
            if value is not None and (name, value) != ("scale", "linear"):
                item[name] = json.loads(json.dumps(value))
        return item


def _shape_fields(kind: str, source: Region | RegionSchema) -> dict[str, Any]:
    """Values of the fields of a shape.

    Raises AtomizerError if the region lacks a value that the shape needs, TypeError if its class
    has no such field.
    """
    values = {}
    for field in fields(SHAPES[kind]):
        if not hasattr(source, field.name):
            raise TypeError(
                f"The shape {kind!r} has a field {field.name!r}, which {type(source).__name__} must"
                " have, too."
            )
        values[field.name] = getattr(source, field.name)
        if values[field.name] is None and field.default is MISSING:
            raise AtomizerError(f"A {kind} needs {field.name!r}, which this region does not have.")
    return values


@dataclass(frozen=True)
class Part:
    """A part of the atoms, chosen by rank, at random, by frames, or by beats.

    kind    one of
            random, quietest, loudest  `amount` percent of the audible atoms
            transients, steady         likewise, those that are most alike those beside them in
                                       frequency, or in time (see `transience`)
            keep                       all but the `amount` loudest atoms per second (of all
                                       channels together), and all inaudible cells: the places of
                                       the other atoms become unknown, too
            every                      each `amount`-th frame, with its inaudible cells
            beats                      one of each `amount` beats, from its attack to the next:
                                       spans of time, which `Selection.with_beats` finds
    amount  percent, atoms per second, frames, or beats
    which   of the beats, from 1; 0 for the last
    """

    kind: str
    amount: float
    which: int = 0

    @property
    def text(self) -> str:
        """The specification that `parse` takes."""
        which = f",{self.which}" if self.which else ""
        return f"{self.kind}:{self.amount!r}".removesuffix(".0") + which

    def spans(self, beats: np.ndarray, end: float) -> list[tuple[float, float]]:
        """(start, end) in seconds of the chosen ones of beats.

        beats  times in seconds, two at least
        end    of the sound, in seconds
        """
        after = 2 * beats[-1] - beats[-2]  # the last beat is as long as the one before it
        edges = np.append(beats, min(float(after), end))
        first = int((self.which or self.amount) - 1)
        chosen = range(first, len(beats), int(self.amount))
        spans = [(float(edges[n]), float(edges[n + 1])) for n in chosen]
        return [(start, stop) for start, stop in spans if start < stop]

    def mask(
        self,
        magnitude: np.ndarray,
        audible: np.ndarray,
        recorded: np.ndarray,
        seconds: float,
        seed: int,
    ) -> np.ndarray:
        """Bool mask of the shape of `magnitude`.

        magnitude  (channels, frames, bins) or (N,) float, magnitudes of cells or of N atoms
        audible    bool of the same shape
        recorded   bool, broadcasts to that shape: within the bandwidth of the recording
        seconds    duration of the sound
        seed       of the random part

        Raises AtomizerError for a part that is of grids alone, if there are N atoms.
        """
        if self.kind in OF_GRIDS and magnitude.ndim == 1:
            raise AtomizerError(
                f"The part {self.kind!r} is made of atoms of the MDCT: choose these atoms, or"
                " another part."
            )
        if self.kind == "every":
            frames = np.arange(1, magnitude.shape[1] + 1) % int(self.amount) == 0
            return frames[:, None] & np.broadcast_to(recorded, magnitude.shape)
        candidates = np.flatnonzero(audible)
        if self.kind == "keep":
            descending = np.argsort(-magnitude.ravel()[candidates], kind="stable")
            kept = candidates[descending[: round(self.amount * seconds)]]
            out = np.broadcast_to(recorded, audible.shape).flatten()  # `ravel` may be read-only
            out[kept] = False
            return out.reshape(audible.shape)
        count = round(self.amount / 100 * len(candidates))
        if self.kind == "random":
            chosen = np.random.default_rng(seed).permutation(len(candidates))[:count]
        else:
            rank = transience(magnitude) if self.kind in OF_GRIDS else magnitude
            ascending = np.argsort(rank.ravel()[candidates], kind="stable")
            start = 0 if self.kind in LOWEST else len(candidates) - count
            chosen = ascending[start : start + count]
        out = np.zeros(audible.size, bool)
        out[candidates[chosen]] = True
        return out.reshape(audible.shape)


@dataclass(frozen=True)
class Selection:
    """Unknown atoms: regions (in order), parts (added to them), and the unknown features.

    above_cutoff  whether the highs above the recording's own cutoff are unknown, too
                  (`above:auto`): `inpainting.highs.resolve_cutoff` makes a region of them
    """

    regions: tuple[Region, ...] = ()
    parts: tuple[Part, ...] = ()
    features: tuple[str, ...] = LOUDNESS
    above_cutoff: bool = False

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

        Raises AtomizerError if no atom is selected.
        """
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
        )


def _reaches_above(region: Region, t: np.ndarray, space: AtomSpace, nyquist: float | None) -> bool:
    """Whether a region contains a frequency above the band of the atoms at seconds (n, 1)."""
    f = np.arange(space.rate / 2, nyquist or 0, space.bin_hz)[None]
    return bool(region.contains(t, f, space.hop / space.rate).any())


def _combined(selected: np.ndarray, op: str, inside: np.ndarray) -> np.ndarray:
    """Selected cells or atoms after a region was added or subtracted."""
    return selected | inside if op == "add" else selected & ~inside


ABOVE_CUTOFF = "above:auto"
HELP = (
    "above:HZ above:auto below:HZ time:START-END after:SECONDS channel:K random:PERCENT"
    " quietest:PERCENT loudest:PERCENT transients:PERCENT steady:PERCENT keep:PER_SECOND"
    " every:FRAMES beats:N beats:N,K rect:T0,T1,F0,F1"
)


def parse(specifications: str | Iterable[str], features: Iterable[str] = LOUDNESS) -> Selection:
    """Selection of short specifications.

    Parameters
    ----------
    specifications : str or iterable of str
        One specification or several, such as "above:8000" or "time:2-4", which add up; `HELP`
        lists them all.
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
    items = [_parse_one(text) for text in texts if text != ABOVE_CUTOFF]
    regions = tuple(item for item in items if isinstance(item, Region))
    parts = tuple(item for item in items if isinstance(item, Part))
    return Selection(regions, parts, parse_features(features), ABOVE_CUTOFF in texts)


def _parse_one(text: str) -> Region | Part:
    """Region or part of one specification."""
    if not isinstance(text, str):
        raise AtomizerError(f"{str(text)[:60]!r} is no selection: selections are {HELP}.")
    name, _, value = text.partition(":")
    numbers = [_number(v, text) for v in value.split("-" if name == "time" else ",")]
    counts, build = _SPECIFICATIONS.get(name, ((1,), None))
    if len(numbers) not in counts:
        raise AtomizerError(f"{text[:60]!r} has the wrong count of numbers: selections are {HELP}.")
    if min(numbers) < 0:
        raise AtomizerError(
            f"{text[:60]!r} has a negative number: times, frequencies, channels and percents are"
            " not below 0."
        )
    if build is None:
        raise AtomizerError(f"There is no selection {text[:60]!r}: selections are {HELP}.")
    try:
        return build(*numbers)
    except ValueError as error:
        raise AtomizerError(f"{text[:60]!r} {error}.") from error


def _number(text: str, specification: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AtomizerError(f"{specification[:60]!r} is no selection: selections are {HELP}.")
    return value


def _ascending(start: float, end: float) -> tuple[float, float]:
    if start >= end:
        raise ValueError("ends before it starts")
    return start, end


def _channel(number: float) -> Region:
    if number != int(number):
        raise ValueError("names no channel: channels are whole numbers from 0")
    return Region(channels=(int(number),))


def _rect(t0: float, t1: float, f0: float, f1: float) -> Region:
    return Region(t=_ascending(t0, t1), f=_ascending(f0, f1))


def _percent(kind: str) -> Callable[[float], Part]:
    def build(amount: float) -> Part:
        if amount > 100:
            raise ValueError("is more than 100 percent")
        return Part(kind, amount)

    return build


def _every(frames: float) -> Part:
    if frames != int(frames) or frames < 2:
        raise ValueError("takes a whole number of frames from 2")
    return Part("every", frames)


def _beats(beats: float, which: float | None = None) -> Part:
    if beats != int(beats) or beats < 2:
        raise ValueError("takes a whole number of beats from 2")
    if which is not None and (which != int(which) or not 1 <= which <= beats):
        raise ValueError(f"takes the number of a beat from 1 to {beats:g}")
    return Part("beats", beats, 0 if which in (None, beats) else int(which or 0))


# name of a specification: how many numbers it has, and the region or part that it stands for
_SPECIFICATIONS: dict[str, tuple[tuple[int, ...], Callable[..., Region | Part] | None]] = {
    "above": ((1,), lambda hertz: Region(f=(hertz, None))),
    "below": ((1,), lambda hertz: Region(f=(None, hertz))),
    "time": ((2,), lambda start, end: Region(t=_ascending(start, end))),
    "after": ((1,), lambda start: Region(t=(start, None))),
    "channel": ((1,), _channel),
    "rect": ((4,), _rect),
    "random": ((1,), _percent("random")),
    "quietest": ((1,), _percent("quietest")),
    "loudest": ((1,), _percent("loudest")),
    "transients": ((1,), _percent("transients")),
    "steady": ((1,), _percent("steady")),
    "keep": ((1,), lambda per_second: Part("keep", per_second)),
    "every": ((1,), _every),
    "beats": ((1, 2), _beats),
}
