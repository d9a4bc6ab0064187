"""Links to the texts of the repository: in the Space that runs the page, or on its server."""

from __future__ import annotations

import html
import os
import re

from ..io import resources

README, MODEL_CARD = "README.md", "checkpoints/README.md"
MANUAL, THEORY = "docs/page.md", "docs/concepts.md"
DOCUMENTS = (MODEL_CARD, MANUAL, THEORY, README)
FOLDER = "texts"  # of their addresses on the server


def address_of(document: str) -> str | None:
    """Return the address of a text of the repository; None where it is not installed."""
    space = os.environ.get("SPACE_ID", "")  # OWNER/NAME of the Space that runs the page
    if re.fullmatch(r"[\w.-]+/[\w.-]+", space, re.ASCII):
        return f"https://huggingface.co/spaces/{space}/blob/main/{document}"
    return f"{FOLDER}/{document}" if resources.document(document) else None


def link_to(document: str, text: str) -> str:
    """Return a link to a text of the repository; the words alone where it is not installed."""
    address = address_of(document)
    if address is None:
        return f"<b>{text}</b>"
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{text}</a>'


def linked(text: str) -> str:
    """Return HTML in which the texts that it names in bold are links."""
    return re.sub(r"<b>([\w/-]+\.md)</b>", lambda found: link_to(found[1], found[1]), text)
