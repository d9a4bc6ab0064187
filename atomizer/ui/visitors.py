"""What a visitor leaves behind is freed: soon after the tab is closed, and where nothing was asked for a long time."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import datetime, timedelta
from pathlib import Path

import gradio as gr

# a tab that was cut off, by a tunnel or a lid, finds its sound again for so long
GRACE = timedelta(seconds=float(os.environ.get("ATOMIZER_GRACE_SECONDS", 60)))
IDLE = timedelta(seconds=float(os.environ.get("ATOMIZER_IDLE_SECONDS", 3 * 3600)))
KEPT = timedelta(hours=1)  # a file that a program asked for


def watch(demo: gr.Blocks) -> None:
    """Free the sessions of the page that is being built when their visitors leave."""
    def left(request: gr.Request) -> None:
        timer = threading.Timer(GRACE.total_seconds(), free, (demo, request.session_hash, datetime.now()))
        timer.daemon = True
        timer.start()

    demo.unload(left)


def free(demo: gr.Blocks, visitor: str | None, since: datetime) -> None:
    """Delete the memory and the files of a visitor who has asked for nothing since."""
    holder = demo.state_holder
    if visitor is not None and visitor in holder.session_data and holder.time_last_used.get(visitor, datetime.min) <= since:
        holder.delete_state(visitor)
        holder.session_data.pop(visitor, None)
        holder.time_last_used.pop(visitor, None)


def free_idle(demo: gr.Blocks) -> None:
    """Free all visitors who have asked for nothing for a long time, whether or not their tabs are open."""
    since = datetime.now() - IDLE
    for visitor in list(demo.state_holder.session_data):
        free(demo, visitor, since)


def delete_later(folder: Path) -> None:
    """Delete a folder whose files a client has had the time to fetch."""
    timer = threading.Timer(KEPT.total_seconds(), shutil.rmtree, (folder,), {"ignore_errors": True})
    timer.daemon = True
    timer.start()
