"""The page, driven as a person drives it."""

import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import soundfile
from driver import (
    VIEW,
    add_preset,
    drag,
    draw_box,
    draw_lasso,
    export,
    fill,
    large,
    pixel,
    set_steps,
    sound_of,
    state,
    status,
    tool,
    upload,
    wait,
    wait_filled,
    wait_status,
)

from atomizer.atoms.selection import Selection
from atomizer.atoms.space import AtomSpace
from atomizer.inpainting.task import prepare
from atomizer.io.audio import read


@pytest.fixture
def page(quick):
    """A page whose fills are noise: most tests are about something else."""
    return quick


def drawn_atoms(page) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channel, frame and bin of the scene's atoms, from the file that the picture draws."""
    scene = state(page, "state.scene")
    with urllib.request.urlopen(scene["atoms"]["url"]) as response:
        data, n = response.read(), scene["count"]
    assert scene["is_mapped"]
    has_atom = np.unpackbits(np.frombuffer(data, "u1", offset=2 * n), bitorder="little")
    shape = scene["channels"], scene["frames"], scene["hop"]
    return np.unravel_index(np.flatnonzero(has_atom[: np.prod(shape)]), shape)


def drawn_and_selected(page, path) -> tuple[int, int]:
    """Numbers of drawn atoms that the page, and that Python selects."""
    sent = state(page, "({regions: value.regions, parts: value.specs})")
    task = prepare(read(path), Selection.from_dict(sent))
    return int(page.get_attribute(VIEW, "data-selected")), int(task.mask[drawn_atoms(page)].sum())


def test_box_lasso_and_presets_select_what_python_selects(page, sounds):
    upload(page, sounds["stereo"])
    draw_box(page, 1, 2, 300, 3000)
    region = state(page, "items[0]")
    assert region["t"] == pytest.approx([1, 2], abs=0.02) and region["f"] == pytest.approx(
        [300, 3000], rel=0.05
    )
    mine, python = drawn_and_selected(page, sounds["stereo"])
    assert mine == python > 0
    draw_lasso(page, [(2.2, 200), (3, 5000), (3.5, 900), (2.6, 150)])
    assert state(page, "items[1].scale") == "log"
    assert len(set(drawn_and_selected(page, sounds["stereo"]))) == 1
    page.click(f"{VIEW} [data-act=subtract]")
    draw_box(page, 1.4, 1.6, 500, 2000)
    assert state(page, "items[2].op") == "subtract"
    assert len(set(drawn_and_selected(page, sounds["stereo"]))) == 1
    page.click(f"{VIEW} [data-act=subtract]")
    for name, *values in [
        ("above", 8000),
        ("below", 100),
        ("time", 0.5, 0.7),
        ("after", 3.8),
        ("channel", 1),
    ]:
        add_preset(page, name, *values)
        assert len(set(drawn_and_selected(page, sounds["stereo"]))) == 1, name


def test_parts_are_ranked_by_python_and_shown(open_page, sounds):
    page = open_page()  # with the model
    upload(page, sounds["mono"])
    for part in ("random", "quietest", "loudest", "keep"):
        page.keyboard.press("Escape")
        add_preset(page, part, 30)
        wait(page, "state.partBits && state.readout")
        wait(page, f"state.partBits.key.includes('{part}')")
        mine, python = drawn_and_selected(page, sounds["mono"])
        assert mine == python > 0
    wait_status(page, "Ready: press Fill in.")
    page.fill("#count input", "9999")
    page.wait_for_selector("#fill[data-expected$=min]")  # how long all of them take
    page.focus(VIEW)
    page.keyboard.press("Escape")
    page.wait_for_selector("#fill:not([data-expected])")
    add_preset(page, "beats", 1, 4)
    wait(page, "state.partBits?.key.includes('beats:4,1')")
    mine, python = drawn_and_selected(page, sounds["mono"])
    assert mine == python > 0
    assert re.search(
        r"[\d,]+ atoms · .* of the energy", page.inner_text(f"{VIEW} [data-name=readout]")
    )


def test_edit_undo_invert_and_keys(page, sounds):
    upload(page, sounds["stereo"])
    page.focus(VIEW)
    page.keyboard.press("b")
    draw_box(page, 1, 2, 300, 3000)
    first = state(page, "state.readout.count")
    page.click(f"{VIEW} [data-act=invert]")
    assert state(page, "state.readout.count") == state(page, "state.original.count") - first
    assert len(set(drawn_and_selected(page, sounds["stereo"]))) == 1
    page.keyboard.press("Control+z")
    wait(page, f"state.readout.count === {first}")
    tool(page, "move")
    drag(page, pixel(page, 1.5, 900), pixel(page, 2.5, 900))
    wait(page, "items[0].t[0] > 1.9")
    assert state(page, "items[0].t") == pytest.approx([2, 3], abs=0.03)
    page.focus(VIEW)
    page.keyboard.press("Control+z")
    wait(page, "items[0].t[0] < 1.1")
    page.keyboard.press("Control+Shift+z")
    wait(page, "items[0].t[0] > 1.9")
    page.keyboard.press("y")
    wait(page, "picture.scale === 'linear'")
    assert state(page, "items.length") == 1
    tool(page, "zoom")
    drag(page, pixel(page, 1, 9000), pixel(page, 3, 1000))
    wait(page, "picture.t[1] < 3.5")
    assert state(page, "items.length") == 1
    page.keyboard.press("0")
    wait(page, "picture.t[1] > 3.9")
    page.keyboard.press("Escape")
    wait(page, "items.length === 0 && !state.readout")
    # a click without a drag is no region, it moves the playhead
    tool(page, "box")
    page.mouse.click(*pixel(page, 2.5, 6000))
    wait(page, "Math.abs(player.position() - 2.5) < 0.05")
    assert state(page, "items.length") == 0


def test_fill_play_compare_and_download(open_page, sounds):
    page = open_page()  # with the model
    path = sounds["stereo"]
    upload(page, path)
    set_steps(page, 2)
    draw_box(page, 1, 2, 300, 3000)
    assert "filled, took" in fill(page)
    assert state(page, "items.length") == 1, "the selection survives what Python sends"
    assert state(page, "state.version") == "filled" and state(page, "state.stepsShown") >= 1
    assert state(page, "state.shown.state.filter(s => s === 2).length") > 0

    original, masked, filled = (
        sound_of(page, version)[0] for version in ("original", "masked", "filled")
    )
    t0, t1 = state(page, "items[0].t")
    margin, rate = 2 * AtomSpace().hop, 44_100
    inside = np.zeros(len(original), bool)
    inside[max(0, int(t0 * rate) - margin) : int(t1 * rate) + margin] = True
    assert np.abs(original - masked)[inside].max() > 1e-2
    assert np.array_equal(original[~inside], masked[~inside]) and np.array_equal(
        original[~inside], filled[~inside]
    )
    assert np.abs(filled - masked)[inside].max() > 1e-3

    download = export(page, "same")
    assert download.suggested_filename == "stereo-filled-A.wav"
    saved = Path(download.path())
    info, mine = soundfile.info(saved), soundfile.read(saved)[0]
    assert (info.samplerate, info.subtype, info.channels) == (44_100, "PCM_24", 2)
    assert np.array_equal(mine[~inside], soundfile.read(path)[0][~inside])

    # one position, whichever version plays
    page.focus(VIEW)
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    wait(page, "player.playing && player.position() > 0.3 && player.level() > 1e-4")
    for version in ("original", "masked", "filled", "change"):
        before = state(page, "player.position()")
        page.click(f"{VIEW} [data-version={version}]")
        wait(page, f"player.version === '{version}'")
        wait(page, "Object.values(player.voices).length === 4")
        assert state(page, "player.position()") >= before or not state(page, "player.playing")
    state(page, "player.pause()")
    page.click(f"{VIEW} [data-act=loop]")
    page.click(f"{VIEW} [data-act=play]")
    wait(page, "player.playing && player.loopSpan")
    assert t0 - 0.5 <= state(page, "player.position()") <= t1 + 0.5
    page.click(f"{VIEW} [data-act=play]")
    wait(page, "!player.playing && player.context.state === 'suspended'")


def test_space_plays_after_a_click_and_redo_shows_the_fill(page, sounds):
    upload(page, sounds["stereo"])
    draw_box(page, 1, 2, 300, 3000)
    filled = fill(page)
    page.click(f"{VIEW} [data-version=masked]")
    page.keyboard.press("Space")
    wait(page, "player.playing && player.version === 'masked'")
    page.keyboard.press("Space")
    wait(page, "!player.playing")
    page.keyboard.press("Control+z")
    wait_status(page, "Nothing is selected")
    wait(page, "state.version === 'original' && !state.variation")
    page.keyboard.press("Control+Shift+z")
    wait(page, "state.version === 'filled' && state.variation && player.buffers.filled")
    assert wait_status(page, "filled, took").split(", took")[0] == filled.split(", took")[0]


def test_draw_then_fill_at_once_in_two_sessions(open_page, sounds):
    pages = [open_page(app="quick_app_url"), open_page(app="quick_app_url")]
    for page, start in zip(pages, (0.5, 2.0)):
        upload(page, sounds["stereo"])
        set_steps(page, 1)
        draw_box(page, start, start + 1, 300, 3000)
        page.click("#fill")  # no wait in between
    for page, start in zip(pages, (0.5, 2.0)):
        wait_filled(page)
        frames = large(
            page, "Array.from(state.shown.frame).filter((_, i) => state.shown.state[i] === 2)"
        )
        seconds = AtomSpace().seconds(np.array(frames))
        assert start - 0.05 <= seconds.min() and seconds.max() <= start + 1.05


def test_features_are_the_ones_ticked(page, sounds):
    upload(page, sounds["mono"])
    for feature in AtomSpace().features:
        assert page.is_visible(f"#feature-{feature.name} >> text={feature.when_unknown}")
        assert page.is_checked(f"#feature-{feature.name} input") == (
            feature.name in ("velocity", "sign")
        )
    draw_box(page, 1, 2, 300, 3000)
    for name in ("velocity", "sign"):
        page.uncheck(f"#feature-{name} input")
    wait_status(page, "Choose at least one feature")
    page.click("#fill")
    page.wait_for_selector(".toast-body >> text=Choose at least one feature")
    assert state(page, "items.length") == 1 and state(page, "state.scene.name") == "mono.wav"
    page.check("#feature-sign input")
    assert "filled, took" in fill(page)


BAD = {"garbage": "as sound: please use", "empty": "empty file", "nan": "not numbers"}


def test_a_bad_file_is_explained_and_changes_nothing(page, sounds):
    upload(page, sounds["mono"])
    draw_box(page, 1, 2, 300, 3000)
    # or what Python says of the box comes after what it says of the file
    wait_status(page, "Ready: press Fill in.")
    scene = state(page, "state.scene.id")
    for bad, sentence in BAD.items():
        page.set_input_files("#file input[type=file]", str(sounds[bad]))
        page.wait_for_selector(f".toast-body >> text={sentence}")
        wait_status(page, sentence)
        assert state(page, "state.scene.id") == scene and state(page, "items.length") == 1
    assert "filled, took" in fill(page)
    upload(page, sounds["stereo"])


def test_nothing_selected_and_a_region_outside(page, sounds):
    upload(page, sounds["mono"])
    for button in ("#erase", "#fill"):  # both say the same
        assert page.get_attribute(button, "aria-disabled") == "true"
        page.click(button, force=True)
        wait_status(page, "Nothing is selected: drag over")
    title = page.get_attribute(f"{VIEW} [data-version=masked]", "title")
    assert title.startswith("Select something first")
    add_preset(page, "after", 20)
    page.click("#fill")
    page.wait_for_selector(".toast-body >> text=holds no atom of this sound")
    assert page.locator(".toast-body").count() == 1, "Fill in without a selection asks no server"
    assert state(page, "items.length") == 1


def test_one_sample(page, sounds):
    upload(page, sounds["single"])
    assert state(page, "state.original.count") > 0


def test_mono_to_stereo_and_missing_highs(page, sounds):
    upload(page, sounds["low_rate"])
    fill(page, "#bandwidth")
    samples, rate = sound_of(page, "filled")
    assert rate == 44_100
    fill(page, "#add-channel")
    samples, rate = sound_of(page, "filled")
    assert (
        samples.shape[1] == 2
        and np.abs(samples[:, 1]).max() > 1e-3
        and state(page, "state.scene.channels") == 2
    )
    upload(page, sounds["stereo"])
    page.wait_for_selector("#add-channel:disabled")
    page.wait_for_selector("#bandwidth:disabled")


def test_examples_theme_and_phone(open_page):
    page = open_page(390, 844, "?__theme=dark", app="quick_app_url", fresh=True, has_touch=True)
    if not page.is_visible("#example-sounds"):
        pytest.skip("there are no example sounds in assets/")
    wait(page, "state.scene && player.buffers.original")
    assert "dark" in page.get_attribute("body", "class") and state(page, "picture.dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    name = state(page, "state.scene.name")
    page.click("#example-sounds input")
    page.click("#example-sounds [role=option] >> nth=2")
    wait(page, f"state.scene.name !== '{name}' && player.urls.original === state.originalUrl")
    assert not page.is_visible(f"{VIEW} [data-name=colour]")  # what is seldom used is folded away
    page.click(f"{VIEW} [data-fold=more]")
    page.select_option(f"{VIEW} [data-name=colour]", "state")
    page.select_option(f"{VIEW} [data-name=channels]", "1")
    assert state(page, "[state.colour, state.channel]") == ["state", 1]
    assert status(page)


def test_the_picture_is_near_and_fill_in_always_there_on_a_phone(open_page):
    page = open_page(390, 844, app="quick_app_url", fresh=True, has_touch=True)
    wait(page, "state.scene && player.buffers.original")

    def box(selector):
        return page.locator(selector).bounding_box()

    assert box(f"{VIEW} .stage")["y"] < 0.7 * 844
    for down in (0, 300, 600):
        page.evaluate(f"scrollTo(0, {down})")
        go = box("#fill")
        assert 0 < go["y"] and go["y"] + go["height"] <= 844
    assert page.evaluate("document.documentElement.scrollHeight") < 2 * 844
    # beside it Play, in the place of Stop, which comes while something fills
    assert page.is_visible("#play") and not page.is_visible("#stop")
    page.click("#play")
    wait(page, "player.playing")
    assert page.inner_text("#play") == "Pause"
    page.click("#play")
    wait(page, "!player.playing")
    page.evaluate("document.body.dataset.busy = 'true'")
    assert page.is_visible("#stop") and not page.is_visible("#play")
    page.evaluate("document.body.dataset.busy = 'false'")
    page.click("[data-fold=advanced]")
    assert page.is_visible("#feature-sign >> text=phase") and not page.is_visible(
        "#feature-time >> text=when each atom sounds"
    )
    page.check("#feature-time input")
    assert page.is_visible("#feature-time >> text=when each atom sounds")


def test_the_export_menu_fits_a_phone(open_page):
    page = open_page(320, 844, app="quick_app_url", has_touch=True)
    wait(page, "state.scene && player.buffers.original")
    for width in (320, 390, 700):
        page.set_viewport_size({"width": width, "height": 844})
        page.click(f"{VIEW} [data-name=export-menu] summary")
        bottom = (
            f"document.querySelector('{VIEW} .menu[open] .sheet')?.getBoundingClientRect().bottom"
        )
        page.wait_for_function(f"{bottom} <= innerHeight")  # it scrolls into view once it is open
        sheet, summary = (
            page.locator(f"{VIEW} .menu {part}").bounding_box() for part in (".sheet", "summary")
        )
        assert sheet["x"] >= 0 and sheet["x"] + sheet["width"] <= width, width
        below = sheet["y"] - summary["y"] - summary["height"]
        assert 0 <= below < 20 and sheet["y"] + sheet["height"] <= 844, width
        inside = "({scrollHeight, clientHeight}) => scrollHeight - clientHeight"
        assert page.eval_on_selector(f"{VIEW} .menu .sheet", inside) == 0, width
        page.click(f"{VIEW} [data-name=export-menu] summary")
        page.wait_for_selector(f"{VIEW} .menu .sheet", state="hidden")
    page.click(f"{VIEW} [data-name=export-menu] summary")
    page.click(f"{VIEW} [data-export=settings]")
    page.wait_for_selector(".toast-body >> text=There are no settings yet")


def test_add_and_the_fields_of_tools_fit_a_phone(open_page):
    page = open_page(390, 844, app="quick_app_url", has_touch=True)
    wait(page, "state.scene && player.buffers.original")
    menu, add = f"{VIEW} [data-name=preset]", page.locator(f"{VIEW} [data-act=preset]")
    names = page.eval_on_selector(menu, "menu => [...menu.options].map((o) => o.value)")
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        row = page.locator(f"{VIEW} .presets").bounding_box()
        for name in names:
            page.select_option(menu, name)
            box = add.bounding_box()
            assert box["x"] + box["width"] <= row["x"] + row["width"] + 1, (name, width)
        for name in ("harmonics", "wand"):
            page.click(f"{VIEW} [data-act={name}]")
            wide = "[...document.querySelectorAll('.presets .group')].map((e) => e.scrollWidth)"
            assert max(page.evaluate(wide)) <= row["width"] + 1, (name, width)
        page.click(f"{VIEW} [data-act=box]")


def test_tools_are_one_row_and_presets_another(open_page):
    page = open_page(1400, 800, app="quick_app_url")
    wait(page, "state.scene && player.buffers.original")
    page.click(f"{VIEW} [data-act=subtract]")
    page.evaluate("""document.querySelectorAll('#examples button')
        .forEach((e) => e.setAttribute('aria-pressed', 'true'))""")
    page.click(f"{VIEW} [data-name=export-menu] summary")
    rows = "[...new Set([...document.querySelectorAll('#examples button')].map(e => e.offsetTop))]"
    beyond = "(all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.innerText)"
    for width in (1400, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert len(page.evaluate(rows)) == 1, width
        for name in ("[role=toolbar]", ".presets"):
            tops = page.evaluate(
                f"[...document.querySelectorAll('{VIEW} .bar{name} > *')]"
                ".filter(e => e.offsetHeight).map(e => e.getBoundingClientRect().top)"
            )
            assert max(tops) - min(tops) < 20, (name, width)
        cut = page.eval_on_selector_all(f"{VIEW} .menu :is(.sheet, .sheet button)", beyond)
        assert cut == [], width


def test_menus_of_the_view_show_their_longest_choice(open_page, sounds):
    page = open_page(1400, 800, app="quick_app_url")
    upload(page, sounds["stereo"])
    cut = """menus => menus.flatMap((menu) => {
      const style = getComputedStyle(menu);
      const context = document.createElement('canvas').getContext('2d');
      context.font = style.font;
      const room = menu.clientWidth - parseFloat(style.paddingLeft)
        - parseFloat(style.paddingRight);
      return [...menu.options].map((option) => option.text)
        .filter((text) => context.measureText(text).width > room);
    })"""
    for width in (1400, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.eval_on_selector_all(f"{VIEW} .look select", cut) == [], width
    page.set_viewport_size({"width": 1400, "height": 800})
    bar, button = (page.locator(f"{VIEW} {part}") for part in (".look", "[data-act=order]"))
    assert bar.bounding_box()["height"] < 2 * button.bounding_box()["height"]


# whether a part of the page has been visible while another one was missing
PARTIAL = """
window.partial = null;
const shown = (s) => [...document.querySelectorAll(s)].some(
  (e) => getComputedStyle(e).visibility === 'visible');
new MutationObserver(() => {
  const parts = ['#fill', '#seconds', '#order input', '#features input', '#file button'];
  const missing = parts.filter((s) => !document.querySelector(s));
  if (missing.length && shown('#bench, #examples')) window.partial = missing;
}).observe(document, { childList: true, subtree: true, attributes: true });
"""


def test_the_page_loads_without_partial_content_or_jumps(open_page):
    page = open_page(1280, 800, app="quick_app_url", fresh=True, script=PARTIAL)
    wait(page, "state.scene && player.buffers.original && picture.draws")
    assert page.evaluate("window.shifted") < 0.02
    assert page.evaluate("window.partial") is None
    assert page.is_visible("#bench") and page.is_visible("#examples")
    word = "getComputedStyle(document.querySelector('#intro'), '::after').content"
    assert page.evaluate(word) == "none"
    assert page.evaluate(f"delete document.body.dataset.complete && {word}") == '"Loading …"'


def test_microphone(page):
    page.context.grant_permissions(["microphone"])
    page.click("#record > button")
    page.click("#microphone .record-button")
    page.wait_for_timeout(1500)
    page.click("#microphone .stop-button")
    wait(page, "state.scene && state.scene.name === 'Recording.wav' && player.buffers.original")
    assert state(page, "state.scene.duration") > 0.3
