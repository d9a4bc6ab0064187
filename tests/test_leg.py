"""A leg of training: packed recordings, a run by the clock, small files that outlast it."""

import json
import subprocess
import sys
import tarfile
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from atomizer.io.audio_parts import pack, unpack
from atomizer.io.datasets import list_clips
from atomizer.model import AtomTransformer
from atomizer.training import leg as leg_module
from atomizer.training import loop
from atomizer.training.config import TrainingConfig
from atomizer.training.leg import Leg, LegOptions, seconds_of
from atomizer.training.loop import train
from tests.tiny import TINY

CONFIG = TrainingConfig(batch=2, targets=200, warmup=2)
RESERVED = "librosa/librosa"
EVALUATED = ("cut", "channel")
# what a machine for training need not have
ABSENT = ("gradio", "plotly", "matplotlib", "numba", "visqol", "pandas")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of ten sources, two of one, one reserved; one is Vorbis."""
    path = tmp_path_factory.mktemp("recordings")
    rows = ["file,source_repository,category,brickwall_hz"]
    rng = np.random.default_rng(0)
    for n in range(12):
        sound = rng.normal(0, 0.1, (12_000, 1 + n % 2)) * np.linspace(0, 1, 12_000)[:, None]
        name, subtype = (f"clip{n}.ogg", "VORBIS") if n == 2 else (f"clip{n}.wav", "PCM_16")
        soundfile.write(path / name, sound, 8000, subtype=subtype)
        source = RESERVED if n == 11 else f"source{min(n, 9)}"
        rows.append(f"{name},{source},speech,{3000 if n == 4 else ''}")
    (path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def few_tasks(monkeypatch):
    """Evaluations of two tasks only."""
    for module in (loop, leg_module):
        monkeypatch.setattr(module, "TASKS", dict.fromkeys(EVALUATED, 1.0))


@pytest.mark.parametrize("form", ["vorbis", "flac"])
def test_parts_hold_all_recordings_but_reserved_ones(folder, tmp_path, form):
    mib = 0.06
    parts = pack([folder], tmp_path / "parts", mib, form)
    assert len(parts) > 1 and all(part.stat().st_size <= mib * (1 << 20) for part in parts)
    clips = [clip for part in parts for clip in list_clips(unpack(part, tmp_path))]
    sources = [clip.source for clip in clips]
    assert len(clips) == 11 and sources.count("source9") == 2 and RESERVED not in sources
    cutoffs = {clip.source: clip.cutoff_hz for clip in clips}
    assert cutoffs["source4"] == 3000 and len(set(sources[:9])) == 9  # sources take turns
    copied = next(clip.path for clip in clips if clip.source == "source2")
    is_copy = copied.read_bytes() == (folder / "clip2.ogg").read_bytes()
    assert is_copy == (form == "vorbis")


def test_useless_parts_are_refused(folder, tmp_path, refused):
    with refused("alone is larger"):
        pack([folder], tmp_path, 0.001)
    with refused("vorbis, flac"):
        pack([folder], tmp_path, 1, "mp3")
    (tmp_path / "only").mkdir()
    (folder / "clip11.wav").rename(tmp_path / "only" / "librosa-trumpet.wav")
    with refused("reserved"):
        pack([tmp_path / "only"], tmp_path)
    (tmp_path / "only" / "librosa-trumpet.wav").rename(folder / "clip11.wav")
    (tmp_path / "broken.tar").write_bytes(b"no archive")
    with refused("no part of a training set"):
        unpack(tmp_path / "broken.tar", tmp_path)


def test_a_part_writes_into_its_own_folder_alone(tmp_path, refused):
    (tmp_path / "sound.ogg").write_bytes(b"x")
    with tarfile.open(tmp_path / "part.tar", "w") as archive:
        archive.add(tmp_path / "sound.ogg", "../outside.ogg")
    with refused("no part of a training set"):
        unpack(tmp_path / "part.tar", tmp_path / "parts")
    assert not list(tmp_path.rglob("outside.ogg"))


@pytest.mark.parametrize("text, seconds", [("9m", 540), ("90s", 90), ("1.5h", 5400), ("20", 20)])
def test_duration_of_a_leg(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "9 minutes", "-3m", "0s"])
def test_other_durations_are_refused(text, refused):
    with refused("9m or 540s"):
        seconds_of(text)


def test_leg_runs_without_a_page_and_exports_small_files(folder, tmp_path):
    (part,) = pack([folder], tmp_path / "parts")
    (tmp_path / "tiny.json").write_text(json.dumps(TINY.to_dict()))
    options = ["--config", tmp_path / "tiny.json", "--batch", 2, "--asked", 200, "--warmup", 2]
    options += ["--leg", "1h", "--device", "cpu", "--export", tmp_path / "export"]
    command = ["train", "--audio", part, "--out", tmp_path / "run", "--steps", 20, *options]
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({ABSENT}))\n"
        "from atomizer.training import leg, loop\n"
        f"leg.TASKS = loop.TASKS = dict.fromkeys({EVALUATED}, 1.0)\n"
        "from atomizer.cli import app; app()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, command)],
        **dict(capture_output=True, text=True, timeout=120),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    files = list((tmp_path / "export").iterdir())
    assert len(files) <= 8 and max(f.stat().st_size for f in files) < 16 << 20
    record = json.loads((tmp_path / "export" / "leg.json").read_text())
    assert record["step"] == 20 and record["windows_per_s"] > 0 and record["sources"] > 5
    assert record["before"].keys() == record["after"].keys() == set(EVALUATED)
    assert AtomTransformer.from_pretrained(str(tmp_path / "export")).config == TINY


def leg(folder, out, seconds=3600.0, resume=None, **fields):
    options = LegOptions(
        seconds, leg_module.time.perf_counter(), not fields, out / "export", resume
    )
    config = replace(CONFIG, **fields)
    return Leg(options, [folder], out / "run", config, TINY, progress=False)


def test_leg_goes_on_from_exported_files_alone(folder, tmp_path, few_tasks):
    leg(folder, tmp_path / "first", steps=4).run()
    second = leg(folder, tmp_path / "second", resume=tmp_path / "first" / "export", steps=6)
    first = AtomTransformer.from_pretrained(str(tmp_path / "first" / "export"))
    assert second.step == 4 and second.model.config == first.config
    assert all(
        (a == b).all() for a, b in zip(second.model.state_dict().values(), first.parameters())
    )
    second.run()
    record = json.loads((tmp_path / "second" / "export" / "leg.json").read_text())
    assert record["step"] == 6


def test_leg_stops_by_the_clock(folder, tmp_path, refused, few_tasks, monkeypatch):
    """A clock of which every reading is a second later than the one before."""
    clock = SimpleNamespace(perf_counter=count().__next__)
    for module in (loop, leg_module):
        monkeypatch.setattr(module, "time", clock)
    run = leg(folder, tmp_path, seconds=40.0, minutes=1e6)
    run.run()
    assert 3 < run.step < 20 and run.share < 0.01
    with refused("over before training starts"):
        train([folder], str(tmp_path / "no"), make=lambda *a, **k: leg(folder, tmp_path, 1e-3))
    with refused("holds no leg.json"):
        leg(folder, tmp_path / "other", resume=tmp_path / "run")
