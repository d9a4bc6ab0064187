"""Short spans of missing samples, drawn from an autoregressive (AR) model.

The AR model is fitted to the samples on both sides of the span. Given these samples, the missing
ones are jointly Gaussian: their mean is the least-squares interpolation of Janssen, Veldhuis &
Vries (1986). A draw from their distribution has the power of the surroundings whatever the length
of the span; the mean alone fades away inside it (O Ruanaidh & Fitzgerald 1994).

Sounds that repeat after more samples than the AR model has coefficients, such as low notes with
many harmonics, also have a long-term predictor, as in speech coders (Atal & Schroeder 1970).

Channels are first rotated to the principal directions of the surroundings, so that a draw keeps
the stereo image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ORDER = 512  # highest order of the AR model at 44.1 kHz
CONTEXT_SECONDS = 0.12  # samples on either side of a span that the model is fitted to
NEAR_SECONDS = 0.01  # nearest part of the context, whose level the span takes
BLOCK_SECONDS = 0.005  # over which the level of the context is measured
# Amplitude (12 dB) relative to the nearest part, from which another sound begins
ATTACK_RATIO = 4.0
PAUSE_RATIO = 30.0  # amplitude (30 dB) below it, from which a pause is no part of the sound
PERIOD_SECONDS, LONGEST_LAG = 0.03, 1500  # longest period that is looked for; at most in samples
SHORTEST_LAG = 32  # samples of a period
LEAST_CORRELATION = 0.25  # of the residual with that of a period before: in noise at most 0.05
LEAST_GAIN = 0.05  # by which a long-term predictor has to lower the log power of the residual
TAPS = 21  # of this predictor: periods are no whole samples, and repeat a few times in a hole
LARGEST_GAIN = 0.99  # of its taps at any frequency: below 1 it is stable
SIDE_RATIO = 2.0  # amplitude ratio (6 dB) of the two sides up to which the level is constant
# Up to the first of these lengths the mean alone has the least error and still the level of most
# sounds; from the second on the draw has all of its power
MEAN_SECONDS, DRAWN_SECONDS = 0.003, 0.01
SILENCE = 1e-9  # energy relative to all, below which a correlation is one of rounding errors
NOISE_FLOOR = 1e-10  # relative white noise that is added, so that digital tones have a model
# Added to a matrix, relative to its diagonal, until it is regular
DIAGONAL_LOADS = (1e-9, 1e-6, 1e-3)


def burg(segments: Sequence[np.ndarray], order: int) -> tuple[np.ndarray, float]:
    """Prediction-error filter and the variance of its output over all segments (Burg 1975).

    The filter has at most order + 1 coefficients: its order is the one of least final prediction
    error (Akaike 1969). It is always stable, since the reflection coefficients stay below 1.
    """
    count = sum(len(s) for s in segments)
    variance = sum(float(s.astype(np.float64) @ s) for s in segments) / max(count, 1)
    if not variance:
        return np.ones(1), 0.0
    # without noise, a few coefficients predict a digital tone so well that no more can be found,
    # and so few do not carry it through a hole
    generator, std = np.random.default_rng(0), np.sqrt(variance * NOISE_FLOOR)
    noisy = [s + std * generator.standard_normal(len(s)) for s in segments]
    forward, backward = [s[1:].copy() for s in noisy], [s[:-1].copy() for s in noisy]
    spare = [np.empty_like(f) for f in forward]
    a = np.ones(1)
    best, least = (a, variance), np.log(variance)
    for length in range(1, order + 1):
        energy = sum(float(f @ f) + float(b @ b) for f, b in zip(forward, backward))
        if not energy:
            break
        k = -2 * sum(float(f @ b) for f, b in zip(forward, backward)) / energy * (1 - 1e-9)
        padded = np.append(a, 0)
        a, variance = padded + k * padded[::-1], variance * (1 - k * k)
        error = np.log(variance) + 2 * length / count
        if error < least:
            best, least = (a, variance), error
        for n, (f, b) in enumerate(zip(forward, backward)):  # in place: new arrays take as long
            ahead = np.multiply(b, k, out=spare[n][: len(f)])
            ahead += f
            f *= k
            b += f
            forward[n], backward[n], spare[n] = ahead[1:], b[:-1], f
    return best


def with_long_term(
    segments: Sequence[np.ndarray], a: np.ndarray, variance: float, longest: int
) -> tuple[np.ndarray, float]:
    """Prediction-error filter and its variance, with a long-term predictor where that helps.

    The predictor has `TAPS` taps around the lag, of at most `longest` samples, after which the
    residual of the filter `a` repeats best over all segments.
    """
    from scipy.signal import lfilter

    residuals = [lfilter(a, [1.0], s)[len(a) - 1 :] for s in segments]
    lag, correlation = _best_lag(residuals, max(SHORTEST_LAG, len(a) // 2), longest)
    reach = TAPS // 2
    residuals = [e for e in residuals if len(e) > lag + SHORTEST_LAG]
    if correlation < LEAST_CORRELATION or not residuals:
        return a, variance
    now = np.concatenate([e[lag + reach :] for e in residuals])
    windows = np.lib.stride_tricks.sliding_window_view
    past = np.concatenate([windows(e[: len(e) - lag + reach], TAPS) for e in residuals])
    square = past.T @ past
    load = 1e-6 * np.trace(square) * np.eye(TAPS)
    taps = np.linalg.solve(square + load, past.T @ now)
    taps *= min(1.0, LARGEST_GAIN / np.abs(np.fft.rfft(taps, 16 * TAPS)).max())
    left = float(np.square(now - past @ taps).mean() / np.square(now).mean())
    if np.log(left) > -LEAST_GAIN:
        return a, variance
    predictor = np.zeros(lag + reach + 1)
    predictor[0], predictor[lag - reach :] = 1, -taps[::-1]
    return np.convolve(a, predictor), variance * left


def _best_lag(signals: Sequence[np.ndarray], least: int, most: int) -> tuple[int, float]:
    """Lag in samples, least <= lag < most, of the largest normalised autocorrelation, and that.

    All signals have the same lag; those that are shorter than twice `most` count up to half.
    """
    products, before, after = np.zeros(most), np.zeros(most), np.zeros(most)
    for x in signals:
        count = min(most, len(x) // 2)
        if not count:
            continue
        spectrum = np.fft.rfft(x, 2 * len(x))
        products[:count] += np.fft.irfft(np.square(np.abs(spectrum)))[:count]
        energy = np.append(0, np.cumsum(np.square(x)))
        before[:count] += energy[len(x) - np.arange(count)]
        after[:count] += energy[-1] - energy[:count]
    quiet = SILENCE * before[0]  # of all energy: what is quieter has no correlation
    powers = np.maximum(before, quiet) * np.maximum(after, quiet)
    correlation = products / np.sqrt(powers + 1e-300)
    correlation[:least] = 0
    lag = int(correlation.argmax())
    return lag, float(correlation[lag])


def conditional_draw(
    before: np.ndarray, after: np.ndarray, a: np.ndarray, excitation: np.ndarray
) -> np.ndarray:
    """Draw the samples between `before` and `after` from an AR model, given both.

    before      (n,) samples
    after       (m,) samples, of which the first p count; none where the sound ends in the span
    a           (p + 1,) prediction-error filter
    excitation  (count,) random output of the filter inside the span; zeros give the conditional
                mean, which is the interpolation of Janssen et al. (1986, eq. 15)

    The samples that follow `before` by this excitation are corrected by the excitation of least
    energy that leads them to `after` (conditioning by kriging, Journel & Huijbregts 1978). Unlike
    the normal equations of the samples, this is well conditioned for sounds of any dynamic range.
    """
    from scipy.signal import correlate, lfilter, lfiltic

    count, after = len(excitation), after[: len(a) - 1]
    past = before[: -len(a) : -1] if len(a) > 1 else before[:0]
    driven = np.append(excitation, np.zeros(len(after)))
    free = lfilter([1.0], a, driven, zi=lfiltic([1.0], a, past))[0] if len(a) > 1 else driven
    if not len(after):
        return free[:count]
    response = lfilter([1.0], a, np.eye(1, count + len(after))[0])
    late, square = response[count:], np.zeros((len(after), len(after)))
    square[0] = correlate(response, response[: count + 1], "valid", "fft")
    for i in range(1, len(after)):  # an entry is its upper left neighbour plus one product
        square[i, i:] = square[i - 1, i - 1 : -1] + late[i] * late[i:]
    weight = _solve(square, after - free[count:])
    error = lfilter([1.0], a, np.append(np.zeros(count), weight)[::-1])[::-1]
    return free[:count] + lfilter([1.0], a, error[:count])


def _solve(upper: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution (n,) of a positive definite system, of which the upper triangle is given.

    Where rounding makes the matrix indefinite, its diagonal is raised.
    """
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    diagonal = np.diag_indices_from(upper)
    for load in DIAGONAL_LOADS:
        loaded = upper.copy()
        loaded[diagonal] *= 1 + load
        try:
            return cho_solve(cho_factor(loaded), right)
        except LinAlgError:
            continue
    return np.zeros_like(right)


def interpolate(
    samples: np.ndarray,
    start: int,
    end: int,
    rate: int,
    seed: int | None = 0,
    most: int = ORDER,
) -> np.ndarray:
    """Samples (C, end - start) float32 for a span of `samples`, which are not read inside it.

    samples  (C, n)
    rate     in Hz
    seed     of the draw; None for the conditional mean
    most     highest order of the AR model at 44.1 kHz
    """
    reach, count = round(CONTEXT_SECONDS * rate), end - start
    if not start and end >= samples.shape[1]:
        return np.zeros((len(samples), count), np.float32)
    if not start:  # nothing precedes the span: the same problem in reversed time
        length = samples.shape[1]
        reversed_samples = samples[:, : end + reach][:, ::-1]
        first, stop = min(length - end, reach), min(length, end + reach)
        return interpolate(reversed_samples, first, stop, rate, seed, most)[:, ::-1]
    before = _same_sound(samples[:, max(0, start - reach) : start][:, ::-1], rate)[:, ::-1]
    after = _same_sound(samples[:, end : end + reach], rate)
    level = _level_after(before, after, rate)
    after = after / level
    known = np.concatenate([before, after], 1)
    if not known.any():
        return np.zeros((len(samples), count), np.float32)
    directions = np.linalg.eigh(known @ known.T)[1][:, ::-1]  # columns, the loudest first
    order = max(1, min(round(most * max(1, rate / 44_100)), known.shape[1] // 3))
    generator = np.random.default_rng([seed or 0, start])
    longer = (count / rate - MEAN_SECONDS) / (DRAWN_SECONDS - MEAN_SECONDS)
    share = 0.0 if seed is None else float(np.clip(longer, 0, 1))
    out = np.zeros((len(samples), count))
    for x, y, filled in zip(directions.T @ before, directions.T @ after, out):
        segments = [s for s in (x, y) if len(s) > 1]
        a, variance = burg(segments, order)
        if variance:
            longest = min(round(PERIOD_SECONDS * rate), LONGEST_LAG)
            a, variance = with_long_term(segments, a, variance, longest)
        noise = share * generator.standard_normal(count)
        filled[:] = conditional_draw(x, y, a, np.sqrt(variance) * noise)
    gain = np.exp(np.interp(np.arange(count), [-1, count], [0.0, np.log(level)]))
    return (directions @ out * gain).astype(np.float32)


def _same_sound(context: np.ndarray, rate: int) -> np.ndarray:
    """The part of a context (C, n), which leads away from a span, that is the sound at the span.

    It ends before an attack, which would otherwise set the spectrum and the level of the pause that
    precedes it, and where nothing but a pause follows. The pulses of a low note, which are much
    louder than what is between them, too, are no attacks.
    """
    block, n = max(1, round(BLOCK_SECONDS * rate)), context.shape[1]
    starts = np.arange(0, n, block)
    if len(starts) < 2:
        return context.astype(np.float64)
    sums = np.add.reduceat((context.astype(np.float64) ** 2).sum(0), starts)
    power = sums / np.diff(np.append(starts, n))
    near = max(1, round(NEAR_SECONDS / BLOCK_SECONDS))
    nearest = power[:near].mean()
    is_loud = power > ATTACK_RATIO**2 * (nearest + 1e-20)
    louder = np.flatnonzero(is_loud)
    is_attack = len(louder) and louder[0] >= near and not _alternates(is_loud)
    last = max(int(louder[0]) - 1, near) if is_attack else len(starts)
    sounding = np.flatnonzero(power[:last] > nearest / PAUSE_RATIO**2)
    last = max(int(sounding[-1]) + 1, near) if len(sounding) else last
    return context[:, : starts[last] if last < len(starts) else n].astype(np.float64)


def _alternates(is_loud: np.ndarray) -> bool:
    """Whether blocks (n,) within any time of `PERIOD_SECONDS` are loud and quiet."""
    length = round(PERIOD_SECONDS / BLOCK_SECONDS)
    if len(is_loud) < 2 * length:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(is_loud, length)
    return bool((windows.any(1) & ~windows.all(1)).all())


def _level_after(before: np.ndarray, after: np.ndarray, rate: int) -> float:
    """Amplitude after a span relative to that before it, as far as they differ by `SIDE_RATIO`.

    1 if they differ by less, or if one of the sides (C, n) is silent.
    """
    near = max(1, round(PERIOD_SECONDS * rate))
    sides = before[:, -near:], after[:, :near]
    powers = [float((x**2).sum(0).mean()) if x.size else 0.0 for x in sides]
    if min(powers) <= 1e-12 * max(powers):
        return 1.0
    ratio = float(np.sqrt(powers[1] / powers[0]))
    return max(ratio / SIDE_RATIO, 1.0) if ratio > 1 else min(ratio * SIDE_RATIO, 1.0)
