"""Connects the events of the page's components with the handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial, wraps
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from ..atoms.selection import Selection
from ..inpainting.recipe import Recipe
from ..inpainting.settings import Settings
from . import cancelling, cleanup, handlers
from .component import Chosen, Message
from .examples import ASSETS, Example
from .handlers.controls import AUTO, METHODS
from .layout import Page
from .session import Session, Tab
from .session_file import SavedWork

PRIVATE: dict[str, Any] = dict(api_visibility="private", show_progress="hidden")
# sets the first input: the time of the press, in ms. Requests overtake each other
PRESSED = "(_, ...inputs) => [performance.timeOrigin + performance.now(), ...inputs]"
# fills run one at a time. "multiple": one that was stopped may still count as pending
FILLS: dict[str, Any] = dict(
    concurrency_limit=1,
    concurrency_id="model",
    trigger_mode="multiple",
    api_visibility="private",
    show_progress="minimal",
)

Time = float | None  # `pressed` of handlers
Fill = dict[str, Any]  # what Gradio returns for an event: a Dependency
Ending = Callable[[Callable], Callable[..., Awaitable]]  # as `_ending` says


def connect(demo: gr.Blocks, page: Page) -> None:
    """Connect all events; call it within `gr.Blocks`."""
    fills: list[Fill] = []
    ending = _ending(demo, fills)
    fills += _connect_fills(page)
    fills += _connect_examples(page, ending)
    _connect_stop(page, ending)
    _connect_sources(demo, page, ending)
    _connect_variations(page, ending)
    _connect_selection(page)
    _connect_findings(page)
    _connect_settings_file(page)
    _connect_reference(page)
    _connect_compression(page)


# ---------- values that events read and write


def _sound_outputs(page: Page) -> list:
    """Components that change with the sound."""
    return [page.view, page.state, page.extend.channel, page.extend.highs]


def _preset_outputs(page: Page) -> list:
    """Components that an example sets, and that a sound after an example resets."""
    panel = page.fill
    return [
        *page.features,
        panel.order,
        panel.reverse,
        panel.steps,
        panel.temperature,
        panel.nucleus,
        panel.using,
        panel.timbre,
    ]


def _skip(components: list) -> tuple:
    """Return values that leave components unchanged."""
    return (gr.skip(),) * len(components)


def _preset_values(page: Page, selection: Selection, settings: Settings) -> tuple:
    """Return the values of `_preset_outputs`; empty text is the default."""
    numbers = (settings.steps, settings.temperature, settings.nucleus)
    return (
        *(box.label in selection.features for box in page.features),
        settings.order or AUTO,
        settings.reverse,
        *("" if value is None else str(value) for value in numbers),
        settings.using,
        settings.timbre,
    )


def _work_outputs(page: Page) -> list:
    """Components that a session file sets."""
    panel = page.fill
    return [*_preset_outputs(page), panel.seed, panel.method, panel.count, page.extend.seconds]


def _work_values(page: Page, work: SavedWork) -> tuple:
    """Return the values of `_work_outputs`."""
    selection, settings = work.fill.selection, work.fill.settings
    return (
        *_preset_values(page, selection, settings),
        "" if work.is_new_seed else str(settings.seed),
        settings.method,
        work.count,
        work.seconds,
    )


def _extend_updates(session: Session) -> tuple:
    """Enable the buttons that make sense for a sound: a second channel, and the highs."""
    sound = session.sound
    return (
        gr.update(interactive=sound.channels == 1),
        gr.update(interactive=sound.rate < session.space.rate),
    )


def _sound_values(tab: Tab, message: Message, session: Any) -> tuple:
    """Return the values of `_sound_outputs`, of what a handler returned.

    The tab stays the same object. Gradio releases only what an event has returned.
    """
    skipped = session == gr.skip()
    return message, tab, *((gr.skip(), gr.skip()) if skipped else _extend_updates(session))


def _ticked(page: Page, values: tuple) -> list[str]:
    """Return the names of the ticked features."""
    return [str(box.label) for box, ticked in zip(page.features, values) if ticked]


def _event_value(event: gr.EventData, key: str = "id") -> Any:
    """Return a value that the browser sent with an event, or None."""
    return event._data.get(key) if isinstance(event._data, dict) else None


def _example_sound(session: Session) -> str:
    """Return the path of the example sound that the session shows, or ""."""
    path = ASSETS / session.name
    return str(path) if session.uploaded_file is None and path.is_file() else ""


# ---------- groups of events


def _ending(demo: gr.Blocks, fills: list[Fill]) -> Ending:
    """Return what makes the handler of an event that ends all fills: Stop, another sound, undo.

    What waits is taken out of the queue first. Gradio's `cancels` is not used: its requests can
    arrive late, and end a fill that was pressed later, which the page would wait for. A job that
    was stopped, or whose sound was replaced, ends by itself at its next step.
    """

    def ending(handler: Callable) -> Callable[..., Awaitable]:
        @wraps(handler)
        async def end(*values: Any) -> Any:
            request = LocalContext.request.get(None)
            visitor = None if request is None else request.session_hash
            await cancelling.drop_waiting(demo, visitor, [fill["id"] for fill in fills])
            return await asyncio.to_thread(handler, *values)

        return end

    return ending


def _connect_fills(page: Page) -> list[Fill]:
    """Connect everything that fills, or takes as long as a fill."""
    view, state, panel, extend = page.view, page.state, page.fill, page.extend

    def fill_selection(at: Time, chosen: Chosen, tab: Tab, *values) -> Iterator[Message]:
        count = len(page.features)
        features, controls = _ticked(page, values[:count]), values[count:]
        yield from handlers.fill_selection(chosen, tab.session, features, *controls, pressed=at)

    def continue_sound(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.continue_sound(tab.session, *values, pressed=at)

    def add_channel(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.add_channel(tab.session, *values, pressed=at)

    def extend_bandwidth(at: Time, tab: Tab, *values) -> Iterator[Message]:
        yield from handlers.extend_bandwidth(tab.session, *values, pressed=at)

    def compare_with_noise(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_with_noise(tab.session, _event_value(event), at)

    def refill(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        source, not_from = (_event_value(event, name) for name in ("source", "not_from"))
        number = _event_value(event)
        yield from handlers.fill_from_source(tab.session, number, source, not_from, at)

    def paste(at: Time, chosen: Chosen, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.paste(chosen, tab.session, _event_value(event, "shift"), at)

    def fill_prefix(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.fill_prefix(tab.session, event._data, at)

    def pursue(at: Time, tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.decompose(tab.session, _event_value(event, "name"), at)

    def fill_on(listen: Any, fill: Any, *inputs: Any) -> Fill:
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


def _connect_examples(page: Page, ending: Ending) -> list[Fill]:
    """Connect the example buttons; returns their fills."""
    sounds = page.sources.example_sounds
    outputs = [*_sound_outputs(page), *_preset_outputs(page), sounds]

    def load_example(example: Example, at: Time, tab: Tab) -> tuple:
        message, fresh = handlers.load_example(example, tab, at)
        if fresh == gr.skip():
            return message, *_skip(outputs[1:])
        recipe = example.recipe
        return (
            *_sound_values(tab, message, fresh),
            *_preset_values(page, recipe.selection, recipe.settings),
            str(example.path),
        )

    def finish_example(example: Example, tab: Tab) -> Iterator[Message]:
        yield from handlers.finish_example(example, tab.session)

    example_fills = []
    for example, button in page.examples:
        loading = button.click(
            ending(partial(load_example, example)),
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


def _connect_stop(page: Page, ending: Ending) -> None:
    """Connect the Stop button."""

    def stop(at: Time, tab: Tab) -> Message:
        return handlers.stop(tab.session, at)

    page.fill.stop.click(ending(stop), [page.pressed, page.state], page.view, js=PRESSED, **PRIVATE)


def _connect_sources(demo: gr.Blocks, page: Page, ending: Ending) -> None:
    """Connect the upload, the microphone, the example sounds and the excerpt picker."""
    pressed, state, sources = page.pressed, page.state, page.sources
    sound_outputs, preset_outputs = _sound_outputs(page), _preset_outputs(page)
    work_outputs = _work_outputs(page)

    def load_first(path: str | None, tab: Tab) -> tuple:
        cleanup.free_idle(demo)
        # what the visitor chooses comes after it, also while it loads
        return _sound_values(tab, *handlers.load(path, tab, choice=0))

    def load(path: str | None, tab: Tab, at: Time, name: str = "") -> tuple[tuple, Any]:
        """Return the values of `_sound_outputs` and `_preset_outputs`, and the session."""
        cleanup.free_idle(demo)
        # an example's settings are not meant for other sounds; the visitor's own are
        after_example = tab.session is not None and bool(tab.session.example_variations)
        message, fresh = handlers.load(path, tab, name=name, pressed=at)
        resets = after_example and fresh != gr.skip()
        presets = _preset_values(page, Selection(), Settings()) if resets else _skip(preset_outputs)
        return (*_sound_values(tab, message, fresh), *presets), fresh

    def load_chosen(at: Time, path: str | None, tab: Tab) -> tuple:
        return load(path, tab, at)[0]

    def load_upload(at: Time, path: str | None, tab: Tab, name: str = "") -> tuple:
        # the drop zone becomes empty again, and no example sound is chosen
        values, fresh = load(path, tab, at, name)
        if isinstance(fresh, Session) and fresh.work is not None:
            values = *values[: len(sound_outputs)], *_work_values(page, fresh.work)
        else:
            values = *values, *_skip(work_outputs[len(preset_outputs) :])
        return *values, None, gr.skip() if fresh == gr.skip() else ""

    def choose_excerpt(at: Time, tab: Tab, event: gr.EventData) -> tuple:
        return _sound_values(tab, *handlers.choose_excerpt(tab, event._data, at))

    # "multiple", "always_last": an event during the previous one must not be lost
    sources.file.upload(
        ending(load_upload),
        [pressed, sources.file, state],
        [*sound_outputs, *work_outputs, sources.file, sources.example_sounds],
        js=PRESSED,
        trigger_mode="multiple",
        **PRIVATE,
    )
    sources.microphone.stop_recording(
        ending(partial(load_upload, name="Recording.wav")),
        [pressed, sources.microphone, state],
        [*sound_outputs, *work_outputs, sources.microphone, sources.example_sounds],
        js=PRESSED,
        **PRIVATE,
    )
    sources.example_sounds.select(
        ending(load_chosen),
        [pressed, sources.example_sounds, state],
        [*sound_outputs, *preset_outputs],
        js=PRESSED,
        trigger_mode="always_last",
        **PRIVATE,
    )
    if sources.example_sounds.value:
        demo.load(load_first, [sources.example_sounds, state], sound_outputs, **PRIVATE)
    page.view.excerpt(
        ending(choose_excerpt), [pressed, state], sound_outputs, js=PRESSED, **PRIVATE
    )


def _connect_variations(page: Page, ending: Ending) -> None:
    """Connect the buttons of variations, of undo, and of exports."""
    view, state, sounds = page.view, page.state, page.sources.example_sounds
    others = [*_preset_outputs(page), sounds]
    undo_outputs = [*_sound_outputs(page), *others]

    def accept(tab: Tab, event: gr.EventData) -> tuple:
        session, number = tab.session, _event_value(event)
        message = handlers.accept(session, number, _event_value(event, "shape"))
        return _sound_values(tab, message, gr.skip() if session is None else session)

    def undo(at: Time, tab: Tab) -> tuple:
        return restored(tab, tab.session, *handlers.undo(tab, at))

    def resume(tab: Tab, event: gr.EventData) -> tuple:
        key, is_copy = _event_value(event, "key"), _event_value(event, "is_copy") is True
        return restored(tab, tab.session, *handlers.resume(tab, key, is_copy))

    def restored(tab: Tab, before: Session | None, message: Message, fresh: Any) -> tuple:
        if fresh is before or fresh == gr.skip():
            return *_sound_values(tab, message, fresh), *_skip(others)
        recipe = fresh.current_recipe
        selection = recipe.selection
        if fresh.features:
            selection = replace(selection, features=tuple(fresh.features))
        return (
            *_sound_values(tab, message, fresh),
            *_preset_values(page, selection, recipe.settings),
            _example_sound(fresh),
        )

    def delete_variation(tab: Tab, event: gr.EventData) -> Message:
        return handlers.delete_variation(tab.session, _event_value(event))

    def export_file(tab: Tab, event: gr.EventData) -> Message:
        return handlers.export_file(tab.session, event._data)

    def save_session(chosen: Chosen, tab: Tab, event: gr.EventData, *values) -> Message:
        features, controls = _ticked(page, values), values[len(page.features) :]
        return handlers.save_session(chosen, tab.session, event._data, features, *controls)

    view.accept(accept, state, _sound_outputs(page), **PRIVATE)
    view.revert(ending(undo), [page.pressed, state], undo_outputs, js=PRESSED, **PRIVATE)
    view.resume(resume, state, undo_outputs, **PRIVATE)
    view.forget(delete_variation, state, view, **PRIVATE)
    view.export(export_file, state, view, trigger_mode="multiple", **PRIVATE)
    controls = [*page.fill.controls, page.extend.seconds]
    view.save(save_session, [view, state, *page.features, *controls], view, **PRIVATE)


def _connect_selection(page: Page) -> None:
    """Describe the selection after every change of it, of the features, or of the controls."""
    count = len(page.features)
    set_by_examples = _preset_outputs(page)[count:]
    controls = page.fill.controls
    places = [
        k for part in set_by_examples for k, control in enumerate(controls) if control is part
    ]

    def describe(chosen: Chosen, tab: Tab, seconds: Any, *values) -> tuple:
        features, fields = _ticked(page, values[:count]), list(values[count:])
        session = tab.session
        left = handlers.leave_example(chosen, session)
        updates = _skip(places)
        if left is not None:
            updates = _defaults_after(page, left, [fields[k] for k in places])
        for k, update in zip(places, updates):
            if update != gr.skip():
                fields[k] = update
        handlers.plan_additions(session, seconds, *fields)
        return handlers.describe(chosen, session, features, *fields), *updates

    inputs = [page.view, page.state, page.extend.seconds, *page.features, *controls]
    outputs = [page.view, *set_by_examples]
    fields = (page.extend.seconds, *page.features, *controls)
    events = (page.view.selected, *(part.input for part in fields))
    for event in events:
        event(describe, inputs, outputs, queue=False, trigger_mode="always_last", **PRIVATE)


def _defaults_after(page: Page, example: Recipe, fields: list) -> tuple:
    """Return what resets the fields that an example has set; what the visitor changed stays.

    fields  values of the components of `_preset_outputs` after the features
    """
    count = len(page.features)
    given = _preset_values(page, example.selection, example.settings)[count:]
    usual = _preset_values(page, Selection(), Settings())[count:]
    return tuple(
        default if field == value else gr.skip()
        for field, value, default in zip(fields, given, usual)
    )


def _connect_settings_file(page: Page) -> None:
    """Connect the settings file that a visitor opens."""

    def load_settings(tab: Tab, event: gr.EventData) -> tuple:
        message, recipe = handlers.load_settings(tab.session, event._data)
        if recipe is None:
            return message, *_skip(_work_outputs(page))
        settings = recipe.settings
        return (
            message,
            *_preset_values(page, recipe.selection, settings),
            str(settings.seed),
            settings.method if settings.method in METHODS else gr.skip(),
            gr.skip(),
            recipe.extend or gr.skip(),
        )

    page.view.settings(load_settings, page.state, [page.view, *_work_outputs(page)], **PRIVATE)


def _connect_findings(page: Page) -> None:
    """Connect what is found in the sound: its parts to select, and places like a selected one."""

    def inspect(tab: Tab, seconds: Any, event: gr.EventData, *fields) -> Message:
        session = tab.session
        handlers.plan_additions(session, seconds, *fields)
        return handlers.inspect(session, _event_value(event, "thorough") is True)

    def find_similar(tab: Tab, event: gr.EventData) -> Message:
        region, key = (_event_value(event, name) for name in ("region", "key"))
        return handlers.find_similar(tab.session, region, key)

    page.view.similar(find_similar, page.state, page.view, trigger_mode="multiple", **PRIVATE)
    page.view.inspect(
        inspect,
        [page.state, page.extend.seconds, *page.fill.controls],
        page.view,
        trigger_mode="multiple",
        **PRIVATE,
    )


def _connect_reference(page: Page) -> None:
    """Connect the recording whose highs filled highs shall have."""
    view, state, file = page.view, page.state, page.fill.reference

    def load_reference(path: str | None, tab: Tab) -> tuple:
        return handlers.load_reference(path, tab.session), None

    def choose_reference(tab: Tab, event: gr.EventData) -> Message:
        return handlers.choose_reference(tab.session, event._data)

    file.upload(load_reference, [file, state], [view, file], **PRIVATE)
    view.reference(choose_reference, state, view, **PRIVATE)


def _connect_compression(page: Page) -> None:
    """Connect the file of atoms in the panel of orderings."""

    def encode_file(tab: Tab, event: gr.EventData) -> Message:
        return handlers.encode_file(tab.session, _event_value(event, "order"))

    def decode_prefix(tab: Tab, event: gr.EventData) -> Message:
        return handlers.decode_prefix(tab.session, event._data)

    def compare_codecs(tab: Tab, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_codecs(tab.session, _event_value(event, "order"))

    view, state = page.view, page.state
    view.encode(encode_file, state, view, trigger_mode="multiple", **PRIVATE)
    view.prefix(decode_prefix, state, view, trigger_mode="always_last", **PRIVATE)
    view.codecs(compare_codecs, state, view, trigger_mode="once", **PRIVATE)
