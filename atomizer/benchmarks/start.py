"""Time to the first response of the command line and the page, with a warm disk cache."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

from ..errors import AtomizerError
from .records import Missing, Record
from .timing import compare

BARE = "import gradio as gr\nwith gr.Blocks() as demo: gr.Markdown('Hello')\ndemo.launch()"
PAGE = ("-m", "atomizer", "app")
LIMIT = 120.0  # seconds


@contextlib.contextmanager
def server(*command: str) -> Iterator[str]:
    """Serve the page, or another Python command, on a free local port.

    Yields the address once it responds.
    Raises AtomizerError if it does not respond.
    """
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = dict(
        os.environ,
        GRADIO_SERVER_NAME="127.0.0.1",
        GRADIO_SERVER_PORT=str(port),
        GRADIO_ANALYTICS_ENABLED="False",
    )
    process = subprocess.Popen(
        [sys.executable, *(command or PAGE)],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    began = time.perf_counter()
    try:
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
                response.read()
                break
            if process.poll() is not None or time.perf_counter() - began > LIMIT:
                raise AtomizerError(
                    "The page did not start: run `python -m atomizer app` to see why."
                )
            time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def open_page(*command: str) -> None:
    """Serve a page until its first response."""
    with server(*command):
        pass


def run(*command: str) -> None:
    """Run a Python command to its end."""
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)


def app_start() -> Iterator[Record | Missing]:
    """`python -m atomizer app` until the page responds."""
    yield from compare(
        "app_start_s", open_page, {"a Gradio page of one line": lambda: open_page("-c", BARE)}, 3
    )


def help_() -> Iterator[Record | Missing]:
    """`python -m atomizer --help`."""
    yield from compare(
        "help_s",
        lambda: run("-m", "atomizer", "--help"),
        {
            "import typer, numpy": lambda: run("-c", "import typer, numpy"),
            "import torch": lambda: run("-c", "import torch"),
        },
        5,
    )


BENCHMARKS = {"app_start_s": app_start, "help_s": help_}
