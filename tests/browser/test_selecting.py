"""Selecting with mouse, keyboard and fingers at 200,000 atoms, as Python selects."""

import json

import driver as d
import numpy as np
import pytest
import soundfile
from test_page import drawn_and_selected

STROKE = [(4, 700), (6, 1500), (8, 900)]


@pytest.fixture
def page(quick, many):
    d.upload(quick, many)
    return quick


@pytest.fixture
def small(quick, sounds):
    """A page with a sound of 4 s: where the number of atoms is not the subject."""
    d.upload(quick, sounds["stereo"])
    return quick


def agree(page, path) -> None:
    mine, python = drawn_and_selected(page, path)
    assert mine == python > 0


def readout(page) -> str:
    return page.inner_text(f"{d.VIEW} [data-name=readout]")


def test_the_chip_of_the_chosen_region_is_in_sight(small):
    small.set_viewport_size({"width": 1024, "height": 768})
    for start in (0.2, 1.2, 2.2, 3.2):
        d.draw_box(small, start, start + 0.5, 300, 3000)
    chip, chips = (
        small.locator(f"{d.VIEW} {name}").bounding_box() for name in (".chip.active", ".chips")
    )
    assert chips["y"] - 1 <= chip["y"]
    assert chip["y"] + chip["height"] <= chips["y"] + chips["height"] + 1


def test_brushes_select_what_python_selects(page, many):
    d.paint(page, STROKE, radius=20)
    assert d.state(page, "[items[0].kind, items[0].scale]") == ["brush", "log"]
    agree(page, many)
    d.paint(page, [(10, 300), (14, 420)], "harmonics", radius=10)
    assert d.state(page, "items[1].harmonics") == 16
    agree(page, many)
    page.keyboard.down("Alt")
    d.paint(page, [(5, 900), (7, 1200)])
    page.keyboard.up("Alt")
    assert d.state(page, "items[2].op") == "subtract"
    agree(page, many)
    for scale in ("linear", "mel"):
        page.select_option(f"{d.VIEW} [data-name=scale]", scale)
        d.wait(page, f"picture.scale === '{scale}'")
        d.paint(page, [(16, 4000), (18, 9000)])
        d.draw_lasso(page, [(20, 3000), (24, 9000), (26, 4000)])
        agree(page, many)
    page.click(f"{d.VIEW} [data-act=invert]")
    agree(page, many)


def test_a_box_is_narrowed_to_what_stands_out(quick, tmp_path):
    t = np.arange(3 * 44_100) / 44_100
    hiss = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    whistle = 0.3 * np.sin(2 * np.pi * 2000 * t) * np.clip(20 * (0.4 - abs(t - 1.5)), 0, 1)
    soundfile.write(tmp_path / "whistle.wav", hiss + whistle, 44_100)
    d.upload(quick, tmp_path / "whistle.wav")
    d.draw_box(quick, 0.8, 2.2, 1000, 4000)
    whole = d.state(quick, "state.readout.count")
    quick.click(f"{d.VIEW} [data-act=standout]")
    d.wait(quick, "items.length === 2", "state.partBits")
    assert d.state(quick, "items[1].part") == "standout:8"
    assert 0 < d.state(quick, "state.readout.count") < whole / 2
    agree(quick, tmp_path / "whistle.wav")
    quick.keyboard.press("u")
    d.wait(quick, "items.length === 1")
    assert d.state(quick, "state.readout.count") == whole


def test_stacked_lanes_select_their_channel(page, many):
    page.select_option(f"{d.VIEW} [data-name=channels]", "stacked")
    d.wait(page, "picture.lanes().length === 2")
    d.tool(page, "box")
    d.drag(page, d.pixel(page, 3, 5000, 1), d.pixel(page, 8, 500, 1))
    d.wait(page, "items.length === 1")
    assert d.state(page, "items[0].channels") == [1]
    agree(page, many)


def test_the_readout_says_seconds_hertz_atoms_and_energy(page, many):
    assert "Nothing is selected" in readout(page)
    d.add_preset(page, "above", 0)
    assert "200,018 atoms · 100 % of the energy" in readout(page)
    page.keyboard.press("Escape")
    page.mouse.move(*d.pixel(page, 5, 3000))
    page.mouse.down()
    page.mouse.move(*d.pixel(page, 12, 600), steps=4)
    d.wait(page, "state.readout && state.readout.count > 100")  # while it is being drawn
    live = readout(page)
    page.mouse.up()
    d.wait(page, "items.length === 1")
    assert live.split(" · ")[0].startswith("5") and "Hz" in live
    assert d.state(page, "state.feedbackMilliseconds") > 0


def test_the_legend_has_one_place_for_all_selections(page):
    def place():
        page.wait_for_selector(f"{d.VIEW} .bounds", state="visible")
        stage, legend = (
            page.locator(f"{d.VIEW} .{part}").bounding_box() for part in ("stage", "legend")
        )
        return legend["x"], legend["y"] - stage["y"]

    d.draw_box(page, 2, 4, 300, 2000)
    of_box = place()
    page.keyboard.press("Escape")
    d.add_preset(page, "time", 2, 4)  # whose bounds are shorter to read
    assert place() == of_box


def test_presets_have_live_values(page, many):
    d.add_preset(page, "above", 8000)
    high = d.state(page, "state.readout.count")
    page.fill(f"{d.VIEW} [data-name=first]", "12000")
    d.wait(page, "items[0].f[0] === 12000")
    assert d.state(page, "state.readout.count") < high
    page.fill(f"{d.VIEW} [data-name=slide]", "400")
    d.wait(page, "items[0].f[0] < 1000")
    agree(page, many)
    page.focus(d.VIEW)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    d.wait(page, "items[0].f[0] === 8000")
    d.draw_box(page, 2, 4, 200, 900)
    page.click(f"{d.VIEW} [data-chip='0']")
    assert page.input_value(f"{d.VIEW} [data-name=first]") == "8000"
    page.click(f"{d.VIEW} [data-remove='0']")
    d.wait(page, "items.length === 1 && items[0].t")
    d.add_preset(page, "beats", 1, 2)  # this sound has none: only the box stays
    assert d.wait_status(page, "No beat was found")
    d.wait(page, "items.length === 1 && items[0].t")


def test_moving_and_resizing_by_mouse_and_keyboard(page, many):
    d.draw_box(page, 5, 10, 500, 2000)
    d.tool(page, "move")
    d.drag(page, d.pixel(page, 10, 1000), d.pixel(page, 15, 1000))
    d.wait(page, "items[0].t[1] > 14")
    t, f = d.state(page, "items[0].t"), d.state(page, "items[0].f")
    assert t == pytest.approx([5, 15], abs=0.2) and f == pytest.approx([500, 2000], rel=0.06)
    d.drag(page, d.pixel(page, 10, 2000), d.pixel(page, 10, 6000))
    d.wait(page, "items[0].f[1] > 5000")
    d.drag(page, d.pixel(page, 8, 1000), d.pixel(page, 12, 1000))
    d.wait(page, "items[0].t[0] > 8")
    assert d.state(page, "items[0].t[1] - items[0].t[0]") == pytest.approx(10, abs=0.3)
    before = d.state(page, "items[0].t[0]")
    page.focus(d.VIEW)
    page.keyboard.press("ArrowLeft")
    d.wait(page, f"items[0].t[0] < {before}")
    top, low = d.state(page, "items[0].f[1]"), d.state(page, "items[0].f[0]")
    page.keyboard.press("Shift+ArrowUp")
    d.wait(page, f"items[0].f[1] > {top}")
    assert d.state(page, "items[0].f[0]") == low
    agree(page, many)
    page.keyboard.press("Delete")
    d.wait(page, "items.length === 0")
    page.keyboard.press("Control+z")
    d.wait(page, "items.length === 1")
    d.paint(page, STROKE)
    d.tool(page, "move")
    points = d.state(page, "items[1].points[0][0]")
    d.drag(page, d.pixel(page, 6, 1450), d.pixel(page, 7, 1450))
    d.wait(page, f"items[1].points[0][0] > {points} + 0.8")
    agree(page, many)


def test_shift_and_arrows_resize_every_region(page, many):
    d.draw_lasso(page, [(5, 600), (8, 4000), (10, 700)])
    d.paint(page, STROKE)
    d.paint(page, [(12, 300), (14, 420)], "harmonics", radius=10)
    d.tool(page, "move")
    reach = (
        "(i => [...[0, 1].map(k => Math.max(...items[i].points.map(p => p[k]))),"
        " ...(items[i].size || [0, 0])])"
    )
    for index in range(3):
        page.click(f"{d.VIEW} [data-chip='{index}']")
        before, least = (
            d.state(page, f"{reach}({index})"),
            d.state(page, f"Math.min(...items[{index}].points.map(p => p[0]))"),
        )
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        after = d.state(page, f"{reach}({index})")
        assert (
            after[0] > before[0]
            and after[1] > before[1]
            and all(a > b for a, b in zip(after[2:], before[2:]) if b)
        )
        assert d.state(page, f"Math.min(...items[{index}].points.map(p => p[0]))") == pytest.approx(
            least, abs=0.2
        )
        agree(page, many)
        page.keyboard.press("Control+z")
        d.wait(page, f"{reach}({index})[0] === {before[0]}")


def test_nothing_is_taken_away_from_parts_and_the_page_says_so(small):
    d.add_preset(small, "loudest", 5)
    d.wait(small, "state.readout && state.readout.count > 0")
    small.keyboard.press("s")
    d.tool(small, "box")
    box = d.pixel(small, 1, 9000), d.pixel(small, 2.4, 100)
    d.drag(small, *box)
    d.wait_status(small, "Can't subtract from parts")
    assert d.state(small, "items.length") == 1
    small.keyboard.press("s")
    d.draw_box(small, 0.6, 2.8, 90, 9500)
    before = d.state(small, "state.readout.count")
    small.keyboard.press("s")
    d.drag(small, *box)
    d.wait(small, "items.length === 3")  # from the box it is
    d.wait_status(small, "Can't subtract from parts")
    assert 0 < d.state(small, "state.readout.count") < before


def test_arrows_that_change_nothing_leave_nothing_to_undo(small):
    d.add_preset(small, "above", 8000)
    d.tool(small, "move")
    small.click(f"{d.VIEW} [data-chip='0']")
    steps = d.state(small, "undoSteps")
    for key in ("ArrowRight", "Shift+ArrowRight"):  # it has no time
        small.keyboard.press(key)
    assert d.state(small, "undoSteps") == steps
    small.keyboard.press("Shift+ArrowUp")
    d.wait(small, "items[0].f[0] > 8000")
    assert d.state(small, "undoSteps") == steps + 1


def test_only_the_selection_plays_once_or_in_a_loop(small):
    d.draw_box(small, 1, 2, 500, 2000)
    small.focus(d.VIEW)
    small.keyboard.press("Enter")
    d.wait(small, "player.once && player.startedAt > 0")  # it may be over already
    # with half a second before and after it
    assert d.state(small, "player.playedRange") == pytest.approx([0.5, 2.5], abs=0.1)
    d.wait(small, "!player.playing")
    small.keyboard.press("r")
    small.keyboard.press(" ")
    d.wait(small, "player.playing && player.loops")
    d.wait(small, "player.passes() >= 1")
    assert 0.4 <= d.state(small, "player.position()") <= 2.6
    small.keyboard.press(" ")


def test_saved_and_loaded_with_its_features(small, tmp_path):
    d.draw_box(small, 1, 2, 500, 2000)
    d.add_preset(small, "quietest", 40)
    d.wait(small, "state.partBits")
    small.check("#feature-time input")
    small.click(f"{d.VIEW} [data-name=export-menu] summary")
    with small.expect_download() as download:
        small.click(f"{d.VIEW} [data-act=saveSelection]")
    saved = json.loads(open(download.value.path()).read())
    assert (
        set(saved["features"]) == {"velocity", "sign", "time"}
        and saved["parts"] == ["quietest:40"]
        and len(saved["regions"]) == 1
    )
    count = d.state(small, "state.readout.count")
    small.uncheck("#feature-time input")
    small.focus(d.VIEW)
    small.keyboard.press("Escape")
    d.wait(small, "items.length === 0")
    small.set_input_files(f"{d.VIEW} [data-name=selection-file]", download.value.path())
    d.wait(small, f"items.length === 2 && state.partBits && state.readout.count === {count}")
    assert small.is_checked("#feature-time input")
    bad = tmp_path / "bad.json"
    bad.write_text("[]")
    small.set_input_files(f"{d.VIEW} [data-name=selection-file]", str(bad))
    d.wait_status(small, "has no selection")
    assert d.state(small, "items.length") == 2
    # settings, dropped on the page or chosen as a sound
    region = {"kind": "rect", "op": "add", "t": [1, 2]}
    settings = {"method": "noise", "order": "random", "steps": 3, "seed": 77, "temperature": 0.5}
    settings["timbre"] = 2
    fill = {"selection": {"regions": [region], "features": ["sign"]}, "settings": settings}
    bad.write_text(json.dumps({"fills": [fill]}))
    d.drop(small, bad)
    assert d.wait_status(small, "loaded") == "bad.json is loaded: press Fill in."
    assert d.state(small, "items") == [region]
    small.wait_for_function("document.querySelector('#seed textarea').value === '77'")
    fields = ("#order input", "#steps textarea", "#temperature textarea")
    assert [small.input_value(field) for field in fields] == ["Order: random", "3", "0.5"]
    assert small.input_value("#timbre input") == "2: darker"
    assert small.is_checked("#feature-sign input") and not small.is_checked("#feature-time input")
    settings["steps"] = "many"
    bad.write_text(json.dumps({"fills": [fill]}))
    small.set_input_files("#file input[type=file]", str(bad))
    d.wait_status(small, "The steps of a fill cannot be 'many'")
    assert d.state(small, "items") == [region]


def touch(page, *fingers) -> None:
    """Fingers that go down together, move along their points and are lifted."""
    session = page.context.new_cdp_session(page)

    def points(k):
        return [{"x": f[k][0], "y": f[k][1], "id": n} for n, f in enumerate(fingers)]

    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points(0)})
    for k in range(1, len(fingers[0])):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points(k)})
        page.wait_for_timeout(30)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_fingers_draw_zoom_and_pan(open_page, many):
    page = open_page(390, 844, app="quick_app_url", has_touch=True)
    d.upload(page, many)
    page.locator(f"{d.VIEW} .stage").scroll_into_view_if_needed()
    d.tool(page, "brush")
    touch(page, [d.pixel(page, t, 1000 + 100 * t) for t in (5, 7, 9, 11)])
    d.wait(page, "items.length === 1 && items[0].kind === 'brush'")
    agree(page, many)
    d.tool(page, "box")
    page.click(f"{d.VIEW} [data-act=union]")
    page.locator(f"{d.VIEW} .stage").scroll_into_view_if_needed()
    touch(page, [d.pixel(page, 12, 5000), d.pixel(page, 14, 2000), d.pixel(page, 18, 500)])
    d.wait(page, "items.length === 2")
    x, y = d.pixel(page, 15, 1000)
    touch(page, [(x - 20, y), (x - 50, y), (x - 90, y)], [(x + 20, y), (x + 50, y), (x + 90, y)])
    d.wait(page, "picture.t[1] - picture.t[0] < 15")
    assert d.state(page, "items.length") == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
