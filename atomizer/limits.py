"""Resource limits: one declaration, from which the environment, a table and tests derive.

ATOMIZER_MAX_EXCERPT_SECONDS=60 python app.py
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any

PREFIX = "ATOMIZER_MAX_"
MEGABYTE = 1 << 20  # bytes, as Gradio counts


def _limit(
    default: float, unit: str, line: str, lowest: float = 1, highest: float = math.inf
) -> Any:
    """A field of `Limits`: default, unit, description in one line, and the accepted range."""
    return field(
        default=default, metadata=dict(unit=unit, line=line, lowest=lowest, highest=highest)
    )


@dataclass(frozen=True)
class Limits:
    """Largest accepted values of everything that costs time or memory."""

    file_mb: float = _limit(100, "MB", "size of a file for the page or an endpoint", 0.001)
    file_seconds: float = _limit(
        7200,
        "s",
        "length of a file that is read by parts, or that an excerpt is taken from",
        0.001,
    )
    excerpt_seconds: float = _limit(
        300,
        "s",
        "sound at a time in the page and through the endpoints; longer files need an excerpt",
        0.001,
        1500,
    )
    seconds: float = _limit(
        1500, "s", "sound at a time on the command line and from Python", 0.001, 1500
    )
    samples: int = _limit(
        200_000_000,
        "samples",
        "samples of a sound at a time, all channels together: four bytes each",
    )
    extend_seconds: float = _limit(60, "s", "continuation of a sound", 0.001, 1500)
    rate: int = _limit(768_000, "Hz", "sampling rate of a file")
    channels: int = _limit(8, "channels", "channels of a sound, added ones included", 1, 8)
    atoms_drawn: int = _limit(
        2_500_000,
        "atoms",
        "atoms in the picture; beyond, only the loudest are drawn, but all are filled in",
    )
    regions: int = _limit(200, "regions", "regions, and parts, of a selection")
    points: int = _limit(5000, "points", "points of a lasso or a brush stroke", 3)
    pairs: int = _limit(
        1 << 30,
        "pairs",
        "atoms times candidate places of each, the cost of a fill with unknown places",
    )
    # `orderings.reveal_schedule` stores steps as bytes
    steps: int = _limit(64, "steps", "sampling steps of a fill", 1, 255)
    fills: int = _limit(50, "fills", "fills of a settings file")
    variations: int = _limit(8, "variations", "variations at a time")
    variations_kept: int = _limit(
        12, "variations", "variations that the page keeps; the oldest ones are removed"
    )
    sounds_kept: int = _limit(
        3,
        "sounds",
        "earlier sounds with work on them that the page can go back to",
        0,
    )
    session_mb: float = _limit(
        4096,
        "MB",
        "sounds of a session file, unpacked: the loaded one, and two of every variation",
        0.001,
    )
    queue: int = _limit(20, "visitors", "fills in the queue; further ones are refused until later")
    waiting: int = _limit(3, "fills", "fills in the queue per visitor or program")
    fill_seconds: float = _limit(
        300,
        "s",
        "duration of a fill in the page or through an endpoint; then the partial result is kept",
        0.001,
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Limits:
        """Limits from environment variables, with defaults for the others.

        Raises AtomizerError for an invalid value.
        """
        texts = {f.name: environ.get(variable(f.name), "").strip() for f in fields(cls)}
        values = {variable(name): _number(text) for name, text in texts.items() if text}
        if not values:
            return cls()
        from pydantic import create_model  # loaded only if something is set

        from .validation import Schema, validate

        declared: dict[str, Any] = {variable(f.name): _declared(f) for f in fields(cls)}
        schema = create_model("LimitsSchema", __base__=Schema, **declared)
        valid = validate(schema, values)
        return cls(**{f.name: getattr(valid, variable(f.name)) for f in fields(cls)})


def variable(name: str) -> str:
    """Environment variable of a limit."""
    return PREFIX + name.upper()


def _number(text: str) -> int | float | str:
    """The number of a text, or the text itself."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def _declared(limit: Field) -> tuple[type, Any]:
    """Type and field of a limit, as pydantic declares them."""
    from pydantic import Field as Declared

    lowest, highest, unit = (limit.metadata[key] for key in ("lowest", "highest", "unit"))
    whole = limit.type == "int"
    upper = "" if math.isinf(highest) else f" to {highest:,g}"
    description = f"a {'whole ' * whole}number from {lowest:,g}{upper}, in {unit},"
    options: dict[str, Any] = dict(ge=lowest, description=description)
    if upper:
        options["le"] = highest
    if whole:
        return int, Declared(limit.default, **options)
    return float, Declared(limit.default, allow_inf_nan=False, **options)


@cache
def limits() -> Limits:
    """Limits of this process, read from its environment once."""
    return Limits.read(os.environ)


def table(values: Limits = Limits()) -> str:
    """The limits as a Markdown table."""
    rows = ["| limit | variable | default | unit |", "|---|---|---|---|"]
    for f in fields(values):
        line, unit = f.metadata["line"], f.metadata["unit"]
        rows.append(f"| {line} | `{variable(f.name)}` | {getattr(values, f.name):,} | {unit} |")
    return "\n".join(rows)
