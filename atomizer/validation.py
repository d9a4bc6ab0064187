"""Validation of external data by pydantic: JSON of the page, settings files, the environment.

A `Schema` declares what is accepted; `validate` turns the first error into one sentence that says
what is wrong and what is accepted. pydantic takes 0.1 s to load: import this module where needed.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from types import UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    ValidationError,
    create_model,
)
from pydantic_core import ErrorDetails

from .errors import AtomizerError

Number = StrictInt | StrictFloat  # no bool, no text
Coordinate = Annotated[Number, Field(gt=-1e12, lt=1e12)]  # finite, too

_TYPE_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


class Schema(BaseModel):
    """Base of all schemas.

    subject  subject of an error message; {} is the name of the field
    form     one sentence on the accepted form, for data that is no object

    The description of a field says what it accepts, for example "a number from 0 to 1".
    """

    subject: ClassVar[str] = "{}"
    form: ClassVar[str] = "An object is accepted."


S = TypeVar("S", bound=Schema)


def validate(schema: type[S], data: Any) -> S:
    """Data as an instance of a schema; raises AtomizerError of one sentence if it is invalid."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        raise AtomizerError(_sentence(schema, error.errors(include_url=False)[0])) from error


def parse_json(text: str, content: str) -> Any:
    """Parsed JSON; raises AtomizerError that names the content, such as "The selection"."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AtomizerError(f"{content} is not valid JSON: {error}.") from error


def schema_of(cls: type, subject: str, form: str) -> type[Schema]:
    """Strict schema with the fields, types and defaults of a dataclass, and no others."""
    hints = type_hints(cls, include_extras=True)
    base = type(
        f"{cls.__name__}Base",
        (Schema,),
        {
            "__module__": __name__,
            "__annotations__": {},
            "model_config": ConfigDict(strict=True, extra="forbid"),
            "subject": subject,
            "form": form,
        },
    )
    declared: dict[str, Any] = {
        f.name: (hints[f.name], ... if f.default is MISSING else f.default) for f in fields(cls)
    }
    return create_model(f"{cls.__name__}Schema", __base__=base, **declared)


def _sentence(schema: type[Schema], error: ErrorDetails) -> str:
    """One sentence on an error: what is wrong, and what is accepted."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, AtomizerError):  # raised by a validator of the schema
        return str(cause)
    schema, location = _innermost(schema, error["loc"])
    if not location:
        return schema.form
    name = str(location[0])
    if error["type"] == "extra_forbidden":
        unknown = schema.subject.format(repr(name[:40]))
        return f"{unknown} is unknown: {', '.join(schema.model_fields)} are accepted."
    subject = schema.subject.format(name)
    accepted = _accepted(schema, name)
    if error["type"] == "missing":
        return f"{subject} is missing: {accepted} is accepted."
    return f"{subject} cannot be {str(error['input'])[:40]!r}: {accepted} is accepted."


def _innermost(
    schema: type[Schema], location: tuple[int | str, ...]
) -> tuple[type[Schema], tuple[int | str, ...]]:
    """Schema of the object that holds the error, and the location of the error in it."""
    while location and (field := schema.model_fields.get(str(location[0]))) is not None:
        inner = next(_schemas(field.annotation), None)
        if inner is None:
            break
        in_list = len(location) > 1 and isinstance(location[1], int)
        if not in_list and get_origin(field.annotation) is list:
            break  # the list itself is wrong
        schema, location = inner, location[2 if in_list else 1 :]
    return schema, location


def _schemas(annotation: Any):
    """The schemas in an annotation such as `list[RegionSchema]`."""
    if isinstance(annotation, type) and issubclass(annotation, Schema):
        yield annotation
    for inner in get_args(annotation):
        yield from _schemas(inner)


def _accepted(schema: type[Schema], name: str) -> str:
    """What a field accepts: its description, or the name of its type."""
    field = schema.model_fields[name]
    return field.description or _type_name(field.annotation)


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(
            [", ".join(arguments[:-1]), arguments[-1]] if arguments[1:] else arguments
        )
    if origin in (Union, UnionType):
        return " or ".join("null" if a is type(None) else _type_name(a) for a in arguments)
    return _TYPE_NAMES.get(annotation, "another value")
