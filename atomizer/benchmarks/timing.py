"""Medians of us and our peers, taken in turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .records import Missing, Record

Work = Callable[[], Any]


def timed(works: Mapping[str, Work], repeats: int, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of every run of each of `works`, after `warm` runs of each that do not count; every other turn goes backwards, lest one of them always
    finds the caches as the same other one leaves them."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for repeat in range(-warm, repeats):
        for name, work in list(works.items())[:: -1 if repeat % 2 else 1]:
            began = time.perf_counter()
            work()
            if repeat >= 0:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def medians(works: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Median seconds of each of `works`."""
    return {name: statistics.median(values) for name, values in timed(works, repeats).items()}


def compared(
    name: str,
    ours: Work,
    peers: Mapping[str, Work | str],
    repeats: int,
    unit: str = "s",
    scale: float = 1.0,
) -> Iterator[Record | Missing]:
    """A record per peer of `scale` times the median seconds; a peer that is a text is missing, and the text says why."""
    yield from (Missing(name, peer, work) for peer, work in peers.items() if isinstance(work, str))
    present: dict[str, Work] = {
        peer: work for peer, work in peers.items() if not isinstance(work, str)
    }
    found = medians({name: ours, **present}, repeats)
    value = scale * found.pop(name)
    yield from beside(name, value, unit, {peer: scale * seconds for peer, seconds in found.items()})


def beside(
    name: str, value: float, unit: str, peers: Mapping[str, float], more: bool = False
) -> Iterator[Record]:
    """A record per peer, and one of ours alone where there is none."""
    yield from (Record(name, value, unit, peer, theirs, more) for peer, theirs in peers.items())
    if not peers:
        yield Record(name, value, unit, more=more)
