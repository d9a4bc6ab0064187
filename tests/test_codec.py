"""Files of atoms: prefixes, budgets, identical bytes, damage, and noise for what was not sent."""

import hashlib
import io
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from atomizer import metrics
from atomizer.codec import ORDERS, decode, decode_arriving, encode, positions, receive
from atomizer.codec.bitstream import CHUNK, HEADER_BYTES
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.unsent import fill_unsent, unsent_task
from atomizer.io.audio import Sound, read
from atomizer.io.resources import ASSETS
from atomizer.plotting.style import PlotStyle
from atomizer.ui import api, gpu
from atomizer.ui.exports import FILE_KBPS, ExportRequest, export
from atomizer.ui.handlers import compressing, loading
from atomizer.ui.session import open_session

numba = pytest.importorskip("numba")


@pytest.fixture(scope="module")
def clip():
    """0.4 s of drums in stereo."""
    return read(ASSETS / "percussion.flac", start=2, seconds=0.4)


@pytest.fixture(scope="module", params=ORDERS)
def file(request, clip):
    """A file of the clip, with all levels."""
    return encode(clip, order=request.param)


def snr(sound: Sound, other: Sound) -> float:
    return metrics.snr_db(sound.samples, other.samples)


def test_a_whole_file_has_the_sound(clip, file):
    decoded = decode(file)
    assert decoded.rate == clip.rate and decoded.samples.shape == clip.samples.shape
    assert snr(clip, decoded) > (65 if receive(file).steps is None else 50)


@pytest.mark.parametrize(
    "rate, channels, length", [(8000, 1, 900), (96_000, 3, 5000), (44_100, 2, 1)]
)
def test_rate_channels_and_length_are_kept(rate, channels, length, samples):
    sound = Sound(samples(length, channels, rate), rate)
    decoded = decode(encode(sound, order="velocity"))
    assert decoded.rate == rate and decoded.samples.shape == sound.samples.shape
    assert snr(sound, decoded) > (20 if rate == 8000 else 50) or rate > 44_100


def test_silence_is_a_file_of_a_few_bytes():
    silence = Sound(np.zeros((2, 44_100), np.float32), 44_100)
    data = encode(silence)
    assert len(data) < 200 and not decode(data).samples.any()


def test_the_snr_of_a_prefix_never_falls(clip, file):
    sizes = np.random.default_rng(0).integers(HEADER_BYTES, 4000, 100)
    ratios = [snr(clip, decode(file[:size])) for size in sorted(sizes.tolist())]
    assert np.diff(ratios).min() > -1e-3 and ratios[-1] > ratios[0] + 10


def test_every_byte_brings_the_atoms_closer(clip, file):
    """Of the amplitudes themselves: samples have errors of rounding."""
    exact = receive(file).grid()
    errors = []
    for size in range(2000, 2030):
        errors.append(np.square(receive(file[:size]).grid() - exact, dtype=float).sum())
    assert np.diff(errors).max() <= 1e-6 * errors[0] and errors[-1] < errors[0]


def test_a_file_keeps_its_budget(clip):
    for size in (HEADER_BYTES, 100, CHUNK + HEADER_BYTES + 5, 9000):
        assert size - 8 <= len(encode(clip, size=size)) <= size
    assert abs(len(encode(clip, kbps=48)) - 48 * 125 * clip.seconds) <= 8
    assert len(encode(clip, kbps=1000, size=500)) <= 500


@pytest.mark.parametrize("count", [0, 1, 500])
def test_the_first_atoms_are_the_loudest(clip, count):
    received = receive(encode(clip, atoms=count, order="velocity"))
    assert received.atoms == count == (received.levels.levels > 0).sum()
    if count == 500:
        whole = receive(encode(clip, order="velocity")).levels.levels
        sent = received.levels.levels > 0
        assert whole[sent].min() >= whole[~sent].max() and (whole[sent] > 0).all()


def test_bytes_are_the_same_everywhere():
    """The hash was computed once: other machines, threads and versions of Python have to agree."""
    n = np.arange(6000)
    tone = ((n * n * 7) % 2048 - 1024) / 4096 + ((n // 50) % 2 - 0.5) / 4
    sound = Sound(np.stack([tone, tone[::-1]]).astype(np.float32), 44_100)
    data = b"".join(encode(sound, kbps=96, order=order) for order in ORDERS)
    assert hashlib.sha256(data).hexdigest()[:16] == "620fa5b005f06a30"


def test_bytes_are_the_same_with_four_threads(clip):
    code = (
        "import sys, hashlib, numpy as np; from atomizer.codec import encode;"
        "from atomizer.io.audio import Sound;"
        "samples = np.frombuffer(sys.stdin.buffer.read(), np.float32).reshape(2, -1);"
        f"print(hashlib.sha256(encode(Sound(samples, {clip.rate}))).hexdigest())"
    )
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "4")
    found = subprocess.run(
        [sys.executable, "-c", code],
        input=np.ascontiguousarray(clip.samples, np.float32).tobytes(),
        env={**os.environ, "PYTHONPATH": str(ASSETS.parent), **threads},
        capture_output=True,
        check=True,
    )
    assert found.stdout.decode().strip() == hashlib.sha256(encode(clip)).hexdigest()


def test_endpoints_read_files_of_atoms(clip, tmp_path, refused):
    path = tmp_path / "x.atoms"
    path.write_bytes(encode(clip, kbps=96))
    info = api.atomize(str(path))
    assert info["channels"] == 2 and info["duration_s"] == pytest.approx(clip.seconds)
    filled = read(api.fill_file(str(path), ["above:9000"], method="noise", start=0.1, seconds=0.2))
    assert filled.seconds == pytest.approx(0.2) and filled.samples.any()
    with pytest.raises(Exception, match="is over"):
        api.atomize(str(path), start=1)


def test_what_has_arrived_is_decoded_whenever_it_doubles(clip):
    data = encode(clip, size=3000)
    pieces = iter([data[start : start + 700] for start in range(0, 3000, 700)])
    held = bytearray()

    class Pipe(io.RawIOBase):
        def read(self, size=-1):
            held.extend(next(pieces, b"") if not held else b"")
            out = bytes(held[:size])
            del held[:size]
            return out

    sounds = list(decode_arriving(Pipe(), first=1000))
    for sound, size in zip(sounds, (1000, 2000, len(data)), strict=True):
        assert np.array_equal(sound.samples, decode(io.BytesIO(data[:size])).samples)
    assert not np.array_equal(sounds[0].samples, sounds[1].samples)


def test_a_file_of_atoms_is_read_like_a_sound(clip, tmp_path, refused):
    path = tmp_path / "x.dat"
    path.write_bytes(encode(clip, kbps=96))
    decoded = decode(path.read_bytes(), fill="noise")
    assert np.array_equal(read(path).samples, decoded.samples)
    part = read(path, start=0.1, seconds=0.2)
    assert np.array_equal(part.samples, decoded.samples[:, 4410:13_230])
    path.write_bytes(path.read_bytes()[:20])
    with refused("ends within its header"):
        read(path)


def test_progress_rises_to_the_end(clip):
    encoding, decoding = [], []
    receive(encode(clip, kbps=96, on_share=encoding.append), on_share=decoding.append)
    for shares in (encoding, decoding):
        assert len(shares) > 3 and shares == sorted(shares) and 0.9 < shares[-1] <= 1


def test_the_page_loads_and_exports_files_of_atoms(clip, tmp_path, limited, refused):
    path = tmp_path / "x.atoms"
    path.write_bytes(encode(clip, kbps=FILE_KBPS))
    loaded, long_file = loading.open_file(path)
    assert long_file is None and snr(clip, loaded) > 15
    session = open_session(clip, "x.wav")
    request = ExportRequest("atoms", "original", None, PlotStyle())
    assert export(session, request).data == path.read_bytes()
    session.close()
    limited(excerpt_seconds=0.2)  # refused before it is decoded
    with refused("longer", "0.2"):
        loading.open_file(path)


def test_positions_are_where_numbers_of_atoms_end(file):
    counts = [0, 1, 7, 500, 4000, 10**9]
    sizes = positions(file, counts)
    assert receive(file[: sizes[0] - 8]).atoms == 0 and sizes[-1] == len(file)
    for count, size in zip(counts[1:-1], sizes[1:].tolist()):
        assert receive(file[:size]).atoms >= count > receive(file[: size - 8]).atoms


def test_the_page_decodes_and_fills_prefixes(clip, monkeypatch, warned):
    monkeypatch.setattr(gpu, "has_model", lambda: False)
    session = open_session(clip, "x.wav")
    for order in ORDERS:
        compressing.encode_file(session, order)
    wanted = {"order": "velocity", "size": 2500, "filled": True}
    *_, message = compressing.fill_prefix(session, wanted)
    filled = message.compression.prefix
    assert message.status == "What was not sent is filled in."
    later = compressing.fill_prefix(session, wanted, 6.0)
    steps = [SimpleNamespace(number=k, total=3) for k in (1, 2)]
    monkeypatch.setattr(gpu, "fill", lambda *_: iter(steps))
    assert "part 1 of 3" in next(later).status
    session.presses.stop(7.0)
    for stopped in (later, compressing.fill_prefix(session, wanted, 4.0)):
        (message,) = stopped
        assert message.status == message.compression.problem == compressing.STOPPED
    assert not warned, "Stop is no error"
    message = compressing.decode_prefix(session, {**wanted, "filled": False})
    sent = message.compression.prefix
    assert (filled.size, filled.filled, sent.filled) == (2500, True, False)
    assert sent.snr_db == pytest.approx(
        snr(clip, decode(encode(clip, size=2500, order="velocity"))), abs=0.1
    )
    for wrong in (None, {"order": "time", "size": 9}, {"order": "velocity", "size": True}):
        problem = compressing.decode_prefix(session, wrong).compression.problem
        assert "number of bytes" in problem
    assert "ordered by" in compressing.encode_file(session, "time").compression.problem
    session.close()


def test_a_changed_byte_is_reported(file, refused):
    for at in (6, 20, HEADER_BYTES + 3, HEADER_BYTES + CHUNK + 1, len(file) - 1):
        damaged = bytearray(file)
        damaged[at] ^= 4
        with refused("damaged"):
            decode(bytes(damaged))


def test_other_bytes_are_refused(file, refused):
    for data in (b"", b"RIFF" + bytes(60)):
        with refused("no file of atoms"):
            decode(data)
    with refused("ends within its header"):
        decode(file[: HEADER_BYTES - 1])
    with refused("version"):
        decode(file[:4] + b"\x09" + file[5:])
    with refused("longer than"):
        decode(file, max_seconds=0.1)


def test_invalid_values_are_refused(clip, refused):
    for values in ({"kbps": 0}, {"kbps": float("nan")}, {"size": 3}, {"atoms": -1}):
        with refused():
            encode(clip, **values)
    with refused("no ordering", "audibility"):
        encode(clip, order="time")
    with refused("no fill", "noise"):
        decode(encode(clip, size=500), fill="x")


def test_noise_restores_the_spectrum_that_was_not_sent(clip):
    data = encode(clip, kbps=24)
    plain, filled = decode(data), decode(data, fill="noise")
    assert metrics.lsd(clip.samples, filled.samples) < 0.7 * metrics.lsd(
        clip.samples, plain.samples
    )
    assert snr(clip, plain) > snr(clip, filled) > snr(clip, plain) - 2
    assert not np.array_equal(filled.samples, decode(data, fill="noise", seed=1).samples)


def test_attacks_have_a_shorter_hop_than_tones():
    t = np.arange(22_050) / 44_100
    tone = 0.3 * np.sin(2 * np.pi * np.outer([440, 1001, 2503], t)).mean(0)
    clicks = np.random.default_rng(0).standard_normal(len(t)) * 0.3 * np.exp(-80 * (t % 0.125))
    hops = [
        receive(encode(Sound(x[None].astype(np.float32), 44_100), kbps=24)).header.space.hop
        for x in (tone, clicks)
    ]
    assert hops[0] == 1024 > hops[1]


def test_noise_needs_levels_of_bands(clip, refused):
    with refused("audibility"):
        decode(encode(clip, size=3000, order="velocity"), fill="noise")


def test_unsent_atoms_are_filled_in_below_the_last_level(clip, refused):
    data = encode(clip, size=2500, order="velocity")
    received = receive(data)
    task = unsent_task(received)
    known = np.abs(task.grid[~task.mask])
    assert task.preset == "compress" and known.min() >= task.threshold > 0
    filled = fill_unsent(received, Settings("noise", seed=1))
    plain = decode(data)
    assert metrics.lsd(clip.samples, filled.samples) < metrics.lsd(clip.samples, plain.samples)
    with refused("order of velocity"):
        unsent_task(receive(encode(clip, size=2500)))
    with refused("no atoms"):
        unsent_task(receive(data[:HEADER_BYTES]))
