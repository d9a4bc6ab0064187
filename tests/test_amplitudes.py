"""Textures: levels with the fine structure of noise, or of the octave below a cutoff."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.resolve import resolve
from atomizer.inpainting.sampling import amplitudes
from atomizer.inpainting.sampling.amplitudes import window_fine_structure
from atomizer.inpainting.sampling.state import FillState
from atomizer.inpainting.sampling.wiener_blend import std_of_whole
from atomizer.inpainting.sampling.windows import crop_known
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.priors.highs.fine_structure import gaussian_fine_structure

SPACE = AtomSpace(rate=8000, hop=64, frames=16, channels=2)


def window_of(sound, specification, space=SPACE):
    """A state whose selection is unknown, and its middle window."""
    task = prepare(sound, parse([specification]), space=space)
    state = FillState(task, task.mask)
    windows = state.windows(task.mask, space.frames)
    return state, windows[len(windows) // 2]


def planes_of(state, window):
    """The patched levels and signs of a window."""
    fine = window_fine_structure(state, window)
    return fine.deviation_db, fine.positive


def white(seconds=1.0, channels=1):
    return Sound(
        np.random.default_rng(0).standard_normal((channels, int(8000 * seconds))).astype(np.float32)
        * 0.1,
        8000,
    )


def test_the_fine_structure_of_noise_is_gaussian():
    fine = gaussian_fine_structure(200_000, torch.Generator().manual_seed(0))
    assert abs(float(fine.mean())) < 0.1
    assert abs(float(fine.std()) - amplitudes.NOISE_STD_DB) < 0.1


def test_highs_get_the_fine_structure_of_the_octave_below():
    samples = white(2.0).samples + 0.5 * np.sin(2 * np.pi * 1500 * np.arange(16000) / 8000).astype(
        np.float32
    )
    state, window = window_of(Sound(samples, 8000), "above:2000")
    uneven, positive = planes_of(state, window)
    cut = int(np.flatnonzero(state.observed.any((0, 1)))[-1]) + 1
    assert np.isnan(uneven[..., :cut]).all() and not np.isnan(uneven[..., cut:]).any()
    partial = int(1500 / SPACE.bin_hz)
    stands_out = np.median(uneven[0], axis=0)
    # an octave's width above the partial there is one too
    assert stands_out[partial + cut - cut // 2] > 10
    assert abs(np.median(stands_out[cut + 1 : partial + cut - cut // 2 - 3])) < 8
    part = slice(window.start, window.start + SPACE.frames)
    assert np.array_equal(
        positive[0, :, cut : cut + 4] == 1, state.positive[0, part, cut // 2 : cut // 2 + 4]
    )


@pytest.mark.parametrize("specification", ("above:2000", "above:2000 time:0.5-0.6"))
def test_ends_of_a_sound_or_a_hole_have_no_fine_structure(specification):
    """White noise has the same fine structure at ends and holes; the hole itself has none."""
    task = prepare(white(1.0), parse(specification.split()), space=SPACE)
    state = FillState(task, task.mask)
    frames = np.zeros((task.mask.shape[1], 2), object)
    for window in state.windows(task.mask, SPACE.frames):
        uneven, positive = planes_of(state, window)
        for t in range(window.target_start, window.target_stop):
            frames[t] = [plane[0, t - window.start, 20:] for plane in (uneven, positive)]
    known = state.velocity_known[0, :, 8]
    high = slice(int(2000 / SPACE.bin_hz) + 1 - 20, None)
    for patched, here in zip(frames, known):
        level, sign = (plane[high] for plane in patched)
        assert np.isnan(level).all() != here and np.isnan(sign).all() != here
    means = np.array([patched[0][high].mean() for patched in frames[known]])
    # an end is at most 3 dB quieter, and silence beyond it made it 16 dB louder
    assert means.max() < 6, means


def test_nothing_is_patched_without_a_known_octave():
    for sound, specification in (
        (white(), "time:0.4-0.6"),
        (white(channels=2), "channel:1"),
        (white(), "below:1000"),
    ):
        state, window = window_of(sound, specification)
        assert window_fine_structure(state, window) is None


def level_of(logits, fine_db, highest=1e9):
    scale = torch.from_numpy(SPACE.amplitude(np.arange(SPACE.levels), 1.0))
    n = len(fine_db)
    mean, std = amplitudes.level_moments(logits.softmax(0).expand(n, -1), scale)
    level = mean + torch.as_tensor(fine_db) * (std / amplitudes.NOISE_STD_DB).clamp(max=1)
    ceiling, silent = torch.full((n,), highest), torch.zeros(n, dtype=torch.bool)
    return amplitudes.magnitude_of(level, scale, ceiling, silent)


def test_only_uncertain_levels_get_fine_structure():
    level = torch.arange(SPACE.levels, dtype=torch.float32)
    uneven = np.array([-10.0, 0.0, 10.0], np.float32)
    sure = 20 * torch.log10(level_of(-((level - 60) ** 2) / 0.1, uneven))
    unsure = 20 * torch.log10(level_of(-((level - 60) ** 2) / (2 * 15**2), uneven))
    mean = SPACE.level_db(60)
    assert torch.allclose(sure, torch.full((3,), mean), atol=1.0)
    assert torch.allclose(unsure, torch.tensor(mean + uneven), atol=0.5)


def test_a_texture_stays_below_the_ceiling_and_may_be_silent():
    level = torch.arange(SPACE.levels, dtype=torch.float32)
    loud = level_of(-((level - 90) ** 2) / 2, np.full(5, 30.0, np.float32), highest=0.25)
    assert float(loud.max()) <= 0.25
    quiet = level_of(-(level**2) / 2, np.full(5, -30.0, np.float32))
    assert not quiet.any()


def test_the_envelope_is_blended_with_the_predicted_level():
    predicted, floor = torch.tensor([-30.0, -30.0, -30.0]), -200.0
    envelope = torch.tensor([0.0, 10 ** (SPACE.level_db(40) / 20), 10 ** (SPACE.level_db(80) / 20)])
    both = amplitudes.blend_envelope(predicted, envelope, torch.tensor(0.5), 2.0, 5.52, floor)
    # the mean level of a Gaussian variable lies this far below the level of its mean power
    noise = 20 * torch.log10(envelope[1:]) - 5.52
    assert both[0] == predicted[0]
    assert torch.allclose(both[1:], (predicted[1:] + noise) / 2 + 2, atol=0.1)


@pytest.mark.parametrize("scale", [0.0, 0.3, 0.6, 1.0])
def test_scaled_fine_structure_keeps_the_power_of_an_envelope(scale):
    fine_db = scale * gaussian_fine_structure(200_000, torch.Generator().manual_seed(0))
    gain_db = amplitudes.fine_structure_gain_db(torch.tensor([scale]))
    mean_db = amplitudes.blend_envelope(
        torch.tensor([-90.0]), torch.tensor([0.1]), torch.tensor([1.0]), 0.0, gain_db, -200.0
    )
    power = 10 ** ((mean_db + fine_db) / 10)
    assert 10 * torch.log10(power.mean()) == pytest.approx(-20, abs=0.1)


def test_atoms_above_the_silence_threshold_are_silent():
    task = prepare(white(), parse(["time:0.4-0.6"]), space=SPACE)
    state = FillState(task, task.mask)
    window = state.windows(task.mask, SPACE.frames)[0]
    logits = torch.zeros(2, SPACE.levels)
    logits[0, 0] = np.log(1.5 * (SPACE.levels - 1))  # inaudible with a probability of 0.6
    scale = torch.from_numpy(SPACE.amplitude(np.arange(SPACE.levels), 1.0))
    place = tuple(np.zeros(2, int) for _ in range(3))
    targets = amplitudes.Targets(place, np.zeros(2, int), torch.full((2,), 1e9))
    for threshold, audible in ((1.0, [True, True]), (0.5, [False, True])):
        state.preset = replace(
            state.preset, silence_threshold=threshold, envelope_weight=None, amplitudes="texture"
        )
        settings = resolve(Settings(temperature=0.0), task)
        strategy = amplitudes.Textured(scale, state, window, settings, torch.Generator())
        magnitude = strategy.draw(logits, torch.zeros(2), targets).magnitude
        assert (magnitude > 0).tolist() == audible


def test_the_prediction_gain_is_high_for_partials_only():
    tone = Sound(
        0.3 * np.sin(2 * np.pi * 997.0 * np.arange(16000) / 8000)[None].astype(np.float32), 8000
    )
    space, shares = replace(SPACE, frames=64), []
    for sound in (tone, white(2.0)):
        state, window = window_of(sound, "time:0.9-1.0", space)
        prediction = state.predictions(window)[0]
        hidden = ~crop_known(state.observed, window)
        share = prediction.confidence
        assert share.min() >= 0 and share.max() <= 1
        power = prediction.std.astype(np.float32) ** 2 * hidden
        shares.append((share * power).sum() / power.sum())
    assert shares[0] > 0.6 and shares[1] < 0.1


def test_inside_a_long_hole_the_surroundings_give_the_level():
    """Without context the reference is the lowest, and the middle of a hole almost silent."""
    task = prepare(white(6.0), parse(["time:2-4"]), space=SPACE)
    state = FillState(task, task.mask)
    windows = state.windows(task.mask, SPACE.frames)
    middle = windows[len(windows) // 2]
    assert not crop_known(state.observed, middle).any()
    assert state.reference(middle) > 0.3 * state.peak
    hidden = task.mask.any(axis=(0, 2))
    assert (
        not state.distance_to_context[~hidden].any()
        and state.distance_to_context[middle.target_start : middle.target_stop].min() == 1
    )
    assert 0 < state.distance_to_context[np.flatnonzero(hidden)[0]] < 0.1


def test_a_faint_copy_leaves_room_for_texture():
    background, unknown = np.full((1, 4, 8), 0.1, np.float32), np.zeros((1, 4, 8), np.float32)
    loud = np.ones((1, 4, 8), np.float32)
    np.testing.assert_allclose(std_of_whole(unknown, background, loud), 1)
    np.testing.assert_allclose(std_of_whole(unknown, loud, background), 1)
    np.testing.assert_allclose(std_of_whole(loud, loud, background), np.sqrt(2), rtol=1e-6)
