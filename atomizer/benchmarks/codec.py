"""Files of atoms beside MP3, Vorbis, Opus and AAC at equal sizes: figure, table of docs/codec.md.

python -m atomizer.benchmarks.codec --audio DIR --figure docs/figures/codec.png

Every clip is encoded once, at the highest rate, and cut for the lower ones: sizes are those of the
cut files, headers included. Sizes of the other codecs are measured, too, without headers: their
setting is the smallest whose size is not below that of the file of atoms, so that they never have
fewer bytes; a codec without such a setting has its largest. Seconds are processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from matplotlib.figure import Figure

from .. import metrics
from ..codec import decode, encode
from ..evaluation.baselines import codecs, ffmpeg_codecs
from ..io.audio import Sound, open_long, read
from ..io.datasets import Clip, list_clips

T = TypeVar("T")
RATE = 44_100
RATES = (16, 24, 32, 48, 64, 96)  # kbit/s of a stereo sound
PER_SOURCE = 3  # clips of a source at most
SKIPPED = ("environment",)
OURS = ("atoms", "atoms, noise")
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {
    "visqol": metrics.visqol,
    "snr": metrics.snr_db,
    "lsd": metrics.lsd,
    "coherence": metrics.coherence,
}
_COLOURS = {
    "atoms, noise": "#d55e00",
    "atoms": "#e69f00",
    "opus": "#0072b2",
    "vorbis": "#009e73",
    "mp3": "#5b6475",
    "aac": "#cc79a7",
}


@dataclass(frozen=True)
class Measured:
    """A clip in a codec at a rate: size, scores (`METRICS`), and seconds per second of sound."""

    clip: str
    codec: str
    target: int
    kbps: float
    encode_s: float
    decode_s: float
    scores: dict[str, float | None]


def clips(folder: Path, count: int, seconds: float) -> list[Clip]:
    """Held-out stereo recordings that are long enough, at most `PER_SOURCE` of a source."""
    out: list[Clip] = []
    for clip in list_clips(folder):
        others = sum(clip.source == other.source for other in out)
        if not clip.held_out or clip.category in SKIPPED or others == PER_SOURCE:
            continue
        with open_long(clip.path) as file:
            if file.channels == 2 and file.frames >= seconds * file.rate:
                out.append(clip)
    return out[:count]


def excerpt(clip: Clip, seconds: float) -> Sound:
    """The middle of a recording, at the rate of the metrics."""
    with open_long(clip.path) as file:
        start = max(0.0, (file.frames / file.rate - seconds) / 2)
    return Sound(read(clip.path, start=start, seconds=seconds).at(RATE), RATE)


def peers() -> list[str]:
    """Names of the other codecs that are installed."""
    ours = filter(codecs.is_installed, codecs.CODECS)
    return [*ours, *filter(ffmpeg_codecs.is_installed, ffmpeg_codecs.CODECS)]


def measure(name: str, sound: Sound, codec: str) -> Iterator[Measured]:
    """A sound in a codec at all rates: "atoms", or a name of `peers`."""
    return _measure_atoms(name, sound) if codec == "atoms" else _measure_peer(name, sound, codec)


def _measure_atoms(name: str, sound: Sound) -> Iterator[Measured]:
    """The sound as a file of atoms, without noise and with it."""
    whole, encoding = _timed(partial(encode, sound, kbps=max(RATES)), sound)
    for target in RATES:
        data = whole[: round(target * 125 * sound.seconds)]
        for codec, fill in zip(OURS, (None, "noise")):
            decoded, decoding = _timed(partial(decode, data, fill=fill), sound)
            size = 8e-3 * len(data) / sound.seconds
            scores = _scores(sound, decoded.samples)
            yield Measured(name, codec, target, size, encoding, decoding, scores)


def _measure_peer(name: str, sound: Sound, codec: str) -> Iterator[Measured]:
    """The sound in another codec."""
    module = ffmpeg_codecs if codec in ffmpeg_codecs.CODECS else codecs
    samples, like = sound.samples, (RATE, sound.samples.shape[1])
    for target in RATES:
        setting = module.setting_for(samples, RATE, codec, target)
        file, encoding = _timed(partial(module.encode_with, samples, RATE, codec, setting), sound)
        decoded, decoding = _timed(partial(module.decode_with, file, codec, setting, like), sound)
        scores = _scores(sound, decoded)
        yield Measured(name, codec, target, setting.kbps, encoding, decoding, scores)


def _timed(call: Callable[[], T], sound: Sound) -> tuple[T, float]:
    """What a call returns, and its processor time per second of sound, with child processes."""
    began = time.process_time() + sum(os.times()[2:4])
    out = call()
    return out, (time.process_time() + sum(os.times()[2:4]) - began) / sound.seconds


def _scores(sound: Sound, samples: np.ndarray) -> dict[str, float | None]:
    pair = metrics.normalise(sound.samples, samples)
    return {name: metric(*pair) for name, metric in METRICS.items()}


def mean(found: list[Measured], codec: str, target: int, score: str) -> float:
    """Mean of a score, or a field, over clips; NaN if it was not measured."""
    chosen = [m for m in found if m.codec == codec and m.target == target]
    values = [m.scores[score] if score in m.scores else getattr(m, score) for m in chosen]
    return float(np.mean([np.nan if value is None else value for value in values]))


def table(found: list[Measured]) -> str:
    """Mean ViSQOL / SNR / LSD per rate and codec, as Markdown, with sizes 3 % off the rate."""
    names = list(dict.fromkeys(m.codec for m in found))
    lines = [f"| kbit/s | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for target in RATES:
        cells = []
        for codec in names:
            values = [mean(found, codec, target, name) for name in ("visqol", "snr", "lsd")]
            size = mean(found, codec, target, "kbps")
            cell = " / ".join(f"{value:.2f}" for value in values)
            is_off = abs(size / target - 1) > 0.03
            cells.append(f"{cell} ({size:.0f} kbit/s)" if is_off else cell)
        lines.append(f"| {target} | {' | '.join(cells)} |")
    return "\n".join(lines)


def speeds(found: list[Measured]) -> str:
    """Encoding and decoding of each codec on one core, in multiples of real time, as Markdown."""
    targets = (48, max(RATES))
    heads = [f"{verb}, {target} kbit/s" for target in targets for verb in ("encode", "decode")]
    lines = [f"| codec | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for codec in dict.fromkeys(m.codec for m in found):
        pairs = [(target, name) for target in targets for name in ("encode_s", "decode_s")]
        cells = (f"{1 / mean(found, codec, *pair):.0f} x" for pair in pairs)
        lines.append(f"| {codec} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(found: list[Measured]) -> Figure:
    """ViSQOL and SNR over the bit rate."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for ax, score, label in zip(figure.subplots(1, 2), ("visqol", "snr"), ("ViSQOL", "SNR / dB")):
        for codec in dict.fromkeys(m.codec for m in found):
            x, y = ([mean(found, codec, rate, name) for rate in RATES] for name in ("kbps", score))
            ax.plot(x, y, "o-", markersize=3.5, color=_COLOURS[codec], label=codec)
        ax.set(xlabel="kbit/s, stereo", ylabel=label, xlim=(0, None))
        ax.grid(color="#e3e6ec", linewidth=0.6)
    figure.axes[0].legend(fontsize=8, frameon=False)
    return figure


def main() -> None:
    """Measure, or continue a report; print the table and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio", type=Path, required=True, help="folder of recordings")
    parser.add_argument("--figure", type=Path, help="figure to draw")
    parser.add_argument("--report", type=Path, help="JSON of all measurements, continued")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    found: list[Measured] = []
    if options.report and options.report.is_file():
        found = [Measured(**row) for row in json.loads(options.report.read_text())]
    decode(encode(Sound(np.zeros((2, 2048), np.float32), RATE)))  # compiles before the clock starts
    for clip in clips(options.audio, options.clips, options.seconds):
        sound, name = excerpt(clip, options.seconds), clip.path.name
        for codec in ("atoms", *peers()):
            if any(m.clip == name and m.codec == codec for m in found):
                continue
            found += measure(name, sound, codec)
            print(name, codec, flush=True)
            if options.report:
                options.report.write_text(json.dumps([asdict(m) for m in found], indent=1) + "\n")
    print(f"{len({m.clip for m in found})} clips of {options.seconds:g} s\n\n{table(found)}")
    print(f"\n{speeds(found)}")
    if options.figure:
        draw(found).savefig(options.figure, dpi=110)


if __name__ == "__main__":
    main()
