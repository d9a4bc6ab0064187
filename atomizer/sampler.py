"""The sampler: how the model reveals unknown atoms, step by step, along an ordering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .atoms import LOUDNESS, Atoms
from .canvas import Canvas, Window, decode, read
from .fill import Settings, Step
from .model import AtomTransformer
from .orderings import order
from .placing import place
from .task import Task


@torch.no_grad()
def sample(task: Task, settings: Settings, model: AtomTransformer, trunk: bool = True) -> Iterator[Step]:
    """Fill a task with a model; see `fill.fill`. Settings are resolved. `trunk=False` leaves the Transformer out."""
    task.space.check_same_analysis(model.config.space)
    model.eval()
    unknown = set(task.features)
    mask = task.mask
    if unknown <= set(LOUDNESS) or task.selection.erases:
        canvas = Canvas(task, ~(mask & ("velocity" in unknown)), ~(mask & ("sign" in unknown)))
        yield from reveal(task, canvas, mask, settings, model, trunk)
        return
    # some atoms have lost their places: place them first, then whatever else of them is unknown
    also = unknown & set(LOUDNESS)
    step = None
    for step in place(task, settings, model, trunk):
        yield replace(step, total=step.total * (2 if also else 1))
    if also:
        placed = step.grid != 0
        moved = replace(task, grid=step.grid)
        canvas = Canvas(moved, ~(mask & placed & ("velocity" in also)), ~(mask & placed & ("sign" in also)))
        for later in reveal(moved, canvas, mask & placed, settings, model, trunk):
            yield replace(later, number=later.number + step.total, total=later.total + step.total, revealed=later.revealed | (mask & ~placed))


def reveal(task: Task, canvas: Canvas, mask: np.ndarray, settings: Settings, model: AtomTransformer, trunk: bool) -> Iterator[Step]:
    """Reveal velocity and / or sign of the places of `mask` (C, T, F)."""
    size = model.config.space.frames
    windows = canvas.windows(mask, size)
    if canvas.velocity_known.all():
        mask = mask & (canvas.magnitude > 0)  # a silent atom has no sign to find
    grid = np.where(task.mask, canvas.magnitude * np.where(canvas.positive, 1, -1) * (canvas.velocity_known & canvas.sign_known), task.grid)
    grid = grid.astype(np.float32)
    revealed = task.mask & ~mask
    left = mask.copy()
    generator = torch.Generator().manual_seed(settings.seed)
    turns = None if settings.order == "velocity" and not canvas.velocity_known.all() else turns_of(task, canvas, mask, settings)
    total = int(mask.sum())
    for number in range(1, settings.steps + 1):
        done, goal = total * (number - 1) // settings.steps, total * number // settings.steps
        now = left if turns is None else (turns >= done) & (turns < goal) & left
        guess = Guess(mask.shape)
        for window in windows:
            look(canvas, window, now, guess, settings, model, generator, trunk)
        if turns is None:
            now = loudest(guess.magnitude, left, goal - done, settings.reverse)
        canvas.magnitude[now] = guess.magnitude[now]
        canvas.positive[now] = guess.positive[now]
        canvas.velocity_known[now] = canvas.sign_known[now] = True
        grid[now] = guess.amplitude[now]
        revealed, left = revealed | now, left & ~now
        yield Step(number, settings.steps, grid.copy(), revealed.copy())


def turns_of(task: Task, canvas: Canvas, mask: np.ndarray, settings: Settings) -> np.ndarray:
    """(C, T, F) int: when each place of the mask has its turn in the ordering; -1 outside."""
    atoms = Atoms.from_grid(canvas.magnitude, task.space, task.length, task.reference, mask)
    turns = np.full(mask.shape, -1, np.int64)
    ranks = np.empty(len(atoms), np.int64)
    ranks[order(atoms, settings.order, settings.reverse, settings.seed)] = np.arange(len(atoms))
    turns[mask] = ranks
    return turns


def loudest(magnitude: np.ndarray, left: np.ndarray, count: int, reverse: bool) -> np.ndarray:
    """Bool mask of the `count` places of `left` whose predicted magnitude is largest, or smallest."""
    where = np.flatnonzero(left)
    value = magnitude.ravel()[where]
    chosen = where[np.argsort(value if reverse else -value, kind="stable")[:count]]
    out = np.zeros(left.size, bool)
    out[chosen] = True
    return out.reshape(left.shape)


class Guess:
    """What a step believes: magnitude and sign, which later steps see, and the amplitude that is heard."""

    def __init__(self, shape: tuple[int, ...]):
        self.magnitude, self.amplitude = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.positive = np.zeros(shape, bool)


def look(canvas: Canvas, window: Window, now: np.ndarray, guess: Guess, settings: Settings, model: AtomTransformer,
         generator: torch.Generator, trunk: bool) -> None:
    """Predict the places of `now` that a window decides on, into `guess`."""
    decided = np.array(window.channels[: window.decides])
    c, t, f = np.nonzero(now[decided, window.first : window.last])
    if not len(c):
        return
    space = model.config.space
    context = read(model, canvas.state(window, space), trunk)
    reference = canvas.reference(window, space.frames)
    scale = torch.from_numpy(canvas.space.amplitude(np.arange(space.levels), reference))
    scale = scale.clamp(max=canvas.ceiling)
    places = np.stack([c, t + window.first - window.start, f], 1)
    for part, decoded in decode(model, context, places):
        at = (decided[c[part]], t[part] + window.first, f[part])
        velocity, sign = decoded.velocity.float().cpu(), decoded.sign.float().cpu()
        if settings.expected:
            magnitude = (velocity.softmax(1) @ scale).numpy()
            probability = sign.sigmoid().numpy()
        else:
            magnitude = scale[draw(velocity, settings.temperature, settings.nucleus, generator)].numpy()
            chance = torch.rand(len(sign), generator=generator)
            probability = (chance < (sign / max(settings.temperature, 1e-3)).sigmoid()).float().numpy()
        known = canvas.velocity_known[at]
        magnitude = np.where(known, canvas.magnitude[at], magnitude)
        probability = np.where(canvas.sign_known[at], canvas.positive[at], probability)
        guess.magnitude[at], guess.positive[at] = magnitude, probability > 0.5
        guess.amplitude[at] = magnitude * (2 * probability - 1)


def draw(logits: Tensor, temperature: float, nucleus: float, generator: torch.Generator) -> Tensor:
    """(n, values) logits -> (n,) values, drawn from the nucleus: the likeliest values that hold this probability together.

    Temperature 0 takes the likeliest. Source: Holtzman et al. 2020, "The curious case of neural text degeneration".
    """
    if temperature <= 0:
        return logits.argmax(1)
    probability = (logits / temperature).softmax(1)
    if nucleus < 1:
        ranked, values = probability.sort(1, descending=True)
        ranked = torch.where(ranked.cumsum(1) - ranked < nucleus, ranked, 0)
        probability = torch.zeros_like(probability).scatter_(1, values, ranked)
    # one uniform number per atom, inverted through the cumulative sum: much faster than torch.multinomial on a CPU
    total = probability.cumsum(1)
    chance = torch.rand(len(logits), 1, generator=generator) * total[:, -1:]
    return (total <= chance).sum(1).clamp(max=logits.shape[1] - 1)
