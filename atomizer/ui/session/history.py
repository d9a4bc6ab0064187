"""Earlier sounds of a visitor: sessions replace each other, and undo shows them again.

A session that is replaced by another sound is retired: with a selection or user work in it, it
stays undoable, with its samples in a swap file; otherwise it is closed.
"""

from __future__ import annotations

import math
import sys
import threading
from dataclasses import replace

from ...errors import AtomizerError
from ...io.audio import read, write
from ...io.tags import Tags
from ...limits import limits
from . import jobs, scenes
from .copying import copy_session
from .state import Session, find_session
from .tab import Tab

_replacing = threading.Lock()  # held while one session replaces another


def show(tab: Tab, new: Session, choice: int) -> bool:
    """Show a new session in a tab; returns whether it is shown.

    It is closed where a later choice is shown already. The session before stays undoable where it
    has a selection or user work, up to `limits().sounds_kept` of them; those with a selection only
    are evicted first.
    """
    with _replacing:
        if choice < tab.shown:
            new.close()
            return False
        new.renumber()  # above the messages of sessions that were opened later, and are shown
        old = tab.session
        if old is not None and old.tab is tab:  # no other tab has resumed it
            _replace(old, new)
        _put(new, tab, choice)
        return True


def close_tab(tab: Tab) -> None:
    """Close the session of a tab, unless another tab has resumed it; later sounds are closed."""
    with _replacing:
        session, tab.session, tab.shown = tab.session, None, sys.maxsize
    if session is not None and session.tab is tab:
        session.close()


def _put(session: Session, tab: Tab, choice: int) -> None:
    tab.session, tab.shown = session, choice
    session.tab, session.presses = tab, tab.presses


def _replace(old: Session, new: Session) -> None:
    """Retire a session, and make it and its recent sounds those of a new one."""
    old.replaced_by = new
    earlier, old.recent_sounds = old.recent_sounds, []  # before `old` closes
    _share_upload(old, new)
    new.recent_sounds = [*_retire(old), *earlier]
    _evict(new)
    _mark_replaced(new)


def undo(tab: Tab, choice: int) -> Session | None:
    """Show the previous session in a tab, and return it.

    The present one becomes the last of the recent sounds where it has anything to keep. Returns
    None where there is no previous session, or a later choice is shown. Raises AtomizerError where
    the swapped-out sound cannot be read.
    """
    with _replacing:
        session = tab.session
        if session is None or session.replaced_by is not None or choice < tab.shown:
            return None
        if not session.recent_sounds:
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
        _put(previous, tab, choice)
        return previous


def resume(tab: Tab, resume_key: object, choice: int, is_copy: bool = False) -> Session | None:
    """Show the session with this key in a tab that was reloaded, and return it.

    Returns None where there is none, or a later choice is shown. What was running is stopped; what
    it filled in is stored. With `is_copy` the tab gets a copy, and another one keeps the session
    and what is running. Raises OSError where the copy's files cannot be written.
    """
    with _replacing:
        found, session = find_session(resume_key), tab.session
        if found is None or found is session or choice < tab.shown:
            return None
        found = copy_session(found) if is_copy else found
        _rest(found)
        if session is not None:
            session.replaced_by = found
            session.close(delete_now=False)
        _put(found, tab, choice)
        return found


def _rest(found: Session) -> None:
    """Stop what runs in a session, and take back what applies once."""
    with found.lock:
        jobs.stop(found)
        shown, proposal = found.current_variation, found.shown.proposal
        # the fill of a proposed selection belongs to the proposal; a download is offered once
        is_proposed = shown is not None and proposal is not None and shown.key == proposal.id
        found.renumber()
        found.update(download=None, places=None, proposal=proposal if is_proposed else None)


def _evict(session: Session) -> None:
    """Close recent sounds above the limit: the oldest without user work, else the oldest."""
    recent = session.recent_sounds
    while len(recent) > limits().sounds_kept:
        last = len(recent) - 1
        index = next((k for k in range(last, -1, -1) if not recent[k].has_user_work), last)
        recent.pop(index).close(delete_now=False)


def _share_upload(old: Session, new: Session) -> None:
    """Hand over an uploaded long file that both sessions take excerpts of."""
    a, b = old.long_file, new.long_file
    if a and b and a.path == b.path:
        new.uploaded_file = new.uploaded_file or old.uploaded_file
        old.uploaded_file = None


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
    session.take_grid(session.grid[:, :0].copy())


def _swap_in(session: Session) -> None:
    """Read the samples back from the swap file, if there is one."""
    if session.swap_file:
        samples = read(session.swap_file, math.inf).samples
        session.sound = replace(session.sound, samples=samples)
        scenes.analyse(session)
        session.swap_file.unlink()
        session.swap_file = None
