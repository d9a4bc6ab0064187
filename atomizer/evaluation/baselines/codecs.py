"""Codecs of libsndfile at a wanted bit rate."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from ...io.audio import resample

# name: (format, subtype, rate of its own or None, bit rate mode)
CODECS = {
    "opus": ("OGG", "OPUS", 48_000, None),
    "vorbis": ("OGG", "VORBIS", None, None),
    "mp3": ("MP3", "MPEG_LAYER_III", None, "AVERAGE"),
}
TRIALS = 8  # halvings of the range of settings


def installed(codec: str) -> bool:
    """Whether libsndfile writes a codec here."""
    format_, subtype = CODECS[codec][:2]
    return format_ in soundfile.available_formats() and subtype in soundfile.available_subtypes(
        format_
    )


def encode(samples: np.ndarray, rate: int, codec: str, level: float) -> bytes:
    """The file of (channels, n) samples at a compression level from 0, the largest, to 1."""
    format_, subtype, _, mode = CODECS[codec]
    file = io.BytesIO()
    options = {"bitrate_mode": mode} if mode else {}
    soundfile.write(
        file,
        samples.T,
        rate,
        subtype,
        format=format_,
        compression_level=min(level, 0.999),
        **options,
    )
    return file.getvalue()


def kbps(samples: np.ndarray, rate: int, codec: str, level: float) -> tuple[float, bytes]:
    """Kilobits per second of the encoded sound, less the headers (what a file without sound takes), and the file."""
    file = encode(samples, rate, codec, level)
    bits = 8 * (len(file) - len(encode(samples[:, :0], rate, codec, level)))
    return bits / (samples.shape[1] / rate) / 1000, file


def transcode(
    samples: np.ndarray, rate: int, codec: str, wanted_kbps: float
) -> tuple[np.ndarray, float]:
    """(channels, n) samples after the codec at the setting whose measured size is nearest to `wanted_kbps`, and that size in kbit/s.

    Where even the smallest setting is larger, the sound is encoded at a half or a quarter of its rate, as encoders for low rates do.
    """
    own = CODECS[codec][2]
    trials = []
    for to in (own,) if own else (rate, rate // 2, rate // 4):
        source = resample(samples, rate, to)
        low, high = 0.0, 1.0
        smallest = kbps(source, to, codec, high)
        trials.append((*smallest, to))
        if smallest[0] > wanted_kbps:
            continue
        for _ in range(TRIALS):
            middle = (low + high) / 2
            trials.append((*kbps(source, to, codec, middle), to))
            low, high = (middle, high) if trials[-1][0] > wanted_kbps else (low, middle)
        break
    size, file, to = min(trials, key=lambda trial: abs(trial[0] - wanted_kbps))
    decoded = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)[0].T
    back = resample(decoded, to, rate)
    back = np.pad(back, ((0, 0), (0, max(0, samples.shape[1] - back.shape[1]))))[
        :, : samples.shape[1]
    ]
    return back, size
