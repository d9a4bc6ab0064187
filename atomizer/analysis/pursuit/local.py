"""Matching pursuit with local updates: an atom changes only the frames that it overlaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .dictionary import Gabor, MDCTUnion


@dataclass
class TakenAtoms:
    """Atoms of n steps, one per channel and step.

    scale, bin       (n,) int
    time             (n,) int, samples from the start of the sound to the middle of the window
    sign, amplitude  (n, channels) int8 and float64
    """

    scale: np.ndarray
    time: np.ndarray
    bin: np.ndarray
    sign: np.ndarray
    amplitude: np.ndarray

    @property
    def energy(self) -> np.ndarray:
        """Energy (n,) that every step takes from the residual."""
        return (self.amplitude**2).sum(1)


class LocalPursuit:
    """The state of a pursuit: a residual, and the best place of every frame.

    samples  (channels, n) float

    If the hop of the space is smaller than the distance of the frames, every atom moves to the time
    at which it takes the most energy.
    """

    def __init__(self, dictionary: MDCTUnion | Gabor, samples: np.ndarray):
        self.dictionary, self.length = dictionary, samples.shape[1]
        self.residual = dictionary.padded(samples)
        self.counts = dictionary.counts(self.length)
        # start of every scale in the arrays over all frames
        self.first = np.concatenate([[0], np.cumsum(self.counts)])
        # energy of the best atom of a frame, and its bin
        self.peak = np.zeros(self.first[-1], np.float32)
        self.best = np.zeros(self.first[-1], np.int32)
        self.analyse()

    @property
    def energy(self) -> float:
        """Energy of the residual, including the part beyond the ends of the sound."""
        return float(np.einsum("cn,cn->", self.residual, self.residual))

    def analyse(self) -> None:
        """Find the best atom of every frame."""
        for scale, count in enumerate(self.counts):
            chunk = max(1, (1 << 22) // self.dictionary.lengths[scale])
            for first in range(0, count, chunk):
                self._analyse_frames(scale, first, min(count, first + chunk))

    def _analyse_frames(self, scale: int, first: int, last: int) -> None:
        power = self.dictionary.power(self.residual, scale, first, last)
        at = slice(self.first[scale] + first, self.first[scale] + last)
        self.best[at] = power.argmax(1)
        self.peak[at] = np.take_along_axis(power, self.best[at, None], 1)[:, 0]

    def run(self, steps: int, max_channels: int, target_energy: float) -> TakenAtoms:
        """Take up to `steps` atoms while the energy of the residual is above `target_energy`.

        max_channels  channels of an atom, the loudest ones
        """
        taken: list = []
        energy = self.energy
        while len(taken) < steps and energy > target_energy:
            step = self._step(max_channels)
            decrease = float((step[-1] ** 2).sum())
            if decrease <= 0:  # only rounding errors are left
                break
            taken.append(step)
            energy -= decrease
        channels = len(self.residual)
        columns = (
            zip(*taken)
            if taken
            else (np.zeros(shape) for shape in ((0,), (0,), (0,), (0, channels), (0, channels)))
        )
        scale, time, bin_, sign, amplitude = (np.asarray(list(column)) for column in columns)
        return TakenAtoms(
            scale.astype(np.int8),
            time.astype(np.int64),
            bin_.astype(np.int64),
            sign.astype(np.int8),
            amplitude.astype(float),
        )

    def _step(self, max_channels: int) -> tuple:
        dictionary = self.dictionary
        at = int(self.peak.argmax())
        scale = int(np.searchsorted(self.first, at, side="right")) - 1
        bin_ = int(self.best[at])
        waveforms = dictionary.waveforms(scale, bin_)
        time = (at - int(self.first[scale])) * dictionary.strides[scale]
        if dictionary.space.hop < dictionary.strides[0]:
            time = self._best_time(scale, bin_, time, waveforms)
        under = self.residual[:, dictionary.span(scale, time)]
        sign, amplitude = dictionary.project(under @ waveforms.T, scale, bin_)
        if max_channels < len(amplitude):
            amplitude[np.argsort(-np.abs(amplitude), kind="stable")[max_channels:]] = 0
        under -= dictionary.combination(sign, amplitude, scale, bin_) @ waveforms
        half = dictionary.lengths[scale] // 2
        for other, count in enumerate(self.counts):
            self._analyse_frames(other, *dictionary.touched(other, time - half, time + half, count))
        return scale, time, bin_, sign, amplitude

    def _best_time(self, scale: int, bin_: int, time: int, waveforms: np.ndarray) -> int:
        """Time within half a hop at which the atom takes the most energy.

        Moussallam, Daudet & Richard 2012.
        """
        import scipy.fft  # slow to load

        dictionary, hop = self.dictionary, self.dictionary.space.hop
        half_stride = dictionary.strides[scale] // 2
        # frames at both ends stay within the range of time
        earliest, latest = (
            max(-half_stride, -time),
            min(half_stride, (self.counts[scale] - 1) * dictionary.strides[scale] - time),
        )
        span = dictionary.span(scale, time)
        under = self.residual[:, span.start + earliest : span.stop + latest]
        size = scipy.fft.next_fast_len(under.shape[1], real=True)
        spectra = (
            scipy.fft.rfft(under, size)[:, None] * np.conj(scipy.fft.rfft(waveforms, size))[None]
        )
        # (channels, waveforms, shifts)
        products = scipy.fft.irfft(spectra, size)[..., : latest - earliest + 1]
        shifts = np.arange(earliest, latest + 1)
        fitting = (time + shifts) % hop == 0
        power = np.zeros(len(shifts))
        for channel in products:
            power += dictionary.project(channel.T, scale, bin_)[1] ** 2
        return time + int(shifts[np.where(fitting, power, -1).argmax()])
