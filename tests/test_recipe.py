"""Recipes: a fill as data, and its reproduction."""

import json

import numpy as np
import pytest

from atomizer import Region, Selection, Settings, parse
from atomizer.inpainting.recipe import Recipe, dump_recipes, parse_recipes, vary_seed

RECIPES = [
    Recipe(
        parse(["above:8000", "random:20"]),
        Settings("noise", "time", True, 3, 0.5, 0.9, "sampled", 7),
    ),
    Recipe(
        Selection(
            (Region("brush", points=((0.1, 500.0), (0.2, 900.0)), size=(0.02, 80.0)),),
            features=("sign",),
        ),
        stop_after=2,
    ),
    Recipe(extend=0.5),
    Recipe(add_channels=1),
    Recipe(parse(["above:3000"]), atomizer="matching-pursuit", atoms=200),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_json_round_trip(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_a_settings_file_holds_recipes_and_facts(tmp_path):
    text = dump_recipes(RECIPES, sound="in.wav")
    assert json.loads(text)["sound"] == "in.wav" and parse_recipes(text) == RECIPES


def test_a_recipe_is_reproducible(sound):
    recipe = Recipe(parse(["time:0.1-0.3"]), Settings("noise", seed=4))
    steps = []
    once, again = (
        recipe.apply(sound(), on_step=steps.append),
        Recipe.from_dict(recipe.to_dict()).apply(sound()),
    )
    assert np.array_equal(once.samples, again.samples) and len(steps) == 1
    assert not np.array_equal(once.samples, vary_seed(recipe, 2)[1].apply(sound()).samples)


def test_a_fill_on_erased_pursuit_atoms_is_reproducible(sound):
    recipe = Recipe(
        parse(["rect:0.1,0.3,300,9000"]),
        Settings("noise", seed=4),
        atomizer="matching-pursuit",
        atoms=300,
    )
    rest = recipe.erase_atoms(sound())
    made = recipe.apply(sound())
    assert len(rest.atoms) == 300 and 0 < rest.erased.sum() < 300
    np.testing.assert_array_equal(
        made.samples, Recipe(recipe.selection, recipe.settings).apply(rest.sound).samples
    )
    np.testing.assert_array_equal(made.samples, recipe.apply(sound()).samples)


def test_variations_have_consecutive_seeds():
    assert [r.settings.seed for r in vary_seed(RECIPES[0], 3)] == [7, 8, 9]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "not valid JSON"),
        ("[]", "settings file is an object"),
        ('{"fills": []}', "1 to 50"),
        ('{"fills": [3]}', "fill is an object"),
        ('{"fills": [{"speed": 3}]}', "'speed'"),
        ('{"fills": [{"settings": {"heat": 3}}]}', "'heat'"),
        ('{"fills": [{"settings": {"steps": 2.5}}]}', "steps"),
        ('{"fills": [{"settings": {"seed": true}}]}', "seed"),
        ('{"fills": [{"settings": {"seed": null}}]}', "seed"),
        ('{"fills": [{"extend": "long"}]}', "extend"),
        ('{"fills": [{"atomizer": "axe"}]}', "'axe'"),
        ('{"fills": [{"atoms": "all"}]}', "atoms"),
        ('{"fills": [{"selection": {"regions": [{"kind": "star"}]}}]}', "kind"),
    ],
)
def test_an_invalid_settings_file_is_refused(text, words, refused):
    with refused(words):
        parse_recipes(text)
