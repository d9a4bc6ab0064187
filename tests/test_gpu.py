"""Fills in this process or on a ZeroGPU, and their time limit."""

import importlib.util
import pickle
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from atomizer import Settings, parse, prepare
from atomizer.inpainting.fill import last
from atomizer.model import AtomTransformer
from atomizer.ui import api, gpu


@pytest.fixture
def task(sound):
    return prepare(sound(0.3), parse(["above:8000"]))


@pytest.fixture
def zero_gpu(monkeypatch):
    """The module as on a ZeroGPU Space, and the durations that a GPU was requested for.

    Generators run in another process there: arguments and results are pickled, and exceptions
    lose their messages.
    """
    requests = []

    def fake_gpu(duration):
        def decorate(generator):
            def in_other_process(*arguments):
                requests.append(duration(*arguments))
                try:
                    for result in generator(*pickle.loads(pickle.dumps(arguments))):
                        yield pickle.loads(pickle.dumps(result))
                except Exception as error:
                    raise RuntimeError(type(error).__name__) from None

            return in_other_process

        return decorate

    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=fake_gpu))
    # a second module: the page keeps its own
    spec = importlib.util.spec_from_file_location("atomizer.ui.zero_gpu", gpu.__file__)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module, requests


def soon(seconds=600):
    return time.monotonic() + seconds


def test_zero_gpu_gives_the_same_result(task, zero_gpu):
    module, requests = zero_gpu
    settings = Settings(steps=2, seed=1)
    steps = list(module.fill(task, settings, module.model_for("model", soon())))
    assert [step.number for step in steps] == [1, 2] and requests == [20]
    here = last(module.fill_here(task, settings, module.load_model()))
    assert np.array_equal(steps[-1].grid, here.grid)
    last(module.fill(task, Settings("noise"), module.model_for("noise", soon())))
    assert requests == [20], "noise needs no GPU"


def test_concurrent_fills_load_the_model_once(task, monkeypatch):
    loaded, used = [], []
    load, encode = gpu.checkpoint.load, AtomTransformer.encode
    monkeypatch.setattr(gpu.checkpoint, "load", lambda: loaded.append(load()) or loaded[-1])
    monkeypatch.setattr(
        AtomTransformer,
        "encode",
        lambda model, *arguments: used.append(model) or encode(model, *arguments),
    )
    gpu._shipped_model.cache_clear()
    with ThreadPoolExecutor(2) as visitors:
        list(
            visitors.map(
                lambda seed: last(
                    gpu.fill(task, Settings(steps=1, seed=seed), gpu.model_for("model", soon()))
                ),
                (1, 2),
            )
        )
    assert len(loaded) == 1 and len(used) > 1 and all(model is loaded[0] for model in used)


def test_zero_gpu_keeps_error_messages(task, zero_gpu, refused):
    module, _ = zero_gpu
    with refused("1 to 64 steps"):
        list(module.fill(task, Settings(steps=99), module.model_for("model", soon())))
    with refused("fill may take"):
        list(module.fill(task, Settings(), module.model_for("model", soon(-1))))


def test_zero_gpu_loads_the_model_at_start(zero_gpu, monkeypatch):
    module, _ = zero_gpu
    loaded = []
    monkeypatch.setattr(module, "load_model", lambda: loaded.append(1))
    module.prepare()
    assert loaded == [1]
    monkeypatch.setattr(module, "spaces", None)
    module.prepare()
    assert loaded == [1], "elsewhere the model is loaded by the first fill"


def test_without_zero_gpu_fills_run_in_this_process(task):
    assert gpu.spaces is None and gpu.with_gpu(len) is len
    assert last(gpu.fill(task, Settings(), gpu.model_for("model", soon()))).number == 1


def test_time_limit_applies_within_a_step(task, refused):
    with refused("longer than 300 s"):
        list(gpu.fill(task, Settings(), gpu.model_for("model", soon(-1))))


def test_endpoint_never_returns_a_partial_fill(task, limited, refused):
    limited(fill_seconds=0.001)
    for settings in (Settings(), Settings(steps=3)):
        with refused("longer than 0.001 s"):
            api._last_step(task, settings, soon(0.001))
    assert api._last_step(task, Settings("noise"), soon()).total == 1


def test_endpoint_refuses_too_large_files(tmp_path, limited, refused):
    limited(file_mb=0.001)
    (tmp_path / "large.wav").write_bytes(bytes(5000))
    with refused("up to 0.001 MB"):
        api._read(str(tmp_path / "large.wav"), 0, None)


def test_invalid_limit_is_refused_at_start(limited, refused):
    limited(queue="many")
    with refused("ATOMIZER_MAX_QUEUE"):
        gpu.prepare()
