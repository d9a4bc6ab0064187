"""Atoms of unknown time, frequency or channel: which places they get."""

import numpy as np
import pytest

from atomizer.inpainting.sampling import placement

PLACES = np.array([[0, 0, 5], [0, 0, 9], [1, 3, 2]])
SCORES = [
    (0, PLACES[:2], np.array([3.0, 2.0])),
    (1, PLACES[:2], np.array([2.9, 0.0])),
    (2, PLACES[2:], np.array([-1.0])),
]
GROUPS = np.array([0, 0, 1])


def assigned(temperature=0.0, seed=0, scores=SCORES):
    generator = np.random.default_rng(seed)
    return dict(placement.assign(GROUPS, scores, temperature, generator))


def test_the_places_of_all_atoms_together_are_the_most_likely():
    assert assigned() == {0: (0, 0, 9), 1: (0, 0, 5), 2: (1, 3, 2)}


def test_large_groups_are_assigned_in_turn(monkeypatch):
    monkeypatch.setattr(placement, "PAIRS_AT_ONCE", 2)
    assert assigned() == {0: (0, 0, 5), 1: (0, 0, 9), 2: (1, 3, 2)}


def test_scores_of_several_windows_are_compared():
    parts = [(i, p[k : k + 1], s[k : k + 1]) for k in (0, 1) for i, p, s in SCORES[:2]]
    assert assigned(scores=parts) == {0: (0, 0, 9), 1: (0, 0, 5)}


@pytest.mark.parametrize("temperature, drawn", [(0.0, 1), (2.0, 2)])
def test_temperature_makes_it_a_draw(temperature, drawn):
    first = {assigned(temperature, seed)[0] for seed in range(20)}
    assert len(first) == drawn
