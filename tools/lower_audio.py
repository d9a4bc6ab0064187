"""Lower recordings for training: python tools/lower_audio.py FOLDER OUT.

Files of a low rate or a low bit rate lack the highs, and below their cutoff they are coarser than
the recording: masks above a cutoff, drawn in training, show neither. Of every recording of FOLDER,
OUT receives one that was resampled to 8 to 32 kHz, or coded by MP3, Opus, Vorbis or AAC at a low
bit rate and decoded, up to where the program finds that this file ends (`above:auto`), and the
recording itself from there on. Its manifest.csv names this frequency (`lowered_hz`):
`python -m atomizer train --audio FOLDER --audio OUT` hides what is above it. Recordings whose file
has no cutoff, or one beyond the recording's own, are left out.

The same command continues a run that was ended. Requires ffmpeg for AAC.
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1]))
from atomizer.analysis.cutoff import cutoff_of  # noqa: E402
from atomizer.errors import AtomizerError  # noqa: E402
from atomizer.evaluation.baselines import codecs  # noqa: E402
from atomizer.evaluation.low_rate import RESAMPLERS  # noqa: E402
from atomizer.io.audio import Sound, read, resample, resample_to_length  # noqa: E402
from atomizer.io.datasets import Clip, list_clips  # noqa: E402

COLUMNS = ("file", "source_repository", "category", "brickwall_hz", "lowered_hz")
RATE = 44_100
MAX_SECONDS = 15.0  # of a recording, from its middle
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000)  # Hz
AAC_KBPS = (24, 32, 40, 48, 64, 96)
LEVELS = (0.6, 0.97)  # of compression, for libsndfile's codecs: 0 is the largest file
RESAMPLED_SHARE = 0.4  # of the recordings; the others are coded
MARGIN = 0.9  # of a recording's own cutoff: a file that ends above has lost nothing
SLOPE_HZ = 40.0  # over which the file gives way to the recording
MAX_DELAY = 2_048  # samples by which a codec may have moved the sound
MIN_CORRELATION = 0.8  # of a file with the recording below the cutoff


def main() -> None:
    """Lower the recordings of the folder of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        clips = list_clips(options.folder)
    except AtomizerError as error:
        sys.exit(f"error: {error}")
    options.out.mkdir(parents=True, exist_ok=True)
    manifest = options.out / "manifest.csv"
    if not manifest.is_file():
        manifest.write_text(",".join(COLUMNS) + "\n")
    done = {row["file"] for row in csv.DictReader(manifest.open())}
    for clip in clips:
        name = clip.path.stem + ".flac"
        lowered = None if name in done else lower(clip)
        if lowered is None:
            continue
        sound, lowered_hz, how = lowered
        soundfile.write(options.out / name, sound.samples.T, sound.rate, subtype="PCM_16")
        brickwall = "" if clip.cutoff_hz == float("inf") else f"{clip.cutoff_hz:g}"
        with manifest.open("a", newline="") as file:
            row = [name, clip.source, clip.category, brickwall, f"{lowered_hz:.0f}"]
            csv.writer(file, lineterminator="\n").writerow(row)
        print(f"{name}: {how}, to {lowered_hz:.0f} Hz", flush=True)


def lower(clip: Clip) -> tuple[Sound, float, str] | None:
    """A recording with a file's sound below the frequency where this file ends.

    Returns the sound, this frequency in Hz, and how the file was made; None where it has no end.
    What is drawn depends on the recording's name alone.
    """
    random_ = random.Random(zlib.crc32(clip.path.name.encode()))
    recording = _middle(read(clip.path))
    how, make = _draw(random_)
    file = make(recording)
    cutoff = cutoff_of(file)
    if cutoff is None or cutoff.start_hz > MARGIN * min(clip.cutoff_hz, RATE / 2):
        return None
    heard = resample_to_length(file.samples, file.rate, RATE, recording.samples.shape[1])
    heard = _aligned(heard, recording.samples, cutoff.start_hz)
    if heard is None:
        return None
    samples = recording.samples + _below(heard - recording.samples, cutoff.start_hz)
    peak = float(np.abs(samples).max())
    return Sound((samples / max(1.0, peak)).astype(np.float32), RATE), cutoff.start_hz, how


def _middle(sound: Sound) -> Sound:
    """Up to MAX_SECONDS from the middle of a sound, at most two channels, at RATE."""
    size = int(MAX_SECONDS * sound.rate)
    start = max(0, (sound.samples.shape[1] - size) // 2)
    samples = sound.samples[:2, start : start + size]
    return Sound(resample(samples, sound.rate, RATE), RATE)


def _draw(random_: random.Random) -> tuple[str, Callable[[Sound], Sound]]:
    """Description of a file, and the function that makes it from a recording."""
    if random_.random() < RESAMPLED_SHARE:
        rate, resampler = random_.choice(RATES), random_.choice(list(RESAMPLERS))
        return f"{resampler} at {rate} Hz", partial(_resampled, resampler=resampler, rate=rate)
    codec = random_.choice(["aac", *codecs.CODECS])
    if codec == "aac":
        kbps = random_.choice(AAC_KBPS)
        return f"aac at {kbps} kbit/s", partial(_coded_as_aac, kbps=kbps)
    level = random_.uniform(*LEVELS)
    return f"{codec} at level {level:.2f}", partial(_coded, codec=codec, level=level)


def _resampled(sound: Sound, resampler: str, rate: int) -> Sound:
    samples = RESAMPLERS[resampler](sound.samples, sound.rate, rate)
    return Sound(np.ascontiguousarray(samples, np.float32), rate)


def _coded(sound: Sound, codec: str, level: float) -> Sound:
    return Sound(codecs.at_level(sound.samples, sound.rate, codec, level)[0], sound.rate)


def _coded_as_aac(sound: Sound, kbps: int) -> Sound:
    """A sound coded as AAC and decoded."""
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in ("in.wav", "coded.m4a", "out.wav")]
        soundfile.write(names[0], sound.samples.T, sound.rate, subtype="PCM_16")
        for source, target, options in (
            (names[0], names[1], ["-c:a", "aac", "-b:a", f"{kbps}k"]),
            (names[1], names[2], ["-c:a", "pcm_s16le"]),
        ):
            command = ["ffmpeg", "-v", "error", "-y", "-i", source, *options, target]
            subprocess.run(command, check=True)
        return read(names[2])


def _aligned(heard: np.ndarray, recording: np.ndarray, below_hz: float) -> np.ndarray | None:
    """The file (C, n) moved to where it agrees best with the recording; None if it does not."""
    size = recording.shape[1] + MAX_DELAY
    known = [_below(x, below_hz).mean(0) for x in (recording, heard)]
    ours, theirs = (np.fft.rfft(x, size) for x in known)
    correlation = np.fft.irfft(ours.conj() * theirs, size)
    delays = np.r_[0 : MAX_DELAY // 2, -MAX_DELAY // 2 : 0]
    delay = int(delays[np.argmax(correlation[delays])])
    energy = float(np.prod([np.linalg.norm(x) for x in known]))
    if correlation[delay] < MIN_CORRELATION * energy or energy == 0:
        return None
    return np.roll(heard, -delay, axis=1)


def _below(samples: np.ndarray, hz: float) -> np.ndarray:
    """What samples (C, n) at RATE have below a frequency, without delay."""
    frequency = np.fft.rfftfreq(samples.shape[1], 1 / RATE)
    gain = np.clip((hz - frequency) / SLOPE_HZ + 0.5, 0, 1)
    return np.fft.irfft(np.fft.rfft(samples) * gain, samples.shape[1])


if __name__ == "__main__":
    main()
