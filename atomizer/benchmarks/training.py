"""Steps of training, beside what the machine's plain matrix products would allow."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..io.resources import ASSETS
from .machine import operations, square_product, wait
from .records import Record
from .timing import beside, timed

WARM, STEPS, COUNTED = (
    3,
    24,
    6,
)  # steps that do not count, that are timed, and whose operations are counted: tasks differ in what they cost


def training() -> Iterator[Record]:
    """Atoms per second that are learnt from: unknown ones that are decoded and judged. The peer is what as many operations of matrix
    products and attention would take if all of them ran as fast as one large plain product."""
    from ..training.loop import Trainer

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer([ASSETS], str(Path(folder) / "run"), progress=False)
        asked = trainer.config.asked
        product, size = square_product(trainer.model)

        def step():
            trainer.train_step()
            wait(trainer.model)

        found = timed({"step": step, "product": product}, STEPS, WARM)
        counted = sum(operations(step) for _ in range(COUNTED)) / COUNTED
        if trainer.next:
            trainer.next.result()
    peak = size / statistics.median(found["product"])
    yield from beside(
        "training_atoms_per_s",
        asked / statistics.mean(found["step"]),
        "atoms per s",
        {f"matrix products at {peak / 1e9:.0f} GFLOP/s": asked * peak / counted},
        more=True,
    )


MEASURES = {"training_atoms_per_s": training}
