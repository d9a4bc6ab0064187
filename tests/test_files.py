"""Files as people have them: damaged, joined, of several channels, with tags, from phones."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from atomizer.analysis import summary
from atomizer.analysis.summary import summarise_file
from atomizer.errors import AtomizerError
from atomizer.io import formats
from atomizer.io.audio import Sound, overview, read, write
from atomizer.io.channels import MASKS
from atomizer.io.containers import scan
from atomizer.io.tags import Picture, Tags, read_tags

RATE = 22_050
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))  # tags hold it as it is


def encode(samples, format_, **options):
    target = io.BytesIO()
    soundfile.write(target, samples.T, RATE, format=format_, **options)
    return target.getvalue()


@pytest.fixture(scope="module")
def music(samples):
    """Two seconds of stereo whose first half is silent: of a low bit rate in VBR files."""
    x = samples(2 * RATE, 2, RATE)
    x[:, :RATE] = 0
    return x


@pytest.fixture(scope="module")
def mp3(music):
    return encode(music, "MP3", bitrate_mode="VARIABLE", compression_level=0.2)


def without_header(data):
    """An MP3 file without its first frame, which holds the Xing header."""
    second = data.index(data[:2], 4)
    assert data.find(b"Xing", 0, second) > 0
    return data[second:]


def without_length(data):
    """A FLAC file with the header of one that was written to a pipe: no length, no checksum."""
    return data[:21] + bytes([data[21] & 0xF0]) + bytes(20) + data[42:]


def test_vbr_mp3_without_a_header_is_read_in_full(mp3, music, tmp_path):
    path = tmp_path / "x.mp3"
    path.write_bytes(without_header(mp3))
    assert abs(soundfile.info(path).duration - 2) > 1  # guessed from the first frame
    assert read(path).seconds == pytest.approx(2, abs=0.08) and read(path).note is None
    whole, part = read(path).samples, read(path, start=1, seconds=0.5).samples
    np.testing.assert_allclose(part, whole[:, RATE : RATE + RATE // 2], atol=1e-6)
    assert overview(path).seconds == pytest.approx(2, abs=0.08)


@pytest.mark.parametrize("format_", ("MP3", "OGG"))
def test_joined_files_are_read_in_full(format_, music, tmp_path):
    one, two = encode(music, format_), encode(music[:, :RATE], format_)
    (tmp_path / "one").write_bytes(one)
    (tmp_path / "two").write_bytes(two)
    path = tmp_path / "both"
    path.write_bytes(one + two)
    parts = [read(tmp_path / name).samples for name in ("one", "two")]
    sound = read(path)
    np.testing.assert_array_equal(sound.samples, np.concatenate(parts, 1))
    assert sound.note is None
    some = read(path, start=1.5, seconds=1).samples
    np.testing.assert_allclose(some, sound.samples[:, RATE * 3 // 2 : RATE * 5 // 2], atol=1e-6)


def test_parts_of_another_kind_are_reported(music, tmp_path):
    path = tmp_path / "both.ogg"
    path.write_bytes(encode(music, "OGG") + encode(music[:1], "OGG"))
    assert read(path).seconds == pytest.approx(2, abs=0.01)
    assert "joined from 2 parts" in read(path).note and "2.00 s" in read(path).note


def test_flac_from_a_pipe_is_read_in_full(music, tmp_path):
    data = encode(music, "FLAC")
    path = tmp_path / "x.flac"
    path.write_bytes(without_length(data))
    np.testing.assert_allclose(read(path).samples, music, atol=2**-15)
    assert read(path).note is None
    path.write_bytes(data)
    assert scan(path).parts == ()  # a sound header is believed


@pytest.mark.parametrize("name", ("x.flac", "x.mp3", "x.wav"))
def test_files_that_are_cut_off_are_read_and_reported(name, music, mp3, tmp_path):
    data = mp3 if name == "x.mp3" else encode(music, name[2:].upper())
    path = tmp_path / name
    path.write_bytes(data)
    whole = read(path).samples
    path.write_bytes(data[: len(data) * 3 // 4])
    sound = read(path)
    assert 1 < sound.seconds < 1.8 and "2.0" in sound.note and "cut off" in sound.note
    n = sound.samples.shape[1]
    if name != "x.mp3":
        np.testing.assert_array_equal(sound.samples, whole[:, :n])
    assert overview(path).seconds == sound.seconds
    assert read(path, seconds=0.5).note is None  # all of the excerpt is there


def test_flac_that_is_cut_off_anywhere_is_read(music, tmp_path):
    data, lengths = encode(music, "FLAC"), []
    for share in np.linspace(0.3, 0.99, 12):
        path = tmp_path / "x.flac"
        path.write_bytes(data[: int(len(data) * share)])
        lengths.append(read(path).samples.shape[1])
        np.testing.assert_allclose(read(path).samples, music[:, : lengths[-1]], atol=2**-15)
    assert lengths == sorted(lengths) and lengths[-1] > 1.6 * RATE


# --- channels


def surround(rate=8000, seconds=0.5):
    """Every channel of 5.1 has a pitch of its own, the fourth (LFE) a low one."""
    t = np.arange(int(rate * seconds)) / rate
    pitches = (200, 400, 600, 40, 800, 1000)
    return np.stack([0.2 * np.sin(2 * np.pi * f * t) for f in pitches]).astype(np.float32)


def pitches(samples, rate=8000):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.shape[1])))
    return np.rint(spectrum.argmax(1) * rate / samples.shape[1] / 20) * 20


@pytest.mark.parametrize("name", ("x.ogg", "x.flac", "x.wav"))
@pytest.mark.parametrize("again", ("y.ogg", "y.flac", "y.wav"))
def test_surround_keeps_order_and_layout(name, again, tmp_path):
    sound = Sound(surround(), 8000, "PCM_24", MASKS[6])
    write(tmp_path / name, sound)
    write(tmp_path / again, read(tmp_path / name))
    last = read(tmp_path / again)
    assert pitches(last.samples).tolist() == [200, 400, 600, 40, 800, 1000]
    assert last.mask == 0x3F


def test_ogg_files_order_channels_as_vorbis_does(tmp_path):
    write(tmp_path / "x.ogg", Sound(surround(), 8000))
    raw = soundfile.read(tmp_path / "x.ogg")[0].T
    assert pitches(raw).tolist() == [200, 600, 400, 800, 1000, 40]


@pytest.mark.parametrize("subtype", ("PCM_16", "PCM_24", "FLOAT"))
def test_wav_files_keep_their_channel_mask(subtype, tmp_path):
    side = 0x60F  # 5.1 with side instead of back channels
    write(tmp_path / "x.wav", Sound(surround(), 8000, subtype, side))
    sound = read(tmp_path / "x.wav")
    assert (sound.mask, sound.subtype) == (side, subtype)
    assert soundfile.info(tmp_path / "x.wav").format == "WAVEX"
    write(tmp_path / "y.wav", Sound(surround()[:4], 8000, subtype, side))  # not of these channels
    assert read(tmp_path / "y.wav").mask == 0


def test_24_bit_stays_24_bit_in_every_format(tmp_path):
    values = np.random.default_rng(0).integers(-(2**23), 2**23, (1, 4000))
    sound = Sound((values / 2**23).astype(np.float32), RATE, "PCM_24")
    for name in ("x.wav", "x.flac", "x.aiff", "x.caf", "x.w64"):
        write(tmp_path / name, sound)
        again = read(tmp_path / name)
        assert again.subtype == "PCM_24"
        np.testing.assert_array_equal(again.samples, sound.samples)


# --- tags


FIELDS = {
    "title": ["A title"],
    "artist": ["Someone"],
    "date": ["2026"],
    "tracknumber": ["3/9"],
    "comment": ["Ä note"],
    "lyrics": ["la la"],
    "my own": ["value"],
}


@pytest.mark.parametrize("name", ("x.flac", "x.mp3", "x.ogg", "x.opus", "x.wav", "x.aiff"))
def test_tags_and_cover_art_survive_every_format(name, tmp_path, sound):
    tags = Tags(FIELDS, (Picture(PNG, "image/png"),))
    one = Sound(sound(0.2, 2, 48_000).samples, 48_000, "PCM_16", tags=tags)
    write(tmp_path / name, one)
    assert read_tags(tmp_path / name).fields == FIELDS
    for again in ("y.flac", "y.mp3"):
        write(tmp_path / again, read(tmp_path / name))
        found = read_tags(tmp_path / again)
        assert found.fields == FIELDS and found.pictures == tags.pictures
    assert abs(read(tmp_path / "y.flac").seconds - 0.2) < 0.05


def test_damaged_tags_do_not_prevent_reading(tmp_path, sound):
    path = tmp_path / "x.mp3"
    write(path, Sound(sound(0.3).samples, 44_100, tags=Tags({"title": ["x"]})))
    data = bytearray(path.read_bytes())
    data[10:14] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert read(path).seconds == pytest.approx(0.3, abs=0.05)


# --- formats that ffmpeg reads


def ffmpeg(source, target, *options):
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, *options, target]
    subprocess.run(command, check=True)
    return target


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
VIDEO = ("-f", "lavfi", "-i", "color=s=16x16:d=1")


@needs_ffmpeg
@pytest.mark.parametrize(
    "name, options",
    [
        ("x.m4a", ()),
        ("x.webm", ("-c:a", "libopus")),
        ("x.wma", ()),
        ("x.eac3", ()),
        ("x.mp4", VIDEO + ("-c:v", "mpeg4", "-shortest")),
    ],
)
def test_formats_of_phones_and_browsers_are_read(name, options, music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE)
    path = ffmpeg(tmp_path / "in.wav", tmp_path / name, *options)
    renamed = path.rename(tmp_path / "anything")  # its content decides
    sound = read(renamed, start=0.5, seconds=0.4)
    assert sound.channels == 2 and sound.seconds == pytest.approx(0.4, abs=0.001)
    assert sound.subtype == "FLOAT"


@needs_ffmpeg
@pytest.mark.parametrize("codec", ("g722", "adpcm_yamaha", "g726", "libmp3lame"))
def test_wav_files_of_other_codecs_are_read(codec, music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE)
    rate = "8000" if codec == "g726" else "16000"
    options = ("-c:a", codec, "-ar", rate, "-ac", "1")
    path = ffmpeg(tmp_path / "in.wav", tmp_path / "x.wav", *options)
    assert read(path).seconds == pytest.approx(music.shape[1] / RATE, abs=0.15)


def test_wav_files_of_gsm_are_read_or_refused_by_name(music, tmp_path):
    soundfile.write(tmp_path / "x.wav", music[0], RATE, "GSM610")
    if shutil.which("ffmpeg") is None:
        with pytest.raises(AtomizerError, match="GSM.*ffmpeg"):
            read(tmp_path / "x.wav")
        return
    assert read(tmp_path / "x.wav").seconds == pytest.approx(music.shape[1] / RATE, abs=0.05)


@needs_ffmpeg
def test_lossless_streams_keep_their_bits_and_tags(music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE, subtype="PCM_24")
    alac = ("-c:a", "alac", "-sample_fmt", "s32p", "-metadata", "title=A title")
    sound = read(ffmpeg(tmp_path / "in.wav", tmp_path / "x.m4a", *alac))
    assert sound.subtype == "PCM_24" and sound.tags.fields["title"] == ["A title"]
    np.testing.assert_array_equal(sound.samples, read(tmp_path / "in.wav").samples)


@needs_ffmpeg
@pytest.mark.parametrize("name", ("x.mov", "x.mka", "x.wma", "x.avi", "x.flv", "x.oga", "x.wv"))
def test_tags_of_every_container_are_kept(name, music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE)
    wanted = {"title": ["A title"], "artist": ["Someone"], "album": ["All"], "date": ["2020"]}
    codec = {"x.oga": ("-c:a", "flac"), "x.flv": ("-ar", "44100")}.get(name, ())
    named = [("-metadata", f"{key}={values[0]}") for key, values in wanted.items()]
    path = ffmpeg(
        tmp_path / "in.wav", tmp_path / name, *codec, *(o for pair in named for o in pair)
    )
    write(tmp_path / "y.flac", read(path))
    assert read_tags(tmp_path / "y.flac").fields == wanted


@needs_ffmpeg
def test_flac_in_ogg_is_read_bit_by_bit(music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE)
    sound = read(ffmpeg(tmp_path / "in.wav", tmp_path / "x.oga", "-c:a", "flac"))
    np.testing.assert_array_equal(sound.samples, read(tmp_path / "in.wav").samples)


@needs_ffmpeg
def test_files_of_ffmpeg_without_sound_are_refused(tmp_path, refused):
    command = ["ffmpeg", "-v", "error", *VIDEO, "-c:v", "mpeg4", tmp_path / "x.mp4"]
    subprocess.run(command, check=True)
    with refused("x.mp4", "holds no sound"):
        read(tmp_path / "x.mp4")
    (tmp_path / "x.webm").write_bytes(b"\x1aE\xdf\xa3" + bytes(500))
    with refused("x.webm", "ffmpeg"):
        read(tmp_path / "x.webm")


@needs_ffmpeg
def test_of_several_audio_streams_the_first_is_named(music, tmp_path):
    soundfile.write(tmp_path / "in.wav", music.T, RATE)
    two = ("-map", "0:a", "-map", "0:a", "-metadata:s:a:0", "language=eng", "-c:a", "flac")
    path = ffmpeg(tmp_path / "in.wav", tmp_path / "x.mkv", *two)
    note = "'x.mkv' has 2 audio streams, of which the first (eng) was read."
    assert read(path).note == read(path, start=0.5, seconds=0.1).note == note


def test_files_without_a_header_are_refused_with_a_way(tmp_path, refused):
    for name in ("x.raw", "x.g722", "x.gsm"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 8)
        with refused("as sound", "ffmpeg -f", f"-i {name} out.wav"):
            read(tmp_path / name)


def test_playlists_are_not_followed(tmp_path, refused):
    soundfile.write(tmp_path / "in.wav", np.zeros(100), 8000)
    (tmp_path / "x.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'in.wav'}\n")
    with refused("as sound: please use"):
        read(tmp_path / "x.m3u8")


@pytest.mark.parametrize(
    "start, kind",
    [(b"\0\0\0\x20ftypM4A ", "MP4"), (b"\x1aE\xdf\xa3", "WebM"), (b"#!AMR\n", "AMR")],
)
def test_without_ffmpeg_one_sentence_names_it(start, kind, monkeypatch, tmp_path, refused):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "x").write_bytes(start + bytes(300))
    with refused("ffmpeg", kind, "WAV"):
        read(tmp_path / "x")


@pytest.mark.parametrize("installed", ["/bin/ffmpeg", None])
def test_refusals_name_what_is_read_on_this_machine(installed, monkeypatch, tmp_path, refused):
    monkeypatch.setattr(shutil, "which", lambda name: installed)
    (tmp_path / "x.txt").write_text("a text")
    with refused("as sound: please use WAV", "MP3") as caught:
        read(tmp_path / "x.txt")
    assert ("M4A" in str(caught.value)) == bool(installed) and "ffmpeg" not in str(caught.value)


def test_the_table_of_formats_is_in_the_documentation():
    text = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    assert formats.table() in text


def test_info_of_a_file_reads_it_by_parts(monkeypatch, music, tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, music.T, RATE, subtype="FLOAT")
    whole, _ = summarise_file(path)
    monkeypatch.setattr(summary, "PART_FRAMES", 3)
    parts, note = summarise_file(path)
    assert note is None and parts["atoms"] == whole["atoms"] > 50_000
    assert parts["audible"] == whole["audible"] and parts["snr_db"] > 100
    some, _ = summarise_file(path, 500)
    assert some["atoms"] == some["audible"] == 500 and 3 < some["snr_db"] < 60
