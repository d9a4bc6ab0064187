"""`python -m tests.kinds` runs the variants of all kinds of input that failed once.

A short form is in tests/test_kinds.py.
"""

from __future__ import annotations

import argparse
import time

from . import files, fills  # noqa: F401  register their kinds
from .registry import KINDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kinds", description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--only", nargs="+", type=int, help="numbers of variants, from 0 on")
    arguments = parser.parse_args()
    counts = {"right": 0, "known": 0, "WRONG": 0}
    for name in arguments.kinds:
        kind = KINDS[name]
        print(f"{name}: {kind.judged}", flush=True)
        for number, case in enumerate(kind.cases):
            if arguments.only and number not in arguments.only:
                continue
            start = time.monotonic()
            value = case.figure()
            verdict = "right" if case.is_right(value) else "known" if case.known else "WRONG"
            counts[verdict] += 1
            bounds, seconds = f"[{case.low:g}, {case.high:g}]", time.monotonic() - start
            line = f"  {verdict} {number:2d} {case.name:60s} {value:8.2f} {bounds} {seconds:.1f} s"
            print(line, case.known, flush=True)
    print(f"{counts['right']} right, {counts['known']} known not to be, {counts['WRONG']} wrong")
    return int(counts["WRONG"] > 0)
