"""Static figures, which show the same as the page."""

import io

import matplotlib.image
import numpy as np
import pytest

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.space import ScaleSpace
from atomizer.plotting import palette
from atomizer.plotting.axes import axis_frequency, axis_position, frequency_ticks
from atomizer.plotting.figures import encode_figure, plot_grid, plot_tiles
from atomizer.plotting.raster import palette_rows, raster, raster_tiles
from atomizer.plotting.style import COLOURINGS, FREQUENCY_SCALES, PlotStyle


@pytest.fixture
def grid(small):
    out = np.zeros((2, 30, small.hop), np.float32)
    out[0, 10, 20], out[1, 20, 40] = 0.5, -0.25
    return out


@pytest.mark.parametrize("scale", FREQUENCY_SCALES)
def test_axis_frequency_inverts_axis_position(scale):
    f = np.array([40.0, 440, 3999])
    assert np.allclose(axis_frequency(axis_position(f, scale), scale), f)


@pytest.mark.parametrize("scale", FREQUENCY_SCALES)
def test_atom_has_its_position_and_colour(grid, small, scale):
    pixels = raster(grid, small, PlotStyle(scale), width=290, height=200)
    paper = np.array(palette.THEMES["light"]["paper"])
    rows, columns = np.nonzero(
        np.any(
            [
                (pixels == palette.table("light", tint)[palette.ROWS.index("positive"), 255]).all(
                    -1
                )
                for tint in range(palette.TINTS)
            ],
            0,
        )
    )
    (t, f) = small.seconds(10), small.hertz(20)
    top, bottom = (
        float(axis_position(x, scale)) for x in (small.rate / 2, 30 if scale == "log" else 0)
    )
    assert abs(columns.mean() / 290 * small.seconds(29) - t) < small.hop / small.rate
    assert abs(rows.mean() / 200 - (top - float(axis_position(f, scale))) / (top - bottom)) < 0.05
    assert (pixels != paper).any(-1).mean() < 0.05, "nothing else is drawn"


def test_visible_range_hides_other_atoms(grid, small):
    pixels = raster(
        grid,
        small,
        PlotStyle("linear", seconds=(0.0, 0.05), hertz=(0.0, 1000.0)),
        width=50,
        height=50,
    )
    assert (pixels == 255).all()


@pytest.mark.parametrize(
    "colour, expected",
    [
        ("sign", ("positive", "filled negative")),
        ("channel", ("channel 0", "channel 1")),
        ("rank", ("rank 0", "rank 8")),
        ("state", ("kept", "filled")),
    ],
)
def test_every_colouring(grid, small, colour, expected):
    found = palette_rows(grid, small, PlotStyle(colour=colour), grid != 0, grid < 0)
    assert tuple(palette.ROWS[k] for k in (found[0, 10, 20], found[1, 20, 40])) == expected


@pytest.mark.parametrize(
    "style",
    [
        PlotStyle(),
        PlotStyle("mel", True, "channel", dark=True),
        PlotStyle("linear", colour="rank"),
        PlotStyle(colour="state"),
    ],
)
def test_grid_figures_are_encoded(grid, small, style):
    png, svg = (
        encode_figure(plot_grid(grid, small, style, "a title"), kind) for kind in ("png", "svg")
    )
    assert matplotlib.image.imread(io.BytesIO(png)).shape[1] == 1600
    assert svg.startswith(b"<?xml") and b"a title" in svg and b"kHz" in svg


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("colour", COLOURINGS)
def test_labels_of_the_legend_do_not_touch(grid, small, colour, stacked):
    figure = plot_grid(grid, small, PlotStyle(colour=colour, stacked=stacked))
    figure.canvas.draw()
    labels = [label for label in figure.axes[-1].get_xticklabels() if label.get_text()]
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) >= 2
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:]))


def test_silent_grid_is_background(small):
    assert (raster(np.zeros((1, 5, small.hop), np.float32), small, PlotStyle()) == 255).all()


def test_ticks_keep_their_distance():
    for scale in FREQUENCY_SCALES:
        places = [float(axis_position(f, scale)) for f in frequency_ticks((30, 22_050), scale)]
        assert (
            len(places) >= 3
            and (
                -np.diff(places) > 0.04 * (axis_position(22_050, scale) - axis_position(30, scale))
            ).all()
        )


def test_invalid_plot_styles_are_rejected(refused, grid, small):
    with refused("scale", *FREQUENCY_SCALES):
        PlotStyle("bark")
    with refused("colour", *COLOURINGS):
        PlotStyle(colour="mood")
    with refused("lower to a higher"):
        raster(grid, small, PlotStyle(seconds=(2.0, 1.0)))


def test_tiles_have_their_position_and_colour():
    space = ScaleSpace()

    def one(**values):
        arrays = {name: np.array([value]) for name, value in values.items()}
        return Atoms(space, 44_100, 1.0, **arrays, unknown=np.zeros(1, np.uint8))

    atom = one(time=345, frequency=1024, channel=1, velocity=83, sign=1, amplitude=1.0, scale=2)
    for colour, kind in (
        ("scale", "channel 2"),
        ("channel", "channel 1"),
        ("sign", "positive"),
        ("state", "kept"),
        ("rank", "rank 0"),
    ):
        pixels = raster_tiles(
            atom, PlotStyle("linear", colour=colour, seconds=(0, 1), hertz=(0, 22_050)), 1000, 4096
        )
        rows, columns = np.nonzero((pixels != 255).any(-1))
        assert (rows.min(), rows.max()) == (
            4096 - 1025,
            4096 - 1024,
        ) and columns.max() - columns.min() + 1 == pytest.approx(93, abs=1)
        assert (columns.min() + columns.max()) / 2 == pytest.approx(1000 * 345 * 64 / 44_100, abs=1)
        np.testing.assert_array_equal(
            pixels[rows[0], columns[0]], palette.table("light")[palette.ROWS.index(kind), 255]
        )


@pytest.mark.parametrize(
    "style", [PlotStyle(colour="scale"), PlotStyle("mel", True, "channel", dark=True)]
)
def test_pursuit_figures_are_encoded(samples, style):
    atoms = MatchingPursuitAtomizer().analyse(samples(5000, 2), loudest=50)
    figure = plot_tiles(atoms, 2, style, "tiles")
    assert encode_figure(figure, "png").startswith(b"\x89PNG") and len(figure.axes) == (
        3 if style.stacked else 2
    )
