"""Session files (`.atomizer`): all that a visitor has made of a sound, as one zip.

    content.py       what a session file holds, as data
    patch.py         samples as their difference from those of another sound
    schema.py        the accepted form of its manifest
    archive.py       the zip of files and arrays
    loaded_sound.py  the loaded sound in it
    encoder.py       content -> bytes
    decoder.py       bytes -> content

A session file holds `session.json` (the manifest), `sound.flac` or `sound.wav` (the loaded sound;
with `sound.rest` without loss), and arrays: of every original and variation the samples that differ
from the sound before, and the drawn atoms. Nothing in it is a program, and nothing is unpacked onto
the disk under a name from the file.
"""

from .archive import is_session_file
from .content import ENDING, SavedWork
from .decoder import decode
from .encoder import encode
from .patch import patch_of, patched

__all__ = [
    "ENDING",
    "SavedWork",
    "decode",
    "encode",
    "is_session_file",
    "patch_of",
    "patched",
]
