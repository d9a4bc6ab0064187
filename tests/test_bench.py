"""Benchmarks: what they measure, never how long anything takes."""

import os
from dataclasses import replace

import numpy as np
import pytest

from atomizer.analysis import MDCTAtomizer
from atomizer.analysis.mdct import imdct, mdct
from atomizer.atoms.orderings import order
from atomizer.atoms.selection import parse
from atomizer.benchmarks import (
    Record,
    atomizing,
    filling,
    growth,
    measures,
    table,
    timing,
    transform,
)
from atomizer.inpainting.task import prepare

NAMES = (
    "mdct_roundtrip_60s_stereo_s",
    "atomize_10s_stereo_s",
    "order_1m_atoms_s",
    "fill_bwe8k_s_per_s",
    "fill_gap200_10s_clip_s",
    "fill_gap200_60s_clip_s",
    "fill_gap500_60s_s",
    "fill_box2s_60s_s",
    "fill_end3s_60s_s",
    "fill_upmix_s_per_s",
    "fill_peak_memory_gb",
    "app_start_s",
    "training_atoms_per_s",
    "pursuit_atoms_per_s",
    "pursuit_srr_1000_db",
)


def test_ratio_above_one_is_better_than_the_peer():
    assert Record("time", 2.0, "s", "peer", 6.0).ratio == 3
    assert Record("speed", 6.0, "atoms per s", "peer", 2.0, higher_is_better=True).ratio == 3
    assert (
        Record("alone", 2.0, "s").ratio is None
        and Record("nothing", 0.0, "GB", "peer", 1.0).ratio is None
    )


def test_benchmarks_can_be_chosen_by_name(refused):
    assert all(len(measures([name])) == 1 for name in NAMES)
    assert len(measures()) == len(set(measures())) >= len(NAMES)
    with refused("measurement", *NAMES):
        measures(["mdct"])


def test_peers_alternate_after_one_uncounted_run():
    runs = []
    found = timing.medians(
        {"ours": lambda: runs.append("ours"), "peer": lambda: runs.append("peer")}, 2
    )
    assert runs == ["peer", "ours", "ours", "peer", "peer", "ours"] and all(
        seconds > 0 for seconds in found.values()
    )


def test_compare_yields_records_and_missing_peers():
    missing, first, second = timing.compare(
        "fold",
        lambda: None,
        {"a": lambda: None, "b": "which is not installed", "c": lambda: None},
        1,
        scale=1e6,
    )
    assert str(missing) == "fold: not compared with b, which is not installed."
    assert (first.name, first.peer, second.peer) == (
        "fold",
        "a",
        "c",
    ) and first.value == second.value > 0
    (alone,) = timing.compare("fold", lambda: None, {}, 1)
    assert alone.peer is None and alone.value > 0
    assert table([first, alone]).count("\n") == 3


@pytest.mark.parametrize("length", (1, 1024, 5000))
def test_plain_transform_equals_the_mdct(length):
    x = transform.noise(1)[:, :length]
    spectrum = transform.plain_mdct(x)
    np.testing.assert_allclose(spectrum, mdct(x), atol=1e-6)
    np.testing.assert_allclose(transform.plain_imdct(spectrum, length), x, atol=1e-6)
    np.testing.assert_allclose(imdct(spectrum, length), x, atol=1e-6)


@pytest.mark.parametrize("by", atomizing.KEYS)
def test_plain_orderings_equal_the_orderings(by):
    atoms = MDCTAtomizer().analyse(transform.noise(0.2))
    atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    assert np.array_equal(atomizing.plain_order(atoms, by), order(atoms, by))


@pytest.mark.parametrize(
    "name, seconds",
    [
        ("fill_gap500_60s_s", (31.2, 31.7)),
        ("fill_box2s_60s_s", (31, 33)),
        ("fill_end3s_60s_s", (57, 60)),
    ],
)
def test_long_holes_have_the_length_of_their_name(name, seconds):
    job = filling.FillJob(filling.IN_A_MINUTE[name], 60.0)
    mask = prepare(job.sound(), parse([job.select])).mask
    frames = np.flatnonzero(mask.any(axis=(0, 2)))
    assert np.allclose(frames[[0, -1]] * 1024 / 44_100, seconds, atol=0.05)


def test_fill_job_repeats_its_recording():
    short, long = (
        filling.FillJob(filling.GAP).sound(),
        filling.FillJob(filling.GAP, 25.0, 3).sound(),
    )
    length = short.samples.shape[1]
    assert short.samples.shape == (2, 441_000) and long.samples.shape == (3, 1_102_500)
    np.testing.assert_array_equal(long.samples[:2, length : 2 * length], short.samples)
    np.testing.assert_array_equal(long.samples[2, :length], short.samples[0])


def test_fill_job_and_peers_fill_the_selection():
    job = filling.FillJob(filling.GAP, 5.3)
    job = replace(job, settings=replace(job.settings, method="noise"))
    sound, filled = job.sound().samples, job.work(None)().samples
    changed = np.flatnonzero((sound != filled).any(0)) / 44_100
    assert 4.9 <= changed[0] < 4.91 and 5.09 < changed[-1] < 5.1
    for work in filling.peers_of(job, "gap-200ms", {"interpolated": "interpolate"}).values():
        other = work().samples
        assert (
            other.shape == sound.shape
            and (other != sound).any()
            and np.array_equal(other[:, : int(4.8 * 44_100)], sound[:, : int(4.8 * 44_100)])
        )


@pytest.mark.skipif(not os.access(filling.REFS, os.W_OK), reason="only Linux reports it")
def test_peak_memory_includes_freed_memory():
    assert 0.19 < filling.peak_memory(lambda: np.ones(200_000_000, np.int8).sum()) < 0.4
    assert filling.peak_memory(lambda: None) < 0.05


def test_growth_is_measured_and_drawn(monkeypatch, tmp_path):
    jobs = []
    monkeypatch.setattr(growth, "model", lambda: None)
    monkeypatch.setattr(growth, "matrix_peak", lambda model: 1e9)
    monkeypatch.setattr(
        growth,
        "cost",
        lambda job, repeats: jobs.append(job) or growth.Cost(job.seconds, 0.5, 2_000_000_000),
    )
    records = list(growth.growth(tmp_path / "growth.png"))
    assert len(records) == 2 * sum(len(sweep.jobs) for sweep in growth.SWEEPS) and len(jobs) == len(
        set(jobs)
    )
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert (
        records[0].value == jobs[0].seconds
        and records[0].peer_value == 2
        and records[1].value == 0.5
    )
