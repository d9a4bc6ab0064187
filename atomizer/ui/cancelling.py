"""Cancels what a visitor takes back: all of it, and one request at a time.

The page asks Gradio to cancel the newest event of a button alone. Where Fill in was pressed several
times, the presses in between would still wait, and start with the next sound.

Two sounds in a row cancel a fill that is being cancelled. Gradio looks for the event, waits for its
step to end, and deletes the event: of two such requests the second finds it, waits, and fails.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any
from weakref import WeakValueDictionary

import gradio as gr
from gradio.server_messages import ProcessCompletedMessage
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Cancelling:
    """ASGI middleware: a request to cancel an event is about all that wait behind its button.

    Equal requests wait for each other.
    """

    def __init__(self, app: ASGIApp, demo: gr.Blocks):
        self.app = app
        self.demo = demo
        self.locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].endswith("/gradio_api/cancel"):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()

        async def read() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        # before the lock: what is pressed while a request waits for it is not meant
        try:
            wanted = json.loads(body)
            await drop_waiting(self.demo, wanted["session_hash"], [wanted["fn_index"]])
        except (ValueError, TypeError, KeyError):
            pass  # no request to cancel an event: Gradio answers
        async with self.locks.setdefault(body, asyncio.Lock()):
            await self.app(scope, read, send)


async def drop_waiting(demo: gr.Blocks, visitor: str | None, events: Collection[int]) -> None:
    """Take what waits of a visitor out of the queue.

    visitor  Gradio's session hash
    events   ids of the page's events
    """
    queue: Any = demo._queue
    for line in queue.event_queue_per_concurrency_id.values():
        for event in list(line.queue):
            if event.session_hash == visitor and event.fn._id in events:
                await queue.remove_from_queue(event._id)
                _complete(queue, event)


def _complete(queue: Any, event: Any) -> None:
    """Tell the page that an event is over; it closes its connection with the last one."""
    if event._id not in queue.pending_event_ids_session.get(event.session_hash, ()):
        return
    messages = queue.pending_messages_per_session.get(event.session_hash)
    if messages is not None:
        over = ProcessCompletedMessage(output={}, success=True, event_id=event._id)
        messages.put_nowait(over)
