"""Kinds of file: what reading and writing make of them."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import soundfile

from atomizer import Sound, read, write
from atomizer.analysis.summary import summarise_file
from atomizer.io.channels import MASKS

from .registry import kind
from .signals import noise

RATE = 22_050


def folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory()


def encoded(x: np.ndarray, format_: str, rate: int = RATE, **options) -> bytes:
    """A file of libsndfile of samples (C, n)."""
    target = io.BytesIO()
    with soundfile.SoundFile(target, "w", rate, len(x), format=format_, **options) as file:
        for start in range(0, x.shape[1], rate):  # libvorbis overflows the stack by long blocks
            file.write(x[:, start : start + rate].T)
    return target.getvalue()


# --- writing


@kind(
    "clipped samples without a sentence, or in spite of it",
    [
        {"name": name, "peak": peak, "peaks": peaks}
        for name, peak, peaks in (
            ("x.wav", 2.0, "limit"),
            ("x.wav", 1.01, "limit"),
            ("x.flac", 2.0, "limit"),
            ("x.flac", 30.0, "scale"),
            ("x.aiff", 2.0, "scale"),
            ("x.caf", 2.0, "limit"),
            ("x.w64", 5.0, "limit"),
            ("x.au", 2.0, "limit"),
            ("x.ogg", 2.0, "limit"),
            ("x.mp3", 2.0, "limit"),
            ("x.opus", 2.0, "scale"),
        )
    ],
    0,
    0,
)
def peaks_above_full_scale(name, peak, peaks):
    x = np.stack([noise(0.5, 48_000, -3, c) for c in range(2)])
    x = (x * peak / np.abs(x).max()).astype(np.float32)
    with folder() as place:
        path = Path(place) / name
        report = write(path, Sound(x, 48_000, "PCM_16"), peaks)
        y = np.abs(read(path).samples)
    if report is None:  # lossy files hold such peaks
        return int(y.max() < 0.8 * peak)
    full = y > 1 - 2.0**-15
    return (full[:, :-2] & full[:, 1:-1] & full[:, 2:]).sum()


BITS = {
    "PCM_U8": 8,
    "PCM_S8": 8,
    "PCM_16": 16,
    "PCM_24": 24,
    "PCM_32": 24,
    "FLOAT": 24,
    "DOUBLE": 24,
}


@kind(
    "bits lost on writing",
    [
        {"subtype": subtype, "name": name}
        for subtype, name in (
            ("PCM_32", "x.flac"),
            ("FLOAT", "x.flac"),
            ("DOUBLE", "x.flac"),
            ("PCM_16", "x.flac"),
            ("PCM_24", "x.aiff"),
            ("PCM_32", "x.aiff"),
            ("FLOAT", "x.caf"),
            ("PCM_24", "x.au"),
            ("FLOAT", "x.wav"),
            ("PCM_32", "x.wav"),
            ("PCM_24", "x.w64"),
            ("PCM_24", "x.rf64"),
            ("DOUBLE", "x.aiff"),
        )
    ],
    high=0,
)
def bits_of_files(subtype, name):
    bits = BITS[subtype]
    values = np.random.default_rng(0).integers(-(2 ** (bits - 2)), 2 ** (bits - 2), (2, 3000))
    x = (values / 2 ** (bits - 1)).astype(np.float32)
    with folder() as place:
        source, target = Path(place) / "in.wav", Path(place) / name
        soundfile.write(source, x.T, RATE, subtype=subtype)
        write(target, read(source))
        error = np.abs(read(target).samples - x).max()
    return max(0, bits + np.log2(error)) if error else 0


@kind(
    "largest error, or eight times the mean error, of all atoms written again, in steps",
    [
        {"subtype": subtype, "name": name, "rate": rate}
        for subtype, name, rate in (
            ("PCM_16", "x.wav", 44_100),
            ("PCM_16", "x.flac", 44_100),
            ("PCM_16", "x.wav", 48_000),
            ("PCM_16", "x.wav", 16_000),
            ("PCM_16", "x.aiff", 96_000),
            ("PCM_16", "x.caf", 44_100),
            ("PCM_U8", "x.wav", 44_100),
            ("PCM_S8", "x.aiff", 44_100),
            ("PCM_16", "x.w64", 8000),
            ("PCM_16", "x.au", 44_100),
        )
    ],
    high=0.53,
)
def rounding(subtype, name, rate):
    x = noise(1, rate, -3)[None].astype(np.float32)
    step = 2.0 ** (1 - BITS[subtype])
    with folder() as place:
        path = Path(place) / name
        write(path, Sound(x, rate, subtype))
        error = (read(path).samples - x) / step
    return max(np.abs(error).max(), 8 * abs(error.mean()))


# --- reading


def music(seconds: float = 2.0, rate: int = RATE, channels: int = 2) -> np.ndarray:
    """(C, n), the first half silent, which has a low bit rate in VBR files."""
    x = np.stack([noise(seconds, rate, -3, c) for c in range(channels)])
    x[:, : x.shape[1] // 2] = 0
    return x


def without_first_frame(data: bytes) -> bytes:
    return data[data.index(data[:2], 4) :]


def without_length(data: bytes) -> bytes:
    return data[:21] + bytes([data[21] & 0xF0]) + bytes(20) + data[42:]


def unknown_size(data: bytes, size: bytes) -> bytes:
    """A WAV file as programs write it to a pipe."""
    at = data.index(b"data") + 4
    return data[:4] + size + data[8:at] + size + data[at + 4 :]


VBR = {"bitrate_mode": "VARIABLE", "compression_level": 0.2}
TAG = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
DAMAGED = {
    "VBR MP3 without a header": lambda: (without_first_frame(encoded(music(), "MP3", **VBR)), 2),
    "VBR MP3, mono": lambda: (
        without_first_frame(encoded(music(2, 44_100, 1), "MP3", 44_100, **VBR)),
        2,
    ),
    "three MP3 files": lambda: (3 * encoded(music(), "MP3"), 6),
    "MP3 files with ID3 tags": lambda: (2 * (TAG + encoded(music(), "MP3")), 4),
    "MP3 files of two bit rates": lambda: (
        encoded(music(), "MP3") + encoded(music(), "MP3", **VBR),
        4,
    ),
    "two Ogg files": lambda: (2 * encoded(music(), "OGG"), 4),
    "two Opus files": lambda: (2 * encoded(music(2, 48_000), "OGG", 48_000, subtype="OPUS"), 4),
    "FLAC from a pipe, 24 bit": lambda: (
        without_length(encoded(music(), "FLAC", subtype="PCM_24")),
        2,
    ),
    "FLAC from a pipe, mono": lambda: (without_length(encoded(music(2, RATE, 1), "FLAC")), 2),
    "WAV from a pipe, size 0": lambda: (unknown_size(encoded(music(), "WAV"), bytes(4)), 2),
    "WAV from a pipe, size -1": lambda: (unknown_size(encoded(music(), "WAV"), b"\xff" * 4), 2),
    "AIFF that is cut off": lambda: (encoded(music(), "AIFF")[:-40_000], 2),
    "Ogg that is cut off": lambda: (encoded(music(), "OGG")[:-4000], 2),
    "MP3 that is cut off": lambda: (encoded(music(), "MP3")[:-4000], 2),
    "silent WAV from a pipe": lambda: (unknown_size(encoded(0 * music(), "WAV"), bytes(4)), 2),
    "FLAC that is cut off": lambda: (encoded(music(), "FLAC")[:-40_000], 2),
    "WAV with bytes after it": lambda: (encoded(music(), "WAV") + b"LIST" + bytes(500), 2),
}


@kind("seconds that are missing without a word", [{"what": name} for name in DAMAGED], -0.1, 0.1)
def lengths_of_files(what):
    data, seconds = DAMAGED[what]()
    with folder() as place:
        path = Path(place) / "x"
        path.write_bytes(data)
        sound = read(path)
    return 0 if sound.note else seconds - sound.seconds


@kind(
    "channels out of place",
    [
        {"channels": channels, "one": one, "two": two}
        for channels, one, two in (
            (3, "x.wav", "y.ogg"),
            (3, "x.ogg", "y.flac"),
            (4, "x.flac", "y.ogg"),
            (5, "x.wav", "y.ogg"),
            (5, "x.ogg", "y.wav"),
            (6, "x.opus", "y.wav"),
            (6, "x.wav", "y.opus"),
            (6, "x.aiff", "y.ogg"),
            (7, "x.ogg", "y.flac"),
            (8, "x.wav", "y.ogg"),
            (8, "x.opus", "y.flac"),
            (6, "x.caf", "y.flac"),
        )
    ],
    0,
    0,
)
def order_of_channels(channels, one, two):
    rate, t = 48_000, np.arange(24_000) / 48_000
    x = np.stack([0.2 * np.sin(2 * np.pi * 60 * (c + 1) * t) for c in range(channels)])
    with folder() as place:
        write(Path(place) / one, Sound(x.astype(np.float32), rate, "PCM_24", MASKS[channels]))
        write(Path(place) / two, read(Path(place) / one))
        y = read(Path(place) / two).samples[:, -24_000:]
    found = np.abs(np.fft.rfft(y * np.hanning(y.shape[1]), axis=1)).argmax(1) * 2
    return int((found != 60 * (np.arange(channels) + 1)).sum())


@kind(
    "memory of `info` for a file four times as long, relative",
    [
        {"format_": format_, "rate": rate, "channels": channels}
        for format_, rate, channels in (
            ("WAV", 44_100, 1),
            ("WAV", 44_100, 2),
            ("WAV", 8000, 2),
            ("WAV", 96_000, 1),
            ("FLAC", 44_100, 2),
            ("FLAC", 48_000, 1),
            ("OGG", 44_100, 1),
            ("MP3", 44_100, 1),
            ("AIFF", 22_050, 2),
            ("CAF", 44_100, 1),
        )
    ],
    high=1.3,
)
def memory_of_info(format_, rate, channels):
    peaks = []
    with folder() as place:
        for seconds in (30, 120):
            path = Path(place) / "x"
            path.write_bytes(
                encoded(np.tile(music(5, rate, channels), seconds // 5), format_, rate)
            )
            tracemalloc.start()
            summarise_file(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    return peaks[1] / peaks[0]
