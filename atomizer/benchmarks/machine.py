"""The machine of a benchmark: its description, and its rate of matrix products."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .timing import Work, medians

if TYPE_CHECKING:
    from ..model import AtomTransformer

PACKAGES = ("numpy", "scipy", "torch", "gradio")
SIZES = {"cpu": 2048, "cuda": 8192}  # of the square matrices


def describe() -> str:
    """Processor, available cores, load, and versions of the numerical packages."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [
        f"{processor()}, {cores} cores, {torch.get_num_threads()} threads of torch, "
        f"{torch.backends.cpu.get_cpu_capability()}"
    ]
    if torch.cuda.is_available():
        lines.append(torch.cuda.get_device_name())
    if hasattr(os, "getloadavg"):
        lines.append(f"load of the last minute, before this run: {os.getloadavg()[0]:.1f}")
    lines.append(
        f"{platform.system()}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    )
    return "\n".join(lines)


def processor() -> str:
    """Name of the processor, as far as the system reports it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def synchronise(model: AtomTransformer) -> None:
    """Wait until the device of the model is idle."""
    import torch

    if model.device.type == "cuda":
        torch.cuda.synchronize()


def square_product(model: AtomTransformer) -> tuple[Work, int]:
    """A product of square matrices on the model's device in its precision, and its operations.

    A multiplication and an addition are two operations.
    """
    import torch

    from ..model.inference import precision

    a = torch.randn((SIZES.get(model.device.type, 2048),) * 2, device=model.device)
    with precision(model):
        a = a.to((a[:1] @ a).dtype)

    def product():
        a @ a
        synchronise(model)

    return product, 2 * len(a) ** 3


def matrix_peak(model: AtomTransformer, repeats: int = 15) -> float:
    """Operations per second of `square_product`."""
    product, count = square_product(model)
    return count / medians({"product": product}, repeats)["product"]


def operations(work: Work) -> int:
    """Operations of all matrix products and attention in work(), forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()
