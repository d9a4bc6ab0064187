"""Level, brightness, width and share of a fill, changed afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from atomizer.atoms.selection import parse
from atomizer.errors import AtomizerError
from atomizer.inpainting.mid_side import left_and_right
from atomizer.inpainting.recipe import Recipe, dump_recipes, parse_recipes
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.shaping import FillShape, shape_fill, spans_of, tilted
from atomizer.io.audio import Sound

RATE = 44_100


@pytest.fixture(scope="module")
def fill():
    """Original, masked and filled noise of 0.5 s; filled in between 0.2 and 0.3 s."""
    noise = np.random.default_rng(0).standard_normal((2, RATE // 2)).astype(np.float32) * 0.1
    masked, filled = noise.copy(), noise.copy()
    masked[:, 8820:13230] = 0
    filled[:, 8820:13230] = noise[::-1, 8820:13230]
    return [Sound(samples, RATE) for samples in (noise, masked, filled)]


def level_of(samples, low, high):
    """Level in dB of a band."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hertz = np.fft.rfftfreq(samples.shape[-1], 1 / RATE)
    return 10 * np.log10(power[..., (hertz >= low) & (hertz < high)].mean())


def test_shape_keeps_all_samples_outside_of_the_fill(fill):
    original, masked, filled = fill
    assert shape_fill(*fill, FillShape()) is filled
    for shape in (FillShape(6), FillShape(tilt_db=3), FillShape(-3, -2, 0.4)):
        shaped = shape_fill(*fill, shape)
        same = (shaped.samples == original.samples).all(0)
        assert same[:8820].all() and same[13230:].all() and not same[9000:13000].any()
    assert np.array_equal(shape_fill(*fill, FillShape(wet=0)).samples, original.samples)


def test_width_scales_the_side_and_keeps_the_mono_sum():
    rng = np.random.default_rng(0)
    mono = np.round(rng.uniform(-0.5, 0.5, 9000) * 2**23).astype(np.float32) / np.float32(2**23)
    side = 0.2 * rng.standard_normal(9000).astype(np.float32)
    original = Sound(mono[None], RATE)
    masked, filled = (Sound(left_and_right(np.stack([mono, s])), RATE) for s in (0 * side, side))
    for width in (0.0, 0.5, 2.0):
        shaped = shape_fill(original, masked, filled, FillShape(tilt_db=1, width=width)).samples
        narrow = shape_fill(original, masked, filled, FillShape(tilt_db=1)).samples
        assert np.array_equal(shaped.astype(np.float64).sum(0) / 2, mono)
        wanted = width * (narrow[0] - narrow[1])
        assert shaped[0] - shaped[1] == pytest.approx(wanted, abs=1e-5)
    with pytest.raises(AtomizerError, match="width must be between 0 and 2"):
        FillShape(width=3)


def test_width_leaves_other_fills_alone(fill):
    assert np.array_equal(shape_fill(*fill, FillShape(width=0)).samples, fill[2].samples)


def test_level_changes_inside_and_fades_at_the_joints(fill):
    _, _, filled = fill
    shaped = shape_fill(*fill, FillShape(level_db=-20)).samples / filled.samples
    assert shaped[:, 9300:12700] == pytest.approx(0.1, rel=1e-4)
    assert (shaped[:, 8820] > 0.99).all() and (shaped[:, 13229] > 0.99).all()


@pytest.mark.parametrize("tilt", [3.0, -2.0])
def test_tilt_is_the_gain_per_octave_around_the_pivot(tilt):
    noise = np.random.default_rng(1).standard_normal((1, 2 * RATE)).astype(np.float32)
    out = tilted(noise, FillShape(tilt_db=tilt), RATE)
    for octaves in (-4, -2, -1, 0, 1):
        low, high = 4000 * 2**octaves * 0.95, 4000 * 2**octaves * 1.05
        gain = level_of(out, low, high) - level_of(noise, low, high)
        assert gain == pytest.approx(tilt * octaves, abs=0.5)


def test_dry_sound_may_be_shorter_and_of_fewer_channels(sound):
    recipe = Recipe(settings=Settings("noise"), extend=0.25, add_channels=1)
    before = sound(0.5)
    half = replace(recipe, shape=FillShape(wet=0.5)).apply(before)
    dry = replace(recipe, shape=FillShape(wet=0)).apply(before)
    full = recipe.apply(before)
    assert dry.samples.shape == full.samples.shape and not dry.samples[:, -5000:].any()
    assert np.allclose(half.samples, (dry.samples + full.samples) / 2, atol=1e-6)


def test_spans_join_short_gaps():
    change = np.zeros((2, 10_000))
    change[0, 1000:2000] = change[1, 2050] = change[1, 9000:] = 1
    assert spans_of(change, 1000) == [(1000, 2051), (9000, 10_000)]
    assert spans_of(change * 0, 1000) == []


def test_settings_files_keep_the_shape(sound):
    recipe = Recipe(parse(["time:0.1-0.3"]), Settings("noise"), shape=FillShape(-3, 1.5, 0.8))
    (again,) = parse_recipes(dump_recipes([recipe]))
    assert again == recipe and "shape" not in Recipe().to_dict()
    assert not np.array_equal(
        recipe.apply(sound(0.5)).samples,
        replace(recipe, shape=FillShape()).apply(sound(0.5)).samples,
    )


@pytest.mark.parametrize(
    "data, says",
    [
        ({"level_db": 99}, "level must be between -24 and 24, not 99"),
        ({"wet": "x"}, "wet of a shape cannot be 'x'"),
        ({"depth": 1}, "'depth' of a shape is unknown: level_db, tilt_db, wet, width are accepted"),
        ([], "A shape is an object"),
    ],
)
def test_invalid_shape_gets_one_sentence(data, says):
    with pytest.raises(AtomizerError, match=says):
        FillShape.from_dict(data)
