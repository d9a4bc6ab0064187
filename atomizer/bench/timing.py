"""Medians of us and our peers, taken in turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from .records import Missing, Record

Work = Callable[[], Any]


def medians(works: dict[str, Work], repeats: int) -> dict[str, float]:
    """Median seconds of each of `works`, after one run of each that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(repeats + 1):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if repeat:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def compared(name: str, ours: Work, peers: dict[str, Work | str], repeats: int, unit: str = "s", scale: float = 1.0) -> Iterator[Record | Missing]:
    """A record per peer of `scale` times the median seconds; a peer that is a text is missing, and the text says why."""
    yield from (Missing(name, peer, work) for peer, work in peers.items() if isinstance(work, str))
    present: dict[str, Work] = {peer: work for peer, work in peers.items() if not isinstance(work, str)}
    found = medians({name: ours, **present}, repeats)
    value = scale * found.pop(name)
    yield from beside(name, value, unit, {peer: scale * seconds for peer, seconds in found.items()})


def beside(name: str, value: float, unit: str, peers: dict[str, float], more: bool = False) -> Iterator[Record]:
    """A record per peer, and one of ours alone where there is none."""
    yield from (Record(name, value, unit, peer, theirs, more) for peer, theirs in peers.items())
    if not peers:
        yield Record(name, value, unit, more=more)
