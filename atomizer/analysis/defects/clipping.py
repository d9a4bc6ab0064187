"""Clipped samples: runs at the extreme values of a channel.

A converter or a program that clips holds its largest value for as long as the true signal exceeds
it. Both signs have a level of their own. Files that were encoded, resampled or filtered after they
were clipped have no such runs and are not found.
"""

from __future__ import annotations

import numpy as np

from ...io.audio import Sound
from ..runs import runs
from .defect import Defect

MIN_RUN = 3  # samples of one value that are a clipped peak; two may be chance
MIN_RUNS = 3  # of a level that clips: a single one may be the sound's own
TOLERANCE = 1e-4  # relative to the level: rounding after the clipping
MAX_SECONDS = 0.005  # of one run: longer ones are the plateaus of square waves
MAX_SHARE = 0.3  # of a channel's samples


def find_clipped(sound: Sound) -> list[Defect]:
    """Clipped spans of a sound; their true samples lie beyond `level`."""
    longest = round(MAX_SECONDS * sound.rate)
    out = []
    for channel, samples in enumerate(sound.samples):
        for sign in (1, -1):
            level = float((sign * samples).max(initial=0))
            if level <= 0:
                continue
            at_level = sign * samples >= level * (1 - TOLERANCE)
            if at_level.mean() > MAX_SHARE:
                continue
            found = np.array(runs(at_level), int).reshape(-1, 2)
            lengths = found[:, 1] - found[:, 0]
            held = (lengths >= MIN_RUN) & (lengths <= longest)
            if held.sum() < MIN_RUNS or (lengths > longest).sum() > held.sum():
                continue
            for first, stop in found[lengths <= longest]:
                out.append(
                    Defect("clipped", channel, int(first), int(stop), sound.rate, sign * level)
                )
    return sorted(out, key=_first)


def _first(defect: Defect) -> int:
    return defect.first
