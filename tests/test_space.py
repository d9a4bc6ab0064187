"""The assembly of a Hugging Face Space."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import SpaceCardData, metadata_load
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import assemble_space  # noqa: E402

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists(), reason="the assembly consists of tracked files"
)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    out = tmp_path_factory.mktemp("space")
    assemble_space.assemble(out, "someone/atomizer")
    return out


def requirements(path: Path) -> dict[str, SpecifierSet]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {r.name: r.specifier for r in map(Requirement, lines)}


def test_front_matter_configures_the_space(assembly):
    card = metadata_load(assembly / "README.md")
    assert (card["sdk"], card["app_file"], card["license"], card["suggested_hardware"]) == (
        "gradio",
        "app.py",
        "mit",
        "cpu-basic",
    )
    assert (
        card["title"]
        and card["emoji"]
        and card["tags"]
        and 0 < len(card["short_description"]) <= 60
    )
    assert card["sdk_version"] in requirements(assembly / "requirements.txt")["gradio"]
    assert isinstance(card["python_version"], str) and re.fullmatch(
        r"3\.\d+", card["python_version"]
    )
    assert card["python_version"] in SpecifierSet(">=3.11")
    assert (
        card["thumbnail"]
        == "https://huggingface.co/spaces/someone/atomizer/resolve/main/assets/screenshot-light.png"
    )
    assert (assembly / metadata_load(ROOT / "README.md")["thumbnail"]).is_file() and (
        assembly / card["app_file"]
    ).is_file()
    assert SpaceCardData(**card).sdk == "gradio"


def test_requirements_are_those_of_the_package(assembly):
    import tomllib

    wanted = {
        r.name: r.specifier
        for r in map(
            Requirement,
            tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"],
        )
    }
    assert requirements(assembly / "requirements.txt") == wanted
    assert "pytest" in requirements(ROOT / "requirements.txt")
    torch = wanted["torch"]
    assert all(v in torch for v in ("2.8.0", "2.9.1", "2.10.0", "2.11.0", "2.13.0")), (
        "versions that ZeroGPU supports"
    )
    assert "2.13.1" not in torch and Version("2.14.0") not in torch


def test_assembly_holds_the_page_and_no_large_file(assembly):
    files = [
        path.relative_to(assembly).as_posix() for path in assembly.rglob("*") if path.is_file()
    ]
    for name in (
        "app.py",
        "README.md",
        "requirements.txt",
        "LICENSE",
        "atomizer/ui/static/main.js",
        "atomizer/ui/static/state/messages.js",
        "checkpoints/model.safetensors",
        "assets/solo.flac",
    ):
        assert name in files
    assert not [name for name in files if name.startswith(("tests/", "tools/", ".ci/", "dev/"))]
    assert max((assembly / name).stat().st_size for name in files) < assemble_space.MAX_BYTES
    # the links of its README exist
    text = (assembly / "README.md").read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)|(?:src|srcset)=\"([^\":]+)\"", text):
        assert (assembly / (link[0] or link[1])).exists(), link


def test_every_tracked_file_fits_a_plain_push():
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    assert not [
        name
        for name in names
        if name
        and (ROOT / name).is_file()
        and (ROOT / name).stat().st_size >= assemble_space.MAX_BYTES
    ]


def test_used_folder_and_large_file_are_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="not empty"):
        assemble_space.assemble(tmp_path)
    monkeypatch.setattr(assemble_space, "MAX_BYTES", 5_000_000)
    with pytest.raises(ValueError, match="checkpoints/model.safetensors"):
        assemble_space.assemble(tmp_path / "new")
    assert not (tmp_path / "new").exists()
