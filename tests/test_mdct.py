import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from atomizer.analysis.mdct import imdct, mdct, mdct_torch, window_of
from atomizer.atoms.space import WINDOWS

LENGTHS = (1, 2, 3, 1023, 1024, 1025, 2047, 2048, 2049, 4999, 44_100)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def relative_error(got, want):
    got, want = got.astype(np.float64), want.astype(np.float64)
    return np.linalg.norm(got - want) / np.linalg.norm(want)


def direct(x, hop, window):
    """Formula of the module's docstring, in float64; frame 0 starts one hop before the signal."""
    w = window_of(window, hop).astype(np.float64)
    frames = -(-len(x) // hop) + 1
    padded = np.concatenate([np.zeros(hop), x.astype(np.float64), np.zeros(2 * hop)])
    n, k = np.arange(2 * hop), np.arange(hop)
    kernel = np.cos(np.pi / hop * (n[:, None] + 1 / 2 + hop / 2) * (k[None, :] + 1 / 2))
    return np.stack(
        [
            np.sqrt(2 / hop) * (w * padded[m * hop : m * hop + 2 * hop]) @ kernel
            for m in range(frames)
        ]
    )


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("length", LENGTHS)
def test_perfect_reconstruction_at_full_size(length, window):
    x = noise(2, length)
    spectrum = mdct(x, 1024, window)
    assert spectrum.shape == (2, -(-length // 1024) + 1, 1024) and spectrum.dtype == np.float32
    y = imdct(spectrum, length, window)
    assert y.shape == x.shape and y.dtype == np.float32
    assert relative_error(y, x) < 1e-6
    assert np.abs(y - x).max() < 1e-6 * np.abs(x).max()


@given(st.integers(1, 400), st.sampled_from([2, 4, 6, 10, 16, 64, 128]), st.sampled_from(WINDOWS))
@example(1, 2, "sine")
@example(64, 64, "kbd")
def test_perfect_reconstruction_of_every_length(length, hop, window):
    x = noise(length, seed=length)
    assert relative_error(imdct(mdct(x, hop, window), length, window), x) < 1e-6


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "kind",
    [
        "impulse at the start",
        "impulse at the end",
        "constant",
        "full scale",
        "very quiet",
        "very loud",
    ],
)
def test_perfect_reconstruction_of_extreme_signals(kind, window):
    x = np.zeros(3001, np.float32)
    if kind.startswith("impulse"):
        x[0 if kind.endswith("start") else -1] = 1
    else:
        x[:] = {
            "constant": 0.5,
            "full scale": np.sign(noise(3001)),
            "very quiet": 1e-12 * noise(3001),
            "very loud": 1e6 * noise(3001),
        }[kind]
    assert relative_error(imdct(mdct(x, 1024, window), 3001, window), x) < 1e-6


@pytest.mark.parametrize("length", (1, 1000, 5000))
def test_silence_stays_exactly_silent(length):
    spectrum = mdct(np.zeros((2, length), np.float32))
    assert not spectrum.any()
    assert not imdct(spectrum, length).any()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("hop", (2, 4, 16, 64))
@pytest.mark.parametrize("length", (1, 63, 64, 65, 200))
def test_equals_the_formula(length, hop, window):
    x = noise(length)
    assert relative_error(mdct(x, hop, window), direct(x, hop, window)) < 1e-6


def test_equals_the_formula_at_the_default_size():
    x = noise(3000)
    assert relative_error(mdct(x), direct(x, 1024, "sine")) < 1e-6


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("hop", (2, 64, 1024))
def test_windows_satisfy_princen_bradley(hop, window):
    w = window_of(window, hop).astype(np.float64)
    assert w.shape == (2 * hop,)
    np.testing.assert_allclose(w[:hop] ** 2 + w[hop:] ** 2, 1, atol=2e-7)
    np.testing.assert_allclose(w, w[::-1], atol=1e-7)


def test_the_windows_equal_those_of_scipy():
    np.testing.assert_allclose(
        window_of("kbd", 1024),
        scipy.signal.windows.kaiser_bessel_derived(2048, beta=4 * np.pi),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        window_of("sine", 1024), scipy.signal.windows.cosine(2048), atol=1e-6
    )


def test_an_unknown_window_is_refused():
    with pytest.raises(ValueError, match="sine, kbd"):
        mdct(noise(100), 64, "hann")


@pytest.mark.parametrize("window", WINDOWS)
def test_energy_is_kept(window):
    x = noise(5000).astype(np.float64)
    assert np.sum(mdct(x, 64, window).astype(np.float64) ** 2) == pytest.approx(
        np.sum(x**2), rel=1e-6
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_the_inverse_is_the_transpose(window):
    x, spectrum = noise(777), noise(-(-777 // 64) + 1, 64, seed=1)
    forth = np.sum(mdct(x, 64, window).astype(np.float64) * spectrum)
    back = np.sum(x.astype(np.float64) * imdct(spectrum, 777, window))
    assert forth == pytest.approx(back, rel=1e-5)


def test_a_frame_covers_one_hop_on_each_side_of_its_centre():
    spectrum = np.zeros((8, 64), np.float32)
    spectrum[3, 10] = 1
    heard = np.flatnonzero(imdct(spectrum, 7 * 64))
    assert heard[0] >= 2 * 64 and heard[-1] < 4 * 64
    assert heard[0] < 2 * 64 + 4 and heard[-1] >= 4 * 64 - 4


def test_a_tone_is_loudest_in_its_bin():
    k = 37
    x = np.sin(2 * np.pi * (k + 0.5) / 128 * np.arange(64 * 40)).astype(np.float32)
    assert np.argmax(np.square(mdct(x, 64)).sum(0)) == k


def test_leading_axes_are_independent():
    x = noise(3, 2, 500)
    together = mdct(x, 64)
    assert together.shape == (3, 2, 9, 64)
    np.testing.assert_array_equal(together[2, 1], mdct(x[2, 1], 64))
    np.testing.assert_array_equal(imdct(together, 500)[2, 1], imdct(together[2, 1], 500))


def test_the_input_is_not_modified():
    x, spectrum = noise(500), noise(9, 64, seed=1)
    x0, spectrum0 = x.copy(), spectrum.copy()
    mdct(x, 64), imdct(spectrum, 500)
    np.testing.assert_array_equal(x, x0)
    np.testing.assert_array_equal(spectrum, spectrum0)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("hop", (2, 4, 64, 1024))
def test_the_torch_version_equals_the_numpy_version(hop, window):
    x = noise(2, 3, 4 * hop + 1)
    want = mdct(x, hop, window)
    blocks = np.zeros((2, 3, want.shape[-2] + 1, hop), np.float32)
    blocks.reshape(2, 3, -1)[..., hop : hop + x.shape[-1]] = x
    got = mdct_torch(torch.from_numpy(blocks), window)
    assert got.shape == want.shape and got.dtype == torch.float32
    assert relative_error(got.numpy(), want) < 1e-6
