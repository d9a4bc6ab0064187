"""Scripts of the page at an address that changes with their content, so that browsers keep them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

# Gradio sends files without a lifetime. Browsers then take a tenth of a file's age (RFC 9111,
# section 4.2.2), so that copies dated 2000 are not requested again.
DATE = 946_684_800  # seconds since 1970


def cache_folder(name: str) -> Path:
    """Return the folder for files of a kind that were made on this machine."""
    root = Path(os.environ.get("ATOMIZER_CACHE") or Path.home() / ".cache" / "atomizer")
    return root / name


def published(folder: Path, cache: Path) -> Path:
    """Return a copy of the scripts of a folder, `cache / HASH`, made where it is missing.

    Where `cache` cannot be written, the copy is in a new temporary folder.
    """
    paths = sorted(folder.rglob("*.js"))
    content = hashlib.sha256()
    for path in paths:
        content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    copy = cache / content.hexdigest()[:16]
    if copy.is_dir():
        return copy
    try:
        cache.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=cache))
    except OSError:
        return _copied(folder, paths, Path(tempfile.mkdtemp(prefix="atomizer-page-")))
    _copied(folder, paths, new)
    try:
        new.rename(copy)
    except OSError:  # another server has just made it
        shutil.rmtree(new)
    return copy


def _copied(folder: Path, paths: list[Path], to: Path) -> Path:
    """Copy the files at `paths` from `folder` to another one, and return that."""
    for path in paths:
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (DATE, DATE))
    return to
