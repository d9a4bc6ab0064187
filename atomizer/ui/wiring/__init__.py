"""Connects the events of the page's components with the handlers.

    events.py      what all of them share: options of an event, and what ends the running fills
    values.py      components that several events set, and their values
    filling.py     fills, examples, Stop
    sounds.py      files, the microphone, example sounds, excerpts
    variations.py  variations, undo, exports
    selecting.py   the selection and what is found in a sound, settings files
    panels.py      the reference recording, files of atoms

Gradio calls the function of an event with the values of components. It is a closure where it needs
the components themselves, those of `Page`.
"""

from __future__ import annotations

import gradio as gr

from ..layout import Page
from .events import FillEvent, ends_fills_of
from .filling import connect_examples, connect_fills, connect_stop
from .panels import connect_compression, connect_reference
from .selecting import connect_findings, connect_selection, connect_settings_file
from .sounds import connect_sounds
from .variations import connect_variations


def connect(demo: gr.Blocks, page: Page) -> None:
    """Connect all events; call it within `gr.Blocks`."""
    fills: list[FillEvent] = []
    ends_fills = ends_fills_of(demo, fills)
    fills += connect_fills(page)
    fills += connect_examples(page, ends_fills)
    connect_stop(page, ends_fills)
    connect_sounds(demo, page, ends_fills)
    connect_variations(page, ends_fills)
    connect_selection(page)
    connect_findings(page)
    connect_settings_file(page)
    connect_reference(page)
    connect_compression(page)
