"""Short specifications of regions and parts, such as `above:8000` or `quietest:90`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..errors import AtomizerError
from .parts_by_rank import Part
from .regions import Region

ABOVE_CUTOFF = "above:auto"
STANDOUT = "standout"


@dataclass(frozen=True)
class Standout:
    """Narrows a selection to what stands out from its surroundings by some decibels."""

    decibels: float


Specified = Region | Part | Standout


@dataclass(frozen=True)
class _Row:
    """One name of specifications: how it is written, how many numbers it has, what it builds."""

    usage: str
    counts: tuple[int, ...]
    build: Callable[..., Specified]

    @property
    def advice(self) -> str:
        return "write " + self.usage.replace(" ", " or ")


def check_name(text: object, others: Iterable[str] = ()) -> None:
    """Raise AtomizerError, which lists all names, where a text begins with none of them.

    others  words that the caller accepts beside the specifications
    """
    if isinstance(text, str) and text.partition(":")[0] in _SPECIFICATIONS:
        return
    known = " ".join([HELP, *others])
    raise AtomizerError(f"There is no selection {str(text)[:60]!r}: selections are {known}.")


def parse_specification(text: str) -> Specified:
    """Region or part of one specification, or `Standout`, which narrows the others.

    Raises AtomizerError that lists what is accepted.
    """
    check_name(text)
    name, _, value = text.partition(":")
    row = _SPECIFICATIONS[name]
    numbers = [_number(v, text, row) for v in value.split("-" if name == "time" else ",")]
    if len(numbers) not in row.counts:
        raise AtomizerError(f"{text[:60]!r} has the wrong count of numbers: {row.advice}.")
    if min(numbers) < 0:
        raise AtomizerError(
            f"{text[:60]!r} has a negative number: times, frequencies, channels and percents are"
            " not below 0."
        )
    try:
        return row.build(*numbers)
    except ValueError as error:
        raise AtomizerError(f"{text[:60]!r} {error}.") from error


def _number(text: str, specification: str, row: _Row) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AtomizerError(f"{specification[:60]!r} is no selection: {row.advice}.")
    return value


def _ascending(start: float, end: float) -> tuple[float, float]:
    if start >= end:
        raise ValueError("ends before it starts")
    return start, end


def _channel(number: float) -> Region:
    if number != int(number):
        raise ValueError("names no channel: channels are whole numbers from 0")
    return Region(channels=(int(number),))


def _rect(t0: float, t1: float, f0: float, f1: float) -> Region:
    return Region(t=_ascending(t0, t1), f=_ascending(f0, f1))


def _percent(kind: str) -> Callable[[float], Part]:
    def build(amount: float) -> Part:
        if amount > 100:
            raise ValueError("is more than 100 percent")
        return Part(kind, amount)

    return build


def _every(frames: float) -> Part:
    if frames != int(frames) or frames < 2:
        raise ValueError("takes a whole number of frames from 2")
    return Part("every", frames)


def _beats(beats: float, which: float | None = None) -> Part:
    if beats != int(beats) or beats < 2:
        raise ValueError("takes a whole number of beats from 2")
    if which is not None and (which != int(which) or not 1 <= which <= beats):
        raise ValueError(f"takes the number of a beat from 1 to {beats:g}")
    return Part("beats", beats, 0 if which in (None, beats) else int(which or 0))


_SPECIFICATIONS = {
    "above": _Row(f"above:HZ {ABOVE_CUTOFF}", (1,), lambda hertz: Region(f=(hertz, None))),
    "below": _Row("below:HZ", (1,), lambda hertz: Region(f=(None, hertz))),
    "time": _Row("time:START-END", (2,), lambda start, end: Region(t=_ascending(start, end))),
    "after": _Row("after:SECONDS", (1,), lambda start: Region(t=(start, None))),
    "channel": _Row("channel:K", (1,), _channel),
    "random": _Row("random:PERCENT", (1,), _percent("random")),
    "quietest": _Row("quietest:PERCENT", (1,), _percent("quietest")),
    "loudest": _Row("loudest:PERCENT", (1,), _percent("loudest")),
    "transients": _Row("transients:PERCENT", (1,), _percent("transients")),
    "steady": _Row("steady:PERCENT", (1,), _percent("steady")),
    "keep": _Row("keep:PER_SECOND", (1,), lambda per_second: Part("keep", per_second)),
    "every": _Row("every:FRAMES", (1,), _every),
    "beats": _Row("beats:N beats:N,K", (1, 2), _beats),
    "rect": _Row("rect:T0,T1,F0,F1", (4,), _rect),
    STANDOUT: _Row(f"{STANDOUT}:DECIBELS", (1,), Standout),
}
HELP = " ".join(row.usage for row in _SPECIFICATIONS.values())
