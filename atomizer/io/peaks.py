"""Peaks above full scale, and rounding, where a file of integer samples is written.

Sounds are float samples with headroom everywhere else, so that a result does not depend on the
level of the input. Integer samples end at full scale: only there peaks are limited, or the whole
sound is attenuated, and one sentence reports it.
"""

from __future__ import annotations

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
