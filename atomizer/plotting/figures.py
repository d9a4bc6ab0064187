"""Static figures of atoms by matplotlib, for papers and slides: the same picture as the page."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from ..atoms.atoms import Atoms
from ..atoms.orderings import ORDERINGS, order
from ..atoms.space import AtomSpace, ScaleSpace
from ..errors import AtomizerError
from . import palette

FREQUENCY_SCALES = ("log", "linear", "mel")
COLOURINGS = ("sign", "channel", "rank", "state", "scale")
LOWEST_HZ = 30.0
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True)
class PlotStyle:
    """Style of a plot.

    scale     scale of the frequency axis, one of `FREQUENCY_SCALES`
    stacked   one panel per channel; otherwise all channels in one, the loudest atom on top
    colour    one of `COLOURINGS`: velocity and sign, channel, rank in the ordering, state (kept
              or filled in), or scale of matching-pursuit atoms
    ordering, reverse, seed  ordering of the atoms, for the colouring by rank
    seconds, hertz  visible range, (from, to); None for all
    dark      light atoms on a dark background
    contrast  from 0 to 1: how strongly quiet atoms recede
    """

    scale: str = "log"
    stacked: bool = False
    colour: str = "sign"
    ordering: str = "velocity"
    reverse: bool = False
    seed: int = 0
    seconds: tuple[float, float] | None = None
    hertz: tuple[float, float] | None = None
    dark: bool = False
    contrast: float = 0.5

    def __post_init__(self):
        for name, value, known in (
            ("scale", self.scale, FREQUENCY_SCALES),
            ("colour", self.colour, COLOURINGS),
            ("ordering", self.ordering, tuple(ORDERINGS)),
        ):
            if value not in known:
                raise AtomizerError(
                    f"There is no {name} {str(value)[:40]!r}: choose from {', '.join(known)}."
                )
        for span in (self.seconds, self.hertz):
            if span is not None and not (
                isinstance(span, tuple)
                and len(span) == 2
                and all(type(v) in (int, float) and abs(v) < 1e12 for v in span)
            ):
                raise AtomizerError("A picture spans from a lower to a higher time and frequency.")
        if type(self.contrast) not in (int, float) or not 0 <= self.contrast <= 1:
            raise AtomizerError(f"A contrast is from 0 to 1, not {str(self.contrast)[:40]}.")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise AtomizerError(f"A seed is a whole number from 0, not {str(self.seed)[:40]}.")

    @property
    def theme(self) -> str:
        """Name in `palette.THEMES`."""
        return "dark" if self.dark else "light"

    @classmethod
    def from_dict(cls, data: object) -> PlotStyle:
        """Read a plot style from parsed JSON.

        Raises AtomizerError that names what is invalid.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(data, dict) or not set(data) <= set(names):
            raise AtomizerError(f"A plot style is an object of {', '.join(names)}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


def axis_position(hertz, scale: str):
    """Position of frequencies on an axis: in Hz, octaves, or mel (O'Shaughnessy 1987)."""
    hertz = np.asarray(hertz, float)
    if scale == "log":
        return np.log2(np.maximum(hertz, 1e-3))
    return 2595 * np.log10(1 + hertz / 700) if scale == "mel" else hertz


def axis_frequency(position, scale: str):
    """Frequencies of axis positions, the inverse of `axis_position`."""
    position = np.asarray(position, float)
    if scale == "log":
        return 2.0**position
    return 700 * (10 ** (position / 2595) - 1) if scale == "mel" else position


def raster(
    grid: np.ndarray,
    space: AtomSpace,
    style: PlotStyle,
    filled: np.ndarray | None = None,
    width: int = 1600,
    height: int = 800,
) -> np.ndarray:
    """Rasterise a grid (channels, frames, bins) to (height, width, 3) uint8 pixels.

    The highest frequency is in the first row. A pixel shows the loudest of the atoms that it
    covers.

    filled  bool array of the shape of the grid: the filled-in atoms, for the colourings by state
            and by sign
    """
    seconds, hertz = visible_range(float(space.seconds(grid.shape[1] - 1)), space, style)
    velocity, row = _top_atoms(grid, space, style, filled)
    rows = _bins_of_rows(hertz, space, style.scale, height)
    times = np.linspace(*seconds, width + 1) * space.rate / space.hop
    columns = np.clip(np.floor(times + 0.5), 0, grid.shape[1] - 1).astype(int)
    velocity, row = _loudest(velocity, row, columns, 0)
    velocity, row = _loudest(velocity, row, rows, 1)
    bottom, top = (float(axis_position(f, style.scale)) for f in hertz)
    edges = axis_position(np.arange(space.hop + 1) * space.bin_hz, style.scale)
    high = np.diff(edges)[rows[1:]] / (top - bottom) * height
    wide = space.hop / space.rate / (seconds[1] - seconds[0]) * width
    tint = palette.tint_of(np.minimum(wide, high))  # per row of pixels
    gamma = palette.gamma_of(style.contrast)
    tables = np.stack([palette.table(style.theme, k, gamma) for k in range(palette.TINTS)])
    coloured = tables[tint, row, np.maximum(velocity, 0)]
    paper = np.array(palette.THEMES[style.theme]["paper"], np.uint8)
    return np.where((velocity > 0)[..., None], coloured, paper).transpose(1, 0, 2)


def _top_atoms(
    grid: np.ndarray, space: AtomSpace, style: PlotStyle, filled: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Velocity, 0 to 255, and palette row (T, F) of the loudest atom of every cell; -1: inaudible.

    grid, filled  (C, T, F), as of `raster`
    """
    magnitude = np.abs(grid)
    loudest = float(magnitude.max(initial=0.0)) or 1.0
    with np.errstate(divide="ignore"):
        velocity = np.clip(255 * (1 - 20 * np.log10(magnitude / loudest) / space.floor_db), -1, 255)
    velocity = np.where(np.isfinite(velocity), velocity, -1).astype(np.int16)
    row = palette_rows(grid, space, style, velocity > 0, filled)
    top = velocity.argmax(0)[None]
    return np.take_along_axis(velocity, top, 0)[0], np.take_along_axis(row, top, 0)[0]


def _bins_of_rows(
    hertz: tuple[float, float], space: AtomSpace, scale: str, height: int
) -> np.ndarray:
    """(height + 1,) int: bins at the edges of the rows of pixels, the highest first."""
    low, high = (axis_position(f, scale) for f in hertz)
    bins = axis_frequency(np.linspace(high, low, height + 1), scale) / space.bin_hz
    return np.clip(np.floor(bins), 0, space.hop - 1).astype(int)


def _loudest(
    velocity: np.ndarray, row: np.ndarray, edges: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an axis to the intervals between edges, each to its loudest cell.

    Every interval has at least one cell.
    """
    velocity, row = np.moveaxis(velocity, axis, 0), np.moveaxis(row, axis, 0)
    out_v = np.empty((len(edges) - 1, velocity.shape[1]), velocity.dtype)
    out_k = np.empty(out_v.shape, row.dtype)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:])):
        low, high = min(a, b), max(a, b, min(a, b) + 1)
        best = velocity[low:high].argmax(0)[None]
        out_v[k] = np.take_along_axis(velocity[low:high], best, 0)[0]
        out_k[k] = np.take_along_axis(row[low:high], best, 0)[0]
    return np.moveaxis(out_v, 0, axis), np.moveaxis(out_k, 0, axis)


def palette_rows(
    grid: np.ndarray,
    space: AtomSpace,
    style: PlotStyle,
    audible: np.ndarray,
    filled: np.ndarray | None = None,
) -> np.ndarray:
    """Palette rows of all cells of a grid."""
    row_of = palette.ROWS.index
    if style.colour == "state":
        return np.where(
            np.zeros(grid.shape, bool) if filled is None else filled,
            row_of("filled"),
            row_of("kept"),
        )
    if style.colour == "channel":
        return np.broadcast_to(
            row_of("channel 0") + np.arange(len(grid))[:, None, None], grid.shape
        )
    if style.colour in ("sign", "scale"):  # a grid has a single scale
        plain = np.where(grid >= 0, row_of("positive"), row_of("negative"))
        if filled is None or style.colour == "scale":
            return plain
        own = np.where(grid >= 0, row_of("filled positive"), row_of("filled negative"))
        return np.where(filled, own, plain)
    out = np.full(grid.shape, row_of("rank 0"))
    atoms = Atoms.from_grid(grid, space, (grid.shape[1] - 1) * space.hop, where=audible)
    ranks = np.empty(len(atoms))
    ranks[order(atoms, style.ordering, style.reverse, style.seed)] = np.arange(len(atoms))
    out[audible] = row_of("rank 0") + np.minimum(
        ranks * palette.RANKS // max(len(atoms), 1), palette.RANKS - 1
    )
    return out


def raster_tiles(
    atoms: Atoms, style: PlotStyle, width: int = 1600, height: int = 800
) -> np.ndarray:
    """Rasterise the atoms of a ScaleSpace to (height, width, 3) uint8 pixels.

    A tile covers half the window of its atom, and one bin of its scale.
    """
    space = atoms.space
    assert isinstance(space, ScaleSpace), "only atoms of a ScaleSpace are tiles"
    seconds, hertz = visible_range(_duration(atoms), space, style)
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = palette.THEMES[style.theme]["paper"]
    loudest = np.maximum(np.abs(atoms.amplitude) / max(atoms.reference, 1e-30), 1e-9)
    velocity = np.clip(255 * (1 - 20 * np.log10(loudest) / space.floor_db), 0, 255).astype(int)
    gamma = palette.gamma_of(style.contrast)
    colours = palette.table(style.theme, gamma=gamma)[
        _palette_rows_of_atoms(atoms, style), velocity
    ]
    reach = space.half_window(atoms.scale) / 2
    bin_hz = space.rate / np.asarray(space.scales)[atoms.scale]
    middle = space.seconds(atoms.time)
    centre = (space.scale_bin(atoms.scale, atoms.frequency) + 0.5) * bin_hz
    bottom, top = (float(axis_position(f, style.scale)) for f in hertz)

    def column(t: np.ndarray) -> np.ndarray:
        return np.round((t - seconds[0]) / (seconds[1] - seconds[0]) * width).astype(int)

    def row(f: np.ndarray) -> np.ndarray:
        position = axis_position(np.maximum(f, 1e-3), style.scale)
        return np.round((top - position) / (top - bottom) * height).astype(int)

    left, right = (column(middle + side * reach) for side in (-1, 1))
    upper, lower = (row(centre + side * bin_hz / 2) for side in (1, -1))
    for i in np.argsort(np.abs(atoms.amplitude), kind="stable"):
        x, y = max(left[i], 0), max(upper[i], 0)
        pixels[y : max(lower[i], upper[i] + 2, 0), x : max(right[i], left[i] + 2, 0)] = colours[i]
    return pixels


def _palette_rows_of_atoms(atoms: Atoms, style: PlotStyle) -> np.ndarray:
    """Palette rows of the atoms of a ScaleSpace."""
    row_of = palette.ROWS.index
    if style.colour == "state":
        return np.full(len(atoms), row_of("kept"))
    if style.colour in ("channel", "scale"):
        return row_of("channel 0") + getattr(atoms, style.colour).astype(int)
    if style.colour == "sign":
        return np.where(atoms.sign > 0, row_of("positive"), row_of("negative"))
    ranks = np.empty(len(atoms), int)
    ranks[order(atoms, style.ordering, style.reverse, style.seed)] = np.arange(len(atoms))
    return row_of("rank 0") + np.minimum(
        ranks * palette.RANKS // max(len(atoms), 1), palette.RANKS - 1
    )


def _duration(atoms: Atoms) -> float:
    """Seconds of the sound of atoms."""
    return atoms.length / atoms.space.rate


def visible_range(
    end: float, space: AtomSpace, style: PlotStyle
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Visible range ((from, to) seconds, (from, to) Hz) of a sound of `end` seconds."""
    end = max(end, 1e-3)
    low = LOWEST_HZ if style.scale == "log" else 0.0
    (t0, t1), (f0, f1) = style.seconds or (0.0, end), style.hertz or (low, space.rate / 2)
    if not (0 <= t0 < t1 and 0 <= f0 < f1):
        raise AtomizerError("A picture spans from a lower to a higher time and frequency.")
    return (t0, min(t1, end) if t0 < end else t1), (max(f0, low), f1)


def plot_grid(
    grid: np.ndarray,
    space: AtomSpace,
    style: PlotStyle = PlotStyle(),
    title: str = "",
    filled: np.ndarray | None = None,
) -> Figure:
    """Plot all atoms of a grid (channels, frames, bins) over time and frequency.

    The figure has axes and a legend; `filled` is that of `raster`.
    """

    def pixels(lane: slice, height: int) -> np.ndarray:
        # silence the other channels, so that each keeps its own colour and loudness
        shown = np.zeros_like(grid)
        shown[lane] = grid[lane]
        return raster(shown, space, style, filled, height=height)

    return _figure(pixels, len(grid), space, style, title, float(space.seconds(grid.shape[1] - 1)))


def plot_tiles(
    atoms: Atoms, channels: int, style: PlotStyle = PlotStyle(), title: str = ""
) -> Figure:
    """Plot the atoms of a ScaleSpace over time and frequency."""

    def pixels(lane: slice, height: int) -> np.ndarray:
        return raster_tiles(
            atoms[(atoms.channel >= lane.start) & (atoms.channel < lane.stop)], style, height=height
        )

    return _figure(pixels, channels, atoms.space, style, title, _duration(atoms))


def _figure(
    pixels: Callable[[slice, int], np.ndarray],
    channels: int,
    space: AtomSpace,
    style: PlotStyle,
    title: str,
    end: float,
) -> Figure:
    """Figure with a panel per lane of channels.

    pixels  (lane, height in pixels) -> picture of the lane
    end     seconds of the sound
    """
    paper = "#" + bytes(int(v) for v in palette.THEMES[style.theme]["paper"]).hex()
    ink = "#c9cfdb" if style.dark else "#1e293b"
    lanes = [slice(c, c + 1) for c in range(channels)] if style.stacked else [slice(0, channels)]
    figure = Figure(
        figsize=(10, 2.2 + 3.2 * min(len(lanes), 4) if len(lanes) > 1 else 5.4),
        facecolor=paper,
        layout="constrained",
    )
    spec = figure.add_gridspec(len(lanes), 2, width_ratios=[40, 1])
    axes = [figure.add_subplot(spec[0, 0])]
    axes += [figure.add_subplot(spec[k, 0], sharex=axes[0]) for k in range(1, len(lanes))]
    seconds, hertz = visible_range(end, space, style)
    bottom, top = (float(axis_position(f, style.scale)) for f in hertz)
    for number, (ax, lane) in enumerate(zip(axes, lanes)):
        ax.imshow(
            pixels(lane, max(240, 800 // len(lanes))),
            extent=(*seconds, bottom, top),
            aspect="auto",
            interpolation="nearest",
        )
        ticks = frequency_ticks(hertz, style.scale)
        ax.set_yticks(
            [float(axis_position(f, style.scale)) for f in ticks],
            [f"{f / 1000:g} kHz" if f >= 1000 else f"{f:g} Hz" for f in ticks],
        )
        ax.set_facecolor(paper)
        ax.tick_params(colors=ink, labelsize=9)
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(ink)
        if style.stacked:
            ax.set_title(channel_name(number, channels), loc="right", fontsize=9, color=ink)
    axes[-1].set_xlabel("time / s", color=ink)
    if title:
        axes[0].set_title(title, loc="left", fontsize=11, color=ink)
    _legend(figure.add_subplot(spec[:, 1]), style, space, channels, ink)
    return figure


def channel_name(number: int, channels: int) -> str:
    """Name of a channel of a sound of `channels`, the same as in the page's format.js."""
    return ("left", "right")[number] if channels == 2 else f"channel {number}"


def frequency_ticks(hertz: tuple[float, float], scale: str, apart: float = 0.045) -> list[float]:
    """Round frequencies within (from, to), the highest first.

    They are at least a share of `apart` of the axis away from each other.
    """
    bottom, top = (float(axis_position(f, scale)) for f in hertz)
    out: list[float] = []
    for f in reversed(
        [f for f in TICKS if hertz[0] <= f <= hertz[1]] or list(np.round(np.linspace(*hertz, 5)))
    ):
        if not out or abs(
            float(axis_position(f, scale)) - float(axis_position(out[-1], scale))
        ) >= apart * (top - bottom):
            out.append(float(f))
    return out


def _legend(ax, style: PlotStyle, space: AtomSpace, channels: int, ink: str) -> None:
    """Draw a bar of velocities for every palette row that occurs, side by side."""
    colours = palette.table(style.theme, gamma=palette.gamma_of(style.contrast))
    steps = range(0, palette.RANKS, palette.RANKS // 4)
    names = {
        "sign": {
            "mixed": "all",
            "negative": "negative",
            "positive": "positive",
            "filled mixed": "filled in",
        },
        "channel": {f"channel {c}": channel_name(c, channels) for c in range(channels)},
        "state": {"kept": "kept", "filled": "filled in"},
        "scale": (
            {f"channel {k}": f"{n:,} samples" for k, n in enumerate(space.scales)}
            if isinstance(space, ScaleSpace)
            else {"negative": "negative", "positive": "positive"}
        ),
        "rank": {f"rank {k}": label for k, label in zip(steps, ("first", "", "", "last"))},
    }[style.colour]
    bars = np.stack([colours[palette.ROWS.index(name)] for name in names], 1)
    ax.imshow(bars, extent=(0, len(names), space.floor_db, 0), aspect="auto", origin="lower")
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(names)) + 0.5, names.values(), rotation=90, fontsize=8)
    ax.yaxis.tick_right()
    ax.set_ylabel("velocity / dB", color=ink, fontsize=9)
    ax.yaxis.set_label_position("right")
    ax.tick_params(colors=ink, labelsize=8, length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def encode_figure(figure: Figure, format_: str) -> bytes:
    """Encode a figure as "png" or "svg"; in an SVG text stays text, and atoms are pixels."""
    out = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(
            out, format=format_, dpi=160, metadata={"Date": None} if format_ == "svg" else None
        )
    return out.getvalue()
