"""The functions behind the endpoints; tests/browser/test_endpoints.py calls them over HTTP."""

from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.selection import parse
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Settings
from atomizer.io.audio import read, write
from atomizer.ui import api, decomposition

REGION = "rect:0.1,0.3,300,9000"


@pytest.fixture
def file(tmp_path, monkeypatch, sound):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    write(tmp_path / "in.wav", sound())
    return str(tmp_path / "in.wav")


def refused(*words):
    return pytest.raises(gr.Error, match=".*".join(words))


def test_pursuit_needs_fewer_atoms_for_its_srr(file):
    mdct, fewer = api.atomize(file), api.atomize(file, atomizer="matching-pursuit")
    assert set(fewer) - set(mdct) == {"srr_db"} and 20 <= fewer["srr_db"] < 21
    atomizer = MatchingPursuitAtomizer(stop=decomposition.stop_criterion())
    assert (
        fewer["atoms"] == len(atomizer.analyse(read(file).at(atomizer.space.rate))) < mdct["atoms"]
    )


def test_fill_pastes_the_atoms_of_another_time(file):
    pasted = read(api.fill_file(file, [REGION], method="paste", shift=0.2))
    recipe = Recipe(parse([REGION]), Settings("paste", shift=0.2))
    assert np.array_equal(pasted.samples, recipe.apply(read(file)).samples)
    with pytest.raises(gr.Error, match="shift"):
        api.fill_file(file, [REGION], method="paste")


def test_fill_takes_a_reference_recording(file, tmp_path, sound):
    write(tmp_path / "like.wav", sound(1.0))
    with refused("everything above one frequency"):
        api.fill_file(file, [REGION], method="noise", like=str(tmp_path / "like.wav"))


@pytest.mark.parametrize("timbre, words", [(3, "that of highs"), (99, "1, the"), (1.5, "whole")])
def test_fill_takes_codes_of_timbre_for_highs(timbre, words, file):
    with refused(words):
        api.fill_file(file, [REGION], method="noise", timbre=timbre)


def test_fill_warns_of_attenuated_peaks(file, monkeypatch, tmp_path):
    sentences = []
    monkeypatch.setattr(api, "warn", lambda sentence, title: sentences.append(sentence))
    filled = read(api.fill_file(file, [REGION], method="noise"))
    assert not sentences
    loud = read(file)
    loud = replace(loud, samples=loud.samples * 3 / np.abs(loud.samples).max())
    write(tmp_path / "loud.wav", loud, "float")
    monkeypatch.setattr(api, "_read", lambda *_: replace(loud, subtype="PCM_16"))
    filled = read(api.fill_file(file, ["above:15000"], method="erased"))
    assert filled.subtype == "PCM_16" and np.abs(filled.samples).max() <= 1
    assert len(sentences) == 1 and "dB above full scale" in sentences[0]


def test_fill_on_top_of_matching_pursuit_atoms(file):
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


def test_erased_pursuit_atoms_are_missing_in_the_sound(file):
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
def test_unknown_atomizer_is_refused_with_all_names(file, name):
    for request in (
        lambda: api.atomize(file, atomizer=name),
        lambda: api.fill_file(file, [REGION], atomizer=name),
    ):
        with refused("There is no atomizer", "choose from mdct, matching-pursuit, "):
            request()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(select=["random:50"]), "Parts by rank"),
        (dict(select=[REGION], features=["sign"]), "velocity and sign"),
        (dict(select=[]), "Nothing is selected"),
        (dict(select=[REGION], steps=1000), "1 to 64 steps"),
    ],
)
def test_selections_that_need_mdct_atoms_are_refused(file, arguments, words):
    with refused(words):
        api.fill_file(file, method="noise", atomizer="matching-pursuit", **arguments)


def test_unfinished_pursuit_is_not_filled(file, monkeypatch):
    monkeypatch.setattr(decomposition, "ATOMS", 50)
    assert api.atomize(file, atomizer="matching-pursuit")["atoms"] == 50
    with refused(
        "ended after 50 atoms", "of 20 dB", "request a shorter excerpt with start and seconds"
    ):
        api.fill_file(file, [REGION], method="noise", atomizer="matching-pursuit")
