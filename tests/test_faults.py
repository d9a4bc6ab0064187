"""Faults: a full disk, a killed process, read-only places, missing programs and devices."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from faults.killed_training import make_recordings
from fuzz.run import AccessMonitor

from atomizer.atoms.atoms import Atoms
from atomizer.cli import run as command_line
from atomizer.io.audio import Sound, read, write
from atomizer.model import AtomTransformer, checkpoint
from atomizer.model.checkpoint import TRAINING
from atomizer.training.config import TrainingConfig
from atomizer.training.loop import Trainer, train
from atomizer.training.run_files import LOG, STATE
from atomizer.ui import handlers
from atomizer.ui.message import Chosen
from atomizer.ui.session import Tab
from tests.tiny import TINY

ROOT = Path(__file__).parents[1]


@contextmanager
def full_disk(size: int):
    """Files of this process are limited to `size` bytes by the system, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(length: int, channels: int = 1, rate: int = 44_100) -> Sound:
    return Sound(
        np.random.default_rng(0).uniform(-0.5, 0.5, (channels, length)).astype(np.float32), rate
    )


# --- a full disk


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3", "x.aiff"])
@pytest.mark.parametrize("length, size", [(4000, 0), (4000, 4096), (8000, 8192), (300_000, 8192)])
def test_a_sound_is_written_whole_or_not_at_all(name, length, size, tmp_path, refused):
    """Without the encoding in memory, libsndfile would hide the error of its last write."""
    (tmp_path / name).write_bytes(b"mine")
    wrote = True
    with full_disk(size):
        try:
            write(tmp_path / name, noise(length))
        except ValueError:
            wrote = False
            with refused("cannot be written", name, "large"):
                write(tmp_path / name, noise(length))
    assert os.listdir(tmp_path) == [name]
    if wrote:
        assert read(tmp_path / name).samples.shape[1] >= length
    else:
        assert (tmp_path / name).read_bytes() == b"mine"


def test_atoms_are_written_whole_or_not_at_all(tmp_path, atoms, refused):
    atoms.save(tmp_path / "x.npz")
    with full_disk(1000), refused("The atoms cannot be written", "x.npz"):
        atoms.save(tmp_path / "x.npz")
    assert len(Atoms.load(tmp_path / "x.npz")) == len(atoms) and os.listdir(tmp_path) == ["x.npz"]


def test_a_full_disk_keeps_sound_and_selection_of_a_fill(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    soundfile.write(tmp_path / "x.wav", noise(40_000).samples.T, 44_100)
    _, session = handlers.load(str(tmp_path / "x.wav"), Tab())
    chosen = Chosen(regions=[], parts=["random:50"])
    controls = ["auto", False, "", "", "", 0, "noise", "auto", 0, 1]
    with full_disk(20_000), pytest.warns(UserWarning, match="disk is full|File too large"):
        said = list(handlers.fill_selection(chosen, session, ["velocity", "sign"], *controls))[-1]
    assert "disk is full" in said.status or "File too large" in said.status
    assert not said.busy and session.sound.samples.shape == (1, 40_000)
    said = list(handlers.fill_selection(chosen, session, ["velocity", "sign"], *controls))[-1]
    assert "filled, took" in said.status and len(said.variations) == 1
    session.close()
    assert not list(tmp_path.glob("atomizer-*"))


def test_a_checkpoint_is_saved_whole_or_not_at_all(tmp_path, refused):
    recordings = tmp_path / "audio"
    recordings.mkdir()
    make_recordings(recordings)
    trainer = Trainer(
        [recordings],
        str(tmp_path / "out"),
        TrainingConfig(steps=4, batch=1, targets=50),
        TINY,
        device="cpu",
        progress=False,
    )
    trainer.train_step()
    trainer.save()
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    trainer.train_step()
    for size in (10_000, 60_000, (tmp_path / "out" / STATE).stat().st_size - 1000):
        with full_disk(size), refused("step 2", "one before is kept"):
            trainer.save()
        assert {path.name for path in (tmp_path / "out").iterdir()} == set(before)
        assert (tmp_path / "out" / STATE).read_bytes() == before[STATE]
        assert AtomTransformer.from_pretrained(str(tmp_path / "out")).config == TINY
    trainer.save()
    assert torch.load(tmp_path / "out" / STATE, weights_only=True)["step"] == 2


# --- killed


def test_killed_training_loses_and_repeats_no_step():
    """Training resumed after SIGKILL ends bit-identical (tests/faults/killed_training.py)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.killed_training", "--kills", "2", "--steps", "6"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_the_remains_of_a_killed_save_are_removed(tmp_path):
    recordings, out = tmp_path / "audio", tmp_path / "out"
    recordings.mkdir()
    make_recordings(recordings)
    options = TrainingConfig(steps=3, batch=1, targets=50)
    trainer = Trainer([recordings], str(out), options, TINY, device="cpu", progress=False)
    trainer.train_step()
    trainer.save()
    (out / LOG).write_text("train: step 1 loss 3\nby hand\ntrain: step 2 loss 2\n")
    (out / (STATE + ".part")).write_bytes(b"half")
    (out / ".saving-x").mkdir()
    (out / "README.md").write_text("mine")
    again = Trainer([recordings], str(out), options, TINY, device="cpu", progress=False)
    assert again.step == 1 and (out / LOG).read_text() == "train: step 1 loss 3\nby hand\n"
    again.save()
    assert sorted(path.name for path in out.iterdir()) == [
        "README.md",
        "config.json",
        LOG,
        "model.safetensors",
        TRAINING,
        STATE,
    ]
    assert (out / "README.md").read_text() == "mine"


def test_a_broken_training_state_is_named(tmp_path, refused):
    recordings, out = tmp_path / "audio", tmp_path / "out"
    recordings.mkdir()
    out.mkdir()
    make_recordings(recordings)
    for content in (b"", b"PK\x03\x04 half a file", b"\x80\x04cos\nsystem\n"):
        (out / STATE).write_bytes(content)
        with refused(STATE, "broken", "begin again"):
            train([recordings], str(out), model=TINY, device="cpu", progress=False)


# --- places that cannot be written to


def test_a_read_only_checkpoint_is_enough(tmp_path, monkeypatch):
    """Loading writes nothing anywhere: every file that Python opens is watched."""
    monitor = AccessMonitor(tmp_path)
    monitor.active = True
    try:
        model = checkpoint.load(device="cpu")
    finally:
        monitor.active = False
    assert not [found for found in monitor.violations if found.startswith(("writes", "os."))]
    assert model.config.space.rate == 44_100


def test_an_output_folder_that_cannot_be_made_is_refused(tmp_path, refused):
    (tmp_path / "file").write_text("no folder")
    with refused("cannot be made"):
        Trainer(
            [tmp_path],
            str(tmp_path / "file" / "out"),
            TrainingConfig(),
            TINY,
            device="cpu",
            progress=False,
        )


def test_the_command_line_reports_system_errors(tmp_path, monkeypatch, capsys):
    soundfile.write(tmp_path / "x.wav", noise(20_000).samples.T, 44_100)
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "atomizer",
            "fill",
            str(tmp_path / "x.wav"),
            str(tmp_path / "out.flac"),
            "--select",
            "above:8000",
            "--method",
            "noise",
        ],
    )
    with full_disk(5000), pytest.raises(SystemExit) as stop:
        command_line()
    assert (
        stop.value.code == 2
        and "cannot be written" in capsys.readouterr().err
        and sorted(os.listdir(tmp_path)) == ["x.wav"]
    )
    monkeypatch.setattr(
        sys, "argv", ["atomizer", "train", "--audio", str(tmp_path), "--out", "/proc/version/x"]
    )
    with pytest.raises(SystemExit):
        command_line()
    assert "cannot be made" in capsys.readouterr().err


# --- what is not there


WITHOUT = """
import shutil, sys
sys.modules["numba"] = None
from atomizer.benchmarks.page import BROWSERS
assert not any(map(shutil.which, (*BROWSERS, "ffmpeg", "ffprobe", "node")))
import torch
assert not torch.cuda.is_available()
from atomizer.ui import api, build
build()
path = api.fill_file(sys.argv[1], ["above:8000"], method="noise")
print("made", path)
"""


def test_without_chromium_ffmpeg_node_numba_and_gpu(tmp_path):
    """The page is built, and fills: none of them is needed for that."""
    soundfile.write(tmp_path / "x.wav", noise(20_000).samples.T, 44_100)
    environment = {
        **os.environ,
        "PATH": str(tmp_path),
        "CUDA_VISIBLE_DEVICES": "",
        "GRADIO_TEMP_DIR": str(tmp_path / "gradio"),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "x.wav")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert read(done.stdout.splitlines()[-1].removeprefix("made ")).samples.shape == (1, 20_000)


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "meta:x"])
def test_a_missing_device_is_named(device, refused):
    with refused("no device", device):
        checkpoint.load(device=device)
