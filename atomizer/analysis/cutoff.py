"""The cutoff of a recording: where its spectrum ends, and where the slope to this end begins.

Files of low sample rates, and of lossy codecs at low bit rates, have nothing above some frequency,
and below it a transition band that their filter has weakened. Both are read from the mean level of
every bin over time, to which a filter adds the same decibels in loud and in quiet frames. Codecs
leave out quiet highs, so that a mean may fall gradually: then the loudest levels are read.

A cutoff is a wall: the level falls far below the continued tilt of the octave below within a sixth
of an octave, and stays there. Spectra that merely fall, single tones and noise have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..atoms.space import AtomSpace
from ..io.audio import Sound, resample
from .mdct import mdct

MIN_HZ, MAX_HZ = 1_000.0, 21_000.0  # range of cutoffs; filters of converters end above it
DROP_DB = 15.0  # depth of a wall below the continued tilt
FLOOR_DB = -120.0  # below the loudest atom: quieter levels count as this one
ACTIVE_DB = -50.0  # below the loudest frame: quieter frames are not read
MAX_FRAMES = 1_024  # frames of a long recording that are read, evenly spread
PIECES, PIECE_SECONDS = 10, 6.0  # pieces of a long sound that `cutoff_of` reads
SMOOTH_BINS = 9  # bins (190 Hz) over which levels are averaged
LOUD_SHARE = 0.1  # of the levels of a bin, where their mean has no wall
EVEN_DB = 12.0  # above a wall: the loudest bin above the median one
WIDTH = 0.12  # widest transition of a wall, relative to its frequency
WEAK_DB = 1.0  # a bin that is weakened by less is not part of the slope
# Bands below a wall, relative to it, that give the level and the tilt without its slope
FURTHER, NEARER = (0.55, 0.72), (0.74, 0.88)
STEEP_WIDTH = 0.012  # half of the width, relative to the wall, over which a fall is measured
STEEP_DB = 1.0  # a slope falls by more than this, beyond what the band below it does
LOWEST_START = 0.78  # of the wall: a slope does not begin below
RESAMPLER_PASSBAND = 0.91  # of the Nyquist frequency: above, `io.audio.resample` weakens


@dataclass(frozen=True)
class Cutoff:
    """Where a recording ends.

    start_hz  where the slope begins: below, nothing is weakened
    end_hz    where nothing is left
    """

    start_hz: float
    end_hz: float

    @property
    def rounded(self) -> list[int]:
        """[start, end] in whole Hz."""
        return [round(self.start_hz), round(self.end_hz)]


class FrameSample:
    """Evenly spread frames of a grid (C, T, F) that comes in parts, at most `MAX_FRAMES`."""

    def __init__(self) -> None:
        self.step, self.frames, self.parts = 1, 0, list[np.ndarray]()

    def add(self, grid: np.ndarray) -> None:
        """Take frames of the next part (C, n, F)."""
        self.parts.append(grid[:, -self.frames % self.step :: self.step].copy())
        self.frames += grid.shape[1]
        while -(-self.frames // self.step) > MAX_FRAMES:
            self.parts = [self.grid[:, ::2]]
            self.step *= 2

    @property
    def grid(self) -> np.ndarray:
        """The frames (C, n, F)."""
        return np.concatenate(self.parts, axis=1)


def cutoff_of(sound: Sound, space: AtomSpace = AtomSpace()) -> Cutoff | None:
    """The cutoff of a sound; of a long one from `PIECES` pieces of it. See `find_cutoff`."""
    return find_cutoff(sampled_grid(sound, space), space, sound.rate / 2)


def sampled_grid(sound: Sound, space: AtomSpace = AtomSpace()) -> np.ndarray:
    """(C, T, F) coefficients of a sound; of a long one those of `PIECES` evenly spread pieces."""
    length, size = sound.samples.shape[1], int(PIECE_SECONDS * sound.rate)
    starts = np.linspace(0, length - size, PIECES).astype(int)
    pieces = [slice(s, s + size) for s in starts] if length > PIECES * size else [slice(None)]
    grids = [
        mdct(resample(sound.samples[:, piece], sound.rate, space.rate), space.hop, space.window)
        for piece in pieces
    ]
    return np.concatenate(grids, axis=1)


def find_cutoff(grid: np.ndarray, space: AtomSpace, nyquist_hz: float) -> Cutoff | None:
    """Find the cutoff of a recording.

    Parameters
    ----------
    grid : (C, T, F)
        Its coefficients.
    space : AtomSpace
        Of the coefficients.
    nyquist_hz : float
        Half of the recording's own rate: a recording of a low rate ends there if no wall is found
        below it.

    Returns
    -------
    Cutoff or None
        None where the spectrum has no wall.
    """
    is_low_rate = nyquist_hz < min(space.rate / 2, MAX_HZ)
    for share in (1.0,) if is_low_rate else (1.0, LOUD_SHARE):
        level = mean_levels(grid, share)
        wall = None if level is None else _wall(level, space.bin_hz, nyquist_hz)
        if level is not None and wall is not None:
            start_hz = _slope_start(level, wall) * space.bin_hz
            return Cutoff(start_hz, min(wall * space.bin_hz, nyquist_hz))
    return Cutoff(RESAMPLER_PASSBAND * nyquist_hz, nyquist_hz) if is_low_rate else None


def mean_levels(grid: np.ndarray, share: float = 1.0) -> np.ndarray | None:
    """(F,) mean level in dB of every bin of (C, T, F), smoothed; None for silence.

    The mean is that of levels, over all channels, in the frames that are not pauses.

    share  of the levels of a bin, the loudest ones, that count
    """
    from scipy.ndimage import uniform_filter1d  # takes a third of a second to load

    step = 1 << (-(-grid.shape[1] // MAX_FRAMES) - 1).bit_length()
    power = np.square(grid[:, ::step], dtype=np.float32)
    peak = float(power.max(initial=0))
    if peak == 0:
        return None
    per_frame = power.sum(2)
    active = per_frame >= per_frame.max() * 10 ** (ACTIVE_DB / 10)
    floor = peak * 10 ** (FLOOR_DB / 10)
    levels = 10 * np.log10(np.maximum(power[active], floor))
    quieter = len(levels) - max(1, round(share * len(levels)))
    level = (np.partition(levels, quieter, axis=0)[quieter:] if quieter else levels).mean(0)
    return uniform_filter1d(level, SMOOTH_BINS, mode="nearest")


def _wall(level: np.ndarray, bin_hz: float, nyquist_hz: float) -> int | None:
    """First bin above the highest wall in levels (F,); None without one.

    A wall above the Nyquist frequency of the recording is that of the filter that resampled it.
    """
    loudest_above = np.maximum.accumulate(level[::-1])[::-1]
    wall, even = None, False
    for end in range(min(len(level) - SMOOTH_BINS, int(MAX_HZ / bin_hz)), int(MIN_HZ / bin_hz), -1):
        below = int(end * (1 - WIDTH))
        # the first condition is cheap, and rejects nearly all bins
        found = level[below] - loudest_above[end] >= DROP_DB
        if found and _tilt(level, below, end) - loudest_above[end] >= DROP_DB:
            wall = end
            even = even or loudest_above[end] <= np.median(level[end:]) + EVEN_DB
        elif even and wall is not None and (wall - SMOOTH_BINS // 2) * bin_hz <= nyquist_hz:
            return wall
        else:
            wall = None
    return wall if even else None


def _tilt(level: np.ndarray, below: int, at: int) -> float:
    """Level at bin `at` of the tilt, over log-frequency, of the octave that ends at bin `below`.

    The tilt falls; an octave that rises counts as even. Medians make single tones irrelevant.
    """
    part = np.arange(below // 2, below + 1)
    position = np.log2(part + 0.5)
    half = len(part) // 2
    low, high = (float(np.median(level[part[s]])) for s in (slice(half), slice(half, None)))
    x_low, x_high = (float(np.median(position[s])) for s in (slice(half), slice(half, None)))
    slope = min(0.0, (high - low) / (x_high - x_low))
    return min(low, high) + slope * (np.log2(at + 0.5) - x_high)


def _slope_start(level: np.ndarray, wall: int) -> int:
    """First bin of the slope that ends at bin `wall`.

    A slope is quieter than the tilt of the band below it predicts, and falls more steeply than that
    band does anywhere.
    """
    lowest = int(LOWEST_START * wall)
    part = np.arange(lowest, wall)
    bands = [(int(a * wall), int(b * wall)) for a, b in (FURTHER, NEARER)]
    low, high = (float(np.median(level[a:b])) for a, b in bands)
    x_low, x_high = (np.log2((a + b) / 2) for a, b in bands)
    slope = min(0.0, (high - low) / (x_high - x_low))
    expected = high + slope * (np.log2(part + 0.5) - x_high)
    loud = np.flatnonzero(level[part] >= expected - WEAK_DB)
    reach = max(SMOOTH_BINS // 2, int(STEEP_WIDTH * wall))
    fall = level[bands[0][0] - reach : wall - reach] - level[bands[0][0] + reach : wall + reach]
    natural = np.quantile(fall[: bands[1][1] - bands[0][0]], 0.8)
    gentle = np.flatnonzero(fall[lowest - bands[0][0] :] <= natural + STEEP_DB)
    last = max((int(part[found[-1]]) for found in (loud, gentle) if len(found)), default=lowest)
    return max(lowest, last - SMOOTH_BINS // 2)
