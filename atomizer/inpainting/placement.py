"""Placing: atoms that have lost their time, frequency or channel find places again, by the model's pointer.

Every loose atom scores the free places that its known features allow and takes one of them; one atom per bin and channel. Atoms
have their turn in the chosen ordering, so that early ones take first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from ..atoms.atoms import Atoms
from ..atoms.orderings import order
from ..atoms.space import FEATURES, AtomSpace
from ..errors import AtomizerError
from ..limits import limits
from ..model import AtomTransformer
from ..model.inference import decode, encode, ordering_for, point
from .fill import Step
from .settings import Resolved
from .state import Canvas, Window
from .task import Task

PLACES = FEATURES[:3]
AT_ONCE = 1024  # loose atoms that the Transformer reads in one go


def place(
    task: Task, settings: Resolved, model: AtomTransformer, trunk: bool = True
) -> Iterator[Step]:
    """Place the audible selected atoms, whose `task.features` are unknown, among the selected places.

    Yields a Step after each of settings.steps; selected places that no atom took are silent in the last. Velocities and signs that are
    unknown too are those of `stand_in`.
    Raises AtomizerError where the atoms and places are too many.
    """
    atoms = loose_atoms(task)
    lost = [name in task.features for name in PLACES]
    canvas = Canvas(
        task, ~task.mask, ~task.mask, predicts=False, ordering=ordering_for(model, settings)
    )
    windows = canvas.windows(task.mask, model.config.space.frames)
    free = task.mask.copy()
    check_pairs(atoms, free, lost)
    turn = order(known_only(atoms), settings.order, settings.reverse, settings.seed)
    generator = np.random.default_rng(settings.seed)
    grid = task.erased()
    for number in range(1, settings.steps + 1):
        now = atoms[
            turn[
                len(atoms) * (number - 1) // settings.steps : len(atoms) * number // settings.steps
            ]
        ]
        scores = [
            s for w in windows for s in score_window(canvas, w, now, free, lost, model, trunk)
        ]
        for at, amplitude in assign(now, scores, settings, generator):
            grid[at] = amplitude
            free[at] = False
            canvas.magnitude[at], canvas.positive[at] = abs(amplitude), amplitude >= 0
            canvas.velocity_known[at] = "velocity" not in task.features
            canvas.sign_known[at] = "sign" not in task.features
        last = number == settings.steps
        yield Step(
            number, settings.steps, grid.copy(), task.mask.copy() if last else task.mask & ~free
        )


def loose_atoms(task: Task) -> Atoms:
    """The audible selected atoms in an order that their unknown features have no part in, nor have these in their amplitudes."""
    reference = task.reference or float(np.abs(task.grid).max(initial=0))
    audible = task.mask & (task.space.quantise(task.grid, reference) > 0)
    atoms = Atoms.from_grid(task.grid, task.space, task.length, reference, audible)
    atoms = atoms.with_unknown(np.ones(len(atoms), bool), task.features)
    visible = known_only(atoms, stand_in(task))
    atoms.amplitude = visible.amplitude
    return atoms[np.lexsort((visible.amplitude, visible.channel, visible.frequency, visible.time))]


def stand_in(task: Task) -> float:
    """The magnitude, above 0, of a placed atom until its velocity is found: the median of the audible atoms outside the selection.

    Where there are none, as quiet as can be heard. A fill that is stopped is heard so, and must not hold what was hidden.
    """
    known = np.abs(task.grid[~task.mask])
    heard = known[task.space.quantise(known, task.reference) > 0]
    return (
        float(np.median(heard))
        if len(heard)
        else float(task.space.amplitude(np.array(1), task.reference or 1.0))
    )


def known_only(atoms: Atoms, magnitude: float = 1.0) -> Atoms:
    """The atoms with every unknown feature set to zero: what an ordering may look at. Unknown velocities have `magnitude`, unknown signs are positive."""
    out = atoms[:]
    for name in FEATURES:
        setattr(out, name, np.where(atoms.is_unknown(name), 0, getattr(atoms, name)))
    loud = np.where(atoms.is_unknown("velocity"), magnitude, np.abs(atoms.amplitude))
    out.amplitude = (loud * np.where(atoms.is_unknown("sign"), 1, np.sign(atoms.amplitude))).astype(
        np.float32
    )
    return out


def groups_of(
    lost: list[bool], time: np.ndarray, frequency: np.ndarray, channel: np.ndarray
) -> np.ndarray:
    """One number per atom or place, equal where the known ones of its coordinates are equal."""
    t, f, c = (
        np.where(gone, 0, value).astype(np.int64)
        for gone, value in zip(lost, (time, frequency, channel))
    )
    return (t << 28) + (f << 8) + c


def check_pairs(atoms: Atoms, free: np.ndarray, lost: list[bool]) -> None:
    """Raise AtomizerError where there are more pairs of atom and place than can be scored."""
    c, t, f = np.nonzero(free)
    group, count = np.unique(groups_of(lost, t, f, c), return_counts=True)
    mine = groups_of(lost, atoms.time, atoms.frequency, atoms.channel)
    pairs = int(count[np.searchsorted(group, mine)].sum()) if len(mine) else 0
    if pairs > limits().pairs:
        raise AtomizerError(
            f"{len(atoms):,} atoms among their possible places make {pairs:.1e} pairs, more than the {limits().pairs:.1e} "
            "that are accepted: select a smaller region, or let fewer of time, frequency and channel be unknown."
        )


def score_window(
    canvas: Canvas,
    window: Window,
    atoms: Atoms,
    free: np.ndarray,
    lost: list[bool],
    model: AtomTransformer,
    trunk: bool,
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Scores of the free places that a window decides on, for the atoms that fit there.

    Yields (index of an atom, places (n, 3) of channel, frame and bin where it fits, scores (n,)).
    """
    space = model.config.space
    decided = np.array(window.channels[: window.decides])
    c, t, f = np.nonzero(free[decided, window.first : window.last])
    places = np.stack([decided[c], t + window.first, f], 1)
    seats = np.stack(
        [c, t + window.first - window.start, f], 1
    )  # the same places, as the window counts them
    place_group = groups_of(lost, places[:, 1], places[:, 2], places[:, 0])
    atom_group = groups_of(lost, atoms.time, atoms.frequency, atoms.channel)
    fitting = np.flatnonzero(np.isin(atom_group, place_group))
    wanted = np.flatnonzero(np.isin(place_group, atom_group))
    # atoms and places of one group side by side: a batch of atoms then fits a short run of places
    fitting = fitting[np.argsort(atom_group[fitting], kind="stable")]
    wanted = wanted[np.argsort(place_group[wanted], kind="stable")]
    places, seats, place_group = places[wanted], seats[wanted], place_group[wanted]
    first, last = (np.searchsorted(place_group, atom_group, side) for side in ("left", "right"))
    state = canvas.state(window, space)
    for at in range(0, len(fitting), AT_ONCE):
        index = fitting[at : at + AT_ONCE]
        values = loose_values(canvas, window, atoms[index], space)
        state.unplaced, state.unplaced_valid = values[None], torch.ones(1, len(values), dtype=torch.bool)
        context = encode(model, state, trunk)
        start = first[index[0]]
        parts = decode(model, context, seats[start : last[index[-1]]], chunk=8192)
        score = np.concatenate(
            [point(model, context.unplaced[0], values, part) for _, part in parts], 1
        )
        for row, i in enumerate(index):
            yield int(i), places[first[i] : last[i]], score[row, first[i] - start : last[i] - start]


def loose_values(canvas: Canvas, window: Window, atoms: Atoms, space: AtomSpace) -> torch.Tensor:
    """(K, 5) feature values of loose atoms as a window counts them, a feature's cardinality for ∅."""
    seat = {channel: n for n, channel in enumerate(window.channels)}
    channel = np.array([seat.get(int(c), 0) for c in atoms.channel])
    level = canvas.space.quantise(atoms.amplitude, canvas.reference(window, space.frames))
    values = np.stack([atoms.time - window.start, atoms.frequency, channel, level, atoms.sign], 1)
    unknown = np.stack([atoms.is_unknown(name) for name in FEATURES], 1)
    cardinality = np.array([feature.cardinality for feature in space.features])
    return torch.from_numpy(np.where(unknown, cardinality, values).astype(np.int64))


def assign(
    atoms: Atoms,
    scores: Iterable[tuple[int, np.ndarray, np.ndarray]],
    settings: Resolved,
    generator: np.random.Generator,
) -> Iterator[tuple[tuple[int, int, int], float]]:
    """Give every atom, in turn, a place of its own: the best by score plus Gumbel noise, which samples the softmax."""
    options: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for i, places, score in scores:
        options.setdefault(i, []).append(
            (places, score + settings.temperature * generator.gumbel(size=len(score)))
        )
    taken: set[tuple[int, int, int]] = set()
    for i in sorted(options):
        places, noisy = (np.concatenate(parts) for parts in zip(*options[i]))
        for best in np.argsort(-noisy, kind="stable"):
            channel, frame, bin_ = (int(v) for v in places[best])
            at = channel, frame, bin_
            if at not in taken:
                taken.add(at)
                yield at, float(atoms.amplitude[i])
                break
