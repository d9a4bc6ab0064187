"""Peaks above full scale, and rounding, where a file of integer samples is written.

Sounds are float samples with headroom everywhere else, so that a result does not depend on the
level of the input. Integer samples end at full scale: only there peaks are limited, or the whole
sound is attenuated, and one sentence reports it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import AtomizerError

PEAKS = ("limit", "scale", "float")  # ways to handle peaks above full scale
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}  # integer subtypes
GAIN_SECONDS = 0.01  # rise and fall of the limiter's gain


def check_peaks(peaks: str) -> None:
    """Raise AtomizerError unless `peaks` is a name in `PEAKS`."""
    if peaks not in PEAKS:
        raise AtomizerError(
            f"Peaks cannot be handled by {str(peaks)[:40]!r}: choose from {', '.join(PEAKS)}."
        )


def fit_peaks(samples: np.ndarray, rate: int, peaks: str) -> tuple[np.ndarray, str | None]:
    """Bring the samples (C, n) within full scale.

    peaks  "scale" attenuates the whole sound, anything else only the surroundings of its peaks

    Returns the samples, and one sentence that reports the change; None if nothing was changed.
    """
    peak = float(np.abs(samples).max(initial=0))
    if peak <= 1:
        return samples, None
    excess = f"{20 * np.log10(peak):.1f} dB above full scale, more than this file can hold"
    if peaks == "scale":
        report = f"Peaks were {excess}: the whole sound was attenuated by that amount."
        return samples / np.float32(peak), report
    report = f"Peaks were {excess}: the sound was attenuated around them."
    return limit_peaks(samples, rate), report


def limit_peaks(samples: np.ndarray, rate: int) -> np.ndarray:
    """Attenuate (C, n) samples around the moments where a channel exceeds full scale.

    All channels have the same gain, which falls and rises over 10 ms.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    width = max(3, int(GAIN_SECONDS * rate)) | 1
    wanted = 1 / np.maximum(np.abs(samples).max(0), 1)
    gain = uniform_filter1d(minimum_filter1d(wanted, width), width, mode="nearest")
    return (samples * np.minimum(gain, wanted)).astype(np.float32)


class PeakFitter:
    """Brings a sound within full scale block by block, with the result of `fit_peaks`.

    rate   in Hz
    peaks  as in `fit_peaks`
    peak   largest magnitude of the whole sound; needed for "scale"
    """

    def __init__(self, rate: int, peaks: str, peak: float = 0.0):
        self._gain = np.float32(1 / peak) if peaks == "scale" and peak > 1 else None
        self._rate, self._peaks, self._peak = rate, peaks, peak
        # a gain depends on the samples up to this far away
        self._reach = max(3, int(GAIN_SECONDS * rate)) | 1
        self._held: np.ndarray | None = None
        self._context = 0  # samples at the start of `_held` that were already returned

    @property
    def report(self) -> str | None:
        """The sentence of `fit_peaks`."""
        return fit_peaks(np.array([[self._peak]], np.float32), self._rate, self._peaks)[1]

    def add(self, samples: np.ndarray) -> Iterator[np.ndarray]:
        """Samples (C, n) in; the blocks that are ready out."""
        if self._gain is not None:
            yield samples * self._gain
            return
        held = samples if self._held is None else np.concatenate([self._held, samples], 1)
        yield from self._limited(held, held.shape[1] - self._reach)

    def finish(self) -> Iterator[np.ndarray]:
        """The last block."""
        if self._held is not None:
            yield from self._limited(self._held, self._held.shape[1])

    def _limited(self, held: np.ndarray, stop: int) -> Iterator[np.ndarray]:
        """Samples of `held` up to `stop`; the rest, and what its gain depends on, is kept."""
        if stop <= self._context:
            self._held = held
            return
        peak = float(np.abs(held).max(initial=0))
        self._peak = max(self._peak, peak)
        out = limit_peaks(held, self._rate) if peak > 1 else held
        yield out[:, self._context : stop]
        start = max(0, stop - self._reach)
        self._held, self._context = held[:, start:], stop - start


def round_samples(samples: np.ndarray, subtype: str) -> np.ndarray:
    """Round float samples to an integer subtype, as int32 whose upper bits hold the value.

    Samples of other subtypes are returned as they are. libsndfile itself truncates floats, which
    adds an offset of half a step.
    """
    bits = BITS.get(subtype)
    if bits is None:
        return samples
    full_scale = 2.0 ** (bits - 1)
    rounded = np.rint(samples.astype(np.float64) * full_scale)
    integers = np.clip(rounded, -full_scale, full_scale - 1).astype(np.int64)
    return (integers << (32 - bits)).astype(np.int32)
