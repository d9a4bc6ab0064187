"""Pauses: which frames give the level of a hole."""

import numpy as np
import pytest

from atomizer.priors.pauses import frames_of_pause, frames_of_pause_around_box

HOLE = slice(40, 80)


def levels(gain_db):
    """(1, 120, 64) log powers of noise with the gain (120,) in dB."""
    noise = np.random.default_rng(0).standard_normal((1, 120, 64))
    return np.log(noise**2 + 1e-9) + np.asarray(gain_db)[:, None] * np.log(10) / 10


def hole(bins=slice(None)):
    """(1, 120, 64) bool: what is known around a hole."""
    known = np.ones((1, 120, 64), bool)
    known[:, HOLE, bins] = False
    return known


def around(frames, quiet_db):
    """(120,) gain in dB that is `quiet_db` up to `frames` frames from the hole."""
    gain = np.zeros(120)
    gain[HOLE.start - frames : HOLE.stop + frames] = quiet_db
    return gain


@pytest.mark.parametrize("quiet_db, is_pause", [(-30, True), (-14, True), (-7, False)])
def test_a_long_pause_is_ten_decibels_quieter_than_what_is_beyond(quiet_db, is_pause):
    found = frames_of_pause(levels(around(25, quiet_db)), hole())
    assert (not found.all()) == is_pause
    if is_pause:
        # half of the window of the frame before a jump lies in the frame of the jump
        assert found[16:104].all() and not found[:16].any() and not found[104:].any()


@pytest.mark.parametrize("quiet_db, is_pause", [(-30, True), (-14, False)])
def test_a_short_pause_is_twenty_decibels_quieter(quiet_db, is_pause):
    assert (not frames_of_pause(levels(around(10, quiet_db)), hole()).all()) == is_pause


def test_the_time_between_two_hits_is_no_pause():
    """Beyond a hit it is as quiet as before it, most of the time."""
    gain = np.full(120, -20.0)
    gain[[HOLE.start - 22, HOLE.stop + 21]] = 0
    assert frames_of_pause(levels(gain), hole()).all()


def test_a_window_that_begins_in_a_hole_is_in_its_pause():
    log, known = levels(around(25, -30)), hole()
    expected = frames_of_pause(log, known)
    assert not expected.all()
    assert np.array_equal(frames_of_pause(log, known, (60, 110)), expected)
    assert frames_of_pause(log, known, (80, 110)).all()  # without the hole


def test_a_box_compares_its_own_bins():
    gain = np.zeros((1, 120, 64))
    gain[..., 20:40] = around(25, -30)[:, None] * np.log(10) / 10
    log = levels(np.zeros(120)) + gain
    known = hole(slice(20, 40))
    assert not frames_of_pause_around_box(log, known).all()
    assert frames_of_pause_around_box(log, hole(slice(40, 60))).all()
