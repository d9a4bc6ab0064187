"""What happens to a file, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.defects import Defect
from ..inpainting.recipe import Recipe
from ..inpainting.repair import describe_defects

if TYPE_CHECKING:
    from ..analysis import MatchingPursuitAtomizer
    from ..analysis.cutoff import Cutoff
    from ..inpainting.step import Step
    from ..model.inference import AtomModel
    from ..priors.recording.context import CopySource


@dataclass(frozen=True)
class Request:
    """What happens to a file.

    recipes         fills, one after the other
    defects         names in `analysis.defects.DETECTORS`: found and filled in first
    start, seconds  the excerpt; to the end by default
    peaks           as in `io.audio.write`
    load            returns the model; called whenever a fill needs it
    pursuit         whose atoms the first recipe erases before its fill
    """

    recipes: tuple[Recipe, ...]
    defects: tuple[str, ...] = ()
    start: float = 0.0
    seconds: float | None = None
    peaks: str = "limit"
    load: Callable[[], AtomModel] | None = None
    pursuit: MatchingPursuitAtomizer | None = None


@dataclass
class Outcome:
    """What became of a file.

    target    the file that was written
    seconds, channels, rate  of it
    defects   that were found; None if none were looked for
    cutoff    of the recording, if the fill used it
    sources   spans of the recording that were copied
    notes     sentences on what was done
    warnings  sentences on damage of the input and peaks of the output
    """

    target: Path
    seconds: float = 0.0
    channels: int = 0
    rate: int = 0
    defects: list[Defect] | None = None
    cutoff: Cutoff | None = None
    sources: list[CopySource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready data."""
        facts: dict[str, Any] = {
            "file": str(self.target),
            "duration_s": round(self.seconds, 6),
            "channels": self.channels,
            "rate": self.rate,
            "cutoff_hz": None if self.cutoff is None else self.cutoff.rounded,
            "sources": [source._asdict() for source in self.sources],
            "notes": self.notes,
        }
        if self.defects is not None:
            facts["defects"] = [defect.to_dict() for defect in self.defects]
        return facts

    def add_defects(self, request: Request, found: list[Defect]) -> None:
        """Add defects, and a sentence with their numbers."""
        if not request.defects:
            return
        self.defects = found
        self.notes.append(describe_defects(request.defects, found))


@dataclass
class Watch:
    """Callbacks of a file: every step of a whole fill, or the share of a long one that is done."""

    on_step: Callable[[Step], object] | None = None
    on_share: Callable[[float], object] | None = None
