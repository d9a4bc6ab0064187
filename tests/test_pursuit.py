"""Matching pursuit: it finds planted atoms and conserves energy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomizer.analysis import MatchingPursuitAtomizer, MDCTAtomizer, Stop
from atomizer.analysis.matching_pursuit import GABOR, OPTIMISED, PLAIN
from atomizer.analysis.pursuit import LocalPursuit, dictionary_of
from atomizer.analysis.pursuit.gram import bin_phases, pair
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.orderings import ORDERINGS, order
from atomizer.atoms.selection import Region, Selection, parse
from atomizer.atoms.space import ScaleSpace
from atomizer.inpainting.erase import erase_atoms

SMALL = ScaleSpace(rate=8000, hop=8, scales=(16, 64, 256))
MOVED = replace(SMALL, hop=1)
FREE = replace(SMALL, hop=4, window="gauss", phases=16)
SPACES = {
    "plain": SMALL,
    "kbd": replace(SMALL, window="kbd"),
    "optimised": MOVED,
    "gauss": FREE,
    "damped": replace(FREE, window="damped"),
}
each_space = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
numba = pytest.importorskip  # for the tests that compare with it


def decibels(x, y):
    return 10 * np.log10(
        np.sum(np.square(x, dtype=float)) / max(np.sum(np.square(y, dtype=float)), 1e-30)
    )


def planted(space, places, length=2000):
    """(samples, places) of atoms (scale, frame, bin, amplitude), as the dictionary has them."""
    dictionary = dictionary_of(space)
    out = dictionary.padded(np.zeros((1, length)))
    for scale, frame, bin_, amplitude in places:
        wave = dictionary.waveforms(scale, bin_)[0]
        out[0, dictionary.span(scale, frame * dictionary.strides[scale])] += (
            amplitude * wave / np.linalg.norm(wave)
        )
    return out[:, dictionary.pad : dictionary.pad + length].astype(np.float32)


# --- conservation


@given(
    st.sampled_from(list(SPACES)),
    st.integers(1, 900),
    st.integers(1, 3),
    st.integers(0, 99),
    st.booleans(),
)
def test_the_energy_decreases_by_that_of_the_atom(name, length, channels, seed, compiled):
    samples = np.random.default_rng(seed).standard_normal((channels, length)).astype(np.float32)
    atomizer = MatchingPursuitAtomizer(
        SPACES[name], compiled=compiled and name in ("plain", "kbd") and bool(numba("numba"))
    )
    before, taken = float(np.sum(samples.astype(float) ** 2)), 0
    for pursuit in atomizer.pursue(samples, Stop(atoms=20 * channels), every=1):
        energy = pursuit.state.energy
        fallen = float(sum(step.energy.sum() for step in pursuit.taken[taken:]))
        assert before - energy == pytest.approx(fallen, rel=1e-9, abs=1e-12 * before)
        assert energy < before or not fallen
        before, taken = energy, len(pursuit.taken)


@given(st.sampled_from(list(SPACES)), st.integers(1, 900), st.integers(1, 3), st.integers(0, 99))
def test_atoms_and_residual_are_the_sound(name, length, channels, seed):
    samples = np.random.default_rng(seed).standard_normal((channels, length)).astype(np.float32)
    atomizer = MatchingPursuitAtomizer(SPACES[name], Stop(atoms=60))
    *_, pursuit = atomizer.pursue(samples)
    together = atomizer.synthesise(pursuit.atoms, channels) + pursuit.residual
    assert np.abs(together - samples).max() < 1e-6 * np.abs(samples).max()


def test_atoms_and_residual_are_the_sound_at_full_size(samples):
    x = samples(30_000, 2)
    for space in (PLAIN, OPTIMISED, GABOR):
        atomizer = MatchingPursuitAtomizer(space, Stop(atoms=100))
        *_, pursuit = atomizer.pursue(x)
        together = atomizer.synthesise(pursuit.atoms, 2) + pursuit.residual
        assert np.linalg.norm(together - x) < 1e-6 * np.linalg.norm(x)


@each_space
def test_every_order_of_the_atoms_is_the_same_sound(space, samples):
    atomizer = MatchingPursuitAtomizer(space)
    atoms = atomizer.analyse(samples(1500, 2, 8000), loudest=150)
    whole = atomizer.synthesise(atoms, 2)
    for by in ORDERINGS:
        np.testing.assert_allclose(
            atomizer.synthesise(atoms[order(atoms, by)], 2), whole, atol=1e-7
        )


# --- what is there is found


@each_space
def test_planted_atoms_are_found(space, refused):
    # far enough from each other that the greedy choice is the true one
    places = (
        [(2, 3, 40, 1.0), (0, 150, 4, -0.5), (1, 40, 9, 0.25)]
        if space.phases == 2
        else [(2, 6, 40, 1.0), (0, 300, 4, 0.5), (1, 80, 9, 0.25)]
    )
    x = planted(space, places)
    atomizer = MatchingPursuitAtomizer(space)
    atoms = atomizer.analyse(x, loudest=3)
    dictionary = dictionary_of(space)
    for n, (scale, frame, bin_, amplitude) in enumerate(places):
        assert (atoms.scale[n], space.scale_bin(atoms.scale[n], atoms.frequency[n])) == (
            scale,
            bin_,
        )
        assert atoms.time[n] * space.hop == frame * dictionary.strides[scale]
        assert abs(atoms.amplitude[n]) == pytest.approx(abs(amplitude), rel=1e-4)
        assert (
            space.phase(atoms.sign[n]) == 0
            if space.phases > 2
            else atoms.sign[n] == (amplitude > 0)
        )
    assert decibels(x, x - atomizer.synthesise(atoms)) > 60


def test_a_click_is_short_and_a_tone_is_long():
    t = np.arange(4000) / 8000
    tone, click = 0.1 * np.sin(2 * np.pi * 1000 * t), np.where(np.arange(4000) == 2003, 1.0, 0.0)
    for space in (SMALL, MOVED, FREE):
        atoms = MatchingPursuitAtomizer(space).analyse(
            (tone + click)[None].astype(np.float32), loudest=60
        )
        of = {scale: atoms[atoms.scale == scale] for scale in (0, 2)}
        assert len(of[0]) and np.all(np.abs(space.seconds(of[0].time) - 2003 / 8000) < 16 / 8000)
        loud = of[2].above(-20)
        assert len(loud) and np.all(np.abs(space.hertz(loud.frequency) - 1000) < 50)


def test_a_chirp_is_followed():
    t = np.arange(8000) / 8000
    # from 500 to 3000 Hz
    chirp = np.sin(2 * np.pi * (500 * t + 1250 * t**2)).astype(np.float32)[None]
    for space in (SMALL, MOVED, FREE):
        atoms = MatchingPursuitAtomizer(space).analyse(chirp, loudest=80)
        off = space.hertz(atoms.frequency) - (500 + 2500 * space.seconds(atoms.time))
        weight = atoms.amplitude**2
        assert np.sum(weight[np.abs(off) < 150]) > 0.9 * np.sum(weight)


def test_optimised_atoms_lie_between_the_frames():
    dictionary, out = dictionary_of(MOVED), np.zeros((1, 3000), np.float32)
    wave = dictionary.waveforms(2, 30)[0]
    out[0, 1000:1256] = wave
    atoms = MatchingPursuitAtomizer(MOVED).analyse(out, loudest=1)
    assert (atoms.time[0], atoms.scale[0]) == (1128, 2) and atoms.amplitude[0] == pytest.approx(
        1, rel=1e-4
    )
    assert abs(MatchingPursuitAtomizer(SMALL).analyse(out, loudest=1).amplitude[0]) < 0.95


def test_optimised_pursuit_leaves_at_least_a_decibel_less(samples):
    x = samples(20_000)
    left = {}
    for space in (PLAIN, OPTIMISED):
        *_, pursuit = MatchingPursuitAtomizer(space).pursue(x, Stop(atoms=60))
        left[space] = pursuit.srr_db
    assert left[OPTIMISED] > left[PLAIN] + 1


# --- channels


@each_space
def test_channels_share_places_but_not_velocity_and_sign(space, samples):
    mono = samples(1500, 1, 8000)[0]
    x = np.stack([mono, -0.5 * mono, np.zeros_like(mono)])
    atoms = MatchingPursuitAtomizer(space).analyse(x, loudest=40)
    assert len(atoms) == 40 and set(atoms.channel) == {0, 1}, "a silent channel has no atoms"
    left, right = (atoms[atoms.channel == c] for c in (0, 1))
    for name in ("time", "frequency", "scale"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    np.testing.assert_allclose(np.abs(right.amplitude), 0.5 * np.abs(left.amplitude), rtol=1e-5)
    assert np.all((left.sign + space.phases // 2) % space.phases == right.sign)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_last_step_takes_no_more_atoms_than_requested(samples, compiled):
    numba("numba")
    for count in (1, 2, 3, 4, 5):
        atoms = MatchingPursuitAtomizer(SMALL, compiled=compiled).analyse(
            samples(800, 3, 8000), loudest=count
        )
        assert len(atoms) == count


# --- when it ends


@each_space
def test_it_stops_at_a_ratio(space, samples):
    x = samples(1500, 1, 8000)
    for pursuit in MatchingPursuitAtomizer(space).pursue(x, Stop(srr_db=15), every=1):
        assert (pursuit.srr_db >= 15) == bool(pursuit.done)
    assert pursuit.done == "srr" and 15 <= pursuit.srr_db < 17


def test_it_stops_after_its_time_or_when_the_caller_stops(samples):
    x = samples(20_000, 1)
    atomizer = MatchingPursuitAtomizer(PLAIN, Stop(seconds=0))
    *_, last = atomizer.pursue(x)
    assert last.done == "seconds" and 0 < last.count <= 64
    seen = []
    for pursuit in atomizer.pursue(x, Stop(atoms=50), every=10):
        seen.append((pursuit.count, len(pursuit.atoms), pursuit.done))
        if pursuit.count >= 30:
            break
    assert seen == [(10, 10, ""), (20, 20, ""), (30, 30, "")]


def test_the_atoms_do_not_depend_on_the_number_of_yields(samples):
    x = samples(1500, 2, 8000)
    for compiled in (False, bool(numba("numba"))):
        atomizer = MatchingPursuitAtomizer(SMALL, Stop(atoms=1200), compiled=compiled)
        one, other = ([*atomizer.pursue(x, every=every)][-1].atoms for every in (7, 500))
        for name in one.arrays:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@each_space
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_has_no_atoms(space, channels):
    atomizer = MatchingPursuitAtomizer(space)
    *_, pursuit = atomizer.pursue(np.zeros((channels, 500), np.float32))
    assert pursuit.done == "silence" and len(pursuit.atoms) == 0 and pursuit.srr_db == 0
    assert not atomizer.synthesise(pursuit.atoms, channels).any()
    pursuit.atoms.validate()


@each_space
@pytest.mark.parametrize("length", [1, 2, 15, 17, 255, 257])
def test_very_short_sounds(space, length):
    x = np.random.default_rng(length).standard_normal((1, length)).astype(np.float32)
    atomizer = MatchingPursuitAtomizer(space, Stop(srr_db=20))
    atoms = atomizer.analyse(x)
    atoms.validate()
    assert len(atoms) and decibels(x, x - atomizer.synthesise(atoms)) > 15


@pytest.mark.parametrize("compiled", [False, True])
def test_it_goes_on_until_nothing_is_left(compiled):
    numba("numba")
    x = np.random.default_rng(0).standard_normal((1, 20)).astype(np.float32)
    *_, pursuit = MatchingPursuitAtomizer(
        replace(SMALL, scales=(16, 32)), Stop(), compiled=compiled
    ).pursue(x)
    assert pursuit.done == "silence" and pursuit.srr_db > 90


def test_invalid_spaces_and_stops_are_refused(refused, samples):
    with refused("9 channels"):
        next(MatchingPursuitAtomizer(SMALL).pursue(samples(100, 9)))
    with refused("0 to 100 dB"):
        MatchingPursuitAtomizer(SMALL, Stop(srr_db=120))
    with refused("0 or more"):
        next(MatchingPursuitAtomizer(SMALL).pursue(samples(100), Stop(atoms=-1)))
    with refused("seconds"):
        next(MatchingPursuitAtomizer(SMALL).pursue(samples(100), Stop(seconds=-1)))
    for wrong, word in (
        (replace(SMALL, scales=(16, 24)), "multiple"),
        (replace(SMALL, scales=()), "multiple"),
        (replace(SMALL, hop=3), "hop"),
        (replace(SMALL, window="hann"), "window"),
        (replace(SMALL, phases=8), "phases"),
        (replace(FREE, phases=2), "phases"),
    ):
        with refused(word):
            MatchingPursuitAtomizer(wrong)
    with refused("compiled"):
        MatchingPursuitAtomizer(FREE, compiled=True)


# --- compiled or not


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    "space",
    [
        SMALL,
        SPACES["kbd"],
        replace(SMALL, scales=(16, 48, 144)),
        replace(SMALL, scales=(64,), hop=32),
        PLAIN,
    ],
    ids=["small", "kbd", "odd ratio", "one scale", "full size"],
)
def test_the_compiled_pursuit_takes_the_same_atoms(space, channels, samples):
    numba("numba")
    x = samples(9000, channels, space.rate, seed=3)
    one, other = (
        MatchingPursuitAtomizer(space, compiled=compiled).analyse(x, loudest=400)
        for compiled in (False, True)
    )
    for name in ("scale", "time", "frequency", "channel", "sign"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(one.amplitude, other.amplitude, rtol=1e-4, atol=1e-6 * one.reference)


def test_the_compiled_inner_products_stay_exact(samples):
    numba("numba")
    from atomizer.analysis.pursuit.compiled import CompiledPursuit

    pursuit = CompiledPursuit(dictionary_of(SMALL), samples(3000, 2, 8000))
    loudest = np.abs(pursuit.arrays.products).max()
    pursuit.run(200, 2, 0.0)
    kept, tree = pursuit.arrays.products.copy(), pursuit.arrays.tree.copy()
    pursuit.analyse()
    assert np.abs(kept - pursuit.arrays.products).max() < 1e-4 * loudest
    np.testing.assert_allclose(tree, pursuit.arrays.tree, atol=2e-4 * loudest**2)


@pytest.mark.parametrize("window", ["sine", "kbd"])
@pytest.mark.parametrize("long,short", [(32, 32), (32, 8), (24, 8), (64, 4)])
def test_tables_of_inner_products_are_inner_products(long, short, window):
    def basis(hop, at, size):
        space = ScaleSpace(scales=(2 * hop,), hop=hop, window=window)
        out = np.zeros((hop, size))
        out[:, at : at + 2 * hop] = np.concatenate(
            [dictionary_of(space).waveforms(0, k) for k in range(hop)]
        )
        return out

    ratio, tables = long // short, pair(long, short, window)
    k, low = np.arange(long)[:, None], np.arange(short)[None]
    for j in range(-1, 2 * ratio):
        true = basis(long, long, 4 * long) @ basis(short, long + j * short, 4 * long).T
        got = 0
        for line in (low, -1 - low):
            b = np.pi / short * (line + 0.5) * (short + 1) / 2
            d = k - line * ratio - ratio // 2
            got = (
                got
                + (
                    bin_phases(long)[k]
                    * np.exp(-1j * b)
                    * 1j**j
                    * (-1.0) ** (line * j)
                    * tables.by_long[j + 1, d + long]
                ).real
            )
        np.testing.assert_allclose(got, true, atol=2e-6)
        d = np.arange(ratio)[:, None] + np.arange(short)[None] * ratio
        np.testing.assert_array_equal(
            tables.by_short[:, j + 1, short : 2 * short], tables.by_long[j + 1, d + long]
        )


def test_without_numba_numpy_does_the_work(monkeypatch, samples):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    atomizer = MatchingPursuitAtomizer(SMALL)
    [*_, pursuit] = atomizer.pursue(samples(500, 1, 8000), Stop(atoms=5))
    assert not atomizer.compiled and isinstance(pursuit.state, LocalPursuit) and pursuit.count == 5


# --- the sixth feature


@each_space
def test_the_scale_is_declared_like_the_others(space, samples, tmp_path):
    names = [feature.name for feature in space.features]
    assert names == ["time", "frequency", "channel", "velocity", "sign", "scale"]
    assert (
        space.features[-1].cardinality == 3
        and space.features[-1].locates
        and "16 / 64 / 256" in space.features[-1].unit
    )
    assert space.features[4].cardinality == space.phases
    atoms = MatchingPursuitAtomizer(space).analyse(samples(1500, 2, 8000), loudest=100)
    atoms.validate()
    hidden = atoms.with_unknown(atoms.channel == 0, ["scale", "sign"])
    np.testing.assert_array_equal(hidden.is_unknown("scale"), atoms.channel == 0)
    hidden.save(tmp_path / "atoms.npz")
    back = Atoms.load(tmp_path / "atoms.npz")
    assert back.space == space
    for name in atoms.arrays:
        np.testing.assert_array_equal(getattr(back, name), getattr(hidden, name))
    bad = replace(atoms, scale=atoms.scale + 3)
    with pytest.raises(ValueError, match="scale"):
        bad.validate()


def test_levels_alone_are_nearly_the_sound(samples):
    for space in (SMALL, FREE):
        atomizer = MatchingPursuitAtomizer(space)
        atoms = atomizer.analyse(samples(1500, 1, 8000), loudest=200)
        x = atomizer.synthesise(atoms)
        assert 20 < decibels(x, x - atomizer.synthesise(atoms.atoms_only())) < 45


@given(st.integers(0, 2), st.integers(0, 127))
def test_every_bin_has_a_frequency_of_its_own(scale, bin_):
    bin_ = bin_ % (SMALL.scales[scale] // 2)
    frequency = SMALL.fine_bin(scale, bin_)
    assert SMALL.scale_bin(scale, frequency) == bin_ and 0 <= frequency < SMALL.bins
    assert (
        abs(SMALL.hertz(frequency) - (bin_ + 0.5) * SMALL.rate / SMALL.scales[scale])
        <= SMALL.bin_hz / 2
    )


def test_the_model_of_mdct_atoms_refuses_them(refused):
    from atomizer.atoms.space import AtomSpace

    with refused("features", "scale"):
        SMALL.check_same_analysis(AtomSpace())


def test_they_have_no_common_grid(samples, refused):
    atoms = MatchingPursuitAtomizer(SMALL).analyse(samples(3000), loudest=20)
    with refused("several scales"):
        atoms.to_grid()
    with refused("several scales"):
        MDCTAtomizer().synthesise(atoms)


# --- regions and erasing


@given(st.integers(0, 99), st.sampled_from(["linear", "log"]))
def test_regions_contain_the_same_points_as_on_a_grid(seed, scale):
    rng = np.random.default_rng(seed)
    t, f = np.sort(rng.uniform(0, 1, 40)), np.sort(rng.uniform(20, 4000, 30))
    points = tuple(
        (float(x), float(y)) for x, y in zip(rng.uniform(0, 1, 6), rng.uniform(20, 4000, 6))
    )
    regions = [
        Region("lasso", points=points, scale=scale),
        Region("brush", points=points, scale=scale, size=(0.1, 300 if scale == "linear" else 0.4)),
        Region(t=(0.2, 0.5), f=(100, 900)),
        Region(t=(0.2, 0.5)),
        Region(f=(None, 1000)),
    ]
    for region in regions:
        grid = np.broadcast_to(region.contains(t[:, None], f[None, :], 0.01), (40, 30))
        each = region.contains(np.repeat(t, 30), np.tile(f, 40), 0.01)
        np.testing.assert_array_equal(each.reshape(40, 30), grid)


def test_a_time_span_contains_every_overlapping_atom(samples):
    atoms = MatchingPursuitAtomizer(SMALL).analyse(samples(4000, 1, 8000), loudest=300)
    hit = parse(["time:0.2-0.25"]).mask_atoms(atoms)
    start, end = (
        atoms.time * 8 + side * np.array(SMALL.scales)[atoms.scale] / 2 for side in (-1, 1)
    )
    np.testing.assert_array_equal(hit, (end > 1600) & (start < 2000))


def test_regions_add_subtract_and_know_channels(samples, refused):
    atoms = MatchingPursuitAtomizer(SMALL).analyse(samples(3000, 2, 8000), loudest=300)
    hertz = SMALL.hertz(atoms.frequency)
    selection = Selection(
        (Region(f=(500, None)), Region(f=(1000, 2000), op="subtract", channels=(1,)))
    )
    np.testing.assert_array_equal(
        selection.mask_atoms(atoms),
        (hertz >= 500) & ~((atoms.channel == 1) & (hertz >= 1000) & (hertz <= 2000)),
    )
    assert (
        parse(["random:50"]).mask_atoms(atoms, seed=1).sum() == 150
        and parse(["loudest:10"]).mask_atoms(atoms)[np.argmax(np.abs(atoms.amplitude))]
    )
    with refused("None of the 300 atoms"):
        parse(["time:5-6"]).mask_atoms(atoms)


def test_all_but_the_loudest_atoms_can_be_erased(sound):
    atoms = MatchingPursuitAtomizer(SMALL).analyse(sound(0.5, 1, 8000).samples, loudest=300)
    erased = parse(["keep:100"]).mask_atoms(atoms)
    kept = round(100 * atoms.length / SMALL.rate)
    assert (~erased).sum() == kept and np.abs(atoms.amplitude)[~erased].min() >= np.abs(
        atoms.amplitude
    )[erased].max()


def test_the_residual_is_the_sound_of_the_other_atoms(sound, refused):
    original, atomizer = sound(0.3, 2, 48_000), MatchingPursuitAtomizer(PLAIN, Stop(atoms=400))
    rest = erase_atoms(original, parse(["above:3000"]), atomizer)
    assert rest.sound.samples.shape == original.samples.shape and rest.sound.rate == 48_000
    kept = rest.atoms[~rest.erased]
    np.testing.assert_array_equal(rest.erased, PLAIN.hertz(rest.atoms.frequency) >= 3000)
    assert 0 < len(kept) < len(rest.atoms) and f"{len(kept)} of 400 matching-pursuit atoms" == str(
        rest
    )
    ours, theirs = rest.sound.at(44_100), atomizer.synthesise(kept, 2)
    assert decibels(theirs, ours - theirs) > 50
    with refused("velocity and sign"):
        erase_atoms(original, parse(["above:3000"], ["sign"]), atomizer)
