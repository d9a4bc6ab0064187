"""Train the network of `priors/highs/level_tracks.py`: levels above a cutoff from those below.

    python tools/fit_level_tracks.py AUDIO [AUDIO ...] checkpoints/level_tracks.npz

Each AUDIO holds recordings and a `manifest.csv` (columns `file`, `source_repository`,
`brickwall_hz`). One source in eight is held out by its name and gives the printed errors and those
that are stored. A step takes a tenth of a second of one core.

An example is a part of a recording, or of two that are added, with a random smooth equaliser, and a
random number of known bands; one in ten is synthetic noise, steady, modulated or in bursts.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from atomizer.analysis import MDCTAtomizer  # noqa: E402
from atomizer.io.audio import Sound, read  # noqa: E402
from atomizer.io.audio_parts import is_reserved  # noqa: E402
from atomizer.io.datasets import Clip, list_clips  # noqa: E402
from atomizer.priors.band_levels import BANDS, MIN_FRAMES, band_edges, band_powers  # noqa: E402
from atomizer.priors.highs.level_tracks import (
    FIRST_BAND,
    LEVEL_SCALE,
    RelativeLevels,
    TrackModel,
    TrackNet,
)

MAX_SECONDS = 60.0  # of a recording
FRAMES = 100, 256  # least and most of an example
HELD_FRAMES = 129  # 3 s, from the middle of a held-out recording
BATCH, RATE, WARMUP, DECAY = 16, 2e-3, 100, 0.02  # of AdamW
AVERAGE = 0.998  # decay of the averaged weights, which are stored
MEAN_WEIGHT = 2.0  # of the squared error of mean levels in the loss
PAUSE_WEIGHT = 0.1  # of frames that are pauses
MOST_FILES = 12  # of a source, beyond which more of them do not make it more frequent
MIX, EQUALISED, SYNTHETIC = 0.25, 0.5, 0.1  # shares of examples
WALL_BANDS = 0.97  # share of a recording's cutoff below which its bands count
SPACE = MDCTAtomizer().space
EDGES = band_edges(SPACE)
OCTAVES = np.log2(np.maximum((EDGES[:-1] + EDGES[1:]) / 2, 1))


@dataclass(frozen=True)
class Recording:
    """Levels (T, BANDS) of a recording in dB; bands from `end` on are not its own."""

    level_db: np.ndarray
    end: int
    source: str
    held_out: bool


def measure(clip: Clip) -> Recording | None:
    """The levels of a recording; None for one of less than `FRAMES`."""
    sound = read(clip.path)
    part = Sound(sound.samples[:, : int(MAX_SECONDS * sound.rate)], sound.rate)
    grid = MDCTAtomizer().grid(part.at(SPACE.rate))[:, 1:-1]
    if grid.shape[1] < FRAMES[0]:
        return None
    level = 10 * np.log10(band_powers(grid, EDGES) + 1e-12)
    heard = WALL_BANDS * min(clip.cutoff_hz, sound.rate / 2) / SPACE.bin_hz
    end = int(np.searchsorted(EDGES, min(heard, EDGES[-1]), side="right")) - 1
    return Recording(level.astype(np.float32), end, clip.source, clip.held_out)


class Examples:
    """Random examples of recordings: levels (T, BANDS), number of known bands, end of the bands."""

    def __init__(self, recordings: list[Recording], seed: int):
        self.rng = np.random.default_rng(seed)
        self.by_source: dict[str, list[Recording]] = {}
        for recording in recordings:
            self.by_source.setdefault(recording.source, []).append(recording)
        self.names = sorted(self.by_source)
        count = np.array([min(len(self.by_source[name]), MOST_FILES) for name in self.names])
        self.chance = np.sqrt(count) / np.sqrt(count).sum()

    def draw(self) -> tuple[np.ndarray, int, int]:
        """One example."""
        while True:
            level, end = self._noise() if self.rng.random() < SYNTHETIC else self._recorded()
            if end - 1 >= FIRST_BAND:
                return level, int(self.rng.integers(FIRST_BAND, end)), end

    def _recorded(self) -> tuple[np.ndarray, int]:
        level, end = self._part()
        if self.rng.random() < MIX:
            other, other_end = self._part()
            n = min(len(level), len(other))
            shift = level[:n].max() - other[:n].max() + self.rng.normal(0, 6)
            level = 10 * np.log10(10 ** (level[:n] / 10) + 10 ** ((other[:n] + shift) / 10))
            end = min(end, other_end)
        if self.rng.random() < EQUALISED:
            level = level + self._curve(4.0, 2.0, 1.5)
        return level, end

    def _part(self) -> tuple[np.ndarray, int]:
        name = self.names[self.rng.choice(len(self.names), p=self.chance)]
        recording = self.by_source[name][self.rng.integers(len(self.by_source[name]))]
        n = min(len(recording.level_db), int(self.rng.integers(FRAMES[0], FRAMES[1] + 1)))
        start = self.rng.integers(0, len(recording.level_db) - n + 1)
        return recording.level_db[start : start + n], recording.end

    def _curve(self, tilt: float, *ripples: float) -> np.ndarray:
        """(BANDS,) dB: a random tilt and ripples of these standard deviations."""
        x = np.linspace(-1, 1, BANDS)
        out = self.rng.normal(0, tilt) * x
        for number, size in enumerate(ripples, 1):
            phase = self.rng.uniform(0, 2 * np.pi)
            out = out + self.rng.normal(0, size) * np.cos(1.25 * np.pi * number * x + phase)
        return out

    def _noise(self) -> tuple[np.ndarray, int]:
        """Noise of a random tilt: steady, modulated, fading, or in bursts above a floor."""
        n = int(self.rng.integers(*FRAMES))
        shape = self.rng.integers(1, 3) * np.maximum(np.diff(EDGES), 1) / 2  # of a gamma law
        power = self.rng.gamma(shape, 1, (n, BANDS)) / shape
        level = self.rng.uniform(-14, 3) * OCTAVES + self._curve(0, 2.0)
        level = level - level.max() + 10 * np.log10(power + 1e-6)
        kind, time = self.rng.integers(4), np.arange(n)
        if kind == 1:
            period, phase = self.rng.uniform(8, 90), self.rng.uniform(0, 2 * np.pi)
            depth = self.rng.uniform(1, 12)
            level = level + depth * np.sin(2 * np.pi * time / period + phase)[:, None]
        elif kind == 2:
            level = level + self.rng.uniform(-0.3, 0.3) * time[:, None]
        elif kind == 3:
            level = 10 * np.log10(10 ** ((level + self._bursts(n)[:, None]) / 10) + 10**-7.5)
        return level - 20, BANDS - 1

    def _bursts(self, n: int) -> np.ndarray:
        """(n,) dB: attacks at random frames that decay, each at its own speed."""
        out, start = np.full(n, -70.0), 0
        while start < n:
            decay = self.rng.uniform(0.2, 4) * np.arange(n - start)
            out[start:] = np.maximum(out[start:], self.rng.normal(0, 4) - decay)
            start += int(self.rng.integers(6, 50))
        return out


@dataclass(frozen=True)
class Batch:
    """Examples as tensors: levels (N, BANDS, T), known and target bands, frames and weights."""

    level: Tensor
    known: Tensor
    target: Tensor
    there: Tensor
    weight: Tensor

    @classmethod
    def of(cls, examples: list[tuple[np.ndarray, int, int]]) -> Batch:
        """Join examples of different lengths."""
        count, most = len(examples), max(len(level) for level, _, _ in examples)
        level, there, weight = (np.zeros((count, n, most), np.float32) for n in (BANDS, 1, 1))
        known, target = np.zeros((2, count, BANDS), np.float32)
        for i, (one, first, end) in enumerate(examples):
            relative = RelativeLevels.of(one, first)
            level[i, :, : len(one)] = (relative.level_db / LEVEL_SCALE).T
            there[i, 0, : len(one)] = 1
            weight[i, 0, : len(one)] = np.where(relative.active, 1, PAUSE_WEIGHT)
            known[i, :first], target[i, first:end] = 1, 1
        return cls(*map(torch.from_numpy, (level, known, target, there, weight)))


def loss_of(net: TrackNet, batch: Batch) -> Tensor:
    """Gaussian negative log-likelihood, and the squared error of the mean levels of bands."""
    mean, log_std = net(batch.level, batch.known, batch.there)
    log_std = log_std.clamp(-4, 2)
    weight = batch.target[..., None] * batch.weight
    error = mean - batch.level
    nats = error.square() * torch.exp(-2 * log_std) / 2 + log_std
    of_means = (error * weight).sum(2) / weight.sum(2).clamp(min=1e-6)
    bands = batch.target.sum().clamp(min=1)
    return (nats * weight).sum() / weight.sum() + MEAN_WEIGHT * of_means.square().sum() / bands


def train(recordings: list[Recording], steps: int, seed: int) -> TrackNet:
    """Train on recordings; returns the network with its averaged weights."""
    torch.manual_seed(seed)
    examples, net = Examples(recordings, seed), TrackNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY, betas=(0.9, 0.98))
    average = {name: value.clone() for name, value in net.state_dict().items()}
    bar = tqdm(range(steps), unit="step")
    for step in bar:
        for group in optimiser.param_groups:
            shape = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            group["lr"] = RATE * min(1, (step + 1) / WARMUP) * shape + 1e-6
        loss = loss_of(net, Batch.of([examples.draw() for _ in range(BATCH)]))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        decay = min(AVERAGE, (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        if step % 50 == 0:
            bar.set_postfix_str(f"loss {float(loss.detach()):.3f}")
    net.load_state_dict(average)
    return net.eval()


def errors_of(model: TrackModel, recordings: list[Recording], known: int) -> tuple[float, float]:
    """Errors in dB over sources: absolute ones of bands' means, and RMS of the rest in time."""
    found: dict[str, list[tuple[float, float]]] = {}
    for recording in recordings:
        start = max(0, (len(recording.level_db) - HELD_FRAMES) // 2)
        level = recording.level_db[start : start + HELD_FRAMES]
        relative = RelativeLevels.of(level, known)
        if recording.end <= known or relative.active.sum() < MIN_FRAMES:
            continue
        error = model.predict(relative, known)[:, : recording.end - known]
        error = (error - relative.level_db[:, known : recording.end])[relative.active]
        mean = error.mean(0)
        of_recording = float(np.abs(mean).mean()), float((error - mean).std())
        found.setdefault(recording.source, []).append(of_recording)
    if not found:
        return math.nan, math.nan
    means = np.mean([np.mean(values, 0) for values in found.values()], 0)
    return float(means[0]), float(means[1])


def main() -> None:
    """Measure recordings, train, print errors, and write the weights."""
    parser = argparse.ArgumentParser(description="Train the network of level tracks.")
    parser.add_argument("audio", type=Path, nargs="+")
    parser.add_argument("out", type=Path, help="weights to write")
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    clips = [c for folder in options.audio for c in list_clips(folder) if not is_reserved(c)]
    measured = [measure(clip) for clip in tqdm(clips, unit="recording")]
    recordings = [recording for recording in measured if recording is not None]
    held = [recording for recording in recordings if recording.held_out]
    trained = [recording for recording in recordings if not recording.held_out]
    seconds = sum(len(r.level_db) for r in trained) * SPACE.hop / SPACE.rate
    sources = len({r.source for r in trained})
    print(f"{len(trained)} recordings of {sources} sources, {seconds / 3600:.1f} hours")
    net = train(trained, options.steps, options.seed)
    model, error = TrackModel(net, np.zeros(BANDS)), np.full(BANDS, np.nan)
    for known in range(FIRST_BAND, BANDS - 1):
        error[known], changes = errors_of(model, held, known)
        print(
            f"known below {EDGES[known] * SPACE.bin_hz:6.0f} Hz: error of mean levels"
            f" {error[known]:.2f} dB, of changes {changes:.2f} dB, on held-out sources"
        )
    filled = np.interp(np.arange(BANDS), *(x[~np.isnan(error)] for x in (np.arange(BANDS), error)))
    weights = {name: value.numpy().astype(np.float16) for name, value in net.state_dict().items()}
    np.savez_compressed(options.out, error_db=filled.astype(np.float16), **weights)
    print(f"{options.out.name}: {options.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
