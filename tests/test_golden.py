"""The shipped checkpoint fills in the golden numbers, whatever the threads and the CPU."""

import json

import numpy as np
import pytest
import torch
from golden import DECIBELS, FILE, FILLS, SHARE, distance, elsewhere, fingerprint, identity

from atomizer import load_model

FEW = ["half of the signs", "highs"]  # an expectation, and a draw
GOLDEN = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def model():
    return load_model(device="cpu")


@pytest.fixture(scope="module")
def found(model):
    return fingerprint(model)


def assert_close(a, b):
    for name, (bands, atoms) in distance(a, b).items():
        assert bands < DECIBELS and atoms < SHARE, (
            f"{name}: bands differ by {bands:.2f} dB, atoms by {100 * atoms:.1f} %"
        )


def test_shipped_checkpoint_gives_the_golden_numbers(found):
    assert GOLDEN["checkpoint"] == identity(), (
        "another checkpoint is shipped: run `python -m tests.golden` once and check the changes"
    )
    assert_close(GOLDEN["fills"], found)


def test_fingerprint_of_another_model_differs(model, found):
    """One weight in ten is changed by half of a standard deviation."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            some = torch.rand(value.shape, generator=generator) < 0.1
            value += (
                some * 0.5 * value.std(correction=0) * torch.randn(value.shape, generator=generator)
            )
    try:
        changed = fingerprint(model, ["highs"])
    finally:
        model.load_state_dict(before)
    ((bands, atoms),) = distance({"highs": found["highs"]}, changed).values()
    assert bands > 0.05 or atoms > 0.01


def test_same_seed_gives_the_same_numbers(model, found):
    again = fingerprint(model, FEW)
    assert again == {name: found[name] for name in FEW}


def test_number_of_threads_is_inaudible(model, found):
    before = torch.get_num_threads()
    torch.set_num_threads(1 if before > 1 else 2)
    try:
        assert_close(found, fingerprint(model, FEW))
    finally:
        torch.set_num_threads(before)


def test_bfloat16_is_inaudible(model, found, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert_close(found, fingerprint(model, FEW))


def test_avx_is_inaudible(found):
    """PyTorch's kernels without vector instructions, in a separate process."""
    assert_close(found, elsewhere(bfloat16=False, instructions="default", names=FEW))


def test_golden_file_is_complete():
    assert set(GOLDEN["fills"]) == set(FILLS)
    assert all(
        len(fill["atoms"]) == 32 and np.isfinite(fill["bands"]).all()
        for fill in GOLDEN["fills"].values()
    )
