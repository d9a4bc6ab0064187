"""Formats of phones and browsers, decoded by ffmpeg where it is installed.

The content of a file decides what it is. Only the demuxers and the file itself are open to ffmpeg:
playlists, which name other files or addresses, are not read.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AtomizerError
from ..limits import limits

SECONDS = 600  # after which ffmpeg is ended
_DEMUXERS = (
    "aac,ac3,amr,ape,asf,avi,dsf,dts,eac3,flv,matroska,mov,mpeg,mpegts,mp3,ogg,tta,wav,webm,wv"
)
# codecs of WAV files that libsndfile reads from anywhere: PCM, float, mu-law, A-law, two ADPCMs
_OWN_CODECS = rb"[\x01\x02\x03\x06\x07\x11]\x00|\xfe\xff"


@dataclass(frozen=True)
class Kind:
    """A kind of file that ffmpeg reads.

    name     what it is called in messages
    endings  of such files
    start    regular expression of the bytes that its files begin with
    tags     which tags are kept
    """

    name: str
    endings: tuple[str, ...]
    start: bytes
    tags: str = "no"


KINDS = (
    Kind(
        "MP4 (AAC, ALAC)",
        (".m4a", ".mp4", ".m4b", ".mov", ".3gp"),
        rb".{4}ftyp",
        "text, pictures of MP4 atoms",
    ),
    Kind("WebM or Matroska", (".webm", ".mkv", ".mka"), rb"\x1aE\xdf\xa3", "text"),
    Kind("AMR", (".amr",), rb"#!AMR"),
    Kind("WMA or WMV", (".wma", ".wmv"), rb"0&\xb2u\x8ef\xcf\x11", "text"),
    Kind("AAC", (".aac",), rb"\xff[\xf0\xf1\xf8\xf9]"),
    Kind("AVI", (".avi",), rb"RIFF.{4}AVI ", "text"),
    Kind("Flash video", (".flv",), rb"FLV\x01", "text"),
    Kind("MPEG video", (".mpg", ".mpeg", ".ts"), rb"\x00\x00\x01\xba|G.{187}G"),
    Kind("AC-3 or E-AC-3", (".ac3", ".eac3"), rb"\x0bw"),
    Kind("DTS", (".dts",), rb"\x7f\xfe\x80\x01"),
    Kind(
        "Ogg FLAC or Speex",
        (".oga", ".spx"),
        rb"OggS.{24}(\x7fFLAC|Speex )",
        "Vorbis comments, pictures",
    ),
    Kind("WavPack", (".wv",), rb"wvpk", "text"),
    Kind("Monkey's Audio", (".ape",), rb"MAC ", "text"),
    Kind("True Audio", (".tta",), rb"TTA1", "text"),
    Kind("DSD", (".dsf",), rb"DSD ", "ID3, pictures"),
    Kind(
        "WAV (GSM, G.722, G.726, MP3 and others)",
        (".wav",),
        rb"RIFF.{4}WAVEfmt .{4}(?!" + _OWN_CODECS + rb")",
        "text",
    ),
)


def kind_of(path: Path) -> Kind | None:
    """The kind of a file, by its content; None for all files that ffmpeg is not needed for."""
    with open(path, "rb") as file:
        start = file.read(256)
    return next((kind for kind in KINDS if re.match(kind.start, start, re.DOTALL)), None)


@dataclass(frozen=True)
class Decoded:
    """A temporary file that libsndfile reads, and a sentence if other streams were not read."""

    path: Path
    note: str | None = None


def is_installed() -> bool:
    """Whether files of kinds that libsndfile does not read can be decoded."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


@contextmanager
def decoded(path: Path, kind: Kind) -> Iterator[Decoded]:
    """The first audio stream of a file, as a temporary file that libsndfile reads.

    Lossy streams become float samples, lossless ones keep their bits.

    Raises AtomizerError if ffmpeg is not installed, or the file has no sound or cannot be decoded.
    """
    if not is_installed():
        raise AtomizerError(
            f"{path.name[:80]!r} is a file of the kind {kind.name}, which needs the program ffmpeg:"
            " install it, or convert the file to WAV, FLAC, OGG or MP3."
        )
    streams = _probe(path)
    if not streams:
        raise AtomizerError(f"{path.name[:80]!r} holds no sound: a file with sound is accepted.")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "decoded.wav"
        codec = _codec(streams[0])
        limit = ["-t", f"{limits().file_seconds + 1:g}"]
        command = ["ffmpeg", "-nostdin", "-v", "error", *_input(path), *limit, "-map", "0:a:0"]
        command += ["-vn", "-c:a", codec, "-rf64", "auto", "-f", "wav", str(target)]
        done = _run(command, path)
        if not target.is_file() or target.stat().st_size <= 128:
            reason = _reason(done.stderr)
            raise AtomizerError(f"{path.name[:80]!r} cannot be decoded by ffmpeg: {reason}.")
        yield Decoded(target, _note(path, streams))


def _input(path: Path) -> list[str]:
    """Options that open a file, and nothing else."""
    return ["-protocol_whitelist", "file", "-format_whitelist", _DEMUXERS, "-i", f"file:{path}"]


def _probe(path: Path) -> list[dict[str, Any]]:
    """Facts on the audio streams of a file."""
    entries = "stream=codec_name,sample_fmt,bits_per_raw_sample:stream_tags=language,title"
    command = ["ffprobe", "-v", "error", *_input(path), "-select_streams", "a"]
    done = _run([*command, "-show_entries", entries, "-of", "json"], path)
    try:
        streams = json.loads(done.stdout or b"{}").get("streams", [])
    except ValueError:
        streams = []
    if not streams and done.returncode:
        reason = _reason(done.stderr)
        raise AtomizerError(f"{path.name[:80]!r} cannot be decoded by ffmpeg: {reason}.")
    return streams


def text_fields(path: Path) -> dict[str, str]:
    """Text fields of a file and its first audio stream, by ffmpeg's names in lower case.

    Empty where the program is not installed, or the file cannot be read.
    """
    if shutil.which("ffprobe") is None:
        return {}
    command = ["ffprobe", "-v", "error", *_input(path), "-select_streams", "a:0"]
    done = _run([*command, "-show_entries", "format_tags:stream_tags", "-of", "json"], path)
    found = json.loads(done.stdout or b"{}")
    parts = [*found.get("streams", []), found.get("format", {})]
    return {k.lower(): str(v) for part in parts for k, v in part.get("tags", {}).items()}


def _note(path: Path, streams: list[dict[str, Any]]) -> str | None:
    """A sentence on which of several audio streams was read; None if there is one."""
    if len(streams) < 2:
        return None
    tags = streams[0].get("tags", {})
    names = [str(tags[key])[:40] for key in ("title", "language") if tags.get(key)]
    which = f"the first ({', '.join(names)})" if names else "the first"
    return f"{path.name[:80]!r} has {len(streams)} audio streams, of which {which} was read."


def _codec(stream: dict[str, Any]) -> str:
    """The PCM codec that holds the samples of a stream."""
    name, bits = stream.get("codec_name", ""), int(stream.get("bits_per_raw_sample") or 0)
    lossless = name in ("alac", "flac", "ape", "wavpack", "tta") or name.startswith("pcm_")
    if not lossless or "flt" in stream.get("sample_fmt", "") or "dbl" in stream["sample_fmt"]:
        return "pcm_f32le"
    if bits == 0:
        bits = 32 if "32" in stream["sample_fmt"] else 16
    return "pcm_s16le" if bits <= 16 else "pcm_s24le" if bits <= 24 else "pcm_s32le"


def _run(command: list[str], path: Path) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise AtomizerError(
            f"{path.name[:80]!r} was not decoded by ffmpeg within {SECONDS} seconds: an excerpt of"
            " it is accepted."
        ) from error


def _reason(stderr: bytes) -> str:
    """The last line that ffmpeg wrote, without paths and the final period."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines() or ["unknown reason"]
    return lines[-1].rpartition(": ")[2].strip().rstrip(".")[:120] or "unknown reason"
