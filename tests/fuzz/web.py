"""The running page, and a client that breaks every rule of its protocol."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import soundfile

from .mutate import LEAVES, mutate_bytes, mutate_json, mutate_value
from .targets import MAX_SECONDS, SELECTION, samples_of

ROOT = Path(__file__).resolve().parents[2]
# the page without a model; it ends with the process that started it
APP = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from atomizer.ui import build, gpu, launch
gpu.has_model = lambda: False
launch(build())
"""
CANARY = "nobody may read this 5c1d"


def start_app(folder: Path, script: str = APP, **environment: str) -> tuple[subprocess.Popen, str]:
    """Start a server on a free port, with its files in `folder`; returns it and its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    environment = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "TMPDIR": str(folder),
        "HF_HUB_OFFLINE": "1",
        "ATOMIZER_CACHE": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    with open(folder / "app.log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address + "/config", timeout=5).read()
            return process, address
        if process.poll() is not None:
            break
        time.sleep(0.2)
    process.kill()
    raise RuntimeError("the page did not start: " + (folder / "app.log").read_text()[-2000:])


def resident_mb(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def http_target(folder: Path):
    """The running page, and a client that breaks every rule of its protocol."""
    process, address = start_app(folder, ATOMIZER_PAGE_SECONDS=str(MAX_SECONDS))
    (folder / "secret.txt").write_text(CANARY)
    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    config = json.load(urllib.request.urlopen(address + "/config", timeout=30))
    functions = [(function["id"], len(function["inputs"])) for function in config["dependencies"]]
    body, kind = encoded("files", "in.wav", (folder / "in.wav").read_bytes())
    uploaded = json.load(
        urllib.request.urlopen(
            urllib.request.Request(address + "/gradio_api/upload", body, {"Content-Type": kind}),
            timeout=30,
        )
    )[0]
    secret = str(folder / "secret.txt")
    file = {"path": uploaded, "meta": {"_type": "gradio.FileData"}}
    files = [
        file,
        file,
        file,
        {**file, "path": secret},
        {**file, "path": "/etc/passwd"},
        {**file, "path": uploaded + "/../../../secret.txt"},
        {**file, "path": "x", "url": "file://" + secret},
        {**file, "path": f"{address}/gradio_api/file={secret}"},
        {**file, "url": "http://127.0.0.1:9/"},
    ]
    usual = [
        file,
        ["above:1000"],
        ["velocity", "sign"],
        "auto",
        False,
        1,
        1.0,
        0.9,
        1,
        "noise",
        0,
        0,
    ]
    above = "../" * 9
    routes = (
        "/gradio_api/file=",
        "/gradio_api/file/",
        "/file=",
        "/static/",
        "/assets/",
        "/svelte/",
        "/gradio_api/proxy=",
        "/theme.css?x=",
        "/custom_component/",
        "/gradio_api/custom_component/1/client/component/",
        "/gradio_api/stream/x/1/1/",
    )
    names = (
        secret,
        "/etc/passwd",
        above + "etc/passwd",
        above.replace("/", "%2f") + "etc%2fpasswd",
        "....//" * 9 + "etc/passwd",
        "%00/etc/passwd",
        uploaded + "/../../../secret.txt",
        "file://" + secret,
        "/proc/self/environ",
        str(ROOT / "atomizer" / "limits.py"),
        "C:\\x",
        "\\\\host\\x",
        "http://127.0.0.1:9/",
    )
    (folder / "app.log").open("w").close()

    def request(path: str, data: bytes | None = None, kind: str = "application/json") -> bytes:
        """Return the response, whatever its status; fails where there is none."""
        query = urllib.request.Request(
            address + urllib.parse.quote(path, safe="/=?&%:.\\"), data, {"Content-Type": kind}
        )
        try:
            with urllib.request.urlopen(query, timeout=30) as response:
                answer = response.read(10_000_000)
        except urllib.error.HTTPError as error:
            answer = error.read()
        for sign in (CANARY, "root:x:0", "Traceback (most recent", "PYTHONPATH="):
            assert sign not in answer.decode("utf-8", "replace"), (
                f"{sign!r} in the answer to {path!r} with {str(data)[:200]}"
            )
        assert process.poll() is None, "the server has ended"
        return answer

    def request_json(*arguments) -> object:
        """Return the response as JSON; None where it is other text, as for invalid requests."""
        with contextlib.suppress(ValueError):
            return json.loads(request(*arguments))

    def case(rng: random.Random) -> str:
        session = f"{rng.getrandbits(64):x}"
        match rng.randrange(6):
            case 0 | 1:
                data = [rng.choice(files), *usual[1:]]
                for _ in range(rng.randrange(3)):
                    data = mutate_value(data, rng)
                name = rng.choice(("fill", "fill", "atomize", "_secret"))
                if name == "atomize" and isinstance(data, list):
                    data = data[:1]
                answer = request_json(
                    f"/gradio_api/call/{name}", json.dumps({"data": data}).encode()
                )
                if isinstance(answer, dict) and "event_id" in answer:
                    found = request(f"/gradio_api/call/{name}/{answer['event_id']}").decode()
                    return "filled" if "event: complete" in found else "refused"
            case 2 | 3:
                function, count = rng.choice(functions)
                drawn = {"regions": SELECTION["regions"], "specs": ["random:50"], "key": "k"}
                data = [
                    rng.choice((rng.choice(LEAVES), rng.choice(files), drawn)) for _ in range(count)
                ]
                event = rng.choice((None, {"id": 1}, {"id": []}, [], "x", 1, {"kind": "png"}))
                payload = {
                    "data": data,
                    "fn_index": function,
                    "session_hash": session,
                    "event_data": event,
                    "trigger_id": rng.choice((None, 1, "x")),
                }
                if rng.random() < 0.3:
                    payload = mutate_value(payload, rng)
                answer = request_json("/gradio_api/queue/join", json.dumps(payload).encode())
                if isinstance(answer, dict) and "event_id" in answer:
                    session = urllib.parse.quote(str(payload.get("session_hash")))
                    found = request(f"/gradio_api/queue/data?session_hash={session}").decode()
                    return "answered" if '"success":true' in found.replace(" ", "") else "refused"
            case 4:
                request(rng.choice(routes) + rng.choice(names))
            case 5 if rng.random() < 0.5:
                name = rng.choice(
                    (
                        "../../x.wav",
                        "/etc/x.wav",
                        "..\\x.wav",
                        "a" * 300 + ".wav",
                        ".",
                        "..",
                        "",
                        "x\x00.wav",
                        "\ud83d\ude00.wav",
                        "con.wav",
                    )
                )
                body, kind = encoded("files", name, rng.randbytes(50))
                answer = request_json(
                    "/gradio_api/upload",
                    mutate_bytes(body, rng) if rng.random() < 0.5 else body,
                    kind,
                )
                for path in answer if isinstance(answer, list) else []:
                    assert Path(path).resolve().is_relative_to((folder / "gradio").resolve()), path
            case 5:
                route = rng.choice(
                    (
                        "call/fill",
                        "queue/join",
                        "cancel",
                        "reset",
                        "run/fill",
                        "api/fill",
                        "component_server",
                        "stream/x",
                        "call/v2/fill",
                    )
                )
                request(
                    "/gradio_api/" + route,
                    rng.choice(
                        (
                            mutate_json(
                                {
                                    "data": usual,
                                    "session_hash": session,
                                    "fn_index": 1,
                                    "event_id": "x",
                                },
                                rng,
                            ).encode("utf-8", "replace"),
                            rng.randbytes(100),
                        )
                    ),
                )
        text = (folder / "app.log").read_text(errors="replace")
        (folder / "app.log").open("w").close()
        own = re.findall(r'File "[^"]*atomizer/[^"]*", line \d+.*\n.*\n', text)
        assert not own, "an uncaught error:\n" + text[-3000:]
        assert resident_mb(process.pid) < 2000, "the server takes more than 2 GB"
        return "refused"

    return case


def encoded(field: str, name: str, content: bytes) -> tuple[bytes, str]:
    """Return a form with one file, and its content type."""
    head = (
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return head.encode(
        "utf-8", "surrogatepass"
    ) + content + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"
