"""Events of the reference recording, and of files of atoms."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from .. import handlers
from ..layout import Page
from ..message import Message
from ..session import Tab
from .events import PRIVATE, event_value


def connect_reference(page: Page) -> None:
    """Connect the reference recording, which gives filled highs their levels."""
    view, state, file = page.view, page.state, page.fill.reference

    def load_reference(path: str | None, tab: Tab) -> tuple:
        return handlers.load_reference(path, tab.session), None

    def choose_reference(tab: Tab, event: gr.EventData) -> Message:
        return handlers.choose_reference(tab.session, event._data)

    file.upload(load_reference, [file, state], [view, file], **PRIVATE)
    view.reference(choose_reference, state, view, **PRIVATE)


def connect_compression(page: Page) -> None:
    """Connect the file of atoms in the panel of orderings."""

    def encode_file(tab: Tab, event: gr.EventData) -> Message:
        return handlers.encode_file(tab.session, event_value(event, "order"))

    def decode_prefix(tab: Tab, event: gr.EventData) -> Message:
        return handlers.decode_prefix(tab.session, event._data)

    def compare_codecs(tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_codecs(tab.session, event_value(event, "order"))

    view, state = page.view, page.state
    view.encode(encode_file, state, view, trigger_mode="multiple", **PRIVATE)
    view.prefix(decode_prefix, state, view, trigger_mode="always_last", **PRIVATE)
    view.codecs(compare_codecs, state, view, trigger_mode="once", **PRIVATE)
