"""Clicks, clipped peaks and dropouts: found in music, speech and drums, and repaired."""

import numpy as np
import pytest

from atomizer import inpaint, read
from atomizer.analysis.defects import (
    Defect,
    find_clicks,
    find_clipped,
    find_defects,
    find_dropouts,
)
from atomizer.inpainting.repair import describe_defects, repair, split_defects
from atomizer.io.audio import Sound
from atomizer.io.resources import ASSETS


@pytest.fixture(scope="module")
def clean():
    """`clean("band")`: two channels, two seconds of a shipped sound."""

    def load(name):
        sound = read(ASSETS / f"{name}.flac", start=1, seconds=2)
        return sound.with_samples(sound.samples / np.abs(sound.samples).max() * np.float32(0.8))

    return load


def with_clicks(sound, count=6, seed=0):
    """The sound with clicks of 1 to 60 samples in alternate channels, and their places."""
    rng, samples, places = np.random.default_rng(seed), sound.samples.copy(), []
    starts = np.linspace(0.1, 0.9, count) * samples.shape[1]
    for number, start in enumerate(starts.astype(int)):
        channel, length = number % sound.channels, int(rng.integers(1, 60))
        click = 0.5 * np.sign(rng.standard_normal()) + 0.3 * rng.standard_normal(length)
        samples[channel, start : start + length] += click.astype(np.float32)
        places.append((channel, start, start + length))
    return sound.with_samples(samples), places


def snr_db(reference, estimate):
    error = ((reference - estimate).astype(float) ** 2).sum()
    return 10 * np.log10((reference.astype(float) ** 2).sum() / error)


@pytest.mark.parametrize("name", ("band", "voices", "percussion"))
def test_clicks_are_found_where_they_are(name, clean):
    sound, places = with_clicks(clean(name))
    false = find_clicks(clean(name))
    assert len(false) <= 2  # in four seconds of both channels, drums included
    found = find_clicks(sound)
    hits = [
        any(d.channel == c and d.first < stop and d.stop > first for d in found)
        for c, first, stop in places
    ]
    assert sum(hits) >= 5 and len(found) - sum(hits) <= len(false) + 1


@pytest.mark.parametrize("milliseconds", (4, 8, 11))
def test_both_of_two_clicks_in_a_row_are_found(milliseconds, clean):
    sound = clean("band")
    firsts = range(8_000, 80_000, 12_000)

    def found(starts):
        samples = sound.samples.copy()
        for start in starts:
            samples[0, start : start + 6] += np.hanning(8)[1:-1].astype(np.float32) / 2
        clicks = find_clicks(sound.with_samples(samples))
        return [any(d.channel == 0 and d.first <= n + 3 < d.stop for d in clicks) for n in starts]

    gap = round(milliseconds * sound.rate / 1000)
    pairs = found([n + k for n in firsts for k in (0, gap)])
    # as often as alone: the first of a pair was always taken for an attack
    alone = sum(found(firsts))
    assert alone >= 4 and sum(pairs[::2]) >= alone and sum(pairs[1::2]) >= alone - 1


def test_repaired_clicks_leave_other_samples_alone(clean):
    music = clean("band")
    sound, places = with_clicks(music)
    repaired = repair(sound, ["clicks"])
    assert snr_db(music.samples, repaired.sound.samples) > snr_db(music.samples, sound.samples) + 6
    outside = np.ones(sound.samples.shape, bool)
    for d in repaired.defects:
        outside[d.channel, d.first : d.stop] = False
    assert outside.mean() > 0.98
    np.testing.assert_array_equal(repaired.sound.samples[outside], sound.samples[outside])
    again = inpaint(sound, "clicks")
    np.testing.assert_array_equal(again.samples, repaired.sound.samples)
    assert repaired.selection.regions == ()


@pytest.mark.parametrize("share", (0.99, 0.96))
def test_clipped_peaks_are_restored_beyond_the_level(share, clean):
    music = clean("band")
    level = np.quantile(np.abs(music.samples), share, axis=1, keepdims=True).astype(np.float32)
    clipped = np.clip(music.samples, -level, level)
    repaired = repair(music.with_samples(clipped), ["clipped"])
    lost, found = np.abs(music.samples) > level, np.zeros(clipped.shape, bool)
    for d in repaired.defects:
        found[d.channel, d.first : d.stop] = True
    assert (found & lost).sum() > 0.9 * lost.sum() and (found & lost).sum() > 0.9 * found.sum()
    out = repaired.sound.samples
    beyond = np.abs(out) >= level * (1 - 2e-4)
    assert beyond[found].all() and np.abs(out).max() <= 2.01 * level.max()
    assert (np.sign(out) == np.sign(clipped))[found].all()
    np.testing.assert_array_equal(out[~found], clipped[~found])
    assert snr_db(music.samples, out) > snr_db(music.samples, clipped) + 3


@pytest.mark.parametrize("name", ("band", "voices", "percussion"))
def test_clean_music_is_not_clipped(name, clean):
    assert find_clipped(clean(name)) == []
    assert find_dropouts(read(ASSETS / f"{name}.flac")) == []  # with its quiet end


def test_square_waves_and_silence_are_no_defects():
    t = np.arange(44_100) / 44_100
    square = np.sign(np.sin(2 * np.pi * 60 * t))[None].astype(np.float32) * 0.5
    tone = np.sin(2 * np.pi * 440 * t)[None].astype(np.float32)
    fades = tone * np.interp(t, [0, 0.3, 0.5, 0.7], [0.5, 0, 0, 0.5])[None]
    for samples in (square, square * 0, tone, fades.astype(np.float32)):
        assert find_defects(Sound(samples, 44_100)) == []


def test_dropouts_are_found_and_filled(clean):
    music, rate = clean("band"), 44_100
    samples = music.samples.copy()
    spans = [(0.4, 0.41), (0.9, 0.95), (1.3, 1.6)]
    for start, end in spans:
        samples[:, int(start * rate) : int(end * rate)] = 0
    samples[1, int(0.9 * rate) : int(0.95 * rate)] = samples[1, int(0.9 * rate)]  # a held value
    repaired = repair(music.with_samples(samples), ["dropouts"])
    found = {(d.channel, round(d.start, 2), round(d.end, 2)) for d in repaired.defects}
    assert found == {(c, *span) for c in (0, 1) for span in spans}
    for start, end in spans[:2]:
        part = slice(int(start * rate), int(end * rate))
        filled, true = repaired.sound.samples[:, part], music.samples[:, part]
        level = 10 * np.log10((filled**2).mean() / (true**2).mean())
        assert abs(level) < 6
    (region,) = repaired.selection.regions  # too long for an autoregressive model
    assert region.channels is None and region.t == pytest.approx((1.3, 1.6), abs=1e-3)


@pytest.mark.parametrize("fall, seconds", [(12, 0.08), (20, 0.03), (30, 0.05)])
def test_falls_of_level_on_tape_are_found_and_filled(fall, seconds, clean):
    rate, rng = 44_100, np.random.default_rng(0)
    t = np.arange(2 * rate) / rate
    partials = [0.1 / k * np.sin(2 * np.pi * 220 * k * t + k) for k in range(1, 12)]
    x = (sum(partials) + 0.003 * rng.standard_normal(len(t))).astype(np.float32)[None]
    starts = [0.4, 0.9, 1.5]
    gain = np.zeros(len(t))
    for start in starts:
        gain += np.interp(t - start, [0, 0.003, seconds - 0.003, seconds], [0, -fall, -fall, 0])
    repaired = repair(Sound(x * 10 ** (gain / 20).astype(np.float32), rate), ["dropouts"])
    assert [round(d.start, 1) for d in repaired.defects] == starts
    assert all(abs(d.end - d.start - seconds) < 0.012 for d in repaired.defects)
    for start in starts:
        part = slice(int(start * rate), int((start + seconds) * rate))
        levels = [np.mean(v[:, part] ** 2) for v in (repaired.sound.samples, x)]
        assert abs(10 * np.log10(levels[0] / levels[1])) < 1.5


def test_staccato_notes_and_pauses_are_no_dropouts():
    rate, out = 44_100, []
    t = np.arange(round(0.12 * rate)) / rate
    envelope = np.minimum(t / 0.005, 1) * np.exp(-t / 0.06) * np.minimum((0.12 - t) / 0.01, 1)
    for note in range(12):  # the same note twice, then another one
        hertz = 220 * 2 ** ((note // 2 * 5 % 12) / 12)
        tone = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 8))
        out += [0.2 * envelope * tone, np.zeros(round(0.05 * rate))]
    x = np.concatenate(out)
    x = x + 0.001 * np.random.default_rng(0).standard_normal(len(x))
    assert find_dropouts(Sound(x[None].astype(np.float32), rate)) == []


def test_erased_defects_become_silence(clean):
    sound, places = with_clicks(clean("band"))
    out = inpaint(sound, ["clicks"], method="erased").samples
    channel, first, stop = places[0]
    assert not out[channel, first:stop].any()


def test_specifications_are_split_into_defects_and_others(refused):
    assert split_defects(["clicks", "above:8000", "dropouts"]) == (
        ["clicks", "dropouts"],
        ["above:8000"],
    )
    with refused("There is no selection \"['x']\"", "clicks clipped dropouts"):
        split_defects([["x"], 3])


def test_the_sentence_counts_one_and_several():
    found = [Defect("dropouts", 0, 10, 20, 8000)]
    kinds = ["dropouts", "clicks"]
    assert describe_defects(kinds, found) == "Found: 1 dropout, 0 clicks."
    assert describe_defects(kinds, found * 2) == "Found: 2 dropouts, 0 clicks."
