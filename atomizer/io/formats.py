"""Formats: which files are read and written, and the sample format that a written file gets."""

from __future__ import annotations

import io
import os
from pathlib import Path

import soundfile

from ..errors import AtomizerError
from .ffmpeg import KINDS

MAX_VORBIS_RATE = 200_000  # Hz; above, libsndfile kills the process when it closes the file
MAX_WAV_BYTES = (1 << 32) - (1 << 16)  # its header has 32 bits for the length
# formats of libsndfile that people meet: name, endings, and how their tags are read and written
_COMMON = (
    ("WAV", (".wav",), "ID3, INFO (read)"),
    ("FLAC", (".flac",), "Vorbis comments, pictures"),
    ("MP3", (".mp3",), "ID3, pictures"),
    ("MP2", (".mp2",), ""),
    ("Ogg Vorbis", (".ogg",), "Vorbis comments, pictures"),
    ("Ogg Opus", (".opus",), "Vorbis comments, pictures"),
    ("AIFF", (".aiff", ".aif"), "ID3, pictures"),
    ("AU, CAF, W64, RF64", (".au", ".caf", ".w64", ".rf64"), ""),
)
_BITS = {
    "WAV": "8 to 32 bits, float",
    "FLAC": "8 to 24 bits",
    "AIFF": "8 to 32 bits, float",
    "AU, CAF, W64, RF64": "8 to 32 bits, float",
}
SOUND_ENDINGS = tuple(ending for _, endings, _ in _COMMON for ending in endings)
FFMPEG_ENDINGS = tuple(ending for kind in KINDS for ending in kind.endings)
INPUT_ENDINGS = SOUND_ENDINGS + FFMPEG_ENDINGS


def table() -> str:
    """The formats as a Markdown table."""
    rows = ["| format | endings | read | written | samples kept | tags kept |"]
    rows.append("|---|---|---|---|---|---|")
    for name, endings, tags in _COMMON:
        kept = tags.replace(" (read)", ", INFO as ID3") if tags else "no"
        kept = "ID3, INFO as ID3, pictures" if name == "WAV" else kept
        written = "yes" if all(_writable(ending) for ending in endings) else "no"
        bits = _BITS.get(name, "lossy")
        rows.append(f"| {name} | {_listed(endings)} | yes | {written} | {bits} | {kept} |")
    for kind in KINDS:
        rows.append(
            f"| {kind.name} | {_listed(kind.endings)} | with ffmpeg | no | of lossless streams |"
            f" {kind.tags} |"
        )
    return "\n".join(rows)


def _listed(endings: tuple[str, ...]) -> str:
    return ", ".join(f"`{ending}`" for ending in endings)


def _writable(ending: str) -> bool:
    try:
        return bool(format_of(f"x{ending}"))
    except AtomizerError:
        return False


def format_of(path: str | os.PathLike) -> str:
    """Format of a file by its ending, as libsndfile calls it.

    Raises AtomizerError if libsndfile cannot write that format.
    """
    ending = Path(path).suffix[1:].upper()
    name = {"OPUS": "OGG", "AIF": "AIFF"}.get(ending, ending)
    # SD2 keeps its header in a second file, which would be written into the working directory
    if name not in soundfile.available_formats() or name == "SD2":
        kind = f"{ending.lower()[:20]!r} files" if ending else "files without an ending"
        raise AtomizerError(f"Sounds cannot be written as {kind}: use .wav, .flac, .ogg or .mp3.")
    return name


def subtype_for(path: Path, subtype: str) -> str:
    """Sample format for writing a sound of a subtype to a file with this ending."""
    format_ = format_of(path)
    if format_ == "OGG":
        return "OPUS" if path.suffix.lower() == ".opus" else "VORBIS"
    if format_ == "FLAC" and (subtype in ("PCM_24", "PCM_32") or not subtype.startswith("PCM")):
        return "PCM_24"  # the longest samples of FLAC files; lossy files decode to floats
    if subtype in soundfile.available_subtypes(format_) and (
        format_ != "WAV" or subtype.startswith(("PCM", "FLOAT", "DOUBLE"))
    ):
        return subtype
    # lossy files decode to floats: a float WAV keeps untouched samples bit-identical
    return "FLOAT" if format_ == "WAV" else soundfile.default_subtype(format_)


def check_writable(
    path: str | os.PathLike, rate: int, channels: int, subtype: str = "FLOAT"
) -> None:
    """Raise AtomizerError if the file's format cannot hold this rate, channels and subtype.

    For example, MP3 files have at most two channels. The samples do not matter.
    """
    path = Path(path)
    kind = subtype_for(path, subtype)
    try:
        if kind == "VORBIS" and rate > MAX_VORBIS_RATE:
            raise ValueError("libvorbis does not support this rate")
        soundfile.SoundFile(io.BytesIO(), "w", rate, channels, kind, format=format_of(path)).close()
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise AtomizerError(
            f"{path.name[:80]!r} cannot be written: {path.suffix.lower()} files do not hold"
            f" {channels} channel{'s' * (channels > 1)} of {rate:,} samples per second, but .wav"
            " files do."
        ) from error


def check_output(path: Path) -> None:
    """Raise AtomizerError if the format cannot be written or the folder does not exist."""
    format_of(path)
    check_folder(path)


def check_folder(path: Path) -> None:
    """Raise AtomizerError if the folder of a file to write does not exist."""
    if not path.parent.is_dir():
        raise AtomizerError(f"There is no folder {str(path.parent)!r} to write {path.name!r} into.")
