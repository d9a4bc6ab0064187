"""Events of the selection, of what is found in a sound to select, and of settings files."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...inpainting.recipe import Recipe
from ...inpainting.settings import Settings
from .. import handlers
from ..handlers.controls import METHOD_TITLES
from ..layout import Page
from ..message import Chosen, Message
from ..session import Tab
from .events import PRIVATE, event_value, ticked_features
from .values import control_values, preset_controls, preset_values, skipped, work_outputs


def connect_selection(page: Page) -> None:
    """Describe the selection after every change of it, of the features, or of the controls."""
    count, controls, resettable = len(page.features), page.fill.controls, preset_controls(page)
    places = [controls.index(control) for control in resettable]

    def describe(chosen: Chosen, tab: Tab, seconds: Any, *values) -> tuple:
        features, fields = ticked_features(page, values), list(values[count:])
        session = tab.session
        example = handlers.leave_example(chosen, session)
        updates = skipped(resettable)
        if example is not None:
            updates = _defaults_after(example, [fields[k] for k in places])
        for k, update in zip(places, updates):
            if update != gr.skip():
                fields[k] = update
        handlers.plan_additions(session, seconds, *fields)
        return handlers.describe(chosen, session, features, *fields), *updates

    inputs = [page.view, page.state, page.extend.seconds, *page.features, *controls]
    outputs = [page.view, *resettable]
    fields = (page.extend.seconds, *page.features, *controls)
    for event in (page.view.selected, *(field.input for field in fields)):
        event(describe, inputs, outputs, queue=False, trigger_mode="always_last", **PRIVATE)


def _defaults_after(example: Recipe, fields: list) -> tuple:
    """Return what resets the controls that an example has set; what the visitor changed stays.

    fields  values of `preset_controls`
    """
    by_example, defaults = control_values(example.settings), control_values(Settings())
    return tuple(
        default if field == value else gr.skip()
        for field, value, default in zip(fields, by_example, defaults)
    )


def connect_findings(page: Page) -> None:
    """Connect what is found in the sound: its parts to select, and places like a selected one."""

    def inspect(tab: Tab, seconds: Any, event: gr.EventData, *fields) -> Message:
        session = tab.session
        handlers.plan_additions(session, seconds, *fields)
        return handlers.inspect(session, event_value(event, "thorough") is True)

    def find_similar(tab: Tab, event: gr.EventData) -> Message:
        region, key = (event_value(event, name) for name in ("region", "key"))
        return handlers.find_similar(tab.session, region, key)

    page.view.similar(find_similar, page.state, page.view, trigger_mode="multiple", **PRIVATE)
    page.view.inspect(
        inspect,
        [page.state, page.extend.seconds, *page.fill.controls],
        page.view,
        trigger_mode="multiple",
        **PRIVATE,
    )


def connect_settings_file(page: Page) -> None:
    """Connect the settings file that a visitor opens."""

    def load_settings(tab: Tab, event: gr.EventData) -> tuple:
        message, recipe = handlers.load_settings(tab.session, event._data)
        if recipe is None:
            return message, *skipped(work_outputs(page))
        settings = recipe.settings
        return (
            message,
            *preset_values(page, recipe.selection, settings),
            str(settings.seed),
            settings.method if settings.method in METHOD_TITLES else gr.skip(),
            gr.skip(),
            recipe.extend or gr.skip(),
        )

    page.view.settings(load_settings, page.state, [page.view, *work_outputs(page)], **PRIVATE)
