"""Training steps, beside the machine's rate of plain matrix products."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..io.resources import ASSETS
from .machine import operations, square_product, synchronise
from .records import Record
from .timing import time_runs, with_peers

WARM, STEPS = 3, 24  # steps before the measurement, and measured steps
COUNTED = 6  # steps whose operations are counted: tasks differ in cost


def training() -> Iterator[Record]:
    """Atoms per second: unknown atoms that are decoded and enter the loss.

    The peer is the same number of operations at the rate of one large matrix product.
    """
    from ..training.loop import Trainer

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer([ASSETS], str(Path(folder) / "run"), progress=False)
        targets = trainer.config.targets
        product, size = square_product(trainer.model)

        def step():
            trainer.train_step()
            synchronise(trainer.model)

        found = time_runs({"step": step, "product": product}, STEPS, WARM)
        counted = sum(operations(step) for _ in range(COUNTED)) / COUNTED
        if trainer.next:
            trainer.next.result()
    peak = size / statistics.median(found["product"])
    yield from with_peers(
        "training_atoms_per_s",
        targets / statistics.mean(found["step"]),
        "atoms per s",
        {f"matrix products at {peak / 1e9:.0f} GFLOP/s": targets * peak / counted},
        higher_is_better=True,
    )


BENCHMARKS = {"training_atoms_per_s": training}
