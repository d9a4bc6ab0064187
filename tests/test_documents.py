"""Texts of the repository that the page links to, rendered by its server."""

import posixpath
import re

from starlette.applications import Starlette
from starlette.testclient import TestClient

from atomizer.ui import documents, texts
from atomizer.ui.rendering import render


def test_texts_are_pages_whose_links_lead_on():
    with TestClient(Starlette(routes=texts.routes())) as client:
        for name in sorted(texts.readable()):
            response = client.get(f"/texts/{name}")
            assert response.status_code == 200, name
            assert "default-src 'none'" in response.headers["content-security-policy"], name
            for address in re.findall('(?:<a href|<img src)="([^"#:]+)[#"]', response.text):
                target = posixpath.join(posixpath.dirname(name), address)
                assert client.get(f"/texts/{target}").status_code == 200, (name, address)
        card = client.get(f"/texts/{documents.MODEL_CARD}")
        assert card.headers["content-type"].startswith("text/html")
        assert "<title>The Atomizer's model</title>" in card.text.replace("&#x27;", "'")
        assert '<h3 id="lost-highs">' in card.text and "<table>" in card.text
        assert "pipeline_tag" not in card.text and "prefers-color-scheme: dark" in card.text
        for other in ("pyproject.toml", "atomizer/py.typed", "../../etc/passwd", "docs", ""):
            assert client.get(f"/texts/{other}").status_code == 404, other


def test_only_pictures_and_links_to_readable_texts_are_rendered():
    text = (
        "---\nlicense: mit\n---\n# A `b` [c](d.md)\n\n# A b c\n\n<script>alert(1)</script>\n\n"
        '<picture><img alt="a &quot;b" src="p.png" onerror="x()"></picture>'
        ' <img src="javascript:x()" alt="">\n\n[in](d.md#e) [`out`](../f.md) [on](https://g.h)'
        " [bad](javascript:x()) <b onclick='x()'>bold</b>\n"
    )
    page = render(text, lambda address: address.startswith("d.md"))
    body = page[page.index("<main>") : page.index("</main>")]
    assert "<title>A b c</title>" in page and "license" not in page
    assert re.findall('id="([^"]+)"', body) == ["a-b-c", "a-b-c-1"]
    assert re.findall("<img.*?>", body) == ['<img src="p.png" alt="a &quot;b">']
    assert re.findall('href="([^"]+)"', body) == ["d.md", "d.md#e", "https://g.h"]
    assert "<code>out</code>" in body
    assert not re.search("<(script|b|picture)|onerror|onclick", body)
