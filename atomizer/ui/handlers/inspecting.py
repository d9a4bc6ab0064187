"""A sound that was loaded is searched for what can be repaired."""

from __future__ import annotations

import gradio as gr

from ..component import Message
from ..findings import Subject, find_all
from ..session import Session
from .responses import is_active, log, no_session


def inspect(session: Session | None) -> Message:
    """Show what is found in the sound; the page requests it once the sound is drawn."""
    if not is_active(session):
        return no_session(session)
    scene = session.message.scene
    try:
        findings = find_all(Subject(session.sound, session.grid, session.space))
    except Exception:
        log.exception("the search for defects failed")
        return gr.skip()
    with session.lock:
        if not findings or session.replaced_by is not None or session.message.scene is not scene:
            return gr.skip()
        session.update(findings=findings)
        return session.publish(session.message.status, session.message.busy)
