"""Fades: a sound that fades out at its end goes on fading when it is continued.

A fade multiplies all that sounds: notes begin during it as they do before it, while nothing begins
where a last note dies away. In a short fade, in which little begins, all bands fall alike, while
the highs of a note die away first. A fade is found in the levels of the last seconds, and taken
out of the sound before that is continued: copies, partials and textures then have one level. What
was filled in is multiplied by the fade as it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.mdct import imdct, mdct
from ...io.audio import Sound

if TYPE_CHECKING:
    from ..task import Task

BLOCK_SECONDS = 0.1  # of a level
LONGEST_SECONDS = 12.0  # of the end that is examined
LEAST_SECONDS = 1.2  # of a fade that is recognised by its onsets
SHORT_SECONDS = 0.25  # of any fade: shorter ones prevent a click, and say nothing of the sound
SHORT_BLOCK_SECONDS = 0.02  # of a level of a short fade
SHORT_SURROUND = 0.5  # seconds before a short fade whose level counts
SHORT_BANDS = 4  # of equal width in octaves
LOWEST_HZ, HIGHEST_HZ = 100.0, 18_000.0
LEAST_BANDS = 3  # that are heard
HEARD_DB = -60.0  # level of a band that is heard, relative to the loudest one
MAX_UNLIKE = 0.25  # by which the fall of a band differs from that of the fade, relative to it
LEAST_FALL_DB = 8.0  # from its start to its end; less in steady sounds (`_least_fall_db`)
MAX_ERROR_DB = 6.0  # RMS distance of the levels from the fade
LEAST_ERROR_DB = 0.1  # the same of a fade that fits best of all: no fall of less than 2 dB is one
LEAST_STEEPNESS = 5.0  # fall of a fade relative to this distance
SURROUND = 1.0  # seconds before the fade whose level counts
ONSET_DB = 3.0  # rise of the level from one block to the next that counts as an onset
MIN_ONSETS = 2.0  # expected: where these are or more, a fade has at least a third of them
LOWEST_DB = -50.0  # gain of a fade below which it is not taken out of a sound
# Past the end of the sound, relative to the length of a fade up to there, a linear fade ends
ENDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
STEP_SECONDS = 0.1  # between starts that are tried


@dataclass(frozen=True)
class Fade:
    """Gain of a sound over time: 1 up to `start`, then falling.

    start  seconds
    slope  dB per second of an exponential fade, negative; 0 of a linear one
    end    seconds at which a linear fade is silent
    """

    start: float
    slope: float = 0.0
    end: float = 0.0

    def gain(self, seconds: np.ndarray) -> np.ndarray:
        """Gains at times in seconds."""
        after = np.maximum(seconds - self.start, 0)
        if self.slope:
            return 10 ** (self.slope * after / 20)
        return np.clip(1 - after / (self.end - self.start), 0, 1)

    def is_over(self, seconds: float) -> bool:
        """Whether nothing can be heard any more at a time in seconds."""
        return bool(self.gain(np.array(seconds)) < 10 ** (LOWEST_DB / 20))


def fade_before(task: Task) -> Fade | None:
    """The fade after which the sound of a task is continued; None without one."""
    if not task.extended:
        return None
    count = task.sound.samples.shape[1] - round(task.extended * task.sound.rate)
    return find_fade(task.sound.samples[:, :count], task.sound.rate)


def has_faded_out(sound: Sound) -> bool:
    """Whether a sound has faded out at its end, so that only silence can continue it."""
    fade = find_fade(sound.samples, sound.rate)
    return fade is not None and fade.is_over(sound.seconds)


def find_fade(samples: np.ndarray, rate: int) -> Fade | None:
    """The fade at the end of samples (C, n); None without one."""
    found = [fade for fade in (_long_fade(samples, rate), _short_fade(samples, rate)) if fade]
    if len(found) < 2:
        return found[0] if found else None
    total, first = samples.shape[1] / rate, min(fade.start for fade in found)
    times, level = _band_levels(samples, rate, total - first + SURROUND)
    return min(found, key=lambda fade: float(np.std(level - _decibels(fade, times, LOWEST_DB))))


def _decibels(fade: Fade, times: np.ndarray, lowest: float = -120.0) -> np.ndarray:
    """Gains in dB, not below `lowest`, at times in seconds."""
    return 20 * np.log10(np.maximum(fade.gain(times), 10 ** (lowest / 20)))


def _long_fade(samples: np.ndarray, rate: int) -> Fade | None:
    """A fade of at least `LEAST_SECONDS`."""
    size = round(BLOCK_SECONDS * rate)
    count = min(samples.shape[1], round(LONGEST_SECONDS * rate)) // size
    if count * BLOCK_SECONDS < LEAST_SECONDS:
        return None
    first = samples.shape[1] - count * size
    blocks = samples[:, first:].reshape(len(samples), count, size).astype(np.float64)
    power = np.square(blocks).mean(axis=(0, 2))
    floor = 1e-12 * power.max()
    if not floor:
        return None
    level, total = 10 * np.log10(power + floor), samples.shape[1] / rate
    times = (first + (np.arange(count) + 0.5) * size) / rate
    best, error = None, MAX_ERROR_DB
    for start in np.arange(first / rate, total - LEAST_SECONDS, STEP_SECONDS):
        near = times >= start - SURROUND
        # of equal sounds: a curve that fits worse may fall further
        fade, distance = _closest(float(start), total, times[near], level[near])
        fall = -20 * np.log10(max(float(fade.gain(np.array(times[-1]))), 1e-6))
        if fall >= _least_fall_db(distance) and distance < error:
            best, error = fade, distance
    if best is None:
        return None
    by_onsets = _has_onsets(best, times, level)
    if by_onsets is None:
        is_long = total - best.start >= 2 * LEAST_SECONDS
        return best if is_long or _is_alike_in_bands(best, samples, rate) else None
    return best if by_onsets else None


def _short_fade(samples: np.ndarray, rate: int) -> Fade | None:
    """A fade of `SHORT_SECONDS` to `LEAST_SECONDS`, in which all bands fall alike."""
    total = samples.shape[1] / rate
    times, level = _band_levels(samples, rate, LEAST_SECONDS + SHORT_SURROUND)
    best, error = None, MAX_ERROR_DB
    for start in np.arange(max(0, total - LEAST_SECONDS), total - SHORT_SECONDS, STEP_SECONDS / 2):
        near, before = times >= start - SHORT_SURROUND, times < start
        if (near & before).sum() < SHORT_SURROUND / SHORT_BLOCK_SECONDS / 2:
            continue
        own = _relative(level, near, before)
        if own is None:
            return None
        for fade in _candidates(float(start), total, times[near], own.mean(0)):
            gain_db = _decibels(fade, times[near])
            distance = float(np.sqrt(np.mean(np.square(own - gain_db))))
            if not _falls_alike(own, gain_db) or distance >= error:
                continue
            if -gain_db[-1] >= _least_fall_db(distance):
                best, error = fade, distance
    return best


def _relative(level: np.ndarray, near: np.ndarray, before: np.ndarray) -> np.ndarray | None:
    """Levels (bands, n) in dB relative to their means before a fade, of the bands that are heard.

    near, before  blocks around the fade, and those before it; None if too few bands are heard
    """
    mean = level[:, near & before].mean(1)
    heard = mean > mean.max() + HEARD_DB
    return (level - mean[:, None])[heard][:, near] if heard.sum() >= LEAST_BANDS else None


def _falls_alike(level: np.ndarray, gain_db: np.ndarray) -> bool:
    """Whether the levels (bands, n) in dB all fall by the gains (n,)."""
    slopes = level @ gain_db / (gain_db @ gain_db)
    return bool(np.abs(slopes - 1).max() <= MAX_UNLIKE)


def _is_alike_in_bands(fade: Fade, samples: np.ndarray, rate: int) -> bool:
    """Whether all bands fall by a fade; True where too little is heard to tell."""
    seconds = samples.shape[1] / rate - fade.start + SHORT_SURROUND
    times, level = _band_levels(samples, rate, seconds)
    before = times < fade.start
    own = _relative(level, np.ones(len(times), bool), before) if before.any() else None
    return own is None or _falls_alike(own, _decibels(fade, times, LOWEST_DB))


def _band_levels(samples: np.ndarray, rate: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds (n,) and levels in dB (bands, n) of the last seconds of samples (C, n)."""
    hop = round(SHORT_BLOCK_SECONDS * rate)
    count = min(round(seconds / SHORT_BLOCK_SECONDS), samples.shape[1] // hop - 1)
    if count < 1 or not samples.any():
        return np.zeros(0), np.zeros((0, 0))
    first = samples.shape[1] - (count + 1) * hop
    at = first + hop * np.arange(count)
    blocks = samples[:, at[:, None] + np.arange(2 * hop)] * np.hanning(2 * hop)
    power = np.square(np.abs(np.fft.rfft(blocks))).sum(0)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, 0.45 * rate), SHORT_BANDS + 1)
    bins = np.round(edges * 2 * hop / rate).astype(int)
    bands = np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1).T
    return (at + hop) / rate, 10 * np.log10(bands + 1e-12 * bands.max())


def _has_onsets(fade: Fade, times: np.ndarray, level: np.ndarray) -> bool | None:
    """Whether sounds begin during a fade as before it, only quieter, by levels in dB at times.

    None where too little begins to tell.
    """
    gain_db = _decibels(fade, times)
    begins = np.append(False, np.diff(level) > ONSET_DB)
    peaks = np.maximum(level, np.append(level[1:], -np.inf))
    before, during = times < fade.start, (times >= fade.start) & (gain_db > LOWEST_DB)
    expected = float(begins[before].mean()) * int(during.sum()) if before.any() else 0.0
    if expected < MIN_ONSETS:
        return None
    found = np.flatnonzero(begins & during)
    if len(found) < expected / 3:
        return False
    drop, faded = float(np.median(peaks[begins & before]) - peaks[found[-1]]), -gain_db[found[-1]]
    return bool(faded >= LEAST_FALL_DB / 2 and drop >= faded / 2)


def _least_fall_db(distance: float) -> float:
    """Fall in dB that makes a fade of levels at an RMS distance of `distance` dB from it.

    The steadier a sound, the less of a fall is beyond its own changes.
    """
    steep = LEAST_STEEPNESS * max(distance, LEAST_ERROR_DB)
    return max(steep, float(np.sqrt(LEAST_FALL_DB * steep)))


def _closest(
    start: float, total: float, times: np.ndarray, level: np.ndarray
) -> tuple[Fade, float]:
    """The fade from `start` that is nearest to levels in dB at times, and its distance in dB."""
    fades = _candidates(start, total, times, level)
    distances = [float(np.std(level - _decibels(fade, times))) for fade in fades]
    nearest = int(np.argmin(distances))
    return fades[nearest], distances[nearest]


def _candidates(start: float, total: float, times: np.ndarray, level: np.ndarray) -> list[Fade]:
    """Fades that begin at `start`, for levels in dB at times."""
    after = np.maximum(times - start, 0)
    slope = float(np.polyfit(after, level, 1)[0]) if len(times) > 2 else 0.0
    found = [Fade(start, slope=slope)] if slope < 0 else []
    return found + [Fade(start, end=total + share * (total - start)) for share in ENDS]


def without_fade(task: Task, fade: Fade) -> Task:
    """The task of the same sound with one level up to its end."""
    sound = task.sound
    seconds = np.arange(sound.samples.shape[1]) / sound.rate
    gain = np.maximum(fade.gain(seconds), 10 ** (LOWEST_DB / 20)).astype(np.float32)
    level = Sound(sound.samples / gain, sound.rate, sound.subtype)
    grid = mdct(level.at(task.space.rate), task.space.hop, task.space.window)
    known = np.where(task.mask, 0, grid)
    return replace(task, sound=level, grid=grid, reference=float(np.abs(known).max(initial=0)))


def with_fade(task: Task, fade: Fade, grid: np.ndarray) -> np.ndarray:
    """The filled grid (C, T, F) of `without_fade(task)`, with the fade."""
    space = task.space
    first = int(np.flatnonzero(task.mask.any(axis=(0, 2)))[0])
    low = max(0, first - 2)
    part, start = grid[:, low:], low * space.hop
    length = (part.shape[1] - 1) * space.hop
    samples = imdct(part, length, space.window)
    gain = fade.gain((start + np.arange(length)) / space.rate).astype(np.float32)
    faded = mdct(samples * gain, space.hop, space.window)
    out = task.grid.copy()
    count = min(faded.shape[1], out.shape[1] - low)
    out[:, low : low + count] = faded[:, :count]
    return np.where(task.mask, out, task.grid)
