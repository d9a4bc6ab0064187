"""A short run of the fuzzer (tests/fuzz), and regressions that it found."""

from __future__ import annotations

import faulthandler
import json
import random
import struct
import tempfile
import warnings

import gradio as gr
import numpy as np
import pytest
import soundfile
from fuzz.run import KINDS, LIMIT_SECONDS, AccessMonitor, judge
from hypothesis import given
from hypothesis import strategies as st

from atomizer.analysis import MatchingPursuitAtomizer
from atomizer.atoms.atoms import Atoms
from atomizer.atoms.selection import Selection, parse
from atomizer.atoms.space import MAX_PLACES, ScaleSpace
from atomizer.errors import AtomizerError
from atomizer.inpainting.recipe import parse_recipes
from atomizer.inpainting.resolve import resolve
from atomizer.inpainting.settings import Settings
from atomizer.inpainting.task import prepare
from atomizer.io.audio import MAX_MAGNITUDE, check, max_duration, read
from atomizer.limits import limits
from atomizer.model import checkpoint
from atomizer.plotting.style import PlotStyle
from atomizer.ui import api, gpu, handlers
from atomizer.ui.session import Tab

SHORT = {
    "sound": 150,
    "selection": 150,
    "settings": 40,
    "atoms": 100,
    "file": 60,
    "checkpoint": 10,
    "session": 40,
    "api": 100,
    "page": 8,
}


@pytest.mark.parametrize("name", SHORT)
def test_fuzzed_input_gives_a_result_or_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setattr(gpu, "has_model", lambda: False)
    kind, monitor = KINDS[name], AccessMonitor(tmp_path.resolve())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case = kind.target(tmp_path)

        def run_case(number: int) -> tuple[str, str]:
            return judge(case, random.Random(f"7/{name}/{number}"), monitor, kind.memory)

        run_case(-1)  # late imports open files that do not belong to a case
        faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
        for number in range(SHORT[name]):
            outcome, wrong = run_case(number)
            assert not wrong, f"--kinds {name} --only {number} --seed 7: {wrong}"
        faulthandler.cancel_dump_traceback_later()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "kind",
                    "op",
                    "t",
                    "f",
                    "points",
                    "size",
                    "channels",
                    "scale",
                    "settings",
                    "selection",
                    "regions",
                    "parts",
                    "features",
                    "fills",
                    "steps",
                    "seed",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
)


@given(ANYTHING)
def test_any_json_is_a_selection_or_refused(data):
    try:
        assert Selection.from_dict(Selection.from_dict(data).to_dict()) == Selection.from_dict(data)
    except AtomizerError as error:
        assert str(error).endswith(".")


@given(ANYTHING)
def test_any_json_is_a_settings_file_or_refused(data):
    try:
        assert parse_recipes(json.dumps({"fills": [data]}))
    except AtomizerError as error:
        assert str(error).endswith(".")


# --- regressions


def test_huge_samples_are_refused(tmp_path, refused):
    soundfile.write(tmp_path / "x.wav", np.array([0, 3e38, -3e38], np.float32), 8000, "FLOAT")
    with refused("1e+10", "turn it down"):
        read(tmp_path / "x.wav")
    check(np.full((1, 9), MAX_MAGNITUDE, np.float32), 8000)


def test_sample_limit_counts_all_channels():
    """A file of 30 kB can hold gigabytes of silence."""
    assert (
        max_duration(8, 192_000) * 8 * 192_000 == limits().samples < limits().seconds * 8 * 192_000
    )


@pytest.mark.parametrize(
    "name, value",
    [
        ("space_rate", 8000 + 0j),
        ("space_hop", 64.0),
        ("space_frames", True),
        ("space_step_db", np.inf),
        ("space_step_db", 1j),
    ],
)
def test_atoms_of_an_invalid_space_are_refused(name, value, tmp_path, atoms, refused):
    with refused("AtomSpace", "invalid"):
        Atoms.load(saved(tmp_path, atoms, **{name: value}))


def test_atoms_in_a_too_large_plane_are_refused(tmp_path, atoms, refused):
    with refused(f"{MAX_PLACES:,} places"):
        Atoms.load(saved(tmp_path, atoms, length=2**40))


def test_zip_bomb_of_atoms_is_refused(tmp_path, atoms, refused):
    path = saved(tmp_path, atoms)
    data, at = bytearray(path.read_bytes()), 0
    while (
        at := data.find(b"PK\x01\x02", at + 1)
    ) >= 0:  # entries of the directory; 24 bytes on, each claims a size
        data[at + 24 : at + 28] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(data)
    with refused("unpacks to"):
        Atoms.load(path)


@pytest.fixture(scope="module")
def pursued():
    space = ScaleSpace(rate=8000, hop=8, scales=(16, 64))
    return MatchingPursuitAtomizer(space).analyse(
        np.random.default_rng(0).standard_normal((1, 300)).astype(np.float32), loudest=20
    )


@pytest.mark.parametrize(
    "name, value",
    [
        ("space_scales", 64),
        ("space_scales", [16.0, 64.0]),
        ("space_scales", ["16", "64"]),
        ("space_phases", 2.0),
        ("space_hop", True),
        ("space_step_db", np.nan),
    ],
)
def test_atoms_of_invalid_scales_are_refused(name, value, tmp_path, pursued, refused):
    with refused("AtomSpace", "invalid"):
        Atoms.load(saved(tmp_path, pursued, **{name: value}))


@pytest.mark.parametrize("changes", [{"length": 2**40}, {"length": 0, "space_scales": [16, 2**40]}])
def test_scale_atoms_in_a_too_large_plane_are_refused(changes, tmp_path, pursued, refused):
    with refused(f"{MAX_PLACES:,} places"):
        Atoms.load(saved(tmp_path, pursued[:0], **changes))


def saved(folder, atoms, **changed):
    path = folder / "x.npz"
    atoms.save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(path, **{**arrays, **changed})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 49_152},
        {"layers": 10**9},
        {"layers": 200},
        {"window": 2**40},
        {"reach": [9000, 9000]},
        {"hidden": 60_000},
    ],
)
def test_config_that_does_not_fit_its_weights_is_refused(changes, tmp_path, refused):
    config = json.loads((checkpoint.SHIPPED / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **changes}))
    (tmp_path / "model.safetensors").write_bytes(
        (checkpoint.SHIPPED / "model.safetensors").read_bytes()
    )
    with refused("broken or not an Atomizer's"):
        checkpoint.load(tmp_path)
    with pytest.raises(ValueError):
        checkpoint.check(tmp_path)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(select=[3]), "is no selection"),
        (dict(select=7.5), "list of specifications"),
        (dict(features=4.0), "Features are given by name"),
        (dict(order={}), "There is no ordering"),
        (dict(method=[]), "There is no method"),
        (dict(steps=[1]), "steps must be"),
        (dict(steps=True), "steps must be"),
        (dict(seed="/etc/passwd"), "seed must be"),
        (dict(seed=2**70), "below 2^63"),
        (dict(extend="long"), "seconds to continue by must be"),
        (dict(add_channels={}), "channels to add must be"),
        (dict(add_channels=0.5), "channels to add must be a whole number"),
    ],
)
def test_endpoint_names_the_invalid_value(arguments, words, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).uniform(-0.1, 0.1, 4000), 8000)
    with pytest.raises(gr.Error) as caught:
        api.fill_file(
            str(tmp_path / "x.wav"), **{"select": ["above:1000"], "method": "noise", **arguments}
        )
    assert words in caught.value.message


@pytest.mark.parametrize(
    "look",
    [
        3,
        {"zoom": 1},
        {"seconds": [1]},
        {"seconds": ["a", "b"]},
        {"hertz": [float("nan"), 1]},
        {"seed": -1},
        {"seed": []},
        {"ordering": {}},
        {"ordering": "alphabet"},
    ],
)
def test_invalid_look_is_refused(look, refused):
    with refused():
        PlotStyle.from_dict(look)


@pytest.mark.parametrize("number", [[], {}, "1", None, 7.0, 99])
def test_unknown_variation_changes_nothing(number, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).uniform(-0.1, 0.1, 4000), 8000)
    _, session = handlers.load(str(tmp_path / "x.wav"), Tab())
    assert (
        handlers.accept(session, number) == handlers.delete_variation(session, number) == gr.skip()
    )
    # of the original
    assert (
        "is ready"
        in handlers.export_file(
            session, {"kind": "flac", "version": "filled", "variation": number}
        ).status
    )
    session.close()


def test_huge_seeds_are_refused(sound, refused):
    task = prepare(sound(0.1), parse(["above:1000"]))
    with refused("below 2^63"):
        resolve(Settings("noise", seed=2**63), task)
    assert resolve(Settings("noise", seed=2**63 - 1), task).seed == 2**63 - 1


def test_files_of_the_server_are_not_served(tmp_path, monkeypatch):
    """Over HTTP, only uploads, results for a visitor and the page's own files can be fetched."""
    from gradio.routes import App
    from starlette.testclient import TestClient

    from atomizer.ui import build

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    demo = build()
    client = TestClient(App.create_app(demo))
    assert client.get("/config").status_code == 200
    for path in (
        str(secret),
        "/etc/passwd",
        str(tmp_path / "gradio" / ".." / "secret.txt"),
        "..%2f" * 9 + "etc%2fpasswd",
        f"file://{secret}",
        str(checkpoint.SHIPPED / "config.json"),
    ):
        for route in ("/gradio_api/file=", "/gradio_api/file/", "/static/", "/assets/"):
            answer = client.get(route + path, follow_redirects=False)
            assert (
                answer.status_code >= 300
                and "canary" not in answer.text
                and "root:" not in answer.text
            ), path
    for file in (
        {"path": str(secret)},
        {"path": "/etc/passwd"},
        {"path": "x", "url": f"file://{secret}"},
    ):
        answer = client.post(
            "/gradio_api/run/atomize",
            json={"data": [{**file, "meta": {"_type": "gradio.FileData"}}]},
        )
        assert (
            answer.status_code >= 400 and "canary" not in answer.text and "root:" not in answer.text
        )
