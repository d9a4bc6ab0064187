"""One file is read, filled in and written."""

from __future__ import annotations

from pathlib import Path

from ..io.audio import check_output, max_duration, read
from ..io.reader import SoundReader
from .long_files import fill_long, goes_by_parts
from .request import Outcome, Request, Watch
from .whole import fill_whole


def fill_file(source: Path, target: Path, request: Request, watch: Watch = Watch()) -> Outcome:
    """Fill in a file and write another one.

    Raises AtomizerError if `source` is not a valid sound, a recipe does not fit it, or `target`
    cannot be written; an existing file is then unchanged.
    """
    check_output(target)
    with SoundReader(source) as file:
        max_duration(file.channels, file.rate)
        rest = file.seconds - request.start
        seconds = rest if request.seconds is None else min(rest, request.seconds)
    if goes_by_parts(seconds, request):
        return fill_long(source, target, request, watch)
    sound = read(source, start=request.start, seconds=request.seconds)
    return fill_whole(sound, target, request, watch)
