"""Long files: the first part is loaded at once; others are chosen with the mouse or with keys."""

import driver as d
import numpy as np
import pytest

from atomizer.io.audio import read

EXCERPT = f"{d.VIEW} [data-name=excerpt]"


def chosen(page) -> tuple[float, float]:
    """Start and seconds that the overview shows."""
    return tuple(d.state(page, "[api.excerpt.start, api.excerpt.seconds]"))


def take(page) -> None:
    before = d.state(page, "state.base.id")
    page.click(f"{EXCERPT} [data-name=excerpt-take]")
    d.wait(page, f"state.base.id !== '{before}' && player.urls.original === state.originalUrl")


def assert_is(page, path, start, seconds):
    """The page works on this part of the file."""
    heard, rate = d.sound_of(page, "original")
    wanted = read(path, start=start, seconds=seconds)
    assert rate == wanted.rate and heard.shape == wanted.samples.T.shape
    assert np.abs(heard - wanted.samples.T).max() < 2**-15


def test_a_long_file_starts_with_its_first_part(quick, sounds):
    d.upload(quick, sounds["long"])
    assert "70 s long" in d.wait_status(quick, "up to 30 s")
    quick.wait_for_selector(EXCERPT)
    assert chosen(quick) == (0, 30) and quick.is_disabled(f"{EXCERPT} button")
    assert_is(quick, sounds["long"], 0, 30)
    d.upload(quick, sounds["mono"])
    assert not quick.is_visible(EXCERPT), "a short file needs no excerpt"


def test_an_excerpt_is_dragged_resized_and_taken(quick, sounds):
    d.upload(quick, sounds["long"])
    quick.wait_for_selector(EXCERPT)
    strip = quick.locator(f"{EXCERPT} [data-name=excerpt-strip]").bounding_box()

    def at(seconds):
        return (
            strip["x"] + strip["width"] * seconds / 70,
            strip["y"] + strip["height"] / 2,
        )

    d.drag(quick, at(15), at(35))
    assert chosen(quick) == (pytest.approx(20, abs=0.3), 30)
    d.drag(quick, at(50), at(30))
    assert chosen(quick) == (pytest.approx(20, abs=0.3), pytest.approx(10, abs=0.5))
    d.drag(quick, at(60), at(60))
    assert chosen(quick)[0] == pytest.approx(55, abs=0.5), (
        "a press beside the window brings it there"
    )
    start, seconds = chosen(quick)
    take(quick)
    assert_is(quick, sounds["long"], start, seconds)
    d.wait_status(quick, "Showing 0:5")
    play = quick.locator(f"{d.VIEW} [data-act=play]").bounding_box()
    assert play["y"] + play["height"] <= quick.viewport_size["height"]
    d.draw_box(quick, 1, 2, 300, 3000)
    assert "filled, took" in d.fill(quick)
    assert chosen(quick) == pytest.approx((start, seconds), abs=1e-3)  # whole samples


def test_an_excerpt_is_moved_and_taken_by_keys(quick, sounds):
    d.upload(quick, sounds["long"])
    quick.wait_for_selector(EXCERPT)
    window, end = (quick.locator(f"{EXCERPT} [data-part={part}]") for part in ("window", "end"))
    for key in ("ArrowRight", "Shift+ArrowRight"):
        window.press(key)
    for _ in range(2):
        end.press("Shift+ArrowLeft")
    assert (
        chosen(quick) == (11, 10) and window.get_attribute("aria-valuetext") == "0:11.0 to 0:21.0"
    )
    assert d.state(quick, "player.position()") == 0, "the keys move the excerpt, not the playhead"
    before = d.state(quick, "state.base.id")
    window.press("Enter")
    d.wait(quick, f"state.base.id !== '{before}' && player.urls.original === state.originalUrl")
    assert_is(quick, sounds["long"], 11, 10)


def test_an_invalid_excerpt_is_refused_and_changes_nothing(quick, sounds):
    d.upload(quick, sounds["long"])
    quick.wait_for_selector(EXCERPT)
    scene = d.state(quick, "state.base.id")
    for wanted, says in (
        ({"start": 0, "seconds": 31}, "at most 30 seconds"),
        ({"start": 80, "seconds": 5}, "is over"),
        ({"start": "x"}, "must be a number"),
    ):
        quick.evaluate(f"wanted => {d.API}.send('excerpt', wanted)", wanted)
        d.wait_status(quick, says)
    assert d.state(quick, "state.base.id") == scene
