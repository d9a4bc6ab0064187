"""Level tracks: levels of bands above a cutoff, frame by frame, from those of the bands below."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from atomizer.atoms.space import AtomSpace
from atomizer.io import resources
from atomizer.priors.band_levels import BANDS, band_edges, band_powers
from atomizer.priors.highs import level_tracks
from atomizer.priors.highs.level_tracks import FILE, RelativeLevels, shipped, track_gains

SPACE = AtomSpace()
CUTOFF = 372  # 8 kHz
NO_TRUST, FULL_TRUST = np.zeros(SPACE.hop), np.ones(SPACE.hop)
EDGES = band_edges(SPACE)
TOOL = Path(__file__).parents[1] / "tools" / "fit_level_tracks.py"


def pink(level_db=0.0, above_db=0.0, frames=96):
    """A grid (2, frames, F) of pink noise with levels in dB, one or (frames,), above the cutoff."""
    bins = np.arange(SPACE.hop) + 0.5
    level = np.broadcast_to(level_db, frames)[:, None]
    level = level + np.where(bins < CUTOFF, 0, 1) * np.broadcast_to(above_db, frames)[:, None]
    std = bins**-0.5 * 10 ** (level / 20)
    return np.random.default_rng(0).normal(0, std, (2, frames, SPACE.hop)).astype(np.float32)


def beats(frames=96):
    """(frames,) dB: an attack every 12 frames, which decays by 1.5 dB per frame."""
    return -1.5 * (np.arange(frames) % 12)


def changes(grid):
    """(T, bands) dB: levels of the bands above the cutoff, without their means."""
    level = 10 * np.log10(band_powers(grid, EDGES)[:, 29:])
    return level - level.mean(0)


def test_the_shipped_network_is_small_and_its_errors_are_known():
    assert (resources.path("checkpoints") / FILE).stat().st_size < 1_000_000
    assert (shipped().error_db[18:BANDS] > 2).all() and (shipped().error_db < 12).all()


def test_highs_follow_the_attacks_below_the_cutoff():
    flat = pink(beats(), above_db=-beats())  # beats below the cutoff, steady above it
    gain = track_gains(flat, CUTOFF, NO_TRUST, SPACE)
    wanted = beats() - beats().mean()
    before, after = (changes(x).mean(1) for x in (flat, flat * gain))
    assert before.std() < 1
    assert np.corrcoef(after, wanted)[0, 1] > 0.9 and after.std() > 0.3 * wanted.std()


def test_known_bins_and_certain_fills_keep_their_levels():
    grid = pink(beats(), above_db=-20)
    assert (track_gains(grid, CUTOFF, NO_TRUST, SPACE)[:, :CUTOFF] == 1).all()
    assert np.abs(track_gains(grid, CUTOFF, FULL_TRUST, SPACE) - 1).max() < 1e-6


def test_steady_noise_stays_steady():
    gain_db = 20 * np.log10(track_gains(pink(), CUTOFF, NO_TRUST, SPACE))
    assert gain_db.std(0).max() < 1 and np.abs(gain_db[:, : 2 * CUTOFF]).max() < 5


def test_bands_keep_their_means_if_requested():
    grid = pink(beats(), above_db=-30)
    mean_db = [
        10 * np.log10(band_powers(grid * gain, EDGES)[:, 30:]).mean()
        for gain in (
            np.float32(1),
            track_gains(grid, CUTOFF, NO_TRUST, SPACE, keep_mean=True),
            track_gains(grid, CUTOFF, NO_TRUST, SPACE),
        )
    ]
    assert abs(mean_db[1] - mean_db[0]) < 0.5 and mean_db[2] > mean_db[0] + 3


@pytest.mark.parametrize("factor", [1e-3, 10])
def test_gains_do_not_depend_on_the_level(factor):
    grid = pink(beats(), above_db=-10)
    gains = (track_gains(x, CUTOFF, NO_TRUST, SPACE) for x in (grid, grid * np.float32(factor)))
    assert np.allclose(*gains, atol=1e-2)


@pytest.mark.parametrize(
    "grid, cutoff, space",
    [
        (np.zeros((1, 50, SPACE.hop), np.float32), CUTOFF, SPACE),
        (pink(frames=8), CUTOFF, SPACE),
        (pink(), 20, SPACE),
        (pink(), CUTOFF, AtomSpace(rate=48_000)),
    ],
    ids=["silence", "a short sound", "a low cutoff", "atoms of another rate"],
)
def test_levels_stay_where_nothing_is_predicted(grid, cutoff, space):
    assert (track_gains(grid, cutoff, NO_TRUST, space) == 1).all()


def test_pauses_do_not_count_in_the_reference():
    level = np.full((60, BANDS), -20.0)
    level[30:] = -100
    levels = RelativeLevels.of(level, 20)
    assert levels.active.sum() == 30
    assert levels.reference == pytest.approx(-20 + 10 * np.log10(20), abs=1e-6)
    assert levels.level_db[30:].max() == pytest.approx(-100 - levels.reference)


def test_the_tool_trains_a_network_that_fills_use(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("fit_level_tracks", TOOL)
    tool = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, tool)
    spec.loader.exec_module(tool)
    rng = np.random.default_rng(0)
    for number in range(12):  # of which a part is held out by name
        noise = rng.normal(0, 0.1, 44_100 * 3) * (1 + np.sin(np.arange(44_100 * 3) / 3000))
        soundfile.write(tmp_path / f"noise-{number}.wav", noise, 44_100)
    out = tmp_path / "tracks.npz"
    monkeypatch.setattr(sys, "argv", ["fit", str(tmp_path), str(out), "--steps", "3"])
    tool.main()
    monkeypatch.setattr(level_tracks.resources, "path", lambda name: tmp_path)
    monkeypatch.setattr(level_tracks, "FILE", out.name)
    shipped.cache_clear()
    try:
        gain = track_gains(pink(above_db=-20), CUTOFF, NO_TRUST, SPACE)
    finally:
        shipped.cache_clear()
    assert np.isfinite(gain).all() and not (gain == 1).all()
