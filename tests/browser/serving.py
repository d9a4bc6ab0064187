"""Servers of the page: each is a process with an environment of its own, on a free port.

They are forked from a process that has imported what the page needs: most of the time of a start.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# not the page itself: some of its modules read the environment
IMPORTED = ["gradio", "plotly", "atomizer.model", "atomizer.plotting.figures", "atomizer.metrics"]
os.environ["HF_HUB_OFFLINE"] = "1"  # read when Gradio is imported
FORKS = "forkserver" in multiprocessing.get_all_start_methods()
PROCESSES = multiprocessing.get_context("forkserver" if FORKS else "spawn")
PROCESSES.set_forkserver_preload(IMPORTED)
SECONDS_TO_START = 300

PAGE = (ROOT / "app.py").read_text(encoding="utf-8")

# the same page, but every fill takes eight slow steps: there is time to watch it and to stop it
SLOW_PAGE = """
import time
from atomizer.inpainting.fill import Step
from atomizer.priors.noise_fill import noise_fill
from atomizer.ui import build, gpu, launch

def slow_fill(task, settings, model):
    result = noise_fill(task.grid, task.mask, settings.seed)
    frames = task.mask.any(axis=(0, 2)).nonzero()[0]
    for number in range(1, 9):
        time.sleep(0.7)
        revealed = task.mask.copy()
        revealed[:, frames[len(frames) * number // 8 - 1] + 1 :] = False
        grid = (result * revealed + task.grid * ~task.mask).astype("float32")
        yield Step(number, 8, grid, revealed)

gpu.fill = slow_fill
gpu.has_model = lambda: False
launch(build())
"""

# the same page without a model: fills are noise, and quick; those of holes name two sources
QUICK_PAGE = """
from dataclasses import replace

from atomizer import metrics
from atomizer.priors.recording.context import CopySource
from atomizer.ui import build, gpu, launch

fill = gpu.fill

def fill_with_sources(task, settings, model):
    for step in fill(task, settings, model):
        sources = ()
        regions = task.selection.regions
        if set(region.f for region in regions) == {None} and None not in (regions[0].t or [None]):
            start, stop = task.selection.regions[0].t
            sources = tuple(
                CopySource((start, stop), (start + lag, stop + lag), 0.0, confidence)
                for lag, confidence in ((-0.5, 0.6), (1.0, 0.3))
            )
        yield replace(step, sources=sources)

gpu.fill = fill_with_sources
metrics.visqol = lambda reference, estimate: None  # takes a second per point of a curve
gpu.has_model = lambda: False
launch(build())
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(script: str, environment: dict[str, str], log: Path) -> None:
    """Run a script in this process as `python -c` does, with its output in a file."""
    with log.open("a") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.update(environment)
    os.environ.pop("GRADIO_ANALYTICS_ENABLED", None)  # as a visitor of the README starts it
    os.chdir(ROOT)
    exec(compile(script, "page", "exec"), {"__name__": "__main__"})


def start(script: str, folder: Path, port: int, **variables: str):
    """Start a server with its files in `folder`, and return the process once it responds."""
    log = folder / "app.log"
    environment = {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "ATOMIZER_CACHE": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    process = PROCESSES.Process(target=run, args=(script, environment, log), daemon=True)
    process.start()
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=5).read()
            return process
        except OSError:
            assert process.is_alive(), log.read_text()
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the page does not start: " + log.read_text())


def run_app(script: str, tmp_path_factory, **variables: str) -> Iterator[str]:
    """Start a server with environment variables, yield its address, and end it."""
    port = free_port()
    folder = tmp_path_factory.mktemp("server")
    process = start(script, folder, port, ATOMIZER_MAX_EXCERPT_SECONDS="30", **variables)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join(20)
        assert process.exitcode is not None, "the server does not end"
