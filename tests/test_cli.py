"""Command line: exit code 0 only if OUT was written, one sentence otherwise."""

import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import soundfile
import torch

from atomizer.analysis import ATOMIZERS
from atomizer.atoms.orderings import ORDERINGS
from atomizer.atoms.selection import parse
from atomizer.atoms.space import AtomSpace
from atomizer.atoms.specifications import HELP
from atomizer.benchmarks import Missing, Record
from atomizer.cli import run
from atomizer.inpainting.recipe import Recipe, dump_recipes
from atomizer.inpainting.settings import AMPLITUDES, METHODS, Settings
from atomizer.model import AtomTransformer, ModelConfig


@pytest.fixture
def wav(tmp_path, samples):
    path = tmp_path / "in.wav"
    soundfile.write(path, samples(22_050, 2).T, 44_100, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An untrained small model for the default AtomSpace."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("checkpoint")
    space = AtomSpace(frames=16, channels=2)
    AtomTransformer(
        ModelConfig(space=space, embed=8, width=32, heads=2, layers=1, hidden=32)
    ).save_pretrained(path)
    return path


def call(*arguments, monkeypatch):
    """Exit code of the command, in this process."""
    monkeypatch.setattr(sys, "argv", ["atomizer", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        run()
    return stop.value.code or 0


@pytest.fixture
def command(monkeypatch, capsys):
    def command(*arguments):
        code = call(*arguments, monkeypatch=monkeypatch)
        return code, capsys.readouterr()

    return command


def test_the_help_lists_every_name_of_the_code():
    help_text = subprocess.run(
        [sys.executable, "-m", "atomizer", "fill", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for names in (ORDERINGS, METHODS, AMPLITUDES, ATOMIZERS):
        assert "|".join(names) in help_text
    for specification in HELP.split():
        assert specification in help_text.replace("\n", " ")


@pytest.mark.parametrize(
    "options",
    [
        ["--select", "above:8000", "--method", "noise"],
        ["--select", "time:0.1-0.2", "--erase-only"],
        [
            "--select",
            "random:20",
            "--features",
            "velocity,sign",
            "--order",
            "velocity",
            "--reverse",
            "--steps",
            "2",
        ],
        [
            "--select",
            "rect:0.1,0.2,1000,3000",
            "--features",
            "frequency",
            "--temperature",
            "0.5",
            "--nucleus",
            "0.9",
            "--seed",
            "3",
        ],
    ],
)
def test_fill_writes_the_filled_sound(command, wav, tmp_path, checkpoint, options):
    out = tmp_path / "out.wav"
    code, printed = command("fill", wav, out, *options, "--checkpoint", checkpoint)
    assert code == 0, printed.err
    a, b = soundfile.read(wav), soundfile.read(out)
    assert (
        a[1] == b[1]
        and a[0].shape == b[0].shape
        and soundfile.info(out).subtype == "PCM_16"
        and not np.array_equal(a[0], b[0])
    )


@pytest.mark.parametrize(
    "options,shape",
    [(["--extend", "0.3"], (22_050 + 13_230, 2)), (["--add-channels", "1"], (22_050, 3))],
)
def test_fill_extends_and_adds_channels(command, wav, tmp_path, checkpoint, options, shape):
    out = tmp_path / "out.flac"
    code, printed = command("fill", wav, out, *options, "--checkpoint", checkpoint, "--steps", 1)
    assert code == 0, printed.err
    assert soundfile.read(out)[0].shape == shape


@pytest.mark.parametrize(
    "peaks, subtype, highest",
    [("limit", "PCM_16", 1), ("scale", "PCM_16", 1), ("float", "FLOAT", 2)],
)
def test_fill_reports_attenuated_peaks(command, tmp_path, peaks, subtype, highest):
    """A low tone, above full scale once the highs that cancel its peaks are erased."""
    t = np.arange(22_050) / 44_100
    low = 1.5 * np.sin(2 * np.pi * 200 * t)
    high = np.clip(low, -0.9, 0.9) - low
    soundfile.write(tmp_path / "in.wav", low + high, 44_100, subtype="PCM_16")
    out = tmp_path / "out.wav"
    options = ["--select", "above:400", "--erase-only", "--peaks", peaks]
    code, printed = command("fill", tmp_path / "in.wav", out, *options)
    assert code == 0 and ("dB above full scale" in printed.err) is (peaks != "float")
    assert soundfile.info(out).subtype == subtype
    assert 0.98 < np.abs(soundfile.read(out)[0]).max() <= highest


def test_fill_accepts_regions_as_json(command, wav, tmp_path):
    regions = tmp_path / "selection.json"
    regions.write_text(
        json.dumps(
            {
                "regions": [
                    {"kind": "lasso", "op": "add", "points": [[0.1, 500], [0.3, 500], [0.2, 4000]]}
                ],
                "features": ["velocity", "sign"],
            }
        )
    )
    code, printed = command("fill", wav, tmp_path / "out.wav", "--regions", regions, "--erase-only")
    assert code == 0, printed.err


def test_fill_repeats_a_settings_file(command, wav, tmp_path):
    settings = tmp_path / "settings.json"
    settings.write_text(
        dump_recipes(
            [
                Recipe(parse(["above:8000"]), Settings("noise", seed=3)),
                Recipe(parse(["time:0.1-0.2"]), Settings("noise", seed=1)),
            ]
        )
    )
    code, printed = command("fill", wav, tmp_path / "again.wav", "--settings", settings)
    assert code == 0, printed.err
    for source, out, options in [
        (wav, "one.wav", ["above:8000", "--seed", 3]),
        (tmp_path / "one.wav", "two.wav", ["time:0.1-0.2", "--seed", 1]),
    ]:
        assert (
            command("fill", source, tmp_path / out, "--method", "noise", "--select", *options)[0]
            == 0
        )
    a, b = (soundfile.read(tmp_path / name)[0] for name in ("again.wav", "two.wav"))
    assert np.abs(a - b).max() < 3e-4, "but for the rounding to 16 bit in between"


@pytest.mark.parametrize("content", ["", "[]", '{"fills": [{"speed": 3}]}'])
def test_an_invalid_settings_file_is_one_sentence(command, wav, tmp_path, content):
    settings = tmp_path / "settings.json"
    settings.write_text(content)
    code, printed = command("fill", wav, tmp_path / "out.wav", "--settings", settings)
    assert code != 0 and printed.err.startswith("atomizer: ") and printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "content, accepted",
    [
        ("{", "not valid JSON"),
        ("[1]", "is an object"),
        ('{"statistics": "x"}', "a whole number from 0 to 4096"),
        ('{"depths": 1}', "depth are accepted"),
        ('{"space": 3}', "is an object"),
        ('{"space": {"hops": 3}}', "hop, window"),
        ('{"width": 190}', "no multiple"),
    ],
)
def test_an_invalid_model_configuration_is_one_sentence(command, tmp_path, content, accepted):
    config = tmp_path / "config.json"
    config.write_text(content)
    options = ["--audio", tmp_path, "--out", tmp_path / "run", "--config", config]
    code, printed = command("train", *options)
    assert code != 0 and printed.err.startswith("atomizer: ") and printed.err.count("\n") == 1
    assert accepted in printed.err and printed.err.endswith(".\n") and ".." not in printed.err


@pytest.mark.parametrize("name", ["examples", "stories"])
def test_examples_are_written_to_the_given_folder(name, command, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "atomizer.ui.examples.compute", lambda folder, on_example: [wav_like(folder)]
    )
    code, printed = command(name, "--out", tmp_path)
    assert code == 0 and "1 examples" in printed.out


def wav_like(folder):
    path = folder / "short-0.npz"
    path.write_bytes(b"0" * 100)
    return path


def test_bench_writes_records(command, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "atomizer.benchmarks.page.measure",
        lambda: iter(
            [Record("redraw", 10.0, "ms", "somebody", 2000.0), Record("first picture", 1.5, "s")]
        ),
    )
    code, printed = command("bench", "--page", "--out", tmp_path / "bench.json")
    records = json.loads((tmp_path / "bench.json").read_text())
    assert code == 0 and records[0] == {
        "name": "redraw",
        "value": 10,
        "unit": "ms",
        "peer": "somebody",
        "peer_value": 2000,
        "ratio": 200,
    }
    assert (
        records[1]["peer"] is None
        and records[1]["ratio"] is None
        and "| redraw | 10 ms | somebody | 2000 ms | 200" in printed.out
    )


def test_bench_measures_named_records_and_writes_each_at_once(command, monkeypatch, tmp_path):
    out = tmp_path / "bench.json"

    def measure(name):
        yield Missing(name, "nobody", "who is not here")
        yield Record(name, 2.0, "s", "somebody", 3.0)
        assert json.loads(out.read_text())[-1]["name"] == name

    monkeypatch.setattr(
        "atomizer.benchmarks.transform.BENCHMARKS",
        {name: partial(measure, name) for name in ("first", "second", "third")},
    )
    code, printed = command("bench", "--only", "third, first", "--out", out)
    assert code == 0 and [record["name"] for record in json.loads(out.read_text())] == [
        "third",
        "first",
    ]
    assert (
        "first: not compared with nobody, who is not here." in printed.out
        and "| third | 2 s | somebody | 3 s | 1.5 |" in printed.out
    )
    assert command("bench", "--only", "fourth")[0] == 2


@pytest.mark.parametrize(
    "options,words",
    [
        (["--select", "above:90000", "--method", "noise"], "holds no atom"),
        (["--select", "middle:3"], "no selection"),
        (["--select", "channel:5", "--erase-only"], "channel 5"),
        ([], "Nothing is selected"),
        (["--select", "above:8000", "--steps", "0", "--erase-only"], "steps"),
        (["--select", "above:8000", "--features", "pitch"], "no feature"),
        (["--select", "above:8000", "--checkpoint", "nowhere"], "no checkpoint"),
        (["--extend", "-3"], "extended"),
        (["--add-channels", "9"], "channels"),
        (["--regions", "nowhere.json"], "nowhere.json"),
    ],
)
def test_an_invalid_fill_is_one_sentence_and_writes_no_file(command, wav, tmp_path, options, words):
    out = tmp_path / "out.wav"
    code, printed = command("fill", wav, out, *options)
    assert code != 0 and not out.exists()
    assert (
        words in printed.err
        and printed.err.startswith("atomizer: ")
        and printed.err.count("\n") == 1
    )


@pytest.mark.parametrize(
    "content", [b"", b"no sound at all", b"RIFF\0\0\0\0WAVE"], ids=["empty", "text", "header"]
)
@pytest.mark.parametrize("verb", ["fill", "order", "info"])
def test_unreadable_files_are_one_sentence(command, tmp_path, content, verb):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(content)
    arguments = (
        [verb, bad]
        + ([] if verb == "info" else [tmp_path / "out.wav"])
        + (["--select", "above:10"] if verb == "fill" else [])
    )
    code, printed = command(*arguments)
    assert code != 0 and printed.err.startswith("atomizer: ") and printed.err.count("\n") == 1


def test_files_with_nan_are_one_sentence(command, tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full((100, 1), np.nan), 44_100, subtype="FLOAT")
    code, printed = command("info", tmp_path / "nan.wav")
    assert code != 0 and "not numbers" in printed.err


def test_too_long_files_are_one_sentence(wav, tmp_path):
    out = tmp_path / "out.wav"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "atomizer",
            "fill",
            wav,
            out,
            "--select",
            "above:8000",
            "--erase-only",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "ATOMIZER_MAX_SECONDS": "0.4"},
    )
    assert (
        done.returncode != 0
        and "longer than 0.4 seconds" in done.stderr
        and done.stderr.count("\n") == 1
        and not out.exists()
    )


def test_a_checkpoint_of_another_space_is_one_sentence(command, wav, tmp_path):
    path = tmp_path / "other"
    space = AtomSpace(rate=8000, hop=64, frames=16, channels=2)
    AtomTransformer(
        ModelConfig(space=space, cell=(4, 8, 2), embed=8, width=32, heads=2, layers=1, hidden=32)
    ).save_pretrained(path)
    code, printed = command(
        "fill", wav, tmp_path / "out.wav", "--select", "above:8000", "--checkpoint", path
    )
    assert code != 0 and "AtomSpace" in printed.err and not (tmp_path / "out.wav").exists()


def test_a_missing_output_folder_fails_before_the_fill(command, wav, tmp_path):
    code, printed = command("fill", wav, tmp_path / "nowhere" / "out.wav", "--select", "above:8000")
    assert code != 0 and "no folder" in printed.err


def test_order_writes_the_first_atoms(command, wav, tmp_path):
    loud, quiet = tmp_path / "loud.wav", tmp_path / "quiet.wav"
    assert command("order", wav, loud, "--by", "velocity", "--first", 500)[0] == 0
    assert command("order", wav, quiet, "--by", "velocity", "--first", 500, "--reverse")[0] == 0
    whole = soundfile.read(wav)[0]
    energy = [np.sum(soundfile.read(p)[0] ** 2) / np.sum(whole**2) for p in (loud, quiet)]
    assert energy[0] > 0.5 and energy[1] < 1e-3
    assert command("order", wav, loud, "--first", -1)[0] != 0


def test_encode_and_decode_a_file_of_atoms(command, wav, tmp_path):
    pytest.importorskip("numba")
    out, back = tmp_path / "x.atoms", tmp_path / "back.wav"
    code, printed = command("encode", wav, out, "--bytes", 3000, "--order", "audibility")
    assert code == 0 and len(out.read_bytes()) <= 3000 and "kbit/s" in printed.out
    assert command("decode", out, back, "--bytes", 900, "--fill", "noise")[0] == 0
    assert soundfile.info(back).frames == soundfile.info(wav).frames
    assert "end in .atoms" in command("encode", wav, tmp_path / "x.mp3")[1].err
    assert "no file of atoms" in command("decode", wav, back)[1].err


def test_info_summarises_the_atoms(command, wav):
    code, printed = command("info", wav, "--json", "--first", 1000)
    facts = json.loads(printed.out)
    assert (
        code == 0 and facts["atoms"] == 1000 and facts["channels"] == 2 and facts["rate"] == 44_100
    )
    assert (
        facts["duration_s"] == pytest.approx(0.5)
        and facts["analysis_s"] > 0
        and 0 < facts["snr_db"] < 60
    )
    assert facts["features"]["velocity"]["cardinality"] == 96
    assert "velocity" in command("info", wav)[1].out


@pytest.mark.parametrize("first", [0, 1])
def test_info_keeps_as_few_atoms_as_requested(command, wav, first):
    code, printed = command("info", wav, "--json", "--first", first)
    facts = json.loads(printed.out)
    assert code == 0 and (facts["atoms"], facts["audible"]) == (first, first)


@pytest.mark.parametrize(
    "atomizer,features",
    [
        ("mdct", 5),
        ("matching-pursuit", 6),
        ("matching-pursuit-optimised", 6),
        ("matching-pursuit-gabor", 6),
    ],
)
def test_info_accepts_every_atomizer(command, wav, atomizer, features):
    code, printed = command("info", wav, "--json", "--first", 30, "--atomizer", atomizer)
    facts = json.loads(printed.out)
    assert (
        code == 0
        and facts["atoms"] == 30
        and facts["atomizer"] == atomizer
        and len(facts["features"]) == features
    )
    assert facts["snr_db"] > 1 and facts["analysis_s"] > 0


def test_a_pursuit_stops_at_its_ratio_and_is_ordered(command, wav, tmp_path):
    out = tmp_path / "out.wav"
    facts = json.loads(
        command("info", wav, "--json", "--srr", 8, "--atomizer", "matching-pursuit")[1].out
    )
    assert 8 <= facts["snr_db"] < 8.5
    code, printed = command(
        "order",
        wav,
        out,
        "--atomizer",
        "matching-pursuit",
        "--srr",
        8,
        "--by",
        "frequency",
        "--first",
        20,
    )
    assert code == 0 and printed.out == f"20 of {facts['atoms']:,} atoms\n"
    heard, whole = soundfile.read(out)[0], soundfile.read(wav)[0]
    assert heard.shape == whole.shape and 0 < np.sum(heard**2) < np.sum(whole**2)


def test_erased_pursuit_atoms_are_filled_in_by_the_model(command, wav, tmp_path, checkpoint):
    erased, filled = tmp_path / "erased.wav", tmp_path / "filled.wav"
    options = ["--atomizer", "matching-pursuit", "--srr", 8, "--select", "rect:0.1,0.3,300,6000"]
    code, printed = command("fill", wav, erased, *options, "--erase-only")
    assert (
        code == 0 and "matching-pursuit atoms remain" in printed.out and "model" not in printed.out
    )
    code, printed = command("fill", wav, filled, *options, "--checkpoint", checkpoint, "--steps", 1)
    assert (
        code == 0
        and "matching-pursuit atoms remain" in printed.out
        and "filled in by the MDCT model" in printed.out
    )
    whole, rest, result = (soundfile.read(path)[0] for path in (wav, erased, filled))
    assert whole.shape == rest.shape == result.shape
    assert np.sum(rest**2) < np.sum(whole**2) and np.abs(result - rest).max() > 1e-3
    away = slice(int(0.35 * 44_100), None)  # nothing but what lies under the region is changed
    np.testing.assert_allclose(result[away], rest[away], atol=1e-4)


@pytest.mark.parametrize(
    "options,words",
    [
        (["info", "--srr", "20"], "--atomizer"),
        (["info", "--atomizer", "matching-pursuit", "--srr", "400"], "0 to 100 dB"),
        (["info", "--first", "-1"], "0 or more"),
        (
            [
                "fill",
                "--atomizer",
                "matching-pursuit",
                "--select",
                "above:3000",
                "--features",
                "sign",
            ],
            "velocity and sign",
        ),
    ],
)
def test_invalid_options_of_a_pursuit_are_one_sentence(command, wav, tmp_path, options, words):
    verb, *options = options
    code, printed = command(
        verb, wav, *([] if verb == "info" else [tmp_path / "out.wav"]), *options
    )
    assert (
        code != 0
        and words in printed.err
        and printed.err.startswith("atomizer: ")
        and printed.err.count("\n") == 1
    )


def test_app_launches_the_page(command, monkeypatch):
    launched = []
    monkeypatch.setattr(
        "atomizer.ui.launch",
        lambda demo, **options: launched.append((type(demo).__name__, options)),
    )
    assert command("app", "--port", 7999)[0] == 0
    assert launched == [("Blocks", {"server_port": 7999})]


def test_an_invalid_ending_fails_before_the_fill(command, wav, tmp_path):
    code, printed = command(
        "fill", wav, tmp_path / "out.xyz", "--select", "above:8000", "--checkpoint", "nowhere"
    )
    assert code != 0 and "xyz" in printed.err


@pytest.mark.parametrize(
    "name, rate, channels",
    [
        ("x.opus", 44_100, 1),
        ("x.mp3", 96_000, 1),
        ("x.mp3", 44_100, 4),
        ("x.flac", 768_000, 1),
        ("x.ogg", 384_000, 1),
    ],
)
@pytest.mark.parametrize("verb", ["fill", "order"])
def test_an_unsuitable_format_fails_before_the_work(
    command, tmp_path, samples, name, rate, channels, verb, monkeypatch
):
    soundfile.write(tmp_path / "in.wav", samples(4000, channels, rate).T, rate)
    monkeypatch.setattr(
        "atomizer.inpainting.recipe.fill", lambda *_: pytest.fail("it was filled in")
    )
    monkeypatch.setattr(
        "atomizer.analysis.MDCTAtomizer.synthesise", lambda *_: pytest.fail("it was synthesised")
    )
    options = ["--select", "above:3000", "--method", "noise"] if verb == "fill" else []
    code, printed = command(verb, tmp_path / "in.wav", tmp_path / name, *options)
    assert (
        code == 2
        and f"{rate:,} samples per second" in printed.err
        and printed.err.startswith("atomizer: ")
        and printed.err.count("\n") == 1
    )


@pytest.mark.parametrize(
    "name, options", [("x.opus", ["--select", "above:8000"]), ("x.mp3", ["--add-channels", "2"])]
)
def test_the_format_must_hold_the_filled_rate_and_channels(
    command, tmp_path, samples, name, options
):
    """A fill above 8 kHz of a file at 16 kHz has 44.1 kHz, and channels are added."""
    soundfile.write(tmp_path / "in.wav", samples(4000, 1, 16_000).T, 16_000)
    code, printed = command(
        "fill", tmp_path / "in.wav", tmp_path / name, *options, "--checkpoint", "nowhere"
    )
    assert code == 2 and name in printed.err and "nowhere" not in printed.err
    assert (
        command(
            "fill",
            tmp_path / "in.wav",
            tmp_path / name,
            "--select",
            "time:0.1-0.2",
            "--method",
            "noise",
        )[0]
        == 0
    )


def test_reverse_needs_an_order(command, wav, tmp_path):
    code, printed = command(
        "fill",
        wav,
        tmp_path / "out.wav",
        "--select",
        "above:8000",
        "--reverse",
        "--checkpoint",
        "nowhere",
    )
    assert (
        code == 2
        and "--order" in printed.err
        and printed.err.count("\n") == 1
        and not (tmp_path / "out.wav").exists()
    )


def test_erasing_only_signs_keeps_the_levels(command, wav, tmp_path):
    code, _ = command(
        "fill",
        wav,
        tmp_path / "out.wav",
        "--select",
        "above:0",
        "--features",
        "sign",
        "--erase-only",
    )
    before, after = (np.std(soundfile.read(path)[0]) for path in (wav, tmp_path / "out.wav"))
    assert code == 0 and 0.7 < after / before < 1.4


def test_train_and_evaluate_from_the_command_line(command, tmp_path, samples, monkeypatch):
    monkeypatch.setattr("atomizer.training.loop.Trainer.rounds", 1)
    folder, out = tmp_path / "audio", tmp_path / "run"
    folder.mkdir()
    for n in range(9):
        soundfile.write(folder / f"{n}.wav", samples(100_000, 2, seed=n).T, 44_100)
    tiny = tmp_path / "tiny.json"
    tiny.write_text(
        json.dumps(
            {
                "space": {"frames": 8, "channels": 2},
                "cell": [4, 16, 2],
                "embed": 4,
                "width": 16,
                "heads": 1,
                "layers": 1,
                "hidden": 16,
            }
        )
    )
    code, printed = command(
        "train",
        "--audio",
        folder,
        "--out",
        out,
        "--config",
        tiny,
        "--steps",
        2,
        "--batch",
        1,
        "--asked",
        100,
    )
    assert code == 0, printed.err
    report, figures = tmp_path / "report.json", tmp_path / "figures"
    options = [
        "evaluate",
        "--audio",
        folder,
        "--all",
        "--clips",
        1,
        "--seconds",
        2.2,
        "--tasks",
        "gap-50ms,upmix",
        "--checkpoint",
        out,
        "--out",
        report,
    ]
    code, printed = command(*options, "--steps", 1, "--write", tmp_path / "sounds")
    assert code == 0, printed.err
    records = json.loads(report.read_text())["records"]
    assert {r["method"] for r in records} == {
        "model",
        "erased",
        "noise",
        "oracle",
        "janssen",
        "janssen-span",
        "interpolate",
        "copy",
        "decorrelator",
        "wiener",
        "copy-alone",
        "texture",
        "partials",
        "recording",
        "trunk-off",
    }
    assert {r["task"] for r in records} == {
        "gap-50ms",
        "upmix",
    } and "| gap-50ms | clips | model |" in printed.out
    assert len(list((tmp_path / "sounds").rglob("*.wav"))) == 13 + 2 + 7 + 2
    # the same with another seed is another evaluation; and without a model none is loaded
    code, printed = command(*options, "--steps", 1, "--seed", 2)
    assert code != 0 and "other conventions" in printed.err and printed.err.count("\n") == 1
    code, printed = command(
        "evaluate",
        "--audio",
        folder,
        "--all",
        "--clips",
        1,
        "--seconds",
        2.2,
        "--tasks",
        "upmix",
        "--methods",
        "copy, erased",
        "--checkpoint",
        tmp_path / "nowhere",
        "--figures",
        figures,
    )
    assert code == 0 and "| upmix | clips | erased | copy |" in printed.out
    assert (figures / "upmix.webp").is_file()


def test_the_answer_names_the_cutoff(command, tmp_path, samples):
    low = tmp_path / "low.wav"
    soundfile.write(low, samples(4000, rate=8000).T, 8000)
    options = ["--select", "above:auto", "--method", "noise"]
    code, printed = command("fill", low, tmp_path / "out.wav", *options, "--json")
    assert code == 0, printed.err
    facts = json.loads(printed.out)
    assert facts["rate"] == 44_100 and 3400 < facts["cutoff_hz"][0] < facts["cutoff_hz"][1] <= 4000
    assert any("4.00 kHz" in note for note in facts["notes"])
    code, printed = command("info", low, "--json")
    assert json.loads(printed.out)["cutoff_hz"] == facts["cutoff_hz"]


def test_no_cutoff_is_one_sentence(command, wav, tmp_path):
    code, printed = command("fill", wav, tmp_path / "out.wav", "--select", "above:auto")
    assert code == 2 and "no cutoff" in printed.err and printed.err.count("\n") == 1


def test_fill_takes_a_timbre_or_a_reference_recording(command, checkpoint, tmp_path, samples):
    wav, like, out = (tmp_path / f"{name}.wav" for name in ("in", "like", "out"))
    soundfile.write(wav, samples(22_050).T, 44_100)
    soundfile.write(like, np.random.default_rng(0).normal(0, 0.1, 22_050), 44_100)
    options = ["--select", "above:8000", "--checkpoint", checkpoint]
    highs = []
    for more in ([], ["--like", like], ["--timbre", 16]):
        code, printed = command("fill", wav, out, *options, *more)
        assert code == 0, printed.err
        spectrum = np.abs(np.fft.rfft(soundfile.read(out)[0]))
        highs.append(np.square(spectrum[4500:]).mean())
    assert highs[1] > 2 * highs[0] and highs[2] > 2 * highs[0]
    code, printed = command("fill", wav, out, *options, "--timbre", "loud")
    assert code == 2 and "timbre 'loud'" in printed.err and printed.err.count("\n") == 1
    code, printed = command("fill", "--timbre", "list")
    assert code == 0 and printed.out.startswith("1: ") and printed.out.count("\n") == 16
    code, printed = command("fill", wav, out, *options, "--like", tmp_path / "none.wav")
    assert code == 2 and "none.wav" in printed.err and printed.err.count("\n") == 1


def test_fill_copies_from_the_source_and_lists_it(command, checkpoint, tmp_path):
    loop = 0.1 * np.random.default_rng(0).standard_normal(22_050)
    wav, out = tmp_path / "loop.wav", tmp_path / "out.wav"
    soundfile.write(wav, np.tile(loop, 8), 22_050)
    options = ["--select", "time:5.2-5.6", "--checkpoint", checkpoint, "--json"]
    code, printed = command("fill", wav, out, *options, "--source", "0.5-3.5")
    facts = json.loads(printed.out)
    assert code == 0 and facts["sources"]
    for copy in facts["sources"]:
        assert set(copy) == {"target", "source", "lag", "confidence"}
        assert 0.5 <= copy["source"][0] < copy["source"][1] <= 3.5
    code, printed = command("fill", wav, out, *options, "--source", "5-6")
    assert code == 2 and "touches what is filled in" in printed.err
