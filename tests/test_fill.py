"""Fills: no leak, the ordering is followed, only the selection changes, errors are sentences."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from atomizer.atoms.atoms import Atoms
from atomizer.atoms.orderings import ORDERINGS, order, reveal_schedule
from atomizer.atoms.selection import Region, Selection, parse
from atomizer.atoms.space import FEATURES, AtomSpace
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.presets import PRESETS
from atomizer.inpainting.resolve import resolve
from atomizer.inpainting.sampling import sampler
from atomizer.inpainting.sampling.amplitudes import draw_level
from atomizer.inpainting.sampling.bounds import Bounds
from atomizer.inpainting.sampling.state import FillState
from atomizer.inpainting.sampling.wiener_blend import WienerBlend
from atomizer.inpainting.sampling.windows import Window, channel_groups
from atomizer.inpainting.settings import AMPLITUDES, Settings
from atomizer.inpainting.task import prepare
from atomizer.inpainting.time_domain.holes import SHORT_SECONDS, has_only_short_holes
from atomizer.io.audio import Sound
from atomizer.model import AtomTransformer, WithoutTrunk
from tests.tiny import TINY

SPACE = AtomSpace(rate=8000, hop=64)
RECT = Region(t=(0.05, 0.12), f=(500, 2000))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    model = AtomTransformer(TINY)
    # an untrained head predicts nothing: make its predictions differ from place to place
    with torch.no_grad():
        model.decoder.velocity.weight.mul_(20)
        model.decoder.sign.weight.mul_(20)
    return model.eval()


def noise(seconds=0.3, channels=2, seed=0, rate=8000):
    return Sound(
        (0.1 * np.random.default_rng(seed).standard_normal((channels, int(seconds * rate)))).astype(
            np.float32
        ),
        rate,
    )


def task_of(selection=Selection((RECT,)), **options):
    return prepare(noise(), selection, space=SPACE, **options)


def result(task, model, **settings):
    return last(fill(task, Settings(**settings), model))


def with_hidden_changed(task, features):
    """The same task with other content wherever the features are unknown, and nowhere else."""
    other = np.random.default_rng(9).permutation(task.grid[task.mask])
    hidden = task.grid[task.mask]
    if set(features) >= {"velocity", "sign"}:
        changed = other * 3
    elif "velocity" in features:
        changed = np.abs(other) * np.where(hidden >= 0, 1, -1)
    elif "sign" in features:
        changed = np.abs(hidden) * np.where(other >= 0, 1, -1)
    else:
        changed = hidden
    grid = task.grid.copy()
    grid[task.mask] = changed
    for axis, name in ((1, "time"), (2, "frequency"), (0, "channel")):
        if name in features and not set(features) >= {"velocity", "sign"}:
            grid = shuffled_along(grid, task.mask, axis)
    return replace(task, grid=grid)


def shuffled_along(grid, mask, axis):
    """The selected atoms moved along one axis, among the selected places."""
    out, rng = grid.copy(), np.random.default_rng(3)
    values, inside = np.moveaxis(out, axis, -1), np.moveaxis(mask, axis, -1)
    for index in np.ndindex(values.shape[:-1]):
        where = inside[index]
        values[index][where] = rng.permutation(values[index][where])
    return out


@pytest.mark.parametrize("name", list(ORDERINGS))
@pytest.mark.parametrize("reverse", [False, True])
def test_hidden_content_never_leaks_in_any_ordering(model, name, reverse):
    task = task_of()
    other = with_hidden_changed(task, ("velocity", "sign"))
    a, b = (result(t, model, order=name, reverse=reverse, steps=3) for t in (task, other))
    assert not np.array_equal(task.grid, other.grid)
    assert np.array_equal(a.grid, b.grid)


@pytest.mark.parametrize(
    "features",
    [
        ("velocity",),
        ("sign",),
        ("time",),
        ("frequency",),
        ("channel",),
        ("time", "sign"),
        ("frequency", "velocity"),
        ("time", "frequency"),
        FEATURES,
    ],
)
@pytest.mark.parametrize("name", ["time", "velocity", "random"])
def test_hidden_content_never_leaks_for_any_features(model, features, name):
    task = task_of(Selection((RECT,), features=features))
    other = with_hidden_changed(task, features)
    a, b = (result(t, model, order=name, steps=2) for t in (task, other))
    assert not np.array_equal(task.grid, other.grid)
    assert np.array_equal(a.grid, b.grid)


@pytest.mark.parametrize(
    "features",
    [
        ("time", "velocity"),
        ("frequency", "velocity"),
        ("channel", "velocity"),
        ("time", "sign"),
        ("time", "frequency", "sign"),
    ],
)
def test_no_intermediate_step_contains_hidden_content(model, features):
    """A stopped fill is kept: placed atoms have their own level and sign only where known."""
    task = task_of(Selection((RECT,), features=features))
    fills = [
        list(fill(t, Settings(steps=3), model)) for t in (task, with_hidden_changed(task, features))
    ]
    assert len(fills[0]) == 6
    for a, b in zip(*fills):
        assert np.array_equal(a.grid, b.grid) and np.array_equal(a.revealed, b.revealed)
    placed = fills[0][2].grid[task.mask]
    placed = placed[placed != 0]
    assert len(placed) == (task.space.quantise(task.grid, task.reference) > 0)[task.mask].sum()
    if "velocity" in features:
        audible = np.abs(
            task.grid[~task.mask & (task.space.quantise(task.grid, task.reference) > 0)]
        )
        assert np.allclose(np.abs(placed), np.median(audible))
    else:
        assert (placed > 0).all()


def test_atoms_placed_in_silence_have_the_lowest_audible_level(model):
    """Where nothing is known there is no level to take, and none that was hidden is."""
    task = task_of(Selection((Region(),), features=("frequency", "velocity")))
    assert task.mask.all()
    step = next(iter(fill(task, Settings(steps=2), model)))
    assert 0 < np.abs(step.grid).max() < 1e-3 * np.abs(task.grid).max()


@pytest.mark.parametrize("name", ["time", "frequency", "channel", "random"])
@pytest.mark.parametrize("reverse", [False, True])
def test_every_step_reveals_exactly_the_next_ranks(model, name, reverse):
    task = task_of()
    atoms = task.atoms(np.where(task.mask, 0, task.grid))
    atoms = atoms[task.mask[atoms.channel, atoms.time, atoms.frequency]]
    ranked = atoms[order(atoms, name, reverse, 5)]
    seen, previous = np.zeros_like(task.mask), task.erased()
    for step in fill(task, Settings(order=name, reverse=reverse, steps=4, seed=5), model):
        count = len(ranked) * step.number // 4
        expected = np.zeros_like(task.mask)
        first = ranked[:count]
        expected[first.channel, first.time, first.frequency] = True
        assert np.array_equal(step.revealed, expected)
        assert np.array_equal(step.grid[~task.mask], task.grid[~task.mask])
        assert not step.grid[task.mask & ~expected].any()
        assert np.array_equal(step.grid[seen], previous[seen])  # what was revealed stays
        seen, previous = expected, step.grid
    assert step.number == step.total == 4 and np.array_equal(step.revealed, task.mask)


@pytest.mark.parametrize("reverse", [False, True])
def test_velocity_order_reveals_the_loudest_predicted(model, reverse):
    task = task_of()
    whole = result(
        task, model, order="random", steps=1, temperature=0.0, nucleus=1.0, amplitudes="sampled"
    )
    step = next(
        iter(
            fill(
                task,
                Settings(
                    order="velocity",
                    reverse=reverse,
                    steps=4,
                    temperature=0.0,
                    nucleus=1.0,
                    amplitudes="sampled",
                ),
                model,
            )
        )
    )
    predicted = np.abs(whole.grid[task.mask])  # the same first look at everything
    chosen = step.revealed[task.mask]
    assert chosen.sum() == task.mask.sum() // 4
    if reverse:
        assert predicted[chosen].max() <= predicted[~chosen].min()
    else:
        assert predicted[chosen].min() >= predicted[~chosen].max()


def test_same_seed_same_fill_and_another_seed_another(model):
    task = task_of()
    a, b, c = (result(task, model, seed=s).grid for s in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_known_features_are_kept(model):
    sign = task_of(Selection((RECT,), features=("sign",)))
    filled = result(sign, model, amplitudes="sampled").grid
    assert np.allclose(np.abs(filled), np.abs(sign.grid)) and not np.array_equal(filled, sign.grid)
    velocity = task_of(Selection((RECT,), features=("velocity",)))
    filled = result(velocity, model).grid
    heard = filled[velocity.mask] != 0
    assert (
        np.sign(filled)[velocity.mask][heard]
        == np.where(velocity.grid >= 0, 1, -1)[velocity.mask][heard]
    ).all()


@pytest.mark.parametrize("feature", ["time", "frequency", "channel"])
def test_placed_atoms_keep_known_features_and_share_no_place(model, feature):
    task = task_of(Selection((RECT,), features=(feature,)))
    before, after = (
        np.where(task.mask, g, 0) for g in (task.grid, result(task, model, steps=3).grid)
    )
    axis = {"channel": 0, "time": 1, "frequency": 2}[feature]
    loud = task.space.quantise(before, task.reference) > 0
    assert np.array_equal(np.sort(before[loud]), np.sort(after[after != 0]))

    def ordered(g):
        return np.sort(np.where(task.space.quantise(g, task.reference) > 0, g, 0), axis=axis)

    # along the lost axis they moved, along the others they did not
    assert np.array_equal(ordered(before), ordered(after))


def test_expected_amplitude_is_quieter_than_samples(model):
    task = task_of()
    samples, expected = (
        np.abs(result(task, model, amplitudes=a).grid[task.mask]).mean()
        for a in ("sampled", "expected")
    )
    assert expected < samples


@pytest.mark.parametrize("drawn", [(), (5, 40)])
def test_only_what_copies_leave_is_predicted(model, monkeypatch, drawn):
    decoded, decode = [], sampler.decode

    def blend(state, window, amplitudes, ceiling):
        shape = (2, window.size, SPACE.hop)
        gain = np.zeros(shape, np.float32)
        gain[0, :, list(drawn)] = 0.5  # the other channel of these bins is drawn, too: the image
        return WienerBlend(np.full(shape, -0.01, np.float32), gain)

    def decode_and_count(model, encoded, positions):
        decoded.append(positions)
        return decode(model, encoded, positions)

    monkeypatch.setattr(sampler, "wiener_blend", blend)
    monkeypatch.setattr(sampler, "decode", decode_and_count)
    task = prepare(noise(1), parse(["time:0.3-0.7"]), space=SPACE)
    settings = resolve(Settings(using="texture"), task)
    step = last(sampler.sample(task, settings, model))
    at = np.concatenate([*decoded, np.empty((0, 3), int)])
    assert set(at[:, 2]) == set(drawn) and set(at[:, 0]) == ({0, 1} if drawn else set())
    copied = task.mask.copy()
    copied[:, :, list(drawn)] = False
    assert (step.grid[copied] == np.float32(-0.01)).all()
    assert step.copied == copied.sum() / task.mask.sum()


def test_samples_outside_the_windows_are_unchanged(model):
    task = task_of()
    out = task.render(result(task, model).grid).samples
    first, last = int((0.05 - 2 * 64 / 8000) * 8000), int((0.12 + 2 * 64 / 8000) * 8000)
    assert np.array_equal(out[:, :first], task.sound.samples[:, :first]) and np.array_equal(
        out[:, last:], task.sound.samples[:, last:]
    )
    assert not np.array_equal(out, task.sound.samples)


def test_only_windows_near_the_selection_are_read(model, monkeypatch):
    import atomizer.inpainting.sampling.sampler as sampler

    reads = []
    real = sampler.encode
    monkeypatch.setattr(sampler, "encode", lambda m, state: reads.append(1) or real(m, state))
    task = prepare(noise(4.0), Selection((RECT,)), space=SPACE)
    result(task, model, steps=2)
    assert len(reads) <= 2 * 2 and task.grid.shape[1] > 30 * TINY.space.frames


def test_windows_tile_their_targets():
    task = prepare(noise(2.0), parse(["above:1000"]), space=SPACE)
    windows = FillState(task, task.mask).windows(task.mask, 16)
    filled = np.concatenate([np.arange(w.target_start, w.target_stop) for w in windows])
    assert np.array_equal(filled, np.arange(task.grid.shape[1]))


def test_a_channel_is_filled_beside_its_most_coherent_partner(model):
    sound = noise(0.3, 6)
    sound.samples[4] = 0.9 * sound.samples[1] + 0.02 * sound.samples[4]
    task = prepare(sound, Selection((replace(RECT, channels=(4,)),)), space=SPACE)
    assert channel_groups(task.mask, task.erased()) == [((4, 1), 1)]
    filled = result(task, model).grid
    assert np.array_equal(
        filled[[0, 1, 2, 3, 5]], task.grid[[0, 1, 2, 3, 5]]
    ) and not np.array_equal(filled[4], task.grid[4])


@pytest.mark.parametrize(
    "seconds,channels,selection,options",
    [
        (1 / 8000, 1, "above:100", {}),
        (0.004, 1, "above:0", {}),
        (0.3, 1, "time:0-9", {}),
        (0.3, 8, "random:50", {}),
        (0.3, 1, None, {"extend": 0.2}),
        (0.3, 1, None, {"add_channels": 1}),
        (0.3, 2, "channel:0", {}),
    ],
)
def test_every_shape_of_sound_fills(model, seconds, channels, selection, options):
    task = prepare(
        noise(seconds, channels), parse([selection] if selection else []), space=SPACE, **options
    )
    step = result(task, model, steps=2)
    out = task.render(step.grid)
    assert np.isfinite(out.samples).all() and np.array_equal(step.revealed, task.mask)
    assert out.samples.shape == (
        channels + options.get("add_channels", 0),
        round((seconds + options.get("extend", 0)) * 8000),
    )


def test_errors_do_not_grow_on_errors(model):
    """A model that always predicts the top level never exceeds the loudest known atom."""
    loud = AtomTransformer(TINY)
    with torch.no_grad():
        loud.decoder.velocity.bias[-1] = 100
    task = task_of()
    grid = result(task, loud.eval(), steps=16, amplitudes="sampled").grid
    assert np.abs(grid).max() <= task.reference * (1 + 1e-6)


def test_a_silent_sound_stays_silent(model):
    task = prepare(
        Sound(np.zeros((1, 4000), np.float32), 8000), parse(["time:0.2-0.25"]), space=SPACE
    )
    assert not task.render(result(task, model, amplitudes="sampled").grid).samples.any()


@pytest.mark.parametrize("selection, short", [("time:0.7-0.9", True), ("time:0.7-0.901", False)])
def test_a_hole_is_short_to_the_sample(selection, short):
    assert 0.9 - 0.7 > SHORT_SECONDS  # as floats
    task = prepare(noise(1.0), parse([selection]), space=SPACE)
    assert has_only_short_holes(task) is short


def test_a_gap_in_silence_stays_silent(model):
    sound = noise(1.0)
    sound.samples[:, 2400:] = 0
    task = prepare(sound, parse(["time:0.7-0.75"]), space=SPACE)
    assert (
        not task.render(result(task, model, amplitudes="sampled").grid).samples[:, 4800:7200].any()
    )


@pytest.mark.parametrize("selection", ["time:0.4-0.5", "after:0.7", "channel:1", "random:50"])
def test_nothing_appears_above_a_recordings_own_bandwidth(model, selection):
    """The fill of noise below 2 kHz ends at 2 kHz, though the tiny model predicts all bins."""
    spectrum = np.fft.rfft(noise(1.0, rate=8000).samples)
    # a gentle edge: the atoms of an abrupt one leak far
    spectrum *= 1 / (1 + (np.arange(4001) / 2000) ** 40)
    task = prepare(
        Sound(np.fft.irfft(spectrum).astype(np.float32), 8000), parse([selection]), space=SPACE
    )
    filled = np.abs(result(task, model, amplitudes="sampled").grid) * task.mask
    above = SPACE.hertz(np.arange(SPACE.hop)) > 3000
    assert filled[..., ~above].max() > 0.1 * task.reference
    # the windows' leakage
    assert 4 * np.abs(task.grid[:, 8:-8, above]).max() < 0.05 * task.reference
    assert filled[..., above].max() <= 4 * np.abs(task.grid[..., above]).max()


def test_a_selected_band_above_the_bandwidth_is_filled(model):
    spectrum = np.fft.rfft(noise(1.0).samples)
    spectrum[:, 2000:] = 0
    task = prepare(
        Sound(np.fft.irfft(spectrum).astype(np.float32), 8000), parse(["above:2000"]), space=SPACE
    )
    assert (
        np.abs(result(task, model, amplitudes="sampled").grid[task.mask]).max()
        > 0.01 * task.reference
    )


@pytest.mark.parametrize("select", ["rect:0.2,0.6,300,3000", "above:3000", "loudest:5"])
def test_unknown_signs_alone_leave_levels_as_they_are(model, select):
    task = task_of(parse([select], ("sign",)))
    filled = result(task, model).grid
    assert np.allclose(np.abs(filled), np.abs(task.grid), rtol=1e-5)
    assert not np.array_equal(filled, task.grid)


def test_signs_are_drawn_where_all_are_unknown(model):
    """Their expectation would be silence."""
    task = task_of(parse(["above:0"], ("sign",)))
    filled = np.abs(result(task, model).grid)
    assert (filled**2).sum() > 0.9 * (task.grid**2).sum()


def test_the_middle_of_a_long_box_has_the_level_of_its_sides():
    """A box of three windows, 40 dB below the band under it, which is all its middle window has."""
    spectrum = np.fft.rfft(noise(2.0).samples)
    spectrum[:, 2 * 2000 :] *= 0.01
    sound = Sound(np.fft.irfft(spectrum).astype(np.float32), 8000)
    task = prepare(sound, parse(["rect:0.7,1.1,2200,3900"]), space=SPACE)
    state, size, bins = FillState(task, task.mask), TINY.space.frames, slice(40, 60)
    windows = state.windows(task.mask, size)
    middle = next(w for w in windows if task.mask[0, w.start : w.start + size, 50].all())
    expected = state.predictions(middle)[1].std[..., bins].astype(np.float64)
    true = np.sqrt((task.grid[:, 20:80, bins].astype(np.float64) ** 2).mean())
    assert abs(20 * np.log10(np.sqrt((expected**2).mean()) / true)) < 3


@pytest.mark.parametrize("selection", ["rect:0.3,0.6,500,2000"])
def test_a_change_begins_and_ends_without_a_click(model, selection):
    task = prepare(noise(1.0), parse([selection]), space=SPACE)
    change = (
        task.render(result(task, model, amplitudes="sampled").grid).samples - task.sound.samples
    )
    where = np.flatnonzero(np.abs(change).max(0) > 0)
    for edge in (change[:, where[:4]], change[:, where[-4:]]):
        # 4 of the 64 samples over which a window rises
        assert np.abs(edge).max() < 0.12 * np.abs(change).max()


@pytest.mark.parametrize("amplitudes", AMPLITUDES)
def test_the_quietest_part_stays_below_the_rest(model, amplitudes):
    task = task_of(parse(["quietest:70"]))
    filled = np.abs(result(task, model, amplitudes=amplitudes).grid[task.mask])
    assert (
        0
        < filled.max()
        <= np.abs(
            task.grid[~task.mask & (task.space.quantise(task.grid, task.reference) > 0)]
        ).min()
    )


def test_draws_follow_temperature_and_nucleus():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(40_000, 4)
    g = torch.Generator().manual_seed(0)
    share = torch.bincount(draw_level(logits, 1.0, 1.0, g), minlength=4) / 40_000
    assert torch.allclose(share, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.01)
    share = torch.bincount(draw_level(logits, 1.0, 0.7, g), minlength=4) / 40_000
    assert torch.allclose(share, torch.tensor([0.625, 0.375, 0, 0]), atol=0.01)
    assert (draw_level(logits, 0.0, 1.0, g) == 0).all()


@pytest.mark.parametrize("name", sorted(ORDERINGS))
@pytest.mark.parametrize("reverse", [False, True])
def test_the_reveal_schedule_is_the_order_of_the_atoms(name, reverse):
    task = task_of()
    mask = task.mask & (task.grid != 0)
    atoms = Atoms.from_grid(
        task.grid, task.space, task.length, float(np.abs(task.grid).max()), mask
    )
    ranked = atoms[order(atoms, name, reverse, 5)]
    turns = reveal_schedule(mask, np.abs(task.grid), name, 7, reverse, 5)
    assert np.array_equal(
        turns[ranked.channel, ranked.time, ranked.frequency],
        1 + np.searchsorted(np.arange(1, 8) * len(atoms) // 7, np.arange(len(atoms)), side="right"),
    )
    assert not turns[~mask].any()


@pytest.mark.parametrize(
    "bad",
    [
        dict(order="spiral"),
        dict(steps=0),
        dict(steps=1000),
        dict(temperature=-1.0),
        dict(nucleus=0.0),
        dict(nucleus=1.5),
        dict(method="magic"),
    ],
)
def test_settings_out_of_range_are_refused(bad, refused):
    with refused():
        resolve(Settings(**bad), task_of())


def test_a_model_of_another_space_is_refused(model, refused):
    task = prepare(noise(), Selection((RECT,)), space=replace(SPACE, hop=32))
    with refused("hop", "AtomSpace"):
        result(task, model)


def test_a_model_is_needed_for_the_method_model(refused):
    with refused("checkpoint"):
        result(task_of(), None)


def test_too_many_unplaced_atoms_are_refused(model, refused, limited):
    limited(pairs=1000)
    with refused("smaller"):
        result(task_of(Selection((RECT,), features=("time", "frequency"))), model)


@pytest.mark.parametrize(
    "preset,selection,options",
    [
        ("bandwidth", "above:1000", {}),
        ("gap", "time:0.1-0.15", {}),
        ("continue", "after:0.2", {}),
        ("continue", None, {"extend": 0.1}),
        ("upmix", "channel:1", {}),
        ("restore", "random:50", {}),
        ("compress", "quietest:50", {}),
        ("compress", "keep:500", {}),
        ("gap", "time:0.1-0.12", {}),
        ("region", "rect:0.1,0.2,500,900", {}),
    ],
)
def test_the_preset_of_a_selection_sets_the_defaults(preset, selection, options):
    task = prepare(noise(), parse([selection] if selection else []), space=SPACE, **options)
    assert task.preset == preset
    settings = resolve(Settings(), task)
    assert PRESETS[preset].settings.items() <= asdict(settings).items()


def test_the_ablation_fills_differently(model):
    task = task_of()
    settings = resolve(Settings(amplitudes="expected"), task)
    a, b = (last(sampler.sample(task, settings, m)).grid for m in (model, WithoutTrunk(model)))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("name", sorted(ORDERINGS))
def test_a_model_of_single_atoms_uses_the_chosen_ordering(name):
    """One token per atom, lined up as the user has chosen: another direction, another reading."""
    config = replace(
        TINY,
        space=replace(TINY.space, frames=8),
        cell=(1, 1, 1),
        serialisations=("order",),
        window=32,
        layers=2,
    )
    torch.manual_seed(0)
    model = AtomTransformer(config).eval()
    task = prepare(noise(), parse(["random:50"]), space=SPACE)
    forth, again, back = (
        result(task, model, order=name, reverse=reverse).grid for reverse in (False, False, True)
    )
    assert np.array_equal(forth, again) and np.isfinite(forth).all() and forth[task.mask].any()
    assert np.array_equal(forth[~task.mask], task.grid[~task.mask])
    if name in ("time", "frequency", "velocity"):
        assert not np.array_equal(forth, back)


@pytest.mark.parametrize("steps", (1, 3))
def test_the_loudest_atoms_are_filled_louder_than_the_others(steps, model):
    task = prepare(noise(), parse(["loudest:5"]), space=SPACE)
    grid = result(task, model, steps=steps).grid
    assert task.preset == "loudest" and np.abs(grid[task.mask]).min() >= task.reference > 0
    assert np.abs(grid[task.mask]).max() > task.reference and np.array_equal(
        grid[~task.mask], task.grid[~task.mask]
    )
    signs = prepare(noise(), parse(["loudest:5"], ("sign",)), space=SPACE)
    assert np.abs(
        result(signs, model, steps=steps, temperature=1.0, amplitudes="sampled").grid
    ) == pytest.approx(np.abs(signs.grid), rel=1e-5)
    assert np.isfinite(
        result(prepare(noise(), parse(["loudest:100"]), space=SPACE), model).grid
    ).all()


def test_a_single_step_is_shown_part_by_part(model):
    """A stopped fill keeps the windows that are filled; parts equal the whole."""
    task = prepare(noise(2.0), parse(["above:2000"]), space=SPACE)
    steps = list(fill(task, Settings(steps=1, seed=4), model))
    assert 1 < len(steps) == steps[-1].total and [step.number for step in steps] == list(
        range(1, len(steps) + 1)
    )
    whole = steps[-1]
    assert np.array_equal(whole.revealed, task.mask)
    for before, after in zip(steps, steps[1:]):
        assert (
            before.revealed <= after.revealed
        ).all() and before.revealed.sum() < after.revealed.sum()
        assert not before.grid[task.mask & ~before.revealed].any()
        assert np.array_equal(before.grid[before.revealed], whole.grid[before.revealed])


def test_a_gap_in_a_long_sound_uses_its_surroundings_only(model, monkeypatch):
    """Distant frames are neither read nor changed: a gap costs the same in a long sound."""
    from atomizer.inpainting.sampling import sampler

    seen = []
    real = sampler.FillState
    monkeypatch.setattr(
        sampler,
        "FillState",
        lambda task, *a, **k: seen.append(task.grid.shape[1]) or real(task, *a, **k),
    )
    task = prepare(noise(10), Selection((Region(t=(5.0, 5.3)),)), space=SPACE)
    step = result(task, model)
    frames = np.flatnonzero(task.mask.any(axis=(0, 2)))
    assert (
        seen == [len(frames) + 2 * (TINY.space.frames + sampler.ENVELOPE_CONTEXT_FRAMES)]
        and seen[0] < task.grid.shape[1] / 2
    )
    assert step.grid.shape == task.grid.shape and (step.revealed == task.mask).all()
    assert (step.grid[~task.mask] == task.grid[~task.mask]).all() and (
        step.grid[task.mask] != task.grid[task.mask]
    ).any()


def test_the_loudest_outside_the_selection():
    task = task_of()
    assert task.reference == pytest.approx(np.abs(task.grid[~task.mask]).max(), rel=1e-7)
    whole = prepare(noise(), Selection((Region(),)), space=SPACE)
    assert whole.mask.all() and whole.reference == 0


def test_a_pause_beside_a_box_does_not_silence_it():
    sound = noise(3)
    sound.samples[:, 16000:] = 0
    task = prepare(sound, Selection((Region(t=(1.0, 2.0), f=(500, 2000)),)), space=SPACE)
    state = FillState(task, task.mask)
    bounds = Bounds(state.magnitude, state.observed, state.preset, task.reference, None)
    last = int(np.flatnonzero(task.mask.any(axis=(0, 2)))[-1])
    window = Window(last - 2, TINY.space.frames, last - 2, last + 1, (0, 1), 2)
    inside = task.mask[:, last].any(axis=0)
    loud = np.abs(task.grid[:, :100]).max(axis=(0, 1))
    assert (bounds.ceiling(window)[:, inside] > loud[inside] / 2).all()


def test_the_level_of_a_box_follows_its_surroundings():
    """Predicted levels follow attacks in all bins, also in windows without a known frame."""
    sound = noise(4)
    sound.samples[:, np.arange(sound.samples.shape[1]) // 512 % 8 != 3] *= 0.1
    task = prepare(sound, Selection((Region(t=(1.0, 3.0), f=(1000, 2000)),)), space=SPACE)
    state = FillState(task, task.mask)
    for window in state.windows(task.mask, TINY.space.frames)[3:-3]:
        frames = slice(window.target_start, window.target_stop)
        part = slice(frames.start - window.start, frames.stop - window.start)
        expected = state.predictions(window)[1].std[0, part].astype(np.float32)
        bins = task.mask[0, frames.start]
        true, found = (np.log(a[:, bins].mean(1)) for a in (np.abs(task.grid[0, frames]), expected))
        assert np.ptp(true) < 1 or (
            np.corrcoef(true, found)[0, 1] > 0.7 and np.ptp(found) > 0.7 * np.ptp(true)
        )
