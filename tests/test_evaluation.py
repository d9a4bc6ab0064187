"""Tasks, scores and methods of the evaluation; runs that resume, refuse, draw and write."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from scipy.special import comb

from atomizer import metrics
from atomizer.analysis.mdct import imdct
from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.evaluation import cross_entropy, low_rate
from atomizer.evaluation.baselines.neighbours import exchange_groups
from atomizer.evaluation.cases import Case, Estimate, HiddenPlace, NoCase
from atomizer.evaluation.figures import ROWS, SCALE, height_of, to_rows
from atomizer.evaluation.foreign_sounds import FOREIGN_SOUNDS
from atomizer.evaluation.methods import METHODS, MethodContext
from atomizer.evaluation.report import heading, table
from atomizer.evaluation.run import Options, Outputs, checkpoint_hash, conventions, evaluate
from atomizer.evaluation.scores import (
    SCORES,
    accuracy,
    accuracy_loudest,
    estimated_kbps,
    measure,
)
from atomizer.evaluation.tasks import KINDS, TASKS
from atomizer.evaluation.written import folder_of
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.model import AtomTransformer, ModelConfig
from atomizer.model.checkpoint import SHIPPED, training_of
from atomizer.model.gaussian import velocity_floor
from atomizer.plotting.axes import axis_frequency

# left-in hides nothing, janssen-span fewer samples than the hidden atoms affect, and codecs read
# the original
HONEST = [
    name
    for name, method in METHODS.items()
    if not method.needs_model
    and name not in ("oracle", "left-in", "janssen-span", "opus", "vorbis", "mp3")
]


@pytest.fixture(autouse=True)
def no_visqol(monkeypatch):
    """Leave out ViSQOL, which takes seconds and is tested with the metrics."""
    monkeypatch.setattr(metrics, "_visqol", lambda: None)


@pytest.fixture(scope="module")
def model():
    """An untrained small model for the default AtomSpace."""
    torch.manual_seed(0)
    space = AtomSpace(frames=64, channels=2)
    return AtomTransformer(
        ModelConfig(space=space, embed=8, width=32, heads=2, layers=1, hidden=32)
    ).eval()


@pytest.fixture
def case(sound):
    """`case(task, seconds)` of a stereo sound; of a mono sound where baselines take long."""

    def make(name, seconds=None, cutoff=np.inf):
        task = TASKS[name]
        seconds = seconds or (5.0 if task.context_seconds else 2.2)
        clip = sound(seconds, 1 if task.kind in ("gap", "clicks") else 2)
        if name == "mp3-64":  # has no wall where the codec leaves out quiet highs everywhere
            clip.samples[:] *= 0.1
            clip.samples[:] += np.random.default_rng(0).normal(0, 0.1, clip.samples.shape)
        return Case.from_sound(task, clip, cutoff)

    return make


@pytest.fixture
def folder(tmp_path, samples):
    """Two mono recordings of 2.5 s."""
    (tmp_path / "audio").mkdir()
    for n in range(2):
        soundfile.write(tmp_path / "audio" / f"{n}.wav", samples(110_000, 1, seed=n).T, 44_100)
    return tmp_path / "audio"


# --- tasks ----------------------------------------------------------------------------------------


def test_every_kind_of_task_has_methods():
    assert {task.kind for task in TASKS.values()} == set(KINDS)
    assert {kind for method in METHODS.values() for kind in method.kinds} == set(KINDS)
    for name in ("model", "trunk-off"):
        assert METHODS[name].kinds == KINDS  # in every table


@pytest.mark.parametrize("name", [n for n in TASKS if n[:6] != "repair" or "c" in n[7:]])
def test_original_scores_perfect_and_erased_does_not(name, case):
    it = case(name)
    perfect, erased = (
        measure(it, Estimate(x, g))
        for x, g in ((it.original, it.task.grid), (it.masked, it.task.erased()))
    )
    assert perfect and set(perfect) == set(erased) and set(perfect) <= set(SCORES)
    for metric, value in perfect.items():
        if metric == "kbps":
            assert value == erased[metric] > 0
        elif metric in ("snr_db", "si_sdr_db"):
            assert value > 100 > erased[metric]
        elif metric.startswith("accuracy"):
            assert value == 1 and erased[metric] == 0
        elif metric == "level_drift_db":
            assert value == 0 > erased[metric]
        else:
            assert value < 1e-6 < erased[metric]


@pytest.mark.parametrize("kept", (1000, 4000))
def test_compression_keeps_only_the_loudest_atoms(kept, case):
    it = case(f"compress-{kept}", 3.0)
    known = ~it.task.mask
    assert known.sum() == pytest.approx(kept * 3, rel=0.01)
    magnitude = np.abs(it.task.grid)
    assert magnitude[known].min() >= magnitude[~known].max()


def test_gap_scores_ignore_the_context(case):
    it = case("gap-200ms", 3.0)
    elsewhere, inside = it.task.sound.samples.copy(), it.task.sound.samples.copy()
    start, end = it.span_samples
    assert end - start == 8820
    elsewhere[:, : start - 4096] *= 0.5
    inside[:, start:end] *= 0.5
    assert measure(it, Estimate(elsewhere))["snr_db"] > 100
    found = measure(it, Estimate(inside))
    assert found["snr_db"] == pytest.approx(6.02, abs=0.01) and found[
        "lsd_hidden"
    ] == pytest.approx(2 * np.log10(2), rel=0.15)


def test_silent_gap_has_no_snr(sound):
    clip = sound(3.0)
    clip.samples[:, 50_000:80_000] = 0
    it = Case.from_sound(TASKS["gap-50ms"], clip, np.inf)
    assert "snr_db" not in measure(it, Estimate(clip.samples)) and "convergence" in measure(
        it, Estimate(clip.samples)
    )


def test_scores_ignore_frequencies_above_the_cutoff(case):
    it = case("bwe-8k", cutoff=15_000)
    samples = it.task.sound.samples
    t = np.arange(samples.shape[1]) / 44_100
    assert (
        measure(it, Estimate(samples + 0.3 * np.sin(2 * np.pi * 18_000 * t).astype(np.float32)))[
            "lsd_hidden"
        ]
        < 0.01
    )
    assert (
        measure(it, Estimate(samples + 0.3 * np.sin(2 * np.pi * 12_000 * t).astype(np.float32)))[
            "lsd_hidden"
        ]
        > 0.01
    )


def test_tasks_require_channels_and_bandwidth(sound):
    stereo, mono = sound(2.2, 2), sound(2.2, 1)
    for name in ("upmix", "channel"):
        assert TASKS[name].applies(stereo, np.inf) and not TASKS[name].applies(mono, np.inf)
    assert TASKS["bwe-4k"].applies(mono, 9000) and not TASKS["bwe-8k"].applies(mono, 9000)


def test_affected_samples_are_the_windows_of_hidden_atoms(case):
    it = case("gap-50ms")
    start, end = it.affected_samples
    hidden = np.where(it.task.mask, it.task.grid, 0)
    atoms = imdct(hidden, it.task.length, it.task.space.window)
    touched = np.flatnonzero(np.abs(atoms).max(0) > 0)
    assert start <= touched[0] < start + 50 and end - 50 < touched[-1] + 1 <= end
    change = it.masked - it.task.sound.samples
    touched = np.flatnonzero(np.abs(change).max(0) > 0)
    assert it.span_samples[0] <= touched[0] and touched[-1] < it.span_samples[1]
    assert case("continue-500ms").affected_samples[1] == it.task.sound.samples.shape[1]


def test_places_are_apart_repeatable_and_not_silent(sound):
    clip = sound(30.0)
    clip.samples[:, : 8 * 44_100] *= 1e-4
    for name in ("gap-2s", "continue-3s", "repair-ring"):
        task = TASKS[name]
        cases = [Case.from_sound(task, clip, np.inf, HiddenPlace(n)) for n in range(task.places)]
        spans = [case.hidden_span for case in cases]
        assert len({span[0] for span in spans}) == 3 and spans == sorted(spans)
        assert spans[0] == Case.from_sound(task, clip, np.inf, HiddenPlace(0)).hidden_span
        assert spans[0][1] > 8.0  # the first third begins in near silence
        if task.kind == "continue":
            assert all(
                case.task.sound.seconds == pytest.approx(case.hidden_span[1]) for case in cases
            )
        start, stop = cases[1].scored_samples
        assert stop - start <= (spans[1][1] - spans[1][0] + 2) * 44_100 + 1


def test_long_tasks_need_long_recordings(sound):
    assert not TASKS["gap-2s"].applies(sound(24.0), np.inf)
    assert TASKS["gap-2s"].applies(sound(25.0), np.inf) and TASKS["gap-50ms"].applies(sound(3.0), 9)


@pytest.mark.parametrize("name", FOREIGN_SOUNDS)
def test_foreign_sounds_lie_within_what_is_drawn(name, case):
    it = case(f"repair-{name}")
    foreign = it.task.sound.samples - it.original
    start, stop = it.span_samples
    assert np.abs(foreign[:, start:stop]).max() > 0.01
    assert not foreign[:, :start].any() and not foreign[:, stop:].any()
    # of the energy of the foreign sound, erasing removes nearly all
    alone = prepare(replace(it.task.sound, samples=foreign), it.task.selection)
    assert (Case(it.evaluation, alone, np.inf).masked ** 2).sum() < 0.02 * (foreign**2).sum()


def test_estimates_of_repairs_are_compared_with_the_clean_sound(case):
    it = case("repair-ring")
    assert abs(measure(it, METHODS["left-in"].run(it, MethodContext()))["snr_db"]) < 3
    assert measure(it, Estimate(it.original))["snr_db"] > 100


@pytest.mark.parametrize("name", low_rate.RESAMPLERS)
def test_low_rates_lose_highs_and_stay_aligned(name, sound, monkeypatch):
    monkeypatch.setattr(low_rate, "resampler_of", lambda _: name)
    clip = sound(2.2)
    hz, seconds = np.array([400, 700]), np.arange(clip.samples.shape[1]) / 44_100
    tones = np.sin(2 * np.pi * hz[:, None] * seconds).sum(0)
    clip.samples[:] += 2 * tones
    it = Case.from_sound(TASKS["lowrate-8k"], clip, 20_000)
    given = it.task.sound.samples
    middle = slice(5000, -5000)
    late = [np.vdot(given[0, middle], np.roll(tones, n)[middle]) for n in (-1, 0, 1)]
    assert late[1] == max(late) and abs(late[0] - late[2]) < 0.02 * (late[1] - late[0])
    assert it.original is clip.samples and it.task.preset == "bandwidth"
    first = np.flatnonzero(it.task.mask.any(axis=(0, 1)))[0] * it.task.space.bin_hz
    assert 2500 < first < 4000 and 3000 < it.scored_hz[0] < 4000 and it.scored_hz[1] == 20_000
    assert np.abs(it.task.grid[..., 195:]).max() < 0.01 * np.abs(it.true_grid[..., 195:]).max()
    oracle = METHODS["oracle"].run(it, MethodContext())
    level = [np.square(grid[..., 195:]).mean() for grid in (oracle.grid, it.true_grid)]
    assert level[0] == pytest.approx(level[1], rel=0.05)


def test_clips_without_a_cutoff_are_no_case(sound, refused):
    clip = sound(2.2)
    seconds = np.arange(clip.samples.shape[1]) / 44_100
    clip.samples[:] = 0.3 * np.sin(2 * np.pi * 500 * seconds)
    with refused("no cutoff") as caught:
        Case.from_sound(TASKS["mp3-64"], clip, np.inf)
    assert isinstance(caught.value, NoCase)
    with refused("all that the recording has"):
        Case.from_sound(TASKS["lowrate-8k"], sound(2.2), 3000)


# --- accuracy and bits ----------------------------------------------------------------------------


def test_accuracy_of_signs_and_of_the_loudest_atoms(case):
    it = case("sign")
    wrong = it.judged & (np.random.default_rng(0).random(it.judged.shape) < 0.25)
    found = accuracy(it, np.where(wrong, -it.task.grid, it.task.grid))
    assert found == pytest.approx(1 - wrong.sum() / it.judged.sum())
    threshold = np.sort(np.abs(it.task.grid[it.judged]))[-round(0.02 * it.judged.sum())]
    quiet_wrong = np.where(np.abs(it.task.grid) < threshold, -it.task.grid, it.task.grid)
    assert accuracy_loudest(it, quiet_wrong) == 1
    assert accuracy(it, quiet_wrong) == pytest.approx(0.02, abs=0.001)


@pytest.mark.parametrize("gain_db,right", [(2.9, 1), (-2.9, 1), (3.1, 0), (-3.1, 0)])
def test_level_within_three_decibels_is_correct(case, gain_db, right):
    it = case("velocity")
    assert accuracy(it, it.task.grid * np.float32(10 ** (gain_db / 20))) == right


def test_accuracy_of_positions_needs_atoms_that_can_move(case):
    it = case("channel", 2.2)
    both = it.task.mask.all(axis=0)
    np.testing.assert_array_equal(it.judged, np.broadcast_to(both, it.judged.shape) & it.audible)
    assert 0 < it.judged.sum() < it.task.mask.sum()
    # exchanged: correct only where levels are equal
    assert accuracy(it, np.where(both, it.task.grid[::-1], it.task.grid)) < 0.1
    assert accuracy(it, np.where(both, it.task.grid, 0)) == 1


def test_exchange_groups_agree_in_known_coordinates():
    places = (np.array([0, 0, 1, 1]), np.array([3, 4, 3, 3]), np.array([7, 7, 7, 8]))
    for feature, pair in (("time", (0, 1)), ("channel", (0, 2)), ("frequency", (2, 3))):
        group = exchange_groups(places, (feature,))
        assert group[pair[0]] == group[pair[1]] and len(np.unique(group)) == 3


def test_estimated_rate_sums_positions_levels_and_signs(small):
    """Four atoms of two levels at 2048 positions: log2 C(2048, 4) + 4 (1 + 1) bits."""
    grid = np.zeros((1, 32, 64), np.float32)
    grid[0, [3, 9, 20, 25], [5, 6, 7, 8]] = [1, -1, 0.1, 0.1]
    task = prepare(
        Sound(np.ones((1, 31 * 64), np.float32), 8000), parse(["random:50"]), space=small
    )
    task = replace(task, grid=grid, mask=grid == 0, reference=1.0)
    expected = (np.log2(comb(2048, 4)) + 4 * 2) / (31 * 64 / 8000) / 1000
    assert estimated_kbps(Case(TASKS["compress-1000"], task, 4000.0)) == pytest.approx(
        expected, rel=1e-6
    )


def excess_of(it, model, monkeypatch, predict):
    """`excess_nats` of a model with `predict(true, reference)` -> (velocity, sign) logits."""
    state = {}
    windows = cross_entropy.FillState.windows

    def recorded_windows(fill_state, mask, size):
        for window in windows(fill_state, mask, size):
            state.update(window=window, reference=fill_state.reference(window))
            yield window

    def decode(model, context, places):
        channel, frame, bin_ = places.T
        true = it.task.grid[
            np.array(state["window"].channels)[channel], frame + state["window"].start, bin_
        ]
        velocity, sign = predict(true, state["reference"])
        yield (
            slice(0, len(places)),
            type(
                "Decoded",
                (),
                {"velocity": torch.as_tensor(velocity), "sign": torch.as_tensor(sign)},
            ),
        )

    monkeypatch.setattr(cross_entropy.FillState, "windows", recorded_windows)
    monkeypatch.setattr(cross_entropy, "encode", lambda *_: None)
    monkeypatch.setattr(cross_entropy, "decode", decode)
    return cross_entropy.excess_nats(it.task, it.judged, model)


@pytest.mark.parametrize(
    "name,uniform", [("sign", np.log(2)), ("velocity", np.log(96) - velocity_floor(1.0))]
)
def test_cross_entropy_is_that_of_the_true_values(name, uniform, case, model, monkeypatch):
    it = case(name)

    def perfect(true, reference):
        level = model.config.space.quantise(true, reference)
        return 50.0 * np.eye(96)[level], np.where(true > 0, 50.0, -50.0)

    with monkeypatch.context() as patch:
        blank = excess_of(
            it,
            model,
            patch,
            lambda true, reference: (np.zeros((len(true), 96)), np.zeros(len(true))),
        )
    assert blank == pytest.approx(uniform, abs=1e-4)
    with monkeypatch.context() as patch:
        best = excess_of(it, model, patch, perfect)
    assert best == pytest.approx(0 if name == "sign" else -velocity_floor(1.0), abs=1e-4)


# --- methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HONEST)
def test_baselines_do_not_read_hidden_atoms(name, case):
    """Other atoms in the mask, and other samples in their windows, give the same fill."""
    method = METHODS[name]
    for kind in set(method.kinds) - {"levels", "places"}:
        it = case(next(t for t in TASKS if TASKS[t].kind == kind))
        grid = np.where(it.task.mask, np.float32(0.01), it.task.grid)
        sound = it.task.render(grid)
        other = replace(it, task=replace(it.task, sound=sound, grid=grid))
        one, two = method.run(it, MethodContext()), method.run(other, MethodContext())
        if one.grid is not None:
            np.testing.assert_array_equal(one.grid, two.grid)
        else:
            np.testing.assert_allclose(one.samples, two.samples, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    [name for name, method in METHODS.items() if not method.needs_model and method.is_available()],
)
def test_baselines_keep_known_atoms_and_samples(name, case):
    for kind in METHODS[name].kinds:
        it = case(next(t for t in TASKS if TASKS[t].kind == kind))
        filled = METHODS[name].run(it, MethodContext(Settings(seed=1)))
        assert (
            filled.samples.shape == it.task.sound.samples.shape
            and np.isfinite(filled.samples).all()
        )
        if filled.grid is not None:
            np.testing.assert_array_equal(filled.grid[~it.task.mask], it.task.grid[~it.task.mask])
        elif kind in ("gap", "continue"):
            start, end = it.affected_samples
            np.testing.assert_array_equal(
                filled.samples[:, :start], it.task.sound.samples[:, :start]
            )
            np.testing.assert_array_equal(filled.samples[:, end:], it.task.sound.samples[:, end:])


def test_codecs_report_their_measured_size(case):
    it = case("compress-4000")
    found = measure(it, METHODS["opus"].run(it, MethodContext()))
    assert found["kbps"] == pytest.approx(estimated_kbps(it), rel=0.2) and found[
        "kbps"
    ] != estimated_kbps(it)


# --- runs -----------------------------------------------------------------------------------------


# Two clips at most, of 2.2 s, from all sources
SHORT = Options(seconds=2.2, include_training=True)


def run(folder, out=None, options=SHORT, **more):
    """`evaluate` without a progress bar."""
    outputs = Outputs(out, more.pop("figures", None), more.pop("sounds", None))
    return evaluate(folder, options, outputs, progress=False, **more)


def test_run_writes_a_report_and_resumes(folder, tmp_path):
    out = tmp_path / "report.json"
    options = replace(SHORT, tasks=["bwe-8k", "upmix"], methods=["erased", "noise"], clips=2)
    report = run(folder, out, options)
    # upmix does not apply to mono clips
    assert {(r["task"], r["method"]) for r in report["records"]} == {
        ("bwe-8k", "erased"),
        ("bwe-8k", "noise"),
    }
    values = {(r["clip"], r["method"], r["metric"]): r["value"] for r in report["records"]}
    assert len(values) == len(report["records"]) == 8
    marked = json.loads(out.read_text())
    marked["records"][0]["value"] = 123.0
    out.write_text(json.dumps(marked))
    again = run(folder, out, replace(options, methods=["erased", "noise", "fold"]))
    # existing records are not computed again
    assert again["records"][0]["value"] == 123.0 and len(again["records"]) == 12
    assert json.loads(out.read_text()) == again


def test_table_has_a_row_per_metric_and_a_column_per_method():
    records = [
        {"task": t, "clip": c, "method": m, "metric": k, "value": v}
        for t, c, m, k, v in (
            ("gap-50ms", "a", "erased", "snr_db", 0.0),
            ("gap-50ms", "b", "erased", "snr_db", 1.0),
            ("gap-50ms", "a", "model", "snr_db", 3.0),
            ("gap-50ms", "a", "model", "lsd_hidden", 1.5),
            ("bwe-8k", "a", "fold", "lsd_hidden", 2.0),
        )
    ]
    assert table({"conventions": {}, "records": records}) == (
        "| bwe-8k | clips | fold |\n|---|---|---|\n| lsd_hidden ↓ | 1 | 2.000 |\n\n"
        "| gap-50ms | clips | model | erased |\n|---|---|---|---|\n"
        "| snr_db ↑ | 2 | 3.000 | 0.500 |\n| lsd_hidden ↓ | 1 | 1.500 |  |"
    )


def test_run_repeats_a_task_at_places(tmp_path, samples):
    soundfile.write(tmp_path / "a.wav", samples(25 * 8000, 1).T, 8000)
    options = Options(tasks=["gap-500ms-long"], methods=["erased"], include_training=True)
    out = tmp_path / "r.json"
    report = run(tmp_path, out, replace(options, places=2))
    assert {r["clip"] for r in report["records"]} == {"a.wav#1", "a.wav#2"}
    again = run(tmp_path, out, options)
    assert again["records"][: len(report["records"])] == report["records"]
    assert {r["clip"] for r in again["records"]} == {"a.wav#1", "a.wav#2", "a.wav#3"}
    assert {r["category"] for r in again["records"]} == {"unknown"}
    assert table(again, "unknown") == table(again) and table(again, "music") == ""


def test_run_with_a_model_writes_figures_and_sounds(folder, tmp_path, model):
    options = Options(
        tasks=["gap-50ms", "sign"],
        methods=["model", "trunk-off", "interpolate", "erased"],
        settings=Settings(steps=1),
        clips=1,
        seconds=2.0,
        include_training=True,
    )
    more = dict(model=model, checkpoint="abc", sounds=tmp_path / "sounds")
    report = run(folder, tmp_path / "r.json", options, figures=tmp_path / "figures", **more)
    found = {(r["task"], r["method"], r["metric"]) for r in report["records"]}
    assert {
        ("sign", "model", "excess_nats"),
        ("sign", "trunk-off", "accuracy"),
        ("gap-50ms", "interpolate", "snr_db"),
    } <= found
    assert ("sign", "erased", "excess_nats") not in found and (
        "sign",
        "interpolate",
        "accuracy",
    ) not in found
    assert (
        report["conventions"]["checkpoint_sha256"] == "abc"
        and report["conventions"]["settings"]["steps"] == 1
    )
    for name in ("gap-50ms", "sign"):
        assert (tmp_path / "figures" / f"{name}.webp").read_bytes()[8:12] == b"WEBP"
        written = {p.stem for p in (tmp_path / "sounds" / name / "0").glob("*.wav")}
        assert written == {"original", "masked", "model", "trunk-off", "erased"} | (
            {"interpolate"} if name == "gap-50ms" else set()
        )
    original, masked = (
        soundfile.read(tmp_path / "sounds" / "gap-50ms" / "0" / f"{n}.wav")[0]
        for n in ("original", "masked")
    )
    assert len(original) == 2 * 44_100 and np.abs(masked - original).max() > 0.01
    # everything exists but one sound, which is written again
    lost = tmp_path / "sounds" / "sign" / "0" / "erased.wav"
    lost.unlink()
    again = run(folder, tmp_path / "r.json", options, **more)
    assert again["records"] == report["records"] and lost.is_file()


def test_sounds_of_another_version_are_a_method(folder, tmp_path):
    options = replace(SHORT, tasks=["box-1000ms", "gap-50ms"], methods=["erased"], clips=1)
    run(folder, options=options, sounds=tmp_path)
    for written in sorted(tmp_path.glob("*/*/erased.wav")):
        before = written.rename(written.with_name("model.wav"))
    compared = replace(options, compared={"before": tmp_path})
    records = run(folder, options=compared)["records"]
    values = {(r["method"], r["task"], r["metric"]): r["value"] for r in records}
    for task, metric in (
        ("gap-50ms", "snr_db"),
        ("gap-50ms", "convergence"),
        ("box-1000ms", "edge_step_db"),
    ):
        expected = pytest.approx(values["erased", task, metric], abs=1e-2)
        assert values["before", task, metric] == expected
    soundfile.write(before, np.zeros((100, 1)), 44_100)
    with pytest.raises(AtomizerError, match="another length"):
        run(folder, options=compared)
    before.unlink()
    with pytest.raises(AtomizerError, match="write it with the same"):
        run(folder, options=compared)
    with pytest.raises(AtomizerError, match="no folder"):
        run(folder, options=replace(options, compared={"before": tmp_path / "nowhere"}))
    with pytest.raises(AtomizerError, match="method of its own"):
        run(folder, options=replace(options, compared={"noise": tmp_path}))


def test_places_have_folders_of_sounds_of_their_own():
    folders = [folder_of("s", "gap", name).as_posix() for name in ("a.b.wav", "a.wav#2")]
    assert folders == ["s/gap/a.b", "s/gap/a#2"]


def test_rows_of_a_figure_keep_a_tone_at_its_frequency():
    power = np.zeros((1, metrics.SIZE // 2 + 1))
    hertz = np.array([440.0, 3000.0, 15_000.0])
    power[0, np.round(hertz * metrics.SIZE / metrics.RATE).astype(int)] = 1
    rows = np.flatnonzero(to_rows(power)[0])
    found = axis_frequency((rows + 0.5) / ROWS * height_of(metrics.RATE / 2), SCALE)
    for one in hertz:
        assert np.abs(found / one - 1).min() < 0.05
    assert (np.abs(found[:, None] / hertz - 1).min(axis=1) < 0.05).all(), "nothing else is drawn"


def test_run_without_a_model_omits_its_methods(folder):
    options = replace(SHORT, tasks=["gap-50ms"], methods=["model", "erased"], clips=1)
    assert {r["method"] for r in run(folder, options=options)["records"]} == {"erased"}


def test_run_omits_methods_that_are_not_installed(folder, monkeypatch):
    monkeypatch.setattr(soundfile, "available_subtypes", lambda format_=None: {})
    options = replace(SHORT, tasks=["compress-1000"], methods=["opus", "truncate"], clips=1)
    assert {r["method"] for r in run(folder, options=options)["records"]} == {"truncate"}


def test_run_says_what_it_leaves_out(folder, monkeypatch):
    options = replace(SHORT, tasks=["mp3-64", "lowrate-8k"], methods=["erased"])
    monkeypatch.setattr(Case, "from_sound", lambda *_: (_ for _ in ()).throw(NoCase("It is.")))
    monkeypatch.setattr(soundfile, "available_subtypes", lambda format_=None: {})
    report = run(folder, options=options)
    assert report["left_out"] == [
        "mp3-64: The installed libsndfile writes no MP3 (1.1 and newer do).",
        "lowrate-8k, 0.wav: It is.",
        "lowrate-8k, 1.wav: It is.",
    ]
    assert not report["records"]


@pytest.mark.parametrize("checkpoint,settings", [("x", {}), (None, {"steps": 3})])
def test_another_model_keeps_the_records_of_baselines(
    folder, tmp_path, checkpoint, settings, monkeypatch
):
    options = replace(SHORT, tasks=["upmix"], methods=["erased", "copy"], clips=1)
    run(folder, tmp_path / "r.json", options)
    report = json.loads((tmp_path / "r.json").read_text())
    report["records"] += [
        {**r, "method": "model"} for r in report["records"] if r["method"] == "copy"
    ]
    (tmp_path / "r.json").write_text(json.dumps(report))
    monkeypatch.setattr(Case, "from_sound", lambda *_: pytest.fail("nothing is computed again"))
    options = replace(options, settings=Settings(**settings))
    again = run(folder, tmp_path / "r.json", options, checkpoint=checkpoint)
    assert again["records"] == [r for r in report["records"] if r["method"] != "model"]


@pytest.mark.parametrize(
    "change,word", [({"seconds": 2.3}, "seconds"), ({"settings": Settings(seed=1)}, "seed")]
)
def test_report_with_other_conventions_is_rejected(folder, tmp_path, refused, change, word):
    options = replace(SHORT, tasks=["upmix"], methods=["erased"], clips=1)
    run(folder, tmp_path / "r.json", options)
    with refused("r.json", "other conventions", word):
        run(folder, tmp_path / "r.json", replace(options, **change))


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"conventions": {}, "records": [{"task": 3}]}', "\udcff"]
)
def test_invalid_report_is_rejected(folder, tmp_path, refused, content):
    (tmp_path / "r.json").write_text(content, errors="surrogateescape")
    with refused("r.json", "no report"):
        run(folder, tmp_path / "r.json", Options(include_training=True))


@pytest.mark.parametrize(
    "options,words",
    [
        ({"tasks": ["bwe-9k"]}, ["bwe-9k", "bwe-8k"]),
        ({"methods": ["magic"]}, ["magic", "janssen"]),
        ({"clips": 0}, ["at least 1 clip"]),
        ({"seconds": 1.0}, ["2 seconds"]),
    ],
)
def test_invalid_options_are_rejected(folder, refused, options, words):
    with refused(*words):
        run(folder, options=Options(**options, include_training=True))


def test_report_in_a_missing_folder_is_rejected(folder, refused):
    with refused("no folder"):
        run(folder, "nowhere/at/all.json", Options(include_training=True))


def test_conventions_are_json_and_complete():
    found = conventions(Settings(temperature=0.5), 3.0, "hash")
    assert json.loads(json.dumps(found)) == found
    assert found["settings"]["temperature"] == 0.5 and found["settings"]["steps"] == "default"
    for word in (
        "stft",
        "floor",
        "seconds",
        "seed",
        "checkpoint_sha256",
        "oracle",
        "accuracy",
        "kbps",
        "excess_nats",
    ):
        assert word in found


def test_checkpoint_hash_covers_all_weights(tmp_path):
    assert checkpoint_hash(tmp_path) is None
    (tmp_path / "a.safetensors").write_bytes(b"ab")
    (tmp_path / "b.safetensors").write_bytes(b"c")
    (tmp_path / "config.json").write_text("{}")
    # SHA-256 of "abc", FIPS 180-2
    assert (
        checkpoint_hash(tmp_path)
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_card_has_the_weights_and_their_training_as_reported():
    report = {"conventions": {"checkpoint_sha256": checkpoint_hash(SHIPPED)}}
    first, *commands = heading(report, training_of(SHIPPED)).split("\n\n")
    card = " ".join((SHIPPED / "README.md").read_text(encoding="utf-8").split())
    assert first in card and len(commands) == 4
    for command in commands:
        assert " ".join(command.split()) in card.replace("\\ ", "")
    assert heading(report, {}).endswith("their training is not recorded.")
