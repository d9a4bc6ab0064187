"""Takes what waits of a visitor out of Gradio's queue."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import gradio as gr
from gradio.server_messages import ProcessCompletedMessage


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
