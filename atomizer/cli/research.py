"""Commands that train, evaluate and measure."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ..errors import AtomizerError
from ..validation import parse_json
from .arguments import parse_folders, split_names
from .files import read_text
from .options import Amplitudes, Checkpoint, Nucleus, Order, Seed, Steps, Temperature

if TYPE_CHECKING:
    from ..model import ModelConfig


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
        Optional[Path],
        typer.Option(help="JSON file of ModelConfig fields that differ from the default"),
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
    targets: Annotated[
        int, typer.Option("--targets", "--asked", help="unknown atoms decoded per step")
    ] = 16_000,
    optimiser: Annotated[
        str,
        typer.Option(help="adamw, or muon for the matrices of the trunk's blocks"),
    ] = "adamw",
    lr: Annotated[float, typer.Option(help="peak learning rate")] = 1.5e-3,
    warmup: Annotated[int, typer.Option(help="steps of warm-up")] = 150,
    seed: Seed = 0,
    device: Annotated[
        Optional[str], typer.Option(help="cpu, cuda …; default: a GPU if there is one")
    ] = None,
    power_target: Annotated[
        bool,
        typer.Option(
            "--power-target", help="learn mean levels from MDCT and MDST: targets of less noise"
        ),
    ] = False,
    add_layers: Annotated[
        int,
        typer.Option(
            help="further layers of the Transformer, after those of --init, without effect at first"
        ),
    ] = 0,
    inherited: Annotated[
        float,
        typer.Option(help="share of the learning rate for weights of --init, beside new ones"),
    ] = 1.0,
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
    from ..training.loop import train as training

    options: dict[str, Any] = {"init": init and str(init), "model": _model_config(config)}
    options["command"] = shlex.join(["python", "-m", "atomizer", *sys.argv[1:]])
    if minutes is not None:
        options["minutes"] = minutes
    if leg is not None:
        from ..training.leg import Leg, LegOptions, seconds_of

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
        targets=targets,
        optimiser=optimiser,
        lr=lr,
        warmup=warmup,
        seed=seed,
        device=device,
        power_target=power_target,
        add_layers=add_layers,
        inherited=inherited,
        save_minutes=save_minutes,
        evaluate_minutes=evaluate_minutes,
    )
    for task, row in table.items():
        typer.echo(f"{task:16} " + " ".join(f"{k} {v:.3f}" for k, v in row.items()))


def _model_config(path: Path | None) -> ModelConfig:
    """Return the default configuration with the changes of a JSON file."""
    from ..model import ModelConfig

    if path is None:
        return ModelConfig()
    changes = parse_json(read_text(path), f"The configuration {path.name!r}")
    if isinstance(changes, dict):
        changes = {**ModelConfig().to_dict(), **changes}
    return ModelConfig.from_dict(changes)


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
    compare: Annotated[
        Optional[list[str]],
        typer.Option(
            help="NAME=FOLDER: sounds that another version wrote by --write; may be repeated"
        ),
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
    from .. import load_model
    from ..evaluation.methods import METHODS
    from ..evaluation.report import categories_of, heading, table
    from ..evaluation.run import Options, Outputs, checkpoint_hash, validate_names
    from ..evaluation.run import evaluate as evaluation
    from ..inpainting.settings import Settings
    from ..model.checkpoint import SHIPPED, training_of

    chosen = validate_names("method", split_names(methods), METHODS)
    settings = Settings(
        order=order,
        steps=steps,
        temperature=temperature,
        nucleus=nucleus,
        amplitudes=amplitudes,
        seed=seed,
    )
    needs_model = any(METHODS[name].needs_model for name in chosen)
    report = evaluation(
        audio,
        Options(
            tasks=split_names(tasks),
            methods=chosen,
            settings=settings,
            clips=clips,
            seconds=seconds,
            include_training=everything,
            places=places,
            compared=parse_folders(compare),
        ),
        Outputs(report=out, figures=figures, sounds=listen, figures_per_task=figures_per_task),
        load_model(checkpoint) if needs_model else None,
        checkpoint_hash(checkpoint or SHIPPED),
    )
    if needs_model:
        typer.echo(heading(report, training_of(checkpoint or SHIPPED)) + "\n")
    typer.echo(table(report))
    for category in categories_of(report) if by_category else ():
        typer.echo(f"\n### {category}\n\n{table(report, category)}")
    for sentence in report["left_out"]:
        typer.echo(f"Left out: {sentence}", err=True)


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
    from ..benchmarks import Record, measures, table
    from ..benchmarks.machine import describe

    benchmarks: list[Callable[[], Iterator]]
    if page:
        from ..benchmarks.page import measure

        benchmarks = [measure]
    elif growth:
        from ..benchmarks.growth import growth as measure_growth

        benchmarks = [partial(measure_growth, growth)]
    else:
        benchmarks = measures(split_names(only))
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
