"""Tags and cover art: read from one sound file, written into another, by mutagen.

Names of fields are those of Vorbis comments, in lower case. Between files of the same kind of tags
(ID3, or Vorbis comments) everything is kept; otherwise text fields and pictures are. Of other kinds
of tags (Matroska, ASF, APE, QuickTime) ffmpeg gives the text fields. The library is optional
(`pip install ".[tags]"`, GPL); without it files are written without tags.
"""

from __future__ import annotations

import base64
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .ffmpeg import kind_of, text_fields

# written by encoders about their own file, or about its length
_DROPPED = {"encoder", "encodersettings", "itunsmpb", "waveformatextensible_channel_mask"}
_FRONT = 3  # type of a picture: front cover
# names of Vorbis comments, with the text frame of ID3 and the atom of MP4 of the same meaning
_NAMES = (
    ("title", "TIT2", "\xa9nam"),
    ("artist", "TPE1", "\xa9ART"),
    ("album", "TALB", "\xa9alb"),
    ("albumartist", "TPE2", "aART"),
    ("date", "TDRC", "\xa9day"),
    ("genre", "TCON", "\xa9gen"),
    ("tracknumber", "TRCK", ""),
    ("discnumber", "TPOS", ""),
    ("composer", "TCOM", "\xa9wrt"),
    ("lyricist", "TEXT", ""),
    ("copyright", "TCOP", "cprt"),
    ("grouping", "TIT1", "\xa9grp"),
    ("organization", "TPUB", ""),
    ("bpm", "TBPM", ""),
    ("isrc", "TSRC", ""),
    ("language", "TLAN", ""),
    ("comment", "COMM", "\xa9cmt"),
    ("lyrics", "USLT", "\xa9lyr"),
)
# what ffmpeg calls them, where that differs
_FFMPEG = {
    "album_artist": "albumartist",
    "track": "tracknumber",
    "disc": "discnumber",
    "year": "date",
    "product": "album",
    "publisher": "organization",
}
_INFO = ("title", "artist", "album", "date", "comment", "genre", "copyright", "tracknumber")


@dataclass(frozen=True)
class Picture:
    """Cover art: encoded image, its MIME type, and its type as in ID3 (3 is the front cover)."""

    data: bytes
    mime: str
    kind: int = _FRONT


@dataclass(frozen=True)
class Tags:
    """Text fields by name, and pictures.

    frames  the frames of an ID3 tag, for another one; empty where the tags were of another kind
    """

    fields: dict[str, list[str]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    frames: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.pictures or self.frames)


def read_tags(path: str | os.PathLike) -> Tags:
    """Tags of a sound file; empty where it has none, or they are damaged."""
    path, tags = Path(path), Tags()
    if _library() is None:
        return tags
    with contextlib.suppress(Exception):  # mutagen raises whatever a damaged tag leads to
        tags = _by_mutagen(path)
    with contextlib.suppress(Exception):
        if not tags and kind_of(path) is not None:
            tags = _from_ffmpeg(text_fields(path))
    return tags


def _by_mutagen(path: Path) -> Tags:
    found = _library().File(path)
    tags = Tags() if found is None else _tags_of(found)
    return tags or _info(path, type(found).__name__)


def _from_ffmpeg(found: dict[str, str]) -> Tags:
    """Tags of ffmpeg's fields, without what containers say of themselves."""
    known = {name for name, _, _ in _NAMES}
    named = {_FFMPEG.get(name, name.partition("-")[0]): value for name, value in found.items()}
    return Tags({name: [value] for name, value in named.items() if name in known})


def _library() -> Any:
    """The module mutagen; None where it is not installed."""
    try:
        import mutagen
    except ImportError:
        return None
    return mutagen


def _tags_of(found: Any) -> Tags:
    """Tags of a file that mutagen has opened."""
    if found.tags is None:
        return Tags()
    names = [cls.__name__ for cls in type(found.tags).__mro__]
    if "ID3" in names or "ID3Tags" in names:
        return _from_id3(found.tags)
    if "MP4Tags" in names:
        return _from_mp4(found.tags)
    if "VComment" in names:
        return _from_comments(found)
    return Tags()


def _from_comments(found: Any) -> Tags:
    from mutagen.flac import Picture as FlacPicture

    fields: dict[str, list[str]] = {}
    pictures = [Picture(p.data, p.mime, p.type) for p in getattr(found, "pictures", [])]
    for name, value in found.tags:
        if name.lower() == "metadata_block_picture":
            one = FlacPicture(base64.b64decode(value))
            pictures.append(Picture(one.data, one.mime, one.type))
        elif name.lower() not in _DROPPED:
            fields.setdefault(name.lower(), []).append(value)
    return Tags(fields, tuple(pictures))


def _from_id3(tags: Any) -> Tags:
    fields: dict[str, list[str]] = {}
    for name, key, _ in _NAMES:
        texts = [frame.text for frame in tags.getall(key)[:1]]
        for text in texts:
            fields[name] = [text] if isinstance(text, str) else [str(value) for value in text]
    for frame in tags.getall("TXXX"):
        fields.setdefault(frame.desc.lower(), [str(text) for text in frame.text])
    pictures = [Picture(p.data, p.mime, int(p.type)) for p in tags.getall("APIC")]
    kept = [frame for frame in tags.values() if frame.FrameID not in ("TSSE", "TLEN")]
    return Tags(_without_dropped(fields), tuple(pictures), tuple(kept))


def _from_mp4(tags: Any) -> Tags:
    from mutagen.mp4 import MP4Cover

    atoms = {atom: name for name, _, atom in _NAMES if atom}
    fields: dict[str, list[str]] = {}
    for atom, values in tags.items():
        if atom in atoms:
            fields[atoms[atom]] = [str(value) for value in values]
        elif atom in ("trkn", "disk"):
            name = "tracknumber" if atom == "trkn" else "discnumber"
            fields[name] = [f"{a}/{b}" if b else str(a) for a, b in values]
        elif atom.startswith("----:"):
            texts = [bytes(value).decode("utf-8", "replace") for value in values]
            fields[atom.rpartition(":")[2].lower()] = texts
    mimes = {MP4Cover.FORMAT_PNG: "image/png", MP4Cover.FORMAT_JPEG: "image/jpeg"}
    pictures = [
        Picture(bytes(cover), mimes.get(cover.imageformat, "image/jpeg"))
        for cover in tags.get("covr", [])
    ]
    return Tags(_without_dropped(fields), tuple(pictures))


def _without_dropped(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in fields.items() if name not in _DROPPED}


def _info(path: str | os.PathLike, kind: str) -> Tags:
    """Tags of the INFO chunk of a WAV file, which mutagen does not read."""
    if kind != "WAVE":
        return Tags()
    import soundfile

    with soundfile.SoundFile(path) as file:
        texts = file.copy_metadata()
    return Tags({name: [texts[name]] for name in _INFO if texts.get(name)})


def write_tags(file: BinaryIO, tags: Tags) -> None:
    """Write tags into a sound file that is open for reading and writing; its sound stays.

    Formats without tags are left as they are.
    """
    mutagen = _library()
    if mutagen is None or not tags:
        return
    file.seek(0)
    found = mutagen.File(file)
    if found is None:
        return
    if found.tags is None:
        found.add_tags()
    names = [cls.__name__ for cls in type(found.tags).__mro__]
    if "ID3" in names or "ID3Tags" in names:
        _into_id3(found.tags, tags)
    elif "VComment" in names:
        _into_comments(found, tags)
    else:
        return
    file.seek(0)
    found.save(file)


def _into_id3(target: Any, tags: Tags) -> None:
    from mutagen import id3

    if tags.frames:
        for frame in tags.frames:
            target.add(frame)
        return
    keys = {name: key for name, key, _ in _NAMES}
    for name, values in tags.fields.items():
        key = keys.get(name)
        if key in ("COMM", "USLT"):
            text = values if key == "COMM" else "\n".join(values)
            target.add(id3.Frames[key](encoding=3, lang="und", desc="", text=text))
        elif key is None:
            target.add(id3.TXXX(encoding=3, desc=name, text=values))
        else:
            target.add(id3.Frames[key](encoding=3, text=values))
    for number, picture in enumerate(tags.pictures):
        desc = str(number or "")
        target.add(id3.APIC(3, picture.mime, picture.kind, desc, picture.data))


def _into_comments(found: Any, tags: Tags) -> None:
    from mutagen.flac import Picture as FlacPicture

    for name, values in tags.fields.items():
        try:
            found.tags[name] = values
        except ValueError:  # a name that Vorbis comments cannot have
            continue
    for picture in tags.pictures:
        block = FlacPicture()
        block.data, block.mime, block.type = picture.data, picture.mime, picture.kind
        if hasattr(found, "add_picture"):
            found.add_picture(block)
        else:
            encoded = base64.b64encode(block.write()).decode("ascii")
            found.tags.append(("METADATA_BLOCK_PICTURE", encoded))
