"""Samples of a sound as their difference from those of another sound.

A fill changes a part of a sound: only that part is stored, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...inpainting.shaping import spans_of
from ...io.audio import Sound


@dataclass(frozen=True)
class Patch:
    """A sound, as the samples that differ from another one.

    rate      samples per second, in Hz
    channels  number of channels
    length    samples per channel
    spans     (start, stop) in samples, ascending
    samples   (channels, n) float32, those of all spans one after the other
    """

    rate: int
    channels: int
    length: int
    spans: tuple[tuple[int, int], ...]
    samples: np.ndarray


def patch_of(before: Sound, after: Sound) -> Patch:
    """Return what makes `after` of `before`; `patched` applies it."""
    channels, length = after.samples.shape
    same = _common(before, after.rate, channels, length)
    samples = np.ascontiguousarray(after.samples, np.float32)
    differs = (samples.view(np.uint32) != same.view(np.uint32)).any(0)
    spans = spans_of(differs[None], after.rate)
    parts = [samples[:, start:stop] for start, stop in spans]
    changed = np.concatenate(parts, 1) if parts else samples[:, :0].copy()
    return Patch(after.rate, channels, length, tuple(spans), changed)


def patched(before: Sound, patch: Patch) -> Sound:
    """Return the sound of a patch, with the sample format, layout and tags of `before`."""
    samples, at = _common(before, patch.rate, patch.channels, patch.length), 0
    for start, stop in patch.spans:
        samples[:, start:stop] = patch.samples[:, at : at + stop - start]
        at += stop - start
    return before.with_samples(samples, patch.rate)


def _common(before: Sound, rate: int, channels: int, length: int) -> np.ndarray:
    """(channels, length) float32: the samples of `before` where it has the rate, else silence."""
    out = np.zeros((channels, length), np.float32)
    if before.rate == rate:
        part = before.samples[:channels, :length]
        out[: part.shape[0], : part.shape[1]] = part
    return out
