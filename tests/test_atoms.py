import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomizer.analysis import ATOMIZERS, MDCTAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.space import BIT, FEATURES, LOUDNESS, SCALE, AtomSpace, parse_features
from atomizer.limits import Limits

SPACE = AtomSpace()


def same(a: Atoms, b: Atoms) -> bool:
    return (a.space, a.length, a.reference) == (b.space, b.length, b.reference) and all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in Atoms.ARRAYS
    )


# --- the declaration


def test_the_five_features_are_declared_once():
    assert (
        tuple(f.name for f in SPACE.features)
        == FEATURES
        == ("time", "frequency", "channel", "velocity", "sign")
    )
    assert {f.name: f.cardinality for f in SPACE.features} == {
        "time": SPACE.frames,
        "frequency": SPACE.hop,
        "channel": SPACE.channels,
        "velocity": SPACE.levels,
        "sign": 2,
    }
    assert [f.name for f in SPACE.features if f.locates] == ["time", "frequency", "channel"]
    assert all(f.unit and f.when_unknown for f in SPACE.features)


def test_the_cardinalities_follow_the_space():
    space = AtomSpace(hop=256, frames=100, channels=3, levels=40)
    assert [f.cardinality for f in space.features] == [100, 256, 3, 40, 2]


def test_every_feature_has_its_own_bit():
    assert list(BIT) == [*FEATURES, SCALE] and sorted(BIT.values()) == [1, 2, 4, 8, 16, 32]


def test_the_default_space_holds_every_accepted_sound():
    assert SPACE.frame_count(round(Limits.seconds * SPACE.rate)) <= SPACE.frames
    assert Limits.channels <= SPACE.channels


def test_units():
    assert SPACE.bin_hz == pytest.approx(44_100 / 2048)
    assert SPACE.seconds(43) == pytest.approx(43 * 1024 / 44_100)
    assert SPACE.hertz(0) == pytest.approx(SPACE.bin_hz / 2)
    assert SPACE.hertz(1023) == pytest.approx(22_050 - SPACE.bin_hz / 2)
    assert [SPACE.frame_count(n) for n in (1, 1024, 1025)] == [2, 2, 3]


@pytest.mark.parametrize(
    "names, parsed",
    [
        ("velocity,sign", LOUDNESS),
        (" sign , velocity ", LOUDNESS),
        (["sign", "time"], ("time", "sign")),
        ("sign,sign", ("sign",)),
        (FEATURES[::-1], FEATURES),
    ],
)
def test_feature_names_come_in_canonical_order(names, parsed):
    assert parse_features(names) == parsed


@pytest.mark.parametrize("names", ["loudness", "velocity,pitch", "", [], ",", ["x" * 500], [None]])
def test_invalid_feature_names_are_refused(names, refused):
    with refused("velocity"):
        parse_features(names)


# --- velocity


def test_levels_are_decibels_below_the_reference():
    assert SPACE.level_db(SPACE.levels - 1) == SPACE.headroom_db
    assert SPACE.level_db(50) - SPACE.level_db(49) == SPACE.step_db
    assert SPACE.floor_db == SPACE.level_db(1) == pytest.approx(-82)
    zero_db = SPACE.levels - 1 - round(SPACE.headroom_db / SPACE.step_db)
    assert SPACE.quantise(np.array([0.25, -0.25, 0.125]), 0.25).tolist() == [
        zero_db,
        zero_db,
        zero_db - 6,
    ]
    assert SPACE.amplitude(np.array([zero_db]), 0.25)[0] == pytest.approx(0.25)


@given(
    st.floats(1e-6, 1e4),
    st.sampled_from(
        [AtomSpace(), AtomSpace(levels=32, step_db=3.0), AtomSpace(step_db=0.5, headroom_db=0)]
    ),
)
def test_every_level_survives_the_round_trip(reference, space):
    levels = np.arange(space.levels)
    np.testing.assert_array_equal(
        space.quantise(space.amplitude(levels, reference), reference), levels
    )


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_quantising_errs_by_half_a_step_at_most(values):
    values = np.array(values, np.float32)
    level = SPACE.quantise(values, 1.0)
    assert level.dtype == np.int16 and (level >= 0).all() and (level < SPACE.levels).all()
    heard = level > 0
    error = 20 * np.log10(SPACE.amplitude(level, 1.0)[heard] / np.abs(values[heard]))
    assert (np.abs(error) <= SPACE.step_db / 2 + 1e-4).all()
    assert (
        np.abs(values[~heard]) <= 10 ** ((SPACE.floor_db - SPACE.step_db / 2) / 20) * 1.0001
    ).all()


def test_level_zero_is_silence_and_loud_values_are_clipped():
    assert SPACE.amplitude(np.array([0]), 1.0)[0] == 0
    assert SPACE.quantise(np.array([0.0, 1e-9, 1e6, -1e6]), 1.0).tolist() == [
        0,
        0,
        SPACE.levels - 1,
        SPACE.levels - 1,
    ]
    assert SPACE.quantise(np.zeros(3), 0.0).tolist() == [0, 0, 0]


# --- the bag


def test_atoms_of_a_grid_are_its_non_zero_cells(small):
    grid = np.zeros((2, 5, 64), np.float32)
    grid[1, 2, 3], grid[0, 4, 60] = -0.5, 0.25
    atoms = Atoms.from_grid(grid, small, 4 * 64)
    assert len(atoms) == 2 and atoms.reference == 0.5
    assert list(zip(atoms.channel, atoms.time, atoms.frequency, atoms.amplitude, atoms.sign)) == [
        (0, 4, 60, 0.25, 1),
        (1, 2, 3, -0.5, 0),
    ]
    assert atoms.velocity[1] - atoms.velocity[0] == 6 and not atoms.unknown.any()
    np.testing.assert_array_equal(atoms.to_grid()[:2], grid)


def test_silent_cells_can_become_atoms(small):
    grid = np.zeros((1, 3, 64), np.float32)
    where = np.zeros(grid.shape, bool)
    where[0, 1, :5] = True
    atoms = Atoms.from_grid(grid, small, 100, where=where)
    assert (
        len(atoms) == 5 and not atoms.audible.any() and atoms.frequency.tolist() == [0, 1, 2, 3, 4]
    )


def test_indexing_permutes_every_feature_alike(atoms):
    atoms = atoms.with_unknown(np.arange(len(atoms)) % 3 == 0, ["sign"])
    permutation = np.random.default_rng(0).permutation(len(atoms))
    shuffled = atoms[permutation]
    for name in Atoms.ARRAYS:
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(atoms, name)[permutation])
    assert same(shuffled[np.argsort(permutation)], atoms)
    assert len(atoms[:10]) == 10 and len(atoms[atoms.channel == 1]) == (atoms.channel == 1).sum()


def test_unknown_features_are_one_bit_each(atoms):
    first = np.arange(len(atoms)) < 10
    some = atoms.with_unknown(first, ["velocity"]).with_unknown(
        np.arange(len(atoms)) == 5, "sign,time"
    )
    assert not atoms.unknown.any(), "with_unknown must leave its atoms alone"
    np.testing.assert_array_equal(some.is_unknown("velocity"), first)
    assert (
        np.flatnonzero(some.is_unknown("sign")).tolist()
        == np.flatnonzero(some.is_unknown("time")).tolist()
        == [5]
    )
    assert not some.is_unknown("frequency").any() and not some.is_unknown("channel").any()


@given(st.floats(-60, 0))
def test_a_threshold_keeps_what_is_at_or_above_it(atoms_of, db):
    atoms = atoms_of(ties=False)
    kept = atoms.above(db)
    loud = 20 * np.log10(np.abs(atoms.amplitude.astype(np.float64)) / atoms.reference)
    assert (
        20 * np.log10(np.abs(kept.amplitude.astype(np.float64)) / kept.reference) >= db - 1e-4
    ).all()
    assert (loud > db + 1e-4).sum() <= len(kept) <= (loud > db - 1e-4).sum()
    assert kept.reference == atoms.reference


def test_a_threshold_of_0_db_keeps_the_loudest(atoms):
    assert (np.abs(atoms.above(0).amplitude) == 0.5).all() and len(atoms.above(0)) == (
        atoms.amplitude == 0.5
    ).sum()


@given(st.integers(0, 400))
def test_keeping_the_loudest_n(atoms_of, count):
    atoms = atoms_of(300)
    kept = atoms.loudest(count)
    assert len(kept) == min(count, 300)
    rest = np.sort(np.abs(atoms.amplitude))[: 300 - len(kept)]
    if 0 < count < 300:
        assert np.abs(kept.amplitude).min() >= rest.max()
    places = list(zip(kept.channel, kept.time, kept.frequency))
    assert places == sorted(places), "the atoms stay in their present order"


def test_atoms_only_keeps_level_and_sign(atoms_of):
    atoms = atoms_of(ties=False)
    rebuilt = atoms.atoms_only()
    heard = atoms.audible
    np.testing.assert_array_equal(
        np.sign(rebuilt.amplitude[heard]), np.sign(atoms.amplitude[heard])
    )
    error = 20 * np.log10(np.abs(rebuilt.amplitude[heard] / atoms.amplitude[heard]))
    assert 0.1 < np.abs(error).max() <= atoms.space.step_db / 2 + 1e-3
    assert not rebuilt.amplitude[~heard].any()


def test_another_analysis_is_refused(refused, small):
    SPACE.check_same_analysis(replace(SPACE, frames=32, channels=2))
    for name, value in (
        ("rate", 48_000),
        ("hop", 512),
        ("window", "kbd"),
        ("levels", 64),
        ("step_db", 2.0),
        ("headroom_db", 6.0),
    ):
        with refused("checkpoint", name, str(value)):
            SPACE.check_same_analysis(replace(SPACE, **{name: value}))


# --- sound


@pytest.mark.parametrize("window", ("sine", "kbd"))
@pytest.mark.parametrize("length, channels", [(1, 1), (3000, 1), (5001, 2), (2000, 8)])
def test_analysis_and_synthesis_are_exact(length, channels, window, samples):
    x = samples(length, channels)
    atomizer = MDCTAtomizer(AtomSpace(window=window))
    y = atomizer.synthesise(atomizer.analyse(x), channels)
    assert y.shape == x.shape
    assert np.linalg.norm(y - x) < 1e-6 * np.linalg.norm(x)


def test_silence_has_no_atoms_and_sounds_silent(small):
    atomizer = MDCTAtomizer(small)
    atoms = atomizer.analyse(np.zeros((2, 500), np.float32))
    assert len(atoms) == 0 and atoms.reference == 0
    out = atomizer.synthesise(atoms, 2)
    assert out.shape == (2, 500) and not out.any()


@given(st.integers(0, 2**32 - 1))
def test_synthesis_is_bit_exact_in_any_order(atoms_of, seed):
    atoms = atoms_of(ties=False)
    atomizer = MDCTAtomizer(atoms.space)
    permutation = np.random.default_rng(seed).permutation(len(atoms))
    np.testing.assert_array_equal(
        atomizer.synthesise(atoms[permutation], 2), atomizer.synthesise(atoms, 2)
    )


def test_atoms_that_share_a_place_add_up_in_any_order(small):
    """A model that places atoms in time or frequency again may put two in one place."""
    one = np.ones(3, np.int32)
    atoms = Atoms(
        small,
        300,
        0.5,
        one,
        one,
        0 * one,
        small.quantise(np.array([0.5, 0.25, 0.125]), 0.5),
        one.astype(np.int8),
        np.array([0.5, 0.25, 0.125], np.float32),
        np.zeros(3, np.uint8),
    )
    for permutation in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert atoms[permutation].to_grid()[0, 1, 1] == pytest.approx(0.875)


def test_the_analysis_can_be_shortened(small, samples):
    atomizer, x = MDCTAtomizer(small), samples(2000, 2, 8000)
    everything = atomizer.analyse(x)
    assert len(atomizer.analyse(x, loudest=100)) == 100
    assert 0 < len(atomizer.analyse(x, threshold_db=-30)) < len(everything)
    assert len(atomizer.analyse(x, threshold_db=-30, loudest=7)) == 7
    error = [
        np.linalg.norm(atomizer.synthesise(atomizer.analyse(x, loudest=n), 2) - x)
        for n in (10, 100, 1000)
    ]
    assert error[0] > error[1] > error[2]


def test_other_shapes_and_too_many_channels_are_refused(small, samples, refused):
    with refused("9 channels"):
        MDCTAtomizer(small).analyse(samples(100, 9))
    with refused("(channels, samples)", "sound.at"):
        MDCTAtomizer(small).analyse(samples(100, 1)[0])


def test_every_atomizer_has_the_same_interface():
    for make in ATOMIZERS.values():
        assert callable(make().analyse) and callable(make().synthesise)


# --- files


def test_atoms_survive_a_file(tmp_path, atoms):
    atoms = atoms.with_unknown(atoms.channel == 1, ["sign", "velocity"])[::-1]
    atoms.save(tmp_path / "atoms.npz")
    loaded = Atoms.load(tmp_path / "atoms.npz")
    assert same(loaded, atoms)
    assert all(getattr(loaded, name).dtype == getattr(atoms, name).dtype for name in Atoms.ARRAYS)


def test_no_atoms_survive_a_file(tmp_path, small):
    Atoms(small, 100, 0.0).save(tmp_path / "none.npz")
    assert len(Atoms.load(tmp_path / "none.npz")) == 0


def test_atoms_are_saved_under_exactly_the_given_name(tmp_path, atoms):
    atoms.save(tmp_path / "mine.atoms")
    assert same(Atoms.load(tmp_path / "mine.atoms"), atoms)


def broken(atoms, tmp_path, **changes):
    """A file of these atoms with some of its arrays replaced, or left out where None."""
    atoms.save(tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as file:
        data = {name: file[name] for name in file.files}
    data.update(changes)
    np.savez(
        tmp_path / "bad.npz", **{name: value for name, value in data.items() if value is not None}
    )
    return tmp_path / "bad.npz"


@pytest.mark.parametrize(
    "content", [b"", b"no atoms", b"PK\x03\x04 half a zip", np.random.default_rng(0).bytes(5000)]
)
def test_garbage_is_refused(content, tmp_path, refused):
    (tmp_path / "garbage.npz").write_bytes(content)
    with refused("atoms"):
        Atoms.load(tmp_path / "garbage.npz")


def test_other_npy_and_npz_files_are_refused(tmp_path, refused):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.save(tmp_path / "other.npy", np.zeros(3))
    for name in ("other.npz", "other.npy", "missing.npz"):
        with refused("atoms"):
            Atoms.load(tmp_path / name)


class Bomb:
    went_off = False

    def __reduce__(self):
        return (setattr, (Bomb, "went_off", True))


def test_no_pickle_is_ever_loaded(tmp_path, atoms, refused):
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Bomb()))
    with refused("atoms"):
        Atoms.load(tmp_path / "pickle.npz")
    for name in ("amplitude", "time", "space_window"):
        with refused("atoms"):
            Atoms.load(broken(atoms, tmp_path, **{name: np.array([Bomb()] * len(atoms), object)}))
    assert not Bomb.went_off


@pytest.mark.parametrize(
    "name, value, word",
    [
        ("time", -1, "time"),
        ("time", 10_000, "time"),
        ("frequency", 64, "frequency"),
        ("channel", 8, "channel"),
        ("velocity", 96, "velocity"),
        ("velocity", -1, "velocity"),
        ("sign", 2, "sign"),
        ("amplitude", np.nan, "amplitude"),
        ("amplitude", np.inf, "amplitude"),
    ],
)
def test_values_out_of_range_are_refused(name, value, word, tmp_path, atoms, refused):
    array = getattr(atoms, name).copy()
    array[7] = value
    with refused(word):
        Atoms.load(broken(atoms, tmp_path, **{name: array}))


@pytest.mark.parametrize(
    "changes",
    [
        {"time": np.zeros(3, np.int32)},
        {"sign": None},
        {"length": None},
        {"space_hop": None},
        {"space_colour": np.array(3)},
        {"space_hop": np.array(0)},
        {"length": np.array(-5000)},
        {"reference": np.array(np.nan)},
        {"space_window": np.array("hann")},
        {"time": np.full(300, 0.5)},
        {"amplitude": np.array(["loud"] * 300)},
        {"sign": np.zeros((300, 2), np.int8)},
    ],
    ids=lambda c: next(iter(c)),
)
def test_inconsistent_files_are_refused(changes, tmp_path, atoms, refused):
    with refused():
        Atoms.load(broken(atoms, tmp_path, **changes))
