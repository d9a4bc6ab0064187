"""Where fills are computed, and for how long: on a ZeroGPU Space a GPU is lent for each, anywhere else the model has a device of its own.

ZeroGPU runs what `spaces.GPU` decorates in a process that is forked from this one: arguments and results are pickled, and the model is
the one that was put on "cuda" before. Without the package `spaces`, and with it on other hardware, the same generators run right here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, cast

try:
    import spaces
except ImportError:
    spaces = None

from ..errors import AtomizerError
from ..inpainting.fill import Step
from ..inpainting.fill import fill as fill_here
from ..inpainting.settings import Settings
from ..inpainting.task import Task
from ..limits import limits
from ..model import checkpoint

if TYPE_CHECKING:
    from ..model import AtomTransformer

LENT_SECONDS = 60  # that a GPU is asked for at a time: a fill takes a few of them, and visitors with less left are turned away


_loading = threading.Lock()
_computing = ThreadPoolExecutor(1, thread_name_prefix="model")


class OutOfTime(AtomizerError):
    """A fill has taken as long as one may."""


def has_model() -> bool:
    """Whether there is a checkpoint to fill with."""
    return (checkpoint.SHIPPED / "config.json").is_file()


def load_model() -> AtomTransformer:
    """The shipped model, loaded once: when it is first needed, or at start where GPUs are lent."""
    with _loading:  # a fill that was stopped while it loads goes on loading beside the next one
        return _shipped()


@cache
def _shipped() -> AtomTransformer:
    return checkpoint.load()


def prepare() -> None:
    """What must have happened before the first visitor comes: wrong limits are told, and a model that is to be lent a GPU is loaded."""
    limits()
    if spaces is not None and has_model():
        load_model()


class Timed:
    """The shared model, which refuses to look at another window after the moment `end` of the monotonic clock.

    It pickles as that moment alone, because the process of a lent GPU has the model already.
    """

    def __init__(self, end: float):
        self.end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(load_model(), name)

    def __reduce__(self) -> tuple:
        return Timed, (self.end,)

    def read(self, *arguments: Any) -> Any:
        """`AtomTransformer.read`, in time."""
        check_time(self.end)
        return load_model().read(*arguments)

    def decode(self, *arguments: Any) -> Any:
        """`AtomTransformer.decode`, in time."""
        check_time(self.end)
        return load_model().decode(*arguments)


def check_time(end: float) -> None:
    """Raise OutOfTime after a moment of the monotonic clock."""
    if time.monotonic() > end:
        raise OutOfTime(
            f"This takes longer than {limits().fill_seconds:g} s, the most that a fill may take here: "
            "select less, use fewer steps, or take a shorter excerpt."
        )


def model_for(method: str, end: float) -> Timed | None:
    """The model that a method needs, until the moment `end`."""
    return Timed(end) if method == "model" else None


def fill(task: Task, settings: Settings, model: Timed | None) -> Iterator[Step]:
    """`atomizer.fill.fill` on the model's device, or on one that is lent. Raises OutOfTime where the model's time is over."""
    for step in (
        fill_here(task, settings)
        if model is None
        else lent(task, settings, model)
        if spaces is not None
        else in_one_thread(task, settings, model)
    ):
        if isinstance(step, AtomizerError):
            raise step
        yield step


def in_one_thread(task: Task, settings: Settings, model: Timed) -> Iterator[Step]:
    """The steps of a fill, computed in the model's own thread: torch keeps threads and memory for every thread that ever asked it for
    something, and Gradio asks with whichever of its forty is free."""
    steps = fill_here(task, settings, cast("AtomTransformer", model))
    while (step := _computing.submit(next, steps, None).result()) is not None:
        yield step


def gpu(generator: Callable[..., Iterator]) -> Callable[..., Iterator]:
    """A generator that is lent a GPU where there are any to lend."""
    return spaces.GPU(duration=LENT_SECONDS)(generator) if spaces is not None else generator


@gpu
def lent(task: Task, settings: Settings, model: Timed) -> Iterator[Step | AtomizerError]:
    """The steps of a fill; a refusal is the last of them, because ZeroGPU hands on only the names of exceptions."""
    try:
        yield from fill_here(task, settings, cast("AtomTransformer", model))
    except AtomizerError as error:
        yield error
