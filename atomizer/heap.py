"""Memory of the C library: what is freed goes back to the system.

On systems without glibc the functions do nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

# M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt(3)
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
LARGE_BYTES = 3 << 20  # grids, masks and samples of half a minute of stereo have more
FREE_BYTES = 64 << 20  # at the end of the heap, which smaller arrays use again and again


@cache
def _function(name: str) -> Callable[..., object]:
    """A function of glibc, or one that does nothing on other systems."""
    try:
        return getattr(ctypes.CDLL("libc.so.6"), name)
    except (OSError, AttributeError):
        return lambda *arguments: None


def trim_heap() -> None:
    """Return freed memory to the system; glibc keeps the peak of every thread otherwise."""
    _function("malloc_trim")(0)


def map_large_arrays() -> None:
    """Give arrays from `LARGE_BYTES` on memory of their own, which is returned as they are freed.

    Otherwise glibc puts arrays of up to 32 MB into its heap, as soon as one of such a size was
    freed, and gaps between what is left stay there. Holds for the process from then on.
    """
    _function("mallopt")(_MMAP_THRESHOLD, LARGE_BYTES)
    _function("mallopt")(_TRIM_THRESHOLD, FREE_BYTES)
