"""The page shows atoms of another atomizer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from .. import decomposition
from ..decomposition import pursuit_status
from ..message import Message
from ..session import Session, jobs, scenes
from ..session.job_state import Job, JobEvent
from . import responses
from .responses import is_active, no_session, sentence_of
from .stopping import stop

REDRAW_SECONDS = 0.7  # between two pictures of a running pursuit


def decompose(
    session: Session | None, name: Any, pressed: float | None = None
) -> Iterator[Message]:
    """Show MDCT atoms, or those of a matching pursuit while they are found.

    pressed  as in filling.py
    """
    if not is_active(session):
        yield no_session(session)
        return
    job = None
    try:
        if name == "mdct":
            yield _show_mdct(session)
        else:
            job = jobs.start(session, "pursuit", pressed)
            if job is None:
                yield gr.skip()
                return
            yield from _pursue(session, job, name)
    except Exception as error:
        with session.lock:
            if job is None or not job.active:
                return
            session.end_job(JobEvent.FAIL)
            sentence = sentence_of(error)
            responses.warn(sentence, title="No other atoms")
            message = session.publish(sentence)
        yield message
    finally:
        with session.lock:
            # cancelled from outside: the next message must not be busy
            if job is not None and job.active:
                stop(session)


def _show_mdct(session: Session) -> Message:
    with session.lock:
        jobs.stop(session)
        scenes.show_mdct(session)
        return session.publish("These are MDCT atoms, which the model fills in directly.")


def _pursue(session: Session, job: Job, name: Any) -> Iterator[Message]:
    """Run a pursuit; ends early, without a message, where the job was stopped."""
    with session.lock:
        if not job.active:
            return
        session.advance(JobEvent.BEGIN)
        message = session.publish(
            "Starting matching pursuit (the first run compiles for a few seconds) …"
        )
    yield message
    drawn_at = 0.0
    for found, stop_reason in decomposition.decompose(session.sound, name):
        done = bool(stop_reason)
        recent = time.monotonic() - drawn_at <= REDRAW_SECONDS
        if not done and recent and job.active:
            continue
        drawn_at = time.monotonic()
        with session.lock:
            if not job.active:
                return
            scenes.show_pursuit(session, found)
            session.advance(JobEvent.STEP)
            if done:
                session.advance(JobEvent.FINISH)
            message = session.publish(pursuit_status(found) + ("" if done else " …"))
        yield message
