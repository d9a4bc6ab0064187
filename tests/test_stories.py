"""The one-click stories and their cache."""

import numpy as np
import pytest

from atomizer import load_model
from atomizer.atoms.selection import parse
from atomizer.inpainting.fill import Step, fill, last
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.settings import Settings
from atomizer.io.audio import read, write
from atomizer.ui import examples as stories


@pytest.fixture
def story(tmp_path, sound, monkeypatch):
    """A story of a short sound, with caches of its own and a checkpoint that can be changed."""
    monkeypatch.setattr(stories, "ASSETS", tmp_path)
    monkeypatch.setattr(stories, "SHIPPED", tmp_path / "stories")
    monkeypatch.setenv("ATOMIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(stories, "_checkpoint_hash", lambda: "first")
    write(tmp_path / "short.wav", sound(0.5, 2))
    return stories.Story(
        "short", "Short", "Listen.", "short.wav", Recipe(parse(["above:4000"]), Settings("noise"))
    )


def filled(story):
    task = story.recipe.task(read(story.path))
    return task, last(fill(task, story.recipe.settings))


def test_there_are_six_with_what_to_listen_for_and_their_sounds():
    assert len(stories.STORIES) >= 6 and stories.available() == list(stories.STORIES.values())
    for story in stories.STORIES.values():
        assert (
            "isten" in story.listen and story.listen.endswith(".") and story.recipe.settings.order
        )
        story.recipe.task(read(story.path))  # it fits its sound


def test_what_is_kept_is_found_again(story):
    task, step = filled(story)
    assert stories.cached(story, task) is None
    assert stories.keep(story, task, step).is_file()
    again = stories.cached(story, task)
    assert np.array_equal(again.grid[~task.mask], task.grid[~task.mask]) and np.array_equal(
        again.revealed, task.mask
    )
    assert np.abs(again.grid - step.grid).max() < 1e-3 * np.abs(step.grid).max()


def test_another_checkpoint_sound_or_recipe_is_another_result(story, sound, monkeypatch, tmp_path):
    task, step = filled(story)
    first = stories.keep(story, task, step)
    monkeypatch.setattr(stories, "_checkpoint_hash", lambda: "second")
    assert stories.cached(story, task) is None
    second = stories.keep(story, task, step)
    assert second != first and not first.exists(), "the result of the checkpoint before is removed"
    write(tmp_path / "short.wav", sound(0.6, 2))
    assert stories.cached(story, task) is None


def test_a_broken_file_or_a_read_only_folder_does_no_harm(story, tmp_path, monkeypatch):
    task, step = filled(story)
    stories.keep(story, task, step).write_bytes(b"broken")
    assert stories.cached(story, task) is None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ATOMIZER_CACHE", str(tmp_path / "file"))
    assert stories.keep(story, task, step) is None


def test_the_shipped_results_are_those_of_the_shipped_sampler():
    """A sampler that has changed since the stories were computed needs another FORMAT."""
    story = stories.STORIES["hole"]
    task = story.recipe.task(read(story.path))
    made, shipped = (
        last(fill(task, story.recipe.settings, load_model())).grid,
        stories.cached(story, task).grid,
    )
    assert np.linalg.norm(made - shipped) < 0.03 * np.linalg.norm(made[task.mask])


def test_the_command_computes_what_is_missing(story, monkeypatch):
    monkeypatch.setattr(stories, "STORIES", {"short": story})
    monkeypatch.setattr("atomizer.load_model", lambda: None)
    told = []
    paths = stories.build(stories.SHIPPED, told.append)
    assert told == [story] and [p.is_file() for p in paths] == [True]
    assert stories.build(stories.SHIPPED, told.append) == paths and told == [story]
    task, step = filled(story)
    assert isinstance(stories.cached(story, task), Step)
