"""Fills from a sound in memory to a sound in memory: analysis, selection, model and synthesis; the model is loaded.

Every fill has the steps and the other settings that suit its task. Time is that of all threads of torch together; memory is what a process
of its own needs at most, above what it had when it was idle with its model loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
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
from .timing import Work, beside, compared, timed

if TYPE_CHECKING:
    from ..model import AtomTransformer

PIECE = ASSETS / "band.flac"
BWE, GAP, UPMIX = "above:8000", "time:4.9-5.1", "channel:1"
SECONDS = 10.0
REPEATS = 3
FINE = 9  # repeats where a tenth is to be told


@dataclass(frozen=True)
class Job:
    """A fill: of the first `seconds` of a piece that begins again after SECONDS, in so many channels; what is selected, how it is filled."""

    select: str
    seconds: float = SECONDS
    channels: int = 2
    settings: Settings = Settings()

    def sound(self) -> Sound:
        """The piece, repeated to the job's length."""
        if not PIECE.is_file():
            raise AtomizerError(
                f"Fills are measured with assets/{PIECE.name}, which is not there: run this in the repository's folder."
            )
        piece = read(PIECE)
        length = int(SECONDS * piece.rate)
        samples = piece.samples[np.arange(self.channels) % piece.channels][
            :, np.arange(int(self.seconds * piece.rate)) % length
        ]
        return replace(piece, samples=samples)

    def work(self, model: AtomTransformer | None) -> Work:
        """What is measured."""
        sound, selection = self.sound(), parse([self.select])

        def work() -> Sound:
            task = prepare(sound, selection)
            return task.render(last(fill(task, self.settings, model)).grid)

        return work


def peers_of(job: Job, task_name: str, methods: dict[str, str]) -> dict[str, Work]:
    """The same job by baselines of the evaluation, {what to call it: method}."""
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
    """Everything above 8 kHz."""
    job = Job(BWE)
    yield from compared(
        "fill_bwe8k_s_per_s",
        job.work(model()),
        peers_of(job, "bwe-8k", {"noise of interpolated levels": "noise", "band fold": "fold"}),
        REPEATS,
        "s per s",
        1 / SECONDS,
    )


def gap() -> Iterator[Record | Missing]:
    """200 ms of a clip."""
    job = Job(GAP)
    yield from compared(
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
    """The same gap in a minute, which should cost no more."""
    job, loaded = Job(GAP, 60.0), model()
    yield from compared(
        "fill_gap200_60s_clip_s",
        job.work(loaded),
        {
            "the same in a 10 s clip": Job(GAP).work(loaded),
            **peers_of(job, "gap-200ms", {"Janssen": "janssen"}),
        },
        FINE,
    )


def upmix() -> Iterator[Record | Missing]:
    """One of two channels."""
    job = Job(UPMIX)
    yield from compared(
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
    """The highs of a minute, in a process of its own."""
    name, job = "fill_peak_memory_gb", Job(BWE, 60.0)
    try:
        value = cost(job).memory_gb
    except NotImplementedError as error:
        yield Missing(name, "anything", str(error))
        return
    yield from beside(
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


# --- in a process of its own ------------------------------------------------------------------------------------------------------

STATUS, REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Seconds of a fill, its peak of memory above the idle process, and the operations of its matrix products."""

    seconds: float
    memory_gb: float
    operations: int


def cost(job: Job, repeats: int = 0) -> Cost:
    """What a job costs, measured in a process of its own; without repeats only its memory. Raises NotImplementedError where that cannot be told."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_cost, job, repeats).result()


def _cost(job: Job, repeats: int) -> Cost:
    from .machine import operations

    loaded = model()
    work = job.work(loaded)
    memory = peak_memory(work)
    if not repeats:
        return Cost(float("nan"), memory, 0)
    return Cost(
        statistics.median(timed({"fill": work}, repeats, warm=0)["fill"]), memory, operations(work)
    )


def peak_memory(work: Callable[[], object]) -> float:
    """GB that this process occupies at most during work(), above what it occupied before."""
    if not os.access(REFS, os.W_OK):
        raise NotImplementedError("since only Linux tells the peak of a process")

    def kilobytes(field: str) -> int:
        return next(
            int(line.split()[1])
            for line in STATUS.read_text().splitlines()
            if line.startswith(field + ":")
        )

    REFS.write_text("5")  # the peak counts from now on
    before = kilobytes("VmRSS")
    work()
    return (kilobytes("VmHWM") - before) / 1e6


MEASURES = {
    "fill_bwe8k_s_per_s": bwe,
    "fill_gap200_10s_clip_s": gap,
    "fill_gap200_60s_clip_s": long_gap,
    "fill_upmix_s_per_s": upmix,
    "fill_peak_memory_gb": memory,
}
