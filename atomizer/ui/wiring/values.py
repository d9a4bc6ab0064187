"""The components that events of several groups set, and their values.

Every list of components has a function that returns their values in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from ...atoms.selection import Selection
from ...inpainting.settings import Settings
from ..handlers.controls import AUTO
from ..layout import Page
from ..message import Message
from ..session import Session, Tab
from ..session_file import SavedWork


def skipped(components: Sequence) -> tuple:
    """Return values that leave components unchanged."""
    return (gr.skip(),) * len(components)


def sound_outputs(page: Page) -> list:
    """Components that change with the sound."""
    return [page.view, page.state, page.extend.channel, page.extend.highs]


def sound_values(tab: Tab, message: Message, session: Any) -> tuple:
    """Return the values of `sound_outputs`, of what a handler returned.

    The tab stays the same object. Gradio releases only what an event has returned.
    """
    if session == gr.skip():
        return message, tab, gr.skip(), gr.skip()
    return message, tab, *_additions_that_make_sense(session)


def _additions_that_make_sense(session: Session) -> tuple:
    """Enable the buttons of a second channel and of the highs where the sound lacks these."""
    sound = session.sound
    return (
        gr.update(interactive=sound.channels == 1),
        gr.update(interactive=sound.rate < session.space.rate),
    )


def preset_outputs(page: Page) -> list:
    """Components that an example sets, and that a sound after an example resets."""
    return [*page.features, *preset_controls(page)]


def preset_controls(page: Page) -> list:
    """Those of `preset_outputs` that are no features."""
    panel = page.fill
    return [
        panel.order,
        panel.reverse,
        panel.steps,
        panel.temperature,
        panel.nucleus,
        panel.using,
        panel.timbre,
    ]


def preset_values(page: Page, selection: Selection, settings: Settings) -> tuple:
    """Return the values of `preset_outputs`."""
    ticked = (box.label in selection.features for box in page.features)
    return *ticked, *control_values(settings)


def control_values(settings: Settings) -> tuple:
    """Return the values of `preset_controls`; empty text is the default."""
    numbers = (settings.steps, settings.temperature, settings.nucleus)
    return (
        settings.order or AUTO,
        settings.reverse,
        *("" if value is None else str(value) for value in numbers),
        settings.using,
        settings.timbre,
    )


def default_presets(page: Page) -> tuple:
    """Return the values of `preset_outputs` of a page that was just opened."""
    return preset_values(page, Selection(), Settings())


def work_outputs(page: Page) -> list:
    """Components that a session file sets."""
    return [*preset_outputs(page), *work_controls(page)]


def work_controls(page: Page) -> list:
    """Those of `work_outputs` that an example does not set."""
    panel = page.fill
    return [panel.seed, panel.method, panel.count, page.extend.seconds]


def work_values(page: Page, work: SavedWork) -> tuple:
    """Return the values of `work_outputs`."""
    selection, settings = work.fill.selection, work.fill.settings
    return (
        *preset_values(page, selection, settings),
        "" if work.is_new_seed else str(settings.seed),
        settings.method,
        work.count,
        work.seconds,
    )
