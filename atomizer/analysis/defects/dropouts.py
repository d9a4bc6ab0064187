"""Dropouts: short spans of digital silence, or of one held value, between sounding samples.

A span counts only if the sound breaks off before it and sets in after it at once: pauses, and notes
that fade to silence, do not. Dropouts of tape, in which the level falls without silence, are found
by `sags.py`.
"""

from __future__ import annotations

import numpy as np

from ...io.audio import Sound
from ..runs import runs
from .defect import Defect
from .sags import find_sags

MIN_SECONDS = 0.001  # shorter runs of equal samples occur in quiet sounds
MAX_SECONDS = 1.0  # longer ones are pauses
EDGE_SECONDS = 0.003  # on either side, in which the sound has to be there
AROUND_SECONDS = 0.03  # on either side, from whose level the edge may differ by `MAX_FALL`
SILENT = 2**-14  # largest difference of samples within a span: two steps of 16 bit
MIN_LEVEL = 2**-9  # RMS of the edges, -54 dB
STEEP_SECONDS = 0.001  # on either side, in which the samples change by `MIN_STEP`
MIN_STEP = 4 * SILENT  # RMS: beside the crest of a slow wave, samples change little more than on it
MAX_FALL = 0.25  # RMS of an edge relative to that around it: a fade ends below it


def find_dropouts(sound: Sound) -> list[Defect]:
    """Dropouts of every channel of a sound."""
    rate, out = sound.rate, []
    for channel, samples in enumerate(sound.samples):
        still = np.abs(np.diff(samples)) <= SILENT
        for first, last in runs(still):
            stop = last + 1  # samples of the run, one more than differences
            if not MIN_SECONDS * rate <= stop - first <= MAX_SECONDS * rate:
                continue
            held = float(np.abs(samples[first:stop]).max())
            before, after = samples[:first][::-1], samples[stop:]
            if all(_sounds(side, held, rate) for side in (before, after)):
                out.append(Defect("dropouts", channel, int(first), int(stop), rate))
    return out + [sag for sag in find_sags(sound) if not any(map(sag.overlaps, out))]


def _sounds(side: np.ndarray, held: float, rate: int) -> bool:
    """Whether the sound leads up to a span: samples of one side, from its edge on.

    held  magnitude of the span: a plateau of the sound itself is as loud as its surroundings
    """
    edge = _rms(side[: round(EDGE_SECONDS * rate)])
    around = _rms(side[: round(AROUND_SECONDS * rate)])
    if _rms(np.diff(side[: 1 + round(STEEP_SECONDS * rate)])) < MIN_STEP:
        return False
    return edge >= max(MIN_LEVEL, MAX_FALL * around) and held < around


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
