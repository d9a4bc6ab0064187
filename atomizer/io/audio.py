"""Sounds: reading, writing and resampling; the only module that knows rates."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ..errors import AtomizerError
from ..limits import limits
from .atomic_write import atomic_write, write_error
from .formats import MAX_VORBIS_RATE, check_output, check_writable, format_of, subtype_for
from .peaks import BITS, check_peaks, fit_peaks
from .reader import SoundReader
from .tags import Tags, read_tags
from .writer import Encoder, Form

MIN_RATE = 1_000  # Hz
MAX_MAGNITUDE = 1e10  # of float samples, 1 is full scale: squares of larger ones overflow
_PEAK_FRAMES = 1024  # smallest number of frames per peak of an overview

__all__ = [
    "MAX_MAGNITUDE",
    "MAX_VORBIS_RATE",
    "MIN_RATE",
    "Overview",
    "Sound",
    "TooLong",
    "check",
    "check_length",
    "check_values",
    "check_output",
    "check_writable",
    "format_of",
    "max_duration",
    "open_long",
    "overview",
    "read",
    "resample",
    "resample_to_length",
    "write",
]


class TooLong(AtomizerError):
    """A sound is longer than the accepted duration."""


@dataclass(frozen=True)
class Sound:
    """Samples, their rate and the sample format of the file that they were read from.

    samples  (channels, n) float32
    rate     samples per second, in Hz
    subtype  libsndfile's name of the sample format, such as "PCM_16"
    mask     channel mask of WAVEFORMATEXTENSIBLE; 0 if unknown. Channels are in the order of WAV
    tags     tags and cover art of the file
    note     sentences where less than the whole file could be read; None otherwise
    """

    samples: np.ndarray
    rate: int
    subtype: str = "FLOAT"
    mask: int = 0
    tags: Tags = Tags()
    note: str | None = None

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.samples.shape[1] / self.rate

    def with_samples(self, samples: np.ndarray, rate: int | None = None) -> Sound:
        """The sound with other samples (channels, n), at its rate or another one."""
        return replace(self, samples=samples, rate=self.rate if rate is None else rate)

    def at(self, rate: int) -> np.ndarray:
        """Samples resampled to `rate`: (channels, ceil(n * rate / self.rate)) float32."""
        return resample(self.samples, self.rate, rate)


def max_duration(channels: int, rate: int, max_seconds: float | None = None) -> float:
    """Longest accepted duration, in seconds, of a sound with these channels and this rate.

    max_seconds  upper bound of the result; `limits().seconds` by default

    Raises AtomizerError if the number of channels or the rate is not accepted.
    """
    if not 1 <= channels <= limits().channels:
        raise AtomizerError(
            f"This sound has {channels} channels; 1 to {limits().channels} are accepted."
        )
    if not MIN_RATE <= rate <= limits().rate:
        raise AtomizerError(
            f"This sound has {rate} samples per second; {MIN_RATE:,} to {limits().rate:,} are"
            " accepted."
        )
    return min(
        limits().seconds if max_seconds is None else max_seconds, limits().samples / channels / rate
    )


def check_length(channels: int, length: int, rate: int, max_seconds: float | None = None) -> None:
    """Raise AtomizerError unless a sound of this size is within the limits."""
    duration = max_duration(channels, rate, max_seconds)
    if length == 0:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if length > duration * rate:
        raise TooLong(
            f"This sound is longer than {duration:g} seconds, the most that is accepted at a time:"
            " take an excerpt of it."
        )


def check(samples: np.ndarray, rate: int, max_seconds: float | None = None) -> None:
    """Raise AtomizerError unless (channels, n) samples are a valid sound within the limits."""
    channels, length = samples.shape
    check_length(channels, length, rate, max_seconds)
    check_values(samples)


def check_values(samples: np.ndarray) -> None:
    """Raise AtomizerError unless all samples are finite and none is above `MAX_MAGNITUDE`."""
    if not np.isfinite(samples).all():
        raise AtomizerError(
            "This sound contains samples that are not numbers (NaN or infinite): only finite"
            " samples are accepted."
        )
    if max(samples.max(initial=0), -samples.min(initial=0)) > MAX_MAGNITUDE:
        raise AtomizerError(
            f"This sound has samples above {MAX_MAGNITUDE:g}, where 1 is full scale: turn it down."
        )


@contextmanager
def open_long(path: str | os.PathLike) -> Iterator[SoundReader]:
    """Open a file of up to `limits().file_seconds` that is read by parts.

    All of it is decoded once: `frames` of the reader is then the number that can be read.

    Raises AtomizerError as `read` does.
    """
    with SoundReader(path) as file:
        max_duration(file.channels, file.rate)
        most, frames = int(limits().file_seconds * file.rate), 0
        for block in file.blocks(0, most + 1):
            check_values(block)
            frames += len(block)
        if not frames:
            raise AtomizerError("This sound is empty: at least one sample is needed.")
        if frames > most:
            raise TooLong(
                f"This sound is longer than {limits().file_seconds:g} seconds, the most that is"
                " accepted of a file: take an excerpt of it."
            )
        file.frames = frames
        yield file


def read(
    path: str | os.PathLike,
    max_seconds: float | None = None,
    start: float = 0.0,
    seconds: float | None = None,
) -> Sound:
    """Read a sound file, or an excerpt of it.

    Parameters
    ----------
    path : str or PathLike
        A file in any format that libsndfile reads, or ffmpeg where it is installed; its content
        decides, not its name.
    max_seconds : float, optional
        Longest accepted sound; `limits().seconds` by default. It bounds a whole file of atoms,
        also where an excerpt is taken.
    start : float
        Start of the excerpt, in seconds.
    seconds : float, optional
        Duration of the excerpt; to the end of the file by default. At the end of the file the
        excerpt is shorter.

    Returns
    -------
    Sound

    Raises
    ------
    AtomizerError
        The file cannot be read, is too long, or has no samples in the excerpt.

    Examples
    --------
    >>> sound = read("in.wav", start=2.0, seconds=0.5)  # doctest: +SKIP
    >>> sound.samples.shape  # doctest: +SKIP
    (2, 22050)
    """
    with SoundReader(path, max_seconds) as file:
        rate = file.rate
        duration = max_duration(file.channels, rate, max_seconds)
        _check_excerpt(start, seconds, duration)
        # one frame more than accepted shows that the file is too long
        count = int(duration * rate) + 1 if seconds is None else max(1, round(seconds * rate))
        first = min(round(start * rate), file.frames)
        samples = file.read(first, count)
        length = samples.shape[1]
        note = file.note(first + length if length < count else None)
        sound = Sound(samples, rate, file.subtype, file.mask, read_tags(path), note)
    if start and not samples.size:
        raise AtomizerError(f"The excerpt starts at {start:g} seconds, where this sound is over.")
    check(samples, rate, max_seconds)
    return sound


@dataclass(frozen=True)
class Overview:
    """Outline of a whole file.

    peaks     (points,) float32, largest magnitude of all channels in equal parts of the time
    seconds   duration of the file
    rate      samples per second, in Hz
    channels  number of channels
    """

    peaks: np.ndarray
    seconds: float
    rate: int
    channels: int


def overview(
    path: str | os.PathLike, points: int = 1200, max_seconds: float | None = None
) -> Overview:
    """Outline of a file of up to `limits().file_seconds`, decoded block by block.

    points       number of peaks; fewer if the file is short
    max_seconds  longest accepted file of atoms, as of `SoundReader`

    Raises AtomizerError as `read` does.
    """
    with SoundReader(path, max_seconds) as file:
        rate, channels = file.rate, file.channels
        max_duration(channels, rate)
        limit, total, peaks = int(limits().file_seconds * rate) + 1, 0, []
        for block in file.blocks(0, limit):
            total += len(block)
            starts = np.arange(0, len(block), _PEAK_FRAMES)
            peaks.append(np.maximum.reduceat(np.abs(block).max(1), starts))
    if not total:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if total >= limit:
        raise AtomizerError(
            f"This sound is longer than {limits().file_seconds:g} seconds, the most that an excerpt"
            " can be taken from."
        )
    fine = np.nan_to_num(np.concatenate(peaks), posinf=0)
    count = min(points, len(fine))
    coarse = np.maximum.reduceat(fine, np.arange(count) * len(fine) // count)
    return Overview(coarse, total / rate, rate, channels)


def _check_excerpt(start: float, seconds: float | None, duration: float) -> None:
    if not (math.isfinite(start) and start >= 0):
        raise AtomizerError(f"An excerpt starts at 0 seconds or later, not at {start:g}.")
    if seconds is not None and not 0 < seconds <= duration:
        raise AtomizerError(
            f"An excerpt has more than 0 and at most {duration:g} seconds, not {seconds:g}."
        )


def write(path: str | os.PathLike, sound: Sound, peaks: str = "limit") -> str | None:
    """Write a sound file atomically, in the format of the file's ending.

    Parameters
    ----------
    path : str or PathLike
        The file; an existing one is replaced. Common endings: .wav, .flac, .ogg, .mp3.
    sound : Sound
        The sound. Its subtype is kept if the format has it; FLAC files keep 24 bit of samples of
        32 bit. Its tags, cover art and channel layout are written where the format has them.
    peaks : str
        What happens to peaks above full scale if the file has integer samples: "limit" attenuates
        around them, "scale" attenuates the whole sound, "float" writes a file of float samples
        where the format has them, and limits otherwise.

    Returns
    -------
    str or None
        One sentence that reports how peaks were attenuated; None if they were not.

    Raises
    ------
    AtomizerError
        `peaks` is not one of these names, libsndfile cannot write the format, the format cannot
        hold the rate or the channels, or the file cannot be written. An existing file is then
        unchanged.
    """
    path = Path(path)
    check_peaks(peaks)
    subtype, report = subtype_for(path, sound.subtype), None
    if subtype in BITS and peaks == "float" and np.abs(sound.samples).max(initial=0) > 1:
        subtype = subtype_for(path, "FLOAT")
    check_writable(path, sound.rate, sound.channels, subtype)
    samples = sound.samples
    if subtype in BITS:
        samples, report = fit_peaks(samples, sound.rate, peaks)
    try:
        data = _encode(path, replace(sound, samples=samples, subtype=subtype))
    except (OSError, soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise write_error(path, "The sound", error) from error
    atomic_write(path, data, "The sound")
    return report


def _encode(path: Path, sound: Sound) -> memoryview:
    """Content of a sound file, in memory; the subtype of the sound must be one of the format."""
    target = io.BytesIO()
    form = Form(sound.rate, sound.channels, sound.subtype, sound.mask, sound.tags)
    encoder = Encoder(target, path, form)
    try:
        encoder.add(sound.samples)
        encoder.finish()
    finally:
        encoder.close()
    return target.getbuffer()


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """Resample (channels, n) from `rate` to `to` Hz: (channels, ceil(n * to / rate)) float32.

    Band-limited (soxr, very high quality).
    """
    if rate == to:
        return samples
    # silence after the end: without it soxr drops the last sample, or a very short sound
    padded = np.pad(samples, ((0, 0), (0, -(-rate // to))))
    out = soxr.resample(padded.T, rate, to, quality="VHQ").T
    return np.ascontiguousarray(_fit(out, -(-samples.shape[1] * to // rate)), np.float32)


def resample_to_length(samples: np.ndarray, rate: int, to: int, length: int) -> np.ndarray:
    """Resample (channels, n), then cut or zero-pad to (channels, length)."""
    return _fit(resample(samples, rate, to), length)


def _fit(samples: np.ndarray, length: int) -> np.ndarray:
    """Cut or zero-pad (channels, n) to (channels, length)."""
    return np.pad(samples[:, :length], ((0, 0), (0, max(0, length - samples.shape[1]))))
