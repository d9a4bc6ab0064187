"""A figure per task: spectrograms of the original, of what is left of it, and of every method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .. import metrics
from .tasks import Case, Filled

RANGE_DB = 90.0  # of the colour scale, below the original's loudest
AROUND = 0.6  # seconds that are shown to either side of a hidden span
COLUMNS = 4
NOTHING = {"erased", "truncate"}  # methods that leave what is masked as it is
TITLE = {
    "lsd_hidden": "LSD",
    "snr_db": "SNR",
    "visqol": "ViSQOL",
    "accuracy": "accuracy",
    "side_lsd": "side LSD",
    "kbps": "kbit/s",
    "level_drift_db": "drift",
}


def draw_case(
    case: Case,
    filled: dict[str, Filled],
    values: dict[str, dict[str, float]],
    clip: str,
    path: Path,
) -> None:
    """Write a PNG of one case: a panel per method, all in the original's colour scale, the hidden region between dashed lines.

    filled, values  sound and metrics by method
    Of an upmix the hidden channel is shown, of everything else the mean of the channels.
    """
    upmix = case.evaluation.kind == "upmix"
    pick = (
        (lambda samples: samples[1:2])
        if upmix
        else (lambda samples: samples.mean(axis=0, keepdims=True))
    )
    panels = {
        "original": case.task.sound.samples,
        **{name: f.samples for name, f in filled.items()},
    }
    if not NOTHING & filled.keys():
        panels = {"original": panels.pop("original"), "masked": case.masked, **panels}
    power = {
        name: 10 * np.log10(metrics.power(pick(samples))[0] + 1e-15)
        for name, samples in panels.items()
    }
    top = float(power["original"].max())
    rows = -(-len(panels) // COLUMNS)
    columns = -(-len(panels) // rows)
    figure = Figure(figsize=(4 * columns, 2.9 * rows + 0.7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    seconds = case.task.sound.seconds
    shown = (
        (0.0, seconds)
        if case.evaluation.span is None
        else (max(0.0, case.span[0] - AROUND), min(seconds, case.span[1] + AROUND))
    )
    for axis, (name, db) in zip(axes, power.items()):
        image = axis.imshow(
            db.T,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=top - RANGE_DB,
            vmax=top,
            interpolation="nearest",
            extent=(0, db.shape[0] * metrics.HOP / metrics.RATE, 0, metrics.RATE / 2000),
        )
        _mark(axis, case)
        axis.set_xlim(*shown)
        axis.set_title(_title(name, values.get(name, {})), fontsize=10)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    grid = axes.reshape(rows, columns)
    for axis in grid[:, 0]:
        axis.set_ylabel("kHz")
    for column in range(columns):
        lowest = max(row for row in range(rows) if row * columns + column < len(panels))
        grid[lowest, column].set_xlabel("seconds")
        grid[lowest, column].tick_params(labelbottom=True)
    figure.colorbar(image, ax=axes.tolist(), label="dB", shrink=0.8, pad=0.01)
    figure.suptitle(
        f"{case.evaluation.name}: {clip}" + (", the hidden channel" if upmix else ""), fontsize=12
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _mark(axis, case: Case) -> None:
    """Dashed lines around the hidden region, where it is one."""
    line = dict(color="white", linestyle="--", linewidth=0.8, alpha=0.8)
    if case.evaluation.span is not None:
        for second in case.span:
            axis.axvline(second, **line)
    if case.evaluation.kind == "bandwidth":
        lowest = np.flatnonzero(case.task.mask.any(axis=(0, 1)))[0]
        axis.axhline(lowest * case.task.space.bin_hz / 1000, **line)


def _title(name: str, values: dict[str, float]) -> str:
    """The method's name, and below it the metrics that say most."""
    title = name + (" (masked)" if name in NOTHING else "")
    said = "   ".join(
        f"{short} {values[metric]:.2f}" for metric, short in TITLE.items() if metric in values
    )
    return f"{title}\n{said}" if said else title
