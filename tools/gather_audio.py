"""Gather more training audio; run as python tools/gather_audio.py FOLDER.

The sources are recordings in free packages of Debian, mostly games, and the instruments of two free
General MIDI soundfonts, which play random scores. FOLDER receives FLAC files of 3 to 45 s, and a
manifest.csv for `python -m atomizer train --audio FOLDER`. Every package is free software (Debian
main); its `copyright` file lists authors and licences and is kept as FOLDER/PACKAGE.copyright.

Requires Debian with `apt-get download`, dpkg-deb and the package fluidsynth, and the Python
packages numpy and soundfile. Temporary files take about 4 GB.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "assets"))
import make_sounds  # noqa: E402
from make_sounds import RATE, Score  # noqa: E402

MAX_SECONDS, MIN_SECONDS = 45.0, 3.0  # of a clip
MAX_MINUTES = 12.0  # per package and category
MIN_RATE = 32_000  # Hz
SHORT_FILES_PER_CLIP = 16
PACKAGES = {  # categories of the files whose path matches none of CATEGORY_WORDS
    "0ad-data": "music-mix",
    "ardentryst": "music-mix",
    "colobot-common-sounds": "environment",
    "fillets-ng-data": "speech",
    "freecol": "music-mix",
    "gcompris-qt-data": "environment",
    "hedgewars-data": "speech",
    "hydrogen-drumkits": "percussion",
    "hydrogen-drumkits-effects": "environment",
    "hyperrogue-music": "music-mix",
    "klettres-data": "speech",
    "marsshooter-data": "environment",
    "naev-data": "environment",
    "nexuiz-music": "music-mix",
    "singularity-music": "music-mix",
    "supertux-data": "environment",
    "supertuxkart-data": "environment",
    "ufoai-music": "music-mix",
    "warzone2100-music": "music-mix",
    "wesnoth-1.16-music": "music-mix",
    "widelands-data": "environment",
}
SOUNDFONTS = ("fluid-soundfont-gm", "musescore-general-soundfont-lossless")
CATEGORY_WORDS = (
    ("speech", r"voice|speech|talk|dialog|alpha|syllab|/cs/|/en/"),
    ("music-mix", r"music|themes?/"),
    ("environment", r"ambient|nature|weather"),
)
AUDIO = (".ogg", ".oga", ".flac", ".wav", ".mp3", ".opus")


@dataclass(frozen=True)
class Clip:
    """A clip to write: a name, a category, and (n, channels) float samples at `rate`."""

    name: str
    category: str
    samples: np.ndarray
    rate: int


def fetch(package: str, folder: Path) -> Path:
    """Download a package and unpack it, with the audio of its archives, without installing it."""
    out = folder / package
    out.mkdir()
    subprocess.run(
        ["apt-get", "download", "-q", package],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    [deb] = folder.glob(f"{package}_*.deb")
    subprocess.run(["dpkg-deb", "-x", str(deb), str(out)], check=True)
    deb.unlink()
    for path in (p for kind in ("zip", "pk3") for p in out.rglob(f"*.{kind}")):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(
                path.with_suffix(""), [n for n in archive.namelist() if n.lower().endswith(AUDIO)]
            )
    return out


def category_of(package: str, path: str) -> str:
    """Category of a file in a package."""
    return next(
        (category for category, words in CATEGORY_WORDS if re.search(words, path.lower())),
        PACKAGES[package],
    )


def recordings(package: str, root: Path) -> Iterator[Clip]:
    """Clips of a package: excerpts of long files, and the short files of a folder in sequence."""
    long, short = [], defaultdict(list)
    for path in sorted(
        p for p in root.rglob("*") if p.suffix.lower() in AUDIO and not p.is_symlink()
    ):
        try:
            info = soundfile.info(path)
        except soundfile.SoundFileError:
            continue
        if info.samplerate < MIN_RATE or info.channels > 2:
            continue
        if info.duration >= MIN_SECONDS:
            long.append(path)
        else:
            short[path.parent, info.samplerate, info.channels].append(path)
    jobs = [[path] for path in long]
    for paths in short.values():
        random.Random(len(paths)).shuffle(paths)
        starts = range(0, len(paths), SHORT_FILES_PER_CLIP)
        jobs += [paths[start : start + SHORT_FILES_PER_CLIP] for start in starts]
    jobs = random.Random(0).sample(jobs, len(jobs))
    minutes: dict[str, float] = defaultdict(float)
    for job in jobs:
        path = job[0].relative_to(root)
        category = category_of(package, str(path))
        if minutes[category] > MAX_MINUTES:
            continue
        samples, rate = excerpt(job[0]) if len(job) == 1 else in_sequence(job)
        if len(samples) < MIN_SECONDS * rate or np.abs(samples).max() < 1e-3:
            continue
        yield Clip("-".join(path.with_suffix("").parts[-2:]), category, samples, rate)
        minutes[category] += len(samples) / rate / 60


def excerpt(path: Path) -> tuple[np.ndarray, int]:
    """Samples (n, channels) of the middle of a recording, at most MAX_SECONDS, and its rate."""
    with soundfile.SoundFile(path) as file:
        count = min(len(file), round(MAX_SECONDS * file.samplerate))
        file.seek((len(file) - count) // 2)
        return file.read(count, always_2d=True), file.samplerate


def in_sequence(paths: list[Path]) -> tuple[np.ndarray, int]:
    """Samples (n, channels) of short recordings in sequence, partly overlapping, and their rate."""
    rng, rate, start, placed = random.Random(str(paths[0].name)), 0, 0, []
    for path in paths:
        samples, rate = soundfile.read(path, always_2d=True)
        placed.append((start, samples))
        start += round(len(samples) * rng.uniform(0.6, 1.1) + 0.05 * rate)
    out = np.zeros((max(start + len(s) for start, s in placed), placed[0][1].shape[1]))
    for start, samples in placed:
        out[start : start + len(samples)] += samples
    return out[: round(MAX_SECONDS * rate)] / max(1.0, np.abs(out).max()), rate


def renderings(package: str, root: Path) -> Iterator[Clip]:
    """Scores for every instrument and drum kit of a soundfont, half of them with reverb."""
    [font] = sorted(root.rglob("*.sf2"))
    for program in range(128):
        samples = play(score(program), font, reverb=program % 2 == 0)
        yield Clip(f"program-{program:03}", "solo-instrument", samples, RATE)
    for kit in (0, 8, 16, 24, 25, 32, 40):
        samples = play(drumming(kit), font, reverb=kit % 16 == 0)
        yield Clip(f"kit-{kit:03}", "percussion", samples, RATE)
    for number in range(24):
        samples = play(band(number), font, reverb=True)
        yield Clip(f"band-{number:03}", "music-mix", samples, RATE)


def play(score: Score, font: Path, reverb: bool) -> np.ndarray:
    """(n, 2) samples of a score, at most 20 s, with or without fluidsynth's default reverb."""
    samples = make_sounds.play(score, font, 0.4, ("-R", str(int(reverb))))
    return 0.7 * samples[: 20 * RATE] / max(np.abs(samples).max(), 1e-6)


def phrase(
    score: Score, channel: int, rng: random.Random, low: int, high: int, until: float
) -> None:
    """Add a random melody of steps, leaps and chords between two keys, up to a beat."""
    minor = (0, 2, 3, 5, 7, 8, 10)
    scale = [k for k in range(low, high + 1) if (k - rng.randrange(12)) % 12 in minor] or [low]
    beat, degree, top = 0.0, len(scale) // 2, len(scale) - 1
    while beat < until:
        degree = min(top, max(0, degree + rng.choice((-4, -2, -1, -1, 1, 1, 2, 4))))
        beats = rng.choice((0.25, 0.5, 0.5, 1, 1, 2, 4))
        for third in range(rng.choice((1, 1, 1, 2, 3))):
            key = scale[min(top, degree + 2 * third)]
            score.note(channel, beat, key, beats * rng.uniform(0.5, 1), rng.uniform(40, 120))
        beat += beats + (rng.random() < 0.1)


def score(program: int) -> Score:
    """Random melody of one instrument."""
    rng = random.Random(program)
    out = Score(rng.uniform(70, 150), program)
    out.player(0, program, pan=rng.randrange(30, 98))
    low = 28 if 32 <= program < 40 else rng.choice((40, 48, 55))
    phrase(out, 0, rng, low, low + 28, 44)
    return out


def drumming(kit: int, until: float = 44) -> Score:
    """Random patterns of one drum kit, up to a beat."""
    rng = random.Random(kit)
    out = Score(rng.uniform(80, 140), kit)
    out.player(9, kit, drums=True)
    add_drums(out, rng, until)
    return out


def add_drums(out: Score, rng: random.Random, until: float) -> None:
    """Add bars of random drum patterns, new ones every four bars, up to a beat."""
    beat = 0.0
    while beat < until:
        if beat % 16 == 0:
            patterns = [
                (rng.choice(drums), "".join(rng.choice(letters) for _ in range(16)))
                for drums, letters in (
                    ((36, 35), "X..x"),
                    ((38, 40, 37), "...X"),
                    ((42, 46, 51, 44), "xo."),
                    ((45, 47, 50, 49, 54, 56, 62, 64, 70, 75, 81), "....x"),
                )
            ]
        for drum, pattern in patterns:
            out.hits(beat, drum, pattern)
        beat += 4


def band(number: int) -> Score:
    """Random score of three instruments, a bass and drums."""
    rng = random.Random(1000 + number)
    out = Score(rng.uniform(70, 150), number)
    for channel, (programs, low) in enumerate(
        ((range(0, 32), 52), (range(40, 80), 60), (range(0, 112), 48), (range(32, 40), 28))
    ):
        out.player(
            channel,
            rng.choice(programs),
            volume=rng.randrange(60, 110),
            pan=64 if low == 28 else rng.randrange(10, 118),
        )
        phrase(out, channel, rng, low, low + (12 if low == 28 else 24), 44)
    out.player(9, rng.choice((0, 8, 16, 25, 32)), volume=rng.randrange(50, 100), drums=True)
    add_drums(out, rng, 44)
    return out


def brickwall(samples: np.ndarray, rate: int, size: int = 4096) -> float | None:
    """Frequency in Hz above which the spectrum of (n, channels) samples drops by 25 dB, or None.

    Lossy coding causes such a drop. For most of 60 other recordings with known cutoffs, the result
    was within 0.5 kHz.
    """
    mono = np.pad(samples.mean(1), (0, max(0, size - len(samples))))
    pieces = np.lib.stride_tricks.sliding_window_view(mono, size)[::size]
    power = np.abs(np.fft.rfft(pieces * np.hanning(size))) ** 2
    level = 10 * np.log10(np.percentile(power, 90, axis=0) + 1e-12)
    hz, sums = rate / size, np.cumsum(np.pad(level, (1, 0)))
    gap, width = int(150 / hz), int(300 / hz)  # bins of the drop, and of the bands beside it
    cut = np.arange(int(6000 / hz), len(level) - gap - width)
    below = sums[cut - gap] - sums[cut - gap - width]
    above = sums[cut + gap + width] - sums[cut + gap]
    drop = (below - above) / width
    return float(cut[drop.argmax()] * hz - 500) if drop.max() >= 25 else None


def main(out: Path) -> None:
    """Write the clips of all packages, and the manifest."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for package in (*PACKAGES, *SOUNDFONTS):
            root = fetch(package, Path(folder))
            for path in root.glob("usr/share/doc/*/copyright"):
                (out / f"{package}.copyright").write_bytes(path.read_bytes())
            minutes = 0.0
            clips = renderings if package in SOUNDFONTS else recordings
            for k, clip in enumerate(clips(package, root)):
                stem = re.sub("[^a-z0-9]+", "-", clip.name.lower())[:48]
                name = f"{package}__{k:03}-{stem}.flac"
                samples = np.round(np.clip(clip.samples, -1, 1) * 32767).astype(np.int16)
                soundfile.write(out / name, samples, clip.rate, subtype="PCM_16")
                cutoff = round(brickwall(clip.samples, clip.rate) or 0) or ""
                rows.append([name, package, clip.category, cutoff])
                minutes += len(samples) / clip.rate / 60
            print(f"{package}: {minutes:.1f} minutes", flush=True)
            shutil.rmtree(root)
    with open(out / "manifest.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [["file", "source_repository", "category", "brickwall_hz"], *rows]
        )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
