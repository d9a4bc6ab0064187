"""What the events of all groups share: their options, what they carry, what ends the fills."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from .. import cancelling
from ..layout import Page

PRIVATE: dict[str, Any] = dict(api_visibility="private", show_progress="hidden")
# sets the first input: the time of the press, in ms. Requests overtake each other
PRESSED = "(_, ...inputs) => [performance.timeOrigin + performance.now(), ...inputs]"
# fills run one at a time. "multiple": one that was stopped may still count as pending
FILLS: dict[str, Any] = dict(
    concurrency_limit=1,
    concurrency_id="model",
    trigger_mode="multiple",
    api_visibility="private",
    show_progress="minimal",
)

Time = float | None  # `pressed` of handlers
FillEvent = dict[str, Any]  # an event that fills, as Gradio returns it: a Dependency
EndsFills = Callable[[Callable], Callable[..., Awaitable]]  # as `ends_fills_of` says


def ends_fills_of(demo: gr.Blocks, fills: list[FillEvent]) -> EndsFills:
    """Return a decorator of handlers whose event ends all fills: Stop, another sound, undo.

    fills  events that fill; the list may still grow while events are connected

    What waits is taken out of the queue first. Gradio's `cancels` is not used: its requests can
    arrive late, and end a fill that was pressed later, which the page would wait for. A job that
    was stopped, or whose sound was replaced, ends by itself at its next step.
    """

    def ends_fills(handler: Callable) -> Callable[..., Awaitable]:
        @wraps(handler)
        async def handle(*values: Any) -> Any:
            request = LocalContext.request.get(None)
            visitor = None if request is None else request.session_hash
            await cancelling.drop_waiting(demo, visitor, [fill["id"] for fill in fills])
            return await asyncio.to_thread(handler, *values)

        return handle

    return ends_fills


def event_value(event: gr.EventData, key: str = "id") -> Any:
    """Return a value that the browser sent with an event, or None."""
    return event._data.get(key) if isinstance(event._data, dict) else None


def ticked_features(page: Page, values: tuple) -> list[str]:
    """Return the names of the features whose boxes are ticked; `values` begin with the boxes'."""
    return [str(box.label) for box, is_ticked in zip(page.features, values) if is_ticked]
