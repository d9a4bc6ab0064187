"""Undo: earlier originals of a sound, and earlier sounds of a visitor.

A session that is replaced by another sound is retired: with a selection or user work in it, it
stays undoable, with its samples in a swap file; otherwise it is closed.
"""

from __future__ import annotations

import math
import threading
from dataclasses import replace

from ...errors import AtomizerError
from ...inpainting.shaping import Shape, shape_fill
from ...io.audio import read, write
from ...io.tags import Tags
from ...limits import limits
from . import jobs, scenes
from .job_state import JobEvent
from .state import Original, Session, find_session

_replacing = threading.Lock()  # held while one session replaces another


# originals of one sound


def accept(session: Session, number: int, shape: Shape = Shape()) -> None:
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
            f"{variation.label}: {variation.title}",
            replace(session.shown, current=number),
            session.stored,
            session.pursuit,
        )
    )
    # exact samples, in the sample format of the loaded sound
    session.sound = session.sound.with_samples(sound.samples, sound.rate)
    session.recipes = (*session.recipes, replace(stored.recipe, shape=shape))
    scenes.show_original(session)


def revert_original(session: Session) -> None:
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


# sounds of one visitor


def replace_with(old: Session, new: Session) -> None:
    """Replace `old` by `new`.

    Sessions with a selection or user work stay undoable, up to `limits().sounds_kept` of them;
    those with a selection only are evicted first.
    """
    with _replacing:
        while old.replaced_by is not None:  # another sound was faster; replace that one
            old = old.replaced_by
        old.replaced_by = new
        earlier, old.recent_sounds = old.recent_sounds, []  # before `old` closes
        new.recent_sounds = [*_retire(old), *earlier]
        _evict(new)
        _mark_replaced(new)


def undo(session: Session) -> Session | None:
    """Return the previous session in the place of this one.

    This one becomes the last of the recent sounds where it has anything to keep. Returns None
    where there is no previous session, or another sound is replacing this one. Raises
    AtomizerError where the swapped-out sound cannot be read.
    """
    with _replacing:
        if session.replaced_by is not None or not session.recent_sounds:
            return None
        previous = session.recent_sounds[0]
        _swap_in(previous)
        previous.recent_sounds, session.recent_sounds = session.recent_sounds[1:], []
        previous.replaced_by, session.replaced_by = None, previous
        _share_upload(session, previous)
        previous.recent_sounds += _retire(session)
        _mark_replaced(previous)
        # downloads, proposed selections and similar places apply once
        previous.renumber()
        previous.update(download=None, proposal=None, places=None)
        return previous


def resume(session: Session | None, resume_key: object) -> Session | None:
    """Return the session with this key in the place of this one, for a page that was reloaded.

    Returns None where there is none. What was running is stopped; what it filled in is stored.
    """
    found = find_session(resume_key)
    if found is None or found is session:
        return None
    with found.lock:
        found.owners += 1
        jobs.stop(found)
        shown, proposal = found.current_variation, found.shown.proposal
        # the fill of a proposed selection belongs to the proposal; a download is offered once
        is_proposed = shown is not None and proposal is not None and shown.key == proposal.id
        found.renumber()
        found.update(download=None, places=None, proposal=proposal if is_proposed else None)
    if session is not None:
        session.replaced_by = found
        session.close(delete_now=False)
    return found


def _evict(session: Session) -> None:
    """Close recent sounds above the limit: the oldest without user work, else the oldest."""
    recent = session.recent_sounds
    while len(recent) > limits().sounds_kept:
        last = len(recent) - 1
        index = next((k for k in range(last, -1, -1) if not recent[k].has_user_work), last)
        recent.pop(index).close(delete_now=False)


def _share_upload(session: Session, previous: Session) -> None:
    """Hand over an uploaded long file that both sessions take excerpts of."""
    a, b = previous.long_file, session.long_file
    if a and b and a.path == b.path:
        previous.uploaded_file = previous.uploaded_file or session.uploaded_file
        session.uploaded_file = None


def _mark_replaced(session: Session) -> None:
    """Link all recent sounds to this session, so that sessions in between can be freed."""
    for recent in session.recent_sounds:
        recent.replaced_by = session


def _retire(session: Session) -> list[Session]:
    """Return [session], swapped out, where it has anything to keep; else close it."""
    if session.has_selection or session.has_user_work:
        _swap_out(session)
        return [session]
    session.close(delete_now=False)
    return []


def _swap_out(session: Session) -> None:
    """Move the samples into a file, and free the memory of sound and atoms.

    A running fill is stopped, and what it filled in so far is stored. Where the file cannot be
    written, everything stays in memory.
    """
    try:
        jobs.stop(session)
        path = session.new_path("swap.wav")
        write(path, replace(session.sound, subtype="FLOAT", tags=Tags()))
    except (AtomizerError, OSError):
        return
    session.swap_file = path
    session.sound = replace(session.sound, samples=session.sound.samples[:, :0].copy())
    session.grid = session.grid[:, :0].copy()
    session.drawn_cells = session.drawn_cells[:0].copy()


def _swap_in(session: Session) -> None:
    """Read the samples back from the swap file, if there is one."""
    if session.swap_file:
        samples = read(session.swap_file, math.inf).samples
        session.sound = replace(session.sound, samples=samples)
        scenes.analyse(session)
        session.swap_file.unlink()
        session.swap_file = None
