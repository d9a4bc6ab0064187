"""The page's handlers without a browser: messages, sessions, undo, limits and Stop."""

import gc
import json
import re
import shlex
import sys
import threading
import time
import weakref
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile

from atomizer import Settings
from atomizer.atoms.selection import Selection, parse
from atomizer.cli import run
from atomizer.inpainting import standout
from atomizer.inpainting.fill import Step
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.task import prepare
from atomizer.plotting.style import PlotStyle
from atomizer.priors.noise_fill import noise_fill
from atomizer.ui import cleanup, examples, gpu, handlers
from atomizer.ui.examples import EXAMPLES
from atomizer.ui.exports import ExportRequest, export
from atomizer.ui.handlers import estimating, loading, running
from atomizer.ui.handlers.controls import FillControls, settings_of
from atomizer.ui.handlers.fill_status import fill_status
from atomizer.ui.message import Chosen
from atomizer.ui.pace import Pace
from atomizer.ui.session import Session, Tab, copying, history, jobs, scenes
from atomizer.ui.session.job_state import JobEvent

CONTROLS = ("auto", False, None, None, None, 0, "noise", "auto", 0)
ALL = Chosen(regions=[{"kind": "rect", "op": "add", "f": [3000, 9000]}], parts=[])


@pytest.fixture
def long(tmp_path, limited):
    """A sound of 2.5 s, with a limit of 1 s per excerpt."""
    limited(excerpt_seconds=1)
    soundfile.write(
        tmp_path / "long.wav",
        np.random.default_rng(0).uniform(-0.5, 0.5, (20_000, 2)),
        8000,
        subtype="FLOAT",
    )
    return tmp_path / "long.wav"


def filled(session, *, count=1, **options):
    return list(
        handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, count, **options)
    )


def loaded(path) -> Session:
    message, session = handlers.load(str(path), Tab())
    assert isinstance(session, Session), message
    return session


def test_long_file_opens_as_an_excerpt(long, warned, monkeypatch):
    deleted = []
    monkeypatch.setattr(cleanup, "delete_soon", deleted.append)
    session = loaded(long)
    excerpt = session.message.excerpt
    assert "2 s long; you can work on up to 1 s" in session.message.status and (
        excerpt.start,
        excerpt.seconds,
        excerpt.longest,
    ) == (0, 1, 1)
    assert excerpt.duration == 2.5
    message, other = handlers.choose_excerpt(Tab(session), {"start": 1.25, "seconds": 0.5})
    assert message.status.startswith("Showing 0:01.2 to 0:01.8: "), "as the chooser writes it"
    wanted = soundfile.read(long, dtype="float32", always_2d=True)[0][10_000:14_000].T
    assert np.array_equal(other.sound.samples, wanted) and deleted == [session.folder]
    assert (other.message.excerpt.start, other.message.excerpt.seconds) == (
        1.25,
        0.5,
    ) and not warned


def test_short_hole_is_continued_from_its_samples(long):
    hole = Chosen(regions=[{"kind": "rect", "op": "add", "t": [0.5, 0.55]}], parts=[])
    session, timbre = loaded(long), 3
    model = (*CONTROLS[:6], "model", "auto", timbre, 1)
    *_, message = handlers.fill_selection(hole, session, ["velocity", "sign"], *model)
    assert message.variations[0].origin == "Continued from the samples on both sides"
    made, number = session.stored[session.shown.current].recipe, session.shown.current
    assert made.settings.timbre == 0  # it is that of highs
    high = replace(made, settings=replace(made.settings, timbre=timbre))
    session.stored[number] = replace(session.stored[number], recipe=high)
    *_, message = handlers.compare_with_noise(session, number)
    assert message.variations[1].origin.startswith("Noise")


def test_variation_of_another_seed_with_the_same_samples_says_so(long):
    session = loaded(long)
    for seed, method in ((0, "erased"), (1, "erased"), (0, "noise"), (1, "noise")):
        controls = (*CONTROLS[:5], seed, method, "auto", 0, 1)
        *_, message = handlers.fill_selection(ALL, session, ["velocity", "sign"], *controls)
    same = [v.origin.partition("; ")[2] for v in message.variations]
    assert same == ["", "the same as A: no seed changes it", "", ""]


def test_first_fill_of_a_place_has_seed_0(long):
    session = loaded(long)
    other = Chosen(regions=[], parts=["random:50"])
    for chosen in (ALL, ALL, other, ALL, other):
        controls = (*CONTROLS[:5], None, *CONTROLS[6:], 1)
        *_, message = handlers.fill_selection(chosen, session, ["velocity", "sign"], *controls)
    seeds = [session.stored[v.id].recipe.settings.seed for v in message.variations]
    assert seeds == [0, 1, 0, 2, 3]
    handlers.delete_variation(session, message.variations[-1].id)
    handlers.describe(other, session, ["velocity", "sign"], *controls)
    shown = session.message.parts.bits
    handlers.describe(other, session, ["velocity", "sign"], *controls[:5], 4, *controls[6:])
    assert Path(session.message.parts.bits.path).read_bytes() == Path(shown.path).read_bytes()


def test_selection_says_how_long_its_fill_takes(long, monkeypatch):
    monkeypatch.setattr(estimating, "pace", Pace())
    session, model = loaded(long), (*CONTROLS[:6], "model", "auto", 0)

    def described(chosen, *controls):
        return handlers.describe(chosen, session, ["velocity", "sign"], *controls)

    task = session.check_selection(Selection.from_dict(ALL), 0)
    work = gpu.work_here(task, Settings())
    assert described(ALL, *model, 9).expected == pytest.approx(Pace().estimate(work, 9))
    assert 1 < described(ALL, *model, 9).expected[1] == pytest.approx(9 * work.seconds)
    assert described(ALL, *CONTROLS, 1).expected == (0, 0)  # noise takes less than a second
    assert described(Chosen(regions=[], parts=[]), *model, 9).expected == (0, 0)
    assert "whole number" in described(ALL, *model, 1.5).status


def test_additions_say_how_long_they_take(tmp_path, monkeypatch):
    monkeypatch.setattr(estimating, "pace", Pace())
    session = loaded(other_sound(tmp_path))
    model = (*CONTROLS[:6], "model", "auto", 3, 3)

    def planned(*controls):
        handlers.plan_additions(session, *controls)
        return session.message.additions

    assert set(planned(4, *model)) == {"extend", "widen", "brighten"}
    assert planned(20, *model)["extend"][1] > planned(4, *model)["extend"][1] > 1
    assert set(planned("x", *model)) == {"widen", "brighten"}
    assert set(planned(4, *CONTROLS, 1).values()) == {(0, 0)}  # noise takes less than a second


def test_fills_tell_the_pace_of_the_next_ones(long, monkeypatch):
    recorded = []
    monkeypatch.setattr(running.pace, "record", lambda *facts: recorded.append(facts))
    variation = filled(loaded(long))[-1].variations[0]
    ((work, seconds),) = recorded
    assert work.path == "noise" and seconds >= variation.seconds > 0


def test_masked_sound_of_a_fill_is_rendered_once(long, monkeypatch):
    rendered, masked = [], Recipe.masked

    def count(recipe, task):
        rendered.append(masked(recipe, task))
        return rendered[-1]

    monkeypatch.setattr(Recipe, "masked", count)
    session = loaded(long)
    filled(session)
    (sound,) = rendered
    stored = soundfile.read(session.stored[session.shown.current].masked, dtype="float32")[0]
    assert np.array_equal(stored.T, sound.samples)


def test_a_fill_that_took_long_changes_all_estimates(tmp_path, monkeypatch):
    pace = Pace()
    for module in (estimating, running):
        monkeypatch.setattr(module, "pace", pace)
    session = loaded(other_sound(tmp_path))
    model = (*CONTROLS[:6], "model", "auto", 0, 9)
    handlers.plan_additions(session, 20, *model)
    before = handlers.describe(ALL, session, ["velocity", "sign"], *model)
    monkeypatch.setattr(pace, "record", lambda work, _: Pace.record(pace, work, 9 * work.seconds))
    after = filled(session)[-1]
    assert after.expected[1] > before.expected[1] > 1
    assert after.additions["extend"][1] > before.additions["extend"][1] > 1


def test_part_by_beats_of_noise_is_refused_alone(long):
    chosen = Chosen(regions=ALL["regions"], parts=["random:5", "beats:2,1"])
    session = loaded(long)
    message = handlers.describe(chosen, session, ["velocity", "sign"], *CONTROLS, 1)
    assert message.refused == "beats:2,1" and message.status.startswith("No beat was found")
    message = handlers.describe(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    assert message.refused == "" and "Ready" in message.status


def test_settings_of_an_excerpt_reproduce_its_fill(long, tmp_path, monkeypatch):
    long = long.rename(tmp_path / "Händel's take.wav")
    session = loaded(long)
    _, session = handlers.choose_excerpt(Tab(session), {"start": 1.25, "seconds": 0.5})
    variation = filled(session)[-1].variations[0]
    data, name, repeat = export(
        session, ExportRequest("settings", "filled", variation.id, PlotStyle())
    )
    (tmp_path / name).write_bytes(data)
    assert json.loads(data)["changes"] == variation.changed
    *_, notice = export(session, ExportRequest("same", "filled", variation.id, PlotStyle()))
    assert notice.lower() == variation.changed + "."
    words = shlex.split(repeat.removeprefix("Repeat it: "))
    assert words == shlex.split(json.loads(data)["again"].replace("THIS_FILE", f'"{name}"'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", words[2:])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 0
    again, page = (
        soundfile.read("out.wav")[0],
        soundfile.read(session.stored[variation.id].filled)[0],
    )
    assert again.shape == page.shape and np.abs(again - page).max() < 1e-6


@pytest.mark.parametrize(
    "wanted, says",
    [
        ({"start": 0, "seconds": 1.5}, "at most 1 seconds"),
        ({"start": 3, "seconds": 1}, "is over"),
        ({"start": "x", "seconds": 1}, "must be a number"),
        ({}, "more than 0"),
        (None, "went wrong"),
    ],
)
def test_invalid_excerpt_keeps_the_session(long, warned, wanted, says):
    session = loaded(long)
    message, fresh = handlers.choose_excerpt(Tab(session), wanted)
    assert (
        fresh == gr.skip()
        and says in message.status
        and says in warned[0]
        and session.folder.exists()
    )


def test_upload_is_kept_while_its_excerpts_are_in_use(long, monkeypatch):
    """It is deleted with the last session, not an hour after the first excerpt was replaced."""
    deleted = []
    monkeypatch.setattr(cleanup, "uploaded_path", lambda path: long)
    monkeypatch.setattr(cleanup, "delete_later", deleted.append)
    session = loaded(long)
    message, other = handlers.choose_excerpt(Tab(session), {"start": 1.25, "seconds": 0.5})
    assert message.status.startswith("Showing 0:01.2 to 0:01.8: "), "as the chooser writes it"
    assert deleted == [] and other.uploaded_file == long
    other.close()
    assert deleted == [long]


def test_stopped_fill_does_not_affect_the_next_one(long, warned, monkeypatch):
    """Stop frees the slot while the stopped fill is still in a step; its end must not matter."""
    session = loaded(long)

    def steps(task, settings, model, fails=None):
        yield Step(1, 3, noise_fill(task.grid, task.mask, 0), task.mask)
        if fails is not None:
            raise fails
        yield Step(2, 3, noise_fill(task.grid, task.mask, 0), task.mask)
        yield Step(3, 3, noise_fill(task.grid, task.mask, 0), task.mask)

    for error in (gpu.OutOfTime("late"), ValueError("broken")):
        monkeypatch.setattr(
            gpu, "fill", lambda *arguments, error=error: steps(*arguments, fails=error)
        )
        stopped = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(stopped), next(stopped)
        before = len(handlers.stop(session).variations)
        monkeypatch.setattr(gpu, "fill", steps)
        following = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(following), next(following)
        assert list(stopped) == [] and not warned
        message = list(following)[-1]
        assert (
            not message.busy
            and len(message.variations) == before + 1
            and not message.variations[-1].title.endswith("stopped")
        )


def test_stop_between_variations_cancels_the_rest(long, monkeypatch):
    session = loaded(long)
    task_of, calls = jobs.task_of, []

    def watched(session, recipe):
        result = task_of(session, recipe)
        calls.append(1)
        if len(calls) == 2:
            handlers.stop(session)
        return result

    monkeypatch.setattr(jobs, "task_of", watched)
    messages = filled(session, count=2)
    assert len(calls) == 2 and session.fill is None and session.message.live is None
    assert not session.message.busy and len(session.message.variations) == 1, messages[-1].status


def test_stop_while_the_second_variation_begins(long, monkeypatch):
    session = loaded(long)
    begin, stopping = jobs.begin, []

    def stopped(*arguments):
        begin(*arguments)
        if len(session.stored) == 1:
            stopping.append(threading.Thread(target=handlers.stop, args=(session,)))
            stopping[0].start()

    def fill(task, settings, model):
        for thread in stopping:
            thread.join(20)
        yield Step(1, 1, noise_fill(task.grid, task.mask, settings.seed), task.mask)

    monkeypatch.setattr(jobs, "begin", stopped)
    monkeypatch.setattr(gpu, "fill", fill)
    messages = filled(session, count=2)
    assert len(stopping) == 1 and session.fill is None and session.message.live is None
    assert not session.message.busy and len(session.message.variations) == 1, messages[-1].status


def test_short_file_has_no_excerpts(sound, tmp_path):
    soundfile.write(tmp_path / "short.wav", sound(0.3).samples.T, 44_100)
    session = loaded(tmp_path / "short.wav")
    assert (
        session.message.excerpt is None
        and handlers.choose_excerpt(Tab(session), {"start": 0, "seconds": 0.1})[1] == gr.skip()
    )


def test_too_large_file_is_refused(long, limited, warned):
    limited(file_mb=0.01)
    assert handlers.load(str(long), Tab()) == (gr.skip(), gr.skip())
    assert "0.2 MB; up to 0.01 MB are accepted" in warned[0]


def test_a_sound_that_has_faded_out_is_announced_as_such(tmp_path, warned):
    gain = np.clip((4 - np.arange(32_000) / 8000) / 2, 0, 1)
    samples = 0.3 * np.random.default_rng(0).standard_normal(32_000) * gain
    for part, words in ((samples, "silence is added"), (samples[:16_000], "")):
        soundfile.write(tmp_path / "fade.wav", part, 8000)
        warned.clear()
        list(handlers.continue_sound(loaded(tmp_path / "fade.wav"), 0.2, *CONTROLS, 1))
        assert words in "".join(warned) and bool(words) == bool(warned)


def test_number_of_variations_is_limited(long, limited, warned):
    limited(variations=2, variations_kept=2)
    session = loaded(long)
    filled(session, count=3)
    assert "1 to 2 variations are possible at a time, not 3" in warned[0]
    filled(session, count=2)
    last = filled(session)[-1]
    assert (
        last.status.endswith("A was deleted, because 2 variations are kept")
        and len(last.variations) == len(session.stored) == 2
    )


@pytest.mark.parametrize("within", (False, True))
def test_fill_over_the_time_limit_keeps_its_steps(long, limited, warned, monkeypatch, within):
    limited(fill_seconds=0.001)
    session = loaded(long)

    def slow(task, settings, model):
        for number in (1, 2):
            if within and number == 2:
                gpu.check_time(0)
            yield Step(number, 3, noise_fill(task.grid, task.mask, 0), task.mask)

    monkeypatch.setattr(gpu, "fill", slow)
    if not within:
        monkeypatch.setattr(gpu, "check_time", lambda end, check=gpu.check_time: check(0))
    message = filled(session)[-1]
    assert (
        message.status == "Stopped after step 1 of 3, because a fill takes at most 0.001 s here: "
        "what was filled in so far is kept."
    )
    assert (
        not message.busy
        and message.variations[0].title.endswith("stopped after step 1 of 3")
        and "the most that" in warned[0]
    )


def test_first_step_over_the_time_limit_keeps_nothing(long, limited, warned, monkeypatch):
    session = loaded(long)

    def slow(task, settings, model):
        gpu.check_time(0)
        yield

    monkeypatch.setattr(gpu, "fill", slow)
    message = filled(session)[-1]
    assert (
        message.status == "Stopped before the first step was done: a fill takes at most 300 s here."
        and not message.variations
    )
    assert session.fill is None and "the most that a fill may take" in warned[0]


def test_files_of_a_replaced_sound_are_deleted_later(tmp_path, monkeypatch):
    """Not at once: the page may still be fetching them."""
    monkeypatch.setattr(cleanup, "GRACE", timedelta(seconds=0.2))
    (tmp_path / "old").mkdir()
    cleanup.delete_soon(tmp_path / "old")
    assert (tmp_path / "old").exists()
    for _ in range(200):
        if not (tmp_path / "old").exists():
            break
        time.sleep(0.05)
    assert not (tmp_path / "old").exists()


def test_late_selection_status_keeps_the_status_of_a_fill(tmp_path, monkeypatch):
    """A late selection status must not mark a finished fill as busy, nor hide its status."""
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
    session = loaded(tmp_path / "x.wav")
    jobs.start(session, "fill").advance(JobEvent.ANNOUNCE)
    session.publish("Step 1 of 1 …")
    check = session.check_selection
    monkeypatch.setattr(
        session,
        "check_selection",
        lambda *rest: (check(*rest), jobs.stop(session), session.publish("filled"))[0],
    )
    message = handlers.describe(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    assert message.status == "filled" and not message.busy and message == session.message
    monkeypatch.setattr(session, "check_selection", check)
    assert "Ready" in handlers.describe(ALL, session, ["velocity", "sign"], *CONTROLS, 1).status


def test_filled_selection_keeps_the_status_of_its_fill(long):
    session = loaded(long)
    messages = filled(session)
    assert messages[-2].status.endswith(" of 1 …")  # after the last step no seconds are left
    said = messages[-1].status
    assert handlers.describe(ALL, session, ["velocity", "sign"], *CONTROLS, 1).status == said
    assert handlers.describe(ALL, session, ["sign"], *CONTROLS, 1).status == "Ready: press Fill in."
    other = Chosen({**ALL, "regions": [{"kind": "rect", "t": [0, 0.5]}]})
    other.key = "another"
    assert "Ready" in handlers.describe(other, session, ["velocity", "sign"], *CONTROLS, 1).status


def test_a_fill_elsewhere_repeats_nothing_that_the_page_said_before(long):
    session = loaded(long)
    filled(session)
    other = Chosen({**ALL, "regions": [{"kind": "rect", "t": [0, 0.5]}]})
    *_, message = handlers.fill_selection(other, session, ["sign"], *CONTROLS, 1)
    assert message.status == fill_status(message.variations[-1])


def test_settings_files_come_back(long, warned):
    session = loaded(long)
    filled(session)
    number = session.shown.current
    data = export(session, ExportRequest("settings", "filled", number, PlotStyle()))[0]
    message, recipe = handlers.load_settings(session, {"text": data.decode(), "name": "s.json"})
    assert message.status == "s.json is loaded: press Fill in."
    assert [region["f"] for region in message.loaded.regions] == [[3000, 9000]]
    assert recipe == session.stored[number].recipe
    fill = {"settings": {"method": "paste", "shift": 0.5}, "extend": 2}
    text = json.dumps({"fills": [{}, fill]})
    said = handlers.load_settings(session, {"text": text, "name": "s.json"})[0].status
    assert said == (
        "The last of 2 fills of s.json is loaded, without its method paste, shift: press Extend."
    )
    assert handlers.describe(ALL, session, ["sign"], *CONTROLS, 1).loaded is None
    late = {"selection": {"regions": [{"kind": "rect", "t": [900, 901]}]}}
    timbre = {"settings": {"timbre": 99}}
    for fills in ([], [{"settings": {"steps": "many"}}], [late], [timbre]):
        text = json.dumps({"fills": fills})
        message, recipe = handlers.load_settings(session, {"text": text, "name": "s.json"})
        assert recipe is None and message.loaded is None and message.status == warned[-1]
    assert len(warned) == 4 and all(sentence.endswith(".") for sentence in warned)


def test_a_selection_that_was_described_meanwhile_is_loaded(long, monkeypatch):
    session, check = loaded(long), handlers.selecting._check
    region = {"kind": "rect", "t": [1, 2]}
    text = json.dumps({"fills": [{"selection": {"regions": [region]}}]})

    def check_and_load(*arguments):
        handlers.load_settings(session, {"text": text, "name": "s.json"})
        return check(*arguments)

    monkeypatch.setattr(handlers.selecting, "_check", check_and_load)
    message = handlers.describe(ALL, session, ["sign"], *CONTROLS, 1)
    assert message.status == "s.json is loaded: press Fill in."
    assert message.loaded is not None and message.loaded.regions[0]["t"] == [1, 2]


def other_sound(folder):
    soundfile.write(
        folder / "other.wav", np.random.default_rng(1).uniform(-0.5, 0.5, (4000, 1)), 8000
    )
    return str(folder / "other.wav")


@pytest.mark.parametrize("room", [True, False])
def test_undo_restores_a_sound_with_variations(long, tmp_path, monkeypatch, room):
    """Its samples are in a swap file or, without disk space, in memory."""
    session = loaded(long)
    samples, grid = session.sound.samples, session.grid
    variation = filled(session)[-1].variations[0]
    handlers.describe(ALL, session, ["sign"], *CONTROLS, 1)
    if not room:
        monkeypatch.setattr(
            "atomizer.ui.session.history.write",
            lambda *_: (_ for _ in ()).throw(OSError(28, "full")),
        )
        monkeypatch.setattr(scenes, "preview", lambda session, sound, name: session.send(b"", name))
    message, other = handlers.load(other_sound(tmp_path), Tab(session))
    assert (
        message.before == "long.wav from 0 s"
        and session.folder.exists()
        and (session.sound.samples.size == 0) is room
    )
    # late events of the replaced session have no response and no effect
    assert (
        handlers.describe(ALL, session, ["velocity"], *CONTROLS, 1)
        == filled(session)[0]
        == handlers.delete_variation(session, variation.id)
        == gr.skip()
    )
    message, again = handlers.undo(Tab(other))
    assert (
        again is session
        and message.number > other.message.number
        and message.before is None
        and message.variations == [variation]
    )
    assert (
        np.array_equal(again.sound.samples, samples)
        and np.array_equal(again.grid, grid)
        and not list(again.folder.rglob("swap.wav"))
    )
    assert message.current == variation.id and again.features == ["sign"]
    monkeypatch.undo()
    assert len(filled(again)[-1].variations) == 2


def test_sound_without_user_work_is_not_undoable(long, tmp_path, monkeypatch):
    deleted = []
    monkeypatch.setattr(cleanup, "delete_soon", deleted.append)
    first = loaded(long)
    _, second = handlers.load(other_sound(tmp_path), Tab(first))
    assert deleted == [first.folder] and second.message.before is None
    filled(second)
    _, third = handlers.load(str(long), Tab(second))
    _, fourth = handlers.load(str(long), Tab(third))
    assert deleted == [first.folder, third.folder] and fourth.message.before == "other.wav"
    _, back = handlers.undo(Tab(fourth))
    assert (
        back is second
        and deleted[2:] == [fourth.folder]
        and handlers.undo(Tab(back))[0] == gr.skip()
    )
    filled(back)
    _, fifth = handlers.load(str(long), Tab(back))
    fifth.close()
    assert not back.folder.exists(), "it closes with the session that could undo to it"


def test_undo_cycles_through_the_recent_sounds(tmp_path, limited, monkeypatch):
    limited(sounds_kept=2)
    deleted, made = [], []
    monkeypatch.setattr(cleanup, "delete_soon", deleted.append)
    session = None
    for k in range(4):
        soundfile.write(
            tmp_path / f"{k}.wav", np.random.default_rng(k).uniform(-0.5, 0.5, 4000), 8000
        )
        _, session = handlers.load(str(tmp_path / f"{k}.wav"), Tab(session))
        filled(session)
        made.append(session)
    assert deleted == [made[0].folder]
    visited = []
    for _ in range(3):
        _, session = handlers.undo(Tab(session))
        visited.append(session)
    assert visited == [*reversed(made[1:-1]), made[-1]] and deleted == [made[0].folder]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("choice", [None, 0])
def test_sound_that_was_chosen_last_stays(long, tmp_path, monkeypatch, is_first, choice):
    """A sound is read while a shorter one is chosen and shown; `choice` 0 is the page's own."""
    session = None if is_first else loaded(long)
    tab = Tab(session)
    if session is not None:
        filled(session)
    read, shown = loading.open_file, []

    def slowly(path):
        monkeypatch.setattr(loading, "open_file", read)
        shown.append(handlers.load(other_sound(tmp_path), tab))
        return read(path)

    monkeypatch.setattr(loading, "open_file", slowly)
    folders = {session and session.folder}
    monkeypatch.setattr(Session, "close", lambda s, *_, **__: folders.add(s.folder))
    assert handlers.load(str(long), tab, choice) == (gr.skip(), gr.skip())
    message, last = shown[0]
    assert tab.session is last and last.name == "other.wav" and last.replaced_by is None
    assert len(folders) == 2, "the other one is closed"
    assert handlers.describe(ALL, last, ["sign"], *CONTROLS, 1).number > message.number
    assert handlers.undo(tab)[1] == (gr.skip() if is_first else session)


def test_sound_that_was_opened_first_is_shown_last(long, tmp_path, monkeypatch):
    """The page ignores messages with lower numbers than it has seen."""
    tab, show, messages = Tab(), history.show, []

    def late(*arguments):
        monkeypatch.setattr(history, "show", show)
        messages.append(handlers.load(other_sound(tmp_path), Tab(loaded(long)))[0])
        return show(*arguments)

    monkeypatch.setattr(history, "show", late)
    messages.append(handlers.load(str(long), tab)[0])
    assert messages[0].number < messages[1].number


def test_a_sound_that_two_tabs_show_stays_in_the_other(long, tmp_path):
    before, after = Tab(session := loaded(long)), Tab()
    handlers.load(other_sound(tmp_path), after)
    assert handlers.resume(after, session.resume_key)[1] is session
    _, fresh = handlers.load(other_sound(tmp_path), before)
    assert before.session is fresh and after.session is session and session.replaced_by is None
    history.close_tab(before)
    assert not fresh.folder.exists() and session.folder.exists()
    assert handlers.load(other_sound(tmp_path), before) == (gr.skip(), gr.skip())
    history.close_tab(after)
    assert not session.folder.exists()


def files_of(session: Session) -> set[Path]:
    """Return the files that a session and its message name."""
    named = re.findall(r'"path":"([^"]+)"', session.message.model_dump_json())
    stored = [path for kept in session.stored.values() for path in (kept.filled, kept.masked)]
    return {*map(Path, named), *stored}


def test_a_duplicated_tab_gets_the_same_in_other_files(long, tmp_path):
    before, after = Tab(loaded(long)), Tab()
    filled(before.session)
    handlers.accept(before.session, before.session.shown.current)
    session = handlers.load(other_sound(tmp_path), before)[1]
    filled(session)
    session.publish("the same")
    (message, copy), mine = handlers.resume(after, session.resume_key, True), session.message
    assert after.session is copy is not session and before.session is session
    for name in set(type(mine).model_fields) - {"number", "status", "resume"}:
        theirs = json.dumps(message.model_dump(mode="json")[name])
        theirs = theirs.replace(str(copy.folder), str(session.folder))
        assert json.loads(theirs) == mine.model_dump(mode="json")[name], name
    assert all(path.is_file() for path in files_of(copy)) and not files_of(session) & files_of(copy)
    history.close_tab(before)
    assert not session.folder.exists()
    _, earlier = handlers.undo(after)
    assert earlier.sound.samples.any() and len(earlier.message.layers) == 1
    assert all(path.is_file() for path in files_of(earlier))
    handlers.undo(after)
    assert [variation.label for variation in earlier.message.variations] == ["A"]
    assert all(path.is_file() for path in files_of(earlier))


def test_a_duplicated_tab_goes_on_by_itself(long, tmp_path):
    before, after = Tab(loaded(long)), Tab()
    filled(session := before.session)
    running = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 2)
    next(running)
    _, copy = handlers.resume(after, session.resume_key, True)
    assert session.fill is not None and copy.fill is None
    handlers.delete_variation(copy, copy.shown.current)
    handlers.load(other_sound(tmp_path), after)
    assert before.session is session and session.replaced_by is None
    assert copy is not after.session and not copy.stored
    *_, message = running
    assert [variation.label for variation in message.variations] == ["A", "B", "C"]
    assert all(path.is_file() for path in files_of(session))


def test_a_duplicated_tab_reads_its_own_copy_of_an_upload(long, tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup, "uploaded_path", Path)
    monkeypatch.setattr(copying, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    session, tab = loaded(long), Tab()
    _, copy = handlers.resume(tab, session.resume_key, True)
    assert copy.uploaded_file == copy.long_file.path != session.uploaded_file == long
    long.unlink()
    message, _ = handlers.choose_excerpt(tab, {"start": 1.25, "seconds": 0.5})
    assert message.excerpt.start == 1.25


def test_undone_excerpt_keeps_its_upload(long, monkeypatch):
    deleted = []
    monkeypatch.setattr(cleanup, "uploaded_path", lambda path: long)
    monkeypatch.setattr(cleanup, "delete_later", deleted.append)
    session = loaded(long)
    filled(session)
    message, other = handlers.choose_excerpt(Tab(session), {"start": 1.25, "seconds": 0.5})
    assert message.status.startswith("Showing 0:01.2 to 0:01.8: "), "as the chooser writes it"
    assert other.message.before == "long.wav from 0 s" and other.uploaded_file == long
    _, back = handlers.undo(Tab(other))
    assert back.uploaded_file == long and deleted == [] and back.message.before is None


def test_running_fill_is_stored_when_its_sound_is_replaced(long, tmp_path):
    for before in (1, 0):  # also the first fill of a sound
        session = loaded(long)
        for _ in range(before):
            filled(session)
        steps = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(steps), next(steps)
        assert session.fill.step
        _, other = handlers.load(other_sound(tmp_path), Tab(session))
        assert list(steps) == [] and len(session.stored) == before + 1
        message, back = handlers.undo(Tab(other))
        assert len(message.variations) == before + 1 and not message.busy and back.fill is None


def test_sound_with_a_selection_only_is_evicted_first(long, tmp_path, limited):
    limited(sounds_kept=1)
    made = loaded(long)
    filled(made)
    _, selected = handlers.load(other_sound(tmp_path), Tab(made))
    handlers.describe(ALL, selected, ["velocity"], *CONTROLS, 1)
    _, last = handlers.load(str(long), Tab(selected))
    assert last.message.before == "long.wav from 0 s" and handlers.undo(Tab(last))[1] is made
    _, selected = handlers.load(other_sound(tmp_path), Tab())
    handlers.describe(ALL, selected, ["velocity"], *CONTROLS, 1)
    _, last = handlers.load(str(long), Tab(selected))
    assert last.message.before == "other.wav"
    _, back = handlers.undo(Tab(last))
    handlers.describe(Chosen({"regions": [], "parts": []}), back, ["velocity"], *CONTROLS, 1)
    assert handlers.load(str(long), Tab(back))[1].message.before is None


def test_failed_load_stores_the_running_fill(long, tmp_path, monkeypatch):
    """The page cancels a running fill when a sound is loaded, also where that fails."""
    session = loaded(long)
    (tmp_path / "no.wav").write_bytes(b"no sound")
    message, same = handlers.load(str(tmp_path / "no.wav"), Tab(session))
    assert "no.wav" in message.status and same == gr.skip() and not message.busy
    assert handlers.load(str(tmp_path / "no.wav"), Tab()) == (gr.skip(), gr.skip())
    monkeypatch.setattr(gpu, "fill", in_steps(4))
    fill = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    messages = [next(fill) for _ in range(3)]
    assert messages[-1].busy
    for message, same in (
        handlers.load(str(tmp_path / "no.wav"), Tab(session)),
        handlers.choose_excerpt(Tab(session), {"start": 9, "seconds": 1}),
    ):
        assert not message.busy and same == gr.skip()
        assert [v.title for v in message.variations] == ["noise, seed 0, stopped after step 2 of 4"]
    assert list(fill) == []


def in_steps(total: int):
    """A fill that reveals noise in its first step, and repeats it `total` times."""

    def fill(task, settings, model):
        for number in range(1, total + 1):
            yield Step(number, total, noise_fill(task.grid, task.mask, settings.seed), task.mask)

    return fill


def test_cancelled_fill_is_stored(long, monkeypatch):
    session = loaded(long)
    monkeypatch.setattr(gpu, "fill", in_steps(4))
    fill = handlers.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    assert [next(fill) for _ in range(3)][-1].busy
    fill.close()
    assert not session.message.busy and [v.title for v in session.message.variations] == [
        "noise, seed 0, stopped after step 2 of 4"
    ]
    assert handlers.stop(session).status.startswith("Stopped after step 2 of 4")


def test_stop_before_the_first_message_of_a_fill(long, monkeypatch):
    session = loaded(long)
    assert handlers.stop(session).status == session.message.status and not session.message.busy, (
        "nothing is running"
    )
    preparing, stopped = threading.Event(), threading.Event()

    task_of = jobs.task_of

    def slow_task_of(session, recipe):
        preparing.set()
        assert stopped.wait(20)
        return task_of(session, recipe)

    monkeypatch.setattr(jobs, "task_of", slow_task_of)
    messages = []
    fill = threading.Thread(target=lambda: messages.extend(filled(session)))
    fill.start()
    assert preparing.wait(20)
    assert "nothing was filled in" in handlers.stop(session).status
    stopped.set()
    fill.join()
    assert (
        not messages
        and not session.message.busy
        and session.message.live is None
        and not session.message.variations
    )
    monkeypatch.undo()
    assert len(filled(session)[-1].variations) == 1
    assert handlers.stop(session).status.startswith("A: filled, took"), "the fill is over"


def test_what_was_pressed_before_stop_does_not_begin(long, monkeypatch):
    session = loaded(long)
    features, controls = ["velocity", "sign"], (*CONTROLS, 1)
    monkeypatch.setattr(gpu, "fill", in_steps(4))
    running = handlers.fill_selection(ALL, session, features, *controls, pressed=5)
    next(running), next(running)
    first = handlers.stop(session, 7).variations
    assert len(first) == 1 and list(running) == []
    handlers.stop(session, 6)  # an earlier press of Stop that arrives later
    events = [
        handlers.fill_selection(ALL, session, features, *controls, pressed=6.9),
        handlers.continue_sound(session, 1, *controls, pressed=6.5),
        handlers.add_channel(session, *controls, pressed=6.5),
        handlers.extend_bandwidth(session, *controls, pressed=6.5),
        handlers.compare_with_noise(session, first[0].id, 6.5),
        handlers.fill_from_source(session, first[0].id, pressed=6.5),
        handlers.paste(ALL, session, 0.5, 6.5),
        handlers.decompose(session, "matching-pursuit", 6.5),
    ]
    for late in events:
        assert list(late) == [gr.skip()]
    assert not session.message.busy and len(session.message.variations) == 1
    *_, message = handlers.fill_selection(ALL, session, features, *controls, pressed=7.5)
    assert not message.busy and len(message.variations) == 2


def test_what_was_pressed_before_another_sound_does_not_begin(long, tmp_path):
    tab, controls = Tab(), (*CONTROLS, 1)
    other = other_sound(tmp_path)
    begun = []
    for k, choose in enumerate(
        (
            lambda at: handlers.load(str(long), tab, pressed=at),
            lambda at: handlers.choose_excerpt(tab, {"start": 1, "seconds": 0.5}, at),
            lambda at: handlers.load(other, tab, pressed=at),
            lambda at: handlers.undo(tab, at),
        )
    ):
        if tab.session is not None:
            handlers.describe(ALL, tab.session, ["velocity"], *controls)  # so that it is kept
        choose(10 * k)
        session = tab.session
        begun.append(session.name)
        late = handlers.extend_bandwidth(session, *controls, pressed=10 * k - 1)
        assert list(late) == [gr.skip()] and session.job is None
    assert begun == ["long.wav", "long.wav", "other.wav", "long.wav"]
    *_, message = handlers.extend_bandwidth(session, *controls, pressed=31)
    assert [v.origin[:19] for v in message.variations] == ["Highs above 4 kHz: "]
    assert handlers.load(str(tmp_path / "no.wav"), tab, pressed=40)[1] == gr.skip()
    late = handlers.add_channel(session, *controls, pressed=39)
    assert list(late) == [gr.skip()], "also where the sound was not loaded"


def test_example_that_was_pressed_before_stop_does_not_begin(monkeypatch):
    example = EXAMPLES["packets"]
    monkeypatch.setattr(examples, "cached", lambda *_: None)
    _, session = handlers.load(str(example.path), tab := Tab())
    handlers.stop(session, 5)
    assert handlers.load_example(example, tab, 4) == (gr.skip(), gr.skip())
    assert tab.session is session and session.job is None
    cutoff = loading.acting_on  # while the example loads
    monkeypatch.setattr(
        loading, "acting_on", lambda fresh, *_: handlers.stop(fresh, 8) and cutoff(fresh, *_)
    )
    message, stopped = handlers.load_example(example, tab, 7)
    assert message.status == "Stopped: nothing was filled in." and not message.busy
    monkeypatch.setattr(loading, "acting_on", cutoff)
    message, announced = handlers.load_example(example, tab, 9)
    assert message.busy and not handlers.stop(announced, 10).busy
    for fresh in (stopped, announced):
        assert list(handlers.finish_example(example, fresh)) == [gr.skip()]


def test_stop_waits_for_a_fill_that_is_finishing(long, monkeypatch):
    session = loaded(long)
    finishing, finish = threading.Event(), jobs.finish

    def slowly(*arguments):
        finishing.set()
        time.sleep(0.3)
        return finish(*arguments)

    monkeypatch.setattr(jobs, "finish", slowly)
    fill = threading.Thread(target=filled, args=(session,))
    fill.start()
    assert finishing.wait(20)
    assert handlers.stop(session).status.startswith("A: filled, took")
    fill.join()
    assert not session.message.busy and [v.id for v in session.message.variations] == list(
        session.stored
    )


def test_expired_session_gets_an_empty_message(warned):
    """The page reloads at a message without a scene. A replaced session gets no message."""
    answers = [
        handlers.describe(ALL, None, ["sign"], *CONTROLS, 1),
        handlers.export_file(None, {"kind": "wav16"}),
        handlers.accept(None, 1),
        handlers.delete_variation(None, 1),
        *handlers.decompose(None, "mdct"),
        *handlers.compare_with_noise(None, 1),
        handlers.undo(Tab())[0],
        handlers.choose_excerpt(Tab(), {})[0],
    ]
    assert len(answers) == 8 and all(
        answer.number > 0 and answer.scene is None for answer in answers
    )


def test_parts_of_outdated_atoms_are_not_marked(long, monkeypatch):
    session = loaded(long)
    send = session.send

    def overtaken(data, name):
        if name == "parts.bin":
            scenes.show_mdct(session)
        return send(data, name)

    scenes.show_parts(session, parse(["random:50"]), 0, "key")
    assert session.message.parts.key == '["random:50"]'
    monkeypatch.setattr(session, "send", overtaken, raising=False)
    scenes.show_parts(session, parse(["loudest:50"]), 0, "key")
    assert session.message.parts is None


def test_all_that_stands_out_in_a_selection_is_marked(tmp_path, monkeypatch):
    t = np.arange(3 * 44_100) / 44_100
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    whistle = 0.3 * np.sin(2 * np.pi * 2000 * t) * ((t > 1) & (t < 1.5))
    soundfile.write(tmp_path / "whistle.wav", noise + whistle, 44_100)
    session = loaded(tmp_path / "whistle.wav")
    box = {"kind": "rect", "op": "add", "t": [0.9, 1.6], "f": [1500, 2500]}
    chosen = Chosen(regions=[box], parts=["standout:8"])
    chosen.key = "this box"
    find, found = standout._stands_out, []
    monkeypatch.setattr(standout, "_stands_out", lambda *k: found.append(k) or find(*k))
    said = handlers.describe(chosen, session, ["velocity", "sign"], *CONTROLS, 1)
    assert said.status.startswith("Ready") and said.parts.key == "this box"
    assert len(found) == 1  # it takes most of the time of a change
    marked = np.unpackbits(
        np.frombuffer(Path(said.parts.bits.path).read_bytes(), np.uint8), bitorder="little"
    )
    task = prepare(session.sound, parse(["rect:0.9,1.6,1500,2500", "standout:8"]))
    whole = prepare(session.sound, parse(["rect:0.9,1.6,1500,2500"]))
    assert 0 < task.mask.sum() < 0.6 * whole.mask.sum()
    expected = task.mask.ravel()[session.drawn_cells]
    np.testing.assert_array_equal(marked[: len(expected)].astype(bool), expected)
    chosen = Chosen(regions=[box], parts=["standout:60"])
    chosen.key = "another"
    assert "stands out by 60 dB" in (
        handlers.describe(chosen, session, ["velocity", "sign"], *CONTROLS, 1).status
    )


def test_selection_made_again_shows_the_status_of_its_fill(long):
    session = loaded(long)
    said = filled(session)[-1].status
    nothing = Chosen({"regions": [], "parts": []})
    nothing.key = "nothing"
    assert (
        "Nothing is selected"
        in handlers.describe(nothing, session, ["velocity", "sign"], *CONTROLS, 1).status
    )
    again = handlers.describe(ALL, session, ["velocity", "sign"], *CONTROLS, 1).status
    assert again.split(", took")[0] == said.split(", took")[0] and again.startswith(
        "A: filled, took"
    )


def test_sessions_in_between_are_freed(long, tmp_path):
    tab = Tab(session := loaded(long))
    filled(session)
    between = weakref.ref(handlers.load(other_sound(tmp_path), tab)[1])
    _, last = handlers.load(other_sound(tmp_path), tab)
    gc.collect()
    assert between() is None and session.replaced_by is last


def test_update_during_publish_is_not_lost(long):
    """One thread publishes the status of a selection while another shows the end of a fill."""
    session, interval = loaded(long), sys.getswitchinterval()
    done = threading.Event()

    def talk():
        while not done.is_set():
            session.publish("selected")

    talking = threading.Thread(target=talk)
    sys.setswitchinterval(1e-6)
    try:
        talking.start()
        for number in range(3000):
            scene = session.message.scene.model_copy(update={"id": str(number)})
            scenes.show_scene(session, scene)
            assert session.message.scene is scene
    finally:
        done.set()
        talking.join()
        sys.setswitchinterval(interval)


# --- peaks above full scale -----------------------------------------------------------------------


@pytest.fixture
def loud(tmp_path):
    """A session whose sound has peaks 6 dB above full scale."""
    samples = np.random.default_rng(0).uniform(-2, 2, (8000, 2))
    soundfile.write(tmp_path / "loud.wav", samples, 8000, subtype="FLOAT")
    return loaded(tmp_path / "loud.wav")


def test_previews_keep_peaks_above_full_scale(loud):
    path = scenes.preview(loud, loud.sound, "filled").path
    samples, rate = soundfile.read(path, always_2d=True)
    np.testing.assert_array_equal(samples.T, loud.sound.samples)
    assert soundfile.info(path).format == "WAV" and soundfile.info(path).subtype == "FLOAT"


@pytest.mark.parametrize("kind, reports", [("wav16", True), ("flac", True), ("float", False)])
def test_exports_report_attenuated_peaks(loud, kind, reports):
    request = {"kind": kind, "version": "original"}
    status = handlers.export_file(loud, request).status
    assert status.startswith("loud.") and ("dB above full scale" in status) is reports


def test_exports_and_settings_say_what_a_fill_has_changed(long):
    session = loaded(long)
    hole = Chosen(regions=[{"kind": "rect", "op": "add", "t": [0.4, 0.6]}], parts=[])
    *_, message = handlers.fill_selection(hole, session, ["velocity", "sign"], *CONTROLS, 1)
    variation = message.variations[0]
    said = " samples in 0.40–0.60 s changed, all others are bit-identical"
    assert said in variation.changed and said in message.status
    wanted = {"version": "filled", "variation": variation.id}
    assert said in handlers.export_file(session, {"kind": "same", **wanted}).status
    settings = export(session, ExportRequest("settings", "filled", variation.id, PlotStyle()))[0]
    assert json.loads(settings)["changes"] == variation.changed


def test_controls_of_the_page_reach_the_fill():
    values = ("frequency", True, "3", "", 0.5, "77", "model", "recording", "2")
    assert settings_of(FillControls(*values)) == Settings(
        "model", "frequency", True, 3, None, 0.5, seed=77, using="recording", timbre=2
    )
    assert settings_of(FillControls(*CONTROLS)).order is None, "automatic: the task's own"


def test_settings_of_an_example_leave_with_its_selection():
    example = EXAMPLES["packets"]
    _, session = handlers.load_example(example, Tab())
    chosen = Chosen(example.recipe.selection.to_dict())
    assert handlers.leave_example(chosen, session) is None
    assert handlers.leave_example(ALL, session) == example.recipe
    assert handlers.leave_example(ALL, session) is None, "the visitor's own stay"
