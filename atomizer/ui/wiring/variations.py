"""Events of variations, of undo, and of exports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from .. import handlers
from ..examples import ASSETS
from ..layout import Page
from ..message import Chosen, Message
from ..session import Session, Tab
from .events import PRESSED, PRIVATE, EndsFills, Time, event_value, ticked_features
from .values import preset_outputs, preset_values, skipped, sound_outputs, sound_values


def connect_variations(page: Page, ends_fills: EndsFills) -> None:
    """Connect the buttons of variations, of undo, and of exports."""
    view, state = page.view, page.state
    restored_outputs = [*sound_outputs(page), *_controls_of_session(page)]

    def accept(tab: Tab, event: gr.EventData) -> tuple:
        session, number = tab.session, event_value(event)
        message = handlers.accept(session, number, event_value(event, "shape"))
        return sound_values(tab, message, gr.skip() if session is None else session)

    def undo(at: Time, tab: Tab) -> tuple:
        return restored(tab, tab.session, *handlers.undo(tab, at))

    def resume(tab: Tab, event: gr.EventData) -> tuple:
        key, is_copy = event_value(event, "key"), event_value(event, "is_copy") is True
        return restored(tab, tab.session, *handlers.resume(tab, key, is_copy))

    def restored(tab: Tab, before: Session | None, message: Message, session: Any) -> tuple:
        if session is before or session == gr.skip():
            others = skipped(_controls_of_session(page))
        else:
            others = _values_of_session(page, session)
        return *sound_values(tab, message, session), *others

    def delete_variation(tab: Tab, event: gr.EventData) -> Message:
        return handlers.delete_variation(tab.session, event_value(event))

    def export_file(tab: Tab, event: gr.EventData) -> Message:
        return handlers.export_file(tab.session, event._data)

    def save_session(chosen: Chosen, tab: Tab, event: gr.EventData, *values) -> Message:
        features, controls = ticked_features(page, values), values[len(page.features) :]
        return handlers.save_session(chosen, tab.session, event._data, features, *controls)

    view.accept(accept, state, sound_outputs(page), **PRIVATE)
    view.revert(ends_fills(undo), [page.pressed, state], restored_outputs, js=PRESSED, **PRIVATE)
    view.resume(resume, state, restored_outputs, **PRIVATE)
    view.forget(delete_variation, state, view, **PRIVATE)
    view.export(export_file, state, view, trigger_mode="multiple", **PRIVATE)
    controls = [*page.fill.controls, page.extend.seconds]
    view.save(save_session, [view, state, *page.features, *controls], view, **PRIVATE)


def _controls_of_session(page: Page) -> list:
    """Components that another session sets, besides `sound_outputs`, where undo leads to it."""
    return [*preset_outputs(page), page.sources.example_sounds]


def _values_of_session(page: Page, session: Session) -> tuple:
    """Return the values of `_controls_of_session`: those of its last fill."""
    recipe = session.current_recipe
    selection = recipe.selection
    if session.features:
        selection = replace(selection, features=tuple(session.features))
    return *preset_values(page, selection, recipe.settings), _example_sound(session)


def _example_sound(session: Session) -> str:
    """Return the path of the example sound that the session shows, or ""."""
    path = ASSETS / session.name
    return str(path) if session.uploaded_file is None and path.is_file() else ""
