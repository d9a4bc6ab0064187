"""Beats: found where there are any, and the time between them as a selection."""

import numpy as np
import pytest

from atomizer import parse, prepare, read
from atomizer.analysis import MDCTAtomizer
from atomizer.atoms.beats import NoBeat, find_beats
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.time_domain.holes import time_spans
from atomizer.io.audio import Sound
from atomizer.io.resources import ASSETS

SPACE, RATE, SECONDS = AtomSpace(), 44_100, 8.0


def beats_of(samples) -> np.ndarray:
    grid = MDCTAtomizer(SPACE).grid(np.atleast_2d(samples).astype(np.float32))
    return find_beats(grid, SPACE)


def track(bpm, note) -> tuple[np.ndarray, np.ndarray]:
    """Samples with a note at every beat, and the times of the beats."""
    times = np.arange(0.37, SECONDS - 0.3, 60 / bpm)
    samples = np.zeros(round(SECONDS * RATE))
    for time in times:
        start = round(time * RATE)
        samples[start : start + len(note)] += note[: len(samples) - start]
    return samples, times


def decaying(seconds, *frequencies) -> np.ndarray:
    t = np.arange(round(0.5 * RATE)) / RATE
    return np.exp(-t / seconds) * sum(np.sin(2 * np.pi * f * t) for f in frequencies)


def assert_at(found, times) -> None:
    """Every beat is found within 30 ms, and at most one more at an end."""
    distance = np.abs(found[:, None] - times).min(0)
    assert distance.max() < 0.03 and len(times) <= len(found) <= len(times) + 1


@pytest.mark.parametrize("bpm", (60, 97, 120, 174))
def test_beats_of_clicks_are_within_30_ms(bpm):
    click = np.random.default_rng(0).standard_normal(200) * np.exp(-np.arange(200) / 40)
    samples, times = track(bpm, click)
    assert_at(beats_of(samples), times)


def test_beats_of_a_band_are_found_below_faster_notes():
    drum, times = track(104, decaying(0.1, 60, 180, 240))
    hat = np.random.default_rng(1).standard_normal(2000) * np.exp(-np.arange(2000) / 400)
    hats, _ = track(208, 0.15 * hat)
    chords = np.sin(2 * np.pi * np.outer((220, 277, 330), np.arange(len(drum)) / RATE)).sum(0)
    noise = np.random.default_rng(2).standard_normal((2, len(drum)))
    assert_at(beats_of(drum + hats + 0.1 * chords + 0.01 * noise), times)


def test_tempo_of_an_example_is_found():
    beats = beats_of(read(ASSETS / "phone.flac").samples)
    assert 60 / np.diff(beats).mean() == pytest.approx(120, rel=0.01)


@pytest.mark.parametrize("kind", ("noise", "tone", "chord", "silence", "one click", "short"))
def test_sounds_without_a_beat_are_refused(kind):
    t = np.arange(round(SECONDS * RATE)) / RATE
    samples = {
        "noise": np.random.default_rng(0).standard_normal((2, len(t))),
        "tone": np.sin(2 * np.pi * 1000 * t),
        "chord": np.sin(2 * np.pi * np.outer((110, 164.8, 277.2, 440), t)).sum(0),
        "silence": np.zeros(len(t)),
        "one click": np.eye(1, len(t), 100_000)[0],
        "short": np.zeros(100),
    }[kind]
    with pytest.raises(NoBeat, match="select spans of time instead"):
        beats_of(samples)


def test_chosen_beats_become_holes_in_time():
    samples, times = track(120, decaying(0.1, 440))
    sound = Sound(samples[None].astype(np.float32), RATE)
    second, first = (
        np.array(time_spans(prepare(sound, parse([text])).selection))
        for text in ("beats:2", "beats:2,1")
    )
    task = prepare(sound, parse(["beats:2"]))
    assert task.preset == "gap"
    assert_at(second[:, 0], times[1::2])
    assert_at(first[:, 0], times[::2])
    # together they are everything from the first beat on
    assert np.allclose(second[:-1, 1], first[1:, 0]) and np.allclose(second[:, 0], first[:, 1])
    both = prepare(sound, parse(["beats:2", "beats:2,1"]))
    assert len(time_spans(both.selection)) == 1
    np.testing.assert_array_equal(task.mask, parse(["beats:2"]).mask(task.grid, SPACE))


def test_more_beats_than_there_are_cannot_be_chosen():
    sound = Sound(track(120, decaying(0.1, 440))[0][None].astype(np.float32), RATE)
    with pytest.raises(NoBeat, match="Only 16 beats"):
        prepare(sound, parse(["beats:99"]))
    assert parse(["beats:4,1", "beats:3,3"]).to_dict()["parts"] == ["beats:4,1", "beats:3"]
