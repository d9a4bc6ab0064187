"""Command line: one function per command.

Heavy imports happen inside the commands, so that --help answers at once. The parameters of a
command are its options, whatever their number: hence the exception in pyproject.toml.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from .analysis import ATOMIZERS
from .analysis.defects import DETECTORS
from .atoms.orderings import ORDERINGS
from .atoms.selection import HELP as SELECTIONS
from .atoms.space import FEATURES, LOUDNESS
from .codec.names import ENDING, FILLS, MODEL_FILL, ORDERS
from .errors import AtomizerError
from .inpainting.settings import AMPLITUDES, METHODS, USING
from .io.peaks import PEAKS

if TYPE_CHECKING:
    from .analysis import MatchingPursuitAtomizer, MDCTAtomizer
    from .atoms.selection import Selection
    from .batch import Job, Request
    from .codec.decoder import Received
    from .inpainting.step import Step
    from .io.audio import Sound
    from .priors.recording_context import CopySource

MAX_SOURCES_SHOWN = 3  # of the spans that a fill copied, the most important ones

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Audio as atoms, in any order, and a Transformer that fills in unknown ones.",
)


def _names(registry: Iterable[str]) -> Any:
    """The names of a registry, as a type whose values typer accepts and lists."""
    return StrEnum("Name", {name: name for name in registry})


if TYPE_CHECKING:
    OrderName = str
    AtomizerName = str
    MethodName = str
    AmplitudesName = str
    PeaksName = str
    UsingName = str
    FileOrderName = str
    FileFillName = str
else:
    OrderName = _names(ORDERINGS)
    AtomizerName = _names(ATOMIZERS)
    MethodName = _names(METHODS)
    AmplitudesName = _names(AMPLITUDES)
    PeaksName = _names(PEAKS)
    UsingName = _names(USING)
    FileOrderName = _names(ORDERS)
    FileFillName = _names((*FILLS, MODEL_FILL))

_BY_TASK = "default: depends on the task"
In = Annotated[Path, typer.Argument(metavar="IN", help="a sound file")]
Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="the file to write: .wav, .flac, .ogg or .mp3")
]
Reverse = Annotated[bool, typer.Option("--reverse", help="from the end of the ordering")]
Seed = Annotated[int, typer.Option(help="the same seed gives the same sound")]
Atomizer = Annotated[AtomizerName, typer.Option(help="how the sound becomes atoms")]
Srr = Annotated[
    Optional[float],
    typer.Option(
        help="signal-to-residual ratio in dB at which a matching pursuit ends; default: 30, or none"
        " if --first is given"
    ),
]
Checkpoint = Annotated[
    Optional[Path], typer.Option(help="folder of a model; default: the shipped one")
]
Order = Annotated[Optional[OrderName], typer.Option(help=f"order of the fill; {_BY_TASK}")]
Steps = Annotated[Optional[int], typer.Option(help=f"number of sampling steps; {_BY_TASK}")]
Temperature = Annotated[
    Optional[float], typer.Option(help=f"1 samples as predicted, lower is safer; {_BY_TASK}")
]
Nucleus = Annotated[
    Optional[float],
    typer.Option(
        help="sample levels from the most likely values that hold this probability; amplitudes are"
        f" then sampled unless --amplitudes is given; {_BY_TASK}"
    ),
]
Amplitudes = Annotated[Optional[AmplitudesName], typer.Option(help=_BY_TASK)]
Peaks = Annotated[
    PeaksName,
    typer.Option(
        help="peaks above full scale, where OUT has integer samples: limit attenuates around them,"
        " scale the whole sound; float writes float samples (WAV)"
    ),
]


@app.command()
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
        typer.Option(help="model, noise with an interpolated spectral envelope, or erased"),
    ] = MethodName("model"),
    erase_only: Annotated[
        bool,
        typer.Option("--erase-only", help="write the masked sound: the same as --method erased"),
    ] = False,
    extend: Annotated[float, typer.Option(help="seconds by which the sound is continued")] = 0.0,
    add_channels: Annotated[int, typer.Option(help="number of channels to add (upmix)")] = 0,
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

    from . import load_model
    from .batch import Request, fill_files, list_jobs
    from .inpainting.recipe import Recipe, parse_recipes
    from .inpainting.repair import split_defects
    from .inpainting.settings import Settings

    pursuit = _pursuit(atomizer, srr)
    defects, rest = split_defects(select or [])
    if settings_file:
        if pursuit is not None:
            raise AtomizerError(
                "A settings file names its atomizer itself: leave out the option --atomizer."
            )
        recipes = parse_recipes(_read_text(settings_file))
    else:
        if reverse and order is None:
            raise AtomizerError(
                "A default ordering cannot be reversed: choose one with --order, or leave out"
                " --reverse."
            )
        settings = Settings(
            "erased" if erase_only else method,
            order,
            reverse,
            steps,
            temperature,
            nucleus,
            amplitudes,
            seed,
            using,
            copy_from,
            not_from,
        )
        recipes = [Recipe(_selection(rest, regions, features), settings, extend, add_channels)]
    load = cache(partial(load_model, checkpoint))
    request = Request(tuple(recipes), tuple(defects), start, seconds, peaks, load, pursuit)
    if folder is None:
        if len(files) != 2:
            raise AtomizerError(
                "A fill has one IN and one OUT: give both, or a folder for the results of many"
                " files with --out."
            )
        _fill_one(Path(files[0]), Path(files[1]), request, as_json)
        return
    jobs = list_jobs(files, folder, None if ending is None else f".{ending.removeprefix('.')}")
    with _files_progress(len(jobs)) as on_share:
        report = fill_files(jobs, request, overwrite, on_share)
    for outcome in report.done:
        for warning in outcome.warnings:
            typer.echo(f"{outcome.target}: {warning}", err=True)
    typer.echo(json.dumps(report.to_dict(), indent=1) if as_json else str(report))
    if report.failed:
        sys.exit(1)


def _fill_one(source: Path, out: Path, request: Request, as_json: bool) -> None:
    """Fill in one file, and print what was done."""
    from .batch import Watch, fill_file

    notes: list[str] = []
    tell = notes.append if as_json else typer.echo
    with _progress(tell) as (on_step, on_share):
        outcome = fill_file(source, out, request, Watch(on_step, on_share))
    for warning in outcome.warnings:
        typer.echo(warning, err=True)
    if as_json:
        outcome.notes += notes
        typer.echo(json.dumps(outcome.to_dict(), indent=1))
        return
    for note in outcome.notes:
        typer.echo(note)
    _name_sound(out, outcome.seconds, outcome.channels)


def _name_sound(out: Path, seconds: float, channels: int) -> None:
    """Print the length and channels of a sound that was written."""
    typer.echo(f"{out.name}: {seconds:.2f} s, {channels} channel{'s' * (channels > 1)}")


@app.command()
def order(
    source: In,
    out: Out,
    by: Annotated[OrderName, typer.Option(help="the ordering")] = OrderName("velocity"),
    first: Annotated[
        Optional[int], typer.Option(help="number of atoms from the start; default: all")
    ] = None,
    reverse: Reverse = False,
    seed: Seed = 0,
    atomizer: Atomizer = AtomizerName("mdct"),
    srr: Srr = None,
    peaks: Peaks = PeaksName("limit"),
) -> None:
    """Write the sound of the first atoms of an ordering of IN."""
    from .atoms.orderings import order as permutation_of
    from .io.audio import check_output, check_writable, resample_to_length

    check_output(out)
    _check_first(first)
    sound = _read(source)
    check_writable(out, sound.rate, sound.channels, sound.subtype)
    analysis = _atomizer(atomizer, srr)
    rate = analysis.space.rate
    atoms = analysis.analyse(sound.at(rate))
    chosen = atoms[permutation_of(atoms, by, reverse, seed)[:first]]
    samples = analysis.synthesise(chosen, sound.channels)
    samples = resample_to_length(samples, rate, sound.rate, sound.samples.shape[1])
    _write(out, sound.with_samples(samples), peaks)
    typer.echo(f"{len(chosen):,} of {len(atoms):,} atoms")


@app.command()
def encode(
    source: In,
    out: Annotated[Path, typer.Argument(metavar="OUT", help=f"the file to write: {ENDING}")],
    kbps: Annotated[Optional[float], typer.Option(help="largest bit rate, in kbit/s")] = None,
    size: Annotated[Optional[int], typer.Option("--bytes", help="largest number of bytes")] = None,
    first: Annotated[Optional[int], typer.Option(help="largest number of atoms")] = None,
    order: Annotated[
        FileOrderName,
        typer.Option(help="the loudest atoms first, or those that are masked least"),
    ] = FileOrderName("audibility"),
) -> None:
    """Encode IN as a file of atoms, the most important ones first.

    Its first bytes, as many as you like, are a coarser sound. Without a limit the file holds all
    levels down to 100 dB below the loudest atom.
    """
    from .codec import encode as encoded
    from .io.atomic_write import atomic_write
    from .io.formats import check_folder

    if out.suffix.lower() != ENDING:
        raise AtomizerError(f"Files of atoms end in {ENDING}: {out.name[:80]!r} does not.")
    check_folder(out)
    _check_first(first)
    sound = _read(source)
    with _share_progress("encoding") as on_share:
        data = encoded(sound, kbps=kbps, size=size, atoms=first, order=order, on_share=on_share)
    atomic_write(out, data, "The file of atoms")
    rate = 8e-3 * len(data) / sound.seconds
    typer.echo(f"{out.name}: {sound.seconds:.2f} s, {len(data):,} bytes, {rate:.1f} kbit/s")


@app.command()
def decode(
    source: Annotated[Path, typer.Argument(metavar="IN", help=f"a file of atoms, {ENDING}")],
    out: Out,
    size: Annotated[
        Optional[int], typer.Option("--bytes", help="use only the first bytes of the file")
    ] = None,
    fill: Annotated[
        Optional[FileFillName],
        typer.Option(
            help="what fills in the atoms that were not sent: noise, or the model, for files in the"
            " order of velocity"
        ),
    ] = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
    peaks: Peaks = PeaksName("limit"),
) -> None:
    """Decode a file of atoms, or its first bytes."""
    from .codec import receive, render
    from .io.audio import check_output

    check_output(out)
    if size is not None and size < 1:
        raise AtomizerError(f"The option --bytes cannot be {size}: 1 or more bytes are accepted.")
    with _share_progress("decoding") as on_share:
        received = receive(_read_bytes(source, size), on_share=on_share)
    if fill is None or (fill in FILLS and received.steps is not None):
        sound = render(received, fill, seed)
    else:
        sound = _fill_unsent(received, fill, seed, checkpoint)
    _write(out, sound, peaks)
    _name_sound(out, sound.seconds, sound.channels)


@app.command()
def info(
    source: In,
    first: Annotated[
        Optional[int],
        typer.Option(help="keep only this many atoms, the loudest; a matching pursuit ends there"),
    ] = None,
    atomizer: Atomizer = AtomizerName("mdct"),
    srr: Srr = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Print a summary of the atoms of IN."""
    from .analysis.summary import summarise, summarise_file

    _check_first(first)
    analysis = _atomizer(atomizer, srr, first)
    if atomizer == "mdct":
        facts, note = summarise_file(source, first)
    else:
        sound = _read(source)
        facts, note = summarise(sound, atomizer, analysis, first), None
    if note:
        typer.echo(note, err=True)
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    features = facts.pop("features")
    for name, value in facts.items():
        typer.echo(f"{name:12} {value}")
    for name, feature in features.items():
        typer.echo(f"{name:12} {feature['cardinality']} values, {feature['unit']}")


@app.command()
def train(
    audio: Annotated[
        list[Path],
        typer.Option(
            help="folder of recordings, with an optional manifest.csv, or a part of a training "
            "set (tools/pack_audio.py); may be repeated"
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="folder for the checkpoint, the log and the state to resume from")
    ],
    init: Annotated[Optional[Path], typer.Option(help="checkpoint to start from")] = None,
    config: Annotated[
        Optional[Path], typer.Option(help="JSON of ModelConfig fields that differ from the default")
    ] = None,
    minutes: Annotated[
        Optional[float],
        typer.Option(
            help="total training time, for which the schedule is made; default: 60, or the leg"
        ),
    ] = None,
    steps: Annotated[
        Optional[int], typer.Option(help="total number of steps, instead of minutes")
    ] = None,
    batch: Annotated[int, typer.Option(help="windows per step and process")] = 4,
    asked: Annotated[int, typer.Option(help="unknown atoms decoded per step")] = 16_000,
    lr: Annotated[float, typer.Option(help="peak learning rate")] = 1.5e-3,
    warmup: Annotated[int, typer.Option(help="steps of warm-up")] = 150,
    seed: Seed = 0,
    device: Annotated[
        Optional[str], typer.Option(help="cpu, cuda …; default: a GPU if there is one")
    ] = None,
    save_minutes: Annotated[float, typer.Option(help="minutes between two checkpoints")] = 3.0,
    evaluate_minutes: Annotated[
        float, typer.Option(help="minutes between two evaluations on held-out recordings")
    ] = 15.0,
    leg: Annotated[
        Optional[str],
        typer.Option(help="end by the clock after this time, such as 9m, with all that it takes"),
    ] = None,
    export: Annotated[
        Optional[Path], typer.Option(help="folder for the small files that outlast a leg")
    ] = None,
    resume: Annotated[
        Optional[Path], typer.Option(help="folder that a leg exported, whose schedule goes on")
    ] = None,
) -> None:
    """Train a model on all masking tasks; the same command again resumes the training."""
    start = time.perf_counter()
    from .model import ModelConfig
    from .training.loop import train as training

    model = ModelConfig()
    if config is not None:
        try:
            changes = json.loads(_read_text(config))
            model = ModelConfig.from_dict({**model.to_dict(), **changes})
        except (ValueError, TypeError) as error:
            raise AtomizerError(f"{config.name!r} is no model configuration: {error}.") from error
    options: dict[str, Any] = {"init": init and str(init), "model": model}
    if minutes is not None:
        options["minutes"] = minutes
    if leg is not None:
        from .training.leg import Leg, LegOptions, seconds_of

        limits = LegOptions(seconds_of(leg), start, minutes is None, export, resume)
        options["make"] = partial(Leg, limits)
    elif export or resume:
        raise AtomizerError("--export and --resume are options of a leg: give --leg, too.")
    table = training(
        audio,
        str(out),
        **options,
        steps=steps,
        batch=batch,
        asked=asked,
        lr=lr,
        warmup=warmup,
        seed=seed,
        device=device,
        save_minutes=save_minutes,
        evaluate_minutes=evaluate_minutes,
    )
    for task, row in table.items():
        typer.echo(f"{task:16} " + " ".join(f"{k} {v:.3f}" for k, v in row.items()))


@app.command()
def evaluate(
    audio: Annotated[
        Path, typer.Option(help="folder of recordings, with an optional manifest.csv")
    ],
    out: Annotated[
        Optional[Path],
        typer.Option(help="JSON file for the records; an existing one is continued"),
    ] = None,
    tasks: Annotated[
        Optional[str], typer.Option(help="comma-separated names; default: all")
    ] = None,
    methods: Annotated[
        Optional[str], typer.Option(help="comma-separated names; default: all that apply")
    ] = None,
    clips: Annotated[int, typer.Option(help="number of clips")] = 20,
    seconds: Annotated[
        float,
        typer.Option(help="of every clip, from its middle; tasks with long context: 25 to 40"),
    ] = 6.0,
    places: Annotated[
        Optional[int], typer.Option(help="most places per clip, in tasks with several")
    ] = None,
    by_category: Annotated[
        bool, typer.Option("--by-category", help="also print the tables of every category")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="also sources that the model was trained on")
    ] = False,
    figures: Annotated[Optional[Path], typer.Option(help="folder for figures per task")] = None,
    figures_per_task: Annotated[
        int, typer.Option(help="number of figures per task, of the first clips")
    ] = 1,
    listen: Annotated[
        Optional[Path],
        typer.Option("--write", help="folder for the sound of every method: TASK/CLIP/METHOD.wav"),
    ] = None,
    steps: Steps = None,
    order: Order = None,
    temperature: Temperature = None,
    nucleus: Nucleus = None,
    amplitudes: Amplitudes = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
) -> None:
    """Measure the model and its baselines on recordings of sources outside the training set."""
    from . import load_model
    from .evaluation.methods import METHODS
    from .evaluation.report import categories_of, table
    from .evaluation.run import Options, Outputs, checkpoint_hash, validate_names
    from .evaluation.run import evaluate as evaluation
    from .inpainting.settings import Settings
    from .model.checkpoint import SHIPPED

    chosen = validate_names("method", _split(methods), METHODS)
    settings = Settings("model", order, False, steps, temperature, nucleus, amplitudes, seed)
    needs_model = any(METHODS[name].needs_model for name in chosen)
    report = evaluation(
        audio,
        Options(_split(tasks), chosen, settings, clips, seconds, everything, places),
        Outputs(out, figures, listen, figures_per_task),
        load_model(checkpoint) if needs_model else None,
        checkpoint_hash(checkpoint or SHIPPED),
    )
    typer.echo(table(report))
    for category in categories_of(report) if by_category else ():
        typer.echo(f"\n### {category}\n\n{table(report, category)}")


@app.command("app")
def app_(
    port: Annotated[
        Optional[int], typer.Option(help="default: GRADIO_SERVER_PORT, or 7860")
    ] = None,
) -> None:
    """Start the page."""
    from .ui import build, launch

    launch(build(), **({} if port is None else {"server_port": port}))


@app.command()
def examples(
    out: Annotated[
        Optional[Path],
        typer.Option(help="folder for the results; default: assets/examples, which the page reads"),
    ] = None,
) -> None:
    """Compute the cached results of the page's examples; again after every new checkpoint."""
    from .ui.examples import SHIPPED, compute

    folder = out or SHIPPED
    paths = compute(folder, lambda example: typer.echo(f"{example.title} …"))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    typer.echo(f"{len(paths)} examples in {folder}, {megabytes:.1f} MB")


app.command("stories", hidden=True)(examples)  # former name of `examples`


@app.command()
def bench(
    page: Annotated[
        bool,
        typer.Option(
            "--page",
            help="only the page: first picture, redraw, selection feedback, in headless Chromium",
        ),
    ] = False,
    growth: Annotated[
        Optional[Path],
        typer.Option(help="only the growth of the cost of a fill: plot to write, .png or .svg"),
    ] = None,
    only: Annotated[
        Optional[str],
        typer.Option(
            help="comma-separated names of measurements; default: all but the page and the growth"
        ),
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="JSON file for the records")] = None,
) -> None:
    """Measure speed and memory, and those of comparable programs in the same run."""
    from .benchmarks import Record, measures, table
    from .benchmarks.machine import describe

    benchmarks: list[Callable[[], Iterator]]
    if page:
        from .benchmarks.page import measure

        benchmarks = [measure]
    elif growth:
        from .benchmarks.growth import growth as measure_growth

        benchmarks = [partial(measure_growth, growth)]
    else:
        benchmarks = measures(_split(only))
    typer.echo(describe() + "\n")
    records = []
    for found in (found for benchmark in benchmarks for found in benchmark()):
        if not isinstance(found, Record):
            typer.echo(found)
            continue
        typer.echo(f"{found.name} …", err=True)
        records.append(found)
        if out:  # after every record: a run takes long
            text = json.dumps([record.to_dict() for record in records], indent=1)
            out.write_text(text + "\n", encoding="utf-8")
    typer.echo(table(records))


def _pursuit(name: str, srr: float | None, first: int | None = None) -> Any:
    """The matching-pursuit atomizer of a name; None for "mdct"."""
    if name == "mdct":
        if srr is not None:
            raise AtomizerError(
                "Only a matching pursuit ends at a signal-to-residual ratio: choose an --atomizer,"
                " or leave out --srr."
            )
        return None
    from .analysis import Stop

    return ATOMIZERS[name](stop=Stop(first, 30.0 if srr is None and first is None else srr))


def _atomizer(
    name: str, srr: float | None, first: int | None = None
) -> MDCTAtomizer | MatchingPursuitAtomizer:
    """The atomizer of a name."""
    return _pursuit(name, srr, first) or ATOMIZERS["mdct"]()


def _selection(select: list[str], regions: Path | None, features: str | None) -> Selection:
    """The selection of the options --select, --regions and --features."""
    from .atoms.selection import Selection, parse
    from .atoms.space import parse_features

    selection = Selection.from_json(_read_text(regions)) if regions else Selection()
    selection = selection + parse(select)
    return selection if features is None else replace(selection, features=parse_features(features))


def _read(source: Path, start: float = 0.0, seconds: float | None = None) -> Sound:
    """Read a sound, and report on the error stream if not all of the file could be read."""
    from .io.audio import read

    sound = read(source, start=start, seconds=seconds)
    if sound.note:
        typer.echo(sound.note, err=True)
    return sound


def _write(out: Path, sound: Sound, peaks: str) -> None:
    """Write a sound, and report on the error stream if its peaks were attenuated."""
    from .io.audio import write

    report = write(out, sound, peaks)
    if report:
        typer.echo(report, err=True)


@contextmanager
def _progress(
    tell: Callable[[str], object],
) -> Iterator[tuple[Callable[[Step], None], Callable[[float], None]]]:
    """A progress bar on the terminal; yields the callbacks of `batch.Watch`.

    At the end `tell` is called with sentences about the spans of the recording that were copied.
    """
    from tqdm import tqdm

    sources: list[CopySource] = []
    with tqdm(desc="filling", unit="step", disable=None) as bar:

        def on_step(step: Step) -> None:
            if step.number == 1:
                bar.reset(step.total)
            bar.update()
            if step.number == step.total:
                sources.extend(step.sources)

        def on_share(share: float) -> None:
            bar.total, bar.unit = 100, "%"
            bar.update(round(100 * share) - bar.n)

        yield on_step, on_share
    for copy in sources[:MAX_SOURCES_SHOWN]:
        tell(
            f"{copy.target[0]:.2f}-{copy.target[1]:.2f} s: copied from {copy.source[0]:.2f} to"
            f" {copy.source[1]:.2f} s, confidence {copy.confidence:.2f}"
        )


@contextmanager
def _share_progress(what: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on the terminal; yields a callback with the share that is done."""
    from tqdm import tqdm

    with tqdm(desc=what, total=100, unit="%", disable=None) as bar:

        def on_share(share: float) -> None:
            bar.update(max(0, round(100 * share) - bar.n))

        yield on_share
        on_share(1.0)


@contextmanager
def _files_progress(count: int) -> Iterator[Callable[[Job, float], None]]:
    """One progress bar for many files; yields the callback of `batch.fill_files`."""
    from tqdm import tqdm

    done = 0.0
    form = "{desc}{percentage:3.0f}% |{bar}| {n:.1f}/{total} files [{elapsed}<{remaining}]"
    with tqdm(total=count, bar_format=form, disable=None) as bar:

        def on_share(job: Job, share: float) -> None:
            nonlocal done
            bar.set_description(f"{job.source.name[:24]} ", refresh=False)
            bar.update(max(0.0, done + share - bar.n))
            if share == 1.0:
                done += 1

        yield on_share


def _check_first(first: int | None) -> None:
    if first is not None and first < 0:
        raise AtomizerError(f"The option --first cannot be {first}: 0 or more atoms are accepted.")


def _split(names: str | None) -> list[str] | None:
    """Names of a comma-separated list; None if it is empty."""
    return [name.strip() for name in names.split(",")] if names else None


def _read_text(path: Path) -> str:
    """Text of a file; raises AtomizerError if it cannot be read or is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AtomizerError(
            f"{path.name!r} cannot be read as text: a JSON file is accepted."
        ) from error


def _fill_unsent(received: Received, method: str, seed: int, checkpoint: Path | None) -> Sound:
    """The sound of a file of atoms whose unsent atoms are filled in."""
    from .inpainting.settings import Settings
    from .inpainting.unsent import fill_unsent, unsent_task

    unsent_task(received)  # errors come before a model is loaded
    model = None
    if method == MODEL_FILL:
        from . import load_model

        model = load_model(checkpoint)
    with _progress(typer.echo) as (on_step, _):
        return fill_unsent(received, Settings(method, seed=seed), model, on_step)


def _read_bytes(path: Path, size: int | None) -> bytes:
    """The first bytes of a file, or all; raises AtomizerError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(-1 if size is None else size)
    except OSError as error:
        raise AtomizerError(
            f"{path.name[:80]!r} cannot be read: a file written by `atomizer encode` is accepted."
        ) from error


def run() -> None:
    """Run the command line; errors are one sentence, and the exit code is 0 only on success."""
    try:
        app()
    except AtomizerError as error:
        typer.echo(f"atomizer: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        name = error.filename or "a file"
        typer.echo(f"atomizer: {name!s:.200} cannot be used: {reason}.", err=True)
        sys.exit(1)
    except MemoryError:
        typer.echo("atomizer: there is not enough memory: take a shorter sound.", err=True)
        sys.exit(1)
