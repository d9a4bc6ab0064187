"""Events that load a sound: files, the microphone, example sounds, excerpts of long files."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from .. import cleanup, handlers
from ..layout import Page
from ..message import Message
from ..session import Session, Tab
from .events import PRESSED, PRIVATE, EndsFills, Time
from .values import (
    default_presets,
    preset_outputs,
    skipped,
    sound_outputs,
    sound_values,
    work_controls,
    work_outputs,
    work_values,
)


def connect_sounds(demo: gr.Blocks, page: Page, ends_fills: EndsFills) -> None:
    """Connect everything that a sound is loaded from."""
    _connect_uploads(demo, page, ends_fills)
    _connect_example_sounds(demo, page, ends_fills)
    _connect_excerpts(page, ends_fills)


def _connect_uploads(demo: gr.Blocks, page: Page, ends_fills: EndsFills) -> None:
    """Connect files, session files among them, and recordings by the microphone."""
    sources = page.sources

    def load_upload(at: Time, path: str | None, tab: Tab, name: str = "") -> tuple:
        after_example = _shows_example(tab)
        message, session = _load(demo, path, tab, at, name)
        # the drop zone becomes empty again, and no example sound is chosen
        example_sound = gr.skip() if session == gr.skip() else ""
        return (
            *sound_values(tab, message, session),
            *_work_of(page, session, after_example),
            None,
            example_sound,
        )

    def upload_to(drop_zone: gr.File | gr.Audio) -> tuple[list, list]:
        """Inputs and outputs of an upload."""
        outputs = [*sound_outputs(page), *work_outputs(page), drop_zone, sources.example_sounds]
        return [page.pressed, drop_zone, page.state], outputs

    # "multiple": an event during the previous one must not be lost
    sources.file.upload(
        ends_fills(load_upload),
        *upload_to(sources.file),
        js=PRESSED,
        trigger_mode="multiple",
        **PRIVATE,
    )
    sources.microphone.stop_recording(
        ends_fills(partial(load_upload, name="Recording.wav")),
        *upload_to(sources.microphone),
        js=PRESSED,
        **PRIVATE,
    )


def _connect_example_sounds(demo: gr.Blocks, page: Page, ends_fills: EndsFills) -> None:
    """Connect the menu of example sounds, whose first one is loaded with the page."""
    state, sounds = page.state, page.sources.example_sounds

    def load_first(path: str | None, tab: Tab) -> tuple:
        # whatever the visitor chooses counts as chosen after it, also while it loads
        cleanup.free_idle(demo)
        return sound_values(tab, *handlers.load(path, tab, choice=0))

    def load_chosen(at: Time, path: str | None, tab: Tab) -> tuple:
        after_example = _shows_example(tab)
        message, session = _load(demo, path, tab, at)
        presets = _presets_of(page, session, after_example)
        return *sound_values(tab, message, session), *presets

    # "always_last": an event during the previous one must not be lost
    sounds.select(
        ends_fills(load_chosen),
        [page.pressed, sounds, state],
        [*sound_outputs(page), *preset_outputs(page)],
        js=PRESSED,
        trigger_mode="always_last",
        **PRIVATE,
    )
    if sounds.value:
        demo.load(load_first, [sounds, state], sound_outputs(page), **PRIVATE)


def _connect_excerpts(page: Page, ends_fills: EndsFills) -> None:
    """Connect the picker of an excerpt of a long file."""

    def choose_excerpt(at: Time, tab: Tab, event: gr.EventData) -> tuple:
        return sound_values(tab, *handlers.choose_excerpt(tab, event._data, at))

    page.view.excerpt(
        ends_fills(choose_excerpt),
        [page.pressed, page.state],
        sound_outputs(page),
        js=PRESSED,
        **PRIVATE,
    )


def _load(
    demo: gr.Blocks, path: str | None, tab: Tab, at: Time, name: str = ""
) -> tuple[Message, Any]:
    """Load a sound that the visitor has chosen; returns the message and the session, or skip."""
    cleanup.free_idle(demo)
    return handlers.load(path, tab, name=name, pressed=at)


def _shows_example(tab: Tab) -> bool:
    """Whether a tab shows an example, whose settings are not meant for other sounds."""
    return tab.session is not None and bool(tab.session.example_variations)


def _presets_of(page: Page, session: Any, after_example: bool) -> tuple:
    """Return the values of `preset_outputs` with a loaded sound: the visitor's own ones stay."""
    if after_example and session != gr.skip():
        return default_presets(page)
    return skipped(preset_outputs(page))


def _work_of(page: Page, session: Any, after_example: bool) -> tuple:
    """Return the values of `work_outputs` with a loaded sound, or with a session file."""
    if isinstance(session, Session) and session.work is not None:
        return work_values(page, session.work)
    return *_presets_of(page, session, after_example), *skipped(work_controls(page))
