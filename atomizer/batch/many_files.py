"""Many files: which ones, what they become, and a report."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AtomizerError
from ..io.audio import format_of
from ..io.formats import INPUT_ENDINGS
from .one_file import fill_file
from .request import Outcome, Request, Watch

FALLBACK_ENDING = ".flac"  # of outputs whose input has a format that is not written


@dataclass(frozen=True)
class FileJob:
    """A file to read, and the file to write."""

    source: Path
    target: Path


def list_jobs(inputs: Iterable[str], folder: Path, ending: str | None = None) -> list[FileJob]:
    """Jobs of files, folders and patterns such as "music/*.mp3".

    inputs  paths or patterns; of folders, all sound files in them and in folders inside, whose
            tree is kept
    folder  of the outputs
    ending  of the outputs; by default that of the input, or .flac where that is not written

    Where a file with that ending has the same name, an output has both: take.ac3.flac.
    Raises AtomizerError if there is no such file, or two outputs would still have the same name.
    """
    jobs: dict[Path, FileJob] = {}
    inside = folder.resolve()
    for text in inputs:
        root, paths = _expand(text)
        found = [path for path in paths if inside not in path.resolve().parents]
        if not found:
            raise AtomizerError(f"There is no sound file {text[:80]!r}: give a file or a folder.")
        endings = {path: ending or _ending(path) for path in found}
        for path in sorted(found, key=lambda path: path.suffix != endings[path]):
            relative, suffix = path.relative_to(root), endings[path]
            target = folder / relative.with_suffix(suffix)
            if target in jobs and path.suffix != suffix:  # take.ac3 beside take.flac
                target = folder / relative.with_name(path.name + suffix)
            if target in jobs and jobs[target].source != path:
                raise AtomizerError(
                    f"Both {str(jobs[target].source)[:80]!r} and {str(path)[:80]!r} would become"
                    f" {target.name[:80]!r}: fill them into different folders."
                )
            jobs[target] = FileJob(path, target)
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
    jobs: list[FileJob],
    request: Request,
    overwrite: bool = False,
    on_share: Callable[[FileJob, float], object] | None = None,
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
            _fill_into_report(job, request, report, on_share)
        if on_share is not None:
            on_share(job, 1.0)
    return report


def _fill_into_report(
    job: FileJob,
    request: Request,
    report: Report,
    on_share: Callable[[FileJob, float], object] | None,
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
