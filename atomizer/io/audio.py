"""Sound files: reading, writing and resampling; the only module that knows formats and rates."""

from __future__ import annotations

import contextlib
import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ..errors import AtomizerError
from ..limits import limits
from .atomic_write import atomic_write, write_error
from .peaks import BITS, check_peaks, fit_peaks, round_samples

MIN_RATE = 1_000  # Hz
MAX_VORBIS_RATE = 200_000  # Hz; above, libsndfile kills the process when it closes the file
MAX_MAGNITUDE = 1e10  # of float samples, 1 is full scale: squares of larger ones overflow
_BLOCK = 1 << 18  # frames read at a time: a header with a false length costs no memory
_PEAK_FRAMES = 1024  # smallest number of frames per peak of an overview


class TooLong(AtomizerError):
    """A sound is longer than the accepted duration."""


@dataclass(frozen=True)
class Sound:
    """Samples, their rate and the sample format of the file that they were read from.

    samples  (channels, n) float32
    rate     samples per second, in Hz
    subtype  libsndfile's name of the sample format, such as "PCM_16"
    """

    samples: np.ndarray
    rate: int
    subtype: str = "FLOAT"

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.samples.shape[1] / self.rate

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


def check(samples: np.ndarray, rate: int, max_seconds: float | None = None) -> None:
    """Raise AtomizerError unless (channels, n) samples are a valid sound within the limits."""
    channels, length = samples.shape
    duration = max_duration(channels, rate, max_seconds)
    if length == 0:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if length > duration * rate:
        raise TooLong(
            f"This sound is longer than {duration:g} seconds, the most that is accepted at a time:"
            " take an excerpt of it."
        )
    if not np.isfinite(samples).all():
        raise AtomizerError(
            "This sound contains samples that are not numbers (NaN or infinite): only finite"
            " samples are accepted."
        )
    if max(samples.max(), -samples.min()) > MAX_MAGNITUDE:
        raise AtomizerError(
            f"This sound has samples above {MAX_MAGNITUDE:g}, where 1 is full scale: turn it down."
        )


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
        A file in any format that libsndfile reads; its content decides, not its name.
    max_seconds : float, optional
        Longest accepted sound; `limits().seconds` by default.
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
    with _open(path) as file:
        rate = file.samplerate
        duration = max_duration(file.channels, rate, max_seconds)
        _check_excerpt(start, seconds, duration)
        # one frame more than accepted shows that the file is too long
        count = int(duration * rate) + 1 if seconds is None else max(1, round(seconds * rate))
        if start:
            file.seek(min(round(start * rate), file.frames))
        blocks = list(_blocks(file, count))
        samples = np.concatenate(blocks).T if blocks else np.zeros((file.channels, 0), np.float32)
        subtype = file.subtype
    if start and not samples.size:
        raise AtomizerError(f"The excerpt starts at {start:g} seconds, where this sound is over.")
    check(samples, rate, max_seconds)
    return Sound(np.ascontiguousarray(samples), rate, subtype)


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


def overview(path: str | os.PathLike, points: int = 1200) -> Overview:
    """Outline of a file of up to `limits().file_seconds`, decoded block by block.

    points  number of peaks; fewer if the file is short

    Raises AtomizerError as `read` does.
    """
    with _open(path) as file:
        rate, channels = file.samplerate, file.channels
        max_duration(channels, rate)
        limit, total, peaks = int(limits().file_seconds * rate) + 1, 0, []
        for block in _blocks(file, limit):
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


@contextlib.contextmanager
def _open(path: str | os.PathLike) -> Iterator[soundfile.SoundFile]:
    """Open a sound file; errors while it is open become AtomizerErrors."""
    path = Path(path)
    if not path.is_file():
        raise AtomizerError(f"There is no file {path.name!r}: give the path of a sound file.")
    if path.stat().st_size == 0:
        raise AtomizerError(
            f"{path.name!r} is an empty file: a WAV, FLAC, OGG or MP3 file with sound in it is"
            " accepted."
        )
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise AtomizerError(
            f"{path.name!r} cannot be read as sound: WAV, FLAC, OGG, MP3, AIFF and other formats"
            " of libsndfile are accepted."
        ) from error


def _blocks(file: soundfile.SoundFile, count: int) -> Iterator[np.ndarray]:
    """Next `count` frames, or the rest of the file, as blocks (n, channels) float32."""
    while count > 0:
        block = file.read(min(_BLOCK, count), dtype="float32", always_2d=True)
        if not len(block):
            return
        yield block
        count -= len(block)


def _check_excerpt(start: float, seconds: float | None, duration: float) -> None:
    if not (math.isfinite(start) and start >= 0):
        raise AtomizerError(f"An excerpt starts at 0 seconds or later, not at {start:g}.")
    if seconds is not None and not 0 < seconds <= duration:
        raise AtomizerError(
            f"An excerpt has more than 0 and at most {duration:g} seconds, not {seconds:g}."
        )


def format_of(path: str | os.PathLike) -> str:
    """Format of a file by its ending, as libsndfile calls it.

    Raises AtomizerError if libsndfile cannot write that format.
    """
    ending = Path(path).suffix[1:].upper()
    name = {"OPUS": "OGG", "AIF": "AIFF"}.get(ending, ending)
    # SD2 keeps its header in a second file, which would be written into the working directory
    if name not in soundfile.available_formats() or name == "SD2":
        kind = f"{ending.lower()[:20]!r} files" if ending else "files without an ending"
        raise AtomizerError(f"Sounds cannot be written as {kind}: use .wav, .flac, .ogg or .mp3.")
    return name


def _subtype_for(path: Path, subtype: str) -> str:
    """Sample format for writing a sound of a subtype to a file with this ending."""
    format_ = format_of(path)
    if format_ == "OGG":
        return "OPUS" if path.suffix.lower() == ".opus" else "VORBIS"
    if format_ == "FLAC" and subtype in ("PCM_32", "FLOAT", "DOUBLE"):
        return "PCM_24"  # the longest samples of FLAC files
    if subtype in soundfile.available_subtypes(format_) and (
        format_ != "WAV" or subtype.startswith(("PCM", "FLOAT", "DOUBLE"))
    ):
        return subtype
    # lossy files decode to floats: a float WAV keeps untouched samples bit-identical
    return "FLOAT" if format_ == "WAV" else soundfile.default_subtype(format_)


def check_writable(
    path: str | os.PathLike, rate: int, channels: int, subtype: str = "FLOAT"
) -> None:
    """Raise AtomizerError if the file's format cannot hold this rate, channels and subtype.

    For example, MP3 files have at most two channels. The samples do not matter.
    """
    path = Path(path)
    kind = _subtype_for(path, subtype)
    try:
        if kind == "VORBIS" and rate > MAX_VORBIS_RATE:
            raise ValueError("libvorbis does not support this rate")
        soundfile.SoundFile(io.BytesIO(), "w", rate, channels, kind, format=format_of(path)).close()
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise AtomizerError(
            f"{path.name[:80]!r} cannot be written: {path.suffix.lower()} files do not hold"
            f" {channels} channel{'s' * (channels > 1)} of {rate:,} samples per second, but .wav"
            " files do."
        ) from error


def check_output(path: Path) -> None:
    """Raise AtomizerError if the format cannot be written or the folder does not exist."""
    format_of(path)
    if not path.parent.is_dir():
        raise AtomizerError(f"There is no folder {str(path.parent)!r} to write {path.name!r} into.")


def write(path: str | os.PathLike, sound: Sound, peaks: str = "limit") -> str | None:
    """Write a sound file atomically, in the format of the file's ending.

    Parameters
    ----------
    path : str or PathLike
        The file; an existing one is replaced. Common endings: .wav, .flac, .ogg, .mp3.
    sound : Sound
        The sound. Its subtype is kept if the format has it; FLAC files keep 24 bit of samples of
        32 bit.
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
    subtype, report = _subtype_for(path, sound.subtype), None
    if subtype in BITS and peaks == "float" and np.abs(sound.samples).max(initial=0) > 1:
        subtype = _subtype_for(path, "FLOAT")
    check_writable(path, sound.rate, sound.channels, subtype)
    samples = sound.samples
    if subtype in BITS:
        samples, report = fit_peaks(samples, sound.rate, peaks)
    try:
        data = _encode(path, Sound(samples, sound.rate, subtype))
    except (OSError, soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise write_error(path, "The sound", error) from error
    atomic_write(path, data, "The sound")
    return report


def _encode(path: Path, sound: Sound) -> memoryview:
    """Content of a sound file, in memory: libsndfile hides errors of its last write to a disk.

    The subtype of the sound must be one of the format.
    """
    target, format_ = io.BytesIO(), format_of(path)
    with soundfile.SoundFile(
        target, "w", sound.rate, sound.channels, sound.subtype, format=format_
    ) as file:
        # in blocks: the Vorbis encoder overflows the stack on minutes at once
        for start in range(0, sound.samples.shape[1], _BLOCK):
            block = sound.samples[:, start : start + _BLOCK].T
            file.write(round_samples(block, sound.subtype))
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
