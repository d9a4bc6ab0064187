"""Optimisers of training: which weights they have, and what an update of Muon is."""

import pytest
import torch

from atomizer.atoms.space import AtomSpace
from atomizer.training.config import TrainingConfig
from atomizer.training.optimisers import Muon, Optimisers, make_optimisers, orthogonal

SPACE = AtomSpace(rate=8000, hop=64, frames=16, channels=2)


@pytest.mark.parametrize("shape", [(24, 24), (16, 48), (48, 16)])
def test_orthogonal_keeps_directions_and_levels_sizes(shape):
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(*shape), full_matrices=False)
    sizes = torch.logspace(-2, 0, min(shape))
    found = orthogonal((u * sizes @ v)[None])[0]
    in_directions = u.T @ found @ v.T
    assert ((in_directions.diag() > 0.6) & (in_directions.diag() < 1.3)).all()
    assert (in_directions - in_directions.diag().diag()).abs().max() < 1e-3


def test_an_update_of_muon_is_orthogonal_and_of_adams_size():
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(*shape)) for shape in [(24, 64), (24, 64), (8, 8)]]
    before = [weight.detach().clone() for weight in weights]
    optimiser = Muon([{"params": weights, "weight_decay": 0.5}], 0.1)
    for weight in weights:
        weight.grad = torch.randn_like(weight)
    optimiser.step()
    for weight, was in zip(weights, before):
        change = (0.95 * was - weight.detach()) / 0.1
        size = 0.2 * max(weight.shape) ** 0.5
        torch.testing.assert_close(change, size * orthogonal(weight.grad[None])[0])
        assert 0.15 < change.square().mean().sqrt() < 0.25


def test_every_weight_has_one_optimiser(make_small_model):
    model = make_small_model(SPACE)
    adamw = make_optimisers(model, set(model.state_dict()), TrainingConfig())
    assert len(adamw.optimisers) == 1
    both = make_optimisers(model, set(model.state_dict()), TrainingConfig(optimiser="muon"))
    names = {id(p): name for name, p in model.named_parameters()}
    weights = [[names[id(p)] for g in o.param_groups for p in g["params"]] for o in both.optimisers]
    assert sorted(sum(weights, [])) == sorted(names.values())
    in_muon = set(weights[1])
    assert in_muon and all(".blocks." in name for name in in_muon)
    assert all(p.ndim == 2 for name, p in model.named_parameters() if name in in_muon)


def test_states_of_other_optimisers_are_refused():
    weights = [torch.nn.Parameter(torch.zeros(2, 2)) for _ in range(2)]
    one = Optimisers(Muon([{"params": weights}], 0.1))
    one.load_state_dict(one.state_dict()[0])  # as older files have it
    with pytest.raises(ValueError):
        one.load_state_dict(one.state_dict() * 2)
