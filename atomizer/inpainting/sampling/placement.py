"""Placement: atoms of unknown time, frequency or channel get a place from the model's pointer.

Every unplaced atom scores the free places that its known features allow. The atoms of a step are
placed together, one atom per place, so that their scores add up to the most; those of later steps,
in the chosen ordering, see where the earlier ones are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from ...atoms.atoms import Atoms
from ...atoms.orderings import order
from ...atoms.space import FEATURES, AtomSpace
from ...errors import AtomizerError
from ...limits import limits
from ...model.inference import AtomModel, decode, encode, point
from ..settings import Resolved, model_ordering
from ..step import Step
from ..task import Task
from .state import Conditioning, FillState
from .windows import Window

LOCATIONS = FEATURES[:3]  # the features that say where an atom is
ATOMS_AT_ONCE = 1024  # unplaced atoms in one input of the Transformer
PLACES_AT_ONCE = 8192  # places that are decoded together
PAIRS_AT_ONCE = 1 << 20  # pairs of an atom and a place that are assigned together: a second

Place = tuple[int, int, int]  # channel, frame, bin
Scores = tuple[int, np.ndarray, np.ndarray]  # index of an atom, places (n, 3), scores (n,)


@dataclass
class Placement:
    """A placement in progress. Shapes: C channels, T frames, F bins.

    free     (C, T, F) bool: selected places without an atom
    missing  for time, frequency and channel: whether it is unknown
    """

    state: FillState
    model: AtomModel
    free: np.ndarray
    missing: list[bool]


def place(task: Task, settings: Resolved, model: AtomModel) -> Iterator[Step]:
    """Place the audible selected atoms, whose `task.features` are unknown, at selected places.

    Yields a Step after each of settings.steps; selected places that no atom took are silent in the
    last. Unknown velocities and signs are placeholders (`placeholder_level`).
    Raises AtomizerError where there are too many atoms and places.
    """
    atoms = unplaced_atoms(task)
    missing = [name in task.features for name in LOCATIONS]
    conditioning = Conditioning(model_ordering(model, settings), use_priors=False)
    state = FillState(task, task.mask, conditioning=conditioning)
    placement = Placement(state, model, task.mask.copy(), missing)
    windows = state.windows(task.mask, model.config.space.frames)
    check_pairs(atoms, placement.free, missing)
    turn = order(known_only(atoms), settings.order, settings.reverse, settings.seed)
    generator = np.random.default_rng(settings.seed)
    # the least error, as of amplitudes, is that of the most likely places
    temperature = 0.0 if settings.amplitudes == "expected" else settings.temperature
    grid = task.erased()
    for number in range(1, settings.steps + 1):
        first = len(atoms) * (number - 1) // settings.steps
        chosen = atoms[turn[first : len(atoms) * number // settings.steps]]
        scores = [s for w in windows for s in score_window(placement, w, chosen)]
        groups = group_numbers(missing, chosen.time, chosen.frequency, chosen.channel)
        for index, at in assign(groups, scores, temperature, generator):
            amplitude = float(chosen.amplitude[index])
            grid[at] = amplitude
            placement.free[at] = False
            state.magnitude[at], state.positive[at] = abs(amplitude), amplitude >= 0
            state.velocity_known[at] = "velocity" not in task.features
            state.sign_known[at] = "sign" not in task.features
        last = number == settings.steps
        revealed = task.mask.copy() if last else task.mask & ~placement.free
        yield Step(number, settings.steps, grid.copy(), revealed)


def unplaced_atoms(task: Task) -> Atoms:
    """The audible selected atoms, without a trace of their unknown features.

    Neither their order nor their amplitudes depend on these.
    """
    reference = task.reference or float(np.abs(task.grid).max(initial=0))
    audible = task.mask & (task.space.quantise(task.grid, reference) > 0)
    atoms = Atoms.from_grid(task.grid, task.space, task.length, reference, audible)
    atoms = atoms.with_unknown(np.ones(len(atoms), bool), task.features)
    visible = known_only(atoms, placeholder_level(task))
    atoms.amplitude = visible.amplitude
    keys = (visible.amplitude, visible.channel, visible.frequency, visible.time)
    return atoms[np.lexsort(keys)]


def placeholder_level(task: Task) -> float:
    """Magnitude, above 0, of a placed atom of unknown velocity until that is predicted.

    It is the median of the audible atoms outside the selection, or, where there are none, the
    quietest audible level: a stopped fill is heard with it, and must not reveal what was hidden.
    """
    known = np.abs(task.grid[~task.mask])
    audible = known[task.space.quantise(known, task.reference) > 0]
    if len(audible):
        return float(np.median(audible))
    return float(task.space.amplitude(np.array(1), task.reference or 1.0))


def known_only(atoms: Atoms, magnitude: float = 1.0) -> Atoms:
    """The atoms with every unknown feature set to zero: what an ordering may depend on.

    Unknown velocities become `magnitude`, unknown signs positive.
    """
    out = atoms[:]
    for name in FEATURES:
        setattr(out, name, np.where(atoms.is_unknown(name), 0, getattr(atoms, name)))
    loud = np.where(atoms.is_unknown("velocity"), magnitude, np.abs(atoms.amplitude))
    sign = np.where(atoms.is_unknown("sign"), 1, np.sign(atoms.amplitude))
    out.amplitude = (loud * sign).astype(np.float32)
    return out


def group_numbers(
    missing: list[bool], time: np.ndarray, frequency: np.ndarray, channel: np.ndarray
) -> np.ndarray:
    """One number per atom or place, equal where all known coordinates are equal."""
    t, f, c = (
        np.where(unknown, 0, value).astype(np.int64)
        for unknown, value in zip(missing, (time, frequency, channel))
    )
    return (t << 28) + (f << 8) + c


def check_pairs(atoms: Atoms, free: np.ndarray, missing: list[bool]) -> None:
    """Raise AtomizerError where there are too many pairs of atom and place to score."""
    c, t, f = np.nonzero(free)
    group, count = np.unique(group_numbers(missing, t, f, c), return_counts=True)
    own = group_numbers(missing, atoms.time, atoms.frequency, atoms.channel)
    pairs = int(count[np.searchsorted(group, own)].sum()) if len(own) else 0
    if pairs > limits().pairs:
        raise AtomizerError(
            f"{len(atoms):,} atoms and their possible places make {pairs:.1e} pairs, more than the "
            f"{limits().pairs:.1e} that are accepted: select a smaller region, "
            "or let fewer of time, frequency and channel be unknown."
        )


def score_window(placement: Placement, window: Window, atoms: Atoms) -> Iterator[Scores]:
    """Score the free target places of a window for the atoms that fit there."""
    state, model, missing = placement.state, placement.model, placement.missing
    space = model.config.space
    channel, frame, bin_ = window.targets(placement.free)
    window_positions = np.stack([channel, frame, bin_], 1)
    places = np.stack([window.target_channels[channel], frame + window.start, bin_], 1)
    place_group = group_numbers(missing, places[:, 1], places[:, 2], places[:, 0])
    atom_group = group_numbers(missing, atoms.time, atoms.frequency, atoms.channel)
    fitting = np.flatnonzero(np.isin(atom_group, place_group))
    wanted = np.flatnonzero(np.isin(place_group, atom_group))
    # atoms and places of a group side by side: a batch of atoms then fits a short run of places
    fitting = fitting[np.argsort(atom_group[fitting], kind="stable")]
    wanted = wanted[np.argsort(place_group[wanted], kind="stable")]
    places, window_positions = places[wanted], window_positions[wanted]
    place_group = place_group[wanted]
    first, stop = (np.searchsorted(place_group, atom_group, side) for side in ("left", "right"))
    model_input = state.model_input(window, space)
    for start in range(0, len(fitting), ATOMS_AT_ONCE):
        index = fitting[start : start + ATOMS_AT_ONCE]
        values = unplaced_values(state, window, atoms[index], space)
        model_input.unplaced = values[None]
        model_input.unplaced_valid = torch.ones(1, len(values), dtype=torch.bool)
        context = encode(model, model_input)
        low, high = first[index[0]], stop[index[-1]]
        decoded = decode(model, context, window_positions[low:high], chunk=PLACES_AT_ONCE)
        parts = [point(model, context.unplaced[0], values, part) for _, part in decoded]
        score = np.concatenate(parts, 1)
        for row, i in enumerate(index):
            own = slice(first[i], stop[i])
            yield int(i), places[own], score[row, own.start - low : own.stop - low]


def unplaced_values(
    state: FillState, window: Window, atoms: Atoms, space: AtomSpace
) -> torch.Tensor:
    """(K, 5) features of unplaced atoms relative to a window; ∅ is a feature's cardinality."""
    index_of = {channel: n for n, channel in enumerate(window.channels)}
    channel = np.array([index_of.get(int(c), 0) for c in atoms.channel])
    level = state.space.quantise(atoms.amplitude, state.reference(window))
    values = np.stack([atoms.time - window.start, atoms.frequency, channel, level, atoms.sign], 1)
    unknown = np.stack([atoms.is_unknown(name) for name in FEATURES], 1)
    cardinality = np.array([feature.cardinality for feature in space.features])
    return torch.from_numpy(np.where(unknown, cardinality, values).astype(np.int64))


def assign(
    groups: np.ndarray,
    scores: Iterable[Scores],
    temperature: float,
    generator: np.random.Generator,
) -> Iterator[tuple[int, Place]]:
    """Give every atom a place of its own.

    At temperature 0 the atoms of a group get the places whose scores add up to the most: the most
    likely ones for all of them. Gumbel noise on the scores makes this a draw (Papandreou & Yuille
    2011, "Perturb-and-MAP random fields"). Of large groups `PAIRS_AT_ONCE` are assigned at once, in
    the order of the atoms.

    groups  (atoms,) number of each atom, equal for atoms that can have the same places
    Yields the index of an atom and its place.
    """
    options: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i, places, score in scores:
        noisy = score + temperature * generator.gumbel(size=len(score)) if temperature else score
        options.setdefault(i, []).append((places, noisy))
    members: dict[int, list[int]] = {}
    for i in sorted(options):
        members.setdefault(int(groups[i]), []).append(i)
    for group in members.values():
        free = np.concatenate([places for places, _ in options[group[0]]])
        columns = np.arange(len(free))
        at_once = max(1, PAIRS_AT_ONCE // len(free))
        for start in range(0, len(group), at_once):
            block = group[start : start + at_once]
            score = np.stack([np.concatenate([s for _, s in options[i]])[columns] for i in block])
            rows, taken = linear_sum_assignment(score, maximize=True)
            for row, place in zip(rows, free[columns[taken]]):
                channel, frame, bin_ = (int(v) for v in place)
                yield block[row], (channel, frame, bin_)
            columns = np.delete(columns, taken)
