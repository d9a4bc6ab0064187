"""Training: masks of every task, losses that fall, resumed runs, and one token per atom."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from atomizer.atoms.orderings import ORDERINGS
from atomizer.io.datasets import list_clips
from atomizer.model import AtomTransformer, ModelConfig
from atomizer.model.checkpoint import TRAINING, training_of
from atomizer.training.config import TrainingConfig
from atomizer.training.data import AudioBank, Windows
from atomizer.training.loop import Trainer
from atomizer.training.losses import Losses, velocity_floor
from atomizer.training.masking import mask_batch
from atomizer.training.plans import ORDER_WEIGHTS, order_weights
from atomizer.training.regions import TASKS
from atomizer.training.run_files import STATE
from tests.tiny import SPACE, TINY

# cells of one atom, serialized by the user's ordering
ONE_TOKEN_PER_ATOM = replace(
    TINY,
    space=replace(SPACE, frames=4, hop=16),
    cell=(1, 1, 1),
    serialisations=("order",),
    reach=(1, 2),
)


@pytest.fixture(autouse=True)
def short_evaluations(monkeypatch):
    monkeypatch.setattr(Trainer, "rounds", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve recordings of twelve sources, one of them mono, one with a cutoff."""
    path = tmp_path_factory.mktemp("audio")
    rng = np.random.default_rng(0)
    rows = ["file,source_repository,category,brickwall_hz"]
    for n in range(12):
        t = np.arange(16_000) / 8000
        x = sum(
            0.1 * np.sin(2 * np.pi * f * t + p)[:, None] * rng.uniform(0.3, 1, 2)
            for f, p in rng.uniform(100, 3000, (6, 2))
        )
        x = x + 0.003 * rng.standard_normal(x.shape)
        soundfile.write(path / f"clip{n}.wav", x[:, : 1 if n == 3 else 2], 8000, subtype="FLOAT")
        rows.append(
            f"clip{n}.wav,source{n},{'music-mix' if n % 2 else 'speech'},{2000 if n == 5 else ''}"
        )
    (path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def bank(folder):
    return AudioBank(list_clips(folder), SPACE, torch.device("cpu"), progress=False)


@pytest.fixture(autouse=True)
def one_batch_per_evaluation(monkeypatch):
    monkeypatch.setattr(Trainer, "rounds", 1)


def batch_of(bank, task=None, seed=0, count=4, **options):
    g = torch.Generator().manual_seed(seed)
    return mask_batch(bank.draw(count, g, augment=False), SPACE, g, task=task, **options)


def test_clips_have_the_metadata_of_the_manifest(folder):
    clips = {c.path.name: c for c in list_clips(folder)}
    assert clips["clip5.wav"].cutoff_hz == 2000 and clips["clip0.wav"].cutoff_hz == float("inf")
    assert clips["clip1.wav"].category == "music-mix" and clips["clip1.wav"].source == "source1"
    assert 0 < sum(c.held_out for c in clips.values()) < 12


def test_folder_without_recordings_is_refused(tmp_path, refused):
    with refused("no recordings"):
        list_clips(tmp_path)
    with refused("no folder"):
        list_clips(tmp_path / "nowhere")


def test_windows_are_the_mdct_of_the_recording(bank):
    from atomizer.analysis.mdct import mdct

    g = torch.Generator().manual_seed(3)
    grid = bank.draw(1, g, augment=False).grid
    # the same draws again, by hand
    g = torch.Generator().manual_seed(3)
    torch.rand(1, generator=g)
    i = int(torch.multinomial(bank.weights, 1, replacement=True, generator=g))
    torch.rand(1, generator=g)
    length = 17 * 64
    start = int(bank.starts[i] + torch.randint(int(bank.lengths[i]) - length + 1, (), generator=g))
    wave = bank.bank[:, start : start + length].float().numpy() / 32768
    assert np.allclose(grid[0].numpy(), mdct(wave, 64)[:, 1:17], atol=1e-5)


def test_augmented_windows_are_finite_and_differ(bank):
    g = torch.Generator().manual_seed(0)
    grid, channels, cutoff, *_ = bank.draw(64, g)
    assert torch.isfinite(grid).all() and grid.std((1, 2, 3)).unique().numel() > 50
    assert (grid[channels == 1, 1] == 0).all() and cutoff.min() >= 1 and cutoff.max() <= 64


@pytest.mark.parametrize("task", list(TASKS))
def test_task_hides_its_features(bank, task):
    batch = batch_of(bank, task, reveal=0.0)
    state = batch.state
    hidden_v, hidden_s = state.unknown("velocity"), state.unknown("sign")
    assert batch.target_mask.any()
    if task == "sign":
        assert not hidden_v.any() and hidden_s.any()
    elif task == "velocity":
        assert hidden_v.any() and not hidden_s.any()
    else:
        assert torch.equal(hidden_v, hidden_s)
    if task.startswith("place"):
        axis = ["place-time", "place-frequency", "place-channel"].index(task)
        for b in range(4):
            if batch.task[b] != task:  # a mono window has only one channel
                continue
            atoms, place = (
                state.unplaced[b][state.unplaced_valid[b]],
                batch.unplaced_position[b][state.unplaced_valid[b]],
            )
            assert (atoms[:, axis] == SPACE.features[axis].cardinality).all()
            c, t, f = place.unbind(1)
            assert hidden_v[b, c, t, f].all() and torch.equal(
                atoms[:, 3], batch.velocity[b, c, t, f]
            )
            if len(atoms):
                assert len(place.unique(dim=0)) == len(place)


def test_a_new_ordering_is_trained_too(monkeypatch):
    before = order_weights()
    assert before | ORDER_WEIGHTS == before and set(before) == set(ORDERINGS)
    monkeypatch.setitem(ORDERINGS, "outwards", lambda atoms, seed=0: np.arange(len(atoms)))
    weights = order_weights()
    assert weights.pop("outwards") > 0 and weights == before


@pytest.mark.parametrize("order", list(ORDERINGS))
def test_revealing_hides_fewer_atoms(bank, order):
    none, half = (
        batch_of(bank, "cut", reveal=r, order=order).target_mask.sum() for r in (0.0, 0.5)
    )
    assert 0.3 * none < half < 0.7 * none


def test_hidden_atoms_do_not_set_the_reference(bank):
    """Known levels stay equal where only the hidden part gets quieter."""
    g = torch.Generator().manual_seed(0)
    grid, channels, cutoff, *_ = bank.draw(1, g, augment=False)
    channels[:] = 2
    first, second = (
        cut_batch(x, channels, cutoff)
        for x in (grid, torch.where(mask_of(grid, channels, cutoff), grid * 0.5, grid))
    )
    seen = first.state.velocity_known & second.state.velocity_known
    assert torch.equal(first.state.velocity[seen], second.state.velocity[seen]) and (~seen).any()


def cut_batch(*windows):
    g = torch.Generator().manual_seed(5)
    return mask_batch(Windows(*windows), SPACE, g, task="cut", reveal=0.0)


def mask_of(*windows):
    return ~cut_batch(*windows).state.velocity_known


def test_no_targets_above_the_cutoff(bank):
    g = torch.Generator().manual_seed(0)
    grid, channels, *_ = bank.draw(4, g, augment=False)
    windows = Windows(grid, channels, torch.full((4,), 20))
    batch = mask_batch(windows, SPACE, g, task="cut", reveal=0.0)
    assert not batch.target_mask[..., 20:].any() and batch.state.unknown("velocity")[..., 20:].any()


def test_a_lowered_recording_hides_what_its_file_lacks(folder):
    clips = [
        replace(clip, lowered_hz=1000.0 if n % 2 else float("inf"))
        for n, clip in enumerate(list_clips(folder))
    ]
    lowered_bank = AudioBank(clips, SPACE, torch.device("cpu"), progress=False)
    g = torch.Generator().manual_seed(0)
    windows = lowered_bank.draw(16, g)
    lowered = windows.lowered < SPACE.hop
    assert 0 < lowered.sum() < 16
    # played faster or slower, the file ends elsewhere
    assert len(windows.lowered[lowered].unique()) > 1
    batch = mask_batch(windows, SPACE, g, reveal=0.0)
    for b in lowered.nonzero().flatten().tolist():
        hidden, cut = batch.state.unknown("velocity")[b], int(windows.lowered[b])
        assert batch.task[b] == "cut" and not hidden[..., :cut].any()
        assert hidden[: int(windows.channels[b]), :, cut:].all()
    assert set(batch.task) != {"cut"}
    gaps = mask_batch(windows, SPACE, g, task="gap")
    assert set(gaps.task) == {"gap"}


def test_velocity_floor_is_the_entropy_of_a_quantised_gaussian():
    assert velocity_floor(1.0) == pytest.approx(3.53, abs=0.01) and velocity_floor(
        1.5
    ) == pytest.approx(3.12, abs=0.01)
    level = np.round(20 * np.log10(np.abs(np.random.default_rng(0).standard_normal(2_000_000))))
    _, count = np.unique(level, return_counts=True)
    p = count / count.sum()
    assert velocity_floor(1.0) == pytest.approx(-(p * np.log(p)).sum(), abs=0.01)


def loss_of(model, batches):
    model.eval()
    with torch.no_grad():
        return np.mean(
            [float(Losses(model, 400)(b, torch.Generator().manual_seed(0))[0]) for b in batches]
        )


@pytest.mark.parametrize("config", [TINY, ONE_TOKEN_PER_ATOM], ids=["cells", "one token per atom"])
def test_a_few_steps_lower_the_loss(folder, tmp_path, config):
    trainer = Trainer(
        [folder],
        tmp_path,
        TrainingConfig(steps=12, batch=4, targets=400, lr=5e-3, warmup=3),
        config,
        progress=False,
    )
    g = torch.Generator().manual_seed(9)
    batches = [
        mask_batch(trainer.bank.draw(4, g, augment=False), config.space, g, task=t)
        for t in ("cut", "random", "place-frequency")
    ]
    before = loss_of(trainer.model, batches)
    table = trainer.run()
    assert loss_of(trainer.model, batches) < before / 2
    assert set(table) == set(TASKS) and all(
        np.isfinite(v) for row in table.values() for v in row.values()
    )
    assert AtomTransformer.from_pretrained(str(tmp_path)).config == config


def test_order_serialization_depends_on_the_users_ordering(folder):
    torch.manual_seed(0)
    model = AtomTransformer(replace(ONE_TOKEN_PER_ATOM, window=8, layers=1)).eval()
    bank = AudioBank(
        list_clips(folder), ONE_TOKEN_PER_ATOM.space, torch.device("cpu"), progress=False
    )
    g = torch.Generator().manual_seed(0)
    batch = mask_batch(bank.draw(1, g, augment=False), ONE_TOKEN_PER_ATOM.space, g, task="random")
    places = batch.state.unknown("velocity").nonzero().unbind(1)
    other = replace(batch.state, rank=torch.rand_like(batch.state.rank))
    with torch.no_grad():
        a, b = (model.decode(model.encode(s), *places).velocity for s in (batch.state, other))
    assert not torch.equal(a, b)  # other neighbours in the sequence, other predictions


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_training_resumes_where_it_stopped(folder, tmp_path, optimiser, refused):
    options = TrainingConfig(steps=6, batch=2, targets=200, warmup=2, optimiser=optimiser)
    whole = Trainer([folder], tmp_path / "whole", options, TINY, progress=False)
    whole.run()
    first = Trainer([folder], tmp_path / "parts", options, TINY, progress=False)
    for _ in range(3):
        first.train_step()
    first.save()
    second = Trainer([folder], tmp_path / "parts", options, TINY, progress=False)
    assert second.step == 3
    second.run()
    assert second.step == 6
    for a, b in zip(whole.average.values(), second.average.values()):
        assert torch.allclose(a, b, atol=1e-5)
    assert (tmp_path / "parts" / STATE).is_file() and not list((tmp_path / "parts").glob("*.part"))
    other = replace(options, optimiser="muon" if optimiser == "adamw" else "adamw")
    with refused(f"uses the optimiser '{optimiser}'"):
        Trainer([folder], tmp_path / "parts", other, TINY, progress=False)


def test_training_starts_from_a_checkpoint(folder, tmp_path):
    torch.manual_seed(4)
    model = AtomTransformer(TINY)
    model.save_pretrained(tmp_path / "init")
    trainer = Trainer(
        [folder],
        tmp_path / "out",
        TrainingConfig(steps=1),
        ModelConfig(),
        init=str(tmp_path / "init"),
        progress=False,
    )
    assert trainer.model.config == TINY
    assert torch.equal(
        trainer.model.trunk.globals.detach(), model.trunk.globals.detach().bfloat16().float()
    )


def test_record_adds_up_the_runs_of_the_weights(folder, tmp_path):
    config = TrainingConfig(steps=2, batch=1, targets=200, evaluate_minutes=100)
    options = dict(progress=False, device="cpu")
    Trainer([folder], tmp_path / "first", config, TINY, command="one", **options).run()
    assert training_of(tmp_path / "first")["commands"] == ["one"]
    options |= dict(init=str(tmp_path / "first"), command="two")
    second = Trainer([folder], tmp_path / "second", config, TINY, **options)
    second.run()
    found = training_of(tmp_path / "second")
    assert found["steps"] == 4 and found["commands"] == ["one", "two"]
    assert found["recordings"] == len(second.bank.clips) and found["hours"] > 0
    (tmp_path / "second" / TRAINING).write_text("[]")
    assert training_of(tmp_path / "second") == {}


def test_new_statistics_are_trained_beside_kept_weights(folder, tmp_path):
    torch.manual_seed(4)
    AtomTransformer(TINY).save_pretrained(tmp_path / "init")
    options = TrainingConfig(
        steps=2, batch=2, targets=100, warmup=1, power_target=True, inherited=0.0
    )

    def trainer(init):
        model = replace(TINY, statistics=3)
        return Trainer([folder], tmp_path / "out", options, model, init=init, progress=False)

    first = trainer(str(tmp_path / "init"))
    before = {k: v.clone() for k, v in first.model.state_dict().items()}
    first.train_step()
    first.save()
    second = trainer(None)  # resumes with the same kept weights
    second.train_step()
    for model in (first.model, second.model):
        changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
        assert changed == {"trunk.statistics.weight"}


def test_further_layers_start_without_effect_and_are_trained(folder, tmp_path):
    torch.manual_seed(4)
    start = AtomTransformer(TINY)
    start.save_pretrained(tmp_path / "init")
    config = TrainingConfig(steps=3, batch=2, targets=100, warmup=1, optimiser="muon", add_layers=2)
    options = dict(init=str(tmp_path / "init"), progress=False)
    trainer = Trainer([folder], tmp_path / "out", config, TINY, **options)
    plain, grown = AtomTransformer.from_pretrained(tmp_path / "init").eval(), trainer.model.eval()
    batch = mask_batch(trainer.bank.draw(2, trainer.generator), SPACE, trainer.generator)
    at = batch.state.unknown("velocity").nonzero().unbind(1)
    with torch.no_grad():
        found = [m.decode(m.encode(batch.state), *at).velocity for m in (plain.float(), grown)]
    assert torch.equal(*found)
    trainer.run()
    last = trainer.model.trunk.blocks[-1]
    assert last.out.weight.abs().max() > 0 and trainer.model.config.layers == TINY.layers + 2
    resumed = Trainer([folder], tmp_path / "out", config, TINY, **options)
    assert resumed.step == 3 and len(resumed.model.trunk.blocks) == TINY.layers + 2


def test_reserved_recordings_are_not_trained_on(folder, tmp_path, refused):
    soundfile.write(tmp_path / "librosa-trumpet.wav", np.zeros(16_000), 8000)
    with refused("reserved for evaluation"):
        Trainer([tmp_path], tmp_path / "out", TrainingConfig(steps=1), TINY, progress=False)
    both = Trainer([tmp_path, folder], tmp_path / "o", TrainingConfig(), TINY, progress=False)
    assert all("librosa" not in clip.path.name for clip in both.bank.clips) and both.bank.clips


@pytest.mark.parametrize(
    "wrong, word",
    [
        (dict(minutes=0.0), "minutes"),
        (dict(minutes=float("inf")), "minutes"),
        (dict(steps=0), "1 step"),
        (dict(batch=0), "window"),
        (dict(targets=2), "atoms"),
        (dict(optimiser="sgd"), "adamw or muon is accepted"),
        (dict(lr=0.0), "rate"),
        (dict(lr=float("nan")), "rate"),
        (dict(warmup=0), "warm-up"),
        (dict(weight_decay=-1.0), "weight decay"),
        (dict(ema=1.0), "averaged"),
        (dict(clip=0.0), "clipped"),
        (dict(inherited=1.5), "share of the learning rate"),
        (dict(seed=-1), "seed"),
        (dict(seed=1 << 53), "seed"),
        (dict(save_minutes=-1.0), "checkpoints"),
        (dict(evaluate_minutes=float("nan")), "evaluations"),
    ],
)
def test_invalid_training_configurations_are_refused(folder, tmp_path, wrong, word, refused):
    with refused(word):
        Trainer([folder], tmp_path / "out", TrainingConfig(**wrong), TINY, progress=False)
    assert not (tmp_path / "out").exists()


def test_smallest_accepted_numbers_train(folder, tmp_path):
    smallest = TrainingConfig(
        steps=1,
        batch=1,
        targets=3,
        warmup=1,
        weight_decay=0.0,
        ema=0.0,
        seed=(1 << 53) - 1,
        save_minutes=0.0,
        evaluate_minutes=float("inf"),
    )
    trainer = Trainer([folder], tmp_path, smallest, TINY, progress=False)
    trainer.run()
    assert trainer.step == 1


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_non_finite_loss_changes_no_weights(folder, tmp_path, monkeypatch, optimiser):
    options = TrainingConfig(steps=2, batch=2, targets=200, optimiser=optimiser)
    trainer = Trainer([folder], tmp_path, options, TINY, progress=False)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    real = Losses.forward
    monkeypatch.setattr(
        Losses,
        "forward",
        lambda self, batch: (lambda loss, report: (loss * float("nan"), report))(
            *real(self, batch)
        ),
    )
    trainer.train_step()
    assert all(torch.equal(v, before[k]) for k, v in trainer.model.state_dict().items())


def test_two_processes_train_one_model(folder, tmp_path):
    config = tmp_path / "tiny.json"
    config.write_text(json.dumps(TINY.to_dict()))
    script = tmp_path / "short.py"  # the command, with short evaluations
    script.write_text(
        "import runpy\nfrom atomizer.training.loop import Trainer\n"
        "Trainer.rounds = 1\nrunpy.run_module('atomizer', run_name='__main__')\n"
    )
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        script,
        "train",
        "--audio",
        folder,
        "--out",
        tmp_path / "out",
        "--config",
        config,
        "--steps",
        "3",
        "--batch",
        "1",
        "--asked",
        "100",
        "--device",
        "cpu",
    ]
    done = subprocess.run(
        [str(c) for c in command],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    state = torch.load(tmp_path / "out" / STATE, weights_only=True)
    assert state["step"] == 3 and (tmp_path / "out" / "model.safetensors").is_file()


def test_masks_and_priors_of_a_gpu_equal_those_of_a_cpu(bank, monkeypatch):
    """On a GPU all windows are computed at once, and nothing is read back."""
    from atomizer.priors import devices

    g = torch.Generator().manual_seed(0)
    windows = bank.draw(9, g, augment=False)
    tasks = ["gap", "suffix", "random", "rect", "loudness", "cut", "channel", "sign"]
    for task in tasks:
        both = []
        for is_host in (True, False):
            monkeypatch.setattr(devices, "is_host", lambda x, value=is_host: value)
            both.append(mask_batch(windows, SPACE, torch.Generator().manual_seed(3), task=task))
        one, other = (batch.state for batch in both)
        assert both[0].task == both[1].task and torch.equal(*(b.target_mask for b in both))
        assert torch.equal(one.velocity_known, other.velocity_known)
        for name in ("estimate", "prior_std", "envelope_std", "rank"):
            a, b = getattr(one, name), getattr(other, name)
            torch.testing.assert_close(a, b, rtol=2e-3, atol=1e-3 * float(a.abs().max()), msg=name)


def test_batched_envelope_equals_the_prior_of_fills(bank):
    from atomizer.priors import envelope_batch
    from atomizer.priors.interface import PriorContext
    from atomizer.priors.registry import LEVEL_PRIOR
    from atomizer.training.regions import draw_region

    g = torch.Generator().manual_seed(0)
    tasks = ["gap", "suffix", "random", "rect", "cut", "channel", "cut", "gap"]
    grid, channels, *_ = bank.draw(len(tasks), g, augment=False)
    grid[-1] = 0
    known = torch.stack(
        [~draw_region(task, x, int(c), SPACE, g) for task, x, c in zip(tasks, grid, channels)]
    )
    present = torch.arange(2) < channels[:, None]
    found = envelope_batch.envelope_std(grid, known, present)
    for b, count in enumerate(channels.tolist()):
        seen = known[b, :count].numpy()
        amplitude = np.where(seen, grid[b, :count].numpy(), 0)
        peak = float(np.abs(amplitude).max())
        if peak == 0:
            assert not found[b].any()
            continue
        context = PriorContext(amplitude, seen, SPACE, peak, amplitude, seen, 0)
        expected = torch.from_numpy(LEVEL_PRIOR.predict(context).std)
        torch.testing.assert_close(found[b, :count], expected, rtol=1e-4, atol=1e-7)
        assert not found[b, count:].any()


class NoWaits(TorchDispatchMode):
    """Refuses what a GPU must be waited for: values that the host reads, shapes made of values."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        waits = ("_local_scalar_dense", "nonzero", "masked_select", "unique")
        name = function.overloadpacket.__name__
        is_mask = name.startswith("index") and any(
            isinstance(i, torch.Tensor) and i.dtype == torch.bool
            for i in (args[1] if isinstance(args[1], (list, tuple)) else ())
        )
        assert not is_mask and not any(word in name for word in waits), name
        return function(*args, **(kwargs or {}))


def test_training_step_reads_nothing_back(folder, tmp_path, monkeypatch):
    from atomizer.priors import devices

    options = TrainingConfig(steps=2, batch=4, targets=200, warmup=1, optimiser="muon")
    trainer = Trainer([folder], tmp_path, options, TINY, progress=False)
    g = torch.Generator().manual_seed(0)
    batches = [
        mask_batch(trainer.bank.draw(4, g, augment=False), SPACE, g, task=task)
        for task in ("gap", "random", "place-frequency")
    ]
    losses = Losses(trainer.model, 200)
    found = []
    for is_host in (True, False):
        monkeypatch.setattr(devices, "is_host", lambda x, value=is_host: value)
        found.append([losses(b, torch.Generator().manual_seed(0))[0] for b in batches])
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-3)
    monkeypatch.setattr(trainer, "_prepare", lambda: None)
    for batch in batches:
        trainer.next = Future()
        trainer.next.set_result((batch, None))
        with NoWaits():
            trainer.train_step()
