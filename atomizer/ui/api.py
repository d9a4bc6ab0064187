"""The endpoints for programs: `/atomize` and `/fill`.

    from gradio_client import Client, handle_file

    client = Client("http://127.0.0.1:7860")
    client.predict(handle_file("in.wav"), api_name="/atomize")
    path = client.predict(handle_file("in.wav"), select=["above:8000"], api_name="/fill")
    path = client.predict(handle_file("long.mp3"), select=["above:8000"], start=60, seconds=30, api_name="/fill")
    path = client.predict(handle_file("in.wav"), select=["rect:1,2,300,2000"], atomizer="matching-pursuit", api_name="/fill")

What passes a limit (`atomizer.limits`) is refused with a sentence that names it.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from ..analysis import ATOMIZERS, MatchingPursuitAtomizer, Pursuit, check_name
from ..atoms.orderings import ORDERINGS
from ..atoms.selection import Selection, parse
from ..atoms.space import LOUDNESS, AtomSpace
from ..errors import AtomizerError
from ..inpainting.erase import check_fillable, erase_atoms
from ..inpainting.fill import Step
from ..inpainting.settings import METHODS, Settings, resolve
from ..inpainting.task import Task, prepare
from ..io.audio import Sound, TooLong, max_duration, overview, read, write
from ..limits import limits
from . import cleanup as visitors
from . import pursuit
from .gpu import check_time, fill, has_model, model_for
from .handlers import AUTO, check_size, number_of, sentence_of, settings_of, whole_of

MDCT = "mdct"


def atomize(
    file: str, start: float = 0, seconds: float | None = None, atomizer: str = MDCT
) -> dict:
    """Count the atoms of a sound file, or of an excerpt of it.

    Args:
        file: the sound: WAV, FLAC, OGG, MP3 or whatever else libsndfile reads
        start: where the excerpt starts, in seconds
        seconds: how long the excerpt is; null for all that follows
        atomizer: how the sound becomes atoms: "mdct", or "matching-pursuit", "matching-pursuit-optimised" or "matching-pursuit-gabor",
            which take fewer atoms, up to a signal-to-residual ratio of 20 dB

    Returns:
        a dictionary: atoms, audible (how many of them are), channels, rate (of the file, in Hz) and duration_s; of a matching pursuit
        also srr_db, the signal-to-residual ratio that was reached
    """
    with _errors_for_clients():
        name = check_name(atomizer)
        sound = _read(file, start, seconds)
        if name == MDCT:
            made = ATOMIZERS[name]()
            atoms, reached = made.analyse(sound.at(made.space.rate)), {}
        else:
            _, found = _pursued(sound, name)
            atoms, reached = found.atoms, {"srr_db": found.srr_db}
        return {
            "atoms": len(atoms),
            "audible": int(atoms.audible.sum()),
            "channels": sound.channels,
            "rate": sound.rate,
            "duration_s": sound.seconds,
            **reached,
        }


def fill_file(
    file: str,
    select: Sequence[str] | str = (),
    features: Sequence[str] = LOUDNESS,
    order: str = AUTO,
    reverse: bool = False,
    steps: float | None = None,
    temperature: float | None = None,
    nucleus: float | None = None,
    seed: float = 0,
    method: str = "model",
    extend: float = 0,
    add_channels: float = 0,
    start: float = 0,
    seconds: float | None = None,
    atomizer: str = MDCT,
) -> str:
    """Fill the unknown atoms of a sound file, or of an excerpt of it, in.

    Args:
        file: the sound: WAV, FLAC, OGG, MP3 or whatever else libsndfile reads
        select: what is unknown: specifications such as "above:8000" or "time:2-4", as a list or in one string
        features: which features of it are unknown
        order: "auto" for what suits the task, or the name of an ordering
        reverse: from the ordering's end
        steps: how often the model looks again; null for what suits the task
        temperature: 1 is the model's own belief, lower is safer; null for what suits the task
        nucleus: sample from the likeliest values that hold this probability; null for what suits the task
        seed: the same seed gives the same sound
        method: "model", "noise" or "erased"
        extend: seconds to continue the sound by
        add_channels: channels to add to it
        start: where the excerpt starts, in seconds
        seconds: how long the excerpt is; null for all that follows
        atomizer: whose atoms are unknown: "mdct", or "matching-pursuit", "matching-pursuit-optimised" or "matching-pursuit-gabor": those
            of them that are selected are erased, and the region is filled in on top of the sound of the others; select regions then, not
            parts such as "random:50"

    Returns:
        the filled file: all of the sound, or of the excerpt
    """
    with _errors_for_clients():
        # rect:T0,T1,F0,F1 has commas of its own: a comma parts two specifications only where a name follows
        words = re.split(r"\s+|,\s*(?=[a-z])", select) if isinstance(select, str) else select or []
        if not isinstance(words, (list, tuple)):
            raise AtomizerError(
                f"What is unknown is a list of specifications or one text, not {str(words)[:40]!r}."
            )
        selection = parse([w for w in words if w != ""], features)
        settings = settings_of(order, reverse, steps, temperature, nucleus, seed, method)
        beyond, added = (
            number_of("seconds to continue by", extend) or 0.0,
            whole_of("channels to add", add_channels) or 0,
        )
        task_of = partial(prepare, extend=beyond, add_channels=added, seed=settings.seed)
        name, sound = check_name(atomizer), _read(file, start, seconds)
        end = time.monotonic() + limits().fill_seconds
        task: Task | None
        if name == MDCT:
            task = task_of(sound, selection)
        else:
            resolve(
                settings, task_of(sound, selection)
            )  # what cannot be done is refused before the pursuit
            sound, selection = _without(sound, selection, name, settings)
            task = task_of(sound, selection) if selection.regions or beyond or added else None
        filled = task.render(_last_in_time(task, settings, end).grid) if task else sound
        suffix = Path(file).suffix.lower()
        folder = Path(get_upload_folder())  # from where Gradio serves, without a copy
        folder.mkdir(parents=True, exist_ok=True)
        path = (
            Path(tempfile.mkdtemp(prefix="atomizer-", dir=folder))
            / f"{Path(file).stem}-filled{suffix if suffix == '.flac' else '.wav'}"
        )
        write(path, filled)
        for made in filter(None, (path.parent, visitors.uploaded(file))):
            visitors.delete_later(made)
        visitors.give_back()
        return str(path)


def _read(file: str, start: float | None, seconds: float | None) -> Sound:
    """A sound that a client sent, or the excerpt that it asks for; of a file that is too long it is said how to ask for one."""
    check_size(file)
    try:
        return read(file, limits().excerpt_seconds, start or 0.0, seconds)
    except TooLong as error:
        whole = overview(file)
        most = max_duration(whole.channels, whole.rate, limits().excerpt_seconds)
        raise AtomizerError(
            f"This sound lasts {whole.seconds:.1f} seconds and {most:g} are accepted at a time: "
            f"ask for an excerpt with start and seconds."
        ) from error


def _pursued(sound: Sound, name: str) -> tuple[MatchingPursuitAtomizer, Pursuit]:
    """A matching-pursuit atomizer, and its pursuit of a sound, to its end."""
    atomizer = ATOMIZERS[name](stop=pursuit.end())
    *_, found = atomizer.pursue(sound.at(atomizer.space.rate))  # which is one and the same object
    return atomizer, found


def _without(
    sound: Sound, selection: Selection, name: str, settings: Settings
) -> tuple[Sound, Selection]:
    """The sound of the matching-pursuit atoms that are not selected, and what is to be filled in of it: nothing where they stay erased.

    Raises AtomizerError where the atoms that may be taken do not hold the sound, because the rest of it would be missing.
    """
    stays = settings.method == "erased"
    if not stays:
        check_fillable(selection)
    atomizer, found = _pursued(sound, name)
    if found.done in ("atoms", "seconds"):
        raise AtomizerError(
            f"The pursuit ended after {found.count:,} atoms and {found.seconds:.0f} s, before they held the sound (at {found.srr_db:.1f} of "
            f"{pursuit.SRR_DB:g} dB): ask for a shorter excerpt with start and seconds."
        )
    rest = erase_atoms(sound, selection, atomizer, settings.seed, found.atoms)
    return rest.sound, Selection() if stays else selection


def _last_in_time(task: Task, settings: Settings, end: float) -> Step:
    """The last step of a fill, until the moment `end`. Raises OutOfTime, because nobody asked for a sound that is filled in by half."""
    for step in fill(task, settings, model_for(settings.method, end)):
        if step.number < step.total:
            check_time(end)
    return step


class _errors_for_clients:
    """Every error reaches the client as a sentence."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            raise gr.Error(sentence_of(error), print_exception=False) from (
                None if isinstance(error, AtomizerError) else error
            )


class Specifications(gr.JSON):
    """Text, or a list of texts; gr.JSON itself says nothing of its type, which MCP takes for a broken schema."""

    def api_info(self) -> dict:
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def add_endpoints() -> None:
    """Declare both endpoints in the Blocks that is being built; their components are never shown."""
    names = [feature.name for feature in AtomSpace().features]
    file = gr.File(type="filepath", visible=False, label="Sound file")
    select = Specifications(
        visible=False, label="What is unknown: a list of specifications", value=[]
    )
    features = gr.CheckboxGroup(
        names, value=list(LOUDNESS), visible=False, label="Unknown features"
    )
    order = gr.Dropdown([AUTO, *ORDERINGS], value=AUTO, visible=False, label="Ordering")
    reverse = gr.Checkbox(False, visible=False, label="Reverse")
    # no value is right here: None is what suits the task, and the function's defaults say so
    steps, temperature, nucleus = (
        gr.Number(None, visible=False, label=name, placeholder=AUTO)
        for name in ("Steps", "Temperature", "Nucleus")
    )
    seed = gr.Number(0, visible=False, label="Seed")
    method = gr.Dropdown(
        list(METHODS), value="model" if has_model() else "noise", visible=False, label="Method"
    )
    extend = gr.Number(0, visible=False, label="Seconds to continue by")
    channels = gr.Number(0, visible=False, label="Channels to add")
    start = gr.Number(0, visible=False, label="Start of the excerpt in seconds")
    seconds = gr.Number(None, visible=False, label="Seconds of the excerpt", placeholder="all")
    # its names are told in the schema and checked here, because Gradio's own refusal is no sentence
    atomizer = gr.Dropdown(
        list(ATOMIZERS), value=MDCT, allow_custom_value=True, visible=False, label="Atomizer"
    )
    inputs = [
        file,
        select,
        features,
        order,
        reverse,
        steps,
        temperature,
        nucleus,
        seed,
        method,
        extend,
        channels,
        start,
        seconds,
        atomizer,
    ]
    never = gr.Button(visible=False)  # an endpoint needs an event; nobody can press this one
    never.click(
        atomize,
        [file, start, seconds, atomizer],
        gr.JSON(visible=False, label="The atoms"),
        api_name="atomize",
    )
    never.click(
        fill_file,
        inputs,
        gr.File(visible=False, label="The filled sound"),
        api_name="fill",
        concurrency_limit=1,
        concurrency_id="model",
    )
