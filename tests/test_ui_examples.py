"""The examples of the page and their cached results."""

from dataclasses import replace

import numpy as np
import pytest

from atomizer import load_model
from atomizer.atoms.selection import parse
from atomizer.inpainting.fill import Step, fill, last
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Settings
from atomizer.io.audio import read, write
from atomizer.priors.recording.context import CopySource
from atomizer.ui import examples


@pytest.fixture
def example(tmp_path, sound, monkeypatch):
    """An example of a short sound, with its own caches and a fake checkpoint hash."""
    monkeypatch.setattr(examples, "ASSETS", tmp_path)
    monkeypatch.setattr(examples, "SHIPPED", tmp_path / "examples")
    monkeypatch.setenv("ATOMIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(examples, "_checkpoint_hash", lambda: "first")
    write(tmp_path / "short.wav", sound(0.5, 2))
    return examples.Example(
        "short", "Short", "Listen.", "short.wav", Recipe(parse(["above:4000"]), Settings("noise"))
    )


def filled(example):
    task = example.recipe.task(read(example.path))
    return task, last(fill(task, example.recipe.settings))


def test_every_example_has_a_sound_and_a_listening_hint():
    assert len(examples.EXAMPLES) >= 6 and examples.available() == list(examples.EXAMPLES.values())
    for example in examples.EXAMPLES.values():
        assert (
            "isten" in example.listen
            and example.listen.endswith(".")
            and example.recipe.settings.order
        )
        example.recipe.task(read(example.path))  # raises where the recipe does not fit the sound


def test_stored_result_is_found_again(example):
    task, step = filled(example)
    assert examples.cached(example, task) is None
    step = replace(step, sources=(CopySource((1, 2), (3, 4), 5.0, 0.5),), priors=("recording",))
    assert examples.store(example, task, step).is_file()
    again = examples.cached(example, task)
    assert (again.sources, again.priors) == (step.sources, step.priors)
    assert np.array_equal(again.grid[~task.mask], task.grid[~task.mask]) and np.array_equal(
        again.revealed, task.mask
    )
    assert np.abs(again.grid - step.grid).max() < 1e-3 * np.abs(step.grid).max()


def test_result_depends_on_checkpoint_and_sound(example, sound, monkeypatch, tmp_path):
    task, step = filled(example)
    first = examples.store(example, task, step)
    monkeypatch.setattr(examples, "_checkpoint_hash", lambda: "second")
    assert examples.cached(example, task) is None
    second = examples.store(example, task, step)
    assert second != first and not first.exists(), (
        "the result of the previous checkpoint is deleted"
    )
    write(tmp_path / "short.wav", sound(0.6, 2))
    assert examples.cached(example, task) is None


def test_broken_file_or_read_only_folder_is_harmless(example, tmp_path, monkeypatch):
    task, step = filled(example)
    examples.store(example, task, step).write_bytes(b"broken")
    assert examples.cached(example, task) is None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ATOMIZER_CACHE", str(tmp_path / "file"))
    assert examples.store(example, task, step) is None


def test_shipped_results_match_the_sampler():
    """A sampler that changed after the examples were computed needs another FORMAT."""
    example = examples.EXAMPLES["hole"]
    task = example.recipe.task(read(example.path))
    made, shipped = (
        last(fill(task, example.recipe.settings, load_model())).grid,
        examples.cached(example, task).grid,
    )
    assert np.linalg.norm(made - shipped) < 0.03 * np.linalg.norm(made[task.mask])


def test_compute_skips_cached_examples(example, monkeypatch):
    monkeypatch.setattr(examples, "EXAMPLES", {"short": example})
    monkeypatch.setattr("atomizer.load_model", lambda: None)
    announced = []
    paths = examples.compute(examples.SHIPPED, announced.append)
    assert announced == [example] and [p.is_file() for p in paths] == [True]
    assert examples.compute(examples.SHIPPED, announced.append) == paths and announced == [example]
    task, step = filled(example)
    assert isinstance(examples.cached(example, task), Step)
