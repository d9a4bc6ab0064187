"""Mutation fuzzing of all untrusted inputs.

    python -m tests.fuzz --cases 20000 --seed 0              # all kinds, in proportion
    python -m tests.fuzz --kinds sound,atoms --cases 500
    python -m tests.fuzz --kinds sound --only 1234 --seed 0  # one case again, with its traceback

A case fails where it ends with anything but a result or an error of one sentence, takes longer than
LIMIT_SECONDS or more memory than its kind may, writes a file outside of the temporary folder, or
reads one that is not part of the program. A case depends only on the seed, its kind and its number.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import logging
import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from .targets import (
    MAX_SECONDS,
    api_target,
    atoms_target,
    checkpoint_target,
    file_target,
    page_target,
    selection_target,
    session_target,
    settings_target,
    sound_target,
)
from .web import ROOT, http_target

LIMIT_SECONDS = 60  # generous: the machine may be busy; a case takes milliseconds
ADDRESS_SPACE = 6 << 30  # beyond what a worker has mapped when it starts


@dataclass(frozen=True)
class Kind:
    """An input to fuzz.

    share   of all cases
    memory  in MB that a case may take
    target  prepares seeds in a folder, and returns case(rng) -> outcome
    """

    share: float
    memory: int
    target: Callable[[Path], Callable[[random.Random], str]]


KINDS = {
    "sound": Kind(0.30, 700, sound_target),
    "selection": Kind(0.20, 100, selection_target),
    "settings": Kind(0.14, 700, settings_target),
    "atoms": Kind(0.12, 700, atoms_target),
    "file": Kind(0.10, 900, file_target),
    "checkpoint": Kind(0.05, 300, checkpoint_target),
    "session": Kind(0.05, 700, session_target),
    "api": Kind(0.07, 700, api_target),
    "page": Kind(0.05, 900, page_target),
    "http": Kind(0.02, 100, http_target),
}


class AccessMonitor:
    """Records forbidden file access and processes while `active`.

    Writing is allowed in `folder` only, reading also where the program and its libraries are.
    """

    def __init__(self, folder: Path):
        self.folder, self.active, self.violations = str(folder), False, []
        self.readable = tuple(
            {
                self.folder,
                str(ROOT),
                sys.prefix,
                sys.base_prefix,
                "/usr/lib",
                "/usr/share",
                "/proc",
                "/sys",
                "/dev",
                "/etc/ld.so",
                "/etc/localtime",
                "/etc/mime.types",
                "/etc/apache2",
                "/etc/httpd",
                "/etc/fonts",
                os.path.expanduser("~/.cache"),
                "/usr/local",
            }
        )
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple) -> None:
        # the files of sessions of tests before are deleted on time, in a thread of their own
        if not self.active or threading.current_thread().name == "cleanup":
            return
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int) or path is None:
                return
            path = os.path.realpath(os.fsdecode(path))
            writes = (
                bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
                if isinstance(flags, int) and flags
                else any(c in str(mode) for c in "wax+")
            )
            if (
                not path.startswith(self.folder if writes else self.readable)
                and path != "/dev/null"
            ):
                self.violations.append(f"{'writes' if writes else 'reads'} {path}")
        elif event in (
            "pickle.find_class",
            "os.system",
            "os.exec",
            "os.posix_spawn",
            "subprocess.Popen",
            "os.startfile",
        ):
            if not (event == "subprocess.Popen" and decodes_a_file(arguments[1])):
                self.violations.append(f"{event} {arguments!r:.100}")
        elif event in (
            "os.remove",
            "os.rename",
            "os.mkdir",
            "os.rmdir",
            "os.truncate",
            "os.link",
            "os.symlink",
            "shutil.rmtree",
        ):
            two = event in ("os.rename", "os.link", "os.symlink")
            relative_to = (
                arguments[2 if two else -1]
                if isinstance(arguments[-1], int) and arguments[-1] >= 0
                else None
            )
            base = os.readlink(f"/proc/self/fd/{relative_to}") if relative_to is not None else "."
            for path in arguments[: 2 if two else 1]:
                if isinstance(path, (str, bytes, os.PathLike)) and not os.path.abspath(
                    os.path.join(base, os.fsdecode(path))
                ).startswith(self.folder):
                    self.violations.append(f"{event} {path}")


def decodes_a_file(command: Sequence[str]) -> bool:
    """Whether a command is a decoder that may open files alone, by no other protocol."""
    program, *options = command
    allowed = dict(pairwise(options)).get("-protocol_whitelist")
    return program in ("ffmpeg", "ffprobe") and allowed == "file"


def peak_mb() -> float:
    """Return the peak resident memory since `reset_peak` in MB."""
    text = Path("/proc/self/status").read_text() if sys.platform == "linux" else ""
    found = re.search(r"VmHWM:\s+(\d+)", text)
    return (
        int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )


def reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def problem_of(sentence: str) -> str | None:
    """Return what is wrong with an error message for a user, or None."""
    if not sentence.endswith(".") or "\n" in sentence or len(sentence) > 400:
        return "not one sentence"
    return (
        "unexpected error" if "Traceback" in sentence or "went wrong inside" in sentence else None
    )


def judge(
    case: Callable[[random.Random], str], rng: random.Random, monitor: AccessMonitor, memory: int
) -> tuple[str, str]:
    """Run one case; returns (outcome, problem), where the problem is empty if there is none."""
    import gradio as gr

    from atomizer.errors import AtomizerError

    reset_peak()
    before, monitor.violations, wrong = peak_mb(), [], ""
    monitor.active = True
    try:
        outcome = case(rng)
    except (AtomizerError, gr.Error) as error:
        sentence = error.message if isinstance(error, gr.Error) else str(error)
        outcome, wrong = "refused", problem_of(sentence) or ""
        if wrong:
            wrong += (
                f": {sentence!r:.300}"
                + "".join(traceback.format_exception(error.__cause__ or error))[-1500:]
            )
    except BaseException as error:
        outcome, wrong = "wrong", "".join(traceback.format_exception(error))[-2500:]
    monitor.active = False
    if monitor.violations:
        wrong += f" accesses: {monitor.violations[:3]}"
    if peak_mb() - before > memory:
        wrong += f" takes {peak_mb() - before:.0f} MB"
    return ("wrong" if wrong else outcome), wrong


def work(name: str, seed: int, numbers: range, current, results) -> None:
    """Run the cases of one kind in a process of its own; `current` is the number of the case."""
    hangs = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libmpg123 prints messages
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        tempfile.tempdir = folder
        os.environ |= {
            "GRADIO_TEMP_DIR": str(Path(folder) / "gradio"),
            "HF_HUB_OFFLINE": "1",
            "MPLCONFIGDIR": str(Path(folder) / "mpl"),
            "ATOMIZER_MAX_SECONDS": str(MAX_SECONDS),
            "ATOMIZER_MAX_EXCERPT_SECONDS": str(MAX_SECONDS),
        }
        folder = Path(folder).resolve()
        with contextlib.redirect_stdout(io.StringIO()):
            import atomizer.ui  # noqa: F401 (imported before memory is measured)

            kind = KINDS[name]
            case = kind.target(folder)
        mapped = (
            int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            if sys.platform == "linux"
            else 0
        )
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, (mapped + ADDRESS_SPACE,) * 2)
        monitor = AccessMonitor(folder)
        with contextlib.suppress(Exception):
            case(random.Random(0))  # late imports
        for number in numbers:
            current.value = number
            faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True, file=hangs)
            start = time.perf_counter()
            outcome, wrong = judge(
                case, random.Random(f"{seed}/{name}/{number}"), monitor, kind.memory
            )
            faulthandler.cancel_dump_traceback_later()
            results.put((number, outcome, wrong, time.perf_counter() - start))
        results.put(None)


@dataclass
class Report:
    kind: str
    cases: int
    outcomes: dict[str, int]
    slowest_s: float
    seconds: float
    wrong: list[tuple[int, str]]


def fuzz(name: str, seed: int, numbers: range) -> Report:
    """Run cases of a kind, and continue after one that hangs or crashes."""
    context = multiprocessing.get_context("spawn")
    outcomes, wrong, slowest, start = Counter(), [], 0.0, time.perf_counter()
    while len(numbers):
        current, results = context.Value("q", -1), context.SimpleQueue()
        process = context.Process(target=work, args=(name, seed, numbers, current, results))
        process.start()
        done = None
        while True:
            if not results._reader.poll(0.5):
                if process.is_alive() or results._reader.poll(0):
                    continue
                break
            found = results.get()
            if found is None:
                break
            done, outcome, text, seconds = found
            outcomes[outcome] += 1
            slowest = max(slowest, seconds)
            if text:
                wrong.append((done, text))
        process.join()
        if process.exitcode == 0:
            break
        if current.value < 0:
            raise RuntimeError(f"the worker for {name} did not start: exit code {process.exitcode}")
        wrong.append(
            (
                current.value,
                f"exit code {process.exitcode}: a crash, or longer than {LIMIT_SECONDS} s",
            )
        )
        outcomes["wrong"] += 1
        numbers = numbers[numbers.index(current.value) + 1 :]
    return Report(
        name, sum(outcomes.values()), dict(outcomes), slowest, time.perf_counter() - start, wrong
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", type=int, help="one case, by its number")
    parser.add_argument("--out", type=Path, help="JSON file for the report")
    options = parser.parse_args()
    names = options.kinds.split(",")
    whole, reports = sum(KINDS[name].share for name in names), []
    for name in names:
        count = round(options.cases * KINDS[name].share / whole)
        reports.append(
            fuzz(
                name,
                options.seed,
                range(options.only, options.only + 1) if options.only is not None else range(count),
            )
        )
        report = reports[-1]
        print(
            f"{name:>10} {report.cases:>6} cases in {report.seconds:5.0f} s, "
            f"slowest {report.slowest_s:5.2f} s, {len(report.wrong)} wrong  {report.outcomes}",
            flush=True,
        )
        for number, text in report.wrong[:20]:
            print(f"  --kinds {name} --only {number} --seed {options.seed}: {text}", flush=True)
    if options.out:
        options.out.write_text(json.dumps([asdict(report) for report in reports], indent=1) + "\n")
    print(f"{sum(r.cases for r in reports)} cases, {sum(len(r.wrong) for r in reports)} wrong")
    return 1 if any(report.wrong for report in reports) else 0
