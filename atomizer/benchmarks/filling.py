"""Fills from a sound in memory to a sound in memory, with a loaded model.

A fill is analysis, selection, model and synthesis, with the default settings of its task. Time is
measured with all threads of torch. Memory is the peak of a separate process above its idle state
with a loaded model.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..atoms.selection import parse
from ..errors import AtomizerError
from ..inpainting.fill import fill, last
from ..inpainting.settings import Settings
from ..inpainting.task import prepare
from ..io.audio import Sound, read
from ..io.resources import ASSETS
from .records import Missing, Record
from .timing import Work, compare, time_runs, with_peers

if TYPE_CHECKING:
    from ..model import AtomTransformer

RECORDING = ASSETS / "band.flac"
BWE, GAP, UPMIX = "above:8000", "time:4.9-5.1", "channel:1"
# Long holes in a minute, which hear all of it
IN_A_MINUTE = {
    "fill_gap500_60s_s": "time:31.2-31.7",
    "fill_box2s_60s_s": "rect:31,33,900,12000",
    "fill_end3s_60s_s": "after:57",
}
SECONDS = 10.0
REPEATS = 3
PRECISE_REPEATS = 9  # for differences of a tenth


@dataclass(frozen=True)
class FillJob:
    """A fill of the first `seconds` of a recording that repeats every SECONDS.

    select    selection of the hidden atoms
    channels  channels of the sound
    settings  settings of the fill
    """

    select: str
    seconds: float = SECONDS
    channels: int = 2
    settings: Settings = Settings()

    def sound(self) -> Sound:
        """Return the recording, repeated to the length of the job."""
        if not RECORDING.is_file():
            raise AtomizerError(
                f"Fills are measured with assets/{RECORDING.name}, which is missing: run this in "
                "the folder of the repository."
            )
        recording = read(RECORDING)
        length = int(SECONDS * recording.rate)
        samples = recording.samples[np.arange(self.channels) % recording.channels][
            :, np.arange(int(self.seconds * recording.rate)) % length
        ]
        return replace(recording, samples=samples)

    def work(self, model: AtomTransformer | None) -> Work:
        """Return the fill as a function without arguments."""
        sound, selection = self.sound(), parse([self.select])

        def work() -> Sound:
            task = prepare(sound, selection)
            return task.render(last(fill(task, self.settings, model)).grid)

        return work


def peers_of(job: FillJob, task_name: str, methods: dict[str, str]) -> dict[str, Work]:
    """The same job by baselines of the evaluation; `methods` maps titles to methods."""
    from ..evaluation.cases import Case
    from ..evaluation.methods import METHODS, MethodContext
    from ..evaluation.tasks import TASKS

    sound, selection = job.sound(), parse([job.select])

    def work(name: str) -> Work:
        return lambda: METHODS[name].run(
            Case(TASKS[task_name], prepare(sound, selection), sound.rate / 2), MethodContext()
        )

    return {title: work(name) for title, name in methods.items()}


def model() -> AtomTransformer:
    """The shipped model."""
    from .. import load_model

    return load_model()


def bwe() -> Iterator[Record | Missing]:
    """Fill everything above 8 kHz."""
    job = FillJob(BWE)
    yield from compare(
        "fill_bwe8k_s_per_s",
        job.work(model()),
        peers_of(job, "bwe-8k", {"noise of interpolated levels": "noise", "band fold": "fold"}),
        REPEATS,
        "s per s",
        1 / SECONDS,
    )


def gap() -> Iterator[Record | Missing]:
    """Fill 200 ms of a clip."""
    job = FillJob(GAP)
    yield from compare(
        "fill_gap200_10s_clip_s",
        job.work(model()),
        peers_of(
            job,
            "gap-200ms",
            {
                "Janssen": "janssen",
                "linear prediction of atoms": "wiener",
                "interpolated levels, random signs": "interpolate",
            },
        ),
        REPEATS,
    )


def long_gap() -> Iterator[Record | Missing]:
    """Fill the same gap in a minute, at the same cost."""
    job, loaded = FillJob(GAP, 60.0), model()
    yield from compare(
        "fill_gap200_60s_clip_s",
        job.work(loaded),
        {
            "the same in a 10 s clip": FillJob(GAP).work(loaded),
            **peers_of(job, "gap-200ms", {"Janssen": "janssen"}),
        },
        PRECISE_REPEATS,
    )


def in_a_minute(name: str) -> Iterator[Record | Missing]:
    """Fill a long hole of `IN_A_MINUTE`, beside the same without the rest of the recording."""
    job, loaded = FillJob(IN_A_MINUTE[name], 60.0), model()
    texture = replace(job, settings=Settings(using="texture"))
    yield from compare(name, job.work(loaded), {"texture alone": texture.work(loaded)}, REPEATS)


def upmix() -> Iterator[Record | Missing]:
    """Fill one of two channels."""
    job = FillJob(UPMIX)
    yield from compare(
        "fill_upmix_s_per_s",
        job.work(model()),
        peers_of(
            job,
            "upmix",
            {"decorrelator": "decorrelator", "copy of the level, random signs": "copy"},
        ),
        REPEATS,
        "s per s",
        1 / SECONDS,
    )


def memory() -> Iterator[Record | Missing]:
    """Fill a minute above 8 kHz in a separate process."""
    name, job = "fill_peak_memory_gb", FillJob(BWE, 60.0)
    try:
        value = cost(job).memory_gb
    except NotImplementedError as error:
        yield Missing(name, "anything", str(error))
        return
    yield from with_peers(
        name,
        value,
        "GB",
        {
            "the same of 20 s": cost(replace(job, seconds=20.0)).memory_gb,
            "the same of 5 minutes": cost(replace(job, seconds=300.0)).memory_gb,
            "noise of interpolated levels": cost(
                replace(job, settings=Settings(method="noise"))
            ).memory_gb,
        },
    )


# --- in a separate process ----------------------------------------------------------------------

STATUS, REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Seconds of a fill, its peak memory above the idle process, and its matrix operations."""

    seconds: float
    memory_gb: float
    operations: int


def cost(job: FillJob, repeats: int = 0) -> Cost:
    """Measure a job in a separate process; without repeats only its memory.

    Raises NotImplementedError on systems without a peak memory of processes.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_cost, job, repeats).result()


def _cost(job: FillJob, repeats: int) -> Cost:
    from .machine import operations

    loaded = model()
    work = job.work(loaded)
    memory = peak_memory(work)
    if not repeats:
        return Cost(float("nan"), memory, 0)
    return Cost(
        statistics.median(time_runs({"fill": work}, repeats, warm=0)["fill"]),
        memory,
        operations(work),
    )


def peak_memory(work: Callable[[], object]) -> float:
    """Peak memory of this process in GB during work(), above its memory before."""
    if not os.access(REFS, os.W_OK):
        raise NotImplementedError("because only Linux reports the peak memory of a process")

    def kilobytes(field: str) -> int:
        return next(
            int(line.split()[1])
            for line in STATUS.read_text().splitlines()
            if line.startswith(field + ":")
        )

    REFS.write_text("5")  # resets the peak
    before = kilobytes("VmRSS")
    work()
    return (kilobytes("VmHWM") - before) / 1e6


BENCHMARKS = {
    "fill_bwe8k_s_per_s": bwe,
    "fill_gap200_10s_clip_s": gap,
    "fill_gap200_60s_clip_s": long_gap,
    **{name: partial(in_a_minute, name) for name in IN_A_MINUTE},
    "fill_upmix_s_per_s": upmix,
    "fill_peak_memory_gb": memory,
}
