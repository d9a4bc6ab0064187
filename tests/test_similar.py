"""Places that are similar to a box, and atoms pasted at another time."""

import numpy as np
import pytest
from scipy.signal import lfilter

from atomizer.analysis import MDCTAtomizer
from atomizer.analysis.similar import Box, find_similar
from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.recipe import Recipe, dump_recipes, parse_recipes
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.ui import handlers
from atomizer.ui.message import Chosen
from atomizer.ui.session import Tab

RATE, SPACE = 44_100, AtomSpace()
FRAME = SPACE.hop / RATE  # seconds
AT = (2.0, 4.513, 7.37, 8.9)  # seconds at which something rings
RING = Box((2.0, 2.4), (1100.0, 3100.0))


def noise(seconds=10.0, seed=0):
    return np.random.default_rng(seed).standard_normal((1, int(seconds * RATE))) * 0.05


def ringing():
    """Noise with a ring at four times, of two levels."""
    t = np.arange(int(0.4 * RATE)) / RATE
    tones = np.sin(2 * np.pi * 1350 * t) + 0.6 * np.sin(2 * np.pi * 2900 * t)
    ring = 0.2 * tones * (1 + 0.8 * np.sin(2 * np.pi * 25 * t)) * np.hanning(len(t))
    samples = noise()
    for k, start in enumerate(AT):
        first = int(start * RATE)
        samples[:, first : first + len(t)] += ring * (0.5 if k % 2 else 1)
    return samples


def grid_of(samples):
    return MDCTAtomizer(SPACE).grid(samples.astype(np.float32))


def test_similar_places_are_found_at_every_level():
    places = find_similar(grid_of(ringing()), SPACE, RING)
    found = sorted(RING.t[0] + place.shift for place in places)
    assert found == pytest.approx(AT[1:], abs=FRAME)
    assert [place.correlation for place in places] == sorted(
        (place.correlation for place in places), reverse=True
    )
    # a box that reaches to the start
    early = find_similar(grid_of(ringing()[:, RATE:]), SPACE, Box((0.9, 1.45), (1100.0, 3100.0)))
    assert len(early) == 3


@pytest.mark.parametrize(
    "box", [Box((5.0, 5.3), (500.0, 1500.0)), Box((3.0, 4.0)), Box((2.0, 2.1), (2000.0, 9000.0))]
)
def test_nothing_in_noise_is_similar(box):
    # with a slope, the levels of the bands differ everywhere in the same way
    for samples in (noise(20.0, seed=1), lfilter([1.0], [1.0, -0.97], noise(20.0, seed=2))):
        assert find_similar(grid_of(samples), SPACE, box) == []


def test_channels_limit_where_similar_places_are_looked_for():
    grid = np.concatenate([grid_of(noise()), grid_of(ringing())])
    found = {c: find_similar(grid, SPACE, Box(RING.t, RING.f, (c,))) for c in (0, 1)}
    assert (len(found[0]), len(found[1])) == (0, 3)


@pytest.mark.parametrize("box", [Box((1.0, 1.02), (1000.0, 1020.0)), Box((99.0, 100.0))])
def test_boxes_that_are_too_small_or_outside_are_refused(box):
    with pytest.raises(AtomizerError, match="too small"):
        find_similar(grid_of(noise(3.0)), SPACE, box)


# ---------- pasted atoms


@pytest.fixture(scope="module")
def rising():
    """Two seconds of a tone that begins after one."""
    t = np.arange(2 * RATE) / RATE
    return Sound((0.3 * np.sin(2 * np.pi * 700 * t) * (t > 1.0))[None].astype(np.float32), RATE)


def pasted(sound, shift, select=("time:0.2-0.6",)):
    task = prepare(sound, parse(list(select)))
    step = last(fill(task, Settings(method="paste", shift=shift)))
    return task, step, task.render(step.grid).samples


def test_pasted_atoms_sound_as_where_they_come_from(rising):
    frames = 43
    _, step, samples = pasted(rising, frames * FRAME)
    moved = slice(int(0.25 * RATE), int(0.55 * RATE))
    source = slice(moved.start + frames * SPACE.hop, moved.stop + frames * SPACE.hop)
    assert samples[:, moved] == pytest.approx(rising.samples[:, source], abs=1e-4)
    assert np.array_equal(samples[:, RATE:], rising.samples[:, RATE:])
    (copy,) = step.sources
    assert copy.source[0] - copy.target[0] == pytest.approx(frames * FRAME)


def test_atoms_outside_of_the_sound_are_silent(rising):
    task, step, _ = pasted(rising, 1.6, ["rect:0.2,1,100,8000"])
    frames = np.flatnonzero(task.mask.any((0, 2)))
    beyond = frames[frames + round(1.6 / FRAME) >= task.grid.shape[1]]
    assert len(beyond) and not step.grid[:, beyond][task.mask[:, beyond]].any()


def test_pasting_is_in_the_settings_file():
    recipe = Recipe(parse(["time:0.2-0.6"]), Settings(method="paste", shift=-1.25))
    assert parse_recipes(dump_recipes([recipe])) == [recipe]


@pytest.mark.parametrize("shift", [0.0, 0.001, 5.0, -1.0])
def test_pasting_nothing_is_refused(rising, shift):
    with pytest.raises(AtomizerError, match="at least one frame"):
        pasted(rising, shift)


# ---------- handlers of the page


@pytest.fixture
def session(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "ring.wav", ringing()[0], RATE)
    _, session = handlers.load(str(tmp_path / "ring.wav"), Tab())
    return session


def test_page_gets_boxes_at_similar_places_and_pasted_atoms(session):
    box = {"kind": "rect", "op": "add", "t": list(RING.t), "f": list(RING.f)}
    message = handlers.find_similar(session, box, "key")
    assert message.status == "3 similar places are selected, too."
    assert message.places.key == "key"
    starts = sorted(region["t"][0] for region in message.places.regions)
    assert starts == pytest.approx(AT[1:], abs=FRAME)
    assert all(region["f"] == list(RING.f) for region in message.places.regions)
    open_box = {"kind": "rect", "op": "add", "f": [1000, 2000]}
    assert "with a start and an end" in handlers.find_similar(session, open_box, "key").status
    elsewhere = {**box, "t": [3.0, 3.4]}
    assert "Nothing else" in handlers.find_similar(session, elsewhere, "key").status

    chosen = Chosen(regions=[elsewhere], parts=[])
    *_, message = handlers.paste(chosen, session, -43 * FRAME)
    (variation,) = message.variations
    assert variation.title == "pasted from 1.00 s earlier"
    assert (variation.snr_db, variation.lsd) == (None, None)
    target, source = variation.sources[0].target, variation.sources[0].source
    moved = [source[0] + 10 * FRAME, source[1] + 10 * FRAME]
    *_, message = handlers.fill_from_source(session, variation.id, moved)
    assert message.variations[-1].title == "pasted from 0.77 s earlier"
    assert message.variations[-1].sources[0].target == target
    *_, message = handlers.fill_from_source(session, variation.id, None, source)
    assert "one place" in message.status
