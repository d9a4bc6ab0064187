"""What stands out: `standout:8` narrows a selection to a foreign sound in it.

A person draws a box around a phone that rings in a recording. Much of the box is the recording
itself, between the partials of the ring and in its pauses. Only atoms that are louder than what is
interpolated from around the box are selected. The others stay as they are, and the fill takes its
levels from them, and finds its copies by them.
"""

from __future__ import annotations

import numpy as np

from ..atoms.selection import Selection
from ..errors import AtomizerError

CONTEXT_FRAMES = 128  # beside the selection that levels are interpolated from: 3 s at 44.1 kHz
LONGEST_FRAMES = 2048  # that are compared at a time, which bounds the memory
NEAR = 3, 5  # frames and bins of a mean power


class NothingStandsOut(AtomizerError):
    """No atom of a selection is that much louder than its surroundings."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            f"Nothing in the selection stands out by {selection.standout:g} dB from what is around"
            " it: choose fewer decibels, or leave them out."
        )


def narrow(mask: np.ndarray, grid: np.ndarray, selection: Selection) -> np.ndarray:
    """Keep those cells of a mask, one at least, that stand out by `selection.standout` decibels.

    mask, grid  (C, T, F) selected cells (bool), and coefficients of the sound

    Returns the mask itself where the selection has no `standout`. Raises NothingStandsOut.
    """
    if selection.standout is None:
        return mask
    out = np.zeros_like(mask)
    frames = np.flatnonzero(mask.any(axis=(0, 2)))
    while len(frames):
        together = frames[frames < frames[0] + LONGEST_FRAMES]
        frames = frames[len(together) :]
        part = slice(int(together[0]), int(together[-1]) + 1)
        start = max(0, part.start - CONTEXT_FRAMES)
        near = slice(start, part.stop + CONTEXT_FRAMES)
        found = _stands_out(grid[:, near], mask[:, near], selection.standout)
        out[:, part] = found[:, part.start - start : part.stop - start]
    if not out.any():
        raise NothingStandsOut(selection)
    return out


def check_narrowed(selection: Selection, has_additions: bool = False) -> None:
    """Raise AtomizerError where a selection narrows nothing, or what is added to a sound."""
    if selection.standout is None:
        return
    if not (selection.regions or selection.parts or selection.above_cutoff):
        raise AtomizerError(
            "What stands out is looked for in a selection: select something, too, for instance a"
            " box around it."
        )
    if has_additions:
        raise AtomizerError(
            "Added time or channels have nothing that stands out: add them in a fill of their own."
        )


def _stands_out(grid: np.ndarray, mask: np.ndarray, decibels: float) -> np.ndarray:
    """(C, T, F) bool: the masked cells whose neighbourhood is that much louder than expected."""
    from scipy.ndimage import uniform_filter  # takes a third of a second to load

    from ..priors.spectral_envelope import interpolate_envelope  # loads scipy, too

    expected = interpolate_envelope(np.where(mask, np.float32(0), grid), ~mask)
    # a single atom of a steady tone may have any level, by its phase
    power = uniform_filter(grid**2, (1, *NEAR), mode="constant")
    found: np.ndarray = mask & (power > expected * 10 ** (decibels / 10))
    return found
