"""Windows: the pieces of a sound that the model processes, and how arrays are cut into them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

# Share of a window's frames whose atoms it fills; the rest is context. HOP_RATIO where all frames
# are to be filled, LOCAL_HOP_RATIO where frames around the selection are known.
HOP_RATIO = 0.75
LOCAL_HOP_RATIO = 0.5


@dataclass(frozen=True)
class Window:
    """One input of the model.

    Attributes
    ----------
    start, size : int
        First frame and number of frames; may reach beyond the sound's ends.
    target_start, target_stop : int
        Frames whose atoms it fills.
    channels : tuple of int
        Channels of the sound that it contains; the first `n_target_channels` of them are filled.
    """

    start: int
    size: int
    target_start: int
    target_stop: int
    channels: tuple[int, ...]
    n_target_channels: int

    @property
    def target_channels(self) -> np.ndarray:
        """Channels whose atoms it fills."""
        return np.array(self.channels[: self.n_target_channels])

    def targets(self, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Channel (index into `channels`), frame of the window and bin of the masked targets."""
        part = mask[self.target_channels, self.target_start : self.target_stop]
        channel, frame, bin_ = np.nonzero(part)
        return channel, frame + self.target_start - self.start, bin_

    def widened(self, frames: int) -> Window:
        """The same window with `frames` more on either side."""
        return replace(self, start=self.start - frames, size=self.size + 2 * frames)


def crop(array: np.ndarray, window: Window, outside) -> np.ndarray:
    """(channels, size, F) piece of an array (C, T, F), `outside` beyond the sound's ends."""
    low, high = max(window.start, 0), min(window.start + window.size, array.shape[1])
    shape = (len(window.channels), window.size, array.shape[2])
    piece = np.full(shape, outside, array.dtype)
    piece[:, low - window.start : high - window.start] = array[list(window.channels), low:high]
    return piece


def crop_known(known: np.ndarray, window: Window) -> np.ndarray:
    """As `crop`, for (C, T, F) bool: beyond the ends lies known silence.

    Where the first or last frame is unknown, so is what lies beyond it.
    """
    piece = crop(known, window, True)
    before, after = -window.start, known.shape[1] - window.start
    if before > 0:
        piece[:, :before] = piece[:, before : before + 1]
    if after < window.size:
        piece[:, after:] = piece[:, after - 1 : after]
    return piece


def plan_windows(
    mask: np.ndarray, size: int, groups: list[tuple[tuple[int, ...], int]]
) -> list[Window]:
    """Windows of `size` frames whose targets tile the frames of mask (C, T, F).

    Where all frames are to be filled, windows lie within the sound if it is long enough: beyond its
    ends there is nothing to learn from.

    groups  channels that share a window, and how many of them are filled (`channel_groups`)
    """
    needed = np.flatnonzero(mask.any(axis=(0, 2)))
    everywhere = len(needed) == mask.shape[1]
    ratio = HOP_RATIO if everywhere else LOCAL_HOP_RATIO
    hop = max(1, int(size * ratio))
    windows: list[Window] = []
    position = 0
    while position < len(needed):
        first = int(needed[position])
        position = int(np.searchsorted(needed, first + hop))
        stop = int(needed[position - 1]) + 1
        start = (first + stop) // 2 - size // 2
        if everywhere and size <= mask.shape[1]:
            start = min(max(0, start), mask.shape[1] - size)
        windows += [Window(start, size, first, stop, *group) for group in groups]
    return windows


def channel_groups(mask: np.ndarray, amplitude: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
    """Channels that share a window, and how many of them, from the first, are filled.

    One or two channels share one window. Of more, each masked channel is paired with the known
    channel that is most coherent with it.

    mask, amplitude  (C, T, F): the atoms to fill, and the known signed amplitudes
    """
    channels = len(mask)
    if channels <= 2:
        return [(tuple(range(channels)), channels)]
    signed = amplitude.reshape(channels, -1)
    energy = (signed**2).sum(1)
    groups: list[tuple[tuple[int, ...], int]] = []
    for c in np.flatnonzero(mask.any(axis=(1, 2))):
        coherence = np.abs(signed @ signed[c]) / np.sqrt(energy * energy[c] + 1e-20)
        if energy[c] == 0:
            coherence = energy / (energy.max() + 1e-20)
        coherence[c] = -1
        groups.append(((int(c), int(coherence.argmax())), 1))
    return groups
