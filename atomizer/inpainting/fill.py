"""Fill: predict the unknown atoms of a task.

>>> task = prepare(read("in.wav"), parse(["above:8000"]))  # doctest: +SKIP
>>> for step in fill(task, Settings(), model):  # doctest: +SKIP
...     print(step.number, step.total)
>>> write("out.wav", task.render(step.grid))  # doctest: +SKIP
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AtomizerError
from .lost_channels import (
    in_all_channels,
    lost_beside_others,
    task_of_known_channels,
    task_of_lost_channels,
)
from .mid_side import side_of
from .paste import paste_step
from .resolve import resolve
from .settings import Resolved, Settings
from .silence import keep_silence
from .step import AUTOREGRESSION, Step
from .task import Task
from .time_domain.fades import fade_before, with_fade, without_fade
from .time_domain.holes import has_only_short_holes, join_holes

if TYPE_CHECKING:
    from ..model.inference import AtomModel


def fill(
    task: Task, settings: Settings = Settings(), model: AtomModel | None = None
) -> Iterator[Step]:
    """Fill the unknown atoms of a task, step by step.

    Only the surroundings of the unknown atoms are computed. The atoms that the selection hides are
    never read. Holes in time of at most 0.2 s are filled in one step by an autoregressive model of
    the samples, which needs no `model`; ordering, steps and temperature then have no effect. It is
    not used where `settings` has amplitudes or a nucleus, or where `using` names a recording prior.

    Parameters
    ----------
    task : Task
        Made by `prepare`.
    settings : Settings
    model : AtomTransformer or a wrapper of one, optional
        Needed for the method "model".

    Yields
    ------
    Step
        The state after every step; the last one holds the result.

    Raises
    ------
    AtomizerError
        For settings out of range, or a model of another AtomSpace.
    """
    lost = lost_beside_others(task) if settings.method in ("model", "noise") else None
    if lost is None:
        yield from _fill_task(task, settings, model)
    else:
        yield from _fill_lost_channels_last(task, lost, settings, model)


def _fill_lost_channels_last(
    task: Task, lost: np.ndarray, settings: Settings, model: AtomModel | None
) -> Iterator[Step]:
    """Fill what is unknown in other channels, then the lost ones, (C,) bool, from all of them."""
    step, steps = None, resolve(settings, task).steps
    for step in _fill_task(task_of_known_channels(task, lost), settings, model):
        yield in_all_channels(task, lost, step).as_first_of_two(steps)
    assert step is not None
    rest = task_of_lost_channels(task, lost, step.grid)
    for later in _fill_task(rest, settings, model):
        revealed = later.revealed | (task.mask & ~rest.mask)
        later = later.as_second_of_two(step)
        yield replace(
            step, number=later.number, total=later.total, grid=later.grid, revealed=revealed
        )


def _fill_task(task: Task, settings: Settings, model: AtomModel | None) -> Iterator[Step]:
    """Fill a task with settings for its shape; a fade before what is unknown goes on in it."""
    resolved = resolve(settings, task)
    is_predicted = resolved.method not in ("erased", "paste")
    fade = fade_before(task) if is_predicted else None
    if fade is None:
        yield from _fill_without_fade(task, settings, resolved, model)
        return
    for step in _fill_without_fade(without_fade(task, fade), settings, resolved, model):
        yield replace(step, grid=with_fade(task, fade, step.grid), fade=fade)


def _fill_without_fade(
    task: Task, settings: Settings, resolved: Resolved, model: AtomModel | None
) -> Iterator[Step]:
    """Fill a task by samples, where these fill all of it, or by atoms.

    resolved  the settings, resolved for the task
    """
    if not task.mask.any():  # the selection lies above the atoms: it is erased by `render`
        yield Step(1, 1, task.grid.copy(), task.mask)
        return
    by_samples = _fills_short_holes_by_samples(settings)
    if by_samples and has_only_short_holes(task):
        grid = join_holes(task, task.erased(), resolved.seed, fill_short=True)
        yield Step(1, 1, grid, task.mask, priors=(AUTOREGRESSION,))
        return
    for step in _fill_atoms(task, resolved, model):
        if resolved.method == "erased":
            yield step
            continue
        grid = step.grid
        if step.number == step.total:
            if resolved.method != "paste" and task.selection.erases:
                grid = keep_silence(task, grid, through_holes=not step.sources)
            grid = join_holes(task, grid, resolved.seed, fill_short=by_samples)
        if task.is_mid_side:
            grid = _with_side(task, grid)
        yield replace(step, grid=grid)


def needs_model(task: Task, settings: Settings) -> bool:
    """Whether a fill uses the Transformer; otherwise `fill` needs no model."""
    if settings.method != "model" or not task.mask.any():
        return False
    return not (_fills_short_holes_by_samples(settings) and has_only_short_holes(task))


def _fills_short_holes_by_samples(settings: Settings) -> bool:
    """Whether short holes in time are filled by an autoregressive model of the samples.

    They are filled by atoms where the user has chosen how to draw these, or a recording prior.
    """
    draws = settings.amplitudes is not None or settings.nucleus is not None
    copies = settings.using not in ("auto", "texture") or bool(settings.source)
    return settings.method == "model" and not draws and not copies


def _with_side(task: Task, grid: np.ndarray) -> np.ndarray:
    """The grid (2, T, F) of mid and a predicted second channel, with the side in its place."""
    side = side_of(grid[0], grid[1], task.space)
    return np.stack([grid[0], np.where(task.mask[1], side, task.grid[1])])


def _fill_atoms(task: Task, resolved: Resolved, model: AtomModel | None) -> Iterator[Step]:
    """Fill by atoms alone."""
    signs_only = set(task.features) == {"sign"}
    if resolved.method == "erased" or (resolved.method == "noise" and signs_only):
        yield Step(1, 1, task.masked(resolved.seed), task.mask)
    elif resolved.method == "paste":
        yield paste_step(task, resolved)
    elif not task.reference and task.selection.erases:  # nothing that is known is heard
        yield Step(1, 1, task.erased(), task.mask)
    elif resolved.method == "noise":
        yield Step(1, 1, _noise(task, resolved), task.mask)
    elif model is None:
        raise AtomizerError(
            "The method 'model' needs a trained model: give a checkpoint, or use the method noise."
        )
    else:
        from .sampling.sampler import sample  # loads torch

        yield from sample(task, resolved, model)


def _noise(task: Task, settings: Resolved) -> np.ndarray:
    """The grid with noise of the interpolated spectral envelope in place of unknown atoms."""
    from ..priors.noise_fill import noise_fill, noise_substitution  # loads scipy

    if task.preset == "compress":
        return noise_substitution(task.grid, task.mask, task.threshold, settings.seed)
    return noise_fill(task.grid, task.mask, settings.seed)


def last(steps: Iterator[Step]) -> Step:
    """Run a fill to its end; only the last step is kept in memory."""
    return deque(steps, maxlen=1).pop()
