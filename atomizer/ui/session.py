"""What the server remembers of one visitor: the sound, its variations, and the files that the picture shows and plays."""

from __future__ import annotations

import json
import math
import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import ascii_uppercase

import numpy as np
from gradio.data_classes import FileData

from ..analysis import MDCTAtomizer
from ..atoms.selection import Selection
from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..inpainting.erase import Residual, check_fillable
from ..inpainting.fill import Step
from ..inpainting.recipe import Recipe
from ..inpainting.settings import resolve
from ..inpainting.task import Task
from ..io.audio import Overview, Sound, read, resample, write
from ..limits import limits
from . import cleanup as visitors
from . import drawing
from .component import (
    AtomView,
    Download,
    Excerpt,
    Message,
    Parts,
    Proposal,
    Result,
    Scene,
    Variation,
)
from .pursuit import Decomposition
from .variations import Kept, details_of, judge, title_of

PREVIEW_RATES = (8_000, 96_000)  # what every browser decodes

_passing = threading.Lock()  # held while one session takes the place of another


def first_number() -> int:
    """Of the messages of a session: above those of all that began before."""
    return time.time_ns() // 1_000_000 * 1000


@dataclass
class Running:
    """A fill under way: its task in the plane of a scene, and the last step that was taken."""

    recipe: Recipe
    task: Task
    key: str
    scene: Scene
    hidden: FileData  # files that all of its results share
    masked: FileData
    began: float
    step: Step | None = None
    rest: Residual | None = None  # what matching-pursuit atoms the fill begins with


@dataclass(frozen=True)
class LongFile:
    """A file of which one excerpt is worked on at a time: its outline, the longest excerpt in seconds, and where the present one starts."""

    path: Path
    outline: Overview
    longest: float
    start: float = 0.0

    def read(self, start: float, seconds: float) -> Sound:
        """An excerpt. Raises AtomizerError where it is too long, or the file does not hold it."""
        return read(self.path, self.longest, start, seconds)


@dataclass
class Original:
    """What variations are compared with: a sound, and the fills that made it from the loaded one."""

    sound: Sound
    recipes: tuple[Recipe, ...] = ()


@dataclass
class Session:
    """A loaded sound and what was made of it. Handlers change it in place; a new sound is a new session."""

    view: AtomView
    sound: Sound
    name: str
    long: LongFile | None = None  # the file that the sound is an excerpt of
    space: AtomSpace = field(default_factory=AtomSpace)
    # numbers rise from one session to the next, so that the browser can tell what is stale
    message: Message = field(default_factory=lambda: Message(number=first_number()))
    recipes: tuple[Recipe, ...] = ()
    before: list[Original] = field(
        default_factory=list
    )  # originals that variations took the place of
    earlier: list[Session] = field(
        default_factory=list
    )  # put aside, of sounds that this one took the place of, the last one first
    successor: Session | None = None  # the one that took this one's place
    aside: Path | None = None  # where the sound is while it is put aside
    features: list[str] | None = None  # that were last said to be unknown of what is selected
    selected: bool = False  # whether the visitor has selected something of it
    described: str = ""  # what was said last of a selection
    given: set[int] = field(default_factory=set)  # ids of variations that a story came with
    kept: dict[int, Kept] = field(default_factory=dict)  # by the ids of the message's variations
    running: Running | None = None
    pursuit: Decomposition | None = None  # the atoms, where they are not those of the MDCT
    seeking: bool = False  # while a pursuit goes on
    seed: int = 0  # of the next fill, where the visitor names none: above all that were taken
    made: int = 0  # counts results and variations, so that the picture knows a new one
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    token: object = None  # of the fill that may speak; None once it was stopped
    upload: Path | None = None  # the visitor's file, where it was uploaded and not one of ours
    grid: np.ndarray = field(init=False, repr=False)  # the sound's coefficients
    cells: np.ndarray = field(init=False, repr=False)  # those of them that are drawn
    saying: threading.RLock = field(
        default_factory=threading.RLock, repr=False
    )  # held from reading what was said last to saying what follows from it

    def __post_init__(self):
        # files of different visitors never share a folder, and nobody can guess its name
        self.folder = Path(self.view.GRADIO_CACHE) / f"atomizer-{secrets.token_hex(16)}"
        self.folder.mkdir(parents=True)
        self._show_original()

    def __deepcopy__(self, memo):
        return self  # gr.State copies its first value; sounds are not worth copying

    def close(self, at_once: bool = True) -> None:
        """Forget the fill that is running and delete all files of this session; not at once where the page may still be fetching some."""
        with self.saying:
            self.token, self.running = None, None
        for session in self.earlier:
            session.close(at_once)
        if at_once:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            visitors.delete_soon(self.folder)
        if self.upload:
            visitors.delete_later(self.upload)

    def send(self, data: bytes, name: str) -> FileData:
        """A file that the browser may fetch."""
        path = self._place(name)
        path.write_bytes(data)
        return FileData(path=str(path), orig_name=name)

    def _place(self, name: str) -> Path:
        """Where a new file of this name goes; nothing that was sent is ever overwritten."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir()
        return folder / name

    # other sounds before this one

    @property
    def worked_on(self) -> bool:
        """Whether it holds the visitor's own file, or something was made of it, as far as a fill under way has come."""
        under_way = self.running is not None and self.running.step is not None
        return (
            self.upload is not None
            or under_way
            or bool(self.before)
            or self.pursuit is not None
            or bool(set(self.kept) - self.given)
        )

    @property
    def title(self) -> str:
        """What the sound is called where it is one of several."""
        return self.name if self.long is None else f"{self.name} from {self.long.start:g} s"

    def succeed(self, old: Session) -> None:
        """Take the place of another session, which can be gone back to where something in it is the visitor's own, as the last few that it took the
        place of can be; those of which something was only selected go first."""
        with _passing:
            while (
                old.successor is not None
            ):  # whoever was faster took its place, and is the one to take the place of
                old = old.successor
            old.successor = self
            self.earlier, old.earlier = old.earlier, []
            self.earlier[:0] = old._make_way()
            while len(self.earlier) > limits().sounds_kept:
                last = len(self.earlier) - 1
                self.earlier.pop(
                    next((k for k in range(last, -1, -1) if not self.earlier[k].worked_on), last)
                ).close(at_once=False)
            self._lead()

    def go_back(self) -> Session | None:
        """The last of the earlier sessions in the place of this one, which comes after all others where it has something to keep; None where another sound is
        taking its place. Raises AtomizerError where its sound is gone."""
        with _passing:
            if self.successor is not None or not self.earlier:
                return None
            found = self.earlier[0]
            found._take_up()
            found.earlier, self.earlier = self.earlier[1:], []
            found.successor, self.successor = None, found
            if found.long and self.long and found.long.path == self.long.path:
                found.upload, self.upload = (
                    found.upload or self.upload,
                    None,
                )  # it stays as long as one of its excerpts is worked on
            found.earlier += self._make_way()
            found._lead()
            # what was handed over, or proposed, was so once
            found.message = found.message.model_copy(
                update={"number": first_number(), "download": None, "proposal": None}
            )
            return found

    def _lead(self) -> None:
        """Be the one that took the place of all earlier ones, lest they keep those between in memory."""
        for session in self.earlier:
            session.successor = self

    def _make_way(self) -> list[Session]:
        """[self], put aside, where something of it is selected or made; otherwise [], and it is closed."""
        if self.selected or self.worked_on:
            self._put_aside()
            return [self]
        self.close(at_once=False)  # a fill that is still in a step has nothing to say any more
        return []

    def _put_aside(self) -> None:
        """Keep the sound in a file alone, and free its memory and its atoms'; where there is no room for the file, all stays in memory. Of a fill under
        way what was filled in so far is kept."""
        try:
            with self.saying:
                self.token, self.seeking = None, False
                if self.running and self.running.step:
                    self.finish()
            path = self._place("aside.wav")
            write(path, replace(self.sound, subtype="FLOAT"))
        except (AtomizerError, OSError):
            self.abandon()
            return
        self.abandon()
        self.aside, self.sound = path, replace(self.sound, samples=self.sound.samples[:, :0].copy())
        self.grid, self.cells = self.grid[:, :0].copy(), self.cells[:0].copy()

    def _take_up(self) -> None:
        if self.aside:
            self.sound = replace(self.sound, samples=read(self.aside, math.inf).samples)
            self._analyse()
            self.aside.unlink()
            self.aside = None

    # the original

    def adopt(self, number: int) -> None:
        """Make a variation the new original; the present one can be gone back to."""
        recipe, sound = self.kept[number].recipe, read(self.kept[number].filled, math.inf)
        self.before.append(Original(self.sound, self.recipes))
        # the exact samples, in the sample format that the sound was loaded with
        self.sound, self.recipes = (
            replace(sound, subtype=self.sound.subtype),
            (*self.recipes, recipe),
        )
        self._show_original()

    def revert(self) -> None:
        """Go back to the original before this one."""
        original = self.before.pop()
        self.sound, self.recipes = original.sound, original.recipes
        self._show_original()

    def _show_original(self) -> None:
        self.token, self.running, self.kept, self.pursuit = None, None, {}, None
        self._analyse()
        scene, original = (
            self._scene(self.sound, self.grid, self.cells, []),
            self._preview(self.sound, "original"),
        )
        excerpt = self.message.excerpt or self._excerpt()
        with self.saying:
            self.message = Message(
                number=self.message.number, scene=scene, original=original, excerpt=excerpt
            )

    def _analyse(self) -> None:
        self.grid = MDCTAtomizer(self.space).grid(self.sound.at(self.space.rate))
        self.cells = drawing.loudest_cells(self.grid, self.space)

    # other atoms of the same sound

    def show_pursuit(self, found: Decomposition) -> None:
        """Show matching-pursuit atoms in the place of all others; variations are kept."""
        self.pursuit = found
        space, scene = found.atomizer.space, self.message.scene
        assert scene is not None, "there is no sound"
        self._show_atoms(
            scene.model_copy(
                update=dict(
                    id=secrets.token_hex(6),
                    hop=space.hop,
                    frames=space.frame_count(found.atoms.length),
                    bins=space.bins,
                    scales=list(space.scales),
                    atomizer=found.name,
                    srr_db=found.srr_db,
                    loudest=found.atoms.reference,
                    energy=found.energy,
                    total=len(found.atoms),
                    count=len(found.atoms),
                    atoms=self.send(found.pack(), "atoms.bin"),
                )
            )
        )

    def show_mdct(self) -> None:
        """Show the atoms of the MDCT again."""
        self.pursuit = None
        self._show_atoms(self._scene(self.sound, self.grid, self.cells, []))

    def _show_atoms(self, scene: Scene) -> None:
        self._show(scene=scene, parts=None, live=None, current=None)

    # the selection

    def show_parts(self, parts: list[str], seed: int) -> None:
        """Mark the drawn atoms that belong to the selected parts, which only Python can rank."""
        if not parts:
            self._show(parts=None)
            return
        selection, shown = Selection.from_dict({"parts": parts}), self.message.scene
        if self.pursuit is not None:
            chosen = self.pursuit.bits(selection, seed, self.sound.rate / 2)
        else:
            chosen = drawing.bits(
                selection.mask(self.grid, self.space, seed, nyquist=self.sound.rate / 2).ravel()[
                    self.cells
                ]
            )
        marked = Parts(key=_key_of(parts), bits=self.send(chosen, "parts.bin"))
        with self.saying:
            if self.message.scene is shown:  # they count the atoms that were shown when this began
                self._show(parts=marked)

    def leave_variation(self, key: str) -> None:
        """Show the atoms themselves again where the variation that is shown answers another selection than `key`."""
        if any(v.id == self.message.current and v.key != key for v in self.message.variations):
            self._show(current=None)

    def answers(self, key: str, features: list[str]) -> bool:
        """Whether the fill under way, or the variation that is shown, is of this very selection."""
        if self.running is not None:
            return self.running.key == key
        current = self.message.current
        return (
            current is not None
            and self.variation(current).key == key
            and set(self.kept[current].recipe.selection.features) == set(features)
        )

    def check(self, selection: Selection, seed: int) -> None:
        """Raise AtomizerError where a selection takes none of the atoms that are shown, or cannot be filled in."""
        if self.pursuit is None:
            selection.mask(self.grid, self.space, seed, nyquist=self.sound.rate / 2)
        else:
            check_fillable(selection)
            selection.mask_atoms(self.pursuit.atoms, seed, nyquist=self.sound.rate / 2)

    def propose(self, selection: Selection) -> str:
        """Put a selection in the place of the visitor's; returns the key of the fills that answer it."""
        data = selection.to_dict()
        proposal = Proposal(
            id=secrets.token_hex(6), regions=data["regions"], specs=data.get("parts", [])
        )
        self._show(proposal=proposal)
        return proposal.id

    # a fill

    def on_shown_atoms(self, recipe: Recipe) -> Recipe:
        """The recipe, for the atoms that are shown."""
        return (
            recipe
            if self.pursuit is None
            else replace(recipe, atomizer=self.pursuit.name, atoms=len(self.pursuit.atoms))
        )

    def task_of(self, recipe: Recipe) -> tuple[Task, Residual | None]:
        """What a recipe fills in: of this sound, or of the sound of the matching-pursuit atoms that remain, and which those are."""
        if recipe.atomizer == "mdct":
            return recipe.task(self.sound), None
        found = self.pursuit
        known = found is not None and (found.name, len(found.atoms)) == (
            recipe.atomizer,
            recipe.atoms,
        )
        rest = recipe.erase_atoms(self.sound, found.atoms if found is not None and known else None)
        return recipe.task(rest.sound), rest

    def begin(self, recipe: Recipe, task: Task, key: str, rest: Residual | None = None) -> None:
        """Show what is about to be filled."""
        if (
            rest is None
            and self.pursuit is None
            and task.sound.samples.shape == self.sound.samples.shape
        ):
            assert self.message.scene is not None, "there is no sound"
            scene, cells = self.message.scene, self.cells
        else:
            cells = drawing.loudest_cells(task.grid, self.space)
            added = (
                task.selection.to_dict()["regions"]
                if task.sound.samples.shape != self.sound.samples.shape
                else []
            )
            scene = self._scene(task.sound, task.grid, cells, added)
        parts = recipe.selection.to_dict().get("parts", [])
        if self.message.parts and self.message.parts.key == _key_of(parts):
            self.show_parts(
                parts, recipe.settings.seed
            )  # which atoms are taken at random follows the seed
        hidden = self.send(drawing.bits(task.mask.ravel()[cells]), "hidden.bin")
        masked = self._preview(
            task.sound if rest else task.render(task.masked(recipe.settings.seed)), "masked"
        )
        self.running = Running(
            recipe, task, key, scene, hidden, masked, time.monotonic(), rest=rest
        )
        self.seed = max(self.seed, recipe.settings.seed + 1) % 2**63
        self._result(Step(0, 1, task.erased(), np.zeros_like(task.mask)))

    def show_step(self, step: Step) -> None:
        """Show what a step of the running fill has revealed."""
        self._under_way().step = step
        self._result(step)

    def finish(self) -> Variation:
        """Keep the last step, of a finished or a stopped fill, as a variation, and show it."""
        run, live = self._under_way(), self.message.live
        step = run.step
        assert step is not None and live is not None, "nothing was filled in yet"
        task, recipe = run.task, run.recipe
        if step.number < step.total:
            recipe = replace(recipe, stop_after=step.number)
        settings = resolve(recipe.settings, task)
        filled = task.render(step.grid)
        self.made = number = self.made + 1
        kept = Kept(
            recipe, self.folder / f"{number}-filled.wav", self.folder / f"{number}-masked.wav"
        )
        masked = task.sound if run.rest else task.render(task.masked(settings.seed))
        for path, sound in ((kept.filled, filled), (kept.masked, masked)):
            write(path, replace(sound, subtype="FLOAT"))
        self.kept[number] = kept
        # a region is compared with what it was before anything was erased
        whole = task if run.rest is None else replace(recipe.task(self.sound), mask=task.mask)
        snr, lsd = judge(whole, step, filled, recipe)
        stopped = f", stopped after step {step.number} of {step.total}" if recipe.stop_after else ""
        details = [("on top of", f"the sound of {run.rest}")] if run.rest else []
        used = {v.label for v in self.message.variations}
        variation = Variation(
            **dict(live),
            id=number,
            label=next((c for c in ascii_uppercase if c not in used), "?"),
            title=title_of(recipe, settings) + stopped,
            details=details_of(recipe, settings) + details,
            heard=self._heard(task, step),
            snr_db=snr,
            lsd=lsd,
            seconds=time.monotonic() - run.began,
            sound=self._preview(filled, "filled"),
        )
        with self.saying:
            self.running = None
            self._show(
                live=None,
                variations=[*self.message.variations, variation][-limits().variations_kept :],
                current=variation.id,
            )
        for gone in set(self.kept) - {v.id for v in self.message.variations}:
            self._drop(gone)
        return variation

    def _under_way(self) -> Running:
        assert self.running is not None, "no fill is running"
        return self.running

    def abandon(self) -> None:
        """Forget the fill that is running."""
        with self.saying:
            self.running = None
            self._show(live=None)

    @property
    def shown(self) -> Recipe:
        """The recipe of the variation that is shown; one that leaves everything open where none is."""
        current = self.message.current
        return Recipe() if current is None else self.kept[current].recipe

    @property
    def shown_variation(self) -> Variation | None:
        """The one that is shown, while no fill is under way."""
        current = self.message.current
        return None if current is None or self.running is not None else self.variation(current)

    def variation(self, number: int) -> Variation:
        return next(v for v in self.message.variations if v.id == number)

    def forget(self, number: int) -> None:
        """Take a variation out of the history."""
        with self.saying:
            self._show(variations=[v for v in self.message.variations if v.id != number])
            self._drop(number)
            if self.message.current == number:
                self._show(
                    current=self.message.variations[-1].id if self.message.variations else None
                )

    def _drop(self, number: int) -> None:
        kept = self.kept.pop(number, None)
        for path in (kept.filled, kept.masked) if kept else ():
            path.unlink(missing_ok=True)

    def _heard(self, task: Task, step: Step) -> int:
        """Audible atoms that were filled in; most of what is unknown may have turned out silent."""
        reference = float(np.abs(task.grid).max(initial=0.0)) or float(
            np.abs(step.grid).max(initial=0.0)
        )
        return int(np.count_nonzero(self.space.quantise(step.grid[task.mask], reference)))

    # what is sent

    def say(self, status: str, busy: bool = False) -> Message:
        """The message that shows all of this, and a line of text; busy while a fill is running."""
        with self.saying:
            before = (
                "the original before"
                if self.before
                else self.earlier[0].title
                if self.earlier
                else None
            )
            self.message = self.message.model_copy(
                update={
                    "status": status,
                    "busy": busy,
                    "number": self.message.number + 1,
                    "before": before,
                }
            )
            return self.message

    def _show(self, **fields: object) -> None:
        """Change fields of the message, which another thread may be about to copy for what it says: a change in between would be lost."""
        with self.saying:
            for name, value in fields.items():
                setattr(self.message, name, value)

    def hand_over(self, data: bytes, name: str) -> None:
        """Give the visitor a file."""
        self._show(download=Download(id=secrets.token_hex(6), file=self.send(data, name)))

    def _scene(self, sound: Sound, grid: np.ndarray, cells: np.ndarray, added: list[dict]) -> Scene:
        again = {0: "", 1: " · filled in once"}.get(
            len(self.recipes), f" · filled in {len(self.recipes)} times"
        )
        return Scene(
            id=secrets.token_hex(6),
            sound=self.id,
            name=self.name + again,
            rate=self.space.rate,
            hop=self.space.hop,
            frames=grid.shape[1],
            floor_db=self.space.floor_db,
            loudest=float(np.abs(grid).max(initial=0.0)),
            energy=float((grid.astype(np.float64) ** 2).sum()),
            duration=sound.seconds,
            channels=sound.channels,
            sound_rate=sound.rate,
            total=drawing.audible_count(grid, self.space),
            count=len(cells),
            added=added,
            atoms=self.send(drawing.pack(grid, cells, self.space), "atoms.bin"),
        )

    def _excerpt(self) -> Excerpt | None:
        if self.long is None:
            return None
        outline = self.long.outline
        peaks = np.round(255 * np.sqrt(np.clip(outline.peaks, 0, 1))).astype(
            np.uint8
        )  # roots, so that quiet parts can be told from silence
        return Excerpt(
            peaks=self.send(peaks.tobytes(), "overview.bin"),
            duration=outline.seconds,
            longest=self.long.longest,
            start=self.long.start,
            seconds=self.sound.seconds,
        )

    def _result(self, step: Step) -> None:
        run = self._under_way()
        task = run.task
        # atoms that are still unknown are drawn where they were, as shadows
        shown = np.where(step.revealed, step.grid, task.grid)
        loudest = run.scene.loudest or float(
            np.abs(shown).max(initial=0.0)
        )  # of the sound, so that a fill dims nothing else
        cells = drawing.loudest_cells(shown, self.space, task.mask, loudest)
        states = np.where(step.revealed.ravel()[cells], drawing.FILLED, drawing.UNKNOWN)
        self.made += 1
        self._show(
            live=Result(
                number=self.made,
                scene=run.scene,
                hidden=run.hidden,
                count=len(cells),
                done=step.number,
                total=step.total,
                atoms=self.send(
                    drawing.pack(shown, cells, self.space, states, loudest), "filled.bin"
                ),
                masked=run.masked,
                key=run.key,
            )
        )

    def _preview(self, sound: Sound, name: str) -> FileData:
        """A version for the browser's player: at most stereo, a rate that it decodes, lossless 16 bit."""
        samples, rate = sound.samples, sound.rate
        if len(samples) > 2:
            samples = np.stack([samples[0::2].mean(0), samples[1::2].mean(0)])
        if not PREVIEW_RATES[0] <= rate <= PREVIEW_RATES[1]:
            samples, rate = resample(samples, rate, self.space.rate), self.space.rate
        path = self._place(f"{name}.flac")
        write(path, replace(sound, samples=samples, rate=rate, subtype="PCM_16"))
        return FileData(path=str(path), orig_name=path.name)


def _key_of(parts: list[str]) -> str:
    """The parts as the picture's own JSON has them."""
    return json.dumps(parts, separators=(",", ":"))
