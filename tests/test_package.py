"""The installed package, and docstrings of everything public."""

import ast
import os
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "atomizer").rglob("*.py"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel installs, built with the setuptools that is there."""
    setuptools = pytest.importorskip("setuptools")
    if Version(setuptools.__version__) < Version("77"):
        pytest.skip("setuptools 77 or newer is needed to build a wheel")
    wheels, tree = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("tree")
    # of a copy, because setuptools leaves its working files beside the sources
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if names.returncode:
        pytest.skip("a wheel is built of what git tracks")
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            wheels,
            tree,
        ],
        check=True,
    )
    folder = tmp_path_factory.mktemp("installed")
    zipfile.ZipFile(next(wheels.glob("atomizer-*.whl"))).extractall(folder)
    return folder


def run(installed, code, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(installed), "ATOMIZER_CHECKPOINT": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_package_contains_model_sounds_and_page(installed, tmp_path):
    said = run(
        installed,
        """
import atomizer
from atomizer.model import checkpoint
from atomizer.ui import examples
from atomizer.ui.layout import example_sounds
from atomizer.ui.component import STATIC
atomizer.load_model(device="cpu")
scripts = all((STATIC / name).is_file() for name in ("main.js", "plot/picture.js", "view.html"))
print(atomizer.__file__, checkpoint.SHIPPED, len(examples.available()), scripts,
      len(example_sounds()), len(list(examples.SHIPPED.glob("*.npz"))))
""",
        tmp_path,
    )
    file, shipped, examples, scripts, sounds, cached = said.split()
    assert Path(file).is_relative_to(installed) and Path(shipped).is_relative_to(installed)
    assert (examples, scripts, sounds, cached) == ("8", "True", "7", "8")
    assert (installed / "atomizer" / "py.typed").is_file() and not (installed / "tests").exists()


def test_it_installs_its_command(installed, tmp_path):
    text = next(installed.glob("atomizer-*.dist-info/entry_points.txt")).read_text()
    assert "atomizer = atomizer.cli:run" in text
    assert callable(EntryPoint("atomizer", "atomizer.cli:run", "console_scripts").load())


@pytest.mark.parametrize(
    "name", [path.relative_to(ROOT / "atomizer").as_posix() for path in SOURCES]
)
def test_everything_public_has_a_docstring(name):
    tree = ast.parse((ROOT / "atomizer" / name).read_text(encoding="utf-8"))
    silent = [] if ast.get_docstring(tree) else ["the module"]

    def look(node, prefix=""):
        for child in node.body:
            if isinstance(child, (ast.ClassDef, ast.FunctionDef)) and not child.name.startswith(
                "_"
            ):
                if not ast.get_docstring(child) and not _obvious(child, node):
                    silent.append(prefix + child.name)
                if isinstance(child, ast.ClassDef):
                    look(child, child.name + ".")

    look(tree)
    assert not silent, f"no docstring: {', '.join(silent)}"


def _obvious(child: ast.AST, parent: ast.AST) -> bool:
    """True for short members of a class that its docstring explains, such as properties."""
    return (
        isinstance(parent, ast.ClassDef)
        and isinstance(child, ast.FunctionDef)
        and len(child.body) == 1
    )
