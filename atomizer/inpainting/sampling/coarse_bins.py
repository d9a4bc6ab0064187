"""Coarse bins: the levels of a texture above a cutoff are decoded only at some bins.

The mean level that the model predicts is smooth along frequency, and the fine structure of a
texture comes from elsewhere (`priors/highs/fine_structure.py`). Between the bins that are decoded,
the moments of the level are interpolated; near the cutoff, where known atoms are neighbours, every
bin is decoded. The cells between them are not encoded either (`State.wanted`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...atoms.space import AtomSpace

STRIDE = 16  # bins from one decoded bin to the next, one in every cell of the model
WIDE_HZ = 8_000.0  # above, critical bands are twice as wide as at 4 kHz: twice as many bins
Places = tuple[np.ndarray, np.ndarray, np.ndarray]  # channel, frame, bin of n atoms, each (n,)


@dataclass(frozen=True)
class CoarseBins:
    """Which of n places, rows of the same consecutive bins, are decoded.

    bins     number of bins of a row
    decoded  (m,) ascending indices of the decoded bins of a row, the first and the last among them
    """

    bins: int
    decoded: np.ndarray

    def select(self, place: Places) -> Places:
        """Channels, frames and bins (rows * m,) of the decoded ones of places (n,)."""
        channel, frame, bin_ = (a.reshape(-1, self.bins)[:, self.decoded].ravel() for a in place)
        return channel, frame, bin_

    def interpolate(self, values: Tensor) -> Tensor:
        """Values (n,) of all places by linear interpolation of decoded ones (rows * m,)."""
        rows = values.view(-1, len(self.decoded))
        right = np.searchsorted(self.decoded, np.arange(self.bins)).clip(1)
        left = right - 1
        low, high = self.decoded[left], self.decoded[right]
        weight = torch.from_numpy(((np.arange(self.bins) - low) / (high - low)).astype(np.float32))
        return torch.lerp(rows[:, left], rows[:, right], weight).flatten()


def coarse_bins(bin_: np.ndarray, fine: int, space: AtomSpace) -> CoarseBins | None:
    """The bins to decode of n places; None where these are no rows of the same consecutive bins.

    bin_  (n,) bins of the places, sorted by channel, frame and bin
    fine  number of bins from the first one on that are all decoded
    """
    first, last = int(bin_.min()), int(bin_.max())
    count = last + 1 - first
    if count <= fine + STRIDE or len(bin_) % count:
        return None
    if (bin_.reshape(-1, count) != np.arange(first, last + 1)).any():
        return None
    spaced = np.arange(fine, count, STRIDE)
    is_wide = space.hertz(first + spaced) >= WIDE_HZ
    every, second = spaced[~is_wide], spaced[is_wide][::2]
    decoded = np.concatenate([np.arange(fine), every, second, [count - 1]])
    return CoarseBins(count, np.unique(decoded))
