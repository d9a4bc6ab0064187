"""The canvas: everything that is known of a whole sound while it is being filled, and the windows that the model sees of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, maximum_filter1d, minimum_filter1d

from ..atoms.orderings import serial_key
from ..atoms.space import AtomSpace
from ..model import State
from ..priors import wiener
from ..priors.spectral_envelope import (
    bin_sums,
    censored_deviation,
    intermittence,
    interpolated_power,
    log_power,
)
from .presets import PURPOSES
from .task import Task

REFERENCE_FLOOR_DB = -50.0  # a window's reference never lies further below the sound's
_OWNED = 0.75  # share of a window's frames that it decides on, where all of the sound is to be filled; the rest is context
_OWNED_LOCALLY = 0.5  # the same where the surroundings are known and worth seeing
_NEAR_BINS = 5  # bins whose loudest known atom bounds an unknown one
_ENOUGH = 8  # known frames from which the habits of a bin, or of a window, can be told
_MARGIN = 2.0  # how much louder than its surroundings an atom may be, 6 dB
CONTEXT = 192  # frames to either side of a window whose levels count where the window itself knows nothing of a bin
_FAR = 32  # frames from the nearest known one at which the model knows nothing that its surroundings' levels do not say better
_ESTIMATES = 64  # windows whose Wiener estimate is kept for the next step


@dataclass(frozen=True)
class Window:
    """What the model looks at in one go.

    start        first frame of the window, may lie outside of the sound
    first, last  frames that it decides on (last excluded)
    channels     channels that it sees; decides: how many of them, from the first, it decides on
    """

    start: int
    first: int
    last: int
    channels: tuple[int, ...]
    decides: int


class Canvas:
    """Known magnitudes and signs of a sound's grid; unknown ones are zero here, so that nothing hidden can be read.

    magnitude, positive           (C, T, F) float32 and bool; where not yet known, what a step that is under way has found
    velocity_known, sign_known    (C, T, F) bool
    given                         (C, T, F) bool, known from the start
    """

    def __init__(
        self,
        task: Task,
        velocity_known: np.ndarray,
        sign_known: np.ndarray,
        predicts: bool = True,
        ordering: tuple[str, bool, int] | None = None,
    ):
        """predicts: whether windows come with `beliefs`; ordering: name, reverse and seed of the one that windows come with"""
        self.space = task.space
        self.velocity_known, self.sign_known = velocity_known.copy(), sign_known.copy()
        self.magnitude = np.where(velocity_known, np.abs(task.grid), np.float32(0))
        self.positive = sign_known & (task.grid >= 0)
        self.ordering = ordering
        self.predicts, self.given = predicts, velocity_known & sign_known
        self.signs_lost = bool((velocity_known & ~sign_known).any())
        self.estimates: dict[tuple, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self.purpose = PURPOSES[task.purpose]
        self.threshold = task.threshold if self.purpose.below else None
        self.loudest = task.reference or 1.0
        # a rare draw from the top levels is a pop in the sound: nothing is filled in louder than the loudest known atom, unless all of it is
        self.highest = self.loudest if self.threshold is None else self.threshold
        self.lowest = task.reference if self.purpose.above else 0.0

    @cached_property
    def habit(self) -> np.ndarray:
        """(C, F) the loudest of every bin in all of the sound, of what was known from the start; only where a window does not tell."""
        return self._loudest_of_bins(self.magnitude, self.given)

    @cached_property
    def blindness(self) -> np.ndarray:
        """(T,) float32, from 0 in frames of which something was known from the start to 1 in those that are far away from all such."""
        known = self.given.any(axis=(0, 2))
        away = distance_transform_edt(~known) if known.any() else np.full(len(known), np.inf)
        return np.minimum(away / _FAR, 1).astype(np.float32)

    @staticmethod
    def _loudest_of_bins(magnitude: np.ndarray, given: np.ndarray) -> np.ndarray:
        """(C, F) the loudest that was known from the start in every bin and its neighbours; infinite where next to nothing was."""
        loudest = maximum_filter1d(np.where(given, magnitude, 0).max(1), _NEAR_BINS, axis=1)
        return np.where(
            minimum_filter1d(given.sum(1), _NEAR_BINS, axis=1) >= _ENOUGH,
            loudest,
            np.float32(np.inf),
        )

    def ceiling(self, window: Window, size: int) -> np.ndarray:
        """(channels, F) the loudest that an atom of a window may be filled in.

        A bin is no louder than it is elsewhere in the window, or else in the sound, or else in the other channels: a gap in silence
        stays silent, and nothing appears above a recording's own bandwidth unless all of that band was selected. For a box the sound
        comes before the window, which may know no more of its bins than a pause beside it.
        """
        if self.lowest:
            return np.full((len(window.channels), self.magnitude.shape[2]), np.inf, np.float32)
        nearby = self._loudest_of_bins(
            self.cut(self.magnitude, window, size, 0), self.known_piece(self.given, window, size)
        )
        if np.isfinite(nearby).all() and not self.purpose.boxed:
            return np.minimum(nearby * _MARGIN, self.highest)
        habit = self.habit[list(window.channels)]
        first, second = (habit, nearby) if self.purpose.boxed else (nearby, habit)
        out = np.where(np.isfinite(first), first, second) * _MARGIN
        known = np.isfinite(self.habit)
        others = np.where(known.any(0), np.where(known, self.habit, 0).max(0), np.inf) * _MARGIN**2
        return np.minimum(np.where(np.isfinite(out), out, others), self.highest)

    def windows(self, mask: np.ndarray, size: int) -> list[Window]:
        """Windows of `size` frames whose decisions tile the frames of mask (C, T, F), each amid what it decides on."""
        needed = np.flatnonzero(mask.any(axis=(0, 2)))
        owned = max(1, int(size * (_OWNED if len(needed) == mask.shape[1] else _OWNED_LOCALLY)))
        groups = self.channel_groups(mask)
        out, at = [], 0
        while at < len(needed):
            first = int(needed[at])
            at = int(np.searchsorted(needed, first + owned))
            last = int(needed[at - 1]) + 1
            start = (first + last) // 2 - size // 2
            out += [Window(start, first, last, channels, decides) for channels, decides in groups]
        return out

    def channel_groups(self, mask: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
        """Channels seen together, and how many of them, from the first, are decided on.

        One or two channels are seen as they are; of more, each is seen beside the known channel that is most coherent with it.
        """
        channels = len(mask)
        if channels <= 2:
            return [(tuple(range(channels)), channels)]
        signed = np.where(self.positive, self.magnitude, -self.magnitude).reshape(channels, -1)
        energy = (signed**2).sum(1)
        groups = []
        for c in np.flatnonzero(mask.any(axis=(1, 2))):
            coherence = np.abs(signed @ signed[c]) / np.sqrt(energy * energy[c] + 1e-20)
            if energy[c] == 0:
                coherence = energy / (energy.max() + 1e-20)
            coherence[c] = -1
            groups.append(((int(c), int(coherence.argmax())), 1))
        return groups

    def cut(self, array: np.ndarray, window: Window, size: int, outside) -> np.ndarray:
        """(channels, size, F) piece of an array (C, T, F), `outside` beyond the sound's ends."""
        low, high = max(window.start, 0), min(window.start + size, array.shape[1])
        piece = np.full((len(window.channels), size, array.shape[2]), outside, array.dtype)
        piece[:, low - window.start : high - window.start] = array[list(window.channels), low:high]
        return piece

    def known_piece(self, array: np.ndarray, window: Window, size: int) -> np.ndarray:
        """As `cut`, for what is known: beyond the sound's ends lies known silence, or more of the unknown that touches them."""
        piece = self.cut(array, window, size, True)
        before, after = -window.start, array.shape[1] - window.start
        if before > 0:
            piece[:, :before] = piece[:, before : before + 1]
        if after < size:
            piece[:, after:] = piece[:, after - 1 : after]
        return piece

    def reference(self, window: Window, size: int) -> float:
        """The loudest atom that a window knows, or its surroundings where it knows too few frames to tell, as inside of a long hole.

        What was filled in counts up to the loudest of the sound, lest errors grow on errors.
        """

        def loudest(here: Window, frames: int) -> float:
            return float(
                (
                    self.cut(self.magnitude, here, frames, 0)
                    * self.cut(self.velocity_known, here, frames, False)
                ).max()
            )

        seen = loudest(window, size)
        if self.known_piece(self.given, window, size).any(axis=(0, 2)).sum() < _ENOUGH:
            seen = max(
                seen, loudest(replace(window, start=window.start - CONTEXT), size + 2 * CONTEXT)
            )
        return max(min(seen, self.loudest), self.loudest * 10 ** (REFERENCE_FLOOR_DB / 20))

    def state(self, window: Window, space: AtomSpace) -> State:
        """What the model sees, as a batch of one; a missing second channel is absent."""
        size = space.frames
        reference = self.reference(window, size)
        level = self.space.quantise(self.cut(self.magnitude, window, size, 0), reference).astype(
            np.int64
        )

        def grid(array: np.ndarray, fill) -> torch.Tensor:
            missing = space.channels - len(array)
            return torch.from_numpy(
                np.pad(array, ((0, missing), (0, 0), (0, 0)), constant_values=fill)
            )[None]

        ranks = None if self.ordering is None else grid(self.ranks(window, size), 0)
        beliefs = (
            [grid(array.astype(np.float32) / reference, 0) for array in self.beliefs(window, size)]
            if self.predicts
            else (None,) * 3
        )
        return State(
            grid(level, 0),
            grid(self.cut(self.positive, window, size, False).astype(np.int64), 0),
            grid(self.known_piece(self.velocity_known, window, size), True),
            grid(self.known_piece(self.sign_known, window, size), True),
            grid(np.ones(level.shape, bool), False),
            ranks,
            *beliefs,
        )

    def ranks(self, window: Window, size: int) -> np.ndarray:
        """(channels, size, F) float32: where the atoms of a window stand in the ordering.

        Atoms whose velocity is unknown stand among the known ones where noise with interpolated levels would.
        """
        by, reverse, seed = self.ordering
        known = self.known_piece(self.velocity_known, window, size)
        magnitude = np.where(
            known, self.cut(self.magnitude, window, size, 0), self.beliefs(window, size)[2]
        )
        key = serial_key(
            by, magnitude, np.random.default_rng(seed).random(magnitude.shape, np.float32)
        )
        return -key if reverse else key

    def beliefs(self, window: Window, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What was known at first lets expect of a window: the Wiener estimate, its prior's deviation, and that of noise with
        interpolated levels, each (channels, size, F)."""
        key = (window.start, window.channels)
        if key not in self.estimates:
            given, magnitude = (
                self.known_piece(self.given, window, size),
                self.cut(self.magnitude, window, size, 0),
            )
            amplitude = np.where(self.cut(self.positive, window, size, True), magnitude, -magnitude)
            limit = torch.from_numpy(magnitude) if self.signs_lost else None
            found = wiener.interpolate(
                torch.from_numpy(amplitude), torch.from_numpy(~given), limit, self.space.window
            )
            if len(self.estimates) >= _ESTIMATES:
                self.estimates.pop(next(iter(self.estimates)))
            blind = self.blind(window, size, given)
            nothing = np.zeros_like(blind)
            self.estimates[key] = tuple(
                np.asarray(a, np.float16)
                for a in (
                    (found.amplitude, found.spread, blind) if found else (nothing, nothing, blind)
                )
            )
        return self.estimates[key]

    def blind(self, window: Window, size: int, given: np.ndarray) -> np.ndarray:
        """(channels, size, F) deviation of noise with the levels that what is known around a window lets expect."""
        magnitude = self.cut(self.magnitude, window, size, 0)
        if self.threshold is not None:
            return censored_deviation(given & (magnitude >= self.threshold), ~given, self.threshold)
        channels = list(window.channels)
        around = self._around(window, size)
        known = self.given[channels, around]
        if self.purpose.boxed:
            power = interpolated_power(
                np.where(known, self.magnitude[channels, around], 0), known, loudest=self.loudest
            )
            here = replace(
                window, start=window.start - around.start, channels=tuple(range(len(channels)))
            )
            return np.sqrt(self.cut(power, here, size, 0))
        # bins may be unknown from end to end of a window that are known elsewhere, or known too briefly to tell their habit
        log = log_power(self.magnitude[channels, around], self.loudest)
        return np.sqrt(
            interpolated_power(
                np.where(given, magnitude, 0), given, bin_sums(log, known), self.loudest
            )
        )

    @staticmethod
    def _around(window: Window, size: int) -> slice:
        """Frames of a window and of the context to either side of it."""
        return slice(max(0, window.start - CONTEXT), max(0, window.start) + size + CONTEXT)

    def steady(self, window: Window, size: int) -> np.ndarray:
        """(channels, size, F) float32 deviation of noise that is as loud as what is around a window: `beliefs`, and in a box, where a melody moves on,
        as loud as its band."""
        blind = self.beliefs(window, size)[2].astype(np.float32)
        if not self.purpose.boxed:
            return blind
        channels, around = list(window.channels), self._around(window, size)
        more = intermittence(
            log_power(self.magnitude[channels, around], self.loudest), self.given[channels, around]
        )
        return blind * np.exp(more / 2)[:, None].astype(np.float32)
