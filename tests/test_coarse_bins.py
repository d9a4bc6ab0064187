"""Levels above a cutoff are decoded at some bins, and interpolated at those between."""

import numpy as np
import pytest
import torch

from atomizer.inpainting.coarse_bins import STRIDE, coarse_bins

FINE = 5


def box(bins, frames=3, channels=2, first=300):
    """Places of all atoms of a box: channel, frame and bin."""
    channel, frame, bin_ = np.nonzero(np.ones((channels, frames, bins), bool))
    return channel, frame, bin_ + first


@pytest.mark.parametrize("bins", [FINE + STRIDE + 1, 100, 103])
def test_a_linear_level_is_interpolated_exactly(bins):
    place = box(bins)
    coarse = coarse_bins(place[2], FINE)
    level = [torch.from_numpy(100.0 * c + 10 * t - 0.5 * f).float() for c, t, f in (place,)][0]
    chosen = coarse.select(place)
    decoded = torch.from_numpy(100.0 * chosen[0] + 10 * chosen[1] - 0.5 * chosen[2]).float()
    torch.testing.assert_close(coarse.interpolate(decoded), level)
    assert len(chosen[0]) <= len(place[0]) * (FINE + 2 + bins / STRIDE) / bins


def test_the_bins_beside_the_cutoff_and_the_last_one_are_decoded():
    coarse = coarse_bins(box(200)[2], FINE)
    assert set(range(FINE)) | {199} <= set(coarse.decoded)
    assert np.diff(coarse.decoded).max() == STRIDE


@pytest.mark.parametrize("keep", [np.s_[1:], np.s_[::2], np.s_[:12]])
def test_other_places_than_full_rows_are_all_decoded(keep):
    assert coarse_bins(box(50)[2][keep], FINE) is None
