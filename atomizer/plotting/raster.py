"""Pictures of atoms, pixel by pixel, without axes."""

from __future__ import annotations

import numpy as np

from ..atoms.atoms import Atoms
from ..atoms.orderings import order
from ..atoms.space import AtomSpace, ScaleSpace
from . import palette
from .axes import axis_frequency, axis_position, axis_range, visible_range
from .style import PlotStyle


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
    bottom, top = axis_range(hertz, style.scale)
    edges = axis_position(np.arange(space.hop + 1) * space.bin_hz, style.scale)
    high = np.diff(edges)[rows[1:]] / (top - bottom) * height
    wide = space.hop / space.rate / (seconds[1] - seconds[0]) * width
    tint = palette.tint_of(np.minimum(wide, high))  # per row of pixels
    return _coloured(velocity, row, tint, style).transpose(1, 0, 2)


def _coloured(
    velocity: np.ndarray, row: np.ndarray, tint: np.ndarray, style: PlotStyle
) -> np.ndarray:
    """(width, height, 3) uint8: the colours of velocities and palette rows (width, height).

    tint  (height,) steps of the tint; inaudible cells show the paper
    """
    gamma = palette.gamma_of(style.contrast)
    tables = np.stack([palette.table(style.theme, k, gamma) for k in range(palette.TINTS)])
    colours = tables[tint, row, np.maximum(velocity, 0)]
    paper = np.array(palette.THEMES[style.theme]["paper"], np.uint8)
    return np.where((velocity > 0)[..., None], colours, paper)


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
    low, high = axis_range(hertz, scale)
    bins = axis_frequency(np.linspace(high, low, height + 1), scale) / space.bin_hz
    return np.clip(np.floor(bins), 0, space.hop - 1).astype(int)


def _loudest(
    velocity: np.ndarray, row: np.ndarray, edges: np.ndarray, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an axis to the intervals between edges, each to its loudest cell.

    Every interval has at least one cell.
    """
    velocity, row = np.moveaxis(velocity, axis, 0), np.moveaxis(row, axis, 0)
    velocities = np.empty((len(edges) - 1, velocity.shape[1]), velocity.dtype)
    rows = np.empty(velocities.shape, row.dtype)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:])):
        low, high = min(a, b), max(a, b, min(a, b) + 1)
        best = velocity[low:high].argmax(0)[None]
        velocities[k] = np.take_along_axis(velocity[low:high], best, 0)[0]
        rows[k] = np.take_along_axis(row[low:high], best, 0)[0]
    return np.moveaxis(velocities, 0, axis), np.moveaxis(rows, 0, axis)


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
    out[audible] = _rows_by_rank(atoms, style)
    return out


def raster_tiles(
    atoms: Atoms, style: PlotStyle, width: int = 1600, height: int = 800
) -> np.ndarray:
    """Rasterise the atoms of a ScaleSpace to (height, width, 3) uint8 pixels.

    A tile covers half the window of its atom, and one bin of its scale.
    """
    space = atoms.space
    assert isinstance(space, ScaleSpace), "only atoms of a ScaleSpace are tiles"
    seconds, hertz = visible_range(atoms.length / space.rate, space, style)
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = palette.THEMES[style.theme]["paper"]
    loudest = np.maximum(np.abs(atoms.amplitude) / max(atoms.reference, 1e-30), 1e-9)
    velocity = np.clip(255 * (1 - 20 * np.log10(loudest) / space.floor_db), 0, 255).astype(int)
    table = palette.table(style.theme, gamma=palette.gamma_of(style.contrast))
    colours = table[_palette_rows_of_atoms(atoms, style), velocity]
    times, frequencies = _tile_edges(atoms, space)
    bottom, top = axis_range(hertz, style.scale)
    heights = axis_position(np.maximum(frequencies, 1e-3), style.scale)
    columns = (times - seconds[0]) / (seconds[1] - seconds[0]) * width
    rows = (top - heights) / (top - bottom) * height
    left, right = np.round(columns).astype(int)
    lower, upper = np.round(rows).astype(int)
    for i in np.argsort(np.abs(atoms.amplitude), kind="stable"):  # the loudest on top
        x, y = max(left[i], 0), max(upper[i], 0)
        pixels[y : max(lower[i], upper[i] + 2, 0), x : max(right[i], left[i] + 2, 0)] = colours[i]
    return pixels


def _tile_edges(atoms: Atoms, space: ScaleSpace) -> tuple[np.ndarray, np.ndarray]:
    """First and last times in seconds, lowest and highest frequencies in Hz of tiles, (2, N)."""
    reach = space.half_window(atoms.scale) / 2
    bin_hz = space.rate / np.asarray(space.scales)[atoms.scale]
    middle = space.seconds(atoms.time)
    centre = (space.scale_bin(atoms.scale, atoms.frequency) + 0.5) * bin_hz
    times = np.stack([middle - reach, middle + reach])
    return times, np.stack([centre - bin_hz / 2, centre + bin_hz / 2])


def _palette_rows_of_atoms(atoms: Atoms, style: PlotStyle) -> np.ndarray:
    """Palette rows of the atoms of a ScaleSpace."""
    row_of = palette.ROWS.index
    if style.colour == "state":
        return np.full(len(atoms), row_of("kept"))
    if style.colour in ("channel", "scale"):
        return row_of("channel 0") + getattr(atoms, style.colour).astype(int)
    if style.colour == "sign":
        return np.where(atoms.sign > 0, row_of("positive"), row_of("negative"))
    return _rows_by_rank(atoms, style)


def _rows_by_rank(atoms: Atoms, style: PlotStyle) -> np.ndarray:
    """(N,) palette rows of atoms by their ranks in the ordering of the style."""
    ranks = np.empty(len(atoms), int)
    ranks[order(atoms, style.ordering, style.reverse, style.seed)] = np.arange(len(atoms))
    step = np.minimum(ranks * palette.RANKS // max(len(atoms), 1), palette.RANKS - 1)
    return palette.ROWS.index("rank 0") + step
