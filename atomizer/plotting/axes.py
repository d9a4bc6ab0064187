"""The axes of a plot: scales of frequency, ticks, the visible range, names of channels."""

from __future__ import annotations

import numpy as np

from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from .style import PlotStyle

LOWEST_HZ = 30.0
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def axis_position(hertz, scale: str):
    """Position of frequencies on an axis: in Hz, octaves, or mel (O'Shaughnessy 1987)."""
    hertz = np.asarray(hertz, float)
    if scale == "log":
        return np.log2(np.maximum(hertz, 1e-3))
    return 2595 * np.log10(1 + hertz / 700) if scale == "mel" else hertz


def axis_frequency(position, scale: str):
    """Frequencies of axis positions, the inverse of `axis_position`."""
    position = np.asarray(position, float)
    if scale == "log":
        return 2.0**position
    return 700 * (10 ** (position / 2595) - 1) if scale == "mel" else position


def axis_range(hertz: tuple[float, float], scale: str) -> tuple[float, float]:
    """Axis positions of the lowest and the highest visible frequency."""
    low, high = hertz
    return float(axis_position(low, scale)), float(axis_position(high, scale))


def visible_range(
    end: float, space: AtomSpace, style: PlotStyle
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Visible range ((from, to) seconds, (from, to) Hz) of a sound of `end` seconds."""
    end = max(end, 1e-3)
    low = LOWEST_HZ if style.scale == "log" else 0.0
    (t0, t1), (f0, f1) = style.seconds or (0.0, end), style.hertz or (low, space.rate / 2)
    if not (0 <= t0 < t1 and 0 <= f0 < f1):
        raise AtomizerError("A picture spans from a lower to a higher time and frequency.")
    return (t0, min(t1, end) if t0 < end else t1), (max(f0, low), f1)


def frequency_ticks(hertz: tuple[float, float], scale: str, apart: float = 0.045) -> list[float]:
    """Round frequencies within (from, to), the highest first.

    They are at least a share of `apart` of the axis away from each other.
    """
    bottom, top = axis_range(hertz, scale)
    visible = [f for f in TICKS if hertz[0] <= f <= hertz[1]]
    ticks: list[float] = []
    for tick in reversed(visible or list(np.round(np.linspace(*hertz, 5)))):
        distance = axis_position(ticks[-1], scale) - axis_position(tick, scale) if ticks else np.inf
        if distance >= apart * (top - bottom):
            ticks.append(float(tick))
    return ticks


def channel_name(number: int, channels: int) -> str:
    """Name of a channel of a sound of `channels`, the same as in the page's format.js."""
    return ("left", "right")[number] if channels == 2 else f"channel {number}"
