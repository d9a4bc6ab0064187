"""A long file that is filled part by part, in memory that does not grow with its length."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from ..analysis.defects import Defect
from ..atoms.selection import Selection
from ..errors import AtomizerError
from ..heap import map_large_arrays
from ..inpainting.highs.cutoff import describe_cutoff
from ..inpainting.parts.fill_parts import (
    WHOLE_SECONDS,
    Stream,
    can_go_by_parts,
    fill_by_parts,
    repair_by_parts,
    resolve_cutoff_by_parts,
)
from ..inpainting.repair_first import recipes_after_repair, settings_of_repair
from ..io.audio import Sound, check_writable, open_long
from ..io.formats import subtype_for
from ..io.peaks import BITS
from ..io.reader import SoundReader
from ..io.tags import Tags, read_tags
from ..io.writer import Form, SoundWriter
from .request import Outcome, Request, Watch


def goes_by_parts(seconds: float, request: Request) -> bool:
    """Whether a sound is so long that it is filled by parts, and its recipes allow it."""
    is_long = seconds > WHOLE_SECONDS and request.pursuit is None
    return is_long and all(can_go_by_parts(recipe) for recipe in request.recipes)


def fill_long(source: Path, target: Path, request: Request, watch: Watch) -> Outcome:
    """Fill part by part; results between several passes are temporary files of float samples."""
    outcome = Outcome(target)
    map_large_arrays()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = stack.enter_context(open_long(source))
        note = file.note(file.frames if request.seconds is None else None)
        outcome.warnings += [note] if note else []
        stream, holes = _stream(file, read_tags(source), request), Selection()
        if request.defects:
            path = folder / "repaired.w64"
            holes = _repair_long(stream, path, request, outcome)
            stream = _reopened(path, stream.form, stack)
        recipes = recipes_after_repair(request.recipes, request.defects, holes)
        for number, recipe in enumerate(recipes):
            recipe, cutoff = resolve_cutoff_by_parts(stream, recipe)
            if cutoff is not None:
                outcome.cutoff = outcome.cutoff or cutoff
                outcome.notes.append(describe_cutoff(cutoff))
            if number < len(recipes) - 1:
                path = folder / f"{number}.w64"
                form = _write_blocks(fill_by_parts(stream, recipe, request.load), path, stream.form)
                stream = _reopened(path, form, stack)
        blocks = _copied(stream)
        if recipes:
            blocks = fill_by_parts(stream, recipe, request.load, watch.on_share)
        _write_long(blocks, outcome, request, folder)
    return outcome


def _repair_long(stream: Stream, path: Path, request: Request, outcome: Outcome) -> Selection:
    """Write the repaired sound into a file; returns the long dropouts."""
    defects: list[Defect] = []
    holes, settings = Selection(), settings_of_repair(request.recipes)
    with SoundWriter(path, Form(stream.form.rate, stream.form.channels)) as out:
        for part in repair_by_parts(stream, request.defects, settings):
            out.add(part.sound.samples)
            defects += part.defects
            holes = holes + part.selection
    outcome.add_defects(request, defects)
    return holes


def _stream(file: SoundReader, tags: Tags, request: Request) -> Stream:
    """The excerpt of a file that a request names."""
    first = round(request.start * file.rate)
    length = file.frames - first
    if request.seconds is not None:
        length = min(length, round(request.seconds * file.rate))
    if length <= 0:
        raise AtomizerError(
            f"The excerpt starts at {request.start:g} seconds, where this sound is over."
        )
    samples = np.zeros((file.channels, 0), np.float32)
    form = Sound(samples, file.rate, file.subtype, file.mask, tags)
    window = file.window()
    return Stream(lambda a, b: window(first + a, first + b), length, form)


def _reopened(path: Path, form: Sound, stack: ExitStack) -> Stream:
    """A temporary file as a stream with the format, layout and tags of the original."""
    file = stack.enter_context(SoundReader(path))
    return Stream(file.window(), file.frames, form)


def _copied(stream: Stream) -> Iterator[Sound]:
    """The blocks of a stream as they are."""
    size = round(WHOLE_SECONDS / 4 * stream.form.rate)
    for first in range(0, stream.length, size):
        yield stream.part(first, first + size)


def _write_blocks(blocks: Iterator[Sound], path: Path, form: Sound) -> Sound:
    """Write blocks as a file of float samples; returns a `Sound` like them, without samples."""
    like, blocks = _like_first(blocks)
    with SoundWriter(path, Form(like.rate, like.channels)) as out:
        _add_all(out, blocks)
    return replace(like, subtype=form.subtype, tags=form.tags)


def _like_first(blocks: Iterator[Sound]) -> tuple[Sound, Iterator[Sound]]:
    """A `Sound` like the first of blocks, without samples, and all of the blocks."""
    first = next(blocks)
    like = first.with_samples(np.zeros((first.channels, 0), np.float32))
    return like, chain([first], blocks)


def _add_all(out: SoundWriter, blocks: Iterator[Sound]) -> tuple[int, float]:
    """Write blocks; returns their number of samples per channel and their peak."""
    frames, peak = 0, 0.0
    for block in blocks:
        out.add(block.samples)
        frames += block.samples.shape[1]
        peak = max(peak, float(np.abs(block.samples).max(initial=0)))
        del block  # its memory is free while the next one is made
    return frames, peak


def _write_long(blocks: Iterator[Sound], outcome: Outcome, request: Request, folder: Path) -> None:
    """Write blocks to the target of an outcome, and their length, channels and rate into it.

    What scales the whole sound, or chooses float samples, needs its peak: the blocks then go to a
    temporary file first.
    """
    (like, blocks), target, peak = _like_first(blocks), outcome.target, 0.0
    form = Form(like.rate, like.channels, like.subtype, like.mask, like.tags)
    check_writable(target, form.rate, form.channels, form.subtype)
    with ExitStack() as stack:
        if request.peaks != "limit" and subtype_for(target, form.subtype) in BITS:
            path = folder / "peaks.w64"
            with SoundWriter(path, Form(form.rate, form.channels)) as out:
                _, peak = _add_all(out, blocks)
            blocks = _copied(_reopened(path, like, stack))
        with SoundWriter(target, form, request.peaks, peak) as out:
            frames, _ = _add_all(out, blocks)
    outcome.seconds, outcome.channels, outcome.rate = frames / form.rate, form.channels, form.rate
    outcome.warnings += [out.report] if out.report else []
