"""The modified discrete cosine transform (MDCT) and its inverse, for numpy and torch.

With hop N and a Princen-Bradley window w (w[n]^2 + w[n + N]^2 = 1), frame m of a signal x is

    X[m, k] = sqrt(2 / N)
              * sum_{n < 2N} w[n] x[(m - 1) N + n] cos(pi / N (n + 1/2 + N / 2) (k + 1/2))

an orthonormal lapped transform (Princen, Johnson & Bradley 1987): its inverse is its transpose.
Every block of 2N samples is folded to N values, followed by an orthonormal DCT-IV. Signals are
(..., samples), transforms (..., frames, N) with frames = ceil(samples / N) + 1; the signal is zero
outside its samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ..atoms.space import WINDOWS

_CHUNK = 1 << 16  # samples transformed at a time, which stay in the cache of a core


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


def _fold(blocks: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Frames (..., n, hop), windowed and folded in half, of hops (..., n + 1, hop)."""
    half = blocks.shape[-1] // 2
    # the four half-hops of a frame: a b | c d  ->  folded (-c' - d, a - b'), where ' reverses
    first, second = blocks[..., :-1, :], blocks[..., 1:, :]
    out = np.empty_like(first)
    np.multiply(
        second[..., half - 1 :: -1], -w[3 * half - 1 : 2 * half - 1 : -1], out=out[..., :half]
    )
    out[..., :half] -= second[..., half:] * w[3 * half :]
    np.multiply(first[..., :half], w[:half], out=out[..., half:])
    out[..., half:] -= first[..., : half - 1 : -1] * w[2 * half - 1 : half - 1 : -1]
    return out


def _unfold(folded: np.ndarray, w: np.ndarray, blocks: np.ndarray) -> None:
    """Add folded frames (n, hop) to the hops (n + 1, hop) they cover: the transpose of `_fold`."""
    half = blocks.shape[-1] // 2
    left, right = folded[:, :half], folded[:, half:]
    # a = right, b = -right', c = -left', d = -left
    blocks[:-1, :half] += right * w[:half]
    blocks[:-1, half:] -= right[:, ::-1] * w[half : 2 * half]
    blocks[1:, :half] -= left[:, ::-1] * w[2 * half : 3 * half]
    blocks[1:, half:] -= left * w[3 * half :]


def _dct4(folded: np.ndarray) -> np.ndarray:
    import scipy.fft  # slow to load

    return scipy.fft.dct(folded, type=4, norm="ortho", axis=-1, overwrite_x=True)


def _chunks(frames: int, hop: int) -> Iterator[tuple[int, int]]:
    """Spans (start, stop) of frames that fit into the cache of a core."""
    step = max(1, _CHUNK // hop)
    return ((first, min(first + step, frames)) for first in range(0, frames, step))


def mdct(x: np.ndarray, hop: int = 1024, window: str = "sine") -> np.ndarray:
    """MDCT of (..., samples): (..., frames, hop) float32."""
    x = np.asarray(x)
    length = x.shape[-1]
    frames = -(-length // hop) + 1
    out = np.empty(x.shape[:-1] + (frames, hop), np.float32)
    for at in np.ndindex(x.shape[:-1]):
        for first, last in _chunks(frames, hop):
            # from the hop before the centre of the first frame to the hop after that of the last
            blocks = np.zeros((last - first + 1) * hop, np.float32)
            start, end = max((first - 1) * hop, 0), min(last * hop, length)
            blocks[start - (first - 1) * hop : end - (first - 1) * hop] = x[at][start:end]
            out[at][first:last] = mdct_blocks(blocks.reshape(-1, hop), window)
    return out


def mdct_blocks(blocks: np.ndarray, window: str = "sine") -> np.ndarray:
    """MDCT of hops (..., frames + 1, hop): (..., frames, hop) of the same type."""
    return _dct4(_fold(blocks, window_of(window, blocks.shape[-1])))


def imdct(spectrum: np.ndarray, length: int, window: str = "sine") -> np.ndarray:
    """Inverse of `mdct`: (..., frames, hop) -> (..., length) float32."""
    hop = spectrum.shape[-1]
    return imdct_blocks(spectrum, window)[..., hop : hop + length]


def imdct_blocks(spectrum: np.ndarray, window: str = "sine") -> np.ndarray:
    """Sum of the windowed frames (..., n, hop): (..., (n + 1) * hop) float32.

    It begins a hop before the centre of the first frame. The sums of two parts of a spectrum, of
    which one follows the other, overlap by a hop and are added.
    """
    frames, hop = spectrum.shape[-2:]
    w, leading = window_of(window, hop), spectrum.shape[:-2]
    out = np.zeros(leading + (frames + 1, hop), np.float32)
    for at in np.ndindex(leading):
        for first, last in _chunks(frames, hop):
            _unfold(
                _dct4(np.array(spectrum[at][first:last], np.float32)), w, out[at][first : last + 1]
            )
    return out.reshape(leading + (-1,))


def mdct_torch(blocks, window: str = "sine"):
    """MDCT for torch, on any device, of a signal cut into hops.

    blocks  Tensor (..., frames + 1, hop)
    Returns Tensor (..., frames, hop): frame m spans blocks m and m + 1.
    """
    import torch

    hop = blocks.shape[-1]
    half = hop // 2
    w = torch.as_tensor(window_of(window, hop), device=blocks.device)
    first, second = blocks[..., :-1, :] * w[:hop], blocks[..., 1:, :] * w[hop:]
    folded = torch.cat(
        [
            -second[..., :half].flip(-1) - second[..., half:],
            first[..., :half] - first[..., half:].flip(-1),
        ],
        -1,
    )
    return _dct4_torch(folded)


def imdct_torch(spectrum, window: str = "sine"):
    """Inverse of `mdct_torch`: Tensor (..., frames, hop) -> (..., frames + 1, hop)."""
    import torch

    hop = spectrum.shape[-1]
    half = hop // 2
    w = torch.as_tensor(window_of(window, hop), device=spectrum.device)
    left, right = _dct4_torch(spectrum).split(half, -1)
    # first and second hop of every frame: they overlap the frame before and the frame after
    first = torch.cat([right, -right.flip(-1)], -1) * w[:hop]
    second = torch.cat([-left.flip(-1), -left], -1) * w[hop:]
    pad = torch.nn.functional.pad
    return pad(first, (0, 0, 0, 1)) + pad(second, (0, 0, 1, 0))


def _dct4_torch(folded):
    """Orthonormal DCT-IV of Tensor (..., N), its own inverse.

    One complex FFT of half its length between two twiddles: with u = n + 1/8 and v = k + 1/8 the
    kernel cos(pi / N (2n + 1/2)(2k + 1/2)) is the real part of

        exp(-i pi u / N) exp(-2 i pi n k / (N / 2)) exp(-i pi v / N).
    """
    import torch

    hop = folded.shape[-1]
    twiddle = _twiddle(hop, folded.device)
    z = (
        torch.complex(folded[..., ::2].contiguous(), folded.flip(-1)[..., ::2].contiguous())
        * twiddle
    )
    z = torch.fft.fft(z) * twiddle * (2 / hop) ** 0.5
    return torch.stack([z.real, -z.imag.flip(-1)], -1).flatten(-2)


@lru_cache(maxsize=8)
def _twiddle(hop: int, device):
    """Twiddle factors exp(-i pi (n + 1/8) / hop): (hop / 2,) complex."""
    import torch

    n = torch.arange(hop // 2, device=device)
    return torch.polar(torch.ones(hop // 2, device=device), -torch.pi * (n + 1 / 8) / hop)
