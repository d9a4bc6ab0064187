"""Dictionaries: unit-norm atoms of several scales, on frames of every scale.

An atom of scale s (window of L samples) in frame m covers the samples from m * stride - L / 2 to m * stride + L / 2, and has one of
L / 2 bins, (k + 1/2) * rate / L. A dictionary gives

    waveforms(s, bin)        (n, L) float64, what its atoms are linear combinations of
    project(products, s, k)  sign and amplitude of the best atom, from the inner products with those waveforms
    power(blocks, s)         (frames, bins) energy of the best atom in every place of whole frames
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...atoms.space import GABOR_WINDOWS, ScaleSpace
from ..mdct import mdct_blocks, window_of


def dictionary_of(space: ScaleSpace) -> MDCTUnion | Gabor:
    """The dictionary whose atoms a space describes. Raises AtomizerError where there is none."""
    space.validate()
    return Gabor(space) if space.window in GABOR_WINDOWS else MDCTUnion(space)


class _Frames:
    """What both dictionaries share: where frames lie. Signals are padded, so that no atom reaches beyond them."""

    def __init__(self, space: ScaleSpace, overlap: int):
        self.space = space
        self.lengths = space.scales
        self.strides = tuple(length // overlap for length in space.scales)
        self.pad = space.scales[-1]

    def counts(self, samples: int) -> tuple[int, ...]:
        """Frames of every scale."""
        return tuple(-(-samples // stride) + 1 for stride in self.strides)

    def padded(self, samples: np.ndarray) -> np.ndarray:
        """(channels, n) -> float64 with `pad` samples of silence before, and more than that behind."""
        return np.pad(samples.astype(np.float64), ((0, 0), (self.pad, 2 * self.pad)))

    def span(self, scale: int, centre: int) -> slice:
        """Samples of a padded signal that an atom covers."""
        half = self.lengths[scale] // 2
        return slice(self.pad + centre - half, self.pad + centre + half)

    def touched(self, scale: int, start: int, end: int, count: int) -> tuple[int, int]:
        """First frame and the one behind the last, of `count`, that overlap the samples from start to end (both without padding)."""
        half, stride = self.lengths[scale] // 2, self.strides[scale]
        return max(0, (start - half) // stride + 1), min(count, -(-(end + half) // stride))

    def samples_of(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """(channels, samples) float32 of a padded signal under the frames first … last - 1."""
        half, stride = self.lengths[scale] // 2, self.strides[scale]
        return residual[
            :, self.pad + first * stride - half : self.pad + (last - 1) * stride + half
        ].astype(np.float32)


class MDCTUnion(_Frames):
    """A union of orthonormal MDCT bases (Ravelli, Richard & Daudet 2008)."""

    def __init__(self, space: ScaleSpace):
        super().__init__(space, 2)
        self.windows = [window_of(space.window, length // 2, np.float64) for length in self.lengths]

    def inner(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """(channels, frames, bins) float32 inner products of a padded signal with the atoms of frames first … last - 1."""
        return mdct_blocks(self._blocks(residual, scale, first, last), self.space.window)

    def power(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """(frames, bins) energy in all channels, by which candidates are ranked."""
        blocks = self._blocks(residual, scale, first, last)
        x = mdct_blocks(blocks, self.space.window)
        power = np.einsum("cmk,cmk->mk", x, x)
        if self.space.hop < self.strides[0]:
            # atoms that will be moved can have any phase: sines count too, which are the cosines of the signal read backwards
            x = mdct_blocks(np.ascontiguousarray(blocks[:, ::-1, ::-1]), self.space.window)[:, ::-1]
            power += np.einsum("cmk,cmk->mk", x, x)
        return power

    def _blocks(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        x = self.samples_of(residual, scale, first, last)
        return x.reshape(len(x), -1, self.strides[scale])

    def waveforms(self, scale: int, bin_: int) -> np.ndarray:
        """(n, length) float64 waveforms whose combinations are the atoms of one place."""
        hop = self.lengths[scale] // 2
        # the argument is a whole number of periods / 8 hop: exact, and looked up
        n = np.arange(2 * hop)
        return (self.windows[scale] * cosines(hop)[(2 * n + 1 + hop) * (2 * bin_ + 1) % (8 * hop)])[
            None
        ]

    def project(self, products: np.ndarray, scale: int, bin_: int) -> tuple[np.ndarray, np.ndarray]:
        """Signs and signed amplitudes (channels,) from inner products (channels, 1)."""
        return (products[:, 0] >= 0).astype(np.int8), products[:, 0]

    def combination(
        self, sign: np.ndarray, amplitude: np.ndarray, scale: int, bin_: int
    ) -> np.ndarray:
        """(n, 1) factors of the waveforms in the sum of atoms of one place."""
        return np.asarray(amplitude, np.float64)[:, None]


@lru_cache(maxsize=8)
def cosines(hop: int) -> np.ndarray:
    """One period of sqrt(2 / hop) cos in 8 * hop steps."""
    return np.sqrt(2 / hop) * np.cos(np.pi / (4 * hop) * np.arange(8 * hop))


class Gabor(_Frames):
    """Windowed cosines of quantised phase, frames a quarter of a window apart. Windows: "gauss", or "damped" (sharp attack, exponential decay)."""

    def __init__(self, space: ScaleSpace):
        super().__init__(space, 4)
        self.windows = [_envelope(space.window, length) for length in self.lengths]
        angle = space.phase(np.arange(space.phases))
        self.turns = np.stack(
            [np.cos(angle), -np.sin(angle)], 1
        )  # (phases, 2): cos(x + angle) of cos x and sin x
        # norms of every atom: at both ends of the spectrum the phase changes them
        self.norms = [self._norms(scale) for scale in range(len(self.lengths))]

    def _grid(self, scale: int) -> tuple[np.ndarray, np.ndarray]:
        """Samples from the middle of the window (L,), and frequencies in radians per sample (L / 2,)."""
        length = self.lengths[scale]
        return np.arange(length) - (length - 1) / 2, 2 * np.pi * (
            np.arange(length // 2) + 0.5
        ) / length

    def _norms(self, scale: int) -> np.ndarray:
        """(bins, phases) norms of windowed cosines: |w cos(x + p)|^2 = (sum w^2 + Re e^{2ip} sum w^2 e^{2ix}) / 2."""
        n, omega = self._grid(scale)
        twice = _odd_fft(self.windows[scale] ** 2, 2 * n, omega)
        angle = self.space.phase(np.arange(self.space.phases))
        square = np.sum(self.windows[scale] ** 2) + np.real(
            np.conj(twice)[:, None] * np.exp(2j * angle)
        )
        return np.sqrt(np.maximum(square, 1e-12) / 2)

    def power(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """(frames, bins) energy in all channels, by which candidates are ranked."""
        length, stride = self.lengths[scale], self.strides[scale]
        x = self.samples_of(residual, scale, first, last)
        frames = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[:, ::stride]
        spectrum = self._spectrum(frames, scale)
        best = np.zeros(spectrum.shape, np.float32)
        for p in range(self.space.phases // 2):  # the other half are the same atoms, negative
            best = np.maximum(
                best,
                np.abs(
                    spectrum.real * np.float32(self.turns[p, 0])
                    - spectrum.imag * np.float32(self.turns[p, 1])
                )
                / self.norms[scale][:, p].astype(np.float32),
            )
        return np.einsum("cmk,cmk->mk", best, best)

    def _spectrum(self, frames: np.ndarray, scale: int) -> np.ndarray:
        import scipy.fft  # loaded when it is needed, as in `mdct`

        n, omega = self._grid(scale)
        shift, turn = _odd_shifts(self.lengths[scale])
        return (
            scipy.fft.fft(frames * (self.windows[scale].astype(np.float32) * shift), axis=-1)[
                ..., : len(omega)
            ]
            * turn
        )

    def waveforms(self, scale: int, bin_: int) -> np.ndarray:
        """(n, length) float64 waveforms whose combinations are the atoms of one place."""
        n, omega = self._grid(scale)
        return self.windows[scale] * np.stack([np.cos(omega[bin_] * n), np.sin(omega[bin_] * n)])

    def project(self, products: np.ndarray, scale: int, bin_: int) -> tuple[np.ndarray, np.ndarray]:
        """Signs (phases) and amplitudes (channels,) from inner products with cosine and sine (channels, 2)."""
        onto = products @ self.turns.T / self.norms[scale][bin_]
        sign = onto.argmax(1)
        return sign.astype(np.int8), onto[np.arange(len(sign)), sign]

    def combination(
        self, sign: np.ndarray, amplitude: np.ndarray, scale: int, bin_: int
    ) -> np.ndarray:
        return (
            self.turns[sign]
            * (np.asarray(amplitude, np.float64) / self.norms[scale][bin_, sign])[:, None]
        )


def _envelope(name: str, length: int) -> np.ndarray:
    n = np.arange(length) + 0.5
    if name == "gauss":
        return np.exp(-0.5 * ((n - length / 2) / (length / 6)) ** 2)
    attack = length / 16
    return np.where(
        n < attack,
        np.sin(np.pi / 2 * n / attack) ** 2,
        10 ** (-3 * (n - attack) / (length - attack)),
    )


@lru_cache(maxsize=8)
def _odd_shifts(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Factors (complex64) before and behind an FFT, so that its bins lie at (k + 1/2) / length and its phase is that of the middle."""
    n, k = np.arange(length), np.arange(length // 2)
    middle = (length - 1) / 2
    return (
        np.exp(-1j * np.pi * n / length).astype(np.complex64),
        np.exp(2j * np.pi * (k + 0.5) * middle / length).astype(np.complex64),
    )


def _odd_fft(values: np.ndarray, n: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """sum over n of values e^{-i omega n}, (bins,) complex, in pieces that fit into memory."""
    return np.concatenate(
        [
            np.exp(-1j * np.outer(part, n)) @ values
            for part in np.array_split(omega, max(1, len(omega) // 64))
        ]
    )
