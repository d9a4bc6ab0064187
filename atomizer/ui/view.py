"""The picture of the atoms, with its tools and player, as a Gradio component.

To Python its value is what is selected (`Chosen`). From Python it takes a `Message`: the whole state of the picture as links to
files, complete each time, so that one that is skipped or comes late does no harm.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import plotly
from gradio import processing_utils
from gradio.data_classes import FileData, GradioModel

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("palette.js", "atoms.js", "selection.js", "player.js", "picture.js", "main.js")
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


class Scene(GradioModel):
    """A sound's atoms and the plane that they lie in."""

    id: str
    sound: str  # the session's id: the same sound may be shown longer, or with more channels
    name: str
    rate: int
    hop: int
    floor_db: float
    duration: float
    channels: int
    sound_rate: int
    total: int  # audible atoms, of which the `count` loudest are drawn
    count: int
    atoms: FileData
    added: list[dict[str, Any]] = []  # regions that were put beside the sound, to be filled


class Result(GradioModel):
    """The atoms of a scene after a step of a fill; `number` rises with every step of the session."""

    number: int
    count: int
    atoms: FileData
    done: int
    total: int
    finished: bool
    key: str  # the selection that it answers, as the picture sent it


class Parts(GradioModel):
    """Which of the scene's atoms belong to the selected parts, a bit per drawn atom."""

    key: str
    bits: FileData


class Message(GradioModel):
    """All that the picture shows and plays."""

    number: int = 0
    scene: Scene | None = None
    result: Result | None = None
    parts: Parts | None = None
    sounds: dict[str, FileData] = {}
    download: FileData | None = None
    status: str = ""
    busy: bool = False
    regions: list[dict[str, Any]] | None = None  # only ever filled in by the browser
    specs: list[str] | None = None  # of parts, such as "random:50"
    key: str = ""


class Chosen(dict):
    """The selection that the picture holds: {"regions": [...], "parts": [...]}, as `Selection.from_dict` takes it.

    key  names it: what is filled in carries the key of the selection that it answers
    """

    key: str = ""


class AtomView(gr.HTML):
    data_model = Message

    def __init__(self, **options):
        super().__init__(
            None,
            html_template=(STATIC / "view.html").read_text(encoding="utf-8"),
            css_template=(STATIC / "view.css").read_text(encoding="utf-8"),
            js_on_load="\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
            # a relative address, so that the page also works behind a proxy's path
            head=f'<script src="gradio_api/file={PLOTLY_JS}"></script>',
            apply_default_css=False,
            **options,
        )

    def file(self, data: bytes, name: str) -> FileData:
        """A file that the browser may fetch; Gradio deletes it with its cache."""
        return FileData(path=processing_utils.save_bytes_to_cache(data, name, cache_dir=self.GRADIO_CACHE), orig_name=name)

    def preprocess(self, payload: Message | None) -> Chosen:
        chosen = Chosen(regions=payload and payload.regions or [], parts=payload and payload.specs or [])
        chosen.key = payload.key if payload else ""
        return chosen

    def postprocess(self, value: Message | None) -> Message | None:
        return value

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}

    def example_payload(self) -> Any:
        return {"regions": [], "specs": []}

    def example_value(self) -> Any:
        return None
