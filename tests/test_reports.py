"""Reported inputs that failed, made here, each with the right value."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from atomizer import Settings, Sound, fill, load_model, parse, prepare, read, write
from atomizer.errors import AtomizerError
from atomizer.evaluation.baselines.autoregression import janssen
from atomizer.inpainting.fill import last
from atomizer.inpainting.sampling.ends import continued_ends
from atomizer.inpainting.time_domain.autoregression import interpolate

RATE = 44_100


@pytest.fixture(scope="module")
def process():
    """process(samples, spec, rate, erase, **prepare): the samples (C, n) of the result."""
    model = load_model(device="cpu")

    def run(samples, spec, rate=RATE, erase=False, seed=1, **options):
        sound = Sound(np.atleast_2d(samples).astype(np.float32), rate, "PCM_16")
        specs = [spec] if isinstance(spec, str) else spec
        task = prepare(sound, parse(specs), **options)
        if erase:
            return task.render(task.masked(0)).samples
        return task.render(last(fill(task, Settings(seed=seed), model)).grid).samples

    return run


def level(x):
    """Level in dB of the samples."""
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-20)


def noise(seconds=3.0, seed=0, channels=1, rate=RATE):
    return 0.05 * np.random.default_rng(seed).standard_normal((channels, int(seconds * rate)))


def drum(seconds=0.5, seed=1):
    t = np.arange(int(seconds * RATE)) / RATE
    body = np.sin(2 * np.pi * 180 * t) + 0.5 * np.random.default_rng(seed).standard_normal(len(t))
    return 0.5 * np.exp(-t / 0.08) * body


def above(x, hertz, rate=RATE):
    """The part of the samples above a frequency."""
    from scipy.signal import butter, sosfiltfilt

    return sosfiltfilt(butter(8, hertz, "high", fs=rate, output="sos"), x)


# --- holes in time --------------------------------------------------------------------------------


@pytest.mark.parametrize("milliseconds", [20, 50, 100, 130, 300])
def test_a_hole_in_steady_noise_has_its_level(process, milliseconds):
    x, a = noise(), int(1.5 * RATE)
    b = a + milliseconds * RATE // 1000
    y = process(x, f"time:{a / RATE}-{b / RATE}")
    assert abs(level(y[:, a:b]) - level(x)) < 1


@pytest.mark.parametrize("erase", [True, False])
@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("spec, end", [("time:1-1.02", 1.02), ("time:1-1.3", 1.3)])
def test_no_sample_outside_a_hole_changes(process, spec, end, rate, erase):
    x = noise(2, rate=rate).astype(np.float32)
    y = process(x, spec, rate, erase)
    outside = np.ones(2 * rate, bool)
    outside[rate : round(end * rate)] = False
    assert np.array_equal(y[:, outside], x[:, outside])
    assert not np.array_equal(y[:, ~outside], x[:, ~outside])


@pytest.mark.parametrize("milliseconds", [50, 100])
@pytest.mark.parametrize("pitches, least", [([1000], 40), ([220, 277.18, 329.63], 30)])
def test_pure_tones_continue_through_a_short_hole(process, milliseconds, pitches, least):
    t = np.arange(2 * RATE) / RATE
    x = sum(0.05 * np.sin(2 * np.pi * pitch * t + pitch) for pitch in pitches)[None]
    a = RATE + 313
    b = a + milliseconds * RATE // 1000
    y = process(x, f"time:{a / RATE}-{b / RATE}")
    assert level(x[:, a:b]) - level((y - x)[:, a:b]) > least


def test_a_pure_tone_with_a_long_hole_stays_finite(process):
    x = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(3 * RATE) / RATE)[None]
    y = process(x, f"time:{1.5 + 313 / RATE}-{1.8 + 313 / RATE}")
    assert np.isfinite(y).all() and np.abs(y).max() < 0.3


@pytest.mark.parametrize("erase", [True, False])
@pytest.mark.parametrize("end", [1.05, 1.3])
def test_a_hole_has_no_clicks_at_its_edges(process, end, erase):
    x = 0.1 * np.sin(2 * np.pi * 100 * np.arange(2 * RATE) / RATE + 1)[None]
    y = process(x, f"time:1-{end}", erase=erase)
    largest = np.abs(np.diff(x)).max()
    for edge in (RATE, round(end * RATE)):
        assert np.abs(np.diff(y[:, edge - 20 : edge + 20])).max() < 3 * largest


@pytest.mark.parametrize("gain", [1, -1, 0.5])
def test_a_panned_source_keeps_its_place_in_a_short_hole(process, gain):
    x = np.concatenate([noise(), gain * noise()])
    y = process(x, "time:1.5-1.55")[:, int(1.5 * RATE) : int(1.55 * RATE)]
    assert level(y[1] - gain * y[0]) < level(y) - 30


def test_a_short_hole_keeps_the_channel_correlation(process):
    x = noise(4) + 0.5 * noise(4, 1, 2)
    y = process(x, "time:1.5-1.6")[:, int(1.5 * RATE) : int(1.6 * RATE)]
    assert abs(np.corrcoef(y)[0, 1] - np.corrcoef(x)[0, 1]) < 0.05


def test_a_hole_before_an_attack_has_the_level_of_the_pause(process):
    x, a = 0.02 * noise(), int(1.5 * RATE)
    b = a + 10 * RATE // 1000
    at = b + RATE // 10
    hit = x.copy()
    hit[0, at : at + RATE // 2] += drum()
    y = process(hit, f"time:{a / RATE}-{b / RATE}")
    assert abs(level(y[:, a:b]) - level(x)) < 2


def test_clicks_are_filled_better_than_by_interpolation(process):
    t = np.arange(2 * RATE) / RATE
    partials = [0.1 / k * np.sin(2 * np.pi * 220 * k * t + k) for k in range(1, 20)]
    x = sum(partials)[None] + 0.01 * noise(2)
    starts = [int(RATE * (0.3 + 0.15 * k)) for k in range(10)]
    holes = [(a, a + 132) for a in starts]
    clicked, z = x.copy(), x.copy()
    for a, b in holes:
        clicked[:, a:b] = 0.9
        z[0, a:b] = janssen(x[0], a, b, 64, 1)
    y = process(clicked, [f"time:{a / RATE}-{b / RATE}" for a, b in holes])
    error, baseline = (np.concatenate([(v - x)[:, a:b] for a, b in holes], 1) for v in (y, z))
    assert level(error) < level(baseline)


def test_a_few_milliseconds_have_the_least_error():
    """A draw of the whole power would have twice the error of the mean."""
    x = noise(1)[:, :9000].astype(np.float32)
    mean, drawn = (interpolate(x, 4000, 4132, RATE, seed) for seed in (None, 1))
    assert np.array_equal(mean, drawn)
    longer = [interpolate(x, 4000, 4600, RATE, seed) for seed in (None, 1)]
    assert level(longer[0]) < level(x) - 6 < level(longer[1])


def test_the_mean_does_not_follow_the_noise_of_its_surroundings():
    """Of noise with changing level nothing can be predicted: a long filter would add errors."""
    x = noise(1) * (1 + 0.9 * np.sin(2 * np.pi * 30 * np.arange(RATE) / RATE))
    holes = [(a, a + 132) for a in range(9000, 40_000, 4000)]
    errors = [interpolate(x, a, b, RATE, None) - x[:, a:b] for a, b in holes]
    assert (
        level(np.concatenate(errors)) < level(np.concatenate([x[:, a:b] for a, b in holes])) + 0.15
    )


def test_short_holes_at_the_ends_have_the_level_of_the_sound(process):
    x = noise(2)
    y = process(x, ["time:0-0.1", "after:1.9"])
    for part in (slice(0, RATE // 10), slice(-RATE // 10, None)):
        assert abs(level(y[:, part]) - level(x)) < 1


def test_a_short_hole_in_silence_stays_silent(process):
    assert not process(np.zeros((2, RATE)), "time:0.4-0.5").any()


# --- peaks and rounding ---------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [1, 0.1])
def test_highs_are_erased_at_every_level(process, gain):
    t = np.arange(2 * RATE) / RATE
    x = gain * 0.99 * np.tanh(6 * np.sin(2 * np.pi * 220 * t) + 30 * noise(2))
    y = process(x, "above:8000", erase=True)
    assert level(above(y, 9000)) < level(above(x, 9000)) - 35


@pytest.mark.parametrize(
    "name, subtype",
    [
        ("a.wav", "PCM_16"),
        ("a.flac", "PCM_16"),
        ("a.wav", "PCM_24"),
        ("a.wav", "PCM_U8"),
        ("a.aiff", "PCM_S8"),
    ],
)
def test_integer_samples_are_rounded(tmp_path, name, subtype):
    x = noise(0.2).astype(np.float32)
    step = 2.0 ** (1 - int(subtype.lstrip("PCM_SU")))
    assert write(tmp_path / name, Sound(x, RATE, subtype)) is None
    error = (read(tmp_path / name).samples - x) / step
    assert np.abs(error).max() <= 0.51 and abs(error.mean()) < 0.05


@pytest.mark.parametrize("subtype", ["FLOAT", "VORBIS", "PCM_32", "PCM_24"])
def test_flac_files_keep_24_bit(tmp_path, subtype):
    x = noise(0.2).astype(np.float32)
    write(tmp_path / "a.flac", Sound(x, RATE, subtype))
    assert soundfile.info(tmp_path / "a.flac").subtype == "PCM_24"
    assert np.abs(read(tmp_path / "a.flac").samples - x).max() <= 2**-24


def test_attenuated_peaks_are_reported(tmp_path):
    x = (40 * noise(0.2)).astype(np.float32)
    report = write(tmp_path / "a.flac", Sound(x, RATE, "FLOAT"))
    assert report.endswith(".") and "dB above full scale" in report
    assert write(tmp_path / "b.flac", Sound(x, RATE, "FLOAT"), "scale") != report
    y = read(tmp_path / "b.flac").samples
    assert np.abs(y - x / np.abs(x).max()).max() < 1e-5
    assert write(tmp_path / "c.wav", Sound(x, RATE, "PCM_16"), "float") is None
    assert np.array_equal(read(tmp_path / "c.wav").samples, x)


def test_the_subtype_is_kept_where_no_peak_is_too_high(tmp_path):
    assert write(tmp_path / "a.wav", Sound(noise(0.1), RATE, "PCM_16"), "float") is None
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"


def test_an_unknown_way_to_handle_peaks_is_refused(tmp_path):
    with pytest.raises(AtomizerError, match="limit, scale, float"):
        write(tmp_path / "a.wav", Sound(noise(0.1), RATE), "ignore")
    assert not list(tmp_path.iterdir())


# --- rates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["above:8000", "time:1-1.3"])
def test_what_is_selected_is_erased_above_the_atoms(process, spec):
    t = np.arange(2 * 96_000) / 96_000
    x = (0.1 * np.sin(2 * np.pi * 1000 * t) + 0.1 * np.sin(2 * np.pi * 30_000 * t))[None]
    y = process(x, spec, 96_000, erase=True)
    part = slice(round(1.05 * 96_000), round(1.25 * 96_000))
    p, q = (above(v, 25_000, 96_000)[:, part] for v in (x, y))
    assert level(q) < level(p) - 60


def test_ultrasound_is_kept_where_only_signs_are_unknown():
    t = np.arange(96_000) / 96_000
    x = (0.1 * np.sin(2 * np.pi * 9000 * t) + 0.1 * np.sin(2 * np.pi * 30_000 * t))[None]
    task = prepare(Sound(x.astype(np.float32), 96_000), parse(["above:8000"], ("sign",)))
    y = task.render(task.masked(0)).samples
    p, q = (above(v, 25_000, 96_000)[:, 5000:-5000] for v in (x, y))
    assert level(q - p) < level(p) - 40


@pytest.mark.parametrize("rate", [96_000, 192_000])
def test_a_selection_above_all_atoms_is_erased(process, rate):
    t = np.arange(rate) / rate
    low, high = (0.1 * np.sin(2 * np.pi * hertz * t)[None] for hertz in (1000, 30_000))
    y = process(low + high, "above:25000", rate)
    assert level((y - low)[:, rate // 10 : -rate // 10]) < level(high) - 60


def test_a_box_above_the_atoms_erases_what_it_contains():
    t = np.arange(2 * 192_000) / 192_000
    tones = [0.1 * np.sin(2 * np.pi * hertz * t)[None] for hertz in (1000, 30_000, 60_000)]
    sound = Sound(sum(tones).astype(np.float32), 192_000)
    task = prepare(sound, parse(["rect:0.5,1.5,8000,40000"]))
    assert "22,050 Hz" in task.notes[0]
    y = task.render(task.masked(0)).samples
    inside, outside = slice(int(0.6 * 192_000), int(1.4 * 192_000)), slice(0, int(0.4 * 192_000))
    assert level((y - tones[0] - tones[2])[:, inside]) < level(tones[1]) - 60
    assert np.abs((y - sound.samples)[:, outside]).max() < 1e-6


def test_ultrasound_is_named_in_files_that_can_hold_it():
    for rate, named in ((44_100, 0), (48_000, 0), (96_000, 1)):
        task = prepare(Sound(noise(1, rate=rate).astype(np.float32), rate), parse(["time:0.4-0.5"]))
        assert len(task.notes) == named


# --- highs ----------------------------------------------------------------------------------------


def pink(seconds):
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)), n)
    return (0.05 * x / x.std())[None]


def test_highs_of_pink_noise_have_its_level_up_to_the_ends(process):
    x = pink(3)
    p, q = (above(v, 6500) for v in (x, process(x, "above:6000")))
    for part in (slice(RATE // 2, -RATE // 2), slice(0, 1102), slice(-1102, None)):
        assert abs(level(q[:, part]) - level(p[:, part])) < 2


@pytest.mark.parametrize("cut", [1, 300, 700, 1000])
def test_frames_at_the_ends_have_the_level_and_spectrum_of_the_sound(cut):
    """Silence beyond the end would make them quieter, and the cut of a low tone would add highs."""
    t = np.arange(RATE) / RATE
    x = noise(1, rate=RATE) * 0.02 + 0.3 * np.sin(2 * np.pi * 310 * t)[None]
    task = prepare(Sound(x[:, :-cut].astype(np.float32), RATE), parse(["above:8000"]))
    ends = continued_ends(task)
    assert [frames.stop - frames.start for frames, _ in ends] == [1, 2]
    middle = task.grid[:, 10:30, 100:]
    for frames, grid in ends:
        assert abs(level(grid[..., 100:]) - level(middle)) < 1.5
        assert grid.shape == task.grid[:, frames].shape


def test_ends_of_a_sound_that_is_too_short_are_left_alone():
    task = prepare(Sound(noise(0.1).astype(np.float32), RATE), parse(["above:8000"]))
    assert continued_ends(task) == []
