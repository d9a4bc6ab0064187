"""`standout:DECIBELS`: a selection is narrowed to what is louder than its surroundings."""

from dataclasses import replace

import numpy as np
import pytest

from atomizer import Settings
from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.inpainting import standout
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.inpaint import inpaint
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.task import outline, prepare, task_of_selection
from atomizer.inpainting.time_domain.holes import time_spans
from atomizer.io.audio import Sound

RATE = 44_100
BOX = "rect:2,3,1500,2500"


def noise(seconds: float = 5.0) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal((2, int(seconds * RATE)))
    return (0.05 * samples).astype(np.float32)


def whistle(start: float = 2.1, end: float = 2.6, seconds: float = 5.0) -> np.ndarray:
    """A tone of 2 kHz with faded ends, in both channels."""
    t = np.arange(int(seconds * RATE)) / RATE
    fade = np.clip(np.minimum(t - start, end - t) / 0.03, 0, 1)
    return np.tile(0.2 * fade * np.sin(2 * np.pi * 2000 * t), (2, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def disturbed() -> Sound:
    return Sound(noise() + whistle(), RATE)


def snr_db(samples: np.ndarray, clean: np.ndarray) -> float:
    return 10 * np.log10((clean**2).sum() / ((samples - clean) ** 2).sum())


def test_a_whistle_in_a_box_of_noise_is_selected(disturbed):
    box, narrowed = prepare(disturbed, parse([BOX])), prepare(disturbed, parse([BOX, "standout:8"]))
    mask, space = narrowed.mask, AtomSpace()
    assert (mask <= box.mask).all() and mask.sum() < 0.35 * box.mask.sum()
    tone = np.zeros_like(mask)
    m0, m1 = int(2.13 * RATE / space.hop), int(2.57 * RATE / space.hop)
    k = int(2000 / space.bin_hz)
    tone[:, m0 + 1 : m1, k - 1 : k + 2] = True
    assert mask[tone].all()
    after = mask.copy()
    after[:, : int(2.7 * RATE / space.hop)] = False
    assert after.sum() < 0.02 * box.mask.sum()  # nothing stands out after the whistle
    assert narrowed.preset == box.preset == "region" and box.notes == ()
    share = mask.sum() / box.mask.sum()
    assert narrowed.notes == (f"{100 * share:.0f} % of what is selected stands out by 8 dB.",)


def test_less_is_replaced_than_with_the_whole_box(disturbed):
    clean, repaired = noise(), {}
    for specifications in ([BOX], [BOX, "standout:8"]):
        task = prepare(disturbed, parse(specifications))
        step = last(fill(task, Settings("noise")))
        repaired[len(specifications)] = snr_db(task.render(step.grid).samples, clean)
    assert repaired[2] > repaired[1] + 3 > snr_db(disturbed.samples, clean) + 3


def test_a_whole_hole_stays_a_hole_and_a_narrowed_one_does_not(disturbed):
    hole = parse(["time:2-2.7"])
    assert time_spans(hole) == [(2.0, 2.7)]
    narrowed = replace(hole, standout=8.0)
    assert time_spans(narrowed) == []
    task = prepare(disturbed, narrowed)
    assert 0 < task.mask.sum() < 0.1 * prepare(disturbed, hole).mask.sum()


def test_boxes_far_apart_are_narrowed_as_alone(monkeypatch):
    sound = Sound(noise(12) + whistle(2.1, 2.6, 12) + whistle(9.1, 9.6, 12), RATE)
    boxes = [BOX, "rect:9,10,1500,2500"]
    alone = [prepare(sound, parse([box, "standout:8"])).mask for box in boxes]
    monkeypatch.setattr(standout, "LONGEST_FRAMES", 128)
    both = prepare(sound, parse([*boxes, "standout:8"])).mask
    np.testing.assert_array_equal(both, alone[0] | alone[1])


def test_more_decibels_select_less(disturbed):
    counts = [
        prepare(disturbed, parse([BOX, f"standout:{decibels}"])).mask.sum()
        for decibels in (0, 6, 12, 20)
    ]
    assert counts == sorted(counts, reverse=True) and counts[-1] > 0


def test_it_is_part_of_settings_and_sums():
    selection = parse([BOX, "standout:8"])
    assert selection.to_dict()["parts"] == ["standout:8"]
    assert type(selection).from_dict(selection.to_dict()) == selection
    assert parse([BOX, "standout:6", "standout:9.5"]).standout == 9.5
    assert (parse([BOX]) + parse(["standout:8"])) == selection
    assert (selection + parse(["above:9000"])).standout == 8
    assert prepare(Sound(noise() + whistle(), RATE), parse([BOX])).selection.standout is None


@pytest.mark.parametrize(
    ("specifications", "options", "sentence"),
    [
        (["standout:8"], {}, "select something, too"),
        ([BOX, "standout:90"], {}, r"Nothing in the selection stands out by 90 dB"),
        ([BOX, "standout:8"], {"extend": 1.0}, "nothing that stands out"),
        ([BOX, "standout:8"], {"add_channels": 1}, "nothing that stands out"),
    ],
)
def test_what_cannot_be_narrowed_has_a_sentence(specifications, options, sentence, disturbed):
    with pytest.raises(AtomizerError, match=sentence):
        prepare(disturbed, parse(specifications), **options)


def test_what_the_page_estimates_is_the_narrowed_task(disturbed):
    selection = parse(["time:2-2.7", "standout:8"])
    task = prepare(disturbed, selection)
    estimated = task_of_selection(disturbed, task.grid, selection, space=task.space)
    np.testing.assert_array_equal(estimated.mask, task.mask)
    assert estimated.preset == task.preset == "region"
    assert outline(disturbed, selection).mask.sum() > task.mask.sum()  # of silence: all of it


def test_dropouts_of_a_narrowed_selection_are_refused(disturbed):
    with pytest.raises(AtomizerError, match="dropouts cannot be narrowed to what stands out"):
        inpaint(disturbed, ["dropouts", BOX, "standout:8"], method="noise")


def test_atoms_of_a_pursuit_cannot_be_narrowed(disturbed):
    recipe = Recipe(
        parse([BOX, "standout:8"]), Settings("erased"), atomizer="matching-pursuit", atoms=20
    )
    with pytest.raises(AtomizerError, match="among the atoms of the MDCT"):
        recipe.apply(disturbed)


def test_silence_beside_a_sound_stays_silent():
    samples = whistle()
    task = prepare(Sound(samples, RATE), parse([BOX, "standout:8"]))
    erased = task.render(task.erased()).samples
    assert np.abs(erased).max() < 0.01 * np.abs(samples).max()
