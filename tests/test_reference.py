"""The page's reference recording: chosen, used where it acts, kept in files, removed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from atomizer import AtomSpace
from atomizer.inpainting.highs.like import parse_levels
from atomizer.inpainting.recipe import parse_recipes
from atomizer.plotting.style import PlotStyle
from atomizer.ui import gpu, handlers
from atomizer.ui.examples import EXAMPLES
from atomizer.ui.exports import ExportRequest, export
from atomizer.ui.message import Chosen
from atomizer.ui.session import Session, Tab

FEATURES = ["velocity", "sign"]
CONTROLS = ("auto", False, None, None, None, 0, "model", "auto", 0, 1)
HIGHS = Chosen(regions=[{"kind": "rect", "op": "add", "f": [8000, None]}], parts=[])
NOTHING = Chosen(regions=[], parts=[])
BOX = Chosen(regions=[{"kind": "rect", "op": "add", "f": [8000, 9000], "t": [0.2, 0.4]}], parts=[])


@pytest.fixture(autouse=True)
def small_model(monkeypatch, make_small_model):
    model = make_small_model(AtomSpace(frames=64, channels=2))
    monkeypatch.setattr(gpu, "load_model", lambda: model)


@pytest.fixture
def noise(tmp_path):
    """Function that writes a file of noise."""

    def written(name, seconds=1.0, rate=44_100):
        samples = np.random.default_rng(0).uniform(-0.1, 0.1, round(seconds * rate))
        soundfile.write(tmp_path / name, samples, rate)
        return str(tmp_path / name)

    return written


def loaded(path, old=None) -> Session:
    return handlers.load(path, Tab(old))[1]


def described(session, chosen=HIGHS, *controls):
    handlers.plan_additions(session, 4, *(controls or CONTROLS))
    return handlers.describe(chosen, session, FEATURES, *(controls or CONTROLS))


def test_settings_are_offered_where_they_act(noise):
    session = loaded(noise("a.wav"))
    assert described(session, HIGHS).acting == ["timbre", "like"]
    assert not described(session, HIGHS, *CONTROLS[:6], "noise", *CONTROLS[7:]).acting
    assert described(session, BOX).acting == described(session, NOTHING).acting == ["using"]
    dull = loaded(noise("dull.wav", rate=16_000))
    handlers.plan_additions(dull, 4, *CONTROLS)  # Extend and Brighten
    assert dull.message.acting == described(dull, NOTHING).acting == ["like", "timbre", "using"]
    assert described(dull, BOX).acting == ["using"]


def test_reference_names_the_fill_and_repeats_from_its_settings(noise, tmp_path):
    session = loaded(noise("a.wav"))
    message = handlers.load_reference(noise("b:c.wav"), session)
    assert message.reference == "b:c.wav" and "b:c.wav" in message.status
    handlers.load_reference(noise("bright.wav"), session)
    for chosen in (HIGHS, BOX):
        *_, message = handlers.fill_selection(chosen, session, FEATURES, *CONTROLS)
    first, second = message.variations
    assert "highs like bright.wav" in first.title and "bright.wav" in first.origin
    assert ("highs like", "bright.wav") in first.details and "like" not in second.title
    *_, message = handlers.compare_with_noise(session, first.id)
    assert message.variations[-1].title == "noise, seed 0"

    request = ExportRequest("settings", "filled", first.id, PlotStyle())
    text = export(session, request)[0].decode()
    (recipe,) = parse_recipes(text)
    assert parse_levels(recipe.settings.like) is not None
    work = handlers.save_session(HIGHS, session, {}, FEATURES, *CONTROLS, 4)
    other = loaded(work.download.file.path)
    assert other.message.reference == "bright.wav" and other.like == session.like

    assert handlers.choose_reference(session, {}).reference == ""
    assert handlers.load_settings(session, {"text": text, "name": "s"})[0].reference
    text = json.dumps({"fills": [{"selection": HIGHS}]})
    assert not handlers.load_settings(session, {"text": text, "name": "s"})[0].reference


def test_reference_is_a_span_or_an_earlier_sound(noise, warned):
    first = loaded(noise("a.wav"))
    described(first)
    session = loaded(noise("b.wav"), first)
    ((number, name),) = session.message.sounds
    assert name == "a.wav" and first.swap_file is not None
    assert handlers.choose_reference(session, {"sound": number}).reference == "a.wav"
    message = handlers.choose_reference(session, {"span": ["0.1", 0.9]})
    assert message.reference == "0.1-0.9 s of b.wav" and not warned
    for wanted in ({"span": [0.5, 0.2]}, {"span": ["x", 1]}, {"span": 3}, {"sound": "gone"}):
        message = handlers.choose_reference(session, wanted)
        assert message.status == warned[-1].strip() and message.status.endswith(".")
    handlers.load_reference(noise("short.wav", 0.1), session)
    assert "at least 0.37 s are needed" in warned[-1]
    assert session.message.reference == "0.1-0.9 s of b.wav", "nothing is lost"


def test_reference_that_ends_below_the_highs_is_refused_at_the_fill(noise, warned):
    session = loaded(noise("a.wav"))
    handlers.load_reference(noise("dull.wav", rate=16_000), session)
    assert "The reference recording ends at" in described(session).status
    *_, message = handlers.fill_selection(HIGHS, session, FEATURES, *CONTROLS)
    assert "The reference recording ends at" in warned[-1] and not message.variations


def test_an_example_offers_what_acts_on_its_selection():
    """Its sound has a low rate, so that highs could be added, but its holes have none."""
    _, session = handlers.load_example(EXAMPLES["packets"], Tab())
    handlers.plan_additions(session, 4, *CONTROLS)
    assert session.message.acting == ["using"]
    # and so does a session file
    saved = handlers.save_session(BOX, session, {}, FEATURES, *CONTROLS, 4).download.file.path
    assert loaded(saved).message.acting == ["using"]
