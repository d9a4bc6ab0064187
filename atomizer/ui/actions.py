"""What happens when a sound is loaded, atoms are selected, a fill runs or is stopped.

Every handler leaves the session and the picture usable: what cannot be done is said in one sentence, and nothing is lost.
"""

from __future__ import annotations

import html
import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import gradio as gr

from .. import checkpoint
from ..atoms import AtomizerError
from ..audio import read
from ..fill import Settings, fill, resolve
from ..selection import Region, Selection
from ..task import Task, prepare
from .session import Session
from .view import AtomView, Chosen, Message

MAX_SECONDS = float(os.environ.get("ATOMIZER_PAGE_SECONDS", "300"))  # what a visitor may load: memory is shared by all
AUTO = "auto"

log = logging.getLogger(__name__)


def has_model() -> bool:
    return (checkpoint.SHIPPED / "config.json").is_file()


@lru_cache(maxsize=1)
def load_model():
    """The shipped model, loaded once, when it is first needed."""
    return checkpoint.load()


def model_for(method: str):
    return load_model() if method == "model" else None


def settings_of(order: str, reverse: bool, steps: str | float | None, temperature: str | float | None,
                nucleus: str | float | None, seed: float | None, method: str) -> Settings:
    """Settings of the values of the controls; empty ones are left to what suits the task."""
    steps = _number("steps", steps)
    if steps is not None and steps != int(steps):
        raise AtomizerError(f"The steps must be a whole number, not {steps:g}.")
    return Settings(method=method, order=None if order == AUTO else order, reverse=bool(reverse),
                    steps=None if steps is None else int(steps), temperature=_number("temperature", temperature),
                    nucleus=_number("nucleus", nucleus), seed=int(seed or 0))


def _number(name: str, value: str | float | None) -> float | None:
    if value is None or str(value).strip().lower() in ("", AUTO):
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise AtomizerError(f"The {name} must be a number, or empty for what suits the task, not {str(value)[:40]!r}.")
    return number


def sentence_of(error: Exception) -> str:
    """What to tell the visitor about an error; what nobody foresaw goes to the log in full."""
    if isinstance(error, AtomizerError):
        return str(error)
    log.exception("unexpected", exc_info=error)
    return "That went wrong inside the Atomizer: your sound and selection are kept, please try again."


def percent(share: float) -> str:
    return "less than 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def warn(sentence: str, title: str) -> None:
    """Show a notice; Gradio takes HTML there, and a file's name may hold any character."""
    gr.Warning(html.escape(sentence, quote=False), title=title)


def load(view: AtomView, path: str | None, session: Session | None):
    """A file becomes a new session. Returns (message, session), both skipped where the file is no sound."""
    if not path:
        return gr.skip(), gr.skip()
    try:
        fresh = Session(view, read(path, MAX_SECONDS), Path(path).name)
    except Exception as error:
        warn(sentence_of(error), title="This sound cannot be used")
        return gr.skip(), gr.skip()
    if session is not None:
        session.close()
    return fresh.say("Draw a box around atoms to make them unknown, then fill them in."), fresh


def describe(chosen: Chosen, features: list[str], seed: float | None, session: Session | None) -> Message:
    """What is selected, in numbers; and which atoms the selected parts are."""
    if session is None:
        return gr.skip()
    busy = session.message.busy
    try:
        session.show_parts(chosen["parts"], int(seed or 0))
        if not chosen["regions"] and not chosen["parts"]:
            return session.say("Nothing is selected: draw a box in the picture, or add a preset.", busy)
        selection = Selection.from_dict({**chosen, "features": features})
        mask = selection.mask(session.grid, session.space, int(seed or 0), nyquist=session.sound.rate / 2)
        energy = session.grid.astype("float64") ** 2
        share = energy[mask].sum() / max(energy.sum(), 1e-30)
        audible = int((session.space.quantise(session.grid[mask], float(abs(session.grid).max())) > 0).sum())
        return session.say(f"{audible:,} audible atoms selected, {percent(share)} of the energy", busy)
    except Exception as error:
        return session.say(sentence_of(error), busy)


def fill_selection(chosen: Chosen, session: Session | None, features: list[str], *controls) -> Iterator[Message]:
    """Fill what is selected in the picture."""
    def task(sound, seed):
        return prepare(sound, Selection.from_dict({**chosen, "features": features}), seed=seed)
    yield from _fill(session, task, controls, chosen.key)


def continue_sound(session: Session | None, seconds: float | None, *controls) -> Iterator[Message]:
    """Continue the sound past its end."""
    yield from _fill(session, lambda sound, seed: prepare(sound, Selection(), extend=float(seconds or 0), seed=seed), controls)


def add_channel(session: Session | None, *controls) -> Iterator[Message]:
    """Invent a second channel for a mono sound."""
    yield from _fill(session, lambda sound, seed: prepare(sound, Selection(), add_channels=1, seed=seed), controls)


def extend_bandwidth(session: Session | None, *controls) -> Iterator[Message]:
    """Invent the highs that a low sampling rate could not hold."""
    def task(sound, seed):
        return prepare(sound, Selection((Region(f=(sound.rate / 2, None)),)), seed=seed)
    yield from _fill(session, task, controls)


def _fill(session: Session | None, make_task: Callable[..., Task], controls: tuple, key: str = "") -> Iterator[Message]:
    """Run a fill and yield what the picture shows after every step."""
    if session is None:
        warn("Load a sound first.", title="Nothing to fill in")
        yield gr.skip()
        return
    try:
        settings = settings_of(*controls)
        task = make_task(session.sound, settings.seed)
        steps = resolve(settings, task).steps  # bad settings are refused before anything changes
        model = model_for(settings.method)
        session.run = run = object()
        session.show_task(task, key)
        yield session.say(f"Filling in, step 1 of {steps} …", busy=True)
        start = time.monotonic()
        for step in fill(task, settings, model):
            if session.run is not run:  # stopped, but Python cannot be interrupted within a step
                return
            session.show_step(step, key)
            left = (time.monotonic() - start) / step.number * (step.total - step.number)
            yield session.say(f"Step {step.number} of {step.total}, about {left:.0f} s left", busy=True)
        session.show_end()
        yield session.say(f"Filled in {session.heard():,} audible atoms in {time.monotonic() - start:.1f} s")
    except Exception as error:
        sentence = sentence_of(error)
        warn(sentence, title="Not filled in")
        if session.message.busy and session.step is None:
            session.show_sound()
        yield session.say(sentence)


def stop(session: Session | None) -> Message:
    """Keep what a cancelled fill has revealed so far."""
    if session is None or session.task is None or not session.message.busy:
        return gr.skip()
    session.run = None
    if session.step is None:
        session.show_sound()
        return session.say("Stopped before the first step: nothing was filled in.")
    session.show_end()
    return session.say(f"Stopped after step {session.step.number} of {session.step.total}: what was filled in so far is kept.")
