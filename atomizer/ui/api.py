"""The endpoints for programs: `/atomize` and `/fill`.

    from gradio_client import Client, handle_file

    client = Client("http://127.0.0.1:7860")
    client.predict(handle_file("in.wav"), api_name="/atomize")
    path = client.predict(handle_file("in.wav"), select=["above:8000"], api_name="/fill")
    path = client.predict(handle_file("long.mp3"), select=["above:8000"], start=60, seconds=30, api_name="/fill")

What passes a limit (`atomizer.limits`) is refused with a sentence that names it.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from ..atomizers import MDCTAtomizer
from ..atoms import LOUDNESS, AtomizerError, AtomSpace
from ..audio import Sound, TooLong, longest, overview, read, write
from ..fill import METHODS, Settings, Step
from ..limits import limits
from ..orderings import ORDERINGS
from ..selection import parse
from ..task import Task, prepare
from . import visitors
from .actions import AUTO, check_size, number_of, sentence_of, settings_of, whole_of
from .device import check_time, fill, has_model, model_for


def atomize(file: str, start: float = 0, seconds: float | None = None) -> dict:
    """Count the atoms of a sound file, or of an excerpt of it.

    Args:
        file: the sound: WAV, FLAC, OGG, MP3 or whatever else libsndfile reads
        start: where the excerpt starts, in seconds
        seconds: how long the excerpt is; null for all that follows

    Returns:
        a dictionary: atoms, audible (how many of them are), channels, rate (of the file, in Hz) and duration_s
    """
    with _errors_for_clients():
        sound = _read(file, start, seconds)
        space = AtomSpace()
        atoms = MDCTAtomizer(space).analyse(sound.at(space.rate))
        return {"atoms": len(atoms), "audible": int(atoms.audible.sum()), "channels": sound.channels, "rate": sound.rate,
                "duration_s": sound.seconds}


def fill_file(file: str, select: Sequence[str] | str = (), features: Sequence[str] = LOUDNESS, order: str = AUTO, reverse: bool = False,
              steps: float | None = None, temperature: float | None = None, nucleus: float | None = None, seed: float = 0,
              method: str = "model", extend: float = 0, add_channels: float = 0, start: float = 0, seconds: float | None = None) -> str:
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

    Returns:
        the filled file: all of the sound, or of the excerpt
    """
    with _errors_for_clients():
        # rect:T0,T1,F0,F1 has commas of its own: a comma parts two specifications only where a name follows
        words = re.split(r"\s+|,\s*(?=[a-z])", select) if isinstance(select, str) else select or []
        if not isinstance(words, (list, tuple)):
            raise AtomizerError(f"What is unknown is a list of specifications or one text, not {str(words)[:40]!r}.")
        selection = parse([w for w in words if w != ""], features)
        settings = settings_of(order, reverse, steps, temperature, nucleus, seed, method)
        task = prepare(_read(file, start, seconds), selection, extend=number_of("seconds to continue by", extend) or 0.0,
                       add_channels=whole_of("channels to add", add_channels) or 0, seed=settings.seed)
        step = _last_in_time(task, settings)
        suffix = Path(file).suffix.lower()
        folder = Path(get_upload_folder())  # from where Gradio serves, without a copy
        folder.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix="atomizer-", dir=folder)) / f"{Path(file).stem}-filled{suffix if suffix == '.flac' else '.wav'}"
        write(path, task.render(step.grid))
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
        most = longest(whole.channels, whole.rate, limits().excerpt_seconds)
        raise AtomizerError(f"This sound lasts {whole.seconds:.1f} seconds and {most:g} are accepted at a time: "
                            f"ask for an excerpt with start and seconds.") from error


def _last_in_time(task: Task, settings: Settings) -> Step:
    """The last step of a fill. Raises OutOfTime, because nobody asked for a sound that is filled in by half."""
    end = time.monotonic() + limits().fill_seconds
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
            raise gr.Error(sentence_of(error), print_exception=False) from (None if isinstance(error, AtomizerError) else error)


class Specifications(gr.JSON):
    """Text, or a list of texts; gr.JSON itself says nothing of its type, which MCP takes for a broken schema."""

    def api_info(self) -> dict:
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def add_endpoints() -> None:
    """Declare both endpoints in the Blocks that is being built; their components are never shown."""
    names = [feature.name for feature in AtomSpace().features]
    file = gr.File(type="filepath", visible=False, label="Sound file")
    select = Specifications(visible=False, label="What is unknown: a list of specifications", value=[])
    features = gr.CheckboxGroup(names, value=list(LOUDNESS), visible=False, label="Unknown features")
    order = gr.Dropdown([AUTO, *ORDERINGS], value=AUTO, visible=False, label="Ordering")
    reverse = gr.Checkbox(False, visible=False, label="Reverse")
    # no value is right here: None is what suits the task, and the function's defaults say so
    steps, temperature, nucleus = (gr.Number(None, visible=False, label=name, placeholder=AUTO)
                                   for name in ("Steps", "Temperature", "Nucleus"))
    seed = gr.Number(0, visible=False, label="Seed")
    method = gr.Dropdown(list(METHODS), value="model" if has_model() else "noise", visible=False, label="Method")
    extend = gr.Number(0, visible=False, label="Seconds to continue by")
    channels = gr.Number(0, visible=False, label="Channels to add")
    start = gr.Number(0, visible=False, label="Start of the excerpt in seconds")
    seconds = gr.Number(None, visible=False, label="Seconds of the excerpt", placeholder="all")
    inputs = [file, select, features, order, reverse, steps, temperature, nucleus, seed, method, extend, channels, start, seconds]
    never = gr.Button(visible=False)  # an endpoint needs an event; nobody can press this one
    never.click(atomize, [file, start, seconds], gr.JSON(visible=False, label="The atoms"), api_name="atomize")
    never.click(fill_file, inputs, gr.File(visible=False, label="The filled sound"), api_name="fill", concurrency_limit=1,
                concurrency_id="model")
