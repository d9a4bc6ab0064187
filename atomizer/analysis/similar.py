"""Similar places: where in a recording a box of atoms occurs again, at the same frequencies.

    places = find_similar(grid, AtomSpace(), Box(t=(1.0, 1.6), f=(900.0, 5000.0)))

The levels of the box in bands, above the usual level of each band, are correlated with those of
every other place (normalised cross-correlation along time). A place is similar where that is high,
and higher than in noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..atoms.space import AtomSpace
from ..errors import AtomizerError

MAX_BANDS = 24  # of equal width, from the lowest bin of the box to the highest
MIN_CELLS = 48  # of bands and frames: fewer match anywhere
MIN_CORRELATION = 0.6
CHANCE = 5.0  # standard deviations of the correlation with noise that a place must reach
SMOOTHED_CELLS = 2.0  # cells per independent value, after smoothing over time
MIN_CONTRAST = 0.4  # standard deviation of the levels of a place, relative to that of the box
FLOOR = 1e-6  # power relative to the loudest cell of the band: quieter ones are silent


@dataclass(frozen=True)
class Box:
    """A box of the time-frequency plane.

    t         start and end in seconds
    f         low and high in Hz; all frequencies by default
    channels  their indices; all by default
    """

    t: tuple[float, float]
    f: tuple[float, float] | None = None
    channels: tuple[int, ...] | None = None


@dataclass(frozen=True)
class SimilarPlace:
    """A similar place: the box moved by `shift` seconds, and its correlation (0 to 1)."""

    shift: float
    correlation: float


def find_similar(grid: np.ndarray, space: AtomSpace, box: Box) -> list[SimilarPlace]:
    """Find the places that are similar to a box.

    Parameters
    ----------
    grid : (channels, frames, bins) float
        Coefficients of the recording.
    space : AtomSpace
    box : Box

    Returns
    -------
    list of SimilarPlace
        The best first. They overlap neither the box nor each other.

    Raises
    ------
    AtomizerError
        Where the box lies outside of the recording, or is too small to be recognised.
    """
    levels, frames = _levels(grid, space, box)
    correlation = correlate(levels, frames)
    length = len(frames)
    chance = CHANCE / np.sqrt(length * levels.shape[1] / SMOOTHED_CELLS)
    least = max(MIN_CORRELATION, float(chance))
    taken, places = [frames.start], []
    for start in np.argsort(-correlation, kind="stable"):
        if correlation[start] < least:
            break
        if all(abs(int(start) - other) >= length for other in taken):
            taken.append(int(start))
            shift = (int(start) - frames.start) * space.hop / space.rate
            places.append(SimilarPlace(shift, float(correlation[start])))
    return places


def correlate(levels: np.ndarray, frames: range) -> np.ndarray:
    """(T - len(frames) + 1,) correlation of some frames of `levels` (T, B) with all others."""
    from scipy.signal import fftconvolve

    box = levels[frames.start : frames.stop]
    cells, box = box.size, box - box.mean()
    products = fftconvolve(levels, box[::-1], mode="valid", axes=0).sum(1)
    sums, squares = (
        np.convolve(values.sum(1), np.ones(len(box)), mode="valid")
        for values in (levels, levels**2)
    )
    spread = np.sqrt(np.maximum(squares - sums**2 / cells, 0))
    own = float(np.sqrt((box**2).sum()))
    enough = spread > MIN_CONTRAST * own
    return np.divide(products, spread * own, out=np.zeros_like(products), where=enough & (own > 0))


def _levels(grid: np.ndarray, space: AtomSpace, box: Box) -> tuple[np.ndarray, range]:
    """(T, B) levels of the bands of a box in dB above the usual ones, and the frames of the box."""
    start, stop = (int(round(t * space.rate / space.hop)) for t in box.t)
    frames = range(max(0, start), min(grid.shape[1], stop))
    low, high = (0.0, space.rate / 2) if box.f is None else box.f
    bins = slice(max(0, int(low / space.bin_hz)), min(grid.shape[2], int(high / space.bin_hz) + 1))
    chosen = slice(None) if box.channels is None else list(box.channels)
    power = (grid[chosen, :, bins].astype(np.float64) ** 2).sum(0)
    bands = min(MAX_BANDS, power.shape[1])
    if not bands or len(frames) * bands < MIN_CELLS:
        raise AtomizerError(
            "This box is too small to be found again: select at least some tenths of a second"
            " and some hundreds of hertz."
        )
    edges = np.linspace(0, power.shape[1], bands + 1).astype(int)[:-1]
    bands_power = np.add.reduceat(power, edges, axis=1)
    padded = np.pad(bands_power, ((1, 1), (0, 0)), mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    loudest = smooth.max(0)
    usual = np.maximum(np.median(smooth, 0), np.maximum(FLOOR * loudest, 1e-30))
    return 10 * np.log10(1 + smooth / usual), frames
