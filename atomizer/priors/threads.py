"""Independent computations side by side, on as many threads as torch uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(function: Callable[[T], R], values: Sequence[T]) -> list[R]:
    """The results of a function for all values, in their order.

    The function must not change what another call reads. It gains where it spends its time in
    numpy, scipy or torch, which let other threads run.
    """
    import torch

    count = min(torch.get_num_threads(), len(values))
    if count < 2:
        return [function(value) for value in values]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, values))
