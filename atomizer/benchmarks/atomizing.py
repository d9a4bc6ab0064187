"""From samples to ordered atoms and back, beside the same by plain numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from ..analysis import MDCTAtomizer
from ..atoms.atoms import Atoms
from ..atoms.orderings import order
from .records import Missing, Record
from .timing import compare, medians, with_peers
from .transform import noise, plain_imdct, plain_mdct

COUNT = 1_000_000
PLAIN = "plain transform + np.lexsort"
TIES = ("channel", "frequency", "time")  # least significant key first
# keys of np.lexsort beside `TIES`, least significant first, that give the same ordering
KEYS: dict[str, Callable[[Atoms], tuple[np.ndarray, ...]]] = {
    "time": lambda atoms: (),
    "frequency": lambda atoms: (atoms.frequency,),
    "velocity": lambda atoms: (-np.abs(atoms.amplitude), -atoms.velocity),
    "channel": lambda atoms: (atoms.channel,),
    "random": lambda atoms: (),
}


def plain_order(atoms: Atoms, by: str) -> np.ndarray:
    """Permutation of an ordering, by np.lexsort."""
    permutation = np.lexsort((*(getattr(atoms, name) for name in TIES), *KEYS[by](atoms)))
    return (
        permutation[np.random.default_rng(0).permutation(len(atoms))]
        if by == "random"
        else permutation
    )


def atomize() -> Iterator[Record | Missing]:
    """Samples to atoms, the loudest first."""
    x, atomizer = noise(10), MDCTAtomizer()

    def ours():
        atoms = atomizer.analyse(x)
        return atoms[order(atoms, "velocity")]

    def plain():
        atoms = Atoms.from_grid(plain_mdct(x), atomizer.space, x.shape[1])
        return atoms[plain_order(atoms, "velocity")]

    yield from compare("atomize_10s_stereo_s", ours, {PLAIN: plain}, repeats=9)


def synthesise() -> Iterator[Record | Missing]:
    """Atoms, the loudest first, to samples."""
    x, atomizer = noise(10), MDCTAtomizer()
    atoms = atomizer.analyse(x)
    atoms = atoms[order(atoms, "velocity")]
    yield from compare(
        "synthesise_10s_stereo_s",
        lambda: atomizer.synthesise(atoms, 2),
        {"plain transform": lambda: plain_imdct(atoms.to_grid()[:2], atoms.length)},
        repeats=9,
    )


def ordering() -> Iterator[Record]:
    """The slowest of all orderings, of atoms in random order."""
    atoms = MDCTAtomizer().analyse(noise(12))[:COUNT]
    atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    ours = {by: partial(order, atoms, by) for by in KEYS}
    found = medians(
        {**ours, **{f"lexsort {by}": partial(plain_order, atoms, by) for by in KEYS}}, 5
    )
    slowest = max(ours, key=found.__getitem__)
    yield from with_peers(
        "order_1m_atoms_s",
        found[slowest],
        "s",
        {f"np.lexsort, by {slowest}": found[f"lexsort {slowest}"]},
    )


BENCHMARKS = {
    "atomize_10s_stereo_s": atomize,
    "synthesise_10s_stereo_s": synthesise,
    "order_1m_atoms_s": ordering,
}
