"""The shipped model: small files, a card, and better results than random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from atomizer import Settings, fill, load_model, metrics, parse, prepare, read
from atomizer.evaluation.cross_entropy import excess_nats
from atomizer.inpainting.fill import last
from atomizer.io.audio import Sound
from atomizer.model import AtomTransformer, WithoutTrunk
from atomizer.model.checkpoint import SHIPPED
from atomizer.priors.noise_fill import noise_fill

ASSETS = Path(__file__).parents[1] / "assets"


@pytest.fixture(scope="module")
def shipped():
    return load_model(device="cpu")


def untrained(shipped):
    torch.manual_seed(0)
    return AtomTransformer(shipped.config).eval()


def shuffled(shipped):
    """The shipped weights, shuffled within every tensor."""
    g = torch.Generator().manual_seed(0)
    model = AtomTransformer(shipped.config)
    model.load_state_dict(
        {
            k: v.flatten()[torch.randperm(v.numel(), generator=g)].view_as(v)
            for k, v in shipped.state_dict().items()
        }
    )
    return model.eval()


def excerpt(name):
    """A second and a half of an example sound."""
    sound = read(ASSETS / name)
    return Sound(sound.samples[:, 88_200 : 88_200 + 66_150], sound.rate)


@pytest.fixture(scope="module")
def ensemble():
    return excerpt("ensemble.flac")


@pytest.fixture(scope="module")
def percussion():
    """A sound with energy above 8 kHz."""
    return excerpt("percussion.flac")


def filled(clip, specification, model):
    task = prepare(clip, parse([specification]))
    grid = last(fill(task, Settings(steps=1), model)).grid
    return metrics.normalise(
        clip.samples,
        task.render(grid).samples,
        task.render(task.erased()).samples,
        task.render(noise_fill(task.grid, task.mask)).samples,
    )


def test_files_are_small_and_have_a_model_card():
    sizes = [f.stat().st_size for f in SHIPPED.iterdir()]
    assert max(sizes) < 10_000_000 and sum(sizes) < 20_000_000
    card = (SHIPPED / "README.md").read_text()
    assert "python -m atomizer train" in card and "python -m atomizer evaluate" in card


def test_restores_better_than_shuffled_weights(shipped, ensemble):
    """An untrained model predicts linearly, which is almost exact for this sound."""
    x, ours, erased, noise = filled(ensemble, "random:50", shipped)
    theirs = filled(ensemble, "random:50", shuffled(shipped))[1]
    snr = [metrics.snr_db(x, y) for y in (ours, theirs, erased, noise)]
    assert snr[0] > max(snr[1:])


@pytest.mark.parametrize("worse", [untrained, shuffled])
def test_extends_bandwidth_better_than_random_weights(shipped, percussion, worse):
    x, ours, erased, noise = filled(percussion, "above:8000", shipped)
    theirs = filled(percussion, "above:8000", worse(shipped))[1]
    distance = [metrics.lsd(x, y, 8200) for y in (ours, theirs, erased, noise)]
    assert distance[0] < min(distance[1:])


def test_the_transformer_predicts_highs_better_than_its_decoder(shipped):
    """The decoder alone sees 100 Hz around an atom; the levels are judged before the priors."""
    models = {"whole": shipped, "without": WithoutTrunk(shipped)}
    nats = {name: [] for name in models}
    rng = np.random.default_rng(0)
    for path in sorted(ASSETS.glob("*.flac")):
        task = prepare(excerpt(path.name), parse(["above:8000"]))
        judged = task.mask & (rng.random(task.mask.shape) < 0.2)
        for name, model in models.items():
            nats[name].append(excess_nats(task, judged, model))
    assert np.mean(nats["whole"]) < np.mean(nats["without"]) - 0.04  # 0.06
