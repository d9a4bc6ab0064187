"""Commands on the atoms of a sound: their order, files of them, a summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ..codec.names import ENDING, FILLS, MODEL_FILL
from ..errors import AtomizerError
from .arguments import atomizer_of, check_first
from .files import name_sound, read_bytes, read_sound, write_sound
from .options import (
    Atomizer,
    AtomizerName,
    Checkpoint,
    FileFillName,
    FileOrderName,
    In,
    OrderName,
    Out,
    Peaks,
    PeaksName,
    Reverse,
    Seed,
    Srr,
)
from .progress import share_progress, steps_progress

if TYPE_CHECKING:
    from ..codec.decoder import Received
    from ..io.audio import Sound


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
    from ..atoms.orderings import order as permutation_of
    from ..io.audio import check_output, check_writable, resample_to_length

    check_output(out)
    check_first(first)
    sound = read_sound(source)
    check_writable(out, sound.rate, sound.channels, sound.subtype)
    analysis = atomizer_of(atomizer, srr)
    rate = analysis.space.rate
    atoms = analysis.analyse(sound.at(rate))
    chosen = atoms[permutation_of(atoms, by, reverse, seed)[:first]]
    samples = analysis.synthesise(chosen, sound.channels)
    samples = resample_to_length(samples, rate, sound.rate, sound.samples.shape[1])
    write_sound(out, sound.with_samples(samples), peaks)
    typer.echo(f"{len(chosen):,} of {len(atoms):,} atoms")


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
    from ..codec import encode as encoded
    from ..io.atomic_write import atomic_write
    from ..io.formats import check_folder

    if out.suffix.lower() != ENDING:
        raise AtomizerError(f"Files of atoms end in {ENDING}: {out.name[:80]!r} does not.")
    check_folder(out)
    check_first(first)
    sound = read_sound(source)
    with share_progress("encoding") as on_share:
        data = encoded(sound, kbps=kbps, size=size, atoms=first, order=order, on_share=on_share)
    atomic_write(out, data, "The file of atoms")
    rate = 8e-3 * len(data) / sound.seconds
    typer.echo(f"{out.name}: {sound.seconds:.2f} s, {len(data):,} bytes, {rate:.1f} kbit/s")


def decode(
    source: Annotated[
        Path, typer.Argument(metavar="IN", help=f"a file of atoms, {ENDING}; - reads the input")
    ],
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
    from ..codec import receive, render
    from ..io.audio import check_output

    check_output(out)
    if size is not None and size < 1:
        raise AtomizerError(f"The option --bytes cannot be {size}: 1 or more bytes are accepted.")
    with share_progress("decoding") as on_share:
        received = receive(read_bytes(source, size), on_share=on_share)
    if fill is None or (fill in FILLS and received.steps is not None):
        sound = render(received, fill, seed)
    else:
        sound = _fill_unsent(received, fill, seed, checkpoint)
    write_sound(out, sound, peaks)
    name_sound(out, sound.seconds, sound.channels)


def _fill_unsent(received: Received, method: str, seed: int, checkpoint: Path | None) -> Sound:
    """The sound of a file of atoms whose unsent atoms are filled in."""
    from ..inpainting.settings import Settings
    from ..inpainting.unsent import fill_unsent, unsent_task

    unsent_task(received)  # errors come before a model is loaded
    model = None
    if method == MODEL_FILL:
        from .. import load_model

        model = load_model(checkpoint)
    with steps_progress(typer.echo) as (on_step, _):
        return fill_unsent(received, Settings(method, seed=seed), model, on_step)


def info(
    source: In,
    first: Annotated[
        Optional[int],
        typer.Option(
            help="keep only this many atoms, the loudest; a matching pursuit ends there, and has no"
            " --srr by default"
        ),
    ] = None,
    atomizer: Atomizer = AtomizerName("mdct"),
    srr: Srr = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Print a summary of the atoms of IN."""
    from ..analysis.summary import summarise, summarise_file

    check_first(first)
    analysis = atomizer_of(atomizer, srr, first)
    if atomizer == "mdct":
        facts, note = summarise_file(source, first)
    else:
        sound = read_sound(source)
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
