"""The expected time of a fill: counted work, and the pace of this process."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest

from atomizer import Settings, parse, prepare
from atomizer.inpainting.task import outline
from atomizer.inpainting.work import SECONDS, Work, work_of
from atomizer.ui import gpu
from atomizer.ui.pace import SAMPLE_SECONDS, Pace, sample_seconds


@pytest.mark.parametrize(
    "select, settings, path",
    [
        ("time:0.5-0.6", Settings(), "short holes"),
        ("time:0.5-0.9", Settings(), "gap"),
        ("time:0.5-0.9", Settings("noise"), "noise"),
        ("time:0.5-0.9", Settings("erased"), "erased"),
        ("rect:0.5,0.9,500,4000", Settings(), "region"),
        ("above:8000", Settings(), "bandwidth"),
        ("random:50", Settings(), "restore"),
    ],
)
def test_work_follows_the_way_of_a_fill(sound, select, settings, path):
    work = work_of(prepare(sound(1.5), parse([select])), settings)
    assert work.path == path and set(work.amounts) <= set(SECONDS) and work.seconds > 0
    assert ("windows" in work.amounts) == (path not in ("short holes", "noise", "erased"))
    assert ("search" in work.amounts) == (path in ("gap", "region"))


def test_work_grows_with_what_is_hidden_and_with_steps(sound):
    def seconds(select, **options):
        return work_of(prepare(sound(1.5), parse(select)), Settings(**options)).seconds

    assert seconds(["above:8000"]) < seconds(["above:2000"]) < seconds(["above:2000"], steps=4)
    assert seconds(["time:0.5-0.9"], using="texture") < seconds(["time:0.5-0.9"])
    assert seconds(["time:0.5-0.6"]) < seconds(["time:0.5-0.6", "time:0.9-1"])


def test_work_reads_no_coefficients(sound):
    task = prepare(sound(1.5), parse(["time:0.5-0.9"]))
    work = work_of(task, Settings())
    task.grid[:] = np.nan
    assert work_of(task, Settings()) == work


@pytest.mark.parametrize("seconds, channels", [(1.0, 0), (0.0, 1)])
def test_work_of_an_outline_is_that_of_the_task(sound, seconds, channels):
    mono, nothing = sound(1.5, channels=1), parse([])
    added = dict(extend=seconds, add_channels=channels)
    tasks = [make(mono, nothing, **added) for make in (prepare, outline)]
    first, second = (work_of(task, Settings()) for task in tasks)
    assert first == second and first.seconds > 0


def test_one_fill_tells_the_pace_of_the_others():
    pace, gap, noise = Pace(), Work("gap", {"windows": 20.0}), Work("noise", {"sound": 400.0})
    before = pace.seconds(noise)
    pace.record(gap, 2.5 * gap.seconds)
    assert pace.seconds(gap) == pytest.approx(2.5 * gap.seconds, rel=0.2)
    assert 1.5 * before < pace.seconds(noise) < 2.5 * before
    for _ in range(6):  # this way is slower than the others
        pace.record(noise, 5 * noise.seconds)
        pace.record(gap, 2.5 * gap.seconds)
    assert pace.seconds(noise) == pytest.approx(5 * noise.seconds, rel=0.15)
    assert pace.seconds(gap) == pytest.approx(2.5 * gap.seconds, rel=0.15)


def test_atoms_that_copies_give_need_no_network(sound):
    work = work_of(prepare(sound(1.5), parse(["time:0.5-0.9"])), Settings())
    half, all_of_it = work.without_copied(0.5), work.without_copied(1.0)
    assert half.seconds == pytest.approx((work.seconds + all_of_it.seconds) / 2)
    assert all_of_it.amounts["cells"] == all_of_it.amounts["windows"] == 0
    assert all_of_it.amounts["search"] == work.amounts["search"] > 0


def test_time_is_a_span_where_copies_may_give_atoms(sound):
    pace = Pace()
    hole, highs = (
        work_of(prepare(sound(3), parse([select])), Settings(steps=9))
        for select in ("time:0.5-0.9", "above:2000")
    )
    least, most = pace.estimate(hole, times=4)
    assert least == 4 * pace.seconds(hole.without_copied(1.0)) < most == 4 * pace.seconds(hole)
    few = replace(hole, amounts={**hole.amounts, "windows": 0.01, "cells": 0.0})
    assert pace.estimate(few, 99) == (99 * pace.seconds(few),) * 2, "they hardly differ"
    assert pace.estimate(highs, 4) == (4 * pace.seconds(highs),) * 2
    assert pace.estimate(Work("noise", {"sound": 1.0})) == (0.0, 0.0)


def test_one_slow_fill_changes_little_after_several():
    pace, gap = Pace(), Work("gap", {"windows": 20.0})
    for _ in range(5):
        pace.record(gap, gap.seconds)
    pace.record(gap, 60 * gap.seconds)
    assert pace.seconds(gap) < 2 * gap.seconds


def test_machine_is_measured_by_a_sample():
    pace, gap = Pace(), Work("gap", {"windows": 20.0})
    pace.calibrate(4 * SAMPLE_SECONDS)
    assert gap.seconds < pace.seconds(gap) < 4 * gap.seconds, "a sample says little"
    assert SAMPLE_SECONDS / 100 < sample_seconds() < 100 * SAMPLE_SECONDS


def test_a_sample_counts_no_time_of_other_processes():
    assert sample_seconds(lambda: time.sleep(0.01)) < 0.005


def test_gpu_is_requested_for_the_expected_time(sound, monkeypatch):
    task = prepare(sound(1.5), parse(["above:8000"]))
    for slowness, lease in ((1e-3, gpu.MIN_LEASE_SECONDS), (1e3, gpu.MAX_LEASE_SECONDS)):
        pace = Pace()
        pace.machine.mean = math.log(slowness)
        monkeypatch.setattr(gpu, "pace", pace)
        assert gpu.lease_seconds(task, Settings(), None) == lease
    pace.machine.mean = math.log(10 / work_of(task, Settings()).seconds)
    assert gpu.lease_seconds(task, Settings(), None) == 30
