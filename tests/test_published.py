"""Scripts of the page are copied to an address that changes with their content."""

import os

from atomizer.ui.published import DATE, published


def folder_with(path, text):
    (path / "tools").mkdir(parents=True, exist_ok=True)
    (path / "main.js").write_text(text)
    (path / "tools" / "box.js").write_text("box")
    (path / "view.html").write_text("not a script")
    return path


def test_the_address_changes_with_the_content_alone(tmp_path):
    folder, cache = folder_with(tmp_path / "a", "first"), tmp_path / "cache"
    first = published(folder, cache)
    assert published(folder_with(tmp_path / "b", "first"), cache) == first
    second = published(folder_with(folder, "second"), cache)
    assert (second / "main.js").read_text() == "second"
    assert (first / "main.js").read_text() == "first"
    assert sorted(cache.iterdir()) == sorted([first, second])


def test_copies_are_old_and_complete(tmp_path):
    copy = published(folder_with(tmp_path / "a", "first"), tmp_path / "cache")
    files = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())
    assert files == ["main.js", "tools/box.js"]
    assert all(os.stat(copy / name).st_mtime == DATE for name in files)


def test_a_cache_that_cannot_be_written_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "other"))
    (tmp_path / "cache").write_text("a file")
    copy = published(folder_with(tmp_path / "a", "first"), tmp_path / "cache")
    assert (copy / "main.js").read_text() == "first" and copy.parent == tmp_path / "other"
