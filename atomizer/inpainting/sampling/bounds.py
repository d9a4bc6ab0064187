"""Bounds: the range of magnitudes that a fill may use."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from torch import Tensor

from ..presets import FillPreset
from ..silence import INAUDIBLE
from .windows import Window, crop, crop_known

NEIGHBOUR_BINS = 5  # bins whose loudest known atom bounds an unknown one
MIN_FRAMES = 8  # known frames from which the peak of a bin is reliable
MIN_COMPARED_POWER = 1e-3  # share of the known power in bins that tell a channel is silent
MARGIN = 2.0  # how much louder than its surroundings an atom may be: 6 dB


class Bounds:
    """Upper and lower bounds of the magnitudes of unknown atoms.

    A bin is no louder than elsewhere in the window, or else in the sound, or else in the other
    channels: a gap in silence stays silent, and nothing appears above a recording's own bandwidth
    unless all of that band was selected. For a box the sound comes before the window, in which
    these bins may be known in a pause alone. A rare draw from the top levels would be heard as a
    pop: no atom is louder than the loudest known one, unless the loudest atoms are selected.

    Parameters
    ----------
    magnitude, observed : (C, T, F)
        Magnitudes, and True where they are known from the start.
    preset : FillPreset
    reference : float
        Magnitude of the loudest known atom; 0 where everything known is silent.
    threshold : float or None
        Magnitude below which all unknown atoms lie.
    """

    def __init__(
        self,
        magnitude: np.ndarray,
        observed: np.ndarray,
        preset: FillPreset,
        reference: float,
        threshold: float | None,
    ):
        self.magnitude, self.observed, self.preset = magnitude, observed, preset
        self.peak = reference or 1.0
        self.highest = self.peak if threshold is None else threshold
        self.lowest = reference if preset.louder_than_known else 0.0

    @cached_property
    def peak_per_bin(self) -> np.ndarray:
        """(C, F) loudest known atom of every bin in the whole sound; see `_peak_per_bin`."""
        return _peak_per_bin(self.magnitude, self.observed)

    @cached_property
    def silent_channels(self) -> np.ndarray:
        """(C,) bool: channels that are inaudible in bins in which other channels have power.

        An added channel of a low-rate file is known above the file's Nyquist frequency only, where
        the other channels have next to none: it is not silent.
        """
        known = np.where(self.observed, self.magnitude, 0)
        power_per_bin = np.square(known, dtype=np.float64).sum((0, 1))
        known_bins = np.atleast_2d(self.observed.any(axis=1))
        compared = known_bins @ power_per_bin >= MIN_COMPARED_POWER * power_per_bin.sum()
        inaudible = known.max(axis=(1, 2)) < INAUDIBLE * self.peak
        return np.asarray(compared & known_bins.any(axis=1) & inaudible)

    def ceiling(self, window: Window) -> np.ndarray:
        """(channels, F) largest magnitude that the atoms of a window may be filled with.

        It is zero in silent channels.
        """
        silent = self.silent_channels[list(window.channels), None]
        return np.where(silent, np.float32(0), self._ceiling(window))

    def _ceiling(self, window: Window) -> np.ndarray:
        """The ceiling of channels that are not silent."""
        if self.lowest:
            shape = (len(window.channels), self.magnitude.shape[2])
            return np.full(shape, np.inf, np.float32)
        is_box = self.preset.use_band_context
        local = _peak_per_bin(crop(self.magnitude, window, 0), crop_known(self.observed, window))
        if np.isfinite(local).all() and not is_box:
            return np.minimum(local * MARGIN, self.highest)
        whole = self.peak_per_bin[list(window.channels)]
        preferred, otherwise = (whole, local) if is_box else (local, whole)
        own = np.where(np.isfinite(preferred), preferred, otherwise) * MARGIN
        known = np.isfinite(self.peak_per_bin)
        loudest = np.where(known, self.peak_per_bin, 0).max(0)
        # the loudest of the other channels says less than the channel's own bin: twice the margin
        of_others = np.where(known.any(0), loudest, np.inf) * MARGIN**2
        return np.minimum(np.where(np.isfinite(own), own, of_others), self.highest)

    def clip_levels(self, logits: Tensor, amplitudes: Tensor, ceiling: Tensor) -> None:
        """Exclude levels out of bounds, in place; silence, the first level, is always possible.

        logits (n, levels), amplitudes (levels,) of the levels, ceiling (n,)
        """
        logits.masked_fill_(amplitudes > ceiling[:, None], -torch.inf)
        too_quiet = (amplitudes < self.lowest) & (amplitudes < amplitudes[-1])
        logits.masked_fill_(too_quiet, -torch.inf)


def _peak_per_bin(magnitude: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(C, F) loudest known atom of every bin and its neighbours; infinite where few are known."""
    loudest = maximum_filter1d(np.where(observed, magnitude, 0).max(1), NEIGHBOUR_BINS, axis=1)
    known_frames = minimum_filter1d(observed.sum(1), NEIGHBOUR_BINS, axis=1)
    return np.where(known_frames >= MIN_FRAMES, loudest, np.float32(np.inf))
