"""Sound files: the only place that knows formats and rates."""

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
from .atomic_write import whole

LOWEST_RATE = 1_000
HIGHEST_VORBIS_RATE = (
    200_000  # of libvorbis; above, libsndfile takes the process with it when it closes the file
)
LOUDEST = 1e10  # of float samples, full scale being 1: squares of louder ones overflow
_BLOCK = (
    1 << 18
)  # frames read at a time, so that a header that lies about its length costs no memory
_PEAK = 1024  # frames that a peak of an overview stands for, at least


class TooLong(AtomizerError):
    """A sound is longer than what is accepted at a time."""


@dataclass(frozen=True)
class Sound:
    """samples (channels, n) float32, rate in Hz, and the sample format that it was stored in (libsndfile's subtype)."""

    samples: np.ndarray
    rate: int
    subtype: str = "FLOAT"

    @property
    def channels(self) -> int:
        """How many there are."""
        return self.samples.shape[0]

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return self.samples.shape[1] / self.rate

    def at(self, rate: int) -> np.ndarray:
        """(channels, ceil(n * rate / self.rate)) float32: the samples resampled."""
        return resample(self.samples, self.rate, rate)


def longest(channels: int, rate: int, max_seconds: float | None = None) -> float:
    """Seconds of so many channels and samples per second that are accepted at a time; at most `max_seconds`, by default `limits().seconds`.

    Raises AtomizerError for channels or rates that are not accepted at all.
    """
    if not 1 <= channels <= limits().channels:
        raise AtomizerError(
            f"This sound has {channels} channels; 1 to {limits().channels} are accepted."
        )
    if not LOWEST_RATE <= rate <= limits().rate:
        raise AtomizerError(
            f"This sound has {rate} samples per second; {LOWEST_RATE:,} to {limits().rate:,} are accepted."
        )
    return min(
        limits().seconds if max_seconds is None else max_seconds, limits().samples / channels / rate
    )


def check(samples: np.ndarray, rate: int, max_seconds: float | None = None) -> None:
    """Raise AtomizerError unless (channels, n) samples are a sound that the Atomizer can take."""
    channels, length = samples.shape
    most = longest(channels, rate, max_seconds)
    if length == 0:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if length > most * rate:
        raise TooLong(
            f"This sound is longer than {most:g} seconds, the most that is accepted at a time: take an excerpt of it."
        )
    if not np.isfinite(samples).all():
        raise AtomizerError(
            "This sound contains samples that are not numbers (NaN or infinite): only finite samples are accepted."
        )
    if max(samples.max(), -samples.min()) > LOUDEST:
        raise AtomizerError(
            f"This sound has samples above {LOUDEST:g}, where 1 is full scale: turn it down."
        )


def read(
    path: str | os.PathLike,
    max_seconds: float | None = None,
    start: float = 0.0,
    seconds: float | None = None,
) -> Sound:
    """Read any file that libsndfile reads, or `seconds` of it from `start`. Raises AtomizerError with one sentence where that fails.

    max_seconds  the most that is accepted; `limits().seconds` by default
    seconds      None for all that follows; an excerpt that the file does not fill is shorter
    """
    with _opened(path) as file:
        rate = file.samplerate
        most = longest(file.channels, rate, max_seconds)
        _check_excerpt(start, seconds, most)
        wanted = int(most * rate) + 1 if seconds is None else max(1, round(seconds * rate))
        if start:
            file.seek(min(round(start * rate), file.frames))
        blocks = list(_blocks(file, wanted))
        samples = np.concatenate(blocks).T if blocks else np.zeros((file.channels, 0), np.float32)
        subtype = file.subtype
    if start and not samples.size:
        raise AtomizerError(f"The excerpt starts at {start:g} seconds, where this sound is over.")
    check(samples, rate, max_seconds)
    return Sound(np.ascontiguousarray(samples), rate, subtype)


@dataclass(frozen=True)
class Overview:
    """A whole file in small: peaks (points,) float32 of all channels, one per equal share of its time; seconds; and its format."""

    peaks: np.ndarray
    seconds: float
    rate: int
    channels: int


def overview(path: str | os.PathLike, points: int = 1200) -> Overview:
    """The outline of a file of any length up to `limits().file_seconds`, decoded block by block. Raises AtomizerError as `read` does."""
    with _opened(path) as file:
        rate, channels = file.samplerate, file.channels
        longest(channels, rate)
        wanted, total, peaks = int(limits().file_seconds * rate) + 1, 0, []
        for block in _blocks(file, wanted):
            total += len(block)
            peaks.append(np.maximum.reduceat(np.abs(block).max(1), np.arange(0, len(block), _PEAK)))
    if not total:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if total >= wanted:
        raise AtomizerError(
            f"This sound is longer than {limits().file_seconds:g} seconds, the most that an excerpt can be taken from."
        )
    fine = np.nan_to_num(np.concatenate(peaks), posinf=0)
    count = min(points, len(fine))
    return Overview(
        np.maximum.reduceat(fine, np.arange(count) * len(fine) // count),
        total / rate,
        rate,
        channels,
    )


@contextlib.contextmanager
def _opened(path: str | os.PathLike) -> Iterator[soundfile.SoundFile]:
    """An open sound file; whatever goes wrong while it is open becomes an AtomizerError."""
    path = Path(path)
    if not path.is_file():
        raise AtomizerError(f"There is no file {path.name!r}: give the path of a sound file.")
    if path.stat().st_size == 0:
        raise AtomizerError(
            f"{path.name!r} is an empty file: a WAV, FLAC, OGG or MP3 file with sound in it is accepted."
        )
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise AtomizerError(
            f"{path.name!r} cannot be read as sound: WAV, FLAC, OGG, MP3, AIFF and whatever else libsndfile "
            "reads are accepted."
        ) from error


def _blocks(file: soundfile.SoundFile, wanted: int) -> Iterator[np.ndarray]:
    """The next `wanted` frames, or as many as there are, as blocks (n, channels) float32."""
    while wanted > 0:
        block = file.read(min(_BLOCK, wanted), dtype="float32", always_2d=True)
        if not len(block):
            return
        yield block
        wanted -= len(block)


def _check_excerpt(start: float, seconds: float | None, most: float) -> None:
    if not (math.isfinite(start) and start >= 0):
        raise AtomizerError(f"An excerpt starts at 0 seconds or later, not at {start:g}.")
    if seconds is not None and not 0 < seconds <= most:
        raise AtomizerError(
            f"An excerpt has more than 0 and at most {most:g} seconds, not {seconds:g}."
        )


def format_of(path: str | os.PathLike) -> str:
    """libsndfile's name of the format that a file's ending names. Raises AtomizerError where it cannot write that."""
    ending = Path(path).suffix[1:].upper()
    format_ = {"OPUS": "OGG", "AIF": "AIFF"}.get(ending, ending)
    if (
        format_ not in soundfile.available_formats() or format_ == "SD2"
    ):  # whose header is a second file, which would land in the working folder
        kind = f"{ending.lower()[:20]!r} files" if ending else "files without an ending"
        raise AtomizerError(f"Sounds cannot be written as {kind}: use .wav, .flac, .ogg or .mp3.")
    return format_


def _subtype_for(path: Path, subtype: str) -> str:
    """The sample format in which a sound of a subtype is written to a file with this ending."""
    format_ = format_of(path)
    if format_ == "OGG":
        return "OPUS" if path.suffix.lower() == ".opus" else "VORBIS"
    if subtype in soundfile.available_subtypes(format_) and (
        format_ != "WAV" or subtype.startswith(("PCM", "FLOAT", "DOUBLE"))
    ):
        return subtype
    # lossy sources decode to floats: a WAV keeps them, so that untouched samples stay the input's own
    return "FLOAT" if format_ == "WAV" else soundfile.default_subtype(format_)


def check_writable(
    path: str | os.PathLike, rate: int, channels: int, subtype: str = "FLOAT"
) -> None:
    """Raise AtomizerError where `write` could not write a sound of this rate, channels and subtype, whatever its samples: MP3 has two channels at most."""
    path = Path(path)
    kind = _subtype_for(path, subtype)
    try:
        if kind == "VORBIS" and rate > HIGHEST_VORBIS_RATE:
            raise ValueError("libvorbis knows no such rate")
        soundfile.SoundFile(io.BytesIO(), "w", rate, channels, kind, format=format_of(path)).close()
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise AtomizerError(
            f"{path.name[:80]!r} cannot be written: {path.suffix.lower()} files do not hold {channels} channel{'s' * (channels > 1)} of "
            f"{rate:,} samples per second, but .wav files do."
        ) from error


def write(path: str | os.PathLike, sound: Sound) -> None:
    """Write a sound in the format that the file's ending names, with the subtype of the sound where that format has it.

    Raises AtomizerError for an ending that libsndfile cannot write, a rate or channels that the format cannot hold, or where the file cannot be
    written.
    """
    path = Path(path)
    check_writable(path, sound.rate, sound.channels, sound.subtype)
    # libsndfile hides errors of its last write: a full disk would leave half a FLAC file, and no sign of it
    with whole(path, "The sound", (soundfile.SoundFileError, RuntimeError)) as target:
        with soundfile.SoundFile(
            target,
            "w",
            sound.rate,
            sound.channels,
            _subtype_for(path, sound.subtype),
            format=format_of(path),
        ) as file:
            for start in range(
                0, sound.samples.shape[1], _BLOCK
            ):  # the Vorbis encoder overflows the stack on minutes at once
                file.write(sound.samples[:, start : start + _BLOCK].T)


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """(channels, n) -> (channels, ceil(n * to / rate)) float32, band-limited (soxr, very high quality)."""
    if rate == to:
        return samples
    # a little silence after the end, or soxr rounds the last sample away, and a very short sound altogether
    out = soxr.resample(np.pad(samples, ((0, 0), (0, -(-rate // to)))).T, rate, to, quality="VHQ").T
    length = -(-samples.shape[1] * to // rate)
    return np.ascontiguousarray(
        np.pad(out, ((0, 0), (0, max(0, length - out.shape[1]))))[:, :length], np.float32
    )


def fitted(samples: np.ndarray, rate: int, to: int, length: int) -> np.ndarray:
    """(channels, n) at a rate -> (channels, length) at another: resampled, and cut or continued by silence."""
    out = resample(samples, rate, to)[:, :length]
    return np.pad(out, ((0, 0), (0, length - out.shape[1])))
