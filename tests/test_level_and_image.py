"""Level and stereo image of fills: reported inputs, each with the right value."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from atomizer import Settings, Sound, fill, load_model, parse, prepare
from atomizer.inpainting.fill import last
from atomizer.inpainting.lost_channels import (
    lost_beside_others,
    task_of_known_channels,
    task_of_lost_channels,
)
from atomizer.inpainting.origin import describe_origin
from atomizer.inpainting.settings import Resolved
from atomizer.inpainting.time_domain.fades import find_fade, has_faded_out

RATE = 44_100


@pytest.fixture(scope="module")
def filled():
    """filled(samples, specification, **options): (channels, n) samples after the default fill."""
    model = load_model(device="cpu")

    def run(samples, specification, **options):
        sound = Sound(np.atleast_2d(samples).astype(np.float32), RATE, "PCM_16")
        task = prepare(sound, parse([specification] if specification else []), **options)
        return task.render(last(fill(task, Settings(seed=1), model)).grid).samples

    return run


def level(x):
    """Mean power in dB."""
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-20)


def noise(seconds=3.0, seed=0, channels=1):
    """(channels, n) white noise."""
    return 0.05 * np.random.default_rng(seed).standard_normal((channels, int(seconds * RATE)))


def pink(seconds, seed=0):
    """(1, n) pink noise."""
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)), n)
    return 0.05 * x[None] / x.std()


def drum(seconds=0.5, seed=1):
    """(n,) a decaying hit."""
    t = np.arange(int(seconds * RATE)) / RATE
    body = np.sin(2 * np.pi * 180 * t) + 0.5 * np.random.default_rng(seed).standard_normal(len(t))
    return 0.5 * np.exp(-t / 0.08) * body


def test_steady_noise_keeps_its_level_in_a_hole(filled):
    x = noise()
    y = filled(x, "time:1.5-1.8")[:, int(1.5 * RATE) : int(1.8 * RATE)]
    assert abs(level(y) - level(x)) < 1


def test_every_seed_draws_another_short_hole():
    x = noise().astype(np.float32)
    task = prepare(Sound(x, RATE), parse(["time:1.5-1.56"]))
    a, b, c = (task.render(last(fill(task, Settings(seed=n))).grid).samples for n in range(3))
    for one, other in ((a, b), (a, c), (b, c)):
        assert level(one - other) > level(x) - 20
        assert abs(level(one[:, 66_150:68_796]) - level(x)) < 2


def test_steady_noise_keeps_its_level_in_a_box(filled):
    x = noise(4)
    y = filled(x, "rect:1.5,2.5,1000,5000")
    band = butter(4, (1200, 4800), "band", fs=RATE, output="sos")
    p, q = (sosfiltfilt(band, v)[:, int(1.55 * RATE) : int(2.45 * RATE)] for v in (x, y))
    assert abs(level(q) - level(p)) < 1


@pytest.mark.parametrize("gain", [1, -1, 0.5])
@pytest.mark.parametrize("specification, end", [("time:1.5-2", 2), ("rect:1.5,2,1000,6000", 2)])
def test_one_source_keeps_its_position_in_the_image(filled, gain, specification, end):
    x = np.concatenate([noise(), gain * noise()])
    y = filled(x, specification)[:, int(1.5 * RATE) : int(end * RATE)]
    assert level(y[1] - gain * y[0]) < level(y) - 30


def test_a_continuation_keeps_the_position_of_one_source(filled):
    x = np.concatenate([noise(), 0.5 * noise()])
    y = filled(x, "", extend=1.0)[:, 3 * RATE :]
    assert level(y[1] - 0.5 * y[0]) < level(y) - 30


@pytest.mark.parametrize("end", [1.7, 2.5])
def test_several_sources_keep_the_channels_correlation(filled, end):
    x = noise(4) + 0.5 * noise(4, 1, 2)
    y = filled(x, f"time:1.5-{end}")[:, int(1.5 * RATE) : int(end * RATE)]
    assert abs(np.corrcoef(y)[0, 1] - np.corrcoef(x)[0, 1]) < 0.05


def test_a_wide_texture_under_central_notes_stays_wide(filled):
    t = np.arange(3 * RATE) / RATE
    notes = sum(0.02 * np.sin(2 * np.pi * 110 * k * t + k * k) for k in range(1, 60))
    x, part = notes + 2 * noise(3, 0, 2), slice(int(1.5 * RATE), int(1.9 * RATE))
    y, notes = filled(x, "time:1.5-1.9")[:, part], notes[part]
    texture = y - np.outer(y @ notes / (notes @ notes), notes)
    assert abs(np.corrcoef(texture)[0, 1]) < 0.15


def test_a_hole_in_a_pause_before_an_attack_is_quiet(filled):
    x, start, stop = 0.02 * noise(), int(1.5 * RATE), int(1.8 * RATE)
    attack = stop + RATE // 10
    hit = x.copy()
    hit[0, attack : attack + RATE // 2] += drum()
    y = filled(hit, f"time:{start / RATE}-{stop / RATE}")
    assert abs(level(y[:, start:stop]) - level(x)) < 2


@pytest.mark.parametrize("gain", [3, 30])
@pytest.mark.parametrize("spec", ["time:1.6-2.1", "rect:1.6,2.1,200,9000"])
def test_a_cough_in_a_pause_leaves_the_level_of_the_pause(filled, spec, gain):
    """The pause is 40 dB quieter than what surrounds it, and shorter than twice the hole."""
    t = np.arange(4 * RATE) / RATE
    x = noise(4, 0) * np.where(np.abs(t - 1.85) < 0.45, 0.01, 1)
    band = butter(8, (1000, 4000), "band", fs=RATE, output="sos")
    burst = sosfiltfilt(band, noise(4, 1)) * np.clip(1 - np.abs(t - 1.85) / 0.2, 0, 1)
    y = filled(x + gain * burst, spec)
    part = slice(int(1.65 * RATE), int(2.05 * RATE))
    assert abs(level(y[:, part]) - level(x[:, part])) < 3


@pytest.mark.parametrize("seed", [0, 2])
def test_a_box_that_begins_and_ends_between_hits_is_no_pause(filled, seed):
    """Hits of noise, 0.2 to 0.6 s apart, which decay by 50 dB in a sixth of a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(6 * RATE) / RATE
    starts = 0.1 + np.cumsum(np.append(0, rng.uniform(0.2, 0.6, 30)))
    envelope = 0.003 + sum(np.where(t >= s, np.exp((s - t) / 0.03), 0) for s in starts)
    x = noise(6, seed) * envelope
    y = filled(x, "rect:2.45,3.45,500,4000")
    band = butter(6, (600, 3500), "band", fs=RATE, output="sos")
    part = slice(int(2.47 * RATE), int(3.43 * RATE))
    assert abs(level(sosfiltfilt(band, y)[:, part]) - level(sosfiltfilt(band, x)[:, part])) < 3


def test_a_continuation_keeps_its_level_throughout(filled):
    x = pink(4)
    y = filled(x, "", extend=5.0)
    for start in (5, 7, 8):
        assert abs(level(y[:, start * RATE : (start + 1) * RATE]) - level(x)) < 2


@pytest.mark.parametrize("slope", [-20, 0])
def test_a_continuation_of_a_fade_goes_on_fading(filled, slope):
    t, whole = np.arange(4 * RATE) / RATE, pink(4)
    if slope:
        gain = 10 ** (slope / 20 * np.clip(t - 1, 0, None))
    else:
        gain = np.clip((3 - t) / 2, 0, 1)  # linear, and over
    x = (whole * gain)[:, : 3 * RATE]
    y = filled(x, "", extend=1.0)
    assert np.array_equal(y[:, : 3 * RATE], x.astype(np.float32))
    for start in (3.0, 3.5):
        part = slice(int(start * RATE), int((start + 0.45) * RATE))
        right = level(whole) + level(gain[part])
        assert level(y[:, part]) < -90 if not slope else abs(level(y[:, part]) - right) < 2.5


def test_music_that_ends_without_a_fade_has_none():
    x = pink(4)
    beats = x * (0.2 + np.exp(-(np.arange(4 * RATE) % (RATE // 2)) / (0.1 * RATE)))
    assert find_fade(x, RATE) is None and find_fade(beats, RATE) is None
    assert find_fade(np.zeros((1, 4 * RATE)), RATE) is None


def test_an_answer_names_the_fade():
    whole, t = pink(4), np.arange(4 * RATE) / RATE
    for gain, words in (
        (10 ** (-20 / 20 * np.clip(t - 2, 0, None)), "the fade goes on"),
        (np.clip((4 - t) / 2, 0, 1), "silence: the sound has faded out"),
    ):
        sound = Sound((whole * gain).astype(np.float32), RATE)
        assert has_faded_out(sound) == words.startswith("silence")
        task = prepare(sound, parse([]), extend=1.0)
        step = last(fill(task, Settings("noise")))
        assert ", ".join(describe_origin(step, task, Resolved("noise"))).startswith(words)


@pytest.mark.parametrize("rate", [8_000, RATE])
@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.0])
def test_a_short_fade_is_found_where_it_begins(seconds, rate):
    """A linear and an exponential one; the highs of a last note fall faster than its lows."""
    x, t = pink(4)[:, : 4 * rate], np.arange(4 * rate) / rate
    left = np.clip((4 - t) / seconds, 0, 1)
    for gain in (left, 10 ** (-1.5 * (1 - left))):
        found = find_fade((x * gain).astype(np.float32), rate)
        assert found is not None and abs(found.start - (4 - seconds)) < 0.15
        at = int(3.95 * rate)
        assert abs(20 * np.log10(found.gain(t[at]) / gain[at])) < 2
    lows = sosfiltfilt(butter(2, 800, fs=rate, output="sos"), x)
    assert find_fade((lows * left + (x - lows) * left**3).astype(np.float32), rate) is None


def test_a_last_note_that_dies_away_is_no_fade():
    """Half-second notes: the last one rings, or all of them fade out."""
    t = np.arange(12 * RATE) / RATE
    since = np.where(t < 10, t % 0.5, t - 10)
    notes = (np.exp(-3 * since) * np.sin(2 * np.pi * 440 * t) + 3e-4 * noise(12, 0)).astype("f")
    assert find_fade(notes, RATE) is None and find_fade(notes[:, : 11 * RATE], RATE) is None
    faded = notes * np.clip((10 - t) / 4, 0, 1)
    found = find_fade(faded[:, : 10 * RATE], RATE)
    assert found is not None and 5 < found.start < 7


def test_a_long_hole_keeps_its_level_throughout(filled):
    """In the middle nothing known is within the fixed context of the model."""
    x = pink(10)
    y = filled(x, "time:2-8")
    for start in (3, 5, 6):
        assert abs(level(y[:, start * RATE : (start + 1) * RATE]) - level(x)) < 2.5


@pytest.mark.parametrize("specification", ["above:8000", "below:200"])
def test_a_silent_channel_stays_silent(filled, specification):
    x = np.concatenate([noise(2), np.zeros((1, 2 * RATE))])
    assert not filled(x, specification)[1].any()


@pytest.mark.parametrize("specification", ["time:1.2-1.6", "above:8000", "rect:1.2,1.6,500,5000"])
def test_digital_silence_between_sounds_stays_silent(specification):
    x = pink(2.8)
    x[:, RATE : int(1.8 * RATE)] = 0
    task = prepare(Sound(x.astype(np.float32), RATE), parse([specification]))
    step = last(fill(task, Settings("noise")))
    y = task.render(step.grid).samples
    assert not y[:, int(1.2 * RATE) : int(1.6 * RATE)].any()
    if specification == "above:8000":  # beside the silence highs are filled in
        assert np.abs(step.grid[:, :20, 400:]).max() > 1e-3


@pytest.mark.parametrize("specification, extend", [("time:0-1", 0.0), ("", 0.5)])
def test_where_nothing_is_known_nothing_is_filled_in(specification, extend):
    sound = Sound(noise(1)[:, :100].astype(np.float32), RATE)
    task = prepare(sound, parse([specification] if specification else []), extend=extend)
    y = task.render(last(fill(task, Settings("noise"))).grid).samples
    assert np.abs(y).max() <= np.abs(sound.samples).max()
    assert np.abs(y[:, 1000:]).max(initial=0) < 1e-6


@pytest.mark.parametrize("rate", [RATE // 2, RATE])
def test_a_mono_sound_becomes_centred_stereo(rate):
    model = load_model(device="cpu")
    x = np.round(noise(1) * 2**15)[:, :: RATE // rate] / 2**15
    x[:, rate // 2 :] = 0
    task = prepare(Sound(x.astype(np.float32), rate), parse([]), add_channels=1)
    left, right = task.render(last(fill(task, Settings(seed=1), model)).grid).samples
    assert np.array_equal((left + right) / 2, x[0].astype(np.float32))
    assert abs(level(left) - level(right)) < 0.5
    assert -12 < level(left - right) - level(left + right) < -4
    assert not (left - right)[round(0.58 * rate) :].any()  # silence stays silent


def test_highs_beside_an_added_channel_are_those_without_it(filled):
    """Each has settings of its own: those of a lost channel made highs 10 dB too quiet."""
    x = pink(1)
    alone, both = filled(x, "above:6000"), filled(x, "above:6000", add_channels=1)
    np.testing.assert_allclose(both.mean(0), alone[0], atol=1e-4)
    assert level(both[0] - both[1]) > level(alone) - 20


def test_a_hole_beside_a_lost_channel_is_a_hole():
    task = prepare(Sound(noise(channels=2), RATE), parse(["channel:0", "time:1-1.3"]))
    lost = lost_beside_others(task)
    first = task_of_known_channels(task, lost)
    assert task.preset == "upmix" and first.preset == "gap"
    assert [r.t for r in first.selection.regions] == [(1, 1.3)] and len(first.mask) == 1
    rest = task_of_lost_channels(task, lost, first.grid + 1)
    assert rest.mask[0].all() and not rest.mask[1].any()
    np.testing.assert_array_equal(rest.grid[1], first.grid[0] + 1)
    steps = list(fill(task, Settings("noise")))
    assert [(s.number, s.total) for s in steps] == [(1, 9), (2, 2)]
    assert [s.revealed.sum() for s in steps] == [first.mask.sum(), task.mask.sum()]


def test_the_progress_of_two_fills_never_goes_back():
    """A short hole has one step, the lost channel beside it several."""
    task = prepare(Sound(noise(6, channels=2), RATE), parse(["channel:0", "time:1-1.1"]))
    steps = list(fill(task, Settings(steps=1), load_model(device="cpu")))
    shares = [step.number / step.total for step in steps]
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) > 3 and shares == sorted(shares) and shares[-2] < shares[-1] == 1
