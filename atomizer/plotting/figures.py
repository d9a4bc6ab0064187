"""Static figures of atoms by matplotlib, for papers and slides: the same picture as the page."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..atoms.atoms import Atoms
from ..atoms.space import AtomSpace, ScaleSpace
from . import palette
from .axes import axis_position, axis_range, channel_name, frequency_ticks, visible_range
from .raster import raster, raster_tiles
from .style import PlotStyle

PICTURE_WIDTH = 48  # in widths of a bar of the legend, each wide enough for its upright label


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

    return _figure(pixels, channels, atoms.space, style, title, atoms.length / atoms.space.rate)


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
    ink = _ink(style)
    lanes = [slice(c, c + 1) for c in range(channels)] if style.stacked else [slice(0, channels)]
    figure = Figure(
        figsize=(10, 2.2 + 3.2 * min(len(lanes), 4) if len(lanes) > 1 else 5.4),
        facecolor=_paper(style),
        layout="constrained",
    )
    names = _legend_names(style, space, channels)
    spec = figure.add_gridspec(len(lanes), 2, width_ratios=[PICTURE_WIDTH, max(len(names), 2)])
    axes = [figure.add_subplot(spec[0, 0])]
    axes += [figure.add_subplot(spec[k, 0], sharex=axes[0]) for k in range(1, len(lanes))]
    seconds, hertz = visible_range(end, space, style)
    for number, (ax, lane) in enumerate(zip(axes, lanes)):
        _draw_picture(ax, pixels(lane, max(240, 800 // len(lanes))), seconds, hertz, style)
        if style.stacked:
            ax.set_title(channel_name(number, channels), loc="right", fontsize=9, color=ink)
    axes[-1].set_xlabel("time / s", color=ink)
    if title:
        axes[0].set_title(title, loc="left", fontsize=11, color=ink)
    _draw_legend(figure.add_subplot(spec[:, 1]), names, style, space.floor_db)
    return figure


def _paper(style: PlotStyle) -> str:
    """Colour of the background."""
    return "#" + bytes(int(v) for v in palette.THEMES[style.theme]["paper"]).hex()


def _ink(style: PlotStyle) -> str:
    """Colour of texts and axes."""
    return "#c9cfdb" if style.dark else "#1e293b"


def _draw_picture(
    ax: Axes,
    picture: np.ndarray,
    seconds: tuple[float, float],
    hertz: tuple[float, float],
    style: PlotStyle,
) -> None:
    """Draw a picture (height, width, 3) of this range, with ticks of its frequencies."""
    extent = (*seconds, *axis_range(hertz, style.scale))
    ax.imshow(picture, extent=extent, aspect="auto", interpolation="nearest")
    ticks = frequency_ticks(hertz, style.scale)
    ax.set_yticks(
        [float(axis_position(f, style.scale)) for f in ticks],
        [f"{f / 1000:g} kHz" if f >= 1000 else f"{f:g} Hz" for f in ticks],
    )
    ax.set_facecolor(_paper(style))
    ax.tick_params(colors=_ink(style), labelsize=9)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(_ink(style))


def _legend_names(style: PlotStyle, space: AtomSpace, channels: int) -> dict[str, str]:
    """The palette rows that the legend shows, and their names."""
    steps = range(0, palette.RANKS, palette.RANKS // 4)
    return {
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


def _draw_legend(ax: Axes, names: dict[str, str], style: PlotStyle, floor_db: float) -> None:
    """Draw a bar of velocities for every palette row, side by side."""
    colours = palette.table(style.theme, gamma=palette.gamma_of(style.contrast))
    bars = np.stack([colours[palette.ROWS.index(name)] for name in names], 1)
    extent = (0, len(names), floor_db, 0)
    ax.imshow(bars, extent=extent, aspect="auto", origin="lower", interpolation="nearest")
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(names)) + 0.5, list(names.values()), rotation=90, fontsize=8)
    ax.yaxis.tick_right()
    ax.set_ylabel("velocity / dB", color=_ink(style), fontsize=9)
    ax.yaxis.set_label_position("right")
    ax.tick_params(colors=_ink(style), labelsize=8, length=0)
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
