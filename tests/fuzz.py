"""Mutation fuzzing of everything that a stranger can hand to the Atomizer.

    python -m tests.fuzz --cases 20000 --seed 0              # all kinds, in the proportions of KINDS
    python -m tests.fuzz --kinds sound,atoms --cases 500
    python -m tests.fuzz --kinds sound --only 1234 --seed 0  # one case again, with its traceback

A case is wrong where anything but a result or one sentence comes out, where it takes longer than LIMIT_SECONDS, where it takes more than
its kind's share of memory, or where a file outside of the temporary folder is written, or one is read that is no part of the program.
Every case follows from the seed, its kind and its number alone.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import json
import logging
import multiprocessing
import os
import random
import re
import resource
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS = 60  # generous: the machine may be busy; a case takes milliseconds
ADDRESS_SPACE = 6 << 30  # beyond what a worker has mapped when it starts
LONGEST = 20.0  # seconds of sound that are accepted here

# ------------------------------------------------------------------ mutations

NUMBERS = (0, 1, -1, 2, 0.5, -0.5, 1e-300, 1e308, -1e308, 1e12, 2**31, 2**63, 2**70, -(2**63), float("nan"), float("inf"), -float("inf"))
TEXTS = ("", " ", "auto", "nan", "inf", "-1", "1e999", "0x10", "٣", "a" * 5000, "../../../etc/passwd", "/etc/passwd", "file:///etc/passwd",
         "http://127.0.0.1:9/x", "\x00", "\ud800", "💥", "<img src=x onerror=alert(1)>", "'; DROP TABLE atoms; --", "{}", "[]", "null", "{0.__class__}",
         "%s%n", "__import__('os').system('true')", "above:1e400", "rect:1,2", "time:2-1", "random:101", "keep:1e18", "channel:1e30", "above:-0")
LEAVES = (*NUMBERS, *TEXTS, None, True, False, [], {}, [[]], [None], {"": None}, {"path": "/etc/passwd"}, [1, [2, [3, [4]]]])


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    """A few changes: bits, bytes, numbers that mean sizes, and pieces cut, doubled, swapped or made up."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not out:
            return bytes(rng.randbytes(rng.randrange(64)))
        # headers are where sizes and kinds are
        at = rng.randrange(min(len(out), rng.choice((16, 64, 256, len(out)))))
        end = min(len(out), at + rng.choice((1, 2, 4, 16, 256)))
        match rng.randrange(9):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            case 2:
                value = struct.pack(rng.choice("<>") + "I", rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32))))
                out[at : at + 4] = value
            case 3:
                del out[at:end]
            case 4:
                out[at:at] = out[at:end] * rng.choice((1, 2, 50))
            case 5:
                del out[at:]
            case 6:
                other = rng.randrange(len(out))
                out[at:end], out[other : other + end - at] = out[other : other + end - at], out[at:end]
            case 7:
                out[at:end] = rng.randbytes(end - at)
            case 8:
                out += rng.randbytes(rng.choice((1, 100, 5000)))
    return bytes(out)


def mutate_value(value, rng: random.Random):
    """JSON-like data with one of its parts replaced, taken out, doubled or wrapped."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        match rng.randrange(8):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, rng.choice(TEXTS): rng.choice(LEAVES)}
            case _:
                return {**value, key: mutate_value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        at = rng.randrange(len(value))
        match rng.randrange(8):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return value + [value[at]] * rng.choice((1, 3, 300))
            case 2:
                return rng.sample(value, len(value))
            case _:
                return value[:at] + [mutate_value(value[at], rng)] + value[at + 1 :]
    match rng.randrange(6):
        case 0:
            return [value]
        case 1:
            return {"kind": value}
        case 2 if isinstance(value, (int, float)) and not isinstance(value, bool):
            return rng.choice((-value, value * 10, value / 10, str(value), value + 1))
        case _:
            return rng.choice(LEAVES)


def mutate_json(value, rng: random.Random) -> str:
    """Text of mutated data; sometimes the text itself is broken."""
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        value = mutate_value(value, rng)
    text = json.dumps(value)
    if rng.random() < 0.1:
        return mutate_bytes(text.encode(), rng).decode("utf-8", "replace")
    if rng.random() < 0.01:
        depth = rng.choice((100, 10_000, 100_000))
        return "[" * depth + "]" * depth
    return text


# ------------------------------------------------------------------ what is fuzzed


@dataclass(frozen=True)
class Kind:
    """share of all cases; memory in MB that a case may take; lab(folder) prepares seeds and returns case(rng) -> outcome."""

    share: float
    memory: int
    lab: Callable[[Path], Callable[[random.Random], str]]


def samples_of(length: int, channels: int, rate: int) -> np.ndarray:
    rng, t = np.random.default_rng(0), np.arange(length) / rate
    return np.stack([0.2 * np.sin(2 * np.pi * 440 * (c + 1) * t) + 0.02 * rng.standard_normal(length) for c in range(channels)], 1)


def sound_lab(folder: Path):
    from atomizer.audio import read
    from atomizer.fill import Settings, fill, last
    from atomizer.selection import parse
    from atomizer.task import prepare

    seeds = []
    for ending, subtype, rate, channels in [
            ("wav", "PCM_16", 8000, 1), ("wav", "FLOAT", 44_100, 2), ("wav", "PCM_24", 8000, 8), ("wav", "MS_ADPCM", 8000, 1), ("wav", "ULAW", 8000, 2),
            ("flac", "PCM_16", 44_100, 2), ("flac", "PCM_24", 96_000, 1), ("ogg", "VORBIS", 44_100, 2), ("ogg", "OPUS", 48_000, 1), ("mp3", None, 44_100, 2),
            ("mp3", None, 16_000, 1), ("aiff", "PCM_16", 8000, 1), ("w64", "PCM_16", 8000, 1), ("caf", "ALAC_16", 44_100, 2), ("au", "FLOAT", 8000, 1)]:
        path = folder / f"seed{len(seeds)}.{ending}"
        soundfile.write(path, samples_of(4000, channels, rate), rate, subtype)
        seeds.append((ending, path.read_bytes()))
    seeds += [("flac", flac_bomb(hours)) for hours in (0.001, 1, 100)]

    def case(rng: random.Random) -> str:
        ending, data = rng.choice(seeds)
        path = folder / f"case.{ending}"
        path.write_bytes(mutate_bytes(data, rng))
        try:
            sound = read(path, LONGEST)
            assert np.isfinite(sound.samples).all() and 0 < sound.seconds <= LONGEST and sound.samples.dtype == np.float32
            if sound.samples.size < 50_000:
                task = prepare(sound, parse([rng.choice(("above:1000", "random:50", "time:0.1-0.2", "channel:0", "quietest:50"))]))
                assert np.isfinite(task.render(last(fill(task, Settings("noise"))).grid).samples).all()
        finally:
            path.unlink()
        return "read"

    return case


def flac_bomb(hours: float) -> bytes:
    """A FLAC file of valid frames of silence, ten bytes each, whose header claims hours; there are at most a hundred frames."""
    frames, rate = int(hours * 3600 * 44_100), 44_100

    def crc(data: bytes, polynomial: int, bits: int) -> int:
        value = 0
        for byte in data:
            value ^= byte << (bits - 8)
            for _ in range(8):
                value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
                value &= (1 << bits) - 1
        return value

    info = struct.pack(">HH", 4096, 4096) + bytes(6) + ((rate << 44) | (0 << 41) | (15 << 36) | min(frames, 2**36 - 1)).to_bytes(8, "big") + bytes(16)
    out = b"fLaC" + bytes([0x80, 0, 0, 34]) + info
    for number in range(min(100, frames // 4096)):
        header = bytes([0xFF, 0xF8, 0xC9, 0x08, number])  # 4096 samples, 44.1 kHz, mono, 16 bit
        header += bytes([crc(header, 0x107, 8)])
        frame = header + bytes([0, 0, 0])  # a constant subframe of value 0
        out += frame + crc(frame, 0x18005, 16).to_bytes(2, "big")
    return out


SELECTION = {"regions": [
    {"kind": "rect", "op": "add", "t": [0.01, 0.04], "f": [300, 2000]}, {"kind": "rect", "t": [0.02, None]}, {"kind": "rect", "op": "subtract", "channels": [0]},
    {"kind": "lasso", "points": [[0.01, 100], [0.03, 3000], [0.05, 200]], "scale": "log"},
    {"kind": "brush", "points": [[0.01, 500], [0.05, 900]], "size": [0.01, 200], "channels": [0, 1]}],
    "parts": ["random:50", "quietest:10", "keep:500"], "features": ["velocity", "sign"]}


def selection_lab(folder: Path):
    from atomizer.atoms import AtomSpace
    from atomizer.selection import Selection, parse

    space = AtomSpace(rate=8000, hop=64)
    grid = np.random.default_rng(0).standard_normal((2, 10, 64)).astype(np.float32)

    def case(rng: random.Random) -> str:
        if rng.random() < 0.2:
            words = [rng.choice(("above", "below", "time", "after", "channel", "random", "keep", "rect", rng.choice(TEXTS))) + rng.choice((":", "", "::"))
                     + rng.choice((",", "-", " ")).join(str(rng.choice(LEAVES)) for _ in range(rng.randrange(5))) for _ in range(rng.randrange(1, 4))]
            selection = parse(words)
        else:
            selection = Selection.from_json(mutate_json(SELECTION, rng))
            assert Selection.from_json(json.dumps(selection.to_dict())) == selection
        mask = selection.mask(grid, space, rng.choice((0, 1, 2**40)), nyquist=rng.choice((None, 4000.0, 100.0)))
        assert mask.any() and mask.shape == grid.shape
        return "selected"

    return case


def settings_lab(folder: Path):
    from atomizer.audio import Sound
    from atomizer.fill import Settings, resolve
    from atomizer.recipe import Recipe, parse_recipes
    from atomizer.selection import Selection

    sound = Sound(samples_of(1600, 2, 8000).T.astype(np.float32).copy(), 8000)
    seed = {"atomizer": "0.1", "fills": [
        Recipe(Selection.from_dict({**SELECTION, "parts": ["random:50"]}), Settings("noise", "time", True, 3, 0.5, 0.9, False, 7)).to_dict(),
        {**Recipe(Selection.from_dict({"parts": ["random:50"]}), Settings("noise")).to_dict(), "extend": 0.1},
        {"selection": {"regions": []}, "settings": {"method": "noise"}, "add_channels": 1, "stop_after": 1}]}

    def case(rng: random.Random) -> str:
        out = sound
        for recipe in parse_recipes(mutate_json(seed, rng)):
            out = replace(out, samples=out.samples[:, :4000])
            if recipe.settings.method == "model":
                resolve(recipe.settings, recipe.task(out))
                continue
            out = recipe.make(out)
            assert np.isfinite(out.samples).all()
        return "filled"

    return case


def atoms_lab(folder: Path):
    from atomizer.atoms import Atoms, AtomSpace

    space = AtomSpace(rate=8000, hop=64, channels=2)
    rng = np.random.default_rng(0)
    atoms = Atoms.from_grid(rng.standard_normal((2, 5, 64)).astype(np.float32), space, 250)
    atoms.save(folder / "seed.npz")
    data = (folder / "seed.npz").read_bytes()
    with np.load(folder / "seed.npz") as file:
        arrays = {name: file[name] for name in file.files}

    def strange(rng: random.Random) -> dict[str, np.ndarray]:
        out = dict(arrays)
        for _ in range(rng.choice((1, 1, 2, 3))):
            name = rng.choice(list(out))
            match rng.randrange(7):
                case 0:
                    out.pop(name)
                case 1:
                    out[name] = np.asarray(rng.choice([v for v in LEAVES if isinstance(v, (int, float)) and abs(v) < 2**63] + ["text"]))
                case 2:
                    if out[name].dtype.kind != "U":
                        out[name] = out[name].astype(rng.choice(("f8", "i8", "u1", "U3", "c8", "?", ">i4")))
                case 3:
                    out[name] = np.array([{"an": "object"}], dtype=object)
                case 4:
                    out[name] = np.resize(out[name], rng.choice(((3,), (0,), (2, 2), (1000,))))
                case 5:
                    out[name] = np.broadcast_to(np.zeros(1, np.int32), (rng.choice((10**5, 3 * 10**6)),))
                case 6:
                    out[rng.choice(("space_hop", "space_extra", "length", "space_window", "space_rate", "../../x"))] = np.asarray(
                        rng.choice((0, -2, 3, 2**40, "kbd", 1.5, 2**20)))
        return out

    def bomb(rng: random.Random) -> bytes:
        """Members whose headers claim shapes that are not there, or whose zeros would fill the memory."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, array in arrays.items():
                content = io.BytesIO()
                np.save(content, array)
                if name == rng.choice(list(arrays)):
                    header = f"{{'descr': '{rng.choice(('<i4', '|O', '<f4', '<M8[ns]', '|V9'))}', 'fortran_order': False, 'shape': ({rng.choice((2**33, 2**62, -1, 10**9))},)}}"
                    header = header.ljust(117) + "\n"
                    content = io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
                    content.seek(0, 2)
                    content.write(bytes(rng.choice((0, 1000, 50_000_000))))
                archive.writestr(rng.choice(("", "", "", "../")) + name + ".npy", content.getvalue())
        return buffer.getvalue()

    def case(rng: random.Random) -> str:
        path = folder / "case.npz"
        chance = rng.random()
        if chance < 0.5:
            path.write_bytes(mutate_bytes(data, rng))
        elif chance < 0.97:
            with open(path, "wb") as file:
                np.savez_compressed(file, **strange(rng))
        else:
            path.write_bytes(bomb(rng))
        try:
            found = Atoms.load(path)
            assert np.isfinite(found.to_grid()).all()
        finally:
            path.unlink()
        return "loaded"

    return case


def checkpoint_lab(folder: Path):
    import torch

    from atomizer import checkpoint
    from atomizer.atoms import AtomSpace
    from atomizer.model import AtomTransformer, ModelConfig

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = ModelConfig(space=AtomSpace(rate=8000, hop=64, frames=16, channels=2), cell=(4, 8, 2), embed=8, width=32, heads=2, layers=2, window=16, slot=4,
                         hidden=32)
    AtomTransformer(config).save_pretrained(folder / "seed")
    weights, settings = (folder / "seed" / "model.safetensors").read_bytes(), json.loads((folder / "seed" / "config.json").read_text())
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
                sizes = {k: rng.choice((0, 1, 7, 4096, 10**6, 10**9, 2**62)) for k in rng.sample(sorted(set(settings) - {"space", "encoding", "serialisations"}), 2)}
                files["config.json"] = json.dumps({**settings, **sizes}).encode()
            case 5:
                del files["model.safetensors"]
                files["pytorch_model.bin"] = b"cos\nsystem\n(S'true'\ntR."  # a pickle that would call a program
                files["model.safetensors.index.json"] = json.dumps({"weight_map": {"x": rng.choice((
                    "../seed/model.safetensors", str(folder / "seed" / "model.safetensors"), "pytorch_model.bin", "missing.safetensors"))}}).encode()
        for name, content in files.items():
            (case_folder / name).write_bytes(content)
        try:
            checkpoint.load(case_folder, "cpu")
        finally:
            for name in files:
                (case_folder / name).unlink()
        return "loaded"

    return case


def api_lab(folder: Path):
    """The two endpoints, with values of any kind in every place."""
    from atomizer.ui import api

    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    (folder / "garbage.wav").write_bytes(b"RIFF" + bytes(100))
    usual = dict(select=["above:1000"], features=["velocity", "sign"], order="auto", reverse=False, steps=1, temperature=1.0, nucleus=0.9, seed=1,
                 method="noise", extend=0, add_channels=0)

    def case(rng: random.Random) -> str:
        file = str(folder / rng.choice(("in.wav", "in.wav", "in.wav", "in.wav", "garbage.wav", "missing.wav")))
        if rng.random() < 0.05:
            return str(api.atomize(file)["atoms"] > 0)
        arguments = dict(usual)
        for _ in range(rng.choice((1, 1, 2, 4))):
            name = rng.choice(list(usual))
            arguments[name] = mutate_value(arguments[name], rng) if rng.random() < 0.5 else rng.choice(LEAVES)
        path = Path(api.fill_file(file, **arguments))
        assert path.is_file() and np.isfinite(soundfile.read(path)[0]).all()
        path.unlink()
        path.parent.rmdir()
        return "filled"

    return case


def page_lab(folder: Path):
    """A visitor's session: handlers in any order, with values of any kind."""
    import gradio as gr

    from atomizer.ui import actions
    from atomizer.ui.view import AtomView, Message

    actions.has_model = lambda: False
    soundfile.write(folder / "in.wav", samples_of(2000, 1, 8000), 8000)
    view = AtomView()
    usual = ["auto", False, "1", "", "", 1, "noise", 1]
    looks = [{"scale": "log", "colour": "sign"}, {"scale": "mel", "stacked": True, "seconds": [0, 0.1], "hertz": [100, 4000]}, {"colour": "rank", "dark": True}]

    def case(rng: random.Random) -> str:
        def said(message) -> bool:
            return isinstance(message, Message) or message == gr.skip()

        _, session = actions.load(view, str(folder / "in.wav"), None)
        try:
            for _ in range(rng.randrange(1, 4)):
                numbers = [*session.kept, *LEAVES]
                match rng.randrange(7):
                    case 0 | 1:
                        data = mutate_value({"regions": SELECTION["regions"][:2], "specs": ["random:50"], "key": "k"}, rng)
                        try:
                            chosen = view.preprocess(Message(**data))
                        except (ValueError, TypeError):  # Gradio's own check of the kinds
                            continue
                        features = rng.choice((["velocity"], ["sign", "velocity"], []))
                        assert said(actions.describe(chosen, features, rng.choice((0, 1, None, -1)), session))
                        controls = list(usual)
                        controls[rng.choice((0, 2, 3, 4, 5, 7))] = rng.choice([v for v in LEAVES if not isinstance(v, (list, dict))])
                        for message in actions.fill_selection(chosen, session, features, *controls):
                            assert said(message)
                    case 2:
                        for message in actions.continue_sound(session, rng.choice((0.1, *NUMBERS)), *usual):
                            assert said(message)
                    case 3:
                        request = {"kind": rng.choice(("same", "flac", "npz", "csv", "settings", "png", "svg")), "version": rng.choice(("filled", "masked", "original")),
                                   "variation": rng.choice(numbers), "look": rng.choice(looks)}
                        for _ in range(rng.randrange(3)):
                            request = mutate_value(request, rng)
                        assert said(actions.hand_over(session, request))
                    case 4:
                        assert said(rng.choice((actions.adopt, actions.forget))(session, rng.choice(numbers)))
                    case 5:
                        assert said(actions.revert(session)) and said(actions.stop(session))
                    case 6:
                        for message in actions.noise(session, rng.choice(numbers)):
                            assert said(message)
                assert not re.search("Traceback|went wrong inside", session.message.status), session.message.status
                session.message.model_dump_json()
        finally:
            session.close()
            for file in (folder / "gradio").rglob("*"):
                if file.is_file():
                    file.unlink()
        return "shown"

    return case


KINDS = {
    "sound": Kind(0.30, 700, sound_lab), "selection": Kind(0.20, 100, selection_lab), "settings": Kind(0.14, 700, settings_lab),
    "atoms": Kind(0.12, 700, atoms_lab), "checkpoint": Kind(0.05, 300, checkpoint_lab), "api": Kind(0.12, 700, api_lab), "page": Kind(0.07, 900, page_lab),
}

# ------------------------------------------------------------------ judging


class Outside:
    """Watches which files are opened while a case runs: writing only below `folder`, reading there and where the program lies."""

    def __init__(self, folder: Path):
        self.folder, self.on, self.found = str(folder), False, []
        self.readable = tuple({self.folder, str(ROOT), sys.prefix, sys.base_prefix, "/usr/lib", "/usr/share", "/proc", "/sys", "/dev", "/etc/ld.so",
                               "/etc/localtime", "/etc/mime.types", "/etc/apache2", "/etc/httpd", "/etc/fonts", os.path.expanduser("~/.cache"), "/usr/local"})
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int) or path is None:
                return
            path = os.path.realpath(os.fsdecode(path))
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) if isinstance(flags, int) and flags else any(c in str(mode) for c in "wax+")
            if not path.startswith(self.folder if writes else self.readable) and path != "/dev/null":
                self.found.append(f"{'writes' if writes else 'reads'} {path}")
        elif event in ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "os.startfile"):
            self.found.append(f"{event} {arguments!r:.100}")
        elif event in ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink", "shutil.rmtree"):
            two = event in ("os.rename", "os.link", "os.symlink")
            relative_to = arguments[2 if two else -1] if isinstance(arguments[-1], int) and arguments[-1] >= 0 else None
            base = os.readlink(f"/proc/self/fd/{relative_to}") if relative_to is not None else "."
            for path in arguments[: 2 if two else 1]:
                if isinstance(path, (str, bytes, os.PathLike)) and not os.path.abspath(os.path.join(base, os.fsdecode(path))).startswith(self.folder):
                    self.found.append(f"{event} {path}")


def peak_mb() -> float:
    """Highest resident memory since `reset_peak`, in MB."""
    text = Path("/proc/self/status").read_text() if sys.platform == "linux" else ""
    found = re.search(r"VmHWM:\s+(\d+)", text)
    return int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reset_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def unclear(sentence: str) -> str | None:
    """What is wrong with a sentence that a user gets."""
    if not sentence.endswith(".") or "\n" in sentence or len(sentence) > 400:
        return "no sentence"
    return "unforeseen" if "Traceback" in sentence or "went wrong inside" in sentence else None


def judge(case: Callable[[random.Random], str], rng: random.Random, outside: Outside, memory: int) -> tuple[str, str]:
    """(outcome, what is wrong with it) of one case; nothing is wrong where the second is empty."""
    import gradio as gr

    from atomizer.atoms import AtomizerError

    reset_peak()
    before, outside.found, wrong = peak_mb(), [], ""
    outside.on = True
    try:
        outcome = case(rng)
    except (AtomizerError, gr.Error) as error:
        sentence = error.message if isinstance(error, gr.Error) else str(error)
        outcome, wrong = "refused", unclear(sentence) or ""
        if wrong:
            wrong += f": {sentence!r:.300}" + "".join(traceback.format_exception(error.__cause__ or error))[-1500:]
    except BaseException as error:
        outcome, wrong = "wrong", "".join(traceback.format_exception(error))[-2500:]
    outside.on = False
    if outside.found:
        wrong += f" outside of the folder: {outside.found[:3]}"
    if peak_mb() - before > memory:
        wrong += f" takes {peak_mb() - before:.0f} MB"
    return ("wrong" if wrong else outcome), wrong


def work(name: str, seed: int, numbers: range, at, results) -> None:
    """Run the cases of one kind in a process of its own; `at` tells which one is running."""
    hangs = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libmpg123 talks
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        tempfile.tempdir = folder
        os.environ |= {"GRADIO_TEMP_DIR": str(Path(folder) / "gradio"), "HF_HUB_OFFLINE": "1", "MPLCONFIGDIR": str(Path(folder) / "mpl"),
                       "ATOMIZER_MAX_SECONDS": str(LONGEST), "ATOMIZER_PAGE_SECONDS": str(LONGEST)}
        folder = Path(folder).resolve()
        with contextlib.redirect_stdout(io.StringIO()):
            import atomizer.ui  # noqa: F401 (what all kinds import is loaded before memory is measured)
            kind = KINDS[name]
            case = kind.lab(folder)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
        if mapped:
            resource.setrlimit(resource.RLIMIT_AS, (mapped + ADDRESS_SPACE,) * 2)
        outside = Outside(folder)
        with contextlib.suppress(Exception):
            case(random.Random(0))  # imports that happen late
        for number in numbers:
            at.value = number
            faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True, file=hangs)
            start = time.perf_counter()
            outcome, wrong = judge(case, random.Random(f"{seed}/{name}/{number}"), outside, kind.memory)
            faulthandler.cancel_dump_traceback_later()
            results.put((number, outcome, wrong, time.perf_counter() - start))
        results.put(None)


@dataclass
class Report:
    kind: str
    cases: int
    outcomes: dict[str, int]
    slowest_s: float
    seconds: float
    wrong: list[tuple[int, str]]


def fuzz(name: str, seed: int, numbers: range) -> Report:
    """Run cases of a kind, going on after one that hangs or crashes."""
    context = multiprocessing.get_context("spawn")
    outcomes, wrong, slowest, start = Counter(), [], 0.0, time.perf_counter()
    while len(numbers):
        at, results = context.Value("q", -1), context.SimpleQueue()
        process = context.Process(target=work, args=(name, seed, numbers, at, results))
        process.start()
        done = None
        while True:
            if not results._reader.poll(0.5):
                if process.is_alive() or results._reader.poll(0):
                    continue
                break
            found = results.get()
            if found is None:
                break
            done, outcome, text, seconds = found
            outcomes[outcome] += 1
            slowest = max(slowest, seconds)
            if text:
                wrong.append((done, text))
        process.join()
        if process.exitcode == 0:
            break
        if at.value < 0:
            raise RuntimeError(f"the worker for {name} did not start: exit code {process.exitcode}")
        wrong.append((at.value, f"the process ended with exit code {process.exitcode}: a crash, or no end after {LIMIT_SECONDS} s"))
        outcomes["wrong"] += 1
        numbers = numbers[numbers.index(at.value) + 1 :]
    return Report(name, sum(outcomes.values()), dict(outcomes), slowest, time.perf_counter() - start, wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", type=int, help="one case, by its number")
    parser.add_argument("--out", type=Path, help="JSON file for the report")
    options = parser.parse_args()
    names = options.kinds.split(",")
    whole, reports = sum(KINDS[name].share for name in names), []
    for name in names:
        count = round(options.cases * KINDS[name].share / whole)
        reports.append(fuzz(name, options.seed, range(options.only, options.only + 1) if options.only is not None else range(count)))
        report = reports[-1]
        print(f"{name:>10} {report.cases:>6} cases in {report.seconds:5.0f} s, slowest {report.slowest_s:5.2f} s, {len(report.wrong)} wrong  {report.outcomes}",
              flush=True)
        for number, text in report.wrong[:20]:
            print(f"  --kinds {name} --only {number} --seed {options.seed}: {text}", flush=True)
    if options.out:
        options.out.write_text(json.dumps([asdict(report) for report in reports], indent=1) + "\n")
    print(f"{sum(r.cases for r in reports)} cases, {sum(len(r.wrong) for r in reports)} wrong")
    return 1 if any(report.wrong for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
