"""Holes in time: selections of time spans alone, outside of which no sample changes.

The window of an atom reaches up to a hop beyond the span that selects it, so that a fill by atoms
alone would change known samples there. Where a selection consists of time spans over all bins and
channels, all samples outside the spans are known. They are kept, and the fill is joined to them
inside the spans. Short holes are filled by `autoregression` alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.mdct import imdct, mdct
from ...io.audio import resample, resample_to_length
from .autoregression import interpolate

if TYPE_CHECKING:
    from ...atoms.selection import Selection
    from ...io.audio import Sound
    from ..task import Task

SHORT_SECONDS = 0.2  # longest hole that is filled by autoregression alone
JOINT_SECONDS = 0.005  # at each edge of a longer hole, between known samples and the fill
CONTEXT_SECONDS = 0.25  # of samples on either side of a hole that are read
BRIDGE_ORDER = 64  # of the model that bridges a hole before resampling

Hole = tuple[int, int]  # first sample, and the first one after the hole


def time_spans(selection: Selection) -> list[tuple[float, float]]:
    """(start, end) in seconds of the disjoint holes of a selection, in order.

    Empty unless the selection consists of time spans over all bins and channels.
    """
    is_whole = not selection.parts and selection.standout is None
    only_spans = is_whole and all(
        r.kind == "rect" and r.op == "add" and r.t and r.f is None and r.channels is None
        for r in selection.regions
    )
    if not (selection.erases and only_spans):
        return []
    spans = (region.t for region in selection.regions if region.t)
    out: list[tuple[float, float]] = []
    for start, end in sorted((a or 0.0, np.inf if b is None else b) for a, b in spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def holes_in_samples(selection: Selection, rate: int, length: int) -> list[Hole]:
    """The holes of a selection in a sound of `length` samples at `rate`."""
    spans = time_spans(selection)
    holes = ((round(start * rate), round(min(end * rate, length))) for start, end in spans)
    return [(start, end) for start, end in holes if 0 <= start < end]


def has_only_short_holes(task: Task) -> bool:
    """Whether the selection consists of holes that autoregression alone fills."""
    rate = task.space.rate
    holes = holes_in_samples(task.selection, rate, task.length)
    return bool(holes) and all(is_short(hole, rate) for hole in holes)


def is_short(hole: Hole, rate: int) -> bool:
    """Whether a hole has at most `SHORT_SECONDS`; in samples, as 2.2 s - 2 s exceeds 0.2 s."""
    return hole[1] - hole[0] <= round(SHORT_SECONDS * rate)


def join_holes(task: Task, grid: np.ndarray, seed: int, fill_short: bool) -> np.ndarray:
    """A filled grid (C, T, F) whose sound has the known samples outside the holes of a task.

    fill_short  whether short holes are filled by autoregression; otherwise only the edges are

    The atoms of the grid that fill the holes are replaced; the selected atoms of `task.grid` are
    not read. Without holes in time the grid is returned as it is.
    """
    holes = holes_in_samples(task.selection, task.space.rate, task.length)
    if not holes or not task.mask.any():
        return grid
    space, out, known = task.space, grid.copy(), _bridged(task)
    for _ in range(passes_over(holes, space.rate)):
        for hole in holes:
            part, sound = _surroundings(replace(task, sound=known), out, holes, hole)
            origin = part.start * space.hop
            edges = hole[0] - origin, min(hole[1] - origin, sound.shape[1])
            frames = mdct(
                _join(sound, edges, space.rate, seed, fill_short), space.hop, space.window
            )
            first, stop = _overlapping_frames(hole, space.hop)
            stop = min(stop, grid.shape[1])
            out[:, first:stop] = frames[:, first - part.start : stop - part.start]
    return np.where(task.mask, out, grid)


def passes_over(holes: list[Hole], rate: int) -> int:
    """How often holes are joined to the samples around them.

    Twice where two are so close that one lies in the context of the other: the first pass has no
    fill of the next hole yet.
    """
    distances = [b[0] - a[1] for a, b in zip(holes, holes[1:])]
    return 2 if distances and min(distances) < CONTEXT_SECONDS * rate else 1


def _overlapping_frames(hole: Hole, hop: int) -> tuple[int, int]:
    """First frame whose window overlaps a hole, and the first one after the hole."""
    return hole[0] // hop, -(-hole[1] // hop) + 1


def _surroundings(
    task: Task, grid: np.ndarray, holes: list[Hole], hole: Hole
) -> tuple[slice, np.ndarray]:
    """The frames of a hole and its context, and their samples (C, n).

    The samples begin in the middle of the first frame. They are those of the sound, and inside
    holes those of the filled grid.
    """
    hop, (first, stop) = task.space.hop, _overlapping_frames(hole, task.space.hop)
    near = int(CONTEXT_SECONDS * task.space.rate) // hop + 2
    part = slice(max(0, first - near), min(grid.shape[1], stop + near))
    origin = part.start * hop
    length = min((part.stop - 1 - part.start) * hop, task.length - origin)
    known = samples_at(task.sound, origin, length, task.space.rate)
    filled = imdct(grid[:, part], length, task.space.window)
    inside = np.zeros(length, bool)
    for start, end in holes:
        inside[max(0, start - origin) : max(0, end - origin)] = True
    return part, np.where(inside, filled, known)


def _bridged(task: Task) -> Sound:
    """The sound of a task with its holes bridged, so that resampling spreads nothing out of them.

    A click in a hole would otherwise ring in the known samples from which the hole is filled.
    """
    sound = task.sound
    if sound.rate == task.space.rate:
        return sound
    samples = sound.samples.copy(order="K")
    for start, end in holes_in_samples(task.selection, sound.rate, samples.shape[1]):
        samples[:, start:end] = interpolate(samples, start, end, sound.rate, None, BRIDGE_ORDER)
    return sound.with_samples(samples)


def samples_at(sound: Sound, start: int, length: int, rate: int) -> np.ndarray:
    """Samples (C, length) of a sound at `rate`, from sample `start` at that rate on."""
    if sound.rate == rate:
        return sound.samples[:, start : start + length]
    # whole seconds are whole samples at both rates
    low, high = max(0, start // rate - 1), (start + length) // rate + 2
    part = sound.samples[:, low * sound.rate : high * sound.rate]
    stop = start + length - low * rate
    return resample_to_length(part, sound.rate, rate, stop)[:, start - low * rate :]


def _join(sound: np.ndarray, hole: Hole, rate: int, seed: int, fill_short: bool) -> np.ndarray:
    """Samples (C, n) in which a filled hole is joined to the known samples around it.

    All of a short hole is filled if `fill_short`, otherwise the edges inside the hole.
    """
    start, end = hole
    if fill_short and is_short(hole, rate):
        strips = [(start, end)]
    else:
        edge = min(round(JOINT_SECONDS * rate), (end - start) // 2)
        strips = [(start, start + edge)] * (start > 0)
        strips += [(end - edge, end)] * (end < sound.shape[1])
    out = sound.copy()
    for a, b in strips:
        if a < b:
            out[:, a:b] = interpolate(out, a, b, rate, seed)
    return out


def erase_holes(base: np.ndarray, holes: list[Hole], rate: int) -> np.ndarray:
    """Change (C, n) of samples `base` at `rate` that silences holes, without clicks.

    At both edges, inside the hole, the sound around it continues and fades out.
    """
    out = np.zeros_like(base)
    for start, end in holes:
        count = min(round(JOINT_SECONDS * rate), (end - start) // 2)
        fade = np.linspace(1, 0, count, endpoint=False)
        before = _extrapolate(base[:, max(0, start - rate) : start], count, rate)
        after = _extrapolate(base[:, end : end + rate][:, ::-1], count, rate)
        out[:, start:end] = -base[:, start:end]
        out[:, start : start + count] += before * fade
        out[:, end - count : end] += (after * fade)[:, ::-1]
    return out


def _extrapolate(before: np.ndarray, count: int, rate: int) -> np.ndarray:
    """Expected samples (C, count) after `before` (C, n); silence if n is 0."""
    n = before.shape[1]
    if not n:
        return np.zeros((len(before), count), np.float32)
    return interpolate(np.pad(before, ((0, 0), (0, count))), n, n + count, rate, None)


def fill_holes(
    change: np.ndarray, base: np.ndarray, holes: list[Hole], rate: int, atom_rate: int
) -> np.ndarray:
    """The change (C, n) of samples `base` at `rate`, inside holes alone.

    What the atoms at `atom_rate` do not describe, above their band and where a resampler falls off,
    becomes silent in the holes.
    """
    out = np.zeros_like(change)
    for start, end in holes:
        out[:, start:end] = change[:, start:end]
        if rate != atom_rate:
            out[:, start:end] -= above_atoms(base, start, end, rate, atom_rate)
    return out


def above_atoms(samples: np.ndarray, start: int, end: int, rate: int, atom_rate: int) -> np.ndarray:
    """The part (C, end - start) of samples (C, n) at `rate` above the band of the atoms.

    The band ends at half of `atom_rate`.
    """
    low = max(0, start // rate - 1) * rate  # whole seconds are whole samples at both rates
    part = samples[:, low : end + rate]
    band = resample_to_length(resample(part, rate, atom_rate), atom_rate, rate, part.shape[1])
    return (part - band)[:, start - low : end - low]
