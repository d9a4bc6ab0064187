"""The states of a job, a fill or a pursuit, and the events that lead from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from gradio.data_classes import FileData

from ...inpainting.erase import Residual
from ...inpainting.fill import Step
from ...inpainting.recipe import Recipe
from ...inpainting.task import Task
from ...io.audio import Sound
from ..message import Scene

JobKind = Literal["fill", "pursuit"]


class JobState(Enum):
    """What a job is doing; the last three are final."""

    PREPARING = "nothing is shown yet"
    WAITING = "the page shows that it is busy; the next fill is being prepared"
    BEGUN = "its unknown atoms are shown, none are filled in"
    REVEALING = "some of its atoms are shown"
    DONE = "finished"
    STOPPED = "stopped; what it had revealed is kept"
    FAILED = "ended by an error"


class JobEvent(Enum):
    """What moves a job on."""

    ANNOUNCE = "the page becomes busy before anything is known"
    BEGIN = "the task is known"
    STEP = "more atoms are shown"
    STORE = "a variation is stored, and another one follows"
    FINISH = "the last result is stored"
    STOP = "the visitor, a time limit, or another job or sound ends it"
    FAIL = "an error ends it"


TRANSITIONS: dict[tuple[JobState, JobEvent], JobState] = {
    (JobState.PREPARING, JobEvent.ANNOUNCE): JobState.WAITING,
    (JobState.PREPARING, JobEvent.BEGIN): JobState.BEGUN,
    (JobState.PREPARING, JobEvent.STOP): JobState.STOPPED,
    (JobState.PREPARING, JobEvent.FAIL): JobState.FAILED,
    (JobState.WAITING, JobEvent.BEGIN): JobState.BEGUN,
    (JobState.WAITING, JobEvent.STOP): JobState.STOPPED,
    (JobState.WAITING, JobEvent.FAIL): JobState.FAILED,
    (JobState.BEGUN, JobEvent.STEP): JobState.REVEALING,
    (JobState.BEGUN, JobEvent.STOP): JobState.STOPPED,
    (JobState.BEGUN, JobEvent.FAIL): JobState.FAILED,
    (JobState.REVEALING, JobEvent.STEP): JobState.REVEALING,
    (JobState.REVEALING, JobEvent.STORE): JobState.WAITING,
    (JobState.REVEALING, JobEvent.FINISH): JobState.DONE,
    (JobState.REVEALING, JobEvent.STOP): JobState.STOPPED,
    (JobState.REVEALING, JobEvent.FAIL): JobState.FAILED,
}
FINAL = frozenset({JobState.DONE, JobState.STOPPED, JobState.FAILED})


class IllegalTransition(RuntimeError):
    """A job got an event that its state does not accept."""


@dataclass
class Fill:
    """The fill of a job, from the first look at its unknown atoms to a stored variation.

    key       key of the selection that it fills
    scene     the plane that its results are drawn in
    hidden    file: which drawn atoms of the scene its results replace, one bit each
    erased    the sound without the unknown atoms
    masked    file: the same
    started   time.monotonic() at the start
    step      the newest step; None before the first one
    residual  the matching-pursuit atoms that stay, where the fill is added to their sound
    """

    recipe: Recipe
    task: Task
    key: str
    scene: Scene
    hidden: FileData
    erased: Sound
    masked: FileData
    started: float
    step: Step | None = None
    residual: Residual | None = None


@dataclass
class Job:
    """What a visitor has started: fills of one or several variations, or a pursuit.

    A job that has ended stays ended: whatever still runs for it must not publish anything.
    """

    kind: JobKind
    state: JobState = JobState.PREPARING
    fill: Fill | None = None  # while its atoms are shown

    @property
    def active(self) -> bool:
        """Whether it may publish."""
        return self.state not in FINAL

    @property
    def busy(self) -> bool:
        """Whether the page shows it."""
        return self.active and self.state is not JobState.PREPARING

    def advance(self, event: JobEvent) -> None:
        """Change the state. Raises IllegalTransition for an event that it does not accept."""
        state = TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalTransition(f"A job in state {self.state.name} got {event.name}.")
        self.state = state
        if state not in (JobState.BEGUN, JobState.REVEALING):
            self.fill = None
