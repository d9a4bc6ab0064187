"""Files of a low rate or a low bit rate, as they are found: how they lose the highs of a recording.

Tasks of bandwidth hide atoms above a frequency, and all below are those of the recording. A file
that was resampled or coded has a slope instead of an edge, a weakened or coarse band below it, and
nobody says where it ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import soxr
from scipy.ndimage import uniform_filter1d
from scipy.signal import resample_poly

from ..analysis import MDCTAtomizer
from ..atoms.selection import parse
from ..errors import AtomizerError
from ..inpainting.highs.cutoff import resolve_for
from ..io.audio import Sound, resample_to_length
from .baselines import codecs
from .cases import EvaluationTask, Hidden, HiddenPlace, NoCase

Resampler = Callable[[np.ndarray, int, int], np.ndarray]

CODEC = "mp3"
SMOOTH_BINS = 9  # (190 Hz) over which powers are averaged to find what is lost
LOST_DB = 3.0  # a bin that is weaker by more than this is lost
SILENT_DB = -120.0  # below the loudest bin of the recording: nothing is there to be lost


def _soxr(quality: str, samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    return soxr.resample(samples.T, rate, to, quality=quality).T


def _polyphase(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    common = np.gcd(rate, to)
    return resample_poly(samples, to // common, rate // common, axis=1)


def _mean(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Means of the linearly interpolated integral: highs are folded down, as by cheap recorders."""
    count = -(-samples.shape[1] * to // rate)
    edges = (np.arange(count + 1) - 0.5) * rate / to + 0.5
    integral = np.pad(np.cumsum(samples, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    at = np.arange(integral.shape[1])
    return np.stack([np.diff(np.interp(edges, at, x)) for x in integral]) * to / rate


RESAMPLERS: dict[str, Resampler] = {
    "soxr-vhq": partial(_soxr, "VHQ"),
    "soxr-hq": partial(_soxr, "HQ"),
    "soxr-lq": partial(_soxr, "LQ"),
    "polyphase": _polyphase,
    "mean": _mean,
}
# This text is stored in reports and compared when a report is resumed.
CONVENTION = (
    f"lowrate-N: resampled to N by one of {', '.join(RESAMPLERS)}, chosen by a checksum of the "
    "samples; mp3-N: average bit rate, libsndfile; selected is above:auto; lsd_hidden from where "
    f"the file is {LOST_DB:g} dB weaker than the recording"
)


def resampler_of(sound: Sound) -> str:
    """Name of the resampler of a sound: always the same one, and another one for others."""
    return list(RESAMPLERS)[zlib.crc32(sound.samples.tobytes()) % len(RESAMPLERS)]


def lost_from(recording: np.ndarray, given: np.ndarray) -> float:
    """Frequency in Hz from which on a file (channels, n) has lost what the recording has.

    The bin that best divides kept bins from lost ones above. It is not the cutoff that was found:
    one that is too high costs its method the slope.
    """
    atomizer = MDCTAtomizer()
    before, after = (
        uniform_filter1d(np.square(atomizer.grid(x)).mean((0, 1), dtype=np.float64), SMOOTH_BINS)
        for x in (recording, given)
    )
    lost = after < before * 10 ** (-LOST_DB / 10)
    lost |= before < before.max() * 10 ** (SILENT_DB / 10)
    wrong = np.concatenate([[0], np.cumsum(lost)]) + (~lost).sum() - np.append(0, np.cumsum(~lost))
    return float(wrong.argmin()) * atomizer.space.bin_hz


def _hidden(recording: Sound, file: Sound) -> Hidden:
    """What the product selects in a file; raises NoCase where it finds no cutoff."""
    try:
        selection, _ = resolve_for(parse(["above:auto"]), file)
    except AtomizerError as error:
        raise NoCase(str(error)) from error
    samples = resample_to_length(
        file.samples, file.rate, recording.rate, recording.samples.shape[1]
    )
    return Hidden(
        Sound(samples, recording.rate),
        selection,
        truth=recording.samples,
        band_hz=(lost_from(recording.samples, samples), np.inf),
    )


def low_rate(rate: int) -> EvaluationTask:
    """Everything above the cutoff of a file of a low rate."""

    def hide(sound: Sound, place: HiddenPlace) -> Hidden:
        lowered = RESAMPLERS[resampler_of(sound)](sound.samples, sound.rate, rate)
        return _hidden(sound, Sound(np.ascontiguousarray(lowered, np.float32), rate))

    name = f"lowrate-{rate / 1000:g}k"
    return EvaluationTask(name, "bandwidth", hide, above_hz=1.2 * rate / 2)


def low_bit_rate(kbps: int, above_hz: float) -> EvaluationTask:
    """Everything above the cutoff of an MP3 file; recordings end above `above_hz`."""

    def hide(sound: Sound, place: HiddenPlace) -> Hidden:
        coded, _ = codecs.transcode(sound.samples, sound.rate, CODEC, kbps)
        return _hidden(sound, Sound(coded, sound.rate))

    name = f"{CODEC}-{kbps}"
    return EvaluationTask(name, "bandwidth", hide, above_hz=above_hz, missing=_missing_codec)


def _missing_codec() -> str | None:
    """What the task needs, in a sentence; None if it is there."""
    if codecs.is_installed(CODEC):
        return None
    return "The installed libsndfile writes no MP3 (1.1 and newer do)."
