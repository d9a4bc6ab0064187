"""A reference recording, which gives filled highs their levels.

Of it only the mean levels of its bands are used (`priors/band_levels.py`), relative to the bands
below the cutoff. `Settings.like` has them in text, so that a settings file repeats the fill without
the recording.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...analysis.cutoff import find_cutoff, sampled_grid
from ...atoms.space import AtomSpace
from ...errors import AtomizerError
from ...io.audio import Sound
from ...priors.band_levels import (
    BANDS,
    MIN_FRAMES,
    active_frames,
    band_edges,
    band_powers,
    known_bands,
    statistics,
)
from ...priors.highs.long_term import LIKE_BANDS
from ..settings import Settings

if TYPE_CHECKING:
    from ..task import Task

MAX_NAME = 200  # characters
NOT_HEARD = "-"  # level of a band above the end of the reference


def levels_of(reference: Sound, name: str = "", space: AtomSpace = AtomSpace()) -> str:
    """Mean levels of the bands of a reference recording, as `Settings.like` takes them.

    name  of the recording, for people to read

    Raises AtomizerError for silence, and where there is too little sound.
    """
    grid, edges = sampled_grid(reference, space), band_edges(space)
    powers = band_powers(grid, edges)
    if not powers.any():
        raise AtomizerError("The reference recording is silent: give one that has highs.")
    active = active_frames(powers, edges)
    seconds, least = active.sum() * space.hop / space.rate, MIN_FRAMES * space.hop / space.rate
    if active.sum() < MIN_FRAMES:
        raise AtomizerError(
            f"The reference recording has {seconds:.2f} s of sound: at least {least:.2f} s are"
            " needed."
        )
    cutoff = find_cutoff(grid, space, reference.rate / 2)
    end_hz = reference.rate / 2 if cutoff is None else cutoff.start_hz
    heard = edges[1:] * space.bin_hz <= end_hz + space.bin_hz
    levels = statistics(powers[active], float(powers.max())).mean
    text = ",".join(f"{db:.1f}" if there else NOT_HEARD for db, there in zip(levels, heard))
    return f"{name[:MAX_NAME]}: {text}" if name else text


def name_of(text: str) -> str:
    """Name of the reference recording in the text of `levels_of`; empty where it has none."""
    return text.rpartition(":")[0].strip()


def parse_levels(text: str) -> np.ndarray | None:
    """(BANDS,) levels in dB of the text of `levels_of`, nan where not heard; None for no text.

    Raises AtomizerError for any other text.
    """
    if not text:
        return None
    try:
        parts = text.rpartition(":")[2].strip().split(",")
        levels = [math.nan if part == NOT_HEARD else float(part) for part in parts]
    except ValueError:
        levels = []
    if len(levels) != BANDS or not np.isfinite(levels[:LIKE_BANDS]).all() or np.isinf(levels).any():
        raise AtomizerError(
            f"{text[:40]!r} are no levels of a reference recording: {BANDS} numbers in dB,"
            f" separated by commas, are accepted, and {NOT_HEARD} for bands above its end."
        )
    return np.array(levels)


def takes_like(settings: Settings, task: Task) -> bool:
    """Whether a fill, by its resolved settings, can have the highs of a reference recording."""
    return _cutoff_of(task) is not None and settings.is_texture


def _cutoff_of(task: Task) -> int | None:
    """First bin of the highs of a task; None where they are not all that is filled in."""
    cutoff = task.erased_cutoff
    known = 0 if cutoff is None else known_bands(cutoff, task.space)
    return cutoff if LIKE_BANDS <= known < BANDS else None


def check_like(settings: Settings, task: Task) -> None:
    """Raise AtomizerError where a fill cannot have the highs of its reference recording."""
    levels = parse_levels(settings.like)
    if levels is None:
        return
    cutoff = _cutoff_of(task)
    if cutoff is None:
        raise AtomizerError(
            "A reference recording gives the level of highs: select everything above one frequency"
            " in all channels, as above:auto does."
        )
    if not settings.is_texture:
        raise AtomizerError(
            "A reference recording is used by the method model with the amplitudes texture alone:"
            " leave out others, or the reference recording."
        )
    if not np.isfinite(levels[: known_bands(cutoff, task.space) + 1]).all():
        edges = band_edges(task.space) * task.space.bin_hz / 1000
        ends = edges[np.isfinite(levels).sum()]
        raise AtomizerError(
            f"The reference recording ends at {ends:.1f} kHz, and what is selected begins at"
            f" {cutoff * task.space.bin_hz / 1000:.1f} kHz: give one that has these highs."
        )
