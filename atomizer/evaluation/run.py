"""Run tasks and methods over clips: records in a JSON file that grows clip by clip and from which a run resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from .. import metrics
from ..errors import AtomizerError
from ..inpainting.settings import Settings
from ..io.audio import Sound, read, write
from ..io.datasets import Clip, list_clips
from . import methods as methods_
from . import tasks as tasks_
from .methods import METHODS, How
from .tasks import TASKS, Case, Filled

if TYPE_CHECKING:
    from ..model import AtomTransformer

SHORTEST = 2.0  # seconds of a clip that there is something to learn from
QUIETEST = 1e-4  # RMS of one
OF_THE_MODEL = (
    "checkpoint_sha256",
    "settings",
)  # conventions that only the records of methods that need the model depend on
NO_SETTING = (
    "method",
    "seed",
    "reverse",
)  # fields of Settings that are no convention, or one of their own


def excerpt(clip: Clip, seconds: float) -> Sound:
    """The middle of a clip's first two channels, at 44.1 kHz."""
    samples = read(clip.path).at(metrics.RATE)
    length = min(samples.shape[1], int(seconds * metrics.RATE))
    start = (samples.shape[1] - length) // 2
    return Sound(np.ascontiguousarray(samples[:2, start : start + length]), metrics.RATE)


def fingerprint(checkpoint: str | Path) -> str | None:
    """SHA-256 of a checkpoint's weights, all shards by name in turn; None where there are none."""
    shards = sorted(Path(checkpoint).glob("*.safetensors"))
    return (
        hashlib.sha256(b"".join(shard.read_bytes() for shard in shards)).hexdigest()
        if shards
        else None
    )


def chosen_clips(audio: str | Path, count: int, everything: bool) -> list[Clip]:
    """At most `count` clips of held-out sources (of all with `everything`), spread over the folder, which is sorted by category."""
    clips = [c for c in list_clips(audio) if everything or c.held_out]
    if not clips:
        raise AtomizerError(
            "No clip of this folder belongs to a held-out source: evaluate all of them."
        )
    return [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, count).round().astype(int))]


def evaluate(
    audio: str | Path,
    out: str | Path | None = None,
    tasks: Iterable[str] | None = None,
    methods: Iterable[str] | None = None,
    model: AtomTransformer | None = None,
    checkpoint: str | None = None,
    settings: Settings = Settings(),
    clips: int = 20,
    seconds: float = 6.0,
    everything: bool = False,
    figures: str | Path | None = None,
    listen: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Every method on every task on clips of held-out sources (of all sources with `everything`).

    out         JSON file, written after every clip; what is already there is not computed again
    checkpoint  the model's `fingerprint`
    figures     folder for a figure per task, of the first clip that it applies to
    listen      folder for WAV files: TASK/CLIP/METHOD.wav

    Returns {"conventions", "records": [{"task", "clip", "method", "metric", "value"}]}. Methods that need a model are left out without one.
    Raises AtomizerError for unknown names, and where `out` was made with other conventions.
    """
    tasks, methods = checked("task", tasks, TASKS), checked("method", methods, METHODS)
    if clips < 1 or seconds < SHORTEST:
        raise AtomizerError(
            f"An evaluation takes at least 1 clip of at least {SHORTEST:g} seconds, not {clips} of {seconds:g}."
        )
    chosen = chosen_clips(audio, clips, everything)
    methods = [
        m for m in methods if METHODS[m].available() and (model is not None or not METHODS[m].model)
    ]
    report: dict[str, Any] = {
        "conventions": conventions(settings, seconds, checkpoint),
        "records": [],
    }
    if out is not None:
        check_folder(out)
        report["records"] = earlier_records(Path(out), report["conventions"])
    done = {(r["task"], r["clip"], r["method"]) for r in report["records"]}
    how, drawn = How(settings, model), set()
    bar = tqdm(
        total=len(chosen) * len(tasks),
        desc="evaluating",
        unit="task",
        disable=None if progress else True,
    )
    for clip in chosen:
        sound, name = excerpt(clip, seconds), clip.path.name
        heard = sound.seconds >= SHORTEST and np.sqrt((sound.samples**2).mean()) >= QUIETEST
        for task in tasks:
            bar.update()
            if not heard or not TASKS[task].applies(sound, clip.cutoff_hz):
                continue
            apply = [m for m in methods if TASKS[task].kind in METHODS[m].kinds]
            drawing = (
                Path(figures) / f"{task}.png" if figures is not None and task not in drawn else None
            )
            folder = Path(listen) / task / clip.path.stem if listen is not None else None
            todo = [
                m
                for m in apply
                if drawing
                or (task, name, m) not in done
                or (folder and not (folder / f"{m}.wav").is_file())
            ]
            if not todo:
                continue
            case = Case.of(TASKS[task], sound, clip.cutoff_hz, settings.seed)
            filled: dict[str, Filled] = {}
            values: dict[str, dict[str, float]] = {}
            for method in todo:
                bar.set_postfix_str(f"{name} {task} {method}", refresh=True)
                result = METHODS[method].run(case, how)
                if drawing or (task, name, method) not in done:
                    values[method] = case.measure(result)
                if (task, name, method) not in done:
                    report["records"] += [
                        {
                            "task": task,
                            "clip": name,
                            "method": method,
                            "metric": metric,
                            "value": round(value, 4),
                        }
                        for metric, value in values[method].items()
                    ]
                if folder:
                    write_sounds(folder, case, {method: result})
                if drawing:
                    filled[method] = result
            if drawing:
                from .figures import draw_case  # matplotlib is needed here alone

                draw_case(case, filled, values, name, drawing)
                drawn.add(task)
        if out is not None:
            partial = Path(out).with_suffix(".part")
            partial.write_text(json.dumps(report, indent=0))
            partial.replace(out)
    bar.close()
    return report


def checked(kind: str, names: Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """The names, all of them known ones; all that are known for None. Raises AtomizerError."""
    known = list(known)
    names = known if names is None else list(dict.fromkeys(names))
    for name in names:
        if name not in known:
            raise AtomizerError(
                f"There is no {kind} {str(name)[:40]!r} to evaluate: choose from {', '.join(known)}."
            )
    return names


def conventions(settings: Settings, seconds: float, checkpoint: str | None) -> dict[str, Any]:
    """All that two reports must agree in for their numbers to be comparable."""
    chosen = {k: v for k, v in asdict(settings).items() if k not in NO_SETTING}
    return {
        **metrics.CONVENTIONS,
        **tasks_.CONVENTIONS,
        **methods_.CONVENTIONS,
        "seconds": seconds,
        "seed": settings.seed,
        "settings": {k: "default" if v is None else v for k, v in chosen.items()},
        "checkpoint_sha256": checkpoint,
    }


def earlier_records(out: Path, conventions: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of an earlier run that still hold, none where there was none: those of another model, or of other settings of it, do not.

    Raises AtomizerError where it was made with other conventions.
    """
    if not out.is_file():
        return []
    try:
        earlier = json.loads(out.read_text(encoding="utf-8"))
        theirs, records = earlier["conventions"], earlier["records"]
        [(r["task"], r["clip"], r["method"], r["metric"], float(r["value"])) for r in records]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AtomizerError(
            f"{out.name!r} is no report of an evaluation: give a new name, or remove it."
        ) from error
    other = [
        key
        for key in dict.fromkeys([*conventions, *theirs])
        if conventions.get(key) != theirs.get(key)
    ]
    if other and set(other) <= set(OF_THE_MODEL):  # what the baselines gave holds for every model
        return [r for r in records if r["method"] in METHODS and not METHODS[r["method"]].model]
    for key in other:
        if key not in OF_THE_MODEL:
            raise AtomizerError(
                f"{out.name!r} was made with other conventions ({key} was {_short(theirs.get(key))}, not {_short(conventions.get(key))}): "
                "give another name, or the same options."
            )
    return records


def _short(value: Any) -> str:
    return str(value).replace(". ", " ")[:60]


def check_folder(out: str | Path) -> None:
    """Fail before the work where its result cannot be written after it."""
    if not Path(out).resolve().parent.is_dir():
        raise AtomizerError(
            f"There is no folder {str(Path(out).parent)!r} to write {Path(out).name!r} into."
        )


def write_sounds(folder: Path, case: Case, filled: dict[str, Filled]) -> None:
    """WAV files of the original, of what is left of it, and of every method."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = case.task.sound
    for name, samples in {
        "original": sound.samples,
        "masked": case.masked,
        **{m: f.samples for m, f in filled.items()},
    }.items():
        path = folder / f"{name}.wav"
        if name not in ("original", "masked") or not path.is_file():
            write(path, Sound(samples, sound.rate, "PCM_16"))
