"""Cross-entropy of the model's first predictions: nothing hidden is revealed yet."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..inpainting.sampling.state import FillState, conditioning_of
from ..inpainting.settings import Settings
from ..inpainting.task import Task
from ..model.gaussian import velocity_floor
from ..model.inference import AtomModel, decode, encode


@torch.no_grad()
def excess_nats(task: Task, judged: np.ndarray, model: AtomModel) -> float:
    """Mean excess cross-entropy in nats of the true velocities or signs.

    Parameters
    ----------
    task : Task
        Hides velocities, or signs of known velocities.
    judged : (channels, frames, bins) bool array
        The atoms to average over.
    model : AtomModel
        The model, or an ablation of it.

    Returns
    -------
    float
        For velocities, the cross-entropy minus that of a Gaussian of known variance
        (`velocity_floor`); for signs, the cross-entropy. nan if no atom is judged.
    """
    space = model.config.space
    judges_sign = "velocity" not in task.features
    conditioning = conditioning_of(model, Settings(), task)
    state = FillState(task, task.mask, task.features, conditioning)
    total, count = 0.0, 0
    for window in state.windows(task.mask, space.frames):
        channel, frame, bin_ = window.targets(judged)
        if not len(channel):
            continue
        true = task.grid[window.target_channels[channel], frame + window.start, bin_]
        levels = space.quantise(true, state.reference(window))
        encoded = encode(model, state.model_input(window, space))
        for part, decoded in decode(model, encoded, np.stack([channel, frame, bin_], 1)):
            if judges_sign:
                total += _sign_nats(decoded.sign, true[part])
            else:
                total += _velocity_nats(decoded.velocity, levels[part])
            count += len(true[part])
    if not count:
        return float("nan")
    return total / count - (0.0 if judges_sign else velocity_floor(space.step_db))


def _sign_nats(logits: Tensor, true: np.ndarray) -> float:
    """Sum of the cross-entropies of sign logits (n,) and the signs of amplitudes (n,)."""
    truth = torch.from_numpy((true > 0).astype(np.float32))
    return float(F.binary_cross_entropy_with_logits(logits.float().cpu(), truth, reduction="sum"))


def _velocity_nats(logits: Tensor, levels: np.ndarray) -> float:
    """Sum of the cross-entropies of velocity logits (n, levels) and true levels (n,)."""
    truth = torch.from_numpy(levels.astype(np.int64))
    return float(F.cross_entropy(logits.float().cpu(), truth, reduction="sum"))
