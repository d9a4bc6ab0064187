"""Repair: clicks, clipped peaks and dropouts are found and filled in, sample by sample.

    repaired = repair(read("in.wav"), ["clicks"])
    write("out.wav", repaired.sound)

Only the samples of the defects change. Dropouts that are too long for an autoregressive model are
returned as a selection, which the model fills in like other holes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..analysis.defects import DETECTORS, Defect, find_defects
from ..atoms.selection import Region, Selection
from ..atoms.specifications import check_name
from ..io.audio import Sound
from .settings import Settings
from .time_domain.autoregression import interpolate
from .time_domain.declipping import declip
from .time_domain.holes import is_short


@dataclass(frozen=True)
class Repaired:
    """A sound without some of its defects.

    sound      with the other defects as they were
    defects    all that were found, in the order of their times
    selection  what is left to fill in: the long dropouts
    """

    sound: Sound
    defects: list[Defect]
    selection: Selection


def split_defects(specifications: Iterable[str]) -> tuple[list[str], list[str]]:
    """Names of detectors among specifications of a selection, and the other specifications.

    Raises AtomizerError, with all that there are, for one that is neither.
    """
    given = list(specifications)
    words = [text for text in given if isinstance(text, str) and text in DETECTORS]
    others = [text for text in given if text not in words]
    for text in others:
        check_name(text, DETECTORS)
    return words, others


def repair(sound: Sound, kinds: Iterable[str], settings: Settings = Settings()) -> Repaired:
    """Find defects of a sound and fill them in.

    Parameters
    ----------
    sound : Sound
    kinds : iterable of str
        Names in `analysis.defects.DETECTORS`.
    settings : Settings
        Of them, `seed` is that of the draws of the autoregressive model; the method "erased" leaves
        silence in place of the defects.

    Returns
    -------
    Repaired
    """
    defects = find_defects(sound, kinds)
    samples = sound.samples.copy()
    if settings.method == "erased":
        for d in defects:
            samples[d.channel, d.first : d.stop] = 0
        return Repaired(sound.with_samples(samples), defects, Selection())
    for channel in range(sound.channels):
        clipped = [d for d in defects if d.kind == "clipped" and d.channel == channel]
        if clipped:
            samples[channel] = declip(samples[channel], clipped)
    holes = _holes([d for d in defects if d.kind != "clipped"])
    short = [hole for hole in holes if is_short((hole.first, hole.stop), sound.rate)]
    long = [hole for hole in holes if hole not in short]
    _fill_holes(samples, short, sound.rate, settings.seed)
    regions = tuple(_region_of(hole, sound) for hole in long)
    return Repaired(sound.with_samples(samples), defects, Selection(regions))


def _fill_holes(samples: np.ndarray, holes: list[_Hole], rate: int, seed: int) -> None:
    """Fill holes of samples (C, n) in place, by autoregression."""
    _bridge(samples, holes)
    for hole in holes:
        channels, span = list(hole.channels), slice(hole.first, hole.stop)
        samples[channels, span] = interpolate(samples[channels], hole.first, hole.stop, rate, seed)


def _region_of(hole: _Hole, sound: Sound) -> Region:
    """The region of a hole, for a recipe."""
    everywhere = hole.channels == tuple(range(sound.channels))
    span = hole.first / sound.rate, hole.stop / sound.rate
    return Region(t=span, channels=None if everywhere else hole.channels)


def describe_defects(kinds: Iterable[str], defects: list[Defect]) -> str:
    """A sentence with the number of defects of each kind that was looked for."""
    counts = {kind: sum(d.kind == kind for d in defects) for kind in dict.fromkeys(kinds)}
    found = (f"{n:,} {kind.removesuffix('s') if n == 1 else kind}" for kind, n in counts.items())
    return f"Found: {', '.join(found)}."


@dataclass(frozen=True)
class _Hole:
    """Samples from `first` to `stop` that are unknown in some channels."""

    first: int
    stop: int
    channels: tuple[int, ...]


def _holes(defects: list[Defect]) -> list[_Hole]:
    """Disjoint holes of each channel; those of several channels at the same time are one."""
    merged: dict[int, list[list[int]]] = {}
    for d in sorted(defects, key=_start):
        spans = merged.setdefault(d.channel, [])
        if spans and d.first <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], d.stop)
        else:
            spans.append([d.first, d.stop])
    single = [
        _Hole(first, stop, (channel,)) for channel, spans in merged.items() for first, stop in spans
    ]
    holes: list[_Hole] = []
    for hole in sorted(single, key=_start):
        if holes and hole.first < holes[-1].stop and hole.channels[0] not in holes[-1].channels:
            both = holes[-1]
            holes[-1] = _Hole(
                both.first, max(both.stop, hole.stop), (*both.channels, *hole.channels)
            )
        else:
            holes.append(hole)
    return [replace(hole, channels=tuple(sorted(hole.channels))) for hole in holes]


def _start(item: Defect | _Hole) -> int:
    return item.first


def _bridge(samples: np.ndarray, holes: list[_Hole]) -> None:
    """Replace holes by straight lines, so that no hole is part of the context of another one."""
    length = samples.shape[1]
    for hole in holes:
        for channel in hole.channels:
            low, high = max(hole.first - 1, 0), min(hole.stop, length - 1)
            line = np.linspace(
                samples[channel, low], samples[channel, high], hole.stop - hole.first + 2
            )
            samples[channel, hole.first : hole.stop] = line[1:-1]
