"""Writing: samples go to a sound file block by block, and the file appears when it is complete."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import soundfile

from ..errors import AtomizerError
from .atomic_write import write_error
from .channels import to_file
from .containers.wav import MASK_OFFSET
from .formats import MAX_WAV_BYTES, check_writable, format_of, subtype_for
from .peaks import BITS, PeakFitter, check_peaks, round_samples
from .tags import Tags, write_tags

BLOCK = 1 << 18  # frames encoded at a time: the Vorbis encoder overflows the stack on minutes
# Compression of lossy formats, 0 (the largest files) to 1: about 240 kbit/s of stereo. What is not
# selected was coded before, and libsndfile's own MP3 ends at 17 kHz, below highs that were added
COMPRESSION = {"MPEG_LAYER_III": 0.1, "VORBIS": 0.2, "OPUS": 0.5}


@dataclass(frozen=True)
class Form:
    """What a written file is like.

    rate, channels  samples per second, and number of channels
    subtype         libsndfile's name of the sample format; the file gets the closest it has
    mask            channel mask of WAVEFORMATEXTENSIBLE; 0 if unknown
    tags            tags and cover art
    """

    rate: int
    channels: int
    subtype: str = "FLOAT"
    mask: int = 0
    tags: Tags = Tags()


class Encoder:
    """Encodes blocks of samples into a binary file, in the format of a path's ending.

    libsndfile hides errors of the disk: the first one is kept in `error`.
    """

    def __init__(self, target: BinaryIO, path: Path, form: Form):
        self.error: OSError | None = None
        self._target, self._form = target, form
        self.format = format_of(path)
        extensible = self.format == "WAV" and form.mask and form.mask.bit_count() == form.channels
        extensible = bool(extensible and form.channels > 2)
        self._mask = form.mask if extensible else 0
        self._file = soundfile.SoundFile(
            self,
            "w",
            form.rate,
            form.channels,
            form.subtype,
            format="WAVEX" if extensible else self.format,
            compression_level=COMPRESSION.get(form.subtype),
        )

    def add(self, samples: np.ndarray) -> None:
        """Encode samples (channels, n)."""
        for start in range(0, samples.shape[1], BLOCK):
            block = to_file(samples[:, start : start + BLOCK].T, self.format)
            self._file.write(round_samples(block, self._form.subtype))
            if self.error is not None:
                raise self.error

    def finish(self) -> None:
        """Write the end of the file, its channel mask and its tags."""
        self._file.close()
        if self.error is not None:
            raise self.error
        if self._mask:
            self._target.seek(MASK_OFFSET)
            self._target.write(self._mask.to_bytes(4, "little"))
        with contextlib.suppress(Exception):  # the sound matters more than a tag that fails
            write_tags(self._target, self._form.tags)

    def close(self) -> None:
        """Stop without finishing."""
        with contextlib.suppress(soundfile.SoundFileError, RuntimeError):
            self._file.close()

    # what soundfile asks of a file

    def write(self, data) -> int:
        """Write bytes."""
        try:
            return self._target.write(data)
        except OSError as error:
            self.error = self.error or error
            return 0

    def read(self, count: int = -1) -> bytes:
        """Read bytes."""
        return self._target.read(count)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset."""
        return self._target.seek(offset, whence)

    def tell(self) -> int:
        """Position in bytes."""
        return self._target.tell()


class SoundWriter:
    """Writes a sound file block by block; it replaces `path` when it is finished.

    with SoundWriter(path, Form(44_100, 2), "limit") as out:
        out.add(samples)
    print(out.report)

    `peaks` is as in `audio.write`: "scale" and "float" depend on the largest peak of the whole
    sound, which is given as `peak`.

    Raises AtomizerError if the format cannot hold the sound, or the file cannot be written; an
    existing file is then unchanged.
    """

    def __init__(self, path: str | os.PathLike, form: Form, peaks: str = "limit", peak: float = 0):
        self.path = Path(path)
        check_peaks(peaks)
        subtype = subtype_for(self.path, form.subtype)
        if subtype in BITS and peaks == "float" and peak > 1:
            subtype = subtype_for(self.path, "FLOAT")
        check_writable(self.path, form.rate, form.channels, subtype)
        form = Form(form.rate, form.channels, subtype, form.mask, form.tags)
        self._fitter = PeakFitter(form.rate, peaks, peak) if subtype in BITS else None
        self._partial = self.path.with_name(f".{uuid.uuid4().hex}.part{self.path.suffix}")
        with self._errors():
            self._target = open(self._partial, "w+b")  # noqa: SIM115  closed by `__exit__`
            self._encoder = Encoder(self._target, self.path, form)

    def add(self, samples: np.ndarray) -> None:
        """Append samples (channels, n)."""
        with self._errors():
            for block in [samples] if self._fitter is None else self._fitter.add(samples):
                self._encoder.add(block)
            if self._encoder.format == "WAV" and self._target.tell() > MAX_WAV_BYTES:
                raise AtomizerError(
                    f"{self.path.name[:80]!r} would be larger than 4 GB, the most that .wav files"
                    " hold: use .flac or .w64."
                )

    @property
    def report(self) -> str | None:
        """One sentence on how peaks were attenuated; None if they were not."""
        return None if self._fitter is None else self._fitter.report

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, soundfile.SoundFileError, RuntimeError, ValueError) as error:
            if isinstance(error, AtomizerError):
                raise
            raise write_error(self.path, "The sound", error) from error

    def __enter__(self) -> SoundWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                with self._errors():
                    for block in [] if self._fitter is None else self._fitter.finish():
                        self._encoder.add(block)
                    self._encoder.finish()
                    self._target.flush()
                    self._target.close()
                    self._partial.replace(self.path)
        finally:
            self._encoder.close()
            with contextlib.suppress(OSError):
                self._target.close()
            with contextlib.suppress(OSError):
                self._partial.unlink()
