"""Lets only one request at a time cancel an event of Gradio.

Stop pressed twice, or a sound loaded after Stop, cancels a fill that is being cancelled. Gradio
looks for the event, waits for its step to end, and deletes the event: of two such requests the
second finds it, waits, and fails.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OneCancelAtATime:
    """ASGI middleware: equal requests to cancel an event wait for each other."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self.locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or not scope["path"].endswith("/gradio_api/cancel"):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()

        async def read() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async with self.locks.setdefault(body, asyncio.Lock()):
            await self.app(scope, read, send)
