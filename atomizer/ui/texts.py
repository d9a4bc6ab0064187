"""The server's pages of the repository's texts.

Their addresses follow the folders of the repository, so that the links among its texts lead to each
other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ..io import resources
from .documents import DOCUMENTS, FOLDER

TEXT, PICTURES = ".md", (".png", ".svg", ".webp")
TARGET = re.compile(r'\]\(([^()\s]+)\)|\bsrc="([^"]+)"')  # of links and pictures in Markdown
# nothing is loaded or run but the picture files of the same server
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"


def routes() -> list[BaseRoute]:
    """Return the routes of the texts and their pictures."""
    return [Route(f"/{FOLDER}/{{name:path}}", answer)]


def answer(request: Request) -> Response:
    """Answer a request for a text or a picture of the repository."""
    name = request.path_params["name"]
    path = resources.document(name) if name in readable() else None
    if path is None:
        return PlainTextResponse("There is no such text.", 404)
    headers = {"Content-Security-Policy": POLICY}
    if path.suffix != TEXT:
        return FileResponse(path, headers=headers)
    from .rendering import render  # loads the parser, which most visitors do not need

    def leads_on(address: str) -> bool:
        return resolved(address, name) in readable()

    return HTMLResponse(render(path.read_text(encoding="utf-8"), leads_on), headers=headers)


@lru_cache
def readable() -> frozenset[str]:
    """Return the names of all texts and pictures that `DOCUMENTS` lead to, of those installed."""
    found: set[str] = set()
    waiting = list(DOCUMENTS)
    while waiting:
        name = waiting.pop()
        path = None if name in found else resources.document(name)
        if path is None:
            continue
        found.add(name)
        if name.endswith(TEXT):
            waiting += _targets(path.read_text(encoding="utf-8"), name)
    return frozenset(found)


def _targets(text: str, name: str) -> Iterator[str]:
    """Yield the names of the texts and pictures that a text links to."""
    for groups in TARGET.findall(text):
        target = resolved("".join(groups), name)
        if target.endswith((TEXT, *PICTURES)):
            yield target


def resolved(address: str, name: str) -> str:
    """Return the name of the file that a text links to; empty outside of the repository.

    address  as the text `name` has it, such as "../docs/glossary.md#atom"
    """
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return ""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path)))
    return "" if target.startswith("..") else target
