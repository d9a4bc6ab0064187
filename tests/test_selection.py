import json
import time
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atomizer.analysis.mdct_atomizer import MDCTAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.selection import Part, Region, Selection, parse
from atomizer.atoms.shapes import SHAPES
from atomizer.atoms.space import FEATURES, LOUDNESS, AtomSpace
from atomizer.atoms.specifications import HELP
from atomizer.limits import Limits

FRAMES, BINS = 40, 64  # of the small space: 0.312 s and 4000 Hz
FINITE = st.floats(-1e4, 1e4).map(lambda v: round(v, 4))


@pytest.fixture(scope="module")
def grid():
    """(2, FRAMES, BINS): a third of the cells silent."""
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((2, FRAMES, BINS)) * (rng.random((2, FRAMES, BINS)) > 1 / 3)
    ).astype(np.float32)


def centres(space):
    return space.seconds(np.arange(FRAMES)), space.hertz(np.arange(BINS))


def region(**data):
    return Selection.from_dict({"regions": [data]})


# --- every specification


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("above:1000", lambda t, f, c: f >= 1000),
        ("below:1000", lambda t, f, c: f <= 1000),
        ("time:0.1-0.2", lambda t, f, c: (t > 0.1 - 0.008) & (t < 0.2 + 0.008)),
        ("after:0.2", lambda t, f, c: t > 0.2 - 0.008),
        ("channel:1", lambda t, f, c: c == 1),
        (
            "rect:0.1,0.2,500,1500",
            lambda t, f, c: (t >= 0.1) & (t <= 0.2) & (f >= 500) & (f <= 1500),
        ),
    ],
)
def test_each_specification_selects_what_it_says(text, wanted, grid, small):
    t, f = centres(small)
    expected = np.broadcast_to(
        wanted(t[None, :, None], f[None, None, :], np.arange(2)[:, None, None]), grid.shape
    )
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(parse([text]).mask(grid, small), expected)


@pytest.mark.parametrize("percent", (0.1, 1, 33.3, 50, 99.9, 100))
@pytest.mark.parametrize("kind", ("random", "quietest", "loudest"))
def test_parts_count_the_audible_atoms_exactly(kind, percent, grid, small):
    audible = small.quantise(grid, np.abs(grid).max()) > 0
    mask = parse([f"{kind}:{percent}"]).mask(grid, small)
    assert mask.sum() == round(percent / 100 * audible.sum())
    assert not (mask & ~audible).any()
    loud = np.abs(grid)
    if kind != "random" and percent < 100:
        rest = loud[audible & ~mask]
        assert (
            loud[mask].max() <= rest.min() if kind == "quietest" else loud[mask].min() >= rest.max()
        )


def test_transients_and_steady_sounds_are_separated():
    space = AtomSpace()
    rng, rate = np.random.default_rng(0), space.rate
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate)
    clicks = np.zeros(2 * rate)
    clicks[rate // 4 :: rate // 2] = 1.0
    sound = tone + clicks + 1e-3 * rng.standard_normal(2 * rate)
    grid = MDCTAtomizer(space).grid(sound[None].astype(np.float32))
    attacks, notes = (parse([text]).mask(grid, space) for text in ("transients:10", "steady:3"))
    assert not (attacks & notes).any()
    energy = np.array([MDCTAtomizer(space).grid(x[None]) ** 2 for x in (tone, clicks)])
    of_tone, of_clicks = energy[:, attacks].sum(1) / energy.sum((1, 2, 3))
    assert of_clicks > 0.5 and of_tone < 0.1
    of_tone, of_clicks = energy[:, notes].sum(1) / energy.sum((1, 2, 3))
    assert of_tone > 0.5 and of_clicks < 0.1


def test_every_takes_whole_frames_below_nyquist(grid, small):
    mask = parse(["every:3"]).mask(grid, small, nyquist=3000)
    recorded = small.hertz(np.arange(small.hop)) <= 3000
    expected = np.zeros(grid.shape, bool)
    expected[:, 2::3] = recorded
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize("text", ["every:4", "transients:20", "steady:20", "beats:2"])
def test_parts_of_grids_are_refused_for_single_atoms(text, grid, small, refused):
    atoms = Atoms.from_grid(grid, small, small.hop * (grid.shape[1] - 1))
    with refused("MDCT"):
        parse([text]).mask_atoms(atoms)


@pytest.mark.parametrize("per_second", (0, 100, 1234.5, 1e9))
def test_keep_selects_all_but_the_loudest_atoms_per_second(per_second, grid, small):
    """Of all channels together, and inaudible cells: the places become unknown, too."""
    seconds = (grid.shape[1] - 1) * small.hop / small.rate
    audible, loud = small.quantise(grid, np.abs(grid).max()) > 0, np.abs(grid)
    mask = parse([f"keep:{per_second!r}"]).mask(grid, small)
    assert (~mask).sum() == min(round(per_second * seconds), audible.sum()) and (
        mask | audible
    ).all()
    if 0 < (~mask).sum():
        assert loud[~mask].min() >= loud[mask].max()
    beyond = small.hertz(np.arange(BINS)) > 1000
    assert not parse(["keep:100"]).mask(grid, small, nyquist=1000)[..., beyond].any()


def test_equally_loud_atoms_are_counted_exactly(small):
    assert parse(["loudest:25"]).mask(np.ones((1, 10, 64), np.float32), small).sum() == 160


def test_the_random_part_follows_its_seed(grid, small):
    half = parse(["random:50"])
    np.testing.assert_array_equal(half.mask(grid, small, seed=1), half.mask(grid, small, seed=1))
    both = (half.mask(grid, small, seed=1) & half.mask(grid, small, seed=2)).sum() / half.mask(
        grid, small
    ).sum()
    assert 0.4 < both < 0.6


def test_several_specifications_add_up(grid, small):
    texts = ["above:3000", "time:0-0.05", "channel:1", "quietest:10"]
    together = parse(texts).mask(grid, small)
    np.testing.assert_array_equal(
        together, np.any([parse([t]).mask(grid, small) for t in texts], axis=0)
    )
    np.testing.assert_array_equal((parse(texts[:2]) + parse(texts[2:])).mask(grid, small), together)
    assert parse(texts[0]) == parse(texts[:1])


def test_adding_selections_keeps_the_first_ones_features():
    assert (parse(["above:1"], ["sign"]) + parse(["below:1"])).features == ("sign",)


@given(st.integers(0, 2400), st.integers(1, 800))
def test_a_time_span_is_every_atom_whose_window_overlaps_it(small, start, samples):
    """In exact arithmetic: frame m covers the samples from (m - 1) * hop to (m + 1) * hop."""
    assume(start < (FRAMES - 1) * small.hop)
    expected = [
        (m + 1) * small.hop > start and (m - 1) * small.hop < start + samples for m in range(FRAMES)
    ]
    t0, t1 = Fraction(start, small.rate), Fraction(start + samples, small.rate)
    mask = Selection((Region(t=(float(t0), float(t1))),)).mask(
        np.ones((1, FRAMES, BINS), np.float32), small
    )
    np.testing.assert_array_equal(
        mask, np.broadcast_to(np.array(expected)[None, :, None], mask.shape)
    )


def test_a_time_span_excludes_frames_that_only_touch_it():
    """On the default space, where seconds are no round numbers."""
    space = AtomSpace()
    grid = np.ones((1, 300, 4), np.float32)
    first = [
        np.flatnonzero(
            Selection((Region(t=(k * 1024 / 44_100, None)),)).mask(grid, space)[0, :, 0]
        )[0]
        for k in range(1, 298)
    ]
    assert first == list(range(1, 298))
    last = [
        np.flatnonzero(Selection((Region(t=(0, k * 1024 / 44_100)),)).mask(grid, space)[0, :, 0])[
            -1
        ]
        for k in range(1, 298)
    ]
    assert last == list(range(1, 298))


def test_only_bounded_regions_reach_above_the_recorded_band(grid, small):
    f = small.hertz(np.arange(BINS))
    for text in ("time:0-0.1", "after:0.1", "channel:0", "random:50", "quietest:90", "loudest:90"):
        mask = parse([text]).mask(grid, small, nyquist=1000)
        assert mask.any() and not mask[..., f > 1000].any(), text
    assert parse(["above:500"]).mask(grid, small, nyquist=1000)[..., f > 1000].all()


# --- refusals


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "above",
        "above:",
        "above:high",
        "above:1,2",
        "above:nan",
        "above:inf",
        "above:-1",
        "above:1e999",
        "below:-0.1",
        "time:1",
        "time:2-1",
        "time:1-1",
        "time:1-2-3",
        "time:-1-2",
        "time:nan-2",
        "time:0-inf",
        "after:",
        "after:-1",
        "after:nan",
        "channel:-1",
        "channel:0.5",
        "channel:left",
        "keep:-1",
        "keep:",
        "keep:inf",
        "keep:1,2",
        "every:1",
        "every:2.5",
        "beats:1",
        "beats:2,3",
        "beats:2,1,1",
        "transients:101",
        "random:101",
        "random:-1",
        "random:nan",
        "loudest:inf",
        "quietest:1e9",
        "rect:1,2,3",
        "rect:1,2,3,4,5",
        "rect:2,1,0,9",
        "rect:0,1,9,3",
        "rect:0,1,0,nan",
        "rect:0,1,-5,9",
        "middle:3",
        "ABOVE:3",
        "above:" + "9" * 1000,
        "x" * 1000,
        "above:1\nbelow:2",
        "none:5",
    ],
)
def test_invalid_specifications_are_refused(text, refused):
    with refused():
        parse([text])


def test_the_refusal_lists_every_kind(refused):
    with refused(*(part.split(":")[0] + ":" for part in HELP.split())):
        parse(["middle:3"])


def test_invalid_features_are_refused(refused):
    with refused(*FEATURES):
        parse(["above:1"], ["loudness"])


@pytest.mark.parametrize(
    "text",
    [
        "above:4000",
        "above:99999",
        "time:0.4-0.5",
        "after:9",
        "rect:9,10,0,100",
        "rect:0,0.1,5000,6000",
    ],
)
def test_a_selection_outside_the_sound_is_refused(text, grid, small, refused):
    with refused("no atom", "4000 Hz"):
        parse([text]).mask(grid, small)
    with refused("no atom"):  # also where another region does hold some
        parse(["below:1000", text]).mask(grid, small)


@pytest.mark.parametrize("channel", (2, 7, 10**30))
def test_a_channel_outside_the_sound_is_refused(channel, grid, small, refused):
    with refused("channel", "0 to 1"):
        parse([f"channel:{channel}"]).mask(grid, small)
    with refused("channel", "0 to 1"):
        region(kind="rect", f=[0, 100], channels=[0, channel]).mask(grid, small)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        parse(["random:0"]),
        parse(["loudest:0"]),
        Selection((Region(f=(100, 200)), Region(op="subtract"))),
    ],
)
def test_nothing_selected_is_refused(selection, grid, small, refused):
    with refused("nothing is selected"):
        selection.mask(grid, small)


def test_no_part_of_silence_can_be_selected(small, refused):
    with refused("nothing is selected"):
        parse(["random:50"]).mask(np.zeros((1, 5, 64), np.float32), small)


# --- regions


def test_a_rect_contains_bins_by_their_centre_silent_or_not(grid, small):
    t, f = centres(small)
    mask = region(kind="rect", t=[t[3], t[9]], f=[f[5] - 1, f[20] + 1]).mask(grid, small)
    expected = np.zeros(grid.shape, bool)
    expected[:, 3:10, 5:21] = True
    np.testing.assert_array_equal(mask, expected)
    assert (grid[mask] == 0).any()


def test_a_rect_may_be_drawn_from_any_corner_and_left_open(grid, small):
    a = region(kind="rect", t=[0.2, 0.1], f=[2000, 500]).mask(grid, small)
    np.testing.assert_array_equal(
        a, region(kind="rect", t=[0.1, 0.2], f=[500, 2000]).mask(grid, small)
    )
    np.testing.assert_array_equal(
        region(kind="rect", f=[2000, None]).mask(grid, small),
        parse(["above:2000"]).mask(grid, small),
    )
    assert region(kind="rect").mask(grid, small).all()


def test_channels_limit_a_region(grid, small):
    mask = region(kind="rect", f=[500, 1000], channels=[1]).mask(grid, small)
    assert mask[1].any() and not mask[0].any()


def test_regions_act_in_their_order(grid, small):
    add, take = (
        {"kind": "rect", "f": [500, 2000]},
        {"kind": "rect", "op": "subtract", "f": [1000, 1500], "channels": [0]},
    )
    _, f = centres(small)
    hole = (f >= 1000) & (f <= 1500)
    band = (f >= 500) & (f <= 2000)
    mask = Selection.from_dict({"regions": [add, take]}).mask(grid, small)
    np.testing.assert_array_equal(mask[0], np.broadcast_to(band & ~hole, mask[0].shape))
    np.testing.assert_array_equal(mask[1], np.broadcast_to(band, mask[1].shape))
    again = Selection.from_dict({"regions": [take, add]}).mask(grid, small)
    np.testing.assert_array_equal(again[0], np.broadcast_to(band, mask[0].shape))


def test_subtracting_an_empty_region_does_nothing(grid, small):
    data = {
        "regions": [
            {"kind": "rect", "f": [500, 2000]},
            {"kind": "rect", "op": "subtract", "f": [9000, 9999]},
        ]
    }
    np.testing.assert_array_equal(
        Selection.from_dict(data).mask(grid, small),
        region(kind="rect", f=[500, 2000]).mask(grid, small),
    )


def test_a_rectangular_lasso_is_a_rect(grid, small):
    # no centre of a bin on an edge
    corners = [
        [0.1, 500],
        [0.203, 500],
        [0.203, 1500],
        [0.1, 1500],
    ]
    want = region(kind="rect", t=[0.1, 0.203], f=[500, 1500]).mask(grid, small)
    for points in (corners, corners[::-1], corners[2:] + corners[:2]):
        for scale in ("linear", "log"):
            np.testing.assert_array_equal(
                region(kind="lasso", points=points, scale=scale).mask(grid, small), want
            )


@given(st.lists(st.tuples(st.floats(0, 0.3), st.floats(0, 4000)), min_size=3, max_size=3))
def test_a_triangular_lasso_is_the_intersection_of_half_planes(small, corners):
    (ax, ay), (bx, by), (cx, cy) = corners
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    assume(abs(area) > 20)
    t, f = (v.ravel() for v in np.meshgrid(*centres(small), indexing="ij"))
    sides = np.stack(
        [
            (x1 - x0) * (f - y0) - (y1 - y0) * (t - x0)
            for (x0, y0), (x1, y1) in (
                ((ax, ay), (bx, by)),
                ((bx, by), (cx, cy)),
                ((cx, cy), (ax, ay)),
            )
        ]
    ) * np.sign(area)
    inside, clear = (sides > 0).all(0), (np.abs(sides) > 1e-6).all(0)
    assume(inside.any())
    mask = (
        region(kind="lasso", points=[list(p) for p in corners])
        .mask(np.ones((1, FRAMES, BINS), np.float32), small)
        .ravel()
    )
    np.testing.assert_array_equal(mask[clear], inside[clear])


def test_a_lasso_may_be_concave_and_cross_itself(grid, small):
    def inside(points, t, f):
        mask = region(kind="lasso", points=points).mask(grid, small)
        return mask[0, round(t / 0.008), round(f / 62.5 - 0.5)]

    u = [
        [0.05, 500],
        [0.25, 500],
        [0.25, 3000],
        [0.2, 3000],
        [0.2, 1000],
        [0.1, 1000],
        [0.1, 3000],
        [0.05, 3000],
    ]
    assert inside(u, 0.07, 2000) and inside(u, 0.23, 2000) and inside(u, 0.15, 700)
    assert not inside(u, 0.15, 2000) and not inside(u, 0.15, 3500)
    bow_tie = [[0.05, 500], [0.25, 3000], [0.25, 500], [0.05, 3000]]
    assert inside(bow_tie, 0.06, 1700) and inside(bow_tie, 0.24, 1700)
    assert not inside(bow_tie, 0.15, 700) and not inside(bow_tie, 0.15, 2800)


@given(
    st.lists(st.tuples(st.floats(0, 0.3), st.floats(0, 4000)), min_size=1, max_size=4),
    st.floats(0.01, 0.1),
    st.floats(100, 1000),
)
def test_a_brush_contains_its_ellipse_along_the_line(small, points, seconds, hertz):
    t, f = (v.ravel() for v in np.meshgrid(*centres(small), indexing="ij"))
    path = np.array(points)
    if len(path) > 1:  # the line, point by dense point
        path = np.concatenate(
            [a + (b - a) * np.linspace(0, 1, 400)[:, None] for a, b in pairwise(path)]
        )
    distance = np.sqrt(
        (((t[:, None] - path[:, 0]) / seconds) ** 2 + ((f[:, None] - path[:, 1]) / hertz) ** 2).min(
            1
        )
    )
    assume((distance < 0.99).any())
    mask = (
        region(kind="brush", points=[list(p) for p in points], size=[seconds, hertz])
        .mask(np.ones((1, FRAMES, BINS), np.float32), small)
        .ravel()
    )
    assert mask[distance < 0.99].all() and not mask[distance > 1.01].any()


def test_a_logarithmic_brush_is_even_in_octaves(small):
    mask = region(
        kind="brush", points=[[0, 1000], [0.3, 1000]], size=[0.02, 1.0], scale="log"
    ).mask(np.ones((1, FRAMES, BINS), np.float32), small)
    _, f = centres(small)
    np.testing.assert_array_equal(mask[0, 20], (f >= 500) & (f <= 2000))


def test_the_default_brush_selects_something(grid, small):
    assert 0 < region(kind="brush", points=[[0.1, 1000]]).mask(grid, small).sum() < grid.size / 4


@pytest.mark.parametrize("kind", ("lasso", "brush"))
def test_the_largest_shapes_are_fast(kind):
    """Ten seconds of sound, and a circle as people draw it with a mouse that reports often."""
    turn = np.linspace(0, 2 * np.pi, Limits.points)
    selection = region(
        kind=kind, points=np.stack([5 + 4 * np.cos(turn), 11_000 + 9000 * np.sin(turn)], 1).tolist()
    )
    start = time.process_time()
    mask = selection.mask(np.ones((2, 431, 1024), np.float32), AtomSpace())
    assert time.process_time() - start < 1.5
    assert mask.mean() == pytest.approx(
        np.pi * 4 * 9000 / (10 * 22_050) if kind == "lasso" else 0.05,
        rel=0.03 if kind == "lasso" else 1,
    )


@pytest.mark.parametrize(
    "region_, bounds",
    [
        (Region(), (False, False)),
        (Region(channels=(0,)), (False, False)),
        (Region(t=(0, 1)), (True, False)),
        (Region(f=(500, None)), (False, True)),
        (Region(t=(0, 1), f=(500, None)), (True, True)),
        (Region("lasso", points=((0, 0), (1, 0), (1, 1))), (True, True)),
        (Region("brush", points=((0, 0),)), (True, True)),
    ],
)
def test_which_axes_a_region_limits(region_, bounds):
    assert (region_.bounds_time, region_.bounds_frequency) == bounds


@pytest.mark.parametrize("kind", ("lasso", "brush"))
def test_a_shape_without_points_is_refused(kind, grid, small, refused):
    with refused(kind, "points"):
        Selection((Region(kind),)).mask(grid, small)


def test_an_undeclared_field_of_a_shape_is_named(monkeypatch, grid, small):
    @dataclass(frozen=True)
    class Disc:
        radius: float

    monkeypatch.setitem(SHAPES, "disc", Disc)
    with pytest.raises(TypeError, match="'disc' has a field 'radius', which Region must have"):
        Selection((Region("disc"),)).mask(grid, small)


# --- JSON

LIMITS = st.none() | st.tuples(st.none() | FINITE, st.none() | FINITE).map(
    lambda p: p if None in p else tuple(sorted(p))
)
CHANNELS = st.none() | st.lists(st.integers(0, 7), min_size=1, max_size=3, unique=True).map(tuple)
OPS, SCALES = st.sampled_from(["add", "subtract"]), st.sampled_from(["linear", "log"])
POINTS = st.lists(st.tuples(FINITE, FINITE), min_size=3, max_size=6).map(tuple)
SIZES = st.tuples(st.floats(1e-3, 10), st.floats(1e-3, 1e4))
REGIONS = st.one_of(
    st.builds(Region, st.just("rect"), OPS, CHANNELS, LIMITS, LIMITS),
    st.builds(Region, st.just("lasso"), OPS, CHANNELS, points=POINTS, scale=SCALES),
    st.builds(Region, st.just("brush"), OPS, CHANNELS, points=POINTS, size=SIZES, scale=SCALES),
)
PARTS = st.builds(
    Part, st.sampled_from(["random", "quietest", "loudest"]), st.floats(0, 100)
) | st.builds(Part, st.just("keep"), st.floats(0, 1e9))
SUBSETS = st.sets(st.sampled_from(FEATURES), min_size=1).map(
    lambda s: tuple(n for n in FEATURES if n in s)
)
SELECTIONS = st.builds(
    Selection,
    st.lists(REGIONS, max_size=4).map(tuple),
    st.lists(PARTS, max_size=2).map(tuple),
    SUBSETS,
)


@given(SELECTIONS)
def test_json_round_trip(selection):
    text = json.dumps(selection.to_dict(), allow_nan=False)
    assert Selection.from_json(text) == selection


def test_json_has_the_documented_shape():
    data = parse(["above:8000", "channel:0", "random:50"], ["sign"]).to_dict()
    assert data == {
        "regions": [
            {"kind": "rect", "op": "add", "f": [8000.0, None]},
            {"kind": "rect", "op": "add", "channels": [0]},
        ],
        "features": ["sign"],
        "parts": ["random:50"],
    }


def test_only_the_kind_is_required_in_json():
    assert Selection.from_json("{}") == Selection()
    assert Selection.from_json('{"regions": [{"kind": "rect"}]}') == Selection((Region(),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[1",
        '{"regions": [}',
        "[" * 100_000,
        "\x00",
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_invalid_json_is_refused(text, refused):
    with refused("JSON"):
        Selection.from_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "3",
        "[]",
        '"above:8000"',
        '{"regions": {}}',
        '{"regions": null}',
        '{"regions": "all"}',
        '{"features": "sign"}',
        '{"features": []}',
        '{"features": ["loudness"]}',
        '{"features": [3]}',
        '{"features": null}',
        '{"parts": "random:5"}',
        '{"parts": [5]}',
        '{"parts": [null]}',
        '{"parts": ["random:105"]}',
        '{"parts": ["random:NaN"]}',
        '{"regions": [3]}',
        '{"regions": [null]}',
        '{"regions": [[]]}',
        '{"regions": [{}]}',
    ],
)
def test_json_of_another_shape_is_refused(text, refused):
    with refused():
        Selection.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "circle"},
        {"kind": None},
        {"kind": 3},
        {"kind": []},
        {"op": "xor"},
        {"op": None},
        {"op": {}},
        {"scale": "mel"},
        {"scale": []},
        {"channels": 0},
        {"channels": []},
        {"channels": [-1]},
        {"channels": [0.5]},
        {"channels": [True]},
        {"channels": ["0"]},
        {"channels": {}},
        {"t": 3},
        {"t": [1]},
        {"t": [1, 2, 3]},
        {"t": ["a", "b"]},
        {"t": [True, False]},
        {"f": {}},
        {"f": "ab"},
        {"f": [[1], [2]]},
        {"t": [float("nan"), 1]},
        {"f": [0, float("inf")]},
        {"f": [-float("inf"), 1]},
        {"f": [0, 10**400]},
        {"t": [0, 1e300]},
    ],
)
def test_invalid_rects_are_refused(change, refused):
    data = {"kind": "rect", "t": [0, 1], "f": [100, 200]} | change
    with refused():
        Selection.from_json(json.dumps({"regions": [data]}))


@pytest.mark.parametrize("kind", ("lasso", "brush"))
@pytest.mark.parametrize(
    "change",
    [
        {"points": None},
        {"points": []},
        {"points": {}},
        {"points": [1, 2, 3]},
        {"points": [[1]] * 3},
        {"points": [[1, 2, 3]] * 3},
        {"points": "abc"},
        {"points": [["a", "b"]] * 3},
        {"points": [[0, float("nan")]] * 3},
        {"points": [[float("inf"), 0]] * 3},
        {"points": [[None, 0]] * 3},
        {"points": [[0, 1]] * (Limits.points + 1)},
        {"size": 3},
        {"size": [1]},
        {"size": [0, 1]},
        {"size": [1, -1]},
        {"size": [float("nan"), 1]},
        {"size": None},
    ],
)
def test_invalid_lassos_and_brushes_are_refused(kind, change, refused):
    data = {"kind": kind, "points": [[0, 100], [0.1, 200], [0.2, 50]]} | change
    with refused():
        Selection.from_json(json.dumps({"regions": [data]}))


def test_a_lasso_needs_three_points_and_a_brush_one(refused):
    with refused("3 to"):
        region(kind="lasso", points=[[0, 1], [1, 2]])
    assert len(region(kind="brush", points=[[0, 1]]).regions[0].points) == 1


def test_too_many_regions_are_refused(refused):
    with refused(str(Limits.regions)):
        Selection.from_dict({"regions": [{"kind": "rect"}] * (Limits.regions + 1)})
    assert (
        len(Selection.from_dict({"regions": [{"kind": "rect"}] * Limits.regions}).regions)
        == Limits.regions
    )


def test_regions_among_the_parts_are_limited_too(refused):
    with refused():
        Selection.from_dict({"parts": ["above:1"] * 10_000})


def test_repeated_channels_are_counted_once():
    try:
        channels = region(kind="rect", channels=[0] * 10_000).regions[0].channels
    except ValueError:
        return
    assert len(channels) <= 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    JSON,
    st.sampled_from(
        [
            "",
            "regions",
            "parts",
            "features",
            "region",
            "t",
            "f",
            "points",
            "size",
            "channels",
            "kind",
            "op",
            "scale",
        ]
    ),
    st.sampled_from(["rect", "lasso", "brush"]),
)
def test_any_json_is_a_selection_or_refused(refused, data, where, kind):
    if where in ("regions", "parts", "features"):
        data = {where: data}
    elif where:
        points = [[0, 1], [1, 2], [2, 1]]
        data = {
            "regions": [
                data if where == "region" else {"kind": kind, "points": points, where: data}
            ]
        }
    try:
        assert isinstance(Selection.from_dict(data), Selection)
    except ValueError:
        with refused():
            Selection.from_dict(data)


def test_erasing_means_unknown_velocity_and_sign():
    assert parse(["above:1"]).erases and parse(["above:1"]).features == LOUDNESS
    assert parse(["above:1"], FEATURES).erases
    assert (
        not parse(["above:1"], ["sign"]).erases
        and not parse(["above:1"], ["velocity", "time"]).erases
    )
