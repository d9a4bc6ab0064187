"""Files: sounds of any length, one or many, are read, filled in and written.

A file of up to `WHOLE_SECONDS` is filled as a whole; longer ones part by part, in memory that does
not grow with their length. A file appears under its name when it is complete.
"""

from __future__ import annotations

import glob
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .analysis.defects import Defect
from .atoms.selection import Selection
from .errors import AtomizerError
from .inpainting.erase import erase_atoms
from .inpainting.highs import describe_cutoff, resolve_for
from .inpainting.parts import (
    WHOLE_SECONDS,
    Stream,
    can_go_by_parts,
    fill_by_parts,
    repair_by_parts,
    resolve_cutoff_by_parts,
)
from .inpainting.recipe import Recipe
from .inpainting.repair import Repaired, describe_defects, repair
from .inpainting.settings import resolve
from .io.audio import (
    Sound,
    check_output,
    check_writable,
    format_of,
    max_duration,
    open_long,
    read,
    write,
)
from .io.formats import INPUT_ENDINGS, subtype_for
from .io.peaks import BITS
from .io.reader import SoundReader
from .io.tags import Tags, read_tags
from .io.writer import Form, SoundWriter

if TYPE_CHECKING:
    from .analysis import MatchingPursuitAtomizer
    from .analysis.cutoff import Cutoff
    from .inpainting.step import Step
    from .model.inference import AtomModel
    from .priors.recording_context import CopySource

FALLBACK_ENDING = ".flac"  # of outputs whose input has a format that is not written


@dataclass(frozen=True)
class Request:
    """What happens to a file.

    recipes         fills, one after the other
    defects         names in `analysis.defects.DETECTORS`: found and filled in first
    start, seconds  the excerpt; to the end by default
    peaks           as in `io.audio.write`
    load            returns the model; called only if a recipe needs it
    pursuit         whose atoms the first recipe erases before its fill
    """

    recipes: tuple[Recipe, ...]
    defects: tuple[str, ...] = ()
    start: float = 0.0
    seconds: float | None = None
    peaks: str = "limit"
    load: Callable[[], AtomModel] | None = None
    pursuit: MatchingPursuitAtomizer | None = None

    @property
    def seed(self) -> int:
        """Seed of the repairs."""
        return self.recipes[0].settings.seed if self.recipes else 0

    @property
    def erases(self) -> bool:
        """Whether defects become silence."""
        return bool(self.recipes) and self.recipes[0].settings.method == "erased"


@dataclass
class Outcome:
    """What became of a file.

    target    the file that was written
    seconds, channels, rate  of it
    defects   that were found; None if none were looked for
    cutoff    of the recording, if the fill used it
    sources   spans of the recording that were copied
    notes     sentences on what was done
    warnings  sentences on damage of the input and peaks of the output
    """

    target: Path
    seconds: float = 0.0
    channels: int = 0
    rate: int = 0
    defects: list[Defect] | None = None
    cutoff: Cutoff | None = None
    sources: list[CopySource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready data."""
        facts: dict[str, Any] = {
            "file": str(self.target),
            "duration_s": round(self.seconds, 6),
            "channels": self.channels,
            "rate": self.rate,
            "cutoff_hz": None if self.cutoff is None else self.cutoff.rounded,
            "sources": [source._asdict() for source in self.sources],
            "notes": self.notes,
        }
        if self.defects is not None:
            facts["defects"] = [defect.to_dict() for defect in self.defects]
        return facts

    def add_defects(self, request: Request, found: list[Defect]) -> None:
        """Add defects, and a sentence with their numbers."""
        if not request.defects:
            return
        self.defects = found
        self.notes.append(describe_defects(request.defects, found))


@dataclass
class Watch:
    """Callbacks of a file: every step of a whole fill, or the share of a long one that is done."""

    on_step: Callable[[Step], object] | None = None
    on_share: Callable[[float], object] | None = None


# one file


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
    if seconds <= WHOLE_SECONDS or not _goes_by_parts(request):
        sound = read(source, start=request.start, seconds=request.seconds)
        return _fill_whole(sound, target, request, watch)
    return _fill_long(source, target, request, watch)


def _goes_by_parts(request: Request) -> bool:
    return request.pursuit is None and all(can_go_by_parts(recipe) for recipe in request.recipes)


def _fill_whole(sound: Sound, target: Path, request: Request, watch: Watch) -> Outcome:
    outcome = Outcome(target, warnings=[sound.note] if sound.note else [])
    repaired = Repaired(sound, [], Selection())
    if request.defects:
        repaired = repair(sound, request.defects, request.seed, request.erases)
    outcome.add_defects(request, repaired.defects)
    sound, recipes = repaired.sound, _with_holes(request, repaired.selection)
    if request.pursuit is not None:
        outcome.cutoff = _resolve_cutoff(recipes, sound, outcome)
    _check_whole(target, sound, recipes, request)
    if request.pursuit is not None:
        sound, recipes = _erase(sound, recipes[0], request, outcome)
    model = _model(recipes, request)

    def on_step(step: Step) -> None:
        if step.number == step.total:
            outcome.sources += step.sources
        if watch.on_step is not None:
            watch.on_step(step)

    for recipe in recipes:
        task = recipe.prepare(sound)
        sound = recipe.run(sound, task, model, on_step)
        outcome.cutoff = outcome.cutoff or task.cutoff
        outcome.notes += task.notes
    report = write(target, sound, request.peaks)
    outcome.warnings += [report] if report else []
    outcome.seconds, outcome.channels, outcome.rate = sound.seconds, sound.channels, sound.rate
    return outcome


def _check_whole(target: Path, sound: Sound, recipes: list[Recipe], request: Request) -> None:
    """Raise AtomizerError for errors of the recipes or the format, before a model is loaded."""
    rate, channels = sound.rate, sound.channels
    if recipes:
        task = recipes[0].task(sound)
        resolve(recipes[0].settings, task)
        rate = task.output_rate
        channels += sum(max(0, recipe.add_channels) for recipe in recipes)
    if request.pursuit is not None and request.erases:
        rate = sound.rate
    check_writable(target, rate, channels, sound.subtype)


def _resolve_cutoff(recipes: list[Recipe], sound: Sound, outcome: Outcome) -> Cutoff | None:
    """Replace `above:auto` in the first recipe, whose atoms are those of a pursuit."""
    selection, cutoff = resolve_for(recipes[0].selection, sound)
    recipes[0] = replace(recipes[0], selection=selection)
    if cutoff is not None:
        outcome.notes.append(describe_cutoff(cutoff))
    return cutoff


def _erase(
    sound: Sound, recipe: Recipe, request: Request, outcome: Outcome
) -> tuple[Sound, list[Recipe]]:
    """The sound without the selected pursuit atoms, and the recipes that are left."""
    assert request.pursuit is not None
    recipe.check_pursuit()
    residual = erase_atoms(sound, recipe.selection, request.pursuit, request.seed)
    outcome.notes.append(f"{residual} remain.")
    if recipe.settings.method != "erased":
        outcome.notes.append(
            "The region is filled in by the MDCT model, on top of the sound of the atoms that"
            " remain."
        )
    return residual.sound, recipe.after_erasing()


def _with_holes(request: Request, holes: Selection) -> list[Recipe]:
    """The recipes of a request, the first with long dropouts; without one that does nothing."""
    recipes = list(request.recipes)
    if request.defects and recipes:
        first = replace(recipes[0], selection=recipes[0].selection + holes)
        chosen = first.selection
        if chosen.regions or chosen.parts or chosen.above_cutoff or first.extend:
            recipes[0] = first
        elif not first.add_channels:
            recipes = recipes[1:]
    return recipes


def _model(recipes: Iterable[Recipe], request: Request) -> AtomModel | None:
    needs = any(recipe.settings.method == "model" for recipe in recipes)
    return request.load() if needs and request.load is not None else None


# long files


def _fill_long(source: Path, target: Path, request: Request, watch: Watch) -> Outcome:
    """Fill part by part; results between several passes are temporary files of float samples."""
    outcome = Outcome(target)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = stack.enter_context(open_long(source))
        note = file.note(file.frames) if request.seconds is None else None
        outcome.warnings += [note] if note else []
        stream, holes = _stream(file, read_tags(source), request), Selection()
        if request.defects:
            path = folder / "repaired.w64"
            holes = _repair_long(stream, path, request, outcome)
            stream = _reopened(path, stream.form, stack)
        recipes = _with_holes(request, holes)
        model = _model(recipes, request)
        for number, recipe in enumerate(recipes):
            recipe, cutoff = resolve_cutoff_by_parts(stream, recipe)
            if cutoff is not None:
                outcome.cutoff = outcome.cutoff or cutoff
                outcome.notes.append(describe_cutoff(cutoff))
            if number < len(recipes) - 1:
                path = folder / f"{number}.w64"
                form = _write_blocks(fill_by_parts(stream, recipe, model), path, stream.form)
                stream = _reopened(path, form, stack)
        blocks = _copied(stream)
        if recipes:
            blocks = fill_by_parts(stream, recipe, model, watch.on_share)
        _write_long(blocks, outcome, request, folder)
    return outcome


def _repair_long(stream: Stream, path: Path, request: Request, outcome: Outcome) -> Selection:
    """Write the repaired sound into a file; returns the long dropouts."""
    defects: list[Defect] = []
    holes = Selection()
    with SoundWriter(path, Form(stream.form.rate, stream.form.channels)) as out:
        for part in repair_by_parts(stream, request.defects, request.seed, request.erases):
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
    first = next(blocks)
    with SoundWriter(path, Form(first.rate, first.channels)) as out:
        out.add(first.samples)
        for block in blocks:
            out.add(block.samples)
    return replace(first, samples=first.samples[:, :0], subtype=form.subtype, tags=form.tags)


def _write_long(blocks: Iterator[Sound], outcome: Outcome, request: Request, folder: Path) -> None:
    """Write blocks to the target of an outcome, and what they are into it.

    What scales the whole sound, or chooses float samples, needs its peak: the blocks then go to a
    temporary file first.
    """
    first, target, peak = next(blocks), outcome.target, 0.0
    form = Form(first.rate, first.channels, first.subtype, first.mask, first.tags)
    check_writable(target, form.rate, form.channels, form.subtype)
    blocks = chain([first], blocks)
    with ExitStack() as stack:
        if request.peaks != "limit" and subtype_for(target, form.subtype) in BITS:
            path = folder / "peaks.w64"
            with SoundWriter(path, Form(form.rate, form.channels)) as out:
                for block in blocks:
                    out.add(block.samples)
                    peak = max(peak, float(np.abs(block.samples).max(initial=0)))
            blocks = _copied(_reopened(path, first.with_samples(first.samples[:, :0]), stack))
        frames = 0
        with SoundWriter(target, form, request.peaks, peak) as out:
            for block in blocks:
                out.add(block.samples)
                frames += block.samples.shape[1]
    outcome.seconds, outcome.channels, outcome.rate = frames / form.rate, form.channels, form.rate
    outcome.warnings += [out.report] if out.report else []


# many files


@dataclass(frozen=True)
class Job:
    """A file to read, and the file to write."""

    source: Path
    target: Path


def list_jobs(inputs: Iterable[str], folder: Path, ending: str | None = None) -> list[Job]:
    """Jobs of files, folders and patterns such as "music/*.mp3".

    inputs  paths or patterns; of folders, all sound files in them and in folders inside, whose
            tree is kept
    folder  of the outputs
    ending  of the outputs; by default that of the input, or .flac where that is not written

    Raises AtomizerError if there is no such file, or two outputs would have the same name.
    """
    jobs: dict[Path, Job] = {}
    inside = folder.resolve()
    for text in inputs:
        root, paths = _expand(text)
        found = [path for path in paths if inside not in path.resolve().parents]
        if not found:
            raise AtomizerError(f"There is no sound file {text[:80]!r}: give a file or a folder.")
        for path in found:
            relative = path.relative_to(root)
            target = folder / relative.with_suffix(ending or _ending(path))
            if target in jobs and jobs[target].source != path:
                raise AtomizerError(
                    f"Both {str(jobs[target].source)[:80]!r} and {str(path)[:80]!r} would become"
                    f" {target.name[:80]!r}: fill them into different folders."
                )
            jobs[target] = Job(path, target)
    return list(jobs.values())


def _expand(text: str) -> tuple[Path, list[Path]]:
    """The folder that outputs are relative to, and the files of a path or pattern."""
    path = Path(text)
    if path.is_dir():
        return path, [p for p in sorted(path.rglob("*")) if _is_sound(p)]
    if path.exists() or not glob.has_magic(text):
        return path.parent, [path] if path.is_file() else []
    fixed = []
    for part in path.parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    matches = sorted(Path(match) for match in glob.glob(text, recursive=True))
    return Path(*fixed), [match for match in matches if match.is_file()]


def _is_sound(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.is_file() and not hidden and path.suffix.lower() in INPUT_ENDINGS


def _ending(path: Path) -> str:
    """Ending of the output of a file."""
    try:
        format_of(path)
    except AtomizerError:
        return FALLBACK_ENDING
    return path.suffix


@dataclass
class Report:
    """What became of many files: outcomes, skipped targets, and reasons of failures by source."""

    done: list[Outcome] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return {
            "done": [outcome.to_dict() for outcome in self.done],
            "skipped": [str(path) for path in self.skipped],
            "failed": {str(path): reason for path, reason in self.failed.items()},
        }

    def __str__(self) -> str:
        """A line for each failure and one with the counts."""
        lines = [f"{path}: {reason}" for path, reason in self.failed.items()]
        counts = [f"{len(self.done)} done"]
        if self.skipped:
            counts.append(f"{len(self.skipped)} skipped because their outputs exist")
        counts.append(f"{len(self.failed)} failed")
        return "\n".join([*lines, ", ".join(counts)])


def fill_files(
    jobs: list[Job],
    request: Request,
    overwrite: bool = False,
    on_share: Callable[[Job, float], object] | None = None,
) -> Report:
    """Fill in many files; one that fails does not stop the others.

    jobs       of `list_jobs`; folders of the outputs are made
    overwrite  whether files are filled in whose output exists
    on_share   called with the job and the share of it that is done, 1 at its end
    """
    report = Report()
    for job in jobs:
        if job.target.exists() and not overwrite:
            report.skipped.append(job.target)
        else:
            _run(job, request, report, on_share)
        if on_share is not None:
            on_share(job, 1.0)
    return report


def _run(
    job: Job,
    request: Request,
    report: Report,
    on_share: Callable[[Job, float], object] | None,
) -> None:
    """Fill in one file, and put its outcome into the report."""
    watch = Watch()
    if on_share is not None:
        watch = Watch(
            on_step=lambda step: on_share(job, step.number / (step.total + 1)),
            on_share=lambda share: on_share(job, 0.99 * share),
        )
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        report.done.append(fill_file(job.source, job.target, request, watch))
    except AtomizerError as error:
        report.failed[job.source] = str(error)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        report.failed[job.source] = f"{reason}."
    except MemoryError:
        report.failed[job.source] = "There is not enough memory: take a shorter sound."
