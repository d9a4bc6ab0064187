"""Level, brightness, width and share of what was filled in, changed after the fill.

    filled = shape_fill(original, masked, filled, FillShape(level_db=-3, tilt_db=1.5))

The page does the same while it plays (`ui/static/audio/shaping.js`): both use the high shelves of
the Web Audio API. Outside of the samples that the fill has changed nothing changes.

Source: "Web Audio API", W3C 2021, section 1.13.5 (filters of Bristow-Johnson's "Audio EQ
Cookbook").
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..errors import AtomizerError
from ..io.audio import Sound
from .mid_side import left_and_right

MAX_LEVEL_DB = 24.0
MAX_TILT_DB = 6.0  # per octave
MAX_WIDTH = 2.0
SIDE_TOLERANCE = 1e-5  # of the mono sum of a fill that has a side signal alone
PIVOT_HZ = 4000.0  # where the tilt changes no level
SHELVES_HZ = (125.0, 500.0, 2000.0, 8000.0)  # two octaves apart, each with the tilt of two
FADE_SECONDS = 0.01  # from the edges of a fill, where it stays as it was, to its inside
MIN_GAP_SECONDS = 0.1  # of unchanged samples between two spans
SHAPE_SUBJECT = "The {} of a shape"
SHAPE_FORM = 'A shape is an object {"level_db": -3, "tilt_db": 1.5, "wet": 1}.'


@dataclass(frozen=True)
class FillShape:
    """How a fill is changed before it is mixed in.

    level_db  gain of what was filled in
    tilt_db   gain per octave above 4 kHz, and loss per octave below
    wet       share of the fill, from 0 (the input) to 1
    width     of the channel that was added to a mono sound: gain of its side signal, 0 is mono;
              other fills have none
    """

    level_db: float = 0.0
    tilt_db: float = 0.0
    wet: float = 1.0
    width: float = 1.0

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("level", self.level_db, -MAX_LEVEL_DB, MAX_LEVEL_DB),
            ("tilt", self.tilt_db, -MAX_TILT_DB, MAX_TILT_DB),
            ("share of the fill", self.wet, 0.0, 1.0),
            ("width", self.width, 0.0, MAX_WIDTH),
        ):
            if not low <= value <= high:
                raise AtomizerError(
                    f"The {name} must be between {low:g} and {high:g}, not {value:g}."
                )

    @classmethod
    def from_dict(cls, data: Any) -> FillShape:
        """FillShape of parsed JSON; raises AtomizerError that says what is invalid."""
        from ..validation import schema_of, validate  # loads pydantic

        return cls(**validate(schema_of(cls, SHAPE_SUBJECT, SHAPE_FORM), data).model_dump())

    def to_dict(self) -> dict[str, float]:
        """The shape as JSON-ready data."""
        return asdict(self)


def shape_fill(original: Sound, masked: Sound, filled: Sound, shape: FillShape) -> Sound:
    """Change the fill of a sound.

    Parameters
    ----------
    original : Sound
        Before anything was erased; may be shorter, of fewer channels or of another rate.
    masked, filled : Sound
        Without the unknown atoms, and with them filled in.
    shape : FillShape

    Returns
    -------
    Sound
        Of the length, rate and channels of `filled`, which it is for the default shape. The mono
        sum of a side signal stays that of `masked`, to the bit.
    """
    if shape == FillShape():
        return filled
    rate, change = filled.rate, filled.samples - masked.samples
    share = inner_gain(spans_of(change, rate), change.shape[1], rate)
    inside = change * share
    is_side = has_side_alone(masked.samples, filled.samples)
    changed = tilted(inside, shape, rate) * np.float32(shape.width if is_side else 1)
    shaped = filled.samples + np.where(share == 0, 0, changed - inside)
    if shape.wet < 1:
        dry = dry_samples(original, filled)
        shaped = dry + np.float32(shape.wet) * (shaped - dry)
    if is_side:
        shaped = left_and_right(np.stack([masked.samples[0], (shaped[0] - shaped[1]) / 2]))
    return replace(filled, samples=shaped.astype(np.float32))


def has_side_alone(masked: np.ndarray, filled: np.ndarray) -> bool:
    """Whether a fill (2, n) adds a side signal to equal channels, and changes no mono sum."""
    if len(masked) != 2 or not np.array_equal(masked[0], masked[1]):
        return False
    return bool(np.allclose(filled.sum(0) / 2, masked[0], rtol=0, atol=SIDE_TOLERANCE))


def dry_samples(original: Sound, filled: Sound) -> np.ndarray:
    """(C, n) samples of the input in the rate, length and channels of its fill.

    The input is silent past its end; added channels repeat the last one.
    """
    channels, length = filled.samples.shape
    samples = original.at(filled.rate)[:, :length]
    rows = np.minimum(np.arange(channels), len(samples) - 1)
    return np.pad(samples[rows], ((0, 0), (0, length - samples.shape[1])))


def spans_of(change: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Spans (start, stop) of samples in which any of the channels (C, n) is not zero.

    Spans with less than `MIN_GAP_SECONDS` between them are one.
    """
    times = np.flatnonzero(change.any(0))
    if not len(times):
        return []
    breaks = np.flatnonzero(np.diff(times) > MIN_GAP_SECONDS * rate)
    starts, stops = times[np.append(0, breaks + 1)], times[np.append(breaks, -1)] + 1
    return list(zip(starts.tolist(), stops.tolist()))


def inner_gain(spans: list[tuple[int, int]], length: int, rate: int) -> np.ndarray:
    """(length,) share of each sample that is shaped: 0 outside of the spans, 1 well inside.

    It rises and falls over `FADE_SECONDS`, at most a quarter of the span, so that a fill keeps its
    joints; at the ends of the sound there is none.
    """
    gain = np.zeros(length, np.float32)
    for start, stop in spans:
        gain[start:stop] = 1
        fade = min(round(FADE_SECONDS * rate), (stop - start) // 4)
        ramp = (np.arange(fade, dtype=np.float32) + 1) / (fade + 1)
        if start > 0:
            gain[start : start + fade] = ramp
        if stop < length:
            gain[stop - fade : stop] = ramp[::-1]
    return gain


def tilted(samples: np.ndarray, shape: FillShape, rate: int) -> np.ndarray:
    """Samples (C, n) with the level and the tilt of a shape."""
    from scipy.signal import sosfilt

    sections = shelves(shape.tilt_db, rate)
    gain = 10 ** (shape.level_db / 20) / pivot_gain(shape.tilt_db)
    out = sosfilt(sections, samples, axis=1) if len(sections) else samples
    return (gain * out).astype(np.float32)


def shelves(tilt_db: float, rate: int) -> np.ndarray:
    """(sections, 6) second-order high shelves whose gains add up to a tilt."""
    hertz = [f for f in SHELVES_HZ if f < rate / 2]
    if not tilt_db or not hertz:
        return np.zeros((0, 6))
    return np.stack([high_shelf(f / rate, 2 * tilt_db) for f in hertz])


def high_shelf(frequency: float, gain_db: float) -> np.ndarray:
    """(6,) coefficients b0 b1 b2 a0 a1 a2 of a high shelf with slope 1.

    frequency  of half the gain in dB, as a share of the sample rate
    """
    a, w = 10 ** (gain_db / 40), 2 * np.pi * frequency
    cos, root = np.cos(w), 2 * np.sqrt(a) * np.sin(w) / np.sqrt(2)
    numerator = (
        a * ((a + 1) + (a - 1) * cos + root),
        -2 * a * ((a - 1) + (a + 1) * cos),
        a * ((a + 1) + (a - 1) * cos - root),
    )
    denominator = (
        (a + 1) - (a - 1) * cos + root,
        2 * ((a - 1) - (a + 1) * cos),
        (a + 1) - (a - 1) * cos - root,
    )
    return np.array([*numerator, *denominator]) / denominator[0]


def pivot_gain(tilt_db: float) -> float:
    """Gain of the shelves at the pivot, by which their output is divided.

    A shelf has half its gain, tilt_db, at its own frequency. The pivot lies in the middle between
    the upper two: with symmetric shelves the gains below add up to this.
    """
    below = sum(f < PIVOT_HZ for f in SHELVES_HZ)
    return 10 ** (2 * below * tilt_db / 20)
