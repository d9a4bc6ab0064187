"""Kinds of input that failed once, with the right value of each, and variants of them.

A kind is a function that makes one input, processes it and returns a figure; its variants are the
arguments. All variants of a kind have one bound, or one of their own where what is right differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

INFINITY = float("inf")


@dataclass(frozen=True)
class Case:
    """One input of a kind.

    figure      returns what is judged
    low, high   between which it is right
    known       why it is known not to be right; empty otherwise
    """

    name: str
    figure: Callable[[], float]
    low: float
    high: float
    known: str = ""

    def is_right(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass
class Kind:
    """A kind of input: its name, what is judged, and its cases."""

    name: str
    judged: str
    cases: list[Case] = field(default_factory=list)


KINDS: dict[str, Kind] = {}


def kind(
    judged: str, variants: list[dict[str, Any]], low: float = -INFINITY, high: float = INFINITY
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a function as a kind.

    `low` and `high` of a variant replace those of the kind; `known` says why it is not right.
    """

    def register(function: Callable[..., float]) -> Callable[..., float]:
        found = Kind(function.__name__, judged)
        for variant in variants:
            options = {k: v for k, v in variant.items() if k not in ("low", "high", "known")}
            name = " ".join(f"{k}={v}" for k, v in options.items())
            bounds = variant.get("low", low), variant.get("high", high)
            figure = _bound(function, options)
            found.cases.append(Case(name, figure, *bounds, variant.get("known", "")))
        KINDS[found.name] = found
        return function

    return register


def _bound(function: Callable[..., float], options: dict[str, Any]) -> Callable[[], float]:
    return lambda: float(function(**options))
