"""Growth of the time and memory of a fill, as a plot.

Over the length of the clip, the hidden share, the steps and the channels. The floor of the time
is that of the model's matrix products and attention at the rate of one large plain product on
the same machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..inpainting.settings import Settings
from .filling import BWE, GAP, Cost, FillJob, cost, model
from .machine import matrix_peak
from .records import Record

REPEATS = 2
HIGHEST = 22_050.0
BASE = FillJob(BWE, 5.0)


@dataclass(frozen=True)
class Sweep:
    """A curve of the plot: its axis, its name, and a job for every value on the axis."""

    axis: str
    name: str
    jobs: dict[float, FillJob]


HIGHS, HOLE = "above 8 kHz", "200 ms"
OF_BASE = f"{HIGHS} of {BASE.seconds:g} s"
SWEEPS = (
    Sweep("length of the clip / s", HOLE, {n: FillJob(GAP, n) for n in (10.0, 20.0, 40.0, 60.0)}),
    Sweep(
        "length of the clip / s",
        HIGHS,
        {n: replace(BASE, seconds=n) for n in (5.0, 10.0, 20.0, 30.0)},
    ),
    Sweep(
        "hidden share / %",
        "top of 5 s",
        {
            n: replace(BASE, select=f"above:{HIGHEST * (1 - n / 100):g}")
            for n in (12.5, 25.0, 50.0, 75.0)
        },
    ),
    Sweep("steps", OF_BASE, {n: replace(BASE, settings=Settings(steps=n)) for n in (1, 2, 4, 8)}),
    Sweep("channels", OF_BASE, {n: replace(BASE, channels=n) for n in (1, 2, 3, 4)}),
)


def growth(out: Path) -> Iterator[Record]:
    """Measure all sweeps, write the plot (.png or .svg), and yield the records.

    The records are seconds beside the floor, and gigabytes.
    """
    peak = matrix_peak(model())
    costs: dict[FillJob, Cost] = {}
    for curve in SWEEPS:
        for x, job in curve.jobs.items():
            if job not in costs:
                costs[job] = cost(job, REPEATS)
            found = costs[job]
            title = f"{curve.name}, {curve.axis.split(' / ')[0]} {x:g}"
            yield Record(
                f"{title}: time",
                found.seconds,
                "s",
                f"floor at {peak / 1e9:.0f} GFLOP/s",
                found.operations / peak,
            )
            yield Record(f"{title}: peak memory", found.memory_gb, "GB")
    draw(costs, peak, out)


def draw(costs: dict[FillJob, Cost], peak: float, out: Path) -> None:
    """A column per axis: seconds above (the floor dashed), peak memory below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    axes = list(dict.fromkeys(curve.axis for curve in SWEEPS))
    figure = Figure(figsize=(3.2 * len(axes), 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, len(axes), sharex="col", sharey="row")
    for curve in SWEEPS:
        time, memory = grid[:, axes.index(curve.axis)]
        x, found = list(curve.jobs), [costs[job] for job in curve.jobs.values()]
        (line,) = time.plot(x, [c.seconds for c in found], "o-", label=curve.name)
        time.plot(
            x,
            [c.operations / peak for c in found],
            "--",
            color=line.get_color(),
            label=f"{curve.name}: floor",
        )
        memory.plot(x, [c.memory_gb for c in found], "o-", color=line.get_color())
        memory.set_xlabel(curve.axis)
        time.legend(fontsize=8)
    grid[0, 0].set_ylabel("time / s")
    grid[1, 0].set_ylabel("peak memory above idle / GB")
    for axis in grid.ravel():
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(out, dpi=110)
