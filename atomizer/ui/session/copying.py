"""A copy of a session, for a tab of the browser that was duplicated: each tab goes on by itself."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from pydantic import BaseModel

from .. import cleanup
from ..variations import StoredVariation
from .present import Shown
from .state import Session, first_message_number

Copies = dict[Path, Path]  # copies of files, by what they are copies of


def copy_session(session: Session) -> Session:
    """Return a session that holds the same, with files of its own and another key.

    A running fill goes on in the original alone. Samples and atoms are shared, because nothing
    changes them in place; so are the contents of files (hard links), because nothing overwrites
    them. Raises OSError where files cannot be written.
    """
    return _copy(session, {})


def _copy(session: Session, uploads: Copies) -> Session:
    """Copy a session and its recent sounds, which may share uploads."""
    with session.lock:
        copy = replace(
            session,
            features=None if session.features is None else list(session.features),
            example_variations=set(session.example_variations),
            uploaded_file=None,  # closing the copy deletes no file of the session
            recent_sounds=[],
            replaced_by=None,
            job=None,
            tab=None,
            resume_key=secrets.token_urlsafe(16),
            revision=first_message_number(),
            lock=threading.RLock(),
        )
        copy.take_grid(session.grid)
        try:
            _copy_files(session, copy)
            _copy_uploads(session, copy, uploads)
            for recent in session.recent_sounds:
                copy.recent_sounds.append(other := _copy(recent, uploads))
                other.replaced_by = copy
        except BaseException:
            copy.close()
            raise
    return copy


def _copy_files(session: Session, copy: Session) -> None:
    """Give a copy, which names the files of its session, files of its own."""
    folders = session.folder, copy.folder
    copy.shown = _shown(replace(session.shown, live=None), *folders)
    copy.stored = _stored(session.stored, *folders)
    copy.undo_stack = [
        replace(
            original,
            shown=_shown(original.shown, *folders),
            stored=_stored(original.stored, *folders),
        )
        for original in session.undo_stack
    ]
    if session.swap_file is not None:
        copy.swap_file = Path(_moved(str(session.swap_file), *folders))


def _copy_uploads(session: Session, copy: Session, uploads: Copies) -> None:
    """Give a copy its own copy of the visitor's file, which is deleted after its session."""
    if session.uploaded_file is not None:
        copy.uploaded_file = _upload(session.uploaded_file, uploads)
    if session.long_file is not None and cleanup.uploaded_path(session.long_file.path):
        copy.long_file = replace(session.long_file, path=_upload(session.long_file.path, uploads))


def _upload(path: Path, uploads: Copies) -> Path:
    """Return the copy of an upload; it may be gone, where no session reads it any more."""
    if path not in uploads:
        uploads[path] = Path(get_upload_folder()) / secrets.token_hex(16) / path.name
        if path.exists():
            _link(path, uploads[path])
    return uploads[path]


def _shown(shown: Shown, old: Path, new: Path) -> Shown:
    return replace(
        shown, **{part.name: _moved(getattr(shown, part.name), old, new) for part in fields(shown)}
    )


def _stored(stored: dict[int, StoredVariation], old: Path, new: Path) -> dict[int, StoredVariation]:
    return {
        number: replace(
            variation,
            filled=Path(_moved(str(variation.filled), old, new)),
            masked=Path(_moved(str(variation.masked), old, new)),
        )
        for number, variation in stored.items()
    }


def _moved(value: Any, old: Path, new: Path) -> Any:
    """Return a value with the paths of files in the new folder; the files are linked there."""
    if isinstance(value, BaseModel):
        return type(value).model_validate(_moved(value.model_dump(), old, new))
    if isinstance(value, dict):
        return {key: _moved(part, old, new) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(part, old, new) for part in value)
    if isinstance(value, str) and value.startswith(f"{old}{os.sep}"):
        path = new / Path(value).relative_to(old)
        _link(Path(value), path)
        return str(path)
    return value


def _link(source: Path, target: Path) -> None:
    """Make a hard link, or a copy where the file system has no links; an existing one stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:
        shutil.copyfile(source, target)
