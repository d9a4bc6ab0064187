"""Benchmarks of matching pursuit measure what their names say."""

import numpy as np
import pytest

from atomizer.analysis import ATOMIZERS, MatchingPursuitAtomizer, MDCTAtomizer, Stop
from atomizer.benchmarks import atomizers, pursuit


def test_plain_peer_selects_the_same_atoms(samples):
    x = samples(12_000)
    *_, ours = MatchingPursuitAtomizer().pursue(x, Stop(atoms=60))
    np.testing.assert_allclose(pursuit.plain(x[0], 60), ours.residual[0], atol=1e-5)


def test_pursuit_benchmarks_have_names_and_units(monkeypatch, samples):
    monkeypatch.setattr(pursuit, "clips", lambda: [samples(12_000, seed=seed) for seed in (0, 1)])
    (speed,), (ratio,) = pursuit.speed(50, 20), pursuit.ratio(20)
    assert (
        (speed.name, speed.unit) == ("pursuit_atoms_per_s", "atoms/s")
        and speed.value > 0
        and speed.peer_value > 0
    )
    assert (ratio.name, ratio.unit) == (
        "pursuit_srr_20_db",
        "dB",
    ) and ratio.value > ratio.peer_value > 0
    assert set(pursuit.BENCHMARKS) == {"pursuit_atoms_per_s", "pursuit_srr_1000_db"}


def test_clips_are_five_seconds_of_mono():
    clips = pursuit.clips()
    assert len(clips) >= 4 and all(clip.shape == (1, 220_500) for clip in clips)


def test_missing_examples_raise_one_sentence(monkeypatch, tmp_path, refused):
    monkeypatch.setattr(pursuit, "ASSETS", tmp_path)
    with refused("example sounds"):
        next(pursuit.speed())


def test_curves_rise_to_the_target_ratio(monkeypatch, samples):
    monkeypatch.setattr(atomizers, "clip", lambda name: samples(9000))
    curves = [atomizers.curve("noise", name, 10) for name in ("mdct", "matching-pursuit")]
    for curve in curves:
        assert (
            (np.diff(curve.srr_db) >= 0).all()
            and curve.srr_db[0] == 0
            and curve.srr_db[-1] >= 10
            and len(curve.seconds) == len(curve.srr_db)
        )
        n, _ = curve.needed(10)
        assert curve.srr_db[n - 1] < 10 <= curve.srr_db[n]
    loudest = MDCTAtomizer().analyse(samples(9000), loudest=curves[0].needed(10)[0])
    left = samples(9000) - MDCTAtomizer().synthesise(loudest)
    assert 10 <= 10 * np.log10(np.sum(samples(9000) ** 2) / np.sum(left**2)) < 11, (
        "a little of the residual lies beyond the ends"
    )
    assert curves[1].needed(40) is None and "| noise | mdct |" in atomizers.table(curves)
    assert len(atomizers.draw(curves).axes) == 1


def test_slow_pursuits_end_at_their_largest_number(monkeypatch, samples):
    monkeypatch.setattr(atomizers, "clip", lambda name: samples(9000))
    monkeypatch.setitem(atomizers.COMPARED, "matching-pursuit-optimised", 5)
    curve = atomizers.curve("noise", "matching-pursuit-optimised")
    assert len(curve.srr_db) == 6 and curve.needed(30) is None
    assert set(atomizers.COMPARED) == set(ATOMIZERS) == set(atomizers._COLOURS)


@pytest.mark.parametrize("count", [0, 1])
def test_plain_peer_reduces_the_energy(samples, count):
    x = samples(3000)
    assert np.sum(pursuit.plain(x[0], count) ** 2) < np.sum(x**2) * (1 + 1e-6) - (
        0.01 if count else 0
    )
