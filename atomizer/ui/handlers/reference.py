"""A visitor chooses or removes the reference recording, which gives filled highs their levels."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import AtomizerError
from ...inpainting.highs.like import levels_of
from ...io.audio import Sound, read
from .. import cleanup
from ..message import Message
from ..session import Session
from . import responses
from .loading import open_file
from .responses import is_active, no_session, sentence_of


def load_reference(path: str | None, session: Session | None) -> Message:
    """Take an uploaded file; of a long one, its first part."""
    try:
        return _choose(session, path or "")
    finally:
        if path and (uploaded := cleanup.uploaded_path(path)):
            cleanup.delete_later(uploaded)


def choose_reference(session: Session | None, request: Any) -> Message:
    """Take a span of the sound, or an earlier sound; without either, remove the reference.

    `request` is {span: [start, stop]} in seconds, {sound: id}, or {}.
    """
    return _choose(session, request if isinstance(request, dict) else {})


def _choose(session: Session | None, wanted: str | dict) -> Message:
    """Take the highs of a file, or of what a request names."""
    if not is_active(session):
        if session is None:
            responses.warn("Load a sound first.", title="No highs to fill in")
        return no_session(session)
    try:
        if isinstance(wanted, str):
            sound, name = open_file(wanted)[0], Path(wanted).name
        elif "span" in wanted:
            sound, name = _span_of(session, wanted["span"])
        elif "sound" in wanted:
            sound, name = _earlier(session, wanted["sound"])
        else:
            session.like = ""
            return session.publish("Highs have the level that the rest of the sound predicts.")
        session.like = levels_of(sound, name)
    except Exception as error:
        sentence = sentence_of(error)
        responses.warn(sentence, title="Not taken as a reference")
        return session.publish(sentence)
    return session.publish(f"Highs will have the level of those of {name}.")


def _span_of(session: Session, span: Any) -> tuple[Sound, str]:
    """Return a part of the sound and a name for it. Raises AtomizerError for another request."""
    sound = session.sound
    try:
        start, stop = (float(seconds) for seconds in span)
    except (TypeError, ValueError):
        start, stop = math.nan, math.nan
    if not 0 <= start < stop <= sound.seconds + 0.01:
        raise AtomizerError(
            "A reference in this sound has a start and an end after it, from 0 to"
            f" {sound.seconds:.2f} s."
        )
    first, last = (round(seconds * sound.rate) for seconds in (start, stop))
    part = replace(sound, samples=sound.samples[:, first:last])
    return part, f"{start:g}-{stop:g} s of {session.name}"


def _earlier(session: Session, number: Any) -> tuple[Sound, str]:
    """Return a sound that was loaded before. Raises AtomizerError where it is gone."""
    for earlier in session.recent_sounds:
        if earlier.id == number:
            swapped = earlier.swap_file
            sound = earlier.sound if swapped is None else read(swapped, math.inf)
            return sound, earlier.title
    raise AtomizerError("This sound was closed meanwhile: choose its file instead.")
