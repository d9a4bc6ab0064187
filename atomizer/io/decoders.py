"""Files that other packages decode: they add what they read to `DECODERS`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Decoder = Callable[[Path, Path, float | None], object]

# first bytes of a file: a function that writes its sound as another file, which libsndfile reads;
# its last argument is the longest accepted sound in seconds
DECODERS: dict[bytes, Decoder] = {}


def decoder_of(path: Path) -> Decoder | None:
    """The decoder of a file, by its content; None if no other package reads it."""
    with open(path, "rb") as file:
        start = file.read(max(map(len, DECODERS), default=0))
    return next((decoder for magic, decoder in DECODERS.items() if start.startswith(magic)), None)


@contextmanager
def decoded_by(decoder: Decoder, path: Path, max_seconds: float | None) -> Iterator[Path]:
    """The sound of a file as a temporary file. Raises AtomizerError as the decoder does."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "decoded.w64"
        decoder(path, target, max_seconds)
        yield target
