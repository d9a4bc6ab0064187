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

CODECS = {"aac": ".m4a"}  # encoder of ffmpeg -> ending of its files
SECONDS = 120  # after which ffmpeg is ended


@cache
def is_installed(codec: str) -> bool:
    """Whether ffmpeg is installed and can write a codec."""
    if shutil.which("ffmpeg") is None:
        return False
    found = _ffmpeg("-encoders")
    return any(line.split()[1:2] == [codec] for line in found.decode().splitlines())


def transcode(
    samples: np.ndarray, rate: int, codec: str, target_kbps: float
) -> tuple[np.ndarray, float]:
    """Encode and decode (channels, n) samples at a bit rate.

    Returns the decoded samples, and the measured size of the code without headers in kbit/s.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, coded = Path(folder) / "in.wav", Path(folder) / f"out{CODECS[codec]}"
        write(source, Sound(samples, rate, "FLOAT"))
        bits = ("-b:a", f"{target_kbps:g}k", "-threads", "1")
        _ffmpeg("-i", str(source), "-c:a", codec, *bits, str(coded))
        code = _ffmpeg("-i", str(coded), "-map", "0:a", "-c", "copy", "-f", "data", "-")
        decoded = read(coded, math.inf)
    length = round(samples.shape[1] * decoded.rate / rate)
    missing = max(0, length - decoded.samples.shape[1])
    out = np.pad(decoded.samples, ((0, 0), (0, missing)))[:, :length]
    out = resample_to_length(out, decoded.rate, rate, samples.shape[1])
    return out, len(code) * 8e-3 / (samples.shape[1] / rate)


def _ffmpeg(*arguments: str) -> bytes:
    """What ffmpeg writes to its output."""
    command = ["ffmpeg", "-hide_banner", "-v", "error", *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout
