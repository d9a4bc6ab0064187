"""Evaluation tasks: which atoms of a clip are hidden.

A new task is a row of `TASKS`. Its kind decides which `scores.SCORES` and `methods.METHODS` apply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..atoms.selection import Region, Selection, parse
from ..atoms.space import FEATURES
from ..io.audio import Sound
from .cases import EvaluationTask, Hidden, HiddenPlace
from .foreign_sounds import FOREIGN_SOUNDS, ForeignSound
from .low_rate import CONVENTION as LOW_RATE_CONVENTION
from .low_rate import low_bit_rate, low_rate

KEPT_PER_SECOND = (1000, 2000, 4000, 8000)  # atoms that compress-N keeps
# Percent of the atoms of which a single feature is hidden. Atoms without a position are costly to
# place, and one in a hundred is enough: every bin then has several that can be confused.
HIDDEN_PERCENT = {"sign": 50, "velocity": 50, "channel": 10, "time": 1, "frequency": 1}


# Tasks with long context, in which music repeats
CONTEXT_SECONDS = (25.0, 40.0)  # of a recording: at least, at most
PLACES = 3  # per recording
MARGIN_SECONDS = 1.0  # beside the hidden span, scored with it
EDGE_SECONDS = 2.0  # from either end of a recording, never hidden
CONTINUE_FROM = 0.6  # of a recording: continuations end in the rest
MIN_LEVEL = 0.1  # RMS of a hidden span, relative to that of the recording
CANDIDATES = 20  # for a place that is not silent
# This text is stored in reports and compared when a report is resumed.
CONVENTIONS = {
    "long": f"{PLACES} places per recording of {CONTEXT_SECONDS[0]:g} to {CONTEXT_SECONDS[1]:g} s, "
    f"one in each third at random, above {MIN_LEVEL:g} of its RMS; scored with {MARGIN_SECONDS:g} "
    "s on either side, level normalised there",
    "files": LOW_RATE_CONVENTION,
}

Select = Callable[[Sound], Selection]
Span = Callable[[Sound], tuple[float, float]]


def _hide(select: Select, span: Span | None = None) -> Callable[[Sound, HiddenPlace], Hidden]:
    """Hide the same part of every sound."""
    return lambda sound, place: Hidden(sound, select(sound), span(sound) if span else None)


def find_span(
    sound: Sound, seconds: float, place: HiddenPlace, first: float, last: float
) -> tuple[float, float]:
    """Seconds (start, end) of a span at a place of a sound, not in silence if there is sound.

    The range from `first` to `last`, in which the span lies, has `PLACES` equal parts, one for the
    starts of each place.
    """
    rng = np.random.default_rng((place.seed, place.number))
    width = max(last - first - seconds, 0.0) / PLACES
    starts = first + (place.number + rng.random(CANDIDATES)) * width
    starts = np.round(starts * sound.rate) / sound.rate
    power = (sound.samples**2).mean(0)
    count = round(seconds * sound.rate)
    found = np.array([power[round(a * sound.rate) :][:count].mean() for a in starts])
    enough = found >= MIN_LEVEL**2 * power.mean()
    start = float(starts[int(enough.argmax() if enough.any() else found.argmax())])
    return start, start + seconds


def _somewhere(seconds: float, select: Callable[[tuple[float, float]], Selection]):
    """Hide a part of a span inside of a recording: span -> selection."""

    def hide(sound: Sound, place: HiddenPlace) -> Hidden:
        edge = min(EDGE_SECONDS, max(0.0, (sound.seconds - seconds) / 2))
        span = find_span(sound, seconds, place, edge, sound.seconds - edge)
        return Hidden(sound, select(span), span)

    return hide


def _long(
    name: str, kind: str, hide: Callable[[Sound, HiddenPlace], Hidden], **more
) -> EvaluationTask:
    """A task with long context and several places per recording."""
    return EvaluationTask(
        name,
        kind,
        hide,
        places=PLACES,
        context_seconds=CONTEXT_SECONDS,
        margin_seconds=MARGIN_SECONDS,
        **more,
    )


def _long_gap(name: str, seconds: float) -> EvaluationTask:
    return _long(name, "gap", _somewhere(seconds, lambda span: Selection((Region(t=span),))))


def _long_box(name: str, seconds: float, low_hz: float, high_hz: float) -> EvaluationTask:
    band = (low_hz, high_hz)
    hide = _somewhere(seconds, lambda span: Selection((Region(t=span, f=band),)))
    return _long(name, "box", hide, above_hz=1.2 * low_hz, band_hz=band)


def _long_continue(name: str, seconds: float) -> EvaluationTask:
    """The recording ends with the hidden span, somewhere in its last part."""

    def hide(sound: Sound, place: HiddenPlace) -> Hidden:
        first = max(0.0, CONTINUE_FROM * sound.seconds - seconds)
        span = find_span(sound, seconds, place, first, sound.seconds)
        end = round(span[1] * sound.rate)
        sound = Sound(np.ascontiguousarray(sound.samples[:, :end]), sound.rate, sound.subtype)
        return Hidden(sound, parse([f"after:{span[0]}"]), span)

    return _long(name, "continue", hide)


def _repair(name: str, foreign: ForeignSound) -> EvaluationTask:
    """Another sound is mixed into a recording, drawn around and filled."""

    def hide(sound: Sound, place: HiddenPlace) -> Hidden:
        seconds = foreign.seconds
        edge = min(EDGE_SECONDS, max(0.0, (sound.seconds - seconds) / 2))
        span = find_span(sound, seconds, place, edge, sound.seconds - edge)
        start, stop = (round(second * sound.rate) for second in span)
        samples = sound.samples.copy()
        samples[:, start:stop] += foreign.scaled(samples[:, start:stop], sound.rate, place.seed)
        mixed = Sound(samples, sound.rate, sound.subtype)
        return Hidden(mixed, foreign.drawn_around(span), span, sound.samples)

    kind = "clicks" if foreign.is_short else "repair"
    return _long(f"repair-{name}", kind, hide, band_hz=foreign.band_hz)


def _bandwidth(low_hz: float) -> EvaluationTask:
    """Everything above a frequency; the score starts 2 % above it."""
    return EvaluationTask(
        f"bwe-{low_hz / 1000:g}k",
        "bandwidth",
        _hide(lambda sound: parse([f"above:{low_hz}"])),
        above_hz=1.2 * low_hz,
        band_hz=(low_hz * 1.02, np.inf),
    )


def _middle(milliseconds: int) -> Span:
    """Seconds (start, end) of a span in the middle of a sound."""
    return lambda sound: (
        sound.seconds / 2 - milliseconds / 2000,
        sound.seconds / 2 + milliseconds / 2000,
    )


def _gap(milliseconds: int) -> EvaluationTask:
    span = _middle(milliseconds)
    return EvaluationTask(
        f"gap-{milliseconds}ms", "gap", _hide(lambda s: Selection((Region(t=span(s)),)), span)
    )


def _continue(milliseconds: int) -> EvaluationTask:
    def span(sound: Sound) -> tuple[float, float]:
        return sound.seconds - milliseconds / 1000, sound.seconds

    return EvaluationTask(
        f"continue-{milliseconds}ms",
        "continue",
        _hide(lambda sound: parse([f"after:{span(sound)[0]}"]), span),
    )


def _upmix() -> EvaluationTask:
    return EvaluationTask("upmix", "upmix", _hide(lambda s: parse(["channel:1"])), channels=2)


def _box(milliseconds: int, low_hz: float, high_hz: float) -> EvaluationTask:
    span, band = _middle(milliseconds), (low_hz, high_hz)
    return EvaluationTask(
        f"box-{milliseconds}ms",
        "box",
        _hide(lambda sound: Selection((Region(t=span(sound), f=band),)), span),
        above_hz=1.2 * low_hz,
        band_hz=band,
    )


def _restore(name: str, part: str, percent: int) -> EvaluationTask:
    select = _hide(lambda sound: parse([f"{part}:{percent}"]))
    return EvaluationTask(f"{name}-{percent}", "restore", select)


def _compress(kept: int) -> EvaluationTask:
    select = _hide(lambda sound: parse([f"keep:{kept}"]))
    return EvaluationTask(f"compress-{kept}", "compress", select)


def _feature(name: str, percent: int) -> EvaluationTask:
    """A single feature of atoms at random."""
    return EvaluationTask(
        name,
        "levels" if name in ("velocity", "sign") else "places",
        _hide(lambda sound: parse([f"random:{percent}"], (name,))),
        channels=2 if name == "channel" else 1,
    )


TASKS = {
    task.name: task
    for task in (
        _bandwidth(4000),
        _bandwidth(8000),
        low_rate(8000),
        low_rate(16_000),
        low_bit_rate(64, above_hz=13_000),
        _gap(50),
        _gap(200),
        _gap(500),
        _continue(500),
        _upmix(),
        _box(1000, 500, 4000),
        _restore("restore", "random", 50),
        _restore("loudest", "loudest", 5),
        *(_compress(kept) for kept in KEPT_PER_SECOND),
        *(_feature(name, HIDDEN_PERCENT[name]) for name in reversed(FEATURES)),
        _long_gap("gap-500ms-long", 0.5),
        _long_gap("gap-2s", 2.0),
        _long_box("box-2s", 2.0, 900, 12_000),
        _long_continue("continue-3s", 3.0),
        replace(_bandwidth(11_000), context_seconds=CONTEXT_SECONDS),
        *(_repair(name, sound) for name, sound in FOREIGN_SOUNDS.items()),
    )
}
KINDS = tuple(dict.fromkeys(task.kind for task in TASKS.values()))
