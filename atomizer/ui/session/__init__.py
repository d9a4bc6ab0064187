"""What the server stores for one visitor.

state.py    the session: sound, variations, files, and the message that the page shows
present.py  builds that message: scenes, results, parts, previews
jobs.py     the fill that is running, from its first step to a stored variation
history.py  earlier originals and earlier sounds, and the way back to them
"""

from __future__ import annotations

from pathlib import Path

from ...io.audio import Sound
from . import present
from .state import LongFile, Session

__all__ = ["LongFile", "Session", "open_session"]


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
    present.show_original(session)
    return session
