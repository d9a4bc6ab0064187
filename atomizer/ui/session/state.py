"""The state of one visitor's session: the sound, its variations, its job, what the page shows."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder

from ...atoms.selection import Selection
from ...atoms.space import AtomSpace
from ...inpainting.erase import check_fillable
from ...inpainting.highs import like
from ...inpainting.highs.cutoff import resolve_cutoff
from ...inpainting.recipe import FilledPlace, Recipe
from ...inpainting.task import Task, task_of_selection
from ...inpainting.work import Work
from ...io.audio import Overview, Sound, read
from .. import cleanup, drawing
from ..decomposition import Decomposition
from ..message import Message, Proposal, Variation
from ..session_file import SavedWork
from ..variations import StoredVariation
from .job_state import Fill, Job, JobEvent
from .present import PageState, Shown, present
from .presses import Presses

_numbering = threading.Lock()
_last_first = 0  # the newest first message number


def first_message_number() -> int:
    """The first message number of a session: milliseconds, times 1000.

    It is higher than every number of the sessions that began before, also within the same
    millisecond, so the page can discard messages that are out of date.
    """
    global _last_first
    with _numbering:
        _last_first = max(time.time_ns() // 1_000_000 * 1000, _last_first + 1000)
        return _last_first


_open_sessions: WeakValueDictionary[str, Session] = WeakValueDictionary()


def find_session(resume_key: object) -> Session | None:
    """Return the open session with this key, or the one that has replaced it; None for neither."""
    session = _open_sessions.get(resume_key) if isinstance(resume_key, str) else None
    while session is not None and session.replaced_by is not None:
        session = session.replaced_by
    return session if session is not None and session.folder.is_dir() else None


@dataclass(frozen=True)
class LongFile:
    """A file that is too long to work on as a whole, and the excerpt in use.

    outline  peaks of the whole file
    longest  the longest accepted excerpt in seconds
    start    start of the current excerpt in seconds
    """

    path: Path
    outline: Overview
    longest: float
    start: float = 0.0

    def read(self, start: float, seconds: float) -> Sound:
        """Read an excerpt. Raises AtomizerError where it is too long or outside of the file."""
        return read(self.path, self.longest, start, seconds)


@dataclass
class Original:
    """A sound that variations were compared with before one of them was accepted.

    recipes   fills that made it
    accepted  name of the variation that was accepted
    shown, stored, pursuit
              what the page showed of it, with all of its variations
    """

    sound: Sound
    recipes: tuple[Recipe, ...]
    accepted: str
    shown: Shown
    stored: dict[int, StoredVariation]
    pursuit: Decomposition | None


@dataclass
class Session:
    """A loaded sound and its variations; handlers change it in place, a new sound is a new session.

    Files of different visitors never share a folder, and the folder's name cannot be guessed.
    `lock` is held from reading the state to publishing the message that follows from it.
    """

    sound: Sound
    name: str
    long_file: LongFile | None = None  # the file that the sound is an excerpt of
    uploaded_file: Path | None = None  # the visitor's file; None for an example sound

    saved_part: tuple[float, float] | None = None  # `part` of a session file

    # the atoms
    space: AtomSpace = field(default_factory=AtomSpace)
    grid: np.ndarray = field(init=False, repr=False)  # coefficients (channels, frames, bins)
    _drawn_cells: np.ndarray | None = field(default=None, init=False, repr=False)
    pursuit: Decomposition | None = None  # matching-pursuit atoms, where they replace the MDCT's

    # originals and sounds before this one
    recipes: tuple[Recipe, ...] = ()  # fills that lead from the loaded sound to this original
    undo_stack: list[Original] = field(default_factory=list)  # earlier originals, last one on top
    recent_sounds: list[Session] = field(default_factory=list)  # earlier sessions, newest first
    replaced_by: Session | None = None  # the session that took this one's place
    swap_file: Path | None = None  # holds the sound while this is a recent sound

    # the selection
    features: list[str] | None = None  # unknown features of the last selection
    has_selection: bool = False
    selection_status: str = ""  # the last status message about a selection
    # work and number of fills that can be pressed, by the names in handlers/estimating.py
    planned: dict[str, tuple[Work, int]] = field(default_factory=dict)

    # fills
    stored: dict[int, StoredVariation] = field(default_factory=dict)  # by the ids of variations
    example_recipe: Recipe | None = None  # of the example whose settings the page's controls have
    example_variations: set[int] = field(default_factory=set)  # ids of an example's own results
    job: Job | None = None  # the newest one; it may have ended
    like: str = ""  # `Settings.like` of fills that it acts on
    filled_places: tuple[FilledPlace, ...] = ()  # also those of fills that were deleted
    next_seed: int = 0  # above all that were used
    work: SavedWork | None = None  # controls of a session file, which the page takes once
    result_count: int = 0  # counts results and variations, so that every one has a new number

    # the tab that shows it
    resume_key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    tab: object = field(default=None, repr=False)  # the `Tab` that showed it last
    presses: Presses = field(default_factory=Presses)  # those of the tab

    # what the page shows
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    shown: Shown = field(default_factory=Shown)
    status: str = ""
    revision: int = field(default_factory=first_message_number)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self):
        self.folder = Path(get_upload_folder()) / f"atomizer-{secrets.token_hex(16)}"
        self.folder.mkdir(parents=True)
        _open_sessions[self.resume_key] = self

    def __deepcopy__(self, memo):
        return self  # gr.State copies its initial value; copying sounds would waste memory

    def close(self, delete_now: bool = True) -> None:
        """Cancel the running job and delete all files of this session and its recent sounds.

        With `delete_now` false the folder stays for a while, because the page may still fetch
        files from it.
        """
        _open_sessions.pop(self.resume_key, None)
        self.end_job(JobEvent.STOP)
        for session in self.recent_sounds:
            session.close(delete_now)
        if delete_now:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            cleanup.delete_soon(self.folder)
        if self.uploaded_file:
            cleanup.delete_later(self.uploaded_file)

    # the atoms

    def take_grid(self, grid: np.ndarray) -> None:
        """Replace the coefficients (channels, frames, bins)."""
        self.grid, self._drawn_cells = grid, None

    @property
    def drawn_cells(self) -> np.ndarray:
        """Flat indices of the coefficients that are drawn, in drawing order.

        The browser sorts a dense sound itself, so only fills and selected parts need them.
        """
        if self._drawn_cells is None:
            self._drawn_cells = drawing.loudest_cells(self.grid, self.space)
        return self._drawn_cells

    # files

    def send(self, data: bytes, name: str) -> FileData:
        """Write a file that the browser may fetch."""
        path = self.new_path(name)
        path.write_bytes(data)
        return FileData(path=str(path), orig_name=name)

    def new_path(self, name: str) -> Path:
        """Return an unused path with this file name; no file is ever overwritten."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir()
        return folder / name

    # messages

    @property
    def page_state(self) -> PageState:
        """All that the next message depends on."""
        before = None
        if self.undo_stack:
            before = "the original before"
        elif self.recent_sounds:
            before = self.recent_sounds[0].title
        job = self.job.kind if self.job is not None and self.job.busy else None
        return PageState(
            self.shown,
            self.revision,
            self.status,
            job,
            before,
            self.resume_key,
            layers=tuple(original.accepted for original in self.undo_stack),
            reference=like.name_of(self.like),
            sounds=tuple((session.id, session.title) for session in self.recent_sounds),
        )

    @property
    def message(self) -> Message:
        """The message of the present state."""
        with self.lock:
            return present(self.page_state)

    def publish(self, status: str) -> Message:
        """Return the next message for the page."""
        with self.lock:
            self.status = status
            self.revision += 1
            return self.message

    def renumber(self) -> None:
        """Number the next messages above those of all sessions before, which the page may have."""
        with self.lock:
            self.revision = first_message_number()

    def update(self, **fields: object) -> None:
        """Change fields of `shown`, for the next `publish`."""
        with self.lock:
            self.shown = replace(self.shown, **fields)  # type: ignore[arg-type]  # by their names

    def drop_loaded(self, loaded: Proposal | None) -> None:
        """Forget a loaded selection that the page has, but not one that was loaded since."""
        with self.lock:
            if self.shown.loaded is loaded:
                self.update(loaded=None)

    # the job

    @property
    def fill(self) -> Fill | None:
        """The fill whose atoms are shown, if there is one."""
        return None if self.job is None else self.job.fill

    def running_fill(self) -> Fill:
        """Return the fill whose atoms are shown; there must be one."""
        fill = self.fill
        assert fill is not None, "no fill is running"
        return fill

    def advance(self, event: JobEvent) -> None:
        """Move the job on; what it showed is hidden when its fill is over."""
        with self.lock:
            assert self.job is not None, "there is no job"
            self.job.advance(event)
            if self.job.fill is None:
                self.update(live=None)

    def end_job(self, event: JobEvent) -> None:
        """End the job by STOP or FAIL, if it runs, and discard what it has not stored."""
        with self.lock:
            if self.job is not None and self.job.active:
                self.advance(event)

    # what the session holds

    @property
    def part(self) -> tuple[float, float] | None:
        """Start and duration in seconds of the excerpt of a file; None for a whole file."""
        excerpt = self.shown.excerpt
        return self.saved_part if excerpt is None else (excerpt.start, excerpt.seconds)

    @property
    def title(self) -> str:
        """The name of the sound among several; for an excerpt, with its start."""
        return self.name if self.part is None else f"{self.name} from {self.part[0]:g} s"

    @property
    def has_user_work(self) -> bool:
        """Whether it holds the visitor's own file, or anything that the visitor computed."""
        has_step = self.fill is not None and self.fill.step is not None
        return (
            self.uploaded_file is not None
            or has_step
            or bool(self.undo_stack)
            or self.pursuit is not None
            or bool(set(self.stored) - self.example_variations)
        )

    # variations

    def variation(self, number: int) -> Variation:
        """Return a variation of the list by its id."""
        return next(v for v in self.shown.variations if v.id == number)

    @property
    def current_variation(self) -> Variation | None:
        """The variation that the page shows; None during a fill."""
        current = self.shown.current
        return None if current is None or self.fill is not None else self.variation(current)

    @property
    def current_recipe(self) -> Recipe:
        """The recipe of the variation that the page shows, or a default one."""
        current = self.shown.current
        return Recipe() if current is None else self.stored[current].recipe

    def default_seed(self, recipe: Recipe) -> int:
        """Return the seed of a fill without one.

        It is 0 for the first fill of a place, which gives the most likely highs, and a new one for
        every other.
        """
        return self.next_seed if recipe.place in self.filled_places else 0

    def add_place(self, recipe: Recipe) -> None:
        """Remember which place, and with which seed, a recipe fills in."""
        if recipe.place not in self.filled_places:
            self.filled_places = (*self.filled_places, recipe.place)
        self.next_seed = max(self.next_seed, recipe.settings.seed + 1) % 2**63

    def proposal_of(self, key: str) -> Proposal | None:
        """Return the proposed selection that fills with this key belong to; None for others."""
        proposals = (self.shown.proposal, *(v.proposal for v in self.shown.variations))
        return next((p for p in proposals if p is not None and p.id == key), None)

    def delete_variation(self, number: int) -> None:
        """Remove a variation from the list, and delete its files."""
        with self.lock:
            remaining = tuple(v for v in self.shown.variations if v.id != number)
            self.update(variations=remaining)
            self.delete_stored(number)
            if self.shown.current == number:
                self.update(current=remaining[-1].id if remaining else None)

    def delete_stored(self, number: int) -> None:
        """Delete the files of a variation."""
        stored = self.stored.pop(number, None)
        for path in (stored.filled, stored.masked) if stored else ():
            path.unlink(missing_ok=True)

    # the selection

    def check_selection(self, selection: Selection, seed: int) -> Task:
        """Return the task of filling in a selection, as far as its work depends on it.

        The slope of a cutoff is not in its mask, and its reference may be an unknown atom.

        Raises AtomizerError where the selection is empty or cannot be filled in.
        """
        nyquist = self.sound.rate / 2
        selection, _ = resolve_cutoff(selection, self.grid, self.space, nyquist)
        if self.pursuit is not None:
            check_fillable(selection)
            selection.mask_atoms(self.pursuit.atoms, seed, nyquist=nyquist)
        task = task_of_selection(self.sound, self.grid, selection, space=self.space, seed=seed)
        loudest = 0.0 if self.shown.scene is None else self.shown.scene.loudest
        return replace(task, reference=loudest)

    def is_filled(self, key: str, features: list[str]) -> bool:
        """Whether the running fill, or the variation that is shown, belongs to this selection."""
        if self.fill is not None:
            return self.fill.key == key
        current = self.shown.current
        return (
            current is not None
            and self.variation(current).key == key
            and set(self.stored[current].recipe.selection.features) == set(features)
        )
