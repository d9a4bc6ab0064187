"""The training loop: resumable, on a CPU, a GPU, or several under torchrun or accelerate."""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import SafetensorError
from tqdm import tqdm

from ..errors import AtomizerError
from ..io.atomic_write import reason_of
from ..io.datasets import list_clips
from ..model import AtomTransformer, ModelConfig
from ..model.inference import precision
from .data import AudioBank
from .losses import LOUD_PART, Losses
from .masking import TASKS, Batch, mask_batch

STATE = "training.pt"
LOG = "log.txt"
_SEEDS = (
    1 << 53
)  # what torch's generators take still, where every process and step has a seed of its own


@dataclass(frozen=True)
class TrainingConfig:
    """minutes   training time that the schedule is made for, over all runs, evaluation and reading not counted
    steps      steps in all; where given, the schedule is made for these and not for minutes
    batch      windows per step and process
    asked      unknown atoms per step that are decoded
    lr         peak learning rate; linear warm-up, then a cosine to nothing
    ema        decay of the averaged weights, which are what is saved
    save_minutes, evaluate_minutes   how often
    """

    minutes: float = 60.0
    steps: int | None = None
    batch: int = 4
    asked: int = 16_000
    lr: float = 1.5e-3
    warmup: int = 150
    weight_decay: float = 0.02
    ema: float = 0.999
    clip: float = 1.0
    seed: int = 0
    save_minutes: float = 3.0
    evaluate_minutes: float = 15.0

    def validate(self) -> None:
        """Raise AtomizerError for values out of range."""
        if not 0 < self.minutes < math.inf:
            raise AtomizerError(
                f"The minutes of a training are above 0 and finite, not {self.minutes:g}."
            )
        if self.steps is not None and self.steps < 1:
            raise AtomizerError(f"A training takes 1 step or more, not {self.steps}.")
        if self.batch < 1:
            raise AtomizerError(f"A step takes 1 window or more, not a batch of {self.batch}.")
        if self.asked < LOUD_PART:
            raise AtomizerError(
                f"A step asks for {LOUD_PART} unknown atoms or more, not for {self.asked}."
            )
        if not 0 < self.lr < math.inf:
            raise AtomizerError(f"The learning rate is above 0 and finite, not {self.lr:g}.")
        if self.warmup < 1:
            raise AtomizerError(f"The warm-up takes 1 step or more, not {self.warmup}.")
        if not 0 <= self.weight_decay < math.inf:
            raise AtomizerError(
                f"The weight decay is 0 or more and finite, not {self.weight_decay:g}."
            )
        if not 0 <= self.ema < 1:
            raise AtomizerError(
                f"The decay of the averaged weights lies from 0 to below 1, not at {self.ema:g}."
            )
        if not self.clip > 0:
            raise AtomizerError(f"Gradients are clipped to a norm above 0, not to {self.clip:g}.")
        if not 0 <= self.seed < _SEEDS:
            raise AtomizerError(
                f"The seed of a training is a whole number from 0 and below 2^53, not {self.seed:.6g}."
            )
        if not (self.save_minutes >= 0 and self.evaluate_minutes >= 0):
            raise AtomizerError(
                f"The minutes between two checkpoints or evaluations are 0 or more, not {self.save_minutes:g} and {self.evaluate_minutes:g}."
            )


class Trainer:
    """Everything that a run consists of; `run()` trains until the minutes are used up.

    Raises AtomizerError for a configuration out of range, a folder without recordings or one that cannot be made, and a broken state.
    """

    def __init__(
        self,
        audio: Sequence[str | Path],
        out: str,
        config: TrainingConfig = TrainingConfig(),
        model: ModelConfig = ModelConfig(),
        init: str | None = None,
        device: str | None = None,
        progress: bool = True,
    ):
        config.validate()
        self.config, self.out = config, Path(out)
        self.process, self.processes = (
            int(os.environ.get("RANK", 0)),
            int(os.environ.get("WORLD_SIZE", 1)),
        )
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if self.processes > 1:
            if self.device.type == "cuda":
                self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
                torch.cuda.set_device(self.device)
            if not dist.is_initialized():
                dist.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        self.progress = progress and self.process == 0
        torch.manual_seed(config.seed)
        self.model = (
            (AtomTransformer.from_pretrained(init) if init else AtomTransformer(model))
            .float()
            .to(self.device)
            .train()
        )
        self.average = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.optimiser = self._optimiser()
        self.step, self.spent = 0, 0.0  # steps done, seconds of training spent
        self.generator = torch.Generator().manual_seed(config.seed * 1000 + self.process)
        self.worker = ThreadPoolExecutor(1)
        self.next: Future[tuple[Batch, torch.Tensor]] | None = None
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AtomizerError(
                f"The folder {self.out.name!r} cannot be made: {reason_of(error)}."
            ) from error
        if (self.out / STATE).is_file():
            self.resume()
        clips = [clip for folder in audio for clip in list_clips(folder)]
        kept = [c for c in clips if not c.held_out] or clips
        space = self.model.config.space
        self.bank = AudioBank(kept, space, self.device, self.progress)
        held_out = [c for c in clips if c.held_out]
        self.development = (
            AudioBank(held_out, space, self.device, self.progress)
            if held_out and self.process == 0
            else None
        )
        self.losses = Losses(self.model, config.asked)
        self.parallel = (
            torch.nn.parallel.DistributedDataParallel(self.losses, find_unused_parameters=True)
            if self.processes > 1
            else self.losses
        )

    def _optimiser(self) -> torch.optim.Optimizer:
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        others = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": self.config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.config.lr, betas=(0.9, 0.98), fused=True)

    @property
    def share(self) -> float:
        """How much of the schedule is done, 0 … 1."""
        if self.config.steps is not None:
            return min(1.0, self.step / self.config.steps)
        return min(1.0, self.spent / 60 / self.config.minutes)

    def rate(self) -> float:
        """Learning rate of this step."""
        return (
            self.config.lr
            * min(1.0, (self.step + 1) / self.config.warmup)
            * (0.5 + 0.5 * math.cos(math.pi * self.share))
            + 1e-6
        )

    def _prepare(self) -> Future[tuple[Batch, torch.Tensor]]:
        """The next batch, and the generator's state before it was drawn."""

        def draw() -> tuple[Batch, torch.Tensor]:
            before = self.generator.get_state()
            windows = self.bank.draw(self.config.batch, self.generator)
            return mask_batch(windows, self.model.config.space, self.generator), before

        return self.worker.submit(draw)

    def train_step(self) -> dict[str, float]:
        """One step on one batch; returns what was measured. A gradient that is not finite is passed over."""
        batch, _ = (self.next or self._prepare()).result()
        self.next = self._prepare()  # masking runs beside the step: most of it is done by one core
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        with precision(self.model):
            loss, report = self.parallel(batch)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if torch.isfinite(norm):  # one bad batch must not ruin hours
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.average[name].lerp_(value, 1 - decay)
        self.step += 1
        return report

    def run(self) -> dict[str, dict[str, float]]:
        """Train until the schedule ends; returns the last evaluation."""
        shown: dict[str, float] = {}
        bar = tqdm(
            total=100,
            initial=round(100 * self.share),
            unit="%",
            disable=not self.progress,
            bar_format="{l_bar}{bar}| {elapsed} {postfix}",
        )
        saved = evaluated = self.spent
        while self._together(self.share) < 1:
            start = time.perf_counter()
            report = self.train_step()
            self.spent += time.perf_counter() - start
            for name, value in report.items():
                shown[name] = value if name not in shown else 0.98 * shown[name] + 0.02 * value
            if self.step % 10 == 0:
                bar.n = round(100 * self.share, 1)
                bar.set_postfix_str(
                    f"step {self.step} " + " ".join(f"{k} {v:.3f}" for k, v in shown.items())
                )
            if self.step % 50 == 0:
                self.log(
                    "train",
                    {"step": self.step, "minutes": self.spent / 60, "lr": self.rate(), **shown},
                )
            if self.spent - saved > 60 * self.config.save_minutes:
                self.save()
                saved = self.spent
            if self.spent - evaluated > 60 * self.config.evaluate_minutes:
                self.evaluate()
                evaluated = self.spent
        bar.close()
        self.save()
        return self.evaluate()

    def _together(self, share: float) -> float:
        """The same share on all processes, so that they stop at the same step."""
        if self.processes > 1:
            value = torch.tensor([share], device=self.device)
            dist.broadcast(value, 0)
            return float(value)
        return share

    # ------------------------------------------------------------------ evaluation

    @torch.no_grad()
    def evaluate(self, rounds: int = 3) -> dict[str, dict[str, float]]:
        """Losses per task on recordings of held-out sources, with the averaged weights; the same windows every time."""
        if self.development is None:
            return {}
        with (
            self.averaged(),
            torch.random.fork_rng(),
        ):  # what training draws next does not depend on when it was evaluated
            torch.manual_seed(1)
            table = self._tasks(rounds)
        for task, row in table.items():
            self.log("held-out " + task, {"step": self.step, **row})
        return table

    def _tasks(self, rounds: int) -> dict[str, dict[str, float]]:
        assert self.development is not None, "there are no held-out recordings"
        table = {}
        for task in TASKS:
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
                for name, value in report.items():
                    sums[name].append(value)
            table[task] = {k: sum(v) / len(v) for k, v in sums.items()}
        return table

    @contextmanager
    def averaged(self):
        """The model with its averaged weights, for evaluation; yields the live ones, which return afterwards."""
        live = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        self.model.eval()
        try:
            yield live
        finally:
            self.model.load_state_dict(live)
            self.model.train()

    def log(self, title: str, values: dict[str, float]) -> None:
        if self.process == 0:
            line = " ".join(f"{k} {v:.5g}" for k, v in values.items())
            with open(self.out / LOG, "a", encoding="utf-8") as file:
                file.write(f"{title}: {line}\n")

    # ------------------------------------------------------------------ files

    def save(self) -> None:
        """Write the averaged model, and the state from which training resumes; each file replaces the former at once.

        Raises AtomizerError where they cannot be written; what was saved before is then left as it was.
        """
        if self.process:
            return
        try:
            self._write()
        except (
            OSError,
            RuntimeError,
            SafetensorError,
        ) as error:  # torch's writer hides the system's error in a RuntimeError
            raise AtomizerError(
                f"The checkpoint of step {self.step} cannot be written to {self.out.name!r} ({reason_of(error)[:100]}): the one before "
                "is kept, so make room and start the same command again."
            ) from error

    def _write(self) -> None:
        with (
            self.averaged() as live,
            tempfile.TemporaryDirectory(prefix=".saving-", dir=self.out) as folder,
        ):
            self.model.save_pretrained(folder)
            for path in Path(folder).iterdir():
                if (
                    path.suffix != ".md" or not (self.out / path.name).exists()
                ):  # somebody may have written a better card
                    path.replace(self.out / path.name)
        state = {
            "model": live,
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "spent": self.spent,
            "generator": self.next.result()[1] if self.next else self.generator.get_state(),
            "random": torch.get_rng_state(),
            "config": asdict(self.config),
            "model_config": self.model.config.to_dict(),
        }
        partial = self.out / (STATE + ".part")
        try:
            torch.save(state, partial)
            partial.replace(self.out / STATE)
        finally:
            partial.unlink(missing_ok=True)

    def resume(self) -> None:
        """Go on from the state in the output folder, whose model it takes. Raises AtomizerError where that cannot be read."""
        try:
            state = torch.load(self.out / STATE, map_location="cpu", weights_only=True)
            self._take(state)
        except Exception as error:
            raise AtomizerError(
                f"The training state {STATE!r} in {self.out.name!r} is broken: take it away to begin anew, "
                "with --init to begin from the model beside it."
            ) from error
        if self.process == 0:
            self._clear_up()

    def _take(self, state: dict) -> None:
        if ModelConfig.from_dict(state["model_config"]) != self.model.config:
            self.model = (
                AtomTransformer(ModelConfig.from_dict(state["model_config"]))
                .to(self.device)
                .train()
            )
            self.optimiser = self._optimiser()
        self.model.load_state_dict(state["model"])
        self.average = {k: v.to(self.device) for k, v in state["average"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.spent = state["step"], state["spent"]
        if self.process == 0:
            self.generator.set_state(state["generator"])
            torch.set_rng_state(state["random"])
        else:
            self.generator.manual_seed(self.config.seed * 1000 + self.process + 7919 * self.step)

    def _clear_up(self) -> None:
        """Remove what a process that was killed while it saved has left, and the log of steps after the last save: they are done again."""
        for leftover in (self.out / (STATE + ".part"), *self.out.glob(".saving-*")):
            shutil.rmtree(leftover, ignore_errors=True) if leftover.is_dir() else leftover.unlink(
                missing_ok=True
            )
        path = self.out / LOG
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text(
                "".join(
                    x
                    for x in lines
                    if not (at := re.search(r": step (\d+)", x)) or int(at[1]) <= self.step
                ),
                encoding="utf-8",
            )


def train(audio: Sequence[str | Path], out: str, **options) -> dict[str, dict[str, float]]:
    """Train, or go on training, a model on folders of recordings; `options` are fields of TrainingConfig and arguments of Trainer."""
    fields = {k: options.pop(k) for k in list(options) if k in TrainingConfig.__dataclass_fields__}
    try:
        trainer = Trainer(audio, out, replace(TrainingConfig(), **fields), **options)
    except FileNotFoundError as error:
        raise AtomizerError(f"{error.filename!r} is missing.") from error
    try:
        return trainer.run()
    finally:
        if trainer.processes > 1:
            dist.destroy_process_group()
