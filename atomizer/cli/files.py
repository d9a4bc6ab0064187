"""Files of the command line: notes about them go to the error stream."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import AtomizerError

if TYPE_CHECKING:
    from ..io.audio import Sound


def read_sound(source: Path, start: float = 0.0, seconds: float | None = None) -> Sound:
    """Read a sound, and report on the error stream if not all of the file could be read."""
    from ..io.audio import read

    sound = read(source, start=start, seconds=seconds)
    if sound.note:
        typer.echo(sound.note, err=True)
    return sound


def write_sound(out: Path, sound: Sound, peaks: str) -> None:
    """Write a sound, and report on the error stream if its peaks were attenuated."""
    from ..io.audio import write

    report = write(out, sound, peaks)
    if report:
        typer.echo(report, err=True)


def name_sound(out: Path, seconds: float, channels: int) -> None:
    """Print the length and channels of a sound that was written."""
    typer.echo(f"{out.name}: {seconds:.2f} s, {channels} channel{'s' * (channels > 1)}")


def read_text(path: Path) -> str:
    """Text of a file; raises AtomizerError if it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AtomizerError(
            f"{path.name!r} cannot be read as text: a JSON file is accepted."
        ) from error


def read_bytes(path: Path, size: int | None) -> bytes:
    """The first bytes of a file, or all; raises AtomizerError if it cannot be read.

    The path "-" is the standard input.
    """
    count = -1 if size is None else size
    if str(path) == "-":
        return sys.stdin.buffer.read(count)
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError as error:
        raise AtomizerError(
            f"{path.name[:80]!r} cannot be read: a file written by `atomizer encode` is accepted."
        ) from error
