"""What is found in a loaded sound."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from atomizer.analysis import MDCTAtomizer
from atomizer.analysis.cutoff import Cutoff
from atomizer.atoms.selection import Selection, parse
from atomizer.inpainting.highs.cutoff import selects_highs
from atomizer.io.audio import Sound, read
from atomizer.ui import findings
from atomizer.ui.examples import ASSETS
from atomizer.ui.findings import OFFER, Subject, find_all, spans


def subject(samples, rate=44_100) -> Subject:
    sound, mdct = Sound(np.atleast_2d(samples).astype(np.float32), rate), MDCTAtomizer()
    return Subject(sound, mdct.grid(sound.at(mdct.space.rate)), mdct.space)


def found_in(samples, rate=44_100):
    """What a quick search finds."""
    *found, last = find_all(subject(samples, rate))
    assert last is OFFER
    return found


def pink(seconds=2.0, rate=44_100):
    """Pink noise (n,) at a rate."""
    n = int(seconds * rate)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
    samples = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / rate), 20)), n)
    return 0.05 * samples / samples.std()


def test_cutoff_is_named_and_selects_what_is_above():
    file = io.BytesIO()
    coded = {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.8}
    soundfile.write(file, pink(3.0), 44_100, **coded)
    file.seek(0)
    (found,) = found_in(soundfile.read(file)[0])
    low, high = found.regions[0]["f"]
    assert found.action == f"Fill above {low / 1000:.1f} kHz"
    where = f"(Weakens from {low / 1000:.1f} kHz, s|S)tops at 1[0-7].[0-9] kHz"
    assert re.fullmatch(f"{where}: a lossy or filtered file", found.text)
    assert 9_500 < low <= 17_500 and high is None and found.fills
    Selection.from_dict({"regions": found.regions, "parts": []})  # raises for invalid regions


def test_low_sample_rate_is_no_lossy_file():
    (found,) = found_in(pink(rate=16_000), 16_000)
    where = "Weakens from 7.4 kHz, stops at 8.0 kHz"
    assert found.text == f"{where}: its sample rate holds no more"


@pytest.mark.parametrize("end, where", [(15_200, "Stops at 15.2"), (16_000, "Weakens from 15.0")])
def test_a_steep_slope_is_one_frequency(end, where, monkeypatch):
    monkeypatch.setattr(findings, "find_cutoff", lambda *_: Cutoff(15_000.0, float(end)))
    (found,) = found_in(pink())
    assert found.text.startswith(f"{where} kHz") and found.action == "Fill above 15.0 kHz"


def test_highs_that_were_filled_in_are_not_offered_again():
    low_rate = subject(pink(rate=16_000), 16_000)
    assert [f.kind for f in find_all(low_rate)] == ["cutoff", "search"]
    assert find_all(replace(low_rate, has_filled_highs=True)) == [OFFER]


@pytest.mark.parametrize(
    "specification, is_highs",
    [
        ("above:8000", True),
        ("above:auto", True),
        ("below:8000", False),
        ("time:0.1-0.2", False),
        ("channel:0", False),
    ],
)
def test_highs_are_everything_above_a_frequency(specification, is_highs):
    assert selects_highs(parse([specification])) == is_highs
    box = {"kind": "rect", "op": "add", "t": [1, 2], "f": [8000, None]}
    assert not selects_highs(Selection.from_dict({"regions": [box], "parts": []}))


def test_full_band_has_no_findings():
    assert found_in(pink()) == []
    phone = read(ASSETS / "phone.flac")  # its converter's filter ends it at 20.7 kHz
    assert found_in(phone.samples, phone.rate) == []


def test_overlapping_spans_are_one_region(limited):
    (found,) = spans("x", "{} clicks", [(1.0, 1.2), (0.5, 0.6), (1.1, 1.3)])
    assert [r["t"] for r in found.regions] == [[0.5, 0.6], [1.0, 1.3]] and found.text == "2 clicks"
    limited(regions=1)
    (found,) = spans("x", "{} clicks", [(1.0, 1.2), (0.5, 0.6)])
    assert found.action == "Select the longest 1" and found.regions[0]["t"] == [1.0, 1.2]
    assert list(spans("x", "{} clicks", [])) == []


def test_clicks_and_dropouts_select_their_spans():
    samples = pink()
    samples[30_000] += 0.9
    samples[60_000:60_600] = 0
    found = {finding.kind: finding for finding in find_all(subject(samples), thorough=True)}
    assert set(found) == {"clicks", "dropouts"} and found["clicks"].text == "Clicks: 1"
    ((start, stop),) = (region["t"] for region in found["clicks"].regions)
    assert start <= 30_000 / 44_100 < stop < start + 0.01
    ((start, stop),) = (region["t"] for region in found["dropouts"].regions)
    assert start * 44_100 == pytest.approx(60_000, abs=20)
    assert stop * 44_100 == pytest.approx(60_600, abs=20)


def test_single_sample_has_no_findings():
    assert found_in(np.zeros(1)) == []
