"""Spans of a recording that copies come from, or must not come from, as the user chose them.

`Settings.source` and `Settings.not_from` name them in text: "START-END" in seconds, several
separated by commas.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from .settings import Settings

if TYPE_CHECKING:
    from .task import Task

Span = tuple[float, float]  # start and end in seconds


def parse_spans(text: str) -> list[Span]:
    """Spans of "START-END[,START-END...]"; raises AtomizerError for anything else."""
    spans = []
    for part in text.split(","):
        start, dash, end = part.strip().rpartition("-")
        try:
            span = float(start), float(end)
        except ValueError:
            span = math.nan, math.nan
        if not (dash and 0 <= span[0] < span[1] < math.inf):
            raise AtomizerError(
                f"{part.strip()[:40]!r} is no span to copy from: START-END in seconds is accepted,"
                " such as 3.5-8, and several separated by commas."
            )
        spans.append(span)
    return spans


def spans_text(spans: Iterable[Span]) -> str:
    """Spans as the text that `parse_spans` reads."""
    return ",".join(f"{start:.4f}-{end:.4f}" for start, end in spans)


def widened(span: Span, seconds: float, space: AtomSpace) -> Span:
    """A source wide enough for a hole that is selected by a span of the same length.

    The windows of the hole's atoms reach beyond it by up to two hops on both sides. The span stays
    within a sound that lasts `seconds`.
    """
    margin = 2 * space.hop / space.rate
    start, end = span[0] - margin, span[1] + margin
    shift = max(0.0, -start) - max(0.0, end - seconds)
    return max(0.0, start + shift), min(seconds, end + shift)


def barred_samples(task: Task, source: str, not_from: str) -> np.ndarray | None:
    """(n,) bool at `task.space.rate`: samples that must not be copied; None where all may be.

    source    the only spans that may be copied, as text; empty for all
    not_from  spans that may not be copied, as text; empty for none
    """
    if not source and not not_from:
        return None
    rate = task.space.rate
    barred = np.full(task.length, bool(source))
    for text, value in ((source, False), (not_from, True)):
        for start, end in parse_spans(text) if text else ():
            barred[round(start * rate) : round(end * rate)] = value
    return barred


def check_spans(settings: Settings, task: Task) -> None:
    """Raise AtomizerError where `source` or `not_from` does not fit the sound of a task."""
    if settings.not_from:
        parse_spans(settings.not_from)
    if not settings.source:
        return
    if settings.using in ("texture", "partials"):
        raise AtomizerError(
            f"Nothing is copied with {settings.using!r}: a source needs 'auto' or 'recording'."
        )
    from ..priors.recording.context import hidden_spans
    from ..priors.recording.lag_search import MAX_PHRASE_SECONDS  # loads scipy

    seconds = task.sound.seconds - task.extended
    rate, hop = task.space.rate, task.space.hop
    hidden = [
        tuple(sample / rate for sample in span.sample_range(hop, task.length))
        for span in hidden_spans(np.asarray(task.mask.any(axis=(0, 2))))
    ]
    longest = max(end - start for start, end in hidden)
    needed = min(longest, MAX_PHRASE_SECONDS)
    for start, end in parse_spans(settings.source):
        name = f"The source {start:g}-{end:g}"
        if end > seconds + 1e-6:
            raise AtomizerError(f"{name} ends after the sound, which lasts {seconds:.2f} s.")
        for first, stop in hidden:
            if start < stop and end > first:
                raise AtomizerError(
                    f"{name} touches what is filled in, from {first:.2f} to {stop:.2f} s: choose a"
                    " span that ends before or starts after it."
                )
        if end - start < needed:
            raise AtomizerError(
                f"{name} lasts {end - start:.2f} s, which is too short for the {longest:.2f} s"
                f" that are filled in: at least {needed:.2f} s are needed."
            )
