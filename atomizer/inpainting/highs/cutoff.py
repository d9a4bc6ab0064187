"""Highs above the cutoff of a recording.

`above:auto` selects what lies above the cutoff. Atoms that the slope below the cutoff has weakened
are no evidence of the level above it: where a selection begins near the cutoff, they become
unknown, too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...analysis.cutoff import Cutoff, cutoff_of, find_cutoff
from ...atoms.selection import Region, Selection
from ...atoms.space import AtomSpace
from ...errors import AtomizerError
from ...io.audio import Sound

NEAR_RATIO, NEAR_HZ = 1.1, 1_000.0  # highs selected up to this far above a cutoff reach it


def selects_highs(selection: Selection) -> bool:
    """Whether a selection has everything above a frequency: at all times, in all channels."""
    return selection.above_cutoff or any(
        region.op == "add"
        and region.channels is None
        and not any(region.t or ())
        and region.f is not None
        and region.f[0] is not None
        and region.f[1] is None
        for region in selection.regions
    )


def resolve_cutoff(
    selection: Selection, grid: np.ndarray, space: AtomSpace, nyquist_hz: float
) -> tuple[Selection, Cutoff | None]:
    """Replace `above:auto` in a selection by the region above the cutoff of a recording.

    grid        (C, T, F) coefficients of the recording
    nyquist_hz  half of its own rate

    Returns the selection, and the cutoff; None if the selection has no `above:auto`.
    Raises AtomizerError where no cutoff is found.
    """
    if not selection.above_cutoff:
        return selection, None
    cutoff = find_cutoff(grid, space, nyquist_hz)
    return _select_above(selection, cutoff), cutoff


def resolve_for(selection: Selection, sound: Sound) -> tuple[Selection, Cutoff | None]:
    """`resolve_cutoff` for a sound whose coefficients are not known."""
    if not selection.above_cutoff:
        return selection, None
    cutoff = cutoff_of(sound)
    return _select_above(selection, cutoff), cutoff


def _select_above(selection: Selection, cutoff: Cutoff | None) -> Selection:
    """The selection with a region above a cutoff; raises AtomizerError without one."""
    if cutoff is None:
        raise AtomizerError(
            "This recording has no cutoff that above:auto could find: name a frequency, for"
            " instance above:8000."
        )
    regions = (*selection.regions, Region(f=(cutoff.start_hz, None)))
    return replace(selection, regions=regions, above_cutoff=False)


def with_slope(
    mask: np.ndarray,
    grid: np.ndarray,
    space: AtomSpace,
    nyquist_hz: float,
    cutoff: Cutoff | None = None,
) -> tuple[np.ndarray, Cutoff | None]:
    """Hide the slope of the cutoff of a recording where highs that reach it are hidden.

    mask, grid  (C, T, F) hidden atoms (bool), and coefficients of the recording
    nyquist_hz  half of its own rate
    cutoff      its cutoff if it is known; found by default

    Returns the mask and the cutoff, or the mask itself and `cutoff` where no slope was hidden.
    """
    first = first_hidden_bins(mask)
    if not ((first > 0) & (first < mask.shape[2])).any():
        return mask, cutoff
    found = cutoff or find_cutoff(grid, space, nyquist_hz)
    if found is None:
        return mask, None
    hidden = hide_slope(mask, found, space)
    return hidden, cutoff if hidden is mask else found


def describe_cutoff(cutoff: Cutoff) -> str:
    """A sentence about the cutoff for the user."""
    start, end = cutoff.start_hz / 1000, cutoff.end_hz / 1000
    return (
        f"The recording ends at {end:.2f} kHz, and its filter weakens it from {start:.2f} kHz on:"
        " the selection begins there."
    )


def hide_slope(mask: np.ndarray, cutoff: Cutoff, space: AtomSpace) -> np.ndarray:
    """(C, T, F) bool: a mask with the slope of a cutoff where highs that reach it are hidden.

    mask  (C, T, F) bool, the hidden atoms; returned itself where no slope has to be hidden
    """
    start = int(np.ceil(cutoff.start_hz / space.bin_hz))
    end_hz = max(cutoff.end_hz * NEAR_RATIO, cutoff.end_hz + NEAR_HZ)
    out = mask
    for channel, first in enumerate(first_hidden_bins(mask)):
        if start < first < min(mask.shape[2], end_hz / space.bin_hz):
            out = out.copy() if out is mask else out
            out[channel, :, start:first] = True
    return out


def cutoff_bin(mask: np.ndarray) -> int | None:
    """First hidden bin of a mask (C, T, F) that hides all bins from there on, and nothing else.

    None for other masks, and where channels differ.
    """
    first = first_hidden_bins(mask)
    cutoff = int(first[0])
    if (first != cutoff).any() or mask[..., :cutoff].any() or not 0 < cutoff < mask.shape[2]:
        return None
    return cutoff


def first_hidden_bins(mask: np.ndarray) -> np.ndarray:
    """(C,) first bin from which on everything is hidden, in all frames; F if there is none."""
    bins = mask.shape[2]
    throughout = mask.all(axis=1)
    return bins - np.argmin(np.pad(throughout, ((0, 0), (1, 0)))[:, ::-1], axis=1)
