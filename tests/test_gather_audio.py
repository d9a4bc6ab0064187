"""tools/gather_audio.py, without downloads."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import gather_audio as g  # noqa: E402


def noise(seconds, channels=1, rate=44_100, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (round(seconds * rate), channels))


@pytest.mark.parametrize("cut", [11_000, 16_000, 19_500])
def test_cutoff_of_a_lossy_file_is_found(cut):
    spectrum = np.fft.rfft(noise(3)[:, 0])
    spectrum[np.fft.rfftfreq(3 * 44_100, 1 / 44_100) > cut] *= 1e-3
    assert g.brickwall(np.fft.irfft(spectrum)[:, None], 44_100) == pytest.approx(cut - 500, abs=200)


def test_fading_highs_are_no_cutoff():
    # 5 dB per kHz
    spectrum = np.fft.rfft(noise(3)[:, 0]) * 10 ** (-np.fft.rfftfreq(3 * 44_100, 1 / 44_100) / 4000)
    assert g.brickwall(np.fft.irfft(spectrum)[:, None], 44_100) is None


def test_long_files_are_excerpted_and_short_ones_joined(tmp_path):
    for folder in ("music", "sounds"):
        (tmp_path / folder).mkdir()
    long = noise(60, 2)
    soundfile.write(tmp_path / "music" / "song.wav", long, 44_100, subtype="FLOAT")
    for k in range(5):
        soundfile.write(tmp_path / "sounds" / f"hit{k}.wav", noise(1, seed=k), 44_100)
    soundfile.write(tmp_path / "sounds" / "telephone.wav", noise(4, rate=8000), 8000)
    (tmp_path / "sounds" / "broken.ogg").write_bytes(b"OggS")
    found = {f.name: f for f in g.recordings("widelands-data", tmp_path)}
    song, joined = found.pop("music-song"), found.popitem()[1]
    assert not found and song.category == "music-mix" and joined.category == "environment"
    assert np.allclose(song.samples, long[round(7.5 * 44_100) : round(52.5 * 44_100)], atol=1e-6)
    assert 3 <= len(joined.samples) / 44_100 <= 5 and np.abs(joined.samples).max() <= 1


def test_scores_differ():
    files = (
        [g.score(p).midi() for p in (0, 40, 127)]
        + [g.drumming(k).midi() for k in (0, 8)]
        + [g.band(n).midi() for n in (0, 1)]
    )
    assert len(set(files)) == len(files) and all(
        f.startswith(b"MThd") and len(f) > 300 for f in files
    )
    assert g.score(5).midi() == g.score(5).midi()
