"""Measurements of speed and memory, each beside peers that do the same job in the same run.

    records.py    what a measurement is, and how it is written down
    timing.py     medians of us and our peers, taken in turns
    machine.py    what was measured on: its description, and its matrix products
    transform.py  the MDCT beside other MDCTs
    atomizing.py  samples to ordered atoms and back
    filling.py    fills: seconds, and memory in a process of their own
    start.py      the command line's and the page's first answer
    pursuit.py    matching pursuit: atoms per second, and what a thousand of them hold
    training.py   atoms per second, beside the machine's matrix products
    growth.py     how the cost of a fill grows, as a plot
    atomizers.py  the figure of docs/atomizers.md: how many atoms of which atomizer hold a sound
    page.py       the page in a headless browser: first picture, redraw, selection feedback

`python -m atomizer bench` runs all but the page and the growth, which `--page` and `--growth` run. A new part is a module with a dict
MEASURES, from the names of its records to what yields them, and a word in `PARTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from ..errors import AtomizerError
from .records import Missing, Record, table

Measure = Callable[[], Iterator["Record | Missing"]]
PARTS = ("transform", "atomizing", "filling", "start", "pursuit", "training")


def measures(only: list[str] | None = None) -> list[Measure]:
    """What yields the records of these names, or of all. Raises AtomizerError for a name that nothing measures."""
    known: dict[str, Measure] = {}
    for part in PARTS:
        known |= import_module(f".{part}", __name__).MEASURES
    for name in only or ():
        if name not in known:
            raise AtomizerError(
                f"There is no measurement {name[:60]!r}: choose from {', '.join(known)}."
            )
    return list(dict.fromkeys(known[name] for name in only or known))


__all__ = ["Missing", "Record", "measures", "table"]
