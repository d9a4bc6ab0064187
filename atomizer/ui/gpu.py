"""Runs fills on the model's device, within a time limit.

On a ZeroGPU Space, a GPU is allocated for every fill. ZeroGPU runs a generator that `spaces.GPU`
decorates in a forked process: arguments and results are pickled, and the model is the one that was
moved to "cuda" before. Without the package `spaces`, or on other hardware, the same generators run
in this process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, cast

try:
    import spaces
except ImportError:
    spaces = None

from ..errors import AtomizerError
from ..inpainting.fill import Step, needs_model
from ..inpainting.fill import fill as fill_here
from ..inpainting.settings import Settings
from ..inpainting.task import Task
from ..inpainting.work import Work, work_of
from ..limits import limits
from ..model import checkpoint
from .pace import pace, sample_seconds

if TYPE_CHECKING:
    from ..model import AtomTransformer

# The duration that a GPU is requested for is this multiple of the expected one, between the two
# limits: a visitor whose quota is smaller than the request is turned away
LEASE_FACTOR = 3.0
MIN_LEASE_SECONDS, MAX_LEASE_SECONDS = 20, 60

_loading = threading.Lock()
_model_thread = ThreadPoolExecutor(1, thread_name_prefix="model")


class OutOfTime(AtomizerError):
    """A fill has reached its time limit."""


def has_model() -> bool:
    """Whether there is a checkpoint to fill with."""
    return (checkpoint.SHIPPED / "config.json").is_file()


def load_model() -> AtomTransformer:
    """Return the shipped model, which is loaded once."""
    with _loading:  # a fill that was stopped while loading goes on loading beside the next one
        return _shipped_model()


@cache
def _shipped_model() -> AtomTransformer:
    return checkpoint.load()


def prepare() -> None:
    """Check the limits, measure the machine, and load the model on a ZeroGPU Space.

    Call it before the page starts.
    """
    limits()
    pace.calibrate(sample_seconds())
    if spaces is not None and has_model():
        load_model()


def work_here(task: Task, settings: Settings) -> Work:
    """Return the work of a fill in this process, which may have to load the model first."""
    return in_this_process(work_of(task, settings))


def in_this_process(work: Work) -> Work:
    """Return work with the loading of the model, where that is still to be done."""
    if "windows" not in work.amounts or _shipped_model.cache_info().currsize:
        return work
    return replace(work, amounts={**work.amounts, "model": 1.0})


class TimedModel:
    """The shared model, which raises OutOfTime after a deadline on the monotonic clock.

    It pickles as the deadline alone, because the process with the GPU has the model already.
    """

    def __init__(self, deadline: float):
        self.deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(load_model(), name)

    def __reduce__(self) -> tuple:
        return TimedModel, (self.deadline,)

    def encode(self, *arguments: Any) -> Any:
        """`AtomTransformer.encode`, before the deadline."""
        check_time(self.deadline)
        return load_model().encode(*arguments)

    def decode(self, *arguments: Any) -> Any:
        """`AtomTransformer.decode`, before the deadline."""
        check_time(self.deadline)
        return load_model().decode(*arguments)


def check_time(deadline: float) -> None:
    """Raise OutOfTime after a deadline on the monotonic clock."""
    if time.monotonic() > deadline:
        raise OutOfTime(
            f"This takes longer than {limits().fill_seconds:g} s, the most that a fill may take "
            "here: select less, use fewer steps, or take a shorter excerpt."
        )


def model_for(method: str, deadline: float) -> TimedModel | None:
    """Return the model for a method, until a deadline; None for a method without a model."""
    return TimedModel(deadline) if method == "model" else None


def fill(task: Task, settings: Settings, model: TimedModel | None) -> Iterator[Step]:
    """Yield the steps of `atomizer.fill`, computed on the model's device or on a ZeroGPU.

    Raises OutOfTime after the model's deadline.
    """
    if model is None or not needs_model(task, settings):
        steps: Iterator[Step | AtomizerError] = fill_here(task, settings)
    elif spaces is None:
        steps = in_model_thread(task, settings, model)
    else:
        steps = on_zero_gpu(task, settings, model)
    for step in steps:
        if isinstance(step, AtomizerError):
            raise step
        yield step


def in_model_thread(task: Task, settings: Settings, model: TimedModel) -> Iterator[Step]:
    """Yield the steps of a fill, computed in one thread for all fills.

    torch keeps threads and memory for every thread that calls it, and Gradio calls a handler in
    any of its forty.
    """
    steps = fill_here(task, settings, cast("AtomTransformer", model))
    while (step := _model_thread.submit(next, steps, None).result()) is not None:
        yield step


def lease_seconds(task: Task, settings: Settings, model: TimedModel) -> int:
    """Return the seconds that a GPU is requested for; the arguments are those of a fill."""
    expected = LEASE_FACTOR * pace.seconds(work_of(task, settings))
    return round(min(max(expected, MIN_LEASE_SECONDS), MAX_LEASE_SECONDS))


def with_gpu(generator: Callable[..., Iterator]) -> Callable[..., Iterator]:
    """Decorate a generator so that a ZeroGPU Space runs it on a GPU."""
    return spaces.GPU(duration=lease_seconds)(generator) if spaces is not None else generator


@with_gpu
def on_zero_gpu(
    task: Task, settings: Settings, model: TimedModel
) -> Iterator[Step | AtomizerError]:
    """Yield the steps of a fill; an error is yielded last, because ZeroGPU drops its message."""
    try:
        yield from fill_here(task, settings, cast("AtomTransformer", model))
    except AtomizerError as error:
        yield error
