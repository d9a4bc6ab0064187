"""Gains of several copies, with the least squared error in what is known.

Shapes: K copies, C channels, t frames, F bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

RIDGE = 0.02  # of the mean energy of the copies
MAX_RAISE = 2.2  # of the amplitude of a sum


class Products(NamedTuple):
    """Products of copies with each other and with what is known, summed over atoms.

    gram    (K, K), or (t, K, K) of single frames, float64
    cross   (K,) or (t, K) float64
    energy  () or (t,) float64, of what is known
    """

    gram: np.ndarray
    cross: np.ndarray
    energy: np.ndarray

    @classmethod
    def of_frames(cls, copies: np.ndarray, target: np.ndarray, known: np.ndarray) -> Products:
        """Products in every frame, of copies (K, C, t, F) and the known atoms of (C, t, F).

        known  (C, t, F) float32, 1 where an atom is known, else 0
        """
        x = (copies * known).transpose(2, 0, 1, 3).reshape(copies.shape[2], len(copies), -1)
        y = (target * known).transpose(1, 0, 2).reshape(len(x), -1, 1)
        gram, cross = x @ x.transpose(0, 2, 1), (x @ y)[..., 0]
        return cls(*(a.astype(np.float64) for a in (gram, cross, np.square(y).sum(axis=(1, 2)))))

    def sum_frames(self, weights: np.ndarray) -> Products:
        """Sum over frames with weights (t,)."""
        return Products(*(np.tensordot(weights, values, 1) for values in self))

    def plus(self, other: Products, factor: float) -> Products:
        """Sum with `factor` times the products of the same copies with other known atoms."""
        return Products(*(own + factor * more for own, more in zip(self, other)))


class Fit(NamedTuple):
    """Gains (K,) of copies, and the correlation of their fitted sum with what is known."""

    gains: np.ndarray
    correlation: np.float32


def fit_gains(known: Products, best: np.ndarray, inside: np.ndarray, keeps_power: bool) -> Fit:
    """Fit the gains of copies to what is known, shrunk towards those of the best copy alone, (K,).

    A single copy keeps its gain.

    inside       products (K, K) of the copies inside of the span; their mean energy counts beside
                 that of `known`
    keeps_power  whether the power inside of the span is at least the mean one of the fitted sum and
                 the best copy, which both have shares in the result
    """
    gram, cross, energy = known
    ridge = RIDGE * (np.trace(gram) + np.trace(inside)) / len(gram) + 1e-20
    fitted = best
    if len(best) > 1:
        fitted = best + np.linalg.solve(gram + ridge * np.eye(len(gram)), cross - gram @ best)
    own = max(float(fitted @ gram @ fitted), 0.0)
    correlation = np.clip(fitted @ cross / np.sqrt(own * energy + 1e-20), 0, 1)
    raised = fitted * np.clip(np.sqrt(correlation * energy / (own + 1e-20)), 1, MAX_RAISE)
    share = correlation if len(best) > 1 else 0.0
    gains = share * raised + (1 - share) * best
    if keeps_power:
        power = share * raised @ inside @ raised + (1 - share) * best @ inside @ best
        lost = power / (float(gains @ inside @ gains) + 1e-20)
        gains = gains * np.clip(np.sqrt(lost), 1, MAX_RAISE)
    return Fit(gains.astype(np.float32), np.float32(correlation))
