"""The picture of the atoms, with its tools and player, as a Gradio component.

To Python its value is what is selected (`Chosen`). From Python it takes a `Message`: the whole state of the picture as links to
files, complete each time, so that one that is skipped or comes late does no harm.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
from gradio.data_classes import FileData, GradioModel

from ..atoms.orderings import ORDERINGS
from ..limits import limits
from ..plotting import palette
from .pursuit import NAMES

STATIC = Path(__file__).parent / "static"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
# what the picture asks of Python; Gradio finds the names of events in the script
EVENTS = ("selected", "adopt", "forget", "revert", "export", "noise", "excerpt", "pursue")


class Scene(GradioModel):
    """A sound's atoms and the plane that they lie in."""

    id: str
    sound: str  # the session's id: while it stays the same, so does the selection
    name: str
    rate: int
    hop: int
    frames: int
    floor_db: float
    loudest: float  # amplitude of the highest velocity
    energy: float  # of all coefficients, also of those too quiet to be drawn
    duration: float
    channels: int
    sound_rate: int
    total: int  # audible atoms, of which the `count` loudest are drawn
    count: int
    atoms: FileData
    added: list[dict[str, Any]] = []  # regions that were put beside the sound, to be filled
    # of matching-pursuit atoms only: lengths of the windows, bins of the largest one, and how much of the sound the atoms are
    atomizer: str = "mdct"
    scales: list[int] = []
    bins: int = 0
    srr_db: float | None = None


class Result(GradioModel):
    """What became of the unknown atoms of a scene after a step of a fill; `number` rises with every step of the session.

    hidden  which of the scene's atoms these stand for, a bit per drawn atom
    atoms   `count` atoms in place of them, filled in or still unknown
    key     the selection that it answers, as the picture sent it
    """

    number: int
    scene: Scene
    hidden: FileData
    count: int
    atoms: FileData
    masked: FileData
    done: int
    total: int
    key: str


class Variation(Result):
    """A finished, or stopped, fill of the history."""

    id: int
    label: str
    title: str  # how it was filled in, in a few words
    details: list[tuple[str, str]]  # names and values of all settings
    heard: int  # audible atoms that were filled in
    snr_db: (
        float | None
    )  # of the region, against the original; None where there is nothing to compare with
    lsd: float | None
    seconds: float  # that the fill took
    sound: FileData


class Parts(GradioModel):
    """Which of the scene's atoms belong to the selected parts, a bit per drawn atom."""

    key: str
    bits: FileData


class Proposal(GradioModel):
    """A selection that takes the place of the present one, once; fills that answer it carry its id as their key."""

    id: str
    regions: list[dict[str, Any]] = []
    specs: list[str] = []


class Download(GradioModel):
    """A file that the picture hands to the visitor, once."""

    id: str
    file: FileData


class Excerpt(GradioModel):
    """The part of a long file that is worked on, and the outline of all of it: a byte per equal share of its time, the root of its peak."""

    peaks: FileData
    duration: float
    longest: float
    start: float
    seconds: float


class Message(GradioModel):
    """All that the picture shows and plays."""

    number: int = 0
    scene: Scene | None = None
    original: FileData | None = None  # the sound of the scene
    live: Result | None = None  # the fill that is running
    variations: list[Variation] = []
    current: int | None = None  # the id of the variation to show once it is there
    parts: Parts | None = None
    proposal: Proposal | None = None
    download: Download | None = None
    excerpt: Excerpt | None = None  # of a file that is too long to be worked on as a whole
    before: str | None = (
        None  # what can be gone back to: the original before this one, or another sound
    )
    note: str = ""  # what to listen for
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


def text_of(name: str) -> str:
    """A text file of `static`."""
    return (STATIC / name).read_text(encoding="utf-8")


def loader() -> str:
    """The script that Gradio runs: it imports the modules, first asking whether those in the browser's cache are still the newest."""
    modules = json.dumps(
        sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))
    )
    config = json.dumps(
        {
            "palette": palette.to_dict(),
            "orderings": list(ORDERINGS),
            "maxRegions": limits().regions,
            "events": list(EVENTS),
            "atomizers": NAMES,
        }
    )
    # a relative address, so that the page also works behind a proxy's path
    return f"""
const base = new URL({json.dumps(f"gradio_api/file={STATIC.as_posix()}/")}, document.baseURI).href;
Promise.all({modules}.map((name) => fetch(base + name, {{ cache: 'no-cache' }})))
  .then(() => import(base + 'main.js'))
  .then((main) => main.mount({{ element, props, trigger, watch, config: {config} }}));
"""


class AtomView(gr.HTML):
    """The component: `Chosen` for Python, a `Message` for the browser."""

    data_model = Message

    def __init__(self, **options):
        super().__init__(
            None,
            html_template=text_of("view.html").replace("@how", text_of("how.html")),
            css_template=text_of("view.css"),
            js_on_load=loader(),
            head=f'<script src="gradio_api/file={PLOTLY_JS}"></script>',
            apply_default_css=False,
            **options,
        )

    def preprocess(self, payload: Message | None) -> Chosen:  # type: ignore[override]  # gr.HTML's own value is text
        """The selection of what the browser sent."""
        chosen = Chosen(
            regions=payload and payload.regions or [], parts=payload and payload.specs or []
        )
        chosen.key = payload.key if payload else ""
        return chosen

    def postprocess(self, value: Message | None) -> Message | None:  # type: ignore[override]
        return value

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}

    def example_payload(self) -> Any:
        return {"regions": [], "specs": []}

    def example_value(self) -> Any:
        return None
