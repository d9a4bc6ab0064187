"""Spans of missing samples, drawn from an autoregressive model."""

import numpy as np
import pytest

from atomizer.inpainting.time_domain.autoregression import interpolate

RATE = 44_100
HOLE = slice(8000, 9320)


def begins_after_silence(seconds, level):
    """(1, n) digital silence, and noise that begins so long before the hole."""
    samples = np.zeros((1, HOLE.stop + 1000), np.float32)
    first = HOLE.start - round(seconds * RATE)
    samples[:, first:] = level * np.random.default_rng(0).standard_normal(samples[:, first:].shape)
    return samples


@pytest.mark.parametrize("level", [0.1, 1e-6])
@pytest.mark.parametrize("seconds", [0.005, 0.015, 0.03])
def test_a_sound_that_begins_after_silence_goes_on(seconds, level):
    """A period that is longer than the sound so far is one of rounding errors."""
    filled = interpolate(begins_after_silence(seconds, level), HOLE.start, HOLE.stop, RATE, seed=1)
    assert abs(20 * np.log10(filled.std() / level)) < 3


def test_the_fill_does_not_depend_on_the_level():
    samples = begins_after_silence(0.1, 0.1)
    loud, quiet = (
        interpolate(gain * samples, HOLE.start, HOLE.stop, RATE, seed=1) / gain
        for gain in (1, 1e-4)
    )
    np.testing.assert_allclose(quiet, loud, atol=1e-4)


def test_silence_stays_silent():
    silence = np.zeros((2, 20_000), np.float32)
    assert not interpolate(silence, HOLE.start, HOLE.stop, RATE, seed=1).any()
