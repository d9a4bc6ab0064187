"""The message for the page, as a function of the state of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradio.data_classes import FileData

from ..message import (
    Compression,
    Download,
    Excerpt,
    Finding,
    Message,
    Parts,
    Places,
    Proposal,
    Result,
    Scene,
    Variation,
)
from ..pace import NO_ESTIMATE, Estimate
from .job_state import JobKind


@dataclass(frozen=True)
class Shown:
    """What the page shows of a sound; the fields of the same names of `Message`.

    It is replaced, never changed, so that a message that was sent stays as it was.
    """

    scene: Scene | None = None
    original: FileData | None = None
    live: Result | None = None
    variations: tuple[Variation, ...] = ()
    current: int | None = None
    parts: Parts | None = None
    proposal: Proposal | None = None
    download: Download | None = None
    findings: tuple[Finding, ...] = ()
    places: Places | None = None
    refused: str = ""
    expected: Estimate = NO_ESTIMATE
    additions: Mapping[str, Estimate] = field(default_factory=dict)
    acting: tuple[str, ...] = ()
    described: str = ""
    loaded: Proposal | None = None
    excerpt: Excerpt | None = None
    compression: Compression = field(default_factory=Compression)
    note: str = ""
    example: str = ""


@dataclass(frozen=True)
class PageState:
    """All that a message depends on.

    revision  rises with every message; the page discards lower ones
    job       kind of the running job that the page shows; None without one
    before    what undo leads to
    resume    key of the session
    layers    names of the accepted fills, the newest last
    reference  name of the reference recording, or empty
    sounds    (id, name) of the earlier sounds
    """

    shown: Shown
    revision: int
    status: str
    job: JobKind | None
    before: str | None
    resume: str
    layers: tuple[str, ...] = ()
    reference: str = ""
    sounds: tuple[tuple[str, str], ...] = ()


def present(state: PageState) -> Message:
    """Return the message for a state. It reads nothing else, and changes nothing."""
    return Message(
        **vars(state.shown),
        number=state.revision,
        status=state.status,
        busy=state.job is not None,
        pursues=state.job == "pursuit",
        before=state.before,
        resume=state.resume,
        layers=list(state.layers),
        reference=state.reference,
        sounds=list(state.sounds),
    )
