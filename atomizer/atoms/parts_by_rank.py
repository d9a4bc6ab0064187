"""Parts of the atoms of a sound: by rank, at random, by frames, or by beats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import AtomizerError
from .transience import transience

# parts that need the frames and bins of the MDCT
OF_GRIDS = ("transients", "steady", "every", "beats")
LOWEST = ("quietest", "steady")  # the first atoms in the order of their rank, not the last


@dataclass(frozen=True)
class Part:
    """A part of the atoms, chosen by rank, at random, by frames, or by beats.

    kind    one of
            random, quietest, loudest  `amount` percent of the audible atoms
            transients, steady         likewise, those that are most alike those beside them in
                                       frequency, or in time (see `transience`)
            keep                       all but the `amount` loudest atoms per second (of all
                                       channels together), and all inaudible cells: the places of
                                       the other atoms become unknown, too
            every                      each `amount`-th frame, with its inaudible cells
            beats                      one of each `amount` beats, from its attack to the next:
                                       spans of time, which `Selection.with_beats` finds
    amount  percent, atoms per second, frames, or beats
    which   of the beats, from 1; 0 for the last
    """

    kind: str
    amount: float
    which: int = 0

    @property
    def text(self) -> str:
        """The specification that `parse` takes."""
        which = f",{self.which}" if self.which else ""
        return f"{self.kind}:{self.amount!r}".removesuffix(".0") + which

    def spans(self, beats: np.ndarray, end: float) -> list[tuple[float, float]]:
        """(start, end) in seconds of the chosen beats.

        beats  times of all beats in seconds, two at least
        end    of the sound, in seconds
        """
        after = 2 * beats[-1] - beats[-2]  # the last beat is as long as the one before it
        edges = np.append(beats, min(float(after), end))
        first = int((self.which or self.amount) - 1)
        chosen = range(first, len(beats), int(self.amount))
        spans = [(float(edges[n]), float(edges[n + 1])) for n in chosen]
        return [(start, stop) for start, stop in spans if start < stop]

    def mask(
        self,
        magnitude: np.ndarray,
        audible: np.ndarray,
        recorded: np.ndarray,
        seconds: float,
        seed: int,
    ) -> np.ndarray:
        """Bool mask of the shape of `magnitude`.

        magnitude  (channels, frames, bins) or (N,) float, magnitudes of cells or of N atoms
        audible    bool of the same shape
        recorded   bool, broadcasts to that shape: within the bandwidth of the recording
        seconds    duration of the sound
        seed       of the random part

        Raises AtomizerError for a part that is of grids alone, if there are N atoms.
        """
        if self.kind in OF_GRIDS and magnitude.ndim == 1:
            raise AtomizerError(
                f"The part {self.kind!r} is made of atoms of the MDCT: choose these atoms, or"
                " another part."
            )
        if self.kind == "every":
            frames = np.arange(1, magnitude.shape[1] + 1) % int(self.amount) == 0
            return frames[:, None] & np.broadcast_to(recorded, magnitude.shape)
        candidates = np.flatnonzero(audible)
        if self.kind == "keep":
            descending = np.argsort(-magnitude.ravel()[candidates], kind="stable")
            kept = candidates[descending[: round(self.amount * seconds)]]
            out = np.broadcast_to(recorded, audible.shape).flatten()  # `ravel` may be read-only
            out[kept] = False
            return out.reshape(audible.shape)
        count = round(self.amount / 100 * len(candidates))
        if self.kind == "random":
            chosen = np.random.default_rng(seed).permutation(len(candidates))[:count]
        else:
            rank = transience(magnitude) if self.kind in OF_GRIDS else magnitude
            ascending = np.argsort(rank.ravel()[candidates], kind="stable")
            start = 0 if self.kind in LOWEST else len(candidates) - count
            chosen = ascending[start : start + count]
        out = np.zeros(audible.size, bool)
        out[candidates[chosen]] = True
        return out.reshape(audible.shape)
