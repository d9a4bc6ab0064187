"""What Python and the browser send each other.

The browser gets a `Message`: the whole state of the page, with links to files. Every message is
complete, so a message that is skipped or late does no harm. Python gets the selection (`Chosen`).
The types of the browser are in `static/types.d.ts`.
"""

from __future__ import annotations

from typing import Any

from gradio.data_classes import FileData, GradioModel

from .pace import NO_ESTIMATE, Estimate


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
    shape    how a session file says that the fill is changed: `FillShape`
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
    reference   name of the reference recording, which gives filled highs their levels, or empty
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
