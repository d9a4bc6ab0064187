"""The command line. Heavy imports happen inside the commands, so that --help answers at once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from .atoms.space import FEATURES, LOUDNESS
from .errors import AtomizerError

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Audio as atoms, in any order, and a Transformer that fills in what is unknown.",
)

# literals, so that mypy knows the members; a test compares them with what there is
OrderName = Enum(
    "OrderName",
    {
        "time": "time",
        "frequency": "frequency",
        "velocity": "velocity",
        "channel": "channel",
        "random": "random",
    },
    type=str,
)
AtomizerName = Enum(
    "AtomizerName",
    {
        "mdct": "mdct",
        "matching-pursuit": "matching-pursuit",
        "matching-pursuit-optimised": "matching-pursuit-optimised",
        "matching-pursuit-gabor": "matching-pursuit-gabor",
    },
    type=str,
)
MethodName = Enum("MethodName", {"model": "model", "noise": "noise", "erased": "erased"}, type=str)
AmplitudesName = Enum(
    "AmplitudesName", {"expected": "expected", "sampled": "sampled", "texture": "texture"}, type=str
)

In = Annotated[Path, typer.Argument(metavar="IN", help="a sound file")]
Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="the file to write: .wav, .flac, .ogg or .mp3")
]
Reverse = Annotated[bool, typer.Option("--reverse", help="from the ordering's end")]
Seed = Annotated[int, typer.Option(help="same seed, same sound")]
Atomizer = Annotated[AtomizerName, typer.Option(help="how the sound becomes atoms")]
Srr = Annotated[
    Optional[float],
    typer.Option(
        help="the signal-to-residual ratio in dB at which a matching pursuit ends; 30 unless --first says when"
    ),
]
Checkpoint = Annotated[
    Optional[Path], typer.Option(help="folder of another model than the shipped one")
]


@app.command()
def fill(
    source: In,
    out: Out,
    select: Annotated[
        Optional[list[str]],
        typer.Option(
            help=(
                "what is unknown; several add up: above:HZ below:HZ time:START-END after:SECONDS channel:K random:PERCENT "
                "quietest:PERCENT loudest:PERCENT keep:PER_SECOND rect:T0,T1,F0,F1 (channels count from 0; percent of the audible atoms; "
                "keep: all but so many, the loudest)"
            )
        ),
    ] = None,
    regions: Annotated[
        Optional[Path], typer.Option(help="a selection as JSON, as the page saves it")
    ] = None,
    features: Annotated[
        Optional[str],
        typer.Option(
            help=f"which features of the atoms are unknown, of {','.join(FEATURES)}; "
            f"{','.join(LOUDNESS)} unless --regions says otherwise"
        ),
    ] = None,
    order: Annotated[
        Optional[OrderName],
        typer.Option(help="in which order atoms are filled in; default: what suits the selection"),
    ] = None,
    reverse: Reverse = False,
    steps: Annotated[
        Optional[int],
        typer.Option(help="how often the model looks again; default: what suits the selection"),
    ] = None,
    temperature: Annotated[
        Optional[float], typer.Option(help="1 is the model's own belief, lower is safer")
    ] = None,
    nucleus: Annotated[
        Optional[float],
        typer.Option(
            help="sample levels from the likeliest values that hold this probability; amplitudes are then sampled "
            "unless --amplitudes says otherwise"
        ),
    ] = None,
    amplitudes: Annotated[
        Optional[AmplitudesName], typer.Option(help="default: what suits the selection")
    ] = None,
    seed: Seed = 0,
    method: Annotated[
        MethodName, typer.Option(help="model, noise with interpolated levels, or erased")
    ] = MethodName.model,
    erase_only: Annotated[
        bool,
        typer.Option("--erase-only", help="write the masked sound: the same as --method erased"),
    ] = False,
    extend: Annotated[float, typer.Option(help="continue the sound by so many seconds")] = 0.0,
    add_channels: Annotated[int, typer.Option(help="add so many channels (upmix)")] = 0,
    start: Annotated[
        float, typer.Option(help="work on an excerpt that starts at so many seconds")
    ] = 0.0,
    seconds: Annotated[
        Optional[float], typer.Option(help="how long the excerpt is; default: all that follows")
    ] = None,
    settings_file: Annotated[
        Optional[Path],
        typer.Option(
            "--settings",
            help=(
                "a settings file of the page: its fills are done again, and no other option counts but --start, --seconds and --checkpoint"
            ),
        ),
    ] = None,
    atomizer: Atomizer = AtomizerName.mdct,
    srr: Srr = None,
    checkpoint: Checkpoint = None,
) -> None:
    """Make atoms of IN unknown, fill them in, and write OUT, with IN's rate and channels unless more were asked for.

    Matching-pursuit atoms are erased; the MDCT model then fills the region in, on top of the sound of the atoms that remain.
    """
    from dataclasses import replace

    from tqdm import tqdm

    from .atoms.selection import Selection, parse
    from .atoms.space import parse_features
    from .inpainting.recipe import Recipe, parse_recipes
    from .inpainting.settings import Settings
    from .io.audio import check_writable, read, write

    check_output(out)
    sound = read(source, start=start, seconds=seconds)
    made = atomizer_of(atomizer, srr)
    if settings_file:
        if made is not None:
            raise AtomizerError(
                "A settings file says itself whose atoms were filled in: leave out --atomizer."
            )
        recipes = parse_recipes(read_text(settings_file))
    else:
        if reverse and order is None:
            raise AtomizerError(
                "An ordering that nobody chose cannot be reversed: choose one with --order, or leave out --reverse."
            )
        selection = Selection.from_json(read_text(regions)) if regions else Selection()
        selection = selection + parse(select or [])
        if features is not None:
            selection = replace(selection, features=parse_features(features))
        settings = Settings(
            "erased" if erase_only else method.value,
            order and order.value,
            reverse,
            steps,
            temperature,
            nucleus,
            amplitudes and amplitudes.value,
            seed,
        )
        recipes = [Recipe(selection, settings, extend, add_channels)]
    rate = (
        recipes[0].task(sound).output_rate
    )  # what does not fit the sound is refused before a model is loaded
    if made is not None and recipes[0].settings.method == "erased":
        rate = sound.rate
    check_writable(
        out,
        rate,
        sound.channels + sum(max(0, recipe.add_channels) for recipe in recipes),
        sound.subtype,
    )
    if made is not None:
        from .inpainting.erase import check_fillable, erase_atoms

        if recipes[0].settings.method != "erased":
            check_fillable(recipes[0].selection)
        rest = erase_atoms(sound, recipes[0].selection, made, seed)
        sound = rest.sound
        typer.echo(f"{rest} remain.")
        if (
            recipes[0].settings.method == "erased"
        ):  # what is erased are their atoms, and none of the MDCT
            recipes = [replace(recipes[0], selection=Selection())] if extend or add_channels else []
        else:
            typer.echo(
                "The region is filled in by the MDCT model, on top of the sound of the atoms that remain."
            )
    model = None
    if any(recipe.settings.method == "model" for recipe in recipes):
        from . import load_model

        model = load_model(checkpoint)
    for recipe in recipes:
        with tqdm(desc="filling", unit="step", disable=None) as bar:

            def count(step, bar=bar):
                bar.total = step.total
                bar.update()

            sound = recipe.apply(sound, model, count)
    write(out, sound)
    typer.echo(
        f"{out.name}: {sound.seconds:.2f} s, {sound.channels} channel{'s' * (sound.channels > 1)}"
    )


@app.command()
def order(
    source: In,
    out: Out,
    by: Annotated[OrderName, typer.Option(help="the ordering")] = OrderName.velocity,
    first: Annotated[
        Optional[int], typer.Option(help="only the first so many atoms; default: all")
    ] = None,
    reverse: Reverse = False,
    seed: Seed = 0,
    atomizer: Atomizer = AtomizerName.mdct,
    srr: Srr = None,
) -> None:
    """Write the sound of the first atoms of an ordering of IN."""
    from .analysis import MDCTAtomizer
    from .atoms.orderings import order as ordering
    from .io.audio import Sound, check_writable, read, resample_to_length, write

    check_output(out)
    if first is not None and first < 0:
        raise AtomizerError(f"The first {first} atoms are asked for; 0 or more are accepted.")
    sound = read(source)
    check_writable(out, sound.rate, sound.channels, sound.subtype)
    made = atomizer_of(atomizer, srr) or MDCTAtomizer()
    atoms = made.analyse(sound.at(made.space.rate))
    some = atoms[ordering(atoms, by.value, reverse, seed)[:first]]
    samples = resample_to_length(
        made.synthesise(some, sound.channels), made.space.rate, sound.rate, sound.samples.shape[1]
    )
    write(out, Sound(samples, sound.rate, sound.subtype))
    typer.echo(f"{len(some):,} of {len(atoms):,} atoms")


@app.command()
def info(
    source: In,
    first: Annotated[
        Optional[int],
        typer.Option(help="keep only so many atoms, the loudest; a matching pursuit stops there"),
    ] = None,
    atomizer: Atomizer = AtomizerName.mdct,
    srr: Srr = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Say what the atoms of IN are."""
    import numpy as np

    from .analysis import MDCTAtomizer
    from .io.audio import read

    if first is not None and first < 0:
        raise AtomizerError(f"The first {first} atoms are asked for; 0 or more are accepted.")
    sound = read(source)
    made = atomizer_of(atomizer, srr, first) or MDCTAtomizer()
    samples = sound.at(made.space.rate)
    made.analyse(
        np.ones((1, 1), np.float32), loudest=1
    )  # imports, compiles and makes tables: no part of the analysis
    start = time.perf_counter()
    atoms = made.analyse(samples, **({} if atomizer != AtomizerName.mdct else {"loudest": first}))
    seconds = time.perf_counter() - start
    facts: dict[str, Any] = {
        "atoms": len(atoms),
        "audible": int(atoms.audible.sum()),
        "channels": sound.channels,
        "rate": sound.rate,
        "duration_s": round(sound.seconds, 6),
        "analysis_s": round(seconds, 6),
        "snr_db": snr_db(samples, made.synthesise(atoms, sound.channels)),
        "atomizer": atomizer.value,
        "features": {
            f.name: {"cardinality": f.cardinality, "unit": f.unit} for f in made.space.features
        },
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    for name, value in facts.items():
        if name != "features":
            typer.echo(f"{name:12} {value}")
    for name, feature in facts["features"].items():
        typer.echo(f"{name:12} {feature['cardinality']} values, {feature['unit']}")


@app.command()
def train(
    audio: Annotated[
        list[Path],
        typer.Option(
            help="folder of recordings, with a manifest.csv if there is one; may be given several times"
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
        float, typer.Option(help="training time in all, which the schedule is made for")
    ] = 60.0,
    steps: Annotated[Optional[int], typer.Option(help="steps in all, instead of minutes")] = None,
    batch: Annotated[int, typer.Option(help="windows per step and process")] = 4,
    asked: Annotated[int, typer.Option(help="unknown atoms decoded per step")] = 16_000,
    lr: Annotated[float, typer.Option(help="peak learning rate")] = 1.5e-3,
    warmup: Annotated[int, typer.Option(help="steps of warm-up")] = 150,
    seed: Seed = 0,
    device: Annotated[
        Optional[str], typer.Option(help="cpu, cuda …; default: a GPU where there is one")
    ] = None,
    save_minutes: Annotated[float, typer.Option(help="how often the checkpoint is written")] = 3.0,
    evaluate_minutes: Annotated[
        float, typer.Option(help="how often held-out recordings are tried")
    ] = 15.0,
) -> None:
    """Train a model on all masking tasks; the same command again goes on where it stopped."""
    from .model import ModelConfig
    from .training.loop import train as training

    model = ModelConfig()
    if config is not None:
        try:
            model = ModelConfig.from_dict({**model.to_dict(), **json.loads(read_text(config))})
        except (ValueError, TypeError) as error:
            raise AtomizerError(f"{config.name!r} is no model configuration: {error}.") from error
    table = training(
        audio,
        str(out),
        model=model,
        init=init and str(init),
        minutes=minutes,
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
        Path, typer.Option(help="folder of recordings, with a manifest.csv if there is one")
    ],
    out: Annotated[
        Optional[Path],
        typer.Option(help="JSON file for the records; an existing one is gone on with"),
    ] = None,
    tasks: Annotated[
        Optional[str], typer.Option(help="comma-separated names; default: all")
    ] = None,
    methods: Annotated[
        Optional[str], typer.Option(help="comma-separated names; default: all that apply")
    ] = None,
    clips: Annotated[int, typer.Option(help="how many clips")] = 20,
    seconds: Annotated[float, typer.Option(help="of every clip, from its middle")] = 6.0,
    everything: Annotated[
        bool, typer.Option("--all", help="also sources that the model was trained on")
    ] = False,
    figures: Annotated[Optional[Path], typer.Option(help="folder for a figure per task")] = None,
    listen: Annotated[
        Optional[Path],
        typer.Option("--write", help="folder for the sound of every method: TASK/CLIP/METHOD.wav"),
    ] = None,
    steps: Annotated[Optional[int], typer.Option(help="default: what suits the task")] = None,
    order: Annotated[Optional[OrderName], typer.Option(help="default: what suits the task")] = None,
    temperature: Annotated[
        Optional[float], typer.Option(help="default: what suits the task")
    ] = None,
    nucleus: Annotated[Optional[float], typer.Option(help="default: what suits the task")] = None,
    amplitudes: Annotated[
        Optional[AmplitudesName], typer.Option(help="default: what suits the task")
    ] = None,
    seed: Seed = 0,
    checkpoint: Checkpoint = None,
) -> None:
    """Measure the model beside its baselines on recordings of sources that it was not trained on."""
    from . import load_model
    from .evaluation.methods import METHODS
    from .evaluation.report import table
    from .evaluation.run import Options, Outputs, checkpoint_hash, validate_names
    from .evaluation.run import evaluate as run
    from .inpainting.settings import Settings
    from .model.checkpoint import SHIPPED

    chosen = validate_names("method", split(methods), METHODS)
    settings = Settings(
        "model",
        order and order.value,
        False,
        steps,
        temperature,
        nucleus,
        amplitudes and amplitudes.value,
        seed,
    )
    needs_model = any(METHODS[name].needs_model for name in chosen)
    report = run(
        audio,
        Options(split(tasks), chosen, settings, clips, seconds, everything),
        Outputs(out, figures, listen),
        load_model(checkpoint) if needs_model else None,
        checkpoint_hash(checkpoint or SHIPPED),
    )
    typer.echo(table(report))


@app.command("app")
def app_(
    port: Annotated[
        Optional[int], typer.Option(help="default: GRADIO_SERVER_PORT, or 7860")
    ] = None,
) -> None:
    """Open the page."""
    from .ui import build, launch

    launch(build(), **({} if port is None else {"server_port": port}))


@app.command()
def examples(
    out: Annotated[
        Optional[Path],
        typer.Option(
            help="folder for the results; default: assets/examples, where the page looks for them"
        ),
    ] = None,
) -> None:
    """Compute the page's examples, so that they answer at once; needed for every new checkpoint."""
    from .ui.examples import SHIPPED, compute

    folder = out or SHIPPED
    paths = compute(folder, lambda example: typer.echo(f"{example.title} …"))
    size = sum(path.stat().st_size for path in paths) / 1e6
    typer.echo(f"{len(paths)} examples in {folder}, {size:.1f} MB")


app.command("stories", hidden=True)(examples)  # the old name of `examples`


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
        typer.Option(help="only how the cost of a fill grows: the plot to write, .png or .svg"),
    ] = None,
    only: Annotated[
        Optional[str],
        typer.Option(
            help="comma-separated names of measurements; default: all but the page and the growth"
        ),
    ] = None,
    out: Annotated[Optional[Path], typer.Option(help="JSON file for the records")] = None,
) -> None:
    """Measure speed and memory beside peers that do the same, in the same run."""
    from .benchmarks import Record, measures, table
    from .benchmarks.machine import describe

    works: list[Callable[[], Iterator]]
    if page:
        from .benchmarks.page import measure

        works = [measure]
    elif growth:
        from .benchmarks.growth import growth as measure_growth

        works = [partial(measure_growth, growth)]
    else:
        works = measures(split(only))
    typer.echo(describe() + "\n")
    records = []
    for found in (found for work in works for found in work()):
        if not isinstance(found, Record):
            typer.echo(found)
            continue
        typer.echo(f"{found.name} …", err=True)
        records.append(found)
        if out:  # at once: a run takes long
            out.write_text(
                json.dumps([record.to_dict() for record in records], indent=1) + "\n",
                encoding="utf-8",
            )
    typer.echo(table(records))


def atomizer_of(name: AtomizerName, srr: float | None, first: int | None = None):
    """The matching-pursuit atomizer of a name, which ends where it is told; None for "mdct", which every command makes itself."""
    if name == AtomizerName.mdct:
        if srr is not None:
            raise AtomizerError(
                "Only a matching pursuit ends at a signal-to-residual ratio: choose an --atomizer, or leave out --srr."
            )
        return None
    from .analysis import ATOMIZERS, Stop

    return ATOMIZERS[name.value](stop=Stop(first, 30.0 if srr is None and first is None else srr))


def check_output(out: Path) -> None:
    """Fail before the work where nothing can be written to OUT after it; whether its format holds the sound says `audio.check_writable`."""
    from .io.audio import format_of

    format_of(out)
    if not out.parent.is_dir():
        raise AtomizerError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into.")


def split(names: str | None) -> list[str] | None:
    """The names of a comma-separated list; None where none is given."""
    return [name.strip() for name in names.split(",")] if names else None


def read_text(path: Path) -> str:
    """The text of a file. Raises AtomizerError where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AtomizerError(
            f"{path.name!r} cannot be read as text: a JSON file is accepted."
        ) from error


def snr_db(samples: np.ndarray, kept: np.ndarray) -> float | None:
    """Signal-to-noise ratio in dB; None where there is no signal."""
    import numpy as np

    signal, noise = (
        float((samples.astype(float) ** 2).sum()),
        float(((samples - kept).astype(float) ** 2).sum()),
    )
    return round(10 * np.log10(signal / max(noise, 1e-30)), 3) if signal else None


def run() -> None:
    """The command line with one sentence instead of a traceback; exit code 0 only where the work was done."""
    try:
        app()
    except AtomizerError as error:
        typer.echo(f"atomizer: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        typer.echo(
            f"atomizer: {error.filename or 'a file'!s:.200} cannot be used: {(error.strerror or str(error)).rstrip('.')}.",
            err=True,
        )
        sys.exit(1)
    except MemoryError:
        typer.echo(
            "atomizer: this needs more memory than there is: take a shorter sound.", err=True
        )
        sys.exit(1)
