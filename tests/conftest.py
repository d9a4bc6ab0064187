"""Shared by the tests: small atoms, short sounds, and the form of an error message."""

from __future__ import annotations

import asyncio
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import settings

from atomizer.atoms.atoms import Atoms
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.io.audio import Sound
from atomizer.limits import limits, variable

# Workers that also compute in several threads wait for each other
if "PYTEST_XDIST_WORKER" in os.environ:
    # read when torch is loaded, and by every process that a test starts
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers(config) -> int:
    """Return the number of workers of `-n auto`: two to four, as there are cores and memory.

    A worker starts up to five servers of the page and a browser, together 4 GB.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if os.name == "posix" else 0
    return max(2, min(4, cores or 2, memory // 4_000_000_000))


settings.register_profile("atomizer", max_examples=25, deadline=None, derandomize=True)
settings.load_profile("atomizer")

# bins of 62.5 Hz, frames of 8 ms: every case of the default space, a hundred times faster
SMALL = AtomSpace(rate=8000, hop=64)


@contextmanager
def _refused(*words: str):
    with pytest.raises(AtomizerError) as caught:
        yield caught
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message, f"no sentence: {message!r}"
    assert not re.search(r"[.!?]\s+[A-Z]", message), f"more than one sentence: {message!r}"
    assert len(message) < 400, f"too long to read: {message!r}"
    for word in words:
        assert word.lower() in message.lower(), f"{word!r} is not named in {message!r}"


@pytest.fixture(scope="session", autouse=True)
def uploads(tmp_path_factory):
    """A folder of uploads for every worker: tests compare what sessions leave there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield


@pytest.fixture(scope="session")
def refused():
    """`with refused("words", …):` expects an AtomizerError of one sentence with them."""
    return _refused


@pytest.fixture
def limited(monkeypatch):
    """`limited(steps=3)`: the environment sets limits, for this test."""

    def set_limits(**values):
        for name, value in values.items():
            monkeypatch.setenv(variable(name), str(value))
        limits.cache_clear()

    yield set_limits
    limits.cache_clear()


@pytest.fixture(scope="session")
def small() -> AtomSpace:
    return SMALL


@pytest.fixture(scope="session")
def run_async():
    """`run_async(coroutine)`: its result, computed in another thread.

    The browser of an earlier test keeps the event loop of this thread running.
    """

    def run(coroutine):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, coroutine).result()

    return run


@pytest.fixture
def warned(monkeypatch):
    """The sentences of the page's notices so far."""
    from atomizer.ui.handlers import responses

    sentences = []
    monkeypatch.setattr(responses, "warn", lambda sentence, title: sentences.append(sentence))
    return sentences


@pytest.fixture(scope="session")
def make_small_model():
    """`make_small_model(space)`: an untrained model, the same each time."""

    def make(space: AtomSpace):
        import torch

        from atomizer.model import AtomTransformer, ModelConfig

        torch.manual_seed(0)
        config = ModelConfig(space=space, embed=8, width=32, heads=2, layers=1, hidden=32)
        return AtomTransformer(config).eval()

    return make


def make_samples(length: int, channels: int = 1, rate: int = 44_100, seed: int = 0) -> np.ndarray:
    """Samples (channels, length) float32 below 0.6: gliding tones, a click, and noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(length) / rate
    out = 0.02 * rng.standard_normal((channels, length))
    for channel in range(channels):
        for pitch, gain in zip(rng.uniform(0.004, 0.2, 3) * rate, (0.2, 0.1, 0.1)):
            out[channel] += gain * np.sin(2 * np.pi * pitch * (t + 0.05 * t**2) + rng.uniform(0, 6))
        out[channel, length // 3] += 0.1
    return out.astype(np.float32)


@pytest.fixture(scope="session")
def samples():
    return make_samples


@pytest.fixture(scope="session")
def sound():
    """`sound(seconds, channels, rate)`: a Sound of `make_samples`."""
    return lambda seconds=0.5, channels=1, rate=44_100, seed=0: Sound(
        make_samples(max(1, round(seconds * rate)), channels, rate, seed), rate
    )


def make_atoms(count: int = 300, seed: int = 0, ties: bool = True) -> Atoms:
    """Atoms at different places of a small space, of few different amplitudes where `ties`."""
    rng = np.random.default_rng(seed)
    grid = np.zeros((2, SMALL.frame_count(1000), SMALL.hop), np.float32)
    places = rng.permutation(grid.size)[:count]
    amplitude = (
        rng.choice([0.5, 0.25, -0.25, 0.1, -0.01], count) if ties else rng.standard_normal(count)
    )
    grid.flat[places] = amplitude
    return Atoms.from_grid(grid, SMALL, 1000)


@pytest.fixture(scope="session")
def atoms_of():
    return make_atoms


@pytest.fixture
def atoms() -> Atoms:
    return make_atoms()
