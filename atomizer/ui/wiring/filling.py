"""Events that fill, those of the examples, and Stop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from .. import handlers
from ..examples import Example
from ..layout import Page
from ..message import Chosen, Message
from ..session import Tab
from .events import (
    FILLS,
    PRESSED,
    PRIVATE,
    EndsFills,
    FillEvent,
    Time,
    event_value,
    ticked_features,
)
from .values import preset_outputs, preset_values, skipped, sound_outputs, sound_values


def connect_fills(page: Page) -> list[FillEvent]:
    """Connect everything that fills, or takes as long as a fill."""
    view, state, panel, extend = page.view, page.state, page.fill, page.extend

    def fill_selection(at: Time, chosen: Chosen, tab: Tab, *values) -> Iterator[Message]:
        features, controls = ticked_features(page, values), values[len(page.features) :]
        yield from handlers.fill_selection(chosen, tab.session, features, *controls, pressed=at)

    def continue_sound(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.continue_sound(tab.session, *values, pressed=at)

    def add_channel(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.add_channel(tab.session, *values, pressed=at)

    def extend_bandwidth(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.extend_bandwidth(tab.session, *values, pressed=at)

    def compare_with_noise(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_with_noise(tab.session, event_value(event), at)

    def refill(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        source, not_from = (event_value(event, name) for name in ("source", "not_from"))
        number = event_value(event)
        yield from handlers.fill_from_source(tab.session, number, source, not_from, at)

    def paste(at: Time, chosen: Chosen, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.paste(chosen, tab.session, event_value(event, "shift"), at)

    def fill_prefix(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.fill_prefix(tab.session, event._data, at)

    def pursue(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.decompose(tab.session, event_value(event, "name"), at)

    def fill_on(listen: Any, fill: Any, *inputs: Any) -> FillEvent:
        inputs = page.pressed, *inputs
        return listen(fill, inputs, view, show_progress_on=panel.queue, js=PRESSED, **FILLS)

    controls = panel.controls
    return [
        fill_on(panel.fill.click, fill_selection, view, state, *page.features, *controls),
        fill_on(extend.past_end.click, continue_sound, state, extend.seconds, *controls),
        fill_on(extend.channel.click, add_channel, state, *controls),
        fill_on(extend.highs.click, extend_bandwidth, state, *controls),
        fill_on(view.noise, compare_with_noise, state),
        fill_on(view.refill, refill, state),
        fill_on(view.paste, paste, view, state),
        fill_on(view.pursue, pursue, state),
        fill_on(view.unsent, fill_prefix, state),
    ]


def connect_examples(page: Page, ends_fills: EndsFills) -> list[FillEvent]:
    """Connect the example buttons; returns their fills."""
    sounds = page.sources.example_sounds
    outputs = [*sound_outputs(page), *preset_outputs(page), sounds]

    def load_example(example: Example, at: Time, tab: Tab) -> tuple:
        message, fresh = handlers.load_example(example, tab, at)
        if fresh == gr.skip():
            return message, *skipped(outputs[1:])
        recipe = example.recipe
        return (
            *sound_values(tab, message, fresh),
            *preset_values(page, recipe.selection, recipe.settings),
            str(example.path),
        )

    def finish_example(example: Example, tab: Tab) -> Iterator[Message]:
        yield from handlers.finish_example(example, tab.session)

    example_fills = []
    for example, button in page.examples:
        loading = button.click(
            ends_fills(partial(load_example, example)),
            [page.pressed, page.state],
            outputs,
            js=PRESSED,
            **PRIVATE,
        )
        example_fills.append(
            loading.then(
                partial(finish_example, example),
                page.state,
                page.view,
                show_progress_on=page.fill.queue,
                **FILLS,
            )
        )
    return example_fills


def connect_stop(page: Page, ends_fills: EndsFills) -> None:
    """Connect the Stop button."""

    def stop(at: Time, tab: Tab) -> Message:
        return handlers.stop(tab.session, at)

    page.fill.stop.click(
        ends_fills(stop), [page.pressed, page.state], page.view, js=PRESSED, **PRIVATE
    )
