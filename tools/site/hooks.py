"""Hooks of MkDocs: pages that come from other files of the repository, or from its code.

`on_files` adds the pages of `PAGES`, the command line's reference and the gallery with its sounds;
`on_page_markdown` rewrites links between files of the repository to links between pages.
"""

from __future__ import annotations

import os
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from commands import command_reference  # noqa: E402
from gallery import gallery  # noqa: E402

# page of the site -> file of the repository
PAGES = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "architecture.md": "dev/architecture.md",
    "evaluation.md": "dev/evaluation.md",
    "log.md": "dev/LOG.md",
    "performance.md": "dev/performance.md",
    "reliability.md": "dev/reliability.md",
    "model.md": "checkpoints/README.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for page, source in PAGES.items():
        text = _without_front_matter((ROOT / source).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "commands.md", content=command_reference()))
    page, media = gallery()
    files.append(File.generated(config, "gallery.md", content=page))
    for name, content in media.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links to files that are pages become links to these; links to other files become text."""
    source = PAGES.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    page_of = {path: name for name, path in PAGES.items()}

    def rewritten(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:") or not path:
            return match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        name = page_of.get(file) or page_of.get(posixpath.join(file, "README.md"))
        if name is None and file.startswith("docs/"):
            name = file.removeprefix("docs/")
        if name is None:
            assert os.path.exists(ROOT / file), f"{source} links to {target}, which does not exist"
            return f"`{file}`" if text.strip("`") == file else text
        link = posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")
        return f"{image}[{text}]({link}{'#' + anchor if anchor else ''})"

    return LINK.sub(rewritten, markdown)


def _without_front_matter(text: str) -> str:
    """Text of a Markdown file without its YAML header."""
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
