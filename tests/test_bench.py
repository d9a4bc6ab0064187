"""What measures is tested here, never how long anything takes."""

import os
from dataclasses import replace

import numpy as np
import pytest

from atomizer.analysis import MDCTAtomizer
from atomizer.analysis.mdct import imdct, mdct
from atomizer.atoms.orderings import ORDERINGS, order
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

NAMES = (
    "mdct_roundtrip_60s_stereo_s",
    "atomize_10s_stereo_s",
    "order_1m_atoms_s",
    "fill_bwe8k_s_per_s",
    "fill_gap200_10s_clip_s",
    "fill_gap200_60s_clip_s",
    "fill_upmix_s_per_s",
    "fill_peak_memory_gb",
    "app_start_s",
    "training_atoms_per_s",
    "pursuit_atoms_per_s",
    "pursuit_srr_1000_db",
)


def test_a_ratio_above_one_is_ours_ahead():
    assert Record("time", 2.0, "s", "peer", 6.0).ratio == 3
    assert Record("speed", 6.0, "atoms per s", "peer", 2.0, more=True).ratio == 3
    assert (
        Record("alone", 2.0, "s").ratio is None
        and Record("nothing", 0.0, "GB", "peer", 1.0).ratio is None
    )


def test_every_figure_has_a_name_by_which_it_can_be_chosen(refused):
    assert all(len(measures([name])) == 1 for name in NAMES)
    assert len(measures()) == len(set(measures())) >= len(NAMES)
    with refused("measurement", *NAMES):
        measures(["mdct"])


def test_peers_are_taken_in_turns_and_one_run_does_not_count():
    runs = []
    found = timing.medians(
        {"ours": lambda: runs.append("ours"), "peer": lambda: runs.append("peer")}, 2
    )
    assert runs == ["peer", "ours", "ours", "peer", "peer", "ours"] and all(
        seconds > 0 for seconds in found.values()
    )


def test_a_record_per_peer_and_a_line_for_one_that_is_missing():
    missing, first, second = timing.compared(
        "fold",
        lambda: None,
        {"a": lambda: None, "b": "which is not installed", "c": lambda: None},
        1,
        scale=1e6,
    )
    assert str(missing) == "fold: not beside b, which is not installed."
    assert (first.name, first.peer, second.peer) == (
        "fold",
        "a",
        "c",
    ) and first.value == second.value > 0
    (alone,) = timing.compared("fold", lambda: None, {}, 1)
    assert alone.peer is None and alone.value > 0
    assert table([first, alone]).count("\n") == 3


@pytest.mark.parametrize("length", (1, 1024, 5000))
def test_the_plain_transform_is_the_same_transform(length):
    x = transform.noise(1)[:, :length]
    spectrum = transform.plain_mdct(x)
    np.testing.assert_allclose(spectrum, mdct(x), atol=1e-6)
    np.testing.assert_allclose(transform.plain_imdct(spectrum, length), x, atol=1e-6)
    np.testing.assert_allclose(imdct(spectrum, length), x, atol=1e-6)


@pytest.mark.parametrize("by", ORDERINGS)
def test_plain_orderings_are_the_same_orderings(by):
    atoms = MDCTAtomizer().analyse(transform.noise(0.2))
    atoms = atoms[np.random.default_rng(0).permutation(len(atoms))]
    assert np.array_equal(atomizing.plainly(atoms, by), order(atoms, by))


def test_a_job_repeats_its_piece():
    short, long = filling.Job(filling.GAP).sound(), filling.Job(filling.GAP, 25.0, 3).sound()
    length = short.samples.shape[1]
    assert short.samples.shape == (2, 441_000) and long.samples.shape == (3, 1_102_500)
    np.testing.assert_array_equal(long.samples[:2, length : 2 * length], short.samples)
    np.testing.assert_array_equal(long.samples[2, :length], short.samples[0])


def test_a_job_and_its_peers_fill_what_they_say():
    job = filling.Job(filling.GAP, 5.3)
    job = replace(job, settings=replace(job.settings, method="noise"))
    sound, filled = job.sound().samples, job.work(None)().samples
    changed = np.flatnonzero((sound != filled).any(0)) / 44_100
    assert 4.8 < changed[0] < 4.9 and 5.1 < changed[-1] < 5.2
    for work in filling.peers_of(job, "gap-200ms", {"interpolated": "interpolate"}).values():
        other = work().samples
        assert (
            other.shape == sound.shape
            and (other != sound).any()
            and np.array_equal(other[:, : int(4.8 * 44_100)], sound[:, : int(4.8 * 44_100)])
        )


@pytest.mark.skipif(not os.access(filling.REFS, os.W_OK), reason="only Linux tells")
def test_the_peak_of_memory_counts_what_was_given_back():
    assert 0.19 < filling.peak_memory(lambda: np.ones(200_000_000, np.int8).sum()) < 0.4
    assert filling.peak_memory(lambda: None) < 0.05


def test_growth_is_measured_and_drawn(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(growth, "model", lambda: None)
    monkeypatch.setattr(growth, "matrix_peak", lambda model: 1e9)
    monkeypatch.setattr(
        growth,
        "cost",
        lambda job, repeats: asked.append(job) or growth.Cost(job.seconds, 0.5, 2_000_000_000),
    )
    records = list(growth.growth(tmp_path / "growth.png"))
    assert len(records) == 2 * sum(len(curve.jobs) for curve in growth.CURVES) and len(
        asked
    ) == len(set(asked))
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert (
        records[0].value == asked[0].seconds
        and records[0].peer_value == 2
        and records[1].value == 0.5
    )
