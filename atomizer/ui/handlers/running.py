"""How fills run: one recipe after the other, with a message after every step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import gradio as gr

from ...inpainting.erase import Residual
from ...inpainting.highs.timbre import without_idle_timbre
from ...inpainting.recipe import Recipe
from ...inpainting.resolve import resolve
from ...limits import limits
from .. import cleanup, gpu
from ..gpu import OutOfTime
from ..message import Message
from ..pace import pace
from ..session import Session, jobs
from ..session.job_state import Job, JobEvent
from . import responses
from .estimating import show_estimates
from .fill_status import (
    evicted_notice,
    fill_status,
    progress_status,
    starting_status,
)
from .responses import is_active, no_session, sentence_of
from .stopping import stop


def run(
    session: Session | None,
    make_recipes: Callable[[Session], list[Recipe]],
    key: str = "",
    pressed: float | None = None,
    job: Job | None = None,
) -> Iterator[Message]:
    """Run fills one after the other, and yield a message after every step.

    make_recipes  may raise AtomizerError, which is shown
    key           names the selection that is filled in
    pressed       as in filling.py
    job           one that has been announced; a new one by default
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
        recipes = make_recipes(session)
        count = len(recipes)
        for number, recipe in enumerate(recipes, 1):
            which = f"Variation {number} of {count}: " if count > 1 else ""
            ending = JobEvent.FINISH if number == count else JobEvent.STORE
            yield from _run_recipe(session, job, recipe, key, which, ending)
            if not job.active:
                return
    except Exception as error:
        with session.lock:
            if job is not None and not job.active:  # stopped; another fill may have begun
                return
            if isinstance(error, OutOfTime):
                message = _out_of_time(session, error)
            else:
                message = _fill_failed(session, error)
        yield message
    finally:
        with session.lock:
            # cancelled from outside: the next message must not be busy
            if job is not None and job.active:
                stop(session)
        cleanup.trim_heap()


def _run_recipe(
    session: Session, job: Job, recipe: Recipe, key: str, which: str, ending: JobEvent
) -> Iterator[Message]:
    """Run one fill; ends early, without a message, where the job was stopped.

    Stop or another sound can come at any moment, so a step is shown and published under one lock.

    which   of several variations it is, the begin of every status
    ending  FINISH, or STORE where another fill follows
    """
    began = time.monotonic()
    task, residual = jobs.task_of(session, recipe)
    recipe = replace(recipe, settings=without_idle_timbre(recipe.settings, task))
    settings = resolve(recipe.settings, task)  # raises for bad settings before anything changes
    deadline = time.monotonic() + limits().fill_seconds
    model = gpu.model_for(settings.method, deadline)
    work = gpu.work_here(task, recipe.settings)
    with session.lock:
        if not job.active:
            return
        jobs.begin(session, recipe, task, key, residual)
        message = session.publish(starting_status(which, pace.estimate(work)))
    yield message
    start = time.monotonic()
    copied = 0.0
    # the recipe's own settings: defaults that are filled in would count as chosen by the visitor
    for step in gpu.fill(task, recipe.settings, model):
        with session.lock:
            if not job.active:
                return
            jobs.show_step(session, step)
            seconds = time.monotonic() - start
            message = session.publish(progress_status(which, step, settings.steps, seconds))
        yield message
        copied = step.copied
        if step.number < step.total:
            gpu.check_time(deadline)
    with session.lock:
        if not job.active:
            return
        status = _store(session, residual, ending)
        pace.record(work.without_copied(copied), time.monotonic() - began)
        show_estimates(session)
        message = session.publish(status)
    yield message


def _store(session: Session, residual: Residual | None, ending: JobEvent) -> str:
    """Store a fill that has ended as a variation; returns the status message."""
    labels = {variation.label for variation in session.shown.variations}
    status = fill_status(jobs.finish(session, ending))
    if residual:
        status += f", with MDCT atoms on top of {residual}"
    return status + evicted_notice(session, labels)


def _fill_failed(session: Session, error: Exception) -> Message:
    """Discard a fill that failed, and explain why."""
    sentence = sentence_of(error)
    responses.warn(sentence, title="Not filled in")
    session.end_job(JobEvent.FAIL)
    return session.publish(sentence)


def _out_of_time(session: Session, error: OutOfTime) -> Message:
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
