"""Renders the Markdown of the repository's texts as pages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
IMAGE = re.compile(r"<img\s[^>]*>")
ATTRIBUTE = re.compile(r'\b(src|alt)="([^"]*)"')
STYLE = """
:root { color-scheme: light dark; --line: #d4d9e1; --shade: #f1f4f8; --link: #4338ca; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3f4858; --shade: #1c2432; --link: #a5b4fc; }
  html { background: #0f1520; color: #e3e7ee; }
}
body { font: 16px/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; max-width: 54rem;
  margin: 0 auto; padding: 1rem 1.25rem 4rem; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; margin: 2em 0 0.6em; }
h1 { margin-top: 0.6em; }
a { color: var(--link); }
code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, monospace; background: var(--shade);
  padding: 0.1em 0.3em; border-radius: 4px; }
pre { background: var(--shade); padding: 0.8em 1em; border-radius: 6px; overflow-x: auto; }
pre code { background: none; padding: 0; }
.table { overflow-x: auto; margin: 1em 0; }
table { border-collapse: collapse; font-size: 0.92em; }
th, td { border-bottom: 1px solid var(--line); padding: 0.35em 0.8em 0.35em 0; text-align: left;
  vertical-align: top; overflow-wrap: normal; }
img { max-width: 100%; }
"""


def render(text: str, leads_on: Callable[[str], bool]) -> str:
    """Return a text as an HTML page.

    HTML in it is left out but for pictures.

    leads_on  whether the relative address of a link leads to a page; other links are plain words
    """
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(FRONT_MATTER.sub("", text))
    title = next((t.content for t in _inlines(tokens, "h1")), "")
    _number_headings(tokens)
    for token in tokens:
        token.children = token.children and _checked(token.children, leads_on)
    for kind in ("html_block", "html_inline"):
        parser.add_render_rule(kind, _pictures)
    parser.add_render_rule("table_open", lambda *_: '<div class="table" tabindex="0"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    body = parser.renderer.render(tokens, parser.options, {})
    body = body.replace("<pre>", '<pre tabindex="0">')  # keys scroll what has the focus
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(_words(title))}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def slug_of(heading: str) -> str:
    """Return the anchor of a heading, as it is written in links: "Lost highs" is "lost-highs"."""
    return re.sub(r"[^\w\- ]", "", _words(heading).lower()).replace(" ", "-")


def _words(markdown: str) -> str:
    """Return a line without the signs of code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")


def _inlines(tokens: list[Token], tag: str = "") -> list[Token]:
    """Return the contents of the headings, of one level or of all."""
    opened = (k for k, token in enumerate(tokens) if token.type == "heading_open")
    return [tokens[k + 1] for k in opened if not tag or tokens[k].tag == tag]


def _number_headings(tokens: list[Token]) -> None:
    """Give every heading its anchor; those with the same words are numbered."""
    seen: dict[str, int] = {}
    headings = [token for token in tokens if token.type == "heading_open"]
    for opening, inline in zip(headings, _inlines(tokens)):
        slug = slug_of(inline.content)
        seen[slug] = count = seen.get(slug, -1) + 1
        opening.attrSet("id", f"{slug}-{count}" if count else slug)


def _checked(tokens: list[Token], leads_on: Callable[[str], bool]) -> list[Token]:
    """Return tokens of a line without links that lead nowhere."""
    kept, dropped = [], 0
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
            is_local = "://" not in address and not address.startswith(("#", "mailto:"))
            if dropped or (is_local and not leads_on(address)):
                dropped += 1
                continue
        elif token.type == "link_close" and dropped:
            dropped -= 1
            continue
        kept.append(token)
    return kept


def _pictures(_renderer: Any, tokens: list[Token], index: int, *_: Any) -> str:
    """Render HTML in a text: its pictures alone."""
    tags = []
    for image in IMAGE.findall(tokens[index].content):
        found = dict(ATTRIBUTE.findall(image))
        source, words = (html.escape(html.unescape(found.get(key, ""))) for key in ("src", "alt"))
        if source and ":" not in source:
            tags.append(f'<img src="{source}" alt="{words}">')
    return "".join(tags)
