"""Events of one visitor in any order: invariants of the session and of its messages.

Generators of fills and pursuits are advanced, closed and forgotten between other events, as the
queue does it; fills fail or run out of time now and then. Sounds, fills and files are tiny fakes:
what is tested is the state, not the sound.
"""

import itertools
import random
from collections import Counter
from concurrent.futures import Executor, Future
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData

from atomizer import limits as limits_module
from atomizer.atoms.selection import parse
from atomizer.errors import AtomizerError
from atomizer.inpainting.fill import Step
from atomizer.inpainting.recipe import Recipe
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.ui import cleanup, decomposition, gpu, handlers
from atomizer.ui.handlers import loading, pursuit, responses
from atomizer.ui.message import Chosen, Message, Result
from atomizer.ui.session import Session, Tab, copying, history, jobs, originals, scenes, state
from atomizer.ui.session.job_state import FINAL, TRANSITIONS, Job, JobEvent, JobState
from atomizer.ui.variations import StoredVariation

SEQUENCES, EVENTS = 2000, 8
CONTROLS = ("auto", False, None, None, None, None, "noise", "auto", 0)
STEPS = 3
FOUND = SimpleNamespace(name="matching-pursuit", atoms=[], bits=lambda *_: b"")
CHOSEN = Chosen(regions=[{"kind": "rect", "op": "add", "f": [3000, 9000]}], parts=[])


class AtOnce(Executor):
    """Runs what is submitted before `submit` returns: sequences do not depend on threads."""

    def __init__(self, workers: int):
        pass

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture
def fakes(monkeypatch, tmp_path):
    """Replace everything that computes, or touches a file, by something instant."""
    sound = Sound(np.ones((1, 64), np.float32), 44_100)
    selection = parse(["above:3000"])
    task = prepare(sound, selection)
    numbers = itertools.count()

    run = SimpleNamespace(dice=random.Random(0), transitions=Counter(), meanwhile=None)

    def open_file(path):
        happen, run.meanwhile = run.meanwhile, None
        if happen:
            happen()
        return sound, None

    def fill(task, settings, model):
        error = run.dice.choice([None] * 6 + [gpu.OutOfTime("late"), AtomizerError("broken")])
        breaks_at = run.dice.randint(1, STEPS)
        for number in range(1, STEPS + 1):
            if error and number == breaks_at:
                raise error
            yield Step(number, STEPS, task.grid, task.mask)

    def task_of(session, recipe):
        event = run.dice.choice([None] * 8 + ["stop", "fail"])
        if event == "stop":  # while the task is being made
            handlers.stop(session)
        if event == "fail":
            raise AtomizerError("broken")
        return task, None

    def decompose(sound, name):
        for reason in ("", "", "at its limit"):
            yield FOUND, reason

    def show_pursuit(session, found):
        session.pursuit = found
        scenes.show_scene(session, session.shown.scene)

    advance = Job.advance

    def counted(job, event):
        run.transitions[job.state, event] += 1
        advance(job, event)

    def file(*_):
        return FileData(path="/x")

    def open_saved(path):
        if run.dice.random() < 0.2:
            raise AtomizerError("broken")
        session = loading.open_session(sound, "saved.wav")
        for _ in range(run.dice.randint(0, 3)):
            jobs.start(session, "fill")
            jobs.begin(session, Recipe(selection), task, "key")
            jobs.show_step(session, Step(1, 1, task.grid, task.mask))
            jobs.finish(session, JobEvent.FINISH)
        session.job = None
        return session

    def open_session(self):
        self.folder = tmp_path
        state._open_sessions[self.resume_key] = self

    replaced = {
        scenes: dict(
            ThreadPoolExecutor=AtOnce,
            preview=file,
            analyse=lambda session: None,
            show_result=_show_result,
            show_pursuit=show_pursuit,
        ),
        state: dict(shutil=SimpleNamespace(rmtree=lambda *_, **__: None)),
        Job: dict(advance=counted),
        decomposition: dict(decompose=decompose, pursuit_status=lambda found: "atoms"),
        pursuit: dict(REDRAW_SECONDS=-1, pursuit_status=lambda found: "atoms"),
        jobs: dict(
            task_of=task_of,
            judge=lambda *_: (None, None),
            store=lambda session, number, recipe, *_: StoredVariation(
                recipe, Path(f"/x/{number}"), Path(f"/x/{number}-masked"), str(number)
            ),
            _audible_filled=lambda *_: 0,
        ),
        copying: dict(_link=lambda source, target: None),
        history: dict(read=lambda *_: sound, write=lambda *_: None),
        originals: dict(read=lambda *_: sound),
        loading: dict(
            open_file=open_file,
            session_file=SimpleNamespace(is_session_file=lambda path: path == "x.atomizer"),
            check_size=lambda *_: None,
            open_saved=open_saved,
        ),
        handlers.saving: dict(
            capturing=SimpleNamespace(capture=lambda *_: None),
            session_file=SimpleNamespace(encode=lambda content: b"", ENDING=".atomizer"),
        ),
        gpu: dict(fill=fill),
        cleanup: dict(
            trim_heap=lambda: None,
            delete_soon=lambda path: None,
            delete_later=lambda path: None,
            uploaded_path=lambda path: None,
        ),
        responses: dict(warn=lambda *_, **__: None),
        Session: dict(
            __post_init__=open_session,
            send=file,
            new_path=lambda self, name: tmp_path / f"{next(numbers)}-{name}",
            check_selection=lambda *_: task,
            grid=task.grid,
            drawn_cells=np.zeros(0, int),
        ),
    }
    for owner, names in replaced.items():
        for name, value in names.items():
            monkeypatch.setattr(owner, name, value, raising=False)
    monkeypatch.setattr(history, "_swap_in", lambda session: None)
    return run


def _show_result(session, step):
    fill = session.running_fill()
    session.result_count += 1
    session.update(
        live=Result(
            number=session.result_count,
            scene=fill.scene,
            hidden=fill.hidden,
            count=0,
            done=step.number,
            total=step.total,
            atoms=fill.hidden,
            masked=fill.masked,
            key=fill.key,
        )
    )


class Visitor:
    """A page: its tab, the fills that the queue runs for it, and the messages it has seen."""

    def __init__(self, run: SimpleNamespace):
        self.run, self.dice, self.tab, self.fills, self.seen = run, run.dice, Tab(), [], 0
        self.log: list[str] = []
        self.presses = itertools.count()
        self.sent: list[tuple[Message, str]] = []  # and what they were when they were sent
        self.jobs: dict[int, tuple[Job, JobState]] = {}  # every job so far, and its last state
        self.load()

    @property
    def session(self) -> Session:
        return self.tab.session

    def take(self, message, session=None) -> None:
        """Receive the outputs of an event."""
        if isinstance(message, Message):
            assert message.number > self.seen or message.scene is None, "a message went back"
            self.seen = max(self.seen, message.number)
            self.sent = [*self.sent[-2:], (message, _text(message))]

    def load(self):
        self.take(*handlers.load("x.wav", self.tab, pressed=next(self.presses)))

    def load_meanwhile(self):
        """A sound is loaded, and something else happens before it is there."""
        name, tab, shown = self.dice.choice(EVENT_NAMES), self.tab, []

        def happen():
            before = self.session
            getattr(self, name)()
            shown.extend([self.session] * (self.session is not before))

        self.log.append(f"({name})")
        self.run.meanwhile = happen
        self.take(*handlers.load("x.wav", tab, pressed=next(self.presses)))
        assert not shown or self.session is shown[0], "the sound that was chosen last stays"

    def open(self):
        """A session file is opened; where it is invalid, everything stays."""
        before = self.session
        self.take(*handlers.load("x.atomizer", self.tab, pressed=next(self.presses)))
        assert (self.session is before) == (before.replaced_by is None)

    def save(self):
        chosen = Chosen(regions=[], parts=[])
        busy, fill = self.session.message.busy, self.session.fill
        self.take(handlers.save_session(chosen, self.session, {}, [], *CONTROLS, 1, 4))
        message = self.session.message
        assert (message.busy, self.session.fill) == (busy, fill), "saving changes no job"
        assert message.download is not None

    def select(self):
        self.take(handlers.describe(CHOSEN, self.session, ["velocity", "sign"], *CONTROLS, 1))

    def fill(self):
        count, pressed = self.dice.choice((1, 1, 2)), next(self.presses)
        controls = (*CONTROLS, count)
        self.fills.append(
            handlers.fill_selection(
                CHOSEN, self.session, ["velocity", "sign"], *controls, pressed=pressed
            )
        )
        self.step()

    def pursue(self):
        name = self.dice.choice(("mdct", "matching-pursuit", "matching-pursuit"))
        self.fills.append(handlers.decompose(self.session, name, next(self.presses)))
        self.step()

    def fill_late(self):
        """A fill is pressed, then Stop or another sound, and the fill is the last to arrive."""
        pressed = next(self.presses)
        self.dice.choice((self.stop, self.load, self.open, self.undo))()
        before = self.session.job
        fill = handlers.fill_selection(CHOSEN, self.session, [], *CONTROLS, 1, pressed=pressed)
        assert list(fill) == [gr.skip()] and self.session.job is before

    def step(self):
        if not self.fills:
            return
        fill = self.dice.choice(self.fills)
        for message in itertools.islice(fill, self.dice.randint(1, 3)):
            self.take(message)

    def cancel(self):
        if self.fills:
            self.fills.pop(self.dice.randrange(len(self.fills))).close()

    def stop(self):
        self.take(handlers.stop(self.session, next(self.presses)))

    def undo(self):
        self.take(*handlers.undo(self.tab, next(self.presses)))

    def reload(self):
        """The page is loaded again, shows another sound first, and gets its session back."""
        page, before, self.tab = self.tab, self.session, Tab()
        self.load()
        self.take(*handlers.resume(self.tab, before.resume_key))
        assert self.session is before
        history.close_tab(page)

    def duplicate(self):
        """The tab is duplicated: one of the two is used further, the other is closed sometime."""
        other, before = Tab(), self.session
        fill = before.fill
        message, _ = handlers.resume(other, before.resume_key, True)
        assert other.session is not before and self.session is before and before.fill is fill
        assert [v.id for v in other.session.shown.variations] == list(before.stored)
        if self.dice.random() < 0.5:
            self.tab, other, self.fills = other, self.tab, []
            self.take(message)
        history.close_tab(other)

    def leave(self):
        """The page is closed, and opened again later."""
        before = self.session
        history.close_tab(self.tab)
        assert not before.job or not before.job.active
        self.tab, self.fills = Tab(), []
        self.load()

    def accept(self):
        if (current := self.session.message.current) is not None:
            layers = len(self.session.undo_stack)
            self.take(handlers.accept(self.session, current))
            assert len(self.session.undo_stack) == layers + 1, "it is the next original"

    def delete(self):
        if variations := self.session.message.variations:
            self.take(handlers.delete_variation(self.session, self.dice.choice(variations).id))

    def check(self) -> None:
        """Assert what holds after every event."""
        session = self.session
        message, log = session.message, " ".join(self.log)
        assert session.replaced_by is None, log
        ids = [variation.id for variation in message.variations]
        labels = [variation.label for variation in message.variations]
        assert set(ids) == set(session.stored) and len(set(labels)) == len(ids), log
        assert message.current is None or message.current in ids, log
        assert len(ids) <= limits_module.limits().variations_kept, log
        assert len(session.recent_sounds) <= limits_module.limits().sounds_kept, log
        assert (session.fill is None) == (message.live is None), log
        for earlier in session.recent_sounds:
            assert earlier.replaced_by is session and earlier.fill is None, log
        for sent, text in self.sent:
            assert _text(sent) == text, f"a message that was sent has changed: {log}"
        self.check_job(log)

    def check_job(self, log: str) -> None:
        """Assert what holds for the job after every event."""
        job, message = self.session.job, self.session.message
        assert message.busy == (job is not None and job.busy), log
        if job is not None:
            self.jobs.setdefault(id(job), (job, job.state))
            is_shown = job.state in (JobState.BEGUN, JobState.REVEALING)
            assert (job.fill is not None) == (job.kind == "fill" and is_shown), log
        for earlier, state_before in self.jobs.values():
            assert earlier is job or not earlier.active, f"two jobs are active: {log}"
            if state_before in FINAL:
                assert earlier.state is state_before, f"a job has ended twice: {log}"
            self.jobs[id(earlier)] = (earlier, earlier.state)


def _text(message: Message) -> str:
    """What of a message could change, if it were not replaced but edited."""
    ids = [variation.id for variation in message.variations]
    return f"{message.status} {message.busy} {message.current} {ids} {message.live is None}"


EVENT_NAMES = (
    *("load", "open", "save", "select", "undo", "accept", "delete", "reload", "leave", "duplicate"),
    "load_meanwhile",
    *("fill", "fill", "pursue", "fill_late", "step", "step", "step", "cancel", "stop"),
)


def test_events_in_any_order_keep_the_invariants(fakes):
    for seed in range(SEQUENCES):
        dice = fakes.dice = random.Random(seed)
        visitor = Visitor(fakes)
        for _ in range(EVENTS):
            visitor.log.append(name := dice.choice(EVENT_NAMES))
            try:
                getattr(visitor, name)()
            except Exception as error:
                raise AssertionError(f"seed {seed}: {' '.join(visitor.log)}") from error
            visitor.check()
        for fill in visitor.fills:  # the visitor leaves
            fill.close()
        visitor.check()
        assert not visitor.session.message.busy and visitor.session.fill is None, visitor.log
        assert handlers.stop(visitor.session) is not gr.skip()
    assert set(fakes.transitions) == set(TRANSITIONS), "each one is taken, and no other one"
