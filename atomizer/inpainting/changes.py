"""Which samples of a sound a fill has changed, found by comparing all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..io.audio import Sound

BLOCK = 1 << 20  # samples that are compared at once
# of the sum of two channels in float32, up to twice full scale: a sample of more than 16 bits need
# not be the exact sum of any two channels
ROUNDING = 2.0**-23


@dataclass(frozen=True)
class Changes:
    """The difference between two sounds; `str` of it is a clause for people.

    samples        changed samples of the channels and the time that both sounds have
    start, stop    seconds from the first to the last of them
    added_seconds  by which the second sound is longer
    added_channels
    resampled      whether the rates differ, so that no samples can be compared
    mono_sum_error  where a mono sound became stereo: the largest difference of its mean
    """

    samples: int = 0
    start: float = 0.0
    stop: float = 0.0
    added_seconds: float = 0.0
    added_channels: int = 0
    resampled: bool = False
    mono_sum_error: float | None = None

    def __str__(self) -> str:
        if self.resampled:
            return "the sample rate has changed, so all samples are new"
        words = []
        if self.added_seconds:
            words.append(f"{self.added_seconds:.2f} s were added")
        if self.added_channels:
            channels = "channel was" if self.added_channels == 1 else "channels were"
            words.append(f"{self.added_channels} {channels} added")
        if self.mono_sum_error == 0:
            return ", ".join([*words, "the mono sum of all samples is bit-identical"])
        if self.mono_sum_error is not None and self.mono_sum_error <= ROUNDING:
            decibels = 20 * math.log10(self.mono_sum_error)
            return ", ".join([*words, f"the mono sum has changed by rounding ({decibels:.0f} dB)"])
        if not self.samples:
            return ", ".join([*words, "all samples of the input are bit-identical"])
        words.append(f"{self.samples:,} samples in {self.start:.2f}–{self.stop:.2f} s changed")
        return ", ".join([*words, "all others are bit-identical"])


def changes(before: Sound, after: Sound) -> Changes:
    """Compare two sounds bit by bit.

    Channels and times that only one of them has are not compared; `Changes` names them.

    Examples
    --------
    >>> before = Sound(np.zeros((1, 1000), np.float32), 1000)
    >>> after = Sound(before.samples + (np.arange(1000) // 100 == 3), 1000)
    >>> print(changes(before, after))
    100 samples in 0.30–0.40 s changed, all others are bit-identical
    """
    if before.rate != after.rate:
        return Changes(resampled=True)
    channels = min(before.channels, after.channels)
    length = min(before.samples.shape[1], after.samples.shape[1])
    count, first, last = 0, length, 0
    error = 0.0 if (before.channels, after.channels) == (1, 2) else None
    for start in range(0, length, BLOCK):
        part = np.s_[:channels, start : min(start + BLOCK, length)]
        bits = (
            np.ascontiguousarray(sound.samples[part], np.float32).view(np.uint32)
            for sound in (before, after)
        )
        differs = np.not_equal(*bits)
        count += int(np.count_nonzero(differs))
        times = start + np.flatnonzero(differs.any(0))
        if len(times):
            first, last = min(first, int(times[0])), int(times[-1]) + 1
        if error is not None:  # in float64, the sum of two float32 is exact
            whole = np.s_[:, part[1]]
            mean = after.samples[whole].sum(0, dtype=np.float64) / 2
            error = max(error, float(np.abs(mean - before.samples[whole][0]).max(initial=0)))
    return Changes(
        samples=count,
        start=first / before.rate if count else 0.0,
        stop=last / before.rate,
        added_seconds=max(0, after.samples.shape[1] - length) / before.rate,
        added_channels=max(0, after.channels - channels),
        mono_sum_error=error,
    )
