"""What the server stores for one visitor.

tab.py        a tab of a browser, and the session that it shows
presses.py    what must not begin, because Stop or another sound was pressed after it
state.py      the session: sound, variations, files, job, and what the page shows
present.py    the message for the page, as a function of that state
job_state.py  states of a job, and the events that lead from one to another
jobs.py       fills, from their first step to a stored variation
scenes.py     builds what the page shows: scenes, results, parts, previews
originals.py  an accepted variation becomes the next original, and back
history.py    sessions replace each other, and come back
copying.py    a copy of a session, for a tab that was duplicated
capturing.py  a session as the content of a session file
restoring.py  a session of that content
"""

from __future__ import annotations

from pathlib import Path

from ...io.audio import Sound
from . import scenes
from .state import LongFile, Session
from .tab import Tab

__all__ = ["LongFile", "Session", "Tab", "open_session"]


def open_session(
    sound: Sound,
    name: str,
    long_file: LongFile | None = None,
    uploaded_file: Path | None = None,
) -> Session:
    """Create a session that shows a sound.

    Parameters
    ----------
    sound : Sound
    name : str
        What the page calls the sound, usually the file's name.
    long_file : LongFile, optional
        The file that the sound is an excerpt of.
    uploaded_file : Path, optional
        The visitor's own file; it is deleted some time after the session closes.
    """
    session = Session(sound, name, long_file, uploaded_file)
    scenes.show_original(session)
    return session
