"""The training loop: resumable, on a CPU, a GPU, or several under torchrun or accelerate."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
import torch.distributed as dist
from safetensors import SafetensorError
from tqdm import tqdm

from ..errors import AtomizerError
from ..io.atomic_write import reason_of
from ..io.audio_parts import RESERVED, is_reserved
from ..io.datasets import Clip, list_clips
from ..model import AtomTransformer, ModelConfig
from ..model.checkpoint import training_of
from ..model.inference import precision
from . import run_files
from .config import TrainingConfig
from .data import AudioBank
from .losses import Losses, Report, plain
from .masking import Batch, mask_batch
from .optimisers import make_optimisers
from .regions import TASKS
from .run_files import STATE

READ = 10  # steps after which the measurements are read back from the device

Weights = dict[str, torch.Tensor]
Table = dict[str, dict[str, float]]  # losses by task


class TrainerOptions(TypedDict, total=False):
    """Further arguments of a `Trainer`.

    init      checkpoint to start from
    device    name of a torch device; by default a GPU if there is one
    progress  whether progress bars are shown
    command   that began the run, for the record beside its checkpoints
    """

    init: str | None
    device: str | None
    progress: bool
    command: str


class Trainer:
    """One training run: recordings, model, optimiser and schedule.

    `run()` trains until the end of the schedule, and resumes from the state in the folder.

    Parameters
    ----------
    audio
        Folders of recordings, each with a manifest.csv if there is one.
    out
        Folder for the checkpoint, the log and the state.
    config
        Configuration of the run.
    model
        Configuration of a new model; `statistics` counts for a checkpoint to start from, too.
    options
        See `TrainerOptions`.

    Raises
    ------
    AtomizerError
        For values out of range, a folder without recordings, one that cannot be made, and a broken
        state.
    """

    rounds = 3  # of an evaluation: batches per task

    def __init__(
        self,
        audio: Sequence[str | Path],
        out: str | Path,
        config: TrainingConfig = TrainingConfig(),
        model: ModelConfig = ModelConfig(),
        **options: Unpack[TrainerOptions],
    ):
        config.validate()
        init, device, progress, self.command = _options(**options)
        self.earlier = training_of(init) if init else {}  # runs that the weights come from
        self.config, self.out = config, Path(out)
        self.process = int(os.environ.get("RANK", 0))
        self.processes = int(os.environ.get("WORLD_SIZE", 1))
        self.device = self._start_processes(
            torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        )
        self.progress = progress and self.process == 0
        torch.manual_seed(config.seed)
        start, self.new_weights = _begin(init, model, config.add_layers)
        self.model = start.float().to(self.device).train()
        torch.manual_seed(config.seed)  # targets do not depend on how many weights were drawn
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimisers = make_optimisers(self.model, self.new_weights, self.config)
        self.step, self.spent = 0, 0.0  # steps done, seconds of training spent
        self.stops_at = math.inf  # time.perf_counter() at which training stops in any case
        self.step_seconds = 0.0  # of the slowest of the last steps
        self.generator = torch.Generator().manual_seed(config.seed * 1000 + self.process)
        self.worker = ThreadPoolExecutor(1)
        self.beside = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None
        self.next: Future[tuple[Batch, torch.Tensor]] | None = None
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AtomizerError(
                f"The folder {self.out.name!r} cannot be made: {reason_of(error)}."
            ) from error
        if (self.out / STATE).is_file():
            self.resume()
        self.bank, self.development = self._load_audio(audio)
        self.losses = Losses(self.model, config.targets)
        self.parallel = (
            torch.nn.parallel.DistributedDataParallel(self.losses, find_unused_parameters=True)
            if self.processes > 1
            else self.losses
        )

    def _start_processes(self, device: torch.device) -> torch.device:
        """Join the other processes, if there are any; returns the device of this one."""
        if self.processes == 1:
            return device
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return device

    def _load_audio(self, folders: Sequence[str | Path]) -> tuple[AudioBank, AudioBank | None]:
        """Load recordings for training, and those of held-out sources for the first process."""
        clips = [c for folder in folders for c in list_clips(folder) if not is_reserved(c)]
        if not clips:
            raise AtomizerError(
                "All recordings are of sources that are reserved for evaluation "
                f"({', '.join(RESERVED)}): give others."
            )
        held_out = [c for c in clips if c.held_out]
        bank = self._bank([c for c in clips if not c.held_out] or clips)
        if not held_out or self.process != 0:
            return bank, None
        return bank, self._bank(held_out)

    def _bank(self, clips: list[Clip]) -> AudioBank:
        config = self.model.config
        return AudioBank(
            clips,
            config.space,
            self.device,
            self.progress,
            has_surroundings=config.statistics > 0,
            has_power=self.config.power_target,
        )

    @property
    def share(self) -> float:
        """Share of the schedule that is done, 0 to 1."""
        if self.config.steps is not None:
            return min(1.0, self.step / self.config.steps)
        return min(1.0, self.spent / 60 / self.config.minutes)

    @property
    def is_over(self) -> bool:
        """Whether the schedule is done, or the time is up before another step is."""
        return self.share >= 1 or time.perf_counter() + self.step_seconds >= self.stops_at

    def rate(self) -> float:
        """Learning rate of this step."""
        warmup = min(1.0, (self.step + 1) / self.config.warmup)
        return self.config.lr * warmup * (0.5 + 0.5 * math.cos(math.pi * self.share)) + 1e-6

    def _prepare(self) -> Future[tuple[Batch, torch.Tensor]]:
        """Draw the next batch beside the step, with the generator's state before it."""

        def draw() -> tuple[Batch, torch.Tensor]:
            before = self.generator.get_state()
            with torch.cuda.stream(self.beside):  # nothing on a CPU
                windows = self.bank.draw(self.config.batch, self.generator)
                batch = mask_batch(windows, self.model.config.space, self.generator)
                batch.ready = self.beside.record_event() if self.beside else None
            return batch, before

        return self.worker.submit(draw)

    def train_step(self) -> Report:
        """Train on one batch and return measurements; a non-finite gradient is skipped.

        Nothing is read back from the device, which may lag behind.
        """
        batch, _ = (self.next or self._prepare()).result()
        batch.arrive()
        self.next = self._prepare()  # masking runs during the step, mostly on one core
        for group in self.optimisers.param_groups:
            group["lr"] = self.rate() * group.get("share", 1.0)  # none in older states
        with precision(self.model):
            loss, report = self.parallel(batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimisers.step((~torch.isfinite(norm)).float())
        self.optimisers.zero_grad()
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            weights = self.model.state_dict()
            torch._foreach_lerp_([self.average[k] for k in weights], [*weights.values()], 1 - decay)
        self.step += 1
        return report

    def run(self) -> Table:
        """Train until the schedule ends; returns the last evaluation, losses by task."""
        shown: dict[str, float] = {}  # moving averages
        reports: list[Report] = []  # of the last steps
        bar = tqdm(
            total=100,
            initial=round(100 * self.share),
            unit="%",
            disable=not self.progress,
            bar_format="{l_bar}{bar}| {elapsed} {postfix}",
        )
        saved = evaluated = self.spent
        while not self._together(self.is_over):
            start = time.perf_counter()
            reports.append(self.train_step())
            took = time.perf_counter() - start
            self.spent += took
            self.step_seconds = max(took, 0.95 * self.step_seconds)
            if self.step % READ == 0:
                for name, value in (pair for r in reports for pair in plain(r).items()):
                    shown[name] = value if name not in shown else 0.98 * shown[name] + 0.02 * value
                reports.clear()
                bar.n = round(100 * self.share, 1)
                measured = " ".join(f"{k} {v:.3f}" for k, v in shown.items())
                bar.set_postfix_str(f"step {self.step} {measured}")
            if self.step % 50 == 0:
                progress = {"step": self.step, "minutes": self.spent / 60, "lr": self.rate()}
                self.log("train", {**progress, **shown})
            if self.spent - saved > 60 * self.config.save_minutes:
                self.save()
                saved = self.spent
            if self.spent - evaluated > 60 * self.config.evaluate_minutes:
                self.evaluate()
                evaluated = self.spent
        bar.close()
        self.save()
        return self.evaluate()

    def _together(self, is_over: bool) -> bool:
        """Return what the first process says, so that all processes stop at the same step."""
        if self.processes > 1:
            value = torch.tensor([float(is_over)], device=self.device)
            dist.broadcast(value, 0)
            return bool(value)
        return is_over

    # ------------------------------------------------------------------ evaluation

    @torch.no_grad()
    def evaluate(self, rounds: int | None = None, tasks: Iterable[str] | None = None) -> Table:
        """Measure the losses by task on held-out sources, with the averaged weights.

        The windows are the same every time: `rounds` batches of four, by default `self.rounds`, of
        all tasks or of some.
        """
        if self.development is None:
            return {}
        with self.averaged(), torch.random.fork_rng():  # evaluation does not advance training's RNG
            torch.manual_seed(1)
            table = self._tasks(
                self.rounds if rounds is None else rounds, TASKS if tasks is None else tasks
            )
        for task, row in table.items():
            self.log("held-out " + task, {"step": self.step, **row})
        return table

    def _tasks(self, rounds: int, tasks: Iterable[str]) -> Table:
        assert self.development is not None
        table = {}
        for task in tasks:
            sums = defaultdict(list)
            generator = torch.Generator().manual_seed(1)
            for n in range(rounds):
                batch = mask_batch(
                    self.development.draw(4, generator, augment=False),
                    self.model.config.space,
                    generator,
                    task=task,
                    reveal=(0.0, 0.5, 0.0)[n % 3],
                )
                with precision(self.model):
                    _, report = self.losses(batch, generator)
                for name, value in plain(report).items():
                    sums[name].append(value)
            table[task] = {k: sum(v) / len(v) for k, v in sums.items()}
        return table

    @contextmanager
    def averaged(self) -> Iterator[Weights]:
        """Give the model its averaged weights for a while; yields the current ones."""
        live = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        self.model.eval()
        try:
            yield live
        finally:
            self.model.load_state_dict(live)
            self.model.train()

    def log(self, title: str, values: dict[str, float]) -> None:
        """Append a line to the log."""
        if self.process == 0:
            run_files.append_to_log(self.out, title, values)

    # ------------------------------------------------------------------ files

    def save(self) -> None:
        """Write the averaged model and the state from which training resumes.

        Each file replaces the former atomically. Raises AtomizerError if one cannot be written; the
        former checkpoint is then kept.
        """
        if self.process:
            return
        try:
            self._write()
        except (OSError, RuntimeError, SafetensorError) as error:
            # torch's writer hides the system's error in a RuntimeError
            raise AtomizerError(
                f"The checkpoint of step {self.step} cannot be written to {self.out.name!r} "
                f"({reason_of(error)[:100]}): the one before is kept, so make room and start the "
                "same command again."
            ) from error

    def _write(self) -> None:
        with self.averaged() as live:
            run_files.write_model(self.model, self.record(), self.out)
        state = {
            "model": live,
            "average": self.average,
            "optimiser": self.optimisers.state_dict(),
            "step": self.step,
            "spent": self.spent,
            "generator": self.next.result()[1] if self.next else self.generator.get_state(),
            "random": torch.get_rng_state(),
            "new_weights": sorted(self.new_weights),
            "config": asdict(self.config),
            "model_config": self.model.config.to_dict(),
        }
        run_files.write_state(state, self.out)

    def record(self) -> dict[str, Any]:
        """How the weights were trained, with the runs that they come from."""
        return {
            "steps": self.earlier.get("steps", 0) + self.step,
            "minutes": self.earlier.get("minutes", 0.0) + self.spent / 60,
            **self.data(),
            "commands": [*self.earlier.get("commands", []), self.command],
        }

    def data(self) -> dict[str, Any]:
        """Number and length of the recordings that are trained on, and of their sources."""
        return {
            "hours": float(self.bank.lengths.sum()) / self.model.config.space.rate / 3600,
            "recordings": len(self.bank.clips),
            "sources": len({clip.source for clip in self.bank.clips}),
        }

    def resume(self) -> None:
        """Resume from the state in the output folder, with its model.

        Raises AtomizerError if the state cannot be read, or is one of another optimiser.
        """
        try:
            state = torch.load(self.out / STATE, map_location="cpu", weights_only=True)
            used = state["config"].get("optimiser", "adamw")  # older states do not name it
            if used == self.config.optimiser:
                self._restore(state)
        except Exception as error:
            raise AtomizerError(
                f"The training state {STATE!r} in {self.out.name!r} is broken: delete it to begin "
                "again, with --init to begin from the model beside it."
            ) from error
        if used != self.config.optimiser:
            raise AtomizerError(
                f"The training in {self.out.name!r} uses the optimiser {used!r}: go on with it, or "
                "use another folder, with --init to begin from its model."
            )
        if self.process == 0:
            run_files.clear_up(self.out, self.step)

    def _restore(self, state: dict[str, Any]) -> None:
        config = ModelConfig.from_dict(state["model_config"])
        if config != self.model.config:
            self.model = AtomTransformer(config).to(self.device).train()
        self.new_weights = set(state.get("new_weights", self.new_weights))
        self.optimisers = make_optimisers(self.model, self.new_weights, self.config)
        self.model.load_state_dict(state["model"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.optimisers.load_state_dict(state["optimiser"])
        self.step, self.spent = state["step"], state["spent"]
        if self.process == 0:
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["random"])
        else:
            self.generator.manual_seed(self.config.seed * 1000 + self.process + 7919 * self.step)


def _begin(
    init: str | None, model: ModelConfig, add_layers: int
) -> tuple[AtomTransformer, set[str]]:
    """The model to train, and the names of its weights that do not come from a checkpoint.

    Of `model`, a checkpoint takes the tokens of statistics alone.
    """
    if init is None:
        new = AtomTransformer(model)
        return new, set(new.state_dict())
    start = AtomTransformer.from_pretrained(init)
    whole = start.with_statistics(model.statistics) if model.statistics else start
    whole = whole.with_layers(add_layers)
    return whole, set(whole.state_dict()) - set(start.state_dict())


def _options(
    init: str | None = None,
    device: str | None = None,
    progress: bool = True,
    command: str = "",
) -> tuple[str | None, str | None, bool, str]:
    return init, device, progress, command


def train(
    audio: Sequence[str | Path],
    out: str,
    make: Callable[..., Trainer] = Trainer,
    **options: Any,
) -> Table:
    """Train a model on folders of recordings, or resume its training.

    `make` is `Trainer` or a function with its arguments, `options` are fields of `TrainingConfig`
    and further arguments. Returns the last evaluation: losses by task.
    """
    fields = {k: options.pop(k) for k in list(options) if k in TrainingConfig.__dataclass_fields__}
    try:
        trainer = make(audio, out, replace(TrainingConfig(), **fields), **options)
    except FileNotFoundError as error:
        raise AtomizerError(f"{error.filename!r} is missing.") from error
    try:
        return trainer.run()
    finally:
        if trainer.processes > 1:
            dist.destroy_process_group()
