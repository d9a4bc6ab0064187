"""What a visitor takes: nobody takes all places of the queue, and what a visitor leaves behind is freed, soon after the tab is closed, and where
nothing was asked for a long time."""

from __future__ import annotations

import ctypes
import heapq
import itertools
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import Request
from gradio.data_classes import PredictBodyInternal
from gradio.events import Dependency
from gradio.queueing import Event
from gradio.utils import get_upload_folder

from ..limits import limits

# a tab that was cut off, by a tunnel or a lid, finds its sound again for so long
GRACE = timedelta(seconds=float(os.environ.get("ATOMIZER_GRACE_SECONDS", 60)))
IDLE = timedelta(seconds=float(os.environ.get("ATOMIZER_IDLE_SECONDS", 3 * 3600)))
KEPT = timedelta(hours=1)  # uploads, and files that a program asked for


def watch(demo: gr.Blocks) -> None:
    """Free the sessions of the page that is being built when their visitors leave."""

    def left(request: gr.Request) -> None:
        later(GRACE, free, demo, request.session_hash, datetime.now())

    demo.unload(left)


@dataclass(order=True)
class _Due:
    """What is done at a moment of the monotonic clock; the first of two that are due at once was asked for first."""

    moment: float
    number: int
    do: Callable[[], object] = field(compare=False)


class _Later(threading.Thread):
    """One thread that waits for everything that is due: a timer of its own for each upload would be a thread for an hour."""

    def __init__(self) -> None:
        super().__init__(name="later", daemon=True)
        self.due: list[_Due] = []
        self.count = itertools.count()
        self.changed = threading.Condition()

    def add(self, seconds: float, do: Callable[[], object]) -> None:
        with self.changed:
            heapq.heappush(self.due, _Due(time.monotonic() + seconds, next(self.count), do))
            self.changed.notify()
            if not self.is_alive():
                self.start()

    def run(self) -> None:
        while True:
            with self.changed:
                while not self.due or self.due[0].moment > time.monotonic():
                    self.changed.wait(self.due[0].moment - time.monotonic() if self.due else None)
                do = heapq.heappop(self.due).do
            try:
                do()
            except Exception:  # what comes after it is done all the same
                logging.getLogger(__name__).exception("What was to be freed could not be")
            del do  # and keeps nothing alive until the next is due


_later = _Later()


def later(wait: timedelta, do: Callable[..., object], *arguments: Any) -> None:
    """Call a function after some time, in a thread beside the page's."""
    _later.add(wait.total_seconds(), partial(do, *arguments))


def refusal() -> Dependency:
    """The event, of the page that is being built, that answers whoever has enough waiting in the queue."""

    def refuse() -> None:
        raise gr.Error(
            f"You have {limits().waiting} waiting in the queue already, the most that one may: ask again when the first of them has begun.",
            print_exception=False,
        )

    return gr.Button(visible=False).click(refuse, api_visibility="private", concurrency_limit=None)


def share_queue(demo: gr.Blocks, refusal: Dependency) -> None:
    """Answer with `refusal`, at once, what visitors ask for who have as much waiting as they may."""
    queue = demo._queue  # whose own limit counts everybody's events together
    push = queue.push

    async def push_or_refuse(
        body: PredictBodyInternal, request: Request, username: str | None
    ) -> tuple:
        function = demo.fns.get(-1 if body.fn_index is None else body.fn_index)
        line = (
            queue.event_queue_per_concurrency_id.get(function.concurrency_id)
            if function is not None
            else None
        )
        if (
            line is not None
            and sum(_by(event, body.session_hash, request) for event in line.queue)
            >= limits().waiting
        ):
            body.fn_index = refusal["id"]
        return await push(body, request, username)

    queue.push = push_or_refuse  # type: ignore[method-assign]


def _by(event: Event, session: str | None, request: Request) -> bool:
    """Whether an event is of a session, or, where neither has one, from the address of a request."""
    if session is not None:
        return event.session_hash == session
    alone = event.session_hash == event._id  # how Gradio names the session of a call without one
    theirs, ours = event.request.client, request.client
    return alone and theirs is not None and ours is not None and theirs.host == ours.host


def free(demo: gr.Blocks, visitor: str | None, since: datetime) -> None:
    """Delete the memory and the files of a visitor who has asked for nothing since."""
    holder = demo.state_holder
    if (
        visitor is not None
        and visitor in holder.session_data
        and holder.time_last_used.get(visitor, datetime.min) <= since
    ):
        holder.delete_state(visitor)
        holder.session_data.pop(visitor, None)
        holder.time_last_used.pop(visitor, None)
        give_back()


def free_idle(demo: gr.Blocks) -> None:
    """Free all visitors who have asked for nothing for a long time, whether or not their tabs are open."""
    since = datetime.now() - IDLE
    for visitor in list(demo.state_holder.session_data):
        free(demo, visitor, since)


def delete_soon(folder: Path) -> None:
    """Delete a folder after the time in which a page that has just been given another sound fetches what it had asked for."""
    later(GRACE, shutil.rmtree, folder, True)


def delete_later(path: Path) -> None:
    """Delete a file, or a folder, some time after it was last written: Gradio keeps equal uploads, of whomever, in one place, and somebody may
    still wait in the queue with it, or be fetching it."""

    def delete() -> None:
        if path.exists() and time.time() - path.stat().st_mtime > KEPT.total_seconds() - 1:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(
                missing_ok=True
            )

    later(KEPT, delete)


def uploaded(path: str | Path) -> Path | None:
    """The path where it is a visitor's upload, and none of our own sounds."""
    return (
        Path(path)
        if Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
        else None
    )


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], object]:
    """glibc's malloc_trim, or nothing where there is none."""
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):
        return lambda keep: None


def give_back() -> None:
    """Return freed memory to the system: the C library keeps, for every thread that ever filled something in, as much as that needed."""
    _trim()(0)
