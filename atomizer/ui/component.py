"""The spectrogram of atoms, with its tools and player, as a Gradio component.

Its value for Python is the selection (`Chosen`), its value from Python a `Message`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import plotly

from ..atoms.orderings import ORDERINGS
from ..codec import ORDERS, is_installed
from ..io.formats import INPUT_ENDINGS
from ..limits import limits
from ..plotting import palette
from . import documents
from .decomposition import NAMES
from .message import Chosen, Message
from .published import cache_folder, published

STATIC = Path(__file__).parent / "static"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# style sheets of the component in `static/css`, in the order of the cascade
STYLES = (
    "base",
    "title",
    "excerpt",
    "controls",
    "selection",
    "picture",
    "foot",
    "player",
    "variations",
    "dialogs",
    "drawing",
    "narrow",
)
# style sheets of the page around it, in `static/page`
PAGE_STYLES = ("head", "controls", "narrow")
# events from the browser; Gradio finds their names in the script
EVENTS = (
    "selected",
    "settings",
    "accept",
    "forget",
    "revert",
    "export",
    "save",
    "noise",
    "excerpt",
    "pursue",
    "inspect",
    "similar",
    "refill",
    "paste",
    "resume",
    "encode",
    "prefix",
    "unsent",
    "codecs",
    "reference",
)


def text_of(name: str) -> str:
    """Return a text file of `static`."""
    return (STATIC / name).read_text(encoding="utf-8")


def help_text() -> str:
    """Return "How it works"; the texts of the repository that it names are links."""
    return documents.linked(text_of("how.html"))


@lru_cache
def scripts() -> Path:
    """Return the folder from which browsers load the scripts of `static`."""
    return published(STATIC, cache_folder("page"))


def loader() -> str:
    """Return the script that Gradio runs.

    It loads all modules at once, and not one import after the other, and runs the first. Modules
    that are preloaded are not requested again when they are imported.
    """
    modules = json.dumps(
        sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
    )
    config = json.dumps(
        {
            "palette": palette.to_dict(),
            "orderings": list(ORDERINGS),
            "maxRegions": limits().regions,
            "maxPoints": limits().points,
            "events": list(EVENTS),
            "endings": list(INPUT_ENDINGS),
            "atomizers": NAMES,
            "fileOrderings": list(ORDERS) if is_installed() else [],
        }
    )
    # a relative address also works behind a proxy's path
    base = json.dumps(f"gradio_api/file={scripts().as_posix()}/")
    return f"""
const base = new URL({base}, document.baseURI).href;
const preload = (name) =>
  Object.assign(document.createElement('link'), {{ rel: 'modulepreload', href: base + name }});
document.head.append(...{modules}.map(preload));
import(base + 'main.js')
  .then((main) => main.mount({{ element, props, trigger, watch, config: {config} }}));
"""


class AtomView(gr.HTML):
    """The component: `Chosen` for Python, a `Message` for the browser."""

    data_model = Message

    def __init__(self, **options):
        super().__init__(
            None,
            html_template=text_of("view.html").replace("@how", help_text()),
            css_template="\n".join(text_of(f"css/{name}.css") for name in STYLES),
            js_on_load=loader(),
            head=f'<script src="gradio_api/file={PLOTLY_JS}"></script>',
            apply_default_css=False,
            **options,
        )

    def preprocess(self, payload: Message | None) -> Chosen:  # type: ignore[override]  # text there
        """Return the selection that the browser sent."""
        chosen = Chosen(
            regions=payload and payload.regions or [], parts=payload and payload.specs or []
        )
        chosen.key = payload.key if payload else ""
        return chosen

    def postprocess(self, value: Message | None) -> Message | None:  # type: ignore[override]
        """Return the message unchanged."""
        return value

    def api_info(self) -> dict[str, Any]:
        """Return the schema of the value."""
        return {"type": "object"}

    def example_payload(self) -> Any:
        """Return an empty selection."""
        return {"regions": [], "specs": []}

    def example_value(self) -> Any:
        """Return no message."""
        return None
