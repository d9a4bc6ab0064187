"""Colours of atoms, the same for the page and for figures.

The palette has a row per class of atoms: a sign, a state, a channel, or a range of ranks. The class
sets the hue and the velocity sets the lightness, so that quiet atoms fade into the background.
The colouring by sign is a spectrogram first: where atoms are smaller than a few pixels, hues of
neighbours would mix to noise. There the sign is a faint tint of a grey ramp; it appears fully where
single atoms can be distinguished (`tint_of`). Filled-in atoms have a green ramp and their own hues.
Ramps are equal steps of lightness in OKLab (Ottosson 2020): equal steps of velocity look equally
far apart. Two classes that are compared differ along blue and orange, the axis that is visible with
every colour vision deficiency. The lightness never depends on the class, so that a ramp printed in
grey still shows the velocity.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

# exponent from velocity to ramp position: most of a recording is quiet and recedes
GAMMA = 2.4
GAMMAS = (1.2, 4.8)  # of the lowest and the highest contrast
# sizes in pixels of atoms whose sign is a faint tint, and of atoms that show it fully
TINT_PIXELS = (3.0, 9.0)
TINTS = 5  # steps from faint to full
FAINT = 0.12  # share of the sign's hue in the first step
STOPS = 9
MAX_CHANNELS = 8
RANKS = 16  # rows for the colouring by rank

_BLUE, _ORANGE = 258.0, 58.0
_HUES = {
    "negative": (_BLUE, 0.16),
    "positive": (_ORANGE, 0.15),
    "mixed": (265.0, 0.018),
    "filled negative": (205.0, 0.13),
    "filled positive": (95.0, 0.15),
    "filled mixed": (135.0, 0.14),
    "unknown": (312.0, 0.10),
    "kept": (_BLUE, 0.06),
    "filled": (_ORANGE, 0.16),
}
# the ramp that a row fades to where the sign is a faint tint
UNTINTED = {
    "negative": "mixed",
    "positive": "mixed",
    "filled negative": "filled mixed",
    "filled positive": "filled mixed",
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
    "dark": {"paper": (13, 16, 23), "unknown": (0.42, 0.86), "ramp": (0.22, 0.94)},
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


@cache
def ramp(row: str, theme: str) -> tuple[tuple[int, int, int], ...]:
    """`STOPS` colours (sRGB bytes) of a row of the palette, from the quietest to the loudest."""
    a, b = _direction(row)
    first, last = THEMES[theme]["unknown" if row == "unknown" else "ramp"]
    out = []
    for x in np.linspace(0, 1, STOPS):
        # pale at both ends, where screens have no vivid colours
        chroma = math.sin(math.pi * (0.08 + 0.80 * x))
        out.append(oklab(first + (last - first) * x, a * chroma, b * chroma))
    return tuple(out)


def _direction(row: str) -> tuple[float, float]:
    """(a, b) of the highest chroma of a row."""
    name, _, number = row.partition(" ")
    if row in _HUES:
        return _polar(*_HUES[row])
    if name == "rank":  # a straight line from blue to yellow through grey
        x = int(number) / (RANKS - 1)
        (a0, b0), (a1, b1) = _polar(265, 0.19), _polar(95, 0.17)
        return a0 + (a1 - a0) * x, b0 + (b1 - b0) * x
    return _polar(_CHANNEL_HUES[int(number)], 0.15)


def _polar(hue: float, chroma: float) -> tuple[float, float]:
    """(a, b) of a hue in degrees and a chroma."""
    return chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))


def gamma_of(contrast: float) -> float:
    """Exponent for a contrast from 0 to 1; 0.5 gives `GAMMA`."""
    low, high = GAMMAS
    return low * (high / low) ** contrast


def tint_of(pixels: np.ndarray) -> np.ndarray:
    """Index of the step of tint for atoms whose shorter side has `pixels` (…)."""
    low, high = TINT_PIXELS
    share = np.clip((np.asarray(pixels, float) - low) / (high - low), 0, 1)
    return np.round(share * (TINTS - 1)).astype(int)


def table(theme: str, tint: int = TINTS - 1, gamma: float = GAMMA) -> np.ndarray:
    """(rows, 256, 3) uint8: the colour of every row at every velocity, as on the page.

    tint  step of the tint by sign, from faint (0) to full
    """
    x = (np.arange(256) / 255) ** gamma * (STOPS - 1)
    stops = np.array([_tinted(row, theme, tint) for row in ROWS], float)
    low = np.minimum(x.astype(int), STOPS - 2)
    part = (x - low)[:, None]
    return np.round(stops[:, low] * (1 - part) + stops[:, low + 1] * part).astype(np.uint8)


def _tinted(row: str, theme: str, tint: int) -> np.ndarray:
    """(STOPS, 3) colours of a row with a step of the tint."""
    share = FAINT + (1 - FAINT) * tint / (TINTS - 1)
    full, faint = (np.array(ramp(name, theme)) for name in (row, UNTINTED.get(row, row)))
    return faint + (full - faint) * share


def to_dict() -> dict:
    """Palette as JSON-ready data for the page."""
    return {
        "gammas": list(GAMMAS),
        "tintPixels": list(TINT_PIXELS),
        "tints": TINTS,
        "faint": FAINT,
        "untinted": UNTINTED,
        "kinds": list(ROWS),
        "channels": MAX_CHANNELS,
        "ranks": RANKS,
        "themes": {
            theme: {"paper": list(values["paper"]), "ramps": [ramp(row, theme) for row in ROWS]}
            for theme, values in THEMES.items()
        },
    }
