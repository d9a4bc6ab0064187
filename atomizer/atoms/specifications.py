"""Short specifications of regions and parts, such as `above:8000` or `quietest:90`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import AtomizerError
from .parts_by_rank import Part
from .regions import Region

ABOVE_CUTOFF = "above:auto"
STANDOUT = "standout"
HELP = (
    "above:HZ above:auto below:HZ time:START-END after:SECONDS channel:K random:PERCENT"
    " quietest:PERCENT loudest:PERCENT transients:PERCENT steady:PERCENT keep:PER_SECOND"
    " every:FRAMES beats:N beats:N,K rect:T0,T1,F0,F1 standout:DECIBELS"
)


@dataclass(frozen=True)
class Standout:
    """Narrows a selection to what stands out from its surroundings by some decibels."""

    decibels: float


Specified = Region | Part | Standout


def parse_specification(text: str) -> Specified:
    """Region or part of one specification, or what narrows the others.

    Raises AtomizerError that lists what is accepted.
    """
    if not isinstance(text, str):
        raise AtomizerError(f"{str(text)[:60]!r} is no selection: selections are {HELP}.")
    name, _, value = text.partition(":")
    numbers = [_number(v, text) for v in value.split("-" if name == "time" else ",")]
    counts, build = _SPECIFICATIONS.get(name, ((1,), None))
    if len(numbers) not in counts:
        raise AtomizerError(f"{text[:60]!r} has the wrong count of numbers: selections are {HELP}.")
    if min(numbers) < 0:
        raise AtomizerError(
            f"{text[:60]!r} has a negative number: times, frequencies, channels and percents are"
            " not below 0."
        )
    if build is None:
        raise AtomizerError(f"There is no selection {text[:60]!r}: selections are {HELP}.")
    try:
        return build(*numbers)
    except ValueError as error:
        raise AtomizerError(f"{text[:60]!r} {error}.") from error


def _number(text: str, specification: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AtomizerError(f"{specification[:60]!r} is no selection: selections are {HELP}.")
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


# name of a specification: how many numbers it has, and what it stands for
_SPECIFICATIONS: dict[str, tuple[tuple[int, ...], Callable[..., Specified] | None]] = {
    "above": ((1,), lambda hertz: Region(f=(hertz, None))),
    "below": ((1,), lambda hertz: Region(f=(None, hertz))),
    "time": ((2,), lambda start, end: Region(t=_ascending(start, end))),
    "after": ((1,), lambda start: Region(t=(start, None))),
    "channel": ((1,), _channel),
    "rect": ((4,), _rect),
    "random": ((1,), _percent("random")),
    "quietest": ((1,), _percent("quietest")),
    "loudest": ((1,), _percent("loudest")),
    "transients": ((1,), _percent("transients")),
    "steady": ((1,), _percent("steady")),
    "keep": ((1,), lambda per_second: Part("keep", per_second)),
    "every": ((1,), _every),
    "beats": ((1, 2), _beats),
    STANDOUT: ((1,), Standout),
}
