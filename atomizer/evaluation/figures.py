"""Figures of cases: spectrograms of the original, of the masked sound, and of every method.

Where the model copied from the recording, the span that it copied most from is a panel, too.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .. import metrics
from ..plotting.axes import axis_frequency, axis_position, frequency_ticks
from .baselines.recording import shift
from .cases import Case, Estimate

RANGE_DB = 90.0  # of the colour scale, below the loudest of the original
CONTEXT_SECONDS = 0.6  # shown on both sides of a hidden span
COLUMNS = 5
SCALE = "mel"  # of the frequency axis: half of the height is below 3.5 kHz, where notes are
ROWS = 256  # of a spectrogram
LEAVES_MASK = {"erased", "truncate"}  # methods whose result is the masked sound
QUALITY = 60  # of WebP
PER_LINE = 3  # metrics in a line of the title of a panel
# Metrics in the title of a panel, if the task has them, and their short names
CAPTIONS = {
    "lsd_hidden": "LSD",
    "snr_db": "SNR",
    "note_f1": "note F1",
    "visqol": "ViSQOL",
    "accuracy": "accuracy",
    "side_lsd": "side LSD",
    "kbps": "kbit/s",
    "level_drift_db": "drift",
}


def draw_case(
    case: Case,
    estimates: dict[str, Estimate],
    values: dict[str, dict[str, float]],
    clip: str,
    path: Path,
) -> None:
    """Write a figure of one case: a panel per method in the colour scale of the original.

    Dashed lines surround the hidden region. For an upmix the hidden channel is shown, for all
    other kinds of task the mean of the channels.

    estimates  estimates by method
    values     metrics by method
    clip       name of the clip, for the title
    path       file to write; its suffix is a format of matplotlib
    """
    panels = _panels(case, estimates)
    top = float(panels["original"].max())
    rows = -(-len(panels) // COLUMNS)
    columns = -(-len(panels) // rows)
    figure = Figure(figsize=(3.4 * columns, 2.9 * rows + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axis, (name, db) in zip(grid.ravel(), panels.items()):
        image = _draw_spectrogram(axis, db, top)
        _mark_hidden(axis, case)
        axis.set_xlim(*_visible_seconds(case))
        axis.set_title(_title(name, values.get(name, {})), fontsize=8)
    _label_axes(grid, len(panels))
    figure.colorbar(image, ax=grid.ravel().tolist(), label="dB", shrink=0.8, pad=0.01)
    suffix = ", the hidden channel" if case.evaluation.kind == "upmix" else ""
    figure.suptitle(f"{case.evaluation.name}: {clip}{suffix}", fontsize=12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100, pil_kwargs={"quality": QUALITY})


def _draw_spectrogram(axis, db: np.ndarray, top: float):
    """Draw a spectrogram (frames, ROWS) in dB, the loudest colour at `top`; returns its image."""
    return axis.imshow(
        db.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=top - RANGE_DB,
        vmax=top,
        interpolation="nearest",
        extent=(0, db.shape[0] * metrics.HOP / metrics.RATE, 0, height_of(metrics.RATE / 2)),
    )


def _label_axes(grid: np.ndarray, count: int) -> None:
    """Label the axes of a grid, (rows, columns), of which the first `count` have a panel."""
    rows, columns = grid.shape
    for axis in grid.ravel()[count:]:
        axis.set_visible(False)
    ticks = frequency_ticks((0, metrics.RATE / 2), SCALE)
    for axis in grid[:, 0]:
        axis.set_yticks([height_of(hertz) for hertz in ticks], [f"{f / 1000:g}" for f in ticks])
        axis.set_ylabel("kHz")
    for column in range(columns):
        lowest = max(row for row in range(rows) if row * columns + column < count)
        grid[lowest, column].set_xlabel("seconds")
        grid[lowest, column].tick_params(labelbottom=True)


def height_of(hertz: float) -> float:
    """Position of a frequency on the axis of all panels."""
    return float(axis_position(hertz, SCALE))


def to_rows(power: np.ndarray) -> np.ndarray:
    """Mean power (frames, ROWS) of (frames, bins) at equal distances on the axis."""
    edges = axis_frequency(np.linspace(0, height_of(metrics.RATE / 2), ROWS + 1), SCALE)
    bins = np.round(edges / (metrics.RATE / 2) * (power.shape[1] - 1)).astype(int)
    width = np.maximum(np.diff(bins), 1)
    return np.add.reduceat(power[:, : bins[-1]], bins[:-1], axis=1) / width


def _panels(case: Case, estimates: dict[str, Estimate]) -> dict[str, np.ndarray]:
    """Spectrograms (frames, ROWS) in dB by the name of their panel."""
    signals = {"original": case.original}
    if not LEAVES_MASK & estimates.keys():
        signals["masked"] = case.masked
    signals |= {name: estimate.samples for name, estimate in estimates.items()}
    sources = estimates["model"].sources if "model" in estimates else ()
    if sources:
        lag = round(sources[0].lag * case.task.sound.rate / case.task.space.rate)
        seconds = sources[0].source
        signals[f"source, {seconds[0]:.1f} to {seconds[1]:.1f} s"] = shift(case.masked, lag)
    upmix = case.evaluation.kind == "upmix"

    def spectrogram(samples: np.ndarray) -> np.ndarray:
        shown = samples[1:2] if upmix else samples.mean(axis=0, keepdims=True)
        return 10 * np.log10(to_rows(metrics.power(shown)[0]) + 1e-15)

    return {name: spectrogram(samples) for name, samples in signals.items()}


def _visible_seconds(case: Case) -> tuple[float, float]:
    """Seconds (start, end) of the time axis."""
    seconds = case.task.sound.seconds
    if case.hidden_span is None:
        return 0.0, seconds
    start, end = case.hidden_span
    return max(0.0, start - CONTEXT_SECONDS), min(seconds, end + CONTEXT_SECONDS)


def _mark_hidden(axis, case: Case) -> None:
    """Draw dashed lines at the limits of the hidden span or band."""
    line = dict(color="white", linestyle="--", linewidth=0.8, alpha=0.8)
    for second in case.hidden_span or ():
        axis.axvline(second, **line)
    if case.hidden_span is not None:
        start, end = case.hidden_span
        for hertz in case.evaluation.band_hz:
            if 0 < hertz < metrics.RATE / 2:
                axis.hlines(height_of(hertz), start, end, **line)
    if case.evaluation.kind == "bandwidth":
        lowest = np.flatnonzero(case.task.mask.any(axis=(0, 1)))[0]
        axis.axhline(height_of(lowest * case.task.space.bin_hz), **line)


def _title(name: str, values: dict[str, float]) -> str:
    """Name of the method, and the metrics of `CAPTIONS` in lines of `PER_LINE`."""
    title = name + (" (masked)" if name in LEAVES_MASK else "")
    found = [f"{short} {values[key]:.2f}" for key, short in CAPTIONS.items() if key in values]
    lines = [found[first : first + PER_LINE] for first in range(0, len(found), PER_LINE)]
    return "\n".join([title, *("  ".join(line) for line in lines)])
