"""Clicks: short disturbances that an autoregressive (AR) model of their surroundings excludes.

The prediction error of a block, filtered by its AR model, is far above its usual level at a click
(Vaseghi & Rayner 1990; Godsill & Rayner, Digital Audio Restoration, 1998, chapter 5). So it is at
attacks and glottal pulses: a click is over at once and stands alone, which the errors on both of
its sides show. The error of forward prediction begins with the click, that of backward prediction
ends with it.
"""

from __future__ import annotations

import numpy as np

from ...io.audio import Sound
from ..runs import runs
from .defect import Defect, find_in_channels

ORDER = 32  # of the AR model
BLOCK_SECONDS = 0.05  # that share a model
DETECT = 10.0  # error of a click relative to the usual one
EXTEND = 3.0  # error up to which a click reaches
MAX_SECONDS = 0.004  # longest click
NEAR_SECONDS = 0.03  # on either side, in which the error is compared
BIN_SECONDS = 0.001
OTHERS = 4  # as loud errors nearby that make it a sound of its own
ISOLATION = 4.0  # error of a click relative to that of the `OTHERS`-th loudest bin nearby
ATTACK = 2.0  # error after a click relative to that before it: above, another sound begins
PASSES = 2  # the second one fits the models without the clicks of the first


def find_clicks(sound: Sound) -> list[Defect]:
    """Clicks of every channel of a sound."""
    return find_in_channels("clicks", sound, _clicks)


def _clicks(x: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Spans (first, stop) of the clicks of one channel (n,)."""
    spans: list[tuple[int, int]] = []
    if len(x) < 4 * ORDER or not x.any():
        return spans
    for _ in range(PASSES):
        forward, backward, usual = _errors(x, _bridged(x, spans), rate)
        loud = np.maximum(forward, backward) > DETECT * usual
        spans = _spans(loud, forward > EXTEND * usual, backward > EXTEND * usual, rate)
        error = np.maximum(forward, backward)
        free = np.ones(len(x), bool)  # of spans, and of the errors of either prediction beside them
        for first, stop in spans:
            free[max(0, first - ORDER) : stop + ORDER] = False
        spans = [
            span
            for span in spans
            if _stands_alone(error, span, rate) and not _begins_a_sound(error, free, span, rate)
        ]
    return spans


def _bridged(x: np.ndarray, spans: list[tuple[int, int]]) -> np.ndarray:
    """The samples (n,) with straight lines in place of the spans."""
    out = x.copy()
    for first, stop in spans:
        low, high = max(first - 1, 0), min(stop, len(x) - 1)
        out[first:stop] = np.linspace(x[low], x[high], stop - first + 2)[1:-1]
    return out


def _errors(
    x: np.ndarray, clean: np.ndarray, rate: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors (n,) of forward and backward prediction of `x`, and their usual magnitude.

    clean  the samples that the models are fitted to
    """
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    size = round(BLOCK_SECONDS * rate)
    forward, backward, usual = np.zeros(len(x)), np.zeros(len(x)), np.full(len(x), np.inf)
    for start in range(0, len(x), size):
        stop = min(start + size, len(x))
        low, high = max(0, start - size // 2), min(len(x), stop + size // 2)
        block = clean[low:high] * np.hanning(high - low)
        spectrum = np.fft.rfft(block, 2 * len(block))
        r = np.fft.irfft(np.abs(spectrum) ** 2)[: ORDER + 1]
        if r[0] <= 1e-18:
            continue
        r[0] *= 1 + 1e-9
        a = np.concatenate([[1.0], -solve_toeplitz(r[:-1], r[1:])])
        lead, tail = max(0, start - ORDER), min(len(x), stop + ORDER)
        forward[start:stop] = lfilter(a, 1, x[lead:stop])[start - lead :]
        backward[start:stop] = lfilter(a, 1, x[start:tail][::-1])[::-1][: stop - start]
        error = np.abs(lfilter(a, 1, clean[low:high]))[ORDER:]
        usual[start:stop] = max(float(np.median(error)) / 0.6745, 1e-7)
    return np.abs(forward), np.abs(backward), usual


def _spans(
    loud: np.ndarray, forward: np.ndarray, backward: np.ndarray, rate: int
) -> list[tuple[int, int]]:
    """Spans around the places `loud`: from where `forward` begins to where `backward` ends."""
    longest, gap = round(MAX_SECONDS * rate), ORDER // 2
    out: list[tuple[int, int]] = []
    for first, stop in runs(_closed(loud, gap)):
        if stop - first > 2 * ORDER + longest:
            continue
        begins = np.flatnonzero(forward[max(0, first - ORDER) : stop])
        ends = np.flatnonzero(backward[first : stop + ORDER])
        if not len(begins) or not len(ends):
            continue
        begin = max(0, first - ORDER) + int(begins[0])
        begin = max(begin, first - ORDER)
        end = first + int(ends[-1]) + 1
        if begin < end <= begin + longest:
            out.append((int(begin), int(end)))
    return out


def _closed(mask: np.ndarray, gap: int) -> np.ndarray:
    """The mask (n,) with gaps of up to `gap` between places filled."""
    out, places = mask.copy(), np.flatnonzero(mask)
    for a, b in zip(places, places[1:]):
        if 1 < b - a <= gap:
            out[a:b] = True
    return out


def _begins_a_sound(error: np.ndarray, free: np.ndarray, span: tuple[int, int], rate: int) -> bool:
    """Whether the error after a span is well above that before it, as at an attack.

    free  (n,) bool, samples that are at no span: another click soon after is no sound
    """
    bin_, near = round(BIN_SECONDS * rate), round(NEAR_SECONDS * rate) // 3
    low, high = max(0, span[0] - bin_), span[1] + bin_
    before, after = (
        error[part][free[part]]
        for part in (slice(max(0, low - near), low), slice(high, high + near))
    )
    if not len(before) or not len(after):
        return False
    return bool(np.sqrt(np.mean(after**2)) > ATTACK * np.sqrt(np.mean(before**2)))


def _stands_alone(error: np.ndarray, span: tuple[int, int], rate: int) -> bool:
    """Whether the error of a span is well above what surrounds it, on both sides."""
    near, bin_ = round(NEAR_SECONDS * rate), max(1, round(BIN_SECONDS * rate))
    first, stop = span
    sides = error[max(0, first - near) : max(0, first - bin_)], error[stop + bin_ : stop + near]
    peaks = [
        side[: len(side) // bin_ * bin_].reshape(-1, bin_).max(1) for side in sides if len(side)
    ]
    others = np.sort(np.concatenate(peaks)) if peaks else np.zeros(0)
    if len(others) < OTHERS:
        return True
    return bool(error[first:stop].max() > ISOLATION * others[-OTHERS])
