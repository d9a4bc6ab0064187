"""A fill that takes several steps: it is watched live, and Stop keeps what is there."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
from driver import (
    VIEW,
    draw_box,
    enter,
    sound_of,
    state,
    status,
    upload,
    wait,
    wait_filled,
    wait_status,
)

from tests.load.run import Page, Result, Tab


def test_steps_are_shown_live_and_stop_keeps_what_is_there(open_page, sounds):
    page = open_page(app="slow_app_url")
    upload(page, sounds["stereo"])
    draw_box(page, 0.5, 3.5, 300, 5000)
    page.click("#fill")
    wait(page, "state.busy && state.stepsShown >= 2")
    assert "of 8" in status(page) and "left" in status(page)
    counts = state(page, "[1, 2].map(s => state.shown.state.filter(x => x === s).length)")
    assert min(counts) > 0, "some atoms are filled in, some are still unknown"
    page.click("#stop")
    wait_status(page, "Stopped after step")
    wait_filled(page)
    steps = state(page, "state.stepsShown")
    filled, rate = sound_of(page, "filled")
    masked = sound_of(page, "masked")[0]
    difference = np.abs(filled - masked).max(1)
    assert difference[int(0.6 * rate) : int(0.9 * rate)].max() > 1e-3
    assert difference[int(3.2 * rate) :].max() == 0
    page.wait_for_timeout(2500)
    assert state(page, "state.stepsShown") == steps and not state(page, "state.busy")
    assert state(page, "items.length") == 1
    # and the page goes on working
    page.click("#fill")
    wait_status(page, "filled, took")
    wait_filled(page)


def test_fill_straight_after_stop_starts_again(open_page, sounds):
    page = open_page(app="slow_app_url")
    upload(page, sounds["mono"])
    draw_box(page, 0.2, 0.8, 300, 5000)
    for presses in (1, 3):
        for _ in range(presses):
            page.click("#fill")
        wait(page, "state.busy")
        page.click("#stop")
        wait_status(page, "Stopped")
    wait(page, "!state.busy")  # one Stop ends all that was pressed before it
    before = state(page, "state.variations.length")
    number = page.get_attribute(VIEW, "data-message")
    late = []
    page.route("**/queue/join*", lambda route: late.append(route), times=1)
    with page.expect_request("**/queue/join*"):
        page.click("#fill")
    page.click("#stop")
    page.wait_for_selector(f"{VIEW}:not([data-message='{number}'])")
    with page.expect_response("**/queue/join*"):
        late[0].continue_()  # a press whose request arrives after that of Stop
    enter(page, "#seed textarea", "77")
    page.click("#fill")  # the next in the queue
    wait(page, f"!state.busy && state.variations.length > {before}")
    assert ["seed", "77"] in state(page, "state.variations.at(-1).details")


def test_fill_that_waits_for_another_visitor_can_be_stopped(open_page, sounds):
    page = open_page(app="slow_app_url")
    upload(page, sounds["mono"])
    draw_box(page, 0.2, 0.8, 300, 5000)
    other, begun, is_over = Tab(Page(page.url.rstrip("/")), 1, Result()), Event(), Event()
    other.trigger("file", "upload", file=other.upload())

    def proceed(outputs):
        if outputs:
            begun.set()
        return is_over.is_set()

    chosen = {"regions": [], "specs": ["above:6000"], "key": "k"}
    with ThreadPoolExecutor(1) as thread:
        fill = thread.submit(other.trigger, "fill", "click", view=chosen, stop=proceed)
        begun.wait(30)
        page.click("#fill")
        try:
            assert wait_status(page, "Waiting") == "Waiting for another fill (1 ahead) …"
            page.click("#stop")
            wait_status(page, "Stopped waiting")
            wait(page, "!state.ahead && !state.busy")
        finally:
            is_over.set()
        assert fill.result()
    other.close()
    page.click("#fill")  # and the next one starts
    wait(page, "state.busy")
    assert state(page, "state.variations.length") == 0


def test_another_sound_ends_the_fill_of_the_one_before(open_page, sounds):
    page = open_page(app="slow_app_url")
    upload(page, sounds["stereo"])
    draw_box(page, 0.5, 3.5, 300, 5000)
    page.click("#fill")
    wait(page, "state.busy && state.stepsShown >= 1")
    upload(page, sounds["mono"])
    page.wait_for_timeout(2500)
    assert state(page, "[state.scene.name, state.busy, state.shown]") == ["mono.wav", False, None]
