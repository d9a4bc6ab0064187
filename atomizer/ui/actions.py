"""What happens when a sound is loaded, atoms are selected, a fill runs or is stopped, a variation is used.

Every handler leaves the session and the picture usable: what cannot be done is said in one sentence, and nothing is lost.
"""

from __future__ import annotations

import errno
import html
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import gradio as gr

from .. import checkpoint, stories
from ..atoms import AtomizerError
from ..audio import read
from ..figures import Look
from ..fill import Settings, fill, resolve
from ..recipe import Recipe, seeds
from ..selection import Region, Selection
from ..stories import Story
from . import visitors
from .exports import Wanted, export
from .session import Session
from .view import AtomView, Chosen, Message

MAX_COUNT = 8  # variations at a time
MAX_SECONDS = float(os.environ.get("ATOMIZER_PAGE_SECONDS", "300"))  # what a visitor may load: memory is shared by all
AUTO = "auto"

log = logging.getLogger(__name__)
_loading = threading.Lock()


def has_model() -> bool:
    return (checkpoint.SHIPPED / "config.json").is_file()


def load_model():
    """The shipped model, loaded once, when it is first needed."""
    with _loading:  # a fill that was stopped while it loads goes on loading beside the next one
        return _shipped()


@lru_cache(maxsize=1)
def _shipped():
    return checkpoint.load()


def model_for(method: str):
    return load_model() if method == "model" else None


def settings_of(order: str, reverse: bool, steps: str | float | None, temperature: str | float | None,
                nucleus: str | float | None, seed: float | None, method: str) -> Settings:
    """Settings of the values of the controls; empty ones are left to what suits the task."""
    return Settings(method=method, order=None if order == AUTO else order, reverse=bool(reverse), steps=whole_of("steps", steps),
                    temperature=number_of("temperature", temperature), nucleus=number_of("nucleus", nucleus), seed=whole_of("seed", seed) or 0)


def whole_of(name: str, value: str | float | None) -> int | None:
    """A whole number of what somebody entered, None where that is nothing. Raises AtomizerError for anything else."""
    found = number_of(name, value)
    if found is not None and found != int(found):
        raise AtomizerError(f"The {name} must be a whole number, not {found:g}.")
    return None if found is None else int(found)


def number_of(name: str, value: str | float | None) -> float | None:
    """As `whole_of`, for any finite number."""
    if value is None or str(value).strip().lower() in ("", AUTO):
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise AtomizerError(f"The {name} must be a number, or empty for what suits the task, not {str(value)[:40]!r}.")
    return found


def sentence_of(error: Exception) -> str:
    """What to tell the visitor about an error; what nobody foresaw goes to the log in full."""
    if isinstance(error, AtomizerError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The server has too little memory for this at the moment: your sound and selection are kept, so try again later or with a shorter sound."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The server's disk is full at the moment: your sound and selection are kept, so try again later."
    log.exception("unexpected", exc_info=error)
    return "That went wrong inside the Atomizer: your sound and selection are kept, please try again."


def warn(sentence: str, title: str) -> None:
    """Show a notice; Gradio takes HTML there, and a file's name may hold any character."""
    gr.Warning(html.escape(sentence, quote=False), title=title)


def load(view: AtomView, path: str | None, session: Session | None):
    """A file becomes a new session. Returns (message, session), both skipped where the file is no sound."""
    if not path:
        return gr.skip(), gr.skip()
    try:
        fresh = Session(view, read(path, MAX_SECONDS), Path(path).name, upload=visitors.uploaded(path))
    except Exception as error:
        warn(sentence_of(error), title="This sound cannot be used")
        return gr.skip(), gr.skip()
    if session is not None:
        session.close()  # a fill that is still in a step has nothing to say any more
    return fresh.say("Draw in the picture, or take a preset, to say which atoms are unknown; then fill them in."), fresh


def describe(chosen: Chosen, features: list[str], seed: float | None, session: Session | None) -> Message:
    """Which atoms the selected parts are; and what to do next, or what is in the way."""
    if session is None:
        return gr.skip()
    busy = session.message.busy
    try:
        seed = whole_of("seed", seed) or 0
        session.show_parts(chosen["parts"], seed)
        if not chosen["regions"] and not chosen["parts"]:
            return session.say("Nothing is selected: draw in the picture, or take a preset.", busy)
        selection = Selection.from_dict({**chosen, "features": features})
        selection.mask(session.grid, session.space, seed, nyquist=session.sound.rate / 2)
        lost = " and ".join(selection.features) if len(selection.features) < 3 else f"{len(selection.features)} features"
        return session.say(f"Ready to fill in the {lost} of what is selected.", busy)
    except Exception as error:
        return session.say(sentence_of(error), busy)


# fills


def fill_selection(chosen: Chosen, session: Session | None, features: list[str], *controls) -> Iterator[Message]:
    """Fill what is selected in the picture."""
    yield from _fill(session, lambda settings: Recipe(Selection.from_dict({**chosen, "features": features}), settings), controls, chosen.key)


def continue_sound(session: Session | None, seconds: float | None, *controls) -> Iterator[Message]:
    """Continue the sound past its end."""
    yield from _fill(session, lambda settings: Recipe(settings=settings, extend=number_of("seconds", seconds) or 0.0), controls)


def add_channel(session: Session | None, *controls) -> Iterator[Message]:
    """Invent a second channel for a mono sound."""
    yield from _fill(session, lambda settings: Recipe(settings=settings, add_channels=1), controls)


def extend_bandwidth(session: Session | None, *controls) -> Iterator[Message]:
    """Invent the highs that a low sampling rate could not hold."""
    yield from _fill(session, lambda settings: Recipe(Selection((Region(f=(session.sound.rate / 2, None)),)), settings), controls)


def _fill(session: Session | None, make_recipe: Callable[[Settings], Recipe], controls: tuple, key: str = "") -> Iterator[Message]:
    """Fill with the values of the controls, of which the last is the number of variations."""
    def recipes():
        *values, count = controls
        return seeds(make_recipe(settings_of(*values)), min(max(whole_of("variations", count) or 1, 1), MAX_COUNT))
    yield from run(session, recipes, key)


def noise(session: Session | None, number: int | None) -> Iterator[Message]:
    """Fill what a variation filled in with noise of interpolated levels, to hear what the model adds."""
    def recipes():
        if not has(session, number):
            raise AtomizerError("Fill something in first, to compare it with noise.")
        recipe = session.kept[number].recipe
        return [replace(recipe, settings=replace(recipe.settings, method="noise"), stop_after=0)]
    yield from run(session, recipes, session.variation(number).key if has(session, number) else "")


def run(session: Session | None, make_recipes: Callable[[], list[Recipe]], key: str = "") -> Iterator[Message]:
    """Run fills one after the other, and yield what the picture shows after every step."""
    if session is None:
        warn("Load a sound first.", title="Nothing to fill in")
        yield gr.skip()
        return
    token = object()
    try:
        recipes = make_recipes()
        for place, recipe in enumerate(recipes):
            task = recipe.task(session.sound)
            settings = resolve(recipe.settings, task)  # bad settings are refused before anything changes
            model = model_for(settings.method)
            which = f"Variation {place + 1} of {len(recipes)}: step" if len(recipes) > 1 else "Step"
            session.token = token
            session.begin(recipe, task, key)
            yield session.say(f"{which} 1 of {settings.steps} …", busy=True)
            start = time.monotonic()
            for step in fill(task, settings, model):
                if session.token is not token:  # stopped, but Python cannot be interrupted within a step
                    return
                session.show_step(step)
                left = (time.monotonic() - start) / step.number * (step.total - step.number)
                yield session.say(f"{which} {step.number} of {step.total}, about {left:.0f} s left", busy=True)
            variation = session.finish()
            busy = place + 1 < len(recipes)
            yield session.say(f"{variation.label}: filled in {variation.heard:,} audible atoms in {time.monotonic() - start:.1f} s", busy)
    except Exception as error:
        sentence = sentence_of(error)
        warn(sentence, title="Not filled in")
        session.abandon()
        yield session.say(sentence)
    finally:
        visitors.give_back()


def stop(session: Session | None) -> Message:
    """Keep what a cancelled fill has revealed so far."""
    if session is None or not session.message.busy:
        return gr.skip()
    session.token = None
    if session.running is None:  # between two variations
        return session.say("Stopped: what was filled in so far is kept.")
    if session.running.step is None:
        session.abandon()
        return session.say("Stopped before the first step: nothing was filled in.")
    step = session.running.step
    session.finish()
    return session.say(f"Stopped after step {step.number} of {step.total}: what was filled in so far is kept.")


# variations


def has(session: Session | None, number: object) -> bool:
    """Whether there is a variation of this id, which comes from the browser and may be anything."""
    return session is not None and isinstance(number, int) and number in session.kept


def adopt(session: Session | None, number: int | None) -> Message:
    """Make a variation the new original."""
    if not has(session, number):
        return gr.skip()
    label = session.variation(number).label
    session.adopt(number)
    return session.say(f"{label} is the new original: select in it, and fill in again.")


def revert(session: Session | None) -> Message:
    """Go back to the original that a variation took the place of."""
    if session is None or not session.before:
        return gr.skip()
    session.revert()
    return session.say("This is the original before the last one.")


def forget(session: Session | None, number: int | None) -> Message:
    """Take a variation out of the history."""
    if not has(session, number):
        return gr.skip()
    label = session.variation(number).label
    session.forget(number)
    return session.say(f"{label} is forgotten.", session.message.busy)


def hand_over(session: Session | None, request: dict) -> Message:
    """Make the file that the picture asks for: {kind, version, variation, look}."""
    if session is None:
        return gr.skip()
    try:
        if not isinstance(request, dict):
            raise AtomizerError("An export is asked for by its kind, version, variation and look.")
        number = request.get("variation")
        wanted = Wanted(str(request.get("kind")), str(request.get("version")), number if has(session, number) else None,
                        Look.from_dict(request.get("look") or {}))
        data, name = export(session, wanted)
        session.hand_over(data, name)
        return session.say(f"{name} is ready.", session.message.busy)
    except Exception as error:
        sentence = sentence_of(error)
        warn(sentence, title="Not exported")
        return session.say(sentence, session.message.busy)


# stories


def tell(view: AtomView, story: Story, session: Session | None):
    """Load a story's sound and selection, and show its result where it is cached. Returns (message, session)."""
    message, fresh = load(view, str(story.path), session)
    if not isinstance(fresh, Session):  # the sound is broken
        return message, fresh
    try:
        key = fresh.propose(story.recipe.selection)
        fresh.show_parts(story.recipe.selection.to_dict().get("parts", []), story.recipe.settings.seed)
        fresh.message.note = story.listen
        task = story.recipe.task(fresh.sound)
        step = stories.cached(story, task)
        if step is None:
            return fresh.say("Computed for the first time: this takes a moment.", busy=True), fresh
        fresh.begin(story.recipe, task, key)
        fresh.show_step(step)
        fresh.finish()
        return fresh.say(f"{story.title}: switch between original, masked and filled while it plays."), fresh
    except Exception as error:
        return fresh.say(sentence_of(error)), fresh


def finish_story(story: Story, session: Session | None) -> Iterator[Message]:
    """Compute and cache a story that `tell` did not find."""
    if session is None or session.kept or session.name != story.path.name or session.message.proposal is None:
        yield gr.skip()
        return
    method = story.recipe.settings.method if has_model() else "noise"
    recipe = replace(story.recipe, settings=replace(story.recipe.settings, method=method))
    last = None
    for message in run(session, lambda: [recipe], session.message.proposal.id):
        last = session.running or last  # gone once the fill is finished
        yield message
    if method == "model" and session.kept and last.step.number == last.step.total:
        stories.keep(story, last.task, last.step)
