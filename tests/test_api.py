"""The functions behind the endpoints; that they are reached over HTTP is tested in tests/browser/test_endpoints.py."""

import gradio as gr
import numpy as np
import pytest

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.selection import parse
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Settings
from atomizer.io.audio import read, write
from atomizer.ui import api, pursuit

REGION = "rect:0.1,0.3,300,9000"


@pytest.fixture
def file(tmp_path, monkeypatch, sound):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    write(tmp_path / "in.wav", sound())
    return str(tmp_path / "in.wav")


def refused(*words):
    return pytest.raises(gr.Error, match=".*".join(words))


def test_atoms_of_a_pursuit_are_fewer_and_hold_the_sound_at_what_is_told(file):
    mdct, fewer = api.atomize(file), api.atomize(file, atomizer="matching-pursuit")
    assert set(fewer) - set(mdct) == {"srr_db"} and 20 <= fewer["srr_db"] < 21
    made = MatchingPursuitAtomizer(stop=pursuit.end())
    assert fewer["atoms"] == len(made.analyse(read(file).at(made.space.rate))) < mdct["atoms"]


def test_a_fill_among_the_atoms_of_a_pursuit_is_on_top_of_the_others(file):
    name = "matching-pursuit"
    filled = read(api.fill_file(file, [REGION], method="noise", seed=4, seconds=0.3, atomizer=name))
    atoms = api.atomize(file, seconds=0.3, atomizer=name)["atoms"]
    again = Recipe(parse([REGION]), Settings("noise", seed=4), atomizer=name, atoms=atoms).apply(
        read(file, seconds=0.3)
    )
    np.testing.assert_allclose(filled.samples, again.samples, atol=2e-4)
    assert not np.allclose(
        filled.samples,
        read(api.fill_file(file, [REGION], method="noise", seed=4, seconds=0.3)).samples,
        atol=2e-3,
    )


def test_what_stays_erased_is_the_sound_of_the_other_atoms(file):
    erased = read(api.fill_file(file, [REGION], method="erased", atomizer="matching-pursuit"))
    atoms = api.atomize(file, atomizer="matching-pursuit")["atoms"]
    rest = Recipe(parse([REGION]), atomizer="matching-pursuit", atoms=atoms).erase_atoms(read(file))
    np.testing.assert_allclose(erased.samples, rest.sound.samples, atol=2e-4)
    longer = read(
        api.fill_file(file, [REGION], method="erased", extend=0.5, atomizer="matching-pursuit")
    )
    np.testing.assert_allclose(
        longer.samples[:, : rest.sound.samples.shape[1] - 4096],
        rest.sound.samples[:, :-4096],
        atol=2e-4,
    )


@pytest.mark.parametrize("name", ("axe", "", None, 3, ["mdct"]))
def test_an_atomizer_that_is_none_is_refused_with_the_names_of_all(file, name):
    for ask in (
        lambda: api.atomize(file, atomizer=name),
        lambda: api.fill_file(file, [REGION], atomizer=name),
    ):
        with refused("There is no atomizer", "choose from mdct, matching-pursuit, "):
            ask()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(select=["random:50"]), "Parts by rank"),
        (dict(select=[REGION], features=["sign"]), "velocity and sign"),
        (dict(select=[]), "Nothing is selected"),
        (dict(select=[REGION], steps=1000), "1 to 64 steps"),
    ],
)
def test_what_only_atoms_of_the_mdct_can_do_is_told(file, arguments, words):
    with refused(words):
        api.fill_file(file, method="noise", atomizer="matching-pursuit", **arguments)


def test_a_pursuit_that_is_cut_short_is_no_ground_to_fill_on(file, monkeypatch):
    monkeypatch.setattr(pursuit, "ATOMS", 50)
    assert api.atomize(file, atomizer="matching-pursuit")["atoms"] == 50
    with refused(
        "ended after 50 atoms", "of 20 dB", "ask for a shorter excerpt with start and seconds"
    ):
        api.fill_file(file, [REGION], method="noise", atomizer="matching-pursuit")
