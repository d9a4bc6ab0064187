"""The note metric, with a pitch model of a few lines in place of basic-pitch."""

from types import SimpleNamespace

import numpy as np
import pytest

from atomizer.evaluation import notes

RATE = 44_100


class Goertzel:
    """A session that says which notes are loud around each frame, as basic-pitch's would."""

    def get_inputs(self):
        return [SimpleNamespace(name="audio")]

    def run(self, outputs, inputs):
        assert outputs == [notes.OUTPUT]
        x = inputs["audio"][..., 0]
        assert x.shape[1:] == (notes.WINDOW,) and x.dtype == np.float32
        hertz = 27.5 * 2 ** (np.arange(notes.NOTES) / 12)
        t = (np.arange(4096) - 2048) / notes.PITCH_RATE
        kernel = np.exp(-2j * np.pi * hertz[:, None] * t) * np.hanning(4096)
        padded = np.pad(x, ((0, 0), (2048, 4096)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 4096, axis=1)
        loud = np.abs(frames[:, :: notes.FRAME][:, : notes.FRAMES] @ kernel.T) / 1024
        return [np.minimum(loud, 1).astype(np.float32)]


@pytest.fixture(autouse=True)
def session(monkeypatch):
    monkeypatch.setattr(notes, "_session", Goertzel)


def tone(key, start, end, seconds=5.0):
    """(1, n) samples of a note, counted from A0, between two times."""
    t = np.arange(int(seconds * RATE)) / RATE
    sounding = (t >= start) & (t < end)
    return (0.5 * np.sin(2 * np.pi * 27.5 * 2 ** (key / 12) * t) * sounding)[None]


def test_activations_have_the_times_of_the_sound():
    x = tone(60, 2.0, 3.0)[0, ::2]
    found = notes.activations(x, Goertzel()) > notes.THRESHOLD
    assert found.shape == (len(x) // notes.FRAME + 1, notes.NOTES)
    frames, keys = np.nonzero(found)
    seconds = frames * notes.FRAME / notes.PITCH_RATE
    assert set(keys) == {60}
    assert seconds.min() == pytest.approx(2, abs=0.1) and seconds.max() == pytest.approx(3, abs=0.1)
    assert len(set(frames)) == frames.max() - frames.min() + 1  # also where windows are joined


def test_note_f1_counts_the_notes_of_the_span():
    chord = tone(48, 0, 5) + tone(60, 0, 5)
    assert notes.note_f1(chord, chord, (1.0, 4.0)) == 1
    assert notes.note_f1(chord, tone(48, 0, 5), (1.0, 4.0)) == pytest.approx(2 / 3)
    assert notes.note_f1(chord, tone(50, 0, 5), (1.0, 4.0)) == 0
    # the second half of the span lacks the note: precision 1, recall a half
    half = tone(60, 0, 2.5)
    assert notes.note_f1(tone(60, 0, 5), half, (1.0, 4.0)) == pytest.approx(2 / 3, abs=0.05)
    assert notes.note_f1(tone(60, 0, 5), half, (1.0, 2.0)) == 1


def test_note_f1_needs_notes_and_the_model(monkeypatch):
    assert notes.note_f1(tone(48, 4.5, 5), tone(48, 0, 5), (1.0, 2.0)) is None
    monkeypatch.setattr(notes, "_session", lambda: None)
    assert notes.note_f1(tone(48, 0, 5), tone(48, 0, 5), (1.0, 2.0)) is None
