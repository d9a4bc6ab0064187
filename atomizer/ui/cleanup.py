"""Frees memory and files of visitors: soon after a tab closes, and after a long idle time."""

from __future__ import annotations

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
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from ..heap import trim_heap

# a tab that loses its connection for a moment finds its session again within this time
GRACE = timedelta(seconds=float(os.environ.get("ATOMIZER_GRACE_SECONDS", 60)))
IDLE = timedelta(seconds=float(os.environ.get("ATOMIZER_IDLE_SECONDS", 3 * 3600)))
FILE_LIFETIME = timedelta(hours=1)  # of uploads, and of results of the endpoints


def watch(demo: gr.Blocks) -> None:
    """Free the session of a visitor some time after the tab closes."""

    def on_unload(request: gr.Request) -> None:
        schedule(GRACE, free, demo, request.session_hash, datetime.now())

    demo.unload(on_unload)


# ---------- scheduled calls


@dataclass(order=True)
class _Call:
    """A call at a time of the monotonic clock; calls at the same time run in their order."""

    due: float
    number: int
    function: Callable[[], object] = field(compare=False)


class _Scheduler(threading.Thread):
    """One thread for all scheduled calls: a timer per upload would be a thread for an hour each."""

    def __init__(self) -> None:
        super().__init__(name="cleanup", daemon=True)
        self.calls: list[_Call] = []
        self.count = itertools.count()
        self.changed = threading.Condition()

    def add(self, seconds: float, function: Callable[[], object]) -> None:
        """Call a function after some seconds."""
        with self.changed:
            call = _Call(time.monotonic() + seconds, next(self.count), function)
            heapq.heappush(self.calls, call)
            self.changed.notify()
            if not self.is_alive():
                self.start()

    def run(self) -> None:
        """Wait for the next call, forever."""
        while True:
            with self.changed:
                while not self.calls or self.calls[0].due > time.monotonic():
                    self.changed.wait(self.calls[0].due - time.monotonic() if self.calls else None)
                function = heapq.heappop(self.calls).function
            try:
                function()
            except Exception:  # the other calls must still run
                logging.getLogger(__name__).exception("A scheduled cleanup failed")
            del function  # it would keep its arguments alive until the next call


_scheduler = _Scheduler()


def schedule(delay: timedelta, function: Callable[..., object], *arguments: Any) -> None:
    """Call a function after a delay, in a thread of its own."""
    _scheduler.add(delay.total_seconds(), partial(function, *arguments))


# ---------- sessions


def free(demo: gr.Blocks, visitor: str | None, since: datetime) -> None:
    """Delete the session of a visitor without a request after `since`."""
    holder = demo.state_holder
    if (
        visitor is not None
        and visitor in holder.session_data
        and holder.time_last_used.get(visitor, datetime.min) <= since
    ):
        holder.delete_state(visitor)
        holder.session_data.pop(visitor, None)
        holder.time_last_used.pop(visitor, None)
        trim_heap()


def free_idle(demo: gr.Blocks) -> None:
    """Delete the sessions of all idle visitors, whether or not their tabs are open."""
    since = datetime.now() - IDLE
    for visitor in list(demo.state_holder.session_data):
        free(demo, visitor, since)


# ---------- files


def delete_soon(folder: Path) -> None:
    """Delete a folder after the grace period; the page may still be fetching files from it."""
    schedule(GRACE, shutil.rmtree, folder, True)


def delete_later(path: Path) -> None:
    """Delete a file or folder `FILE_LIFETIME` after it was last written.

    Gradio stores equal uploads of all visitors in one place, so another visitor may have uploaded
    the file again, and be waiting in the queue with it, or be fetching it.
    """

    def delete() -> None:
        if path.exists() and time.time() - path.stat().st_mtime > FILE_LIFETIME.total_seconds() - 1:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    schedule(FILE_LIFETIME, delete)


def uploaded_path(path: str | Path) -> Path | None:
    """Return the path where it is a visitor's upload; None for the example sounds."""
    path, uploads = Path(path), Path(get_upload_folder())
    return path if path.resolve().is_relative_to(uploads.resolve()) else None
