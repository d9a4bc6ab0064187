"""Codecs of ffmpeg at a given bit rate, where it is installed; a new codec is a row of `CODECS`."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from ...io.audio import Sound, read, resample_to_length, write
from .codecs import Setting, nearest

CODECS = {"aac": ".m4a"}  # encoder of ffmpeg -> ending of its files
SECONDS = 120  # after which ffmpeg is ended
TRIALS = 4  # of the given bit rate
MARGIN = 1.01  # of the size, for one that is not below the target


@cache
def is_installed(codec: str) -> bool:
    """Whether ffmpeg is installed and can write a codec."""
    if shutil.which("ffmpeg") is None:
        return False
    found = _ffmpeg("-encoders")
    return any(line.split()[1:2] == [codec] for line in found.decode().splitlines())


def encode(samples: np.ndarray, rate: int, codec: str, kbps: float) -> bytes:
    """(channels, n) samples as a file at the bit rate that the encoder is given."""
    with tempfile.TemporaryDirectory() as folder:
        source, coded = Path(folder) / "in.wav", Path(folder) / f"out{CODECS[codec]}"
        write(source, Sound(samples, rate, "FLOAT"))
        bits = ("-b:a", f"{kbps:g}k", "-threads", "1")
        _ffmpeg("-i", str(source), "-c:a", codec, *bits, str(coded))
        return coded.read_bytes()


def kbps(file: bytes, codec: str, seconds: float) -> float:
    """Kilobits per second of a file without headers."""
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder) / f"out{CODECS[codec]}"
        coded.write_bytes(file)
        code = _ffmpeg("-i", str(coded), "-map", "0:a", "-c", "copy", "-f", "data", "-")
    return len(code) * 8e-3 / seconds


def decode(file: bytes, codec: str, rate: int, length: int) -> np.ndarray:
    """(channels, length) samples of a file, at `rate`."""
    with tempfile.TemporaryDirectory() as folder:
        coded = Path(folder) / f"out{CODECS[codec]}"
        coded.write_bytes(file)
        decoded = read(coded, math.inf)
    own_length = round(length * decoded.rate / rate)
    missing = max(0, own_length - decoded.samples.shape[1])
    out = np.pad(decoded.samples, ((0, 0), (0, missing)))[:, :own_length]
    return resample_to_length(out, decoded.rate, rate, length)


def setting_for(samples: np.ndarray, rate: int, codec: str, target_kbps: float) -> Setting:
    """As `codecs.setting_for`: encoders reach other bit rates than they are given."""
    given, trials = target_kbps, []
    for _ in range(TRIALS):
        size = kbps(encode(samples, rate, codec, given), codec, samples.shape[1] / rate)
        trials.append(Setting(given, rate, size))
        given *= min(2.0, max(0.5, MARGIN * target_kbps / size))
    return nearest(trials, target_kbps)


def encode_with(samples: np.ndarray, rate: int, codec: str, setting: Setting) -> bytes:
    """(channels, n) samples at `rate` as a file of a setting."""
    return encode(samples, rate, codec, setting.level)


def decode_with(file: bytes, codec: str, setting: Setting, like: tuple[int, int]) -> np.ndarray:
    """(channels, length) samples of a file of `encode_with`; `like` is (rate, length)."""
    return decode(file, codec, *like)


def transcode(
    samples: np.ndarray, rate: int, codec: str, given_kbps: float
) -> tuple[np.ndarray, float]:
    """Encode and decode (channels, n) samples at the bit rate that the encoder is given.

    Returns the decoded samples, and the measured size of the code without headers in kbit/s.
    """
    file = encode(samples, rate, codec, given_kbps)
    size = kbps(file, codec, samples.shape[1] / rate)
    return decode(file, codec, rate, samples.shape[1]), size


def _ffmpeg(*arguments: str) -> bytes:
    """What ffmpeg writes to its output."""
    command = ["ffmpeg", "-hide_banner", "-v", "error", *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout
