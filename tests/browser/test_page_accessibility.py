"""Accessibility: the rules of axe-core (WCAG 2.2 A and AA, and best practices), light and dark."""

import driver as d
import pytest

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

GRAVE = ("serious", "critical")
# a colour on its way from one value to another is neither
SETTLE = """Promise.all(
  document.getAnimations().filter((a) => a instanceof CSSTransition)
    .map((a) => a.finished.catch(() => null)))"""


def findings(page) -> list[str]:
    """Every serious or critical one: the rule, and where."""
    page.evaluate(f"{SETTLE}.then(() => null)")
    violations = axe.Axe().run(page).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in violations
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("theme", ("light", "dark"))
@pytest.mark.parametrize("width, height", ((1400, 1000), (390, 844)))
def test_nothing_serious_is_found(open_page, sounds, theme, width, height):
    page = open_page(width, height, f"?__theme={theme}", app="quick_app_url")
    d.upload(page, sounds["stereo"])
    d.add_preset(page, "above", 8000)
    d.fill(page)
    assert findings(page) == []
    page.click(f"{d.VIEW} [data-act=blind]")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.click(f"{d.VIEW} [data-act=accept]")
    d.wait(page, "state.layers.length === 1 && !state.variations.length")
    d.draw_box(page, 1, 2, 300, 3000)
    page.click(f"{d.VIEW} [data-act=order]")
    page.click("#record > button")
    page.click(f"{d.VIEW} [data-name=export-menu] summary")
    assert findings(page) == []


@pytest.mark.parametrize("theme", ("light", "dark"))
def test_nothing_serious_is_found_in_the_sheets_and_the_overview(open_page, sounds, theme):
    page = open_page(1400, 1000, f"?__theme={theme}", app="quick_app_url")
    for sheet in ("how", "keys"):
        page.click(f"[data-open={sheet}]")
        assert findings(page) == [], sheet
        page.keyboard.press("Escape")
    d.upload(page, sounds["long"])
    page.wait_for_selector(f"{d.VIEW} [data-name=excerpt]")
    assert findings(page) == []


@pytest.mark.parametrize("theme", ("light", "dark"))
def test_nothing_serious_is_found_in_an_example(open_page, theme):
    page = open_page(1400, 1000, f"?__theme={theme}", app="quick_app_url")
    d.play_example(page, "phone")  # its source is drawn
    page.wait_for_selector(f"{d.VIEW} [data-name=sources] button")
    assert findings(page) == []
