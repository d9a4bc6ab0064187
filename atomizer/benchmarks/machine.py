"""What is measured on: its description, and how fast it multiplies matrices."""

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
    """The processor, how many of its cores may be used and how busy they are, and the versions of what computes."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [
        f"{processor()}, {cores} cores, {torch.get_num_threads()} threads of torch, {torch.backends.cpu.get_cpu_capability()}"
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
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def wait(model: AtomTransformer) -> None:
    """Until the model's device has done what it was told."""
    import torch

    if model.device.type == "cuda":
        torch.cuda.synchronize()


def square_product(model: AtomTransformer) -> tuple[Work, int]:
    """A plain product of square matrices on the model's device and in its precision, and how many operations it has: a multiplication and
    an addition are two."""
    import torch

    from ..model.inference import precision

    a = torch.randn((SIZES.get(model.device.type, 2048),) * 2, device=model.device)
    with precision(model):
        a = a.to((a[:1] @ a).dtype)

    def product():
        a @ a
        wait(model)

    return product, 2 * len(a) ** 3


def matrix_peak(model: AtomTransformer, repeats: int = 15) -> float:
    """Operations per second of `square_product`."""
    product, count = square_product(model)
    return count / medians({"product": product}, repeats)["product"]


def operations(work: Work) -> int:
    """Operations of all matrix products and attentions of work(), forward and backward."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()
