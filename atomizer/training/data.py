"""Training audio: a folder of recordings held as int16, and random crops of it as MDCT grids, all on one device."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..analysis.mdct import mdct_torch
from ..atoms.space import AtomSpace
from ..io.audio import read
from ..io.datasets import Clip

# How often a category is drawn, whatever its share of the minutes; categories not named here weigh 1.
CATEGORY_WEIGHTS = {
    "music-mix": 3.0,
    "solo-instrument": 2.0,
    "speech": 1.5,
    "percussion": 1.3,
    "environment": 1.2,
    "singing": 0.8,
}


class AudioBank:
    """Recordings in memory, as int16 on `device`, mono ones with an empty second channel."""

    def __init__(
        self, clips: list[Clip], space: AtomSpace, device: torch.device, progress: bool = True
    ):
        self.space, self.device = space, device
        self.shortest = int((space.frames + 1) * space.hop * 1.15)
        with ThreadPoolExecutor() as pool:
            sounds = list(
                tqdm(
                    pool.map(self._load, clips),
                    total=len(clips),
                    desc="reading",
                    disable=not progress,
                )
            )
        self.clips = clips
        self.lengths = torch.tensor([s.shape[1] for s in sounds])
        self.channels = torch.tensor([s.shape[0] for s in sounds])
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), self.lengths.cumsum(0)[:-1]])
        bank = np.zeros((2, int(self.lengths.sum())), np.int16)
        for start in self.starts.tolist():
            sound = sounds.pop(0)  # or all of it would be in memory twice
            bank[: len(sound), start : start + sound.shape[1]] = sound
        self.bank = torch.from_numpy(bank).to(device)
        self.weights = self._weights()

    def _load(self, clip: Clip) -> np.ndarray:
        samples = read(clip.path).at(self.space.rate)[:2]
        samples = np.pad(samples, ((0, 0), (0, max(0, self.shortest - samples.shape[1]))))
        return np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)

    def _weights(self) -> Tensor:
        """Probability of every clip: categories by their weight, within them by the square root of the length."""
        categories = np.array([c.category for c in self.clips])
        size = self.lengths.double().sqrt().numpy()
        weight = np.zeros(len(categories))
        for category in set(categories):
            here = categories == category
            weight[here] = size[here] / size[here].sum() * CATEGORY_WEIGHTS.get(category, 1.0)
        return torch.from_numpy(weight / weight.sum())

    def draw(
        self, count: int, generator: torch.Generator, augment: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Random windows: grid (count, 2, T, F) float32, channels (count,) and cutoff bin (count,) on the device.

        The crop starts at any sample: lossy sources were coded with frames of their own, whose grid must not be learned.
        """
        hop, frames = self.space.hop, self.space.frames
        length = (frames + 1) * hop
        mixes = torch.rand(count, generator=generator) < (0.15 if augment else 0)
        which = torch.multinomial(
            self.weights, count + int(mixes.sum()), replacement=True, generator=generator
        )
        cutoff_hz = torch.tensor([self.clips[i].cutoff_hz for i in which.tolist()])
        waves = []
        for n, i in enumerate(which.tolist()):
            hops = frames + 1
            if augment and torch.rand((), generator=generator) < 0.4:  # play faster or slower
                hops = int(
                    torch.randint(int(hops * 0.9), int(hops * 1.12) + 1, (), generator=generator)
                )
                cutoff_hz[n] *= hops / (frames + 1)
            start = self.starts[i] + torch.randint(
                int(self.lengths[i]) - hops * hop + 1, (), generator=generator
            )
            wave = self.bank[:, start : start + hops * hop].float() / 32768
            waves.append(wave if hops == frames + 1 else _stretch(wave, length))
        channels = self.channels[which].clone()
        for n, extra in zip(mixes.nonzero().flatten().tolist(), range(count, len(which))):
            gain = 10 ** (-float(torch.rand((), generator=generator)))
            waves[n] = waves[n] + gain * waves[extra] * (waves[n].std() + 1e-4) / (
                waves[extra].std() + 1e-4
            )
            channels[n], cutoff_hz[n] = (
                min(channels[n], channels[extra]),
                min(cutoff_hz[n], cutoff_hz[extra]),
            )
        wave = torch.stack(waves[:count])
        wave[channels[:count] == 1, 1] = 0
        grid = mdct_torch(wave.view(count, 2, frames + 1, hop), self.space.window)
        cutoff = (cutoff_hz[:count] * 0.97 / self.space.bin_hz).clamp(1, hop).long()
        if augment:
            grid = grid * _random_equaliser(count, self.space, generator).to(grid.device)
            polarity = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0).to(
                grid.device
            )
            grid = grid * polarity[:, None, None, None]
            swap = (torch.rand(count, generator=generator) < 0.5) & (channels[:count] == 2)
            grid[swap.to(grid.device)] = grid[swap.to(grid.device)].flip(1)
        return grid, channels[:count], cutoff


def _stretch(wave: Tensor, length: int) -> Tensor:
    """Resample (channels, n) to `length` samples in the frequency domain; pitch and speed change together."""
    spectrum = torch.fft.rfft(wave)
    size = length // 2 + 1
    spectrum = (
        spectrum[:, :size]
        if spectrum.shape[1] >= size
        else torch.nn.functional.pad(spectrum, (0, size - spectrum.shape[1]))
    )
    return torch.fft.irfft(spectrum, length) * (length / wave.shape[1])


def _random_equaliser(count: int, space: AtomSpace, generator: torch.Generator) -> Tensor:
    """(count, 1, 1, F) smooth gains: for two windows in five, a random tilt and a random bell."""
    octave = torch.log2(torch.arange(1, space.hop + 1) / 32)
    n = torch.randn(count, 4, generator=generator)
    tilt = n[:, :1] * 1.5 * octave
    bell = (
        n[:, 1:2]
        * 4
        * torch.exp(-0.5 * ((octave - n[:, 2:3] * 2 - 2) / (0.7 + n[:, 3:4].abs())) ** 2)
    )
    on = torch.rand(count, 1, generator=generator) < 0.4
    return (10 ** ((tilt + bell) * on / 20))[:, None, None]
