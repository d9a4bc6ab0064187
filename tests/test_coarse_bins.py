"""Levels above a cutoff are decoded at some bins, and interpolated at those between."""

import numpy as np
import pytest
import torch

from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.sampling import sampler
from atomizer.inpainting.sampling.coarse_bins import STRIDE, WIDE_HZ, coarse_bins
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.model import AtomTransformer, ModelConfig

FINE, SPACE = 5, AtomSpace()


def box(bins, frames=3, channels=2, first=300):
    """Places of all atoms of a box: channel, frame and bin."""
    channel, frame, bin_ = np.nonzero(np.ones((channels, frames, bins), bool))
    return channel, frame, bin_ + first


@pytest.mark.parametrize("bins", [FINE + STRIDE + 1, 100, 103])
def test_a_linear_level_is_interpolated_exactly(bins):
    place = box(bins)
    coarse = coarse_bins(place[2], FINE, SPACE)
    level = [torch.from_numpy(100.0 * c + 10 * t - 0.5 * f).float() for c, t, f in (place,)][0]
    chosen = coarse.select(place)
    decoded = torch.from_numpy(100.0 * chosen[0] + 10 * chosen[1] - 0.5 * chosen[2]).float()
    torch.testing.assert_close(coarse.interpolate(decoded), level)
    assert len(chosen[0]) <= len(place[0]) * (FINE + 2 + bins / STRIDE) / bins


def test_the_bins_beside_the_cutoff_and_the_last_one_are_decoded():
    coarse = coarse_bins(box(600)[2], FINE, SPACE)
    assert set(range(FINE)) | {599} <= set(coarse.decoded)
    above = SPACE.hertz(300 + coarse.decoded[1:-1]) >= WIDE_HZ
    steps = np.diff(coarse.decoded[:-1])
    assert steps[~above].max() == STRIDE and set(steps[above][1:]) == {2 * STRIDE}


def test_cells_of_highs_that_are_not_decoded_get_no_token(monkeypatch):
    space = AtomSpace(frames=64, channels=2)
    tiny = ModelConfig(space=space, embed=4, width=16, heads=2, layers=1, slot=2, hidden=8)
    model, counts = AtomTransformer(tiny).eval(), []
    encode = sampler.encode

    def count(model, state):
        counts.append(model.cells.occupied(state)[0].shape[1])
        return encode(model, state)

    monkeypatch.setattr(sampler, "encode", count)
    noise = np.random.default_rng(0).normal(size=(2, 33_075)).astype(np.float32) / 10
    task = prepare(Sound(noise, 44_100), parse(["above:8000"]))
    assert np.isfinite(last(fill(task, Settings(), model)).grid).all()
    known, all_cells = 16 * 24, 16 * 64
    assert len(counts) == 1 and known < counts[0] < 0.7 * all_cells


@pytest.mark.parametrize("keep", [np.s_[1:], np.s_[::2], np.s_[:12]])
def test_other_places_than_full_rows_are_all_decoded(keep):
    assert coarse_bins(box(50)[2][keep], FINE, SPACE) is None
