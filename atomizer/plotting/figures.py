"""Static figures of atoms, for papers and slides: what the page shows, drawn by matplotlib."""

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

SCALES = ("log", "linear", "mel")
COLOURS = ("sign", "channel", "rank", "state", "scale")
LOWEST_HZ = 30.0
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True)
class Look:
    """How a picture is drawn.

    scale    of the frequency axis, one of `SCALES`
    stacked  one panel per channel; otherwise all channels in one, the loudest atom on top
    colour   one of `COLOURS`: velocity and sign, channel, rank in the ordering, state (kept or filled in), or scale of matching-pursuit atoms
    ordering, reverse, seed   which ordering, for the colour by rank
    seconds, hertz  the part that is seen, (from, to); None for all
    dark     light atoms on a dark ground
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

    def __post_init__(self):
        for name, value, known in (
            ("scale", self.scale, SCALES),
            ("colour", self.colour, COLOURS),
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
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise AtomizerError(f"A seed is a whole number from 0, not {str(self.seed)[:40]}.")

    @classmethod
    def from_dict(cls, data: object) -> Look:
        """Look of parsed JSON. Raises AtomizerError that names what is wrong."""
        names = [f.name for f in fields(cls)]
        if not isinstance(data, dict) or not set(data) <= set(names):
            raise AtomizerError(f"A look is an object of {', '.join(names)}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


def unit(hertz, scale: str):
    """Place of frequencies on an axis: Hz, octaves, or mel (O'Shaughnessy 1987)."""
    hertz = np.asarray(hertz, float)
    if scale == "log":
        return np.log2(np.maximum(hertz, 1e-3))
    return 2595 * np.log10(1 + hertz / 700) if scale == "mel" else hertz


def hertz_of(place, scale: str):
    """The inverse of `unit`."""
    place = np.asarray(place, float)
    if scale == "log":
        return 2.0**place
    return 700 * (10 ** (place / 2595) - 1) if scale == "mel" else place


def raster(
    grid: np.ndarray,
    space: AtomSpace,
    look: Look,
    filled: np.ndarray | None = None,
    width: int = 1600,
    height: int = 800,
) -> np.ndarray:
    """(height, width, 3) uint8 picture of a grid (channels, frames, bins), the highest frequency in the first row.

    filled  bool array of the grid's shape, which atoms were filled in, for the colour by state

    A pixel shows the loudest of the atoms that it covers.
    """
    seconds, hertz = limits(float(space.seconds(grid.shape[1] - 1)), space, look)
    magnitude = np.abs(grid)
    loudest = float(np.abs(grid).max(initial=0.0)) or 1.0
    with np.errstate(divide="ignore"):
        velocity = np.clip(255 * (1 - 20 * np.log10(magnitude / loudest) / space.floor_db), -1, 255)
    velocity = np.where(np.isfinite(velocity), velocity, -1).astype(np.int16)
    kind = kinds(grid, space, look, velocity > 0, filled)
    # all channels on one plane: the loudest atom of a cell
    top = velocity.argmax(0)[None]
    velocity, kind = np.take_along_axis(velocity, top, 0)[0], np.take_along_axis(kind, top, 0)[0]

    rows = np.clip(
        np.floor(
            hertz_of(
                np.linspace(unit(hertz[1], look.scale), unit(hertz[0], look.scale), height + 1),
                look.scale,
            )
            / space.bin_hz
        ),
        0,
        space.hop - 1,
    ).astype(int)
    columns = np.clip(
        np.floor(np.linspace(*seconds, width + 1) * space.rate / space.hop + 0.5),
        0,
        grid.shape[1] - 1,
    ).astype(int)
    velocity, kind = _loudest(velocity, kind, columns, 0)
    velocity, kind = _loudest(velocity, kind, rows, 1)
    theme = "dark" if look.dark else "light"
    paper = np.array(palette.THEMES[theme]["paper"], np.uint8)
    coloured = palette.table(theme)[kind, np.maximum(velocity, 0)]
    return np.where((velocity > 0)[..., None], coloured, paper).transpose(1, 0, 2)


def _loudest(
    velocity: np.ndarray, kind: np.ndarray, edges: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an axis to the stretches between edges (at least one cell each), keeping the loudest cell of each."""
    velocity, kind = np.moveaxis(velocity, axis, 0), np.moveaxis(kind, axis, 0)
    out_v = np.empty((len(edges) - 1, velocity.shape[1]), velocity.dtype)
    out_k = np.empty(out_v.shape, kind.dtype)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:])):
        low, high = min(a, b), max(a, b, min(a, b) + 1)
        best = velocity[low:high].argmax(0)[None]
        out_v[k] = np.take_along_axis(velocity[low:high], best, 0)[0]
        out_k[k] = np.take_along_axis(kind[low:high], best, 0)[0]
    return np.moveaxis(out_v, 0, axis), np.moveaxis(out_k, 0, axis)


def kinds(
    grid: np.ndarray,
    space: AtomSpace,
    look: Look,
    audible: np.ndarray,
    filled: np.ndarray | None = None,
) -> np.ndarray:
    """Row of the palette for every cell of a grid."""
    first = palette.KINDS.index
    if look.colour == "state":
        return np.where(
            np.zeros(grid.shape, bool) if filled is None else filled, first("filled"), first("kept")
        )
    if look.colour == "channel":
        return np.broadcast_to(first("channel 0") + np.arange(len(grid))[:, None, None], grid.shape)
    if look.colour in ("sign", "scale"):  # there is one scale
        return np.where(grid >= 0, first("positive"), first("negative"))
    out = np.full(grid.shape, first("rank 0"))
    atoms = Atoms.from_grid(grid, space, (grid.shape[1] - 1) * space.hop, where=audible)
    ranks = np.empty(len(atoms))
    ranks[order(atoms, look.ordering, look.reverse, look.seed)] = np.arange(len(atoms))
    out[audible] = first("rank 0") + np.minimum(
        ranks * palette.RANKS // max(len(atoms), 1), palette.RANKS - 1
    )
    return out


def raster_tiles(atoms: Atoms, look: Look, width: int = 1600, height: int = 800) -> np.ndarray:
    """(height, width, 3) uint8 picture of the atoms of a ScaleSpace, each as its share of the plane: half its window, and one bin of its scale."""
    space = atoms.space
    assert isinstance(space, ScaleSpace), "only atoms of a ScaleSpace are tiles"
    seconds, hertz = limits(_end(atoms), space, look)
    theme = "dark" if look.dark else "light"
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = palette.THEMES[theme]["paper"]
    loudest = np.maximum(np.abs(atoms.amplitude) / max(atoms.reference, 1e-30), 1e-9)
    velocity = np.clip(255 * (1 - 20 * np.log10(loudest) / space.floor_db), 0, 255).astype(int)
    colours = palette.table(theme)[_kinds_of(atoms, look), velocity]
    reach, bin_hz = (
        space.half_window(atoms.scale) / 2,
        space.rate / np.asarray(space.scales)[atoms.scale],
    )
    middle, centre = (
        space.seconds(atoms.time),
        (space.scale_bin(atoms.scale, atoms.frequency) + 0.5) * bin_hz,
    )
    across = lambda t: (t - seconds[0]) / (seconds[1] - seconds[0]) * width
    bottom, top = (float(unit(f, look.scale)) for f in hertz)
    along = lambda f: (top - unit(np.maximum(f, 1e-3), look.scale)) / (top - bottom) * height
    left, right = (np.round(across(middle + side * reach)).astype(int) for side in (-1, 1))
    upper, lower = (np.round(along(centre + side * bin_hz / 2)).astype(int) for side in (1, -1))
    for i in np.argsort(np.abs(atoms.amplitude), kind="stable"):
        x, y = max(left[i], 0), max(upper[i], 0)
        pixels[y : max(lower[i], upper[i] + 2, 0), x : max(right[i], left[i] + 2, 0)] = colours[i]
    return pixels


def _kinds_of(atoms: Atoms, look: Look) -> np.ndarray:
    """Row of the palette for every atom of a ScaleSpace."""
    first = palette.KINDS.index
    if look.colour == "state":
        return np.full(len(atoms), first("kept"))
    if look.colour in ("channel", "scale"):
        return first("channel 0") + getattr(atoms, look.colour).astype(int)
    if look.colour == "sign":
        return np.where(atoms.sign > 0, first("positive"), first("negative"))
    ranks = np.empty(len(atoms), int)
    ranks[order(atoms, look.ordering, look.reverse, look.seed)] = np.arange(len(atoms))
    return first("rank 0") + np.minimum(
        ranks * palette.RANKS // max(len(atoms), 1), palette.RANKS - 1
    )


def _end(atoms: Atoms) -> float:
    return atoms.length / atoms.space.rate


def limits(
    end: float, space: AtomSpace, look: Look
) -> tuple[tuple[float, float], tuple[float, float]]:
    """((from, to) seconds, (from, to) Hz) that are seen of a sound of `end` seconds."""
    end = max(end, 1e-3)
    low = LOWEST_HZ if look.scale == "log" else 0.0
    (t0, t1), (f0, f1) = look.seconds or (0.0, end), look.hertz or (low, space.rate / 2)
    if not (0 <= t0 < t1 and 0 <= f0 < f1):
        raise AtomizerError("A picture spans from a lower to a higher time and frequency.")
    return (t0, min(t1, end) if t0 < end else t1), (max(f0, low), f1)


def picture(
    grid: np.ndarray,
    space: AtomSpace,
    look: Look = Look(),
    title: str = "",
    filled: np.ndarray | None = None,
) -> Figure:
    """Figure of all atoms of a grid (channels, frames, bins) on a time-frequency plane, with axes and a legend; `filled` as in `raster`."""

    def pixels(lane: slice, height: int) -> np.ndarray:
        # the other channels silent, so that each keeps its own colour and loudness
        shown = np.zeros_like(grid)
        shown[lane] = grid[lane]
        return raster(shown, space, look, filled, height=height)

    return _figure(pixels, len(grid), space, look, title, float(space.seconds(grid.shape[1] - 1)))


def picture_of_tiles(atoms: Atoms, channels: int, look: Look = Look(), title: str = "") -> Figure:
    """The same of the atoms of a ScaleSpace."""

    def pixels(lane: slice, height: int) -> np.ndarray:
        return raster_tiles(
            atoms[(atoms.channel >= lane.start) & (atoms.channel < lane.stop)], look, height=height
        )

    return _figure(pixels, channels, atoms.space, look, title, _end(atoms))


def _figure(
    pixels: Callable[[slice, int], np.ndarray],
    channels: int,
    space: AtomSpace,
    look: Look,
    title: str,
    end: float,
) -> Figure:
    """Figure of what `pixels` makes of every lane of channels, at a height in pixels."""
    theme = palette.THEMES["dark" if look.dark else "light"]
    paper, ink = (
        "#" + bytes(int(v) for v in theme["paper"]).hex(),
        "#c9cfdb" if look.dark else "#1e293b",
    )
    lanes = [slice(c, c + 1) for c in range(channels)] if look.stacked else [slice(0, channels)]
    figure = Figure(
        figsize=(10, 2.2 + 3.2 * min(len(lanes), 4) if len(lanes) > 1 else 5.4),
        facecolor=paper,
        layout="constrained",
    )
    spec = figure.add_gridspec(len(lanes), 2, width_ratios=[40, 1])
    axes = [figure.add_subplot(spec[0, 0])]
    axes += [figure.add_subplot(spec[k, 0], sharex=axes[0]) for k in range(1, len(lanes))]
    seconds, hertz = limits(end, space, look)
    bottom, top = (float(unit(f, look.scale)) for f in hertz)
    for number, (ax, lane) in enumerate(zip(axes, lanes)):
        ax.imshow(
            pixels(lane, max(240, 800 // len(lanes))),
            extent=(*seconds, bottom, top),
            aspect="auto",
            interpolation="nearest",
        )
        ticks = ticks_of(hertz, look.scale)
        ax.set_yticks(
            [float(unit(f, look.scale)) for f in ticks],
            [f"{f / 1000:g} kHz" if f >= 1000 else f"{f:g} Hz" for f in ticks],
        )
        ax.set_facecolor(paper)
        ax.tick_params(colors=ink, labelsize=9)
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(ink)
        if look.stacked:
            ax.set_title(channel_name(number, channels), loc="right", fontsize=9, color=ink)
    axes[-1].set_xlabel("time / s", color=ink)
    if title:
        axes[0].set_title(title, loc="left", fontsize=11, color=ink)
    _legend(figure.add_subplot(spec[:, 1]), look, space, channels, ink)
    return figure


def channel_name(number: int, channels: int) -> str:
    """What people call a channel of a sound of `channels`, as the page's format.js does."""
    return ("left", "right")[number] if channels == 2 else f"channel {number}"


def ticks_of(hertz: tuple[float, float], scale: str, apart: float = 0.045) -> list[float]:
    """Round frequencies within (from, to) that are at least `apart` of the axis away from each other, the highest first."""
    bottom, top = (float(unit(f, scale)) for f in hertz)
    out: list[float] = []
    for f in reversed(
        [f for f in TICKS if hertz[0] <= f <= hertz[1]] or list(np.round(np.linspace(*hertz, 5)))
    ):
        if not out or abs(float(unit(f, scale)) - float(unit(out[-1], scale))) >= apart * (
            top - bottom
        ):
            out.append(float(f))
    return out


def _legend(ax, look: Look, space: AtomSpace, channels: int, ink: str) -> None:
    """A bar of velocities for every kind of atom that occurs, side by side."""
    colours = palette.table("dark" if look.dark else "light")
    steps = range(0, palette.RANKS, palette.RANKS // 4)
    names = {
        "sign": {"negative": "negative", "positive": "positive"},
        "channel": {f"channel {c}": channel_name(c, channels) for c in range(channels)},
        "state": {"kept": "kept", "filled": "filled in"},
        "scale": (
            {f"channel {k}": f"{n:,} samples" for k, n in enumerate(space.scales)}
            if isinstance(space, ScaleSpace)
            else {"negative": "negative", "positive": "positive"}
        ),
        "rank": {f"rank {k}": label for k, label in zip(steps, ("first", "", "", "last"))},
    }[look.colour]
    bars = np.stack([colours[palette.KINDS.index(name)] for name in names], 1)
    ax.imshow(bars, extent=(0, len(names), space.floor_db, 0), aspect="auto", origin="lower")
    ax.xaxis.tick_top()
    ax.set_xticks(np.arange(len(names)) + 0.5, names.values(), rotation=90, fontsize=8)
    ax.yaxis.tick_right()
    ax.set_ylabel("velocity / dB", color=ink, fontsize=9)
    ax.yaxis.set_label_position("right")
    ax.tick_params(colors=ink, labelsize=8, length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def save(figure: Figure, format_: str) -> bytes:
    """A figure as a file: "png" or "svg". Text stays text, the atoms are pixels in both."""
    out = io.BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(
            out, format=format_, dpi=160, metadata={"Date": None} if format_ == "svg" else None
        )
    return out.getvalue()
