"""Filled highs with the levels of a reference recording."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from atomizer import AtomSpace, Settings, Sound, inpaint, parse
from atomizer.analysis import MDCTAtomizer
from atomizer.inpainting.highs.like import levels_of, parse_levels
from atomizer.inpainting.recipe import Recipe
from atomizer.io.audio import resample
from atomizer.priors.band_levels import BANDS, band_edges, band_powers, known_bands

RATE, CUTOFF_HZ = 44_100, 8000
SPACE = AtomSpace(frames=64, channels=2)


@pytest.fixture(scope="module")
def model(make_small_model):
    return make_small_model(SPACE)


def pink(seconds=1.5, above_db=0.0, seed=0, gain=1.0):
    """Pink noise, `above_db` louder above the cutoff."""
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    hertz = np.fft.rfftfreq(n, 1 / RATE)
    spectrum *= 10 ** (above_db / 20 * (hertz > CUTOFF_HZ)) / np.sqrt(np.maximum(hertz, 20))
    x = np.fft.irfft(spectrum, n)
    return Sound((0.05 * gain * x / x.std())[None].astype(np.float32), RATE)


def highs_db(sound):
    """Mean levels of the bands above the cutoff, relative to those of the four below it."""
    powers = band_powers(MDCTAtomizer(SPACE).grid(sound.samples), band_edges(SPACE))[2:-2]
    db, first = 10 * np.log10(powers).mean(0), known_bands(round(CUTOFF_HZ / SPACE.bin_hz), SPACE)
    return db[first + 1 :] - db[first - 4 : first].mean()


@pytest.mark.parametrize("above_db", [-8, 12])
def test_highs_are_as_loud_as_those_of_the_reference(model, above_db):
    reference = pink(3.0, above_db, seed=1, gain=0.2)
    filled = inpaint(pink(), f"above:{CUTOFF_HZ}", model=model, like=reference)
    missed = highs_db(filled) - highs_db(reference)
    assert np.abs(missed).max() < 2, missed
    plain = inpaint(pink(), f"above:{CUTOFF_HZ}", model=model)
    assert np.abs(highs_db(plain) - highs_db(reference)).mean() > 4  # it does not come by itself


def test_a_reference_of_another_rate_is_the_same_one():
    at_44 = pink(3.0, 6.0)
    at_48 = Sound(resample(at_44.samples, RATE, 48_000), 48_000)
    one, two = (parse_levels(levels_of(sound)) for sound in (at_44, at_48))
    np.testing.assert_allclose(one[:-1], two[:-1], atol=0.2)


def test_a_settings_file_has_the_levels(model):
    levels = levels_of(pink(3.0, 12.0))
    recipe = Recipe(parse([f"above:{CUTOFF_HZ}"]), Settings(like=levels))
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    np.testing.assert_array_equal(
        again.apply(pink(), model).samples,
        inpaint(pink(), f"above:{CUTOFF_HZ}", model=model, like=pink(3.0, 12.0)).samples,
    )


def test_references_without_levels_are_one_sentence(model, refused):
    with refused("silent"):
        levels_of(replace(pink(), samples=np.zeros((1, RATE), np.float32)))
    with refused("0.37 s"):
        levels_of(pink(0.2))
    low = Sound(resample(pink().samples, RATE, 8000), 8000)
    with refused("recording ends at 3.", "begins at 8.0 kHz"):
        inpaint(pink(), f"above:{CUTOFF_HZ}", model=model, like=low)


@pytest.mark.parametrize(
    "selection, settings, words",
    [
        ("time:0.5-1.5", {}, ["everything above one frequency"]),
        ("above:8000", {"features": "sign"}, ["everything above one frequency"]),
        ("above:8000", {"method": "noise"}, ["method model"]),
        ("above:8000", {"amplitudes": "sampled"}, ["method model"]),
    ],
)
def test_fills_that_take_no_reference_say_so(selection, settings, words, model, refused):
    with refused(*words):
        inpaint(pink(), selection, model=model, like=pink(1.0), **settings)


@pytest.mark.parametrize("text", ["loud", "1,2,3", ",".join(["-"] * BANDS), "inf" + ",1" * 35])
def test_other_levels_are_refused(text, refused):
    with refused("36 numbers"):
        parse_levels(text)
