"""What is known of the whole recording, and the model that takes it: no leak, no other start."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.inpainting.fill import fill, last
from atomizer.inpainting.sampling.state import statistics_of
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.model import AtomTransformer, ModelConfig
from atomizer.priors import band_context, band_levels
from atomizer.training.data import Surroundings, Windows
from atomizer.training.losses import POWER_DB
from atomizer.training.masking import mask_batch
from tests.tiny import SPACE, TINY

SOME = band_context.known_bands(torch.ones(64, dtype=torch.bool), SPACE)  # of at least one bin


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def model():
    """A model that heeds the statistics."""
    torch.manual_seed(0)
    model = AtomTransformer(replace(TINY, statistics=2)).eval()
    with torch.no_grad():
        model.trunk.statistics.weight.normal_(std=0.5)
        model.decoder.velocity.weight.mul_(50)
    return model


def test_statistics_are_those_of_the_long_term_envelope():
    level = 0.01 + 0.09 * noise(80, 1, seed=1).sigmoid()  # no frame is so quiet that it is a pause
    space, grid = AtomSpace(), noise(2, 80, 1024) * level
    edges = band_levels.band_edges(space)
    powers = band_levels.band_powers(grid.numpy(), edges)
    expected = band_levels.statistics(powers, float(powers.max()))
    found = band_context.of_recording(grid.numpy(), np.ones(grid.shape, bool), space)[0]
    assert (found[0] == 1).all()
    for row, values in zip(found[1:4], (expected.mean, expected.std, expected.change)):
        np.testing.assert_allclose(row.numpy(), values, atol=0.01)


@pytest.mark.parametrize("select", ["above:1000", "time:0.4-0.6", "channel:0", "random:50"])
def test_hidden_atoms_do_not_count(sound, select):
    config = replace(TINY, statistics=1)
    task = prepare(sound(1.0, 2, 8000), parse([select]), space=replace(SPACE, frames=None))
    found = statistics_of(task, config)
    other = replace(task, grid=np.where(task.mask, 7.0, task.grid))
    assert torch.equal(found, statistics_of(other, config))
    assert statistics_of(task, TINY) is None
    edges = band_levels.band_edges(SPACE)[1:]
    if select == "above:1000":  # 16 bins are known
        assert not found[0, :, edges > 16].any() and found[0, 0, (edges <= 16) & SOME.numpy()].all()
    elif select != "random:50":
        assert found[0, 0, SOME].all()


@pytest.mark.parametrize("task", ["cut", "gap", "suffix", "channel", "rect", "random", "loudness"])
def test_training_hides_the_same_atoms_around_a_window(task):
    """No hidden atom counts, in the window or around it, but known atoms do."""
    grid, powers = noise(3, 2, 16, 64), noise(3, 2, 36, 36).square()
    there = torch.ones(3, 36, dtype=torch.bool)

    def found(grid, powers):
        windows = Windows(
            grid,
            torch.tensor([2, 2, 2]),
            torch.tensor([64, 64, 64]),
            surroundings=Surroundings(powers, there, 10),
        )
        return mask_batch(windows, SPACE, torch.Generator().manual_seed(1), task, 0.0, "random")

    state = found(grid, powers).state
    known = state.velocity_known
    full = band_context.known_bands(known.any(2), SPACE)[:, :, None]  # hidden throughout or not
    hidden = ~full.expand_as(powers).clone()
    if task in ("random", "loudness"):
        hidden[:] = True
    if task == "suffix":
        hidden[:, :, 26:] = True
    if task not in ("random", "loudness"):  # whose masks depend on how loud the atoms are
        grid = torch.where(known, grid, grid * 0.1)
    again = found(grid, torch.where(hidden, powers * 9, powers)).state
    assert torch.equal(again.velocity_known, known)
    torch.testing.assert_close(again.statistics, state.statistics)
    if task not in ("random", "loudness"):
        louder = found(grid, torch.where(hidden, powers, powers * 9)).state
        assert not torch.allclose(louder.statistics, state.statistics)


def test_statistics_start_without_effect(model):
    torch.manual_seed(3)
    plain = AtomTransformer(TINY).eval()
    grown = plain.with_statistics(2)
    windows = Windows(
        noise(2, 2, 16, 64),
        torch.tensor([2, 1]),
        torch.tensor([64, 64]),
        surroundings=Surroundings(noise(2, 2, 40, 36).square(), torch.ones(2, 40) > 0, 12),
    )
    state = mask_batch(windows, SPACE, torch.Generator().manual_seed(0), task="cut").state
    at = state.unknown("velocity").nonzero().unbind(1)
    with torch.no_grad():
        for one, is_equal in ((grown, True), (model, False)):
            without = replace(state, statistics=None)
            found = [one.decode(one.encode(s), *at).velocity for s in (state, without)]
            assert torch.equal(*found) == is_equal
        assert torch.equal(found[0], model.decode(model.encode(state), *at).velocity)
        expected = plain.decode(plain.encode(state), *at).velocity
        assert torch.equal(grown.decode(grown.encode(state), *at).velocity, expected)
    assert grown.with_statistics(2) is grown
    with pytest.raises(AtomizerError, match="has 2 tokens"):
        grown.with_statistics(1)


def test_models_without_the_field_take_no_statistics():
    fields = {k: v for k, v in TINY.to_dict().items() if k != "statistics"}
    assert ModelConfig.from_dict(fields) == TINY and TINY.statistics == 0
    with pytest.raises(ValueError, match="global tokens"):
        ModelConfig(statistics=5)


def test_a_fill_depends_on_the_recording_far_away(model, sound):
    task = prepare(sound(4.0, 2, 8000), parse(["time:0.4-0.45"]), space=replace(SPACE, frames=None))
    far = task.grid.copy()
    far[:, 400:] *= np.linspace(0.01, 3, 64, dtype=np.float32)
    settings = Settings(using="texture", amplitudes="sampled")

    def filled(one, grid):
        return last(fill(replace(task, grid=grid), settings, one)).grid[task.mask]

    assert not np.array_equal(filled(model, task.grid), filled(model, far))
    plain = AtomTransformer(TINY).eval()
    assert np.array_equal(filled(plain, task.grid), filled(plain, far))


def test_mdct_and_mdst_have_the_same_mean_and_less_noise(sound, tmp_path):
    import soundfile

    from atomizer.io.datasets import list_clips
    from atomizer.training.data import AudioBank

    samples = np.random.default_rng(0).normal(0, 0.1, (40_000, 2))
    soundfile.write(tmp_path / "noise.wav", samples, 8000)
    bank = AudioBank(
        list_clips(tmp_path),
        SPACE,
        torch.device("cpu"),
        progress=False,
        has_surroundings=True,
        has_power=True,
    )
    windows = bank.draw(4, torch.Generator().manual_seed(0), augment=False)
    mdct, both = (10 * torch.log10(x) for x in (windows.grid.square(), windows.power))
    assert abs(float(both.mean() - mdct.mean()) - POWER_DB) < 0.5
    assert 5 < float(both.std()) < 6.2 and 9 < float(mdct.std()) < 10.5
    around = windows.surroundings
    inside = around.powers[:, :, around.first : around.first + 16]
    ones = torch.ones_like(windows.grid, dtype=torch.bool)
    expected, _ = band_context.band_powers(windows.grid, ones, SPACE)
    torch.testing.assert_close(inside, expected)
    assert around.there[:, around.first : around.first + 16].all() and not around.there.all()
    assert (around.powers[:, :, :, SOME].sum((1, 3)) > 0)[around.there].all()
