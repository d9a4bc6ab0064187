"""Metrics against closed forms, tasks that hide what they say, and a run that resumes."""

import json

import numpy as np
import pytest
import soundfile
from scipy.signal import stft

from atomizer.audio import Sound
from atomizer.evaluation import metrics
from atomizer.evaluation.run import evaluate, table
from atomizer.evaluation.tasks import TASKS
from atomizer.task import prepare


@pytest.fixture
def noise():
    return 0.1 * np.random.default_rng(0).standard_normal((2, 44_100))


def test_snr_of_a_scaled_signal(noise):
    assert metrics.snr_db(noise, 0.9 * noise) == pytest.approx(20)
    assert metrics.snr_db(noise, np.zeros_like(noise)) == pytest.approx(0)


def test_si_sdr_ignores_scale_and_counts_what_is_orthogonal(noise):
    x, other = noise[:1], noise[1:]
    other = other - x * (other @ x.T) / (x @ x.T)
    other *= np.sqrt((x**2).sum() / (other**2).sum()) / 10
    assert metrics.si_sdr_db(x, 3 * (x + other)) == pytest.approx(20, abs=1e-6)


def test_the_short_time_power_is_scipys(noise):
    _, _, expected = stft(noise, nperseg=2048, noverlap=1536, window="hann", boundary="zeros", padded=False)
    mine = metrics.power(noise)[:, : expected.shape[-1]]
    assert np.allclose(mine.transpose(0, 2, 1)[..., 2:-2], np.abs(expected)[..., 2:-2] ** 2, rtol=1e-6, atol=1e-14)


def test_a_full_scale_sine_has_a_quarter():
    x = np.sin(2 * np.pi * 44_100 / 2048 * 100 * np.arange(44_100) / 44_100)[None]
    assert metrics.power(x)[0, 40].max() == pytest.approx(0.25, rel=1e-3)


def test_lsd_of_a_gain_is_the_gain(noise):
    assert metrics.lsd(noise, noise) == 0
    assert metrics.lsd(noise, 10 * noise) == pytest.approx(2, abs=1e-2)  # power times 100: two decades, the floor apart


def test_lsd_sees_only_its_band_and_span(noise):
    t = np.arange(44_100) / 44_100
    late = noise + 0.5 * np.sin(2 * np.pi * 10_000 * t) * (t > 0.7)
    assert metrics.lsd(noise, late, 9_500, 10_500, (0.75, 1)) > 0.3
    assert metrics.lsd(noise, late, 1_000, 2_000) < 0.1 and metrics.lsd(noise, late, 9_500, 10_500, (0, 0.5)) < 1e-9


def test_convergence_of_a_gain(noise):
    assert metrics.convergence(noise, 0.75 * noise) == pytest.approx(0.25)


def test_normalising_brings_the_reference_to_a_tenth(noise):
    x, y = metrics.normalise(7 * noise, 14 * noise)
    assert np.sqrt((x**2).mean()) == pytest.approx(0.1) and np.allclose(y, 2 * x)


def test_signals_of_two_shapes_are_refused(noise):
    with pytest.raises(ValueError):
        metrics.snr_db(noise, noise[:, :-1])


@pytest.mark.parametrize("name", list(TASKS))
def test_an_untouched_sound_is_perfect_and_an_erased_one_is_not(name, sound):
    task, clip = TASKS[name], sound(3.0, 2)
    prepared = prepare(clip, task.select(clip))
    perfect, erased = (task.measure(*metrics.normalise(clip.samples, prepared.render(g).samples), clip, np.inf)
                       for g in (prepared.grid, prepared.erased()))
    for metric in perfect:
        if metric.endswith("lsd") or metric.startswith("lsd") or metric == "convergence":
            assert perfect[metric] < 1e-6 < erased[metric]
        elif metric.endswith("snr_db") or metric.endswith("sdr_db"):
            assert perfect[metric] > 100 > erased[metric]


def test_a_run_reports_resumes_and_prints(tmp_path, samples):
    for n in range(2):
        soundfile.write(tmp_path / f"{n}.wav", samples(110_000, 1, seed=n).T, 44_100)
    out = tmp_path / "report.json"
    options = dict(tasks=["bwe-8k", "upmix"], methods=["erased", "noise"], clips=2, seconds=2.2, everything=True, progress=False)
    report = evaluate(str(tmp_path), str(out), **options)
    assert {(r["task"], r["method"]) for r in report["records"]} == {("bwe-8k", "erased"), ("bwe-8k", "noise")}  # mono: nothing to upmix
    values = {(r["clip"], r["method"], r["metric"]): r["value"] for r in report["records"]}
    assert len(values) == len(report["records"]) == 8
    marked = json.loads(out.read_text())
    marked["records"][0]["value"] = 123.0
    out.write_text(json.dumps(marked))
    again = evaluate(str(tmp_path), str(out), **options)
    assert again["records"][0]["value"] == 123.0 and len(again["records"]) == 8  # what is there is not computed again
    assert table(report).splitlines()[0] == "| task | metric | clips | erased | noise |"


def test_unknown_names_are_refused(tmp_path, refused):
    with refused("bwe-9k"):
        evaluate(str(tmp_path), tasks=["bwe-9k"])


def test_a_gap_is_judged_on_the_gap_alone():
    task = TASKS["gap-200ms"]
    x = np.random.default_rng(0).standard_normal((1, 88_200)).astype(np.float32)
    clip = Sound(x, 44_100)
    y = x.copy()
    y[:, :30_000] = 0  # far from the gap
    assert task.measure(x, y, clip, np.inf)["snr_db"] > 100
