"""Where fills are computed: here, or on a GPU that is lent; and for how long."""

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
from atomizer.ui import api
from atomizer.ui import gpu as device


@pytest.fixture
def task(sound):
    return prepare(sound(0.3), parse(["above:8000"]))


@pytest.fixture
def lending(monkeypatch):
    """The module as it is on a ZeroGPU Space: generators run elsewhere, so that arguments and results are pickled, and exceptions lose their words."""
    lent = []

    def gpu(duration):
        def decorate(generator):
            def elsewhere(*arguments):
                lent.append(duration)
                try:
                    for result in generator(*pickle.loads(pickle.dumps(arguments))):
                        yield pickle.loads(pickle.dumps(result))
                except Exception as error:
                    raise RuntimeError(type(error).__name__) from None

            return elsewhere

        return decorate

    monkeypatch.setitem(sys.modules, "spaces", types.SimpleNamespace(GPU=gpu))
    spec = importlib.util.spec_from_file_location(
        "atomizer.ui.lending", device.__file__
    )  # a second one: the page keeps its own
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module, lent


def soon(seconds=600):
    return time.monotonic() + seconds


def test_a_gpu_is_lent_for_the_model_and_gives_the_same(task, lending):
    module, lent = lending
    settings = Settings(steps=2, seed=1)
    steps = list(module.fill(task, settings, module.model_for("model", soon())))
    assert [step.number for step in steps] == [1, 2] and lent == [60]
    here = last(module.fill_here(task, settings, module.load_model()))
    assert np.array_equal(steps[-1].grid, here.grid)
    last(module.fill(task, Settings("noise"), module.model_for("noise", soon())))
    assert lent == [60], "noise needs no GPU"


def test_fills_of_two_visitors_use_one_model_that_is_loaded_once(task, monkeypatch):
    loaded, used = [], []
    load, read = device.checkpoint.load, AtomTransformer.read
    monkeypatch.setattr(device.checkpoint, "load", lambda: loaded.append(load()) or loaded[-1])
    monkeypatch.setattr(
        AtomTransformer,
        "read",
        lambda model, *arguments: used.append(model) or read(model, *arguments),
    )
    device._shipped.cache_clear()
    with ThreadPoolExecutor(2) as visitors:
        list(
            visitors.map(
                lambda seed: last(
                    device.fill(
                        task, Settings(steps=1, seed=seed), device.model_for("model", soon())
                    )
                ),
                (1, 2),
            )
        )
    assert len(loaded) == 1 and len(used) > 1 and all(model is loaded[0] for model in used)


def test_a_refusal_keeps_its_sentence_where_a_gpu_is_lent(task, lending, refused):
    module, _ = lending
    with refused("1 to 64 steps"):
        list(module.fill(task, Settings(steps=99), module.model_for("model", soon())))
    with refused("fill may take"):
        list(module.fill(task, Settings(), module.model_for("model", soon(-1))))


def test_the_model_is_loaded_at_start_where_a_gpu_is_lent(lending, monkeypatch):
    module, _ = lending
    loaded = []
    monkeypatch.setattr(module, "load_model", lambda: loaded.append(1))
    module.prepare()
    assert loaded == [1]
    monkeypatch.setattr(module, "spaces", None)
    module.prepare()
    assert loaded == [1], "elsewhere it is loaded when it is first needed"


def test_without_the_package_the_same_generators_run_here(task):
    assert device.spaces is None and device.gpu(len) is len
    assert last(device.fill(task, Settings(), device.model_for("model", soon()))).number == 1


def test_a_fill_ends_within_a_step(task, refused):
    with refused("longer than 300 s"):
        list(device.fill(task, Settings(), device.model_for("model", soon(-1))))


def test_an_endpoint_gives_no_sound_that_is_filled_in_by_half(task, limited, refused):
    limited(fill_seconds=0.001)
    for settings in (Settings(), Settings(steps=3)):
        with refused("longer than 0.001 s"):
            api._last_in_time(task, settings, soon(0.001))
    assert api._last_in_time(task, Settings("noise"), soon()).total == 1


def test_an_endpoint_takes_no_file_that_is_too_large(tmp_path, limited, refused):
    limited(file_mb=0.001)
    (tmp_path / "large.wav").write_bytes(bytes(5000))
    with refused("up to 0.001 MB"):
        api._read(str(tmp_path / "large.wav"), 0, None)


def test_a_wrong_limit_is_told_at_start(limited, refused):
    limited(queue="many")
    with refused("ATOMIZER_MAX_QUEUE"):
        device.prepare()
