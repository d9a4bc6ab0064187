"""Defect: a span of one channel whose samples are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...io.audio import Sound


@dataclass(frozen=True)
class Defect:
    """A span of wrong samples.

    kind         name of its detector in `DETECTORS`
    channel      of the sound, from 0
    first, stop  its first sample, and the first one after it
    rate         of the sound, in Hz
    level        of "clipped": the value, with its sign, that the true samples are beyond
    """

    kind: str
    channel: int
    first: int
    stop: int
    rate: int
    level: float = 0.0

    @property
    def start(self) -> float:
        """Start in seconds."""
        return self.first / self.rate

    @property
    def end(self) -> float:
        """End in seconds."""
        return self.stop / self.rate

    def overlaps(self, other: Defect) -> bool:
        """Whether both have a sample in common."""
        return self.channel == other.channel and self.first < other.stop and other.first < self.stop

    def to_dict(self) -> dict[str, Any]:
        """The defect as JSON-ready data, times in seconds."""
        span = {"start": round(self.start, 6), "end": round(self.end, 6)}
        return {"kind": self.kind, **span, "channel": self.channel}


def find_in_channels(
    kind: str, sound: Sound, find: Callable[[np.ndarray, int], Iterable[tuple[int, int]]]
) -> list[Defect]:
    """Defects of a kind in all channels of a sound.

    find  samples (n,) float64 of a channel and their rate -> spans (first, stop) of defects
    """
    return [
        Defect(kind, channel, first, stop, sound.rate)
        for channel, samples in enumerate(sound.samples)
        for first, stop in find(samples.astype(np.float64), sound.rate)
    ]
