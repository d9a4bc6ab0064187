"""Gather more training audio: python tools/gather_audio.py FOLDER [PACKAGE ...].

The sources are recordings in free packages of Debian 12, mostly games, and the instruments of free
soundfonts and patches, which play random scores. FOLDER receives FLAC files of 3 to 45 s, and a
manifest.csv for `python -m atomizer train --audio FOLDER`. Every package is free software (Debian
main); its `copyright` file lists authors and licences and is kept as FOLDER/PACKAGE.copyright, and
FOLDER/SOURCES.md is a table of all.
Packages that the manifest lists are skipped, so the same command continues a run that was ended;
with names of packages only these are gathered.

Requires Debian with `apt-get download`, dpkg-deb and the packages fluidsynth, timidity and ffmpeg,
and the Python packages numpy and soundfile. Temporary files take about 3 GB.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "assets"))
import make_sounds  # noqa: E402
from make_sounds import DRUMS, RATE, Score  # noqa: E402

MAX_SECONDS, MIN_SECONDS = 45.0, 3.0  # of a clip
MAX_MINUTES = 12.0  # per package and category
LONG_SECONDS = 150.0  # of a recording from which two clips are taken
MIN_RATE, MIN_SPEECH_RATE = 32_000, 22_050  # Hz
SHORT_FILES_PER_CLIP = 16
RENDERED_SECONDS = 20.0
# Python 3.11.2, that of Debian 12, has no filters yet
FILTER = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
PACKAGES_AT_ONCE = 8  # downloaded together: apt-get takes seconds to start
# packages by the category of the files whose path matches none of CATEGORY_WORDS
BY_CATEGORY = {
    "environment": """
        boswars-data brainparty-data bucklespring-data bzflag-data caveexpress-data
        colobot-common-sounds csoundqt-examples deepin-sound-theme endless-sky-data
        foobillardplus-data gnome-shell-pomodoro-data hydrogen-drumkits-effects
        marsshooter-data minetest-data minetest-mod-homedecor naev-data nexuiz-data openarena-data
        oxygen-sounds searchandrescue-data sound-theme-freedesktop supertux-data supertuxkart-data
        tuxfootball ufoai-sound warmux-data wesnoth-1.16-data widelands-data
        """,
    "music-mix": """
        0ad-data adonthell-data amoebax-data angrydd ardentryst blockout2 davegnukem-data
        drascula-music enigma-data extremetuxracer-data flare-game freecol freedink-data
        freeorion-data fretsonfire-songs-muldjord fretsonfire-songs-sectoid frozen-bubble-data
        funnyboat gamine-data gigalomania-data glob2-data gunroar-data hex-a-hop-data
        hyperrogue-music krank lomiri-sounds lordsawar-data mazeofgalious-data miceamaze mrrescue
        mu-cade-data nexuiz-music noiz2sa-data openarena-088-data pangzero parsec47-data
        pathological pax-britannica-data pink-pony-data planetblupi-music-ogg plee-the-bear-data
        pushover-data raincat-data renpy-demo rrootage-data scorched3d-data scratch
        singularity-music starfighter-data titanion-data torus-trooper-data trackballs-data
        tumiki-fighters-data tuxmath-data tuxtype-data ufoai-music warzone2100-music
        wesnoth-1.16-music wizznic-data
        """,
    "percussion": "hydrogen-data hydrogen-drumkits",
    "solo-instrument": "grandorgue-demo",
    "speech": """
        fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl gcin-voice hedgewars-data kajongg
        klettres-data ktuberling-data qabcs-data
        """,
}
PACKAGES = {name: category for category, names in BY_CATEGORY.items() for name in names.split()}
SOUNDFONTS = (
    "avldrums.lv2-soundfont",
    "csound-soundfont",
    "fluid-soundfont-gm",
    "fluid-soundfont-gs",
    "minuet-data",
    "musescore-general-soundfont-lossless",
    "timgm6mb-soundfont",
)
PATCHES = ("freepats",)  # for timidity
CATEGORY_WORDS = (
    ("speech", r"voice|speech|talk|dialog|alpha|syllab|human|/cs/|/en/|/nl/"),
    ("solo-instrument", r"guitar\.ogg|instrument"),
    ("percussion", r"drum|percussion"),
    ("music-mix", r"music|themes?/"),
    ("environment", r"ambient|ambience|nature|weather|animal"),
)
AUDIO = (".ogg", ".oga", ".flac", ".wav", ".mp3", ".opus", ".aif", ".aiff")
ARCHIVES = (".zip", ".pk3", ".love", ".orgue")
LICENCE_NAMES = (  # in copyright files without fields
    "(?:L?GPL|GNU General Public License|BSD|public domain|Free Art License|Creative Commons"
    " [A-Z][A-Za-z-]+|CC-BY[A-Z0-9.-]*)(?!-)"
)
INSTRUMENTS = (".sf2", ".pat", ".cfg")
# General MIDI programs, counted from 0
GENERAL_MIDI, CHOIRS = range(128), (52, 53, 54, 91)
DRUM_BANK = 128  # of soundfonts
SKIPPED_BANKS = (120, 127)  # drums as instruments; sounds of the MT-32, as bank 0
KITS_IN_INSTRUMENTS = "avldrums"  # name of the soundfont packages whose instruments are drum kits


@dataclass(frozen=True)
class Clip:
    """A clip to write: a name, a category, and (n, channels) float samples at `rate`."""

    name: str
    category: str
    samples: np.ndarray
    rate: int


def download(packages: Sequence[str], folder: Path) -> None:
    """Download packages to a folder, without installing them."""
    command = ["apt-get", "download", "-q", *packages]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def unpack(package: str, folder: Path) -> Path:
    """Unpack the audio and the licences of a downloaded package, and the audio of its archives."""
    out = folder / package
    [deb] = folder.glob(f"{package}_*.deb")
    wanted = (*AUDIO, *ARCHIVES, *INSTRUMENTS, "/copyright")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as files:
            for member in files:
                if member.isfile() and member.name.lower().endswith(wanted):
                    files.extract(member, out, **FILTER)
    deb.unlink()
    for path in [p for p in out.rglob("*") if p.suffix.lower() in ARCHIVES]:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.lower().endswith(AUDIO)]
                archive.extractall(path.with_name(path.name + ".unpacked"), names)
        path.unlink()
    return out


def category_of(package: str, path: str) -> str:
    """Category of a file in a package."""
    return next(
        (category for category, words in CATEGORY_WORDS if re.search(words, path.lower())),
        PACKAGES[package],
    )


def readable(path: Path) -> Path:
    """The file, or its samples as WAV where only ffmpeg reads it, as the WavPack of organs."""
    try:
        soundfile.info(path)
    except soundfile.SoundFileError:
        out = path.with_name(path.name + ".wav")
        command = ["ffmpeg", "-v", "quiet", "-y", "-i", path, "-c:a", "pcm_s16le", out]
        subprocess.run(command, check=False)
        return out
    return path


def recordings(package: str, root: Path) -> Iterator[Clip]:
    """Clips of a package: excerpts of long files, and the short files of a folder in sequence."""
    jobs: list[tuple[list[Path], float]] = []  # files, and the place of the clip, 0 to 1
    short = defaultdict(list)
    for found in sorted(
        p for p in root.rglob("*") if p.suffix.lower() in AUDIO and not p.is_symlink()
    ):
        path = readable(found)
        try:
            info = soundfile.info(path)
        except soundfile.SoundFileError:
            continue
        speech = category_of(package, str(path.relative_to(root))) == "speech"
        if info.samplerate < (MIN_SPEECH_RATE if speech else MIN_RATE) or info.channels > 2:
            continue
        if info.duration >= MIN_SECONDS:
            jobs += [
                ([path], at) for at in ((0.25, 0.75) if info.duration > LONG_SECONDS else (0.5,))
            ]
        else:
            short[path.parent, info.samplerate, info.channels].append(path)
    for paths in short.values():
        random.Random(len(paths)).shuffle(paths)
        starts = range(0, len(paths), SHORT_FILES_PER_CLIP)
        jobs += [(paths[start : start + SHORT_FILES_PER_CLIP], 0.5) for start in starts]
    minutes: dict[str, float] = defaultdict(float)
    for paths, place in random.Random(0).sample(jobs, len(jobs)):
        path = paths[0].relative_to(root)
        category = category_of(package, str(path))
        if minutes[category] > MAX_MINUTES:
            continue
        samples, rate = excerpt(paths[0], place) if len(paths) == 1 else in_sequence(paths)
        if len(samples) < MIN_SECONDS * rate or np.abs(samples).max() < 1e-3:
            continue
        yield Clip("-".join(path.with_suffix("").parts[-2:]), category, samples, rate)
        minutes[category] += len(samples) / rate / 60


def excerpt(path: Path, place: float) -> tuple[np.ndarray, int]:
    """Samples (n, channels) of a recording, at most MAX_SECONDS, and its rate.

    place  of the excerpt: 0 the beginning, 1 the end
    """
    with soundfile.SoundFile(path) as file:
        count = min(len(file), round(MAX_SECONDS * file.samplerate))
        file.seek(round((len(file) - count) * place))
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


def presets(font: Path) -> list[tuple[int, int]]:
    """(bank, program) of the presets of a soundfont."""
    content = font.read_bytes()
    start = content.index(b"phdr") + 8
    size = struct.unpack("<I", content[start - 4 : start])[0]
    headers = [content[at : at + 38] for at in range(start, start + size - 38, 38)]
    return sorted(
        {(bank, program) for program, bank in (struct.unpack("<HH", h[20:24]) for h in headers)}
    )


def renderings(package: str, root: Path) -> Iterator[Clip]:
    """Scores for the presets of a soundfont, half of them with reverb, for bands and for choirs."""
    for font in sorted(p for p in root.rglob("*.sf2") if not p.is_symlink()):
        found = [p for p in presets(font) if p[0] not in SKIPPED_BANKS]
        for number, (bank, program) in enumerate(found):
            seed, reverb = f"{font.stem} {bank} {program}", number % 2 == 0
            if KITS_IN_INSTRUMENTS in package:
                for take in range(12):
                    samples = play(drumming(program, f"{seed} {take}", 0), font, take % 2 == 0)
                    yield Clip(f"{font.stem}-{take:03}", "percussion", samples, RATE)
            elif bank == DRUM_BANK:
                yield Clip(
                    f"kit-{program:03}",
                    "percussion",
                    play(drumming(program, seed), font, reverb),
                    RATE,
                )
            else:
                samples = play(score(program, seed, bank), font, reverb)
                yield Clip(f"program-{bank}-{program:03}", "solo-instrument", samples, RATE)
        if {(0, program) for program in GENERAL_MIDI} <= set(found):
            yield from ensembles(font)


def ensembles(font: Path) -> Iterator[Clip]:
    """Bands and choirs of a General MIDI soundfont."""
    for number in range(24):
        samples = play(band(f"{font.stem} {number}"), font, reverb=True)
        yield Clip(f"band-{number:03}", "music-mix", samples, RATE)
    for number in range(6):
        samples = play(choir(f"{font.stem} {number}"), font, reverb=True)
        yield Clip(f"choir-{number:03}", "singing", samples, RATE)


def patches(package: str, root: Path) -> Iterator[Clip]:
    """Scores for every instrument of a set of patches, and for its drum kit."""
    [config] = root.glob(f"etc/timidity/{package}.cfg")
    tones = sorted(root.rglob("Tone_000/*.pat"))
    settings = root / "timidity.cfg"
    settings.write_text(re.sub("(?m)^dir .*", f"dir {tones[0].parents[1]}", config.read_text()))
    for program in (int(path.name[:3]) for path in tones):
        samples = play_patches(score(program, f"{package} {program}"), settings)
        yield Clip(f"program-{program:03}", "solo-instrument", samples, RATE)
    for take in range(6):
        samples = play_patches(drumming(0, f"{package} {take}"), settings)
        yield Clip(f"kit-{take:03}", "percussion", samples, RATE)


def play_patches(score: Score, settings: Path) -> np.ndarray:
    """(n, 2) samples of a score that timidity plays."""
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "score.mid"), Path(folder, "score.wav")
        midi.write_bytes(score.midi())
        command = ["timidity", "-c", settings, "-s", str(RATE), "-Ow", "-o", wav, midi]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        samples, _ = soundfile.read(wav, always_2d=True)
    return limited(samples)


def play(score: Score, font: Path, reverb: bool) -> np.ndarray:
    """(n, 2) samples of a score, with or without fluidsynth's default reverb."""
    return limited(make_sounds.play(score, font, 0.4, ("-R", str(int(reverb)))))


def limited(samples: np.ndarray) -> np.ndarray:
    """The first RENDERED_SECONDS of (n, 2) samples, with a peak of 0.7."""
    return 0.7 * samples[: round(RENDERED_SECONDS * RATE)] / max(np.abs(samples).max(), 1e-6)


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


def score(program: int, seed: str, bank: int = 0) -> Score:
    """Random melody of one instrument."""
    rng = random.Random(seed)
    out = Score(rng.uniform(70, 150), program)
    out.send(0, 0xB0, 0, bank >> 7, rank=-1)
    out.send(0, 0xB0, 32, bank & 127, rank=-1)
    out.player(0, program, pan=rng.randrange(30, 98))
    low = 28 if 32 <= program < 40 else rng.choice((40, 48, 55))
    phrase(out, 0, rng, low, low + 28, 44)
    return out


def choir(seed: str) -> Score:
    """Random score of four parts of singers."""
    rng = random.Random(seed)
    out = Score(rng.uniform(50, 90), 0)
    for channel, low in enumerate((38, 46, 53, 60)):
        out.player(channel, rng.choice(CHOIRS), pan=rng.randrange(20, 108), reverb=90)
        phrase(out, channel, rng, low, low + 19, 28)
    return out


def drumming(kit: int, seed: str, channel: int = DRUMS) -> Score:
    """Random patterns of one drum kit."""
    rng = random.Random(seed)
    out = Score(rng.uniform(80, 140), kit)
    out.player(channel, kit, drums=channel == DRUMS)
    add_drums(out, rng, 44, channel)
    return out


def add_drums(out: Score, rng: random.Random, until: float, channel: int = DRUMS) -> None:
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
            out.hits(beat, drum, pattern, channel=channel)
        beat += 4


def band(seed: str) -> Score:
    """Random score of three instruments, a bass and drums."""
    rng = random.Random(seed)
    out = Score(rng.uniform(70, 150), 0)
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


def cutoff_of(clip: Clip) -> int | None:
    """Frequency in Hz above which a clip has nothing to learn from, or None."""
    found = [brickwall(clip.samples, clip.rate), 0.47 * clip.rate if clip.rate < RATE else None]
    return round(min((f for f in found if f), default=0)) or None


def gather(package: str, root: Path, out: Path) -> list[list[str]]:
    """Write the clips of an unpacked package, and its licences; returns rows of the manifest."""
    for path in root.glob("usr/share/doc/*/copyright"):
        (out / f"{package}.copyright").write_bytes(path.read_bytes())
    clips = renderings if package in SOUNDFONTS else patches if package in PATCHES else recordings
    rows = []
    for k, clip in enumerate(clips(package, root)):
        stem = re.sub("[^a-z0-9]+", "-", clip.name.lower())[:48]
        name = f"{package}__{k:03}-{stem}.flac"
        samples = np.round(np.clip(clip.samples, -1, 1) * 32767).astype(np.int16)
        soundfile.write(out / name, samples, clip.rate, subtype="PCM_16")
        rows.append([name, package, clip.category, str(cutoff_of(clip) or "")])
    return rows


def list_sources(out: Path) -> str:
    """A table of the packages of a folder: recordings, minutes, kinds, holders, licences.

    Holders and licences are those that the packages' `copyright` files name most often.
    """
    found = defaultdict(list)
    with open(out / "manifest.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["source_repository"]].append(row)
    lines = [
        "| package | recordings | minutes | kind | holders | licences |",
        "|---|---|---|---|---|---|",
    ]
    for package, rows in sorted(found.items()):
        path = out / f"{package}.copyright"
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        holders = Counter(
            re.findall(r"(?m)^Copyright: *(?:[©(cC) ]*[\d ,–-]+)?([^<\n|]*[^<\n| ,])", text)
        )
        for name in [name for name in holders if "Free Software Foundation" in name]:
            del holders[name]  # of the licence's text
        licences = Counter(
            re.findall(r"(?m)^License: *([^\n|]*[^\n| ])", text) or re.findall(LICENCE_NAMES, text)
        )
        lines.append(
            "| "
            + " | ".join(
                (
                    package,
                    str(len(rows)),
                    f"{sum(soundfile.info(out / row['file']).duration for row in rows) / 60:.1f}",
                    ", ".join(sorted({row["category"] for row in rows})),
                    "; ".join(name for name, _ in holders.most_common(4))
                    or "see its copyright file",
                    "; ".join(sorted(name for name, _ in licences.most_common(6)))
                    or "see its copyright file",
                )
            )
            + " |"
        )
    return "\n".join(lines) + "\n"


def main(out: Path, packages: Sequence[str]) -> None:
    """Write the clips of packages that are not in the manifest yet, and add them to it."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / "manifest.csv"
    if not manifest.is_file():
        manifest.write_text("file,source_repository,category,brickwall_hz\n")
    with open(manifest, newline="", encoding="utf-8") as file:
        gathered = {row["source_repository"] for row in csv.DictReader(file)}
    missing = [package for package in packages if package not in gathered]
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(missing), PACKAGES_AT_ONCE):
            together = missing[start : start + PACKAGES_AT_ONCE]
            download(together, Path(folder))
            for package in together:
                root = unpack(package, Path(folder))
                rows = gather(package, root, out)
                with open(manifest, "a", newline="", encoding="utf-8") as file:
                    csv.writer(file, lineterminator="\n").writerows(rows)
                print(f"{package}: {len(rows)} clips", flush=True)
                shutil.rmtree(root)
    (out / "SOURCES.md").write_text(list_sources(out), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:] or (*PACKAGES, *SOUNDFONTS, *PATCHES))
