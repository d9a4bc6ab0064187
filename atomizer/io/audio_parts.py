"""Parts of a training set: archives that are small enough to travel to a machine for training."""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ..errors import AtomizerError
from .datasets import Clip, list_clips

MANIFEST = "manifest.csv"
FORMATS = ("vorbis", "flac")
VORBIS_LEVEL = 0.35  # of compression: 0 is the largest file; about 170 kbit/s of stereo
VORBIS_CUTOFF = 18_000.0  # Hz, above which nothing is learned from files that are coded here
BLOCK = 1 << 16  # frames coded at a time: libsndfile's Vorbis coder keeps each on the stack
# Sources that methods are evaluated on elsewhere: nothing may be trained on them
RESERVED = (
    "alemart/opensurge",
    "flac-test-files",
    "godotengine/tps-demo",
    "librosa",
    "mtg/sms-tools",
    "openrct2",
    "tidalcycles/uzu-drumkit",
    "vctk",
)


@dataclass(frozen=True)
class _Entry:
    """One recording of a part: its name there, its content, and its row of the manifest."""

    name: str
    data: bytes
    row: tuple[str, str, str, str, str]


def is_reserved(clip: Clip) -> bool:
    """Whether a recording is of a source that nothing may be trained on."""
    names = f"{clip.source} {clip.path.name}".lower()
    return any(source in names for source in RESERVED)


def pack(
    folders: Sequence[str | Path], out: str | Path, mib: float = 36.0, form: str = "vorbis"
) -> list[Path]:
    """Write the recordings of folders to archives, numbered `part-1.tar` and so on.

    Sources take turns, so that every part has recordings of most of them.

    Parameters
    ----------
    folders : sequence of str or Path
        Datasets, see `list_clips`.
    out : str or Path
        Folder of the parts; it is made.
    mib : float
        Largest size of a part, in MiB.
    form : str
        "vorbis" copies files that are Vorbis and codes others; "flac" keeps all samples, of 16
        bits.

    Returns
    -------
    list of Path

    Raises
    ------
    AtomizerError
        A folder has no recordings, or none that may be trained on; a recording alone is larger
        than a part; the form is not one of `FORMATS`.
    """
    if form not in FORMATS:
        raise AtomizerError(f"There is no form {form!r}: choose from {', '.join(FORMATS)}.")
    limit = int(mib * (1 << 20))
    parts: list[Path] = []
    clips = [c for folder in folders for c in list_clips(folder) if not is_reserved(c)]
    if not clips:
        raise AtomizerError("All of these recordings are reserved for evaluation: give others.")
    Path(out).mkdir(parents=True, exist_ok=True)
    entries: list[_Entry] = []
    for entry in _entries(clips, form):
        if _size([entry]) > limit:
            raise AtomizerError(f"{entry.name!r} alone is larger than a part of {mib:g} MiB.")
        if _size([*entries, entry]) > limit:
            parts.append(_write(entries, Path(out) / f"part-{len(parts) + 1}.tar"))
            entries = []
        entries.append(entry)
    return [*parts, _write(entries, Path(out) / f"part-{len(parts) + 1}.tar")]


def unpack(part: str | Path, folder: str | Path) -> Path:
    """Extract a part to a folder of its name inside `folder`, once; returns it.

    Raises AtomizerError if the part is missing or no archive.
    """
    part = Path(part)
    target = Path(folder) / part.stem
    if (target / MANIFEST).is_file():  # the last file of the archive
        return target
    try:
        with tarfile.open(part) as archive:
            for member in archive:
                _extract(archive, member, target)
    except (OSError, tarfile.TarError) as error:
        raise AtomizerError(
            f"{part.name!r} is no part of a training set: give an archive of tools/pack_audio.py."
        ) from error
    return target


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file of an archive to a folder, in which `pack` puts nothing but plain files.

    Raises tarfile.TarError for anything else. Python 3.11.2, that of Debian 12, has no filters yet.
    """
    data = archive.extractfile(member) if member.isreg() else None
    if data is None or Path(member.name).name != member.name:
        raise tarfile.TarError(f"{member.name!r} is no plain file")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / member.name).write_bytes(data.read())


def _entries(clips: list[Clip], form: str) -> Iterator[_Entry]:
    """Recordings in turn, one of every source, with names that no other has."""
    by_source: dict[str, list[Clip]] = {}
    for clip in clips:
        by_source.setdefault(clip.source, []).append(clip)
    longest = max(map(len, by_source.values()))
    turns = [clips[n] for n in range(longest) for clips in by_source.values() if n < len(clips)]
    for number, clip in enumerate(turns):
        data, suffix, cutoff = _encode(clip, form)
        name = f"{number:05d}{suffix}"
        limits = ["" if hz == float("inf") else f"{hz:g}" for hz in (cutoff, clip.lowered_hz)]
        yield _Entry(name, data, (name, clip.source, clip.category, limits[0], limits[1]))


def _encode(clip: Clip, form: str) -> tuple[bytes, str, float]:
    """Content, ending and cutoff of a recording in the form."""
    with soundfile.SoundFile(clip.path) as file:
        if form == "vorbis" and file.subtype == "VORBIS":
            return clip.path.read_bytes(), ".ogg", clip.cutoff_hz
        samples, rate = file.read(dtype="float32", always_2d=True), file.samplerate
    out = io.BytesIO()
    if form == "flac":
        soundfile.write(out, samples, rate, format="FLAC", subtype="PCM_16")
        return out.getvalue(), ".flac", clip.cutoff_hz
    with soundfile.SoundFile(
        out, "w", rate, samples.shape[1], "VORBIS", format="OGG", compression_level=VORBIS_LEVEL
    ) as writer:
        for start in range(0, len(samples), BLOCK):
            writer.write(samples[start : start + BLOCK])
    return out.getvalue(), ".ogg", min(clip.cutoff_hz, VORBIS_CUTOFF)


def _manifest(entries: list[_Entry]) -> bytes:
    """A manifest.csv of the entries."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["file", "source_repository", "category", "brickwall_hz", "lowered_hz"])
    rows.writerows(entry.row for entry in entries)
    return text.getvalue().encode()


def _size(entries: list[_Entry]) -> int:
    """Bytes of an archive of the entries, rounded up as tar rounds."""
    blocks = sum(2 + len(entry.data) // 512 for entry in entries)
    return 512 * (blocks + 2 + len(_manifest(entries)) // 512 + 20)


def _write(entries: list[_Entry], path: Path) -> Path:
    """Write an archive, the manifest last."""
    with tarfile.open(path, "w") as archive:
        for name, data in [*((e.name, e.data) for e in entries), (MANIFEST, _manifest(entries))]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
