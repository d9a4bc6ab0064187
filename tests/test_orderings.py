from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomizer.analysis import MDCTAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.orderings import ORDERINGS, order, reveal_schedule, sort_key
from atomizer.atoms.space import AtomSpace

NAMES = tuple(ORDERINGS)


def places(atoms):
    return list(zip(atoms.time.tolist(), atoms.frequency.tolist(), atoms.channel.tolist()))


def loudness(atoms):
    return list(zip((-atoms.velocity).tolist(), (-np.abs(atoms.amplitude)).tolist()))


# what each ordering sorts by, written out
KEYS = {
    "time": lambda a: places(a),
    "frequency": lambda a: list(zip(a.frequency.tolist(), places(a))),
    "channel": lambda a: list(zip(a.channel.tolist(), places(a))),
    "velocity": lambda a: list(zip(loudness(a), places(a))),
}


def test_every_ordering_has_a_docstring():
    assert {"random", *KEYS} <= set(ORDERINGS)
    assert all(function.__doc__ for function in ORDERINGS.values())


@pytest.mark.parametrize("by", KEYS)
def test_sorts_by_its_key_then_by_time_frequency_and_channel(by, atoms):
    keys = KEYS[by](atoms[order(atoms, by)])
    assert keys == sorted(keys) and len(set(keys)) == len(keys)


def test_the_atoms_of_these_tests_have_ties(atoms):
    assert len(set(atoms.velocity.tolist())) < 10 and len(set(atoms.time.tolist())) < len(atoms)


def test_velocity_orders_by_level_then_exact_amplitude(small):
    amplitude = np.array([0.500, 0.505, -0.510, 0.1, 1.0], np.float32)
    n = np.arange(5, dtype=np.int32)
    atoms = Atoms(
        small,
        1000,
        1.0,
        n,
        n,
        0 * n,
        small.quantise(amplitude, 1.0),
        (amplitude > 0).astype(np.int8),
        amplitude,
        np.zeros(5, np.uint8),
    )
    assert len(set(atoms.velocity[:3].tolist())) == 1
    assert order(atoms, "velocity").tolist() == [4, 2, 1, 0, 3]


@pytest.mark.parametrize("reverse", (False, True))
@pytest.mark.parametrize("by", NAMES)
def test_orderings_do_not_depend_on_the_order_in_memory(by, reverse, atoms):
    permutation = order(atoms, by, reverse, seed=3)
    assert np.array_equal(np.sort(permutation), np.arange(len(atoms)))
    for seed in (1, 2):
        stored = atoms[np.random.default_rng(seed).permutation(len(atoms))]
        assert places(stored[order(stored, by, reverse, seed=3)]) == places(atoms[permutation])


@pytest.mark.parametrize("by", NAMES)
def test_reversed_is_the_same_from_its_end(by, atoms):
    assert (
        order(atoms, by, reverse=True, seed=5).tolist() == order(atoms, by, seed=5).tolist()[::-1]
    )


@pytest.mark.parametrize("by", NAMES)
def test_every_ordering_gives_the_same_sound(by, atoms):
    atomizer = MDCTAtomizer(atoms.space)
    np.testing.assert_array_equal(
        atomizer.synthesise(atoms[order(atoms, by)]), atomizer.synthesise(atoms)
    )


def test_random_follows_its_seed(atoms):
    assert order(atoms, "random", seed=1).tolist() == order(atoms, "random", seed=1).tolist()
    assert order(atoms, "random", seed=1).tolist() != order(atoms, "random", seed=2).tolist()
    assert order(atoms, "random", seed=1).tolist() != order(atoms, "time").tolist()


@given(st.integers(0, 2**32))
def test_random_favours_no_atom(atoms_of, seed):
    first = order(atoms_of(300), "random", seed=seed)[:150]
    assert 45 < (first < 150).sum() < 105  # 75 on average, 4.3 apart


def test_unknown_velocities_come_last_and_are_not_read(atoms):
    hidden = np.arange(len(atoms)) % 2 == 0
    masked = atoms.with_unknown(hidden, ["velocity"])
    permutation = order(masked, "velocity")
    assert hidden[permutation[-hidden.sum() :]].all()
    other = replace(
        masked,
        velocity=np.where(hidden, 50, masked.velocity).astype(np.int16),
        amplitude=np.where(hidden, 0.123, masked.amplitude).astype(np.float32),
    )
    assert order(other, "velocity").tolist() == permutation.tolist()


@pytest.mark.parametrize("by", ("time", "frequency", "channel"))
def test_an_unknown_place_is_not_read(by, atoms):
    """`Atoms.unknown`: set where that feature is ∅ and must not be read."""
    hidden = np.arange(len(atoms)) % 2 == 0
    masked = atoms.with_unknown(hidden, [by])
    top = getattr(atoms, by).max()
    other = replace(
        masked,
        **{by: np.where(hidden, top - getattr(atoms, by), getattr(atoms, by)).astype(np.int32)},
    )
    assert order(other, by).tolist() == order(masked, by).tolist()


def test_audibility_favours_what_nothing_masks():
    """Of two equally loud atoms the one beside a loud one comes last; too high ones, too."""
    space = AtomSpace()
    grid = np.zeros((1, 8, 1024), np.float32)
    grid[0, 2, 100:110] = 3.0  # loud, at 2.2 kHz
    grid[0, 2, 130] = grid[0, 6, 300] = grid[0, 6, 20] = grid[0, 6, 1000] = 0.02
    atoms = Atoms.from_grid(grid, space, 7000)
    first = atoms[order(atoms, "audibility")]
    assert first.frequency[0] == 300 and first.frequency[-1] == 1000
    assert first.frequency.tolist().index(130) > first.frequency.tolist().index(20)


def test_audibility_reads_no_unknown_velocities(atoms):
    hidden = np.arange(len(atoms)) % 2 == 0
    masked = atoms.with_unknown(hidden, ["velocity"])
    permutation = order(masked, "audibility")
    assert hidden[permutation[-hidden.sum() :]].all()
    other = replace(masked, amplitude=np.where(hidden, 9, masked.amplitude).astype(np.float32))
    assert order(other, "audibility").tolist() == permutation.tolist()


KEY_TYPES = (
    np.int8,
    np.uint16,
    np.int32,
    np.int64,
    np.uint64,
    np.float16,
    np.float32,
    np.float64,
    np.bool_,
)


@given(st.integers(0, 2**32), st.lists(st.sampled_from(KEY_TYPES), min_size=1, max_size=4))
def test_keys_of_every_type_sort_as_in_numpy(atoms_of, seed, kinds):
    """Integers of every width and floats with infinities, -0 and NaN; with ties, full range."""
    rng, atoms = np.random.default_rng(seed), atoms_of(60)
    last = np.lexsort((atoms.channel, atoms.frequency, atoms.time))
    for kind in kinds:
        if np.issubdtype(kind, np.floating):
            key = np.concatenate(
                [
                    rng.standard_normal(40),
                    rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 1.0, -1.0], 20),
                ]
            )
        elif kind is np.bool_ or rng.integers(2):
            key = rng.integers(0, 2, 60)
        else:
            key = rng.integers(
                np.iinfo(kind).min, np.iinfo(kind).max, 60, dtype=kind, endpoint=True
            )
        key = rng.permutation(key).astype(kind)
        assert (
            order(atoms, lambda a, key=key: key).tolist()
            == last[np.argsort(key[last], kind="stable")].tolist()
        )


@given(st.integers(0, 2**32))
def test_atoms_of_one_place_stay_in_their_order(atoms_of, seed):
    once, rng = atoms_of(30), np.random.default_rng(seed)
    twice = once[rng.integers(0, 30, 90)]
    for by, key in (
        ("time", ()),
        ("frequency", (twice.frequency,)),
        ("channel", (twice.channel,)),
        ("velocity", (-np.abs(twice.amplitude), -twice.velocity)),
    ):
        assert (
            order(twice, by).tolist()
            == np.lexsort((twice.channel, twice.frequency, twice.time, *key)).tolist()
        )


# --- orderings of the user's own


def test_a_key_function_sorts_ascending_with_tie_breaks(atoms):
    by_octave = order(atoms, lambda a: np.log2(a.frequency + 1).astype(int))
    chosen = atoms[by_octave]
    keys = list(zip(np.log2(chosen.frequency + 1).astype(int).tolist(), places(chosen)))
    assert keys == sorted(keys)
    assert (
        order(atoms, lambda a: -a.time, reverse=True).tolist()
        == order(atoms, lambda a: -a.time).tolist()[::-1]
    )


def test_a_constant_key_leaves_only_the_tie_breaks(atoms):
    shuffled = atoms[np.random.default_rng(0).permutation(len(atoms))]
    assert order(shuffled, lambda a: np.zeros(len(a))).tolist() == order(shuffled, "time").tolist()


@given(st.permutations(range(12)))
def test_a_permutation_is_used_unchanged(atoms_of, permutation):
    atoms = atoms_of(12)
    assert order(atoms, permutation).tolist() == list(permutation)
    assert order(atoms, np.array(permutation), reverse=True).tolist() == list(permutation)[::-1]
    assert len(atoms[order(atoms, permutation)]) == 12


def test_one_row_adds_an_ordering(monkeypatch, atoms):
    """The sampler and the training, which order the cells of a grid, have it, too."""

    def outwards(atoms, seed=0):
        return np.argsort(np.abs(atoms.frequency - 20), kind="stable")

    monkeypatch.setitem(ORDERINGS, "outwards", outwards)
    grid = atoms.to_grid()
    mask, magnitude = grid != 0, np.abs(grid)
    ranked = atoms[order(atoms, "outwards")]
    steps = reveal_schedule(mask, magnitude, "outwards", 3)
    assert np.all(np.diff(steps[ranked.channel, ranked.time, ranked.frequency].astype(int)) >= 0)
    assert not steps[~mask].any() and (steps[mask] > 0).all()
    key = sort_key("outwards", magnitude, np.zeros_like(magnitude))
    assert np.all(np.diff(key[ranked.channel, ranked.time, ranked.frequency]) > 0)


def test_no_atoms_have_an_empty_order(small, monkeypatch):
    monkeypatch.setitem(ORDERINGS, "from the end", lambda a, _: np.argsort(a.time.max() - a.time))
    nothing = Atoms(small, 100, 0.0)
    for by in (*ORDERINGS, (lambda a: a.time), []):
        assert len(order(nothing, by)) == 0


@pytest.mark.parametrize("by", ["loudness", "", "Velocity", "x" * 500])
def test_an_unknown_name_is_refused(by, atoms, refused):
    with refused("ordering", *NAMES):
        order(atoms, by)


@pytest.mark.parametrize(
    "by",
    [
        [0, 1],
        list(range(299)) + [0],
        list(range(1, 301)),
        list(range(301)),
        [[*range(300)]],
        ["a"] * 300,
    ],
    ids=["too few", "one twice", "from one", "too many", "two axes", "letters"],
)
def test_an_invalid_permutation_is_refused(by, atoms, refused):
    with refused("permutation", "300"):
        order(atoms, by)


@pytest.mark.parametrize("by", [[False, True], [1.0, 0.0]], ids=["booleans", "floats"])
def test_other_types_are_permutations_or_refused(by, atoms_of, refused):
    """For numpy these equal 0 and 1, but they do not permute an array."""
    atoms = atoms_of(2)
    try:
        permutation = order(atoms, by)
    except ValueError:
        return
    assert places(atoms[permutation]) == [places(atoms)[int(i)] for i in by]


@pytest.mark.parametrize(
    "key",
    [lambda a: 0, lambda a: a.time[:-1], lambda a: np.zeros((len(a), 2)), lambda a: None],
    ids=["one number", "too few", "two axes", "none"],
)
def test_an_invalid_key_function_is_refused(key, atoms, refused):
    with refused("key", "300"):
        order(atoms, key)
