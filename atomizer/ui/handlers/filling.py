"""Fills: of the selection, past the end, of a channel, of the highs, with noise, by pasting.

`pressed` is when the visitor pressed the button of a fill, in ms by the browser's clock, or None. A
fill that was pressed before Stop, or before another sound was chosen, does not begin after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from ...atoms.selection import Region, Selection
from ...atoms.space import LOUDNESS, AtomSpace
from ...errors import AtomizerError
from ...inpainting.acting import acting_settings
from ...inpainting.highs.timbre import without_idle_timbre
from ...inpainting.recipe import Recipe, vary_seed
from ...inpainting.settings import Settings, resolve
from ...inpainting.source_spans import Span, spans_text, widened
from ...inpainting.time_domain.fades import has_faded_out
from ...limits import limits
from .. import cleanup, decomposition, gpu
from ..component import Chosen, Message, Variation
from ..gpu import OutOfTime
from ..pace import pace
from ..session import Session, jobs
from ..session.job_state import Job, JobEvent, JobState
from . import responses
from .controls import FillControls, parse_integer, parse_number, settings_of
from .responses import has_variation, is_active, no_session, sentence_of


def fill_selection(
    chosen: Chosen,
    session: Session | None,
    features: list[str],
    *controls,
    pressed: float | None = None,
) -> Iterator[Message]:
    """Fill the unknown features of the selected atoms.

    `controls` are the fields of FillControls and the number of variations, in all fills.
    """
    if is_active(session):
        session.features = features

    def make_recipe(settings: Settings) -> Recipe:
        return Recipe(Selection.from_dict({**chosen, "features": features}), settings)

    yield from _fill(session, make_recipe, controls, pressed, chosen.key)


def continue_sound(
    session: Session | None, seconds: float | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Continue the sound past its end."""

    def make_recipe(settings: Settings) -> Recipe:
        recipe = longer(settings, seconds)
        if session is not None and has_faded_out(session.sound):
            responses.warn(
                "The sound has faded out, so silence is added. To continue what sounds before, "
                "cut the end off, or select the fade and fill it in.",
                title="Nothing to continue",
            )
        return recipe

    yield from _fill(session, make_recipe, controls, pressed)


def add_channel(
    session: Session | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Add a second channel to a mono sound."""
    yield from _fill(session, wider, controls, pressed)


def extend_bandwidth(
    session: Session | None, *controls, pressed: float | None = None
) -> Iterator[Message]:
    """Add the highs above the Nyquist frequency of a low sample rate."""

    def make_recipe(settings: Settings) -> Recipe:
        assert session is not None  # `run` has checked it
        return brighter(settings, session)

    yield from _fill(session, make_recipe, controls, pressed)


def longer(settings: Settings, seconds: Any) -> Recipe:
    """Return the recipe of Extend. Raises AtomizerError for seconds that are no number."""
    return Recipe(settings=settings, extend=parse_number("seconds", seconds) or 0.0)


def wider(settings: Settings) -> Recipe:
    """Return the recipe of Widen."""
    return Recipe(settings=settings, add_channels=1)


def brighter(settings: Settings, session: Session) -> Recipe:
    """Return the recipe of Brighten."""
    nyquist = session.sound.rate / 2
    return Recipe(Selection((Region(f=(nyquist, None)),)), settings)


def with_seed(session: Session, recipe: Recipe, fields: FillControls) -> Recipe:
    """Return the recipe with the default seed where none was entered."""
    if fields.entered_seed is not None:
        return recipe
    return recipe.with_seed(session.default_seed(recipe))


def with_reference(session: Session, recipe: Recipe) -> Recipe:
    """Return the recipe with the reference recording of the session, where it acts."""
    if session.like and "like" in acting_on(session, recipe):
        return replace(recipe, settings=replace(recipe.settings, like=session.like))
    return recipe


def acting_on(session: Session, recipe: Recipe) -> tuple[str, ...]:
    """Settings that act on a fill (`acting_settings`); the fill itself says what is invalid."""
    try:
        if recipe.extend or recipe.add_channels:
            task = recipe.outline(session.sound)
        else:
            task = session.check_selection(recipe.selection, recipe.settings.seed)
        return acting_settings(recipe.settings, task)
    except AtomizerError:
        return ()


def _fill(
    session: Session | None,
    make_recipe: Callable[[Settings], Recipe],
    controls: tuple,
    pressed: float | None,
    key: str = "",
) -> Iterator[Message]:
    """Run a recipe with the values of the controls, as often as variations are wanted."""

    def make_recipes() -> list[Recipe]:
        assert session is not None  # `run` has checked it
        *values, count = controls
        fields = FillControls(*values)
        count = parse_integer("number of variations", count) or 1
        if not 1 <= count <= limits().variations:
            raise AtomizerError(
                f"1 to {limits().variations} variations are possible at a time, not {count}."
            )
        recipe = with_seed(session, make_recipe(settings_of(fields)), fields)
        recipe = with_reference(session, recipe)
        return vary_seed(jobs.for_shown_atoms(session, recipe), count)

    yield from run(session, make_recipes, key, pressed)


def compare_with_noise(
    session: Session | None, number: Any, pressed: float | None = None
) -> Iterator[Message]:
    """Repeat the fill of a variation with the noise baseline, to hear what the model adds."""

    def make_recipes() -> list[Recipe]:
        if not has_variation(session, number):
            raise AtomizerError("There is no fill to compare with noise: fill something in first.")
        recipe = session.stored[number].recipe
        settings = replace(recipe.settings, method="noise", like="")  # noise has its own levels
        return [replace(recipe, settings=settings, stop_after=0)]

    key = session.variation(number).key if has_variation(session, number) else ""
    yield from run(session, make_recipes, key, pressed)


def fill_from_source(
    session: Session | None,
    number: Any,
    source: Any = None,
    not_from: Any = None,
    pressed: float | None = None,
) -> Iterator[Message]:
    """Repeat the fill of a variation from another span of the recording, or without a span.

    source, not_from  (start, stop) in seconds; a source replaces those before, and spans that must
                      not be copied add up
    """

    def make_recipes() -> list[Recipe]:
        if not has_variation(session, number):
            raise AtomizerError("There is no fill whose source could be changed.")
        recipe = session.stored[number].recipe
        if recipe.settings.method == "paste":
            return [_moved_paste(recipe, session.variation(number), source)]
        chosen = "" if source is None else _source_text(source, session.sound.seconds)
        barred = [] if chosen else [recipe.settings.not_from, spans_text([_span_of(not_from)])]
        settings = replace(recipe.settings, source=chosen, not_from=",".join(filter(None, barred)))
        return [replace(recipe, settings=settings, stop_after=0)]

    key = session.variation(number).key if has_variation(session, number) else ""
    yield from run(session, make_recipes, key, pressed)


def _moved_paste(recipe: Recipe, variation: Variation, source: Any) -> Recipe:
    """Return the recipe that pastes from a span that begins elsewhere."""
    if source is None:
        raise AtomizerError("Pasted atoms come from one place: drag it to another one.")
    moved = _span_of(source)[0] - variation.sources[0].source[0]
    settings = replace(recipe.settings, shift=recipe.settings.shift + moved)
    return replace(recipe, settings=settings, stop_after=0)


def _source_text(span: Any, seconds: float) -> str:
    """Return a span to copy from, wide enough for a hole of its length, as text of the settings."""
    return spans_text([widened(_span_of(span), seconds, AtomSpace())])


def _span_of(span: Any) -> Span:
    """Return a span that comes from the browser."""
    try:
        start, stop = (float(value) for value in span)
    except (TypeError, ValueError) as error:
        raise AtomizerError("A source is a start and an end in seconds.") from error
    return start, stop


def paste(
    chosen: Chosen, session: Session | None, shift: Any = None, pressed: float | None = None
) -> Iterator[Message]:
    """Put the atoms that lie `shift` seconds away in the place of the selected ones."""

    def make_recipes() -> list[Recipe]:
        selection = Selection.from_dict({**chosen, "features": list(LOUDNESS)})
        seconds = parse_number("shift", shift) or 0.0
        return [Recipe(selection, Settings(method="paste", shift=seconds))]

    yield from run(session, make_recipes, chosen.key, pressed)


def run(
    session: Session | None,
    make_recipes: Callable[[], list[Recipe]],
    key: str = "",
    pressed: float | None = None,
    job: Job | None = None,
) -> Iterator[Message]:
    """Run fills one after the other, and yield a message after every step.

    key  names the selection that is filled in
    job  one that has been announced; a new one by default
    """
    if not is_active(session):
        if session is None:
            responses.warn("Load a sound first.", title="Nothing to fill in")
        yield no_session(session)
        return
    try:
        job = job or jobs.start(session, "fill", pressed)
        if job is None:
            yield gr.skip()
            return
        recipes = make_recipes()
        for index, recipe in enumerate(recipes):
            variation = f"Variation {index + 1} of {len(recipes)}: " if len(recipes) > 1 else ""
            last = index + 1 == len(recipes)
            yield from _run_recipe(session, job, recipe, key, variation, last)
            if not job.active:
                return
    except Exception as error:
        with session.lock:
            if job is not None and not job.active:  # stopped; another fill may have begun
                return
            if isinstance(error, OutOfTime):
                message = out_of_time(session, error)
            else:
                message = fill_failed(session, error)
        yield message
    finally:
        with session.lock:
            # cancelled from outside: the next message must not be busy
            if job is not None and job.active:
                stop(session)
        cleanup.trim_heap()


def _run_recipe(
    session: Session, job: Job, recipe: Recipe, key: str, prefix: str, is_last: bool
) -> Iterator[Message]:
    """Run one fill; ends early, without a message, where the job was stopped.

    Stop or another sound can come at any moment, so a step is shown and published under one lock.
    """
    began = time.monotonic()
    task, residual = jobs.task_of(session, recipe)
    recipe = replace(recipe, settings=without_idle_timbre(recipe.settings, task))
    settings = resolve(recipe.settings, task)  # raises for bad settings before anything changes
    deadline = time.monotonic() + limits().fill_seconds
    model = gpu.model_for(settings.method, deadline)
    work = gpu.work_here(task, recipe.settings)
    unit = "step" if settings.steps > 1 else "part"  # a single step is shown part by part
    label = prefix + unit if prefix else unit.capitalize()
    with session.lock:
        if not job.active:
            return
        jobs.begin(session, recipe, task, key, residual)
        least, most = (round(seconds) for seconds in pace.estimate(work))
        seconds = f"about {most}" if least == most else f"{least} to {most}"
        hint = f", {seconds} s left" if most else " …"
        doing = "filling in" if prefix else "Filling in"
        message = session.publish(f"{prefix}{doing}{hint}")
    yield message
    start = time.monotonic()
    copied = 0.0
    # the recipe's own settings: defaults that are filled in would count as chosen by the visitor
    for step in gpu.fill(task, recipe.settings, model):
        with session.lock:
            if not job.active:
                return
            jobs.show_step(session, step)
            left = (time.monotonic() - start) / step.number * (step.total - step.number)
            hint = f", about {left:.0f} s left" if left >= 0.5 else " …"  # never 0 s
            message = session.publish(f"{label} {step.number} of {step.total}{hint}")
        yield message
        copied = step.copied
        if step.number < step.total:
            gpu.check_time(deadline)
    with session.lock:
        if not job.active:
            return
        labels = {variation.label for variation in session.shown.variations}
        event = JobEvent.FINISH if is_last else JobEvent.STORE
        status = fill_status(jobs.finish(session, event))
        if residual:
            status += f", with MDCT atoms on top of {residual}"
        status += _left_out_notice(session, recipe)
        message = session.publish(status + _eviction_notice(labels, session))
    pace.record(work.without_copied(copied), time.monotonic() - began)
    yield message


def fill_failed(session: Session, error: Exception) -> Message:
    """Discard a fill that failed, and explain why."""
    sentence = sentence_of(error)
    responses.warn(sentence, title="Not filled in")
    session.end_job(JobEvent.FAIL)
    return session.publish(sentence)


def out_of_time(session: Session, error: OutOfTime) -> Message:
    """Store what a fill has revealed within the time limit."""
    responses.warn(str(error), title="Stopped")
    why = f"a fill takes at most {limits().fill_seconds:g} s here"
    step = jobs.stop(session)
    if step is None:
        return session.publish(f"Stopped before the first step was done: {why}.")
    return session.publish(
        f"Stopped after step {step.number} of {step.total}, because {why}: "
        "what was filled in so far is kept."
    )


def fill_status(variation: Variation) -> str:
    """Return the status message of a finished fill."""
    seconds = f"{variation.seconds:.0f}" if variation.seconds >= 2 else f"{variation.seconds:.1f}"
    return f"{variation.label}: filled, took {seconds} s; {variation.changed}"


def _left_out_notice(session: Session, recipe: Recipe) -> str:
    """Return which variations were filled in elsewhere, and are not in what a recipe has made."""
    left_out = [
        variation.label
        for variation in session.shown.variations
        if session.stored[variation.id].recipe.place != recipe.place
    ]
    if not left_out:
        return ""
    start = "last kept fill" if session.recipes else "original"
    *others, last = left_out
    names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
    return f"; starts from the {start}: {names} not included"


def _eviction_notice(labels: set[str], session: Session) -> str:
    """Return which of the variations with these labels were deleted to make room."""
    evicted = sorted(labels - {variation.label for variation in session.shown.variations})
    if not evicted:
        return ""
    kept = limits().variations_kept
    return f"; {', '.join(evicted)} was deleted, because {kept} variations are kept"


def stop(session: Session | None, pressed: float | None = None) -> Message:
    """Cancel the running fill or pursuit, and keep what it has found so far.

    What was pressed before does not begin after it.
    """
    if session is None:
        return gr.skip()
    with session.lock:
        session.presses.stop(pressed)
        job = session.job
        if job is None or not job.active:
            return session.publish(session.status)  # the page may have missed how it ended
        state, step = job.state, jobs.stop(session)
        if job.kind == "pursuit":
            if session.pursuit is None:
                return session.publish("Stopped before the first atoms were shown.")
            return session.publish(f"Stopped: {decomposition.pursuit_status(session.pursuit)}.")
        if step is not None:
            return session.publish(
                f"Stopped after step {step.number} of {step.total}: "
                "what was filled in so far is kept."
            )
        if state is JobState.WAITING:  # between two variations
            return session.publish("Stopped: what was filled in so far is kept.")
        return session.publish("Stopped before the first step: nothing was filled in.")
