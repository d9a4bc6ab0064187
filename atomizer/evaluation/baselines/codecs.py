"""Codecs of libsndfile at a given bit rate; a new codec is a row of `CODECS`."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from ...io.audio import resample

TRIALS = 8  # bisections of the range of compression levels


@dataclass(frozen=True)
class Codec:
    """Parameters of `soundfile.write`; `rate` is the only rate of the codec, or None for any."""

    format: str
    subtype: str
    rate: int | None = None
    bitrate_mode: str | None = None


CODECS = {
    "opus": Codec("OGG", "OPUS", rate=48_000),
    "vorbis": Codec("OGG", "VORBIS"),
    "mp3": Codec("MP3", "MPEG_LAYER_III", bitrate_mode="AVERAGE"),
}


def is_installed(codec: str) -> bool:
    """Whether the installed libsndfile can write a codec."""
    parameters = CODECS[codec]
    return (
        parameters.format in soundfile.available_formats()
        and parameters.subtype in soundfile.available_subtypes(parameters.format)
    )


def encode(samples: np.ndarray, rate: int, codec: str, level: float) -> bytes:
    """(channels, n) samples as a file, at a compression level from 0 (largest) to 1."""
    parameters = CODECS[codec]
    file = io.BytesIO()
    options = {"bitrate_mode": parameters.bitrate_mode} if parameters.bitrate_mode else {}
    soundfile.write(
        file,
        samples.T,
        rate,
        parameters.subtype,
        format=parameters.format,
        compression_level=min(level, 0.999),
        **options,
    )
    return file.getvalue()


def kbps(samples: np.ndarray, rate: int, codec: str, level: float) -> tuple[float, bytes]:
    """Kilobits per second of the encoded sound without headers, and the file.

    The size of the headers is that of a file without samples.
    """
    file = encode(samples, rate, codec, level)
    bits = 8 * (len(file) - len(encode(samples[:, :0], rate, codec, level)))
    return bits / (samples.shape[1] / rate) / 1000, file


@dataclass(frozen=True)
class Setting:
    """How a codec reaches a bit rate.

    level  compression level, from 0 (largest) to 1; the given bit rate of codecs of ffmpeg
    rate   at which the sound is coded
    kbps   measured size without headers
    """

    level: float
    rate: int
    kbps: float


def nearest(trials: list[Setting], target_kbps: float) -> Setting:
    """The smallest setting that is not below a bit rate, or the largest if all are."""
    return min(trials, key=lambda t: (t.kbps < target_kbps, abs(t.kbps - target_kbps)))


def setting_for(samples: np.ndarray, rate: int, codec: str, target_kbps: float) -> Setting:
    """The setting whose measured size is the nearest that is not below `target_kbps`.

    If even the smallest setting is larger, the sound is encoded at a half or a quarter of its
    rate, as encoders do at low bit rates.
    """
    own_rate = CODECS[codec].rate
    trials = []
    for coded_rate in (own_rate,) if own_rate else (rate, rate // 2, rate // 4):
        source = resample(samples, rate, coded_rate)
        low, high = 0.0, 1.0
        smallest, _ = kbps(source, coded_rate, codec, high)
        trials.append(Setting(high, coded_rate, smallest))
        if smallest > target_kbps:
            continue
        for _ in range(TRIALS):
            middle = (low + high) / 2
            size, _ = kbps(source, coded_rate, codec, middle)
            trials.append(Setting(middle, coded_rate, size))
            low, high = (middle, high) if size > target_kbps else (low, middle)
        break
    return nearest(trials, target_kbps)


def encode_with(samples: np.ndarray, rate: int, codec: str, setting: Setting) -> bytes:
    """(channels, n) samples at `rate` as a file of a setting."""
    return encode(resample(samples, rate, setting.rate), setting.rate, codec, setting.level)


def decode_with(file: bytes, codec: str, setting: Setting, like: tuple[int, int]) -> np.ndarray:
    """(channels, length) samples of a file of `encode_with`; `like` is (rate, length)."""
    return decode(file, setting.rate, *like)


def transcode(
    samples: np.ndarray, rate: int, codec: str, target_kbps: float
) -> tuple[np.ndarray, float]:
    """Encode and decode at `setting_for` a bit rate.

    Returns the (channels, n) samples and the measured size in kbit/s.
    """
    setting = setting_for(samples, rate, codec, target_kbps)
    file = encode_with(samples, rate, codec, setting)
    return decode_with(file, codec, setting, (rate, samples.shape[1])), setting.kbps


def at_level(samples: np.ndarray, rate: int, codec: str, level: float) -> tuple[np.ndarray, float]:
    """Encode and decode at a compression level; returns as `transcode`."""
    coded_rate = CODECS[codec].rate or rate
    size, file = kbps(resample(samples, rate, coded_rate), coded_rate, codec, level)
    return decode(file, coded_rate, rate, samples.shape[1]), size


def decode(file: bytes, coded_rate: int, rate: int, length: int) -> np.ndarray:
    """(channels, length) samples of a file, at `rate`."""
    decoded = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)[0].T
    out = resample(decoded, coded_rate, rate)
    return np.pad(out, ((0, 0), (0, max(0, length - out.shape[1]))))[:, :length]
