"""Draw the figures of the documentation's concepts: `python tools/site/draw.py [FOLDER]`.

Every figure is computed from an example sound by the functions that it explains; the last one
shows the table of orderings and tasks of the evaluation.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from atomizer import (  # noqa: E402
    ORDERINGS,
    Atoms,
    MDCTAtomizer,
    Settings,
    fill,
    load_model,
    order,
    parse,
    prepare,
    read,
)
from atomizer.inpainting.task import Task  # noqa: E402
from atomizer.io.audio import Sound  # noqa: E402
from atomizer.priors.interface import PriorContext  # noqa: E402
from atomizer.priors.recording.context import erase_hidden  # noqa: E402
from atomizer.priors.registry import (  # noqa: E402
    LEVEL_PRIOR,
    predict_coefficients,
    predict_from_recording,
)

FOLDER = ROOT / "docs" / "figures" / "concepts"
BLUE, ORANGE, GREY = "#3455c9", "#d9661f", "#8a8f98"
FLOOR_DB = 60  # range of levels that is drawn
START, SECONDS = 4.0, 0.5  # excerpt of the close views
PRIOR_HZ = (200.0, 1600.0)


def example_sound() -> Sound:
    """The first channel of the band, 8 s."""
    sound = read(ROOT / "assets" / "band.flac", seconds=8)
    return Sound(sound.samples[:1], sound.rate)


def dots(axes: Axes, atoms: Atoms, colour: np.ndarray | None = None, most: float = 26) -> None:
    """Atoms as dots; the area follows the level, the colour is the sign unless it is given."""
    space = atoms.space
    level = 20 * np.log10(np.abs(atoms.amplitude) / np.abs(atoms.amplitude).max() + 1e-9)
    area = most * np.clip(1 + level / FLOOR_DB, 0, 1) ** 2
    if colour is None:
        colour = np.where(atoms.amplitude > 0, ORANGE, BLUE)
    shown = area > 0
    axes.scatter(
        space.seconds(atoms.time)[shown],
        (atoms.frequency[shown] + 0.5) * space.bin_hz,
        s=area[shown],
        c=colour[shown],
        linewidths=0,
    )


def close_up(axes: Axes, hertz: tuple[float, float] = (0, 2000)) -> None:
    """Limits and labels of a close view."""
    axes.set(xlim=(START, START + SECONDS), ylim=hertz, xlabel="time (s)", ylabel="frequency (Hz)")


def excerpt_of(atoms: Atoms) -> Atoms:
    """The atoms of the close views."""
    return atoms[is_near(atoms)]


def is_near(atoms: Atoms) -> np.ndarray:
    """Which atoms are in the close views: (N,) bool."""
    seconds = atoms.space.seconds(atoms.time)
    return (seconds >= START) & (seconds < START + SECONDS)


def draw_atoms(sound: Sound) -> Figure:
    """Waveform, its atoms, and sums of the loudest ones."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.25, 1))
    atoms = MDCTAtomizer().analyse(sound.samples)
    t = np.arange(sound.samples.shape[1]) / sound.rate
    view = (t >= START + 0.1) & (t < START + 0.125)
    left.plot(t[view], sound.samples[0, view], color=GREY, lw=1)
    left.set(title="sound", xlabel="time (s)", yticks=[])
    dots(middle, excerpt_of(atoms))
    close_up(middle)
    middle.set_title("atoms: orange +, blue −")
    loudest = atoms[order(atoms, "velocity")]
    for line, count in enumerate((1000, 10_000, len(atoms))):
        sum_of = MDCTAtomizer().synthesise(loudest[:count])[0]
        right.plot(t[view], sum_of[view] - 0.6 * line, color=BLUE, lw=1)
        label = "all" if count == len(atoms) else f"{count:,}"
        right.text(START + 0.126, -0.6 * line, label, fontsize=9, va="center")
    right.set(title="sums of the loudest", xlabel="time (s)", yticks=[], xlim=(None, START + 0.133))
    return figure


def draw_features(sound: Sound) -> Figure:
    """One atom, its neighbours, and its five features."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    atoms = excerpt_of(MDCTAtomizer().analyse(sound.samples))
    one = int(np.abs(atoms.amplitude).argmax())
    t, f = int(atoms.time[one]), int(atoms.frequency[one])
    near = (np.abs(atoms.time - t) < 6) & (np.abs(atoms.frequency - f) < 9)
    dots(left, atoms[near], most=160)
    x, y = float(atoms.space.seconds(t)), (f + 0.5) * atoms.space.bin_hz
    left.scatter([x], [y], s=420, facecolors="none", edgecolors="black", linewidths=1.2)
    left.set(xlabel="time (s)", ylabel="frequency (Hz)")
    right.axis("off")
    rows = (
        ("time", f"frame {t} = {x:.2f} s"),
        ("frequency", f"bin {f} = {y:.0f} Hz"),
        ("channel", str(int(atoms.channel[one]))),
        ("velocity", f"{int(atoms.velocity[one])} of {atoms.space.levels - 1}"),
        ("sign", "+" if atoms.sign[one] else "−"),
    )
    for line, (name, value) in enumerate(rows):
        right.text(0, 0.85 - 0.18 * line, name, color=GREY)
        right.text(0.42, 0.85 - 0.18 * line, value, weight="bold")
    return figure


def draw_orderings(sound: Sound) -> Figure:
    """The same atoms, coloured by their rank in every ordering."""
    stereo = read(ROOT / "assets" / "band.flac", start=START, seconds=SECONDS)
    atoms = MDCTAtomizer().analyse(stereo.samples)
    atoms = atoms[(atoms.frequency < 140)].above(-FLOOR_DB)
    figure = Figure(figsize=(12, 2.9), layout="constrained")
    panels = figure.subplots(1, len(ORDERINGS), sharey=True)
    for axes, name in zip(panels, ORDERINGS):
        rank = np.empty(len(atoms))
        rank[order(atoms, name)] = np.linspace(0, 1, len(atoms))
        where = atoms.space.seconds(atoms.time)
        jitter = 0.008 * (atoms.channel - 0.5)  # both channels beside each other
        level = 1 + 20 * np.log10(np.abs(atoms.amplitude) / atoms.reference) / FLOOR_DB
        points = axes.scatter(
            where + jitter,
            (atoms.frequency + 0.5) * atoms.space.bin_hz,
            s=14 * np.clip(level, 0, 1) ** 2,
            c=rank,
            cmap="viridis",
            linewidths=0,
        )
        axes.set(title=name, xlabel="time (s)")
    panels[0].set_ylabel("frequency (Hz)")
    bar = figure.colorbar(points, ax=panels, ticks=(0, 1), pad=0.01)
    bar.ax.set_yticklabels(("first", "last"))
    return figure


def draw_unknown(sound: Sound) -> Figure:
    """Three kinds of unknown atoms: a hole, the highs, signs."""
    figure = Figure(figsize=(11, 3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    cases = (
        ("a hole in time", ["time:4.18-4.3"], ("velocity", "sign")),
        ("frequencies above 900 Hz", ["above:900"], ("velocity", "sign")),
        ("half of the signs", ["random:50"], ("sign",)),
    )
    atoms = excerpt_of(MDCTAtomizer().analyse(sound.samples))
    for axes, (title, selection, features) in zip(panels, cases):
        hidden = prepare(sound, parse(selection, features)).mask
        colour = np.where(atoms.amplitude > 0, ORANGE, BLUE)
        colour[hidden[atoms.channel, atoms.time, atoms.frequency]] = "#c9ccd1"
        dots(axes, atoms, colour)
        close_up(axes)
        axes.set_title(title)
    for axes in panels[1:]:
        axes.set_ylabel("")
    return figure


def draw_priors(sound: Sound) -> Figure:
    """Truth and the predictions of the priors in one hole."""
    task = prepare(sound, parse(["time:4.15-4.4"]))
    planes = prior_planes(task)
    figure = Figure(figsize=(12, 2.9), layout="constrained")
    panels = figure.subplots(1, len(planes), sharey=True)
    space, first = task.space, round(START * task.space.rate / task.space.hop)
    frames = slice(first, first + round(SECONDS * space.rate / space.hop))
    bins = slice(*(round(hertz / space.bin_hz) for hertz in PRIOR_HZ))
    peak = np.abs(task.grid[0, frames, bins]).max()
    for axes, (title, plane) in zip(panels, planes.items()):
        level = 20 * np.log10(np.abs(plane[frames, bins].T) / peak + 1e-6)
        axes.imshow(
            level,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-FLOOR_DB,
            vmax=0,
            extent=(START, START + SECONDS, *PRIOR_HZ),
        )
        axes.set(title=title, xlabel="time (s)")
    panels[0].set_ylabel("frequency (Hz)")
    return figure


def prior_planes(task: Task) -> dict[str, np.ndarray]:
    """Truth and predictions of a hole: (T, F) amplitudes or deviations by title."""
    frames = slice(100, 260)
    grid, mask = task.grid[:, frames], task.mask[:, frames]
    known = np.where(mask, np.float32(0), grid)
    wide = np.where(task.mask, np.float32(0), task.grid)
    peak = float(np.abs(wide).max())
    context = PriorContext(known, ~mask, task.space, peak, wide, ~task.mask, frames.start)
    wiener = predict_coefficients(context)
    envelope = LEVEL_PRIOR.predict(context)
    recording = erase_hidden(task.sound.samples, task.grid, task.mask, task.space)
    copy = predict_from_recording(recording, "recording")
    planes = {"truth": task.grid[0], "known": wide[0]}
    for title, plane in (
        ("Wiener estimate", wiener.mean if wiener else np.zeros_like(known)),
        ("spectral envelope", envelope.std if envelope else np.zeros_like(known)),
    ):
        full = wide[0].copy()
        full[frames] = np.where(mask[0], plane[0], known[0])
        planes[title] = full
    if copy is not None:
        mean, _ = copy.cut(0, task.grid.shape[1])
        planes["copy"] = np.where(task.mask[0], mean[0], wide[0])
    return planes


def draw_sampling(sound: Sound) -> Figure:
    """Four steps of filling the highs from low to high."""
    figure = Figure(figsize=(11, 3), layout="constrained")
    panels = figure.subplots(1, 4, sharey=True)
    task = prepare(sound, parse(["above:4000"]))
    settings = Settings(order="frequency", steps=4, seed=1)
    space = task.space
    for axes, step in zip(panels, fill(task, settings, load_model())):
        level = 20 * np.log10(np.abs(step.grid[0].T) / np.abs(task.grid).max() + 1e-6)
        remains = (task.mask & ~step.revealed)[0].T
        axes.imshow(
            np.ma.masked_where(remains, level),
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-90,
            vmax=0,
            extent=(0, sound.seconds, 0, space.rate / 2000),
        )
        axes.set_facecolor("#c9ccd1")
        axes.set(title=f"step {step.number} of {step.total}", xlabel="time (s)")
    panels[0].set_ylabel("frequency (kHz)")
    return figure


def draw_ordering_task(sound: Sound) -> Figure:
    """Results of the orderings relative to one step, from the table of the evaluation."""
    columns, rows = ordering_table((ROOT / "dev" / "evaluation.md").read_text("utf-8"))
    figure = Figure(figsize=(9, 4.4), layout="constrained")
    axes = figure.subplots()
    markers = "o^sDv"
    for column, marker in zip(columns[:-1], markers):
        gains = [gain(name, values[column], values[columns[-1]]) for name, values in rows.items()]
        axes.plot(gains, range(len(rows)), marker, label=column, ms=7, alpha=0.85)
    axes.axvline(0, color=GREY, lw=1)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set_xlabel("better than one step (%)")
    axes.legend(title="ordering", frameon=False, loc="lower left")
    axes.grid(axis="y", color="#e4e6ea")
    return figure


def ordering_table(text: str) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Columns, and values by row and column, of the table "Ordering x task"."""
    section = text.split("## Ordering x task", 1)[1]
    lines = re.findall(r"^\|(.+)\|$", section, re.MULTILINE)
    cells = [[cell.strip().strip("*") for cell in line.split("|")] for line in lines]
    columns = cells[0][1:]
    rows = {}
    for row in cells[2:]:
        if len(row) != len(columns) + 1 or row[0].startswith(("task", "---")):
            break
        rows[row[0]] = dict(zip(columns, map(float, row[1:])))
    return columns, rows


def gain(metric: str, value: float, base: float) -> float:
    """Improvement in percent; SNR and ViSQOL are better when higher."""
    sign = 1 if "SNR" in metric or "ViSQOL" in metric else -1
    return sign * 100 * (value - base) / abs(base)


FIGURES: dict[str, Callable[[Sound], Figure]] = {
    "atoms": draw_atoms,
    "features": draw_features,
    "orderings": draw_orderings,
    "unknown": draw_unknown,
    "priors": draw_priors,
    "sampling": draw_sampling,
    "ordering-task": draw_ordering_task,
}


def main(folder: Path = FOLDER) -> None:
    """Write all figures as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = example_sound()
    for name, draw in FIGURES.items():
        picture = io.BytesIO()
        draw(sound).savefig(picture, format="png", dpi=110)
        # 128 colours halve the files
        Image.open(picture).convert("RGB").quantize(128).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
