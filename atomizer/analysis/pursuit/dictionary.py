"""Dictionaries: unit-norm atoms of several scales, on frames of every scale.

An atom of scale s (window of L samples) in frame m covers the samples from m * stride - L / 2 to
m * stride + L / 2 and has one of L / 2 bins, (k + 1/2) * rate / L. A dictionary has the methods

    waveforms(s, k)          (n, L) float64, waveforms whose linear combinations are the atoms
    project(products, s, k)  sign and amplitude of the best atom, from its inner products
    power(residual, s, ...)  (frames, bins) energy of the best atom at every place of whole frames
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...atoms.space import GABOR_WINDOWS, ScaleSpace
from ..mdct import mdct_blocks, window_of


def dictionary_of(space: ScaleSpace) -> MDCTUnion | Gabor:
    """The dictionary of a space; raises AtomizerError if the space is invalid."""
    space.validate()
    return Gabor(space) if space.window in GABOR_WINDOWS else MDCTUnion(space)


class _Frames:
    """Positions of frames; signals are padded so that no atom reaches beyond them."""

    def __init__(self, space: ScaleSpace, overlap: int):
        self.space = space
        self.lengths = space.scales
        self.strides = tuple(length // overlap for length in space.scales)
        self.pad = space.scales[-1]

    def counts(self, samples: int) -> tuple[int, ...]:
        """Number of frames of every scale."""
        return tuple(-(-samples // stride) + 1 for stride in self.strides)

    def padded(self, samples: np.ndarray) -> np.ndarray:
        """Samples (channels, n) as float64, with silence before (`pad` samples) and after."""
        return np.pad(samples.astype(np.float64), ((0, 0), (self.pad, 2 * self.pad)))

    def span(self, scale: int, centre: int) -> slice:
        """Samples of a padded signal that an atom covers; `centre` is without padding."""
        half = self.lengths[scale] // 2
        return slice(self.pad + centre - half, self.pad + centre + half)

    def touched(self, scale: int, start: int, end: int, count: int) -> tuple[int, int]:
        """Span (start, stop) of the frames, of `count`, that overlap the samples start … end.

        Samples are counted without padding.
        """
        half, stride = self.lengths[scale] // 2, self.strides[scale]
        return max(0, (start - half) // stride + 1), min(count, -(-(end + half) // stride))

    def samples_of(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """Samples (channels, n) float32 of a padded signal under the frames first … last - 1."""
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
        """Inner products (channels, frames, bins) float32 with the atoms of a span of frames.

        residual     (channels, n), padded
        first, last  span of the frames; `last` is excluded
        """
        return mdct_blocks(self._blocks(residual, scale, first, last), self.space.window)

    def power(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """Energy (frames, bins) of the best atoms in all channels, which ranks candidates."""
        blocks = self._blocks(residual, scale, first, last)
        x = mdct_blocks(blocks, self.space.window)
        power = np.einsum("cmk,cmk->mk", x, x)
        if self.space.hop < self.strides[0]:
            # atoms that move can have any phase: add the sines, the cosines of the reversed signal
            x = mdct_blocks(np.ascontiguousarray(blocks[:, ::-1, ::-1]), self.space.window)[:, ::-1]
            power += np.einsum("cmk,cmk->mk", x, x)
        return power

    def _blocks(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        x = self.samples_of(residual, scale, first, last)
        return x.reshape(len(x), -1, self.strides[scale])

    def waveforms(self, scale: int, bin_: int) -> np.ndarray:
        """Waveforms (n, length) float64 whose combinations are the atoms of one place."""
        hop = self.lengths[scale] // 2
        # the argument is a whole multiple of a period / (8 hop): an exact table lookup
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
        """Factors (n, 1) of the waveforms in the sum of atoms of one place."""
        return np.asarray(amplitude, np.float64)[:, None]


@lru_cache(maxsize=8)
def cosines(hop: int) -> np.ndarray:
    """One period of sqrt(2 / hop) cos in 8 * hop steps."""
    return np.sqrt(2 / hop) * np.cos(np.pi / (4 * hop) * np.arange(8 * hop))


class Gabor(_Frames):
    """Windowed cosines of quantised phase, with frames a quarter of a window apart.

    Windows: "gauss", or "damped" (sharp attack, exponential decay).
    """

    def __init__(self, space: ScaleSpace):
        super().__init__(space, 4)
        self.windows = [_envelope(space.window, length) for length in self.lengths]
        angle = space.phase(np.arange(space.phases))
        # (phases, 2): cos(x + angle) as a combination of cos x and sin x
        self.rotations = np.stack([np.cos(angle), -np.sin(angle)], 1)
        # norms of all atoms; at both ends of the spectrum they depend on the phase
        self.norms = [self._norms(scale) for scale in range(len(self.lengths))]

    def _grid(self, scale: int) -> tuple[np.ndarray, np.ndarray]:
        """Time axis (L,), from the middle of the window, and frequencies (L / 2,).

        In samples and radians per sample.
        """
        length = self.lengths[scale]
        return np.arange(length) - (length - 1) / 2, 2 * np.pi * (
            np.arange(length // 2) + 0.5
        ) / length

    def _norms(self, scale: int) -> np.ndarray:
        """Norms (bins, phases) of windowed cosines.

        |w cos(x + p)|^2 = (sum w^2 + Re e^{2ip} sum w^2 e^{2ix}) / 2
        """
        n, omega = self._grid(scale)
        twice = _odd_fft(self.windows[scale] ** 2, 2 * n, omega)
        angle = self.space.phase(np.arange(self.space.phases))
        square = np.sum(self.windows[scale] ** 2) + np.real(
            np.conj(twice)[:, None] * np.exp(2j * angle)
        )
        return np.sqrt(np.maximum(square, 1e-12) / 2)

    def power(self, residual: np.ndarray, scale: int, first: int, last: int) -> np.ndarray:
        """Energy (frames, bins) of the best atoms in all channels, which ranks candidates."""
        length, stride = self.lengths[scale], self.strides[scale]
        x = self.samples_of(residual, scale, first, last)
        frames = np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[:, ::stride]
        spectrum = self._spectrum(frames, scale)
        best = np.zeros(spectrum.shape, np.float32)
        for p in range(self.space.phases // 2):  # the other half are the negative atoms
            best = np.maximum(
                best,
                np.abs(
                    spectrum.real * np.float32(self.rotations[p, 0])
                    - spectrum.imag * np.float32(self.rotations[p, 1])
                )
                / self.norms[scale][:, p].astype(np.float32),
            )
        return np.einsum("cmk,cmk->mk", best, best)

    def _spectrum(self, frames: np.ndarray, scale: int) -> np.ndarray:
        import scipy.fft  # slow to load

        n, omega = self._grid(scale)
        shift, turn = _odd_shifts(self.lengths[scale])
        return (
            scipy.fft.fft(frames * (self.windows[scale].astype(np.float32) * shift), axis=-1)[
                ..., : len(omega)
            ]
            * turn
        )

    def waveforms(self, scale: int, bin_: int) -> np.ndarray:
        """Waveforms (n, length) float64 whose combinations are the atoms of one place."""
        n, omega = self._grid(scale)
        return self.windows[scale] * np.stack([np.cos(omega[bin_] * n), np.sin(omega[bin_] * n)])

    def project(self, products: np.ndarray, scale: int, bin_: int) -> tuple[np.ndarray, np.ndarray]:
        """Signs (phases) and amplitudes (channels,) from inner products (channels, 2)."""
        onto = products @ self.rotations.T / self.norms[scale][bin_]
        sign = onto.argmax(1)
        return sign.astype(np.int8), onto[np.arange(len(sign)), sign]

    def combination(
        self, sign: np.ndarray, amplitude: np.ndarray, scale: int, bin_: int
    ) -> np.ndarray:
        """Factors (n, 2) of the waveforms in the sum of atoms of one place."""
        return (
            self.rotations[sign]
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
    """Factors (complex64) before and after an FFT.

    They move its bins to (k + 1/2) / length and its phase to the middle of the window.
    """
    n, k = np.arange(length), np.arange(length // 2)
    middle = (length - 1) / 2
    return (
        np.exp(-1j * np.pi * n / length).astype(np.complex64),
        np.exp(2j * np.pi * (k + 0.5) * middle / length).astype(np.complex64),
    )


def _odd_fft(values: np.ndarray, n: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Fourier sum of values e^{-i omega n} over n: (bins,) complex, in parts to save memory."""
    return np.concatenate(
        [
            np.exp(-1j * np.outer(part, n)) @ values
            for part in np.array_split(omega, max(1, len(omega) // 64))
        ]
    )
