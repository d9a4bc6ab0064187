"""The components of the page."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from ..atoms.orderings import ORDERINGS
from ..atoms.space import LOUDNESS, AtomSpace
from ..inpainting.highs.timbre import list_timbres
from ..priors.choices import USING
from . import examples, gpu
from .component import AtomView
from .documents import MODEL_CARD, link_to
from .examples import ASSETS, Example
from .handlers.controls import AUTO, METHOD_TITLES
from .session import Tab, history

# titles of `priors.choices.USING` on the page
USING_TITLES = {
    "auto": "automatic",
    "texture": "texture",
    "partials": "tones around",
    "recording": "copies from elsewhere",
}
SOUND_ENDINGS = (".flac", ".ogg", ".wav")

INTRO = f"""
<h1>The Atomizer</h1>
<p>Erase part of a sound, and a Transformer fills it in again, in the order you choose.</p>
<span class="links"><button type="button" data-open="how">How it works</button>
{link_to(MODEL_CARD, "Model card")}
<button type="button" data-open="keys">Shortcuts</button></span>
"""

LISTEN = """
<p data-listen role="status">Click to hear a sound with a part erased, then filled in.</p>
"""
ERASE = """
<p class="hint">Drag over the spectrogram with a tool such as Box, or add a preset.</p>
<button type="button" id="erase" data-act="erase" title="Make the level and sign of the selected
atoms unknown, and hear the sound without them (E)">Erase</button>
"""
PLAY = """
<button type="button" id="play" data-act="play">Play</button>
"""
ADVANCED = """
<button type="button" id="advanced-toggle" data-fold="advanced" aria-expanded="false"
aria-controls="advanced">Advanced<span data-unknown></span></button>
"""
REFERENCE = """
<label>Highs like <select data-reference="choice"></select></label>
<span data-reference="span" hidden><input data-reference="start" inputmode="decimal"
aria-label="Start of the reference in seconds">–<input data-reference="stop" inputmode="decimal"
aria-label="End of the reference in seconds"> s
<button type="button" data-reference="use">Use</button></span>
<span data-reference="chosen" hidden>Highs like <b data-reference="name"></b>
<button type="button" data-reference="remove" title="Remove it: the highs have the level that the
rest of the sound predicts" aria-label="Remove the reference">×</button></span>
<p class="hint">A reference helps only if it is of the same source; with others the highs get
worse.</p>
"""
EXTEND_HELP = """
<p class="hint">Extend: longer. Widen: mono to stereo. Brighten: highs of low rates.
<span data-additions></span></p>
"""


@dataclass(frozen=True)
class Sources:
    """Where sounds come from."""

    file: gr.File
    microphone: gr.Audio
    example_sounds: gr.Dropdown


@dataclass(frozen=True)
class FillPanel:
    """The controls of a fill, and the buttons that start and stop it."""

    order: gr.Dropdown
    reverse: gr.Checkbox
    steps: gr.Textbox
    temperature: gr.Textbox
    nucleus: gr.Textbox
    seed: gr.Textbox
    method: gr.Radio
    using: gr.Radio
    timbre: gr.Dropdown
    count: gr.Number
    fill: gr.Button
    stop: gr.Button
    queue: gr.HTML
    reference: gr.File

    @property
    def controls(self) -> list:
        """The inputs of all fills: the fields of FillControls, and the number of variations."""
        return [
            self.order,
            self.reverse,
            self.steps,
            self.temperature,
            self.nucleus,
            self.seed,
            self.method,
            self.using,
            self.timbre,
            self.count,
        ]


@dataclass(frozen=True)
class ExtendPanel:
    """Fills that need no selection, because they add to the sound."""

    past_end: gr.Button
    seconds: gr.Number
    channel: gr.Button
    highs: gr.Button


@dataclass(frozen=True)
class Page:
    """All components that have events, or take part in one."""

    state: gr.State  # of a `Tab`
    pressed: gr.Number  # out of sight: the browser sets it where an event needs its time
    view: AtomView
    examples: list[tuple[Example, gr.Button]]
    sources: Sources
    features: list[gr.Checkbox]
    fill: FillPanel
    extend: ExtendPanel


def create() -> Page:
    """Create the components; call it within `gr.Blocks`."""
    state = gr.State(Tab(), delete_callback=history.close_tab)
    pressed = gr.Number(visible=False)
    gr.HTML(INTRO, elem_id="intro", padding=False)
    example_buttons = _example_buttons()
    with gr.Row(elem_id="bench"):
        with gr.Column(elem_id="source", min_width=0):
            sources = _sources()
        # before the picture, so that a few tabs lead to Fill in
        with gr.Column(elem_id="controls", min_width=0):
            _erase_panel()
            fill, features, extend = _fill_panel()
        with gr.Column(elem_id="stage", min_width=0):
            view = AtomView(elem_id="view")
    return Page(state, pressed, view, example_buttons, sources, features, fill, extend)


def example_sounds() -> list[tuple[str, str]]:
    """Return (title, path) of the sounds in assets/."""
    if not ASSETS.is_dir():
        return []
    paths = sorted(p for p in ASSETS.glob("*") if p.suffix.lower() in SOUND_ENDINGS)
    return [
        (path.stem.replace("_", " ").replace("-", " ").capitalize(), str(path)) for path in paths
    ]


def _heading(number: int, text: str) -> None:
    gr.HTML(f"<h2><span>{number}</span>{text}</h2>", elem_classes="heading", padding=False)


def _example_buttons() -> list[tuple[Example, gr.Button]]:
    """Create the examples, the first one prominent, and the line that says what to listen for."""
    with gr.Row(elem_id="examples"):
        buttons = [
            (
                example,
                gr.Button(
                    example.title,
                    elem_id=f"example-{example.id}",
                    elem_classes=["example", "first"] if number == 0 else "example",
                    min_width=0,
                ),
            )
            for number, example in enumerate(examples.available())
        ]
    gr.HTML(LISTEN if buttons else "", elem_id="listen", padding=False)
    return buttons


def _sources() -> Sources:
    _heading(1, "Choose a sound")
    sounds = example_sounds()
    dropdown = gr.Dropdown(
        [("Choose an example …", ""), *sounds],
        value=sounds[0][1] if sounds else "",
        label="Example sounds",
        elem_id="example-sounds",
        visible=bool(sounds),
        filterable=False,
        show_label=False,
        container=False,
    )
    # gr.Audio would decode a dropped file in the browser, which supports fewer formats
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
    return Sources(file, microphone, dropdown)


def _erase_panel() -> None:
    _heading(2, "Erase")
    # the browser alone acts on it: masked is computed there
    gr.HTML(ERASE, elem_id="erase-panel", padding=False)


def _fill_panel() -> tuple[FillPanel, list[gr.Checkbox], ExtendPanel]:
    """Create everything that fills; what is rarely changed is in the fold "Advanced"."""
    _heading(3, "Fill in")
    order, reverse = _ordering()
    with gr.Row(elem_classes="pair", elem_id="go"):
        fill = gr.Button("Fill in", variant="primary", elem_id="fill", scale=3, min_width=0)
        stop = gr.Button("Stop", elem_id="stop", scale=1, min_width=0)
        # on a phone, while nothing can be stopped
        gr.HTML(PLAY, elem_id="play-panel", padding=False)
    queue = gr.HTML("", elem_id="queue", padding=False)  # Gradio shows the place in the queue here
    gr.HTML(REFERENCE, elem_id="reference", padding=False)
    # out of sight: the browser opens it
    reference = gr.File(
        label="A reference recording for the levels of highs", elem_id="reference-file"
    )
    extend = _extend_panel()
    gr.HTML(ADVANCED, elem_id="advanced-panel", padding=False)
    with gr.Column(elem_id="advanced", min_width=0):
        features = _features()
        count, seed, steps, temperature, nucleus = _numbers()
        method, using, timbre = _ways_to_fill()
    panel = FillPanel(
        order=order,
        reverse=reverse,
        steps=steps,
        temperature=temperature,
        nucleus=nucleus,
        seed=seed,
        method=method,
        using=using,
        timbre=timbre,
        count=count,
        fill=fill,
        stop=stop,
        queue=queue,
        reference=reference,
    )
    return panel, features, extend


def _features() -> list[gr.Checkbox]:
    gr.HTML('<h3 class="label">Erased features</h3>', padding=False)
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


def _ordering() -> tuple[gr.Dropdown, gr.Checkbox]:
    with gr.Row(elem_classes="pair", elem_id="ordering"):
        order = gr.Dropdown(
            [("Order: automatic", AUTO), *((f"Order: {name}", name) for name in ORDERINGS)],
            value=AUTO,
            label="Ordering: which atoms are filled in first",
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
    return order, reverse


def _numbers() -> tuple[gr.Number, gr.Textbox, gr.Textbox, gr.Textbox, gr.Textbox]:
    """Create variations, seed, steps, temperature and nucleus."""
    with gr.Row(elem_classes="pair"):
        count = gr.Number(
            1, label="Variations", precision=0, minimum=1, elem_id="count", min_width=0
        )
        # text boxes, because an empty one means the default, and gr.Number turns it into 0
        seed = gr.Textbox("", label="Seed", placeholder="new", elem_id="seed", min_width=0)
    with gr.Row(elem_classes="pair"):
        steps, temperature, nucleus = (
            gr.Textbox("", label=label, placeholder="auto", elem_id=label.lower(), min_width=0)
            for label in ("Steps", "Temperature", "Nucleus")
        )
    return count, seed, steps, temperature, nucleus


def _ways_to_fill() -> tuple[gr.Radio, gr.Radio, gr.Dropdown]:
    """Create the method, what fills holes and boxes, and the timbre of highs."""
    method = gr.Radio(
        [(title, name) for name, title in METHOD_TITLES.items()],
        label="Filled in by",
        info="Order, steps, temperature and nucleus act on the model alone.",
        elem_id="method",
        value="model" if gpu.has_model() else "noise",
    )
    using = gr.Radio(
        [(USING_TITLES.get(name, name), name) for name in USING],
        label="What fills holes and boxes",
        info="The recording around and elsewhere, or texture of the right level alone.",
        elem_id="using",
        value="auto",
    )
    timbre = gr.Dropdown(
        [("automatic", 0), *((words, k) for k, words in enumerate(list_timbres(), 1))],
        value=0,
        label="Timbre of filled highs",
        info="Automatic: the most likely one for seed 0, another for every other seed.",
        filterable=False,
        elem_id="timbre",
    )
    return method, using, timbre


def _extend_panel() -> ExtendPanel:
    """Create the fills that need no selection."""
    gr.HTML('<h3 class="label">Or add to the sound</h3>', padding=False)
    with gr.Row(elem_classes="pair", elem_id="extend"):
        past_end = gr.Button("Extend", elem_id="continue", scale=2, min_width=0)
        seconds = gr.Number(
            4,
            label="Seconds to add at the end",
            show_label=False,
            container=False,
            minimum=0.1,
            elem_id="seconds",
            scale=1,
            min_width=0,
        )
        channel = gr.Button("Widen", elem_id="add-channel", interactive=False, scale=2, min_width=0)
        highs = gr.Button("Brighten", elem_id="bandwidth", interactive=False, scale=2, min_width=0)
    gr.HTML(EXTEND_HELP, elem_id="extend-help", padding=False)
    return ExtendPanel(past_end, seconds, channel, highs)
