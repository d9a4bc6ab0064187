from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomizer.atoms.selection import parse
from atomizer.atoms.space import BIT, FEATURES, AtomSpace
from atomizer.inpainting import task as task_module
from atomizer.inpainting.acting import acting_settings
from atomizer.inpainting.fill import fill
from atomizer.inpainting.highs import cutoff
from atomizer.inpainting.highs.timbre import without_idle_timbre
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.resolve import resolve
from atomizer.inpainting.settings import METHODS, Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.io.peaks import limit_peaks
from atomizer.limits import Limits

SPACE = AtomSpace()
HOP = SPACE.hop


def filled(task, method="noise", seed=0):
    return list(fill(task, Settings(method=method, seed=seed)))[-1].grid


def reach(task, rate, length):
    """(channels, length) bool: samples within the windows of selected atoms."""
    out = np.zeros((len(task.mask), length), bool)
    slack = 0 if rate == SPACE.rate else 1
    for channel, frame in zip(*np.nonzero(task.mask.any(axis=2))):
        first, end = ((frame + side) * HOP * rate / SPACE.rate for side in (-1, 1))
        out[channel, max(0, int(np.floor(first)) - slack) : max(0, int(np.ceil(end)) + slack)] = (
            True
        )
    return out


@pytest.mark.parametrize("frames", (1, 3, 7, 1000))
@pytest.mark.parametrize("specification", ("above:5000", "time:0.1-0.4", "channel:1"))
def test_a_change_has_no_seams_between_synthesised_parts(frames, specification, sound, monkeypatch):
    task = prepare(sound(0.6, 2, 48_000), parse([specification]))
    grid = filled(task)
    whole = task.render(grid)
    monkeypatch.setattr("atomizer.inpainting.render.FRAMES_AT_ONCE", frames)
    np.testing.assert_allclose(task.render(grid).samples, whole.samples, atol=2e-7)


# --- the result is the input plus the change ------------------------------------------------------


@pytest.mark.parametrize("rate", (44_100, 192_000, 48_000, 22_050, 16_000))
@pytest.mark.parametrize("method", ("noise", "erased"))
@pytest.mark.parametrize("specification", ("rect:0.2,0.3,1000,3000", "time:0.2-0.25"))
def test_samples_outside_the_windows_are_identical(specification, method, rate, sound):
    one = sound(0.6, 2, rate)
    task = prepare(one, parse([specification]))
    out = task.render(filled(task, method))
    assert (
        out.rate == rate
        and out.samples.shape == one.samples.shape
        and out.samples.dtype == np.float32
    )
    inside = reach(task, rate, one.samples.shape[1])
    assert 0.1 < inside.mean() < 0.5
    np.testing.assert_array_equal(out.samples[~inside], one.samples[~inside])
    assert np.abs(out.samples - one.samples)[inside].max() > 0.01


@pytest.mark.parametrize("rate", (44_100, 192_000, 16_000))
def test_other_channels_are_identical(rate, sound):
    one = sound(0.3, 3, rate)
    task = prepare(one, parse(["channel:1"]))
    out = task.render(filled(task))
    np.testing.assert_array_equal(out.samples[[0, 2]], one.samples[[0, 2]])
    assert out.samples[1].std() > 0.3 * one.samples[[0, 2]].std(), (
        "the noise has the level of the other channels"
    )


@pytest.mark.parametrize("rate", (8000, 11_025, 16_000, 44_100, 48_000, 96_000, 192_000))
@pytest.mark.parametrize(
    "specifications", [["time:0.1-0.2"], ["channel:0"], ["rect:0,0.1,100,3000"], ["random:50"]]
)
def test_an_unchanged_grid_returns_the_input(specifications, rate, sound):
    one = sound(0.3, 2, rate)
    task = prepare(one, parse(specifications))
    out = task.render(task.grid)
    assert out.rate == rate
    np.testing.assert_array_equal(out.samples, one.samples)


def test_an_unchanged_grid_keeps_samples_above_full_scale(samples):
    one = Sound(4 * samples(20_000, 2), 44_100)
    assert np.abs(one.samples).max() > 1
    task = prepare(one, parse(["above:3000"]))
    np.testing.assert_array_equal(task.render(task.grid).samples, one.samples)


def test_only_the_selected_atoms_of_a_grid_are_heard(sound):
    task = prepare(sound(0.5), parse(["rect:0.2,0.3,1000,3000"]))
    grid = filled(task)
    spoiled = np.where(task.mask, grid, 123)
    np.testing.assert_array_equal(task.render(spoiled).samples, task.render(grid).samples)


@pytest.mark.parametrize("specification", ("time:0.2-0.3", "after:0.3"))
@pytest.mark.parametrize(
    "rate, tolerance", [(44_100, 1e-6), (48_000, 2e-4), (192_000, 2e-4), (16_000, 2e-4)]
)
def test_an_erased_time_span_is_silent(specification, rate, tolerance):
    """Except for 5 ms at its edges, in which the sound around it fades out.

    A tone that fades at both ends: other sounds do not survive the resampling exactly.
    """
    t = np.arange(rate // 2) / rate
    one = Sound(
        (0.5 * np.sin(2 * np.pi * 1234 * t) * np.minimum(1, 20 * np.minimum(t, 0.5 - t)))[
            None
        ].astype(np.float32),
        rate,
    )
    task = prepare(one, parse([specification]))
    out = task.render(task.erased()).samples[0]
    span = (
        slice(round(0.206 * rate), round(0.294 * rate))
        if specification.startswith("time")
        else slice(round(0.306 * rate), -rate // 100)
    )
    assert np.abs(out[span]).max() < tolerance


def test_an_erased_channel_is_silent(sound):
    task = prepare(sound(0.5, 2), parse(["channel:1"]))
    out = task.render(task.erased()).samples
    assert np.abs(out[1]).max() < 1e-6 and np.abs(out[0]).max() > 0.1


def test_erasing_highs_keeps_the_lows(sound):
    one = sound(0.5)
    out = prepare(one, parse(["above:8000"]))

    def power(x):
        return np.abs(np.fft.rfft(x[0] * np.hanning(x.shape[1]))) ** 2

    f = np.fft.rfftfreq(one.samples.shape[1], 1 / 44_100)
    before, after = power(one.samples), power(out.render(out.erased()).samples)
    assert after[f > 9000].sum() < 1e-4 * before[f > 9000].sum()
    assert after[f < 7500].sum() == pytest.approx(before[f < 7500].sum(), rel=1e-3)


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate, length", [(16_000, 8001), (8000, 4001), (22_050, 9999)])
def test_a_fill_above_the_nyquist_has_a_rate_of_44100(rate, length, samples):
    one = Sound(samples(length, 1, rate), rate)
    task = prepare(one, parse([f"above:{rate * 0.4}"]))
    assert task.output_rate == 44_100 and task.preset == "bandwidth"
    out = task.render(filled(task))
    base = one.at(44_100)
    assert out.rate == 44_100 and out.samples.shape == base.shape == (
        1,
        -(-length * 44_100 // rate),
    )
    spectrum = np.abs(np.fft.rfft(out.samples[0])) ** 2
    f = np.fft.rfftfreq(out.samples.shape[1], 1 / 44_100)
    assert spectrum[f > rate / 2 + 1000].mean() > 1e-4 * spectrum[f < rate / 2 - 1000].mean(), (
        "there are highs now"
    )
    change = np.abs(np.fft.rfft(out.samples[0] - base[0])) ** 2
    assert change[f < rate * 0.4 - 500].sum() < 1e-2 * change.sum(), "the lows are the input's own"
    np.testing.assert_array_equal(task.render(task.grid).samples, base)


def test_local_highs_leave_the_rest_resampled(sound):
    one = sound(0.6, 1, 16_000)
    task = prepare(one, parse(["rect:0.2,0.3,6000,12000"]))
    out, base = task.render(filled(task)), one.at(44_100)
    inside = reach(task, 44_100, base.shape[1])
    assert out.rate == 44_100
    np.testing.assert_array_equal(out.samples[~inside], base[~inside])


@pytest.mark.parametrize(
    "specification",
    (
        "time:0.1-0.2",
        "after:0.2",
        "channel:0",
        "rect:0,0.1,100,3000",
        "random:50",
        "quietest:90",
        "loudest:50",
    ),
)
@pytest.mark.parametrize("rate", (8000, 16_000, 192_000))
def test_every_other_fill_keeps_the_inputs_rate(rate, specification, samples):
    """The input is white noise: full of energy up to its own Nyquist."""
    noise = np.random.default_rng(0).standard_normal((1, rate // 2)).astype(np.float32) * 0.1
    assert prepare(Sound(noise, rate), parse([specification])).output_rate == rate


def test_a_192_khz_input_loses_selected_ultrasound_alone(sound):
    one = sound(0.3, 1, 192_000)
    task = prepare(one, parse(["above:8000"]))
    out = task.render(filled(task))
    assert out.rate == 192_000 and out.samples.shape == one.samples.shape
    change = np.abs(np.fft.rfft(out.samples[0] - one.samples[0])) ** 2
    f = np.fft.rfftfreq(one.samples.shape[1], 1 / 192_000)
    left = np.abs(np.fft.rfft(out.samples[0])) ** 2
    assert (
        left[f > 23_000].sum() < 1e-2 * change[f > 23_000].sum()
        and change[f < 7000].sum() < 1e-3 * change.sum()
    )
    task = prepare(one, parse(["rect:0.1,0.2,1000,8000"]))
    change = np.abs(np.fft.rfft(task.render(filled(task)).samples[0] - one.samples[0])) ** 2
    assert change[f > 23_000].sum() < 1e-3 * change.sum(), "no atom above 8 kHz is selected"


# --- extending and upmixing -----------------------------------------------------------------------


@pytest.mark.parametrize("rate", (8000, 16_000, 44_100, 48_000, 192_000))
@pytest.mark.parametrize("seconds", (0.25, 1.0))
def test_a_continuation_adds_seconds_and_changes_only_the_end(seconds, rate, sound):
    one = sound(0.4, 2, rate)
    length = one.samples.shape[1]
    task = prepare(one, parse([]), extend=seconds)
    assert task.preset == "continue" and task.features == ("velocity", "sign")
    out = task.render(filled(task))
    assert out.rate == rate and out.samples.shape == (2, length + round(seconds * rate))
    untouched = length - int(2 * HOP * rate / SPACE.rate) - 2
    np.testing.assert_array_equal(out.samples[:, :untouched], one.samples[:, :untouched])
    added = out.samples[:, length + round(0.05 * rate) : length + round(0.2 * rate)]
    assert (added.std(axis=1) > 0.05 * one.samples.std()).all()


@pytest.mark.parametrize("seconds", (0.5, 0.01))
def test_a_continuation_ends_without_a_click(seconds, sound):
    task = prepare(sound(0.5, 2, 48_000), parse([]), extend=seconds)
    end = task.render(filled(task)).samples[:, -480:]
    assert not end[:, -1].any() and np.abs(end[:, -5:]).max() < 0.03 * np.abs(end).max()


def test_the_erased_continuation_is_silence(sound):
    one = sound(0.4)
    task = prepare(one, parse([]), extend=0.5)
    out = task.render(task.erased()).samples[0]
    assert np.abs(out[one.samples.shape[1] :]).max() < 1e-6


@pytest.mark.parametrize("rate", (16_000, 44_100, 96_000))
@pytest.mark.parametrize("channels, extra", [(2, 1), (1, 7)])
def test_an_upmix_adds_channels_and_keeps_the_others(channels, extra, rate, sound):
    one = sound(0.3, channels, rate)
    task = prepare(one, parse([]), add_channels=extra)
    assert task.preset == "upmix"
    out = task.render(filled(task))
    assert out.rate == rate and out.samples.shape == (channels + extra, one.samples.shape[1])
    np.testing.assert_array_equal(out.samples[:channels], one.samples)
    assert (out.samples[channels:].std(axis=1) > 0.2 * one.samples.std()).all()
    assert not task.render(task.erased()).samples[channels:].any()


@pytest.mark.parametrize("rate", (16_000, 44_100, 96_000))
def test_a_mono_sound_becomes_stereo_around_it(rate, sound):
    one = sound(0.3, 1, rate)
    one = one.with_samples(np.round(one.samples * 2**15) / np.float32(2**15))
    task = prepare(one, parse([]), add_channels=1)
    left, right = task.render(filled(task)).samples
    np.testing.assert_array_equal((left + right) / 2, one.samples[0])
    assert (left - right).std() > 0.2 * one.samples.std()
    for out in (task.render(task.erased()), task.render(task.grid)):
        np.testing.assert_array_equal(out.samples, np.repeat(one.samples, 2, 0))


def test_extending_and_adding_channels_combine(sound):
    task = prepare(sound(0.4), parse(["above:8000"]), extend=0.5, add_channels=1)
    assert task.render(filled(task)).samples.shape == (2, round(0.4 * 44_100) + 22_050)
    assert (
        task.mask[1].all()
        and task.mask[0, -5:].all()
        and task.mask[0, :, 500:].all()
        and not task.mask[0, 0, :300].any()
    )


@pytest.mark.parametrize("extend", (-1, -1e-9, Limits.extend_seconds + 1, 1e9, np.nan, np.inf))
def test_a_wrong_extension_is_refused(extend, sound, refused):
    with refused("extended", "60"):
        prepare(sound(0.1), parse([]), extend=extend)


def test_extending_past_the_longest_sound_is_refused(refused):
    with refused("longer"):
        prepare(Sound(np.zeros((1, 1000 * 1790), np.float32), 1000), parse([]), extend=20)


@pytest.mark.parametrize("channels, extra", [(1, -1), (1, 8), (8, 1), (2, 1000)])
def test_a_wrong_number_of_channels_is_refused(channels, extra, sound, refused):
    with refused("channels", str(8 - channels)):
        prepare(sound(0.1, channels), parse([]), add_channels=extra)


@pytest.mark.parametrize("how", ({"extend": 1.0}, {"add_channels": 1}))
def test_additions_need_unknown_velocity_and_sign(how, sound, refused):
    for features in (["sign"], ["velocity"], ["time", "frequency"]):
        with refused("velocity", "sign"):
            prepare(sound(0.1), parse([], features), **how)


# --- the task itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", (16_000, 44_100))
@pytest.mark.parametrize(
    "specifications, preset",
    [
        (["random:50"], "restore"),
        (["quietest:50", "loudest:1"], "restore"),
        (["loudest:5"], "loudest"),
        (["above:3000"], "bandwidth"),
        (["channel:1"], "upmix"),
        (["time:0.1-0.3"], "gap"),
        (["time:0-0.3"], "gap"),
        (["time:0.1-0.15"], "gap"),
        (["after:0.2"], "continue"),
        (["rect:0.1,0.2,300,900"], "region"),
        (["below:300"], "region"),
        (["random:50", "rect:0.1,0.2,300,900"], "region"),
    ],
)
def test_the_preset_follows_from_the_shape_of_the_selection(specifications, preset, rate, sound):
    assert prepare(sound(0.4, 2, rate), parse(specifications)).preset == preset


@pytest.mark.parametrize(
    "specifications", [[], ["above:30000"], ["time:5-6"], ["channel:2"], ["random:0"], ["after:99"]]
)
def test_a_selection_outside_the_sound_is_refused(specifications, sound, refused):
    with refused():
        prepare(sound(0.3, 2), parse(specifications))


def test_silence_has_regions_but_no_parts(refused):
    silence = Sound(np.zeros((1, 5000), np.float32), 44_100)
    with refused("nothing is selected"):
        prepare(silence, parse(["random:50"]))
    task = prepare(silence, parse(["above:8000"]))
    assert not task.render(filled(task)).samples.any() and task.reference == 0


@pytest.mark.parametrize("rate", (8000, 44_100, 192_000))
def test_a_single_sample_is_a_task(rate):
    one = Sound(np.array([[0.5]], np.float32), rate)
    for specification in ("channel:0", "above:2000", "random:100"):
        task = prepare(one, parse([specification]))
        out = task.render(filled(task))
        assert (
            out.samples.shape == ((1, 1) if out.rate == rate else (1, -(-44_100 // rate)))
            and np.isfinite(out.samples).all()
        )


def test_eight_channels_are_a_task(sound):
    one = sound(0.2, 8, 48_000)
    task = prepare(one, parse(["above:8000", "channel:7"]))
    assert task.mask[7].sum() > task.mask[0].sum() > 0
    assert task.render(filled(task)).samples.shape == one.samples.shape


def test_the_input_is_not_modified(sound):
    one = sound(0.3, 2)
    before = one.samples.copy()
    task = prepare(one, parse(["above:4000"]), extend=0.1)
    grid = task.grid.copy()
    task.render(filled(task)), task.erased(), task.atoms()
    np.testing.assert_array_equal(one.samples, before)
    np.testing.assert_array_equal(task.grid, grid)


def test_erasing_includes_silent_bins(sound):
    one = Sound(np.concatenate([sound(0.2).samples, np.zeros((1, 10_000), np.float32)], 1), 44_100)
    atoms = prepare(one, parse(["after:0.3"])).atoms()
    hidden = atoms.unknown > 0
    frames = np.unique(atoms.time[hidden])
    assert hidden.sum() == len(frames) * 1024 and not atoms.audible[hidden].any()


@pytest.mark.parametrize(
    "features", [("velocity", "sign"), ("sign",), ("time",), ("frequency", "channel"), FEATURES]
)
def test_the_selected_atoms_have_the_chosen_features_unknown(features, sound):
    task = prepare(sound(0.3, 2), parse(["rect:0.1,0.2,500,4000"], features))
    atoms = task.atoms()
    assert task.features == tuple(n for n in FEATURES if n in features)
    selected = task.mask[atoms.channel, atoms.time, atoms.frequency]
    np.testing.assert_array_equal(
        atoms.unknown, np.where(selected, sum(BIT[n] for n in features), 0)
    )
    assert selected.sum() == task.mask.sum()
    np.testing.assert_array_equal(
        atoms.amplitude, task.grid[atoms.channel, atoms.time, atoms.frequency]
    )


def test_the_reference_is_the_loudest_atom_that_is_not_selected(sound):
    task = prepare(sound(0.3), parse(["loudest:1"]))
    assert task.reference == np.abs(task.grid[~task.mask]).max() < np.abs(task.grid).max()


def hide_something_else(one, task, seed=9):
    """Another sound whose grid differs within the mask alone."""
    grid = np.where(
        task.mask,
        0.1 * np.random.default_rng(seed).standard_normal(task.grid.shape).astype(np.float32),
        task.grid,
    )
    other = Sound(task.render(grid).samples, one.rate)
    assert 0.1 < np.abs(other.samples - one.samples).max() and np.abs(other.samples).max() < 0.9, (
        "all samples are within full scale"
    )
    return other


def test_known_atoms_do_not_reveal_hidden_levels(sound):
    """`Atoms.reference`: amplitude at 0 dB, the loudest known atom."""
    task = prepare(sound(0.3), parse(["rect:0.1,0.2,500,4000"]))
    louder = replace(task, grid=np.where(task.mask, 100, task.grid).astype(np.float32))
    a, b = (t.atoms() for t in (task, louder))
    assert a.reference == b.reference
    np.testing.assert_array_equal(a[a.unknown == 0].velocity, b[b.unknown == 0].velocity)


# --- peaks ----------------------------------------------------------------------------------------


def test_a_fill_has_headroom(sound):
    """Float samples may exceed full scale; peaks are handled where a file is written."""
    one = sound(0.6, 2)
    task = prepare(one, parse(["rect:0.2,0.3,500,4000"]))
    out = task.render(np.where(task.mask, 50 * filled(task), task.grid)).samples
    assert np.abs(out).max() > 2
    inside = reach(task, 44_100, one.samples.shape[1])
    np.testing.assert_array_equal(out[~inside], one.samples[~inside])


@given(
    st.integers(0, 2**32 - 1),
    st.floats(0.1, 5),
    st.integers(1, 3),
    st.sampled_from([1, 7, 500, 3000]),
)
def test_the_limiter_leaves_nothing_above_full_scale(seed, loud, channels, length):
    rng = np.random.default_rng(seed)
    x = (loud * rng.standard_normal((channels, length))).astype(np.float32)
    out = limit_peaks(x, 44_100)
    assert out.shape == x.shape and out.dtype == np.float32 and np.abs(out).max() <= 1 + 1e-6
    assert (np.abs(out) <= np.abs(x)).all() and (out * x >= 0).all(), "only ever turned down"


def test_the_limiter_keeps_what_fits(samples):
    x = samples(2000, 2)
    np.testing.assert_array_equal(limit_peaks(x, 44_100), x)


def test_a_sound_above_full_scale_can_be_erased():
    """Decoded MP3s have peaks above 1."""
    time = np.arange(44_100) / 44_100
    low, high = 1.3 * np.sin(2 * np.pi * 100 * time), 0.2 * np.sin(2 * np.pi * 10_000 * time)
    one = Sound((low + high)[None].astype(np.float32), 44_100)
    task = prepare(one, parse(["above:8000"]))
    left = task.render(task.erased()).samples[0, 5000:-5000]
    assert np.abs(left - low[5000:-5000]).max() < 0.02


def test_the_limiter_acts_around_the_peak_without_a_jump():
    x = np.full((2, 44_100), 0.5, np.float32)
    x[0, 20_000] = 4
    out = limit_peaks(x, 44_100)
    assert out[0, 20_000] == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(out[:, :19_000], x[:, :19_000])
    np.testing.assert_array_equal(out[:, 21_000:], x[:, 21_000:])
    assert np.abs(np.diff(out[1])).max() < 0.01, "the other channel is turned down alike, smoothly"
    assert out[1, 20_000] == pytest.approx(0.125, rel=0.01)


# --- filling without a model ----------------------------------------------------------------------


@pytest.mark.parametrize("method", ("noise", "erased"))
def test_a_fill_without_a_model_takes_one_step(method, sound):
    task = prepare(sound(0.3), parse(["above:8000"]))
    steps = list(fill(task, Settings(method=method)))
    assert [(s.number, s.total) for s in steps] == [(1, 1)]
    np.testing.assert_array_equal(steps[0].revealed, task.mask)
    assert steps[0].grid.shape == task.grid.shape and steps[0].grid.dtype == np.float32
    np.testing.assert_array_equal(steps[0].grid[~task.mask], task.grid[~task.mask])
    assert steps[0].grid[task.mask].any() == (method == "noise")


@pytest.mark.parametrize("method", ("noise", "erased"))
def test_known_levels_are_kept_where_signs_are_unknown(method, sound):
    task = prepare(sound(0.3), parse(["above:3000"], ("sign",)))
    one, again, other = filled(task, method, 1), filled(task, method, 1), filled(task, method, 2)
    np.testing.assert_array_equal(np.abs(one), np.abs(task.grid))
    np.testing.assert_array_equal(one[~task.mask], task.grid[~task.mask])
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one, task.masked(1))
    assert not np.array_equal(one, other)
    assert abs((one[task.mask] * task.grid[task.mask] > 0).mean() - 0.5) < 0.05, "signs are random"


@pytest.mark.parametrize("features", [("velocity", "sign"), ("velocity",), ("time", "sign")])
def test_atoms_without_velocity_or_place_are_masked_by_silence(features, sound):
    task = prepare(sound(0.3), parse(["above:3000"], features))
    np.testing.assert_array_equal(task.masked(1), task.erased())


@pytest.mark.parametrize("specification", ("rect:0.1,0.2,500,4000", "above:8000", "time:0.1-0.2"))
def test_hidden_atoms_do_not_change_the_fill(specification, sound):
    one = sound(0.3, 2)
    task = prepare(one, parse([specification]))
    grid = np.where(task.mask, np.float32(7), task.grid)
    other = replace(task, grid=grid)
    for method in ("noise", "erased"):
        np.testing.assert_array_equal(filled(other, method), filled(task, method))


@pytest.mark.parametrize("specification", ("rect:0.1,0.2,500,4000", "time:0.1-0.2"))
def test_hidden_samples_are_not_heard_in_the_fill(specification, sound):
    one = sound(0.3)
    task = prepare(one, parse([specification]))
    again = prepare(hide_something_else(one, task), parse([specification]))
    np.testing.assert_allclose(filled(again), filled(task), atol=1e-4)
    np.testing.assert_allclose(
        again.render(filled(again)).samples, task.render(filled(task)).samples, atol=1e-4
    )


def test_the_same_seed_gives_the_same_sound(sound):
    task = prepare(sound(0.3), parse(["above:8000"]))
    np.testing.assert_array_equal(filled(task, seed=4), filled(task, seed=4))
    assert np.abs(filled(task, seed=4) - filled(task, seed=5)).max() > 0.01


@pytest.mark.parametrize(
    "change, words",
    [
        ({"method": "magic"}, METHODS),
        ({"method": "x" * 999}, METHODS),
        ({"order": "loudness"}, ("velocity", "random")),
        ({"steps": 0}, ("1 to 64",)),
        ({"steps": 65}, ("1 to 64",)),
        ({"steps": -3}, ("1 to 64",)),
        ({"temperature": -0.1}, ("between 0 and 4",)),
        ({"temperature": 9.0}, ("between 0 and 4",)),
        ({"temperature": float("nan")}, ("between 0 and 4",)),
        ({"nucleus": 0.0}, ("up to 1",)),
        ({"nucleus": 1.1}, ("up to 1",)),
        ({"nucleus": float("nan")}, ("up to 1",)),
        ({"seed": -1}, ("seed",)),
    ],
)
def test_settings_out_of_range_are_refused(change, words, sound, refused):
    task = prepare(sound(0.1), parse(["above:8000"]))
    with refused(*words):
        list(fill(task, Settings(**{"method": "noise"} | change)))


def test_a_negative_seed_of_a_random_part_is_refused(sound, refused):
    with refused("seed"):
        prepare(sound(0.1), parse(["random:50"]), seed=-1)


@pytest.mark.parametrize(
    "recipe, order",
    [
        (Recipe(parse(["above:8000"])), "frequency"),
        (Recipe(parse(["time:0.1-0.2"])), "time"),
        (Recipe(parse(["rect:0.1,0.2,1000,3000"])), "time"),
        (Recipe(parse(["channel:1"])), "channel"),
        (Recipe(parse(["keep:10"])), "velocity"),
        (Recipe(parse(["random:50"])), "random"),
        (Recipe(extend=0.1), "time"),
        (Recipe(add_channels=1), "channel"),
    ],
)
def test_the_automatic_ordering_is_that_of_the_task(recipe, order, sound):
    task = recipe.task(sound(0.3, 1 if recipe.add_channels else 2))
    assert resolve(Settings(), task).order == order


@pytest.mark.parametrize(
    "specifications, features",
    [(["above:8000"], ("sign",)), (["random:50"], ("velocity", "sign")), (["after:0.1"], FEATURES)],
)
def test_users_values_override_the_defaults(specifications, features, sound):
    task = prepare(sound(0.3), parse(specifications, features))
    chosen = resolve(Settings(), task)
    assert None not in vars(chosen).values()
    assert (chosen.amplitudes == "expected") == (specifications == ["random:50"])
    mine = resolve(
        Settings(
            order="channel", steps=3, temperature=0.0, nucleus=0.5, amplitudes="sampled", seed=8
        ),
        task,
    )
    assert (mine.order, mine.steps, mine.temperature, mine.nucleus, mine.amplitudes, mine.seed) == (
        "channel",
        3,
        0.0,
        0.5,
        "sampled",
        8,
    )


@pytest.mark.parametrize("specifications", (["above:8000"], ["random:50"], ["above:0"]))
def test_a_chosen_nucleus_is_used(specifications, sound):
    """Only sampled levels have one, and where no level is drawn it changes nothing."""
    task = prepare(sound(0.3), parse(specifications))
    assert (
        resolve(Settings(), task).amplitudes
        != "sampled"
        == resolve(Settings(nucleus=0.9), task).amplitudes
    )
    assert resolve(Settings(nucleus=0.9, amplitudes="texture"), task).amplitudes == "texture"
    signs = prepare(sound(0.3), parse(specifications, ("sign",)))
    assert resolve(Settings(nucleus=0.9), signs).amplitudes == resolve(Settings(), signs).amplitudes


def test_the_cutoff_of_a_task_is_found_once(sound, monkeypatch):
    found = []

    def cutoff_bin(mask):
        found.append(cutoff.cutoff_bin(mask))
        return found[-1]

    monkeypatch.setattr(task_module, "cutoff_bin", cutoff_bin)
    task = prepare(sound(0.6), parse(["above:8000"]))
    settings = Settings(timbre=2)
    assert "timbre" in acting_settings(settings, task)
    assert without_idle_timbre(settings, task) == settings and len(found) == 1
