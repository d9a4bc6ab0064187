"""A sound that was loaded is searched for what can be repaired."""

from __future__ import annotations

import gradio as gr

from ..component import Message
from ..findings import Subject, find_all
from ..session import Session
from .responses import is_active, log, no_session


def inspect(session: Session | None, thorough: bool = False) -> Message:
    """Show what is found in the sound; the page requests it once the sound is drawn.

    A `thorough` search, which takes seconds, is requested by the visitor.
    """
    if not is_active(session):
        return no_session(session)
    scene = session.shown.scene
    try:
        subject = Subject(session.sound, session.grid, session.space)
        findings = find_all(subject, thorough)
    except Exception:
        log.exception("the search for defects failed")
        return gr.skip()
    with session.lock:
        if session.replaced_by is not None or session.shown.scene is not scene:
            return gr.skip()
        session.update(findings=tuple(findings))
        status = session.status
        if thorough:
            clicks = [finding.text for finding in findings if finding.kind == "clicks"]
            status = (clicks or ["No clicks were found"])[0] + "."
        return session.publish(status)
