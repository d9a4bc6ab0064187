"""A small reverse proxy that serves an app under a path, and nothing elsewhere."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}


def proxy(upstream: str, prefix: str) -> Starlette:
    """Return an app that forwards paths under `prefix` to `upstream` and streams the responses."""
    client = httpx.AsyncClient(base_url=upstream, timeout=None)

    async def forward(request: Request) -> StreamingResponse:
        path = request.scope["raw_path"].decode().removeprefix(prefix) or "/"
        query = request.scope["query_string"].decode()
        headers = [
            (name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP
        ]
        ours = client.build_request(
            request.method,
            path + (f"?{query}" if query else ""),
            headers=headers,
            content=request.stream(),
        )
        answer = await client.send(ours, stream=True)

        async def body() -> AsyncIterator[bytes]:
            # the app stopped during its response
            with contextlib.suppress(httpx.RemoteProtocolError):
                async for part in answer.aiter_raw():
                    yield part

        kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return StreamingResponse(
            body(), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    return Starlette(routes=[Route(prefix + "/{path:path}", forward, methods=METHODS)])


@contextlib.contextmanager
def proxied(upstream: str, prefix: str, port: int) -> Iterator[str]:
    """Run a proxy in a thread; yields the address of `upstream` behind it."""
    server = uvicorn.Server(
        uvicorn.Config(proxy(upstream, prefix), host="127.0.0.1", port=port, log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the proxy did not start"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}{prefix}"
    finally:
        server.should_exit = server.force_exit = True  # closes open connections
        thread.join(10)
