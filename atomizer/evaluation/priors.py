"""What the model believes of hidden atoms before any is revealed, and how far that is from the truth."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from ..atoms.space import LOUDNESS
from ..inpainting.settings import Settings, model_ordering
from ..inpainting.state import FillState
from ..inpainting.task import Task
from ..model.gaussian import velocity_floor
from ..model.inference import AtomModel, decode, encode


@torch.no_grad()
def excess_nats(task: Task, asked: np.ndarray, model: AtomModel) -> float:
    """Mean cross-entropy in nats of the true velocity, or sign where the velocity is known, of the atoms `asked` (channels, frames, bins) bool.

    Of velocities it is what they cost above a Gaussian of known variance (`velocity_floor`), of signs above nothing. nan where none is asked.
    """
    space = model.config.space
    of_sign = "velocity" not in task.features
    velocity_known, sign_known = (~(task.mask & (name in task.features)) for name in LOUDNESS)
    state = FillState(task, velocity_known, sign_known, model_ordering(model, Settings()))
    total, count = 0.0, 0
    for window in state.windows(task.mask, space.frames):
        channel, frame, bin_ = window.targets(asked)
        if not len(channel):
            continue
        true = task.grid[window.target_channels[channel], frame + window.start, bin_]
        level = torch.from_numpy(space.quantise(true, state.reference(window)).astype(np.int64))
        context = encode(model, state.model_input(window, space))
        for part, decoded in decode(model, context, np.stack([channel, frame, bin_], 1)):
            if of_sign:
                truth = torch.from_numpy((true[part] > 0).astype(np.float32))
                nats = F.binary_cross_entropy_with_logits(
                    decoded.sign.float().cpu(), truth, reduction="sum"
                )
            else:
                nats = F.cross_entropy(decoded.velocity.float().cpu(), level[part], reduction="sum")
            total, count = total + float(nats), count + len(true[part])
    return (
        total / count - (0.0 if of_sign else velocity_floor(space.step_db))
        if count
        else float("nan")
    )
