"""Copies: the recording, shifted by lags and analysed on the grid of atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from .context import RecordingContext, mdct_frames

CROSSFADE_SECONDS = 0.05  # half of the cross-fade of two phrases
SINC_TAPS = 32  # on either side, of the interpolation of fractional lags
MIN_FRACTION = 0.02  # of a lag, below which it is rounded


@dataclass(frozen=True)
class Piece:
    """Samples `start` to `stop` (excluded) are copied from `lag` samples later in the recording."""

    start: int
    stop: int
    lag: float


@dataclass(frozen=True)
class Copy:
    """A shifted recording on the frames around a span.

    atoms   (C, t, F) float32; zero in frames with an unknown source
    known   (t,) bool, frames with a known source
    pieces  shifts of the parts of the span, in the order of time
    """

    atoms: np.ndarray
    known: np.ndarray
    pieces: tuple[Piece, ...]


def copy_pieces(context: RecordingContext, frames: slice, pieces: tuple[Piece, ...]) -> Copy:
    """The recording, shifted by the lags of pieces, which are cross-faded.

    The first and the last piece extend to the ends of `frames`.
    """
    hop, length = context.space.hop, context.samples.shape[1]
    low, high = (frames.start - 1) * hop, frames.stop * hop
    fade = round(CROSSFADE_SECONDS * context.rate)
    out = np.zeros((len(context.samples), high - low), np.float32)
    known_share = np.zeros(high - low, np.float32)
    known_samples = context.copyable_samples
    last = len(pieces) - 1
    for number, piece in enumerate(pieces):
        a = low if number == 0 else max(piece.start - fade, low)
        b = high if number == last else min(piece.stop + fade, high)
        weight = np.ones(b - a, np.float32)
        if number > 0:
            weight[: 2 * fade] = np.linspace(0, 1, 2 * fade)[: len(weight)]
        if number < last:
            weight[-2 * fade :] *= np.linspace(1, 0, 2 * fade)[-len(weight) :]
        shift = round(piece.lag)
        p, q = max(a, -shift), min(b, length - shift)
        known = np.zeros(b - a, np.float32)
        if p < q:
            known[p - a : q - a] = known_samples[p + shift : q + shift]
        out[:, a - low : b - low] += shifted(context.samples, a, b, piece.lag) * weight
        known_share[a - low : b - low] += known * weight
    blocks = np.atleast_1d((known_share > 0.999).reshape(-1, hop).all(1))
    known_frames = blocks[:-1] & blocks[1:]
    atoms = mdct_frames(out, low, frames, context.space) * known_frames[:, None]
    return Copy(atoms, known_frames, pieces)


def shifted(samples: np.ndarray, start: int, stop: int, lag: float) -> np.ndarray:
    """Samples `start + lag` to `stop + lag` of (C, n), zero outside: (C, stop - start).

    Fractional lags are interpolated by a windowed sinc.
    """
    whole, pad = int(np.floor(lag)), SINC_TAPS
    fraction = lag - whole
    if min(fraction, 1 - fraction) < MIN_FRACTION:
        whole, fraction, pad = round(lag), 0.0, 0
    piece = np.zeros((len(samples), stop - start + 2 * pad), np.float32)
    low, high = start + whole - pad, stop + whole + pad
    a, b = max(low, 0), min(high, samples.shape[1])
    if a < b:
        piece[:, a - low : b - low] = samples[:, a:b]
    if not pad:
        return piece
    # y[n] = sum_m x[n + m] sinc(m - fraction)
    at = np.arange(-pad, pad + 1) - fraction
    kernel = (np.sinc(at) * np.cos(np.pi * at / (2 * pad + 2)) ** 2).astype(np.float32)
    return oaconvolve(piece, kernel[None, ::-1], "valid", axes=1)
