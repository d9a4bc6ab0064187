"""Foreign sounds that the repair tasks mix into recordings, and what a person draws around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..atoms.selection import Region, Selection

RING_SECONDS, RING_SPEED = 1.1, 22.0  # of a ring, and its alternations per second
FADE_SECONDS = 0.01
CLICKS, CLICK_SECONDS = 10, 0.004
CLICK_SPACING_SECONDS = 0.35


def _seconds(seconds: float, rate: int) -> np.ndarray:
    return np.arange(round(seconds * rate)) / rate


def _faded(samples: np.ndarray, rate: int, fade: float = FADE_SECONDS) -> np.ndarray:
    """Samples (n,) with faded ends."""
    edge = np.minimum(np.arange(len(samples)), np.arange(len(samples))[::-1]) / (fade * rate)
    return samples * np.minimum(edge, 1)


def _noise_band(count: int, rate: int, low: float, high: float, rng: np.random.Generator):
    """(count,) noise between two frequencies, with an RMS of 1."""
    spectrum, hertz = np.fft.rfft(rng.standard_normal(count)), np.fft.rfftfreq(count, 1 / rate)
    x = np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), count)
    return x / x.std()


def ring(rate: int, rng: np.random.Generator) -> np.ndarray:
    """The ring of a phone: two notes with odd harmonics, which alternate quickly, (n,)."""
    t = _seconds(RING_SECONDS, rate)
    pitch = np.where((t * 2 * RING_SPEED).astype(int) % 2, 1130.0, 1420.0)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tone = sum(np.sin(k * phase) / k**1.5 for k in (1, 3))
    return _faded(tone * (1 + 0.3 * np.sin(2 * np.pi * 2 * RING_SPEED * t)), rate)


def cough(rate: int, rng: np.random.Generator) -> np.ndarray:
    """Two bursts of noise with a formant, (n,)."""
    t, out = _seconds(0.45, rate), np.zeros(round(0.45 * rate))
    for start, decay, gain in ((0.0, 0.05, 1.0), (0.2, 0.07, 0.6)):
        after = np.maximum(t - start, 0)
        envelope = (t >= start) * np.minimum(after / 0.008, 1) * np.exp(-after / decay)
        burst = _noise_band(len(t), rate, 250, 7000, rng) + _noise_band(
            len(t), rate, 600, 1500, rng
        )
        out = out + gain * envelope * burst
    return _faded(out, rate)


def whistle(rate: int, rng: np.random.Generator) -> np.ndarray:
    """One gliding tone around 1,900 Hz with a vibrato, (n,)."""
    t = _seconds(1.4, rate)
    pitch = 1900 + 120 * np.sin(2 * np.pi * 0.7 * t) + 25 * np.sin(2 * np.pi * 6 * t)
    return _faded(np.sin(2 * np.pi * np.cumsum(pitch) / rate), rate, 0.05)


def warble(rate: int, rng: np.random.Generator) -> np.ndarray:
    """A tone between 2 and 4 kHz, modulated twelve times a second like a bird's, (n,)."""
    t = _seconds(1.4, rate)
    pitch = 3000 + 800 * np.sin(2 * np.pi * 12 * t)
    tremolo = 0.6 + 0.4 * np.sin(2 * np.pi * 12 * t + 1)
    return _faded(tremolo * np.sin(2 * np.pi * np.cumsum(pitch) / rate), rate, 0.05)


def clicks(rate: int, rng: np.random.Generator) -> np.ndarray:
    """Ten clicks of some milliseconds, (n,)."""
    t = _seconds(CLICK_SECONDS - 0.001, rate)
    out = np.zeros(round(CLICKS * CLICK_SPACING_SECONDS * rate))
    for start in click_starts():
        first = round((start + 0.0005) * rate)
        hit = np.exp(-t / 0.0006) * rng.choice([-1, 1]) * np.cos(2 * np.pi * 2500 * t)
        out[first : first + len(hit)] += hit
    return out


def click_starts() -> list[float]:
    """Seconds at which the clicks are drawn around."""
    return [(n + 0.5) * CLICK_SPACING_SECONDS for n in range(CLICKS)]


@dataclass(frozen=True)
class ForeignSound:
    """A sound that disturbs a recording.

    make      (rate, rng) -> (n,) samples
    level_db  RMS of the sound, relative to that of the recording during it
    seconds   length of what is drawn around it
    before    seconds that are drawn before the sound begins
    band_hz   frequencies that are drawn around, (lowest, highest)
    parts     seconds (start, end) inside of what is drawn, if only these are selected
    """

    make: Callable[[int, np.random.Generator], np.ndarray]
    level_db: float
    seconds: float
    before: float = 0.05
    band_hz: tuple[float, float] = (0.0, np.inf)
    parts: tuple[tuple[float, float], ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether short parts of the recording are selected, instead of one."""
        return bool(self.parts)

    def scaled(self, recording: np.ndarray, rate: int, seed: int) -> np.ndarray:
        """The sound in the recording (channels, n) that it disturbs, equal in all channels: (n,).

        `recording` is what is drawn around.
        """
        x = self.make(rate, np.random.default_rng(seed))
        out = np.zeros(recording.shape[1])
        first = round(self.before * rate)
        x = x[: len(out) - first]
        gain = 10 ** (self.level_db / 20) * np.sqrt(
            (recording**2).mean() / max((x**2).mean(), 1e-20)
        )
        out[first : first + len(x)] = gain * x
        return out.astype(np.float32)

    def drawn_around(self, span: tuple[float, float]) -> Selection:
        """What a person selects, if the sound lies in this span (seconds)."""
        if self.parts:
            start = span[0] + self.before
            return Selection(tuple(Region(t=(start + a, start + b)) for a, b in self.parts))
        if self.band_hz == (0.0, np.inf):
            return Selection((Region(t=span),))
        return Selection((Region(t=span, f=self.band_hz),))


FOREIGN_SOUNDS = {
    "ring": ForeignSound(ring, 0.0, RING_SECONDS + 0.15, band_hz=(900, 5000)),
    "cough": ForeignSound(cough, 3.0, 0.55),
    "whistle": ForeignSound(whistle, 0.0, 1.5, band_hz=(1600, 2200)),
    "warble": ForeignSound(warble, 0.0, 1.5, band_hz=(1900, 4100)),
    "clicks": ForeignSound(
        clicks,
        -12.0,
        CLICKS * CLICK_SPACING_SECONDS + 0.1,
        parts=tuple((a, a + CLICK_SECONDS) for a in click_starts()),
    ),
}
