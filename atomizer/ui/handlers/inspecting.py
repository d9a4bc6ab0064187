"""A sound is searched: for what can be repaired, and for places that are similar to a box."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from ...analysis import similar
from ...atoms.selection import Selection
from ...errors import AtomizerError
from ...inpainting.highs.cutoff import selects_highs
from ...limits import limits
from ..findings import Subject, find_all
from ..message import Message, Places
from ..session import Session
from .responses import is_active, log, no_session, sentence_of


def inspect(session: Session | None, thorough: bool = False) -> Message:
    """Show what is found in the sound; the page requests it once the sound is drawn.

    A `thorough` search, which takes seconds, is requested by the visitor.
    """
    if not is_active(session):
        return no_session(session)
    scene = session.shown.scene
    try:
        has_filled_highs = any(selects_highs(recipe.selection) for recipe in session.recipes)
        subject = Subject(session.sound, session.grid, session.space, has_filled_highs)
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


def find_similar(session: Session | None, region: Any, key: Any) -> Message:
    """Find the places that are similar to a selected box, and let the page add boxes there.

    region  the box, as the browser draws it
    key     of the selection
    """
    if not is_active(session):
        return no_session(session)
    try:
        box = _box_of(region, session.space.rate / 2)
        places = similar.find_similar(session.grid, session.space, box)
    except Exception as error:
        return session.publish(sentence_of(error))
    if not places:
        return session.publish("Nothing else in this recording is similar to this box.")
    boxes = [
        {**region, "t": [t + place.shift for t in box.t]}
        for place in places[: limits().regions - 1]
    ]
    session.update(places=Places(id=secrets.token_hex(6), key=str(key), regions=boxes))
    count = f"{len(boxes)} similar places are" if len(boxes) > 1 else "1 similar place is"
    return session.publish(f"{count} selected, too.")


def _box_of(data: Any, top: float) -> similar.Box:
    """Return a box that comes from the browser; without a limit it reaches up to `top` Hz."""
    (region,) = Selection.from_dict({"regions": [data]}).regions
    start, stop = region.t or (None, None)
    if region.kind != "rect" or start is None or stop is None:
        raise AtomizerError("Similar places are found for a box with a start and an end.")
    low, high = region.f or (None, None)
    f = None if (low, high) == (None, None) else (low or 0.0, high or top)
    return similar.Box((start, stop), f, region.channels)
