"""The sound as a file of atoms: where its prefixes end, how they sound, and curves of codecs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import codec, metrics
from ..codec import ORDERS
from ..codec.names import ENDING
from ..errors import AtomizerError
from ..evaluation.baselines import codecs, ffmpeg_codecs
from ..io.audio import Sound
from .message import AtomsFile, Curve, FilePrefix
from .session import Session, scenes

if TYPE_CHECKING:
    from ..codec.decoder import Received

MAX_KBPS = 256.0  # of the file
POSITIONS = 1001  # of the slider: `countAtPosition` of state/orderings.js
EXCERPT_SECONDS = 6.0  # of the curves
RATES = (16, 24, 32, 48, 64, 96, 128)  # kbit/s of prefixes on the curves
LEVELS = (0.999, 0.95, 0.9, 0.8, 0.7)  # compression levels of the other codecs, small files first
TITLES = {"opus": "Opus", "vorbis": "Vorbis", "mp3": "MP3", "aac": "AAC"}
KBPS = (32, 48, 64, 96, 128)  # kbit/s of the codecs of ffmpeg


def counts_of(total: int) -> np.ndarray:
    """(POSITIONS,) numbers of atoms at the positions of the slider; the last one is `total`."""
    counts = np.round(float(total) ** (np.arange(POSITIONS) / (POSITIONS - 1))).astype(np.int64)
    counts[0], counts[-1] = 0, total
    return counts


def encode_original(session: Session, order: str) -> AtomsFile:
    """The original as a file of atoms, and where its prefixes end.

    Raises AtomizerError as `codec.encode`.
    """
    scene, name = session.shown.scene, Path(session.name).stem[:60]
    assert scene is not None, "there is no sound"
    data = codec.encode(session.sound, order=order, kbps=MAX_KBPS)
    ends = codec.positions(data, counts_of(scene.count).tolist())
    return AtomsFile(
        order=order,
        size=len(data),
        file=session.send(data, name + ENDING),
        ends=session.send(ends.astype("<u4").tobytes(), "ends.bin"),
    )


def find_file(session: Session, order: object) -> AtomsFile | None:
    """The file of the original in an ordering, if it was encoded."""
    return next((f for f in session.shown.compression.files if f.order == order), None)


def receive_prefix(file: AtomsFile, size: int) -> Received:
    """The atoms of the first `size` bytes of a file."""
    with open(file.file.path, "rb") as opened:
        return codec.receive(opened.read(max(0, size)), math.inf)


def prefix_of(
    session: Session, file: AtomsFile, size: int, filled: bool, sound: Sound
) -> FilePrefix:
    """What the page plays of the sound of a prefix."""
    pair = metrics.normalise(session.sound.samples, sound.samples)
    return FilePrefix(
        order=file.order,
        size=size,
        filled=filled,
        sound=scenes.preview(session, sound, "prefix"),
        snr_db=metrics.snr_db(*pair),
    )


def excerpt_of(sound: Sound) -> Sound:
    """The loudest `EXCERPT_SECONDS` of a sound, of at most two channels."""
    from ..codec.resolution import loudest_part

    return loudest_part(Sound(sound.samples[:2], sound.rate), EXCERPT_SECONDS)


def curves_of(sound: Sound, order: str) -> Iterator[tuple[int, int, list[Curve]]]:
    """Quality over the bit rate of a file of atoms and of the codecs that are installed.

    Yields (points measured, points in all, curves so far) after every point.
    """
    rate = 44_100
    reference = sound.at(rate)
    data = codec.encode(Sound(reference, rate), order=order, kbps=max(RATES))
    fill = None if order == "velocity" else "noise"

    def prefix(size: int) -> tuple[np.ndarray, float]:
        return codec.decode(data[:size], fill=fill).samples, 8e-3 * size / sound.seconds

    sizes = sorted({min(len(data), round(kbps * 125 * sound.seconds)) for kbps in RATES})
    measures: list[tuple[str, Callable[[], tuple[np.ndarray, float]]]]
    measures = [("atoms", partial(prefix, size)) for size in sizes]
    for transcode, installed, settings in (
        (codecs.at_level, filter(codecs.is_installed, codecs.CODECS), LEVELS),
        (ffmpeg_codecs.transcode, filter(ffmpeg_codecs.is_installed, ffmpeg_codecs.CODECS), KBPS),
    ):
        for name in installed:
            measures += [(name, partial(transcode, reference, rate, name, at)) for at in settings]
    curves: dict[str, Curve] = {}
    for done, (name, measure) in enumerate(measures, 1):
        samples, kbps = measure()
        curve = curves.setdefault(name, Curve(codec=TITLES.get(name, name)))
        _add(curve, kbps, reference, samples)
        yield done, len(measures), list(curves.values())


def _add(curve: Curve, kbps: float, reference: np.ndarray, samples: np.ndarray) -> None:
    """Append a point to a curve."""
    pair = metrics.normalise(reference, samples)
    curve.kbps.append(kbps)
    curve.snr.append(metrics.snr_db(*pair))
    curve.visqol.append(metrics.visqol(*pair))


def check_order(order: object) -> str:
    """Return an ordering of files of atoms. Raises AtomizerError for another one."""
    if order not in ORDERS:
        raise AtomizerError(
            f"Files of atoms are ordered by {' or '.join(ORDERS)}, not {str(order)[:40]}."
        )
    return str(order)
