"""Many files, and long ones: parts, memory, tags, reports and exit codes."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from atomizer import AtomSpace, Settings, parse, prepare
from atomizer.batch import Request, fill_file, list_jobs
from atomizer.cli import run
from atomizer.inpainting.parts import plan
from atomizer.inpainting.parts.fill_parts import Stream, fill_by_parts, repair_by_parts
from atomizer.inpainting.parts.joints import FilledPart, with_equal_levels
from atomizer.inpainting.parts.plan import SoundPart
from atomizer.inpainting.recipe import Recipe
from atomizer.io.audio import Sound, read, write
from atomizer.io.peaks import PeakFitter, fit_peaks
from atomizer.io.reader import SoundReader
from atomizer.io.tags import Tags
from atomizer.io.writer import Form, SoundWriter

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def long_sound(samples):
    """Fourteen seconds: several parts once `short_parts` makes them short."""
    return lambda rate=22_050, channels=1: Sound(samples(14 * rate, channels, rate), rate, "PCM_24")


@pytest.fixture
def short_parts(monkeypatch):
    for name, seconds in (("PART", 4), ("CONTEXT", 1.5), ("HOLE_CONTEXT", 3)):
        monkeypatch.setattr(plan, f"{name}_SECONDS", seconds)
    monkeypatch.setattr("atomizer.batch.long_files.WHOLE_SECONDS", 5)


def by_parts(sound, recipe):
    stream = Stream(
        lambda a, b: sound.samples[:, a:b],
        sound.samples.shape[1],
        sound.with_samples(sound.samples[:, :0]),
    )
    blocks = list(fill_by_parts(stream, recipe))
    assert len(blocks) > 1 and len({block.rate for block in blocks}) == 1
    return blocks[0].with_samples(np.concatenate([b.samples for b in blocks], 1))


# --- parts


@pytest.mark.parametrize("rate", (22_050, 48_000))
@pytest.mark.parametrize(
    "specifications, options",
    [
        (["above:3000"], {}),
        (["time:4-4.3", "time:9-9.1"], {}),
        (["rect:5,9,500,2000"], {}),
        (["rect:5,9,500,2000", "standout:3"], {}),
        (["below:300"], {"add_channels": 1}),
        ([], {"extend": 1.0}),
    ],
)
def test_erasing_by_parts_equals_erasing_the_whole(
    rate, specifications, options, long_sound, short_parts
):
    sound = long_sound(rate)
    recipe = Recipe(parse(specifications), Settings("erased"), **options)
    whole, joined = recipe.apply(sound), by_parts(sound, recipe)
    assert joined.samples.shape == whole.samples.shape and joined.rate == whole.rate
    np.testing.assert_allclose(joined.samples, whole.samples, atol=1e-6)


@pytest.mark.parametrize("length", (3, 4.5))
def test_holes_do_not_depend_on_the_parts(length, long_sound, short_parts, monkeypatch):
    monkeypatch.setattr(plan, "PART_SECONDS", length)
    sound = long_sound(44_100)
    recipe = Recipe(parse(["time:4-4.1", "time:9-9.05"]), Settings())
    whole, joined = recipe.apply(sound).samples, by_parts(sound, recipe).samples
    np.testing.assert_array_equal(joined, whole)
    changed = np.flatnonzero(joined[0] != sound.samples[0]) / 44_100
    assert ((changed >= 4) & (changed < 4.1) | (changed >= 9) & (changed < 9.05)).all()


def test_parts_of_noise_join_without_a_seam(short_parts):
    rate = 44_100
    noise = 0.1 * np.random.default_rng(0).standard_normal((2, 14 * rate)).astype(np.float32)
    sound = Sound(noise, rate)
    joined = by_parts(sound, Recipe(parse(["above:4000"]), Settings("noise"))).samples
    joints = np.array([(part * rate // 1024) * 1024 for part in (4, 8)])
    steps = np.abs(np.diff(joined))
    near = [steps[:, joint - 1500 : joint + 1500].max() for joint in joints]
    assert max(near) <= 1.1 * steps.max() and max(near) <= 1.2 * np.abs(np.diff(noise)).max()
    whole = 10 * np.log10((joined**2).mean())
    for joint in joints:
        level = 10 * np.log10((joined[:, joint - 512 : joint + 512] ** 2).mean())
        assert abs(level - whole) < 1.5


def test_defects_are_repaired_by_parts(long_sound, short_parts):
    samples = long_sound(22_050).samples.copy()
    for second in (1.0, 3.9999, 4.0, 8.5):
        samples[:, int(second * 22_050) : int(second * 22_050) + 8] += 0.7
    sound = Sound(samples, 22_050)
    stream = Stream(lambda a, b: samples[:, a:b], samples.shape[1], sound)
    blocks = list(repair_by_parts(stream, ["clicks"]))
    assert len(blocks) == 4
    found = [round(d.start, 2) for block in blocks for d in block.defects]
    assert {1.0, 8.5} <= set(found) and 3 <= len(found) <= 5
    assert sum(block.sound.samples.shape[1] for block in blocks) == samples.shape[1]


# --- reading and writing by blocks


@pytest.mark.parametrize("name", ("x.wav", "x.flac", "x.mp3"))
def test_written_blocks_equal_a_written_sound(name, long_sound, tmp_path):
    sound = long_sound(22_050, 2)
    write(tmp_path / f"whole-{name}", sound)
    with SoundWriter(tmp_path / name, Form(22_050, 2, "PCM_24")) as out:
        for start in range(0, sound.samples.shape[1], 50_000):
            out.add(sound.samples[:, start : start + 50_000])
    np.testing.assert_array_equal(
        read(tmp_path / name).samples, read(tmp_path / f"whole-{name}").samples
    )


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    (tmp_path / "x.wav").write_text("mine")
    with pytest.raises(RuntimeError), SoundWriter(tmp_path / "x.wav", Form(8000, 1)) as out:
        out.add(np.zeros((1, 100), np.float32))
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]
    assert (tmp_path / "x.wav").read_text() == "mine"


@pytest.mark.parametrize("peaks", ("limit", "scale"))
@pytest.mark.parametrize("size", (300, 5000))
def test_peaks_are_fitted_block_by_block(peaks, size, samples):
    x = samples(20_000, 2) * 3
    whole, report = fit_peaks(x, 44_100, peaks)
    fitter = PeakFitter(44_100, peaks, float(np.abs(x).max()) if peaks == "scale" else 0)
    blocks = [b for at in range(0, 20_000, size) for b in fitter.add(x[:, at : at + size])]
    blocks += list(fitter.finish())
    np.testing.assert_allclose(np.concatenate(blocks, 1), whole, atol=1e-6)
    assert fitter.report == report


def test_a_window_reads_forward_and_back(long_sound, tmp_path):
    sound = long_sound()
    write(tmp_path / "x.flac", sound)
    with SoundReader(tmp_path / "x.flac") as file:
        samples, window = read(tmp_path / "x.flac").samples, file.window()
        for first, stop in [(0, 100), (50, 70_000), (60_000, 300_000), (308_000, 400_000), (5, 9)]:
            np.testing.assert_array_equal(window(first, stop), samples[:, first:stop])


# --- the command line


@pytest.fixture
def command(monkeypatch, capsys):
    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["atomizer", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            run()
        return stop.value.code or 0, capsys.readouterr()

    return command


NOISE = ("--select", "above:3000", "--method", "noise")


def test_many_files_are_filled_skipped_and_reported(command, tmp_path, sound):
    source, out = tmp_path / "in", tmp_path / "out"
    (source / "inner").mkdir(parents=True)
    tagged = Sound(sound(0.3, 2).samples, 44_100, "PCM_24", tags=Tags({"title": ["A title"]}))
    write(source / "a.flac", tagged)
    write(source / "inner" / "b.wav", sound(0.3))
    (source / "broken.wav").write_bytes(b"nothing")
    (source / "notes.txt").write_text("no sound")
    code, printed = command("fill", source, "--out", out, *NOISE)
    assert code == 1 and "2 done, 1 failed" in printed.out and "broken.wav" in printed.out
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*")) == [
        "a.flac",
        "inner/b.wav",
    ]
    filled = read(out / "a.flac")
    assert (filled.subtype, filled.tags.fields) == ("PCM_24", {"title": ["A title"]})
    stamp = (out / "a.flac").stat().st_mtime_ns
    (source / "broken.wav").unlink()
    code, printed = command("fill", source, "--out", out, *NOISE)
    assert code == 0 and "2 skipped" in printed.out and (out / "a.flac").stat().st_mtime_ns == stamp
    code, printed = command(
        "fill", source / "*.flac", "--out", out, *NOISE, "--overwrite", "--json"
    )
    report = json.loads(printed.out)
    assert code == 0 and len(report["done"]) == 1 and report["failed"] == {}
    assert (out / "a.flac").stat().st_mtime_ns > stamp


def test_jobs_keep_trees_and_refuse_collisions(tmp_path, refused):
    for name in ("a/x.wav", "a/b/y.mp3", "a/b/z.m4a", "c/x.wav", "out/old.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    jobs = list_jobs([str(tmp_path / "a")], out)
    names = sorted(job.target.relative_to(out).as_posix() for job in jobs)
    assert names == ["b/y.mp3", "b/z.flac", "x.wav"]
    (job,) = list_jobs([str(tmp_path / "**" / "y.mp3")], out, ".flac")
    assert job.target == out / "a/b/y.flac"
    assert len(list_jobs([str(tmp_path)], out)) == 4  # without the outputs themselves
    (tmp_path / "c/x.ac3").write_bytes(b"")
    (tmp_path / "c/x.flac").write_bytes(b"")
    assert [job.target.name for job in list_jobs([str(tmp_path / "c/x.[af]*")], out)] == [
        "x.flac",
        "x.ac3.flac",
    ]
    with refused("x.wav", "different folders"):
        list_jobs([str(tmp_path / "a/x.wav"), str(tmp_path / "c/x.wav")], out)
    with refused("no sound file", "*.ogg"):
        list_jobs([str(tmp_path / "*.ogg")], out)


@pytest.mark.parametrize("arguments", (["in.wav"], ["a.wav", "b.wav", "c.wav"]))
def test_one_file_needs_one_output(arguments, command):
    code, printed = command("fill", *arguments, *NOISE)
    assert code == 2 and "--out" in printed.err


def test_defects_are_listed_with_their_times(command, tmp_path, sound):
    music = sound(0.5)
    music.samples[0, 9_000:9_010] += 0.8
    write(tmp_path / "x.wav", music)
    code, printed = command(
        "fill", tmp_path / "x.wav", tmp_path / "y.wav", "--select", "clicks", "--json"
    )
    (defect,) = [d for d in json.loads(printed.out)["defects"] if d["start"] > 0.2 - 1e-2]
    assert code == 0 and (defect["kind"], defect["channel"]) == ("clicks", 0)
    assert defect["start"] == pytest.approx(9_000 / 44_100, abs=2e-4)
    before, after = read(tmp_path / "x.wav").samples, read(tmp_path / "y.wav").samples
    assert np.abs(after[0, 9_000:9_010]).max() < 0.7
    np.testing.assert_array_equal(after[0, 10_000:], before[0, 10_000:])


def test_repairs_alone_need_no_pursuit(command, tmp_path, sound):
    """No atom is selected beside the defects, whatever the atomizer."""
    write(tmp_path / "x.wav", sound(0.5))
    names = tmp_path / "x.wav", tmp_path / "y.wav"
    options = "--select", "clicks", "--atomizer", "matching-pursuit"
    code, printed = command("fill", *names, *options)
    assert code == 0 and "Found: " in printed.out
    assert "matching-pursuit" not in printed.out


def test_defects_cannot_be_narrowed(command, tmp_path, sound):
    write(tmp_path / "x.wav", sound(0.5))
    names = tmp_path / "x.wav", tmp_path / "y.wav"
    code, printed = command("fill", *names, "--select", "clicks", "--select", "standout:8")
    assert code == 2 and "clicks cannot be narrowed to what stands out" in printed.err
    assert not names[1].exists()


@pytest.mark.parametrize("peaks", ("limit", "scale", "float"))
def test_a_long_file_equals_the_whole_fill(peaks, long_sound, short_parts, monkeypatch, tmp_path):
    sound = long_sound(22_050, 2)
    loud = sound.with_samples(sound.samples * 3)
    soundfile.write(tmp_path / "in.wav", loud.samples.T, 22_050, subtype="FLOAT")
    request = Request((Recipe(parse(["time:4-4.3"]), Settings("erased")),), peaks=peaks)
    long = fill_file(tmp_path / "in.wav", tmp_path / "long.flac", request)
    monkeypatch.setattr("atomizer.batch.long_files.WHOLE_SECONDS", 100)
    whole = fill_file(tmp_path / "in.wav", tmp_path / "whole.flac", request)
    assert long.warnings == whole.warnings and len(long.warnings) == 1
    assert long.seconds == whole.seconds
    np.testing.assert_allclose(
        read(tmp_path / "long.flac").samples, read(tmp_path / "whole.flac").samples, atol=2**-22
    )


def test_short_holes_need_no_model(sound, tmp_path, long_sound, short_parts, monkeypatch):
    def load():
        raise AssertionError("the model was loaded")

    request = Request((Recipe(parse(["time:0.2-0.3"]), Settings()),), load=load)
    write(tmp_path / "in.wav", sound(1.0))
    outcome = fill_file(tmp_path / "in.wav", tmp_path / "out.wav", request)
    assert outcome.notes == ["Filled in: continued from the samples on both sides."]
    monkeypatch.setattr("atomizer.batch.long_files.WHOLE_SECONDS", 1.0)
    write(tmp_path / "long.wav", long_sound(44_100))
    fill_file(tmp_path / "long.wav", tmp_path / "out.wav", request)
    with pytest.raises(AssertionError, match="loaded"):
        request = Request((Recipe(parse(["time:0.2-0.5"]), Settings()),), load=load)
        fill_file(tmp_path / "long.wav", tmp_path / "out.wav", request)


def test_levels_of_parts_meet_at_their_joint():
    """Parts of which the second one is 6 dB louder above 8 kHz, in which the fills differ."""
    space, rng = AtomSpace(), np.random.default_rng(0)
    frames, joint = 2_600, 1_300
    sound = Sound(rng.normal(0, 0.1, (2, (frames - 1) * space.hop)).astype(np.float32), space.rate)
    task = prepare(sound, parse(["above:8000"]))
    first = int(np.flatnonzero(task.mask[0, 0])[0])
    filled = []
    for number, level in enumerate((0.01, 0.02)):
        noise = rng.normal(0, level, task.grid.shape).astype(np.float32)
        grid = np.where(task.mask, noise, task.grid)
        part = SoundPart(*((0, joint) if number == 0 else (joint, frames)), 0, frames)
        filled.append(FilledPart(part, sound, task, grid))

    def level(grid, start, stop):
        return 10 * np.log10(np.square(grid[:, start:stop, first:]).mean())

    before = [side.grid.copy() for side in filled]
    after = [side.grid for side in with_equal_levels(*filled, space)]
    left, right = level(after[0], joint - 20, joint), level(after[1], joint, joint + 20)
    assert abs(left - right) < 0.7 and abs(left - 20 * np.log10(0.01 * 2**0.5)) < 0.7
    for old, new, far in zip(before, after, (slice(0, 800), slice(1_800, None))):
        np.testing.assert_array_equal(new[:, far], old[:, far])
        np.testing.assert_array_equal(new[..., :first], old[..., :first])


def test_memory_does_not_grow_with_the_length(tmp_path):
    """A process fills a file of one and one of four minutes: at most 20 MB more for the latter."""
    code = """
import resource, sys
from pathlib import Path
import numpy as np, soundfile
from atomizer import AtomSpace, Settings, parse, prepare
from atomizer.batch import Request, fill_file
from atomizer.inpainting.parts import plan
from atomizer.inpainting.recipe import Recipe
import atomizer.batch.long_files

atomizer.batch.long_files.WHOLE_SECONDS = 20
plan.PART_SECONDS = plan.CONTEXT_SECONDS = 3
folder, rng = Path(sys.argv[1]), np.random.default_rng(0)
request = Request((Recipe(parse(["above:3000"]), Settings("erased")),))
peaks = []
for minutes in (1, 4):
    with soundfile.SoundFile(folder / "in.wav", "w", 22050, 2) as file:
        for _ in range(minutes * 6):
            file.write(0.1 * rng.standard_normal((220500, 2)))
    fill_file(folder / "in.wav", folder / "out.flac", request)
    assert soundfile.info(folder / "out.flac").duration == minutes * 60
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(peaks[1] - peaks[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 20  # the samples of the three minutes more have 32 MB, the grid 32


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the heap is that of glibc")
def test_large_arrays_leave_no_gaps_in_the_heap():
    """Freed between small ones that stay, 160 MB go back to the system."""
    code = """
import resource, sys
import numpy as np
from atomizer.heap import map_large_arrays

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

if sys.argv[1:]:
    map_large_arrays()
np.ones(30 << 20, np.int8)  # from here on glibc takes arrays up to this size from its heap
before, large, small = resident(), [], []
for _ in range(20):
    large.append(np.ones(8 << 20, np.int8))
    small.append(np.ones(1 << 20, np.int8))
del large
print(resident() - before - len(small))
"""
    left = []
    for arguments in ([], ["map"]):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        left.append(float(done.stdout))
    assert left[0] > 100 and left[1] < 20
