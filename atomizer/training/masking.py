"""Masking: the unknown atoms of training windows, in all the states that sampling meets.

A task selects a region, then a part of the region is revealed in some ordering.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..atoms.orderings import ORDERINGS, sort_key
from ..atoms.space import AtomSpace
from ..model.state import REFERENCE_FLOOR_DB, State
from ..priors import band_context, devices, envelope_batch, wiener
from .data import Windows

# Relative frequency of every task. The last three hide positions; they have few atoms and cost
# little.
TASKS = {
    "cut": 0.24,
    "gap": 0.12,
    "suffix": 0.08,
    "channel": 0.11,
    "loudness": 0.11,
    "random": 0.15,
    "rect": 0.08,
    "sign": 0.03,
    "velocity": 0.02,
    "place-time": 0.02,
    "place-frequency": 0.02,
    "place-channel": 0.02,
}
# Tasks of placement, with the frames and bins of their region: small enough for all of its atoms
# to be unplaced, and long along the axis that is unknown.
PLACEMENT = {"place-time": (32, 8), "place-frequency": (4, 64), "place-channel": (16, 16)}
# Relative frequency of the orderings; `order_weights` adds those that have no weight here.
ORDER_WEIGHTS = {
    "random": 0.45,
    "velocity": 0.2,
    "frequency": 0.15,
    "time": 0.15,
    "channel": 0.05,
    "audibility": 0.05,
}
DEFAULT_ORDER_WEIGHT = 0.05
NOTHING_REVEALED = 0.5  # chance of the first step's state; fills of one step have no other
MONO_CHANCE = 0.1  # of a stereo window that loses its second channel
REVERSE_CHANCE = {"velocity": 0.2}  # of the reverse ordering; 0.4 for others
LOUDER_CHANCE, LOUDER_DB = 0.3, 20  # of a reference that is up to 20 dB above the window's
# Tasks that leave no bin with both known and unknown atoms: linear prediction has nothing to say
UNPREDICTABLE = ("cut", "channel")
# Tasks that hide atoms of the whole recording without a form: nothing around a window counts
SCATTERED = ("random", "loudness", "velocity")
MAX_UNPLACED = 128
AXES = ("channel", "time", "frequency")  # of a grid, and the orderings along them


@dataclass
class Batch:
    """Masked windows and their true values.

    state              the model's input
    velocity, sign     (B, C, T, F) true values
    target_mask        (B, C, T, F) bool, unknown positions that losses may use: those below the
                       cutoff of the recording
    unplaced_position  (B, K, 3) true channel, frame and bin of the unplaced atoms, or None
    task               name of every window's task
    power_level        (B, C, T, F) float or None: as velocity, of the mean of squared MDCT and
                       MDST, in levels
    ready              event of the stream of a GPU that computes the batch, or None
    """

    state: State
    velocity: Tensor
    sign: Tensor
    target_mask: Tensor
    unplaced_position: Tensor | None
    task: list[str]
    power_level: Tensor | None = None
    ready: torch.cuda.Event | None = None

    def arrive(self) -> None:
        """Make the present stream of the GPU, not the host, wait until the batch is ready."""
        if self.ready is None:
            return
        stream = torch.cuda.current_stream()
        stream.wait_event(self.ready)
        for tensor in (*vars(self.state).values(), *vars(self).values()):
            if isinstance(tensor, Tensor):
                tensor.record_stream(stream)

    def to(self, device: torch.device | str) -> Batch:
        """Copy all tensors to a device."""
        position, power = self.unplaced_position, self.power_level
        return replace(
            self,
            state=self.state.to(device),
            velocity=self.velocity.to(device),
            sign=self.sign.to(device),
            target_mask=self.target_mask.to(device),
            unplaced_position=None if position is None else position.to(device),
            power_level=None if power is None else power.to(device),
        )


@dataclass(frozen=True)
class Choice:
    """Fixed parameters of the masks; None is drawn at random.

    task    name of a task
    reveal  share of the region that is revealed, 0 … 1
    order   name of the ordering in which it is revealed
    """

    task: str | None = None
    reveal: float | None = None
    order: str | None = None


@dataclass
class Plan:
    """What is drawn for one window; tensors are (C, T, F).

    task      name of the task
    channels  of the window
    order     name of the ordering
    reverse   whether the ordering is reversed
    mask      bool, the region of the task
    key       sort keys of the true levels
    noise     0 to 1, of the sort keys of the expected levels; None for the random ordering
    share     of the region that is revealed
    """

    task: str
    channels: int
    order: str
    reverse: bool
    mask: Tensor
    key: Tensor
    noise: Tensor | None
    share: float


@dataclass
class Priors:
    """What the known atoms predict, as in `State`, in the units of the grid; (B, C, T, F) each."""

    estimate: Tensor
    prior_std: Tensor
    envelope_std: Tensor


def order_weights() -> dict[str, float]:
    """Relative frequency of every ordering in `ORDERINGS`, so that a new one is trained, too."""
    others = [name for name in ORDERINGS if name not in ORDER_WEIGHTS]
    return ORDER_WEIGHTS | dict.fromkeys(others, DEFAULT_ORDER_WEIGHT)


def choose(weights: dict[str, float], generator: torch.Generator) -> str:
    """Return a name, drawn with a chance in proportion to its weight."""
    names = list(weights)
    chances = torch.tensor([weights[n] for n in names])
    return names[int(torch.multinomial(chances, 1, generator=generator))]


def uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Return a number, drawn uniformly from low to high."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def log_uniform(low: float, high: float, generator: torch.Generator) -> float:
    """Return a number from low to high, whose logarithm is uniform."""
    return math.exp(uniform(math.log(low), math.log(high), generator))


def integer(low: int, high: int, generator: torch.Generator) -> int:
    """Return an integer from low to high, both included; low where high is smaller."""
    return int(torch.randint(low, max(low, high) + 1, (), generator=generator))


def random_plane(like: Tensor, generator: torch.Generator) -> Tensor:
    """Return numbers from 0 to 1 of the shape and on the device of `like`.

    A GPU draws its own, from a seed that the generator of the host gives.
    """
    if like.device.type != "cpu":
        seed = int(torch.randint(1 << 62, (), generator=generator))
        generator = torch.Generator(like.device).manual_seed(seed)
    return torch.rand(like.shape, generator=generator, device=like.device)


# --------------------------------------------------------------------------- regions of the tasks


def _cut(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """All bins above a cutoff, one time in ten below it."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    cut = int(log_uniform(0.05, 0.7, g) * space.hop)
    if uniform(0, 1, g) < 0.1:
        mask[:, :, :cut] = True
    else:
        mask[:, :, cut:] = True
    return mask


def _gap(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """Some frames, one time in five of one channel."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    size = round(log_uniform(2, max(2, space.frames * 3 // 8), g))
    start = integer(1, space.frames - size - 1, g)
    mask[_channels(0.8, channels, g), start : start + size] = True
    return mask


def _suffix(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """All frames from some frame on."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    mask[:, integer(space.frames // 8, space.frames - 4, g) :] = True
    return mask


def _channel(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """One channel."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    mask[integer(0, channels - 1, g)] = True
    return mask


def _rect(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """One to four rectangles."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    frames, bins = space.frames, space.hop
    for _ in range(integer(1, 4, g)):
        t, f = integer(0, frames - 4, g), integer(0, bins - 17, g)
        height = int(log_uniform(8, bins / 2, g))
        where = _channels(0.7, channels, g)
        mask[where, t : t + integer(2, frames // 2, g), f : f + height] = True
    return mask


def _random(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """Scattered atoms, a share from 5 to 95 %."""
    return random_plane(grid, g) < uniform(0.05, 0.95, g)


def _loudness(grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator) -> Tensor:
    """The quietest or the loudest atoms."""
    magnitude = grid.abs()
    audible = magnitude > magnitude.max() * 10 ** (space.floor_db / 20)
    if not devices.may_be_any(audible):
        return torch.zeros_like(audible)
    share = uniform(0.3, 0.97, g) if uniform(0, 1, g) < 0.7 else uniform(0.01, 0.2, g)
    if share >= 0.3:  # the quietest part, with or without the inaudible atoms
        selectable = audible | (uniform(0, 1, g) < 0.5)
        return selectable & (magnitude <= _value_at(magnitude, audible, share, all_but=1))
    return audible & (magnitude >= -_value_at(-magnitude, audible, share, all_but=1))


def _value_at(values: Tensor, where: Tensor, share: float, all_but: int = 0) -> Tensor:
    """The value that a share of n - `all_but` values precede in ascending order, () float32.

    The n values are those of `where` (bool); without any, infinity. A GPU is not asked how many
    there are, because that takes a wait: it sorts all values.
    """
    if devices.is_host(values):
        chosen = values[where]
        if not len(chosen):
            return values.new_tensor(torch.inf)
        place = min(int(share * (len(chosen) - all_but)), len(chosen) - 1)
        return chosen.kthvalue(place + 1).values
    count = where.sum()
    first = torch.minimum((share * (count - all_but).double()).long(), count - 1).clamp(min=0)
    ascending = torch.where(where, values, torch.inf).flatten().sort().values
    return ascending.gather(0, first[None])[0]


def _channels(all_chance: float, channels: int, g: torch.Generator) -> slice | int:
    """All channels, or one of them."""
    return slice(None) if uniform(0, 1, g) < all_chance else integer(0, channels - 1, g)


def _small_rect(
    grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator, task: str
) -> Tensor:
    """A rectangle of the size that a task of placement has; low bins are more frequent."""
    mask = torch.zeros_like(grid, dtype=torch.bool)
    frames, bins = (min(n, most) for n, most in zip(PLACEMENT[task], (space.frames, space.hop)))
    t = integer(0, space.frames - frames, g)
    f = int((space.hop - bins) * uniform(0, 1, g) ** 2)
    where = slice(None) if task == "place-channel" else integer(0, channels - 1, g)
    mask[where, t : t + frames, f : f + bins] = True
    return mask


REGIONS: dict[str, Callable[[Tensor, int, AtomSpace, torch.Generator], Tensor]] = {
    "cut": _cut,
    "gap": _gap,
    "suffix": _suffix,
    "channel": _channel,
    "loudness": _loudness,
    "random": _random,
    "rect": _rect,
}


def draw_region(
    task: str, grid: Tensor, channels: int, space: AtomSpace, g: torch.Generator
) -> Tensor:
    """(C, T, F) bool: the positions that a task selects in one window (C, T, F)."""
    if task in PLACEMENT:
        return _small_rect(grid, channels, space, g, task)
    region = task
    if task in ("sign", "velocity"):
        region = choose({"random": 1.0, "rect": 1.0, "gap": 1.0}, g)
    mask = REGIONS[region](grid, channels, space, g)
    if task == "random" and uniform(0, 1, g) < 0.6:  # as `random:50` selects: audible atoms only
        mask &= grid.abs() > grid.abs().max() * 10 ** (space.floor_db / 20)
    return mask


# ------------------------------------------------------------------------------------- the masks


def mask_batch(
    windows: Windows,
    space: AtomSpace,
    generator: torch.Generator,
    task: str | None = None,
    reveal: float | None = None,
    order: str | None = None,
) -> Batch:
    """Hide atoms of every window (B, C, T, F), then reveal a part of them in some ordering.

    task, reveal and order are drawn where they are None, see `Choice`.
    """
    grid = windows.grid
    choice = Choice(task, reveal, order)
    plans = [
        _plan(window, int(channels), space, generator, choice)
        for window, channels in zip(grid, windows.channels)
    ]
    priors = _predict(plans, grid, space)
    mask = torch.stack([_still_hidden(plan) for plan in plans])
    rank = torch.stack([_rank(*one) for one in zip(plans, grid, priors.envelope_std)])
    present, target_mask = torch.zeros_like(mask), mask.clone()
    velocity_known, sign_known = ~mask, ~mask
    for b, m in enumerate(plans):
        present[b, : m.channels] = True
        if m.task == "sign":
            velocity_known[b] = True
        if m.task == "velocity":
            sign_known[b] = True
        target_mask[b, ..., int(windows.cutoff[b]) :] = False
    reference = _reference(grid, velocity_known & present, generator)
    velocity = _levels(grid.abs() / reference, space).round().long()
    sign = (grid >= 0).long()
    scale = 1 / reference
    state = State(
        velocity,
        sign,
        velocity_known,
        sign_known,
        present,
        rank,
        priors.estimate * scale,
        priors.prior_std * scale,
        priors.envelope_std * scale,
        statistics=_statistics(plans, windows, reference, space),
    )
    target_mask &= state.occupied
    batch = Batch(state, velocity, sign, target_mask, None, [plan.task for plan in plans])
    if windows.power is not None:
        batch.power_level = _levels(windows.power.sqrt() / reference, space)
    return _unplace(batch, mask, space, generator)


def _levels(magnitude: Tensor, space: AtomSpace) -> Tensor:
    """Levels, not rounded, of magnitudes relative to the reference."""
    decibels = 20 * torch.log10(magnitude + 1e-12)
    level = (decibels - space.headroom_db) / space.step_db + space.levels - 1
    return level.clamp(0, space.levels - 1)


def _plan(
    grid: Tensor, channels: int, space: AtomSpace, generator: torch.Generator, choice: Choice
) -> Plan:
    """Draw the mask of one window (C, T, F)."""
    if channels > 1 and choice.task is None and uniform(0, 1, generator) < MONO_CHANCE:
        channels = 1
    task = choice.task or choose(TASKS, generator)
    if channels == 1 and task in ("channel", "place-channel"):
        task = "cut"
    order = choice.order or choose(order_weights(), generator)
    reverse = uniform(0, 1, generator) <= REVERSE_CHANCE.get(order, 0.4)
    key = ordering_keys(order, grid.abs(), random_plane(grid, generator), reverse)
    mask = draw_region(task, grid, channels, space, generator)
    mask[channels:] = False
    noise = None if order == "random" else random_plane(grid, generator)
    share = choice.reveal
    if share is None:
        nothing = uniform(0, 1, generator) < NOTHING_REVEALED
        share = 0.0 if nothing else uniform(0, 0.95, generator)
    return Plan(task, channels, order, reverse, mask, key, noise, share)


def _still_hidden(plan: Plan) -> Tensor:
    """(C, T, F) bool: the region without the share that the ordering reveals."""
    if not plan.share or plan.task in PLACEMENT:
        return plan.mask
    return plan.mask & (plan.key >= _value_at(plan.key, plan.mask, plan.share))


def _rank(plan: Plan, grid: Tensor, envelope_std: Tensor) -> Tensor:
    """(C, T, F) position in the ordering: as in sampling, of the expected level where hidden."""
    if plan.noise is None:
        return plan.key
    magnitude = torch.where(plan.mask, envelope_std, grid.abs())
    return ordering_keys(plan.order, magnitude, plan.noise, plan.reverse)


def ordering_keys(order: str, magnitude: Tensor, noise: Tensor, reverse: bool = False) -> Tensor:
    """(C, T, F) sort keys of an ordering: `orderings.sort_key` on any device.

    The sampler sorts by predicted levels, which are wrong by some decibels: noise imitates this.
    Orderings that sort all atoms do so on the host.
    """
    if order == "random":
        key = noise
    elif order == "velocity":
        key = 6 * noise - 20 * torch.log10(magnitude + 1e-9)
    elif order in AXES:
        axis = AXES.index(order)
        shape = [-1 if n == axis else 1 for n in range(3)]
        place = torch.arange(magnitude.shape[axis], dtype=torch.float32, device=magnitude.device)
        key = place.view(shape) + 0.5 * noise
    else:
        sorted_there = sort_key(order, magnitude.cpu().numpy(), noise.cpu().numpy())
        key = torch.from_numpy(sorted_there).to(magnitude.device)
    return -key if reverse else key


def _predict(plans: list[Plan], grid: Tensor, space: AtomSpace) -> Priors:
    """Priors of windows (B, C, T, F), given what is known before anything is revealed.

    A GPU predicts all windows at once, a CPU one after the other, which saves what they do not
    need. Tasks of placement have no prior.
    """
    planes = grid.new_zeros((3, *grid.shape))
    wanted = [b for b, plan in enumerate(plans) if plan.task not in PLACEMENT]
    for part in [[b] for b in wanted] if devices.is_host(grid) else [wanted][: len(wanted)]:
        index = devices.send(torch.tensor(part), grid.device)
        chosen = [plans[b] for b in part]
        planes.index_copy_(1, index, _prior_planes(chosen, grid.index_select(0, index), space))
    return Priors(*planes)


def _prior_planes(plans: list[Plan], grid: Tensor, space: AtomSpace) -> Tensor:
    """(3, B, C, T, F): the priors of windows (B, C, T, F), one window on a CPU."""
    hidden = torch.stack([plan.mask for plan in plans])
    channels = torch.tensor([plan.channels for plan in plans])
    present = torch.arange(grid.shape[1]) < channels[:, None]
    there = devices.send(present, grid.device)[:, :, None, None]
    known = there & ~hidden
    envelope_std = envelope_batch.envelope_std(grid, known, present)
    if any(plan.task == "loudness" for plan in plans):
        loudness = devices.send(
            torch.tensor([plan.task == "loudness" for plan in plans]), grid.device
        )
        envelope_std = _bounded(envelope_std, (grid.abs() * there, known, hidden), loudness, space)
    if devices.is_host(grid):
        part = slice(plans[0].channels)
        bound = grid[0, part].abs() if plans[0].task == "sign" else None
        alone = wiener.interpolate(grid[0, part], hidden[0, part], bound, space.window)
        out = grid.new_zeros((3, *grid.shape))
        out[2] = envelope_std
        if alone is not None:
            out[0, 0, part], out[1, 0, part] = alone.amplitude, alone.prior_std
        return out
    out = torch.stack([torch.zeros_like(grid), torch.zeros_like(grid), envelope_std])
    predicted = [b for b, plan in enumerate(plans) if plan.task not in UNPREDICTABLE]
    if predicted:
        index = devices.send(torch.tensor(predicted), grid.device)
        signs = torch.tensor([plans[b].task == "sign" for b in predicted])
        grid, hidden, there = (x.index_select(0, index) for x in (grid, hidden, there))
        is_bound = devices.send(signs, grid.device)[:, None, None, None]
        bounds = torch.where(is_bound, grid.abs(), torch.inf)
        found = wiener.interpolate_batch(grid * there, hidden, bounds, space.window)
        out[0].index_copy_(0, index, found.amplitude * there)
        out[1].index_copy_(0, index, found.prior_std * there)
    return out


def _statistics(
    plans: list[Plan], windows: Windows, reference: Tensor, space: AtomSpace
) -> Tensor | None:
    """(B, FEATURES, BANDS) what is known of the whole recording before anything is revealed.

    None for windows without surroundings. Tasks of placement have no statistics, as in fills.
    """
    around, frames = windows.surroundings, windows.grid.shape[2]
    if around is None:
        return None
    device = windows.grid.device
    there = torch.stack([_known_around(plan, space) for plan in plans])
    full = there[:, :, None] & around.there[:, None, :, None]
    known = torch.stack(
        [plan.mask & False if plan.task in PLACEMENT else _known_levels(plan) for plan in plans]
    )
    window = slice(around.first, around.first + frames)
    powers = around.powers.clone()
    powers[:, :, window], full[:, :, window] = band_context.band_powers(windows.grid, known, space)
    after = torch.tensor([plan.task == "suffix" for plan in plans])
    full[:, :, window.stop :] &= ~devices.send(after, device)[:, None, None, None]
    return band_context.scaled(band_context.statistics(powers, full), reference.flatten())


def _known_levels(plan: Plan) -> Tensor:
    """(C, T, F) bool: atoms whose velocities are known before anything is revealed."""
    there = torch.arange(len(plan.mask), device=plan.mask.device) < plan.channels
    return there[:, None, None] & (~plan.mask | (plan.task == "sign"))


def _known_around(plan: Plan, space: AtomSpace) -> Tensor:
    """(C, BANDS) bool: bands that are known around a window, where its task hides atoms, too.

    What a suffix hides after the window is left to `_statistics`.
    """
    if plan.task in UNPREDICTABLE:  # the same bins and channels are hidden everywhere
        return band_context.known_bands(_known_levels(plan).any(1), space)
    known = torch.zeros_like(plan.mask[:, 0])
    known[: plan.channels] = plan.task not in (*SCATTERED, *PLACEMENT)
    return band_context.known_bands(known, space)


def _bounded(
    std: Tensor, atoms: tuple[Tensor, Tensor, Tensor], loudness: Tensor, space: AtomSpace
) -> Tensor:
    """Deviations, replaced in windows in which all hidden atoms are quieter than the known ones.

    atoms     magnitudes, known and hidden atoms of B windows, each (B, C, T, F)
    loudness  (B,) windows whose atoms were selected by loudness
    """
    magnitude, known, hidden = atoms
    axes = (1, 2, 3)
    audible = magnitude > magnitude.amax(axes, keepdim=True) * 10 ** (space.floor_db / 20)
    threshold = torch.where(known & audible, magnitude, torch.inf).amin(axes)
    loudest = torch.where(hidden, magnitude, 0).amax(axes)
    is_bound = loudness & (loudest <= threshold) & (threshold < torch.inf)
    if not devices.may_be_any(is_bound):
        return std
    kept = known & (magnitude >= threshold[:, None, None, None])
    return torch.where(
        is_bound[:, None, None, None], envelope_batch.censored_std(kept, threshold), std
    )


def _reference(grid: Tensor, known: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 1, 1, 1) reference of every window: its loudest known atom, sometimes a louder one.

    In sampling, a neighbouring window may set it.
    """
    batch, magnitude = len(grid), grid.abs()
    loudest = (magnitude * known).amax((1, 2, 3))
    floor = magnitude.amax((1, 2, 3)) * 10 ** (REFERENCE_FLOOR_DB / 20)
    reference = torch.maximum(loudest, floor).clamp(min=1e-6)
    louder_db = torch.rand(batch, generator=generator) * LOUDER_DB
    louder_db = louder_db * (torch.rand(batch, generator=generator) < LOUDER_CHANCE)
    return (reference * devices.send(10 ** (louder_db / 20), grid.device))[:, None, None, None]


def _unplace(batch: Batch, hidden: Tensor, space: AtomSpace, g: torch.Generator) -> Batch:
    """Turn hidden audible atoms of the tasks of placement into unplaced ones.

    At most MAX_UNPLACED of a window; the others are revealed in place.
    """
    windows = [b for b, name in enumerate(batch.task) if name in PLACEMENT]
    if not windows:
        return batch
    state, device = batch.state, batch.velocity.device
    unknown = devices.send(torch.tensor([f.cardinality for f in space.features]), device)
    unplaced = unknown.expand(len(batch.task), MAX_UNPLACED, 5).clone()
    valid = torch.zeros(len(batch.task), MAX_UNPLACED, dtype=torch.bool, device=device)
    position = torch.zeros(len(batch.task), MAX_UNPLACED, 3, dtype=torch.long, device=device)
    for b in windows:
        audible = hidden[b] & (batch.velocity[b] > 0)
        key = torch.where(audible, random_plane(audible, g), 2.0).flatten()
        chosen = key.topk(min(MAX_UNPLACED, key.numel()), largest=False)
        rest = audible & (key > chosen.values[-1]).view_as(audible)
        state.velocity_known[b] |= rest
        state.sign_known[b] |= rest
        place = torch.stack(devices.places(chosen.indices, audible.shape), 1)
        c, t, f = place.unbind(1)
        atoms = torch.stack([t, f, c, batch.velocity[b, c, t, f], batch.sign[b, c, t, f]], 1)
        axis = list(PLACEMENT).index(batch.task[b])  # time, frequency, channel
        atoms[:, axis] = unknown[axis]
        there = chosen.values < 2
        unplaced[b, : len(place)] = torch.where(there[:, None], atoms, unknown)
        valid[b, : len(place)], position[b, : len(place)] = there, place * there[:, None]
    state = replace(state, unplaced=unplaced, unplaced_valid=valid)
    target_mask = batch.target_mask & state.unknown("velocity")
    return replace(batch, state=state, target_mask=target_mask, unplaced_position=position)
