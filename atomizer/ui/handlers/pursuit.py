"""The page shows atoms of another atomizer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from .. import decomposition
from ..component import Message
from ..decomposition import pursuit_status
from ..session import Session, present
from . import responses
from .responses import is_active, no_session, sentence_of

REDRAW_SECONDS = 0.7  # between two pictures of a running pursuit


def decompose(session: Session | None, name: Any) -> Iterator[Message]:
    """Show MDCT atoms, or those of a matching pursuit while they are found."""
    if not is_active(session):
        yield no_session(session)
        return
    token = object()
    try:
        if name == "mdct":
            yield _show_mdct(session)
        else:
            yield from _pursue(session, token, name)
    except Exception as error:
        with session.lock:
            if session.token is not token:
                return
            session.token, session.pursuit_running = None, False
            sentence = sentence_of(error)
            responses.warn(sentence, title="No other atoms")
            message = session.publish(sentence)
        yield message


def _show_mdct(session: Session) -> Message:
    with session.lock:
        session.token, session.pursuit_running = None, False
        present.show_mdct(session)
        return session.publish("These are MDCT atoms, which the model fills in directly.")


def _pursue(session: Session, token: object, name: Any) -> Iterator[Message]:
    """Run a pursuit; ends early, without a message, where the token is no longer valid."""
    with session.lock:
        session.token, session.pursuit_running = token, True
        message = session.publish(
            "Starting matching pursuit (the first run compiles for a few seconds) …", busy=True
        )
    yield message
    drawn_at = 0.0
    for found, stop_reason in decomposition.decompose(session.sound, name):
        done = bool(stop_reason)
        recent = time.monotonic() - drawn_at <= REDRAW_SECONDS
        if not done and recent and session.token is token:
            continue
        drawn_at = time.monotonic()
        with session.lock:
            if session.token is not token:
                return
            present.show_pursuit(session, found)
            session.pursuit_running, session.token = not done, None if done else token
            status = pursuit_status(found) if done else f"{pursuit_status(found)} …"
            message = session.publish(status, busy=not done)
        yield message
