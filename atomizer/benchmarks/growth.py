"""How the time and the memory of a fill grow with the clip, with what is hidden, with the steps and with the channels, as a plot.

Beside the time stands its floor: the operations of the model's matrix products and attention, as if all of them ran as fast as one large
plain product on the same machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..inpainting.settings import Settings
from .filling import BWE, GAP, Cost, Job, cost, model
from .machine import matrix_peak
from .records import Record

REPEATS = 2
HIGHEST = 22_050.0
BASE = Job(BWE, 5.0)


@dataclass(frozen=True)
class Curve:
    """What grows: the axis that it is drawn over, its name there, and a job for every value."""

    axis: str
    name: str
    jobs: dict[float, Job]


HIGHS, HOLE = "above 8 kHz", "200 ms"
OF_BASE = f"{HIGHS} of {BASE.seconds:g} s"
CURVES = (
    Curve("length of the clip / s", HOLE, {n: Job(GAP, n) for n in (10.0, 20.0, 40.0, 60.0)}),
    Curve(
        "length of the clip / s",
        HIGHS,
        {n: replace(BASE, seconds=n) for n in (5.0, 10.0, 20.0, 30.0)},
    ),
    Curve(
        "hidden share / %",
        "top of 5 s",
        {
            n: replace(BASE, select=f"above:{HIGHEST * (1 - n / 100):g}")
            for n in (12.5, 25.0, 50.0, 75.0)
        },
    ),
    Curve("steps", OF_BASE, {n: replace(BASE, settings=Settings(steps=n)) for n in (1, 2, 4, 8)}),
    Curve("channels", OF_BASE, {n: replace(BASE, channels=n) for n in (1, 2, 3, 4)}),
)


def growth(out: Path) -> Iterator[Record]:
    """Measure all curves, write the plot (.png or .svg), and yield the records: seconds beside the floor, and gigabytes."""
    peak = matrix_peak(model())
    costs: dict[Job, Cost] = {}
    for curve in CURVES:
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


def draw(costs: dict[Job, Cost], peak: float, out: Path) -> None:
    """A column per axis: seconds above (the floor dashed), peak memory below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    axes = list(dict.fromkeys(curve.axis for curve in CURVES))
    figure = Figure(figsize=(3.2 * len(axes), 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, len(axes), sharex="col", sharey="row")
    for curve in CURVES:
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
