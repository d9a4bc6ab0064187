"""How long fills take in this process: counted work, times a pace that former fills correct."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..inpainting.work import Work

# Processor time of `_sample` where fills take what is counted, and the part of its logarithm that
# is trusted: cores on which fills take equally long have differed in samples by a factor of 2.7
SAMPLE_SECONDS, SAMPLE_SHARE = 0.0067, 0.5
SAMPLE_RUNS = 8
# Variances of logarithms of measured over expected seconds: of machines beside their sample, of
# ways to fill beside the machine, of a single fill of a second, and what time adds to the first two
OF_MACHINE, OF_PATH, OF_FILL, DRIFT = 0.25, 0.06, 0.03, 0.005
MOST_SURPRISE = 1.0  # a fill beside other load counts as at most e times slower than expected
SHOWN_SECONDS = 1.0  # shorter fills have no estimate
CLOSE = 1.3  # the least and the most seconds count as equal up to this ratio

Estimate = tuple[float, float]  # least and most seconds; those of fills up to SHOWN_SECONDS are 0
NO_ESTIMATE: Estimate = 0.0, 0.0


@dataclass
class Average:
    """Estimate of a value that drifts by `DRIFT`, with its variance: a scalar Kalman filter."""

    mean: float
    variance: float

    def add(self, value: float, noise: float) -> None:
        """Take in a value whose noise has this variance."""
        gain = self.variance / (self.variance + noise)
        self.mean += gain * min(max(value - self.mean, -MOST_SURPRISE), MOST_SURPRISE)
        self.variance = (1 - gain) * self.variance + DRIFT


@dataclass
class Pace:
    """Logarithms of measured over counted seconds: of the machine, and of each path beside it."""

    machine: Average = field(default_factory=lambda: Average(0.0, OF_MACHINE))
    paths: dict[str, Average] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def calibrate(self, seconds: float) -> None:
        """Start with the speed of this machine, by what `sample_seconds` takes on it."""
        self.machine = Average(SAMPLE_SHARE * math.log(seconds / SAMPLE_SECONDS), OF_MACHINE)

    def seconds(self, work: Work) -> float:
        """Return the seconds that a fill is expected to take."""
        path = self.paths.get(work.path)
        return work.seconds * math.exp(self.machine.mean + (path.mean if path else 0.0))

    def estimate(self, work: Work, times: int = 1) -> Estimate:
        """Return the least and the most seconds of this many fills.

        They differ where atoms may be copies alone: how many, only the fill finds.
        """
        most = times * self.seconds(work)
        least = times * self.seconds(work.without_copied(1.0)) if work.may_be_copied else most
        if most <= SHOWN_SECONDS:
            return NO_ESTIMATE
        return (least if least < most / CLOSE else most), most

    def record(self, work: Work, seconds: float) -> None:
        """Learn from a fill that took some seconds."""
        if work.seconds <= 0 or seconds <= 0:
            return
        with self.lock:
            path = self.paths.setdefault(work.path, Average(0.0, OF_PATH))
            ratio = math.log(seconds / work.seconds)
            noise = OF_FILL / min(1.0, work.seconds)  # short fills vary more
            machine = ratio - path.mean
            path.add(ratio - self.machine.mean, noise + self.machine.variance)
            self.machine.add(machine, noise + OF_PATH)


def sample_seconds(sample: Callable[[], object] | None = None) -> float:
    """Return the processor time of a sample of some milliseconds, the least of several runs.

    Time in which other processes run is not counted: a start is no measure of the load.
    """
    return max(min(_time(sample or _sample) for _ in range(SAMPLE_RUNS)), 1e-6)


def _sample() -> object:
    """Do a little of what fills do, on one thread: a Fourier transform, exponentials."""
    values = np.ones(1 << 18, np.float32)
    return np.exp(values), np.fft.rfft(values)


def _time(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


# of all fills of the page and its endpoints in this process
pace = Pace()
