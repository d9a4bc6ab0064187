"""Colours of atoms, the same for the page and for figures.

The palette has a row per class of atoms: a sign, a state, a channel, or a range of ranks. The class
sets the hue and the velocity sets the lightness, so that quiet atoms fade into the background.
Ramps are equal steps of lightness in OKLab (Ottosson 2020): equal steps of velocity look equally
far apart. Two classes that are compared differ along blue and orange, the axis that is visible with
every colour vision deficiency. The lightness never depends on the class, so that a ramp printed in
grey still shows the velocity.
"""

from __future__ import annotations

import math

import numpy as np

GAMMA = 1.4  # exponent from velocity to ramp position: most of a recording is quiet and recedes
STOPS = 9
MAX_CHANNELS = 8
RANKS = 16  # rows for the colouring by rank

_BLUE, _ORANGE = 258.0, 58.0
_HUES = {
    "negative": (_BLUE, 0.16),
    "positive": (_ORANGE, 0.15),
    "unknown": (270.0, 0.012),
    "kept": (_BLUE, 0.06),
    "filled": (_ORANGE, 0.16),
}
# blue and orange first: most sounds have two channels
_CHANNEL_HUES = (_BLUE, _ORANGE, 165.0, 330.0, 215.0, 100.0, 20.0, 300.0)

ROWS = (
    *_HUES,
    *(f"channel {k}" for k in range(MAX_CHANNELS)),
    *(f"rank {k}" for k in range(RANKS)),
)
THEMES = {
    # lightness of the quietest and of the loudest atom
    "light": {"paper": (255, 255, 255), "unknown": (0.95, 0.60), "ramp": (0.96, 0.30)},
    "dark": {"paper": (13, 16, 23), "unknown": (0.25, 0.58), "ramp": (0.22, 0.94)},
}


def oklab(lightness: float, a: float, b: float) -> tuple[int, int, int]:
    """Bytes of sRGB for an OKLab colour; colours out of gamut lose chroma, not lightness or hue."""
    for share in np.linspace(1, 0, 41):
        linear = _linear(lightness, a * share, b * share)
        if all(-1e-4 <= value <= 1 + 1e-4 for value in linear):
            break
    red, green, blue = [
        12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055
        for v in (min(max(v, 0.0), 1.0) for v in linear)
    ]
    return round(255 * red), round(255 * green), round(255 * blue)


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """OKLab to linear sRGB, https://bottosson.github.io/posts/oklab/."""
    long, medium, short = (
        (lightness + x * a + y * b) ** 3
        for x, y in (
            (0.3963377774, 0.2158037573),
            (-0.1055613458, -0.0638541728),
            (-0.0894841775, -1.2914855480),
        )
    )
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def ramp(row: str, theme: str) -> list[tuple[int, int, int]]:
    """`STOPS` colours (sRGB bytes) of a row of the palette, from the quietest to the loudest."""
    a, b = _direction(row)
    first, last = THEMES[theme]["unknown" if row == "unknown" else "ramp"]
    out = []
    for x in np.linspace(0, 1, STOPS):
        # pale at both ends, where screens have no vivid colours
        chroma = math.sin(math.pi * (0.08 + 0.80 * x))
        out.append(oklab(first + (last - first) * x, a * chroma, b * chroma))
    return out


def _direction(row: str) -> tuple[float, float]:
    """(a, b) of the highest chroma of a row."""
    name, _, number = row.partition(" ")
    if name == "rank":  # a straight line from blue to yellow through grey
        x = int(number) / (RANKS - 1)
        (a0, b0), (a1, b1) = _polar(265, 0.19), _polar(95, 0.17)
        return a0 + (a1 - a0) * x, b0 + (b1 - b0) * x
    return _polar(_CHANNEL_HUES[int(number)], 0.15) if name == "channel" else _polar(*_HUES[row])


def _polar(hue: float, chroma: float) -> tuple[float, float]:
    """(a, b) of a hue in degrees and a chroma."""
    return chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))


def table(theme: str) -> np.ndarray:
    """(rows, 256, 3) uint8: the colour of every row at every velocity, as on the page."""
    x = (np.arange(256) / 255) ** GAMMA * (STOPS - 1)
    stops = np.array([ramp(row, theme) for row in ROWS], float)
    low = np.minimum(x.astype(int), STOPS - 2)
    part = (x - low)[:, None]
    return np.round(stops[:, low] * (1 - part) + stops[:, low + 1] * part).astype(np.uint8)


def to_dict() -> dict:
    """Palette as JSON-ready data for the page."""
    return {
        "gamma": GAMMA,
        "kinds": list(ROWS),
        "channels": MAX_CHANNELS,
        "ranks": RANKS,
        "themes": {
            theme: {"paper": list(values["paper"]), "ramps": [ramp(row, theme) for row in ROWS]}
            for theme, values in THEMES.items()
        },
    }
