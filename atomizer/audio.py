"""Sound files: the only place that knows formats and rates."""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .atoms import AtomizerError

MAX_CHANNELS = 8
MAX_SECONDS = float(os.environ.get("ATOMIZER_MAX_SECONDS", 1500))
RATES = (1_000, 768_000)
_BLOCK = 1 << 18  # frames read at a time, so that a header that lies about its length costs no memory


@dataclass(frozen=True)
class Sound:
    """samples (channels, n) float32, rate in Hz, and the sample format that it was stored in (libsndfile's subtype)."""

    samples: np.ndarray
    rate: int
    subtype: str = "FLOAT"

    @property
    def channels(self) -> int:
        return self.samples.shape[0]

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.rate

    def at(self, rate: int) -> np.ndarray:
        """(channels, ceil(n * rate / self.rate)) float32: the samples resampled."""
        return resample(self.samples, self.rate, rate)


def check(samples: np.ndarray, rate: int, max_seconds: float = MAX_SECONDS) -> None:
    """Raise AtomizerError unless (channels, n) samples are a sound that the Atomizer can take."""
    channels, length = samples.shape
    if not 1 <= channels <= MAX_CHANNELS:
        raise AtomizerError(f"This sound has {channels} channels; 1 to {MAX_CHANNELS} are accepted.")
    if not RATES[0] <= rate <= RATES[1]:
        raise AtomizerError(f"This sound has {rate} samples per second; {RATES[0]:,} to {RATES[1]:,} are accepted.")
    if length == 0:
        raise AtomizerError("This sound is empty: at least one sample is needed.")
    if length > max_seconds * rate:
        raise AtomizerError(f"This sound is longer than {max_seconds:g} seconds, the most that is accepted: cut an excerpt from it.")
    if not np.isfinite(samples).all():
        raise AtomizerError("This sound contains samples that are not numbers (NaN or infinite): only finite samples are accepted.")


def read(path: str | os.PathLike, max_seconds: float = MAX_SECONDS) -> Sound:
    """Read any file that libsndfile reads. Raises AtomizerError with one sentence where that fails."""
    path = Path(path)
    if not path.is_file():
        raise AtomizerError(f"There is no file {path.name!r}: give the path of a sound file.")
    if path.stat().st_size == 0:
        raise AtomizerError(f"{path.name!r} is an empty file: a WAV, FLAC, OGG or MP3 file with sound in it is accepted.")
    try:
        with soundfile.SoundFile(path) as file:
            rate, subtype, limit = file.samplerate, file.subtype, int(max_seconds * file.samplerate) + 1
            blocks, total = [], 0
            while total < limit:
                block = file.read(min(_BLOCK, limit - total), dtype="float32", always_2d=True)
                if not len(block):
                    break
                blocks.append(block)
                total += len(block)
            samples = np.concatenate(blocks).T if blocks else np.zeros((file.channels, 0), np.float32)
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise AtomizerError(f"{path.name!r} cannot be read as sound: WAV, FLAC, OGG, MP3, AIFF and whatever else libsndfile "
                            "reads are accepted.") from error
    check(samples, rate, max_seconds)
    return Sound(np.ascontiguousarray(samples), rate, subtype)


def format_of(path: str | os.PathLike) -> str:
    """libsndfile's name of the format that a file's ending names. Raises AtomizerError where it cannot write that."""
    ending = Path(path).suffix[1:].upper()
    format_ = {"OPUS": "OGG", "AIF": "AIFF"}.get(ending, ending)
    if format_ not in soundfile.available_formats():
        kind = f"{ending.lower()[:20]!r} files" if ending else "files without an ending"
        raise AtomizerError(f"Sounds cannot be written as {kind}: use .wav, .flac, .ogg or .mp3.")
    return format_


def write(path: str | os.PathLike, sound: Sound) -> None:
    """Write a sound in the format that the file's ending names, with the subtype of the sound where that format has it.

    Raises AtomizerError for an ending that libsndfile cannot write, or where the file cannot be written.
    """
    path = Path(path)
    format_ = format_of(path)
    if format_ == "WAV":
        # lossy sources decode to floats: keep them, so that untouched samples stay the input's own
        subtype = sound.subtype if sound.subtype in soundfile.available_subtypes("WAV") and sound.subtype.startswith(
            ("PCM", "FLOAT", "DOUBLE")) else "FLOAT"
    else:
        subtype = sound.subtype if sound.subtype in soundfile.available_subtypes(format_) else soundfile.default_subtype(format_)
    if format_ == "OGG":
        subtype = "OPUS" if path.suffix.lower() == ".opus" else "VORBIS"
    # under a temporary name first: a full disk must not leave half a file under the real one
    partial = path.with_name(f".{uuid.uuid4().hex}.part{path.suffix}")
    try:
        with soundfile.SoundFile(partial, "w", sound.rate, sound.channels, subtype, format=format_) as file:
            for start in range(0, sound.samples.shape[1], _BLOCK):  # the Vorbis encoder overflows the stack on minutes at once
                file.write(sound.samples[:, start : start + _BLOCK].T)
        partial.replace(path)
    except (soundfile.SoundFileError, RuntimeError, OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            partial.unlink()
        reason = (error.strerror if isinstance(error, OSError) else getattr(error, "error_string", None)) or str(error)
        reason = reason.removeprefix("Error : ").strip().rstrip(".") or "unknown reason"
        raise AtomizerError(f"The sound cannot be written to {path.name[:80]!r}: {reason}.") from error


def resample(samples: np.ndarray, rate: int, to: int) -> np.ndarray:
    """(channels, n) -> (channels, ceil(n * to / rate)) float32, band-limited (soxr, very high quality)."""
    if rate == to:
        return samples
    # a little silence after the end, or soxr rounds the last sample away, and a very short sound altogether
    out = soxr.resample(np.pad(samples, ((0, 0), (0, -(-rate // to)))).T, rate, to, quality="VHQ").T
    length = -(-samples.shape[1] * to // rate)
    return np.ascontiguousarray(np.pad(out, ((0, 0), (0, max(0, length - out.shape[1]))))[:, :length], np.float32)


def fitted(samples: np.ndarray, rate: int, to: int, length: int) -> np.ndarray:
    """(channels, n) at a rate -> (channels, length) at another: resampled, and cut or continued by silence."""
    out = resample(samples, rate, to)[:, :length]
    return np.pad(out, ((0, 0), (0, length - out.shape[1])))
