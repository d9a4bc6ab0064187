"""Events of one visitor in any order: invariants of the session and of its messages.

Generators of fills are advanced, closed and forgotten between other events, as the queue does it.
Sounds, fills and files are tiny fakes: what is tested is the state, not the sound.
"""

import itertools
import random
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData

from atomizer import limits as limits_module
from atomizer.atoms.selection import parse
from atomizer.inpainting.fill import Step
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.ui import cleanup, gpu, handlers
from atomizer.ui.component import Chosen, Message
from atomizer.ui.handlers import loading, responses
from atomizer.ui.session import Session, history, jobs, present
from atomizer.ui.variations import StoredVariation

SEQUENCES, EVENTS = 2000, 8
CONTROLS = ("auto", False, None, None, None, None, "noise", "auto")
CHOSEN = Chosen(regions=[{"kind": "rect", "op": "add", "f": [3000, 9000]}], parts=[])


@pytest.fixture
def fakes(monkeypatch, tmp_path):
    """Replace everything that computes, or touches a file, by something instant."""
    sound = Sound(np.ones((1, 64), np.float32), 44_100)
    task = prepare(sound, parse(["above:3000"]))
    numbers = itertools.count()

    def fill(task, settings, model):
        for number in (1, 2, 3):
            yield Step(number, 3, task.grid, task.mask)

    def file(*_):
        return FileData(path="/x")

    def open_session(self):
        self.folder = tmp_path

    replaced = {
        present: dict(preview=file, analyse=lambda session: None, show_result=_show_result),
        jobs: dict(
            task_of=lambda session, recipe: (task, None),
            judge=lambda *_: (None, None),
            _store=lambda session, number, recipe, *_: StoredVariation(
                recipe, Path(f"/x/{number}"), Path(f"/x/{number}-masked")
            ),
            _audible_filled=lambda *_: 0,
        ),
        history: dict(read=lambda *_: sound, write=lambda *_: None),
        loading: dict(open_file=lambda path: (sound, None)),
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
            check_selection=lambda *_: None,
            grid=task.grid,
            drawn_cells=np.zeros(0, int),
        ),
    }
    for owner, names in replaced.items():
        for name, value in names.items():
            monkeypatch.setattr(owner, name, value, raising=False)
    monkeypatch.setattr(history, "_swap_in", lambda session: None)
    return task


def _show_result(session, step):
    job = session.running_job()
    session.result_count += 1
    session.update(
        live=present.Result(
            number=session.result_count,
            scene=job.scene,
            hidden=job.hidden,
            count=0,
            done=step.number,
            total=step.total,
            atoms=job.hidden,
            masked=job.masked,
            key=job.key,
        )
    )


class Visitor:
    """A page: its session, the fills that the queue runs for it, and the messages it has seen."""

    def __init__(self, dice: random.Random):
        self.dice, self.session, self.fills, self.seen = dice, None, [], 0
        self.log: list[str] = []
        self.load()

    def take(self, message, session=None) -> None:
        """Receive the outputs of an event."""
        if isinstance(session, Session):
            self.session = session
        if isinstance(message, Message):
            assert message.number > self.seen or message.scene is None, "a message went back"
            self.seen = max(self.seen, message.number)

    def load(self):
        self.take(*handlers.load("x.wav", self.session))

    def select(self):
        self.take(handlers.describe(CHOSEN, ["velocity", "sign"], None, self.session))

    def fill(self):
        count = self.dice.choice((1, 1, 2))
        fill = handlers.fill_selection(CHOSEN, self.session, ["velocity", "sign"], *CONTROLS, count)
        self.fills.append(fill)
        self.step()

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
        self.take(handlers.stop(self.session))

    def undo(self):
        self.take(*handlers.undo(self.session))

    def adopt(self):
        if (current := self.session.message.current) is not None:
            self.take(handlers.use_as_original(self.session, current))

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
        assert (session.job is None) == (message.live is None), log
        if session.job is not None:
            assert message.busy and session.token is not None, log
        if not message.busy:
            assert session.token is None and session.job is None, log
        for earlier in session.recent_sounds:
            assert earlier.replaced_by is session and earlier.job is None, log


EVENT_NAMES = ("load", "select", "fill", "fill", "step", "step", "step", "cancel", "stop") + (
    "undo",
    "adopt",
    "delete",
)


def test_events_in_any_order_keep_the_invariants(fakes):
    for seed in range(SEQUENCES):
        dice = random.Random(seed)
        visitor = Visitor(dice)
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
        assert not visitor.session.message.busy and visitor.session.job is None, visitor.log
        assert handlers.stop(visitor.session) is not gr.skip()
