"""Shapes of regions in the time-frequency plane.

A shape is a frozen dataclass whose fields are fields of `regions.Region`, with

    min_points                   least number of points; 0 for shapes without points
    bounds_time                  whether it limits the time
    bounds_frequency             whether it limits the frequency
    contains(t, f, half_window)  bool array of the broadcast shape of t (seconds) and f (Hz)

Times (n, 1) and frequencies (1, m), both ascending, are the cells of a grid; times and frequencies
(n,) are n atoms. `half_window` is half the length of an atom's window in seconds, a number or (n,).

A shape is one class and one row of `SHAPES`; one with `points` has `min_points` of at least 1,
because JSON drops the points of others. dev/architecture.md lists what else a new one needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

Span = tuple[float | None, float | None] | None
Points = tuple[tuple[float, float], ...]

BRUSH_SIZE = (0.05, 200.0)  # default half axes of a brush, in seconds and Hz
_MIN_HERTZ = 1e-3  # lower bound before the logarithm
_MIN_OVERLAP = 1e-9  # seconds: windows that only touch a span, but for rounding, do not overlap it


class Shape(Protocol):
    """What every shape has."""

    min_points: ClassVar[int]

    @property
    def bounds_time(self) -> bool:
        """True if the shape limits the time."""
        ...

    @property
    def bounds_frequency(self) -> bool:
        """True if the shape limits the frequency."""
        ...

    def contains(self, t: np.ndarray, f: np.ndarray, half_window: float | np.ndarray) -> np.ndarray:
        """Bool array of the broadcast shape of `t` and `f`: atoms inside the shape."""
        ...


@dataclass(frozen=True)
class Rect:
    """A rectangle; without `f` a time span, which contains every atom whose window overlaps it."""

    t: Span = None
    f: Span = None
    min_points: ClassVar[int] = 0

    @property
    def bounds_time(self) -> bool:
        """False for bands and whole channels."""
        return self.t is not None

    @property
    def bounds_frequency(self) -> bool:
        """False for time spans and whole channels."""
        return self.f is not None

    def contains(self, t: np.ndarray, f: np.ndarray, half_window: float | np.ndarray) -> np.ndarray:
        """Atoms whose centre is inside, or whose window overlaps the time span."""
        (t0, t1), (f0, f1) = _bounds(self.t), _bounds(self.f)
        if self.f is None and self.t is not None:
            starts_before_end = t1 - (t - half_window) > _MIN_OVERLAP
            ends_after_start = t + half_window - t0 > _MIN_OVERLAP
            return ends_after_start & starts_before_end & np.ones_like(f, bool)
        return (t >= t0) & (t <= t1) & (f >= f0) & (f <= f1)


@dataclass(frozen=True)
class Lasso:
    """A closed polygon (even-odd rule); with scale "log" its edges are straight in octaves."""

    points: Points
    scale: str = "linear"
    min_points: ClassVar[int] = 3
    bounds_time: ClassVar[bool] = True
    bounds_frequency: ClassVar[bool] = True

    def contains(self, t: np.ndarray, f: np.ndarray, half_window: float | np.ndarray) -> np.ndarray:
        """Atoms whose centre is inside: an odd number of edges lies later at their frequency."""
        y, corners = _scaled(f, self.points, self.scale)
        (x0, y0), (x1, y1) = corners.T, np.roll(corners, 1, axis=0).T
        inside = np.zeros(np.broadcast_shapes(t.shape, y.shape), bool)
        times = np.broadcast_to(t, inside.shape)
        for level, members in _levels(y):
            cut = (y0 > level) != (y1 > level)
            if cut.any():
                slope = (x1 - x0)[cut] * (level - y0[cut]) / (y1 - y0)[cut]
                crossings = np.sort(slope + x0[cut])
                before = np.searchsorted(crossings, times[members], side="right")
                inside[members] = (len(crossings) - before) % 2
        return inside


@dataclass(frozen=True)
class Brush:
    """A stroke: an ellipse of half axes `size` = (seconds, Hz or octaves) along a line."""

    points: Points
    size: tuple[float, float]
    scale: str = "linear"
    min_points: ClassVar[int] = 1
    bounds_time: ClassVar[bool] = True
    bounds_frequency: ClassVar[bool] = True

    def contains(self, t: np.ndarray, f: np.ndarray, half_window: float | np.ndarray) -> np.ndarray:
        """Atoms whose centre is inside the ellipse at some point of the line."""
        y, line = _scaled(f, self.points, self.scale)
        axes = np.maximum(np.asarray(self.size, float), 1e-9)
        x, y, line = t / axes[0], y / axes[1], line / axes  # the ellipse is now a unit circle
        inside = np.zeros(np.broadcast_shapes(x.shape, y.shape), bool)
        for a, b in zip(line, np.concatenate([line[1:], line[-1:]])):
            members, u, v = _box(x, y, np.minimum(a, b) - 1, np.maximum(a, b) + 1)
            if inside[members].all():
                continue
            u, v, d = u - a[0], v - a[1], b - a
            along = np.clip((u * d[0] + v * d[1]) / max(float(d @ d), 1e-12), 0, 1)
            inside[members] |= (u - along * d[0]) ** 2 + (v - along * d[1]) ** 2 <= 1
        return inside


SHAPES: dict[str, Any] = {"rect": Rect, "lasso": Lasso, "brush": Brush}


def _bounds(span: Span) -> tuple[float, float]:
    """Both ends of a span, infinite if open."""
    low, high = span or (None, None)
    return -math.inf if low is None else low, math.inf if high is None else high


def _scaled(f: np.ndarray, points: Points, scale: str) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and points (n, 2), both in Hz or, with scale "log", in octaves."""
    xy = np.asarray(points, float)
    if scale != "log":
        return f, xy
    octaves = np.log2(np.maximum(xy[:, 1], _MIN_HERTZ))
    return np.log2(np.maximum(f, _MIN_HERTZ)), np.stack([xy[:, 0], octaves], 1)


def _levels(y: np.ndarray) -> Iterator[tuple[float, Any]]:
    """Every frequency and the index of its members: a column of a grid, or atoms."""
    if y.ndim == 2:
        yield from ((level, (slice(None), column)) for column, level in enumerate(y[0]))
        return
    values, counts = np.unique(y, return_counts=True)
    yield from zip(values, np.split(np.argsort(y, kind="stable"), np.cumsum(counts)[:-1]))


def _box(
    x: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Index of the members of a box, a block of a grid or atoms, and their coordinates."""
    if x.ndim == 2:
        rows = slice(*np.searchsorted(x[:, 0], (low[0], high[0])))
        columns = slice(*np.searchsorted(y[0], (low[1], high[1])))
        return (rows, columns), x[rows], y[:, columns]
    atoms = np.flatnonzero((low[0] <= x) & (x < high[0]) & (low[1] <= y) & (y < high[1]))
    return atoms, x[atoms], y[atoms]
