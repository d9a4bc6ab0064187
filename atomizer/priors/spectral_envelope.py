"""Noise with interpolated levels: the fill that needs no model, and the yardstick of the one that does."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter, uniform_filter1d
from scipy.special import ndtri

ENOUGH = 32  # known cells that make a mean level trustworthy
STEADY = (
    1.0,
    12.0,
)  # frames (standard deviation) over which the level below a cutoff, and its slope, are averaged: attacks are to be
# heard above the cutoff too, but a slope of one frame's chi-square noise would be arbitrary an octave on
NEARBY = (9, 17)  # frames and bins that have one level, where only the loudest atoms are known
CLOSE = 0.25  # octaves at which another bin counts 1/e of what one right here would
ALIKE = 8.0  # bins (standard deviation) that follow the others alike
FOLLOWS = (
    0.5,
    5.0,
)  # the share of the others' rise that a bin follows before anything is known of it, and how much evidence that weighs
MELODY = 33  # bins, 700 Hz, over which the partials of a melody come and go
BRIEF = 8  # known frames that do not tell what is usual
LOG_MEAN = 1.2704  # a Gaussian's log power is that much below the log of its mean power, in nats (Euler's gamma + ln 2)


def interpolated_power(
    grid: np.ndarray,
    known: np.ndarray,
    around: tuple[np.ndarray, np.ndarray] | None = None,
    loudest: float | None = None,
) -> np.ndarray:
    """(channels, frames, bins) float32: the power that the levels of known cells let expect around every cell.

    grid    (channels, frames, bins) amplitudes, read where known (bool)
    around  (channels, bins) sums of log powers and numbers of cells, of the same known cells and others of the same bins, such as those of
            a longer stretch of the sound (`bin_sums`); default: of the known cells alone
    loudest known amplitude of the whole sound; default: of the known cells

    A level is the mean of its bin, which tells partials from what lies between them, plus what bins that are always known let expect of
    this frame (`common_rise`), plus what pull-push (Gortler et al. 1996) makes of the known deviations from that: they are averaged over
    blocks of 2 x 2, 4 x 4 … cells; every cell then takes the mean of the smallest block around it that knows enough, interpolated between
    blocks. A channel that knows nothing takes the mean power of those that do, right there. Averages of levels, not of powers: the latter
    would spread a bass note over the treble.
    Above the highest bin that a channel knows at all there is nothing to interpolate to: the level goes on as `tilted` says.
    """
    loudest = loudest or float(np.abs(grid[known]).max(initial=0))
    if loudest == 0:
        return np.zeros(grid.shape, np.float32)
    log = log_power(grid, loudest)
    totals, counts = around or bin_sums(log, known)
    wanted = ~known.all(
        axis=(0, 1)
    )  # what is known of other bins, such as silence above a low rate's Nyquist, tells nothing of these
    informed = (known & wanted).any(axis=(1, 2)) | (counts[:, wanted] > 0).any(axis=1)
    if not informed.any():
        informed = known.any(axis=(1, 2))
    out = np.zeros(grid.shape, np.float32)
    for channel in np.flatnonzero(informed):
        weight = known[channel].astype(np.float32)
        habit = _pull_push(totals[None, channel], counts[None, channel].astype(np.float32))
        deviation = log[channel] - habit
        rise = common_rise(deviation, known[channel])
        level = habit + rise + _pull_push((deviation - rise) * weight, weight)
        cut = int(np.flatnonzero(counts[channel])[-1]) + 1
        below = known[channel][:, cut // 2 : cut].any()
        level[:, cut:] = tilted(
            *((log[channel], known[channel]) if below else (habit, counts[None, channel] > 0)), cut
        )[:, cut:]
        silent = level < 2 * np.log(loudest) + np.log(1e-11)
        out[channel] = np.where(
            silent, 0, np.exp(np.minimum(level + LOG_MEAN, 2 * np.log(loudest)))
        )
        if not informed.all():
            power = np.exp(log[channel])
            out[~informed] += _pull_push(power * weight, weight) / informed.sum()
    return out


def common_rise(deviation: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(frames, bins) float32: by how much a frame's bins are louder than usual, as far as the bins that are known in every frame tell.

    deviation  (frames, bins) levels less the mean of their bin, in nats; read where known (bool)

    An attack is one for many bins: what a box hides rises and falls with what is above and below it. Bins near on the scale of octaves
    count most (`CLOSE`). How much of their rise a bin follows is the slope of a regression over the frames in which it is known, its sums
    averaged over neighbouring bins (`ALIKE`), with `FOLLOWS` as prior.
    """
    out = np.zeros(deviation.shape, np.float32)
    always = known.all(0)
    if not always.any() or always.all():
        return out
    octave = np.log2(np.arange(len(always)) + 0.5).astype(np.float32)
    close = np.exp(-np.abs(octave[~always, None] - octave[always]) / CLOSE)
    rise = deviation[:, always] @ (close / close.sum(1, keepdims=True)).T
    own = deviation[:, ~always] * known[:, ~always]
    product, square = (
        gaussian_filter1d(sums, ALIKE, mode="nearest")
        for sums in ((own * rise).sum(0), (rise**2 * known[:, ~always]).sum(0))
    )
    share, frames = FOLLOWS
    out[:, ~always] = rise * np.clip((product + share * frames) / (square + frames), 0, 1)
    return out


def log_power(grid: np.ndarray, loudest: float) -> np.ndarray:
    """Natural logarithm of the power of amplitudes; 120 dB below the loudest is silence."""
    return np.log(np.maximum(grid.astype(np.float32) ** 2, loudest**2 * 1e-12))


def bin_sums(log: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(channels, bins) sum of the known log powers of every bin, and how many there are."""
    return (log * known).sum(1), known.sum(1)


def intermittence(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(channels, bins), 0 or more, in nepers of power: by how much a band of bins is usually louder than its bins usually are.

    log, known  (channels, frames, bins) log powers, read where known (bool)

    Of noise, every bin has its share at any time. The partials of a melody are now in one bin, now in another: each bin is silent most of the
    time, and the band is not, so that bins with their usual levels would together be much quieter than the band. What comes and goes in all of a
    band at once, as hits do, does not count. A band (`MELODY`) has the mean level of the frames in which all of it is known.
    """

    def around(x: np.ndarray) -> np.ndarray:
        return uniform_filter1d(x.astype(np.float64), MELODY, axis=-1, mode="reflect").clip(min=0)

    whole = around(known) > 0.999
    band = np.log(around(np.exp(log.astype(np.float64)) * known) + 1e-300)
    totals, counts = bin_sums(log, known)
    usual = np.log(around(np.exp(totals / np.maximum(counts, 1))) + 1e-300)
    frames = whole.sum(1)
    more = (band * whole).sum(1) / np.maximum(frames, 1) - usual - LOG_MEAN
    return np.where(frames >= BRIEF, more.clip(min=0), 0)


def tilted(log: np.ndarray, known: np.ndarray, cut: int) -> np.ndarray:
    """(frames, bins) float32 levels: in every frame a straight line over log-frequency, fitted to the octave below bin `cut`.

    log    (frames, bins) levels, in any logarithmic unit; read where known (bool) only

    Least squares over the known cells of that octave, the sums of which are averaged over time (`STEADY`). The line never rises: what
    lies above a cutoff is quieter than what lies below it, or at most as loud.
    """
    position = np.log2(np.arange(log.shape[1]) + 0.5).astype(np.float32)
    octave = slice(cut // 2, cut)
    weight, x = known[:, octave].astype(np.float64), position[octave].astype(np.float64)
    y = np.where(known[:, octave], log[:, octave], 0).astype(np.float64)
    sums = np.stack([weight.sum(1), weight @ x, weight @ x**2, y.sum(1), y @ x])
    # 1e-9 of the sound's mean, so that a frame that knows nothing, however far from those that do, has a level
    quick, slow = (
        gaussian_filter1d(sums, frames, axis=1, mode="nearest") + 1e-9 * sums.mean(1, keepdims=True)
        for frames in STEADY
    )
    n, sx, sxx, sy, sxy = slow
    spread = n * sxx - sx**2
    slope = np.minimum(0, (n * sxy - sx * sy) / np.where(spread > 1e-9 * n**2, spread, np.inf))
    n, sx, _, sy, _ = quick
    return ((sy - slope * sx) / n)[:, None].astype(np.float32) + slope[:, None].astype(
        np.float32
    ) * position


def _pull_push(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of values around every cell of (rows, columns), from sums of values and of weights."""
    mean = total / np.maximum(weight, 1e-9)
    trust = np.minimum(1, weight / ENOUGH)
    if max(total.shape) == 1:
        return mean
    rows, columns = total.shape
    even = ((0, rows % 2), (0, columns % 2))
    halves = [
        np.pad(a, even).reshape((rows + 1) // 2, 2, (columns + 1) // 2, 2).sum((1, 3))
        for a in (total, weight)
    ]
    coarse = _double(_double(_pull_push(*halves), 0), 1)[:rows, :columns]
    return trust * mean + (1 - trust) * coarse


def _double(a: np.ndarray, axis: int) -> np.ndarray:
    """Twice as many values along an axis, linearly interpolated between the centres of the old ones."""
    a = np.moveaxis(a, axis, 0)
    before, after = np.concatenate([a[:1], a[:-1]]), np.concatenate([a[1:], a[-1:]])
    out = np.stack([0.75 * a + 0.25 * before, 0.75 * a + 0.25 * after], 1).reshape(-1, *a.shape[1:])
    return np.moveaxis(out, 0, axis)


def noise_fill(grid: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """The grid with Gaussian noise of interpolated power in the masked cells; shapes (channels, frames, bins)."""
    power = interpolated_power(np.where(mask, 0, grid), ~mask)
    noise = np.random.default_rng(seed).standard_normal(grid.shape, np.float32) * np.sqrt(power)
    return np.where(mask, noise, grid).astype(np.float32)


def substitute(grid: np.ndarray, mask: np.ndarray, threshold: float, seed: int = 0) -> np.ndarray:
    """The grid with noise for the quiet atoms that were thrown away, in every stretch of a band that kept some: noise substitution.

    threshold  the amplitude below which atoms were thrown away; the noise stays below it too
    """
    noise = np.random.default_rng(seed).standard_normal(grid.shape) * censored_deviation(
        ~mask & (np.abs(grid) >= threshold), mask, threshold
    )
    # a draw above the threshold is folded back below it
    return np.where(
        mask, np.where(np.abs(noise) > threshold, np.fmod(noise, threshold), noise), grid
    ).astype(np.float32)


def censored_deviation(kept: np.ndarray, mask: np.ndarray, threshold: float) -> np.ndarray:
    """(channels, frames, bins) float32: deviation of Gaussian atoms of which those above a threshold were kept; zero where none was.

    kept, mask  (channels, frames, bins) bool: louder than the threshold, and thrown away

    The share of a stretch (NEARBY) that was kept tells its level: of Gaussian atoms of deviation s the share that exceeds the threshold
    T is 2 Q(T / s). What is neither kept nor thrown away was too quiet to be heard and counts as thrown away.
    """
    share = uniform_filter(kept.astype(np.float32), (0, *NEARBY), mode="nearest")
    quantile = -ndtri(np.clip(share, 1e-9, 0.9) / 2).astype(np.float32)
    return np.where(
        share > 1e-6, np.float32(threshold) / np.maximum(quantile, np.float32(0.1)), np.float32(0)
    )
