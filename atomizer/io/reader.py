"""Reading: the samples of a sound file, in blocks from anywhere in it, whatever its header says."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
import soxr

from ..errors import AtomizerError
from .channels import from_file, mask_of
from .containers import OpenPart, scan
from .decoders import decoded_by, decoder_of
from .ffmpeg import decoded, is_installed, kind_of

BLOCK = 1 << 18  # frames read at a time: a header with a false length costs no memory
_SMALL = 1024  # frames read at a time where larger blocks hold damage
_OWN_FORMATS = "WAV, FLAC, OGG, MP3 or AIFF"
_MP3_LEAD = 64 * 1152  # frames decoded before the wanted ones
# endings of files that begin with samples, and the options by which ffmpeg reads them
_WITHOUT_HEADER = {
    ".raw": "-f s16le -ar 8000 -ac 1",
    ".pcm": "-f s16le -ar 8000 -ac 1",
    ".g722": "-f g722",
    ".gsm": "-f gsm",
    ".ul": "-f mulaw -ar 8000",
    ".al": "-f alaw -ar 8000",
}
_SHORT = 0.1  # seconds by which a file may be shorter than its header says, without a note


def _refusal(path: Path) -> str:
    """A sentence on a file that is not read as sound."""
    name, bare = path.name[:80], _WITHOUT_HEADER.get(path.suffix.lower())
    accepted = "WAV, FLAC, OGG, MP3, AIFF, M4A or a video" if is_installed() else _OWN_FORMATS
    hint = ""
    if bare is not None:
        hint = (
            f"; files like this one do not say what they hold: convert it, for instance by ffmpeg"
            f" {bare} -i {name} out.wav"
        )
    return f"Can't read {name} as sound: please use {accepted}{hint}."


class _Decoder(soundfile.SoundFile):
    """A sound file that is not moved after every read, as soundfile does.

    An MP3 decoder that is moved forgets the bits that its next frames need.
    """

    def seekable(self) -> bool:
        """False, so that nothing is moved implicitly."""
        return False


@dataclass(frozen=True)
class _Span:
    """A decoder and its span of the file, in frames."""

    file: _Decoder
    start: int
    stop: int


class SoundReader:
    """An open sound file, whose samples are read from anywhere.

    with SoundReader("in.wav") as file:
        for block in file.blocks(0, file.frames): ...

    Attributes
    ----------
    rate, channels : int
        Samples per second, and number of channels.
    frames : int
        Number of samples per channel, as the file's parts say; the last ones may be missing.
    subtype : str
        libsndfile's name of the sample format.
    mask : int
        Channel mask of WAVEFORMATEXTENSIBLE; 0 if unknown.

    `max_seconds` bounds the length of files of atoms, which are decoded as a whole;
    `limits().seconds` by default.
    """

    def __init__(self, path: str | os.PathLike, max_seconds: float | None = None):
        self.path = Path(path)
        self._max_seconds = max_seconds
        self._stack = contextlib.ExitStack()
        try:
            with self._errors():
                self._open()
        except BaseException:
            self._stack.close()
            raise

    def _open(self) -> None:
        path = self.path
        if not path.is_file():
            raise AtomizerError(f"There is no file {path.name!r}: give the path of a sound file.")
        if path.stat().st_size == 0:
            raise AtomizerError(
                f"{path.name!r} is an empty file: a WAV, FLAC, OGG or MP3 file with sound in it is"
                " accepted."
            )
        kind = kind_of(path)
        decoder = decoder_of(path)
        self._stream_note: str | None = None
        if kind is not None:
            found = self._stack.enter_context(decoded(path, kind))
            path, self._stream_note = found.path, found.note
        elif decoder is not None:
            path = self._stack.enter_context(decoded_by(decoder, path, self._max_seconds))
        self.contents = scan(path)
        self._spans, self._unreadable = self._open_spans(path), 0
        first = self._spans[0].file
        self.rate, self.channels = first.samplerate, first.channels
        self.format, self.subtype = first.format, first.subtype
        self.frames = self._spans[-1].stop
        self.mask = mask_of(self.channels, self.format, self.contents.mask)
        if kind is not None and self.subtype != "FLOAT" and not self.contents.mask:
            self.mask = 0

    def _open_spans(self, path: Path) -> list[_Span]:
        """Decoders of all parts of the file that have the rate and channels of the first one."""
        parts = self.contents.parts
        sources: list[OpenPart | Path] = [part.open(path) for part in parts] or [path]
        spans: list[_Span] = []
        for source in sources:
            if isinstance(source, OpenPart):
                self._stack.callback(source.close)
            file = self._stack.enter_context(_Decoder(source))
            start = spans[-1].stop if spans else 0
            if spans and (file.samplerate, file.channels) != (
                spans[0].file.samplerate,
                spans[0].file.channels,
            ):
                break
            spans.append(_Span(file, start, start + file.frames))
        self._skipped = len(sources) - len(spans)
        return spans

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors of the decoder become AtomizerErrors."""
        try:
            yield
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            raise AtomizerError(_refusal(self.path)) from error

    def _move(self, span: _Span, offset: int) -> None:
        """Move a decoder to a frame.

        Frames of MP3 use bits of earlier ones, of many where the bit rate is low: the decoder
        starts before them.
        """
        if span.file.tell() == offset:
            return
        lead = min(offset, _MP3_LEAD) if self.format == "MP3" else 0
        span.file.seek(offset - lead)
        if lead:
            self._next(span, lead)

    def _next(self, span: _Span, count: int) -> np.ndarray:
        """The next frames (n, channels) of a decoder: none at the end, or behind damage.

        Raises the decoder's error where not even the first frame of the file can be read.
        """
        at = span.file.tell()
        try:
            return span.file.read(count, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            if at == 0 and count <= _SMALL:
                raise
            if count <= _SMALL:
                self._unreadable = max(0, span.stop - span.start - at)
                return np.zeros((0, self.channels), np.float32)
        span.file.seek(at)
        return self._next(span, _SMALL)

    @property
    def seconds(self) -> float:
        """Duration in seconds, as the parts of the file say."""
        return self.frames / self.rate

    def blocks(self, start: int, count: int) -> Iterator[np.ndarray]:
        """Frames from `start`, at most `count`, as blocks (n, channels) float32."""
        with self._errors():
            for span in self._spans:
                if start >= span.stop and span is not self._spans[-1]:
                    continue
                offset = max(0, min(start, span.stop) - span.start)
                self._move(span, offset)
                while count > 0:
                    block = self._next(span, min(BLOCK, count))
                    if not len(block):
                        break
                    count -= len(block)
                    start += len(block)
                    yield from_file(block, self.format)
                if count <= 0:
                    return

    def resampled(self, rate: int, size: int) -> Iterator[np.ndarray]:
        """The whole file at `rate` Hz, in blocks (channels, size) float32; the last is shorter."""
        held = np.zeros((0, self.channels), np.float32)
        for block in self._resampled_blocks(rate):
            held, at = np.concatenate([held, block]), 0
            while len(held) - at >= size:
                yield np.ascontiguousarray(held[at : at + size].T)
                at += size
            held = held[at:]
        if len(held):
            yield np.ascontiguousarray(held.T)

    def _resampled_blocks(self, rate: int) -> Iterator[np.ndarray]:
        """The file at `rate` Hz, in blocks (n, channels) of any length."""
        if rate == self.rate:
            yield from self.blocks(0, sys.maxsize)
            return
        stream = soxr.ResampleStream(self.rate, rate, self.channels, "float32", quality="VHQ")
        read = written = 0
        for block in self.blocks(0, sys.maxsize):
            read += len(block)
            out = stream.resample_chunk(block)
            written += len(out)
            yield out
        # silence after the end: without it soxr drops the last sample
        rest = -(-read * rate // self.rate) - written
        silence = np.zeros((-(-self.rate // rate), self.channels), np.float32)
        yield stream.resample_chunk(silence, last=True)[: max(0, rest)]

    def read(self, start: int, count: int) -> np.ndarray:
        """Frames from `start`, at most `count`: (channels, n) float32."""
        blocks = list(self.blocks(start, count))
        if not blocks:
            return np.zeros((self.channels, 0), np.float32)
        return np.ascontiguousarray(np.concatenate(blocks).T)

    def window(self) -> Callable[[int, int], np.ndarray]:
        """A function that reads from a first sample to a stop: (C, stop - first) float32.

        Calls that move forward decode every sample once; what lies before the last `first` is
        dropped, so that memory holds a single span: the result is a view of it, only to be read.
        """
        held, at = np.zeros((self.channels, 0), np.float32), 0
        blocks = self.blocks(0, sys.maxsize)

        def read(first: int, stop: int) -> np.ndarray:
            nonlocal held, at, blocks
            if first < at:
                held, at, blocks = held[:, :0], 0, self.blocks(0, sys.maxsize)
            pieces, end = [held], at + held.shape[1]
            while end < stop and (block := next(blocks, None)) is not None:
                end += len(block)
                if end > first:
                    pieces.append(np.ascontiguousarray(block.T))
                else:
                    pieces, at = [held[:, :0]], end
            joined = np.concatenate(pieces, 1)
            drop = min(max(0, first - at), joined.shape[1])
            held, at = joined[:, drop:].copy(), at + drop
            return held[:, : max(0, stop - first)]

        return read

    def note(self, frames: int | None) -> str | None:
        """Sentences where less than the whole file could be read; None otherwise.

        frames  number of frames that were read, to the end of what is there; None of an excerpt
        """
        damage = None if frames is None else self._damage(frames)
        return " ".join(filter(None, (self._stream_note, damage))) or None

    def _damage(self, frames: int) -> str | None:
        """One sentence where the file goes on after `frames`, or should; None otherwise."""
        name, read = self.path.name[:80], frames / self.rate
        if self._skipped:
            return (
                f"{name!r} is joined from {self._skipped + len(self._spans)} parts, of which the"
                f" first {len(self._spans)} have the same rate and channels: {read:.2f} s of these"
                " were read."
            )
        missing = (self.contents.missing + self._unreadable) / self.rate
        if missing <= _SHORT and self.contents.ends_within_a_page:
            return f"{name!r} is cut off: {read:.2f} s were read."
        if missing <= _SHORT:
            return None
        what = "damaged" if self._unreadable else "cut off"
        return (
            f"{name!r} is {what}: {read:.2f} s of the {read + missing:.2f} s that its header names"
            " were read."
        )

    def close(self) -> None:
        """Close the file, and remove what was decoded for it."""
        self._stack.close()

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
