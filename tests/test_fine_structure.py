"""Fine structure copied above a cutoff: partials stay partials, harmonics go on as harmonics."""

from __future__ import annotations

import numpy as np
import pytest

from atomizer.analysis.mdct import imdct, mdct
from atomizer.atoms.space import AtomSpace
from atomizer.evaluation.baselines.envelopes import fold
from atomizer.priors.highs.fine_structure import harmonic_shifts, is_flipped, patch_fine_structure

SPACE = AtomSpace()
RATE, HOP = SPACE.rate, SPACE.hop


def tone(hertz, seconds=1.5):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)[None]


def share_near(samples, hertz, width=10.0):
    """Share of the energy of samples (1, n), without their ends, near a frequency."""
    part = samples[0, 4 * HOP : -4 * HOP]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(part), 1 / RATE) - hertz) < width
    return power[near].sum() / power.sum()


@pytest.mark.parametrize("shift", [92, 93, 94, 95])
@pytest.mark.parametrize("hertz", [1503.0, 1511.7])
def test_a_copied_partial_stays_a_partial(shift, hertz):
    x = tone(hertz)
    grid = mdct(x)
    copied = np.zeros_like(grid)
    frame = np.arange(grid.shape[1])[:, None]
    flipped = is_flipped(np.full(grid.shape[2] - shift, shift), frame)
    copied[..., shift:] = grid[..., :-shift] * np.where(flipped, -1, 1)
    y = imdct(copied, x.shape[1])
    assert share_near(y, hertz + shift * SPACE.bin_hz) > 0.9


@pytest.mark.parametrize("cutoff", [186, 187, 190])
@pytest.mark.parametrize("first_frame", [0, 1])
def test_patched_signs_make_a_partial(cutoff, first_frame):
    hertz = 0.75 * cutoff * SPACE.bin_hz
    x = tone(hertz)
    grid = mdct(x)[:, first_frame:]
    known = np.broadcast_to(np.arange(grid.shape[2]) < cutoff, grid.shape)
    known_grid = np.where(known, grid, 0)
    arrays = (np.abs(known_grid), known_grid >= 0, known)
    fine = patch_fine_structure(*arrays, cutoff, np.abs(grid).max(), first_frame)
    patched = 10 ** (np.nan_to_num(fine.deviation_db, nan=-200) / 20) * (2 * fine.positive - 1)
    patched = np.nan_to_num(patched)
    patched[..., cutoff + (cutoff - cutoff // 2) :] = 0  # the first copy
    y = imdct(np.pad(patched, ((0, 0), (first_frame, 0), (0, 0))), x.shape[1])
    part = y[0, 6 * HOP : -6 * HOP]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    loudest = np.fft.rfftfreq(len(part), 1 / RATE)[power.argmax()]
    shift = (loudest - hertz) / SPACE.bin_hz
    assert abs(shift - round(shift)) * SPACE.bin_hz < 1 and shift > 30
    assert share_near(y, loudest) > 0.5


@pytest.mark.parametrize("cut", [186, 187, 188])
def test_folded_atoms_have_the_signs_of_a_shift(cut):
    grid = np.random.default_rng(0).normal(0, 1, (1, 6, 512)).astype(np.float32)
    mask = np.broadcast_to(np.arange(512) >= cut, grid.shape)
    folded, width = fold(grid, mask), cut // 2
    first = np.sign(folded[..., cut : cut + width] * grid[..., cut - width : cut])
    assert (first[:, ::2] == 1).all() and (first[:, 1::2] == (-1) ** width).all()


@pytest.mark.parametrize("spacing", [17, 23, 31])
def test_harmonics_go_on_as_harmonics(spacing):
    rng = np.random.default_rng(0)
    deviation = rng.normal(0, 4, (1, 32, 186))
    deviation[..., spacing::spacing] += 20
    shifts = harmonic_shifts(deviation, 186)
    assert (shifts % spacing == 0).all() and (shifts >= 46).all() and (shifts <= 93).all()


def test_noise_is_copied_by_an_octave():
    deviation = np.random.default_rng(0).normal(0, 9, (1, 32, 186))
    assert (harmonic_shifts(deviation, 186) == 93).all()
