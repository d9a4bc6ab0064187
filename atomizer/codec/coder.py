"""An adaptive binary range coder of integers alone, compiled by numba.

`code` encodes or decodes one bit: the same function does both, so that encoder and decoder cannot
differ. Its probability is a logistic mixture of adaptive counters, one per context (Mahoney 2005).
The range coder has 56 bits, with carries as in LZMA (Martin 1979).

A truncated stream decodes exactly as far as its bytes determine the bits: the decoder knows how
much the missing bytes could change its code value, and stops at the first bit that they decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

INPUTS = 6  # contexts of a bit, one counter each
TOP, LOW_BITS = 56, 48  # bits of the range at most, and at least
# fields of the state, int64
RANGE, CODE, UNSURE, AT, CACHE, PENDING, STOP, STARTED = range(8)
FIELDS = 8
HALF = 1 << 15  # probability 1/2, of 16 bits
_STRETCH_UNIT = 256  # of the logistic domain: ln(p / (1 - p)) = 1
_SQUASH_LIMIT = 12 * _STRETCH_UNIT - 1
_COUNT_BITS = 10
_MAX_COUNT = 400  # a counter adapts by 1 / (count + 1.6), at least as fast as after 400 bits
_ONE = 1 << 16  # weight 1
_SLACK = 64  # bytes behind the last one that is kept, for the rest of the state
_RATE = 16  # of the weights; larger is slower
compiled: Any = numba.njit(cache=True, nogil=True)


def _stretch_table() -> np.ndarray:
    """(4096,) int32: ln(p / (1 - p)) of a probability of 12 bits, in units of 1 / 256."""
    p = [(i + 0.5) / 4096 for i in range(4096)]
    return np.array([round(_STRETCH_UNIT * math.log(x / (1 - x))) for x in p], np.int32)


def _squash_table() -> np.ndarray:
    """(2 * 3071 + 1,) int32: probability of 16 bits of a value in the logistic domain."""
    values = range(-_SQUASH_LIMIT, _SQUASH_LIMIT + 1)
    p = [round(65536 / (1 + math.exp(-x / _STRETCH_UNIT))) for x in values]
    return np.clip(np.array(p, np.int32), 2, 65534)


STRETCH, SQUASH = _stretch_table(), _squash_table()
RECIPROCAL = np.array([65536 * 10 // (10 * n + 16) for n in range(1 << _COUNT_BITS)], np.int32)


def counters(contexts: int) -> np.ndarray:
    """(contexts,) int64: probability 1/2 with 22 bits, and a count with 10."""
    return np.full(contexts, 1 << 31, np.int64)


def weights(sets: int) -> np.ndarray:
    """(sets, INPUTS) int64: initial weights of the mixture."""
    return np.full((sets, INPUTS), _ONE * 10 // 32, np.int64)


@dataclass(frozen=True)
class Stream:
    """A range coder and its bytes.

    state     (FIELDS,) int64
    data      (n,) uint8, read or written
    encoding  True if bits are written
    """

    state: np.ndarray
    data: np.ndarray
    encoding: bool

    @classmethod
    def writing(cls, size: int) -> Stream:
        """An encoder of up to `size` bytes."""
        state = np.zeros(FIELDS, np.int64)
        state[RANGE] = 1 << TOP
        return cls(state, np.zeros(size + _SLACK, np.uint8), True)

    @classmethod
    def reading(cls, data: bytes) -> Stream:
        """A decoder of bytes."""
        stream = cls(cls.writing(0).state, np.frombuffer(bytearray(data), np.uint8), False)
        for _ in range(TOP // 8):
            _next_byte(stream.state, stream.data)
        return stream

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, bool]:
        """What the compiled functions take."""
        return self.state, self.data, self.encoding

    @property
    def stopped(self) -> bool:
        """Whether the bytes were too few."""
        return bool(self.state[STOP])

    def finish(self) -> bytes:
        """The bytes of an encoder."""
        if self.stopped:
            return self.data[:-_SLACK].tobytes()
        return self.data[: _finish(self.state, self.data)].tobytes()


@compiled
def _next_byte(state, data):
    """Shift the next byte into the code value; behind the end, all that it could be is unsure."""
    state[CODE] <<= 8
    state[UNSURE] <<= 8
    if state[AT] < len(data):
        state[CODE] |= data[state[AT]]
        state[AT] += 1
    else:
        state[UNSURE] |= 255


@compiled
def _put_byte(state, data):
    """Shift the top byte out of the code value (the low end of the interval)."""
    low = state[CODE]
    if low < (255 << LOW_BITS) or low >= (1 << TOP):
        carry = low >> TOP
        if state[STARTED] == 0:
            state[STARTED] = 1  # nothing precedes the first byte, so it has no carry
        else:
            data[state[AT]] = (state[CACHE] + carry) & 255
            state[AT] += 1
        while state[PENDING] > 0:
            data[state[AT]] = (255 + carry) & 255
            state[AT] += 1
            state[PENDING] -= 1
        state[CACHE] = (low >> LOW_BITS) & 255
    else:
        state[PENDING] += 1
    state[CODE] = (low & ((1 << LOW_BITS) - 1)) << 8


@compiled
def _finish(state, data):
    """Write the rest of an encoder's state; returns the number of bytes."""
    for _ in range(TOP // 8 + 1):
        _put_byte(state, data)
    return state[AT]


@compiled
def code(stream, bit, probability):
    """Encode or decode a bit whose probability of 1 is `probability` / 65536; returns the bit.

    Sets STOP when the bytes of a decoder do not determine the bit, or those of an encoder do not
    fit into its array.
    """
    state, data, encoding = stream
    split = (state[RANGE] >> 16) * probability
    if not encoding:
        bit = 1 if state[CODE] < split else 0
        if (bit == 1 and state[CODE] + state[UNSURE] >= split) or (
            state[CODE] + state[UNSURE] >= state[RANGE]
        ):
            state[STOP] = 1
            return 0
    if bit == 1:
        state[RANGE] = split
    else:
        state[RANGE] -= split
        if encoding:
            state[CODE] += split
        else:
            state[CODE] -= split
    while state[RANGE] < (1 << LOW_BITS):
        state[RANGE] <<= 8
        if encoding:
            if state[AT] + state[PENDING] + 16 >= len(data):
                state[STOP] = 1
                return 0
            _put_byte(state, data)
        else:
            _next_byte(state, data)
    return bit


@compiled
def code_mixed(stream, bit, model, contexts, which):
    """Encode or decode a bit with the mixture of the counters at `contexts`; returns the bit.

    model     (counters, weights, stretch, squash, reciprocal)
    contexts  (INPUTS,) int64, a counter each
    which     set of weights
    """
    counter, weight, stretch, squash, reciprocal = model
    total = np.int64(0)
    for i in range(INPUTS):
        total += weight[which, i] * stretch[counter[contexts[i]] >> 20]
    total >>= 16
    limit = len(squash) // 2
    total = min(limit, max(-limit, total))
    p = np.int64(squash[total + limit])
    bit = code(stream, bit, p)
    if stream[0][STOP] != 0:
        return 0
    error = (bit << 16) - p
    for i in range(INPUTS):
        at = contexts[i]
        value = counter[at]
        weight[which, i] += (stretch[value >> 20] * error) >> _RATE
        count = value & ((1 << _COUNT_BITS) - 1)
        p22 = value >> _COUNT_BITS
        p22 += (((bit << 22) - p22) * reciprocal[count]) >> 16
        p22 = min((1 << 22) - 1, max(0, p22))
        counter[at] = (p22 << _COUNT_BITS) | min(_MAX_COUNT, count + 1)
    return bit


def mixture(contexts: int, sets: int) -> tuple[np.ndarray, ...]:
    """State of a model for `code_mixed` with a number of contexts and sets of weights."""
    return counters(contexts), weights(sets), STRETCH, SQUASH, RECIPROCAL
