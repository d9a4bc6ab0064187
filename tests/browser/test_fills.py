"""What a fill is made of, its shape, and how it is compared; the tests share one page."""

import driver as d
import pytest


@pytest.fixture
def page(quick, sounds):
    """A page with a filled hole from 1 to 1.2 s."""
    d.upload(quick, sounds["stereo"])
    d.add_preset(quick, "time", 1, 1.2)
    d.fill(quick)
    return quick


def test_sources_of_a_hole_are_named_and_drawn(page):
    labels = page.locator(f"{d.VIEW} .source")
    assert labels.all_inner_texts() == ["copied from 0.5–0.7 s", "copied from 2–2.2 s"]
    row = page.inner_text(f"{d.VIEW} .variation .origin")
    assert row == "copied from 0.50 to 0.70 s and 1 more, confidence 0.90"
    changed = "17,640 samples in 1.00–1.20 s changed, all others are bit-identical"
    assert d.status(page).endswith(changed) and changed in page.inner_text(f"{d.VIEW} .variation")
    box, hole = labels.first.bounding_box(), d.pixel(page, 1, 1000)[0]
    assert box["x"] == pytest.approx(d.pixel(page, 0.5, 1000)[0], abs=1)
    assert box["x"] + box["width"] < hole
    page.click(f"{d.VIEW} [data-version=original]")
    assert not page.is_visible(f"{d.VIEW} .source")
