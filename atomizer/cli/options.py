"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from ..analysis import ATOMIZERS
from ..atoms.orderings import ORDERINGS
from ..codec.names import FILLS, MODEL_FILL, ORDERS
from ..inpainting.settings import AMPLITUDES, METHODS
from ..io.peaks import PEAKS
from ..priors.choices import USING


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
        help="signal-to-residual ratio in dB at which a matching pursuit ends; default: 30"
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
Amplitudes = Annotated[
    Optional[AmplitudesName],
    typer.Option(
        help="what predicted levels and signs become: their mean (expected), single draws"
        f" (sampled), or mean levels with the fine structure of noise (texture); {_BY_TASK}"
    ),
]
Peaks = Annotated[
    PeaksName,
    typer.Option(
        help="peaks above full scale, where OUT has integer samples: limit attenuates around them,"
        " scale the whole sound; float writes float samples (WAV)"
    ),
]
