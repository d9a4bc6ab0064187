"""What the server remembers of one visitor: the sound, the last fill, and the files that the picture shows and plays."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..atomizers import MDCTAtomizer
from ..atoms import AtomSpace
from ..audio import Sound, resample, write
from ..fill import Step
from ..selection import Selection
from ..task import Task
from . import drawing
from .view import AtomView, Message, Parts, Result, Scene

PREVIEW_RATES = (8_000, 96_000)  # what every browser decodes


@dataclass
class Session:
    """A loaded sound and what was made of it. Handlers change it in place; a new sound is a new session."""

    view: AtomView
    sound: Sound
    name: str
    space: AtomSpace = field(default_factory=AtomSpace)
    # numbers rise from one session to the next, so that the browser can tell what is stale
    message: Message = field(default_factory=lambda: Message(number=time.time_ns() // 1_000_000 * 1000))
    task: Task | None = None
    step: Step | None = None
    drawn: np.ndarray | None = None  # the grid of the scene, and the flat indices of its drawn cells
    cells: np.ndarray | None = None
    results: int = 0  # counts what was sent of all fills, so that the picture knows a new one
    run: object = None  # the fill that may speak; None once it was stopped
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="atomizer-")))

    def __post_init__(self):
        self.grid = MDCTAtomizer(self.space).grid(self.sound.at(self.space.rate))
        self.show_sound()

    def __deepcopy__(self, memo):
        return self  # gr.State copies its first value; sounds are not worth copying

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    # the picture

    def show_sound(self) -> None:
        """Forget what was filled and show the sound as it was loaded."""
        self.task = self.step = None
        self._scene(self.sound, self.grid, [])

    def show_task(self, task: Task, key: str) -> None:
        """Show what is about to be filled."""
        self.task, self.step = task, None
        added = task.selection.to_dict()["regions"] if task.sound.samples.shape != self.sound.samples.shape else []
        scene = self.message.scene
        if added or scene is None or scene.added:
            self._scene(task.sound, task.grid, added)
        self.message.sounds = {"original": self.message.sounds["original"],
                               "masked": self._preview(task.render(task.erased()), "masked")}
        self.message.download = None
        self._result(task.erased(), np.zeros_like(task.mask), 0, 1, key)

    def show_step(self, step: Step, key: str) -> None:
        self.step = step
        self._result(step.grid, step.revealed, step.number, step.total, key)

    def show_end(self) -> None:
        """Make the sound of the last step: what a finished, or a stopped, fill leaves behind."""
        filled = self.task.render(self.step.grid)
        self.message.sounds = {**self.message.sounds, "filled": self._preview(filled, "filled")}
        path = self.folder / f"{Path(self.name).stem[:60]}-filled.wav"
        write(path, filled)
        self.message.download = self.view.file(path.read_bytes(), path.name)
        self.message.result = self.message.result.model_copy(update={"finished": True})

    def heard(self) -> int:
        """Audible atoms that were filled in; most of what is unknown may have turned out silent."""
        reference = float(np.abs(self.task.grid).max(initial=0.0)) or float(np.abs(self.step.grid).max(initial=0.0))
        return int(np.count_nonzero(self.space.quantise(self.step.grid[self.task.mask], reference)))

    def show_parts(self, parts: list[str], seed: int) -> None:
        """Mark the drawn atoms that belong to the selected parts, which only Python can rank."""
        if not parts:
            self.message.parts = None
            return
        mask = Selection.from_dict({"parts": parts}).mask(self.drawn, self.space, seed)
        bits = np.packbits(mask.ravel()[self.cells], bitorder="little").tobytes()
        self.message.parts = Parts(key=json.dumps(parts, separators=(",", ":")), bits=self.view.file(bits, "parts.bin"))

    def say(self, status: str, busy: bool = False) -> Message:
        """The message that shows all of this, and a line of text; busy while a fill is running."""
        self.message = self.message.model_copy(update={"status": status, "busy": busy, "number": self.message.number + 1})
        return self.message

    def _scene(self, sound: Sound, grid: np.ndarray, added: list[dict]) -> None:
        self.drawn, self.cells = grid, drawing.loudest_cells(grid, self.space)
        scene = Scene(
            id=secrets.token_hex(6), sound=self.id, name=self.name,
            rate=self.space.rate, hop=self.space.hop, floor_db=self.space.floor_db,
            duration=sound.seconds, channels=sound.channels, sound_rate=sound.rate,
            total=drawing.audible_count(grid, self.space), count=len(self.cells), added=added,
            atoms=self.view.file(drawing.pack(grid, self.cells, self.space), "atoms.bin"),
        )
        self.message = self.message.model_copy(update={
            "scene": scene, "result": None, "parts": None, "download": None,
            "sounds": {"original": self._preview(sound, "original")}})

    def _result(self, grid: np.ndarray, revealed: np.ndarray, done: int, total: int, key: str) -> None:
        task = self.task
        # atoms that are still unknown are drawn where they were, as shadows
        shown = np.where(task.mask & ~revealed, task.grid, grid)
        states = np.where(task.mask, np.where(revealed, drawing.FILLED, drawing.UNKNOWN), drawing.KEPT).astype(np.uint8)
        cells = drawing.loudest_cells(shown, self.space)
        loudest = float(np.abs(task.grid).max(initial=0.0))  # of the sound, so that a fill dims nothing else
        self.results += 1
        self.message.result = Result(
            number=self.results, count=len(cells), done=done, total=total,
            atoms=self.view.file(drawing.pack(shown, cells, self.space, states, loudest), "filled.bin"), finished=False, key=key)

    def _preview(self, sound: Sound, name: str):
        """A version for the browser's player: at most stereo, a rate that it decodes, lossless 16 bit."""
        samples, rate = sound.samples, sound.rate
        if len(samples) > 2:
            samples = np.stack([samples[0::2].mean(0), samples[1::2].mean(0)])
        if not PREVIEW_RATES[0] <= rate <= PREVIEW_RATES[1]:
            samples, rate = resample(samples, rate, self.space.rate), self.space.rate
        path = self.folder / f"{name}.flac"
        write(path, replace(sound, samples=samples, rate=rate, subtype="PCM_16"))
        return self.view.file(path.read_bytes(), path.name)
