"""Commands of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def serve(
    port: Annotated[
        Optional[int], typer.Option(help="default: GRADIO_SERVER_PORT, or 7860")
    ] = None,
) -> None:
    """Start the page."""
    from ..ui import build, launch

    launch(build(), **({} if port is None else {"server_port": port}))


def examples(
    out: Annotated[
        Optional[Path],
        typer.Option(help="folder for the results; default: assets/examples, which the page reads"),
    ] = None,
) -> None:
    """Compute the cached results of the page's examples; again after every new checkpoint."""
    from ..ui.examples import SHIPPED, compute

    folder = out or SHIPPED
    paths = compute(folder, lambda example: typer.echo(f"{example.title} …"))
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    typer.echo(f"{len(paths)} examples in {folder}, {megabytes:.1f} MB")
