"""Short-time spectra of MDCT atoms, and their transpose, for conjugate gradients in torch.

Both run dozens of times per fill: atoms are kept in the order in which the transforms need no
rearranging.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..analysis.mdct import window_of


class PackedMDCT:
    """MDCT frames in the order in which their transform needs no rearranging.

    A DCT-IV of N values is a complex FFT of N / 2 between two twiddles if value 2 j is the real
    part of number j and value N - 1 - 2 j its imaginary part. Frames are (..., N) float32 in this
    order: `pack` and `unpack` convert. Each such pair is half of an overlap of two frames, so that
    windowing and overlapping are a product with a complex number of modulus one.
    """

    def __init__(self, bins: int, window: str, device: torch.device):
        n = np.arange(bins).reshape(-1, 2)
        order = np.stack([n[:, 0], bins - 1 - n[:, 0]], 1)  # of the folded values, and of the bins
        is_right = order >= bins // 2  # of the frame that begins an overlap; else of the one before
        place = np.where(is_right, order - bins // 2, bins // 2 - 1 - order)  # in the overlap
        w = window_of(window, bins, np.float64)
        angle = np.where(is_right[:, 0], 1j, -1j) * np.arctan2(w[bins - 1 - place], w[place])[:, 0]
        sample = np.where(is_right, place, bins - 1 - place).ravel()
        twiddle = np.exp(-1j * np.pi * (np.arange(bins // 2) + 1 / 8) / bins)

        def tensor(array: np.ndarray) -> Tensor:
            kind = np.complex64 if np.iscomplexobj(array) else np.float32
            return torch.from_numpy(array.astype(kind)).to(device)

        def index(array: np.ndarray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.order, self.inverse = index(order.ravel()), index(np.argsort(order.ravel()))
        self.sample, self.of_sample = index(sample), index(np.argsort(sample))
        self.before, self.after = tensor(twiddle * (2 / bins) ** 0.5), tensor(twiddle)
        self.rotation = tensor(np.exp(angle))
        self.conjugate = tensor(np.tile([1.0, -1.0], bins // 2))
        self.begins = tensor(is_right.ravel())
        self.ends = 1 - self.begins
        # the second half of an overlap comes out negative: the taper puts it right
        self.sign = tensor(np.repeat([1.0, -1.0], bins // 2))

    def pack(self, frames: Tensor) -> Tensor:
        """(..., N) in the order of bins -> packed."""
        return frames.gather(-1, self.order.expand(frames.shape))

    def unpack(self, frames: Tensor) -> Tensor:
        """(..., N) packed -> in the order of bins."""
        return frames.gather(-1, self.inverse.expand(frames.shape))

    def blocks(self, frames: Tensor) -> Tensor:
        """(R, T, N) packed frames -> (R, T + 1, N) samples times `sign`: the inverse MDCT."""
        folded = self._conjugate_transform(frames)
        mixed = folded.new_empty(len(folded), folded.shape[1] + 1, folded.shape[2])
        torch.mul(folded, self.begins * self.conjugate, out=mixed[:, :-1])
        mixed[:, -1] = 0
        mixed[:, 1:].addcmul_(folded, self.ends * self.conjugate)
        _complex(mixed).mul_(self.rotation)
        return mixed.gather(-1, self.of_sample.expand(mixed.shape))

    def conjugate_frames(self, blocks: Tensor) -> Tensor:
        """Transpose of `blocks`; of each pair, the second value is negative (`conjugate`)."""
        mixed = blocks.gather(-1, self.sample.expand(blocks.shape))
        _complex(mixed).mul_(self.rotation.conj())
        folded = (mixed[:, :-1] * self.begins).addcmul_(mixed[:, 1:], self.ends)
        return self._conjugate_transform(folded)

    def _conjugate_transform(self, packed: Tensor) -> Tensor:
        """Conjugate of the DCT-IV of packed values."""
        out = torch.fft.fft(_complex(packed) * self.before).mul_(self.after)
        return torch.view_as_real(out).flatten(-2)


@lru_cache(maxsize=8)
def _packed_mdct(bins: int, window: str, device: torch.device) -> PackedMDCT:
    return PackedMDCT(bins, window, device)


def _complex(pairs: Tensor) -> Tensor:
    """View of (..., 2 n) float as (..., n) complex."""
    return torch.view_as_complex(pairs.unflatten(-1, (-1, 2)))


class ShortTime:
    """Short-time spectra (C, count, size / 2 + 1) of packed atoms (C, frames, bins)."""

    def __init__(self, frames: int, bins: int, hops: int, window: str, device: torch.device):
        """Hops of the MDCT per STFT window, which advances by half of its length."""
        self.packed, self.bins = _packed_mdct(bins, window, device), bins
        self.size, self.hop = hops * bins, hops * bins // 2
        self.length = (frames + 1) * bins
        self.count = -(-self.length // self.hop) + 1
        self.taper = torch.hann_window(self.size, periodic=True, device=device).sqrt()
        self.signed = self.taper * self.packed.sign.repeat(hops)

    def spectrum(self, atoms: Tensor) -> Tensor:
        """The short-time spectrum of the sound of atoms."""
        samples = F.pad(
            self.packed.blocks(atoms).flatten(1),
            (self.hop, self.count * self.hop - self.length),
        )
        return torch.fft.rfft(samples.unfold(1, self.size, self.hop) * self.signed)

    def adjoint(self, spectrum: Tensor) -> Tensor:
        """The transpose of `spectrum`, up to a constant and the sign `PackedMDCT.conjugate`."""
        pieces = torch.fft.irfft(spectrum, self.size).mul_(self.signed)
        out = pieces[:, 1:, : self.hop] + pieces[:, :-1, self.hop :]
        blocks = out.flatten(1)[:, : self.length].unflatten(1, (-1, self.bins))
        return self.packed.conjugate_frames(blocks)
