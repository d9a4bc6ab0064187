"""Sags: dropouts of tape, in which the level falls by 7 to 40 dB for some hundredths of a second.

Rests between notes are as quiet: but notes decay into a rest, and another sound comes out of it.
A sag falls and rises at once, has one level in between, and leads from a sound to the same sound,
which is in the sag, too, only quieter.
"""

from __future__ import annotations

import numpy as np

from ...io.audio import Sound
from .defect import Defect, find_in_channels

HOP_SECONDS = 0.0025  # between levels, each of two hops
MIN_SECONDS, MAX_SECONDS = 0.0125, 0.105
SIDE_SECONDS = 0.03  # on either side, with which a sag is compared
MIN_FALL_DB, MAX_FALL_DB = 7.0, 40.0
EDGE_HOPS = 4  # in which the level falls, and rises
MIN_STEEP = 0.65  # share of the fall, and of the rise, within `EDGE_HOPS`
MAX_STEP_DB = 4.0  # between the levels of both sides
MAX_TREND_DB = 4.0  # between the halves of a sag: a decay falls
BANDS = 12  # of equal width in octaves
NEAR_SECONDS, MAX_NEAR = 0.25, 2  # of a sag, in which at most this many sags are, itself included
FFT_SIZE = 8192
LOWEST_HZ, HIGHEST_HZ = 150.0, 9000.0
MAX_CHANGE_DB = 4.5  # RMS over bands between the sides, less their levels
MAX_INSIDE_DB = 5.0  # RMS over bands between a sag and its sides, less a line over octaves
MIN_LEVEL_DB = -60.0  # of both sides
MIN_SIDE_DB = -4.0  # lowest level of the sides relative to their mean, beside the edges


def find_sags(sound: Sound) -> list[Defect]:
    """Sags of every channel of a sound, as defects of the kind "dropouts"."""
    return find_in_channels("dropouts", sound, _sags)


def _sags(x: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Spans (first, stop) of the sags of one channel (n,)."""
    hop = max(1, round(HOP_SECONDS * rate))
    side = round(SIDE_SECONDS / HOP_SECONDS)
    level = _levels(np.diff(x, prepend=x[:1]), hop)  # differences: bass has a ripple of its own
    out, valleys = [], _valleys(level)
    starts = np.array([first for first, _ in valleys], int)
    for first, stop in valleys:
        if (np.abs(starts - first) < NEAR_SECONDS / HOP_SECONDS).sum() > MAX_NEAR:
            continue  # a tremolo, or the pulses of a low note
        if first >= side + EDGE_HOPS and stop + side + EDGE_HOPS < len(level):
            if _is_sudden(level, first, stop, side) and _is_same_sound(x, first, stop, hop, rate):
                out.append((int(first) * hop, min((int(stop) + 1) * hop, len(x))))
    return out


def _valleys(level: np.ndarray) -> list[tuple[int, int]]:
    """Disjoint spans (first, stop) of levels from a steep fall to the next steep rise."""
    change = level[EDGE_HOPS:] - level[:-EDGE_HOPS]
    falls = _peaks(-change)
    rises = _peaks(change)
    out: list[tuple[int, int]] = []
    for rise in rises:
        before = falls[falls < rise]
        if not len(before):
            continue
        fall = int(before[-1])
        high, later = level[fall], level[rise + EDGE_HOPS]
        first = fall + int(np.argmax(level[fall:] < high - MIN_FALL_DB / 2))
        stop = rise + int(np.argmax(level[rise:] > later - MIN_FALL_DB / 2))
        if MIN_SECONDS <= (stop - first) * HOP_SECONDS <= MAX_SECONDS:
            if not out or first >= out[-1][1]:
                out.append((first, stop))
    return out


def _peaks(change: np.ndarray) -> np.ndarray:
    """Places where values (n,) above `MIN_FALL_DB` are the largest nearby."""
    if len(change) < 2 * EDGE_HOPS + 1:
        return np.zeros(0, int)
    padded = np.pad(change, EDGE_HOPS, constant_values=-np.inf)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * EDGE_HOPS + 1).max(1)
    return np.flatnonzero((change > MIN_FALL_DB) & (change == near))


def _levels(x: np.ndarray, hop: int) -> np.ndarray:
    """(n // hop - 1,) levels in dB of two hops each."""
    count = len(x) // hop
    if count < 2:
        return np.zeros(0)
    power = np.square(x[: count * hop]).reshape(count, hop).mean(1)
    return 10 * np.log10((power[:-1] + power[1:]) / 2 + 1e-14)


def _is_sudden(level: np.ndarray, first: int, stop: int, side: int) -> bool:
    """Whether the level falls and rises at once, and is steady before, in between and after."""
    before = level[first - EDGE_HOPS - side : first - EDGE_HOPS]
    after = level[stop + EDGE_HOPS : stop + EDGE_HOPS + side]
    inside = level[first:stop]
    core = inside[1:-1] if len(inside) > 4 else inside
    fall = (before.mean() + after.mean()) / 2 - np.median(core)
    half = len(core) // 2
    trend = core[:half].mean() - core[-half:].mean() if half else 0.0
    near = level[first - EDGE_HOPS], level[stop + EDGE_HOPS - 1]
    falls, rises = (
        level[at : at + EDGE_HOPS + 1] - level[at - EDGE_HOPS : at + 1] for at in (first, stop)
    )
    return bool(
        min(before.mean(), after.mean()) > MIN_LEVEL_DB
        and abs(before.mean() - after.mean()) < MAX_STEP_DB
        and MIN_FALL_DB < fall < MAX_FALL_DB
        and abs(trend) < MAX_TREND_DB
        and min(-falls.min(), rises.max()) > MIN_STEEP * fall
        and near[0] > before.mean() + MIN_SIDE_DB
        and near[1] > after.mean() + MIN_SIDE_DB
    )


def _is_same_sound(x: np.ndarray, first: int, stop: int, hop: int, rate: int) -> bool:
    """Whether the spectra of both sides agree, and that of the sag with them."""
    a, b, margin = first * hop, (stop + 1) * hop, EDGE_HOPS * hop // 2
    size = round(SIDE_SECONDS * rate)
    before = _bands(x[max(0, a - margin - size) : a - margin], rate)
    after = _bands(x[b + margin : b + margin + size], rate)
    inside = _bands(x[a + hop : b - hop], rate)
    if np.std(before - after) > MAX_CHANGE_DB:
        return False
    loss = inside - (before + after) / 2
    octave = np.arange(len(loss))
    line = np.polyval(np.polyfit(octave, loss, 1), octave)  # highs are lost first
    return bool(np.sqrt(np.mean((loss - line) ** 2)) < MAX_INSIDE_DB)


def _bands(x: np.ndarray, rate: int) -> np.ndarray:
    """(bands,) levels in dB, of windows that are at most as long as a side."""
    size = min(len(x), round(SIDE_SECONDS * rate))
    starts = np.linspace(0, len(x) - size, 1 + round(2 * (len(x) - size) / size)).astype(int)
    pieces = np.stack([x[start : start + size] for start in starts]) * np.hanning(size)
    power = (np.abs(np.fft.rfft(pieces, FFT_SIZE)) ** 2).mean(0)
    hertz = np.fft.rfftfreq(FFT_SIZE, 1 / rate)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, 0.4 * rate), BANDS + 1)
    at = np.searchsorted(hertz, edges)
    sums = np.add.reduceat(power, at[:-1])
    return 10 * np.log10(sums / np.diff(at).clip(min=1) / size + 1e-14)
