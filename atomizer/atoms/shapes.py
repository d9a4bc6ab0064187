"""Shapes of regions in the time-frequency plane."""

from __future__ import annotations

import numpy as np


def in_polygon(x: np.ndarray, y: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Even-odd test of coordinates (n, 1) and (1, m) against (corners, 2): (n, m), row by row, so that corners cost little."""
    inside = np.zeros((x.shape[0], y.shape[1]), bool)
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, 1, axis=0).T
    for j, level in enumerate(y[0]):
        cut = (y0 > level) != (y1 > level)
        if cut.any():
            crossings = np.sort((x1 - x0)[cut] * (level - y0[cut]) / (y1 - y0)[cut] + x0[cut])
            inside[:, j] = (len(crossings) - np.searchsorted(crossings, x[:, 0], side="right")) % 2
    return inside


def near_line(
    x: np.ndarray, y: np.ndarray, points: np.ndarray, size: tuple[float, float]
) -> np.ndarray:
    """Whether ascending coordinates (n, 1) and (1, m) lie within an ellipse of half axes `size` moved along the line through `points`."""
    scale = np.maximum(np.asarray(size, float), 1e-9)
    xs, ys, p = x[:, 0] / scale[0], y[0] / scale[1], points / scale
    out = np.zeros((len(xs), len(ys)), bool)
    for a, b in zip(p, np.concatenate([p[1:], p[-1:]])):
        (x0, y0), (x1, y1) = np.minimum(a, b) - 1, np.maximum(a, b) + 1
        rows, columns = slice(*np.searchsorted(xs, (x0, x1))), slice(*np.searchsorted(ys, (y0, y1)))
        if out[rows, columns].all():
            continue
        u, v, d = xs[rows, None] - a[0], ys[None, columns] - a[1], b - a
        along = np.clip((u * d[0] + v * d[1]) / max(float(d @ d), 1e-12), 0, 1)
        out[rows, columns] |= (u - along * d[0]) ** 2 + (v - along * d[1]) ** 2 <= 1
    return out


def points_in_polygon(x: np.ndarray, y: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """`in_polygon` of n points with coordinates (n,)."""
    inside = np.zeros(len(x), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        cut = (y0 > y) != (y1 > y)
        inside[cut] ^= (x1 - x0) * (y[cut] - y0) / (y1 - y0) + x0 > x[cut]
    return inside


def points_near_line(
    x: np.ndarray, y: np.ndarray, points: np.ndarray, size: tuple[float, float]
) -> np.ndarray:
    """`near_line` of n points with coordinates (n,)."""
    scale = np.maximum(np.asarray(size, float), 1e-9)
    u, v, p = x / scale[0], y / scale[1], points / scale
    out = np.zeros(len(x), bool)
    for a, b in zip(p, np.concatenate([p[1:], p[-1:]])):
        d = b - a
        along = np.clip(((u - a[0]) * d[0] + (v - a[1]) * d[1]) / max(float(d @ d), 1e-12), 0, 1)
        out |= (u - a[0] - along * d[0]) ** 2 + (v - a[1] - along * d[1]) ** 2 <= 1
    return out
