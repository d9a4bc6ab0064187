"""Baselines on sounds with known results."""

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.signal import lfilter

from atomizer.analysis.mdct import mdct
from atomizer.evaluation.baselines import autoregression as ar
from atomizer.evaluation.baselines import channels, codecs, envelopes, ffmpeg_codecs, neighbours
from atomizer.evaluation.baselines.loop import loop
from atomizer.priors.noise_fill import noise_substitution


def tones(length: int, seed: int = 0, noise: float = 1e-4) -> np.ndarray:
    """(length,) four sinusoids, and a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    return sum(
        g * np.sin(2 * np.pi * f * t / 44_100 + p)
        for f, g, p in zip((220, 441.3, 1234, 5000.7), (0.3, 0.2, 0.1, 0.05), range(4))
    ) + (noise * rng.standard_normal(length))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def snr(x: np.ndarray, y: np.ndarray) -> float:
    return 10 * np.log10((x**2).sum() / ((x - y) ** 2).sum())


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(a, dtype=float)) / np.mean(np.square(b, dtype=float)))


# --- autoregression -------------------------------------------------------------------------------


def test_burg_recovers_the_filter_of_filtered_noise():
    true = np.array([1, -1.6, 0.95])
    x = lfilter([1.0], true, np.random.default_rng(0).standard_normal(20_000))
    np.testing.assert_allclose(ar.burg([x], 2), true, atol=0.02)
    # segments give the same filter as the whole
    np.testing.assert_allclose(ar.burg([x[:9000], x[11_000:]], 2), true, atol=0.02)


def test_burg_is_stable_and_accepts_silence():
    a = ar.burg([tones(2000, noise=0)], 60)
    # poles on the unit circle come in close groups, which np.roots finds to some 1e-4 only
    assert len(a) == 61 and np.abs(np.roots(a)).max() < 1 + 1e-3
    np.testing.assert_array_equal(ar.burg([np.zeros(100)], 5), [1, 0, 0, 0, 0, 0])


def test_interpolation_is_the_least_squares_solution():
    """Eq. 15 of Janssen et al. 1986, solved densely.

    The normal matrix is Toeplitz, of the autocorrelation of the filter.
    """
    x, start, end = tones(900, noise=0.05), 400, 520
    a = ar.burg([x], 40)
    matrix = toeplitz(np.pad(np.correlate(a, a, "full")[40:], (0, 859)))
    known = x.copy()
    known[start:end] = 0
    expected = np.linalg.solve(matrix[start:end, start:end], -(matrix @ known)[start:end])
    np.testing.assert_allclose(
        ar.interpolate(x[:start], x[end:], a, end - start), expected, atol=1e-6
    )


def test_interpolation_of_long_gaps_with_short_contexts(samples):
    x = tones(3000)
    assert (
        snr(x[1000:1100], ar.interpolate(x[:1000], x[1100:1130], ar.burg([x[:1000]], 60), 100)) > 20
    )


@pytest.mark.parametrize("milliseconds", (50, 500))
def test_janssen_restores_sinusoids(milliseconds):
    x = tones(66_150)
    half = milliseconds * 441 // 20
    start, end = 33_075 - half, 33_075 + half
    torn = x.copy()
    torn[start:end] = 1e9  # must not be read
    assert snr(x[start:end], ar.janssen(torn, start, end)) > 30
    assert snr(x[start:end], ar.janssen(torn, start, end, order=64)) > 20


@pytest.mark.parametrize("start,end", [(0, 500), (4500, 5000), (100, 4900), (0, 5000)])
def test_janssen_fills_gaps_at_the_ends_of_a_sound(start, end):
    filled = ar.janssen(tones(5000), start, end)
    assert filled.shape == (end - start,) and np.isfinite(filled).all() and np.abs(filled).max() < 2


def test_continuation_extends_sinusoids():
    x = tones(66_150)
    assert snr(x[44_100:], ar.continue_sound(x[:44_100], 22_050)) > 20


def test_loop_continues_a_periodic_sound():
    x = np.sin(2 * np.pi * np.arange(4000) / 100)[None]
    later = loop(x[:, :3000], 1000, period=500, fade=50)
    np.testing.assert_allclose(later[:, 50:500], x[:, 3050:3500], atol=1e-6)
    np.testing.assert_allclose(later[:, 550:], x[:, 3550:], atol=1e-6)


def test_loop_has_no_discontinuities():
    # neighbours are alike, distant samples are not
    x = np.cumsum(np.random.default_rng(0).standard_normal((2, 3000)), 1)
    whole = np.concatenate([x, loop(x, 2000, period=700, fade=100)], 1)
    assert np.abs(np.diff(whole[:, 2990:3010])).max() < 5 * np.abs(np.diff(x)).mean()
    assert loop(x, 5, period=9000).shape == (2, 5)


# --- envelopes ------------------------------------------------------------------------------------


@pytest.fixture
def cut():
    """A grid (2, 60, 256) that falls by 12 dB per octave, and a mask above bin 96."""
    grid = noise(2, 60, 256) * (32 / (np.arange(256) + 32)).astype(np.float32) ** 2
    mask = np.zeros(grid.shape, bool)
    mask[..., 96:] = True
    return grid, mask


def test_fold_copies_the_octave_below_with_the_tilt(cut):
    grid, mask = cut
    filled = envelopes.fold(grid, mask)
    np.testing.assert_array_equal(filled[~mask], grid[~mask])
    np.testing.assert_array_equal(np.sign(filled[..., 96:144]), np.sign(grid[..., 48:96]))
    for low in range(96, 256, 32):
        assert abs(decibels(filled[..., low : low + 32], grid[..., low : low + 32])) < 4, low


def test_oracle_has_the_true_power_of_bands_and_frames():
    grid = noise(1, 4000, 64, seed=3) * np.repeat([1, 10, 0.1, 3], 16).astype(np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[:, :, 8:] = True  # half of the lowest band is known
    filled = envelopes.oracle(grid, mask)
    np.testing.assert_array_equal(filled[~mask], grid[~mask])
    for low, high in ((8, 16), (16, 32), (32, 48), (48, 64)):
        # the true power of a band is random with 1 / 16 of its variance: averaged over 4000 frames
        assert abs(decibels(filled[..., low:high], grid[..., low:high])) < 0.3
    assert abs(np.corrcoef(filled[mask], grid[mask])[0, 1]) < 0.05
    grid[:, 2000] = 0
    assert not envelopes.oracle(grid, mask)[:, 2000].any()  # every frame has its own power


def test_levels_are_interpolated_in_decibels():
    decay = 10 ** (-np.arange(40) / 20)
    grid = (decay[None, :, None] * np.array([1, 5, 0.2])).astype(np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[:, 15:30] = True
    filled = envelopes.interpolate(np.where(mask, 99, grid), mask)
    np.testing.assert_allclose(np.abs(filled[mask]), grid[mask], rtol=1e-4)
    np.testing.assert_array_equal(filled[~mask], grid[~mask])
    assert 0.2 < (filled[mask] > 0).mean() < 0.8  # random signs


def test_levels_at_the_ends_of_a_sound_are_constant():
    grid = np.full((1, 20, 8), 0.5, np.float32)
    mask = np.zeros(grid.shape, bool)
    mask[:, 12:] = True
    mask[:, :3] = True
    np.testing.assert_allclose(np.abs(envelopes.interpolate(grid, mask)), 0.5, rtol=1e-5)


def test_noise_substitution_matches_the_removed_level():
    grid = noise(1, 100, 128, seed=3) * np.where(np.arange(128) < 64, 1, 1e-3).astype(np.float32)
    mask = np.abs(grid) < 2.2
    filled = noise_substitution(grid, mask, 2.2)
    near, far = mask[..., :48], mask[..., 80:]
    assert abs(decibels(filled[..., :48][near], grid[..., :48][near])) < 1
    assert np.abs(filled[mask]).max() < np.abs(grid[~mask]).min()
    assert not filled[..., 80:][
        far
    ].any()  # where nothing was loud enough to be kept, there is silence
    assert not noise_substitution(grid, np.ones_like(mask), 2.2).any()


# --- channels -------------------------------------------------------------------------------------


def test_copy_is_the_known_channel():
    grid, mask = noise(3, 10, 16), np.zeros((3, 10, 16), bool)
    mask[0] = mask[2] = True
    np.testing.assert_array_equal(channels.copy(grid, mask), np.stack([grid[1]] * 3))
    assert not channels.copy(grid, np.ones_like(mask)).any()


def test_decorrelator_keeps_the_level_but_not_the_phase():
    assert np.allclose(np.abs(np.fft.rfft(channels.allpass())), 1)
    x = noise(2, 100_000)
    out = channels.decorrelate(x, np.array([False, True]))
    np.testing.assert_array_equal(out[0], x[0])
    assert abs(decibels(out[1], x[0])) < 0.2 and abs(np.corrcoef(out)[0, 1]) < 0.1
    assert np.corrcoef(np.abs(np.fft.rfft(out, axis=1)))[0, 1] > 0.8  # the same spectrum


# --- single features ------------------------------------------------------------------------------


def half(shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < 0.5


def test_levels_are_predicted_from_neighbours():
    level = np.where(np.arange(64) < 32, 1.0, 0.01).astype(np.float32)
    grid = level * np.random.default_rng(5).choice([-1, 1], (1, 40, 64)).astype(np.float32)
    mask = half(grid.shape)
    filled = neighbours.fill_neighbours(grid, mask, ("velocity",))
    np.testing.assert_array_equal(filled[~mask], grid[~mask])
    inner = mask & ((np.arange(64) < 29) | (np.arange(64) > 35))
    np.testing.assert_allclose(filled[inner], grid[inner], rtol=1e-4)  # signs are known and kept
    both = neighbours.fill_neighbours(grid, mask, ("velocity", "sign"))
    np.testing.assert_allclose(np.abs(both[inner]), np.abs(grid[inner]), rtol=1e-4)
    assert 0.4 < (both[mask] * grid[mask] > 0).mean() < 0.6


def test_signs_of_stationary_tones_are_predicted():
    grid = mdct(tones(132_300, noise=0).astype(np.float32))[None]
    mask = half(grid.shape)
    # the signs are not read
    filled = neighbours.fill_neighbours(np.where(mask, np.abs(grid), grid), mask, ("sign",))
    # three bins for each of the four tones
    loud = mask & (np.abs(grid) > np.quantile(np.abs(grid), 0.997))
    assert (filled[loud] * grid[loud] > 0).mean() > 0.8
    np.testing.assert_array_equal(np.abs(filled), np.abs(grid))


def test_atoms_without_a_channel_move_to_the_loud_one():
    """The louder of two atoms that may exchange channels mostly belongs to the louder channel.

    P = 2 / pi atan(10).
    """
    grid = noise(2, 60, 64) * np.array([1, 0.1], np.float32)[:, None, None]
    mask = np.random.default_rng(1).random((1, 60, 64)) < 0.1
    mask = np.concatenate([mask, mask])
    mixed = grid.copy()
    swap = mask[0] & half((60, 64))
    mixed[:, swap] = grid[::-1][:, swap]
    filled = neighbours.fill_neighbours(mixed, mask, ("channel",))
    assert (filled[mask] == grid[mask]).mean() == pytest.approx(0.936, abs=0.03)
    np.testing.assert_array_equal(filled[~mask], grid[~mask])


@pytest.mark.parametrize("feature,axis", [("channel", 0), ("time", 1), ("frequency", 2)])
def test_atoms_move_only_along_the_unknown_feature(feature, axis):
    grid, mask = noise(2, 20, 16), half((2, 20, 16))
    for filled in (
        neighbours.fill_neighbours(grid, mask, (feature,)),
        neighbours.fill_majority(grid, mask, (feature,), grid != 0),
    ):
        np.testing.assert_array_equal(
            np.sort(np.where(mask, filled, 0), axis), np.sort(np.where(mask, grid, 0), axis)
        )
        np.testing.assert_array_equal(filled[~mask], grid[~mask])
        assert (filled != grid).any()


def test_majority_is_the_most_frequent_value():
    grid = np.where(np.random.default_rng(0).random((1, 40, 40)) < 0.8, -0.5, 0.1).astype(
        np.float32
    )
    mask, audible = half(grid.shape), np.ones(grid.shape, bool)
    signs = neighbours.fill_majority(grid, mask, ("sign",), audible)
    np.testing.assert_array_equal(signs[mask], -np.abs(grid[mask]))
    levels = neighbours.fill_majority(grid, mask, ("velocity",), audible)
    np.testing.assert_allclose(np.abs(levels[mask]), 0.5, rtol=0.06)  # to the decibel
    np.testing.assert_array_equal(np.sign(levels), np.sign(grid))


# --- codecs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codec,reachable", [("opus", (20, 60)), ("vorbis", (40, 100)), ("mp3", (16, 64))]
)
def test_codecs_reach_the_target_bit_rate(codec, reachable):
    if not codecs.is_installed(codec):
        pytest.skip("libsndfile was built without it")
    x = tones(66_150, noise=0.01)[None].astype(np.float32)
    for wanted in reachable:
        coded, size = codecs.transcode(x, 44_100, codec, wanted)
        assert size == pytest.approx(wanted, rel=0.2)
        assert coded.shape == x.shape and snr(x, coded) > 5  # in time with the original


def test_bit_rate_excludes_headers(samples):
    x = samples(44_100)
    size, file = codecs.kbps(x, 44_100, "vorbis", 0.5)
    empty = len(codecs.encode(x[:, :0], 44_100, "vorbis", 0.5))
    assert empty > 2000 and size == pytest.approx((len(file) - empty) * 8 / 1000)


def test_codecs_of_ffmpeg_reach_the_target_bit_rate():
    if not ffmpeg_codecs.is_installed("aac"):
        pytest.skip("ffmpeg is not installed")
    x = tones(44_100, noise=0.01)[None].astype(np.float32)
    coded, size = ffmpeg_codecs.transcode(x, 44_100, "aac", 64)
    assert size == pytest.approx(64, rel=0.2)
    assert coded.shape == x.shape and snr(x, coded) > 5
