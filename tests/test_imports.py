"""Imports: nothing that takes seconds is loaded before it is needed."""

import json
import subprocess
import sys

import numpy as np
import pytest

from atomizer.io.audio import Sound, write

HEAVY = {"gradio", "matplotlib", "numba", "scipy", "torch"}
CHILD = """
import contextlib, json, sys
from pathlib import Path
report, sys.argv = sys.argv[1], ["atomizer", *sys.argv[2:]]
with contextlib.suppress(SystemExit):
    {what}
Path(report).write_text(json.dumps(list(sys.modules)))
"""


def loaded(tmp_path, what, *arguments):
    """The names of HEAVY that a child process has loaded after `what`."""
    report = tmp_path / "modules.json"
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(what=what), str(report), *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    modules = json.loads(report.read_text())
    assert "atomizer" in modules
    return HEAVY & set(modules)


def test_importing_the_package_loads_no_heavy_module(tmp_path):
    assert loaded(tmp_path, "import atomizer") == set()


@pytest.mark.parametrize(
    "command", ["", "fill", "order", "info", "train", "evaluate", "app", "examples", "bench"]
)
def test_help_loads_no_heavy_module(command, tmp_path):
    assert (
        loaded(tmp_path, "from atomizer.cli import run; run()", *command.split(), "--help") == set()
    )


def test_commands_without_a_model_do_not_load_torch(tmp_path):
    write(
        tmp_path / "in.wav",
        Sound(np.random.default_rng(0).standard_normal((1, 5000)).astype(np.float32) / 8, 44_100),
    )
    run = "from atomizer.cli import run; run()"
    assert loaded(tmp_path, run, "info", tmp_path / "in.wav") == {"scipy"}
    assert loaded(tmp_path, run, "order", tmp_path / "in.wav", tmp_path / "out.wav") == {"scipy"}
    assert loaded(
        tmp_path,
        run,
        "fill",
        tmp_path / "in.wav",
        tmp_path / "out.wav",
        "--select",
        "above:8000",
        "--method",
        "noise",
    ) == {"scipy"}
    assert loaded(tmp_path, "import atomizer.model.checkpoint") == {"torch"}  # this test can tell
