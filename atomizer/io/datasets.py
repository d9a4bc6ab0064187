"""Folders of recordings, with what a manifest says of them, and which sources are held out of training."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import AtomizerError

HELD_OUT_SHARE = 8  # one source in so many


@dataclass(frozen=True)
class Clip:
    """One file of the training folder; `cutoff_hz` is where a lossy source ends: nothing above it can be learned."""

    path: Path
    source: str
    category: str
    cutoff_hz: float

    @property
    def held_out(self) -> bool:
        """Sources, not files, are held out: other files of the same source would give it away."""
        return zlib.crc32(self.source.encode()) % HELD_OUT_SHARE == 0


def list_clips(folder: str | Path) -> list[Clip]:
    """The clips of a folder, with what its manifest.csv says of them, if it has one.

    Columns read: file, source_repository, category, brickwall_hz. Without a manifest every file is a source of its own.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AtomizerError(f"There is no folder {folder.name!r}: give a folder of recordings.")
    rows = {}
    if (folder / "manifest.csv").is_file():
        with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
            rows = {row["file"]: row for row in csv.DictReader(file)}
    clips = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".opus"):
            row = rows.get(path.name, {})
            clips.append(
                Clip(
                    path,
                    row.get("source_repository") or path.stem,
                    row.get("category") or "unknown",
                    float(row.get("brickwall_hz") or 0) or float("inf"),
                )
            )
    if not clips:
        raise AtomizerError(
            f"The folder {folder.name!r} holds no recordings: WAV, FLAC, OGG and MP3 files are read."
        )
    return clips
