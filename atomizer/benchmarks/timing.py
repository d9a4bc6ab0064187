"""Medians of a benchmark and its peers, run in alternation under the same load."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .records import Missing, Record

Work = Callable[[], Any]


def time_runs(works: Mapping[str, Work], repeats: int, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of every run of each of `works`.

    The first `warm` rounds are not counted. Every other round runs in reverse order, so that no
    work always finds the caches that the same other work left.
    """
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
    return {name: statistics.median(values) for name, values in time_runs(works, repeats).items()}


def compare(
    name: str,
    ours: Work,
    peers: Mapping[str, Work | str],
    repeats: int,
    unit: str = "s",
    scale: float = 1.0,
) -> Iterator[Record | Missing]:
    """A record per peer with `scale` times the median seconds.

    A peer that is a text is missing, and the text is the reason.
    """
    yield from (Missing(name, peer, work) for peer, work in peers.items() if isinstance(work, str))
    present: dict[str, Work] = {
        peer: work for peer, work in peers.items() if not isinstance(work, str)
    }
    found = medians({name: ours, **present}, repeats)
    value = scale * found.pop(name)
    yield from with_peers(
        name, value, unit, {peer: scale * seconds for peer, seconds in found.items()}
    )


def with_peers(
    name: str, value: float, unit: str, peers: Mapping[str, float], higher_is_better: bool = False
) -> Iterator[Record]:
    """A record per peer, or a single record without a peer if there is none."""
    yield from (
        Record(name, value, unit, peer, theirs, higher_is_better) for peer, theirs in peers.items()
    )
    if not peers:
        yield Record(name, value, unit, higher_is_better=higher_is_better)
