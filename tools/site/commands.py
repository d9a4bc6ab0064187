"""Reference of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer

from atomizer.cli import app

INTRODUCTION = """# Command line

`python -m atomizer COMMAND`, or `atomizer COMMAND` once the package is installed. This page is made
from the help texts of the commands.
"""


def command_reference() -> str:
    """Return Markdown with a section per command."""
    group: Any = typer.main.get_command(app)  # a click group, of the click that typer contains
    context = group.make_context("python -m atomizer", [], resilient_parsing=True)
    sections = [INTRODUCTION]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not command.hidden:
            sections.append(_section(name, command, context))
    return "\n".join(sections)


def _section(name: str, command: Any, parent: Any) -> str:
    """Usage, description and options of one command."""
    context = command.make_context(name, [], parent=parent, resilient_parsing=True)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {name}", "", f"```sh\n{usage}\n```", "", (command.help or "").strip(), ""]
    records = [r for p in command.get_params(context) if (r := p.get_help_record(context))]
    if records:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_cell(option)}` | {_cell(text)} |" for option, text in records]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
