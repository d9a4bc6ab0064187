"""Start the assembled Space in a clean environment, offline and behind a proxy, and use it.

python tests/hosting/check_space.py --python python3.12  # new, from the Space's requirements.txt
python tests/hosting/check_space.py --environment ENV    # an existing one
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PREFIX = "/some/where"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(assembly: Path, port: int, work: Path) -> subprocess.Popen:
    """Start the app like the Space does, in an empty environment with a guard of its sockets."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(work),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ROOT_PATH": PREFIX,
        "GRADIO_TEMP_DIR": str(work / "gradio"),
        "PYTHONPATH": str(HERE / "guard"),
        "ATOMIZER_TEST_OUTSIDE": str(work / "outside.txt"),
        **{
            name: os.environ[name]
            for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")
            if name in os.environ
        },
    }
    app = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=assembly,
        env=env,
        stdout=open(work / "app.log", "w"),
        stderr=subprocess.STDOUT,
    )
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=5).close()
            return app
        except OSError:
            assert app.poll() is None, (work / "app.log").read_text()
            time.sleep(0.5)
    raise AssertionError("the app did not start: " + (work / "app.log").read_text())


def tone(path: Path) -> Path:
    """Write two seconds of a sawtooth."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(
            b"".join(
                (k % 200 * 100 - 10_000).to_bytes(2, "little", signed=True) for k in range(88_200)
            )
        )
    return path


def use(url: str, work: Path) -> None:
    """Fetch the page like a browser, and call the endpoints like a program."""
    import soundfile
    from gradio_client import Client, handle_file

    page = urllib.request.urlopen(url + "/").read().decode()
    assert "The Atomizer" in page
    folder = re.search(r"gradio_api/file=([^\"\\]*/page/\w+)/", page)
    script = f"{url}/gradio_api/file={folder[1]}/main.js"
    assert b"export async function mount" in urllib.request.urlopen(script).read()
    client, sound = (
        Client(url + "/", verbose=False, download_files=str(work)),
        handle_file(str(tone(work / "tone.wav"))),
    )
    assert client.predict(sound, api_name="/atomize")["audible"] > 100
    for method in ("noise", "model"):
        began = time.monotonic()
        filled = client.predict(sound, select=["above:4000"], method=method, api_name="/fill")
        assert soundfile.info(filled).frames == 88_200
        print(f"  /fill by {method}: {time.monotonic() - began:.1f} s")


def check() -> None:
    """Check the environment that this runs in."""
    sys.path[:0] = [str(HERE), str(ROOT / "tools")]
    import gradio
    import numpy
    import torch
    from assemble_space import assemble
    from proxy import proxied

    versions = {"gradio": gradio, "torch": torch, "numpy": numpy}
    installed = ", ".join(f"{name} {module.__version__}" for name, module in versions.items())
    print(f"Python {platform.python_version()}, {installed}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder).resolve()
        files = assemble(work / "space")
        print(f"  {len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB")
        port, began = free_port(), time.monotonic()
        app = start(work / "space", port, work)
        try:
            print(f"  started in {time.monotonic() - began:.1f} s")
            with proxied(f"http://127.0.0.1:{port}", PREFIX, free_port()) as url:
                use(url, work)
        finally:
            app.terminate()
            app.wait(20)
        outside = work / "outside.txt"
        assert not outside.exists(), (
            "connections to other machines were opened: " + outside.read_text()
        )
        print("  no connection to another machine was opened")


def environment(python: str, folder: Path) -> Path:
    """Create an environment with only the requirements of the assembly."""
    subprocess.run(
        [sys.executable, ROOT / "tools" / "assemble_space.py", folder / "space"], check=True
    )
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    subprocess.run(
        [
            folder / "venv" / "bin" / "pip",
            "install",
            "-q",
            "-r",
            folder / "space" / "requirements.txt",
        ],
        check=True,
    )
    return folder / "venv"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--python", default=sys.executable, help="the Python of the new environment"
    )
    parser.add_argument("--environment", type=Path, help="an existing environment")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        check()
    else:
        with tempfile.TemporaryDirectory() as folder:
            venv = arguments.environment or environment(arguments.python, Path(folder))
            sys.exit(subprocess.run([venv / "bin" / "python", __file__, "--inside"]).returncode)
