"""Pauses: holes in time whose surroundings are much louder a moment away.

The level of a hole in a pause is that of the pause, not that of the attack after it. Frames beyond
such a jump of level are left out of the interpolation if the pause is long enough to be measured.
"""

from __future__ import annotations

import numpy as np

from ..analysis.runs import runs
from .interface import PriorContext

LEVEL_JUMP = np.log(10.0)  # 10 dB in the mean log power of all bins: more than chance
POWER_JUMP = np.log(100.0)  # 20 dB of the total power, which a single note may raise
MIN_FRAMES = 2  # known frames beside a hole that give the level of the pause
# A pause is this much quieter than what is beyond it. One that is shorter than the hole in it may
# be a rest between notes, unless it is deep and the hole has at most `DEEP_FRAMES`
QUIET, DEEP = np.log(10.0), np.log(100.0)  # 10 and 20 dB
DEEP_FRAMES = 40  # 0.9 s


def frames_of_level(context: PriorContext, log: np.ndarray) -> np.ndarray:
    """(W,) bool: frames of the longer stretch around a window that give the level of its hole.

    In a pause they are those of the pause alone.

    log  (C, W, F) log powers of the longer stretch, read where known
    """
    known = context.wide_observed
    if context.use_band_context:
        return frames_of_pause_around_box(log, known)
    if context.edges is None:  # no hole in time
        return np.ones(known.shape[1], dtype=bool)
    window = context.offset, context.offset + context.observed.shape[1]
    return frames_of_pause(log, known, window)


def frames_of_pause(
    log: np.ndarray, known: np.ndarray, window: tuple[int, int] | None = None
) -> np.ndarray:
    """(T,) bool: frames up to the nearest jumps of level; all frames where there is no pause.

    log     (C, T, F) log powers, read where known
    known   (C, T, F) bool; a hole is a run of frames without a known atom
    window  first frame, and the one after the last, of those whose holes count; by default all
    """
    known_frames: np.ndarray = np.any(known, axis=(0, 2))
    keep = np.ones(known_frames.shape, dtype=bool)
    count = np.maximum(known.sum(axis=(0, 2)), 1)
    level = (log * known).sum(axis=(0, 2)) / count
    power = np.log((np.exp(log) * known).sum(axis=(0, 2)) / count + 1e-30)
    first, end = window or (0, len(keep))
    for start, stop in runs(~known_frames):
        if stop <= first or start >= end:
            continue
        sides = slice(None, start), slice(stop, None)
        before, after = (
            _frames_to_jump(level[side][::step], power[side][::step], known_frames[side][::step])
            for side, step in zip(sides, (-1, 1))
        )
        if min(before, after) < MIN_FRAMES:
            continue
        pause = np.zeros(keep.shape, dtype=bool)
        pause[start - before : stop + after] = True
        is_short = before + after < stop - start
        if is_short and stop - start > DEEP_FRAMES:
            continue
        if _depth(power, pause, known_frames) <= (DEEP if is_short else QUIET):
            continue
        keep[: start - before] = False
        keep[stop + after :] = False
    return keep if (keep & known_frames).any() else np.ones(known_frames.shape, dtype=bool)


def frames_of_pause_around_box(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`frames_of_pause` for a box, of the bins alone that are unknown in some frame."""
    bins = ~known.all(axis=(0, 1))
    if not bins.any():
        return np.ones(known.shape[1], dtype=bool)
    complete: np.ndarray = np.all(known[..., bins], axis=(0, 2))
    part = log[..., bins]
    return frames_of_pause(part, np.broadcast_to(complete[:, None], part.shape))


def _depth(power: np.ndarray, pause: np.ndarray, known: np.ndarray) -> float:
    """Log power of the frames beyond a pause, relative to that of the pause; 0 with none beyond.

    power         (T,) log power
    pause, known  (T,) bool, frames of the pause and its hole, and known frames
    """
    beyond, inside = known & ~pause, known & pause
    if not beyond.any():
        return 0.0
    means = (np.exp(power[frames]).mean() for frames in (beyond, inside))
    loud, quiet = (float(np.log(mean + 1e-30)) for mean in means)
    return loud - quiet


def _frames_to_jump(level: np.ndarray, power: np.ndarray, known: np.ndarray) -> int:
    """Number of frames, starting beside a hole, before a jump, or before another hole."""
    if not len(level):
        return 0
    jump = level > level[:MIN_FRAMES].mean() + LEVEL_JUMP
    jump |= power > power[:MIN_FRAMES].mean() + POWER_JUMP
    ends = np.flatnonzero(jump | ~known)
    if not len(ends):
        return len(level)
    end = int(ends[0])
    # half of the window of the frame before a jump lies in the frame of the jump
    return end - int(jump[end] and end > MIN_FRAMES)
