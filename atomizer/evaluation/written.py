"""Sounds of methods as files: written by one run, read as a method of their own by another.

So that what another version of the program made, or another program, is measured and drawn beside
the methods of this one.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..analysis import MDCTAtomizer
from ..errors import AtomizerError
from ..io.audio import Sound, read, write
from .cases import Case, Estimate
from .methods import Method, MethodContext
from .tasks import KINDS

READ = "model"  # the method whose sounds are read


def folder_of(sounds: str | Path, task: str, clip: str) -> Path:
    """Folder of the sounds of a task and a clip's name in records, such as `a.wav#2`."""
    name, _, place = clip.partition("#")
    return Path(sounds) / task / (Path(name).stem + (f"#{place}" if place else ""))


def write_sounds(folder: Path, case: Case, estimates: dict[str, Estimate]) -> None:
    """Write WAV files of the original, of the masked sound, and of every estimate."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = case.task.sound
    signals = {"original": case.original, "masked": case.masked}
    signals |= {name: estimate.samples for name, estimate in estimates.items()}
    for name, samples in signals.items():
        path = folder / f"{name}.wav"
        if name in estimates or not path.is_file():
            write(path, Sound(samples, sound.rate, "PCM_16"))


def method_of(name: str, sounds: str | Path) -> Method:
    """A method whose results are the sounds TASK/CLIP/model.wav of a folder.

    Raises AtomizerError without that folder, and so do its runs where there is no such file, or
    one of another shape or rate.
    """
    if not Path(sounds).is_dir():
        raise AtomizerError(f"There is no folder {str(sounds)!r} of sounds to compare with.")
    return Method(name, partial(_read_written, Path(sounds)), KINDS)


def _read_written(sounds: Path, case: Case, context: MethodContext) -> Estimate:
    path = folder_of(sounds, case.evaluation.name, context.clip) / f"{READ}.wav"
    if not path.is_file():
        raise AtomizerError(
            f"There is no {'/'.join(path.parts[-3:])!r} in {sounds.name!r} to compare with: write "
            "it with the same tasks, clips and places."
        )
    sound, own = read(path), case.task.sound
    if sound.rate != own.rate or sound.samples.shape != own.samples.shape:
        raise AtomizerError(
            f"{'/'.join(path.parts[-3:])!r} in {sounds.name!r} is of another length, rate or "
            "number of channels than the clip."
        )
    return Estimate(sound.samples, MDCTAtomizer(case.task.space).grid(sound.samples))
