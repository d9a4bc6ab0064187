"""Session files: what is saved comes back to the bit, and bad files change nothing."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import soundfile

from atomizer.inpainting.shaping import FillShape
from atomizer.io.audio import Sound, read
from atomizer.plotting.style import PlotStyle
from atomizer.ui import decomposition, drawing, handlers, session_file
from atomizer.ui.exports import ExportRequest, export
from atomizer.ui.message import Chosen, Message
from atomizer.ui.session import Session, Tab
from atomizer.ui.session_file.archive import to_planes
from atomizer.ui.session_file.schema import MANIFEST, ManifestSchema
from atomizer.validation import validate

BOTH = ["velocity", "sign"]
SHAPE = {"level_db": -3.0, "tilt_db": 1.5, "wet": 0.75, "width": 1.0}
LASSO = [[0.05, 300], [0.2, 2500], [0.25, 400]]
SELECTIONS = {
    "box": ([{"kind": "rect", "op": "add", "t": [0.1, 0.2], "f": [300.5, 3000]}], [], BOTH),
    "highs": ([{"kind": "rect", "op": "add", "f": [2000, None]}], [], BOTH),
    "lasso": ([{"kind": "lasso", "op": "add", "points": LASSO, "scale": "log"}], [], BOTH),
    "brush less a box": (
        [
            {"kind": "brush", "points": LASSO, "size": [0.02, 300], "channels": [0]},
            {"kind": "rect", "op": "subtract", "t": [0.1, 0.12]},
        ],
        [],
        BOTH,
    ),
    "random part": ([], ["random:40"], BOTH),
    "signs": ([{"kind": "rect", "op": "add", "f": [500, 3000]}], [], ["sign"]),
}


def controls(seed="", count=1, steps=None):
    return ("auto", False, steps, None, None, seed, "noise", "auto", 0, count)


def chosen_of(regions, parts):
    chosen = Chosen(regions=regions, parts=parts)
    chosen.key = json.dumps([regions, parts])
    return chosen


@pytest.fixture(scope="module")
def load(tmp_path_factory, samples):
    """`load(channels, rate, subtype)`: a session of a sound of 0.3 s."""
    tmp_path = tmp_path_factory.mktemp("sounds")

    def load(channels=2, rate=44_100, subtype="PCM_16", gain=1.0):
        path = tmp_path / "sound.wav"
        data = gain * samples(round(0.3 * rate), channels, rate)
        soundfile.write(path, data.T, rate, subtype=subtype)
        return opened(path)

    return load


def opened(path) -> Session:
    message, session = handlers.load(str(path), Tab())
    assert isinstance(session, Session), message
    return session


def fill(session, name="box", count=1, seed=""):
    regions, parts, features = SELECTIONS[name]
    values = controls(seed, count)
    *_, message = handlers.fill_selection(chosen_of(regions, parts), session, features, *values)
    return message


def save(session, name="box", variation=None, shapes=None) -> bytes:
    regions, parts, features = SELECTIONS[name]
    request = {"variation": variation, "shapes": shapes or {}}
    values = *controls("", 3, "2"), 1.5
    before = session.message
    message = handlers.save_session(chosen_of(regions, parts), session, request, features, *values)
    assert message.download is not None, message.status
    kept = {"number", "download", "status"}
    assert message.model_dump(exclude=kept) == before.model_dump(exclude=kept)
    return Path(message.download.file.path).read_bytes()


def again(data: bytes, tmp_path, name="any name") -> Session:
    (tmp_path / name).write_bytes(data)
    return opened(tmp_path / name)


def content_of(file) -> bytes:
    return Path(file.path).read_bytes()


def assert_same_variations(before: Session, after: Session) -> None:
    """Everything that is played, drawn, listed or exported of the variations is the same."""
    assert np.array_equal(before.sound.samples, after.sound.samples)
    assert before.recipes == after.recipes
    assert len(before.shown.variations) == len(after.shown.variations)
    for old, new in zip(before.shown.variations, after.shown.variations):
        for name in ("atoms", "hidden"):
            assert content_of(getattr(old, name)) == content_of(getattr(new, name)), name
        for name in ("sound", "masked"):  # a float WAV has the time at which it was written
            played = [read(getattr(variation, name).path) for variation in (old, new)]
            assert played[0].samples.tobytes() == played[1].samples.tobytes()
        assert content_of(old.scene.atoms) == content_of(new.scene.atoms)
        links = {"id", "number", "scene", "hidden", "atoms", "masked", "sound"}
        kept = {"key", "proposal", "shape"} | links
        assert old.model_dump(exclude=kept) == new.model_dump(exclude=kept)
        same = {"frames", "channels", "count", "added", "channel_names", "is_mapped"}
        assert old.scene.model_dump(include=same) == new.scene.model_dump(include=same)
        stored = before.stored[old.id], after.stored[new.id]
        assert stored[0].recipe == stored[1].recipe
        for name in ("filled", "masked"):
            pair = [read(getattr(variation, name)) for variation in stored]
            assert pair[0].rate == pair[1].rate
            assert pair[0].samples.tobytes() == pair[1].samples.tobytes()
        exports = [
            export(
                session, ExportRequest(kind, version, number, PlotStyle(), FillShape(**SHAPE))
            ).data
            for kind, version in (("wav24", "filled"), ("settings", "filled"), ("wav16", "change"))
            for session, number in ((before, old.id), (after, new.id))
        ]
        assert exports[::2] == exports[1::2]


@pytest.mark.parametrize(
    "channels, rate, subtype, gain",
    [(2, 44_100, "PCM_16", 1), (2, 8000, "FLOAT", 3)],
)
def test_variations_of_all_selections_come_back(load, tmp_path, channels, rate, subtype, gain):
    session = load(channels, rate, subtype, gain)
    for name in SELECTIONS:
        message = fill(session, name, count=2 if name == "random part" else 1)
    first = message.variations[0].id
    data = save(session, "lasso", variation=first, shapes={str(first): SHAPE, "77": SHAPE})
    back = again(data, tmp_path)
    assert_same_variations(session, back)
    assert (back.name, back.sound.subtype, back.next_seed) == ("sound.wav", subtype, 2)
    assert back.filled_places == session.filled_places
    shown = back.shown.variations
    assert [v.shape for v in shown] == [SHAPE] + [None] * 6 and back.shown.current == shown[0].id
    # the selection, the features and the controls
    recipe = back.work.fill
    assert recipe.selection.to_dict()["regions"] == back.shown.proposal.regions
    assert back.shown.proposal.regions == SELECTIONS["lasso"][0] and back.features == BOTH
    assert (back.work.count, back.work.seconds, back.work.is_new_seed) == (3, 1.5, True)
    assert (recipe.settings.steps, recipe.settings.method) == (2, "noise")
    # every row has its selection, with which it can be repeated; the next seed is another one
    for old, new in zip(session.shown.variations, shown):
        selection = session.stored[old.id].recipe.selection.to_dict()
        assert new.proposal.id == new.key and new.proposal.regions == selection["regions"]
        assert new.proposal.specs == selection.get("parts", [])
    *_, repeated = handlers.compare_with_noise(back, shown[-1].id)
    assert repeated.variations[-1].proposal == shown[-1].proposal
    assert fill(back).variations[-1].title == "noise, seed 2"


def test_shapes_of_a_session_file_are_saved_again(load, tmp_path):
    session = load(1, 8000)
    number = fill(session).current
    back = again(save(session, shapes={str(number): SHAPE}), tmp_path)
    assert again(save(back), tmp_path).shown.variations[0].shape == SHAPE


def test_additions_layers_and_other_atoms_come_back(load, tmp_path, monkeypatch):
    monkeypatch.setattr(decomposition, "ATOMS", 300)
    session = load(1, 8000)
    list(handlers.continue_sound(session, 0.1, *controls()))
    fill(session)
    fill(session, "highs")
    # the second one is accepted, in a shape, then one that has another rate and more channels
    handlers.accept(session, session.message.variations[1].id, SHAPE)
    list(handlers.add_channel(session, *controls()))
    list(handlers.extend_bandwidth(session, *controls()))
    *_, message = handlers.extend_bandwidth(session, *controls())
    handlers.accept(session, message.current)
    handlers.accept(session, list(handlers.add_channel(session, *controls()))[-1].current)
    list(handlers.decompose(session, "matching-pursuit"))
    message = fill(session)
    back = again(save(session, variation=message.current), tmp_path)
    for layers in (3, 2, 1, 0):
        assert_same_variations(session, back)
        assert session.message.layers == back.message.layers and len(back.recipes) == layers
        places = [
            [v.id for v in s.shown.variations].index(s.shown.current) for s in (session, back)
        ]
        assert places[0] == places[1]
        if layers == 3:
            assert session.pursuit.pack() == back.pursuit.pack() and len(back.pursuit.atoms) == 300
            assert session.shown.scene.atomizer == back.shown.scene.atomizer
        for one in (session, back):
            handlers.undo(Tab(one))
    assert [v.label for v in back.shown.variations] == ["A", "B", "C"]


def test_part_of_a_long_file_and_an_example_come_back(tmp_path, limited, samples):
    limited(excerpt_seconds=1)
    soundfile.write(tmp_path / "long.wav", samples(20_000, 1, 8000).T, 8000)
    _, session = handlers.choose_excerpt(
        Tab(opened(tmp_path / "long.wav")), {"start": 1.25, "seconds": 0.5}
    )
    message = fill(session)
    back = again(save(session), tmp_path)
    assert back.part == (1.25, 0.5) and back.title == "long.wav from 1.25 s"
    request = ExportRequest("settings", "filled", back.shown.variations[0].id, PlotStyle())
    assert b"--start 1.250000 --seconds 0.500000" in export(back, request).data
    assert message.variations[0].title == back.shown.variations[0].title


def test_stopped_fill_and_running_fill(load, tmp_path, monkeypatch):
    session = load()
    fill(session)
    running = handlers.fill_selection(
        chosen_of(*SELECTIONS["highs"][:2]), session, BOTH, *controls()
    )
    next(running)
    data = save(session)
    assert session.message.busy and session.fill is not None
    back = again(data, tmp_path)
    assert len(back.shown.variations) == 1 and back.job is None and not back.message.busy
    running.close()


# ---------- bad files


@pytest.fixture(scope="module")
def valid(load) -> bytes:
    session = load(rate=8000)
    fill(session, count=2)
    list(handlers.continue_sound(session, 0.1, *controls()))
    return save(session)


def edited(data: bytes, files=None, **changes) -> bytes:
    """A session file with other files, or another manifest: {"path.to.field": value}."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = (files or {}).get(entry.filename, old.read(entry))
            if entry.filename == MANIFEST and changes:
                manifest = json.loads(content)
                for path, value in changes["changes"].items():
                    *way, last = [int(k) if k.isdecimal() else k for k in path.split(".")]
                    at = manifest
                    for key in way:
                        at = at[key]
                    at[last] = value
                content = json.dumps(manifest)
            if content is not None:
                new.writestr(entry.filename, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def zip_of(**files) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in files.items():
            new.writestr(name, content)
    return out.getvalue()


V = "originals.0.variations.0."
BAD_FIELDS = {
    "format": (2, "newer version of the Atomizer, in format 2"),
    "name": ("../../etc/passwd", "file name without folder"),
    "extra": (1, "'extra' of a session file is unknown"),
    "next_seed": (-1, "next_seed of a session file cannot be '-1'"),
    "part": ([0, "x"], "part"),
    "work.count": (0, "count of a session file cannot be '0'"),
    "work.fill.settings.temperature": (9.0, "temperature must be between 0 and 4"),
    "work.fill.selection.regions": ([{"kind": "star"}], "kind of a region cannot be 'star'"),
    "originals": ([], "originals"),
    "originals.0.current": (3, "shows is one of its own"),
    "originals.0.accepted": ("x" * 5000, "accepted"),
    V + "row.label": ("B", "letter of its own"),
    V + "row.order": ("loudness", "order of a session file cannot be 'loudness'"),
    V + "row.snr_db": (float("nan"), "snr_db"),
    V + "row.seconds": (1e999, "seconds"),
    V + "recipe.extend": (1e9, "extended by 0 to 60 seconds"),
    V + "recipe.settings.steps": (10**6, "1 to 64 steps"),
    V + "recipe.settings.shift": (float("nan"), "shift"),
    V + "recipe.settings.source": ("a-b", "no span to copy from"),
    V + "recipe.settings.like": ("1,2", "no levels of a reference recording"),
    V + "recipe.settings.timbre": (17, "no timbre '17'"),
    V + "recipe.stop_after": (-1, "counted from 0"),
    V + "shape.wet": (1.5, "share of the fill must be between 0 and 1"),
    V + "filled.channels": (9, "1 to 8 are accepted"),
    V + "filled.rate": (10**7, "samples per second"),
    V + "filled.length": (10**12, "longer than"),
    V + "filled.length ": (2000, "one rate and one length"),
    V + "filled.spans": ([[20, 10]], "ascend"),
    V + "filled.spans ": ([[0, 10**6]], "end where their sound ends"),
    V + "filled.spans  ": ([[0, 10]], "damaged"),
    V + "atoms": (10**9, "within the plane"),
    V + "hidden": (3, "damaged"),
}


@pytest.fixture
def refuse(load, tmp_path, warned):
    """Expect that a file is refused in one sentence, and that the session before stays."""
    session = load(1, 8000)
    session.has_selection = True

    def refuse(data: bytes, says: str, name="file.atomizer") -> None:
        (tmp_path / name).write_bytes(data)
        before, folders = session.message, set(session.folder.parent.iterdir())
        warned.clear()
        message, fresh = handlers.load(str(tmp_path / name), Tab(session))
        assert fresh == gr.skip() and isinstance(message, Message)
        assert says.lower() in message.status.lower() and warned == [message.status]
        assert message.status.count(". ") == 0 and message.status[-1] == "."
        assert len(message.status) < 400 and "went wrong" not in message.status
        kept = {"number", "status"}
        assert message.model_dump(exclude=kept) == before.model_dump(exclude=kept)
        assert session.replaced_by is None and set(session.folder.parent.iterdir()) == folders

    return refuse


def test_fields_out_of_bounds_are_refused(valid, refuse):
    for path, (value, says) in BAD_FIELDS.items():
        refuse(edited(valid, changes={path.strip(): value}), says)


def test_damaged_and_foreign_files_are_refused(valid, refuse):
    for size in (0, 1, 100, len(valid) // 2, len(valid) - 1):
        refuse(valid[:size], "damaged or incomplete")
    middle = len(valid) // 2
    refuse(valid[:middle] + b"\0" * 50 + valid[middle + 50 :], "damaged or incomplete")
    assert not session_file.is_session_file("missing.wav")
    refuse(zip_of(**{"a.txt": "hello"}), "This zip is no session", "other.zip")
    refuse(zip_of(**{"session.json": "{"}), "is not valid JSON")
    refuse(zip_of(**{"session.json": b"\xff\xfe"}), "damaged")
    refuse(zip_of(**{"session.json": "[]"}), "a zip with session.json in it")
    refuse(b"PK\x01\x02" * 30_000, "no session")
    files = {"sound.flac": b"RIFF" + bytes(100), "0/0/filled": None, "0/0/atoms": b"short"}
    for name, content in files.items():
        says = "Can't read sound.flac" if content and content[:1] == b"R" else "damaged"
        refuse(edited(valid, {name: content}), says)


def test_arrays_out_of_bounds_are_refused(valid, refuse):
    def with_array(name, *arrays):
        return edited(valid, {name: b"".join(to_planes(array) for array in arrays)})

    entries = zipfile.ZipFile(io.BytesIO(valid))
    count = entries.getinfo("0/0/filled").file_size // 4
    refuse(with_array("0/0/filled", np.full(count, np.nan, "<f4")), "not numbers")
    refuse(with_array("0/0/masked", np.full(count, np.inf, "<f4")), "not numbers")
    atoms = entries.getinfo("0/0/atoms").file_size // 9
    steps, ones = np.ones(atoms, "<u4"), np.ones(atoms, "<f4")
    zeros, states = np.zeros(atoms, "<u4"), np.full(atoms, 3, np.uint8)
    refuse(with_array("0/0/atoms", steps, ones, states), "known, unknown or filled in")
    refuse(with_array("0/0/atoms", zeros, ones, states * 0), "within the plane")
    refuse(with_array("0/0/atoms", steps * 10**6, ones, states * 0), "within the plane")
    refuse(with_array("0/0/atoms", steps, ones * np.nan, states * 0), "not numbers")


def test_bombs_and_large_sessions_are_refused(valid, refuse, limited, load):
    bomb = {"session.json": b" " * (40 << 20)}
    refuse(edited(valid, bomb), "damaged")
    refuse(edited(valid, {"0/0/filled": bytes(100 << 20)}), "damaged")
    limited(variations_kept=2)
    refuse(valid, "3 variations of one sound: up to 2")
    limited(variations_kept=12, session_mb=0.05)
    refuse(valid, "up to 0.05 MB are accepted")
    limited(session_mb=1000, excerpt_seconds=0.2)
    refuse(valid, "longer than 0.2 seconds")
    limited(excerpt_seconds=300, file_mb=0.01)
    refuse(valid, "up to 0.01 MB are accepted")


def test_what_cannot_be_saved_is_explained(load, limited, warned):
    session = load()
    message = fill(session, "highs")
    chosen = chosen_of(*SELECTIONS["box"][:2])

    def refused(request=None, values=(*controls(), 4)) -> str:
        return handlers.save_session(chosen, session, request, BOTH, *values).status

    assert "steps must be a number" in refused(values=(*controls(steps="many"), 4))
    assert "variations" in refused(values=(*controls(count=99), 4))
    assert "share of the fill" in refused({"shapes": {"1": {**SHAPE, "wet": 7}}})
    limited(file_mb=0.05)
    assert "more than 0.05 MB" in refused({"variation": "x", "shapes": 3})
    limited(file_mb=100, session_mb=0.1)
    assert "delete variations or undo layers" in refused()
    session.stored[message.variations[0].id].filled.unlink()
    limited(session_mb=1000)
    assert "Variation A was deleted meanwhile" in refused()
    assert len(warned) == 6 and session.message.download is None
    assert handlers.save_session(chosen, None, {}, BOTH, *controls(), 4).scene is None


# ---------- the format itself


def test_content_comes_back_from_its_bytes(valid):
    data = valid
    content = session_file.decode(data)
    originals = [replace(o, variations=list(o.variations)) for o in content.originals]
    assert session_file.encode(replace(content, originals=originals)) == data
    with zipfile.ZipFile(io.BytesIO(data)) as entries:
        manifest = validate(ManifestSchema, json.loads(entries.read(MANIFEST)))
        assert entries.read("sound.flac")[:4] == b"fLaC", "it can be listened to"
    assert manifest.format == 1 and len(manifest.originals[0].variations) == 3


@pytest.mark.parametrize("channels, rate, length", [(2, 8000, 500), (1, 8000, 700), (3, 9000, 400)])
def test_patches_restore_every_bit(samples, channels, rate, length):
    before = Sound(samples(600, 2, 8000), 8000, "PCM_16")
    after = Sound(samples(length, channels, rate), rate)
    same = min(2, channels), min(600, length)
    if rate == 8000:
        after.samples[: same[0], : same[1]] = before.samples[: same[0], : same[1]]
    after.samples[0, 100:110] = [-0.0, 1e-40, *range(8)]
    patch = session_file.patch_of(before, after)
    assert session_file.patched(before, patch).samples.tobytes() == after.samples.tobytes()
    assert session_file.patched(before, patch).subtype == "PCM_16"
    if channels == 2:
        assert patch.spans == ((100, 110),)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_packed_atoms_are_unpacked(small, share):
    rng = np.random.default_rng(0)
    grid = rng.standard_normal((2, 10, small.hop)).astype(np.float32)
    grid[rng.random(grid.shape) < share] = 0
    cells, loudest = drawing.loudest_cells(grid, small), float(np.abs(grid).max())
    data, is_mapped, *_ = drawing.pack_scene(grid, small)
    assert is_mapped == (share < 0.9)
    states = rng.integers(0, 3, len(cells)).astype(np.uint8)
    listed = drawing.pack(grid, cells, small, states)
    if is_mapped:
        found, amplitude = drawing.unpack_scene(data, len(cells), grid.shape, small, loudest)
        assert np.array_equal(found, cells)
        assert np.allclose(amplitude, grid.ravel()[cells], rtol=2e-4)
    found, amplitude, again = drawing.unpack(listed, len(cells), grid.shape, small, loudest)
    assert np.array_equal(found, cells) and np.array_equal(again, states)
    sparse = np.zeros_like(grid)
    sparse.flat[found] = amplitude
    assert drawing.pack(sparse, cells, small, states) == listed
