"""The bench of the pursuit: what it measures is what it says."""

import numpy as np
import pytest

from atomizer.atomizers import MatchingPursuitAtomizer, Stop
from atomizer.bench import pursuit


def test_the_plain_peer_takes_the_same_atoms(samples):
    x = samples(12_000)
    *_, ours = MatchingPursuitAtomizer().pursue(x, Stop(atoms=60))
    np.testing.assert_allclose(pursuit.plain(x[0], 60), ours.residual[0], atol=1e-5)


def test_the_figures_have_their_names(monkeypatch, samples):
    monkeypatch.setattr(pursuit, "clips", lambda: [samples(12_000, seed=seed) for seed in (0, 1)])
    speed, ratio = pursuit.measure(50, 20)
    assert (speed.name, speed.unit) == ("pursuit_atoms_per_s", "atoms/s") and speed.value > 0 and speed.peer_value > 0
    assert (ratio.name, ratio.unit) == ("pursuit_srr_20_db", "dB") and ratio.value > ratio.peer_value > 0
    assert pursuit.FEW == 1000


def test_clips_are_five_seconds_of_mono():
    clips = pursuit.clips()
    assert len(clips) >= 4 and all(clip.shape == (1, 220_500) for clip in clips)


def test_without_examples_one_sentence(monkeypatch, tmp_path, refused):
    monkeypatch.setattr(pursuit, "ASSETS", tmp_path)
    with refused("example sounds"):
        next(pursuit.measure())


@pytest.mark.parametrize("count", [0, 1])
def test_the_peer_lets_the_energy_fall(samples, count):
    x = samples(3000)
    assert np.sum(pursuit.plain(x[0], count) ** 2) < np.sum(x**2) * (1 + 1e-6) - (0.01 if count else 0)
