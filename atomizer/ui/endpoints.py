"""The components of the endpoints, which are never shown: Gradio makes their schema from them."""

from __future__ import annotations

from inspect import signature
from typing import Any

import gradio as gr
from gradio.components import Component

from ..analysis import ATOMIZERS
from ..atoms.orderings import ORDERINGS
from ..atoms.space import FEATURES, LOUDNESS
from ..inpainting.settings import METHODS
from ..priors.choices import USING
from .api import MDCT, atomize, fill_file
from .gpu import has_model
from .handlers.controls import AUTO

HIDDEN: dict[str, Any] = dict(visible=False)


class Specifications(gr.JSON):
    """Text, or a list of texts; the schema of gr.JSON has no type, which MCP refuses."""

    def api_info(self) -> dict:
        """Return the schema."""
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def add_endpoints() -> None:
    """Add both endpoints; call it within `gr.Blocks`."""
    inputs = _inputs()
    trigger = gr.Button(visible=False)  # an endpoint needs an event
    trigger.click(
        atomize,
        [inputs[name] for name in signature(atomize).parameters],
        gr.JSON(visible=False, label="The atoms"),
        api_name="atomize",
    )
    trigger.click(
        fill_file,
        [inputs[name] for name in signature(fill_file).parameters],
        gr.File(visible=False, label="The filled sound"),
        api_name="fill",
        concurrency_limit=1,
        concurrency_id="model",
    )


def _inputs() -> dict[str, Component]:
    """Make a component for every parameter of the endpoints, by its name."""
    return {
        "file": _file("Sound file"),
        "select": Specifications([], label="What is unknown: a list of specifications", **HIDDEN),
        "features": gr.CheckboxGroup(
            list(FEATURES), value=list(LOUDNESS), label="Unknown features", **HIDDEN
        ),
        "order": _choice("Ordering", [AUTO, *ORDERINGS], AUTO),
        "reverse": gr.Checkbox(False, label="Reverse", **HIDDEN),
        "steps": _number("Steps", None, AUTO),
        "temperature": _number("Temperature", None, AUTO),
        "nucleus": _number("Nucleus", None, AUTO),
        "seed": _number("Seed"),
        "method": _choice("Method", list(METHODS), "model" if has_model() else "noise"),
        "extend": _number("Seconds to continue by"),
        "add_channels": _number("Channels to add"),
        "start": _number("Start of the excerpt in seconds"),
        "seconds": _number("Seconds of the excerpt", None, "all"),
        # the schema lists the names; they are checked by `check_name`, for a better error message
        "atomizer": gr.Dropdown(
            list(ATOMIZERS), value=MDCT, label="Atomizer", allow_custom_value=True, **HIDDEN
        ),
        "using": _choice("What fills it", list(USING), "auto"),
        "source": gr.Textbox("", label="Copy from", **HIDDEN),
        "not_from": gr.Textbox("", label="Do not copy from", **HIDDEN),
        "shift": _number("Seconds to the pasted atoms"),
        "like": _file("A reference recording for the levels of highs"),
        "timbre": _number("Timbre of filled highs, 1 to 16"),
    }


def _file(label: str) -> gr.File:
    return gr.File(type="filepath", label=label, **HIDDEN)


def _choice(label: str, names: list[str], default: str) -> gr.Dropdown:
    return gr.Dropdown(names, value=default, label=label, **HIDDEN)


def _number(label: str, default: float | None = 0, placeholder: str | None = None) -> gr.Number:
    """A number; None means the default, as in the function's own defaults."""
    return gr.Number(default, label=label, placeholder=placeholder, **HIDDEN)
