"""Kill a training run repeatedly, resume it, and compare it with an uninterrupted one.

    python -m tests.faults.killed_training --kills 40 --steps 60

Every run is a separate process that saves after every step and is killed (SIGKILL) at a random
moment: in a step, while it saves, or while it starts. The last one is not killed. Weights,
averages, optimiser and both generators must then be equal to the bit.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch

from atomizer.model.checkpoint import TRAINING
from atomizer.training.config import TrainingConfig
from atomizer.training.loop import Trainer
from atomizer.training.run_files import LOG, STATE
from tests.tiny import TINY


def make_recordings(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for n in range(3):
        soundfile.write(
            folder / f"{n}.wav",
            rng.uniform(-0.3, 0.3, (12_000, 2)) * np.linspace(0, 1, 12_000)[:, None],
            8000,
            "FLOAT",
        )


def run(audio: Path, out: Path, steps: int, pipe: int) -> None:
    """Train in a forked process, and write a byte to `pipe` before every step."""
    trainer = Trainer(
        [audio],
        str(out),
        TrainingConfig(
            steps=steps, batch=2, targets=100, warmup=2, save_minutes=0, evaluate_minutes=1e9
        ),
        TINY,
        device="cpu",
        progress=False,
    )
    step = trainer.train_step

    def counted() -> dict[str, float]:
        os.write(pipe, b".")
        report = step()
        trainer.log("done", {"step": trainer.step})
        return report

    trainer.train_step = counted
    trainer.run()


def forked(audio: Path, out: Path, steps: int) -> tuple[int, int]:
    """(process, pipe) of a run; forked, because importing takes longer than training."""
    readable, writable = os.pipe()
    if process := os.fork():
        os.close(writable)
        return process, readable
    try:
        os.close(readable)
        run(audio, out, steps, writable)
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)


def killed(audio: Path, out: Path, steps: int, rng: random.Random) -> bool:
    """Start a run, and kill it after a few steps; False if it finished before."""
    process, pipe = forked(audio, out, steps)
    wanted, seen, delay = rng.randrange(5), 0, rng.uniform(0, 0.05)
    while seen < wanted:
        select.select([pipe], [], [])
        if not os.read(pipe, 1):
            break
        seen += 1
    time.sleep(delay)
    os.kill(process, signal.SIGKILL)
    os.close(pipe)
    _, status = os.waitpid(process, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "a resumed run failed"
        return False
    return True


def same(a: object, b: object) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        audio, whole, parts = (Path(folder) / name for name in ("audio", "whole", "parts"))
        audio.mkdir()
        make_recordings(audio)
        kills, ended = 0, False
        while kills < options.kills and not ended:
            ended = not killed(audio, parts, options.steps, rng)
            kills += not ended
        for out in (parts, whole):
            process, _ = forked(audio, out, options.steps)
            assert os.waitpid(process, 0)[1] == 0, "the last run failed"
        states = [torch.load(out / STATE, weights_only=True) for out in (whole, parts)]
        for state in states:
            state.pop("spent")
        logged = [int(n) for n in re.findall(r"done: step (\d+)", (parts / LOG).read_text())]
        left = sorted(path.name for path in parts.iterdir())
        apart = [key for key in states[0] if not same(states[0][key], states[1].get(key))]
        print(
            f"killed {kills} times, then finished: step {states[1]['step']} of {options.steps}, "
            f"state {'differs in ' + ', '.join(apart) if apart else 'equal'}, "
            f"{len(logged)} steps logged, files {', '.join(left)}"
        )
        fine = (
            same(*states)
            and logged == list(range(1, options.steps + 1))
            and left
            == sorted(["README.md", "config.json", "model.safetensors", TRAINING, LOG, STATE])
        )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
