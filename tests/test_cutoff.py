"""The cutoff of a recording: found where there is one, and never where there is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, resample, resample_poly, sosfilt

from atomizer import Selection, Settings, Sound, fill, load_model, parse, prepare
from atomizer.analysis.cutoff import MAX_FRAMES, FrameSample, cutoff_of, find_cutoff
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.fill import last
from atomizer.inpainting.highs.cutoff import first_hidden_bins, resolve_for

RATE = 44_100


def pink(seconds=3.0, seed=0):
    """Pink noise (1, n): 3 dB less per octave."""
    n = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    x = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)), n)
    return (0.05 * x / x.std())[None]


def recorded_at(x, rate, by="polyphase"):
    """A 16-bit recording of the samples at a lower rate."""
    if by == "polyphase":
        common = np.gcd(RATE, rate)
        y = resample_poly(x, rate // common, RATE // common, axis=1)
    else:
        y = resample(x, round(x.shape[1] * rate / RATE), axis=1)
    return Sound((np.round(y * 32768) / 32768).astype(np.float32), rate, "PCM_16")


def encoded(x, format_, subtype, level, rate=RATE):
    """The samples after a lossy codec."""
    file = io.BytesIO()
    soundfile.write(file, x.T, rate, subtype, format=format_, compression_level=level)
    file.seek(0)
    y, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(y.T), rate)


def level(x, low, high):
    """Level in dB of a band, without the ends."""
    band = butter(6, (low, high), "band", fs=RATE, output="sos")
    y = sosfilt(band, x, axis=-1)[:, RATE // 4 : -RATE // 4]
    return 10 * np.log10(np.mean(np.square(y)))


@pytest.mark.parametrize("by", ["polyphase", "fft"])
@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 32_000])
def test_the_slope_of_a_low_rate_is_found(rate, by):
    found = cutoff_of(recorded_at(pink(), rate, by))
    assert 0.88 * rate / 2 < found.start_hz < 0.96 * rate / 2 < found.end_hz <= rate / 2


def test_a_low_rate_is_a_cutoff_where_no_wall_is_heard():
    t = np.arange(2 * 16_000) / 16_000
    found = cutoff_of(Sound(np.sin(2 * np.pi * 500 * t)[None].astype(np.float32), 16_000))
    assert found.end_hz == 8000


def test_a_cutoff_lies_below_the_end_of_a_low_rate():
    space = AtomSpace()
    hertz = np.arange(space.hop) * space.bin_hz
    for floor_db in np.arange(-110.8, -109.8, 0.1):  # 15 dB below the slope at one of them
        points = [0, 3600, 3750, 3850, 3950, 4050, 4400, 22_050]
        db = np.interp(hertz, points, [-40, -58, -62, -79, -97, -105, floor_db + 2, floor_db - 4])
        grid = np.tile((10 ** (db / 20)).astype(np.float32), (1, 20, 1))
        found = find_cutoff(grid, space, 4000.0)
        assert 3000 < found.start_hz < found.end_hz <= 4000


def test_the_wall_of_highs_that_a_codec_often_leaves_out_is_found():
    space = AtomSpace()
    hertz = np.arange(space.hop) * space.bin_hz
    db = np.interp(
        hertz, [0, 6000, 10_000, 10_300, 10_301, 22_050], [-20, -45, -55, -75, -150, -150]
    )
    kept = np.random.default_rng(0).random((1, 100, space.hop)) < np.where(hertz < 6000, 1, 0.14)
    grid = np.where(kept, 10 ** (db / 20), 1e-8).astype(np.float32)
    found = find_cutoff(grid, space, 22_050.0)
    assert 9500 < found.start_hz < found.end_hz < 10_500


@pytest.mark.parametrize(
    "format_, subtype, compression, wall",
    [("MP3", "MPEG_LAYER_III", 0.8, (10_000, 18_000)), ("OGG", "OPUS", 0.95, (7000, 20_500))],
)
def test_the_wall_of_a_codec_is_found(format_, subtype, compression, wall):
    x = pink()
    if subtype == "OPUS":
        x = resample_poly(x, 160, 147, axis=1)
    rate = 48_000 if subtype == "OPUS" else RATE
    found = cutoff_of(encoded(x, format_, subtype, compression, rate))
    assert wall[0] < found.start_hz < found.end_hz < wall[1]


def falling(db_per_octave, hertz):
    """Noise whose spectrum falls above a frequency, without a wall."""
    n = 3 * RATE
    spectrum = np.fft.rfft(0.1 * np.random.default_rng(0).standard_normal((1, n)))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), hertz) / hertz)
    return np.fft.irfft(spectrum * 10 ** (-db_per_octave * octaves / 20), n)


def chord():
    t = np.arange(3 * RATE) / RATE
    return sum(0.1 / k * np.sin(2 * np.pi * 220 * k * t + k) for k in range(1, 15))[None]


@pytest.mark.parametrize(
    "x",
    [
        pytest.param(0.1 * np.random.default_rng(0).standard_normal((1, 2 * RATE)), id="noise"),
        pytest.param(0.1 * np.random.default_rng(0).standard_normal((1, 5000)), id="short noise"),
        pytest.param(0.1 * np.sin(np.arange(2 * RATE) * 0.3)[None], id="tone"),
        pytest.param(chord(), id="chord"),
        pytest.param(falling(12, 500), id="dark"),
        pytest.param(falling(30, 2000), id="darker"),
        pytest.param(pink(), id="pink noise"),
        pytest.param(np.zeros((1, RATE)), id="silence"),
    ],
)
def test_sounds_without_a_wall_have_no_cutoff(x):
    assert cutoff_of(Sound(x.astype(np.float32), RATE)) is None


def test_a_cutoff_does_not_depend_on_the_level():
    x = recorded_at(pink(), 16_000)
    a, b = (cutoff_of(Sound(gain * x.samples, x.rate)) for gain in (1, 1e-3))
    assert abs(a.start_hz - b.start_hz) < 50 and abs(a.end_hz - b.end_hz) < 50


@pytest.mark.parametrize("frames", [700, 1024, 1025, 3000])
def test_a_sample_of_frames_is_evenly_spread(frames):
    grid, sample = np.arange(frames, dtype=np.float32).reshape(1, -1, 1), FrameSample()
    for start in range(0, frames, 333):
        sample.add(grid[:, start : start + 333])
    found = sample.grid[0, :, 0]
    assert len(found) <= MAX_FRAMES and np.array_equal(found, grid[0, :: sample.step, 0])


@pytest.mark.parametrize("hertz", [7300, 7900, 8000, 8500])
def test_selected_highs_begin_below_the_slope(hertz):
    sound = recorded_at(pink(1), 16_000)
    task = prepare(sound, parse([f"above:{hertz}"]))
    first = first_hidden_bins(task.mask)[0] * task.space.bin_hz
    assert first <= cutoff_of(sound).start_hz + 30
    assert bool(task.notes) == (hertz > 7400)


def test_highs_far_above_the_cutoff_stay_separate():
    task = prepare(recorded_at(pink(1), 16_000), parse(["above:12000"]))
    assert first_hidden_bins(task.mask)[0] * task.space.bin_hz > 11_900 and not task.notes


def test_only_selected_channels_begin_below_the_slope():
    sound = recorded_at(np.repeat(pink(1), 2, 0), 16_000)
    text = '{"regions": [{"kind": "rect", "f": [8000, null], "channels": [1]}]}'
    first = first_hidden_bins(prepare(sound, Selection.from_json(text)).mask)
    assert first[0] == 1024 and first[1] < 350


def test_above_auto_selects_from_the_slope_on():
    sound = recorded_at(pink(1), 16_000)
    task = prepare(sound, parse(["above:auto", "time:0.2-0.3"]))
    first = first_hidden_bins(task.mask)[0] * task.space.bin_hz
    assert abs(first - task.cutoff.start_hz) < 30 and len(task.selection.regions) == 2
    assert "kHz" in task.notes[0]


def test_above_auto_without_a_cutoff_is_one_sentence(refused):
    for resolve in (lambda s, x: prepare(x, s), resolve_for):
        with refused("cutoff", "above:8000"):
            resolve(parse(["above:auto"]), Sound(pink(1).astype(np.float32), RATE))


def test_above_auto_selects_atoms_of_a_pursuit():
    sound = recorded_at(pink(1), 16_000)
    selection, cutoff = resolve_for(parse(["above:auto"]), sound)
    assert selection.regions[0].f == (cutoff.start_hz, None) and not selection.above_cutoff


def test_above_auto_is_kept_in_json():
    selection = parse(["above:auto", "random:10"]) + parse(["below:100"])
    assert selection.above_cutoff
    assert Selection.from_dict(selection.to_dict()) == selection


@pytest.mark.parametrize("rate, offset", [(8000, 0), (16_000, 500)])
def test_highs_of_a_low_rate_are_as_loud_as_erased_ones(rate, offset):
    x, model = pink(2), load_model(device="cpu")
    levels = []
    for sound in (Sound(x.astype(np.float32), RATE), recorded_at(x, rate)):
        task = prepare(sound, parse([f"above:{rate / 2 + offset * (sound.rate != RATE)}"]))
        filled = task.render(last(fill(task, Settings(seed=1), model)).grid)
        levels.append(level(filled.samples, 0.52 * rate, 0.75 * rate))
    assert abs(levels[1] - levels[0]) < 2
