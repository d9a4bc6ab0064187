"""The command that fills in what is unknown."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ..analysis.defects import DETECTORS
from ..atoms.space import FEATURES, LOUDNESS
from ..atoms.specifications import HELP as SELECTIONS
from ..errors import AtomizerError
from .arguments import pursuit_of, selection_of
from .files import name_sound, read_sound, read_text
from .options import (
    Amplitudes,
    Atomizer,
    AtomizerName,
    Checkpoint,
    MethodName,
    Nucleus,
    Order,
    Peaks,
    PeaksName,
    Reverse,
    Seed,
    Srr,
    Steps,
    Temperature,
    UsingName,
)
from .progress import files_progress, steps_progress

if TYPE_CHECKING:
    from ..analysis import MatchingPursuitAtomizer
    from ..batch import FileJob, Request
    from ..inpainting.recipe import Recipe


def _timbre(code: str) -> str:
    """Value of the option --timbre; with "list" the codes are printed, and nothing is filled."""
    if code == "list":
        from ..inpainting.highs.timbre import list_timbres

        typer.echo("\n".join(list_timbres()))
        raise typer.Exit()
    return code


def fill(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="IN OUT | IN... --out DIR",
            help="a sound file and the file to write; or files, folders and patterns (quoted),"
            " whose results go to DIR",
        ),
    ],
    select: Annotated[
        Optional[list[str]],
        typer.Option(
            help=f"what is unknown; several add up: {SELECTIONS} {' '.join(DETECTORS)} (channels"
            " count from 0; percent of the audible atoms; keep: all but this many per second, the"
            f" loudest; {', '.join(DETECTORS)}: found in the sound)"
        ),
    ] = None,
    regions: Annotated[
        Optional[Path], typer.Option(help="a selection as JSON, as the page saves it")
    ] = None,
    features: Annotated[
        Optional[str],
        typer.Option(
            help=f"unknown features of the atoms, of {','.join(FEATURES)}; default:"
            f" {','.join(LOUDNESS)}, or those of --regions"
        ),
    ] = None,
    order: Order = None,
    reverse: Reverse = False,
    steps: Steps = None,
    temperature: Temperature = None,
    nucleus: Nucleus = None,
    amplitudes: Amplitudes = None,
    seed: Seed = 0,
    method: Annotated[
        MethodName,
        typer.Option(
            help="what fills in: the model, noise with an interpolated spectral envelope, silence"
            " (erased), or atoms of another time (paste, with --shift)"
        ),
    ] = MethodName("model"),
    erase_only: Annotated[
        bool,
        typer.Option("--erase-only", help="write the masked sound: the same as --method erased"),
    ] = False,
    extend: Annotated[float, typer.Option(help="seconds by which the sound is continued")] = 0.0,
    add_channels: Annotated[int, typer.Option(help="channels to add; 1: mono to stereo")] = 0,
    start: Annotated[float, typer.Option(help="start of an excerpt, in seconds")] = 0.0,
    seconds: Annotated[
        Optional[float], typer.Option(help="duration of the excerpt; default: to the end")
    ] = None,
    settings_file: Annotated[
        Optional[Path],
        typer.Option(
            "--settings",
            help="a settings file of the page: its fills are repeated, and all other options are"
            " ignored but --start, --seconds, --checkpoint and --peaks",
        ),
    ] = None,
    atomizer: Atomizer = AtomizerName("mdct"),
    srr: Srr = None,
    checkpoint: Checkpoint = None,
    peaks: Peaks = PeaksName("limit"),
    using: Annotated[
        UsingName,
        typer.Option(
            help="what the rest of the recording gives to holes, boxes and continuations: copies"
            " (recording), continued tones (partials), both (auto) or nothing (texture)"
        ),
    ] = UsingName("auto"),
    copy_from: Annotated[
        str,
        typer.Option(
            "--source",
            metavar="START-END",
            help="the span of IN, in seconds, that holes, boxes and continuations are copied from;"
            " several separated by commas; default: the best match, where it matches well",
        ),
    ] = "",
    not_from: Annotated[
        str, typer.Option(metavar="START-END", help="a span of IN that is not copied")
    ] = "",
    shift: Annotated[
        float,
        typer.Option(help="with --method paste: seconds from the selection to the pasted atoms"),
    ] = 0.0,
    like: Annotated[
        Optional[Path],
        typer.Option(
            metavar="REFERENCE",
            help="a reference recording, which gives filled highs their levels: those of its own"
            " highs, in every band, relative to the bands below the cutoff",
        ),
    ] = None,
    timbre: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            help="how filled highs differ from the ones that the rest of IN predicts: 1, the"
            " darkest, to 16, the brightest; list shows all; default: 0, the most likely one for"
            " seed 0, and one drawn by any other seed",
            callback=_timbre,
            is_eager=True,
        ),
    ] = "0",
    as_json: Annotated[bool, typer.Option("--json", help="print the answer as JSON")] = False,
    folder: Annotated[
        Optional[Path],
        typer.Option("--out", help="folder for the results of many files; folders keep their tree"),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="with --out: also files whose result exists already"),
    ] = False,
    ending: Annotated[
        Optional[str],
        typer.Option(
            "--format",
            help="with --out: format of the results, such as flac; default: that of the input, or"
            " flac",
        ),
    ] = None,
) -> None:
    """Make atoms of IN unknown, fill them in, and write OUT with the rate and channels of IN.

    Selected matching-pursuit atoms are erased first; the model then fills in the region with MDCT
    atoms, on top of the sound of the other atoms.
    """
    from functools import cache

    from .. import load_model
    from ..batch import Request
    from ..inpainting.highs.like import levels_of
    from ..inpainting.highs.timbre import parse_code
    from ..inpainting.recipe import Recipe
    from ..inpainting.repair import split_defects
    from ..inpainting.settings import Settings

    pursuit = pursuit_of(atomizer, srr)
    defects, rest = split_defects(select or [])
    if settings_file:
        recipes = _saved_recipes(settings_file, pursuit)
    else:
        _check_ordering(order, reverse)
        settings = Settings(
            method="erased" if erase_only else method,
            order=order,
            reverse=reverse,
            steps=steps,
            temperature=temperature,
            nucleus=nucleus,
            amplitudes=amplitudes,
            seed=seed,
            using=using,
            source=copy_from,
            not_from=not_from,
            shift=shift,
            like="" if like is None else levels_of(read_sound(like), like.name),
            timbre=parse_code(timbre),
        )
        recipes = [Recipe(selection_of(rest, regions, features), settings, extend, add_channels)]
    request = Request(
        tuple(recipes),
        tuple(defects),
        start=start,
        seconds=seconds,
        peaks=peaks,
        load=cache(partial(load_model, checkpoint)),
        pursuit=pursuit,
    )
    if folder is None:
        _fill_one(files, request, as_json)
    else:
        _fill_many(_jobs(files, folder, ending), request, overwrite, as_json)


def _saved_recipes(path: Path, pursuit: MatchingPursuitAtomizer | None) -> list[Recipe]:
    """The recipes of a settings file."""
    from ..inpainting.recipe import parse_recipes

    if pursuit is not None:
        raise AtomizerError(
            "A settings file names its atomizer itself: leave out the option --atomizer."
        )
    return parse_recipes(read_text(path))


def _check_ordering(order: str | None, reverse: bool) -> None:
    """Raise AtomizerError where a default ordering would be reversed."""
    if reverse and order is None:
        raise AtomizerError(
            "A default ordering cannot be reversed: choose one with --order, or leave out"
            " --reverse."
        )


def _fill_one(files: list[str], request: Request, as_json: bool) -> None:
    """Fill in one file, and print what was done."""
    from ..batch import Watch, fill_file

    if len(files) != 2:
        raise AtomizerError(
            "A fill has one IN and one OUT: give both, or a folder for the results of many"
            " files with --out."
        )
    source, out = (Path(name) for name in files)
    notes: list[str] = []
    tell = notes.append if as_json else typer.echo
    with steps_progress(tell) as (on_step, on_share):
        outcome = fill_file(source, out, request, Watch(on_step, on_share))
    for warning in outcome.warnings:
        typer.echo(warning, err=True)
    if as_json:
        outcome.notes += notes
        typer.echo(json.dumps(outcome.to_dict(), indent=1))
        return
    for note in outcome.notes:
        typer.echo(note)
    name_sound(out, outcome.seconds, outcome.channels)


def _jobs(files: list[str], folder: Path, ending: str | None) -> list[FileJob]:
    """The files to read and to write; `ending` with or without its dot."""
    from ..batch import list_jobs

    return list_jobs(files, folder, None if ending is None else f".{ending.removeprefix('.')}")


def _fill_many(jobs: list[FileJob], request: Request, overwrite: bool, as_json: bool) -> None:
    """Fill in files, and print a report; the exit code is 1 if one of them failed."""
    from ..batch import fill_files

    with files_progress(len(jobs)) as on_share:
        report = fill_files(jobs, request, overwrite, on_share)
    for outcome in report.done:
        for warning in outcome.warnings:
            typer.echo(f"{outcome.target}: {warning}", err=True)
    typer.echo(json.dumps(report.to_dict(), indent=1) if as_json else str(report))
    if report.failed:
        sys.exit(1)
