"""Answers that all handlers share: without an active session, and after an error."""

from __future__ import annotations

import errno
import html
import logging
from typing import Any, TypeGuard

import gradio as gr

from ...errors import AtomizerError
from ..message import Message
from ..session import Session
from ..session.state import first_message_number

log = logging.getLogger(__name__)


def is_active(session: Session | None) -> TypeGuard[Session]:
    """Whether there is a session, and no other one has replaced it."""
    return session is not None and session.replaced_by is None


def no_session(session: Session | None) -> Message:
    """Return the response without an active session.

    After expiry it is an empty message, which makes the page reload and restore its sound. For a
    session that was replaced there is no response.
    """
    return Message(number=first_message_number()) if session is None else gr.skip()


def has_variation(session: Session | None, number: Any) -> TypeGuard[Session]:
    """Whether there is a variation with this id, which comes from the browser, unchecked."""
    return is_active(session) and isinstance(number, int) and number in session.stored


def warn(sentence: str, title: str) -> None:
    """Show a notice; it is escaped, because Gradio renders HTML and file names may contain it."""
    gr.Warning(html.escape(sentence, quote=False), title=title)


def inform(sentence: str, title: str) -> None:
    """Show a note about something that succeeded; escaped as by `warn`."""
    gr.Info(html.escape(sentence, quote=False), title=title)


def sentence_of(error: Exception) -> str:
    """Return an error as one sentence for the visitor; unexpected ones are logged in full."""
    if isinstance(error, AtomizerError):
        return str(error)
    if isinstance(error, MemoryError):
        return (
            "The server is out of memory at the moment: your sound and selection are kept, "
            "so try again later or with a shorter sound."
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            "The server's disk is full at the moment: your sound and selection are kept, "
            "so try again later."
        )
    log.exception("unexpected", exc_info=error)
    return (
        "Something went wrong inside the Atomizer: your sound and selection are kept, "
        "please try again."
    )
