"""Accepted form of recipes and settings files from outside.

Types are checked here, ranges where the values are used. Imported where a recipe is validated, not
at start: it loads pydantic.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StrictInt, field_validator

from ..analysis import ATOMIZERS
from ..atoms.selection_schema import SelectionSchema
from ..errors import AtomizerError
from ..limits import limits
from ..validation import Number, Schema, schema_of
from .settings import Settings
from .shaping import SHAPE_FORM, SHAPE_SUBJECT, FillShape

_SUBJECT = "The {} of a fill"
_FORM = 'A fill is an object {"selection": {...}, "settings": {...}}.'

SettingsSchema: Any = schema_of(Settings, _SUBJECT, _FORM)
ShapeSchema: Any = schema_of(FillShape, SHAPE_SUBJECT, SHAPE_FORM)


class RecipeSchema(Schema):
    """One fill."""

    model_config = ConfigDict(extra="forbid")
    subject: ClassVar[str] = _SUBJECT
    form: ClassVar[str] = _FORM

    selection: SelectionSchema = SelectionSchema()
    settings: SettingsSchema = SettingsSchema()
    extend: Number = 0.0
    add_channels: StrictInt = 0
    stop_after: StrictInt = 0
    atomizer: Literal[tuple(ATOMIZERS)] = "mdct"  # type: ignore[valid-type]
    atoms: StrictInt = 0
    shape: ShapeSchema = ShapeSchema()


class SettingsFileSchema(Schema):
    """A settings file; other keys are facts for people to read."""

    form: ClassVar[str] = 'A settings file is an object {"fills": [...]}, as the page saves it.'
    subject: ClassVar[str] = "The {} of a settings file"

    fills: list[RecipeSchema] = Field(description="a list of fills")

    @field_validator("fills", mode="before")
    @classmethod
    def _limited(cls, value: Any) -> Any:
        """Check the number of fills before each of them."""
        if isinstance(value, list) and not 1 <= len(value) <= limits().fills:
            raise AtomizerError(f"A settings file holds 1 to {limits().fills} fills.")
        return value
