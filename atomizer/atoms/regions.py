"""Regions of the time-frequency plane, as a person draws them."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AtomizerError
from .shapes import BRUSH_SIZE, SHAPES, Points, Shape, Span

if TYPE_CHECKING:
    from .selection_schema import RegionSchema


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
