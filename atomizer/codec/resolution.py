"""The hop of a file: short ones for attacks and speech, a long one for tones.

A few seconds of the sound are coded with every hop; the one with the smallest log-spectral distance
after decoding with noise is taken. The SNR would choose long hops for sounds whose attacks are then
heard too early (dev/LOG.md).
"""

from __future__ import annotations

import math

import numpy as np

from .. import metrics
from ..atoms.space import AtomSpace
from ..io.audio import Sound
from .bitstream import HEADER_BYTES, HOPS
from .decoder import receive
from .encoder import Budget, encode_sound
from .rendering import render

SECONDS = 4.0  # that are coded
MIN_SECONDS = 0.2
KBPS_PER_CHANNEL = 24  # unless the file has less
_STEP = 0.01  # of the log-spectral distance: a shorter hop has to gain that much


def choose_space(sound: Sound, budget: Budget) -> AtomSpace:
    """The AtomSpace whose hop suits a sound, for a file in the order of audibility."""
    if sound.seconds < MIN_SECONDS:
        return AtomSpace()
    part = loudest_part(sound, SECONDS)
    size = KBPS_PER_CHANNEL * 125 * sound.channels * part.seconds
    if budget.size is not None:
        size = min(size, budget.size * part.seconds / sound.seconds)
    trial = Budget(max(HEADER_BYTES, round(size)))
    best, least = AtomSpace(), math.inf
    for hop in HOPS:
        space = AtomSpace(hop=hop)
        distance = _distance(part, encode_sound(part, space, "audibility", trial))
        if distance < least - _STEP:
            best, least = space, distance
    return best


def loudest_part(sound: Sound, seconds: float) -> Sound:
    """The loudest excerpt of this length, or the sound where it is not longer."""
    length = min(sound.samples.shape[1], round(seconds * sound.rate))
    power = np.square(sound.samples, dtype=np.float64).sum(0)
    energy = np.concatenate([[0.0], np.cumsum(power)])
    start = int(np.argmax(energy[length:] - energy[:-length]))
    return Sound(np.ascontiguousarray(sound.samples[:, start : start + length]), sound.rate)


def _distance(sound: Sound, data: bytes) -> float:
    """Log-spectral distance of a file of a sound, decoded with noise."""
    decoded = render(receive(data, math.inf), "noise")
    reference, estimate = metrics.normalise(sound.samples, decoded.samples)
    return metrics.lsd(reference, estimate)
