"""Accessibility: the rules of axe-core (WCAG 2.2 A and AA, and best practices), light and dark."""

import json

import driver as d
import pytest

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

GRAVE = ("serious", "critical")
SIZES = ((1400, 1000), (390, 844))
VIOLATIONS = {"resultTypes": ["violations"]}  # what passes is not described: half of the time
CONTRAST = {**VIOLATIONS, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
# a colour on its way from one value to another is neither
SETTLE = """Promise.all(
  document.getAnimations().filter((a) => a instanceof CSSTransition)
    .map((a) => a.finished.catch(() => null)))"""


def findings(page, options) -> list[str]:
    """Every serious or critical one: the rule, and where."""
    page.evaluate(f"{SETTLE}.then(() => null)")
    violations = axe.Axe().run(page, options=options).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in violations
        if v["impact"] in GRAVE
        for node in v["nodes"]
    ]


def check(page, what: str, sizes=SIZES) -> None:
    """Nothing is found in what is open, at some sizes, in the light and in the dark theme.

    The theme is a class of the body, and decides about contrast alone.
    """
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        for theme, options in (("light", VIOLATIONS), ("dark", CONTRAST)):
            page.evaluate(f"document.body.classList.toggle('dark', {json.dumps(theme == 'dark')})")
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            assert findings(page, options) == [], f"{what}, {width} px, {theme}"
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[0])))
    page.evaluate("document.body.classList.remove('dark')")


def test_nothing_serious_is_found(open_page, sounds):
    page = open_page(*SIZES[0], app="quick_app_url")
    d.upload(page, sounds["stereo"])
    d.add_preset(page, "above", 8000)
    d.fill(page)
    check(page, "a fill")
    d.draw_box(page, 1, 2, 300, 3000)
    page.wait_for_selector(f"{d.VIEW} [data-name=base]")
    check(page, "what the next fill starts from", SIZES[:1])
    page.keyboard.press("Control+z")
    d.wait(page, "state.variation")
    page.click(f"{d.VIEW} [data-act=blind]")
    check(page, "the blind test")
    page.keyboard.press("Escape")
    page.click(f"{d.VIEW} [data-act=accept]")
    d.wait(page, "state.layers.length === 1 && !state.variations.length")
    d.draw_box(page, 1, 2, 300, 3000)
    page.click(f"{d.VIEW} [data-act=order]")
    page.click("#record > button")
    page.click(f"{d.VIEW} [data-name=export-menu] summary")
    check(page, "open panels")


def test_nothing_serious_is_found_in_the_model_card(open_page):
    page = open_page(*SIZES[1], app="quick_app_url")
    card = page.context.new_page()  # the page itself may still load
    card.set_viewport_size(page.viewport_size)
    card.goto(page.evaluate("document.querySelector('#intro a').href"))
    for scheme in ("light", "dark"):
        card.emulate_media(color_scheme=scheme)
        assert findings(card, VIOLATIONS) == [], scheme


def test_nothing_serious_is_found_in_sheets_overview_and_example(open_page, sounds):
    page = open_page(*SIZES[0], app="quick_app_url")
    for sheet, sizes in (("how", SIZES), ("keys", SIZES[:1])):  # a phone has no keys
        page.click(f"[data-open={sheet}]")
        check(page, sheet, sizes)
        page.keyboard.press("Escape")
    d.upload(page, sounds["long"])
    page.wait_for_selector(f"{d.VIEW} [data-name=excerpt]")
    check(page, "the overview", SIZES[:1])
    d.play_example(page, "phone")  # its source is drawn
    page.wait_for_selector(f"{d.VIEW} [data-name=sources] button")
    check(page, "an example", SIZES[:1])
