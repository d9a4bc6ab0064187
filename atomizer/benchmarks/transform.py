"""MDCT and inverse of a minute of stereo, beside other MDCTs of the same frames.

The plain variants follow the formula: the whole signal is windowed, folded and transformed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from ..analysis.mdct import imdct, imdct_torch, mdct, mdct_torch, window_of
from .records import Missing, Record
from .timing import compare

SECONDS, RATE, HOP = 60, 44_100, 1024


def noise(seconds: float, channels: int = 2) -> np.ndarray:
    """White noise, (channels, samples) float32."""
    return np.random.default_rng(0).standard_normal((channels, int(seconds * RATE)), np.float32) / 8


def hops(x: np.ndarray) -> np.ndarray:
    """(channels, frames + 1, hop) blocks of (channels, samples), padded with silence."""
    length = x.shape[1]
    return np.pad(x, ((0, 0), (HOP, -length % HOP + HOP))).reshape(len(x), -1, HOP)


def plain_mdct(x: np.ndarray) -> np.ndarray:
    """`mdct` by numpy and one DCT-IV of scipy."""
    import scipy.fft

    w, half, blocks = window_of("sine", HOP), HOP // 2, hops(x)
    first, second = blocks[:, :-1] * w[:HOP], blocks[:, 1:] * w[HOP:]
    folded = np.concatenate(
        [
            -second[..., half - 1 :: -1] - second[..., half:],
            first[..., :half] - first[..., : half - 1 : -1],
        ],
        -1,
    )
    return scipy.fft.dct(folded, type=4, norm="ortho")


def plain_imdct(spectrum: np.ndarray, length: int) -> np.ndarray:
    """`imdct` by one DCT-IV of scipy and numpy."""
    import scipy.fft

    w, half = window_of("sine", HOP), HOP // 2
    folded = scipy.fft.dct(spectrum, type=4, norm="ortho")
    left, right = folded[..., :half], folded[..., half:]
    out = np.zeros((len(folded), folded.shape[1] + 1, HOP), np.float32)
    out[:, :-1] = np.concatenate([right, -right[..., ::-1]], -1) * w[:HOP]
    out[:, 1:] += np.concatenate([-left[..., ::-1], -left], -1) * w[HOP:]
    return out.reshape(len(out), -1)[:, HOP : HOP + length]


def roundtrip() -> Iterator[Record | Missing]:
    """Forward and inverse transform."""
    import torch

    x = noise(SECONDS)
    length = x.shape[1]
    tensor, window = torch.from_numpy(x), torch.from_numpy(window_of("sine", HOP))

    def by_torch_mdct():
        import torch_mdct

        return torch_mdct.imdct(torch_mdct.mdct(tensor, window), window, n_samples=length)

    def by_torch():
        return imdct_torch(mdct_torch(torch.from_numpy(hops(x)))).reshape(len(x), -1)[
            :, HOP : HOP + length
        ]

    yield from compare(
        "mdct_roundtrip_60s_stereo_s",
        lambda: imdct(mdct(x, HOP), length),
        {
            "torch_mdct": by_torch_mdct if find_spec("torch_mdct") else "which is not installed",
            "plain fold + scipy.fft DCT-IV": lambda: plain_imdct(plain_mdct(x), length),
            "plain fold + torch FFT": by_torch,
        },
        repeats=9,
    )


BENCHMARKS = {"mdct_roundtrip_60s_stereo_s": roundtrip}
