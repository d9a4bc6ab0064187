"""Atom spaces: the features of an atom, their cardinalities and their units."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import AtomizerError


@dataclass(frozen=True)
class Feature:
    """One discrete feature of an atom.

    name          the field's term
    cardinality   number of values, 0 … cardinality - 1
    unit          meaning of one step of the value
    locates       True if the feature is part of the atom's place, False if of its content
    when_unknown  one line for the page: what the model does if the feature is unknown
    """

    name: str
    cardinality: int
    unit: str
    locates: bool
    when_unknown: str


FEATURES = ("time", "frequency", "channel", "velocity", "sign")
SCALE = "scale"  # the sixth feature, of atoms in a ScaleSpace
LOUDNESS = ("velocity", "sign")  # an atom's whole content: without both it is silent
BIT = {name: 1 << i for i, name in enumerate((*FEATURES, SCALE))}  # of `Atoms.unknown`
WINDOWS = ("sine", "kbd")  # of the MDCT
GABOR_WINDOWS = ("gauss", "damped")
MAX_PLACES = 1 << 29  # channels * frames * hop: all of the default AtomSpace; 2 GB as a grid


@dataclass(frozen=True)
class AtomSpace:
    """Cardinalities and units of the features of an atom.

    rate      samples per second
    hop       samples between two frames; also the number of bins (windows have 2 * hop samples)
    window    "sine" or "kbd" (Kaiser-Bessel-derived, alpha 4)
    frames    cardinality of time (of a whole sound, or of one window of the model)
    channels  cardinality of channel
    levels    cardinality of velocity; level 0 is inaudible
    step_db   decibels between two levels
    headroom_db  top level in dB above the reference, which is the loudest known atom
    """

    rate: int = 44_100
    hop: int = 1024
    window: str = "sine"
    frames: int = 65_536
    channels: int = 8
    levels: int = 96
    step_db: float = 1.0
    headroom_db: float = 12.0

    @property
    def features(self) -> tuple[Feature, ...]:
        """Declaration of the features, in the order of `FEATURES`."""
        return (
            Feature(
                "time",
                self.frames,
                f"frames of {1e3 * self.hop / self.rate:.1f} ms",
                True,
                "the model decides when each atom sounds",
            ),
            Feature(
                "frequency",
                self.bins,
                f"bins of {self.bin_hz:.1f} Hz",
                True,
                "the model decides the pitch of each atom",
            ),
            Feature(
                "channel",
                self.channels,
                "channels",
                True,
                "the model decides left or right",
            ),
            Feature(
                "velocity",
                self.levels,
                f"levels of {self.step_db:g} dB, 0 = inaudible",
                False,
                "level: the model predicts how loud each atom is",
            ),
            Feature(
                "sign",
                2,
                "0 = negative, 1 = positive",
                False,
                "the model predicts the phase",
            ),
        )

    @property
    def bins(self) -> int:
        """Cardinality of frequency."""
        return self.hop

    @property
    def bin_hz(self) -> float:
        """Width of a bin, in Hz."""
        return self.rate / 2 / self.bins

    def half_window(self, scale: np.ndarray | None = None) -> np.ndarray | float:
        """Half the length of an atom's window, in seconds; `scale` is ignored."""
        return self.hop / self.rate

    @property
    def floor_db(self) -> float:
        """Level of the quietest audible atoms in dB above the reference (a negative number)."""
        return self.level_db(1)

    def seconds(self, time: np.ndarray) -> np.ndarray:
        """Centre of a frame, in seconds.

        Frame m covers the samples from (m - 1) * hop to (m + 1) * hop.
        """
        return np.asarray(time) * (self.hop / self.rate)

    def hertz(self, frequency: np.ndarray) -> np.ndarray:
        """Centre of a bin, in Hz."""
        return (np.asarray(frequency) + 0.5) * self.bin_hz

    def frame_count(self, samples: int) -> int:
        """Number of frames of a sound; the last frame is centred at its end or behind it."""
        return -(-samples // self.hop) + 1

    def level_db(self, level):
        """Level in dB above the reference."""
        return (level - (self.levels - 1)) * self.step_db + self.headroom_db

    def quantise(self, amplitude: np.ndarray, reference: float) -> np.ndarray:
        """Levels (int16) of signed or unsigned amplitudes; below the floor it is level 0."""
        with np.errstate(divide="ignore"):
            db = 20 * np.log10(
                np.abs(amplitude).astype(np.float32) / np.float32(max(reference, 1e-30))
            )
        level = np.round((db - self.headroom_db) / self.step_db) + self.levels - 1
        return np.clip(level, 0, self.levels - 1).astype(np.int16)

    def amplitude(self, level: np.ndarray, reference: float) -> np.ndarray:
        """Unsigned amplitude (float32) of levels; level 0 is silence."""
        level = np.asarray(level)
        loud = 10 ** (self.level_db(level.astype(np.float32)) / 20) * reference
        return np.where(level > 0, loud, 0).astype(np.float32)

    def validate(self) -> None:
        """Raise AtomizerError if a value is invalid for an MDCT."""
        self._check_numbers(self.rate, self.hop, self.frames, self.channels, self.levels)
        counts = (self.rate, self.frames, self.channels)
        is_even = self.hop >= 2 and self.hop % 2 == 0
        if min(counts) < 1 or not is_even or self.levels < 2 or not self.step_db > 0:
            raise AtomizerError(
                "The AtomSpace of these atoms is invalid: its counts must be positive and its hop"
                " even."
            )
        _check_window(self.window, WINDOWS)

    def _check_numbers(self, *counts: object) -> None:
        if not all(type(v) is int for v in counts) or not all(
            type(v) in (int, float) and math.isfinite(v) for v in (self.step_db, self.headroom_db)
        ):
            raise AtomizerError(
                "The AtomSpace of these atoms is invalid: its counts must be whole numbers, its"
                " decibels finite numbers."
            )

    def check_same_analysis(self, other: AtomSpace) -> None:
        """Raise AtomizerError unless both spaces describe the same atoms.

        Frames and channels may differ: they are the size of a window of the model.
        """
        mine, theirs = ([feature.name for feature in space.features] for space in (self, other))
        if mine != theirs:
            raise AtomizerError(
                f"This checkpoint was trained for atoms with the features {', '.join(theirs)}, but"
                f" these atoms have {', '.join(mine)}: use an atomizer of the same AtomSpace."
            )
        for name in ("rate", "hop", "window", "levels", "step_db", "headroom_db"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                raise AtomizerError(
                    f"This checkpoint was trained for atoms with {name} = {theirs}, but these atoms"
                    f" have {name} = {mine}: use a checkpoint and an atomizer of the same"
                    " AtomSpace."
                )


@dataclass(frozen=True)
class ScaleSpace(AtomSpace):
    """Space of atoms with windows of several lengths (matching pursuit): scale is a sixth feature.

    Time counts steps of `hop` samples and frequency counts bins of the largest scale, whatever the
    scale of an atom, so that atoms of all scales can be ordered, selected and drawn together.

    hop      samples between two values of time: the hop of the smallest scale, or less if atoms
             lie between the frames
    scales   lengths of the windows in samples, ascending, each a multiple of the one before
    window   "sine" or "kbd" of a union of MDCT bases; "gauss" or "damped" of Gabor atoms, whose
             phase is free
    phases   cardinality of sign: 2, or for Gabor atoms an even number of phases, from -pi
    """

    hop: int = 64
    frames: int = 1 << 26
    scales: tuple[int, ...] = (128, 1024, 8192)
    phases: int = 2

    @property
    def features(self) -> tuple[Feature, ...]:
        """Declaration of the five features of an `AtomSpace` and of the scale."""
        time, frequency, channel, velocity, sign = super().features
        scales = Feature(
            SCALE,
            len(self.scales),
            f"windows of {' / '.join(map(str, self.scales))} samples",
            True,
            "the length of each atom is unknown",
        )
        if self.phases > 2:
            sign = replace(
                sign,
                cardinality=self.phases,
                unit=f"phases of {360 / self.phases:g} degrees, from -180",
            )
        return (
            replace(time, unit=f"steps of {1e3 * self.hop / self.rate:.3g} ms"),
            frequency,
            channel,
            velocity,
            sign,
            scales,
        )

    @property
    def bins(self) -> int:
        """Cardinality of frequency: the bins of the largest scale."""
        return self.scales[-1] // 2

    def half_window(self, scale: np.ndarray | None = None) -> np.ndarray | float:
        """Half the length of the windows of `scale`, by default of the largest one, in seconds."""
        half = np.asarray(self.scales) / 2 / self.rate
        return half[-1] if scale is None else half[scale]

    def frame_count(self, samples: int) -> int:
        """Number of values of time.

        The last frame of the largest scale is centred up to half its length behind the end.
        """
        last = -(-samples // self.bins) * self.bins
        return last // self.hop + 1

    def fine_bin(self, scale: np.ndarray, bin_: np.ndarray) -> np.ndarray:
        """Frequency of the bins of a scale: the bin of the largest scale at their middle."""
        ratio = self.scales[-1] // np.asarray(self.scales)[scale]
        return bin_ * ratio + ratio // 2

    def scale_bin(self, scale: np.ndarray, frequency: np.ndarray) -> np.ndarray:
        """Bins of a scale at these frequencies: the inverse of `fine_bin`."""
        return frequency // (self.scales[-1] // np.asarray(self.scales)[scale])

    def phase(self, sign: np.ndarray) -> np.ndarray:
        """Phase in radians of the cosine in the middle of a Gabor atom."""
        return np.asarray(sign) * (2 * np.pi / self.phases) - np.pi

    def validate(self) -> None:
        """Raise AtomizerError if a value is invalid for a dictionary."""
        scales = self.scales if isinstance(self.scales, tuple) else (None,)  # files hold any type
        self._check_numbers(
            self.rate, self.hop, self.frames, self.channels, self.levels, self.phases, *scales
        )
        self._check_scales()
        counts = (self.rate, self.frames, self.channels, self.hop)
        if min(counts) < 1 or self.levels < 2 or not self.step_db > 0:
            raise AtomizerError(
                "The AtomSpace of these atoms is invalid: its counts must be positive."
            )
        _check_window(self.window, WINDOWS + GABOR_WINDOWS)
        is_gabor = self.window in GABOR_WINDOWS
        step = self.scales[0] // (4 if is_gabor else 2)
        if step % self.hop:
            raise AtomizerError(
                f"The hop of {self.hop} samples must divide the hop of the smallest scale, {step}"
                " samples."
            )
        if self.phases < 2 or self.phases % 2 or (self.phases > 2) != is_gabor:
            raise AtomizerError(
                "MDCT atoms have 2 signs, Gabor atoms an even number of phases from 4."
            )

    def _check_scales(self) -> None:
        """Raise AtomizerError for window lengths that are no multiples of each other."""
        pairs = zip(self.scales, self.scales[1:])
        is_valid = self.scales and self.scales[0] >= 4 and self.scales[0] % 4 == 0
        if not is_valid or any(longer % shorter or longer == shorter for shorter, longer in pairs):
            raise AtomizerError(
                "The scales of a dictionary must ascend from a multiple of 4, each a multiple of"
                " the one before."
            )


def _check_window(name: str, known: tuple[str, ...]) -> None:
    """Raise AtomizerError for a window that there is not."""
    if name not in known:
        raise AtomizerError(
            f"There is no window {str(name)[:40]!r}: choose from {', '.join(known)}."
        )


def parse_features(
    names: str | Iterable[str], known: tuple[str, ...] = FEATURES
) -> tuple[str, ...]:
    """Feature names in the order of `known`, from "velocity,sign" or a sequence of names.

    Raises AtomizerError for an unknown name, or without any name.
    """
    if isinstance(names, str):
        names = [n.strip() for n in names.split(",") if n.strip()]
    if not isinstance(names, Iterable):
        raise AtomizerError(f"Features are given by name, from {', '.join(FEATURES)}.")
    names = list(names)
    for name in names:
        if name not in known:
            raise AtomizerError(
                f"There is no feature {str(name)[:40]!r}: choose from {', '.join(known)}."
            )
    if not names:
        raise AtomizerError(
            f"Choose at least one feature to make unknown, from {', '.join(known)}."
        )
    return tuple(name for name in known if name in names)
