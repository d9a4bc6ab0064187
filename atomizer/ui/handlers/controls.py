"""Values of the page's controls, and of an endpoint's parameters, as settings of a fill."""

from __future__ import annotations

import math
from typing import NamedTuple

from ...errors import AtomizerError
from ...inpainting.settings import Settings

AUTO = "auto"
METHOD_TITLES = {"model": "the model", "noise": "noise baseline"}  # methods on the page


class FillControls(NamedTuple):
    """Values as they were entered: numbers, text, or nothing for the default."""

    order: str
    reverse: bool
    steps: str | float | None
    temperature: str | float | None
    nucleus: str | float | None
    seed: str | float | None
    method: str
    using: str
    timbre: str | float | None

    @property
    def entered_seed(self) -> int | None:
        """The seed; None where none was entered. Raises AtomizerError for an invalid one."""
        return parse_integer("seed", self.seed)


def settings_of(controls: FillControls) -> Settings:
    """Return the settings; empty values stay open. Raises AtomizerError for invalid numbers."""
    return Settings(
        method=controls.method,
        order=None if controls.order == AUTO else controls.order,
        reverse=bool(controls.reverse),
        steps=parse_integer("steps", controls.steps),
        temperature=parse_number("temperature", controls.temperature),
        nucleus=parse_number("nucleus", controls.nucleus),
        seed=controls.entered_seed or 0,
        using=controls.using,
        timbre=parse_integer("timbre", controls.timbre) or 0,
    )


def parse_integer(name: str, value: str | float | None) -> int | None:
    """Return a whole number, or None for an empty value. Raises AtomizerError for anything else."""
    number = parse_number(name, value)
    if number is not None and number != int(number):
        raise AtomizerError(f"The {name} must be a whole number, not {number:g}.")
    return None if number is None else int(number)


def parse_number(name: str, value: str | float | None) -> float | None:
    """Return a finite number, or None for an empty value. Raises AtomizerError otherwise."""
    if value is None or str(value).strip().lower() in ("", AUTO):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise AtomizerError(
            f"The {name} must be a number, or empty for the default, not {str(value)[:40]!r}."
        )
    return number
