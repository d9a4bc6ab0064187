"""Run methods on tasks over clips.

The records are written to a JSON file after every clip, from which a later run resumes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from .. import metrics
from ..errors import AtomizerError
from ..inpainting.settings import Settings
from ..io.audio import Sound, read
from ..io.datasets import Clip, list_clips
from . import methods as methods_
from . import scores
from .cases import Case, Estimate, EvaluationTask, HiddenPlace, NoCase
from .methods import METHODS, Method, MethodContext
from .tasks import CONVENTIONS as TASK_CONVENTIONS
from .tasks import TASKS
from .written import folder_of, method_of, write_sounds

if TYPE_CHECKING:
    from ..model import AtomTransformer

MIN_SECONDS = 2.0  # shorter clips are skipped
MIN_RMS = 1e-4  # quieter clips are skipped
NAMED = 12  # names in the error message for an unknown one
# Conventions that only affect the records of methods that need the model
MODEL_CONVENTIONS = ("checkpoint_sha256", "settings")
# Fields of Settings that are not part of the convention "settings"; the seed is one of its own
NOT_IN_CONVENTIONS = ("method", "seed", "reverse", "like", "timbre")


@dataclass(frozen=True)
class Options:
    """What to evaluate.

    tasks             names of tasks; None for all
    methods           names of methods; None for all
    settings          settings of every fill; their seed is the seed of the evaluation
    clips             largest number of clips
    seconds           longest excerpt of a clip, from its middle; tasks with long context have
                      their own
    include_training  evaluate all clips, not only those of held-out sources
    places            most places per clip; None for all of a task
    compared          folders of sounds that another version wrote, by the name of the method that
                      they become (`written.method_of`)
    """

    tasks: Iterable[str] | None = None
    methods: Iterable[str] | None = None
    settings: Settings = Settings()
    clips: int = 20
    seconds: float = 6.0
    include_training: bool = False
    places: int | None = None
    compared: Mapping[str, str | Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Outputs:
    """Where to write results; None for nowhere.

    report   JSON file, written after every clip; its records are not computed again
    figures  folder for figures per task, of the first clips that the task applies to
    sounds   folder for WAV files, TASK/CLIP/METHOD.wav
    figures_per_task  number of figures: TASK.webp, TASK-2.webp …
    """

    report: str | Path | None = None
    figures: str | Path | None = None
    sounds: str | Path | None = None
    figures_per_task: int = 1

    def figure_of(self, task: str, number: int) -> Path | None:
        """Path of a figure of a task, counted from 0; None if it has enough."""
        if self.figures is None or number >= self.figures_per_task:
            return None
        return Path(self.figures) / (f"{task}-{number + 1}.webp" if number else f"{task}.webp")

    def sounds_of(self, task: str, clip: str) -> Path | None:
        """Folder of the sounds of a task and a clip's name in records."""
        return None if self.sounds is None else folder_of(self.sounds, task, clip)

    def write_report(self, report: dict[str, Any]) -> None:
        """Replace the report atomically."""
        if self.report is not None:
            partial = Path(self.report).with_suffix(".part")
            partial.write_text(json.dumps(report, indent=0))
            partial.replace(self.report)


def excerpt(clip: Clip, seconds: float) -> Sound:
    """The middle of the first two channels of a clip, at 44.1 kHz."""
    samples = read(clip.path).at(metrics.RATE)
    length = min(samples.shape[1], int(seconds * metrics.RATE))
    start = (samples.shape[1] - length) // 2
    return Sound(np.ascontiguousarray(samples[:2, start : start + length]), metrics.RATE)


def checkpoint_hash(checkpoint: str | Path) -> str | None:
    """SHA-256 of the weights of a checkpoint, all shards sorted by name; None without weights."""
    shards = sorted(Path(checkpoint).glob("*.safetensors"))
    if not shards:
        return None
    return hashlib.sha256(b"".join(shard.read_bytes() for shard in shards)).hexdigest()


def choose_clips(audio: str | Path, count: int, include_training: bool) -> list[Clip]:
    """At most `count` clips, evenly spread over the folder, which is sorted by category.

    Only clips of held-out sources, or of all sources with `include_training`. Raises
    AtomizerError if there are none.
    """
    clips = [c for c in list_clips(audio) if include_training or c.held_out]
    if not clips:
        raise AtomizerError(
            "No clip of this folder belongs to a held-out source: evaluate all of them."
        )
    return [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, count).round().astype(int))]


def evaluate(
    audio: str | Path,
    options: Options = Options(),
    outputs: Outputs = Outputs(),
    model: AtomTransformer | None = None,
    checkpoint: str | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Run every method on every task that it applies to, over clips of a folder.

    Parameters
    ----------
    audio : str or Path
        Folder of recordings, see `io.datasets.list_clips`.
    options : Options
        What to evaluate.
    outputs : Outputs
        Where to write results.
    model : AtomTransformer, optional
        Without a model, the methods that need one are left out.
    checkpoint : str, optional
        The `checkpoint_hash` of the model.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    dict
        {"conventions", "records": [{"task", "clip", "category", "method", "metric", "value"}],
        "left_out"}; the name of a clip ends with #1, #2 … where a task has several places;
        `left_out` says in sentences which tasks and clips were left out, and why

    Raises
    ------
    AtomizerError
        For unknown names, and if `outputs.report` was made with other conventions.
    """
    names = validate_names("task", options.tasks, TASKS)
    methods = _methods_of(options, has_model=model is not None)
    if options.clips < 1 or options.seconds < MIN_SECONDS:
        raise AtomizerError(
            f"An evaluation needs at least 1 clip of at least {MIN_SECONDS:g} seconds, not "
            f"{options.clips} of {options.seconds:g}."
        )
    clips = choose_clips(audio, options.clips, options.include_training)
    missing = {name: TASKS[name].missing() for name in names}
    tasks = [TASKS[name] for name in names if not missing[name]]
    report: dict[str, Any] = {
        "conventions": conventions(options.settings, options.seconds, checkpoint),
        "records": [],
        "left_out": [f"{name}: {reason}" for name, reason in missing.items() if reason],
    }
    if outputs.report is not None:
        check_folder(outputs.report)
        report["records"] = load_records(Path(outputs.report), report["conventions"])
    bar = tqdm(
        total=len(clips) * len(tasks),
        desc="evaluating",
        unit="task",
        disable=None if progress else True,
    )
    runner = _Runner(MethodContext(options.settings, model), outputs, report, bar)
    for clip in clips:
        sounds = _Excerpts(clip, options.seconds)
        for task in tasks:
            bar.update()
            sound = sounds.of(task)
            if sound is not None and task.applies(sound, clip.cutoff_hz):
                applicable = [method for method in methods if task.kind in method.kinds]
                places = min(task.places, options.places or task.places)
                runner.run_places(task, clip, sound, places, applicable)
        outputs.write_report(report)
    bar.close()
    return report


def _methods_of(options: Options, has_model: bool) -> list[Method]:
    """Methods of an evaluation, the sounds of other versions first.

    Methods whose software, or whose model, is not there are left out. Raises AtomizerError for
    unknown names, and for sounds with the name of a method.
    """
    names = validate_names("method", options.methods, METHODS)
    for name in options.compared:
        if name in METHODS:
            raise AtomizerError(f"{name!r} is a method of its own: give another name.")
    compared = [method_of(name, sounds) for name, sounds in options.compared.items()]
    own = [METHODS[name] for name in names if METHODS[name].is_available()]
    return compared + [method for method in own if has_model or not method.needs_model]


class _Excerpts:
    """Excerpts of a clip; the one that was cut last is kept."""

    def __init__(self, clip: Clip, seconds: float):
        self.clip, self.seconds = clip, seconds
        self.cut: tuple[float, Sound] | None = None

    def of(self, task: EvaluationTask) -> Sound | None:
        """The excerpt for a task; None if the clip is too short or too quiet."""
        seconds = task.context_seconds[1] if task.context_seconds else self.seconds
        if self.cut is None or self.cut[0] != seconds:
            self.cut = seconds, excerpt(self.clip, seconds)
        sound = self.cut[1]
        usable = sound.seconds >= MIN_SECONDS and np.sqrt((sound.samples**2).mean()) >= MIN_RMS
        return sound if usable else None


@dataclass
class _Runner:
    """Runs methods on one task and one clip, and appends to the records of `report`."""

    context: MethodContext
    outputs: Outputs
    report: dict[str, Any]
    bar: tqdm
    drawn: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.done = {(r["task"], r["clip"], r["method"]) for r in self.report["records"]}

    def run_places(
        self, task: EvaluationTask, clip: Clip, sound: Sound, count: int, methods: list[Method]
    ) -> None:
        """Run methods on the first `count` places of a clip; the report is written after each."""
        for number in range(count):
            place = HiddenPlace(number, self.context.seed)
            try:
                if self.run(task, clip, sound, place, methods):
                    self.outputs.write_report(self.report)
            except NoCase as reason:
                self.report["left_out"].append(f"{task.name}, {clip.path.name}: {reason}")

    def run(
        self,
        task: EvaluationTask,
        clip: Clip,
        sound: Sound,
        place: HiddenPlace,
        methods: list[Method],
    ) -> bool:
        """Compute the records, figure and sounds that do not exist yet; whether any did not."""
        figure = self.outputs.figure_of(task.name, self.drawn[task.name])
        name = clip.path.name + (f"#{place.number + 1}" if task.places > 1 else "")
        folder = self.outputs.sounds_of(task.name, name)
        todo = [
            method
            for method in methods
            if figure
            or (task.name, name, method.name) not in self.done
            or (folder and not (folder / f"{method.name}.wav").is_file())
        ]
        if not todo:
            return False
        case = Case.from_sound(task, sound, clip.cutoff_hz, place)
        estimates: dict[str, Estimate] = {}
        values: dict[str, dict[str, float]] = {}
        context = replace(self.context, clip=name)
        for method in todo:
            self.bar.set_postfix_str(f"{name} {task.name} {method.name}", refresh=True)
            estimate = method.run(case, context)
            is_new = (task.name, name, method.name) not in self.done
            if figure or is_new:
                values[method.name] = scores.measure(case, estimate)
            if is_new:
                record = {"task": task.name, "clip": name, "category": clip.category}
                self._append({**record, "method": method.name}, values[method.name])
            if folder:
                write_sounds(folder, case, {method.name: estimate})
            if figure:
                estimates[method.name] = estimate
        if figure:
            from .figures import draw_case  # only figures need matplotlib

            draw_case(case, estimates, values, name, figure)
            self.drawn[task.name] += 1
        return True

    def _append(self, record: dict[str, Any], values: dict[str, float]) -> None:
        """Append a record per metric, its value rounded to four decimals."""
        self.report["records"] += [
            {**record, "metric": metric, "value": round(value, 4)}
            for metric, value in values.items()
        ]


def validate_names(kind: str, names: Iterable[str] | None, registry: Iterable[str]) -> list[str]:
    """The names without duplicates; all names of the registry for None.

    Raises AtomizerError for names that the registry does not have.
    """
    known = list(registry)
    chosen = known if names is None else list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            raise AtomizerError(
                f"There is no {kind} {str(name)[:40]!r} to evaluate: of {len(known)} names, the "
                f"nearest are {', '.join(get_close_matches(str(name), known, NAMED, 0))}."
            )
    return chosen


def conventions(settings: Settings, seconds: float, checkpoint: str | None) -> dict[str, Any]:
    """Everything that two reports must have in common for comparable numbers."""
    chosen = {k: v for k, v in asdict(settings).items() if k not in NOT_IN_CONVENTIONS}
    return {
        **metrics.CONVENTIONS,
        **scores.CONVENTIONS,
        **methods_.CONVENTIONS,
        **TASK_CONVENTIONS,
        "seconds": seconds,
        "seed": settings.seed,
        "settings": {k: "default" if v is None else v for k, v in chosen.items()},
        "checkpoint_sha256": checkpoint,
    }


def load_records(out: Path, conventions: dict[str, Any]) -> list[dict[str, Any]]:
    """The valid records of an earlier run; none if there is no file.

    Records of methods that need the model are dropped if the checkpoint or the settings differ.
    Raises AtomizerError for invalid files, and for other differences of the conventions.
    """
    if not out.is_file():
        return []
    try:
        report = json.loads(out.read_text(encoding="utf-8"))
        theirs, records = report["conventions"], report["records"]
        [(r["task"], r["clip"], r["method"], r["metric"], float(r["value"])) for r in records]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AtomizerError(
            f"{out.name!r} is no report of an evaluation: give a new name, or remove it."
        ) from error
    different = [
        key
        for key in dict.fromkeys([*conventions, *theirs])
        if conventions.get(key) != theirs.get(key)
    ]
    if different and set(different) <= set(MODEL_CONVENTIONS):
        return [
            r for r in records if r["method"] in METHODS and not METHODS[r["method"]].needs_model
        ]
    for key in different:
        if key not in MODEL_CONVENTIONS:
            raise AtomizerError(
                f"{out.name!r} was made with other conventions ({key} was "
                f"{_short(theirs.get(key))}, not {_short(conventions.get(key))}): "
                "give another name, or the same options."
            )
    return records


def _short(value: Any) -> str:
    """A value for an error message of one sentence."""
    return str(value).replace(". ", " ")[:60]


def check_folder(out: str | Path) -> None:
    """Raise AtomizerError before the work starts if the folder of its output does not exist."""
    if not Path(out).resolve().parent.is_dir():
        raise AtomizerError(
            f"There is no folder {str(Path(out).parent)!r} to write {Path(out).name!r} into."
        )
