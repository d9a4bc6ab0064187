"""Gather more training audio: python tools/gather_audio.py FOLDER

Recordings of free packages of Debian, games above all, and the instruments of two free General MIDI soundfonts, which play random scores of ours.
FOLDER gets FLAC files of 3 to 45 s, and a manifest.csv that `python -m atomizer train --audio FOLDER` reads. Every package is free
software (Debian main); its authors and licences are in its `copyright` file, which is kept as FOLDER/PACKAGE.copyright.

Needs Debian with `apt-get download`, dpkg-deb and the package fluidsynth; of Python, numpy and soundfile. Takes some 4 GB of temporary room.
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

LONGEST, SHORTEST, MINUTES = (
    45.0,
    3.0,
    12.0,
)  # seconds of a clip; minutes of a category that a package gives at most
PACKAGES = {  # what their sounds are where the path does not say it
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
TELLING = (
    ("speech", r"voice|speech|talk|dialog|alpha|syllab|/cs/|/en/"),
    ("music-mix", r"music|themes?/"),
    ("environment", r"ambient|nature|weather"),
)
AUDIO = (".ogg", ".oga", ".flac", ".wav", ".mp3", ".opus")


@dataclass(frozen=True)
class Found:
    """Something to write: a name, a category, and (n, channels) float samples at RATE or `rate`."""

    name: str
    category: str
    samples: np.ndarray
    rate: int


def fetch(package: str, folder: Path) -> Path:
    """The files of a package, unpacked but not installed; those of archives in it beside them."""
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
    return next(
        (category for category, words in TELLING if re.search(words, path.lower())),
        PACKAGES[package],
    )


def recordings(package: str, root: Path) -> Iterator[Found]:
    """Clips of a package: excerpts of what is long, and what is short in a row, a folder at a time."""
    whole, short = [], defaultdict(list)
    for path in sorted(
        p for p in root.rglob("*") if p.suffix.lower() in AUDIO and not p.is_symlink()
    ):
        try:
            info = soundfile.info(path)
        except soundfile.SoundFileError:
            continue
        if info.samplerate < 32_000 or info.channels > 2:
            continue
        if info.duration >= SHORTEST:
            whole.append(path)
        else:
            short[path.parent, info.samplerate, info.channels].append(path)
    jobs = [[path] for path in whole]
    for paths in short.values():
        random.Random(len(paths)).shuffle(paths)
        jobs += [paths[at : at + 16] for at in range(0, len(paths), 16)]
    jobs = random.Random(0).sample(jobs, len(jobs))
    minutes: dict[str, float] = defaultdict(float)
    for job in jobs:
        path = job[0].relative_to(root)
        category = category_of(package, str(path))
        if minutes[category] > MINUTES:
            continue
        samples, rate = excerpt(job[0]) if len(job) == 1 else in_a_row(job)
        if len(samples) < SHORTEST * rate or np.abs(samples).max() < 1e-3:
            continue
        yield Found("-".join(path.with_suffix("").parts[-2:]), category, samples, rate)
        minutes[category] += len(samples) / rate / 60


def excerpt(path: Path) -> tuple[np.ndarray, int]:
    """The middle of a recording, at most LONGEST."""
    with soundfile.SoundFile(path) as file:
        count = min(len(file), round(LONGEST * file.samplerate))
        file.seek((len(file) - count) // 2)
        return file.read(count, always_2d=True), file.samplerate


def in_a_row(paths: list[Path]) -> tuple[np.ndarray, int]:
    """Short recordings of one rate one after the other, some of them while the one before is still heard."""
    chance, rate, at, placed = random.Random(str(paths[0].name)), 0, 0, []
    for path in paths:
        samples, rate = soundfile.read(path, always_2d=True)
        placed.append((at, samples))
        at += round(len(samples) * chance.uniform(0.6, 1.1) + 0.05 * rate)
    out = np.zeros((max(at + len(s) for at, s in placed), placed[0][1].shape[1]))
    for at, samples in placed:
        out[at : at + len(samples)] += samples
    return out[: round(LONGEST * rate)] / max(1.0, np.abs(out).max()), rate


def performances(package: str, root: Path) -> Iterator[Found]:
    """Every instrument and drum kit of a soundfont, in a score of its own; with the soundfont's reverb in every other one."""
    [font] = sorted(root.rglob("*.sf2"))
    for program in range(128):
        yield Found(
            f"program-{program:03}",
            "solo-instrument",
            play(score(program), font, wet=program % 2 == 0),
            RATE,
        )
    for kit in (0, 8, 16, 24, 25, 32, 40):
        yield Found(
            f"kit-{kit:03}", "percussion", play(drumming(kit), font, wet=kit % 16 == 0), RATE
        )
    for number in range(24):
        yield Found(f"band-{number:03}", "music-mix", play(band(number), font, wet=True), RATE)


def play(score: Score, font: Path, wet: bool) -> np.ndarray:
    """(n, 2) samples of a score, at most 20 s, with fluidsynth's usual reverb where `wet`."""
    samples = make_sounds.play(score, font, 0.4, ("-R", str(int(wet))))
    return 0.7 * samples[: 20 * RATE] / max(np.abs(samples).max(), 1e-6)


def phrase(
    score: Score, channel: int, chance: random.Random, low: int, high: int, until: float
) -> None:
    """A line through a scale: steps, leaps and chords, short and long, soft and loud."""
    scale = [
        k for k in range(low, high + 1) if (k - chance.randrange(12)) % 12 in (0, 2, 3, 5, 7, 8, 10)
    ] or [low]
    at, place = 0.0, len(scale) // 2
    while at < until:
        place = min(len(scale) - 1, max(0, place + chance.choice((-4, -2, -1, -1, 1, 1, 2, 4))))
        beats = chance.choice((0.25, 0.5, 0.5, 1, 1, 2, 4))
        for extra in range(chance.choice((1, 1, 1, 2, 3))):
            score.note(
                channel,
                at,
                scale[min(len(scale) - 1, place + 2 * extra)],
                beats * chance.uniform(0.5, 1),
                chance.uniform(40, 120),
            )
        at += beats + (chance.random() < 0.1)


def score(program: int) -> Score:
    chance = random.Random(program)
    out = Score(chance.uniform(70, 150), program)
    out.player(0, program, pan=chance.randrange(30, 98))
    low = 28 if 32 <= program < 40 else chance.choice((40, 48, 55))
    phrase(out, 0, chance, low, low + 28, 44)
    return out


def drumming(kit: int, until: float = 44) -> Score:
    chance = random.Random(kit)
    out = Score(chance.uniform(80, 140), kit)
    out.player(9, kit, drums=True)
    add_drums(out, chance, until)
    return out


def add_drums(out: Score, chance: random.Random, until: float) -> None:
    """Bars of patterns, changed every few of them."""
    at = 0.0
    while at < until:
        if at % 16 == 0:
            patterns = [
                (chance.choice(drums), "".join(chance.choice(letters) for _ in range(16)))
                for drums, letters in (
                    ((36, 35), "X..x"),
                    ((38, 40, 37), "...X"),
                    ((42, 46, 51, 44), "xo."),
                    ((45, 47, 50, 49, 54, 56, 62, 64, 70, 75, 81), "....x"),
                )
            ]
        for drum, pattern in patterns:
            out.hits(at, drum, pattern)
        at += 4


def band(number: int) -> Score:
    """Three instruments, a bass and drums."""
    chance = random.Random(1000 + number)
    out = Score(chance.uniform(70, 150), number)
    for channel, (programs, low) in enumerate(
        ((range(0, 32), 52), (range(40, 80), 60), (range(0, 112), 48), (range(32, 40), 28))
    ):
        out.player(
            channel,
            chance.choice(programs),
            volume=chance.randrange(60, 110),
            pan=64 if low == 28 else chance.randrange(10, 118),
        )
        phrase(out, channel, chance, low, low + (12 if low == 28 else 24), 44)
    out.player(9, chance.choice((0, 8, 16, 25, 32)), volume=chance.randrange(50, 100), drums=True)
    add_drums(out, chance, 44)
    return out


def brickwall(samples: np.ndarray, rate: int, size: int = 4096) -> float | None:
    """Where the spectrum of (n, channels) samples falls off a cliff of 25 dB, in Hz, as that of a lossy file does; None without one.

    Against the cutoffs that are known of 60 other recordings it lies within 0.5 kHz for most.
    """
    mono = np.pad(samples.mean(1), (0, max(0, size - len(samples))))
    power = (
        np.abs(
            np.fft.rfft(
                np.lib.stride_tricks.sliding_window_view(mono, size)[::size] * np.hanning(size)
            )
        )
        ** 2
    )
    level = 10 * np.log10(np.percentile(power, 90, axis=0) + 1e-12)
    hz, sums = rate / size, np.cumsum(np.pad(level, (1, 0)))
    gap, width = int(150 / hz), int(300 / hz)  # of the cliff, and of what is compared beside it
    at = np.arange(int(6000 / hz), len(level) - gap - width)
    fall = (
        sums[at - gap] - sums[at - gap - width] - sums[at + gap + width] + sums[at + gap]
    ) / width
    return float(at[fall.argmax()] * hz - 500) if fall.max() >= 25 else None


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for package in (*PACKAGES, *SOUNDFONTS):
            root = fetch(package, Path(folder))
            for path in root.glob("usr/share/doc/*/copyright"):
                (out / f"{package}.copyright").write_bytes(path.read_bytes())
            minutes = 0.0
            for k, found in enumerate(
                performances(package, root) if package in SOUNDFONTS else recordings(package, root)
            ):
                name = (
                    f"{package}__{k:03}-{re.sub('[^a-z0-9]+', '-', found.name.lower())[:48]}.flac"
                )
                samples = np.round(np.clip(found.samples, -1, 1) * 32767).astype(np.int16)
                soundfile.write(out / name, samples, found.rate, subtype="PCM_16")
                rows.append(
                    [
                        name,
                        package,
                        found.category,
                        round(brickwall(found.samples, found.rate) or 0) or "",
                    ]
                )
                minutes += len(samples) / found.rate / 60
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
