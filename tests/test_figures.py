"""Static figures show what the page shows."""

import io

import matplotlib.image
import numpy as np
import pytest

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.space import ScaleSpace
from atomizer.plotting import palette
from atomizer.plotting.figures import (
    COLOURS,
    SCALES,
    Look,
    hertz_of,
    kinds,
    picture,
    picture_of_tiles,
    raster,
    raster_tiles,
    save,
    ticks_of,
    unit,
)


@pytest.fixture
def grid(small):
    out = np.zeros((2, 30, small.hop), np.float32)
    out[0, 10, 20], out[1, 20, 40] = 0.5, -0.25
    return out


@pytest.mark.parametrize("scale", SCALES)
def test_axes_are_undone_by_their_inverses(scale):
    f = np.array([40.0, 440, 3999])
    assert np.allclose(hertz_of(unit(f, scale), scale), f)


@pytest.mark.parametrize("scale", SCALES)
def test_an_atom_is_where_it_belongs_in_its_colour(grid, small, scale):
    pixels = raster(grid, small, Look(scale), width=290, height=200)
    paper = np.array(palette.THEMES["light"]["paper"])
    rows, columns = np.nonzero(
        (pixels == palette.table("light")[palette.KINDS.index("positive"), 255]).all(-1)
    )
    (t, f) = small.seconds(10), small.hertz(20)
    top, bottom = (float(unit(x, scale)) for x in (small.rate / 2, 30 if scale == "log" else 0))
    assert abs(columns.mean() / 290 * small.seconds(29) - t) < small.hop / small.rate
    assert abs(rows.mean() / 200 - (top - float(unit(f, scale))) / (top - bottom)) < 0.05
    assert (pixels != paper).any(-1).mean() < 0.05, "nothing else is drawn"


def test_zoomed_in_only_the_part_is_seen(grid, small):
    pixels = raster(
        grid, small, Look("linear", seconds=(0.0, 0.05), hertz=(0.0, 1000.0)), width=50, height=50
    )
    assert (pixels == 255).all()


@pytest.mark.parametrize(
    "colour, expected",
    [
        ("sign", ("positive", "negative")),
        ("channel", ("channel 0", "channel 1")),
        ("rank", ("rank 0", "rank 8")),
        ("state", ("kept", "filled")),
    ],
)
def test_every_colouring(grid, small, colour, expected):
    found = kinds(grid, small, Look(colour=colour), grid != 0, grid < 0)
    assert tuple(palette.KINDS[k] for k in (found[0, 10, 20], found[1, 20, 40])) == expected


@pytest.mark.parametrize(
    "look",
    [
        Look(),
        Look("mel", True, "channel", dark=True),
        Look("linear", colour="rank"),
        Look(colour="state"),
    ],
)
def test_figures_are_files(grid, small, look):
    png, svg = (save(picture(grid, small, look, "a title"), kind) for kind in ("png", "svg"))
    assert matplotlib.image.imread(io.BytesIO(png)).shape[1] == 1600
    assert svg.startswith(b"<?xml") and b"a title" in svg and b"kHz" in svg


def test_a_silent_grid_is_paper(small):
    assert (raster(np.zeros((1, 5, small.hop), np.float32), small, Look()) == 255).all()


def test_ticks_keep_their_distance():
    for scale in SCALES:
        places = [float(unit(f, scale)) for f in ticks_of((30, 22_050), scale)]
        assert (
            len(places) >= 3
            and (-np.diff(places) > 0.04 * (unit(22_050, scale) - unit(30, scale))).all()
        )


def test_what_there_is_not_is_refused(refused, grid, small):
    with refused("scale", *SCALES):
        Look("bark")
    with refused("colour", *COLOURS):
        Look(colour="mood")
    with refused("lower to a higher"):
        raster(grid, small, Look(seconds=(2.0, 1.0)))


def test_tiles_are_where_atoms_belong_in_their_colour():
    space = ScaleSpace()
    one = lambda **values: Atoms(
        space,
        44_100,
        1.0,
        **{name: np.array([value]) for name, value in values.items()},
        unknown=np.zeros(1, np.uint8),
    )
    atom = one(time=345, frequency=1024, channel=1, velocity=83, sign=1, amplitude=1.0, scale=2)
    for colour, kind in (
        ("scale", "channel 2"),
        ("channel", "channel 1"),
        ("sign", "positive"),
        ("state", "kept"),
        ("rank", "rank 0"),
    ):
        pixels = raster_tiles(
            atom, Look("linear", colour=colour, seconds=(0, 1), hertz=(0, 22_050)), 1000, 4096
        )
        rows, columns = np.nonzero((pixels != 255).any(-1))
        assert (rows.min(), rows.max()) == (
            4096 - 1025,
            4096 - 1024,
        ) and columns.max() - columns.min() + 1 == pytest.approx(93, abs=1)
        assert (columns.min() + columns.max()) / 2 == pytest.approx(1000 * 345 * 64 / 44_100, abs=1)
        np.testing.assert_array_equal(
            pixels[rows[0], columns[0]], palette.table("light")[palette.KINDS.index(kind), 255]
        )


@pytest.mark.parametrize("look", [Look(colour="scale"), Look("mel", True, "channel", dark=True)])
def test_pictures_of_a_pursuit_are_files(samples, look):
    atoms = MatchingPursuitAtomizer().analyse(samples(5000, 2), loudest=50)
    figure = picture_of_tiles(atoms, 2, look, "tiles")
    assert save(figure, "png").startswith(b"\x89PNG") and len(figure.axes) == (
        3 if look.stacked else 2
    )
