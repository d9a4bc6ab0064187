"""The first visit: few controls, one obvious example; keys, files and figures of the page."""

import re

import driver as d
import pytest

from atomizer.ui.examples import EXAMPLES

DESKTOPS = [(1400, 900), (1280, 720), (1024, 768)]
PHONES = [(390, 844)]


@pytest.mark.parametrize("sizes", [DESKTOPS, PHONES], ids=["desktop", "phone"])
def test_fill_in_is_in_sight_and_folds_are_closed(open_page, sizes):
    options = {"has_touch": True} if sizes is PHONES else {}
    page = open_page(*sizes[0], app="quick_app_url", fresh=True, **options)
    d.wait(page, "state.scene && player.buffers.original")

    def check_in_sight(*selectors):
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            for selector in selectors:
                box = page.locator(selector).bounding_box()
                assert box["y"] >= 0 and box["y"] + box["height"] <= height, (selector, width)
        page.set_viewport_size(dict(zip(("width", "height"), sizes[0])))

    check_in_sight("#fill", "#examples .first")
    assert page.is_visible("#erase") and page.is_hidden("#feature-time")
    assert page.is_hidden(f"{d.VIEW} [data-name=scale]")
    filled = page.evaluate(
        "[...document.querySelectorAll('button')].filter(b => b.offsetParent)"
        ".filter(b => getComputedStyle(b).backgroundColor === 'rgb(79, 70, 229)').map(b => b.id)"
    )
    assert filled == [f"example-{next(iter(EXAMPLES))}"], "one button stands out"
    if sizes is PHONES:  # which have another button to play with, beside Fill in
        return
    page.evaluate("document.activeElement.blur()")
    tabs = 0
    while page.evaluate("document.activeElement.id") != "fill":
        page.keyboard.press("Tab")
        tabs += 1
    assert tabs < 20
    page.click("[data-fold=advanced]")
    assert page.is_visible("#feature-time")
    page.reload()
    page.wait_for_selector(f"{d.VIEW}[data-ready=true]")
    assert page.is_visible("#feature-time"), "the browser remembers open folds"
    d.wait(page, "state.scene && player.buffers.original")
    page.click("[data-fold=advanced]")
    d.draw_box(page, 0.2, 0.8, 900, 5000)
    check_in_sight(f"{d.VIEW} [data-act=play]", f"{d.VIEW} .status")


def test_folds_have_the_same_mark_and_seconds_their_unit(quick):
    style = "([selector, part]) => getComputedStyle(document.querySelector(selector), part).content"
    marks = (("#record .icon", "::after"), ("#advanced-toggle", "::before"))
    quick.click("[data-fold=advanced]")
    assert {quick.evaluate(style, mark) for mark in marks} == {'"▸"'}
    quick.click("#record .label-wrap")
    quick.click("[data-fold=advanced]")
    assert {quick.evaluate(style, mark) for mark in marks} == {'"▾"'}
    assert quick.evaluate(style, ("#seconds label", "::after")) == '"s"'


def test_erase_fill_and_play_by_keys_from_anywhere(quick, sounds):
    d.upload(quick, sounds["stereo"])
    quick.check("#feature-time input")
    d.draw_box(quick, 1, 2, 300, 3000)
    quick.keyboard.press("e")
    d.wait(quick, "state.version === 'masked' && player.playing && player.buffers.masked")
    assert d.state(quick, "player.playedRange") == pytest.approx([0.5, 2.5], abs=0.05)
    quick.keyboard.press("Space")
    d.wait(quick, "!player.playing")
    quick.uncheck("#feature-time input")  # leaves the focus in the left column
    quick.keyboard.press("f")
    d.wait_filled(quick)
    quick.select_option(f"{d.VIEW} [data-name=colour]", "state")
    quick.focus(f"{d.VIEW} [data-name=colour]")
    for key, version in (("1", "original"), ("2", "masked"), ("3", "filled")):
        quick.keyboard.press(key)
        assert d.state(quick, "state.version") == version
    quick.click("#feature-time >> text=time")
    quick.keyboard.press("Space")
    d.wait(quick, "player.playing")
    assert quick.is_checked("#feature-time input"), "the space bar plays after a click"
    quick.click("#seed textarea")
    quick.keyboard.press("1")
    assert d.state(quick, "state.version") == "filled", "typed into a field"
    # an example that was started by a key leaves the keys to the player
    quick.focus("#example-hole")
    quick.keyboard.press("Enter")
    d.wait(quick, "state.scene.name === 'solo.flac' && player.playing")
    quick.keyboard.press("Space")
    d.wait(quick, "!player.playing")


def test_files_dropped_anywhere_load_or_become_a_list(quick, sounds):
    d.wait(quick, "state.scene && player.buffers.original")
    d.drop(quick, sounds["mono"])
    d.wait(quick, "state.scene.name === 'mono.wav'")
    assert "dropping" not in quick.evaluate("({...document.body.dataset})")
    d.drop(quick, sounds["mono"], sounds["stereo"])
    assert quick.locator("dialog[open] .files button").all_text_contents() == [
        "mono.wav",
        "stereo.wav",
    ]
    quick.click("dialog[open] >> text=stereo.wav")
    d.wait(quick, "state.scene.name === 'stereo.wav' && player.buffers.original")
    # a box that was drawn before is gone, and so is its status message
    d.draw_box(quick, 1, 2, 300, 3000)
    d.wait_status(quick, "Ready: press Fill in.")
    d.upload(quick, sounds["mono"])
    d.wait_status(quick, "Nothing is selected")


def test_drags_replace_add_and_take_away(quick, sounds):
    d.upload(quick, sounds["stereo"])
    d.tool(quick, "box")

    def drag(*seconds, key=None):
        if key:
            quick.keyboard.down(key)
        d.drag(quick, *[d.pixel(quick, t, f) for t, f in zip(seconds, (3000, 300))])
        if key:
            quick.keyboard.up(key)
        return d.state(quick, "items.map(i => i.op)")

    assert drag(1, 2) == ["add"] and drag(1.2, 2) == ["add"]
    assert drag(2.5, 3, key="Shift") == ["add", "add"]
    assert drag(2.6, 2.7, key="Alt") == ["add", "add", "subtract"]
    quick.keyboard.press("a")
    assert drag(0.2, 0.4) == ["add", "add", "subtract", "add"]
    quick.keyboard.press("a")
    assert drag(1, 2) == ["add"]
    # bounds are typed; the box snaps to the partial at its centre
    quick.fill(f"{d.VIEW} [data-name=bound-low]", "A4 -50")
    quick.keyboard.press("Enter")
    assert d.state(quick, "items[0].f[0]") == pytest.approx(427.5, abs=0.1)
    quick.fill(f"{d.VIEW} [data-name=bound-high]", "460")
    quick.keyboard.press("Tab")
    quick.click(f"{d.VIEW} [data-act=snap]")
    low, high = d.state(quick, "items[0].f")
    assert low < 440 < high < low + 120
    assert "A4" in quick.inner_text(f"{d.VIEW} [data-name=bound-notes]")
    # an invalid bound is marked, and goes when its field is left; one past the end is the end
    start, end = (f"{d.VIEW} [data-name=bound-{name}]" for name in ("start", "end"))
    quick.fill(start, "abc")
    assert quick.get_attribute(start, "aria-invalid") == "true"
    assert "enter seconds" in quick.inner_text(f"{d.VIEW} [data-name=bound-problem]")
    quick.fill(start, "99")
    quick.press(start, "Enter")
    quick.click(f"{d.VIEW} [data-name=name]")
    assert (quick.input_value(start), quick.get_attribute(start, "aria-invalid")) == ("1", "false")
    assert d.status(quick).startswith("The sound ends at")
    quick.fill(end, "99")
    quick.press(end, "Enter")
    assert d.state(quick, "items[0].t[1] === state.scene.duration")
    d.wait_status(quick, "Ready")  # what was refused before is over
    # the wand takes the partial, as Python does
    d.tool(quick, "wand")
    quick.mouse.click(*d.pixel(quick, 1.05, 900))
    d.wait(quick, "items[0].kind === 'lasso' && state.readout")
    assert d.state(quick, "state.readout.f[1]") < 2000
    quick.select_option(f"{d.VIEW} [data-name=pitch]", "notes")
    quick.wait_for_function(
        "[...document.querySelectorAll('.atom-view .ytick text')].some(t => t.textContent === 'C4')"
    )


def test_a_swipe_scrolls_until_a_tool_is_chosen(open_page):
    page = open_page(390, 844, app="quick_app_url", fresh=True, has_touch=True, is_mobile=True)
    d.wait(page, "state.scene && player.buffers.original")
    action = "getComputedStyle(document.querySelector('.atom-view .stage')).touchAction"
    assert d.state(page, "state.tool") == "scroll" and page.evaluate(action) == "pan-y"
    page.evaluate("document.querySelector('.atom-view [data-name=blind]').showModal()")
    assert "all three as often as you like, then" in page.inner_text(f"{d.VIEW} [data-name=blind]")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('.atom-view .stage').scrollIntoView()")
    page.touchscreen.tap(*d.pixel(page, 5, 1000))
    d.wait(page, "Math.abs(player.position() - 5) < 0.3")
    d.tool(page, "box")
    assert page.evaluate(action) == "none"


def test_every_edit_of_a_setting_is_checked(quick, sounds):
    d.upload(quick, sounds["stereo"])
    d.draw_box(quick, 1, 2, 300, 3000)
    box = "#steps textarea"
    quick.fill(box, "many")  # as by pasting
    d.wait_status(quick, "not 'many'")
    quick.press(box, "End")
    quick.keyboard.press("Backspace")
    d.wait_status(quick, "not 'man'")
    quick.keyboard.press("x")
    d.wait_status(quick, "not 'manx'")
    quick.fill(box, "")
    d.wait_status(quick, "Ready")


def test_a_preset_that_is_added_twice_is_one_item(quick, sounds):
    d.upload(quick, sounds["stereo"])
    d.add_preset(quick, "above", 8000)
    for _ in range(2):
        quick.press(f"{d.VIEW} [data-act=preset]", "Space")
    assert d.state(quick, "items.length") == 1 and d.state(quick, "state.active") == 0
    d.add_preset(quick, "below", 200)
    d.wait(quick, "items.length === 2")


def test_counts_and_channels_follow_an_added_part(quick, sounds):
    d.upload(quick, sounds["mono"])
    facts = f"{d.VIEW} [data-name=facts]"

    def atoms():
        return int(re.search(r"([\d,]+) atoms", quick.inner_text(facts))[1].replace(",", ""))

    before = atoms()
    assert quick.is_hidden(f"{d.VIEW} [data-name=channels]")
    d.fill(quick, "#add-channel")
    assert atoms() > 1.5 * before
    assert quick.is_visible(f"{d.VIEW} [data-name=channels]")
    quick.click(f"{d.VIEW} [data-version=original]")
    assert atoms() == before


def test_a_reload_brings_the_fills_back(quick, sounds):
    d.upload(quick, sounds["stereo"])
    d.draw_box(quick, 1, 2, 300, 3000)
    d.fill(quick)
    d.fill(quick)
    quick.click(f"{d.VIEW} [data-variation]")  # the first one
    d.wait(
        quick, "state.variation.label === 'A' && player.urls.filled === state.variation.sound.url"
    )
    quick.fill(f"{d.VIEW} [name=level_db]", "-6")
    quick.select_option(f"{d.VIEW} [data-name=scale]", "mel")
    d.state(quick, "picture.setRange([0.5, 2], [300, 4000].map(f => picture.unit(f)))")
    quick.click(f"{d.VIEW} [data-version=masked]")
    d.state(quick, "player.seek(1.5)")
    filled = d.sound_of(quick, "filled")[0]
    shown = (
        "[items, state.variations.map(v => [v.id, v.title]), state.variation.id, state.version,"
        " player.version, player.shape, player.position(), picture.scale, picture.t,"
        " picture.u.map(u => Math.round(picture.hertz(u)))]"
    )
    before = d.state(quick, shown)
    assert before[3] == "masked" and before[5]["level_db"] == -6 and before[8] == [0.5, 2]
    quick.reload()
    restoring = f"{d.VIEW} .restoring"
    quick.wait_for_selector(f"{restoring}:text-is('Restoring stereo.wav …')")  # it goes soon
    stored = "sessionStorage['atomizer-view']"
    kept = quick.evaluate(stored)
    quick.evaluate("dispatchEvent(new Event('pagehide'))")
    assert quick.evaluate(stored) == kept, "another reload would lose what has not come back yet"
    quick.wait_for_selector(restoring, state="hidden")
    quick.wait_for_selector(f"{d.VIEW}[data-ready=true]")
    d.wait(quick, "state.scene && state.scene.name === 'stereo.wav' && player.buffers.filled")
    d.wait(quick, "!state.returning")
    assert d.state(quick, shown) == before and not d.state(quick, "player.playing")
    assert (d.sound_of(quick, "filled")[0] == filled).all()
    d.fill(quick)
    assert d.state(quick, "state.variations.length") == 3
    # the server has lost the session, and the sound cannot be uploaded: it stays stored
    quick.evaluate("sessionStorage['atomizer-session'] = 'gone'")
    quick.route("**/upload*", lambda route: route.fulfill(body="no files"))
    quick.reload()
    quick.wait_for_selector(f"{d.VIEW}[data-ready=true]")
    d.wait_status(quick, "stereo.wav could not be uploaded again")
    assert quick.is_hidden(restoring) and quick.is_enabled(f"{d.VIEW} [data-act=play]")
    quick.unroute("**/upload*")
    quick.reload()
    quick.wait_for_selector(f"{d.VIEW}[data-ready=true]")
    d.wait(quick, "state.scene && state.scene.name === 'stereo.wav' && items.length === 1")
    d.wait(quick, "!state.returning && !state.variations.length")
    assert d.state(quick, "[picture.scale, picture.t]") == ["mel", [0.5, 2]]
