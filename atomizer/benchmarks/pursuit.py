"""Speed of matching pursuit, and the ratio of 1000 atoms.

Measured on 5 s of every example sound, in mono, with scales 128 / 1024 / 8192. The peer of the
speed is the same pursuit with local updates in a few lines of NumPy; the peer of the locally
optimised pursuit is the plain one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import scipy.fft

from ..analysis import ATOMIZERS, MatchingPursuitAtomizer, Stop
from ..errors import AtomizerError
from ..io.audio import read
from ..io.resources import ASSETS
from .records import Record

RATE, SECONDS, START = 44_100, 5, 2
FAST, FEW = 5_000, 1_000  # atoms for the speed, and for the ratio
SCALES = (128, 1024, 8192)


def clips() -> list[np.ndarray]:
    """(1, samples) of every example sound."""
    paths = sorted(ASSETS.glob("*.flac"))
    if not paths:
        raise AtomizerError(
            "The pursuit is measured on the example sounds, which are missing: run it in "
            "the repository."
        )
    excerpt = slice(START * RATE, (START + SECONDS) * RATE)
    return [read(path).at(RATE)[:, excerpt].mean(0, keepdims=True) for path in paths]


def speed(atoms: int = FAST, few: int = FEW) -> Iterator[Record]:
    """Atoms per second over all clips, without import, compilation and tables."""
    sounds = clips()
    fast = MatchingPursuitAtomizer(stop=Stop(atoms=atoms))
    fast.analyse(np.ones((1, 1), np.float32))
    spent = _spent(fast.analyse, sounds)
    peer = _spent(lambda x: plain(x[0], few), sounds)
    yield Record(
        "pursuit_atoms_per_s",
        atoms * len(sounds) / spent,
        "atoms/s",
        "plain NumPy local update",
        few * len(sounds) / peer,
        higher_is_better=True,
    )


def ratio(atoms: int = FEW) -> Iterator[Record]:
    """Mean signal-to-residual ratio of a number of locally optimised atoms."""
    sounds = clips()

    def mean(name: str) -> float:
        return float(np.mean([_srr(ATOMIZERS[name](stop=Stop(atoms=atoms)), x) for x in sounds]))

    yield Record(
        f"pursuit_srr_{atoms}_db",
        mean("matching-pursuit-optimised"),
        "dB",
        "plain matching pursuit",
        mean("matching-pursuit"),
        higher_is_better=True,
    )


BENCHMARKS = {"pursuit_atoms_per_s": speed, f"pursuit_srr_{FEW}_db": ratio}


def _spent(work, sounds: list[np.ndarray]) -> float:
    start = time.perf_counter()
    for sound in sounds:
        work(sound)
    return time.perf_counter() - start


def _srr(atomizer: MatchingPursuitAtomizer, sound: np.ndarray) -> float:
    *_, pursuit = atomizer.pursue(sound)
    return pursuit.srr_db


def plain(x: np.ndarray, count: int) -> np.ndarray:
    """Residual (samples,) of x after `count` atoms: the peer."""
    hops = [scale // 2 for scale in SCALES]
    pad = SCALES[-1]
    residual = np.pad(x.astype(np.float64), (pad, 2 * pad))
    windows = [np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)) for hop in hops]
    inner = [np.zeros((-(-len(x) // hop) + 1, hop)) for hop in hops]
    peaks = [np.zeros(len(products)) for products in inner]

    def update(scale: int, first: int, last: int) -> None:
        hop = hops[scale]
        blocks = residual[pad + (first - 1) * hop : pad + last * hop].reshape(-1, hop)
        a, b = blocks[:-1] * windows[scale][:hop], blocks[1:] * windows[scale][hop:]
        left, right = np.split(a, 2, 1), np.split(b, 2, 1)
        folded = np.concatenate([-right[0][:, ::-1] - right[1], left[0] - left[1][:, ::-1]], 1)
        inner[scale][first:last] = scipy.fft.dct(folded, type=4, norm="ortho")
        peaks[scale][first:last] = np.abs(inner[scale][first:last]).max(1)

    for scale, products in enumerate(inner):
        update(scale, 0, len(products))
    for _ in range(count):
        scale = max(range(len(hops)), key=lambda s: peaks[s].max())
        hop, frame = hops[scale], int(peaks[scale].argmax())
        bin_ = int(np.abs(inner[scale][frame]).argmax())
        n = np.arange(2 * hop)
        atom = (
            windows[scale]
            * np.sqrt(2 / hop)
            * np.cos(np.pi / hop * (n + 0.5 + hop / 2) * (bin_ + 0.5))
        )
        residual[pad + (frame - 1) * hop : pad + (frame + 1) * hop] -= (
            inner[scale][frame, bin_] * atom
        )
        for other, products in enumerate(inner):
            first = max(0, (frame - 1) * hop // hops[other])
            update(other, first, min(len(products), -(-(frame + 1) * hop // hops[other]) + 1))
    return residual[pad : pad + len(x)]
