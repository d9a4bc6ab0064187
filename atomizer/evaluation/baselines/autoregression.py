"""Autoregressive (all-pole) models of samples: interpolation of gaps and extrapolation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.signal import correlate, lfilter, lfiltic

ORDER = 1024
ITERATIONS = 3  # as few as in Janssen et al.: later ones hardly change the model
CONTEXT = 22_050  # samples on each side of a gap for the estimate of the model
PAST = 88_200  # samples for the estimate of the model of a continuation


def burg(segments: Sequence[np.ndarray], order: int) -> np.ndarray:
    """(order + 1,) prediction error filter 1, a_1 … a_p by Burg's method (Burg 1975).

    It minimises the forward and backward error over all segments, and is always stable: the
    reflection coefficients stay below 1.
    """
    forward = [s[1:].astype(np.float64) for s in segments]
    backward = [s[:-1].astype(np.float64) for s in segments]
    a = np.ones(1)
    for _ in range(order):
        energy = sum(float(f @ f) + float(b @ b) for f, b in zip(forward, backward))
        if energy < 1e-20:
            break
        k = -2 * sum(float(f @ b) for f, b in zip(forward, backward)) / energy
        k *= 1 - 1e-12  # a pure tone would put the poles on the unit circle
        padded = np.append(a, 0)
        a = padded + k * padded[::-1]
        forward, backward = (
            [(f + k * b)[1:] for f, b in zip(forward, backward)],
            [(b + k * f)[:-1] for f, b in zip(forward, backward)],
        )
    return np.pad(a, (0, order + 1 - len(a)))


def extrapolate(x: np.ndarray, a: np.ndarray, count: int) -> np.ndarray:
    """(count,) samples that follow x (n,) for a prediction error of zero."""
    past = x[-1 : -len(a) : -1].astype(np.float64)
    return lfilter([1.0], a, np.zeros(count), zi=lfiltic([1.0], a, past))[0]


def interpolate(before: np.ndarray, after: np.ndarray, a: np.ndarray, count: int) -> np.ndarray:
    """(count,) samples between two contexts that minimise the energy of the prediction error.

    This solves the banded Toeplitz system of Janssen et al. 1986 (eq. 15) in time that does not
    grow with the gap: of the errors e of the gap and of the p samples after it that lead from
    `before` to `after`, those of least energy. With G the last p rows of the lower-triangular
    Toeplitz matrix of the impulse response of the filter,
    e = G' (G G')^-1 (after - extrapolation).
    """
    p = len(a) - 1
    after = np.asarray(after[:p], np.float64)
    free = extrapolate(before, a, count + len(after))
    response = lfilter([1.0], a, np.eye(1, count + len(after))[0])
    # G G' by its displacement: every entry is its upper left neighbour plus one product
    late = response[count:]
    square = np.zeros((len(after), len(after)))
    square[0] = correlate(response, response[: count + 1], "valid", "fft")
    for i in range(1, len(after)):
        square[i, i:] = square[i - 1, i - 1 : -1] + late[i] * late[i:]
    square[np.diag_indices_from(square)] *= 1 + 1e-9
    weight = cho_solve(cho_factor(square, lower=False, overwrite_a=True), after - free[count:])
    error = lfilter([1.0], a, np.append(np.zeros(count), weight)[::-1])[::-1]
    return free[:count] + lfilter([1.0], a, error)[:count]


def janssen(
    x: np.ndarray,
    start: int,
    end: int,
    order: int = ORDER,
    iterations: int = ITERATIONS,
) -> np.ndarray:
    """(end - start,) samples for the gap of x (n,) from `start` to `end` (Janssen et al. 1986).

    Alternates two steps: estimate the model, here by Burg's method, from both contexts and the
    current gap (in the first iteration from the contexts alone); fill the gap by minimising the
    prediction error. x is not read inside the gap.
    """
    before, after = x[max(0, start - CONTEXT) : start], x[end : end + CONTEXT]
    order = max(1, min(order, (len(before) + len(after)) // 3))
    known = [s for s in (before, after) if len(s) > order]
    if not known:
        return np.zeros(end - start)
    filled = np.zeros(end - start)
    for iteration in range(iterations):
        a = burg(known if iteration == 0 else [np.concatenate([before, filled, after])], order)
        filled = (
            interpolate(before, after, a, end - start)
            if len(after)
            else extrapolate(before, a, end - start)
        )
    return filled


def continue_sound(x: np.ndarray, count: int, order: int = ORDER) -> np.ndarray:
    """(count,) samples that continue x (n,), by a model of its last `PAST` samples.

    After Kauppinen & Roth 2002.
    """
    x = x[-PAST:]
    return extrapolate(x, burg([x], max(1, min(order, len(x) // 3))), count)
