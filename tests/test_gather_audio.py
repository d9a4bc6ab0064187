"""tools/gather_audio.py, without downloads."""

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import gather_audio as g  # noqa: E402

from atomizer.io.datasets import list_clips  # noqa: E402


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


def test_a_long_recording_has_two_clips(tmp_path):
    sound = noise(200)
    soundfile.write(tmp_path / "song.wav", sound, 44_100, subtype="FLOAT")
    found = list(g.recordings("widelands-data", tmp_path))
    assert [len(clip.samples) / 44_100 for clip in found] == [45, 45]
    assert not np.allclose(found[0].samples, found[1].samples)


def test_low_rates_are_speech_alone_and_have_a_cutoff(tmp_path):
    for folder in ("voices", "effects"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "a.wav", noise(4, rate=22_050), 22_050)
    [clip] = g.recordings("widelands-data", tmp_path)
    assert clip.category == "speech" and g.cutoff_of(clip) == round(0.47 * 22_050)
    assert g.cutoff_of(g.Clip("", "speech", noise(4), 44_100)) is None


def test_presets_of_a_soundfont_are_found(tmp_path):
    rows = [(0, 0), (24, 8), (0, 128), (0, 0)]  # program, bank; the last ends the list
    headers = b"".join(bytes(20) + struct.pack("<HHH", *row, 0) + bytes(12) for row in rows)
    content = b"RIFF....sfbkphdr" + struct.pack("<I", len(headers)) + headers + b"pbag"
    (tmp_path / "font.sf2").write_bytes(content)
    assert g.presets(tmp_path / "font.sf2") == [(0, 0), (8, 24), (128, 0)]


def test_a_run_goes_on_where_it_ended_and_lists_its_sources(tmp_path, monkeypatch):
    def unpack(package, folder):
        root = folder / package
        (root / "usr/share/doc/x").mkdir(parents=True)
        (root / "usr/share/doc/x/copyright").write_text(
            "Copyright: 2001-2004, Ada Example <ada@example.org>\nLicense: CC0-1.0\n"
        )
        soundfile.write(root / "song.wav", noise(4), 44_100)
        return root

    asked = []
    monkeypatch.setattr(g, "download", lambda packages, folder: asked.extend(packages))
    monkeypatch.setattr(g, "unpack", unpack)
    out = tmp_path / "out"
    g.main(out, ["freecol"])
    g.main(out, ["freecol", "krank"])
    assert asked == ["freecol", "krank"]
    assert [(c.source, c.category) for c in list_clips(out)] == [
        ("freecol", "music-mix"),
        ("krank", "music-mix"),
    ]
    table = (out / "SOURCES.md").read_text()
    assert "| krank | 1 | 0.1 | music-mix | Ada Example | CC0-1.0 |" in table


def test_scores_differ():
    files = (
        [g.score(p, "font").midi() for p in (0, 40, 127)]
        + [g.score(0, "other font").midi(), g.score(0, "font", bank=8).midi()]
        + [g.drumming(k, "font").midi() for k in (0, 8)]
        + [make("font 1").midi() for make in (g.band, g.choir)]
        + [make("font 2").midi() for make in (g.band, g.choir)]
    )
    assert len(set(files)) == len(files) and all(
        f.startswith(b"MThd") and len(f) > 300 for f in files
    )
    assert g.score(5, "font").midi() == g.score(5, "font").midi()
