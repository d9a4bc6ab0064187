import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from atomizer.errors import AtomizerError
from atomizer.io import reader
from atomizer.io.audio import Sound, check_writable, overview, read, resample, write
from atomizer.limits import limits

ROOT = Path(__file__).parents[1]


@pytest.fixture
def path_of(tmp_path, samples):
    """`path_of("x.wav")` writes a file with soundfile only; returns its path and samples."""

    def make(name, length=4000, channels=1, rate=44_100, **options):
        x = samples(length, channels, rate)
        soundfile.write(tmp_path / name, x.T, rate, **options)
        return tmp_path / name, x

    return make


# --- reading


@pytest.mark.parametrize(
    "name, options, error",
    [
        ("x.wav", {"subtype": "FLOAT"}, 0),
        ("x.wav", {"subtype": "PCM_16"}, 2**-15),
        ("x.wav", {"subtype": "PCM_U8"}, 2**-7),
        ("x.flac", {"subtype": "PCM_16"}, 2**-15),
        ("x.flac", {"subtype": "PCM_24"}, 2**-22),
        ("x.aiff", {"subtype": "PCM_16"}, 2**-15),
        ("x.au", {"subtype": "PCM_16"}, 2**-15),
    ],
)
@pytest.mark.parametrize("channels", (1, 2, 8))
def test_reads_lossless_formats(name, options, error, channels, path_of):
    path, x = path_of(name, channels=channels, **options)
    sound = read(path)
    assert (sound.samples.shape, sound.rate, sound.channels, sound.subtype) == (
        (channels, 4000),
        44_100,
        channels,
        options["subtype"],
    )
    assert sound.samples.dtype == np.float32 and sound.samples.flags.c_contiguous
    assert sound.seconds == pytest.approx(4000 / 44_100)
    assert np.abs(sound.samples - x).max() <= error


@pytest.mark.parametrize("name", ("x.ogg", "x.mp3"))
@pytest.mark.parametrize("channels", (1, 2))
def test_reads_lossy_formats(name, channels, path_of):
    path, x = path_of(name, length=30_000, channels=channels)
    sound = read(path)
    assert (
        sound.rate == 44_100
        and sound.channels == channels
        and abs(sound.samples.shape[1] - 30_000) < 3000
    )
    level = 20 * np.log10(np.std(sound.samples) / np.std(x))
    assert abs(level) < 1


@pytest.mark.parametrize("name", ("x.ogg", "x.mp3", "x.opus"))
def test_lossy_files_keep_highs(name, tmp_path):
    sound = Sound(0.1 * np.random.default_rng(0).standard_normal((1, 48_000)), 48_000)
    write(tmp_path / name, sound)
    before, after = (
        np.abs(np.fft.rfft(x, 48_000)[..., 17_000:19_500]).std()
        for x in (sound.samples, read(tmp_path / name).samples)
    )
    assert after / before == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("rate", (8000, 16_000, 48_000, 96_000, 192_000))
def test_reads_every_rate(rate, path_of):
    path, x = path_of("x.flac", rate=rate)
    assert read(path).rate == rate and read(path).samples.shape == x.shape


@pytest.mark.parametrize("name", ("x.wav", "x.flac"))
def test_reads_a_single_sample(name, path_of):
    path, x = path_of(name, length=1)
    assert read(path).samples.shape == (1, 1)
    assert read(path).samples[0, 0] == pytest.approx(x[0, 0], abs=2**-15)


def test_the_format_does_not_depend_on_the_name(path_of):
    path, x = path_of("x.flac", subtype="PCM_16")
    assert read(path.rename(path.with_name("x"))).samples.shape == x.shape


def test_paths_may_be_strings(path_of):
    path, x = path_of("x.wav")
    assert read(str(path)).samples.shape == x.shape


def test_samples_above_full_scale_are_kept(tmp_path):
    soundfile.write(
        tmp_path / "x.wav", np.array([0.0, 2.5, -3.0], np.float32), 8000, subtype="FLOAT"
    )
    assert read(tmp_path / "x.wav").samples.tolist() == [[0.0, 2.5, -3.0]]


def test_long_files_are_read_block_by_block(monkeypatch, path_of):
    path, _ = path_of("x.wav", length=5000, channels=2, subtype="FLOAT")
    whole = read(path).samples
    monkeypatch.setattr(reader, "BLOCK", 777)
    np.testing.assert_array_equal(read(path).samples, whole)


# --- refusals


def test_a_missing_file_is_refused(tmp_path, refused):
    with refused("no file", "nowhere.wav"):
        read(tmp_path / "nowhere.wav")
    with refused("no file"):
        read(tmp_path)


def test_an_empty_file_is_refused(tmp_path, refused):
    (tmp_path / "x.wav").touch()
    with refused("empty", "x.wav"):
        read(tmp_path / "x.wav")


@pytest.mark.parametrize("name", ("x.wav", "x.flac"))
def test_a_file_without_samples_is_refused(name, tmp_path, refused):
    soundfile.write(tmp_path / name, np.zeros((0, 2)), 44_100)
    with refused():
        read(tmp_path / name)


@pytest.mark.parametrize("name", ("x.wav", "x.mp3", "x.flac", "x.ogg", "x.raw", "x.txt", "x"))
@pytest.mark.parametrize(
    "content",
    [
        b"\x00",
        b"this is a text, not a sound\n" * 50,
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"fLaC",
        b"OggS" * 9,
        b"\x89PNG\r\n\x1a\n" * 99,
    ],
    ids=["zero", "text", "riff", "flac", "ogg", "png"],
)
def test_files_without_sound_are_refused(name, content, tmp_path, refused):
    (tmp_path / name).write_bytes(content)
    with refused("as sound: please use", "WAV"):
        read(tmp_path / name)


@pytest.mark.parametrize("value", (np.nan, np.inf, -np.inf))
def test_samples_that_are_not_finite_are_refused(value, tmp_path, refused):
    x = np.zeros((100, 2), np.float32)
    x[50, 1] = value
    soundfile.write(tmp_path / "x.wav", x, 44_100, subtype="FLOAT")
    with refused("NaN"):
        read(tmp_path / "x.wav")


def test_the_longest_accepted_sound_is_read(path_of, refused):
    path, _ = path_of("x.wav", length=4001, rate=8000)
    with refused("longer than 0.5 seconds"):
        read(path, max_seconds=0.5)
    assert read(path, max_seconds=4001 / 8000).samples.shape == (1, 4001)


def test_no_more_than_the_limit_is_ever_read(monkeypatch, path_of, refused):
    asked = []
    read_block = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile,
        "read",
        lambda self, n, **k: asked.append(n) or read_block(self, n, **k),
    )
    with refused("longer"):
        read(path_of("x.wav", length=50_000, rate=8000)[0], max_seconds=1)
    assert sum(asked) <= 8001


def test_a_header_with_a_false_length_is_read(path_of):
    path, x = path_of("x.wav", length=1000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = (2**32 - 100).to_bytes(4, "little")
    path.write_bytes(data)
    np.testing.assert_allclose(read(path).samples, x, atol=2**-15)


@pytest.mark.parametrize("channels", (9, 20))
def test_too_many_channels_are_refused(channels, path_of, refused):
    with refused(f"{channels} channels", "1 to 8"):
        read(path_of("x.wav", channels=channels)[0])


@pytest.mark.parametrize("rate", (1, 999, 1_000_000))
def test_rates_out_of_range_are_refused(rate, path_of, refused):
    with refused("samples per second"):
        read(path_of("x.wav", rate=rate)[0])


@given(
    st.sampled_from(["wav", "flac", "ogg", "aiff"]),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_damaged_file_is_a_sound_or_refused(
    refused, tmp_path_factory, samples, format, damage, cut
):
    path = tmp_path_factory.mktemp("damaged") / f"x.{format}"
    soundfile.write(path, samples(2000, 2).T, 44_100)
    data = bytearray(path.read_bytes())
    for at, value in damage:
        data[at] = value
    path.write_bytes(data[: len(data) // 2] if cut else data)
    try:
        sound = read(path)
    except ValueError:
        with refused():
            read(path)
    else:
        assert (
            np.isfinite(sound.samples).all()
            and 1 <= sound.channels <= limits().channels
            and sound.samples.shape[1] > 0
        )


# --- excerpts and overviews


@pytest.mark.parametrize("name", ["x.wav", "x.flac", "x.ogg", "x.mp3"])
def test_an_excerpt_equals_that_part_of_the_file(name, path_of):
    path, _ = path_of(name, length=44_100, channels=2)
    whole = read(path).samples
    some = read(path, start=0.25, seconds=0.5)
    assert some.samples.shape == (2, 22_050) and some.rate == 44_100
    np.testing.assert_array_equal(some.samples, whole[:, 11_025:33_075])
    np.testing.assert_array_equal(read(path, start=0.75, seconds=0.5).samples, whole[:, 33_075:])
    np.testing.assert_array_equal(read(path, max_seconds=0.5, start=0.5).samples, whole[:, 22_050:])


@pytest.mark.parametrize(
    "options, says",
    [
        (dict(start=-1), "starts at 0"),
        (dict(start=float("inf")), "starts at 0"),
        (dict(start=1.0), "is over"),
        (dict(start=7.0, seconds=0.1), "is over"),
        (dict(seconds=0), "at most 0.5"),
        (dict(seconds=0.6), "at most 0.5"),
        (dict(seconds=float("nan")), "not nan"),
        (dict(), "longer than 0.5"),
        (dict(start=0.4), "longer than 0.5"),
    ],
)
def test_invalid_excerpts_are_refused(options, says, path_of, refused):
    path, _ = path_of("x.wav", length=44_100)
    with refused(says):
        read(path, max_seconds=0.5, **options)


def test_the_number_of_samples_is_limited_too(limited, path_of, refused):
    path, _ = path_of("x.wav", length=44_100, channels=4)
    limited(samples=2 * 44_100)
    with refused("longer than 0.5 seconds"):
        read(path)
    assert read(path, seconds=0.5).seconds == 0.5


def test_an_overview_holds_the_peaks_of_every_share(path_of):
    path, x = path_of("x.wav", length=100_000, channels=2, subtype="FLOAT")
    small = overview(path, points=20)
    assert (small.peaks.shape, small.rate, small.channels) == (
        (20,),
        44_100,
        2,
    ) and small.seconds == pytest.approx(100_000 / 44_100)
    assert (
        small.peaks.max() == np.abs(x).max()
        and small.peaks.argmax() == np.abs(x).max(0).argmax() // 5000
    )
    assert len(overview(path, points=1200).peaks) == -(-100_000 // 1024)


def test_overviews_refuse_long_and_invalid_files(limited, path_of, refused, tmp_path):
    path, _ = path_of("x.wav", length=44_100)
    limited(file_seconds=0.5)
    with refused("longer than 0.5 seconds"):
        overview(path)
    (tmp_path / "garbage.wav").write_bytes(b"garbage")
    with refused("as sound: please use"):
        overview(tmp_path / "garbage.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 1)), 44_100)
    with refused("empty"):
        overview(tmp_path / "empty.wav")


# --- writing


@pytest.mark.parametrize(
    "name, subtype",
    [
        ("x.wav", "PCM_16"),
        ("x.wav", "PCM_24"),
        ("x.wav", "FLOAT"),
        ("x.flac", "PCM_16"),
        ("x.flac", "PCM_24"),
        ("x.aiff", "PCM_16"),
    ],
)
def test_lossless_files_round_trip_bit_exactly(name, subtype, tmp_path):
    """Every 16-bit value: samples outside a selection must not change."""
    x = (np.arange(-32768, 32768, dtype=np.int64) << 16).astype(np.int32)
    soundfile.write(tmp_path / name, np.stack([x, x[::-1]], 1), 44_100, subtype=subtype)
    before = read(tmp_path / name)
    write(tmp_path / f"again-{name}", before)
    after = read(tmp_path / f"again-{name}")
    assert (after.rate, after.subtype) == (before.rate, subtype) and after.samples.shape == (
        2,
        65_536,
    )
    np.testing.assert_array_equal(after.samples, before.samples)


@pytest.mark.parametrize("name", ("x.wav", "x.flac", "x.ogg", "x.mp3", "x.aiff", "x.WAV"))
def test_writes_the_format_that_the_ending_names(name, tmp_path, sound):
    one = sound(0.3, channels=2)
    write(tmp_path / name, one)
    info = soundfile.info(tmp_path / name)
    assert info.format == {"ogg": "OGG", "mp3": "MP3"}.get(name[2:], name[2:].upper()) and (
        info.samplerate,
        info.channels,
    ) == (44_100, 2)
    assert abs(20 * np.log10(np.std(read(tmp_path / name).samples) / np.std(one.samples))) < 1
    assert os.listdir(tmp_path) == [name]


def test_lossy_files_become_float_wavs(path_of, tmp_path):
    before = read(path_of("x.ogg", channels=2)[0])
    write(tmp_path / "y.wav", before)
    assert read(tmp_path / "y.wav").subtype == "FLOAT"
    np.testing.assert_array_equal(read(tmp_path / "y.wav").samples, before.samples)


@pytest.mark.parametrize(
    "rate, channels, name",
    [(192_000, 1, "x.wav"), (192_000, 2, "x.flac"), (8000, 8, "x.flac"), (44_100, 8, "x.wav")],
)
def test_writes_every_rate_and_count_of_channels(rate, channels, name, tmp_path, sound):
    write(tmp_path / name, sound(0.05, channels, rate))
    assert (read(tmp_path / name).rate, read(tmp_path / name).channels) == (rate, channels)


def test_a_single_sample_is_written(tmp_path):
    write(tmp_path / "x.wav", Sound(np.array([[0.25]], np.float32), 44_100))
    assert read(tmp_path / "x.wav").samples.tolist() == [[0.25]]


def test_loud_samples_are_limited_not_wrapped(tmp_path):
    write(tmp_path / "x.wav", Sound(np.array([[1.5, -1.5]], np.float32), 44_100, "PCM_16"))
    np.testing.assert_allclose(read(tmp_path / "x.wav").samples, [[1, -1]], atol=1e-4)


def test_an_existing_file_is_replaced(tmp_path, sound):
    (tmp_path / "x.wav").write_text("old")
    write(tmp_path / "x.wav", sound(0.1))
    assert read(tmp_path / "x.wav").seconds == pytest.approx(0.1) and os.listdir(tmp_path) == [
        "x.wav"
    ]


def test_a_long_ogg_is_written(tmp_path):
    """The Vorbis encoder of libsndfile overflows the stack if it gets minutes at once."""
    code = (
        "import sys, numpy; from atomizer.io.audio import *\n"
        "write(sys.argv[1], Sound(numpy.zeros((1, 3_000_000), numpy.float32), 44100))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "x.ogg"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr or f"killed by signal {-done.returncode}"
    assert soundfile.info(tmp_path / "x.ogg").frames == 3_000_000


@pytest.mark.parametrize("name", ("x", "x.", "x.doc", "x.npz", ".wav", "x.wav.zip", "x.sd2"))
def test_an_unknown_ending_is_refused(name, tmp_path, sound, refused):
    with refused(".wav", ".flac"):
        write(tmp_path / name, sound(0.1))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name, rate, channels", [("x.mp3", 96_000, 1), ("x.mp3", 44_100, 8), ("x.opus", 44_100, 1)]
)
def test_an_unsuitable_format_leaves_an_existing_file_unchanged(
    name, rate, channels, tmp_path, sound, refused
):
    with refused("cannot be written", name):
        write(tmp_path / name, sound(0.1, channels, rate))
    assert os.listdir(tmp_path) == []
    (tmp_path / name).write_text("mine")
    with refused("cannot be written"):
        write(tmp_path / name, sound(0.1, channels, rate))
    assert (tmp_path / name).read_text() == "mine" and os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(
    "name, rate, channels",
    [
        ("x.opus", 44_100, 1),
        ("x.opus", 48_000, 2),
        ("x.mp3", 96_000, 1),
        ("x.mp3", 44_100, 4),
        ("x.mp3", 48_000, 2),
        ("x.flac", 768_000, 1),
        ("x.flac", 96_000, 8),
        ("x.ogg", 192_000, 8),
        ("x.wav", 768_000, 8),
        ("x.xi", 44_100, 2),
    ],
)
def test_check_writable_predicts_whether_write_succeeds(
    name, rate, channels, tmp_path, sound, refused
):
    """Where the check passes, the sound is written, and where it does not, it is not."""
    one = sound(0.1, channels, rate)
    try:
        check_writable(name, rate, channels, one.subtype)
    except AtomizerError:
        with refused(name[1:], f"{rate:,}", str(channels)):
            check_writable(name, rate, channels, one.subtype)
        with pytest.raises(soundfile.SoundFileError):
            soundfile.write(
                tmp_path / name,
                one.samples.T,
                rate,
                format={"x.opus": "OGG"}.get(name),
                subtype={"x.opus": "OPUS"}.get(name),
            )
    else:
        write(tmp_path / name, one)
        assert (read(tmp_path / name).rate, read(tmp_path / name).channels) == (rate, channels)


@pytest.mark.parametrize("rate", (200_001, 768_000))
def test_rates_that_crash_the_vorbis_encoder_are_refused(rate, tmp_path, sound, refused):
    check_writable("x.ogg", 200_000, 2)
    with refused("x.ogg", f"{rate:,}"):
        write(tmp_path / "x.ogg", sound(0.01, 1, rate))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "error",
    (
        OSError("No space left on device"),
        soundfile.SoundFileRuntimeError("disk full"),
        RuntimeError("x.y."),
    ),
)
def test_an_error_of_the_encoder_changes_no_file(error, monkeypatch, tmp_path, sound, refused):
    def half(self, *_):
        raise error

    (tmp_path / "old.wav").write_text("mine")
    monkeypatch.setattr(soundfile.SoundFile, "write", half)
    for name in ("new.wav", "old.wav"):
        with refused("cannot be written", name):
            write(tmp_path / name, sound(0.1))
    assert os.listdir(tmp_path) == ["old.wav"] and (tmp_path / "old.wav").read_text() == "mine"


@pytest.mark.parametrize(
    "where",
    ["nowhere/x.wav", "file.txt/x.wav", "folder.wav", "n" * 300 + ".wav", "zero\0.wav"],
    ids=["no folder", "a file as folder", "a folder", "too long", "zero byte"],
)
def test_invalid_output_paths_are_refused(where, tmp_path, sound, refused):
    (tmp_path / "file.txt").write_text("mine")
    (tmp_path / "folder.wav").mkdir()
    before = sorted(os.listdir(tmp_path))
    with refused("cannot be written"):
        write(tmp_path / where, sound(0.1))
    assert sorted(os.listdir(tmp_path)) == before and not os.listdir(tmp_path / "folder.wav")


def test_the_error_names_the_users_file_not_the_temporary_one(tmp_path, sound, refused):
    with refused("x.mp3") as caught:
        write(tmp_path / "x.mp3", sound(0.1, 1, 96_000))
    assert ".part" not in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_the_longest_file_name_is_written(tmp_path, sound):
    name = "n" * (255 - 4) + ".wav"
    (tmp_path / name).touch()
    write(tmp_path / name, sound(0.1))
    assert os.listdir(tmp_path) == [name] and read(tmp_path / name).seconds == pytest.approx(0.1)


# --- resampling


@given(
    st.integers(1, 3000),
    st.sampled_from([8000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]),
    st.sampled_from([8000, 16_000, 44_100, 48_000, 192_000]),
    st.integers(1, 8),
)
def test_resampled_length_is_the_quotient_rounded_up(length, rate, to, channels):
    x = np.random.default_rng(0).standard_normal((channels, length)).astype(np.float32)
    y = resample(x, rate, to)
    assert (
        y.shape == (channels, -(-length * to // rate))
        and y.dtype == np.float32
        and np.isfinite(y).all()
    )


def test_resampling_to_the_same_rate_changes_nothing(samples):
    x = samples(1000)
    np.testing.assert_array_equal(resample(x, 48_000, 48_000), x)


@pytest.mark.parametrize("rate", (16_000, 48_000, 96_000, 192_000))
def test_a_tone_keeps_its_pitch_level_and_place(rate):
    x = np.sin(2 * np.pi * 1000 * np.arange(rate // 2) / rate)[None].astype(np.float32)
    y = Sound(x, rate).at(44_100)
    wanted = np.sin(2 * np.pi * 1000 * np.arange(y.shape[1]) / 44_100)
    np.testing.assert_allclose(y[0, 2000:-2000], wanted[2000:-2000], atol=1e-4)


def test_resampling_removes_frequencies_above_nyquist():
    x = np.sin(2 * np.pi * 30_000 * np.arange(96_000) / 192_000)[None].astype(np.float32)
    assert np.abs(resample(x, 192_000, 44_100)[0, 2000:-2000]).max() < 1e-4


def test_resampling_round_trip():
    t = np.arange(22_050) / 44_100
    x = (np.sin(2 * np.pi * 900 * t) * np.hanning(22_050))[None].astype(np.float32)
    np.testing.assert_allclose(
        resample(resample(x, 44_100, 192_000), 192_000, 44_100), x, atol=1e-4
    )
