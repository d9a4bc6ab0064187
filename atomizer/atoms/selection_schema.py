"""Accepted form of a selection from outside: JSON of the page, of settings files and of programs.

Imported where a selection is validated, not at start: it loads pydantic.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StrictInt, StrictStr, ValidationInfo, field_validator

from ..errors import AtomizerError
from ..limits import limits
from ..validation import Coordinate, Schema
from .shapes import BRUSH_SIZE, SHAPES
from .space import LOUDNESS

Pair = tuple[Coordinate, Coordinate]
OpenPair = tuple[Coordinate | None, Coordinate | None] | None
Positive = Annotated[Coordinate, Field(gt=0)]


class RegionSchema(Schema):
    """A region; fields that its kind does not use are ignored."""

    subject: ClassVar[str] = "The {} of a region"
    form: ClassVar[str] = (
        'A region is an object such as {"kind": "rect", "t": [1, 2], "f": [300, 2000]}.'
    )

    kind: Literal[tuple(SHAPES)]  # type: ignore[valid-type]
    op: Literal["add", "subtract"] = "add"
    scale: Literal["linear", "log"] = "linear"
    channels: list[Annotated[StrictInt, Field(ge=0)]] | None = Field(
        default=None, min_length=1, description="a list of whole numbers from 0"
    )
    t: OpenPair = Field(default=None, description="[from, to] in seconds")
    f: OpenPair = Field(default=None, description="[from, to] in hertz")
    points: tuple[Pair, ...] | None = Field(
        default=None, validate_default=True, description="a list of [seconds, hertz]"
    )
    size: tuple[Positive, Positive] = Field(
        default=BRUSH_SIZE, description="[seconds, hertz], both above 0,"
    )

    @field_validator("t", "f", "size", mode="before")
    @classmethod
    def _only_if_used(cls, value: Any, info: ValidationInfo) -> Any:
        """The value, or the default if this kind of region has no such field."""
        shape = SHAPES.get(info.data.get("kind", ""))
        names = {f.name for f in fields(shape)} if shape else set()
        if "points" in names:
            names.add("size")  # the page may send the size of its brush with a lasso
        name = str(info.field_name)
        return value if name in names else cls.model_fields[name].default

    @field_validator("t", "f")
    @classmethod
    def _ascending(cls, value: Any) -> Any:
        """A span may be drawn from either end."""
        return value if value is None or None in value else tuple(sorted(value))

    @field_validator("points", mode="before")
    @classmethod
    def _counted(cls, value: Any, info: ValidationInfo) -> Any:
        """Check the number of points before each of them."""
        kind = info.data.get("kind", "")
        least = SHAPES[kind].min_points if kind else 0
        if not least:
            return None
        if not isinstance(value, list) or not least <= len(value) <= limits().points:
            raise AtomizerError(
                f"A {kind} has {least} to {limits().points} points, each [seconds, hertz]."
            )
        return value


class SelectionSchema(Schema):
    """A selection."""

    subject: ClassVar[str] = "The {} of a selection"
    form: ClassVar[str] = 'A selection is an object {"regions": [...], "features": [...]}.'

    regions: list[RegionSchema] = Field(default=[], description="a list of regions")
    parts: list[StrictStr] = Field(default=[], description='a list of strings such as "random:50"')
    features: list[Any] = Field(default=list(LOUDNESS), description="a list of names")

    @field_validator("regions", "parts", mode="before")
    @classmethod
    def _limited(cls, value: Any, info: ValidationInfo) -> Any:
        """Check the number of regions before each of them."""
        if isinstance(value, list) and len(value) > limits().regions:
            raise AtomizerError(f"A selection has at most {limits().regions} {info.field_name}.")
        return value
