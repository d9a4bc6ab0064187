"""Reading numbers back: at once on a CPU; from a GPU only after a wait for all its work."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


def is_host(x: Tensor) -> bool:
    """Whether values can be read without a wait.

    Where they can, work that they show to be needless is left out. Batched priors and masks ask
    this function, and read the type of the device nowhere else.
    """
    return x.device.type == "cpu"


def may_wait(x: Tensor) -> bool:
    """Whether values may be read to make arrays of their size: on a CPU, and in fills.

    A training step on a GPU, which has gradients, makes arrays of the largest size instead.
    """
    return is_host(x) or not torch.is_grad_enabled()


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Return a tensor (n,) of constants, which is copied to a device only once."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device)


def may_be_any(x: Tensor) -> bool:
    """Whether a bool tensor may hold a True value; to ask a GPU would take a wait."""
    return not is_host(x) or bool(x.any())


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a small tensor from the host to a device, without a wait."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def places(index: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Coordinates of flat indices, one tensor per axis: `torch.unravel_index` takes 2 s to load."""
    out = []
    for size in reversed(shape):
        out.append(index % size)
        index = index // size
    return tuple(reversed(out))
