"""Wiener interpolation: it finds what is predictable and does not read what is unknown."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from atomizer.analysis.mdct import imdct_torch, mdct, mdct_torch
from atomizer.priors import short_time, wiener

RATE, FRAMES = 44_100, 48


def partials(channels: int = 1, seed: int = 0) -> torch.Tensor:
    """(channels, FRAMES, 1024) atoms of a steady chord."""
    rng = np.random.default_rng(seed)
    time = np.arange((FRAMES - 1) * 1024) / RATE
    chord = sum(
        a * np.sin(2 * np.pi * f * time + rng.uniform(0, 6))
        for f, a in ((220.7, 1.0), (331.3, 0.7), (1108.1, 0.3), (3001.9, 0.1))
    )
    return torch.from_numpy(
        mdct(np.stack([chord * (0.5 + 0.5 * c) for c in range(channels)]).astype(np.float32))
    )


def noise(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, FRAMES, 1024, generator=torch.Generator().manual_seed(seed))


def gap(atoms: torch.Tensor, first: int, last: int) -> torch.Tensor:
    unknown = torch.zeros_like(atoms, dtype=torch.bool)
    unknown[:, first:last] = True
    return unknown


def snr(truth: torch.Tensor, estimate: torch.Tensor, where: torch.Tensor) -> float:
    return float(
        10 * torch.log10(truth[where].square().sum() / (truth - estimate)[where].square().sum())
    )


@pytest.mark.parametrize("frames, least", ((1, 15), (4, 8), (8, 1.5)))
def test_steady_partials_continue_across_a_gap(frames, least):
    atoms = partials(2)
    unknown = gap(atoms, 20, 20 + frames)
    assert snr(atoms, wiener.interpolate(atoms, unknown).amplitude, unknown) > least


def test_scattered_atoms_are_restored():
    atoms = partials()
    unknown = torch.rand(atoms.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    assert snr(atoms, wiener.interpolate(atoms, unknown).amplitude, unknown) > 8


def test_the_estimate_of_noise_is_small():
    atoms = noise()
    unknown = gap(atoms, 20, 28)
    estimate = wiener.interpolate(atoms, unknown)
    assert snr(atoms, estimate.amplitude, unknown) > -1
    assert estimate.amplitude[unknown].square().mean() < 0.3 * atoms[unknown].square().mean()


def test_the_prior_deviation_is_the_level_of_the_sound():
    atoms = noise() * 0.01
    unknown = torch.rand(atoms.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    spread = wiener.interpolate(atoms, unknown).prior_std[unknown]
    assert 0.007 < float(spread.square().mean().sqrt()) < 0.012  # 0.01 less what was taken away


def test_unknown_atoms_are_never_read():
    atoms = partials()
    unknown = gap(atoms, 10, 14) | (
        torch.rand(atoms.shape, generator=torch.Generator().manual_seed(2)) < 0.2
    )
    first = wiener.interpolate(atoms, unknown)
    second = wiener.interpolate(
        torch.where(unknown, torch.full_like(atoms, torch.nan), atoms), unknown
    )
    assert torch.equal(first.amplitude, second.amplitude) and torch.equal(
        first.prior_std, second.prior_std
    )


def test_known_atoms_have_no_estimate():
    atoms = partials()
    unknown = gap(atoms, 10, 14)
    assert not wiener.interpolate(atoms, unknown).amplitude[~unknown].any()


def test_a_flip_of_polarity_flips_the_estimate():
    atoms, unknown = partials(), gap(partials(), 10, 14)
    assert torch.equal(
        wiener.interpolate(-atoms, unknown).amplitude, -wiener.interpolate(atoms, unknown).amplitude
    )


def test_the_estimate_scales_with_the_sound():
    atoms, unknown = partials(), gap(partials(), 10, 14)
    loud, quiet = wiener.interpolate(atoms, unknown), wiener.interpolate(atoms * 2**-10, unknown)
    torch.testing.assert_close(quiet.amplitude * 2**10, loud.amplitude, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(quiet.prior_std * 2**10, loud.prior_std, rtol=1e-3, atol=1e-5)


def test_known_levels_bound_the_estimate():
    atoms = partials()
    unknown = torch.rand(atoms.shape, generator=torch.Generator().manual_seed(3)) < 0.9
    free, bound = (
        wiener.interpolate(atoms, unknown).amplitude,
        wiener.interpolate(atoms, unknown, atoms.abs()).amplitude,
    )
    assert (bound.abs() <= atoms.abs() + 1e-6)[unknown].all()
    assert (free.abs() > atoms.abs() + 1e-3)[unknown].any()


@pytest.mark.parametrize("hide", ("highs", "channel", "everything", "nothing"))
def test_unpredictable_atoms_have_no_estimate(hide):
    atoms = partials(2)
    unknown = torch.zeros_like(atoms, dtype=torch.bool)
    if hide == "highs":
        unknown[:, :, 200:] = True
    elif hide == "channel":
        unknown[1] = True
    elif hide == "everything":
        unknown[:] = True
    assert wiener.interpolate(atoms, unknown) is None


def test_silence_stays_silent():
    atoms = torch.zeros(1, FRAMES, 1024)
    assert wiener.interpolate(atoms, gap(atoms, 10, 14)) is None


@pytest.mark.parametrize("hops", (wiener.SCATTERED.hops, wiener.HOLES.hops))
def test_spectrum_and_adjoint_are_transposes(hops):
    """<A x, y> = <x, A' y>, up to the constant of the one-sided spectrum of real signals."""
    atoms = noise(1)
    problem = short_time.ShortTime(FRAMES, 1024, hops, "sine", atoms.device)
    packed = problem.packed
    samples = torch.randn(1, problem.length, generator=torch.Generator().manual_seed(2))
    other = mdct_torch(samples.unflatten(1, (-1, 1024)))
    spectrum = problem.spectrum(packed.pack(other))
    weight = torch.full((spectrum.shape[-1],), 2.0)
    weight[0] = weight[-1] = 1
    left = (problem.spectrum(packed.pack(atoms)) * spectrum.conj()).real @ weight / problem.size
    right = (atoms * packed.unpack(packed.conjugate * problem.adjoint(spectrum))).sum()
    torch.testing.assert_close(left.sum(), right, rtol=1e-4, atol=1e-1)


@pytest.mark.parametrize("bins, window", ((1024, "sine"), (14, "kbd")))
def test_packed_frames_have_the_inverse_mdct(bins, window):
    packed = short_time.PackedMDCT(bins, window, torch.device("cpu"))
    atoms = torch.randn(2, 5, bins, generator=torch.Generator().manual_seed(0))
    found = packed.blocks(packed.pack(atoms)) * packed.sign
    torch.testing.assert_close(found, imdct_torch(atoms, window), rtol=1e-5, atol=1e-5)
    assert torch.equal(packed.unpack(packed.pack(atoms)), atoms)


def test_the_inverse_transform_in_torch_is_exact():
    atoms = noise(3)
    torch.testing.assert_close(
        mdct_torch(imdct_torch(atoms))[:, 1:-1], atoms[:, 1:-1], rtol=1e-4, atol=1e-4
    )


def test_a_concurrent_training_step_casts_weights_once():
    """Leaving autocast in the masking thread would clear the cache of cast weights."""
    atoms, weight = partials(), torch.ones(4, 4, requires_grad=True)
    unknown = gap(atoms, 20, 24)
    with torch.autocast("cpu", torch.bfloat16), ThreadPoolExecutor(1) as thread:
        first = torch.nn.functional.linear(torch.ones(1, 4), weight)
        assert thread.submit(wiener.interpolate, atoms, unknown).result() is not None
        second = torch.nn.functional.linear(torch.ones(1, 4), weight)
    casts = {
        step
        for result in (first, second)
        for step in _ancestors(result.grad_fn)
        if "ToCopy" in step.name()
    }
    assert len(casts) == 1


def _ancestors(step) -> set:
    return {step}.union(
        *(_ancestors(before) for before, _ in step.next_functions if before is not None)
    )


def test_the_estimate_has_full_precision_under_autocast():
    atoms = partials()
    unknown = gap(atoms, 20, 24)
    with torch.autocast("cpu", torch.bfloat16):
        inside = wiener.interpolate(atoms, unknown)
    assert torch.equal(inside.amplitude, wiener.interpolate(atoms, unknown).amplitude)


def test_windows_of_a_batch_have_their_own_estimates():
    """Windows with holes, scattered atoms, known magnitudes, nothing known, nothing unknown."""
    g = torch.Generator().manual_seed(0)
    atoms = torch.randn(6, 2, 96, 64, generator=g)
    unknown = torch.zeros_like(atoms, dtype=torch.bool)
    unknown[0, 1, 45:50] = True
    unknown[1, :, 2:20] = torch.rand(2, 18, 64, generator=g) < 0.4
    unknown[2, :, 90:] = True
    unknown[3, :, :, 20:] = True
    unknown[4, 0, 30:70, 8:50] = True
    bound = torch.full_like(atoms, torch.inf)
    bound[4] = atoms[4].abs()
    found = wiener.interpolate_batch(atoms, unknown, bound)
    for b in range(6):
        alone = wiener.interpolate(atoms[b], unknown[b], bound[b] if b == 4 else None)
        if alone is None:
            assert b in (3, 5) and not found.amplitude[b].any() and not found.prior_std[b].any()
            continue
        torch.testing.assert_close(found.amplitude[b], alone.amplitude, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(found.prior_std[b], alone.prior_std, rtol=1e-4, atol=1e-6)
        assert alone.amplitude.any() and alone.prior_std.all() == (b not in (0, 1, 2))
