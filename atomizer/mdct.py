"""The modified discrete cosine transform and its inverse, for numpy and torch.

With hop N and a window w that satisfies Princen-Bradley (w[n]^2 + w[n + N]^2 = 1), frame m of a signal x is

    X[m, k] = sqrt(2 / N) * sum_{n < 2N} w[n] x[(m - 1) N + n] cos(pi / N (n + 1/2 + N / 2) (k + 1/2))

an orthonormal lapped transform (Princen, Johnson & Bradley 1987): its inverse is its transpose. Every 2N-block is folded to N
values and goes through an orthonormal DCT-IV. Conventions: signals are (..., samples), transforms (..., frames, N) with
frames = ceil(samples / N) + 1; the signal is taken as zero outside its samples.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy.fft

WINDOWS = ("sine", "kbd")


@lru_cache(maxsize=32)
def window_of(name: str, hop: int, dtype=np.float32) -> np.ndarray:
    """(2 * hop,) Princen-Bradley window: "sine", or "kbd" (Kaiser-Bessel-derived, alpha 4)."""
    if name == "sine":
        return np.sin(np.pi * (np.arange(2 * hop) + 0.5) / (2 * hop)).astype(dtype)
    if name == "kbd":
        cumulative = np.cumsum(np.kaiser(hop + 1, np.pi * 4))
        half = np.sqrt(cumulative[:-1] / cumulative[-1])
        return np.concatenate([half, half[::-1]]).astype(dtype)
    raise ValueError(f"There is no window {name!r}: choose from {', '.join(WINDOWS)}.")


def _blocks(x: np.ndarray, hop: int) -> np.ndarray:
    """(..., frames + 1, hop): the signal cut into hops, one of silence before it and at least one after."""
    frames = -(-x.shape[-1] // hop) + 1
    padded = np.zeros(x.shape[:-1] + ((frames + 1) * hop,), np.float32)
    padded[..., hop : hop + x.shape[-1]] = x
    return padded.reshape(x.shape[:-1] + (frames + 1, hop))


def mdct(x: np.ndarray, hop: int = 1024, window: str = "sine") -> np.ndarray:
    """(..., samples) -> (..., frames, hop) float32."""
    return mdct_blocks(_blocks(np.asarray(x), hop), window)


def mdct_blocks(blocks: np.ndarray, window: str = "sine") -> np.ndarray:
    """The transform of a signal that is already cut into hops: (..., frames + 1, hop) -> (..., frames, hop) of the same type."""
    hop = blocks.shape[-1]
    w, half = window_of(window, hop), hop // 2
    # the four half-hops of a frame: a b | c d  ->  folded (-c' - d, a - b'), where ' reverses
    first, second = blocks[..., :-1, :] * w[:hop], blocks[..., 1:, :] * w[hop:]
    folded = np.empty_like(first)
    folded[..., :half] = -second[..., half - 1 :: -1] - second[..., half:]
    folded[..., half:] = first[..., :half] - first[..., : half - 1 : -1]
    return scipy.fft.dct(folded, type=4, norm="ortho", axis=-1, overwrite_x=True)


def imdct(spectrum: np.ndarray, length: int, window: str = "sine") -> np.ndarray:
    """(..., frames, hop) -> (..., length) float32, the inverse of `mdct`."""
    hop = spectrum.shape[-1]
    w, half = window_of(window, hop), hop // 2
    folded = scipy.fft.dct(np.asarray(spectrum, np.float32), type=4, norm="ortho", axis=-1)
    out = np.zeros(folded.shape[:-2] + (folded.shape[-2] + 1, hop), np.float32)
    left, right = folded[..., :half], folded[..., half:]
    # unfolding is the transpose of folding: a = right, b = -right', c = -left', d = -left
    out[..., :-1, :half] += right * w[:half]
    out[..., :-1, half:] -= right[..., ::-1] * w[half:hop]
    out[..., 1:, :half] -= left[..., ::-1] * w[hop : hop + half]
    out[..., 1:, half:] -= left * w[hop + half :]
    return out.reshape(out.shape[:-2] + (-1,))[..., hop : hop + length]


def mdct_torch(blocks, window: str = "sine"):
    """The same transform for torch, on any device, for signals already cut into hops.

    blocks  Tensor (..., frames + 1, hop)
    Returns Tensor (..., frames, hop): frame m spans blocks m and m + 1.
    """
    import torch

    hop = blocks.shape[-1]
    half = hop // 2
    w = torch.as_tensor(window_of(window, hop), device=blocks.device)
    first, second = blocks[..., :-1, :] * w[:hop], blocks[..., 1:, :] * w[hop:]
    folded = torch.cat([-second[..., :half].flip(-1) - second[..., half:], first[..., :half] - first[..., half:].flip(-1)], -1)
    return _dct4_torch(folded)


def imdct_torch(spectrum, window: str = "sine"):
    """The inverse of `mdct_torch`: Tensor (..., frames, hop) -> (..., frames + 1, hop)."""
    import torch

    hop = spectrum.shape[-1]
    half = hop // 2
    w = torch.as_tensor(window_of(window, hop), device=spectrum.device)
    left, right = _dct4_torch(spectrum).split(half, -1)
    # as in `imdct`: first and second hop of every frame, which overlap the second of the former and the first of the next
    first = torch.cat([right, -right.flip(-1)], -1) * w[:hop]
    second = torch.cat([-left.flip(-1), -left], -1) * w[hop:]
    pad = torch.nn.functional.pad
    return pad(first, (0, 0, 0, 1)) + pad(second, (0, 0, 1, 0))


def _dct4_torch(folded):
    """Orthonormal DCT-IV of Tensor (..., N), its own inverse.

    One complex FFT of half its length between two twiddles: with u = n + 1/8 and v = k + 1/8 the kernel
    cos(pi / N (2n + 1/2)(2k + 1/2)) is the real part of exp(-i pi u / N) exp(-2 i pi n k / (N / 2)) exp(-i pi v / N).
    """
    import torch

    hop = folded.shape[-1]
    n = torch.arange(hop // 2, device=folded.device)
    twiddle = torch.polar(torch.ones(hop // 2, device=folded.device), -torch.pi * (n + 1 / 8) / hop)
    z = torch.complex(folded[..., ::2].contiguous(), folded.flip(-1)[..., ::2].contiguous()) * twiddle
    z = torch.fft.fft(z) * twiddle * (2 / hop) ** 0.5
    return torch.stack([z.real, -z.imag.flip(-1)], -1).flatten(-2)
