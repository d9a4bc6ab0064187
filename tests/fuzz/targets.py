"""The fuzz targets.

Each function here prepares seeds in a folder, and returns a function that mutates them into one
case, runs it, and returns its outcome.
"""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from .mutate import LEAVES, NUMBERS, TEXTS, mutate_bytes, mutate_json, mutate_value

MAX_SECONDS = 20.0  # the limit for a sound in all targets


def samples_of(length: int, channels: int, rate: int) -> np.ndarray:
    rng, t = np.random.default_rng(0), np.arange(length) / rate
    return np.stack(
        [
            0.2 * np.sin(2 * np.pi * 440 * (c + 1) * t) + 0.02 * rng.standard_normal(length)
            for c in range(channels)
        ],
        1,
    )


def sound_target(folder: Path):
    from atomizer.atoms.selection import parse
    from atomizer.inpainting.fill import fill, last
    from atomizer.inpainting.settings import Settings
    from atomizer.inpainting.task import prepare
    from atomizer.io.audio import read

    seeds = []
    for ending, subtype, rate, channels in [
        ("wav", "PCM_16", 8000, 1),
        ("wav", "FLOAT", 44_100, 2),
        ("wav", "PCM_24", 8000, 8),
        ("wav", "MS_ADPCM", 8000, 1),
        ("wav", "ULAW", 8000, 2),
        ("flac", "PCM_16", 44_100, 2),
        ("flac", "PCM_24", 96_000, 1),
        ("ogg", "VORBIS", 44_100, 2),
        ("ogg", "OPUS", 48_000, 1),
        ("mp3", None, 44_100, 2),
        ("mp3", None, 16_000, 1),
        ("aiff", "PCM_16", 8000, 1),
        ("w64", "PCM_16", 8000, 1),
        ("caf", "ALAC_16", 44_100, 2),
        ("au", "FLOAT", 8000, 1),
    ]:
        path = folder / f"seed{len(seeds)}.{ending}"
        soundfile.write(path, samples_of(4000, channels, rate), rate, subtype)
        seeds.append((ending, path.read_bytes()))
    seeds += [("flac", flac_bomb(hours)) for hours in (0.001, 1, 100)]

    def case(rng: random.Random) -> str:
        ending, data = rng.choice(seeds)
        path = folder / f"case.{ending}"
        path.write_bytes(mutate_bytes(data, rng))
        try:
            sound = read(path, MAX_SECONDS)
            assert (
                np.isfinite(sound.samples).all()
                and 0 < sound.seconds <= MAX_SECONDS
                and sound.samples.dtype == np.float32
            )
            if sound.samples.size < 50_000:
                task = prepare(
                    sound,
                    parse(
                        [
                            rng.choice(
                                (
                                    "above:1000",
                                    "random:50",
                                    "time:0.1-0.2",
                                    "channel:0",
                                    "quietest:50",
                                )
                            )
                        ]
                    ),
                )
                assert np.isfinite(
                    task.render(last(fill(task, Settings("noise"))).grid).samples
                ).all()
        finally:
            path.unlink()
        return "read"

    return case


def flac_bomb(hours: float) -> bytes:
    """Return a FLAC file with at most 100 frames of silence, whose header claims hours."""
    frames, rate = int(hours * 3600 * 44_100), 44_100

    def crc(data: bytes, polynomial: int, bits: int) -> int:
        value = 0
        for byte in data:
            value ^= byte << (bits - 8)
            for _ in range(8):
                value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
                value &= (1 << bits) - 1
        return value

    info = (
        struct.pack(">HH", 4096, 4096)
        + bytes(6)
        + ((rate << 44) | (0 << 41) | (15 << 36) | min(frames, 2**36 - 1)).to_bytes(8, "big")
        + bytes(16)
    )
    out = b"fLaC" + bytes([0x80, 0, 0, 34]) + info
    for number in range(min(100, frames // 4096)):
        header = bytes([0xFF, 0xF8, 0xC9, 0x08, number])  # 4096 samples, 44.1 kHz, mono, 16 bit
        header += bytes([crc(header, 0x107, 8)])
        frame = header + bytes([0, 0, 0])  # a constant subframe of value 0
        out += frame + crc(frame, 0x18005, 16).to_bytes(2, "big")
    return out


SELECTION = {
    "regions": [
        {"kind": "rect", "op": "add", "t": [0.01, 0.04], "f": [300, 2000]},
        {"kind": "rect", "t": [0.02, None]},
        {"kind": "rect", "op": "subtract", "channels": [0]},
        {"kind": "lasso", "points": [[0.01, 100], [0.03, 3000], [0.05, 200]], "scale": "log"},
        {
            "kind": "brush",
            "points": [[0.01, 500], [0.05, 900]],
            "size": [0.01, 200],
            "channels": [0, 1],
        },
    ],
    "parts": ["random:50", "quietest:10", "keep:500"],
    "features": ["velocity", "sign"],
}


def selection_target(folder: Path):
    from atomizer.atoms.selection import Selection, parse
    from atomizer.atoms.space import AtomSpace

    space = AtomSpace(rate=8000, hop=64)
    grid = np.random.default_rng(0).standard_normal((2, 10, 64)).astype(np.float32)

    def case(rng: random.Random) -> str:
        if rng.random() < 0.2:
            words = [
                rng.choice(
                    (
                        "above",
                        "below",
                        "time",
                        "after",
                        "channel",
                        "random",
                        "keep",
                        "rect",
                        rng.choice(TEXTS),
                    )
                )
                + rng.choice((":", "", "::"))
                + rng.choice((",", "-", " ")).join(
                    str(rng.choice(LEAVES)) for _ in range(rng.randrange(5))
                )
                for _ in range(rng.randrange(1, 4))
            ]
            selection = parse(words)
        else:
            selection = Selection.from_json(mutate_json(SELECTION, rng))
            assert Selection.from_json(json.dumps(selection.to_dict())) == selection
        mask = selection.mask(
            grid, space, rng.choice((0, 1, 2**40)), nyquist=rng.choice((None, 4000.0, 100.0))
        )
        assert mask.any() and mask.shape == grid.shape
        return "selected"

    return case


def settings_target(folder: Path):
    from atomizer.atoms.selection import Selection
    from atomizer.inpainting.recipe import Recipe, parse_recipes
    from atomizer.inpainting.resolve import resolve
    from atomizer.inpainting.settings import Settings
    from atomizer.io.audio import Sound

    sound = Sound(samples_of(1600, 2, 8000).T.astype(np.float32).copy(), 8000)
    seed = {
        "atomizer": "0.1",
        "fills": [
            Recipe(
                Selection.from_dict({**SELECTION, "parts": ["random:50"]}),
                Settings("noise", "time", True, 3, 0.5, 0.9, "sampled", 7),
            ).to_dict(),
            {
                **Recipe(
                    Selection.from_dict({"parts": ["random:50"]}), Settings("noise")
                ).to_dict(),
                "extend": 0.1,
            },
            {
                "selection": {"regions": []},
                "settings": {"method": "noise"},
                "add_channels": 1,
                "stop_after": 1,
            },
        ],
    }

    def case(rng: random.Random) -> str:
        out = sound
        for recipe in parse_recipes(mutate_json(seed, rng)):
            out = replace(out, samples=out.samples[:, :4000])
            if recipe.settings.method == "model":
                resolve(recipe.settings, recipe.task(out))
                continue
            out = recipe.apply(out)
            assert np.isfinite(out.samples).all()
        return "filled"

    return case


def atoms_target(folder: Path):
    from atomizer.atoms.atoms import Atoms
    from atomizer.atoms.space import AtomSpace

    space = AtomSpace(rate=8000, hop=64, channels=2)
    rng = np.random.default_rng(0)
    atoms = Atoms.from_grid(rng.standard_normal((2, 5, 64)).astype(np.float32), space, 250)
    atoms.save(folder / "seed.npz")
    data = (folder / "seed.npz").read_bytes()
    with np.load(folder / "seed.npz") as file:
        arrays = {name: file[name] for name in file.files}

    def invalid_arrays(rng: random.Random) -> dict[str, np.ndarray]:
        out = dict(arrays)
        for _ in range(rng.choice((1, 1, 2, 3))):
            name = rng.choice(list(out))
            match rng.randrange(7):
                case 0:
                    out.pop(name)
                case 1:
                    out[name] = np.asarray(
                        rng.choice(
                            [v for v in LEAVES if isinstance(v, (int, float)) and abs(v) < 2**63]
                            + ["text"]
                        )
                    )
                case 2:
                    if out[name].dtype.kind not in "UO":
                        out[name] = out[name].astype(
                            rng.choice(("f8", "i8", "u1", "U3", "c8", "?", ">i4"))
                        )
                case 3:
                    out[name] = np.array([{"an": "object"}], dtype=object)
                case 4:
                    out[name] = np.resize(out[name], rng.choice(((3,), (0,), (2, 2), (1000,))))
                case 5:
                    out[name] = np.broadcast_to(
                        np.zeros(1, np.int32), (rng.choice((10**5, 3 * 10**6)),)
                    )
                case 6:
                    out[
                        rng.choice(
                            (
                                "space_hop",
                                "space_extra",
                                "length",
                                "space_window",
                                "space_rate",
                                "../../x",
                            )
                        )
                    ] = np.asarray(rng.choice((0, -2, 3, 2**40, "kbd", 1.5, 2**20)))
        return out

    def bomb(rng: random.Random) -> bytes:
        """Return a zip whose headers claim missing shapes, or whose zeros would fill the memory."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                content = io.BytesIO()
                np.save(content, array)
                if name == rng.choice(list(arrays)):
                    dtype, count = (
                        rng.choice(("<i4", "|O", "<f4", "<M8[ns]", "|V9")),
                        rng.choice((2**33, 2**62, -1, 10**9)),
                    )
                    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({count},)}}"
                    header = header.ljust(117) + "\n"
                    content = io.BytesIO(
                        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                    )
                    content.seek(0, 2)
                    content.write(bytes(rng.choice((0, 1000, 50_000_000))))
                archive.writestr(
                    rng.choice(("", "", "", "../")) + name + ".npy", content.getvalue()
                )
        return buffer.getvalue()

    def case(rng: random.Random) -> str:
        path = folder / "case.npz"
        chance = rng.random()
        if chance < 0.5:
            path.write_bytes(mutate_bytes(data, rng))
        elif chance < 0.97:
            with open(path, "wb") as file:
                np.savez_compressed(file, **invalid_arrays(rng))
        else:
            path.write_bytes(bomb(rng))
        try:
            found = Atoms.load(path)
            assert np.isfinite(found.to_grid()).all()
        finally:
            path.unlink()
        return "loaded"

    return case


def file_target(folder: Path):
    """Files of atoms: truncated, changed, and forged with valid checksums."""
    from atomizer.codec import FILLS, bitstream, decode, encode
    from atomizer.io.audio import Sound

    seeds = []
    for rate, channels, order, kbps in [
        (44_100, 2, "audibility", 64),
        (44_100, 2, "velocity", None),
        (8000, 1, "audibility", 16),
        (96_000, 3, "velocity", 200),
    ]:
        samples = samples_of(3000, channels, rate).T.astype(np.float32)
        seeds.append(encode(Sound(samples, rate), kbps=kbps, order=order))
    for data in seeds:
        decode(data)  # compiles

    def forge(data: bytes, rng: random.Random) -> bytes:
        """Header and code changed, with checksums that are right."""
        size = bitstream.HEADER_BYTES
        code = bitstream.from_chunks(data[size:], len(data))
        header = bytearray(data[: size - 4])
        for _ in range(rng.randrange(3)):
            header[rng.randrange(5, len(header))] = rng.randrange(256)
        if rng.random() < 0.5:
            code = mutate_bytes(code, rng)
            header[-4:] = struct.pack("<I", len(code))
        checksum = struct.pack("<I", zlib.crc32(header))
        return bytes(header) + checksum + bitstream.to_chunks(code)

    def case(rng: random.Random) -> str:
        data = rng.choice(seeds)
        match rng.randrange(4):
            case 0:
                data = data[: rng.randrange(len(data) + 1)]
            case 1:
                data = mutate_bytes(data, rng)
            case _:
                data = forge(data, rng)
        sound = decode(data, fill=rng.choice((None, None, *FILLS)), max_seconds=MAX_SECONDS)
        assert np.isfinite(sound.samples).all() and 0 < sound.seconds <= MAX_SECONDS
        return "decoded"

    return case


def checkpoint_target(folder: Path):
    import torch

    from atomizer.model import AtomTransformer, checkpoint
    from tests.tiny import TINY

    torch.set_num_threads(1)
    torch.manual_seed(0)
    AtomTransformer(TINY).save_pretrained(folder / "seed")
    weights, settings = (
        (folder / "seed" / "model.safetensors").read_bytes(),
        json.loads((folder / "seed" / "config.json").read_text()),
    )
    case_folder = folder / "case"
    case_folder.mkdir()

    def case(rng: random.Random) -> str:
        files = {"config.json": json.dumps(settings).encode(), "model.safetensors": weights}
        match rng.randrange(6):
            case 0 | 1:
                files["model.safetensors"] = mutate_bytes(weights, rng)
            case 2 | 3:
                files["config.json"] = mutate_json(settings, rng).encode("utf-8", "replace")
            case 4:
                numbers = sorted(set(settings) - {"space", "encoding", "serialisations"})
                sizes = {
                    name: rng.choice((0, 1, 7, 4096, 10**6, 10**9, 2**62))
                    for name in rng.sample(numbers, 2)
                }
                files["config.json"] = json.dumps({**settings, **sizes}).encode()
            case 5:
                del files["model.safetensors"]
                files["pytorch_model.bin"] = (
                    b"cos\nsystem\n(S'true'\ntR."  # a pickle that would start a program
                )
                files["model.safetensors.index.json"] = json.dumps(
                    {
                        "weight_map": {
                            "x": rng.choice(
                                (
                                    "../seed/model.safetensors",
                                    str(folder / "seed" / "model.safetensors"),
                                    "pytorch_model.bin",
                                    "missing.safetensors",
                                )
                            )
                        }
                    }
                ).encode()
        for name, content in files.items():
            (case_folder / name).write_bytes(content)
        try:
            checkpoint.load(case_folder, "cpu")
        finally:
            for name in files:
                (case_folder / name).unlink()
        return "loaded"

    return case


def api_target(folder: Path):
    """The two endpoints, with a value of any type for every parameter."""
    from atomizer.ui import api

    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    (folder / "garbage.wav").write_bytes(b"RIFF" + bytes(100))
    usual = dict(
        select=["above:1000"],
        features=["velocity", "sign"],
        order="auto",
        reverse=False,
        steps=1,
        temperature=1.0,
        nucleus=0.9,
        seed=1,
        method="noise",
        extend=0,
        add_channels=0,
        atomizer="matching-pursuit",
    )
    # late imports and compilation open files that do not belong to a case
    for atomizer in (
        "mdct",
        "matching-pursuit",
    ):
        api.fill_file(str(folder / "in.wav"), **{**usual, "atomizer": atomizer})

    def case(rng: random.Random) -> str:
        file = str(
            folder
            / rng.choice(("in.wav", "in.wav", "in.wav", "in.wav", "garbage.wav", "missing.wav"))
        )
        if rng.random() < 0.05:
            return str(api.atomize(file)["atoms"] > 0)
        arguments = dict(usual)
        for _ in range(rng.choice((1, 1, 2, 4))):
            name = rng.choice(list(usual))
            arguments[name] = (
                mutate_value(arguments[name], rng) if rng.random() < 0.5 else rng.choice(LEAVES)
            )
        path = Path(api.fill_file(file, **arguments))
        assert path.is_file() and np.isfinite(soundfile.read(path)[0]).all()
        path.unlink()
        path.parent.rmdir()
        return "filled"

    return case


def page_target(folder: Path):
    """A session on the page: handlers in any order, with values of any type."""
    import gradio as gr

    from atomizer.ui import gpu, handlers
    from atomizer.ui.component import AtomView
    from atomizer.ui.message import Message
    from atomizer.ui.session import Tab

    gpu.has_model = lambda: False
    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    view = AtomView()
    usual = ["auto", False, "1", "", "", 1, "noise", "auto", 0, 1]
    looks = [
        {"scale": "log", "colour": "sign"},
        {"scale": "mel", "stacked": True, "seconds": [0, 0.1], "hertz": [100, 4000]},
        {"colour": "rank", "dark": True},
    ]

    def case(rng: random.Random) -> str:
        def is_answer(message) -> bool:
            return isinstance(message, Message) or message == gr.skip()

        _, session = handlers.load(str(folder / "in.wav"), Tab())
        try:
            for _ in range(rng.randrange(1, 4)):
                numbers = [*session.stored, *LEAVES]
                match rng.randrange(7):
                    case 0 | 1:
                        data = mutate_value(
                            {
                                "regions": SELECTION["regions"][:2],
                                "specs": ["random:50"],
                                "key": "k",
                            },
                            rng,
                        )
                        try:
                            chosen = view.preprocess(Message(**data))
                        except (ValueError, TypeError):  # Gradio's own check of the types
                            continue
                        features = rng.choice((["velocity"], ["sign", "velocity"], []))
                        controls = list(usual)
                        controls[rng.choice((0, 2, 3, 4, 5, 7, 8))] = rng.choice(
                            [v for v in LEAVES if not isinstance(v, (list, dict))]
                        )
                        assert is_answer(handlers.describe(chosen, session, features, *controls))
                        for message in handlers.fill_selection(
                            chosen, session, features, *controls
                        ):
                            assert is_answer(message)
                    case 2:
                        for message in handlers.continue_sound(
                            session, rng.choice((0.1, *NUMBERS)), *usual
                        ):
                            assert is_answer(message)
                    case 3:
                        request = {
                            "kind": rng.choice(
                                ("same", "flac", "npz", "csv", "settings", "png", "svg")
                            ),
                            "version": rng.choice(("filled", "masked", "original")),
                            "variation": rng.choice(numbers),
                            "look": rng.choice(looks),
                        }
                        for _ in range(rng.randrange(3)):
                            request = mutate_value(request, rng)
                        assert is_answer(handlers.export_file(session, request))
                    case 4:
                        assert is_answer(
                            rng.choice((handlers.accept, handlers.delete_variation))(
                                session, rng.choice(numbers)
                            )
                        )
                    case 5:
                        assert is_answer(handlers.undo(Tab(session))[0]) and is_answer(
                            handlers.stop(session)
                        )
                    case 6:
                        for message in handlers.compare_with_noise(session, rng.choice(numbers)):
                            assert is_answer(message)
                assert not re.search("Traceback|went wrong inside", session.message.status), (
                    session.message.status
                )
                session.message.model_dump_json()
        finally:
            session.close()
            for file in (folder / "gradio").rglob("*"):
                if file.is_file():
                    file.unlink()
        return "shown"

    return case


def session_target(folder: Path):
    """Session files: changed bytes, manifests and arrays; what opens is used."""
    from atomizer.plotting.style import PlotStyle
    from atomizer.ui import gpu, handlers
    from atomizer.ui.exports import ExportRequest, export
    from atomizer.ui.handlers.saving import open_saved
    from atomizer.ui.message import Chosen
    from atomizer.ui.session import Tab

    gpu.has_model = lambda: False
    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    chosen = Chosen(regions=SELECTION["regions"][:1], parts=[])
    controls = ("auto", False, None, None, None, "", "noise", "auto", 0, 1)

    def save(session) -> bytes:
        features = ["velocity", "sign"]
        message = handlers.save_session(chosen, session, {}, features, *controls, 1)
        assert message.download is not None, message.status
        return Path(message.download.file.path).read_bytes()

    _, session = handlers.load(str(folder / "in.wav"), Tab())
    list(handlers.fill_selection(chosen, session, ["velocity", "sign"], *controls))
    handlers.accept(session, session.shown.current)
    list(handlers.add_channel(session, *controls))
    list(handlers.fill_selection(chosen, session, ["sign"], *controls))
    data = save(session)
    session.close()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}

    def changed(rng: random.Random) -> bytes:
        if rng.random() < 0.2:
            return mutate_bytes(data, rng)
        contents = dict(files)
        if rng.random() < 0.75:
            manifest = mutate_json(json.loads(files["session.json"]), rng)
            contents["session.json"] = manifest.encode("utf-8", "replace")
        else:
            name = rng.choice(list(files))
            contents[name] = mutate_bytes(files[name], rng)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for name, content in contents.items():
                new.writestr(name, content)
        return out.getvalue()

    def case(rng: random.Random) -> str:
        path = folder / "case.atomizer"
        path.write_bytes(changed(rng))
        session = None
        try:
            session = open_saved(path)
            session.message.model_dump_json()
            for variation in session.shown.variations:
                request = ExportRequest("same", "filled", variation.id, PlotStyle())
                assert export(session, request).data
            save(session)
            handlers.undo(Tab(session))
        finally:
            path.unlink()
            if session is not None:
                session.close()
        return "opened"

    return case
