"""A variation is accepted as the original or deleted; an earlier original or sound comes back."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ...errors import AtomizerError
from ...inpainting.shaping import FillShape
from ..message import Message
from ..session import Session, Tab, history, originals
from .loading import load_failed
from .responses import has_variation, is_active, no_session, sentence_of


def accept(session: Session | None, number: Any, shape: Any = None) -> Message:
    """Accept a variation, in the shape that the page gave it: it becomes the original."""
    if not has_variation(session, number):
        return no_session(session)
    label = session.variation(number).label
    try:
        originals.accept(session, number, FillShape.from_dict(shape or {}))
    except AtomizerError as error:
        return session.publish(sentence_of(error))
    return session.publish(f"{label} is kept: the next fills start from it.")


def undo(tab: Tab, pressed: float | None = None):
    """Go back to the previous original, or to the previous sound. Returns (message, session).

    pressed  as in filling.py
    """
    choice, session = tab.choose(pressed), tab.session
    if not is_active(session):
        return no_session(session), gr.skip()
    try:
        if session.undo_stack:
            originals.revert(session)
            return session.publish("The last accepted fill is a variation again."), session
        previous = history.undo(tab, choice)
        if previous is None:
            return gr.skip(), gr.skip()
        return previous.publish(f"Back to {previous.title}, as you left it."), previous
    except Exception as error:
        return load_failed(session, error, "Not undone"), gr.skip()


def resume(tab: Tab, key: Any, is_copy: bool = False):
    """Show the session of a page that was reloaded, or a copy of it in a duplicated page.

    Returns (message, session).
    """
    try:
        found = history.resume(tab, key, tab.choose(), is_copy)
    except Exception as error:
        return load_failed(tab.session, error, "Not restored"), gr.skip()
    if found is not None:
        return found.publish(f"{found.title} and its fills are back."), found
    session = tab.session
    if not is_active(session):
        return no_session(session), gr.skip()
    return session.publish(session.status), gr.skip()


def delete_variation(session: Session | None, number: Any) -> Message:
    """Delete a variation."""
    if not has_variation(session, number):
        return no_session(session)
    label = session.variation(number).label
    session.delete_variation(number)
    return session.publish(f"{label} is deleted.")
