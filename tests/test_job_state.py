"""The states of a job, and the message as a function of the state of a session."""

import inspect
from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest

from atomizer.ui.message import Message
from atomizer.ui.session.job_state import (
    FINAL,
    TRANSITIONS,
    IllegalTransition,
    Job,
    JobEvent,
    JobState,
)
from atomizer.ui.session.present import PageState, Shown, present


@pytest.mark.parametrize("state", JobState)
def test_events_move_a_job_as_the_table_says(state):
    for event in JobEvent:
        job = Job("fill", state, fill=object())
        if (state, event) in TRANSITIONS:
            job.advance(event)
            assert job.state is TRANSITIONS[state, event]
            assert (job.fill is None) == (job.state not in (JobState.BEGUN, JobState.REVEALING))
        else:
            with pytest.raises(IllegalTransition, match=f"{state.name} got {event.name}"):
                job.advance(event)
            assert job.state is state and job.fill is not None, "it is as before"


def test_a_job_that_has_ended_accepts_no_event():
    assert not any((state, event) in TRANSITIONS for state, event in product(FINAL, JobEvent))
    active = set(JobState) - FINAL
    for state, event in product(active, (JobEvent.STOP, JobEvent.FAIL)):
        assert TRANSITIONS[state, event] in FINAL, "each one can be stopped, and can fail"


def test_jobs_are_busy_from_the_first_message_to_the_end():
    busy = {state for state in JobState if Job("fill", state).busy}
    assert busy == {JobState.WAITING, JobState.BEGUN, JobState.REVEALING}
    assert all(Job("fill", state).active == (state not in FINAL) for state in JobState)


STATE = PageState(Shown(note="listen", current=None), 7, "Ready", "pursuit", "x.wav", "key")


def test_present_reads_its_argument_alone():
    outside = inspect.getclosurevars(present)
    assert outside.globals == {"Message": Message} and not outside.nonlocals
    assert present(STATE) == present(replace(STATE)) and present(STATE) is not present(STATE)


def test_message_has_every_field_of_the_state():
    message = present(STATE)
    assert (message.number, message.status) == (7, "Ready")
    assert (message.busy, message.pursues) == (True, True)
    assert present(replace(STATE, job="fill")).busy and not present(replace(STATE, job=None)).busy
    assert not present(replace(STATE, job="fill")).pursues
    assert (message.before, message.resume, message.note) == ("x.wav", "key", "listen")
    of_the_browser = {"regions", "specs", "key"}
    of_the_state = {"number", "status", "busy", "pursues", "before", "resume", "layers"}
    of_the_state |= {"reference", "sounds"}
    assert set(Message.model_fields) - of_the_browser - of_the_state == set(
        Shown.__dataclass_fields__
    )


def test_a_changed_message_does_not_change_the_state():
    message = present(STATE)
    message.variations.append(None)
    message.findings.append(None)
    assert STATE.shown == Shown(note="listen")
    with pytest.raises(FrozenInstanceError):
        STATE.shown.note = "other"
