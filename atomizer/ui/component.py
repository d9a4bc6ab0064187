"""The spectrogram of atoms, with its tools and player, as a Gradio component.

Its value for Python is the selection (`Chosen`). Its value from Python is a `Message`: the whole
state of the page, with links to files. Every message is complete, so a message that is skipped or
late does no harm.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr
import plotly
from gradio.data_classes import FileData, GradioModel

from ..atoms.orderings import ORDERINGS
from ..codec import ORDERS, is_installed
from ..io.formats import INPUT_ENDINGS
from ..limits import limits
from ..plotting import palette
from . import documents
from .decomposition import NAMES
from .pace import NO_ESTIMATE, Estimate
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


class Scene(GradioModel):
    """The atoms of a sound, and the time-frequency plane that they are drawn in.

    sound     the session's id; the selection stays while it stays the same
    loudest   amplitude of the highest velocity
    energy    of all coefficients, also of those too quiet to be drawn
    total     audible atoms; the `count` loudest of them are drawn
    is_mapped  which of the two formats of drawing.py `atoms` has
    added     regions beyond the loaded sound, to be filled in
    channel_names  where they are not those of loudspeakers
    atomizer, scales, bins, srr_db
              of matching-pursuit atoms: the atomizer, window lengths, bins of the longest window,
              and the signal-to-residual ratio
    """

    id: str
    sound: str
    name: str
    rate: int
    hop: int
    frames: int
    floor_db: float
    loudest: float
    energy: float
    duration: float
    channels: int
    sound_rate: int
    total: int
    count: int
    is_mapped: bool
    atoms: FileData
    added: list[dict[str, Any]] = []
    channel_names: list[str] = []
    atomizer: str = "mdct"
    scales: list[int] = []
    bins: int = 0
    srr_db: float | None = None


class Result(GradioModel):
    """The unknown atoms of a scene after a step of a fill.

    number  rises with every step of the session
    hidden  which drawn atoms of the scene these replace, one bit each
    atoms   `count` atoms in their place, filled in or still unknown
    key     of the selection, as the browser sent it
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


class Source(GradioModel):
    """Where a part of a fill was copied from: `CopySource`; spans are (start, stop) in seconds."""

    target: tuple[float, float]
    source: tuple[float, float]
    confidence: float


class Proposal(GradioModel):
    """A selection that replaces the visitor's, once; fills of it have its id as their key.

    features  that are unknown
    has_reference  whether the original is what its fills should sound like
    """

    id: str
    regions: list[dict[str, Any]] = []
    specs: list[str] = []
    features: list[str] = []
    has_reference: bool = True


class Variation(Result):
    """A finished or stopped fill in the list of variations.

    title    a short description of its settings
    details  names and values of all settings
    heard    how many of the filled atoms are audible
    snr_db, lsd  metrics of the region against the original; None where that has nothing there
    level_db     of the filled atoms relative to the original ones; None likewise
    has_reference  whether the original is what it should sound like
    seconds  that the fill took
    origin   what it adds and is made of, in plain words
    sources  spans of the recording that were copied, the most important first
    changed  which samples differ from the original: `Changes` in words
    spans    (start, stop) in seconds where filled and masked sound differ
    order, reverse  the ordering that it revealed the atoms in
    shape    how a session file says that the fill is changed: `Shape`
    proposal  the selection where `key` is the id of a proposal; other keys name it themselves
    """

    id: int
    label: str
    title: str
    details: list[tuple[str, str]]
    heard: int
    snr_db: float | None
    level_db: float | None
    lsd: float | None
    has_reference: bool
    seconds: float
    order: str
    reverse: bool
    sound: FileData
    origin: str = ""
    sources: list[Source] = []
    changed: str = ""
    spans: list[tuple[float, float]] = []
    proposal: Proposal | None = None
    shape: dict[str, float] | None = None


class Parts(GradioModel):
    """Which drawn atoms of the scene belong to the selected parts, one bit each."""

    key: str
    bits: FileData


class Download(GradioModel):
    """A file that the page downloads, once."""

    id: str
    file: FileData


class Excerpt(GradioModel):
    """The part of a long file in use, and the outline of the whole file.

    peaks  one byte per equal share of the file's time: the square root of its peak
    """

    peaks: FileData
    duration: float
    longest: float
    start: float
    seconds: float


class Finding(GradioModel):
    """Something that was found in the sound.

    kind     name of what was found
    text     what it is, and where
    action   words of its button, which selects `regions`
    fills    whether the button fills them in, too
    """

    kind: str
    text: str
    action: str
    regions: list[dict[str, Any]]
    fills: bool = False


class Places(GradioModel):
    """Boxes at places that are similar to a selected one, which the page adds to it once.

    key  of the selection that they were found for
    """

    id: str
    key: str
    regions: list[dict[str, Any]]


class AtomsFile(GradioModel):
    """The original as a file of atoms.

    order  ordering of the file
    ends   bytes of the prefixes at all positions of the slider, uint32
    """

    order: str
    size: int
    file: FileData
    ends: FileData


class FilePrefix(GradioModel):
    """The sound of the first `size` bytes of a file of atoms, as sent or filled in."""

    order: str
    size: int
    filled: bool
    sound: FileData
    snr_db: float


class Curve(GradioModel):
    """Quality of an excerpt in a codec over the bit rate; ViSQOL is None where not installed."""

    codec: str
    kbps: list[float] = []
    snr: list[float] = []
    visqol: list[float | None] = []


class Compression(GradioModel):
    """What the page shows of files of atoms.

    files   by ordering
    prefix  the one that was decoded last
    order   of the file on the curves
    curves  of an excerpt of `seconds`; `measured` of `points` points are there
    problem of the last request, or empty
    """

    files: list[AtomsFile] = []
    prefix: FilePrefix | None = None
    order: str = ""
    curves: list[Curve] = []
    seconds: float = 0.0
    measured: int = 0
    points: int = 0
    problem: str = ""


class Message(GradioModel):
    """Everything that the page shows and plays.

    original    the sound of the scene
    live        the running fill
    current     id of the variation to show
    compression of the original to files of atoms
    excerpt     of a file that is too long to work on as a whole
    refused     a part of the selection ("beats:2") that this sound does not have, or empty
    expected    least and most seconds that a fill of the selection will take; 0 for up to one
    additions   the same of "extend", "widen" and "brighten"
    acting      fields of `Settings`, of those that act on some fills alone, that act on a fill of
                the selection; without one, on Extend, Widen or Brighten
    reference   name of the recording whose highs filled highs shall have, or empty
    sounds      (id, name) of the earlier sounds
    loaded      selection of a settings file, which the page takes once
    described   key of the selection that the status, `parts` and `refused` are about
    before      what undo leads to: the previous original, or another sound
    note        what to listen for in an example
    example     id of the example that the note belongs to
    layers      names of the accepted fills, the newest last
    resume      with it a page that was reloaded gets this session back
    regions, specs, key
                the selection; only the browser sets them. Specs are those of parts ("random:50")
    """

    number: int = 0
    scene: Scene | None = None
    original: FileData | None = None
    live: Result | None = None
    variations: list[Variation] = []
    current: int | None = None
    parts: Parts | None = None
    proposal: Proposal | None = None
    download: Download | None = None
    findings: list[Finding] = []
    places: Places | None = None
    refused: str = ""
    expected: Estimate = NO_ESTIMATE
    additions: dict[str, Estimate] = {}
    acting: list[str] = []
    reference: str = ""
    sounds: list[tuple[str, str]] = []
    described: str = ""
    loaded: Proposal | None = None
    compression: Compression = Compression()
    excerpt: Excerpt | None = None
    before: str | None = None
    layers: list[str] = []
    resume: str = ""
    note: str = ""
    example: str = ""
    status: str = ""
    busy: bool = False
    pursues: bool = False
    regions: list[dict[str, Any]] | None = None
    specs: list[str] | None = None
    key: str = ""


class Chosen(dict):
    """The selection {"regions": [...], "parts": [...]}, as `Selection.from_dict` takes it.

    key  names the selection; the fills of it carry the same key
    """

    key: str = ""


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
