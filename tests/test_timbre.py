"""Codes of timbre: how filled highs differ from those that the known bands predict."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from atomizer import AtomSpace, Settings, Sound, inpaint, parse, prepare
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.highs.timbre import list_timbres, parse_code
from atomizer.inpainting.origin import describe_origin
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.resolve import check_settings, resolve
from atomizer.inpainting.step import Step
from atomizer.io import resources
from atomizer.priors.highs import timbre as codes_of_timbre
from atomizer.priors.highs.timbre import Codes, shipped, timbre_gains

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import fit_timbre  # noqa: E402

RATE, CUTOFF_HZ, ABOVE = 44_100, 8000, "above:8000"
SPACE = AtomSpace(frames=64, channels=2)


@pytest.fixture(scope="module")
def model(make_small_model):
    return make_small_model(SPACE)


def pink(seconds=0.8):
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)), n)
    return Sound((0.05 * x / x.std())[None].astype(np.float32), RATE)


def resolved(settings, selection=ABOVE, sound=None):
    return resolve(settings, prepare(sound or pink(), parse([selection])))


def test_a_code_changes_the_highs_alone_and_settings_have_it(model):
    sound = pink()
    dark = inpaint(sound, ABOVE, model=model, timbre=1).samples
    bright = inpaint(sound, ABOVE, model=model, timbre=16, seed=3).samples
    spectrum = np.abs(np.fft.rfft(bright.astype(np.float64) - dark))[0]
    hertz = np.fft.rfftfreq(sound.samples.shape[1], 1 / RATE)
    outside = spectrum[hertz < CUTOFF_HZ - 200].max()
    assert outside < 0.01 * spectrum[hertz > CUTOFF_HZ + 200].max()  # spill of the window
    recipe = Recipe(parse([ABOVE]), Settings(timbre=16))  # the same code, whatever the seed
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    np.testing.assert_array_equal(again.apply(sound, model).samples, bright)


def test_coefficients_below_the_cutoff_are_equal(model):
    sound = pink()
    bursts = np.exp(-(np.arange(sound.samples.shape[1]) % 9000) / 1500)  # highs that are in doubt
    task = prepare(sound.with_samples(sound.samples * bursts.astype(np.float32)), parse([ABOVE]))
    grids = [last(fill(task, Settings(timbre=code), model)).grid for code in (2, 15)]
    assert (grids[0][~task.mask] == grids[1][~task.mask]).all()
    levels = [np.square(grid[task.mask]).sum() for grid in grids]
    assert levels[1] > 2 * levels[0]


def test_gains_are_one_below_the_cutoff_and_those_of_the_code_above():
    trust = np.zeros(SPACE.hop)
    plain, *coded = (timbre_gains(372, trust, SPACE, k) for k in range(shipped().count + 1))
    assert (plain == 1).all() and all((gains[:372] == 1).all() for gains in coded)
    brightness = [20 * np.log10(gains)[372:].mean() for gains in coded]
    assert brightness[0] < -4 and brightness[-1] > 4
    assert np.corrcoef(brightness, range(len(coded)))[0, 1] > 0.9


def test_a_code_changes_little_where_the_level_is_sure():
    change = [
        20 * np.log10(timbre_gains(372, np.full(SPACE.hop, trust), SPACE, 16)[372:].max())
        for trust in (0, 0.96, 1)
    ]
    np.testing.assert_allclose(change, [change[0], 0.2 * change[0], 0], atol=1e-3)
    assert change[0] > 4


def test_seeds_draw_codes_by_their_share():
    codes = Codes(np.zeros((3, 4)), np.array([0.5, 0.2, 0.3]))
    assert codes.of_seed(0) == 0
    drawn = Counter(codes.of_seed(seed) for seed in range(1, 1001))
    assert all(abs(drawn[k + 1] / 1000 - codes.share[k]) < 0.01 for k in range(3))
    assert 1 <= shipped().of_seed(2**63 - 1) <= shipped().count


def test_seeds_that_follow_each_other_have_different_codes():
    drawn = [resolved(Settings(seed=seed)).timbre for seed in range(5)]
    assert drawn[0] == 0 and len(set(drawn)) == 5


def test_parts_of_a_recording_have_one_code():
    task = prepare(pink(), parse([ABOVE]))
    parts = [
        resolve(Settings(seed=seed), replace(task, recording_seed=7)).timbre for seed in (1, 2)
    ]
    assert parts == [shipped().of_seed(7)] * 2
    silent = replace(task, grid=np.zeros_like(task.grid), recording_seed=0)
    assert resolve(Settings(timbre=5), silent).timbre == 5  # no error in a pause


@pytest.mark.parametrize(
    "settings, selection",
    [
        ({"method": "noise"}, ABOVE),
        ({"amplitudes": "sampled"}, ABOVE),
        ({}, "time:0.3-0.6"),
        ({}, "above:1000"),
        ({"like": ",".join(["-20"] * 36)}, ABOVE),
    ],
)
def test_other_fills_have_no_code(settings, selection):
    assert resolved(Settings(seed=3, **settings), selection).timbre == 0


def test_a_fill_names_its_code():
    task = prepare(pink(), parse([ABOVE]))
    step = Step(1, 1, task.grid, task.mask)
    words = describe_origin(step, task, resolve(Settings(timbre=1), task))
    assert words == ("timbre 1 (much darker)",)
    assert not describe_origin(step, task, resolve(Settings(), task))


def test_codes_in_words():
    flat, rising = np.full(12, -1.0), np.linspace(0.5, 1.4, 12)
    codes = Codes(np.array([flat, rising]), np.array([0.5, 0.5]))
    assert codes.describe(1) == "darker"
    assert codes.describe(2) == "brighter, rising"
    words = [line.split(": ")[1] for line in list_timbres()]
    assert len(words) == len(set(words)) == 16


@pytest.mark.parametrize(
    "settings, selection, words",
    [
        ({}, "time:0.3-0.6", "everything above one frequency"),
        ({"method": "noise"}, ABOVE, "method model"),
        ({"like": ",".join(["-20"] * 36)}, ABOVE, "remove the reference"),
        ({}, "above:1000", "from 2.0 to"),
    ],
)
def test_fills_that_take_no_code_say_so(settings, selection, words, refused):
    with refused(words):
        resolved(Settings(timbre=2, **settings), selection)


def test_sounds_that_are_too_short_say_so(refused):
    with refused("0.37 s"):
        resolved(Settings(timbre=2), sound=pink(0.2))


@pytest.mark.parametrize("code", [17, -1, True, 1.0, "3"])
def test_other_codes_are_refused(code, refused):
    with refused("1, the darkest, to 16"):
        check_settings(Settings(timbre=code))


def test_texts_name_codes(refused, monkeypatch):
    assert parse_code(" 12 ") == 12
    with refused("no timbre 'bright'"):
        parse_code("bright")
    monkeypatch.setattr(codes_of_timbre, "FILE", "missing.npz")
    codes_of_timbre.shipped.cache_clear()
    with refused("no codes of timbre"):
        parse_code("3")
    codes_of_timbre.shipped.cache_clear()


def test_the_file_of_codes_is_small():
    assert (resources.path("checkpoints") / codes_of_timbre.FILE).stat().st_size < 10_000
    assert abs(shipped().share.sum() - 1) < 1e-3


def test_clusters_are_found_where_the_ends_of_some_shapes_are_unknown():
    generator = np.random.default_rng(0)
    shapes = generator.normal(size=(fit_timbre.CODES, fit_timbre.POSITIONS))
    values = np.repeat(shapes, 12, 0)
    values += 0.01 * generator.normal(size=values.shape)
    valid = np.arange(fit_timbre.POSITIONS) < generator.integers(8, 13, len(values))[:, None]
    found = fit_timbre.cluster(np.where(valid, values, 50.0), valid)
    np.testing.assert_allclose(found, fit_timbre.cluster(np.where(valid, values, -9.0), valid))
    assert fit_timbre.distances(values, valid, found).min(1).mean() < 0.1  # of 1 with one shape
