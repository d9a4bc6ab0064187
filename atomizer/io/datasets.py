"""Datasets: folders of recordings with an optional manifest, and their held-out sources."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

from ..errors import AtomizerError

HELD_OUT_RATIO = 8  # one source in HELD_OUT_RATIO is held out of training
_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".opus")


@dataclass(frozen=True)
class Clip:
    """One recording of a dataset.

    path        the sound file
    source      name of the source that the recording comes from
    category    kind of sound, from the manifest; "unknown" without one
    cutoff_hz   upper band edge of a lossy source: above it nothing can be learned
    lowered_hz  of a lowered recording (tools/lower_audio.py): below it the sound is that of a file
                of a low rate or bit rate, which has nothing above; infinite for other recordings
    """

    path: Path
    source: str
    category: str
    cutoff_hz: float
    lowered_hz: float = float("inf")

    @property
    def held_out(self) -> bool:
        """True if the source is held out of training.

        Whole sources are held out, not files: two files of one source are too similar.
        """
        return zlib.crc32(self.source.encode()) % HELD_OUT_RATIO == 0


def list_clips(folder: str | Path) -> list[Clip]:
    """Clips of a folder, with the metadata of its `manifest.csv` if it has one.

    Parameters
    ----------
    folder : str or Path
        Folder of sound files. Columns read from the manifest: `file`, `source_repository`,
        `category`, `brickwall_hz`, `lowered_hz`. Without a manifest every file is a source of its
        own.

    Raises
    ------
    AtomizerError
        The folder does not exist or holds no sound files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AtomizerError(f"There is no folder {folder.name!r}: give a folder of recordings.")
    rows = _manifest(folder / "manifest.csv")
    clips = [
        _clip(path, rows.get(path.name, {}))
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES
    ]
    if not clips:
        raise AtomizerError(
            f"The folder {folder.name!r} holds no recordings: WAV, FLAC, OGG and MP3 files are"
            " read."
        )
    return clips


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """Rows of a manifest by file name; empty if there is no manifest."""
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def _clip(path: Path, row: dict[str, str]) -> Clip:
    return Clip(
        path,
        source=row.get("source_repository") or path.stem,
        category=row.get("category") or "unknown",
        cutoff_hz=float(row.get("brickwall_hz") or 0) or float("inf"),
        lowered_hz=float(row.get("lowered_hz") or 0) or float("inf"),
    )
