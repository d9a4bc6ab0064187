"""Tasks that hide what they say and are judged on that; a run that resumes, refuses, draws and writes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from scipy.special import comb

from atomizer import metrics
from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.evaluation import priors as beliefs
from atomizer.evaluation.baselines.neighbours import groups
from atomizer.evaluation.methods import METHODS, How
from atomizer.evaluation.report import BETTER, table
from atomizer.evaluation.run import conventions, evaluate, fingerprint
from atomizer.evaluation.tasks import KINDS, TASKS, Case, Filled, accuracy, estimated_kbps
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import Sound
from atomizer.model import AtomTransformer, ModelConfig
from atomizer.model.gaussian import velocity_floor

# janssen-span hides fewer samples than the atoms reach, and a codec reads everything: that is what it is for
BLIND = [
    name
    for name, method in METHODS.items()
    if not method.model and name not in ("oracle", "janssen-span", "opus", "vorbis", "mp3")
]


@pytest.fixture(autouse=True)
def no_visqol(monkeypatch):
    """ViSQOL takes seconds, and is tested with the metrics."""
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
    """`case(task, seconds)` of a stereo sound; of a mono one for gaps, which take long."""
    return lambda name, seconds=2.2, cutoff=np.inf: Case.of(
        TASKS[name], sound(seconds, 1 if TASKS[name].kind == "gap" else 2), cutoff
    )


@pytest.fixture
def folder(tmp_path, samples):
    """Two mono recordings of 2.5 s."""
    (tmp_path / "audio").mkdir()
    for n in range(2):
        soundfile.write(tmp_path / "audio" / f"{n}.wav", samples(110_000, 1, seed=n).T, 44_100)
    return tmp_path / "audio"


# --- tasks -------------------------------------------------------------------------------------------------------------------


def test_every_task_has_its_kind_and_every_kind_its_methods():
    assert {task.kind for task in TASKS.values()} == set(KINDS)
    assert {kind for method in METHODS.values() for kind in method.kinds} == set(KINDS)
    for name in ("model", "trunk-off"):
        assert METHODS[name].kinds == KINDS  # in every table


@pytest.mark.parametrize("name", list(TASKS))
def test_an_untouched_sound_is_perfect_and_an_erased_one_is_not(name, case):
    it = case(name)
    perfect, erased = (
        it.measure(Filled(it.task.render(g).samples, g)) for g in (it.task.grid, it.task.erased())
    )
    assert perfect and set(perfect) == set(erased) and set(perfect) <= set(BETTER)
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
def test_compression_keeps_the_loudest_atoms_and_nothing_else(kept, case):
    it = case(f"compress-{kept}", 3.0)
    known = ~it.task.mask
    assert known.sum() == pytest.approx(kept * 3, rel=0.01)
    magnitude = np.abs(it.task.grid)
    assert magnitude[known].min() >= magnitude[~known].max()


def test_a_gap_is_judged_on_the_gap_alone(case):
    it = case("gap-200ms", 3.0)
    elsewhere, inside = it.task.sound.samples.copy(), it.task.sound.samples.copy()
    start, end = it.span_samples
    assert end - start == 8820
    elsewhere[:, : start - 4096] *= 0.5
    inside[:, start:end] *= 0.5
    assert it.measure(Filled(elsewhere))["snr_db"] > 100
    found = it.measure(Filled(inside))
    assert found["snr_db"] == pytest.approx(6.02, abs=0.01) and found[
        "lsd_hidden"
    ] == pytest.approx(2 * np.log10(2), rel=0.15)


def test_a_silent_gap_has_no_snr(sound):
    clip = sound(3.0)
    clip.samples[:, 50_000:80_000] = 0
    it = Case.of(TASKS["gap-50ms"], clip, np.inf)
    assert "snr_db" not in it.measure(Filled(clip.samples)) and "convergence" in it.measure(
        Filled(clip.samples)
    )


def test_nothing_is_judged_above_the_recordings_cutoff(case):
    it = case("bwe-8k", cutoff=15_000)
    samples = it.task.sound.samples
    t = np.arange(samples.shape[1]) / 44_100
    assert (
        it.measure(Filled(samples + 0.3 * np.sin(2 * np.pi * 18_000 * t).astype(np.float32)))[
            "lsd_hidden"
        ]
        < 0.01
    )
    assert (
        it.measure(Filled(samples + 0.3 * np.sin(2 * np.pi * 12_000 * t).astype(np.float32)))[
            "lsd_hidden"
        ]
        > 0.01
    )


def test_tasks_apply_to_clips_that_have_what_they_hide(sound):
    stereo, mono = sound(2.2, 2), sound(2.2, 1)
    for name in ("upmix", "channel"):
        assert TASKS[name].applies(stereo, np.inf) and not TASKS[name].applies(mono, np.inf)
    assert TASKS["bwe-4k"].applies(mono, 9000) and not TASKS["bwe-8k"].applies(mono, 9000)


def test_a_case_knows_which_samples_the_hidden_atoms_reach(case):
    it = case("gap-50ms")
    start, end = it.reached_samples
    change = it.task.render(it.task.erased()).samples - it.task.sound.samples
    touched = np.flatnonzero(np.abs(change).max(0) > 0)
    assert start <= touched[0] < start + 50 and end - 50 < touched[-1] + 1 <= end
    assert case("continue-500ms").reached_samples[1] == it.task.sound.samples.shape[1]


# --- accuracy and bits -------------------------------------------------------------------------------------------------------


def test_accuracy_of_signs_and_of_the_loudest(case):
    it = case("sign")
    wrong = it.asked & (np.random.default_rng(0).random(it.asked.shape) < 0.25)
    found = accuracy(it, np.where(wrong, -it.task.grid, it.task.grid))
    assert found["accuracy"] == pytest.approx(1 - wrong.sum() / it.asked.sum())
    threshold = np.sort(np.abs(it.task.grid[it.asked]))[-round(0.02 * it.asked.sum())]
    quiet_wrong = np.where(np.abs(it.task.grid) < threshold, -it.task.grid, it.task.grid)
    assert accuracy(it, quiet_wrong)["accuracy_loudest"] == 1 and accuracy(it, quiet_wrong)[
        "accuracy"
    ] == pytest.approx(0.02, abs=0.001)


@pytest.mark.parametrize("gain_db,right", [(2.9, 1), (-2.9, 1), (3.1, 0), (-3.1, 0)])
def test_a_level_within_three_decibels_is_right(case, gain_db, right):
    it = case("velocity")
    assert accuracy(it, it.task.grid * np.float32(10 ** (gain_db / 20)))["accuracy"] == right


def test_accuracy_of_places_asks_for_atoms_that_could_be_elsewhere(case):
    it = case("channel", 2.2)
    both = it.task.mask.all(axis=0)
    np.testing.assert_array_equal(it.asked, np.broadcast_to(both, it.asked.shape) & it.audible)
    assert 0 < it.asked.sum() < it.task.mask.sum()
    assert (
        accuracy(it, np.where(both, it.task.grid[::-1], it.task.grid))["accuracy"] < 0.1
    )  # swapped: right where levels happen to be equal
    assert accuracy(it, np.where(both, it.task.grid, 0))["accuracy"] == 1


def test_atoms_of_one_group_agree_in_all_but_what_is_unknown():
    places = (np.array([0, 0, 1, 1]), np.array([3, 4, 3, 3]), np.array([7, 7, 7, 8]))
    for feature, pair in (("time", (0, 1)), ("channel", (0, 2)), ("frequency", (2, 3))):
        group = groups(places, (feature,))
        assert group[pair[0]] == group[pair[1]] and len(np.unique(group)) == 3


def test_the_estimated_rate_is_places_levels_and_signs(small):
    """Four atoms, two of each of two levels, among 2048 places: log2 C(2048, 4) + 4 (1 + 1) bits."""
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


def stand_in(it, model, monkeypatch, answer):
    """`beliefs` with a model that answers `answer(true amplitudes, reference)` -> (velocity logits, sign logits)."""
    state = {}
    windows = beliefs.FillState.windows

    def watch(fill_state, mask, size):
        for window in windows(fill_state, mask, size):
            state.update(window=window, reference=fill_state.reference(window))
            yield window

    def decode(model, context, places):
        channel, frame, bin_ = places.T
        true = it.task.grid[
            np.array(state["window"].channels)[channel], frame + state["window"].start, bin_
        ]
        velocity, sign = answer(true, state["reference"])
        yield (
            slice(0, len(places)),
            type(
                "Decoded",
                (),
                {"velocity": torch.as_tensor(velocity), "sign": torch.as_tensor(sign)},
            ),
        )

    monkeypatch.setattr(beliefs.FillState, "windows", watch)
    monkeypatch.setattr(beliefs, "encode", lambda *_: None)
    monkeypatch.setattr(beliefs, "decode", decode)
    return beliefs.excess_nats(it.task, it.asked, model)


@pytest.mark.parametrize(
    "name,ignorance", [("sign", np.log(2)), ("velocity", np.log(96) - velocity_floor(1.0))]
)
def test_beliefs_are_judged_at_the_truth(name, ignorance, case, model, monkeypatch):
    it = case(name)

    def knows(true, reference):
        level = model.config.space.quantise(true, reference)
        return 50.0 * np.eye(96)[level], np.where(true > 0, 50.0, -50.0)

    with monkeypatch.context() as patch:
        blank = stand_in(
            it,
            model,
            patch,
            lambda true, reference: (np.zeros((len(true), 96)), np.zeros(len(true))),
        )
    assert blank == pytest.approx(ignorance, abs=1e-4)
    with monkeypatch.context() as patch:
        best = stand_in(it, model, patch, knows)
    assert best == pytest.approx(0 if name == "sign" else -velocity_floor(1.0), abs=1e-4)


# --- methods -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BLIND)
def test_no_baseline_reads_what_is_hidden(name, case):
    """Other atoms where the mask is, and other samples where their windows are: the same fill."""
    method = METHODS[name]
    for kind in set(method.kinds) - {"levels", "places"}:
        it = case(next(t for t in TASKS if TASKS[t].kind == kind))
        grid = np.where(it.task.mask, np.float32(0.01), it.task.grid)
        sound = it.task.render(grid)
        other = Case(it.evaluation, replace(it.task, sound=sound, grid=grid), it.cutoff_hz)
        one, two = method.run(it, How()), method.run(other, How())
        if one.grid is not None:
            np.testing.assert_array_equal(one.grid, two.grid)
        else:
            np.testing.assert_allclose(one.samples, two.samples, atol=1e-6)


@pytest.mark.parametrize(
    "name", [name for name, method in METHODS.items() if not method.model and method.available()]
)
def test_baselines_leave_what_is_known_alone(name, case):
    for kind in METHODS[name].kinds:
        it = case(next(t for t in TASKS if TASKS[t].kind == kind))
        filled = METHODS[name].run(it, How(Settings(seed=1)))
        assert (
            filled.samples.shape == it.task.sound.samples.shape
            and np.isfinite(filled.samples).all()
        )
        if filled.grid is not None:
            np.testing.assert_array_equal(filled.grid[~it.task.mask], it.task.grid[~it.task.mask])
        elif kind in ("gap", "continue"):
            start, end = it.reached_samples
            np.testing.assert_array_equal(
                filled.samples[:, :start], it.task.sound.samples[:, :start]
            )
            np.testing.assert_array_equal(filled.samples[:, end:], it.task.sound.samples[:, end:])


def test_codecs_say_how_large_they_are(case):
    it = case("compress-4000")
    found = it.measure(METHODS["opus"].run(it, How()))
    assert found["kbps"] == pytest.approx(estimated_kbps(it), rel=0.2) and found[
        "kbps"
    ] != estimated_kbps(it)


# --- runs --------------------------------------------------------------------------------------------------------------------


def test_a_run_reports_resumes_and_prints(folder, tmp_path):
    out = tmp_path / "report.json"
    options = dict(
        tasks=["bwe-8k", "upmix"],
        methods=["erased", "noise"],
        clips=2,
        seconds=2.2,
        everything=True,
        progress=False,
    )
    report = evaluate(folder, out, **options)
    assert {(r["task"], r["method"]) for r in report["records"]} == {
        ("bwe-8k", "erased"),
        ("bwe-8k", "noise"),
    }  # mono: nothing to upmix
    values = {(r["clip"], r["method"], r["metric"]): r["value"] for r in report["records"]}
    assert len(values) == len(report["records"]) == 8
    marked = json.loads(out.read_text())
    marked["records"][0]["value"] = 123.0
    out.write_text(json.dumps(marked))
    again = evaluate(folder, out, **{**options, "methods": ["erased", "noise", "fold"]})
    assert (
        again["records"][0]["value"] == 123.0 and len(again["records"]) == 12
    )  # what is there is not computed again
    assert json.loads(out.read_text()) == again


def test_the_table_has_a_row_per_metric_and_a_column_per_method_with_values():
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
        "| gap-50ms | clips | model | erased |\n|---|---|---|---|\n| snr_db ↑ | 2 | 3.000 | 0.500 |\n| lsd_hidden ↓ | 1 | 1.500 |  |"
    )


def test_a_run_with_a_model_draws_and_writes(folder, tmp_path, model):
    options = dict(
        tasks=["gap-50ms", "sign"],
        methods=["model", "trunk-off", "interpolate", "erased"],
        clips=1,
        seconds=2.0,
        everything=True,
        progress=False,
        settings=Settings(steps=1),
        model=model,
        checkpoint="abc",
    )
    report = evaluate(
        folder,
        tmp_path / "r.json",
        figures=tmp_path / "figures",
        listen=tmp_path / "sounds",
        **options,
    )
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
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        written = {p.stem for p in (tmp_path / "sounds" / name / "0").glob("*.wav")}
        assert written == {"original", "masked", "model", "trunk-off", "erased"} | (
            {"interpolate"} if name == "gap-50ms" else set()
        )
    original, masked = (
        soundfile.read(tmp_path / "sounds" / "gap-50ms" / "0" / f"{n}.wav")[0]
        for n in ("original", "masked")
    )
    assert len(original) == 2 * 44_100 and np.abs(masked - original).max() > 0.01
    # all of it is there: nothing is left to do, but a sound that was removed
    lost = tmp_path / "sounds" / "sign" / "0" / "erased.wav"
    lost.unlink()
    assert (
        evaluate(folder, tmp_path / "r.json", listen=tmp_path / "sounds", **options)["records"]
        == report["records"]
        and lost.is_file()
    )


def test_without_a_model_there_are_no_records_of_it(folder):
    report = evaluate(
        folder,
        tasks=["gap-50ms"],
        methods=["model", "erased"],
        clips=1,
        seconds=2.2,
        everything=True,
        progress=False,
    )
    assert {r["method"] for r in report["records"]} == {"erased"}


def test_a_method_that_is_not_installed_has_no_records(folder, monkeypatch):
    monkeypatch.setattr(soundfile, "available_subtypes", lambda format_=None: {})
    report = evaluate(
        folder,
        tasks=["compress-1000"],
        methods=["opus", "truncate"],
        clips=1,
        seconds=2.2,
        everything=True,
        progress=False,
    )
    assert {r["method"] for r in report["records"]} == {"truncate"}


@pytest.mark.parametrize("change", [{"checkpoint": "x"}, {"settings": Settings(steps=3)}])
def test_another_model_keeps_the_baselines_of_a_report(folder, tmp_path, change, monkeypatch):
    options = dict(
        tasks=["upmix"],
        methods=["erased", "copy"],
        clips=1,
        seconds=2.2,
        everything=True,
        progress=False,
    )
    evaluate(folder, tmp_path / "r.json", **options)
    report = json.loads((tmp_path / "r.json").read_text())
    report["records"] += [
        {**r, "method": "model"} for r in report["records"] if r["method"] == "copy"
    ]
    (tmp_path / "r.json").write_text(json.dumps(report))
    monkeypatch.setattr(Case, "of", lambda *_: pytest.fail("nothing is to be computed again"))
    again = evaluate(folder, tmp_path / "r.json", **{**options, **change})
    assert again["records"] == [r for r in report["records"] if r["method"] != "model"]


@pytest.mark.parametrize(
    "change,word", [({"seconds": 2.3}, "seconds"), ({"settings": Settings(seed=1)}, "seed")]
)
def test_a_report_of_other_conventions_is_refused(folder, tmp_path, refused, change, word):
    options = dict(
        tasks=["upmix"], methods=["erased"], clips=1, seconds=2.2, everything=True, progress=False
    )
    evaluate(folder, tmp_path / "r.json", **options)
    with refused("r.json", "other conventions", word):
        evaluate(folder, tmp_path / "r.json", **{**options, **change})


@pytest.mark.parametrize(
    "content", ["", "{}", "[1]", '{"conventions": {}, "records": [{"task": 3}]}', "\udcff"]
)
def test_what_is_no_report_is_refused(folder, tmp_path, refused, content):
    (tmp_path / "r.json").write_text(content, errors="surrogateescape")
    with refused("r.json", "no report"):
        evaluate(folder, tmp_path / "r.json", everything=True, progress=False)


@pytest.mark.parametrize(
    "options,words",
    [
        ({"tasks": ["bwe-9k"]}, ["bwe-9k", "bwe-8k"]),
        ({"methods": ["magic"]}, ["magic", "janssen"]),
        ({"clips": 0}, ["at least 1 clip"]),
        ({"seconds": 1.0}, ["2 seconds"]),
        ({"out": "nowhere/at/all.json"}, ["no folder"]),
    ],
)
def test_what_cannot_be_evaluated_is_refused(folder, refused, options, words):
    with refused(*words):
        evaluate(folder, everything=True, progress=False, **options)


def test_conventions_are_json_and_name_what_numbers_depend_on():
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


def test_the_fingerprint_is_of_all_weights(tmp_path):
    assert fingerprint(tmp_path) is None
    (tmp_path / "a.safetensors").write_bytes(b"ab")
    (tmp_path / "b.safetensors").write_bytes(b"c")
    (tmp_path / "config.json").write_text("{}")
    assert (
        fingerprint(tmp_path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # SHA-256 of "abc", FIPS 180-2
