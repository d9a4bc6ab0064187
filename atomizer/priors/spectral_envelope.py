"""Spectral envelope: levels of the unknown atoms, interpolated from the known ones.

A level is the mean level of its bin, plus the onset gain of its frame, plus a smooth interpolation
of the known deviations from both. Means are of levels and not of powers: a mean of powers would
spread a bass note over the treble. In boxes, deviations count to the extent that levels vary more
than those of steady noise, whose deviations are chance.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter, uniform_filter1d
from scipy.special import ndtri

from .edge_levels import EdgeLevels
from .interface import Prediction, PriorContext
from .log_power import DB_PER_LOG_POWER, LOG_MEAN, NOISE_STD_DB, log_power
from .pauses import frames_of_level

MIN_CELLS = 32  # known cells from which a mean level is reliable
# Frames (standard deviation) over which the level below a cutoff, and its slope, are averaged:
# attacks are needed above the cutoff too, but the slope of a single frame is chi-square noise,
# which an extrapolation by an octave makes arbitrary
TIME_SMOOTHING = (1.0, 12.0)
CENSOR_KERNEL = (9, 17)  # frames and bins that share one level where only loud atoms are known
OCTAVE_DECAY = 0.25  # distance in octaves at which another bin has 1/e of the weight
BIN_SMOOTHING = 8.0  # bins (standard deviation) that share one regression slope
RIDGE_PRIOR = (0.5, 5.0)  # regression slope before any frame is known, and its weight in frames
BAND_BINS = 33  # bins (700 Hz) that the partials of a melody move through
MIN_FRAMES = 8  # known frames from which the intermittency of a band is measured
# How much louder boxes are than their interpolated levels, per intermittency: 56,000 cells of 260
INTERMITTENCY_SHARE = 2 / 3
# Variance of the slope of steady noise, of a precision of 1, in an average over `TIME_SMOOTHING[1]`
SLOPE_VARIANCE = (NOISE_STD_DB / DB_PER_LOG_POWER) ** 2 / (2 * np.sqrt(np.pi) * TIME_SMOOTHING[1])
MIN_PRECISION = 1e-11  # of a slope that no cell determines
VARIANCE_BINS = 33  # bins whose variance over time is averaged
VARIANCE_MARGIN = 5.0  # dB^2 by which the measured variance of steady noise may exceed the true one
SILENCE = 1e-11  # power relative to the peak below which a level is silence


Sums = tuple[np.ndarray, np.ndarray]  # as `bin_sums` returns them


class SpectralEnvelopePrior:
    """Zero-mean Gaussian atoms whose standard deviation follows the interpolated envelope."""

    name = "spectral_envelope"

    def predict(self, context: PriorContext) -> Prediction:
        """Standard deviations of the atoms of a window; the mean is zero."""
        std = self._std(context).astype(np.float32)
        return Prediction(np.zeros_like(std), std)

    def _std(self, context: PriorContext) -> np.ndarray:
        if context.threshold is not None:
            kept = context.observed & (np.abs(context.amplitude) >= context.threshold)
            return censored_std(kept, ~context.observed, context.threshold)
        log = log_power(np.abs(context.wide_amplitude), context.peak)
        near = frames_of_level(context, log)
        if context.use_band_context:
            return np.sqrt(_power_of_box(context, log, near))
        # a bin may be unknown throughout the window and known elsewhere in the longer stretch
        sums = bin_sums(log, context.wide_observed & near[:, None])
        if context.edges is None:
            return np.sqrt(_power_without_holes(context, sums))
        return np.sqrt(_power_of_holes(context, context.edges, sums, near))


def _power_of_box(context: PriorContext, log: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(C, T, F) power, interpolated in the longer stretch around a window.

    log   (C, W, F) log powers of the longer stretch
    near  (W,) bool, frames that give the level
    """
    wide, known = np.abs(context.wide_amplitude), context.wide_observed
    if not near.all():
        bins = ~known.all(axis=(0, 1))
        known = known & near[:, None] & bins
        wide = np.where(known, wide, 0)
    trust = trust_in_deviations(log, known)
    power = interpolate_envelope(wide, known, peak=context.peak, trust=trust)
    return _cut(power, context.offset, context.observed.shape[1])


def _power_without_holes(context: PriorContext, sums: Sums) -> np.ndarray:
    """(C, T, F) power where no frame is hidden as a whole; beyond the sound, that of its ends."""
    frames = context.observed.shape[1]
    first, stop = context.inside or (0, frames)
    part = slice(first, stop)
    magnitude, observed = np.abs(context.amplitude[:, part]), context.observed[:, part]
    power = interpolate_envelope(magnitude, observed, sums, context.peak)
    return np.pad(power, ((0, 0), (first, frames - stop), (0, 0)), mode="edge")


def _power_of_holes(
    context: PriorContext, edges: EdgeLevels, sums: Sums, near: np.ndarray
) -> np.ndarray:
    """(C, T, F) power; far inside of holes, that of their edges."""
    observed, magnitude = context.observed, np.abs(context.amplitude)
    if not near.all():
        observed = observed & _cut(near[None, :, None], context.offset, observed.shape[1])
        magnitude = np.where(observed, magnitude, 0)
    power = interpolate_envelope(magnitude, observed, sums, context.peak)
    frames, distance = context.frames, context.distance
    if frames is not None and distance is not None and distance.any() and near.all():
        power = edges.blend(power, frames, distance)
    return power


def _cut(array: np.ndarray, first: int, count: int) -> np.ndarray:
    """(C, count, F) frames of an array (C, W, F) from `first` on, zero beyond its ends."""
    low, high = max(first, 0), min(first + count, array.shape[1])
    out = np.zeros((array.shape[0], count, array.shape[2]), array.dtype)
    out[:, low - first : high - first] = array[:, low:high]
    return out


def band_gain(context: PriorContext) -> np.ndarray:
    """(channels, 1, bins) float32: factor by which a band is louder than its bins' mean levels."""
    log = log_power(context.wide_amplitude, context.peak)
    raised = INTERMITTENCY_SHARE * band_intermittency(log, context.wide_observed)
    return np.exp(raised / 2)[:, None].astype(np.float32)


def interpolate_envelope(
    grid: np.ndarray,
    known: np.ndarray,
    sums: Sums | None = None,
    peak: float | None = None,
    trust: np.ndarray | None = None,
) -> np.ndarray:
    """Interpolate the power of the known cells to all cells.

    Parameters
    ----------
    grid : (channels, frames, bins)
        Amplitudes, read where known.
    known : (channels, frames, bins) bool
    sums : two arrays (channels, bins), optional
        Sums of log powers and numbers of cells from which the mean level of every bin follows, for
        example of a longer stretch of the sound (`bin_sums`); by default of the known cells.
    peak : float, optional
        Largest known magnitude of the whole sound; by default of the known cells.
    trust : (channels, bins) float, optional
        Share of the interpolated deviations that counts, 0 to 1; by default 1.

    Returns
    -------
    (channels, frames, bins) float32
        A channel without known cells has the mean power of the channels with known cells, cell by
        cell. Above the highest known bin of a channel the tilt is extrapolated.

    Notes
    -----
    Deviations from mean and onset gain are interpolated by pull-push (Gortler et al. 1996): they
    are averaged over blocks of 2 x 2, 4 x 4 ... cells, and every cell takes the mean of the
    smallest block around it with enough known cells, interpolated between blocks.
    """
    peak = peak or float(np.abs(grid[known]).max(initial=0))
    if peak == 0:
        return np.zeros(grid.shape, np.float32)
    log = log_power(grid, peak)
    totals, counts = sums or bin_sums(log, known)
    # bins that are known throughout, such as silence above a low rate's Nyquist, say nothing about
    # the level of the others
    wanted = ~known.all(axis=(0, 1))
    informed = (known & wanted).any(axis=(1, 2)) | (counts[:, wanted] > 0).any(axis=1)
    if not informed.any():
        informed = known.any(axis=(1, 2))
    out = np.zeros(grid.shape, np.float32)
    for channel in np.flatnonzero(informed):
        mean = _pull_push(totals[None, channel], counts[None, channel].astype(np.float32))
        level = _levels(
            log[channel],
            known[channel],
            mean,
            counts[channel],
            None if trust is None else trust[channel],
        )
        silent = level < 2 * np.log(peak) + np.log(SILENCE)
        power = np.exp(np.minimum(level + LOG_MEAN, 2 * np.log(peak)))
        out[channel] = np.where(silent, 0, power)
        if not informed.all():
            weight = known[channel].astype(np.float32)
            out[~informed] += _pull_push(np.exp(log[channel]) * weight, weight) / informed.sum()
    return out


def _levels(
    log: np.ndarray,
    known: np.ndarray,
    mean: np.ndarray,
    counts: np.ndarray,
    trust: np.ndarray | None,
) -> np.ndarray:
    """(frames, bins) interpolated log powers of a channel.

    log, known  (frames, bins) log powers, read where known (bool)
    mean        (1, bins) their means
    counts      (bins,) numbers of cells that the means are of
    trust       (bins,) as that of `interpolate_envelope`
    """
    weight = known.astype(np.float32)
    deviation = log - mean
    cutoff = int(np.flatnonzero(counts)[-1]) + 1
    onset = np.zeros(1, np.float32)
    if not known[:, :cutoff].all():  # above the cutoff the tilt gives the level
        onset = shared_onset_gain(deviation, known)
    change = onset + _pull_push((deviation - onset) * weight, weight)
    level = mean + (change if trust is None else trust * change)
    if known[:, cutoff // 2 : cutoff].any():
        tilt = extrapolate_tilt(log, known, cutoff)
    else:
        tilt = extrapolate_tilt(mean, counts[None] > 0, cutoff)
    level[:, cutoff:] = tilt[:, cutoff:]
    return level


def shared_onset_gain(deviation: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(frames, bins) float32: onset gain of every frame, from the bins that are always known.

    An attack raises many bins at once: a hidden box rises and falls with the bins above and below
    it. Near bins (in octaves) have the largest weight. How far a bin follows them is the slope of a
    ridge regression over the frames in which it is known.

    deviation  (frames, bins) log powers minus the mean of their bin, read where known (bool)
    """
    out = np.zeros(deviation.shape, np.float32)
    always = np.asarray(known.all(0))
    if not always.any() or always.all():
        return out
    octave = np.log2(np.arange(len(always)) + 0.5).astype(np.float32)
    weight = np.exp(-np.abs(octave[~always, None] - octave[always]) / OCTAVE_DECAY)
    gain = deviation[:, always] @ (weight / weight.sum(1, keepdims=True)).T
    own = deviation[:, ~always] * known[:, ~always]
    product, square = (
        gaussian_filter1d(sums, BIN_SMOOTHING, mode="nearest")
        for sums in ((own * gain).sum(0), (gain**2 * known[:, ~always]).sum(0))
    )
    slope, frames = RIDGE_PRIOR
    out[:, ~always] = gain * np.clip((product + slope * frames) / (square + frames), 0, 1)
    return out


def bin_sums(log: np.ndarray, known: np.ndarray) -> Sums:
    """(channels, bins) sum of the known log powers of every bin, and number of known cells."""
    return (log * known).sum(1), known.sum(1)


def excess_variance(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(channels, F) float32: variance over time of levels beyond that of steady noise, in dB^2.

    Averaged over `VARIANCE_BINS` bins.

    log, known  (channels, T, F) log powers, read where known (bool)
    """
    count = known.sum(1)
    mean = (log * known).sum(1) / np.maximum(count, 1)
    squares = (np.square(log - mean[:, None]) * known).sum(1)
    variance = squares / np.maximum(count - 1, 1) * DB_PER_LOG_POWER**2
    measured = (count >= 2).astype(np.float32)
    total = uniform_filter1d(variance * measured, VARIANCE_BINS, axis=1)
    average = total / np.maximum(uniform_filter1d(measured, VARIANCE_BINS, axis=1), 1e-6)
    return np.maximum(average - NOISE_STD_DB**2 - VARIANCE_MARGIN, 0).astype(np.float32)


def trust_in_deviations(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(channels, F) float32, 0 to 1: share of an interpolated deviation that is not random.

    The mean of `MIN_CELLS` cells has the variance of noise divided by their number; levels that
    vary over time by more than noise deviate from their mean beyond that.

    log, known  (channels, T, F) log powers, read where known (bool)
    """
    excess = excess_variance(log, known)
    return excess / (excess + np.float32(NOISE_STD_DB**2 / MIN_CELLS))


def band_intermittency(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(channels, bins), 0 or more: log power of a band above the mean of its bins.

    In noise every bin is equally active at any time. The partials of a melody move from bin to bin:
    each bin is silent most of the time, and the band is not, so that bins with their mean levels
    would together be much quieter than the band. Onsets, which raise the whole band at once, do not
    count. The level of a band (`BAND_BINS`) is measured in frames in which all of it is known.

    log, known  (channels, frames, bins) log powers, read where known (bool)
    """

    def smooth(x: np.ndarray) -> np.ndarray:
        return uniform_filter1d(x.astype(np.float64), BAND_BINS, axis=-1, mode="reflect").clip(0)

    complete = smooth(known) > 0.999
    band = np.log(smooth(np.exp(log.astype(np.float64)) * known) + 1e-300)
    totals, counts = bin_sums(log, known)
    mean = np.log(smooth(np.exp(totals / np.maximum(counts, 1))) + 1e-300)
    frames = complete.sum(1)
    above = (band * complete).sum(1) / np.maximum(frames, 1) - mean - LOG_MEAN
    return np.where(frames >= MIN_FRAMES, above.clip(min=0), 0)


def extrapolate_tilt(log: np.ndarray, known: np.ndarray, cutoff: int) -> np.ndarray:
    """(frames, bins) float32 levels: per frame a line over log-frequency, fitted below the cutoff.

    Least squares over the known cells of the octave below bin `cutoff`, with sums averaged over
    time (`TIME_SMOOTHING`); the slope as far as it varies over time by more than chance. The line
    never rises: the band above a cutoff is at most as loud as the band below it.

    log, known  (frames, bins) levels in any logarithmic unit, read where known (bool)
    """
    position = np.log2(np.arange(log.shape[1]) + 0.5).astype(np.float32)
    octave = slice(cutoff // 2, cutoff)
    weight, x = known[:, octave].astype(np.float64), position[octave].astype(np.float64)
    y = np.where(known[:, octave], log[:, octave], 0).astype(np.float64)
    sums = np.stack([weight.sum(1), weight @ x, weight @ x**2, y.sum(1), y @ x])
    # plus 1e-9 of the mean over time, so that frames far from any known one have a level
    fast, slow = (
        gaussian_filter1d(sums, frames, axis=1, mode="constant")
        + 1e-9 * sums.mean(1, keepdims=True)
        for frames in TIME_SMOOTHING
    )
    slope = _slopes(slow, sums.sum(1, keepdims=True))
    n, sx, _, sy, _ = fast
    intercept = ((sy - slope * sx) / n)[:, None].astype(np.float32)
    return intercept + slope[:, None].astype(np.float32) * position


def _slopes(local: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(frames,) slopes of a tilt: local ones, as far as they differ from that of all frames.

    Those of steady noise differ as noise does, which an extrapolation by an octave makes audible.

    local, whole  rows n, sx, sxx, sy, sxy of a least-squares line: of an average over
                  `TIME_SMOOTHING[1]` for every frame, and of all frames (1,)
    """
    slope, precision = _line(local)
    steady, _ = _line(whole)
    chance = SLOPE_VARIANCE / np.maximum(precision, MIN_PRECISION)
    excess = np.average((slope - steady) ** 2 - chance, weights=precision + 1e-9).clip(min=0)
    return steady + excess / (excess + chance) * (slope - steady)


def _line(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes, at most 0, and their precisions for a variance of 1, of rows n, sx, sxx, sy, sxy."""
    n, sx, sxx, sy, sxy = sums
    spread = n * sxx - sx**2
    spread = np.where(spread > 1e-9 * n**2, spread, np.inf)
    slope = np.minimum(0, (n * sxy - sx * sy) / spread)
    return slope, np.where(np.isfinite(spread), spread / np.maximum(n, 1e-30), 0)


def _pull_push(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of values around every cell of (rows, columns), from sums of values and weights."""
    mean = total / np.maximum(weight, 1e-9)
    if max(total.shape) == 1:
        return mean
    rows, columns = total.shape
    coarse = _pull_push(_halve(total), _halve(weight))
    coarse = _upsample(_upsample(coarse).T).T[:rows, :columns]
    return coarse + np.minimum(1, weight / MIN_CELLS) * (mean - coarse)


def _halve(a: np.ndarray) -> np.ndarray:
    """Sums of 2 x 2 cells of (rows, columns)."""
    rows, columns = a.shape
    if rows % 2 or columns % 2:
        a = np.pad(a, ((0, rows % 2), (0, columns % 2)))
    a = a[::2] + a[1::2]
    return a[:, ::2] + a[:, 1::2]


def _upsample(a: np.ndarray) -> np.ndarray:
    """Twice as many rows, linearly interpolated between the centres of the old ones."""
    near, far = 0.75 * a, 0.25 * a
    out = np.empty((len(a), 2, *a.shape[1:]), a.dtype)
    out[0, 0], out[-1, 1] = a[0], a[-1]
    out[1:, 0], out[:-1, 1] = near[1:] + far[:-1], near[:-1] + far[1:]
    return out.reshape(-1, *a.shape[1:])


def censored_std(kept: np.ndarray, mask: np.ndarray, threshold: float) -> np.ndarray:
    """Standard deviation of Gaussian atoms of which only those above a threshold were kept.

    Of Gaussian atoms with standard deviation s, the share 2 Q(T / s) exceeds the threshold T: the
    share that was kept within `CENSOR_KERNEL` gives s. Atoms that are neither kept nor removed were
    inaudible and count as removed.

    kept, mask  (channels, frames, bins) bool: above the threshold, and removed
    Returns (channels, frames, bins) float32; zero where none was kept.
    """
    share = uniform_filter(kept.astype(np.float32), (0, *CENSOR_KERNEL), mode="nearest")
    quantile = -ndtri(np.clip(share, 1e-9, 0.9) / 2).astype(np.float32)
    std = np.float32(threshold) / np.maximum(quantile, np.float32(0.1))
    return np.where(share > 1e-6, std, np.float32(0))
