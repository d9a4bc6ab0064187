"""Metrics against closed forms and scipy."""

import sys

import numpy as np
import pytest
from scipy.signal import stft

from atomizer import metrics


@pytest.fixture
def noise():
    return 0.1 * np.random.default_rng(0).standard_normal((2, 44_100))


def test_snr_of_a_scaled_signal(noise):
    assert metrics.snr_db(noise, 0.9 * noise) == pytest.approx(20)
    assert metrics.snr_db(noise, np.zeros_like(noise)) == pytest.approx(0)


def test_si_sdr_ignores_scale(noise):
    x, other = noise[:1], noise[1:]
    other = other - x * (other @ x.T) / (x @ x.T)
    other *= np.sqrt((x**2).sum() / (other**2).sum()) / 10
    assert metrics.si_sdr_db(x, 3 * (x + other)) == pytest.approx(20, abs=1e-6)


@pytest.mark.parametrize("size", metrics.RESOLUTIONS)
def test_spectra_equal_those_of_scipy(noise, size):
    _, _, expected = stft(
        noise, nperseg=size, noverlap=size * 3 // 4, window="hann", boundary="zeros", padded=False
    )
    mine = metrics.spectra(noise, size, size // 4)[:, : expected.shape[-1]].transpose(0, 2, 1)
    np.testing.assert_allclose(mine, expected, atol=1e-12)
    if size == metrics.SIZE:
        np.testing.assert_allclose(
            metrics.power(noise)[:, : expected.shape[-1]].transpose(0, 2, 1),
            np.abs(expected) ** 2,
            atol=1e-12,
        )


def test_full_scale_sine_has_a_power_of_a_quarter():
    x = np.sin(2 * np.pi * 44_100 / 2048 * 100 * np.arange(44_100) / 44_100)[None]
    assert metrics.power(x)[0, 40].max() == pytest.approx(0.25, rel=1e-3)


def test_lsd_of_a_gain_is_the_gain(noise):
    assert metrics.lsd(noise, noise) == 0
    # power times 100: two decades, the floor apart
    assert metrics.lsd(noise, 10 * noise) == pytest.approx(2, abs=1e-2)


def test_lsd_is_limited_to_its_band_and_span(noise):
    t = np.arange(44_100) / 44_100
    late = noise + 0.5 * np.sin(2 * np.pi * 10_000 * t) * (t > 0.7)
    assert metrics.lsd(noise, late, 9_500, 10_500, (0.75, 1)) > 0.3
    assert (
        metrics.lsd(noise, late, 1_000, 2_000) < 0.1
        and metrics.lsd(noise, late, 9_500, 10_500, (0, 0.5)) < 1e-9
    )


@pytest.mark.parametrize("size", metrics.RESOLUTIONS)
def test_convergence_of_a_gain(noise, size):
    assert metrics.convergence(noise, 0.75 * noise, size) == pytest.approx(0.25)
    assert metrics.multi_resolution(noise, 0.75 * noise, (0.2, 0.3)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    "change,seen",
    [
        ((0.0, 0.31), False),
        ((0.36, 0.41), True),
        ((0.54, 0.56), True),
        ((0.69, 0.74), True),
        ((0.79, 1.0), False),
    ],
)
def test_convergence_covers_the_frames_that_overlap_the_span(noise, change, seen):
    """Windows of 186 ms that overlap 0.5 to 0.6 s lie between 0.31 s and 0.79 s."""
    other = noise.copy()
    other[:, int(change[0] * 44_100) : int(change[1] * 44_100)] = 0
    assert (metrics.convergence(noise, other, 8192, (0.5, 0.6)) > 1e-3) is seen
    assert metrics.convergence(noise, other, 8192) > 1e-3


def test_level_drift_is_the_level_difference(noise):
    assert metrics.level_drift_db(noise, noise / 10) == pytest.approx(-20)
    assert metrics.level_drift_db(noise, np.zeros_like(noise)) == pytest.approx(
        20 * np.log10(1e-4 / np.sqrt((noise**2).mean()))
    )


def test_bands_have_equal_width_in_erb():
    edges = np.array(metrics.erb_edges(22_050))
    assert (
        edges[0] == 0
        and edges[-1] == 1024
        and len(edges) == metrics.BANDS + 1
        and (np.diff(edges) > 0).all()
    )

    def number(bins):
        return 21.4 * np.log10(0.00437 * bins * 44_100 / 2048 + 1)

    assert number(1000 * 2048 / 44_100) == pytest.approx(15.6, abs=0.05)  # Moore & Glasberg
    width, rounding = np.diff(number(edges)), number(edges[:-1] + 1) - number(edges[:-1])
    assert (np.abs(width - width.mean()) <= rounding).all()
    assert metrics.erb_edges(8000.0)[-1] == round(8000 * 2048 / 44_100)


def test_ild_of_a_gain_is_the_gain(noise):
    assert metrics.ild_db(noise, noise * np.array([[1], [0.5]])) == pytest.approx(
        20 * np.log10(2), abs=1e-3
    )
    assert metrics.ild_db(noise, noise * np.array([[1], [-1]])) == 0
    both = np.stack([noise[0]] * 2)
    # a silent channel
    assert metrics.ild_db(both, both * np.array([[1], [0]])) == pytest.approx(metrics.MAX_ILD_DB)


def test_ild_is_weighted_by_energy(noise):
    """A level difference in one of two bands counts by that band's energy."""
    t = np.arange(44_100) / 44_100
    low, high = np.sin(2 * np.pi * 500 * t), np.sin(2 * np.pi * 8000 * t)
    reference, estimate = np.stack([low + high / 3] * 2), np.stack([low + high / 3, low + high / 6])
    # 1/9 of the energy of 1 + 1/9
    assert metrics.ild_db(reference, estimate) == pytest.approx(20 * np.log10(2) / 10, rel=0.05)


@pytest.mark.parametrize("shared", (0.0, 0.6, 0.9))
def test_coherence_of_mixed_noise_is_its_shared_part(shared):
    rng = np.random.default_rng(0)
    a, b = 0.1 * rng.standard_normal((2, 6 * 44_100))
    mixed, same = np.stack([a, shared * a + np.sqrt(1 - shared**2) * b]), np.stack([a, a])
    # low bands have few bins to average over, so that independent noise looks coherent there
    assert metrics.coherence(same, mixed) == pytest.approx(
        1 - shared, abs=0.25 * (1 - shared) + 0.01
    )
    # neither phase nor level matter
    assert metrics.coherence(mixed, mixed * np.array([[1], [-3]])) < 1e-3


def test_coherence_ignores_silence_of_the_reference(noise):
    reference, estimate = np.stack([noise[0]] * 2), np.stack([noise[0]] * 2)
    reference[:, 22_050:] = 0
    estimate[:, 36_000:] = noise[:, 36_000:]
    assert metrics.coherence(reference, estimate) < 1e-4


def test_normalised_reference_has_an_rms_of_a_tenth(noise):
    x, y = metrics.normalise(7 * noise, 14 * noise)
    assert np.sqrt((x**2).mean()) == pytest.approx(0.1) and np.allclose(y, 2 * x)


@pytest.mark.parametrize(
    "metric",
    [
        metrics.snr_db,
        metrics.si_sdr_db,
        metrics.lsd,
        metrics.convergence,
        metrics.level_drift_db,
        metrics.ild_db,
        metrics.coherence,
        metrics.visqol,
    ],
)
def test_signals_of_different_shapes_are_rejected(noise, metric):
    with pytest.raises(ValueError):
        metric(noise, noise[:, :-1])


@pytest.fixture
def fresh_visqol():
    """Forget the loaded ViSQOL before and after a test that replaces it."""
    metrics._visqol.cache_clear()
    yield
    metrics._visqol.cache_clear()


def test_visqol_receives_the_rate_and_the_channel_mean(monkeypatch, fresh_visqol):
    """A fake API, because visqol-python is optional."""
    t = np.arange(44_100) / 44_100
    x = np.stack([np.sin(2 * np.pi * 1000 * t), 3 * np.sin(2 * np.pi * 1000 * t)])

    class Api:
        def create(self, mode):
            assert mode == "audio"

        def measure_from_arrays(self, reference, degraded, rate):
            expected = 2 * np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000)
            np.testing.assert_allclose(reference[2000:-2000], expected[2000:-2000], atol=1e-3)
            np.testing.assert_allclose(degraded[2000:-2000], expected[2000:-2000] / 4, atol=1e-3)
            assert rate == 48_000 and len(reference) == len(degraded) == 48_000
            return type("Result", (), {"moslqo": 4.5})

    monkeypatch.setitem(sys.modules, "visqol", type("visqol", (), {"VisqolApi": Api}))
    assert metrics.visqol(x, x / 4) == 4.5


def test_visqol_that_is_not_installed_returns_none(noise, monkeypatch, fresh_visqol):
    monkeypatch.setitem(sys.modules, "visqol", None)
    assert metrics.visqol(noise, noise) is None


def test_visqol_ranks_a_copy_above_noise(samples):
    pytest.importorskip("visqol")
    x = samples(60_000)
    assert (
        metrics.visqol(x, x)
        > 4.5
        > 3
        > metrics.visqol(x, 0.1 * np.random.default_rng(0).standard_normal(x.shape))
    )


def test_side_error_is_the_error_of_the_width():
    mid, side = 0.1 * np.random.default_rng(0).standard_normal((2, 20_000))
    wide, narrow = (np.stack([mid + g * side, mid - g * side]) for g in (1.0, 0.5))
    assert metrics.side_db(wide, narrow) == pytest.approx(20 * np.log10(2), abs=0.1)
    assert metrics.side_db(wide, -3 * wide) < 1e-4
    assert metrics.has_side(wide) and not metrics.has_side(np.stack([mid, mid]))
    assert not metrics.has_side(mid[None])


def test_edge_steps_are_changes_of_level_at_edges():
    x = np.ones((1, 44_100))
    y = x.copy()
    y[:, 11_025:22_050] *= 0.1  # 20 dB at both edges
    assert metrics.edge_step_db(x, y, (0.25, 0.5)) == pytest.approx(20, abs=0.01)
    assert metrics.edge_step_db(x, y, (0.5, 1.0)) == pytest.approx(20, abs=0.01)  # one edge
    assert metrics.edge_step_db(x, x, (0.25, 0.5)) == 0 == metrics.edge_step_db(y, y, (0.25, 0.5))
    assert metrics.edge_step_db(x, y, (0.0, 1.0)) is None
