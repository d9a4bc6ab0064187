"""Originals of a sound: an accepted variation is the next one, and undo leads to the one before."""

from __future__ import annotations

import math
from dataclasses import replace

from ...inpainting.shaping import FillShape, shape_fill
from ...io.audio import read
from . import scenes
from .job_state import JobEvent
from .state import Original, Session


def accept(session: Session, number: int, shape: FillShape = FillShape()) -> None:
    """Make a variation in a shape the new original.

    The current one goes to the undo stack, with all of its variations.
    """
    stored = session.stored[number]
    filled, masked = read(stored.filled, math.inf), read(stored.masked, math.inf)
    sound = shape_fill(session.sound, masked, filled, shape)
    session.end_job(JobEvent.STOP)
    variation = session.variation(number)
    session.undo_stack.append(
        Original(
            session.sound,
            session.recipes,
            f"{variation.label}: {variation.origin}",
            replace(session.shown, current=number),
            session.stored,
            session.pursuit,
        )
    )
    # exact samples, in the sample format of the loaded sound
    session.sound = session.sound.with_samples(sound.samples, sound.rate)
    session.recipes = (*session.recipes, replace(stored.recipe, shape=shape))
    scenes.show_original(session)


def revert(session: Session) -> None:
    """Go back to the original before this one, and to its variations."""
    session.end_job(JobEvent.STOP)
    for number in list(session.stored):
        session.delete_stored(number)
    original = session.undo_stack.pop()
    session.sound, session.recipes = original.sound, original.recipes
    scenes.analyse(session)
    session.stored, session.pursuit = original.stored, original.pursuit
    with session.lock:
        once = dict(live=None, proposal=None, download=None, places=None)
        session.shown = replace(original.shown, **once)  # type: ignore[arg-type]
        session.status = ""
