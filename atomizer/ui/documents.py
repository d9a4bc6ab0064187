"""Links to the texts of the repository: in the Space that runs the page, or on its server."""

from __future__ import annotations

import html
import mimetypes
import os
import re
from pathlib import Path

from ..io import resources

README, MODEL_CARD, THEORY = "README.md", "checkpoints/README.md", "docs/concepts.md"
DOCUMENTS = (MODEL_CARD, THEORY, README)
# browsers show plain text, and save Markdown
mimetypes.add_type("text/plain", ".md")


def local_paths() -> list[Path]:
    """Return the paths of the texts that are installed."""
    return [path for path in map(resources.document, DOCUMENTS) if path is not None]


def address_of(document: str) -> str | None:
    """Return the address of a text of the repository; None where it is not installed."""
    space = os.environ.get("SPACE_ID", "")  # OWNER/NAME of the Space that runs the page
    if re.fullmatch(r"[\w.-]+/[\w.-]+", space, re.ASCII):
        return f"https://huggingface.co/spaces/{space}/blob/main/{document}"
    path = resources.document(document)
    return f"gradio_api/file={path.as_posix()}" if path else None


def link_to(document: str, text: str) -> str:
    """Return a link to a text of the repository; the words alone where it is not installed."""
    address = address_of(document)
    if address is None:
        return f"<b>{text}</b>"
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{text}</a>'


def linked(text: str) -> str:
    """Return HTML in which the texts that it names in bold are links."""
    return re.sub(r"<b>([\w/-]+\.md)</b>", lambda found: link_to(found[1], found[1]), text)
