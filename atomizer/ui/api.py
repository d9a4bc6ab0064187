"""The endpoints for programs: `/atomize` and `/fill`.

    from gradio_client import Client, handle_file

    client, file = Client("http://127.0.0.1:7860"), handle_file("in.wav")
    client.predict(file, api_name="/atomize")
    path = client.predict(file, select=["above:8000"], api_name="/fill")
    path = client.predict(file, select=["above:8000"], start=60, seconds=30, api_name="/fill")
    path = client.predict(
        file, select=["rect:1,2,300,2000"], atomizer="matching-pursuit", api_name="/fill"
    )

A request above a limit (`atomizer.limits`) is refused with a sentence that names the limit.

The docstrings of `atomize` and `fill_file` are the descriptions of the MCP tools; Gradio reads
their sections "Args" and "Returns". Their parameters have components in endpoints.py.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from ..analysis import ATOMIZERS, MatchingPursuitAtomizer, Pursuit, check_name
from ..analysis.cutoff import cutoff_of
from ..analysis.summary import count_atoms, parts_of
from ..atoms.selection import parse
from ..atoms.space import LOUDNESS
from ..errors import AtomizerError
from ..inpainting.erase import erase_atoms
from ..inpainting.fill import Step
from ..inpainting.highs.cutoff import describe_cutoff, resolve_for
from ..inpainting.highs.like import levels_of
from ..inpainting.recipe import Recipe
from ..inpainting.repair import describe_defects, split_defects
from ..inpainting.repair_first import repair_first
from ..inpainting.resolve import resolve
from ..inpainting.settings import Settings
from ..inpainting.task import Task
from ..io.audio import Sound, TooLong, max_duration, overview, read, write
from ..limits import limits
from . import cleanup, decomposition
from .gpu import check_time, fill, model_for
from .handlers.controls import AUTO, FillControls, parse_integer, parse_number, settings_of
from .handlers.loading import check_size
from .handlers.responses import inform, sentence_of, warn

MDCT = "mdct"


def atomize(
    file: str, start: float = 0, seconds: float | None = None, atomizer: str = MDCT
) -> dict:
    """Count the atoms of a sound file, or of an excerpt of it.

    Args:
        file: the sound: WAV, FLAC, OGG, MP3, another format that libsndfile or ffmpeg reads, or a
            file of atoms
        start: where the excerpt starts, in seconds
        seconds: length of the excerpt; null for everything after the start
        atomizer: the kind of atoms: "mdct", or "matching-pursuit", "matching-pursuit-optimised" or
            "matching-pursuit-gabor", which need fewer atoms for a signal-to-residual ratio of 20 dB

    Returns:
        a dictionary: atoms, audible (how many of them are), channels, rate (of the file, in Hz),
        duration_s and cutoff_hz (start and end of the slope at which the recording ends, or null);
        of a matching pursuit also srr_db, the signal-to-residual ratio reached
    """
    with _errors_for_clients():
        name = check_name(atomizer)
        sound = _read(file, start, seconds)
        if name == MDCT:
            space = ATOMIZERS[name]().space
            counts = count_atoms(parts_of(sound.at(space.rate), space), space)
            total, audible, reached = counts.atoms, counts.audible, {}
        else:
            _, found = _pursue(sound, name)
            total, audible = len(found.atoms), int(found.atoms.audible.sum())
            reached = {"srr_db": found.srr_db}
        cutoff = cutoff_of(sound)
        return {
            "atoms": total,
            "audible": audible,
            "channels": sound.channels,
            "rate": sound.rate,
            "duration_s": sound.seconds,
            "cutoff_hz": None if cutoff is None else cutoff.rounded,
            **reached,
        }


def fill_file(  # noqa: PLR0913 (one parameter is one input of the endpoint)
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
    using: str = "auto",
    source: str = "",
    not_from: str = "",
    shift: float = 0,
    like: str | None = None,
    timbre: float = 0,
) -> str:
    """Fill in the unknown atoms of a sound file, or of an excerpt of it.

    Args:
        file: the sound: WAV, FLAC, OGG, MP3, another format that libsndfile or ffmpeg reads, or a
            file of atoms
        select: which atoms are unknown: specifications such as "above:8000" or "time:2-4", as a
            list or in one string; "clicks", "clipped" and "dropouts" are found in the sound, and
            "above:auto" selects what lies above the recording's own cutoff; "standout:8" narrows
            the others to what is 8 dB louder than its surroundings
        features: which features of them are unknown
        order: name of an ordering, or "auto" for the default
        reverse: reverse the ordering
        steps: number of sampling steps; null for the default
        temperature: of the sampling: 1 as predicted, lower is safer; null for the default
        nucleus: sample from the most likely values of this total probability; null for the default
        seed: the same seed gives the same sound
        method: "model", "noise", "erased", or "paste": the atoms of another time, named by `shift`
        extend: seconds to continue the sound by
        add_channels: channels to add to it
        start: where the excerpt starts, in seconds
        seconds: length of the excerpt; null for everything after the start
        atomizer: whose atoms are unknown: "mdct", or "matching-pursuit",
            "matching-pursuit-optimised" or "matching-pursuit-gabor": the selected ones are erased,
            and the region is filled in on top of the sound of the others; these need a selection
            of regions, not of parts such as "random:50"
        using: what the rest of the recording contributes to holes, boxes and continuations:
            "recording" copies from elsewhere, "partials" continues tones, "auto" does both,
            "texture" neither
        source: spans of seconds to copy from, such as "2-4.5"; empty for the best match
        not_from: spans of seconds not to copy from
        shift: of the method "paste", seconds from the selected atoms to those that are pasted;
            negative for earlier ones
        like: a reference recording, which gives filled highs their levels: those of its own highs
            relative to the bands below the cutoff; null for the levels that the sound predicts
        timbre: how filled highs differ from those that the sound predicts: 1, the darkest, to 16,
            the brightest; 0 for the most likely ones with seed 0, and for drawn ones with others

    Returns:
        the filled file: the whole sound, or the excerpt
    """
    with _errors_for_clients():
        defects, words = split_defects(_words_of(select))
        selection = parse(words, features)
        numbers = (steps, temperature, nucleus, seed)
        controls = FillControls(order, reverse, *numbers, method, using, timbre)
        settings = replace(
            settings_of(controls),
            source=source or "",
            not_from=not_from or "",
            shift=parse_number("shift", shift) or 0.0,
            like=levels_of(_read(like, 0.0, None), Path(like).name) if like else "",
        )
        recipe = Recipe(
            selection,
            settings,
            parse_number("seconds to continue by", extend) or 0.0,
            parse_integer("channels to add", add_channels) or 0,
        )
        name, sound = check_name(atomizer), _read(file, start, seconds)
        path = _write_result(_repaired_and_filled(sound, defects, recipe, name), file)
        uploads = (cleanup.uploaded_path(upload) for upload in (file, like) if upload)
        for temporary in filter(None, (path.parent, *uploads)):
            cleanup.delete_later(temporary)
        cleanup.trim_heap()
        return str(path)


def _repaired_and_filled(sound: Sound, defects: list[str], recipe: Recipe, name: str) -> Sound:
    """Fill in the defects of these kinds, and then by a recipe for atoms of the atomizer `name`."""
    repaired, left = repair_first(sound, defects, [recipe])
    sound = repaired.sound
    if defects:
        inform(describe_defects(defects, repaired.defects), title="Repair")
    for recipe in left:
        sound = _filled(sound, recipe, name)
    return sound


def _filled(sound: Sound, recipe: Recipe, name: str) -> Sound:
    """Fill in a sound by a recipe, whose unknown atoms are those of the atomizer `name`."""
    deadline = time.monotonic() + limits().fill_seconds
    if name != MDCT:
        selection, cutoff = resolve_for(recipe.selection, sound)
        if cutoff is not None:
            inform(describe_cutoff(cutoff), title="Selection")
        recipe = replace(recipe, selection=selection)
        resolve(recipe.settings, recipe.task(sound))  # raises before the long pursuit
        sound, left = _erase(sound, recipe, name), recipe.after_erasing()
        if not left:
            return sound
        (recipe,) = left
    task = recipe.task(sound)
    for note in task.notes:
        inform(note, title="Selection")
    return task.render(_last_step(task, recipe.settings, deadline).grid)


def _words_of(select: Sequence[str] | str) -> list[str]:
    """Return the specifications of a list, or of one string."""
    # a comma separates two specifications only before a name: rect:T0,T1,F0,F1 has commas, too
    words = re.split(r"\s+|,\s*(?=[a-z])", select) if isinstance(select, str) else select or []
    if not isinstance(words, (list, tuple)):
        raise AtomizerError(
            f"The selection must be a list of specifications or one text, not {str(words)[:40]!r}."
        )
    return [word for word in words if word != ""]


def _write_result(filled: Sound, file: str) -> Path:
    """Write a sound to where Gradio serves files from, without a copy."""
    suffix = Path(file).suffix.lower()
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{Path(file).stem}-filled{suffix if suffix == '.flac' else '.wav'}"
    path = Path(tempfile.mkdtemp(prefix="atomizer-", dir=folder)) / name
    report = write(path, filled)
    if report:
        warn(report, title="Peaks above full scale")
    return path


def _read(file: str, start: float | None, seconds: float | None) -> Sound:
    """Read a sound or an excerpt; the error for a long file says how to request an excerpt."""
    check_size(file)
    longest = limits().excerpt_seconds
    try:
        sound = read(file, longest, start or 0.0, seconds)
        if sound.note:
            warn(sound.note, title="This file is damaged")
        return sound
    except TooLong as error:
        whole = overview(file, max_seconds=longest)
        most = max_duration(whole.channels, whole.rate, longest)
        raise AtomizerError(
            f"This sound lasts {whole.seconds:.1f} seconds and {most:g} are accepted at a time: "
            f"request an excerpt with start and seconds."
        ) from error


def _pursue(sound: Sound, name: str) -> tuple[MatchingPursuitAtomizer, Pursuit]:
    """Return a matching-pursuit atomizer, and its finished pursuit of a sound."""
    atomizer = ATOMIZERS[name](stop=decomposition.stop_criterion())
    *_, found = atomizer.pursue(sound.at(atomizer.space.rate))
    return atomizer, found


def _erase(sound: Sound, recipe: Recipe, name: str) -> Sound:
    """The sound without the selected matching-pursuit atoms.

    Raises AtomizerError where the pursuit ended before it reproduced the sound, because the rest of
    the sound would be missing.
    """
    recipe.check_pursuit()
    atomizer, found = _pursue(sound, name)
    if found.done in ("atoms", "seconds"):
        raise AtomizerError(
            f"The pursuit ended after {found.count:,} atoms and {found.seconds:.0f} s, before it "
            f"reproduced the sound (at {found.srr_db:.1f} of {decomposition.SRR_DB:g} dB): "
            "request a shorter excerpt with start and seconds."
        )
    return erase_atoms(sound, recipe.selection, atomizer, recipe.settings.seed, found.atoms).sound


def _last_step(task: Task, settings: Settings, deadline: float) -> Step:
    """Return the last step of a fill. Raises OutOfTime after the deadline.

    Unlike on the page, a fill that is only half done is useless for a program.
    """
    for step in fill(task, settings, model_for(settings.method, deadline)):
        if step.number < step.total:
            check_time(deadline)
    return step


class _errors_for_clients:
    """Turns every error into a `gr.Error` with one sentence."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception) and not isinstance(error, gr.Error):
            raise gr.Error(sentence_of(error), print_exception=False) from (
                None if isinstance(error, AtomizerError) else error
            )
