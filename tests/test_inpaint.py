"""Inpainting in one call."""

import numpy as np
import pytest

from atomizer import Settings, inpaint, parse
from atomizer.analysis.defects import DETECTORS
from atomizer.inpainting.recipe import Recipe
from atomizer.model import checkpoint


@pytest.mark.parametrize("selection", ["above:8000", ["above:8000"], parse(["above:8000"])])
def test_it_equals_a_recipe(selection, sound):
    recipe = Recipe(parse(["above:8000"]), Settings("noise", seed=3))
    np.testing.assert_array_equal(
        inpaint(sound(), selection, method="noise", seed=3).samples, recipe.apply(sound()).samples
    )


def test_it_extends_and_adds_channels(sound):
    filled = inpaint(sound(0.5), extend=0.25, add_channels=1, method="noise")
    assert (filled.channels, filled.seconds) == (2, pytest.approx(0.75))


def test_features_replace_those_of_the_selection(sound):
    masked = inpaint(sound(), "above:0", features="sign", method="erased")
    assert 0.7 < np.std(masked.samples) / np.std(sound().samples) < 1.4


def test_the_shipped_model_is_the_default(sound, monkeypatch):
    shipped = checkpoint.load(device="cpu")
    monkeypatch.setattr("atomizer.model.checkpoint.load", lambda: shipped)
    options = {"steps": 1, "seed": 2}
    default = inpaint(sound(), "time:0.2-0.25", **options)
    given = inpaint(sound(), "time:0.2-0.25", model=shipped, **options)
    np.testing.assert_array_equal(default.samples, given.samples)
    assert not np.array_equal(default.samples, sound().samples)


def test_errors_are_one_sentence(sound, refused):
    with refused("no selection", *DETECTORS, "beats:N,K"):
        inpaint(sound(), "middle:3")
    with refused("is no selection: write above:HZ or above:auto."):
        inpaint(sound(), "above:x")
    with refused("no selection", "above:HZ", "dropouts"):
        inpaint(sound(), "dropout")
    with refused("read(FILE)", "str"):
        inpaint("in.wav", "time:0.2-0.25")
    with refused("no method"):
        inpaint(sound(), "above:8000", method="magic")
    with refused("Nothing is selected"):
        inpaint(sound())
