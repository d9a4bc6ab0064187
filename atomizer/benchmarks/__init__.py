"""Benchmarks of speed and memory, each beside peers that do the same job in the same run.

* `records`    what a measurement is, and its table
* `timing`     medians of the benchmark and its peers, in alternation
* `machine`    the description of the machine, and its rate of matrix products
* `transform`  the MDCT beside other MDCTs
* `atomizing`  samples to ordered atoms and back
* `filling`    fills: seconds, and memory in a separate process
* `start`      time to the first response of the command line and of the page
* `pursuit`    matching pursuit: atoms per second, and the ratio of a thousand atoms
* `training`   atoms per second, beside the machine's rate of matrix products
* `growth`     how the cost of a fill grows, as a plot (`--growth`)
* `page`       the page in a headless browser (`--page`)
* `atomizers`  the figure of docs/atomizers.md, with a command of its own
* `codec`      those of docs/codec.md, likewise

A new benchmark is a function that yields records, and one row of `BENCHMARKS` in its module: the
name of its records and the function. A new module also needs its name in `MODULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from ..errors import AtomizerError
from .records import Missing, Record, table

Measure = Callable[[], Iterator["Record | Missing"]]
MODULES = ("transform", "atomizing", "filling", "start", "pursuit", "training")


def measures(only: list[str] | None = None) -> list[Measure]:
    """Benchmarks that yield the records of these names, or all benchmarks for None.

    Raises AtomizerError for unknown names.
    """
    known: dict[str, Measure] = {}
    for module in MODULES:
        known |= import_module(f".{module}", __name__).BENCHMARKS
    for name in only or ():
        if name not in known:
            raise AtomizerError(
                f"There is no measurement {name[:60]!r}: choose from {', '.join(known)}."
            )
    return list(dict.fromkeys(known[name] for name in only or known))


__all__ = ["Missing", "Record", "measures", "table"]
