"""Spectral envelope: the levels of noise that is interpolated and extrapolated."""

import numpy as np
import pytest

from atomizer.priors.highs.tilt import continued_tilt, tilt_error
from atomizer.priors.log_power import LOG_MEAN, log_power
from atomizer.priors.noise_fill import noise_fill
from atomizer.priors.spectral_envelope import (
    band_intermittency,
    extrapolate_tilt,
    interpolate_envelope,
    shared_onset_gain,
    trust_in_deviations,
)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture
def gap():
    """A noise grid of power 4 (2, 60, 128) and a mask with a gap in its first channel."""
    mask = np.zeros((2, 60, 128), bool)
    mask[0, 20:30, 40:80] = True
    return 2 * noise(2, 60, 128), mask


def decibels(a, b):
    return 10 * np.log10(
        np.mean(np.square(a, dtype=np.float64)) / np.mean(np.square(b, dtype=np.float64))
    )


def test_known_cells_are_unchanged(gap):
    grid, mask = gap
    before = grid.copy()
    filled = noise_fill(grid, mask)
    assert filled.shape == grid.shape and filled.dtype == np.float32
    np.testing.assert_array_equal(filled[~mask], grid[~mask])
    np.testing.assert_array_equal(grid, before)


def test_the_gap_gets_the_level_of_its_surroundings(gap):
    grid, mask = gap
    assert abs(decibels(noise_fill(grid, mask)[mask], grid[~mask])) < 1


def test_the_level_follows_the_surroundings():
    """Power 1 below, power 10000 above: the noise is within 6 dB of either close to it."""
    grid = noise(1, 60, 128) * np.where(np.arange(128) < 64, 1, 100).astype(np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[:, 25:30] = True
    filled = noise_fill(grid, mask)
    assert abs(decibels(filled[0, 25:30, :48], grid[0, :25, :48])) < 6
    assert abs(decibels(filled[0, 25:30, 80:], grid[0, :25, 80:])) < 6


def test_hidden_cells_have_no_influence(gap):
    grid, mask = gap
    other = np.where(mask, 1000 * noise(2, 60, 128, seed=1), grid)
    np.testing.assert_array_equal(noise_fill(other, mask, 3), noise_fill(grid, mask, 3))


def test_the_noise_follows_its_seed(gap):
    grid, mask = gap
    np.testing.assert_array_equal(noise_fill(grid, mask, 1), noise_fill(grid, mask, 1))
    first, second = noise_fill(grid, mask, 1)[mask], noise_fill(grid, mask, 2)[mask]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
    assert abs(np.mean(first > 0) - 0.5) < 0.1


def test_an_unknown_channel_has_the_level_of_the_others():
    grid = noise(3, 40, 64) * np.array([1, 3, 50], np.float32)[:, None, None]
    mask = np.zeros(grid.shape, bool)
    mask[2] = True
    assert abs(decibels(noise_fill(grid, mask)[2], np.sqrt((grid[0] ** 2 + grid[1] ** 2) / 2))) < 1


def test_the_middle_of_a_wide_band_has_a_level():
    grid, mask = noise(1, 30, 1024), np.zeros((1, 30, 1024), bool)
    mask[..., 300:] = True
    filled = noise_fill(grid, mask)
    assert abs(decibels(filled[0, :, 310:], grid[0, :, :300])) < 2 and np.isfinite(filled).all()


@pytest.mark.parametrize("slope_db", (-6, -18, 0))
def test_above_a_cutoff_the_level_continues_to_fall(slope_db):
    """A level with a constant tilt up to the cutoff continues an octave above it."""
    bins = np.maximum(np.arange(1024), 64)
    grid = noise(2, 60, 1024) * (10 ** (slope_db * np.log2(bins / 256) / 20)).astype(np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[..., 256:] = True
    filled = noise_fill(grid, mask)
    for low, high in ((256, 300), (480, 560), (900, 1024)):
        assert abs(decibels(filled[..., low:high], grid[..., low:high])) < 2.5, low
    np.testing.assert_array_equal(filled, noise_fill(np.where(mask, 1e3, grid), mask))


def test_ends_of_steady_noise_have_its_tilt():
    """The slope at the ends rests on few frames; a single one must not decide."""
    known, errors = np.arange(256) < 128, []
    for seed in range(10):
        log = log_power(noise(66, 256, seed=seed), 1) + LOG_MEAN
        level = extrapolate_tilt(log, np.broadcast_to(known, log.shape), 128)
        errors += [level[:3, 255].mean(), level[-3:, 255].mean()]
    assert 10 / np.log(10) * np.sqrt(np.mean(np.square(errors))) < 1.5


def test_above_a_cutoff_the_level_never_rises():
    grid = noise(1, 60, 512) * (np.arange(512) / 128).astype(np.float32) ** 2
    mask = np.zeros(grid.shape, bool)
    mask[..., 128:] = True
    filled = noise_fill(grid, mask)
    assert abs(decibels(filled[..., 400:], filled[..., 128:200])) < 1
    assert abs(decibels(filled[..., 128:], grid[..., 64:128])) < 3


def test_above_a_cutoff_the_level_follows_the_sound():
    """The noise follows a step of 40 dB within a few frames; unknown frames are in between."""
    loud = np.where(np.arange(200) < 100, 1, 0.01).astype(np.float32)
    grid, mask = noise(1, 200, 256) * loud[None, :, None], np.zeros((1, 200, 256), bool)
    mask[..., 128:] = True
    filled = noise_fill(grid, mask)
    assert decibels(filled[:, :95, 128:], filled[:, 105:, 128:]) == pytest.approx(40, abs=3)
    mask[:, 60:140] = True
    assert -43 < decibels(noise_fill(grid, mask)[:, 95:105, 128:], grid[:, :60, :128]) < 3


def test_a_box_up_to_the_highest_bin_is_interpolated():
    """A box up to the top has known highs on both sides, which count more than its lows."""
    grid = noise(1, 200, 128) * np.where(np.arange(128) < 64, 1, 30).astype(np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[:, 90:100, 64:] = True
    assert abs(decibels(noise_fill(grid, mask)[:, 90:100, 90:], grid[:, :90, 90:])) < 3


def test_a_few_known_cells_are_enough():
    grid, mask = noise(1, 20, 64), np.ones((1, 20, 64), bool)
    mask[0, 3, 5] = False
    power = interpolate_envelope(np.where(mask, 0, grid), ~mask)
    assert (
        power.max() <= grid[0, 3, 5] ** 2 * 1.01
        and power.min() >= 0
        and power.mean() > 0.5 * grid[0, 3, 5] ** 2
    )


def test_without_known_cells_the_result_is_silence():
    assert not noise_fill(noise(2, 10, 64), np.ones((2, 10, 64), bool)).any()


def test_silence_continues_as_silence():
    mask = np.zeros((1, 20, 64), bool)
    mask[0, 10:] = True
    assert not noise_fill(np.zeros((1, 20, 64), np.float32), mask).any()


def test_the_power_at_a_known_cell_is_a_local_mean():
    grid = 3 * noise(1, 80, 128)
    power = interpolate_envelope(grid, np.ones(grid.shape, bool))
    assert power.shape == grid.shape and power.dtype == np.float32
    assert power.mean() == pytest.approx(9, rel=0.1) and power.std() < 9


@pytest.mark.parametrize("shape", [(1, 2, 1024), (8, 3, 64), (1, 1, 2)])
def test_small_and_wide_shapes_are_accepted(shape):
    mask = np.zeros(shape, bool)
    mask[..., 0] = True
    assert np.isfinite(noise_fill(noise(*shape), mask)).all()


def test_a_channel_of_a_low_rate_has_the_level_of_the_others():
    """An added channel of a 16 kHz recording: unknown below 8 kHz and silent above."""
    grid, mask = noise(2, 40, 64), np.zeros((2, 40, 64), bool)
    grid[:, :, 24:] = 0
    mask[1, :, :24] = True
    assert abs(decibels(noise_fill(grid, mask)[1, :, :16], grid[0, :, :16])) < 3


def attacks(follow: bool, frames=96, bins=128, seed=0):
    """(1, frames, bins) noise, 20 dB louder in one frame of eight: all bins, or the lower half."""
    loud = np.where(np.arange(frames) % 8 == 3, 10.0, 1.0)[:, None] * np.ones(bins)
    if not follow:
        loud[:, bins // 2 :] = 1
    return (np.random.default_rng(seed).standard_normal((1, frames, bins)) * loud).astype(
        np.float32
    )


@pytest.mark.parametrize("follow", [True, False])
def test_a_box_follows_the_onsets_of_the_bins_below_it(follow):
    grid = attacks(follow)
    known = np.ones(grid.shape, bool)
    known[:, 40:64, 64:] = False
    power = interpolate_envelope(np.where(known, grid, 0), known)[0, 40:64, 64:].mean(1)
    rise = 10 * np.log10(power[3::8].mean() / power[np.arange(24) % 8 != 3].mean())
    assert 16 < rise < 24 if follow else abs(rise) < 2


def test_the_level_of_a_box_in_steady_noise_is_no_chance():
    """Deviations of the few cells beside a box would move its level at random."""
    errors, excess = [], []
    for seed in range(8):
        grid = np.random.default_rng(seed).standard_normal((1, 200, 192)).astype(np.float32)
        known = np.ones(grid.shape, bool)
        known[:, 80:120, 48:144] = False
        trust = trust_in_deviations(log_power(grid, 5.0), known)
        power = interpolate_envelope(np.where(known, grid, 0), known, trust=trust)
        errors.append(10 * np.log10(power[~known].mean()))
        excess.append(float(trust.mean()))
    assert np.sqrt(np.mean(np.square(errors))) < 0.1 and max(excess) < 0.3  # dB; else 0.18
    grid = attacks(True)
    assert trust_in_deviations(log_power(grid, 50.0), np.ones(grid.shape, bool)).min() > 0.85


def test_there_is_no_onset_gain_without_a_fully_known_bin():
    deviation = np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32)
    known = np.ones(deviation.shape, bool)
    known[8:12] = False
    assert (
        not shared_onset_gain(deviation, known).any()
        and not shared_onset_gain(deviation, known | True).any()
    )


# --- melodies -------------------------------------------------------------------------------------


def test_a_band_of_noise_is_as_loud_as_its_bins():
    log = np.log(noise(2, 400, 300) ** 2)
    assert band_intermittency(log, np.ones(log.shape, bool)) == pytest.approx(0, abs=0.35)


def test_a_melody_is_intermittent_and_hits_are_not():
    frame, bin_ = np.arange(200)[:, None], np.arange(300)
    # the log power of every bin is lower by 10 for three quarters of the time, never the band
    melody = np.where(bin_ % 4 == frame % 4, 0.0, -10.0)[None]
    hits = np.broadcast_to(np.where(frame % 4 == 0, 0.0, -10.0), melody[0].shape)[None]
    known = np.ones(melody.shape, bool)
    known[:, 50:80, 100:200] = False  # a box
    assert band_intermittency(melody, known) == pytest.approx(
        np.log(1 / 4) + 7.5 - LOG_MEAN, abs=0.15
    )
    assert not band_intermittency(hits, known).any()


def test_intermittency_reads_known_cells_only():
    log = np.full((1, 200, 300), -3.0)
    log[:, ::2, ::2] = 5
    known = np.ones(log.shape, bool)
    known[:, 20:, 100:200] = False
    changed = np.where(known, log, 40.0)
    assert np.array_equal(band_intermittency(log, known), band_intermittency(changed, known))
    known[:, 5:, 100:200] = False
    assert not band_intermittency(log, known)[:, 130:170].any()


# --- how well a tilt holds above a cutoff


@pytest.fixture(scope="module")
def steady():
    """(160, 1024) Gaussian amplitudes that fall by 3 dB per octave, and what is known of them."""
    rng = np.random.default_rng(0)
    known = np.tile(np.arange(1024) < 600, (160, 1))
    return rng.normal(size=(160, 1024)) * (np.arange(1024) + 0.5) ** -0.5, known


def tilt_of(grid, known):
    return continued_tilt(log_power(np.where(known, grid, 0), np.abs(grid).max()), known)


def test_a_tilt_of_steady_noise_is_sure(steady):
    tilt = tilt_of(*steady)
    assert tilt.variance[:600].max() == 0 and tilt.variance.max() < 3
    assert tilt.gain_db[600:].max() < 0.3


def test_a_tilt_is_sure_where_a_codec_left_bins_out(steady):
    grid, known = steady
    share = np.linspace(0, 0.5, 600)  # of bins that are nearly empty, more of them with frequency
    empty = np.random.default_rng(1).random((160, 600)) < share
    holes = grid.copy()
    holes[:, :600][empty] *= 0.01
    tilt = tilt_of(holes, known)
    assert tilt.variance.max() < 10
    lost = 40 * share[-1]  # dB that the mean level of a bin at the cutoff has lost, 3 of them power
    assert tilt.gain_db[600] == pytest.approx(lost - 3, abs=2)


@pytest.mark.parametrize("cutoff", [16, 20, 600])
def test_the_error_of_a_tilt_is_that_of_its_continuation(cutoff):
    """A line has none, and a level that steps by 6 dB between what is fitted and tried has 6 dB."""
    line = -6 * np.log2(np.arange(cutoff) + 0.5)
    assert tilt_error(line, cutoff) == pytest.approx(0, abs=1e-6)
    half = [int(cutoff * 2**-octaves) for octaves in (0.5, 1.0)]
    stepped = line + 6 * (np.arange(cutoff) >= half[0])
    assert 3 < tilt_error(stepped, cutoff) < 6


def test_a_tilt_of_bursts_is_not_sure(steady):
    grid, known = steady
    loud = 10 ** (-np.arange(160)[:, None] % 16 / 10)
    assert tilt_of(grid * loud, known).variance[600:].min() > 50
