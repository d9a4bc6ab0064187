"""Connects the events of the page's components with the handlers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from ..atoms.selection import Selection
from ..inpainting.settings import Settings
from . import cleanup, handlers
from .component import Chosen, Message
from .examples import ASSETS, Example
from .handlers.controls import AUTO, METHODS
from .layout import Page
from .session import Session
from .session_file import SavedWork

PRIVATE: dict[str, Any] = dict(api_visibility="private", show_progress="hidden")
# fills run one at a time. "multiple": one that was stopped may still count as pending
FILLS: dict[str, Any] = dict(
    concurrency_limit=1,
    concurrency_id="model",
    trigger_mode="multiple",
    api_visibility="private",
    show_progress="minimal",
)


Fill = dict[str, Any]  # what Gradio returns for an event: a Dependency


def connect(demo: gr.Blocks, page: Page) -> None:
    """Connect all events; call it within `gr.Blocks`."""
    fills = _connect_fills(page)
    fills += _connect_examples(page, fills)
    _connect_stop(page, fills)
    _connect_sources(demo, page, fills)
    _connect_variations(page, fills)
    _connect_selection(page)
    _connect_reference(page)
    _connect_compression(page)


# ---------- values that events read and write


def _sound_outputs(page: Page) -> list:
    """Components that change with the sound."""
    return [page.view, page.session, page.extend.channel, page.extend.highs]


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


def _sound_values(message: Message, session: Any) -> tuple:
    """Return the values of `_sound_outputs`, of what a handler returned."""
    skipped = session == gr.skip()
    return message, session, *((gr.skip(), gr.skip()) if skipped else _extend_updates(session))


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


def _connect_fills(page: Page) -> list[Fill]:
    """Connect everything that fills, or takes as long as a fill."""
    view, session, panel, extend = page.view, page.session, page.fill, page.extend

    def fill_selection(chosen: Chosen, old: Session | None, *values) -> Iterator[Message]:
        count = len(page.features)
        features, controls = _ticked(page, values[:count]), values[count:]
        yield from handlers.fill_selection(chosen, old, features, *controls)

    def compare_with_noise(old: Session | None, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_with_noise(old, _event_value(event))

    def refill(old: Session | None, event: gr.EventData) -> Iterator[Message]:
        spans = (_event_value(event, name) for name in ("source", "not_from"))
        yield from handlers.fill_from_source(old, _event_value(event), *spans)

    def paste(chosen: Chosen, old: Session | None, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.paste(chosen, old, _event_value(event, "shift"))

    def fill_prefix(old: Session | None, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.fill_prefix(old, event._data)

    def pursue(old: Session | None, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.decompose(old, _event_value(event, "name"))

    options = dict(show_progress_on=panel.queue, **FILLS)
    controls = panel.controls
    return [
        panel.fill.click(
            fill_selection, [view, session, *page.features, *controls], view, **options
        ),
        extend.past_end.click(
            handlers.continue_sound, [session, extend.seconds, *controls], view, **options
        ),
        extend.channel.click(handlers.add_channel, [session, *controls], view, **options),
        extend.highs.click(handlers.extend_bandwidth, [session, *controls], view, **options),
        view.noise(compare_with_noise, session, view, **options),
        view.refill(refill, session, view, **options),
        view.paste(paste, [view, session], view, **options),
        view.pursue(pursue, session, view, **options),
        view.unsent(fill_prefix, session, view, **options),
    ]


def _connect_examples(page: Page, fills: list[Fill]) -> list[Fill]:
    """Connect the example buttons; returns their fills."""
    sounds = page.sources.example_sounds
    outputs = [*_sound_outputs(page), *_preset_outputs(page), sounds]

    def load_example(example: Example, old: Session | None) -> tuple:
        message, fresh = handlers.load_example(example, old)
        if fresh == gr.skip():
            return message, *_skip(outputs[1:])
        recipe = example.recipe
        return (
            *_sound_values(message, fresh),
            *_preset_values(page, recipe.selection, recipe.settings),
            str(example.path),
        )

    example_fills = {}
    for example, button in page.examples:
        loading = button.click(partial(load_example, example), page.session, outputs, **PRIVATE)
        example_fills[example.id] = loading.then(
            partial(handlers.finish_example, example),
            page.session,
            page.view,
            show_progress_on=page.fill.queue,
            **FILLS,
        )
    # an example cancels all fills but its own, which comes after it
    for example, button in page.examples:
        others = [fill for id_, fill in example_fills.items() if id_ != example.id]
        button.click(None, cancels=[*fills, *others], **PRIVATE)
    return list(example_fills.values())


def _connect_stop(page: Page, fills: list[Fill]) -> None:
    """Connect the Stop button."""
    page.fill.stop.click(handlers.stop, page.session, page.view, **PRIVATE)
    # an event each: with several fills in one event, Gradio looks for the next only when the one
    # before has ended, and could cancel a fill that was started after Stop
    for fill in fills:
        page.fill.stop.click(None, cancels=[fill], **PRIVATE)


def _connect_sources(demo: gr.Blocks, page: Page, fills: list[Fill]) -> None:
    """Connect the upload, the microphone, the example sounds and the excerpt picker."""
    session, sources = page.session, page.sources
    sound_outputs, preset_outputs = _sound_outputs(page), _preset_outputs(page)
    work_outputs = _work_outputs(page)

    def load(path: str | None, old: Session | None) -> tuple:
        cleanup.free_idle(demo)
        return _sound_values(*handlers.load(path, old))

    def load_and_reset(path: str | None, old: Session | None) -> tuple:
        # an example's settings are not meant for other sounds; the visitor's own are
        after_example = old is not None and bool(old.example_variations)
        values = load(path, old)
        if after_example and values[1] != gr.skip():
            return *values, *_preset_values(page, Selection(), Settings())
        return *values, *_skip(preset_outputs)

    def load_upload(path: str | None, old: Session | None) -> tuple:
        # the drop zone becomes empty again, and no example sound is chosen
        values = load_and_reset(path, old)
        fresh = values[1]
        if isinstance(fresh, Session) and fresh.work is not None:
            values = *values[: len(sound_outputs)], *_work_values(page, fresh.work)
        else:
            values = *values, *_skip(work_outputs[len(preset_outputs) :])
        return *values, None, gr.skip() if fresh == gr.skip() else ""

    def choose_excerpt(old: Session | None, event: gr.EventData) -> tuple:
        return _sound_values(*handlers.choose_excerpt(old, event._data))

    # "multiple", "always_last": an event during the previous one must not be lost
    sources.file.upload(
        load_upload,
        [sources.file, session],
        [*sound_outputs, *work_outputs, sources.file, sources.example_sounds],
        cancels=fills,
        trigger_mode="multiple",
        **PRIVATE,
    )
    sources.microphone.stop_recording(
        load_upload,
        [sources.microphone, session],
        [*sound_outputs, *work_outputs, sources.microphone, sources.example_sounds],
        cancels=fills,
        **PRIVATE,
    )
    sources.example_sounds.select(
        load_and_reset,
        [sources.example_sounds, session],
        [*sound_outputs, *preset_outputs],
        cancels=fills,
        trigger_mode="always_last",
        **PRIVATE,
    )
    if sources.example_sounds.value:
        demo.load(load, [sources.example_sounds, session], sound_outputs, **PRIVATE)
    page.view.excerpt(choose_excerpt, session, sound_outputs, cancels=fills, **PRIVATE)


def _connect_variations(page: Page, fills: list[Fill]) -> None:
    """Connect the buttons of variations, of undo, and of exports."""
    view, session, sounds = page.view, page.session, page.sources.example_sounds
    undo_outputs = [*_sound_outputs(page), *_preset_outputs(page), sounds]

    def accept(old: Session | None, event: gr.EventData) -> Message:
        return handlers.accept(old, _event_value(event), _event_value(event, "shape"))

    def undo(old: Session | None) -> tuple:
        return restored(old, *handlers.undo(old))

    def resume(old: Session | None, event: gr.EventData) -> tuple:
        return restored(old, *handlers.resume(old, _event_value(event, "key")))

    def restored(old: Session | None, message: Message, fresh: Any) -> tuple:
        if fresh is old or fresh == gr.skip():
            return message, *_skip(undo_outputs[1:])
        recipe = fresh.current_recipe
        selection = recipe.selection
        if fresh.features:
            selection = replace(selection, features=tuple(fresh.features))
        return (
            *_sound_values(message, fresh),
            *_preset_values(page, selection, recipe.settings),
            _example_sound(fresh),
        )

    def delete_variation(old: Session | None, event: gr.EventData) -> Message:
        return handlers.delete_variation(old, _event_value(event))

    def export_file(old: Session | None, event: gr.EventData) -> Message:
        return handlers.export_file(old, event._data)

    def save_session(chosen: Chosen, old: Session | None, event: gr.EventData, *values) -> Message:
        features, controls = _ticked(page, values), values[len(page.features) :]
        return handlers.save_session(chosen, old, event._data, features, *controls)

    view.accept(accept, session, view, **PRIVATE)
    view.revert(undo, session, undo_outputs, cancels=fills, **PRIVATE)
    view.resume(resume, session, undo_outputs, **PRIVATE)
    view.forget(delete_variation, session, view, **PRIVATE)
    view.export(export_file, session, view, trigger_mode="multiple", **PRIVATE)
    controls = [*page.fill.controls, page.extend.seconds]
    view.save(save_session, [view, session, *page.features, *controls], view, **PRIVATE)


def _connect_selection(page: Page) -> None:
    """Describe the selection after every change of it, of the features, or of the controls."""
    count = len(page.features)
    set_by_examples = _preset_outputs(page)[count:]
    controls = page.fill.controls
    places = [
        k for part in set_by_examples for k, control in enumerate(controls) if control is part
    ]

    def describe(chosen: Chosen, old: Session | None, seconds: Any, *values) -> tuple:
        features, fields = _ticked(page, values[:count]), list(values[count:])
        left = handlers.leave_example(chosen, old)
        updates = _skip(places)
        if left is not None:  # what the visitor has changed stays
            theirs = _preset_values(page, left.selection, left.settings)[count:]
            usual = _preset_values(page, Selection(), Settings())[count:]
            updates = tuple(
                default if fields[k] == given else gr.skip()
                for k, given, default in zip(places, theirs, usual)
            )
        for k, update in zip(places, updates):
            if update != gr.skip():
                fields[k] = update
        handlers.plan_additions(old, seconds, *fields)
        return handlers.describe(chosen, old, features, *fields), *updates

    def load_settings(old: Session | None, event: gr.EventData) -> tuple:
        message, recipe = handlers.load_settings(old, event._data)
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

    def inspect(old: Session | None, seconds: Any, event: gr.EventData, *fields) -> Message:
        handlers.plan_additions(old, seconds, *fields)
        return handlers.inspect(old, _event_value(event, "thorough") is True)

    def find_similar(old: Session | None, event: gr.EventData) -> Message:
        return handlers.find_similar(old, _event_value(event, "region"), _event_value(event, "key"))

    page.view.similar(find_similar, page.session, page.view, trigger_mode="multiple", **PRIVATE)
    page.view.inspect(
        inspect,
        [page.session, page.extend.seconds, *controls],
        page.view,
        trigger_mode="multiple",
        **PRIVATE,
    )
    page.view.settings(load_settings, page.session, [page.view, *_work_outputs(page)], **PRIVATE)
    inputs = [page.view, page.session, page.extend.seconds, *page.features, *controls]
    outputs = [page.view, *set_by_examples]
    fields = (page.extend.seconds, *page.features, *controls)
    events = (page.view.selected, *(part.input for part in fields))
    for event in events:
        event(describe, inputs, outputs, queue=False, trigger_mode="always_last", **PRIVATE)


def _connect_reference(page: Page) -> None:
    """Connect the recording whose highs filled highs shall have."""
    view, session, file = page.view, page.session, page.fill.reference

    def load_reference(path: str | None, old: Session | None) -> tuple:
        return handlers.load_reference(path, old), None

    def choose_reference(old: Session | None, event: gr.EventData) -> Message:
        return handlers.choose_reference(old, event._data)

    file.upload(load_reference, [file, session], [view, file], **PRIVATE)
    view.reference(choose_reference, session, view, **PRIVATE)


def _connect_compression(page: Page) -> None:
    """Connect the file of atoms in the panel of orderings."""

    def encode_file(old: Session | None, event: gr.EventData) -> Message:
        return handlers.encode_file(old, _event_value(event, "order"))

    def decode_prefix(old: Session | None, event: gr.EventData) -> Message:
        return handlers.decode_prefix(old, event._data)

    def compare_codecs(old: Session | None, event: gr.EventData) -> Iterator[Message]:
        yield from handlers.compare_codecs(old, _event_value(event, "order"))

    view, session = page.view, page.session
    view.encode(encode_file, session, view, trigger_mode="multiple", **PRIVATE)
    view.prefix(decode_prefix, session, view, trigger_mode="always_last", **PRIVATE)
    view.codecs(compare_codecs, session, view, trigger_mode="once", **PRIVATE)
