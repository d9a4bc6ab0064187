"""Limits: how much the Atomizer takes, and where the environment says otherwise. The one declaration; tables and tests derive from it.

ATOMIZER_MAX_EXCERPT_SECONDS=60 python app.py
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from typing import Any

from .errors import AtomizerError

PREFIX = "ATOMIZER_MAX_"
MEGABYTE = 1 << 20  # as Gradio counts them


def _limit(
    default: float, unit: str, line: str, lowest: float = 1, highest: float = math.inf
) -> Any:
    """A field of `Limits`: its default, its unit, what it limits in one line, and what the environment may set it to."""
    return field(
        default=default, metadata=dict(unit=unit, line=line, lowest=lowest, highest=highest)
    )


@dataclass(frozen=True)
class Limits:
    """The most that is accepted of everything that costs time or memory; `read` takes each from its environment variable."""

    file_mb: float = _limit(
        100, "MB", "size of a file that the page or an endpoint is given", 0.001
    )
    file_seconds: float = _limit(
        7200,
        "s",
        "length of a file that an excerpt can be taken from, in the page and through the endpoints",
        0.001,
    )
    excerpt_seconds: float = _limit(
        300,
        "s",
        "sound at a time in the page and through the endpoints; of a longer file an excerpt is picked",
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
    channels: int = _limit(
        8, "channels", "channels of a sound, those that are added among them", 1, 8
    )
    atoms_drawn: int = _limit(
        2_500_000,
        "atoms",
        "atoms in the picture; of more, the loudest are drawn and all are filled in",
    )
    regions: int = _limit(200, "regions", "regions, and parts, of a selection")
    points: int = _limit(5000, "points", "points of a lasso or a brush stroke", 3)
    pairs: int = _limit(
        1 << 30,
        "pairs",
        "atoms times the places that each may have lost: what a fill of lost places costs",
    )
    steps: int = _limit(
        64, "steps", "looks of the model at one fill", 1, 255
    )  # `orderings.reveal_schedule` counts them in bytes
    fills: int = _limit(50, "fills", "fills of a settings file")
    variations: int = _limit(8, "variations", "variations at a time")
    variations_kept: int = _limit(
        12, "variations", "variations that the page keeps; the oldest one is let go"
    )
    sounds_kept: int = _limit(
        3,
        "sounds",
        "sounds before the present one that the page can go back to, where something was selected or made",
        0,
    )
    queue: int = _limit(
        20, "visitors", "fills that wait for their turn; whoever comes later is asked to try again"
    )
    waiting: int = _limit(
        3, "fills", "fills of one visitor, or of one program, that wait for their turn at a time"
    )
    fill_seconds: float = _limit(
        300,
        "s",
        "time that a fill takes in the page or through an endpoint; then what was filled in so far is kept",
        0.001,
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Limits:
        """The limits that an environment sets, defaults for the rest. Raises AtomizerError for a value that is none."""
        given: dict[str, Any] = {
            f.name: _parse(f, environ[variable(f.name)])
            for f in fields(cls)
            if environ.get(variable(f.name), "").strip()
        }
        return cls(**given)


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return PREFIX + name.upper()


def _parse(f: Field, text: str) -> float:
    whole, lowest, highest = f.type == "int", f.metadata["lowest"], f.metadata["highest"]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not lowest <= value <= highest or (whole and value != int(value)) or math.isinf(value):
        upper = "" if math.isinf(highest) else f" to {highest:,g}"
        raise AtomizerError(
            f"{variable(f.name)} cannot be {text[:40]!r}: it is a {'whole ' if whole else ''}number "
            f"from {lowest:,g}{upper}, in {f.metadata['unit']}."
        )
    return int(value) if whole else value


@cache
def limits() -> Limits:
    """The limits of this process, read from its environment when they are first asked for."""
    return Limits.read(os.environ)


def table(values: Limits = Limits()) -> str:
    """The limits as a Markdown table."""
    rows = ["| limit | variable | default | unit |", "|---|---|---|---|"]
    rows += [
        f"| {f.metadata['line']} | `{variable(f.name)}` | {getattr(values, f.name):,} | {f.metadata['unit']} |"
        for f in fields(values)
    ]
    return "\n".join(rows)
