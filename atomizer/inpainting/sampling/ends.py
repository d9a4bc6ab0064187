"""Ends of a sound: atoms of the first and last frames as if the sound went on.

The windows of these frames reach beyond the sound. Silence there would make them quieter, and an
end in the middle of a note spreads over all frequencies: neither is evidence of a level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...analysis.mdct import mdct
from ..time_domain.autoregression import CONTEXT_SECONDS, interpolate
from ..time_domain.holes import samples_at

if TYPE_CHECKING:
    from ..task import Task

Ends = list[tuple[slice, np.ndarray]]


def continued_ends(task: Task) -> Ends:
    """Frames at both ends of a task, and their coefficients (C, n, F) if the sound went on.

    The sound is continued by a draw from an autoregressive model of what is beside its end. Empty
    where the task is a part of the sound, or shorter than the windows of these frames.
    """
    space, length = task.space, task.length
    frames = space.frame_count(length)
    context = (round(CONTEXT_SECONDS * space.rate) // space.hop + 1) * space.hop
    if frames != task.grid.shape[1] or length < context + space.hop:
        return []
    first = _continued(
        samples_at(task.sound, 0, context, space.rate)[:, ::-1], space.hop, space.rate
    )
    start = (frames - 2) * space.hop - context  # of samples up to two hops before the last ones
    last = samples_at(task.sound, start, length - start, space.rate)
    missing = frames * space.hop - length
    begin = mdct(np.ascontiguousarray(first[:, ::-1]), space.hop, space.window)
    end = mdct(_continued(last, missing, space.rate), space.hop, space.window)
    at = context // space.hop
    return [(slice(0, 1), begin[:, 1:2]), (slice(frames - 2, frames), end[:, at : at + 2])]


def _continued(samples: np.ndarray, count: int, rate: int) -> np.ndarray:
    """Samples (C, n + count): (C, n) ones, continued."""
    n = samples.shape[1]
    padded = np.pad(samples, ((0, 0), (0, count)))
    padded[:, n:] = interpolate(padded, n, n + count, rate)
    return padded
