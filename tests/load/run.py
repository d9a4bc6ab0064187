"""Load test: many visitors at once, each with a sound that no other visitor may hear.

    python -m tests.load --visitors 20 --minutes 5 --out report.json

Starts the page with the shipped model as a process with two threads, and visits it as browsers do:
a visitor uploads a sound, selects, fills in with the model or with noise, listens, sometimes stops,
closes the tab and returns as another visitor; some use the endpoint for programs instead.
The test fails at any error, any file of another visitor, memory that grows after the first minute,
or files that closed tabs leave behind.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import soundfile

from ..fuzz.web import APP, resident_mb, start_app

RATE, SECONDS = 22_050, 1.5
MODEL_APP = APP.replace("gpu.has_model = lambda: False", "import torch; torch.set_num_threads(2)")
SELECTIONS = (["time:0.5-0.6"], ["above:6000"], ["random:30"], ["rect:0.3,0.9,2000,5000"])


def tone_of(number: int) -> float:
    """Return the frequency in Hz of a visitor's tone; they are 20 Hz apart."""
    return 300.0 + 20 * number


def sound_of(number: int) -> bytes:
    """Return a WAV file of a visitor's tone and some noise."""
    t = np.arange(int(RATE * SECONDS)) / RATE
    samples = 0.3 * np.sin(2 * np.pi * tone_of(number) * t) + 0.01 * np.random.default_rng(
        number
    ).standard_normal(len(t))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, "PCM_16", format="WAV")
    return buffer.getvalue()


def heard(data: bytes) -> float:
    """Return the frequency in Hz of the loudest tone of a sound file."""
    samples, rate = soundfile.read(io.BytesIO(data), always_2d=True)
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])


class Page:
    """The page's configuration: the function that an event calls, and its inputs."""

    def __init__(self, address: str):
        self.address, self.api = address, address + "/gradio_api"
        self.config = httpx.get(address + "/config", timeout=120).json()
        self.components = {component["id"]: component for component in self.config["components"]}
        self.ids = {
            component["props"].get("elem_id"): component["id"]
            for component in self.config["components"]
        }

    def function(self, element: str, event: str) -> dict:
        wanted = [self.ids[element], event]
        return next(
            d
            for d in self.config["dependencies"]
            if list(wanted) in [list(target) for target in d["targets"]]
        )

    def values(self, function: dict, **changed) -> list:
        """Return the initial values of a function's inputs, with changes by element id."""
        named = {self.ids[element]: value for element, value in changed.items()}
        return [
            named.get(
                i,
                self.components[i]["props"].get("value")
                if self.components[i]["type"] != "state"
                else None,
            )
            for i in function["inputs"]
        ]

    def arguments(self, endpoint: str, **given) -> list:
        """Return all arguments of an endpoint: those given by name, and the defaults."""
        schema = httpx.get(self.api + "/info", timeout=120).json()["named_endpoints"][endpoint]
        return [
            given.get(parameter["parameter_name"], parameter.get("parameter_default"))
            for parameter in schema["parameters"]
        ]


@dataclass
class Result:
    """The measurements and the errors of a visitor."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ranks: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Tab:
    """An open tab of a visitor."""

    def __init__(self, page: Page, number: int, result: Result):
        self.page, self.number, self.result, self.tab = (
            page,
            number,
            result,
            f"{number}-{random.getrandbits(48):x}",
        )
        self.client = httpx.Client(timeout=300)
        # the server frees the tab's memory when this connection closes
        host, port = page.address.removeprefix("http://").split(":")
        self.heartbeat = socket.create_connection((host, int(port)), timeout=60)
        self.heartbeat.sendall(
            f"GET /gradio_api/heartbeat/{self.tab} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
        )

    def close(self) -> None:
        self.heartbeat.close()
        self.client.close()

    def trigger(
        self,
        element: str,
        event: str,
        event_data=None,
        stop: Callable[[list], object] | None = None,
        **changed,
    ) -> list:
        """Trigger an event of an element; returns all messages for the view.

        `stop` decides after every message, given those so far, whether to cancel.
        """
        function = self.page.function(element, event)
        body = {
            "data": self.page.values(function, **changed),
            "fn_index": function["id"],
            "session_hash": self.tab,
            "event_data": event_data,
        }
        answer = self.client.post(f"{self.page.api}/queue/join", json=body)
        if answer.status_code != 200:
            raise RuntimeError(f"{element}: {answer.status_code} {answer.text[:200]}")
        event_id, outputs = answer.json()["event_id"], []
        view = function["outputs"].index(self.page.ids["view"])
        with self.client.stream(
            "GET", f"{self.page.api}/queue/data", params={"session_hash": self.tab}
        ) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "estimation":
                    self.result.ranks.append(message["rank"])
                if message["msg"] == "log":
                    raise RuntimeError(f"{element}: {message['log']}")
                if message["msg"] in ("process_generating", "process_completed"):
                    if not message.get("success"):
                        raise RuntimeError(f"{element}: {message}")
                    if message["msg"] == "process_generating" and outputs:
                        # differences only, which no test reads
                        outputs.append(message["output"]["data"])
                    elif message["output"].get("data"):
                        outputs.append(message["output"]["data"][view])
                if message["msg"] == "process_completed":
                    return outputs
                if stop is not None and stop(outputs):
                    self.client.post(
                        f"{self.page.api}/cancel",
                        json={
                            "session_hash": self.tab,
                            "fn_index": function["id"],
                            "event_id": event_id,
                        },
                    )
                    return outputs
        raise RuntimeError(f"{element}: the connection ended")

    def fetch(self, file: dict) -> bytes:
        answer = self.client.get(f"{self.page.api}/file={file['path']}")
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} for a file of {self.number}")
        return answer.content

    def check(self, data: bytes, what: str) -> None:
        if abs(heard(data) - tone_of(self.number)) > 8:
            self.result.wrong.append(
                f"visitor {self.number} of {tone_of(self.number):g} Hz "
                f"hears {heard(data):g} Hz in {what}"
            )

    def upload(self) -> dict:
        files = {"files": (f"visitor-{self.number}.wav", sound_of(self.number), "audio/wav")}
        return {
            "path": self.client.post(f"{self.page.api}/upload", files=files).json()[0],
            "meta": {"_type": "gradio.FileData"},
        }

    def timed(self, what: str, call, *arguments, **options):
        start = time.perf_counter()
        found = call(*arguments, **options)
        self.result.seconds[what].append(time.perf_counter() - start)
        return found

    def visit(self, rng: random.Random, method: str) -> None:
        """Load, select, fill, listen; sometimes stop."""
        message = self.timed("load", self.trigger, "file", "upload", file=self.upload())[-1]
        self.check(self.fetch(message["original"]), "the original")
        for _ in range(rng.randrange(1, 4)):
            chosen = {"regions": [], "specs": rng.choice(SELECTIONS), "key": str(rng.random())}
            self.timed("select", self.trigger, "view", "selected", view=chosen)
            if rng.random() < 0.15:
                self.timed("stop", self._stop, chosen, method)
                continue
            self.timed(
                f"fill, {method}",
                self.trigger,
                "fill",
                "click",
                view=chosen,
                method=method,
                seed=rng.randrange(100),
                steps="1",
            )
            newest = self.trigger("view", "selected", view=chosen)[-1]["variations"][-1]["id"]
            message = self.trigger(
                "view",
                "export",
                {"kind": "flac", "version": "filled", "variation": newest, "look": {}},
            )[-1]
            self.check(self.fetch(message["download"]["file"]), "the filled sound")
            self.check(self.fetch(message["variations"][-1]["sound"]), "the player")

    def _stop(self, chosen: dict, method: str) -> None:
        self.trigger("fill", "click", view=chosen, method=method, steps="8", stop=bool)
        self.trigger("stop", "click")

    def program(self, rng: random.Random) -> None:
        """Call the endpoint for programs."""
        data = self.page.arguments(
            "/fill",
            file=self.upload(),
            select=rng.choice(SELECTIONS),
            steps=1,
            seed=rng.randrange(100),
            method="noise",
        )
        start = time.perf_counter()
        event = self.client.post(f"{self.page.api}/call/fill", json={"data": data}).json()[
            "event_id"
        ]
        text = self.client.get(f"{self.page.api}/call/fill/{event}").text
        self.result.seconds["endpoint /fill"].append(time.perf_counter() - start)
        if "event: complete" not in text:
            raise RuntimeError(text[:300])
        self.check(self.fetch(json.loads(text.rsplit("data: ", 1)[1])[0]), "the endpoint's sound")


def visitor(page: Page, number: int, until: float, model_share: float, result: Result) -> None:
    rng = random.Random(number)
    while time.monotonic() < until and len(result.wrong) < 5:
        try:
            tab = Tab(page, number, result)
        except OSError as error:
            result.wrong.append(f"visitor {number} cannot connect: {error!r:.200}")
            return
        try:
            if rng.random() < 0.2:
                tab.program(rng)
            else:
                tab.visit(rng, "model" if rng.random() < model_share else "noise")
        except Exception as error:
            result.wrong.append(f"visitor {number}: {error!r:.400}")
        tab.close()
        time.sleep(rng.uniform(0, 1))


def disk_mb(folder: Path) -> float:
    total = 0
    for parent, _, names in os.walk(folder):  # files may disappear meanwhile
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(parent) / name).stat().st_size
    return total / 1e6


def measure(visitors: int, seconds: float, grace: float, model_share: float, folder: Path) -> dict:
    """Run the visitors; returns the report."""
    process, address = start_app(
        folder,
        MODEL_APP,
        ATOMIZER_GRACE_SECONDS=str(grace),
        ATOMIZER_MAX_WAITING=str(visitors),
        OMP_NUM_THREADS="2",
        OMP_WAIT_POLICY="PASSIVE",
    )
    try:
        page, results, until = (
            Page(address),
            [Result() for _ in range(visitors)],
            time.monotonic() + seconds,
        )
        threads = [
            threading.Thread(target=visitor, args=(page, n, until, model_share, results[n]))
            for n in range(visitors)
        ]
        start, samples = time.monotonic(), []
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and time.monotonic() < until + 240:
            time.sleep(1)
            if process.poll() is not None:
                results[0].wrong.append("the server ended")
                break
            samples.append(
                (time.monotonic() - start, resident_mb(process.pid), disk_mb(folder / "gradio"))
            )
        if any(thread.is_alive() for thread in threads):
            results[0].wrong.append("a visitor waits forever")
        time.sleep(2 * grace + 3)
        # of sessions; results of the endpoint stay for an hour
        left = list((folder / "gradio").glob("atomizer-" + "[0-9a-f]" * 32))
        left_mb = resident_mb(process.pid)
        log = (folder / "app.log").read_text(errors="replace")
    finally:
        process.kill()
        process.wait()
    merged = defaultdict(list)
    for result in results:
        for what, times in result.seconds.items():
            merged[what] += times
    minutes = [
        [mb for at, mb, _ in samples if lo <= at < lo + 60] for lo in range(0, int(seconds), 60)
    ]
    return {
        "visitors": visitors,
        "seconds": seconds,
        "model_share": model_share,
        "wrong": [text for result in results for text in result.wrong],
        "tracebacks": log.count("Traceback"),
        "longest_queue": max((rank for result in results for rank in result.ranks), default=0) + 1,
        "latency_s": {
            what: {
                "count": len(times),
                "p50": round(float(np.percentile(times, 50)), 2),
                "p95": round(float(np.percentile(times, 95)), 2),
            }
            for what, times in sorted(merged.items())
        },
        "memory_mb_by_minute": [round(float(np.mean(minute))) for minute in minutes if minute],
        "memory_mb_at_the_end": round(left_mb),
        "disk_mb_highest": round(max((disk for *_, disk in samples), default=0), 1),
        "sessions_left": len(left),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument(
        "--grace", type=float, default=5, help="seconds until the memory of a closed tab is freed"
    )
    parser.add_argument(
        "--model-share",
        type=float,
        default=0.3,
        help="share of the visits that fill with the model; the others use noise",
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        report = measure(
            options.visitors, 60 * options.minutes, options.grace, options.model_share, Path(folder)
        )
    text = json.dumps(report, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    memory = report["memory_mb_by_minute"]
    grows = len(memory) > 2 and memory[-1] > 1.1 * memory[1] + 50
    return 1 if report["wrong"] or report["tracebacks"] or report["sessions_left"] or grows else 0


if __name__ == "__main__":
    sys.exit(main())
