"""Mutations of bytes and of JSON-like data."""

from __future__ import annotations

import json
import random
import struct

NUMBERS = (
    0,
    1,
    -1,
    2,
    0.5,
    -0.5,
    1e-300,
    1e308,
    -1e308,
    1e12,
    2**31,
    2**63,
    2**70,
    -(2**63),
    float("nan"),
    float("inf"),
    -float("inf"),
)
TEXTS = (
    "",
    " ",
    "auto",
    "nan",
    "inf",
    "-1",
    "1e999",
    "0x10",
    "٣",
    "a" * 5000,
    "../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:9/x",
    "\x00",
    "\ud800",
    "💥",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE atoms; --",
    "{}",
    "[]",
    "null",
    "{0.__class__}",
    "%s%n",
    "__import__('os').system('true')",
    "above:1e400",
    "rect:1,2",
    "time:2-1",
    "random:101",
    "keep:1e18",
    "channel:1e30",
    "above:-0",
)
LEAVES = (
    *NUMBERS,
    *TEXTS,
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"path": "/etc/passwd"},
    [1, [2, [3, [4]]]],
)


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change a few bits, bytes or sizes, or delete, repeat, swap or replace pieces."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not out:
            return bytes(rng.randbytes(rng.randrange(64)))
        # mostly in the header, which has the sizes and types
        at = rng.randrange(min(len(out), rng.choice((16, 64, 256, len(out)))))
        end = min(len(out), at + rng.choice((1, 2, 4, 16, 256)))
        match rng.randrange(9):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                value = struct.pack(
                    rng.choice("<>") + "I",
                    rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32))),
                )
                out[at : at + 4] = value
            case 3:
                del out[at:end]
            case 4:
                out[at:at] = out[at:end] * rng.choice((1, 2, 50))
            case 5:
                del out[at:]
            case 6:
                other = rng.randrange(len(out))
                out[at:end], out[other : other + end - at] = (
                    out[other : other + end - at],
                    out[at:end],
                )
            case 7:
                out[at:end] = rng.randbytes(end - at)
            case 8:
                out += rng.randbytes(rng.choice((1, 100, 5000)))
    return bytes(out)


def mutate_value(value, rng: random.Random):
    """Replace, delete, repeat or wrap one part of JSON-like data."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        match rng.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, rng.choice(TEXTS): rng.choice(LEAVES)}
            case _:
                return {**value, key: mutate_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        match rng.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + [value[at]] * rng.choice((1, 3, 300))
            case 2:
                return rng.sample(value, len(value))
            case _:
                return value[:at] + [mutate_value(value[at], rng)] + value[at + 1 :]
    match rng.randrange(6):
        case 0:
            return [value]
        case 1:
            return {"kind": value}
        case 2 if isinstance(value, (int, float)) and not isinstance(value, bool):
            return rng.choice((-value, value * 10, value / 10, str(value), value + 1))
        case _:
            return rng.choice(LEAVES)


def mutate_json(value, rng: random.Random) -> str:
    """Return mutated data as JSON; sometimes the text itself is invalid."""
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        value = mutate_value(value, rng)
    text = json.dumps(value)
    if rng.random() < 0.1:
        return mutate_bytes(text.encode(), rng).decode("utf-8", "replace")
    if rng.random() < 0.01:
        depth = rng.choice((100, 10_000, 100_000))
        return "[" * depth + "]" * depth
    return text
