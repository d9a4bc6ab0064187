"""The model: embeddings, cells, serializations, the decoder's symmetry, files."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from atomizer.atoms.space import FEATURES, ScaleSpace
from atomizer.errors import AtomizerError
from atomizer.model import AtomTransformer, ModelConfig, State
from atomizer.model.checkpoint import load
from atomizer.model.embedding import FeatureEmbedding
from atomizer.model.trunk import rearrange, serialize, sort_keys
from tests.tiny import SPACE, TINY

DEEP = replace(TINY, layers=4)


def random_state(batch=2, seed=0, silent_above=None, space=SPACE):
    g = torch.Generator().manual_seed(seed)
    shape = (batch, space.channels, space.frames, space.hop)
    velocity = torch.randint(0, space.levels, shape, generator=g)
    known = torch.rand(shape, generator=g) < 0.6
    if silent_above is not None:
        velocity[..., silent_above:], known[..., silent_above:] = 0, True
    return State(
        velocity,
        torch.randint(0, 2, shape, generator=g),
        known,
        known.clone(),
        torch.ones_like(known),
    )


@pytest.fixture
def model():
    torch.manual_seed(0)
    return AtomTransformer(DEEP).eval()


def places_of(state):
    return state.unknown("velocity").nonzero().unbind(1)


def test_default_model_is_small_enough():
    assert sum(p.numel() for p in AtomTransformer().parameters()) <= 8_000_000


def test_embedding_is_the_sum_of_its_features(model):
    atom = torch.tensor([3, 17, 1, 50, 1])
    e = model.embedding
    expected = (
        sum(e.tables[name][value] for name, value in zip(FEATURES, atom.tolist())) + e.signed[50]
    )
    assert torch.allclose(e(atom), expected, atol=1e-6)


def test_a_sixth_feature_has_its_own_embedding():
    space = ScaleSpace(rate=8000, hop=8, frames=16, channels=2, scales=(16, 64, 256))
    embedding = FeatureEmbedding(replace(DEEP, space=space, cell=(1, 1, 1)))
    atom = torch.tensor([3, 100, 1, 50, 1, 2])
    assert (
        set(embedding.tables) == {f.name for f in space.features}
        and len(embedding.tables["scale"]) == 4
    )
    expected = (
        sum(embedding.tables[f.name][value] for f, value in zip(space.features, atom.tolist()))
        + embedding.signed[50]
    )
    assert torch.allclose(embedding(atom), expected, atol=1e-6)


@pytest.mark.parametrize("feature", FEATURES)
def test_unknown_vector_affects_only_its_feature(model, feature):
    cardinality = [f.cardinality for f in SPACE.features]
    g = torch.Generator().manual_seed(0)
    atoms = torch.stack([torch.randint(0, c, (40,), generator=g) for c in cardinality], 1)
    for n, index in enumerate(torch.arange(40) % 5):  # every atom has one unknown feature
        atoms[n, index] = cardinality[index]
    before = model.embedding(atoms)
    with torch.no_grad():
        model.embedding.tables[feature][-1] += 1
    changed = (model.embedding(atoms) - before).abs().amax(1) > 0.5
    assert torch.equal(changed, torch.arange(40) % 5 == FEATURES.index(feature))


def test_sinusoidal_encoding_trains_the_unknown_vector():
    model = AtomTransformer(replace(DEEP, encoding="sinusoidal"))
    table = model.embedding.table("frequency")
    table.sum().backward()
    grad = model.embedding.tables["frequency"].grad
    assert table.shape == (65, 8) and grad[-1].abs().sum() > 0 and grad[:-1].abs().sum() == 0


def test_address_gives_the_cell_and_slot_of_every_atom(model):
    grid = torch.arange(2 * 16 * 64).view(1, 2, 16, 64)
    split = model.cells.split(grid)[0]
    c, t, f = (grid[0] >= 0).nonzero().unbind(1)
    cell, slot = model.cells.address(c, t, f)
    assert torch.equal(split[cell, slot], grid[0, c, t, f])
    assert len(split.unique()) == grid.numel()


def test_token_packs_the_embeddings_of_its_atoms(model):
    state = random_state(1)
    index, _ = model.cells.occupied(state)
    token = model.cells(state, model.embedding, index)[0, 5]
    t0, f0, c0 = model.cells.origin[index[0, 5]].tolist()
    slots = torch.zeros(4, 8, 2, 8)
    velocity, sign = state.codes(SPACE)
    for t in range(4):
        for f in range(8):
            for c in range(2):
                at = (0, c0 + c, t0 + t, f0 + f)
                if state.occupied[at]:
                    slots[t, f, c] = model.embedding(
                        torch.tensor([t0 + t, f0 + f, c0 + c, velocity[at], sign[at]])
                    )
    assert torch.allclose(token, model.cells.pack(slots.flatten()), atol=1e-5)


def test_only_occupied_cells_become_tokens(model):
    index, valid = model.cells.occupied(random_state(1, silent_above=16))
    assert index.shape == (1, 8) and valid.all()  # 4 x 2 cells of the 4 x 8


def test_unknown_cells_get_a_token_where_they_are_decoded(model):
    state = random_state(1)
    known = torch.zeros_like(state.velocity_known)
    known[..., 3, :8] = True
    wanted = torch.zeros_like(known)
    wanted[..., 1, 5, 60] = True
    state = replace(state, velocity_known=known, sign_known=known, wanted=wanted)
    index, valid = model.cells.occupied(state)
    cells = (model.cells.origin[index[0]] // torch.tensor(DEEP.cell)).tolist()
    assert valid.all() and cells == [[0, 0, 0], [1, 7, 0]]


def test_encoding_does_not_depend_on_the_rest_of_the_batch(model):
    sparse, full = random_state(1, silent_above=24), random_state(1, seed=1)
    both = State(
        *(
            torch.cat([getattr(sparse, n), getattr(full, n)])
            for n in ("velocity", "sign", "velocity_known", "sign_known", "present")
        )
    )
    places = places_of(sparse)
    with torch.no_grad():
        alone = model.decode(model.encode(sparse), *places)
        together = model.decode(model.encode(both), *places)
    assert torch.allclose(alone.velocity, together.velocity, atol=1e-4)


@pytest.mark.parametrize("name", ["time", "frequency", "tile", "order"])
@pytest.mark.parametrize("shifted", [False, True])
def test_serialization_sorts_tokens_and_has_an_inverse(name, shifted):
    g = torch.Generator().manual_seed(0)
    place = torch.stack([torch.randint(0, 9, (2, 50), generator=g) for _ in range(3)], 2)
    rank = torch.rand(2, 50, generator=g)
    valid = torch.ones(2, 50, dtype=torch.bool)
    valid[1, 30:] = False
    key = sort_keys(name, place, rank)
    serialization = serialize(key, valid, 16, shifted)
    for b in range(2):
        lined = key[b][serialization.order[b][~serialization.padding[b]]]
        assert torch.equal(lined, key[b][valid[b]].sort().values)
    x = torch.randn(2, 50, 3, requires_grad=True)
    there = rearrange(x, serialization.order, serialization.inverse)
    assert torch.equal(rearrange(there, serialization.inverse, serialization.order), x)
    weight = torch.randn_like(there)
    (there * weight).sum().backward()
    assert torch.equal(x.grad, rearrange(weight, serialization.inverse, serialization.order))


def test_polarity_flips_the_sign_logit_exactly(model):
    state = random_state(1)
    places = places_of(state)
    with torch.no_grad():
        context = model.encode(state)
        flipped = replace(state, sign=1 - state.sign)
        # with fixed vectors of the Transformer
        other = replace(context, neighbourhood=model.encode(flipped).neighbourhood)
        a, b = model.decode(context, *places), model.decode(other, *places)
    assert a.sign.abs().max() > 0
    assert torch.equal(a.sign, -b.sign) and torch.equal(a.velocity, b.velocity)


def test_decoder_follows_the_formula_without_signs_nearby(model):
    """Skipping the odd stream of atoms without signs nearby changes no result."""
    decoder, generator = model.decoder, torch.Generator().manual_seed(1)
    n, (even, odd) = 40, (layer[0].in_features for layer in (decoder.even, decoder.odd))
    even -= 16 + 2 + DEEP.slot + 2
    x, o = torch.randn(n, even, generator=generator), torch.randn(n, odd, generator=generator)
    o[::3] = 0
    rest = (
        torch.arange(n) % 2,
        torch.arange(n),
        torch.randn(n, DEEP.slot, generator=generator),
        torch.randn(n, 2, generator=generator),
    )

    def full(x, o):
        channel, frequency, slot, envelope = rest
        h = torch.cat(
            [x, decoder.frequency(frequency), decoder.channel(channel), slot, envelope], 1
        )
        for to_even, to_odd in zip(decoder.even, decoder.odd):
            bias, u = to_even(h), to_odd(o)
            h, o = F.gelu(bias + u) + F.gelu(bias - u), F.gelu(bias + u) - F.gelu(bias - u)
        return decoder.velocity(h), decoder.sign(o)[:, 0], h

    for signed in (o, torch.zeros_like(o), o + 1):
        for got, expected in zip(decoder((x, signed), rest[:2], *rest[2:]), full(x, signed)):
            torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


def test_unknown_values_have_no_influence(model):
    state = random_state(1)
    hidden = ~state.velocity_known
    other = replace(
        state,
        velocity=torch.where(hidden, (state.velocity + 31) % 96, state.velocity),
        sign=torch.where(hidden, 1 - state.sign, state.sign),
    )
    places = places_of(state)
    with torch.no_grad():
        a, b = (model.decode(model.encode(s), *places) for s in (state, other))
    assert torch.equal(a.velocity, b.velocity) and torch.equal(a.sign, b.sign)


def test_unplaced_atom_prefers_positions_of_likely_velocity(model):
    from atomizer.model.atom_transformer import Decoded

    velocity = torch.zeros(2, 96)
    velocity[1, 40] = 9.0
    places = Decoded(velocity, torch.zeros(2), torch.zeros(2, 32))
    atoms = torch.tensor([[16, 5, 0, 40, 2]])
    score = model.point(torch.zeros(1, 32), atoms, places)
    assert score[0, 1] > score[0, 0] + 3


def test_saved_model_loads_from_small_shards(model, tmp_path, monkeypatch):
    monkeypatch.setattr("atomizer.model.atom_transformer.SHARD_SIZE", "30KB")
    model.save_pretrained(tmp_path)
    shards = list(tmp_path.glob("*.safetensors"))
    assert len(shards) > 1 and json.loads((tmp_path / "config.json").read_text())["width"] == 32
    again = AtomTransformer.from_pretrained(str(tmp_path))
    assert again.config == DEEP
    for a, b in zip(model.state_dict().values(), again.state_dict().values()):
        assert torch.equal(a.bfloat16().float(), b.float())


@pytest.mark.parametrize("break_it", ["config.json", "model.safetensors"])
def test_broken_checkpoint_is_refused_in_one_sentence(model, tmp_path, break_it):
    model.save_pretrained(tmp_path)
    (tmp_path / break_it).write_bytes(b"garbage")
    with pytest.raises(AtomizerError, match="is broken or not"):
        load(tmp_path, "cpu")


def test_invalid_model_configurations_are_refused():
    for bad in (
        dict(cell=(3, 8, 2)),
        dict(width=33),
        dict(serialisations=("spiral",)),
        dict(serialisations=("order",)),
        dict(encoding="x"),
    ):
        with pytest.raises(ValueError):
            replace(DEEP, **bad)


def test_configuration_survives_json():
    assert ModelConfig.from_dict(json.loads(json.dumps(DEEP.to_dict()))) == DEEP


def test_unplaced_atoms_change_predictions_and_padding_does_not(model):
    state = random_state(1)
    places = places_of(state)
    unplaced = torch.tensor([[[16, 5, 0, 40, 1], [3, 64, 1, 60, 0]]])
    with torch.no_grad():
        plain = model.decode(model.encode(state), *places)
        padded = model.encode(
            replace(state, unplaced=unplaced, unplaced_valid=torch.zeros(1, 2, dtype=torch.bool))
        )
        real = model.encode(
            replace(state, unplaced=unplaced, unplaced_valid=torch.ones(1, 2, dtype=torch.bool))
        )
    assert torch.allclose(plain.velocity, model.decode(padded, *places).velocity, atol=1e-5)
    assert not torch.allclose(plain.velocity, model.decode(real, *places).velocity, atol=1e-5)
    assert np.isfinite(real.unplaced.numpy()).all() and real.unplaced.shape == (1, 2, 32)
