"""Layout and wiring of the page."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.themes.utils.fonts import Font

from ..atoms.orderings import ORDERINGS
from ..atoms.selection import Selection
from ..atoms.space import LOUDNESS, AtomSpace
from ..inpainting.settings import Settings
from ..limits import MEGABYTE, limits
from . import api
from . import cleanup as visitors
from . import examples as stories
from . import gpu as device
from . import handlers as actions
from .component import PLOTLY_JS, STATIC, AtomView
from .examples import ASSETS, Story

SOUND_ENDINGS = (".flac", ".ogg", ".wav")
PRIVATE = dict(api_visibility="private", show_progress="hidden")
# "multiple": one that was stopped may still count as pending when the next is asked for
FILLS = dict(
    concurrency_limit=1,
    concurrency_id="model",
    trigger_mode="multiple",
    api_visibility="private",
    show_progress="minimal",
)

INTRO = """
<h1>The Atomizer</h1>
<p>Erase part of a sound, and a Transformer fills it in again, atom by atom, in the order that you choose.</p>
<span class="links"><button type="button" data-open="how">How it works</button><button type="button" data-open="keys">Shortcuts</button></span>
"""


def example_sounds() -> list[tuple[str, str]]:
    """(title, path) of the sounds in assets/."""
    paths = (
        sorted(p for p in ASSETS.glob("*") if p.suffix.lower() in SOUND_ENDINGS)
        if ASSETS.is_dir()
        else []
    )
    return [
        (path.stem.replace("_", " ").replace("-", " ").capitalize(), str(path)) for path in paths
    ]


def heading(number: int, text: str) -> None:
    """A numbered heading of the controls."""
    gr.HTML(f"<h2><span>{number}</span>{text}</h2>", elem_classes="heading", padding=False)


def sent_with(event: gr.EventData, key: str = "id") -> Any:
    """What an event of the picture carries; None where whoever sent it left that out."""
    return event._data.get(key) if isinstance(event._data, dict) else None


def build() -> gr.Blocks:
    """The page, not yet launched. Raises AtomizerError where the environment sets a limit that is none."""
    device.prepare()
    gr.set_static_paths([PLOTLY_JS, STATIC])
    with gr.Blocks(
        title="The Atomizer",
        analytics_enabled=False,
        delete_cache=(3600, 24 * 3600),
        fill_width=True,
    ) as demo:
        session = gr.State(None, delete_callback=lambda s: s and s.close())
        gr.HTML(INTRO, elem_id="intro", padding=False)
        story_buttons = _stories()
        with gr.Row(elem_id="bench"):
            with gr.Column(elem_id="source", min_width=0):
                file, microphone, examples = _source()
            with gr.Column(elem_id="stage", min_width=0):
                view = AtomView(elem_id="view")
            with gr.Column(elem_id="controls", min_width=0):
                features = _features()
                controls, go, halt, queue = _fill_controls()
                beyond = _beyond()
        _wire(
            demo,
            session,
            view,
            (file, microphone, examples),
            story_buttons,
            features,
            controls,
            go,
            halt,
            queue,
            beyond,
        )
        api.add_endpoints()
        visitors.watch(demo)
        refusal = visitors.refusal()
    demo.queue(max_size=limits().queue)
    visitors.share_queue(demo, refusal)
    return demo


def _stories() -> list[tuple[Story, gr.Button]]:
    with gr.Row(elem_id="stories"):
        return [
            (
                story,
                gr.Button(
                    story.title, elem_id=f"story-{story.id}", elem_classes="story", min_width=0
                ),
            )
            for story in stories.available()
        ]


def _source():
    heading(1, "Choose a sound")
    sounds = example_sounds()
    examples = gr.Dropdown(
        [("Take an example …", ""), *sounds],
        value=sounds[0][1] if sounds else "",
        label="Example sounds",
        elem_id="examples",
        visible=bool(sounds),
        filterable=False,
        show_label=False,
        container=False,
    )
    # gr.Audio would decode what is dropped in the browser, and knows fewer formats than we do
    file = gr.File(label="Your own", elem_id="file", height=84)
    with gr.Accordion("Record with the microphone", open=False, elem_id="record"):
        microphone = gr.Audio(
            type="filepath",
            sources=["microphone"],
            show_label=False,
            container=False,
            elem_id="microphone",
            editable=False,
        )
    return file, microphone, examples


def _features() -> list[gr.Checkbox]:
    heading(2, "Select atoms, and what is unknown")
    with gr.Group(elem_id="features"):
        return [
            gr.Checkbox(
                feature.name in LOUDNESS,
                label=feature.name,
                info=feature.when_unknown,
                elem_id=f"feature-{feature.name}",
                container=False,
            )
            for feature in sorted(AtomSpace().features, key=lambda f: f.locates)
        ]


def _fill_controls():
    heading(3, "Fill them in, in an ordering")
    with gr.Row(elem_classes="pair", elem_id="ordering"):
        order = gr.Dropdown(
            [("what suits the task", actions.AUTO), *((name, name) for name in ORDERINGS)],
            value=actions.AUTO,
            label="Ordering: which atoms come first",
            show_label=False,
            container=False,
            filterable=False,
            elem_id="order",
            min_width=0,
            scale=3,
        )
        reverse = gr.Checkbox(
            False, label="reversed", elem_id="reverse", container=False, min_width=0, scale=1
        )
    with gr.Row(elem_classes="pair", elem_id="go"):
        go = gr.Button("Fill in", variant="primary", elem_id="fill", scale=3, min_width=0)
        halt = gr.Button("Stop", elem_id="stop", scale=1, min_width=0)
    queue = gr.HTML("", elem_id="queue", padding=False)  # Gradio writes the place in the queue here
    with gr.Accordion("Settings", open=False, elem_id="settings"):
        with gr.Row(elem_classes="pair"):
            count = gr.Number(
                1, label="Variations", precision=0, minimum=1, elem_id="count", min_width=0
            )
            # text, because an empty box means "another each time", or "what suits the task", and gr.Number turns it into 0
            seed = gr.Textbox(
                "", label="Seed", placeholder="new each time", elem_id="seed", min_width=0
            )
        with gr.Row(elem_classes="pair"):
            steps = gr.Textbox("", label="Steps", placeholder="auto", elem_id="steps", min_width=0)
            temperature = gr.Textbox(
                "", label="Temperature", placeholder="auto", elem_id="temperature", min_width=0
            )
            nucleus = gr.Textbox(
                "", label="Nucleus", placeholder="auto", elem_id="nucleus", min_width=0
            )
        method = gr.Radio(
            [("the model", "model"), ("noise of interpolated levels", "noise")],
            label="Filled in by",
            elem_id="method",
            value="model" if actions.has_model() else "noise",
        )
    return [order, reverse, steps, temperature, nucleus, seed, method, count], go, halt, queue


def _beyond():
    """Buttons for what needs no selection, because what is to be filled is not there yet."""
    with gr.Accordion("Or go beyond the sound", open=False, elem_id="beyond"):
        with gr.Row(elem_classes="pair"):
            onward = gr.Button("Continue past the end", elem_id="continue", scale=3, min_width=0)
            seconds = gr.Number(
                4,
                label="Seconds",
                show_label=False,
                container=False,
                minimum=0.1,
                elem_id="seconds",
                scale=1,
                min_width=0,
            )
        with gr.Row(elem_classes="pair"):
            channel = gr.Button(
                "Mono to stereo", elem_id="add-channel", interactive=False, min_width=0
            )
            highs = gr.Button("Add the highs", elem_id="bandwidth", interactive=False, min_width=0)
    return onward, seconds, channel, highs


def _wire(demo, session, view, sources, story_buttons, features, controls, go, halt, queue, beyond):
    file, microphone, examples = sources
    onward, seconds, channel, highs = beyond
    named = {control.elem_id: control for control in controls}
    seed = named["seed"]
    names = [box.label for box in features]
    # what a story begins with, and a sound that is chosen after one
    begun = [
        *features,
        *(named[name] for name in ("order", "reverse", "steps", "temperature", "nucleus")),
    ]

    def beginning(selection: Selection, settings: Settings) -> tuple:
        """Values of `begun`; empty ones are left to what suits the task."""
        return (
            *(name in selection.features for name in names),
            settings.order or actions.AUTO,
            settings.reverse,
            *(
                "" if value is None else str(value)
                for value in (settings.steps, settings.temperature, settings.nucleus)
            ),
        )

    def chosen_features(values) -> list[str]:
        return [name for name, on in zip(names, values) if on]

    def beyond_of(fresh):
        """Which of the buttons beyond the sound make sense for it."""
        return gr.update(interactive=fresh.sound.channels == 1), gr.update(
            interactive=fresh.sound.rate < fresh.space.rate
        )

    def loaded(path, old):
        visitors.free_idle(demo)
        message, fresh = actions.load(view, path, old)
        return message, fresh, *((gr.skip(), gr.skip()) if fresh == gr.skip() else beyond_of(fresh))

    def chosen(path, old):
        after_story = old is not None and bool(
            old.given
        )  # what that asked for is not meant for others; what the visitor chose is
        found = loaded(path, old)
        return *found, *(
            beginning(Selection(), Settings())
            if after_story and found[1] != gr.skip()
            else (gr.skip(),) * len(begun)
        )

    def uploaded(path, old):
        # the drop zone empties again, and no example is chosen: the picture has a player, and a name, of its own
        found = chosen(path, old)
        return *found, None, gr.skip() if found[1] == gr.skip() else ""

    def told(story):
        def tell(old):
            message, fresh = actions.tell(view, story, old)
            if fresh == gr.skip():
                return message, *(gr.skip(),) * (4 + len(begun))
            return (
                message,
                fresh,
                *beyond_of(fresh),
                *beginning(story.recipe.selection, story.recipe.settings),
                str(story.path),
            )

        return tell

    def describe(chosen, old, seed, *boxes):
        return actions.describe(chosen, chosen_features(boxes), seed, old)

    def fill_selection(chosen, old, *values):
        boxes, values = values[: len(names)], values[len(names) :]
        yield from actions.fill_selection(chosen, old, chosen_features(boxes), *values)

    def noise(old, event: gr.EventData):
        yield from actions.noise(old, sent_with(event))

    def pursue(old, event: gr.EventData):
        yield from actions.decompose(old, sent_with(event, "name"))

    def example_of(fresh):
        """The example that a sound is, if it is one."""
        return (
            str(ASSETS / fresh.name)
            if fresh.upload is None and (ASSETS / fresh.name).is_file()
            else ""
        )

    def revert(old):
        message, fresh = actions.revert(old)
        if fresh is old or fresh == gr.skip():
            return message, *((gr.skip(),) * (len(outputs) + len(begun)))
        shown = fresh.shown
        selection = (
            replace(shown.selection, features=tuple(fresh.features))
            if fresh.features
            else shown.selection
        )
        return (
            message,
            fresh,
            *beyond_of(fresh),
            *beginning(selection, shown.settings),
            example_of(fresh),
        )

    def adopt(old, event: gr.EventData):
        return actions.adopt(old, sent_with(event))

    def forget(old, event: gr.EventData):
        return actions.forget(old, sent_with(event))

    def choose_excerpt(old, event: gr.EventData):
        message, fresh = actions.choose_excerpt(view, old, event._data)
        return message, fresh, *((gr.skip(), gr.skip()) if fresh == gr.skip() else beyond_of(fresh))

    def hand_over(old, event: gr.EventData):
        return actions.hand_over(old, event._data)

    filling = dict(show_progress_on=queue, **FILLS)
    fills = [
        go.click(fill_selection, [view, session, *features, *controls], view, **filling),
        onward.click(actions.continue_sound, [session, seconds, *controls], view, **filling),
        channel.click(actions.add_channel, [session, *controls], view, **filling),
        highs.click(actions.extend_bandwidth, [session, *controls], view, **filling),
        view.noise(noise, session, view, **filling),
        view.pursue(pursue, session, view, **filling),
    ]
    outputs = [view, session, channel, highs]
    finishing = {}
    for story, button in story_buttons:
        loading = button.click(told(story), session, [*outputs, *begun, examples], **PRIVATE)
        finishing[story.id] = loading.then(
            partial(actions.finish_story, story), session, view, **filling
        )
    fills += finishing.values()
    for (
        story,
        button,
    ) in (
        story_buttons
    ):  # only now all fills are known that a story puts an end to; its own comes after it
        button.click(
            None, cancels=[fill for fill in fills if fill is not finishing[story.id]], **PRIVATE
        )
    halt.click(actions.stop, session, view, **PRIVATE)
    for fill in fills:  # one by one: of several, Gradio looks for the next when the one before has ended, and might find what was asked for after Stop
        halt.click(None, cancels=[fill], **PRIVATE)

    # what is asked for while the one before is under way is not to be passed over
    file.upload(
        uploaded,
        [file, session],
        [*outputs, *begun, file, examples],
        cancels=fills,
        trigger_mode="multiple",
        **PRIVATE,
    )
    microphone.stop_recording(
        uploaded,
        [microphone, session],
        [*outputs, *begun, microphone, examples],
        cancels=fills,
        **PRIVATE,
    )
    examples.select(
        chosen,
        [examples, session],
        [*outputs, *begun],
        cancels=fills,
        trigger_mode="always_last",
        **PRIVATE,
    )
    if examples.value:
        demo.load(loaded, [examples, session], outputs, **PRIVATE)

    view.excerpt(choose_excerpt, session, outputs, cancels=fills, **PRIVATE)
    view.adopt(adopt, session, view, **PRIVATE)
    view.revert(revert, session, [*outputs, *begun, examples], cancels=fills, **PRIVATE)
    view.forget(forget, session, view, **PRIVATE)
    view.export(hand_over, session, view, trigger_mode="multiple", **PRIVATE)
    for changed in (view.selected, seed.input, *(box.input for box in features)):
        changed(
            describe,
            [view, session, seed, *features],
            view,
            queue=False,
            trigger_mode="always_last",
            **PRIVATE,
        )


def theme() -> gr.themes.Base:
    """Quiet colours and the system's own fonts: no request leaves the page's origin."""
    return gr.themes.Base(
        primary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="sm",
        text_size="md",
        font=[Font(name) for name in ("system-ui", "-apple-system", "Segoe UI", "sans-serif")],
        font_mono=[Font(name) for name in ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")],
    ).set(
        # the defaults are too pale to read
        body_text_color_subdued="*neutral_500",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
    )


def launch(demo: gr.Blocks, **options):
    """Launch the page; `options` go to `Blocks.launch`."""
    return demo.launch(
        theme=theme(),
        css=(STATIC / "page.css").read_text(encoding="utf-8"),
        max_file_size=int(limits().file_mb * MEGABYTE),
        footer_links=["api", "gradio", "settings"],
        **options,
    )
