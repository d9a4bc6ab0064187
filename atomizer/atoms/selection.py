"""Selections: which atoms are unknown, and which of their features.

A selection is data: regions of the time-frequency plane, parts of the audible atoms, and feature names. It can be written as
short specifications (`above:8000`), travels as JSON, and turns into a mask over the grid of a sound.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import AtomizerError
from ..limits import limits
from .atoms import Atoms
from .shapes import in_polygon, near_line, points_in_polygon, points_near_line
from .space import LOUDNESS, AtomSpace, parse_features

KINDS = ("rect", "lasso", "brush")


PARTS = ("random", "quietest", "loudest", "keep")


@dataclass(frozen=True)
class Region:
    """A region of the time-frequency plane.

    kind      rect: `t` and / or `f`, each (from, to), None for no limit
              lasso: a closed polygon through `points`
              brush: all that lies within `size` = (seconds, Hz or octaves) of the line through `points`
    op        add to, or subtract from, what the regions before it selected
    channels  the channels that it acts on; None for all
    points    (seconds, Hz) pairs
    scale     "linear" or "log": whether edges are straight, and brush sizes even, in Hz or in octaves

    A bin is in a region where its centre is. A rect without `f` is a span of time: it takes every atom whose window overlaps it.
    """

    kind: str = "rect"
    op: str = "add"
    channels: tuple[int, ...] | None = None
    t: tuple[float | None, float | None] | None = None
    f: tuple[float | None, float | None] | None = None
    points: tuple[tuple[float, float], ...] | None = None
    size: tuple[float, float] = (0.05, 200.0)
    scale: str = "linear"

    def contains(self, t: np.ndarray, f: np.ndarray, reach: float | np.ndarray) -> np.ndarray:
        """Bool array of the broadcast shape of `t` (seconds) and `f` (Hz); `reach` is half an atom's window, in seconds.

        Times (n, 1) and frequencies (1, m) stand for the places of a grid; times and frequencies (n,) are those of n atoms.
        """
        if self.kind == "rect":
            (t0, t1), (f0, f1) = _span(self.t), _span(self.f)
            if self.f is None and self.t is not None:
                # windows that only touch the span do not overlap it, rounding or no rounding
                return (t + reach - t0 > 1e-9) & (t1 - (t - reach) > 1e-9) & np.ones_like(f, bool)
            return (t >= t0) & (t <= t1) & (f >= f0) & (f <= f1)
        y = np.log2(np.maximum(f, 1e-3)) if self.scale == "log" else f
        p = np.asarray(self.points, float)
        if self.scale == "log":
            p = np.stack([p[:, 0], np.log2(np.maximum(p[:, 1], 1e-3))], 1)
        if t.ndim == 1:
            return (
                points_in_polygon(t, y, p)
                if self.kind == "lasso"
                else points_near_line(t, y, p, self.size)
            )
        return in_polygon(t, y, p) if self.kind == "lasso" else near_line(t, y, p, self.size)


@dataclass(frozen=True)
class Part:
    """A part of the atoms, by rank: kind in `PARTS`, and how many.

    random, quietest, loudest  `amount` percent of the audible atoms
    keep                       everything, places without an audible atom too, but the `amount` loudest atoms per second (of all channels
                               together): not even where the others were is known
    """

    kind: str
    amount: float

    def mask(
        self,
        magnitude: np.ndarray,
        audible: np.ndarray,
        recorded: np.ndarray,
        seconds: float,
        seed: int,
    ) -> np.ndarray:
        """Bool mask, of the shape of `magnitude`: round(amount / 100 * audible atoms) atoms, or all recorded places but round(amount * seconds)."""
        if self.kind == "keep":
            kept = np.flatnonzero(audible)
            kept = kept[
                np.argsort(-magnitude.ravel()[kept], kind="stable")[: round(self.amount * seconds)]
            ]
            out = np.broadcast_to(
                recorded, audible.shape
            ).flatten()  # a copy: of equal shapes, ravel gives a view that cannot be written
            out[kept] = False
            return out.reshape(audible.shape)
        where = np.flatnonzero(audible)
        count = round(self.amount / 100 * len(where))
        if self.kind == "random":
            chosen = np.random.default_rng(seed).permutation(len(where))[:count]
        else:
            ascending = np.argsort(magnitude.ravel()[where], kind="stable")
            chosen = (
                ascending[:count] if self.kind == "quietest" else ascending[len(where) - count :]
            )
        out = np.zeros(audible.size, bool)
        out[where[chosen]] = True
        return out.reshape(audible.shape)


@dataclass(frozen=True)
class Selection:
    """What is unknown: regions (in order), parts (added to them), and the features of the atoms in them."""

    regions: tuple[Region, ...] = ()
    parts: tuple[Part, ...] = ()
    features: tuple[str, ...] = LOUDNESS

    @property
    def erases(self) -> bool:
        """True where nothing stays known of what the atoms sound like: every bin, silent or not, is then an unknown atom."""
        return set(LOUDNESS) <= set(self.features)

    def mask(
        self, grid: np.ndarray, space: AtomSpace, seed: int = 0, nyquist: float | None = None
    ) -> np.ndarray:
        """Bool mask over a grid of coefficients (channels, frames, bins).

        seed     of the random part
        nyquist  highest frequency in Hz of the sound as it was recorded; only regions that name frequencies reach above it

        Raises AtomizerError where the selection, or one region of it, holds no atom of this sound.
        """
        if seed < 0:
            raise AtomizerError(f"A seed is a whole number from 0, not {seed}.")
        channels, frames, bins = grid.shape
        t = space.seconds(np.arange(frames))[:, None]
        f = space.hertz(np.arange(bins))[None, :]
        recorded = f <= (nyquist or math.inf)
        out = np.zeros(grid.shape, bool)
        for region in self.regions:
            hit = region.contains(t, f, space.hop / space.rate)
            if region.f is None and region.points is None:
                hit = hit & recorded
            for channel in range(channels) if region.channels is None else region.channels:
                if channel >= channels:
                    raise AtomizerError(
                        f"There is no channel {channel}: this sound has channels 0 to {channels - 1}."
                    )
                out[channel] = out[channel] | hit if region.op == "add" else out[channel] & ~hit
            if region.op == "add" and not hit.any():
                raise AtomizerError(
                    f"A selected region holds no atom of this sound, whose atoms lie between 0 and {t[-1, 0]:.2f} s and "
                    f"below {space.rate / 2:.0f} Hz."
                )
        if self.parts:
            magnitude = np.abs(grid)
            audible = (space.quantise(grid, float(magnitude.max(initial=0))) > 0) & recorded
            seconds = (frames - 1) * space.hop / space.rate
            for part in self.parts:
                out |= part.mask(magnitude, audible, recorded, seconds, seed)
        if not out.any():
            raise AtomizerError(
                "Nothing is selected: choose atoms to fill in, for instance all above 8000 Hz."
            )
        return out

    def of(self, atoms: Atoms, seed: int = 0, nyquist: float | None = None) -> np.ndarray:
        """Bool array (N,): which of N atoms, of any scales, are selected. An atom is in a region where its centre is.

        Raises AtomizerError where none is.
        """
        space = atoms.space
        t, f, reach = (
            space.seconds(atoms.time),
            space.hertz(atoms.frequency),
            space.half_window(atoms.scale),
        )
        recorded = f <= (nyquist or math.inf)
        out = np.zeros(len(atoms), bool)
        for region in self.regions:
            hit = region.contains(t, f, reach)
            if region.channels is not None:
                hit &= np.isin(atoms.channel, region.channels)
            if region.f is None and region.points is None:
                hit &= recorded
            out = out | hit if region.op == "add" else out & ~hit
        for part in self.parts:
            out |= part.mask(
                np.abs(atoms.amplitude),
                atoms.audible & recorded,
                recorded,
                atoms.length / space.rate,
                seed,
            )
        if not out.any():
            raise AtomizerError(
                f"None of the {len(atoms)} atoms of this sound is selected: choose a larger part of it."
            )
        return out

    def to_dict(self) -> dict[str, Any]:
        """The selection as JSON-ready data; `from_dict` reads it back."""
        regions = []
        for r in self.regions:
            item: dict[str, Any] = {"kind": r.kind, "op": r.op}
            for name in ("channels", "t", "f", "points"):
                if getattr(r, name) is not None:
                    item[name] = json.loads(json.dumps(getattr(r, name)))
            if r.kind == "brush":
                item["size"] = list(r.size)
            if r.scale != "linear":
                item["scale"] = r.scale
            regions.append(item)
        data: dict[str, Any] = {"regions": regions, "features": list(self.features)}
        if self.parts:
            data["parts"] = [f"{p.kind}:{p.amount!r}".removesuffix(".0") for p in self.parts]
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Selection:
        """Selection of parsed JSON. Raises AtomizerError that names what is wrong."""
        if not isinstance(data, dict) or not isinstance(data.get("regions", []), list):
            raise AtomizerError('A selection is an object {"regions": [...], "features": [...]}.')
        if len(data.get("regions", [])) > limits().regions:
            raise AtomizerError(f"A selection has at most {limits().regions} regions.")
        parts, features = data.get("parts", []), data.get("features", list(LOUDNESS))
        if not isinstance(parts, list) or not isinstance(features, list):
            raise AtomizerError('The "parts" and "features" of a selection are lists of strings.')
        if len(parts) > limits().regions:
            raise AtomizerError(f"A selection has at most {limits().regions} parts.")
        selection = parse([str(p) for p in parts], parse_features(features))
        return replace(
            selection,
            regions=tuple(_region(r) for r in data.get("regions", [])) + selection.regions,
        )

    @classmethod
    def from_json(cls, text: str) -> Selection:
        """Selection of JSON text. Raises AtomizerError that names what is wrong."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AtomizerError(f"The selection is no valid JSON: {error}.") from error
        return cls.from_dict(data)

    def __add__(self, other: Selection) -> Selection:
        """Both selections together; the features stay the first one's."""
        return replace(self, regions=self.regions + other.regions, parts=self.parts + other.parts)


HELP = (
    "above:HZ below:HZ time:START-END after:SECONDS channel:K random:PERCENT quietest:PERCENT loudest:PERCENT "
    "keep:PER_SECOND rect:T0,T1,F0,F1"
)


def parse(specifications: Iterable[str], features: Iterable[str] = LOUDNESS) -> Selection:
    """Selection of short specifications such as "above:8000" or "time:2-4"; several add up. `HELP` lists them all.

    Raises AtomizerError for anything else.
    """
    regions, parts = [], []
    for text in specifications:
        if not isinstance(text, str):
            raise AtomizerError(f"{str(text)[:60]!r} is no selection: selections are {HELP}.")
        name, _, value = text.partition(":")
        numbers = [_number(v, text) for v in value.split("-" if name == "time" else ",")]
        if len(numbers) != {"time": 2, "rect": 4}.get(name, 1):
            raise AtomizerError(
                f"{text[:60]!r} has the wrong count of numbers: selections are {HELP}."
            )
        if min(numbers) < 0:
            raise AtomizerError(
                f"{text[:60]!r} has a negative number: times, frequencies, channels and percents are not below 0."
            )
        first = numbers[0]
        if name == "above":
            regions.append(Region(f=(first, None)))
        elif name == "below":
            regions.append(Region(f=(None, first)))
        elif name == "time":
            regions.append(Region(t=_ordered(numbers, text)))
        elif name == "after":
            regions.append(Region(t=(first, None)))
        elif name == "channel":
            if first != int(first):
                raise AtomizerError(
                    f"{text[:60]!r} names no channel: channels are whole numbers from 0."
                )
            regions.append(Region(channels=(int(first),)))
        elif name == "rect":
            regions.append(Region(t=_ordered(numbers[:2], text), f=_ordered(numbers[2:], text)))
        elif name in PARTS:
            if first > 100 and name != "keep":
                raise AtomizerError(f"{text[:60]!r} asks for more than 100 percent.")
            parts.append(Part(name, first))
        else:
            raise AtomizerError(f"There is no selection {text[:60]!r}: selections are {HELP}.")
    return Selection(tuple(regions), tuple(parts), parse_features(features))


def _span(ends: tuple[float | None, float | None] | None) -> tuple[float, float]:
    low, high = ends or (None, None)
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _number(text: str, specification: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AtomizerError(f"{specification[:60]!r} is no selection: selections are {HELP}.")
    return value


def _ordered(pair: list[float], text: str) -> tuple[float, float]:
    if pair[0] >= pair[1]:
        raise AtomizerError(f"{text[:60]!r} ends before it starts.")
    return pair[0], pair[1]


def _region(data: Any) -> Region:
    """Region of parsed JSON, every field checked."""
    if not isinstance(data, dict):
        raise AtomizerError(
            'A region is an object such as {"kind": "rect", "t": [1, 2], "f": [300, 2000]}.'
        )
    kind, op, scale = data.get("kind"), data.get("op", "add"), data.get("scale", "linear")
    if kind not in KINDS:
        raise AtomizerError(
            f"A region's kind is one of {', '.join(KINDS)}, not {str(kind)[:40]!r}."
        )
    if op not in ("add", "subtract"):
        raise AtomizerError(f"A region's op is add or subtract, not {str(op)[:40]!r}.")
    if scale not in ("linear", "log"):
        raise AtomizerError(f"A region's scale is linear or log, not {str(scale)[:40]!r}.")
    channels = data.get("channels")
    if channels is not None:
        if (
            not isinstance(channels, list)
            or not channels
            or not all(type(c) is int and c >= 0 for c in channels)
        ):
            raise AtomizerError("A region's channels are a list of whole numbers from 0.")
        channels = tuple(dict.fromkeys(channels))
    if kind == "rect":
        t, f = _limits(data.get("t"), "t"), _limits(data.get("f"), "f")
        return Region("rect", op, channels, t, f)
    points = data.get("points")
    need = 3 if kind == "lasso" else 1
    if (
        not isinstance(points, list)
        or not need <= len(points) <= limits().points
        or not all(_pair(p) for p in points)
    ):
        raise AtomizerError(
            f"A {kind} has {need} to {limits().points} points, each [seconds, hertz]."
        )
    size = data.get("size", Region.size)
    if not _pair(size) or min(size) <= 0:
        raise AtomizerError("A brush's size is [seconds, hertz], both above 0.")
    return Region(
        kind,
        op,
        channels,
        points=tuple((float(x), float(y)) for x, y in points),
        size=(float(size[0]), float(size[1])),
        scale=scale,
    )


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12


def _pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(_finite(v) for v in value)


def _limits(value: Any, name: str) -> tuple[float | None, float | None] | None:
    if value is None:
        return None
    if (
        not isinstance(value, (list, tuple))
        or len(value) != 2
        or not all(v is None or _finite(v) for v in value)
    ):
        raise AtomizerError(
            f"A rect's {name} is [from, to] in {'seconds' if name == 't' else 'hertz'}."
        )
    low, high = value
    return (low, high) if None in (low, high) or low <= high else (high, low)
