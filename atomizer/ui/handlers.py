"""What happens when a sound is loaded, atoms are selected, a fill runs or is stopped, a variation is used.

Every handler leaves the session and the picture usable: what cannot be done is said in one sentence, and nothing is lost.
"""

from __future__ import annotations

import errno
import html
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import gradio as gr

from ..atoms.selection import Region, Selection
from ..errors import AtomizerError
from ..inpainting.recipe import Recipe, vary_seed
from ..inpainting.settings import Settings, resolve
from ..io.audio import Sound, TooLong, max_duration, overview, read
from ..limits import MEGABYTE, limits
from ..plotting.figures import Look
from . import cleanup as visitors
from . import examples as stories
from . import pursuit
from .component import AtomView, Chosen, Message, Variation
from .examples import Story
from .exports import Wanted, export
from .gpu import OutOfTime, check_time, fill, has_model, model_for
from .session import LongFile, Session, first_number

FIRST_SECONDS = 30.0  # of a file that is too long to be worked on as a whole
AUTO = "auto"
REDRAWN = 0.7  # seconds between two pictures of a pursuit

log = logging.getLogger(__name__)


def present(session: Session | None) -> TypeGuard[Session]:
    """Whether there is a sound, and no other one has taken its place meanwhile."""
    return session is not None and session.successor is None


def absent(session: Session | None) -> Message:
    """What is said instead where a sound is not `present`: nothing; or, to a page whose sound was let go while it was cut off, that there is none, at
    which it begins anew with the one that it has kept."""
    return Message(number=first_number()) if session is None else gr.skip()


def settings_of(
    order: str,
    reverse: bool,
    steps: str | float | None,
    temperature: str | float | None,
    nucleus: str | float | None,
    seed: str | float | None,
    method: str,
    fresh: int = 0,
) -> Settings:
    """Settings of the values of the controls; empty ones are left to what suits the task, and an empty seed is `fresh`."""
    seed = whole_of("seed", seed)
    return Settings(
        method=method,
        order=None if order == AUTO else order,
        reverse=bool(reverse),
        steps=whole_of("steps", steps),
        temperature=number_of("temperature", temperature),
        nucleus=number_of("nucleus", nucleus),
        seed=fresh if seed is None else seed,
    )


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
        raise AtomizerError(
            f"The {name} must be a number, or empty for what suits the task, not {str(value)[:40]!r}."
        )
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
    return (
        "That went wrong inside the Atomizer: your sound and selection are kept, please try again."
    )


def warn(sentence: str, title: str) -> None:
    """Show a notice; Gradio takes HTML there, and a file's name may hold any character."""
    gr.Warning(html.escape(sentence, quote=False), title=title)


def load(view: AtomView, path: str | None, session: Session | None):
    """A file becomes a new session. Returns (message, session), of which the latter is skipped where the file is no sound, and both where there was none."""
    if not path:
        return gr.skip(), gr.skip()
    try:
        sound, long = open_file(path)
        fresh = Session(view, sound, Path(path).name, long, upload=visitors.uploaded(path))
    except Exception as error:
        return _refused(session, error, "This sound cannot be used"), gr.skip()
    if session is not None:
        fresh.succeed(session)
    if long is not None:
        return _opened(
            fresh,
            f"This file lasts {long.outline.seconds:.0f} s and at most {long.longest:g} s are worked on at a time: these are its first "
            f"{sound.seconds:g} s, and another excerpt is chosen above the picture.",
        )
    return _opened(
        fresh,
        "Draw in the picture, or take a preset, to say which atoms are unknown; then fill them in.",
    )


def _refused(session: Session | None, error: Exception, title: str) -> Message:
    """Say why there is no other sound; a fill that the attempt has put an end to is kept as far as it has come."""
    sentence = sentence_of(error)
    warn(sentence, title)
    if not present(session):
        return gr.skip()
    with session.saying:
        stop(session)
        return session.say(sentence)


def _opened(fresh: Session, status: str, busy: bool = False):
    """(message, session) of a new sound; both skipped where another one has taken its place meanwhile."""
    message = fresh.say(status, busy)
    return (gr.skip(), gr.skip()) if fresh.successor else (message, fresh)


def check_size(path: str | Path) -> None:
    """Raise AtomizerError for a file of more than `limits().file_mb`."""
    size = Path(path).stat().st_size / MEGABYTE if Path(path).is_file() else 0
    if size > limits().file_mb:
        raise AtomizerError(
            f"This file has {size:,.1f} MB; up to {limits().file_mb:g} MB are accepted: a FLAC, OGG or MP3 file takes less room."
        )


def open_file(path: str | Path) -> tuple[Sound, LongFile | None]:
    """The sound of a file; of one that is too long its first excerpt, and what other excerpts are chosen by. Raises AtomizerError."""
    check_size(path)
    try:
        return read(path, limits().excerpt_seconds), None
    except TooLong:
        outline = overview(path)
    long = LongFile(
        Path(path), outline, max_duration(outline.channels, outline.rate, limits().excerpt_seconds)
    )
    return long.read(0.0, min(FIRST_SECONDS, long.longest)), long


def choose_excerpt(view: AtomView, session: Session | None, wanted: dict[str, Any]):
    """Another part of a long file becomes a new session: {start, seconds}. Returns (message, session), which is skipped where that fails."""
    if not present(session) or session.long is None:
        return absent(session), gr.skip()
    try:
        start, seconds = (number_of(name, wanted.get(name)) or 0.0 for name in ("start", "seconds"))
        fresh = Session(
            view,
            session.long.read(start, seconds),
            session.name,
            replace(session.long, start=start),
            upload=session.upload,
        )
    except Exception as error:
        return _refused(session, error, "This excerpt cannot be used"), gr.skip()
    session.upload = None  # it goes with the new session
    fresh.succeed(session)
    return _opened(
        fresh,
        f"This is the excerpt from {start:.1f} to {start + fresh.sound.seconds:.1f} s: draw in the picture to say which atoms are unknown.",
    )


def describe(
    chosen: Chosen, features: list[str], seed: str | float | None, session: Session | None
) -> Message:
    """Which atoms the selected parts are; and what to do next, or what is in the way."""
    if not present(session):
        return absent(session)
    session.features, session.selected = (
        features,
        bool(chosen.get("regions") or chosen.get("parts")),
    )
    asked = session.message.number

    def answer(text: str) -> Message:
        with session.saying:
            now = session.message  # a fill may have begun or ended meanwhile: what it said stands, and whether it is busy
            if now.number != asked:
                text = now.status
            elif not session.answers(chosen.key, features):
                session.described = text
            elif now.status != session.described or session.shown_variation is None:
                text = now.status
            else:  # a selection that was taken back, and made again
                text = made(session.shown_variation)
            return session.say(text, now.busy)

    try:
        named = whole_of("seed", seed)
        number = session.seed if named is None else named
        session.show_parts(chosen["parts"], number)
        if not chosen["regions"] and not chosen["parts"]:
            return answer("Nothing is selected: draw in the picture, or take a preset.")
        selection = Selection.from_dict({**chosen, "features": features})
        session.check(selection, number)
        if session.pursuit is not None:
            session.leave_variation(chosen.key)
            return answer(
                "Masked plays the sound without what is selected; the MDCT model can fill the region in, on top of that sound."
            )
        lost = (
            " and ".join(selection.features)
            if len(selection.features) < 3
            else f"{len(selection.features)} features"
        )
        return answer(f"Ready to fill in the {lost} of what is selected.")
    except Exception as error:
        return answer(sentence_of(error))


# fills


def fill_selection(
    chosen: Chosen, session: Session | None, features: list[str], *controls
) -> Iterator[Message]:
    """Fill what is selected in the picture."""
    if present(session):
        session.features = features
    yield from _fill(
        session,
        lambda settings: Recipe(Selection.from_dict({**chosen, "features": features}), settings),
        controls,
        chosen.key,
    )


def continue_sound(session: Session | None, seconds: float | None, *controls) -> Iterator[Message]:
    """Continue the sound past its end."""
    yield from _fill(
        session,
        lambda settings: Recipe(settings=settings, extend=number_of("seconds", seconds) or 0.0),
        controls,
    )


def add_channel(session: Session | None, *controls) -> Iterator[Message]:
    """Invent a second channel for a mono sound."""
    yield from _fill(session, lambda settings: Recipe(settings=settings, add_channels=1), controls)


def extend_bandwidth(session: Session | None, *controls) -> Iterator[Message]:
    """Invent the highs that a low sampling rate could not hold."""
    beyond = session.sound.rate / 2 if session is not None else 0.0
    yield from _fill(
        session, lambda settings: Recipe(Selection((Region(f=(beyond, None)),)), settings), controls
    )


def _fill(
    session: Session | None,
    make_recipe: Callable[[Settings], Recipe],
    controls: tuple,
    key: str = "",
) -> Iterator[Message]:
    """Fill with the values of the controls, of which the last is the number of variations."""

    def recipes():
        *values, count = controls
        count = whole_of("number of variations", count) or 1
        if not 1 <= count <= limits().variations:
            raise AtomizerError(
                f"1 to {limits().variations} variations are made at a time, not {count}."
            )
        return vary_seed(
            session.on_shown_atoms(make_recipe(settings_of(*values, fresh=session.seed))), count
        )

    yield from run(session, recipes, key)


def noise(session: Session | None, number: Any) -> Iterator[Message]:
    """Fill what a variation filled in with noise of interpolated levels, to hear what the model adds."""

    def recipes():
        if not has(session, number):
            raise AtomizerError("Fill something in first, to compare it with noise.")
        recipe = session.kept[number].recipe
        return [replace(recipe, settings=replace(recipe.settings, method="noise"), stop_after=0)]

    yield from run(session, recipes, session.variation(number).key if has(session, number) else "")


def run(
    session: Session | None, make_recipes: Callable[[], list[Recipe]], key: str = ""
) -> Iterator[Message]:
    """Run fills one after the other, and yield what the picture shows after every step."""
    if not present(session):
        if session is None:
            warn("Load a sound first.", title="Nothing to fill in")
        yield absent(session)
        return
    token = session.token = object()
    try:
        recipes = make_recipes()
        for place, recipe in enumerate(recipes):
            task, rest = session.task_of(recipe)
            settings = resolve(
                recipe.settings, task
            )  # bad settings are refused before anything changes
            end = time.monotonic() + limits().fill_seconds
            model = model_for(settings.method, end)
            unit = "step" if settings.steps > 1 else "part"  # the only step is shown part by part
            which = (
                f"Variation {place + 1} of {len(recipes)}: {unit}"
                if len(recipes) > 1
                else unit.capitalize()
            )
            # what each step comes to is shown and said in one go, or not at all: Stop, or another sound, may come at any moment
            with session.saying:
                if session.token is not token:
                    return
                session.begin(recipe, task, key, rest)
                message = session.say(f"{which} 1 …", busy=True)
            yield message
            start = time.monotonic()
            for step in fill(task, settings, model):
                with session.saying:
                    if session.token is not token:
                        return
                    session.show_step(step)
                    left = (time.monotonic() - start) / step.number * (step.total - step.number)
                    message = session.say(
                        f"{which} {step.number} of {step.total}, about {left:.0f} s left", busy=True
                    )
                yield message
                if step.number < step.total:
                    check_time(end)
            with session.saying:
                if session.token is not token:
                    return
                labels = {variation.label for variation in session.message.variations}
                variation = session.finish()
                busy = place + 1 < len(recipes)
                session.token = token if busy else None
                on = f" by the MDCT model, on top of the sound of {rest}" if rest else ""
                message = session.say(made(variation) + on + _let_go(labels, session), busy)
            yield message
    except Exception as error:
        with session.saying:
            if (
                session.token is not token
            ):  # one that was stopped has nothing to say, and the next fill may have begun
                return
            message = (
                out_of_time(session, error)
                if isinstance(error, OutOfTime)
                else not_filled(session, error)
            )
        yield message
    finally:
        with session.saying:
            if (
                session.token is token
            ):  # ended from outside: nobody listens, but the next message is not to say that it goes on
                stop(session)
        visitors.give_back()


def not_filled(session: Session, error: Exception) -> Message:
    """Say what is in the way of a fill."""
    session.token = None
    sentence = sentence_of(error)
    warn(sentence, title="Not filled in")
    session.abandon()
    return session.say(sentence)


def made(variation: Variation) -> str:
    """What a fill has come to."""
    return f"{variation.label}: filled in {variation.heard:,} audible atoms in {variation.seconds:.1f} s"


def _let_go(labels: set[str], session: Session) -> str:
    gone = sorted(labels - {variation.label for variation in session.message.variations})
    return (
        f"; {', '.join(gone)} went, because {limits().variations_kept} variations are kept"
        if gone
        else ""
    )


def out_of_time(session: Session, error: OutOfTime) -> Message:
    """Keep what a fill has revealed when its time is over."""
    session.token = None
    warn(str(error), title="Stopped")
    why = f"a fill takes at most {limits().fill_seconds:g} s here"
    if session.running is None or session.running.step is None:
        session.abandon()
        return session.say(f"Stopped before the first step was done: {why}.")
    step = session.running.step
    session.finish()
    return session.say(
        f"Stopped after step {step.number} of {step.total}, because {why}: what was filled in so far is kept."
    )


def stop(session: Session | None) -> Message:
    """Keep what a cancelled fill has revealed so far."""
    if session is None:
        return gr.skip()
    with session.saying:
        under_way, session.token = session.token is not None, None
        if not under_way and not session.message.busy:
            return session.say(
                session.message.status
            )  # whoever presses it may have missed how it ended
        if session.seeking:
            session.seeking = False
            return session.say(
                f"Stopped: {told(session.pursuit)}."
                if session.pursuit
                else "Stopped before the first atoms were shown."
            )
        if session.running is None and session.message.busy:  # between two variations
            return session.say("Stopped: what was filled in so far is kept.")
        if session.running is None or session.running.step is None:
            session.abandon()
            return session.say("Stopped before the first step: nothing was filled in.")
        step = session.running.step
        session.finish()
        return session.say(
            f"Stopped after step {step.number} of {step.total}: what was filled in so far is kept."
        )


# other atoms


def decompose(session: Session | None, name: Any) -> Iterator[Message]:
    """Show the sound as atoms of another atomizer, and those of a matching pursuit while they are found."""
    if not present(session):
        yield absent(session)
        return
    token = object()
    try:
        if name == "mdct":
            with session.saying:
                session.token, session.seeking = None, False
                session.show_mdct()
                message = session.say(
                    "These are the atoms of the MDCT, which the model fills in directly."
                )
            yield message
            return
        with session.saying:
            session.token, session.seeking = token, True
            message = session.say(
                "The pursuit begins; the first one takes some seconds more, to compile …", busy=True
            )
        yield message
        shown = 0.0
        for found, done in pursuit.decompose(session.sound, name):
            if not done and time.monotonic() - shown <= REDRAWN and session.token is token:
                continue
            shown = time.monotonic()
            with session.saying:
                if session.token is not token:
                    return
                session.show_pursuit(found)
                session.seeking, session.token = not done, None if done else token
                message = session.say(f"{told(found)}{'' if done else ' …'}", busy=not done)
            yield message
    except Exception as error:
        with session.saying:
            if session.token is not token:
                return
            session.token, session.seeking = None, False
            sentence = sentence_of(error)
            warn(sentence, title="No other atoms")
            message = session.say(sentence)
        yield message


def told(found: pursuit.Decomposition) -> str:
    """How many atoms a pursuit has found, and how much of the sound they are."""
    return f"{len(found.atoms):,} matching-pursuit atoms are the sound with a signal-to-residual ratio of {found.srr_db:.1f} dB"


# variations


def has(session: Session | None, number: Any) -> TypeGuard[Session]:
    """Whether there is a variation of this id, which comes from the browser and may be anything."""
    return present(session) and isinstance(number, int) and number in session.kept


def adopt(session: Session | None, number: Any) -> Message:
    """Make a variation the new original."""
    if not has(session, number):
        return absent(session)
    label = session.variation(number).label
    session.adopt(number)
    return session.say(f"{label} is the new original: select in it, and fill in again.")


def revert(session: Session | None):
    """Go back to the original that a variation took the place of, or to an earlier sound. Returns (message, session)."""
    if not present(session):
        return absent(session), gr.skip()
    try:
        if session.before:
            session.revert()
            return session.say("This is the original before the last one."), session
        found = session.go_back()
        return (
            (found.say(f"This is {found.title} again, as you left it."), found)
            if found
            else (gr.skip(), gr.skip())
        )
    except Exception as error:
        return _refused(session, error, "Not gone back"), gr.skip()


def forget(session: Session | None, number: Any) -> Message:
    """Take a variation out of the history."""
    if not has(session, number):
        return absent(session)
    label = session.variation(number).label
    session.forget(number)
    return session.say(f"{label} is forgotten.", session.message.busy)


def hand_over(session: Session | None, request: dict) -> Message:
    """Make the file that the picture asks for: {kind, version, variation, look}."""
    if not present(session):
        return absent(session)
    try:
        if not isinstance(request, dict):
            raise AtomizerError("An export is asked for by its kind, version, variation and look.")
        number = request.get("variation")
        wanted = Wanted(
            str(request.get("kind")),
            str(request.get("version")),
            number if has(session, number) else None,
            Look.from_dict(request.get("look") or {}),
        )
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
        fresh.show_parts(
            story.recipe.selection.to_dict().get("parts", []), story.recipe.settings.seed
        )
        fresh.message.note = story.listen
        task = story.recipe.task(fresh.sound)
        step = stories.cached(story, task)
        if step is None:
            return _opened(fresh, "Computed for the first time: this takes a moment.", busy=True)
        fresh.begin(story.recipe, task, key)
        fresh.show_step(step)
        fresh.given.add(fresh.finish().id)
        return _opened(
            fresh, f"{story.title}: switch between original, masked and filled while it plays."
        )
    except Exception as error:
        return _opened(fresh, sentence_of(error))


def finish_story(story: Story, session: Session | None) -> Iterator[Message]:
    """Compute and cache a story that `tell` did not find."""
    if (
        session is None
        or session.kept
        or session.name != story.path.name
        or session.message.proposal is None
    ):
        yield gr.skip()
        return
    method = story.recipe.settings.method if has_model() else "noise"
    recipe = replace(story.recipe, settings=replace(story.recipe.settings, method=method))
    last = None
    for message in run(session, lambda: [recipe], session.message.proposal.id):
        last = session.running or last  # gone once the fill is finished
        yield message
    session.given |= set(session.kept)
    if (
        method == "model"
        and session.kept
        and last is not None
        and last.step is not None
        and last.step.number == last.step.total
    ):
        stories.keep(story, last.task, last.step)
