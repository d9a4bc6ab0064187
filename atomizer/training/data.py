"""Training audio: recordings in memory as int16, and random windows of them as MDCT grids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..analysis.mdct import mdct_torch
from ..atoms.space import AtomSpace
from ..io.audio import read
from ..io.datasets import Clip
from ..priors.band_context import band_powers
from ..priors.devices import send

# Relative frequency of the categories, whatever their share of the minutes; others have 1.
CATEGORY_WEIGHTS = {
    "music-mix": 3.0,
    "solo-instrument": 2.0,
    "speech": 1.5,
    "percussion": 1.3,
    "environment": 1.2,
    "singing": 0.8,
}
MIX_CHANCE = 0.15  # of a window with a second recording added to it
SPEED_CHANCE = 0.4  # of a window played slower or faster
SPEEDS = (0.9, 1.12)  # lengths of the excerpt that is played in the time of a window
REACH_FRAMES = 430  # 10 s: most frames of surroundings on either side; the median is a quarter
CUTOFF_MARGIN = 0.97  # bins up to this share of a recording's cutoff are trained on
FULL_SCALE = 32767


class Surroundings(NamedTuple):
    """Band powers of recordings around B windows, for what is known of the whole recording.

    powers  (B, 2, n, BANDS) as `band_context.band_powers`; those of the windows do not count
    there   (B, n) bool: frames of the recording
    first   frame at which the windows begin
    """

    powers: Tensor
    there: Tensor
    first: int


class Windows(NamedTuple):
    """Random windows of recordings.

    grid          (B, 2, T, F)
    channels      (B,) channel counts
    cutoff        (B,) bins: from here on nothing can be learned
    power         (B, 2, T, F) mean of the squared MDCT and MDST, or None
    surroundings  or None
    lowered       (B,) bins: below, the sound is that of a file which has nothing above, so that
                  this is what is unknown; F for other windows. None: there are no such windows
    """

    grid: Tensor
    channels: Tensor
    cutoff: Tensor
    power: Tensor | None = None
    surroundings: Surroundings | None = None
    lowered: Tensor | None = None


class _Excerpt(NamedTuple):
    """Samples (2, n) of a window and of `before` and `after` hops around it, and their speed."""

    wave: Tensor
    before: int
    after: int
    speed: float

    def shortened(self, other: _Excerpt) -> _Excerpt:
        """The same with no more surroundings than another excerpt has."""
        return self._replace(
            before=min(self.before, other.before), after=min(self.after, other.after)
        )

    def frames(self, before: int, after: int, window: int) -> Tensor:
        """(before + window + after,) bool: frames that are there, around `window` frames."""
        place = torch.arange(-before, window + after)
        return (place >= -self.before) & (place < window + self.after)


class AudioBank:
    """Recordings in memory, as int16 on `device`; mono ones have an empty second channel.

    has_surroundings, has_power  what windows come with, see `Windows`
    """

    def __init__(
        self,
        clips: list[Clip],
        space: AtomSpace,
        device: torch.device,
        progress: bool = True,
        has_surroundings: bool = False,
        has_power: bool = False,
    ):
        self.clips, self.space, self.device = clips, space, device
        self.has_surroundings, self.has_power = has_surroundings, has_power
        self.min_samples = int((space.frames + 1) * space.hop * 1.15)
        with ThreadPoolExecutor() as pool:
            loading = pool.map(self._load, clips)
            sounds = list(tqdm(loading, total=len(clips), desc="reading", disable=not progress))
        self.lengths = torch.tensor([s.shape[1] for s in sounds])
        self.channels = torch.tensor([s.shape[0] for s in sounds])
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), self.lengths.cumsum(0)[:-1]])
        bank = np.zeros((2, int(self.lengths.sum())), np.int16)
        for start in self.starts.tolist():
            sound = sounds.pop(0)  # frees each recording: the bank would need twice the memory
            bank[: len(sound), start : start + sound.shape[1]] = sound
        self.bank = torch.from_numpy(bank).to(device)
        self.weights = self._weights()

    def _load(self, clip: Clip) -> np.ndarray:
        """(channels, n) int16 samples of a clip at the space's rate, padded to `min_samples`."""
        samples = read(clip.path).at(self.space.rate)[:2]
        samples = np.pad(samples, ((0, 0), (0, max(0, self.min_samples - samples.shape[1]))))
        return np.round(np.clip(samples, -1, 1) * FULL_SCALE).astype(np.int16)

    def _weights(self) -> Tensor:
        """(clips,) probabilities: category weight times the square root of a clip's length."""
        categories = np.array([c.category for c in self.clips])
        size = self.lengths.double().sqrt().numpy()
        weight = np.zeros(len(categories))
        for category in set(categories):
            members = categories == category
            share = size[members] / size[members].sum()
            weight[members] = share * CATEGORY_WEIGHTS.get(category, 1.0)
        return torch.from_numpy(weight / weight.sum())

    def draw(self, count: int, generator: torch.Generator, augment: bool = True) -> Windows:
        """Draw `count` random windows, float32 on the device.

        A window starts at any sample: lossy sources were coded in frames of their own, and their
        grid must not be learned. Augmentation adds a second recording, changes the speed, the
        spectral tilt and the polarity, and swaps the channels.
        """
        mixes = torch.rand(count, generator=generator) < (MIX_CHANCE if augment else 0)
        clips = torch.multinomial(
            self.weights, count + int(mixes.sum()), replacement=True, generator=generator
        )
        # drawn in any case, so that models with and without surroundings see the same windows
        reach = (torch.rand(len(clips), generator=generator) ** 2 * REACH_FRAMES).long()
        cutoff_hz, lowered_hz = (
            torch.tensor([getattr(self.clips[i], name) for i in clips.tolist()])
            for name in ("cutoff_hz", "lowered_hz")
        )
        excerpts = []
        for n, clip in enumerate(clips.tolist()):
            hops = int(reach[n]) if self.has_surroundings else 0
            excerpts.append(self._excerpt(clip, hops, generator, augment))
            if excerpts[n].speed != 1:
                cutoff_hz[n] *= excerpts[n].speed
                lowered_hz[n] *= excerpts[n].speed
        before, after = max(e.before for e in excerpts), max(e.after for e in excerpts)
        waves = [self._padded(e, before, after) for e in excerpts]
        channels = self.channels[clips].clone()
        for n, extra in zip(mixes.nonzero().flatten().tolist(), range(count, len(clips))):
            gain = 10 ** (-float(torch.rand((), generator=generator)))
            level, extra_level = (self._window(waves[i], before).std() + 1e-4 for i in (n, extra))
            waves[n] = waves[n] + gain * waves[extra] * level / extra_level
            channels[n] = min(channels[n], channels[extra])
            cutoff_hz[n] = min(cutoff_hz[n], cutoff_hz[extra])
            excerpts[n] = excerpts[n].shortened(excerpts[extra])
        wave, channels = torch.stack(waves[:count]), channels[:count]
        has_second = send((channels > 1).float(), wave.device)
        wave[:, 1] *= has_second[:, None]
        planes = self._planes(wave, before)
        cutoff = (cutoff_hz[:count] * CUTOFF_MARGIN / self.space.bin_hz).clamp(1, self.space.hop)
        if augment:
            planes = _augment(planes, channels, self.space, generator)
        grid, power = planes[:, :, before : before + self.space.frames].contiguous(), None
        if self.has_power:
            planes, mdst = planes.split([planes.shape[2] - self.space.frames, self.space.frames], 2)
            power = (grid.square() + mdst.square()) / 2
        around = None
        if self.has_surroundings:
            there = torch.stack([e.frames(before, after, self.space.frames) for e in excerpts])
            powers, _ = band_powers(planes, torch.ones_like(planes, dtype=torch.bool), self.space)
            around = Surroundings(powers, send(there[:count], powers.device), before)
        lowered = (lowered_hz[:count] / self.space.bin_hz).clamp(1, self.space.hop).long()
        return Windows(grid, channels, cutoff.long(), power, around, lowered)

    def _window(self, wave: Tensor, before: int) -> Tensor:
        """The samples (..., n) of a window that `before` hops precede."""
        hop = self.space.hop
        return wave[..., before * hop : (before + self.space.frames + 1) * hop]

    def _padded(self, excerpt: _Excerpt, before: int, after: int) -> Tensor:
        """(2, n) samples of an excerpt, with silence where it has fewer hops around its window."""
        missing = (
            (before - excerpt.before) * self.space.hop,
            (after - excerpt.after) * self.space.hop,
        )
        return torch.nn.functional.pad(excerpt.wave, missing)

    def _planes(self, wave: Tensor, before: int) -> Tensor:
        """(B, 2, n, F): MDCT of all frames, then, for powers, MDST of the window's.

        The MDST of a signal is, but for signs, the MDCT of the reversed signal.
        """
        hop, window = self.space.hop, self.space.window
        planes = [mdct_torch(wave.unflatten(2, (-1, hop)), window)]
        if self.has_power:
            backwards = self._window(wave, before).flip(2)
            planes.append(mdct_torch(backwards.unflatten(2, (-1, hop)), window).flip(2))
        return torch.cat(planes, 2)

    def _excerpt(
        self, clip: int, reach: int, generator: torch.Generator, augment: bool
    ) -> _Excerpt:
        """A random window of a recording, with up to `reach` hops of it on either side."""
        hop, hops = self.space.hop, self.space.frames + 1
        read_hops = hops
        if augment and torch.rand((), generator=generator) < SPEED_CHANCE:
            low, high = (int(hops * speed) for speed in SPEEDS)
            read_hops = int(torch.randint(low, high + 1, (), generator=generator))
        last_start = int(self.lengths[clip]) - read_hops * hop
        start = int(torch.randint(last_start + 1, (), generator=generator))
        speed = read_hops / hops
        room = start // hop, (last_start - start) // hop
        before, after = (min(reach, int(hops_there / speed)) for hops_there in room)
        read_before, read_after = (
            min(hops_there, round(n * speed)) for hops_there, n in zip(room, (before, after))
        )
        first = int(self.starts[clip]) + start - read_before * hop
        length = (read_before + read_hops + read_after) * hop
        wave = self.bank[:, first : first + length].float() / 32768
        if read_hops != hops:
            wave = _resample(wave, (before + hops + after) * hop)
        return _Excerpt(wave, before, after, speed)


def _resample(wave: Tensor, length: int) -> Tensor:
    """(channels, length) samples of a wave (channels, n), resampled by its spectrum.

    Pitch and speed change together.
    """
    spectrum = torch.fft.rfft(wave)
    size = length // 2 + 1
    missing = size - spectrum.shape[1]
    spectrum = (
        spectrum[:, :size] if missing <= 0 else torch.nn.functional.pad(spectrum, (0, missing))
    )
    return torch.fft.irfft(spectrum, length) * (length / wave.shape[1])


def _augment(
    grid: Tensor, channels: Tensor, space: AtomSpace, generator: torch.Generator
) -> Tensor:
    """(count, 2, T, F) grid with a random equaliser, polarity and order of the channels."""
    count, device = len(grid), grid.device
    grid = grid * send(_random_equaliser(count, space, generator), device)
    polarity = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    grid = grid * send(polarity, device)[:, None, None, None]
    swap = (torch.rand(count, generator=generator) < 0.5) & (channels == 2)
    return torch.where(send(swap, device)[:, None, None, None], grid.flip(1), grid)


def _random_equaliser(count: int, space: AtomSpace, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, F) smooth gains: for two windows in five, a random tilt and a random bell."""
    octave = torch.log2(torch.arange(1, space.hop + 1) / 32)
    tilt, gain, centre, width = torch.randn(count, 4, generator=generator)[..., None].unbind(1)
    bell = torch.exp(-0.5 * ((octave - centre * 2 - 2) / (0.7 + width.abs())) ** 2)
    decibels = tilt * 1.5 * octave + gain * 4 * bell
    active = torch.rand(count, 1, generator=generator) < 0.4
    return (10 ** (decibels * active / 20))[:, None, None]
