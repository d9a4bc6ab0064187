"""The sampler: how the model reveals unknown atoms, step by step, along an ordering."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..atoms.orderings import place_turns
from ..atoms.space import LOUDNESS
from ..model import AtomTransformer
from ..model.inference import decode, encode, ordering_for
from . import amplitudes as texture
from .fill import Step
from .placement import place
from .settings import Settings
from .state import CONTEXT, Canvas, Window
from .task import Task

# An expected amplitude leans on the Wiener estimate the more, the further that stands out from its prior: for partials the model's levels are
# too blurred. In units of the prior's variance, of scattered atoms and in holes of time, found on held-out recordings (docs/log.md).
_DOUBT, _DOUBT_IN_HOLES = 0.3, 0.03
_PARTS = 8  # in which a fill of a single step is shown


@torch.no_grad()
def sample(
    task: Task, settings: Settings, model: AtomTransformer, trunk: bool = True
) -> Iterator[Step]:
    """Fill a task with a model; see `fill.fill`. Settings are resolved. `trunk=False` leaves the Transformer out."""
    task.space.check_same_analysis(model.config.space)
    model.eval()
    near, part = task.near(
        model.config.space.frames + CONTEXT
    )  # a gap costs the same in a long sound as in a short one
    steps = _sample(near, settings, model, trunk)
    if near.mask.shape == task.mask.shape:
        yield from steps
        return
    for step in steps:
        grid, revealed = task.grid.copy(), np.zeros_like(task.mask)
        grid[:, part], revealed[:, part] = step.grid, step.revealed
        yield replace(step, grid=grid, revealed=revealed)


def _sample(task: Task, settings: Settings, model: AtomTransformer, trunk: bool) -> Iterator[Step]:
    unknown = set(task.features)
    mask = task.mask
    ordering = ordering_for(model, settings)
    if unknown <= set(LOUDNESS) or task.selection.erases:
        canvas = Canvas(
            task,
            ~(mask & ("velocity" in unknown)),
            ~(mask & ("sign" in unknown)),
            ordering=ordering,
        )
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
        canvas = Canvas(
            moved,
            ~(mask & placed & ("velocity" in also)),
            ~(mask & placed & ("sign" in also)),
            ordering=ordering,
        )
        for later in reveal(moved, canvas, mask & placed, settings, model, trunk):
            yield replace(
                later,
                number=later.number + step.total,
                total=later.total + step.total,
                revealed=later.revealed | (mask & ~placed),
            )


def reveal(
    task: Task,
    canvas: Canvas,
    mask: np.ndarray,
    settings: Settings,
    model: AtomTransformer,
    trunk: bool,
) -> Iterator[Step]:
    """Reveal velocity and / or sign of the places of `mask` (C, T, F)."""
    size = model.config.space.frames
    windows = canvas.windows(mask, size)
    if canvas.velocity_known.all():
        mask = mask & (canvas.magnitude > 0)  # a silent atom has no sign to find
    # selected atoms that are known, or silent and hence signless, are there from the start
    grid = np.where(task.mask & ~canvas.given, np.float32(0), task.grid)
    turns = None
    if settings.steps > 1 and (settings.order != "velocity" or canvas.velocity_known.all()):
        turns = place_turns(
            mask, canvas.magnitude, settings.order, settings.steps, settings.reverse, settings.seed
        )
    generator = torch.Generator().manual_seed(settings.seed)
    if settings.steps == 1:
        yield from reveal_by_parts(
            task, canvas, mask, windows, grid, settings, model, generator, trunk
        )
        return
    left, total = mask.copy(), int(mask.sum())
    for number in range(1, settings.steps + 1):
        now = left if turns is None else turns == number
        for window in windows:
            look(canvas, window, now, grid, settings, model, generator, trunk)
        if turns is None:
            count = total * number // settings.steps - total * (number - 1) // settings.steps
            now = loudest(canvas.magnitude, left, count, settings.reverse)
        # what a step found is known only now: all of its windows see the same
        canvas.velocity_known |= now
        canvas.sign_known |= now
        left = left & ~now
        last = number == settings.steps
        yield Step(
            number,
            settings.steps,
            grid if last else np.where(left, np.float32(0), grid),
            task.mask & ~left,
        )


def reveal_by_parts(
    task: Task,
    canvas: Canvas,
    mask: np.ndarray,
    windows: list[Window],
    grid: np.ndarray,
    settings: Settings,
    model: AtomTransformer,
    generator: torch.Generator,
    trunk: bool,
) -> Iterator[Step]:
    """The one step that looks at everything at once, window by window: what a part of the windows has decided is shown at once, and kept
    where the fill is stopped."""
    left, parts = mask.copy(), min(len(windows), _PARTS)
    for number in range(1, parts + 1):
        for window in windows[
            len(windows) * (number - 1) // parts : len(windows) * number // parts
        ]:
            look(canvas, window, mask, grid, settings, model, generator, trunk)
            left[list(window.channels[: window.decides]), window.first : window.last] = False
        yield Step(
            number,
            parts,
            grid if number == parts else np.where(left, np.float32(0), grid),
            task.mask & ~left,
        )


def loudest(magnitude: np.ndarray, left: np.ndarray, count: int, reverse: bool) -> np.ndarray:
    """Bool mask of the `count` places of `left` whose predicted magnitude is largest, or smallest."""
    where = np.flatnonzero(left)
    value = magnitude.ravel()[where]
    chosen = where[np.argsort(value if reverse else -value, kind="stable")[:count]]
    out = np.zeros(left.size, bool)
    out[chosen] = True
    return out.reshape(left.shape)


def look(
    canvas: Canvas,
    window: Window,
    now: np.ndarray,
    grid: np.ndarray,
    settings: Settings,
    model: AtomTransformer,
    generator: torch.Generator,
    trunk: bool,
) -> None:
    """Predict the places of `now` that a window decides on: magnitude and sign, which later steps see, into the canvas, and the
    amplitude that is heard into `grid`."""
    decided = np.array(window.channels[: window.decides])
    c, t, f = np.nonzero(now[decided, window.first : window.last])
    if not len(c):
        return
    space = model.config.space
    context = encode(model, canvas.state(window, space), trunk)
    scale = torch.from_numpy(
        canvas.space.amplitude(np.arange(space.levels), canvas.reference(window, space.frames))
    )
    bound = canvas.ceiling(window, space.frames)
    ceiling = torch.from_numpy(bound)
    lent = texture.lent(canvas, window, space.frames) if settings.amplitudes == "texture" else None
    foretold = predicted(canvas, window, space.frames, settings.amplitudes, bound)
    steady = (
        canvas.steady(window, space.frames)
        if settings.amplitudes == "texture" and canvas.purpose.steady
        else None
    )
    places = np.stack([c, t + window.first - window.start, f], 1)
    for part, decoded in decode(model, context, places):
        at, inside = (
            (decided[c[part]], t[part] + window.first, f[part]),
            (c[part], places[part, 1], f[part]),
        )
        velocity, sign = decoded.velocity.float().cpu(), decoded.sign.float().cpu()
        highest = ceiling[inside[0], inside[2]]
        velocity.masked_fill_(scale > highest[:, None], -torch.inf)  # silence is always possible
        velocity.masked_fill_((scale < canvas.lowest) & (scale < scale[-1]), -torch.inf)
        if settings.amplitudes == "expected":
            magnitude = (velocity.softmax(1) @ scale).numpy()
            probability = sign.sigmoid().numpy()
        else:
            chance = torch.rand(len(sign), generator=generator)
            probability = (
                (chance < (sign / max(settings.temperature, 1e-3)).sigmoid()).float().numpy()
            )
            if settings.amplitudes == "sampled":
                magnitude = scale[
                    draw(velocity, settings.temperature, settings.nucleus, generator)
                ].numpy()
            else:
                unevenness, positive = texture.at(lent, inside, generator)
                probability = np.where(np.isnan(positive), probability, positive)
                blind = torch.from_numpy(steady[inside]) if steady is not None else None
                share, lift = canvas.purpose.steady or (0.0, 0.0)
                share = torch.from_numpy(np.maximum(canvas.blindness[at[1]], share))
                magnitude = texture.magnitude(
                    velocity,
                    scale,
                    settings.temperature * unevenness,
                    highest,
                    blind,
                    (share, lift),
                    canvas.purpose.hush,
                ).numpy()
        magnitude = np.maximum(magnitude, np.float32(canvas.lowest))
        free = ~(canvas.velocity_known[at] | canvas.sign_known[at])
        magnitude = np.where(canvas.velocity_known[at], canvas.magnitude[at], magnitude)
        probability = np.where(canvas.sign_known[at], canvas.positive[at], probability)
        canvas.magnitude[at], canvas.positive[at] = magnitude, probability > 0.5
        amplitude = magnitude * (2 * probability - 1)
        if foretold is not None:
            part_of_it, rest = (plane[inside] for plane in foretold)
            amplitude = np.where(
                free,
                (part_of_it + rest * amplitude).clip(-highest.numpy(), highest.numpy()),
                amplitude,
            )
        grid[at] = amplitude


def predicted(
    canvas: Canvas, window: Window, size: int, amplitudes: str, highest: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """What linear prediction has of the amplitudes of a window, and by how much the model's are then scaled, each (channels, size, F).

    An expected amplitude leans on the estimate; the texture of a hole in time is added to it, and is as much weaker as the estimate has of its power.
    highest (channels, F) is the loudest that is accepted.
    """
    if amplitudes == "sampled" or amplitudes == "texture" and not canvas.purpose.runs_through:
        return None
    estimate, spread = (plane.astype(np.float32) for plane in canvas.beliefs(window, size)[:2])
    estimate = estimate.clip(-highest[:, None], highest[:, None])
    if amplitudes == "expected":
        frames = np.clip(np.arange(window.start, window.start + size), 0, len(canvas.blindness) - 1)
        doubt = np.where(
            canvas.blindness[frames] > 0, np.float32(_DOUBT_IN_HOLES), np.float32(_DOUBT)
        )[:, None]
        lean = estimate**2 / (estimate**2 + doubt * spread**2 + 1e-20)
        return lean * estimate, 1 - lean
    return estimate, np.sqrt(1 - texture.foretold(estimate, spread))


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
