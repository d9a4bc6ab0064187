"""Inference on the model's device and in its precision: encode a window, decode positions of it.

The functions accept an `AtomTransformer` or a wrapper with the same methods (`AtomModel`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from .atom_transformer import Decoded, Encoded
from .config import ModelConfig
from .state import State


class AtomModel(Protocol):
    """The interface that sampling and evaluation use: `AtomTransformer` or `WithoutTrunk`."""

    @property
    def config(self) -> ModelConfig:
        """Configuration of the model."""

    @property
    def device(self) -> torch.device:
        """Device of the weights."""

    def eval(self) -> object:
        """Set evaluation mode."""

    def encode(self, state: State) -> Encoded:
        """Encode a batch of windows."""

    def decode(
        self, encoded: Encoded, batch: Tensor, channel: Tensor, time: Tensor, frequency: Tensor
    ) -> Decoded:
        """Predict velocity and sign at n positions."""

    def point(self, unplaced: Tensor, atoms: Tensor, positions: Decoded) -> Tensor:
        """Score n positions for K unplaced atoms."""


def precision(model: AtomModel) -> AbstractContextManager:
    """Autocast to bfloat16 on devices that multiply matrices in it, else float32."""
    kind = model.device.type
    if kind == "cuda" or (kind == "cpu" and torch.cpu._is_avx512_bf16_supported()):
        return torch.autocast(kind, torch.bfloat16)
    return nullcontext()


def encode(model: AtomModel, state: State) -> Encoded:
    """Encode windows (B, C, T, F) on the model's device and in its precision."""
    with precision(model):
        return model.encode(state.to(model.device))


# positions decoded at a time: 4,096 take 240 MB less than the default, but draw other textures
decode_chunk = ContextVar("decode_chunk", default=32_768)


def decode(
    model: AtomModel, encoded: Encoded, positions: np.ndarray, chunk: int | None = None
) -> Iterator[tuple[slice, Decoded]]:
    """Decode positions (n, 3) of channel, frame and bin in chunks of (slice, predictions)."""
    chunk = decode_chunk.get() if chunk is None else chunk
    for start in range(0, len(positions), chunk):
        part = torch.from_numpy(positions[start : start + chunk].astype(np.int64)).to(model.device)
        channel, time, frequency = part.unbind(1)
        with precision(model):
            decoded = model.decode(encoded, torch.zeros_like(channel), channel, time, frequency)
        yield slice(start, start + len(part)), decoded


def point(model: AtomModel, unplaced: Tensor, atoms: Tensor, positions: Decoded) -> np.ndarray:
    """Scores (K, n) float32 of n decoded positions for K unplaced atoms."""
    with precision(model):
        return model.point(unplaced, atoms.to(model.device), positions).float().cpu().numpy()
