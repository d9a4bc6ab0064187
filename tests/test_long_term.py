"""The long-term envelope: levels above a cutoff, from statistics of all that is known below it."""

from __future__ import annotations

import numpy as np
import pytest

from atomizer.atoms.space import AtomSpace
from atomizer.io import resources
from atomizer.priors.band_levels import band_edges, band_powers, statistics
from atomizer.priors.highs.long_term import FILE, MAX_GAIN_DB, level_gains, shipped
from atomizer.priors.highs.timbre import timbre_gains

SPACE = AtomSpace()
CUTOFF = 372  # 8 kHz


def pink(frames=80, above_db=0.0):
    """A grid (2, frames, F) of pink noise, `above_db` louder above the cutoff."""
    bins = np.arange(SPACE.hop) + 0.5
    std = bins**-0.5 * np.where(bins < CUTOFF, 1, 10 ** (above_db / 20))
    return np.random.default_rng(0).normal(0, std, (2, frames, SPACE.hop)).astype(np.float32)


def gains_db(grid, error=5.0):
    return 20 * np.log10(level_gains(grid, CUTOFF, np.full(SPACE.hop, error), SPACE))


def test_shipped_weights_are_small_and_sure():
    assert (resources.path("checkpoints") / FILE).stat().st_size < 200_000
    arrays = shipped().arrays
    errors = [np.mean(values) for name, values in arrays.items() if name.startswith("error")]
    assert len(errors) > 10 and max(errors) < 9 and min(errors) > 2


def test_quiet_highs_become_louder_and_loud_ones_quieter():
    quiet, loud = (gains_db(pink(above_db=db))[CUTOFF:].mean() for db in (-15, 15))
    assert quiet > 2 and loud < -4


def test_nothing_changes_below_the_cutoff():
    assert (gains_db(pink(above_db=-20))[:CUTOFF] == 0).all()


def test_gains_are_limited():
    assert np.abs(gains_db(pink(above_db=-60), 50.0)).max() <= MAX_GAIN_DB + 1e-3


def test_a_fill_without_error_keeps_its_level():
    assert np.abs(gains_db(pink(above_db=-20), 0.0)).max() < 1e-6


@pytest.mark.parametrize("gain", [1e-3, 10])
def test_gains_do_not_depend_on_the_level(gain):
    grid = pink(above_db=-20)
    np.testing.assert_allclose(gains_db(gain * grid), gains_db(grid), atol=0.01)


@pytest.mark.parametrize("grid", [np.zeros((1, 80, 1024), np.float32), pink(10)])
def test_silence_and_short_sounds_are_not_corrected(grid):
    assert (gains_db(grid) == 0).all()


def test_statistics_are_levels_per_coefficient():
    grid = np.full((1, 20, SPACE.hop), 0.1, np.float32)
    found = statistics(band_powers(grid, band_edges(SPACE)), 1.0)
    np.testing.assert_allclose(found.mean, -20, atol=0.01)
    assert found.std.max() < 1e-3 and found.change.max() < 1e-3


def test_bands_that_are_narrower_than_a_bin_have_its_power():
    space = AtomSpace(hop=64)
    edges = band_edges(space)
    assert (np.diff(edges) == 0).any()
    powers = band_powers(np.full((1, 4, space.hop), 0.5, np.float32), edges)
    np.testing.assert_allclose(powers, 0.25)


def test_atoms_of_another_rate_keep_their_levels():
    space = AtomSpace(rate=8000)
    gains = level_gains(pink(above_db=-20), CUTOFF, np.full(SPACE.hop, 5.0), space)
    assert (gains == 1).all()
    assert (timbre_gains(CUTOFF, np.zeros(SPACE.hop), space, 1) == 1).all()
