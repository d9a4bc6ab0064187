"""What the page's handlers say and keep, without a browser."""

import gc
import json
import shlex
import sys
import threading
import time
import weakref
from datetime import timedelta

import gradio as gr
import numpy as np
import pytest
import soundfile

from atomizer.cli import run
from atomizer.inpainting.fill import Step
from atomizer.plotting.figures import Look
from atomizer.priors.noise_fill import noise_fill
from atomizer.ui import cleanup as visitors
from atomizer.ui import handlers as actions
from atomizer.ui.component import AtomView, Chosen
from atomizer.ui.exports import Wanted, export
from atomizer.ui.session import Session

CONTROLS = ("auto", False, None, None, None, 0, "noise")
ALL = Chosen(regions=[{"kind": "rect", "op": "add", "f": [3000, 9000]}], parts=[])


@pytest.fixture(scope="module")
def view():
    with gr.Blocks():
        return AtomView()


@pytest.fixture
def warned(monkeypatch):
    """The sentences of the notices that were shown."""
    sentences = []
    monkeypatch.setattr(actions, "warn", lambda sentence, title: sentences.append(sentence))
    return sentences


@pytest.fixture
def long(tmp_path, limited):
    """A sound of 2.5 s, of which 1 s is worked on at a time."""
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
        actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, count, **options)
    )


def loaded(view, path) -> Session:
    message, session = actions.load(view, str(path), None)
    assert isinstance(session, Session), message
    return session


def test_a_long_file_is_worked_on_in_excerpts(view, long, warned, monkeypatch):
    deleted = []
    monkeypatch.setattr(visitors, "delete_soon", deleted.append)
    session = loaded(view, long)
    excerpt = session.message.excerpt
    assert "lasts 2 s and at most 1 s" in session.message.status and (
        excerpt.start,
        excerpt.seconds,
        excerpt.longest,
    ) == (0, 1, 1)
    assert excerpt.duration == 2.5
    _, other = actions.choose_excerpt(view, session, {"start": 1.25, "seconds": 0.5})
    wanted = soundfile.read(long, dtype="float32", always_2d=True)[0][10_000:14_000].T
    assert np.array_equal(other.sound.samples, wanted) and deleted == [session.folder]
    assert (other.message.excerpt.start, other.message.excerpt.seconds) == (
        1.25,
        0.5,
    ) and not warned


def test_the_settings_of_an_excerpt_say_how_to_do_it_again(view, long, tmp_path, monkeypatch):
    session = loaded(view, long)
    _, session = actions.choose_excerpt(view, session, {"start": 1.25, "seconds": 0.5})
    variation = filled(session)[-1].variations[0]
    data, _ = export(session, Wanted("settings", "filled", variation.id, Look()))
    (tmp_path / "saved.json").write_bytes(data)
    words = shlex.split(
        json.loads(data)["again"].replace("THIS_FILE", str(tmp_path / "saved.json"))
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", words[2:])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 0
    again, page = soundfile.read("out.wav")[0], soundfile.read(session.kept[variation.id].filled)[0]
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
def test_another_excerpt_that_there_is_not_leaves_everything(view, long, warned, wanted, says):
    session = loaded(view, long)
    message, fresh = actions.choose_excerpt(view, session, wanted)
    assert (
        fresh == gr.skip()
        and says in message.status
        and says in warned[0]
        and session.folder.exists()
    )


def test_the_upload_of_a_long_file_stays_while_its_excerpts_are_worked_on(view, long, monkeypatch):
    """It goes with the last session, not an hour after the first excerpt was left."""
    deleted = []
    monkeypatch.setattr(visitors, "uploaded", lambda path: long)
    monkeypatch.setattr(visitors, "delete_later", deleted.append)
    session = loaded(view, long)
    _, other = actions.choose_excerpt(view, session, {"start": 1.25, "seconds": 0.5})
    assert deleted == [] and other.upload == long
    other.close()
    assert deleted == [long]


def test_a_fill_that_was_stopped_leaves_the_next_one_alone(view, long, warned, monkeypatch):
    """Stop frees the slot while the stopped fill is still inside of a step: whatever becomes of it, the next fill goes on."""
    session = loaded(view, long)

    def steps(task, settings, model, fails=None):
        yield Step(1, 3, noise_fill(task.grid, task.mask, 0), task.mask)
        if fails is not None:
            raise fails
        yield Step(2, 3, noise_fill(task.grid, task.mask, 0), task.mask)
        yield Step(3, 3, noise_fill(task.grid, task.mask, 0), task.mask)

    for error in (actions.OutOfTime("late"), ValueError("broken")):
        monkeypatch.setattr(
            actions, "fill", lambda *arguments, error=error: steps(*arguments, fails=error)
        )
        stopped = actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(stopped), next(stopped)
        before = len(actions.stop(session).variations)
        monkeypatch.setattr(actions, "fill", steps)
        following = actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(following), next(following)
        assert list(stopped) == [] and not warned
        message = list(following)[-1]
        assert (
            not message.busy
            and len(message.variations) == before + 1
            and not message.variations[-1].title.endswith("stopped")
        )


def test_stop_between_two_variations_is_final(view, long, monkeypatch):
    session = loaded(view, long)
    whole, calls = Session.task_of, []

    def watched(self, recipe):
        result = whole(self, recipe)
        calls.append(1)
        if len(calls) == 2:
            actions.stop(session)
        return result

    monkeypatch.setattr(Session, "task_of", watched)
    messages = filled(session, count=2)
    assert len(calls) == 2 and session.running is None and session.message.live is None
    assert not session.message.busy and len(session.message.variations) == 1, messages[-1].status


def test_stop_while_the_second_variation_begins_is_final(view, long, monkeypatch):
    session = loaded(view, long)
    begin, stopping = session.begin, []

    def stopped(*arguments):
        begin(*arguments)
        if len(session.kept) == 1:
            stopping.append(threading.Thread(target=actions.stop, args=(session,)))
            stopping[0].start()

    def fill(task, settings, model):
        for thread in stopping:
            thread.join(20)
        yield Step(1, 1, noise_fill(task.grid, task.mask, settings.seed), task.mask)

    monkeypatch.setattr(session, "begin", stopped, raising=False)
    monkeypatch.setattr(actions, "fill", fill)
    messages = filled(session, count=2)
    assert len(stopping) == 1 and session.running is None and session.message.live is None
    assert not session.message.busy and len(session.message.variations) == 1, messages[-1].status


def test_a_short_file_has_no_excerpts(view, sound, tmp_path):
    soundfile.write(tmp_path / "short.wav", sound(0.3).samples.T, 44_100)
    session = loaded(view, tmp_path / "short.wav")
    assert (
        session.message.excerpt is None
        and actions.choose_excerpt(view, session, {"start": 0, "seconds": 0.1})[1] == gr.skip()
    )


def test_a_file_that_is_too_large_is_refused(view, long, limited, warned):
    limited(file_mb=0.01)
    assert actions.load(view, str(long), None) == (gr.skip(), gr.skip())
    assert "0.2 MB; up to 0.01 MB are accepted" in warned[0]


def test_variations_at_a_time_and_kept_are_limited(view, long, limited, warned):
    limited(variations=2, variations_kept=2)
    session = loaded(view, long)
    filled(session, count=3)
    assert "1 to 2 variations are made at a time, not 3" in warned[0]
    filled(session, count=2)
    last = filled(session)[-1]
    assert (
        last.status.endswith("A went, because 2 variations are kept")
        and len(last.variations) == len(session.kept) == 2
    )


@pytest.mark.parametrize("within", (False, True))
def test_a_fill_that_takes_too_long_keeps_its_steps(
    view, long, limited, warned, monkeypatch, within
):
    limited(fill_seconds=0.001)
    session = loaded(view, long)

    def slow(task, settings, model):
        for number in (1, 2):
            if within and number == 2:
                actions.check_time(0)
            yield Step(number, 3, noise_fill(task.grid, task.mask, 0), task.mask)

    monkeypatch.setattr(actions, "fill", slow)
    if not within:
        monkeypatch.setattr(actions, "check_time", lambda end, check=actions.check_time: check(0))
    message = filled(session)[-1]
    assert (
        message.status
        == "Stopped after step 1 of 3, because a fill takes at most 0.001 s here: what was filled in so far is kept."
    )
    assert (
        not message.busy
        and message.variations[0].title.endswith("stopped after step 1 of 3")
        and "the most that" in warned[0]
    )


def test_a_fill_whose_first_step_takes_too_long_keeps_nothing(
    view, long, limited, warned, monkeypatch
):
    session = loaded(view, long)

    def slow(task, settings, model):
        actions.check_time(0)
        yield

    monkeypatch.setattr(actions, "fill", slow)
    message = filled(session)[-1]
    assert (
        message.status == "Stopped before the first step was done: a fill takes at most 300 s here."
        and not message.variations
    )
    assert session.running is None and "the most that a fill may take" in warned[0]


def test_files_of_a_sound_that_another_took_the_place_of_are_deleted_in_the_end(
    tmp_path, monkeypatch
):
    """Not at once: the page may still be fetching them."""
    monkeypatch.setattr(visitors, "GRACE", timedelta(seconds=0.2))
    (tmp_path / "old").mkdir()
    visitors.delete_soon(tmp_path / "old")
    assert (tmp_path / "old").exists()
    for _ in range(200):
        if not (tmp_path / "old").exists():
            break
        time.sleep(0.05)
    assert not (tmp_path / "old").exists()


def test_what_a_fill_says_while_a_selection_is_looked_at_stands(view, tmp_path, monkeypatch):
    """A description that is late must not make the page wait for a fill that is over, nor hide what it said."""
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(0, 0.1, 8000), 8000)
    session = loaded(view, tmp_path / "x.wav")
    session.say("Step 1 of 1 …", busy=True)
    check = session.check
    monkeypatch.setattr(
        session, "check", lambda *rest: (check(*rest), session.say("filled in", busy=False))
    )
    message = actions.describe(ALL, ["velocity", "sign"], 0, session)
    assert message.status == "filled in" and not message.busy and message is session.message
    monkeypatch.setattr(session, "check", check)
    assert "Ready" in actions.describe(ALL, ["velocity", "sign"], 0, session).status


def test_a_selection_that_is_described_after_its_fill_leaves_what_that_said(view, long):
    session = loaded(view, long)
    said = filled(session)[-1].status
    assert actions.describe(ALL, ["velocity", "sign"], 0, session).status == said
    assert (
        actions.describe(ALL, ["sign"], 0, session).status
        == "Ready to fill in the sign of what is selected."
    )
    other = Chosen({**ALL, "regions": [{"kind": "rect", "t": [0, 0.5]}]})
    other.key = "another"
    assert "Ready" in actions.describe(other, ["velocity", "sign"], 0, session).status


def other_sound(folder):
    soundfile.write(
        folder / "other.wav", np.random.default_rng(1).uniform(-0.5, 0.5, (4000, 1)), 8000
    )
    return str(folder / "other.wav")


@pytest.mark.parametrize("room", [True, False])
def test_a_sound_of_which_something_was_made_can_be_gone_back_to(
    view, long, tmp_path, monkeypatch, room
):
    """Its samples wait in a file, or, where there is no room for one, in memory."""
    session = loaded(view, long)
    samples, grid = session.sound.samples, session.grid
    variation = filled(session)[-1].variations[0]
    actions.describe(ALL, ["sign"], 0, session)
    if not room:
        monkeypatch.setattr(
            "atomizer.ui.session.write", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
        )
        monkeypatch.setattr(Session, "_preview", lambda self, sound, name: self.send(b"", name))
    message, other = actions.load(view, other_sound(tmp_path), session)
    assert (
        message.before == "long.wav from 0 s"
        and session.folder.exists()
        and (session.sound.samples.size == 0) is room
    )
    # what still comes for it is not answered, and changes nothing
    assert (
        actions.describe(ALL, ["velocity"], 0, session)
        == filled(session)[0]
        == actions.forget(session, variation.id)
        == gr.skip()
    )
    message, again = actions.revert(other)
    assert (
        again is session
        and message.number > other.message.number
        and message.before is None
        and message.variations == [variation]
    )
    assert (
        np.array_equal(again.sound.samples, samples)
        and np.array_equal(again.grid, grid)
        and not list(again.folder.rglob("aside.wav"))
    )
    assert message.current == variation.id and again.features == ["sign"]
    monkeypatch.undo()
    assert len(filled(again)[-1].variations) == 2


def test_what_is_nobodys_own_is_not_gone_back_to_but_what_was_before_it(
    view, long, tmp_path, monkeypatch
):
    deleted = []
    monkeypatch.setattr(visitors, "delete_soon", deleted.append)
    first = loaded(view, long)
    _, second = actions.load(view, other_sound(tmp_path), first)
    assert deleted == [first.folder] and second.message.before is None
    filled(second)
    _, third = actions.load(view, str(long), second)
    _, fourth = actions.load(view, str(long), third)
    assert deleted == [first.folder, third.folder] and fourth.message.before == "other.wav"
    _, back = actions.revert(fourth)
    assert (
        back is second and deleted[2:] == [fourth.folder] and actions.revert(back)[0] == gr.skip()
    )
    filled(back)
    _, fifth = actions.load(view, str(long), back)
    fifth.close()
    assert not back.folder.exists(), "it goes with the session that could go back to it"


def test_the_last_few_sounds_are_gone_through_one_after_the_other(
    view, tmp_path, limited, monkeypatch
):
    limited(sounds_kept=2)
    deleted, made = [], []
    monkeypatch.setattr(visitors, "delete_soon", deleted.append)
    session = None
    for k in range(4):
        soundfile.write(
            tmp_path / f"{k}.wav", np.random.default_rng(k).uniform(-0.5, 0.5, 4000), 8000
        )
        _, session = actions.load(view, str(tmp_path / f"{k}.wav"), session)
        filled(session)
        made.append(session)
    assert deleted == [made[0].folder]
    visited = []
    for _ in range(3):
        _, session = actions.revert(session)
        visited.append(session)
    assert visited == [*reversed(made[1:-1]), made[-1]] and deleted == [made[0].folder]


def test_two_sounds_at_once_take_each_others_place(view, long, tmp_path):
    """Both were asked for while the first was there: the one that came later stands, and can go back to what was made of the first."""
    session = loaded(view, long)
    filled(session)
    _, one = actions.load(view, other_sound(tmp_path), session)
    _, two = actions.load(view, other_sound(tmp_path), session)
    assert one.successor is two and actions.revert(one)[0] == gr.skip()
    _, back = actions.revert(two)
    assert back is session and back.sound.samples.size


def test_an_excerpt_that_is_gone_back_to_keeps_its_file(view, long, monkeypatch):
    deleted = []
    monkeypatch.setattr(visitors, "uploaded", lambda path: long)
    monkeypatch.setattr(visitors, "delete_later", deleted.append)
    session = loaded(view, long)
    filled(session)
    _, other = actions.choose_excerpt(view, session, {"start": 1.25, "seconds": 0.5})
    assert other.message.before == "long.wav from 0 s" and other.upload == long
    _, back = actions.revert(other)
    assert back.upload == long and deleted == [] and back.message.before is None


def test_a_fill_under_way_is_kept_with_the_sound_that_it_is_of(view, long, tmp_path):
    for before in (1, 0):  # also where it is the first
        session = loaded(view, long)
        for _ in range(before):
            filled(session)
        steps = actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
        next(steps), next(steps)
        assert session.running.step
        _, other = actions.load(view, other_sound(tmp_path), session)
        assert list(steps) == [] and len(session.kept) == before + 1
        message, back = actions.revert(other)
        assert len(message.variations) == before + 1 and not message.busy and back.running is None


def test_what_is_selected_can_be_gone_back_to_but_goes_before_what_was_made(
    view, long, tmp_path, limited
):
    limited(sounds_kept=1)
    made = loaded(view, long)
    filled(made)
    _, selected = actions.load(view, other_sound(tmp_path), made)
    actions.describe(ALL, ["velocity"], 0, selected)
    _, last = actions.load(view, str(long), selected)
    assert last.message.before == "long.wav from 0 s" and actions.revert(last)[1] is made
    _, selected = actions.load(view, other_sound(tmp_path), None)
    actions.describe(ALL, ["velocity"], 0, selected)
    _, last = actions.load(view, str(long), selected)
    assert last.message.before == "other.wav"
    _, back = actions.revert(last)
    actions.describe(Chosen({"regions": [], "parts": []}), ["velocity"], 0, back)
    assert actions.load(view, str(long), back)[1].message.before is None


def test_a_file_that_is_no_sound_is_said_and_a_fill_that_it_ends_is_kept(
    view, long, tmp_path, monkeypatch
):
    """The page ends whatever runs when another sound is asked for, also where there is none in the end."""
    session = loaded(view, long)
    (tmp_path / "no.wav").write_bytes(b"no sound")
    message, same = actions.load(view, str(tmp_path / "no.wav"), session)
    assert "no.wav" in message.status and same == gr.skip() and not message.busy
    assert actions.load(view, str(tmp_path / "no.wav"), None) == (gr.skip(), gr.skip())
    monkeypatch.setattr(actions, "fill", in_steps(4))
    fill = actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    messages = [next(fill) for _ in range(3)]
    assert messages[-1].busy
    for message, same in (
        actions.load(view, str(tmp_path / "no.wav"), session),
        actions.choose_excerpt(view, session, {"start": 9, "seconds": 1}),
    ):
        assert not message.busy and same == gr.skip()
        assert [v.title for v in message.variations] == ["noise, seed 0, stopped after step 2 of 4"]
    assert list(fill) == []


def in_steps(total: int):
    """A fill that reveals noise at once, and says so `total` times."""

    def fill(task, settings, model):
        for number in range(1, total + 1):
            yield Step(number, total, noise_fill(task.grid, task.mask, settings.seed), task.mask)

    return fill


def test_a_fill_that_is_ended_from_outside_is_kept_and_over(view, long, monkeypatch):
    session = loaded(view, long)
    monkeypatch.setattr(actions, "fill", in_steps(4))
    fill = actions.fill_selection(ALL, session, ["velocity", "sign"], *CONTROLS, 1)
    assert [next(fill) for _ in range(3)][-1].busy
    fill.close()
    assert not session.message.busy and [v.title for v in session.message.variations] == [
        "noise, seed 0, stopped after step 2 of 4"
    ]
    assert actions.stop(session).status.startswith("Stopped after step 2 of 4")


def test_stop_before_a_fill_has_said_anything(view, long, monkeypatch):
    session = loaded(view, long)
    assert actions.stop(session).status == session.message.status and not session.message.busy, (
        "nothing is under way"
    )
    preparing, stopped = threading.Event(), threading.Event()

    def task_of(recipe):
        preparing.set()
        assert stopped.wait(20)
        return Session.task_of(session, recipe)

    monkeypatch.setattr(session, "task_of", task_of, raising=False)
    messages = []
    fill = threading.Thread(target=lambda: messages.extend(filled(session)))
    fill.start()
    assert preparing.wait(20)
    assert "nothing was filled in" in actions.stop(session).status
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
    assert actions.stop(session).status.startswith("A: filled in"), "the fill is over"


def test_stop_while_a_fill_is_finished_waits_for_it(view, long, monkeypatch):
    session = loaded(view, long)
    finishing, finish = threading.Event(), session.finish

    def slowly():
        finishing.set()
        time.sleep(0.3)
        return finish()

    monkeypatch.setattr(session, "finish", slowly, raising=False)
    fill = threading.Thread(target=filled, args=(session,))
    fill.start()
    assert finishing.wait(20)
    assert actions.stop(session).status.startswith("A: filled in")
    fill.join()
    assert not session.message.busy and [v.id for v in session.message.variations] == list(
        session.kept
    )


def test_a_page_whose_sound_was_let_go_is_told_so(view, warned):
    """By a message without a scene; one whose sound has only been taken the place of, by nothing."""
    answers = [
        actions.describe(ALL, ["sign"], 0, None),
        actions.hand_over(None, {"kind": "wav16"}),
        actions.adopt(None, 1),
        actions.forget(None, 1),
        *actions.decompose(None, "mdct"),
        *actions.noise(None, 1),
        actions.revert(None)[0],
        actions.choose_excerpt(view, None, {})[0],
    ]
    assert len(answers) == 8 and all(
        answer.number > 0 and answer.scene is None for answer in answers
    )


def test_parts_of_atoms_that_are_not_shown_any_more_are_not_marked(view, long, monkeypatch):
    session = loaded(view, long)
    send = session.send

    def overtaken(data, name):
        if name == "parts.bin":
            session.show_mdct()
        return send(data, name)

    session.show_parts(["random:50"], 0)
    assert session.message.parts.key == '["random:50"]'
    monkeypatch.setattr(session, "send", overtaken, raising=False)
    session.show_parts(["loudest:50"], 0)
    assert session.message.parts is None


def test_a_selection_that_is_taken_back_and_made_again_is_told_of_its_fill(view, long):
    session = loaded(view, long)
    said = filled(session)[-1].status
    nothing = Chosen({"regions": [], "parts": []})
    nothing.key = "nothing"
    assert (
        "Nothing is selected" in actions.describe(nothing, ["velocity", "sign"], 0, session).status
    )
    again = actions.describe(ALL, ["velocity", "sign"], 0, session).status
    assert again.split(" in ")[:2] == said.split(" in ")[:2] and again.startswith("A: filled in")


def test_sounds_in_between_are_not_kept_in_memory(view, long, tmp_path):
    session = loaded(view, long)
    filled(session)
    between = weakref.ref(actions.load(view, other_sound(tmp_path), session)[1])
    _, last = actions.load(view, other_sound(tmp_path), between())
    gc.collect()
    assert between() is None and session.successor is last


def test_what_is_shown_is_not_lost_to_what_is_said_meanwhile(view, long):
    """A selection is described in one thread while a fill ends in another."""
    session, interval = loaded(view, long), sys.getswitchinterval()
    done = threading.Event()

    def talk():
        while not done.is_set():
            session.say("selected")

    talking = threading.Thread(target=talk)
    sys.setswitchinterval(1e-6)
    try:
        talking.start()
        for number in range(3000):
            scene = session.message.scene.model_copy(update={"id": str(number)})
            session._show_atoms(scene)
            assert session.message.scene is scene
    finally:
        done.set()
        talking.join()
        sys.setswitchinterval(interval)
