"""A leg: training on a machine that is there for some minutes only, by the clock.

Everything counts: reading the recordings, two evaluations, training and writing. What another leg
needs lies in small files in the folder `export`, from the first checkpoint on.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import AtomizerError
from ..io.atomic_write import atomic_write
from ..io.audio_parts import unpack
from ..model import ModelConfig
from .config import TrainingConfig
from .loop import Table, Trainer
from .regions import TASKS
from .run_files import LOG

RECORD = "leg.json"  # of the exported files
ROUNDS = {"cpu": 1}  # of each evaluation, four windows per task each, where it takes a minute
MOST_ROUNDS = 3  # elsewhere
MOST_EVALUATION = 0.4  # of what is left of a leg: where evaluations take more, there are none
COSTLIER = 3.0  # the mean cost of a task, compared with the first one, which has few priors
# Seconds that are kept for the last evaluation and checkpoint: these, and the first evaluation's
# time by a factor, because the device warms up in it
SPARE_SECONDS, SPARE_FACTOR = 5.0, 1.2
UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class LegOptions:
    """Limits of a leg.

    seconds  from `start` to the end of the process
    start    `time.perf_counter()` at the start of the process
    spans    whether the schedule spans what is left of the leg, or the configured time or steps
    export   folder for the checkpoint, the log and the record; None: they stay in the run's folder
    resume   folder that a former leg exported, whose schedule goes on
    """

    seconds: float
    start: float
    spans: bool = True
    export: Path | None = None
    resume: Path | None = None


def seconds_of(text: str) -> float:
    """Seconds of a duration such as "9m", "540s" or "540".

    Raises AtomizerError for other text.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not found or not float(found[1]):
        raise AtomizerError(f"The leg {text!r} is no duration: give one such as 9m or 540s.")
    return float(found[1]) * UNITS[found[2] or "s"]


class Leg(Trainer):
    """A training run that ends by the clock and exports its checkpoints.

    Parameters
    ----------
    options
        Limits of the leg.
    audio, out, config, model, others
        As of `Trainer`; `audio` may be parts of a training set (`audio_parts.pack`).

    Raises
    ------
    AtomizerError
        As `Trainer`, and if the leg is over before a step was done.
    """

    def __init__(
        self,
        options: LegOptions,
        audio: Sequence[str | Path],
        out: str | Path,
        config: TrainingConfig,
        model: ModelConfig,
        **others: Any,
    ):
        self.options = options
        self.before: Table = {}
        if options.resume and not others.get("init"):
            others["init"] = str(options.resume)
        parts = [Path(a) for a in audio]
        folders = [unpack(p, Path(out) / "audio") if p.suffix == ".tar" else p for p in parts]
        super().__init__(folders, out, config, model, **others)
        if options.resume and not self.step:
            self._go_on(options.resume)
        self.first = (self.step, self.spent)

    def _go_on(self, folder: Path) -> None:
        """Take the step and the time of training of an exported leg; its weights are loaded."""
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            self.step, self.spent = int(record["step"]), 60 * float(record["minutes"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AtomizerError(
                f"{folder.name!r} holds no {RECORD} of a leg: give the folder that one exported."
            ) from error

    def run(self) -> Table:
        """Evaluate, train until the clock says so, save and evaluate; returns losses by task."""
        ends_at = self.options.start + self.options.seconds
        begin = time.perf_counter()
        self.rounds = ROUNDS.get(self.device.type, MOST_ROUNDS)
        self.evaluate(1, list(TASKS)[:1])
        one_task = time.perf_counter() - begin
        evaluations = 2 * COSTLIER * one_task * len(TASKS) * self.rounds
        if evaluations > MOST_EVALUATION * (ends_at - begin):
            self.development = None  # none at all: training is what the leg is for
        begin = time.perf_counter()
        self.before = self.evaluate()
        now = time.perf_counter()
        reserve = SPARE_SECONDS + SPARE_FACTOR * (now - begin)
        self.stops_at = ends_at - reserve
        left = self.stops_at - now
        if left <= 0:
            raise AtomizerError(
                f"This leg of {self.options.seconds:g} s is over before training starts: reading "
                f"and evaluating take {now - self.options.start + reserve:.0f} s."
            )
        if self.options.spans:
            self.config = replace(self.config, minutes=(left + self.spent) / 60)
        after = super().run()
        self._export(after)
        return after

    def save(self) -> None:
        """Write the checkpoint and the state, and export them."""
        super().save()
        self._export({})

    def _export(self, after: Table) -> None:
        """Copy the checkpoint and the log to the folder for them, and write the record."""
        folder = self.options.export or self.out
        if self.process:
            return
        steps, seconds = self.step - self.first[0], self.spent - self.first[1]
        record = {
            "step": self.step,
            "minutes": self.spent / 60,
            "schedule_minutes": self.config.minutes,
            "schedule_steps": self.config.steps,
            "device": str(self.device),
            "windows_per_s": steps * self.config.batch * self.processes / max(seconds, 1e-9),
            **self.data(),
            "before": self.before,
            "after": after,
        }
        folder.mkdir(parents=True, exist_ok=True)
        if folder != self.out:
            for path in (*self.out.glob("model*"), self.out / "config.json", self.out / LOG):
                if path.is_file():
                    shutil.copyfile(path, folder / path.name)
        text = json.dumps(record, indent=1) + "\n"
        atomic_write(folder / RECORD, text.encode(), "The record of the leg")
