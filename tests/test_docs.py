"""The documentation: its Python snippets run, its site has no broken link, its figures exist."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import soundfile
import torch

import atomizer
from atomizer import ORDERINGS, AtomSpace
from atomizer.model import AtomTransformer, ModelConfig, checkpoint
from atomizer.priors import registry
from atomizer.ui import examples
from atomizer.ui.examples import EXAMPLES

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SNIPPETS = {
    "README.md": ("gradio_client",),  # blocks with these words need a running page
    "docs/tutorial.md": (),
    "docs/codec.md": (),
    "docs/orderings.md": (),
    "docs/extend.md": (),
}


@pytest.fixture
def folder(tmp_path, monkeypatch, samples):
    """A working folder with a short stereo sound, and a tiny model in place of the shipped one.

    What snippets register is removed again.
    """
    torch.manual_seed(0)
    space = AtomSpace(frames=16, channels=2)
    tiny = ModelConfig(space=space, embed=8, width=32, heads=2, layers=1, hidden=32)
    model = AtomTransformer(tiny).eval()
    monkeypatch.setattr(checkpoint, "load", lambda *_: model)
    soundfile.write(tmp_path / "in.wav", samples(44_100, 2).T, 44_100)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "COEFFICIENT_PRIORS", registry.COEFFICIENT_PRIORS)
    orderings = dict(ORDERINGS)
    yield tmp_path
    ORDERINGS.clear()
    ORDERINGS.update(orderings)


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippets_of_the_docs_run(name, folder):
    blocks = BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))
    blocks = [b for b in blocks if not any(word in b for word in SNIPPETS[name])]
    assert blocks
    namespace: dict = {"__name__": name}
    for block in blocks:
        exec(compile(block, name, "exec"), namespace)


def test_the_migration_note_names_modules_that_exist():
    text = (ROOT / "docs/migration.md").read_text(encoding="utf-8")
    rows = [row.split("|") for row in text.splitlines() if row.startswith("| `atomizer.")]
    names = [name for row in rows for name in re.findall("`(.+?)`", row[2])]
    assert len(names) > 20 and all(importlib.util.find_spec(name) for name in names)


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    released = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {atomizer.__version__}\n" in citation
    assert f"\n## {atomizer.__version__}\n" in released


def test_the_notebook_runs(folder, monkeypatch):
    matplotlib.use("agg")
    cells = json.loads((ROOT / "examples" / "tour.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 6 and not any(cell.get("outputs") for cell in cells)
    monkeypatch.syspath_prepend(ROOT)
    namespace: dict = {"__name__": "tour"}
    for source in code:
        exec(compile(source, "tour.ipynb", "exec"), namespace)


def test_the_site_builds_without_warnings(tmp_path, monkeypatch):
    """With two examples in its gallery, in this process: it has imported what the site needs."""
    pytest.importorskip("material")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    shown = ["compression", "phone"]
    monkeypatch.setattr(examples, "available", lambda: [EXAMPLES[name] for name in shown])
    monkeypatch.setattr(sys, "path", list(sys.path))  # the hooks add to it
    config = load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path))
    assert config.strict
    build(config)  # with a warning it ends in an error
    pages = {page.name for page in tmp_path.glob("*.html")}
    assert {"index.html", "tutorial.html", "commands.html", "gallery.html", "api.html"} <= pages
    text = "".join(page.read_text(encoding="utf-8") for page in tmp_path.glob("*.html"))
    loaded = re.findall(r"<(?:script|link|img|audio)[^>]+(?:src|href)=\"(https?:[^\"]+)", text)
    assert not [address for address in loaded if "canonical" not in address]
    media = {path.name for path in (tmp_path / "gallery").iterdir()}
    assert media == {
        f"{name}{ending}"
        for name in shown
        for ending in (".webp", "-original.ogg", "-masked.ogg", "-filled.ogg")
    }


def test_the_table_of_orderings_is_read(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools" / "site")
    import draw

    text = (ROOT / "dev" / "evaluation.md").read_text(encoding="utf-8")
    columns, rows = draw.ordering_table(text)
    assert columns == ["time", "frequency", "velocity", "channel", "random", "one step"]
    assert len(rows) >= 10 and all(np.isfinite(list(row.values())).all() for row in rows.values())
    assert draw.gain("SNR (dB)", 11, 10) == pytest.approx(10)
    assert draw.gain("LSD", 1.1, 1.0) == pytest.approx(-10)
