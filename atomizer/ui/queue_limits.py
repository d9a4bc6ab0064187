"""Limits of Gradio's queue: events of one client that wait, and how often it looks for new ones.

Gradio has no option for either. `max_size` of `Blocks.queue` counts the events of all clients
together, `concurrency_limit` counts running events, and a semaphore in a handler would be reached
only after the wait. So `limit_per_client` wraps the `push` method of Gradio's private queue, and
diverts an event above the limit to one that answers at once.
"""

from __future__ import annotations

import gradio as gr
from fastapi import Request
from gradio.data_classes import PredictBodyInternal
from gradio.events import Dependency
from gradio.queueing import Event

from ..limits import limits

POLL_SECONDS = 0.01  # between two looks for new events


def poll_less(demo: gr.Blocks) -> None:
    """Look for new events every `POLL_SECONDS`: Gradio's 1 ms costs an idle page 7 % of a core."""
    queue = demo._queue
    queue.sleep_when_free = max(queue.sleep_when_free, POLL_SECONDS)


def queue_full() -> Dependency:
    """Add the event that answers a client above the limit; call it while the page is built."""

    def refuse() -> None:
        raise gr.Error(
            f"You have {limits().waiting} waiting in the queue already, the limit of one client: "
            "try again when the first of them has started.",
            print_exception=False,
        )

    return gr.Button(visible=False).click(refuse, api_visibility="private", concurrency_limit=None)


def limit_per_client(demo: gr.Blocks, refusal: Dependency) -> None:
    """Answer with `refusal` where a client has `limits().waiting` events in the same queue."""
    queue = demo._queue
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
        if line is not None:
            waiting = sum(belongs_to(event, body.session_hash, request) for event in line.queue)
            if waiting >= limits().waiting:
                body.fn_index = refusal["id"]
        return await push(body, request, username)

    queue.push = push_or_refuse  # type: ignore[method-assign]


def belongs_to(event: Event, session: str | None, request: Request) -> bool:
    """Whether an event is of this session or, where neither has one, of this network address."""
    if session is not None:
        return event.session_hash == session
    # Gradio gives a call without a session the id of its event
    has_no_session = event.session_hash == event._id
    theirs, ours = event.request.client, request.client
    same_host = theirs is not None and ours is not None and theirs.host == ours.host
    return has_no_session and same_host
