"""Number of atoms per atomizer for a given ratio: figure and table of docs/atomizers.md.

python -m atomizer.benchmarks.atomizers docs/figures/atomizers.png
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..analysis import ATOMIZERS, MatchingPursuitAtomizer, Stop
from ..io.audio import read
from ..io.resources import ASSETS
from .pursuit import RATE, SECONDS, START

SOUNDS = ("solo", "ensemble", "voices", "percussion")
# Largest number of atoms per pursuit: some need a millisecond and more per atom
COMPARED = {
    "mdct": None,
    "matching-pursuit": None,
    "matching-pursuit-optimised": 3000,
    "matching-pursuit-gabor": 3000,
}
MARKS_DB = (10, 20, 30)
_COLOURS = {
    "mdct": "#5b6475",
    "matching-pursuit": "#0072b2",
    "matching-pursuit-optimised": "#d55e00",
    "matching-pursuit-gabor": "#009e73",
}


@dataclass(frozen=True)
class Curve:
    """Signal-to-residual ratio over the number of atoms.

    srr_db   (n + 1,) ratio of the first 0 … n atoms
    seconds  (n + 1,) processor time until then
    """

    sound: str
    atomizer: str
    srr_db: np.ndarray
    seconds: np.ndarray

    def needed(self, srr_db: float) -> tuple[int, float] | None:
        """(atoms, seconds) for a ratio; None if it is not reached."""
        reached = np.flatnonzero(self.srr_db >= srr_db)
        return (int(reached[0]), float(self.seconds[reached[0]])) if len(reached) else None


def clip(name: str) -> np.ndarray:
    """(1, samples) of an example sound."""
    return (
        read(ASSETS / f"{name}.flac")
        .at(RATE)[:, START * RATE : (START + SECONDS) * RATE]
        .mean(0, keepdims=True)
    )


def curve(sound: str, atomizer: str, srr_db: float = MARKS_DB[-1]) -> Curve:
    """Curve of one atomizer for one sound, up to a ratio or the largest number of atoms."""
    samples, atomizer_ = clip(sound), ATOMIZERS[atomizer]()
    atomizer_.analyse(np.ones((1, 1), np.float32), loudest=1)  # compiles
    start = time.process_time()
    if isinstance(atomizer_, MatchingPursuitAtomizer):
        counts, spent = [0], [0.0]
        for pursuit in atomizer_.pursue(samples, Stop(COMPARED[atomizer], srr_db)):
            counts.append(pursuit.count)
            spent.append(time.process_time() - start)
        energies = np.concatenate([taken.energy for taken in pursuit.taken])
        seconds = np.interp(np.arange(len(energies) + 1), counts, spent)
        total = pursuit.state.energy + energies.sum()
    else:  # an orthonormal basis: loudest first, the residual is the rest
        energies = np.sort(np.square(atomizer_.analyse(samples).amplitude, dtype=float))[::-1]
        seconds = np.full(len(energies) + 1, time.process_time() - start)
        total = energies.sum()
    left = np.maximum(total - np.concatenate([[0], np.cumsum(energies)]), 1e-12 * total)
    return Curve(sound, atomizer, 10 * np.log10(total / left), seconds)


def table(curves: list[Curve]) -> str:
    """Atoms and processor seconds for every ratio, as Markdown."""
    lines = [
        "| sound | atomizer | " + " | ".join(f"{mark} dB" for mark in MARKS_DB) + " |",
        "|---|---|" + "---|" * len(MARKS_DB),
    ]
    for item in curves:
        found = [item.needed(mark) for mark in MARKS_DB]
        cells = ["" if cell is None else f"{cell[0]:,} ({cell[1]:.2g} s)" for cell in found]
        lines.append(f"| {item.sound} | {item.atomizer} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(curves: list[Curve]) -> Figure:
    """Ratio over number of atoms, a panel per sound."""
    sounds = list(dict.fromkeys(item.sound for item in curves))
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for ax, sound in zip(np.atleast_1d(figure.subplots(1, len(sounds), sharey=True)), sounds):
        for item in (item for item in curves if item.sound == sound):
            n = np.unique(np.geomspace(1, len(item.srr_db) - 1, 300).astype(int))
            n = n[item.srr_db[n] <= MARKS_DB[-1] + 1]
            ax.plot(n, item.srr_db[n], color=_COLOURS[item.atomizer], label=item.atomizer)
        for mark in MARKS_DB:
            ax.axhline(mark, color="#c4c9d4", linewidth=0.7, zorder=0)
        ax.set(
            xscale="log", title=sound, xlabel="atoms", xlim=(10, None), ylim=(0, MARKS_DB[-1] + 1)
        )
    figure.axes[0].set_ylabel("signal-to-residual ratio / dB")
    figure.axes[0].legend(fontsize=7.5, frameon=False)
    return figure


def main(path: Path, workers: int | None = None) -> None:
    """Draw the figure and print the table; curves are measured in parallel processes."""
    wanted = [(sound, atomizer) for sound in SOUNDS for atomizer in COMPARED]
    with ProcessPoolExecutor(workers) as pool:
        curves = list(pool.map(curve, *zip(*wanted)))
    draw(curves).savefig(path, dpi=110)
    print(table(curves))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
