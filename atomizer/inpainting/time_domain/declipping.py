"""Declipping: the samples of clipped peaks, which are at least as high as the clip level.

The missing samples of a window are those of least prediction error of an autoregressive (AR) model
(Janssen, Veldhuis & Vries 1986), among those that exceed the clip level, with its sign (the
clipping constraint; Zaviska, Rajmic, Ozerov & Rencker 2021 compare methods that use it). Model and
samples are estimated in turn.
"""

from __future__ import annotations

import numpy as np

from ...analysis.defects import Defect
from .autoregression import burg

ORDER = 64  # of the AR model
CONTEXT_SECONDS = 0.03  # on either side of a window, of which the model is fitted
WINDOW_SECONDS = 0.02  # of clipped peaks that are restored together
MAX_UNKNOWN = 400  # samples that are restored together
ROUNDS = 3  # of model and samples
MAX_RATIO = 2.0  # restored samples are at most this many times the clip level
DIAGONAL_LOAD = 1e-9


def declip(samples: np.ndarray, defects: list[Defect]) -> np.ndarray:
    """Samples (n,) of a channel with the clipped ones among `defects` restored."""
    out = samples.astype(np.float64)
    for group in _groups(defects):
        places = np.concatenate([np.arange(d.first, d.stop) for d in group])
        levels = np.concatenate([np.full(d.stop - d.first, d.level) for d in group])
        context = round(CONTEXT_SECONDS * group[0].rate)
        low, high = max(0, places[0] - context), min(len(out), places[-1] + 1 + context)
        out[places] = _restore(out[low:high], places - low, levels)
    return out.astype(np.float32)


def _groups(defects: list[Defect]) -> list[list[Defect]]:
    """Defects of one channel that are restored together, in order."""
    groups: list[list[Defect]] = []
    for defect in sorted(defects, key=_first):
        group = groups[-1] if groups else []
        unknown = sum(d.stop - d.first for d in group) + defect.stop - defect.first
        near = group and defect.stop - group[0].first <= WINDOW_SECONDS * defect.rate
        if near and unknown <= MAX_UNKNOWN:
            group.append(defect)
        else:
            groups.append([defect])
    return groups


def _first(defect: Defect) -> int:
    return defect.first


def _restore(window: np.ndarray, places: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Samples at some places of a window (n,), in magnitude at least as large as `levels`.

    With the AR model's error filter, the error of the window is quadratic in the unknown samples;
    their excess over the level, which is not negative, minimises it.
    """
    from scipy.linalg import LinAlgError, cholesky, solve_triangular, toeplitz
    from scipy.optimize import nnls

    x, sign = window.copy(), np.sign(levels)
    for _ in range(ROUNDS):
        a, _variance = burg([x], min(ORDER, len(x) // 3))
        correlation = np.correlate(a, a, "full")[len(a) - 1 :]
        column = np.zeros(places[-1] - places[0] + 1)
        column[: min(len(column), len(correlation))] = correlation[: len(column)]
        square = toeplitz(column)[np.ix_(places - places[0], places - places[0])]
        fixed = window.copy()
        fixed[places] = levels
        error = np.convolve(fixed, a)[: len(x)]
        gradient = np.convolve(error[::-1], a)[: len(x)][::-1][places]
        quadratic = square * np.outer(sign, sign)
        quadratic[np.diag_indices_from(quadratic)] *= 1 + DIAGONAL_LOAD
        try:
            lower = cholesky(quadratic, lower=True)
            target = solve_triangular(lower, -(gradient * sign), lower=True)
            excess, _ = nnls(lower.T, target)
        except (LinAlgError, RuntimeError):  # a model that is singular, or no convergence
            return x[places]
        x[places] = levels + sign * np.minimum(excess, (MAX_RATIO - 1) * np.abs(levels))
    return x[places]
