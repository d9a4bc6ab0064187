"""The style of a plot, which the page sends with an export."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from ..atoms.orderings import ORDERINGS
from ..errors import AtomizerError

FREQUENCY_SCALES = ("log", "linear", "mel")
COLOURINGS = ("sign", "channel", "rank", "state", "scale")


@dataclass(frozen=True)
class PlotStyle:
    """Style of a plot.

    scale     scale of the frequency axis, one of `FREQUENCY_SCALES`
    stacked   one panel per channel; otherwise all channels in one, the loudest atom on top
    colour    one of `COLOURINGS`: velocity and sign, channel, rank in the ordering, state (kept
              or filled in), or scale of matching-pursuit atoms
    ordering, reverse, seed  ordering of the atoms, for the colouring by rank
    seconds, hertz  visible range, (from, to); None for all
    dark      light atoms on a dark background
    contrast  from 0 to 1: how strongly quiet atoms recede
    """

    scale: str = "log"
    stacked: bool = False
    colour: str = "sign"
    ordering: str = "velocity"
    reverse: bool = False
    seed: int = 0
    seconds: tuple[float, float] | None = None
    hertz: tuple[float, float] | None = None
    dark: bool = False
    contrast: float = 0.5

    def __post_init__(self):
        for name, value, known in (
            ("scale", self.scale, FREQUENCY_SCALES),
            ("colour", self.colour, COLOURINGS),
            ("ordering", self.ordering, tuple(ORDERINGS)),
        ):
            if value not in known:
                raise AtomizerError(
                    f"There is no {name} {str(value)[:40]!r}: choose from {', '.join(known)}."
                )
        for span in (self.seconds, self.hertz):
            if span is not None and not (
                isinstance(span, tuple)
                and len(span) == 2
                and all(type(v) in (int, float) and abs(v) < 1e12 for v in span)
            ):
                raise AtomizerError("A picture spans from a lower to a higher time and frequency.")
        if type(self.contrast) not in (int, float) or not 0 <= self.contrast <= 1:
            raise AtomizerError(f"A contrast is from 0 to 1, not {str(self.contrast)[:40]}.")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise AtomizerError(f"A seed is a whole number from 0, not {str(self.seed)[:40]}.")

    @property
    def theme(self) -> str:
        """Name in `palette.THEMES`."""
        return "dark" if self.dark else "light"

    @classmethod
    def from_dict(cls, data: object) -> PlotStyle:
        """Read a plot style from parsed JSON.

        Raises AtomizerError that names what is invalid.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(data, dict) or not set(data) <= set(names):
            raise AtomizerError(f"A plot style is an object of {', '.join(names)}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)
