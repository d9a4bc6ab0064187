"""tools/lower_audio.py: recordings with the sound of a low rate or bit rate below its end."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import lower_audio  # noqa: E402

from atomizer.io.audio import Sound, read  # noqa: E402
from atomizer.io.datasets import list_clips  # noqa: E402


@pytest.fixture
def recording(tmp_path):
    """A folder with two seconds of pink noise, stereo."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal((2, 88_200)))
    spectrum /= np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 30))
    samples = np.fft.irfft(spectrum)
    samples *= 0.2 / samples.std()
    soundfile.write(tmp_path / "noise.wav", samples.T, 44_100, subtype="PCM_24")
    return tmp_path


def powers(samples, low, high):
    """Power of samples (C, n) at 44,100 Hz between two frequencies."""
    frequency = np.fft.rfftfreq(samples.shape[1], 1 / 44_100)
    there = (frequency >= low) & (frequency < high)
    return float(np.square(np.abs(np.fft.rfft(samples)[:, there])).sum())


def drawn(monkeypatch, how, make):
    monkeypatch.setattr(lower_audio, "_draw", lambda random_: (how, make))


def test_above_its_end_the_recording_goes_on(recording, monkeypatch):
    from functools import partial

    make = partial(lower_audio._coded, codec="mp3", level=0.9)
    drawn(monkeypatch, "mp3", make)
    [clip] = list_clips(recording)
    sound, lowered_hz, how = lower_audio.lower(clip)
    original = read(clip.path)
    error = sound.samples - original.samples
    assert how == "mp3" and 2_000 < lowered_hz < 20_000
    assert powers(error, lowered_hz + 100, 20_000) < 1e-6 * powers(
        original.samples, lowered_hz + 100, 20_000
    )
    share = powers(error, 200, lowered_hz - 100) / powers(original.samples, 200, lowered_hz - 100)
    assert 1e-4 < share < 0.5  # what a codec changes, and no delay


def test_a_file_that_a_codec_moves_is_moved_back(recording, monkeypatch):
    def late(sound):
        moved = np.roll(sound.samples, 700, axis=1)
        low = lower_audio._below(moved, 6_000).astype(np.float32)
        return Sound(low, sound.rate)

    drawn(monkeypatch, "late", late)
    [clip] = list_clips(recording)
    sound, lowered_hz, _ = lower_audio.lower(clip)
    middle = slice(2_000, -2_000)
    error = sound.samples[:, middle] - read(clip.path).samples[:, middle]
    assert lowered_hz == pytest.approx(6_000, rel=0.1)
    assert np.abs(error).max() < 0.01
    drawn(monkeypatch, "other", lambda s: late(Sound(s.samples[:, ::-1].copy(), s.rate)))
    assert lower_audio.lower(clip) is None


def test_a_folder_is_lowered_once(recording, monkeypatch, capsys):
    out = recording / "lowered"
    resampled = lambda s: lower_audio._resampled(s, resampler="soxr-hq", rate=16_000)  # noqa: E731
    drawn(monkeypatch, "resampled", resampled)
    monkeypatch.setattr(sys, "argv", ["lower_audio.py", str(recording), str(out)])
    lower_audio.main()
    lower_audio.main()
    assert capsys.readouterr().out.count("noise.flac: resampled") == 1
    with open(out / "manifest.csv") as file:
        assert len(list(csv.DictReader(file))) == 1
    [clip] = list_clips(out)
    assert clip.source == "noise" and 6_000 < clip.lowered_hz < 8_000
