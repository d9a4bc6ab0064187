"""Command line: one function per command.

fills.py, atoms.py, research.py, page.py   the commands
options.py                                 options that several of them share
arguments.py, files.py, progress.py        what options stand for, files, progress bars

Heavy imports happen inside the commands, so that --help answers at once. The parameters of a
command are its options, whatever their number: hence the exception in pyproject.toml.
"""

from __future__ import annotations

import sys

import typer

from ..errors import AtomizerError
from . import atoms, fills, page, research

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Audio as atoms, in any order, and a Transformer that fills in unknown ones.",
)
app.command()(fills.fill)
app.command()(atoms.order)
app.command()(atoms.encode)
app.command()(atoms.decode)
app.command()(atoms.info)
app.command()(research.train)
app.command()(research.evaluate)
app.command("app")(page.serve)
app.command()(page.examples)
app.command("stories", hidden=True)(page.examples)  # former name of `examples`
app.command()(research.bench)


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
