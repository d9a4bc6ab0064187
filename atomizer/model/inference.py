"""The model on its device, in the precision that suits that: read a window, decode places of it, point loose atoms to places."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch

from ..inpainting.settings import Settings
from . import AtomTransformer, State
from .atom_transformer import Context


def ordering_for(model: AtomTransformer, settings: Settings) -> tuple[str, bool, int] | None:
    """The ordering in which a model reads atoms; None for one that reads them in serialisations of its own."""
    return (
        (settings.order or "random", settings.reverse, settings.seed)
        if "order" in model.config.serialisations
        else None
    )


def precision(model: AtomTransformer):
    """bfloat16 where the device multiplies matrices in it, float32 elsewhere."""
    kind = model.device.type
    if kind == "cuda" or (kind == "cpu" and torch.cpu._is_avx512_bf16_supported()):
        return torch.autocast(kind, torch.bfloat16)
    return nullcontext()


def read(model: AtomTransformer, state: State, trunk: bool = True) -> Context:
    """`AtomTransformer.read` on the model's device, in its precision."""
    with precision(model):
        return model.read(state.to(model.device), trunk)


def decode(model: AtomTransformer, context: Context, places: np.ndarray, chunk: int = 32_768):
    """Decode places (n, 3) of channel, frame and bin in a window; yields (slice, Decoded) by chunks."""
    for at in range(0, len(places), chunk):
        part = torch.from_numpy(places[at : at + chunk].astype(np.int64)).to(model.device)
        with precision(model):
            decoded = model.decode(context, torch.zeros_like(part[:, 0]), *part.unbind(1))
        yield slice(at, at + len(part)), decoded


def point(model: AtomTransformer, loose: torch.Tensor, atoms: torch.Tensor, places) -> np.ndarray:
    """Scores (K, n) of decoded places for loose atoms, see `AtomTransformer.point`."""
    with precision(model):
        return model.point(loose, atoms.to(model.device), places).float().cpu().numpy()
