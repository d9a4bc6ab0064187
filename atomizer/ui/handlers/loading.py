"""A sound, an excerpt of a long file, or an example is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from ...errors import AtomizerError
from ...io.audio import Sound, TooLong, max_duration, overview, read
from ...limits import MEGABYTE, limits
from .. import cleanup, examples, gpu, session_file
from ..examples import Example
from ..message import Message
from ..session import LongFile, Session, Tab, history, jobs, open_session, scenes
from ..session.job_state import JobEvent
from . import responses
from .controls import parse_number
from .recipes import acting_on
from .responses import is_active, no_session, sentence_of
from .running import run
from .saving import open_saved, opened_status
from .stopping import stop

FIRST_SECONDS = 30.0  # the first excerpt of a file that is too long to work on as a whole


def load(
    path: str | None,
    tab: Tab,
    choice: int | None = None,
    name: str = "",
    pressed: float | None = None,
):
    """Open a sound, or a session file, as a new session that replaces the current one.

    Returns (message, session). The session is skipped where the file is not a valid sound; both
    are skipped where there was no session before either, or a sound that was chosen later is shown.

    choice   number of the choice; a new one by default
    name     of the sound, where its file has no good one
    pressed  as in filling.py: when the sound was chosen
    """
    if not path:
        return gr.skip(), gr.skip()
    choice, session = tab.choose(pressed) if choice is None else choice, tab.session
    if session_file.is_session_file(path):
        return _load_saved(path, tab, choice)
    try:
        sound, long_file = open_file(path)
        uploaded = cleanup.uploaded_path(path)
        fresh = open_session(sound, name or Path(path).name, long_file, uploaded)
    except Exception as error:
        return load_failed(session, error, "This sound cannot be used"), gr.skip()
    if not history.show(tab, fresh, choice):
        return gr.skip(), gr.skip()
    note = f"{sound.note} " if sound.note else ""
    if long_file is not None:
        return _opened(
            fresh,
            f"{note}This file is {_length(long_file.outline.seconds)} long; you can work on up to "
            f"{_length(long_file.longest)} at a time. Showing the first {sound.seconds:g} s; "
            "drag the handles to choose another part.",
        )
    how = "Drag over the spectrogram with a tool such as Box, or add a preset, then press Fill in."
    return _opened(fresh, note + how)


def _load_saved(path: str, tab: Tab, choice: int):
    """Open a session file; returns what `load` does."""
    session = tab.session
    try:
        check_size(path, "delete variations, and save the session again")
        fresh = open_saved(path)
    except Exception as error:
        return load_failed(session, error, "This session cannot be used"), gr.skip()
    finally:
        cleanup.trim_heap()
    if not history.show(tab, fresh, choice):
        return gr.skip(), gr.skip()
    if fresh.work is not None and fresh.has_selection:
        fresh.update(acting=acting_on(fresh, fresh.work.fill))
    return _opened(fresh, opened_status(fresh))


def _length(seconds: float) -> str:
    """Return a duration as people write it: "12 minutes", "7 min 20 s", "45 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} minutes"


def _clock(seconds: float) -> str:
    """Return a time as the page writes it: "3:25.0"."""
    tenths = round(10 * seconds)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def load_failed(session: Session | None, error: Exception, title: str) -> Message:
    """Explain why a sound was not loaded; a fill that the attempt stopped is stored as it is."""
    sentence = sentence_of(error)
    responses.warn(sentence, title)
    if not is_active(session):
        return gr.skip()
    with session.lock:
        stop(session)
        return session.publish(sentence)


def _opened(fresh: Session, status: str):
    """Return (message, session) of a new sound; both skipped where another one has replaced it."""
    message = fresh.publish(status)
    return (gr.skip(), gr.skip()) if fresh.replaced_by else (message, fresh)


def check_size(path: str | Path, advice: str = "a FLAC, OGG or MP3 file is smaller") -> None:
    """Raise AtomizerError, with advice, for a file larger than `limits().file_mb`."""
    size = Path(path).stat().st_size / MEGABYTE if Path(path).is_file() else 0
    if size > limits().file_mb:
        raise AtomizerError(
            f"This file has {size:,.1f} MB; up to {limits().file_mb:g} MB are accepted: {advice}."
        )


def open_file(path: str | Path) -> tuple[Sound, LongFile | None]:
    """Read a sound, or the first excerpt of a long file. Raises AtomizerError."""
    check_size(path)
    longest = limits().excerpt_seconds
    try:
        return read(path, longest), None
    except TooLong:
        outline = overview(path, max_seconds=longest)
    most = max_duration(outline.channels, outline.rate, longest)
    long_file = LongFile(Path(path), outline, most)
    return long_file.read(0.0, min(FIRST_SECONDS, most)), long_file


def choose_excerpt(tab: Tab, request: dict[str, Any], pressed: float | None = None):
    """Open another excerpt {start, seconds} of a long file as a new session.

    Returns (message, session); the session is skipped where the excerpt is invalid.
    `pressed` as in `load`.
    """
    choice, session = tab.choose(pressed), tab.session
    if not is_active(session) or session.long_file is None:
        return no_session(session), gr.skip()
    try:
        start, seconds = (
            parse_number(name, request.get(name)) or 0.0 for name in ("start", "seconds")
        )
        sound = session.long_file.read(start, seconds)
        long_file = replace(session.long_file, start=start)
        fresh = open_session(sound, session.name, long_file)
    except Exception as error:
        return load_failed(session, error, "This part cannot be used"), gr.skip()
    fresh.like = session.like
    if not history.show(tab, fresh, choice):
        return gr.skip(), gr.skip()
    end = start + fresh.sound.seconds
    return _opened(
        fresh,
        f"Showing {_clock(start)} to {_clock(end)}: drag over the spectrogram with a tool such as "
        "Box, or add a preset, then press Fill in.",
    )


def load_example(example: Example, tab: Tab, pressed: float | None = None):
    """Load an example's sound and selection, and show its result where that is cached.

    Returns (message, session); both are skipped where Stop was pressed after it, or another sound
    chosen. `pressed` as in filling.py.
    """
    if tab.presses.was_stopped(pressed):
        return gr.skip(), gr.skip()
    message, fresh = load(str(example.path), tab, pressed=pressed)
    if not isinstance(fresh, Session):  # the sound file is broken
        return message, fresh
    recipe = example.recipe
    try:
        key = scenes.propose_selection(fresh, recipe.selection, not example.is_faulty)
        scenes.show_parts(fresh, recipe.selection, recipe.settings.seed, key)
        acting = acting_on(fresh, recipe)
        fresh.update(note=example.listen, example=example.id, acting=acting)
        fresh.example_recipe = recipe
        task = recipe.task(fresh.sound)
        step = examples.cached(example, task)
        with fresh.lock:  # Stop comes before all of it, or after
            if jobs.start(fresh, "fill", pressed) is None:
                return _opened(fresh, "Stopped: nothing was filled in.")
            if step is None:
                fresh.advance(JobEvent.ANNOUNCE)
                return _opened(fresh, "Computing this for the first time takes a moment.")
            jobs.begin(fresh, recipe, task, key)
            jobs.show_step(fresh, step)
            fresh.example_variations.add(jobs.finish(fresh, JobEvent.FINISH).id)
        return _opened(
            fresh, f"{example.title}: switch between original, masked and filled while it plays."
        )
    except Exception as error:
        fresh.end_job(JobEvent.FAIL)
        return _opened(fresh, sentence_of(error))


def finish_example(example: Example, session: Session | None) -> Iterator[Message]:
    """Compute and cache the result of an example that was announced, and not stopped since."""
    job = None if session is None else session.job
    if (
        session is None
        or job is None
        or not job.active
        or session.stored
        or session.name != example.path.name
        or session.shown.proposal is None
    ):
        yield gr.skip()
        return
    method = example.recipe.settings.method if gpu.has_model() else "noise"
    recipe = replace(example.recipe, settings=replace(example.recipe.settings, method=method))
    fill = None
    for message in run(session, lambda _: [recipe], session.shown.proposal.id, job=job):
        fill = session.fill or fill  # None once it is finished
        yield message
    session.example_variations |= set(session.stored)
    step = None if fill is None else fill.step
    if method == "model" and session.stored and fill and step and step.number == step.total:
        examples.store(example, fill.task, step)
