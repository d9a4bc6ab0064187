"""Textures: levels with the unevenness of noise, and highs with that of the octave below them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting import amplitudes as texture
from atomizer.inpainting.state import Canvas
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound

SPACE = AtomSpace(rate=8000, hop=64, frames=16, channels=2)


def window_of(sound, specification, space=SPACE):
    """A canvas whose selection is unknown, and its middle window."""
    task = prepare(sound, parse([specification]), space=space)
    canvas = Canvas(task, ~task.mask, ~task.mask)
    windows = canvas.windows(task.mask, space.frames)
    return canvas, windows[len(windows) // 2]


def white(seconds=1.0, channels=1):
    return Sound(
        np.random.default_rng(0).standard_normal((channels, int(8000 * seconds))).astype(np.float32)
        * 0.1,
        8000,
    )


def test_noise_is_as_uneven_as_a_gaussian_variable():
    uneven, positive = texture.at(None, (np.zeros(200_000),), torch.Generator().manual_seed(0))
    assert abs(float(uneven.mean())) < 0.1 and abs(float(uneven.std()) - texture.NOISE_DB) < 0.1
    assert np.isnan(positive).all()


def test_highs_are_lent_what_stands_out_below_them_and_its_signs():
    samples = white(2.0).samples + 0.5 * np.sin(2 * np.pi * 1500 * np.arange(16000) / 8000).astype(
        np.float32
    )
    canvas, window = window_of(Sound(samples, 8000), "above:2000")
    uneven, positive = texture.lent(canvas, window, SPACE.frames)
    cut = int(np.flatnonzero(canvas.given.any((0, 1)))[-1]) + 1
    assert np.isnan(uneven[..., :cut]).all() and not np.isnan(uneven[..., cut:]).any()
    partial = int(1500 / SPACE.bin_hz)
    stands_out = np.median(uneven[0], axis=0)
    assert (
        stands_out[partial + cut - cut // 2] > 10
    )  # an octave's width above the partial there is one too
    assert abs(np.median(stands_out[cut + 1 : partial + cut - cut // 2 - 3])) < 8
    part = slice(window.start, window.start + SPACE.frames)
    assert np.array_equal(
        positive[0, :, cut : cut + 4] == 1, canvas.positive[0, part, cut // 2 : cut // 2 + 4]
    )


@pytest.mark.parametrize("specification", ("above:2000", "above:2000 time:0.5-0.6"))
def test_ends_of_a_sound_and_of_a_hole_below_do_not_stand_out(specification):
    """White noise is as uneven at its ends, and beside a hole, as in its middle, and nothing is lent from the hole itself."""
    task = prepare(white(1.0), parse(specification.split()), space=SPACE)
    canvas = Canvas(task, ~task.mask, ~task.mask)
    frames = np.zeros((task.mask.shape[1], 2), object)
    for window in canvas.windows(task.mask, SPACE.frames):
        uneven, positive = texture.lent(canvas, window, SPACE.frames)
        for t in range(window.first, window.last):
            frames[t] = [plane[0, t - window.start, 20:] for plane in (uneven, positive)]
    known = canvas.velocity_known[0, :, 8]
    high = slice(int(2000 / SPACE.bin_hz) + 1 - 20, None)
    for lent, here in zip(frames, known):
        level, sign = (plane[high] for plane in lent)
        assert np.isnan(level).all() != here and np.isnan(sign).all() != here
    means = np.array([lent[0][high].mean() for lent in frames[known]])
    assert means.max() < 6, (
        means
    )  # an end is at most 3 dB quieter, and silence beyond it made it 16 dB louder


def test_nothing_is_lent_where_no_whole_octave_is_known():
    for sound, specification in (
        (white(), "time:0.4-0.6"),
        (white(channels=2), "channel:1"),
        (white(), "below:1000"),
    ):
        canvas, window = window_of(sound, specification)
        assert texture.lent(canvas, window, SPACE.frames) is None


def level_of(logits, unevenness, highest=1e9):
    scale = torch.from_numpy(SPACE.amplitude(np.arange(SPACE.levels), 1.0))
    n = len(unevenness)
    return texture.magnitude(
        logits.expand(n, -1), scale, torch.as_tensor(unevenness), torch.full((n,), highest)
    )


def test_a_sure_level_is_even_and_an_unsure_one_as_uneven_as_noise():
    level = torch.arange(SPACE.levels, dtype=torch.float32)
    uneven = np.array([-10.0, 0.0, 10.0], np.float32)
    sure = 20 * torch.log10(level_of(-((level - 60) ** 2) / 0.1, uneven))
    unsure = 20 * torch.log10(level_of(-((level - 60) ** 2) / (2 * 15**2), uneven))
    mean = SPACE.level_db(60)
    assert torch.allclose(sure, torch.full((3,), mean), atol=1.0)
    assert torch.allclose(unsure, torch.tensor(mean + uneven), atol=0.5)


def test_a_texture_keeps_below_the_ceiling_and_may_be_silent():
    level = torch.arange(SPACE.levels, dtype=torch.float32)
    loud = level_of(-((level - 90) ** 2) / 2, np.full(5, 30.0, np.float32), highest=0.25)
    assert float(loud.max()) <= 0.25
    quiet = level_of(-(level**2) / 2, np.full(5, -30.0, np.float32))
    assert not quiet.any()


def test_the_level_of_what_is_around_counts_as_much_as_the_models():
    level = torch.arange(SPACE.levels, dtype=torch.float32)
    logits = (-((level - 60) ** 2) / (2 * 15**2)).expand(3, -1)
    scale = torch.from_numpy(SPACE.amplitude(np.arange(SPACE.levels), 1.0))
    highest, even = torch.full((3,), 1e9), torch.zeros(3)
    alone = 20 * torch.log10(texture.magnitude(logits, scale, even, highest))
    blind = torch.tensor([0.0, 10 ** (SPACE.level_db(40) / 20), 10 ** (SPACE.level_db(80) / 20)])
    both = 20 * torch.log10(
        texture.magnitude(logits, scale, even, highest, blind, steady=(0.5, 2.0))
    )
    noise = (
        20 * torch.log10(blind[1:]) - 5.52
    )  # a Gaussian variable's mean level lies that much below its power's
    assert torch.allclose(both[:1], alone[:1]) and torch.allclose(
        both[1:], (alone[1:] + noise) / 2 + 2, atol=0.1
    )


def test_what_is_rather_inaudible_than_not_is_silent_where_that_was_asked_for():
    logits = torch.zeros(2, SPACE.levels)
    logits[0, 0] = np.log(1.5 * (SPACE.levels - 1))  # six in ten
    scale = torch.from_numpy(SPACE.amplitude(np.arange(SPACE.levels), 1.0))
    arguments = logits, scale, torch.full((2,), 12.0), torch.full((2,), 1e9)
    assert (texture.magnitude(*arguments) > 0).all()
    assert (texture.magnitude(*arguments, hush=0.5) > 0).tolist() == [False, True]


def test_what_linear_prediction_has_of_a_hole_is_all_of_a_partial_and_little_of_noise():
    tone = Sound(
        0.3 * np.sin(2 * np.pi * 997.0 * np.arange(16000) / 8000)[None].astype(np.float32), 8000
    )
    space, shares = replace(SPACE, frames=64), []
    for sound in (tone, white(2.0)):
        canvas, window = window_of(sound, "time:0.9-1.0", space)
        estimate, spread, _ = (
            plane.astype(np.float32) for plane in canvas.beliefs(window, space.frames)
        )
        hidden = ~canvas.known_piece(canvas.given, window, space.frames)
        share = texture.foretold(estimate, spread)
        assert share.min() >= 0 and share.max() <= 1
        power = spread**2 * hidden
        shares.append((share * power).sum() / power.sum())
    assert shares[0] > 0.6 and shares[1] < 0.1


def test_inside_of_a_long_hole_the_surroundings_tell_the_level():
    """A window that knows nothing took the quietest reference, and the middle of a hole was all but silent."""
    task = prepare(white(6.0), parse(["time:2-4"]), space=SPACE)
    canvas = Canvas(task, ~task.mask, ~task.mask)
    windows = canvas.windows(task.mask, SPACE.frames)
    middle = windows[len(windows) // 2]
    assert not canvas.known_piece(canvas.given, middle, SPACE.frames).any()
    assert canvas.reference(middle, SPACE.frames) > 0.3 * canvas.loudest
    hidden = task.mask.any(axis=(0, 2))
    assert (
        not canvas.blindness[~hidden].any()
        and canvas.blindness[middle.first : middle.last].min() == 1
    )
    assert 0 < canvas.blindness[np.flatnonzero(hidden)[0]] < 0.1
