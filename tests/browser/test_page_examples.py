"""The examples, the help, and names for screen readers."""

import re

import driver as d
import pytest

from atomizer.ui.examples import EXAMPLES


def erased(page) -> list[str]:
    """The features whose boxes are ticked."""
    names = ("time", "frequency", "channel", "velocity", "sign")
    return [name for name in names if page.is_checked(f"#feature-{name} input")]


def check_example(quick, name) -> None:
    example = EXAMPLES[name]
    d.play_example(quick, name)
    assert d.state(quick, "state.scene.name") == example.sound
    assert quick.inner_text("[data-listen]") == example.listen
    assert quick.locator("#examples [aria-pressed=true]").get_attribute("id") == f"example-{name}"
    selected = example.recipe.selection
    count = len(selected.regions) + len(selected.parts)
    assert d.state(quick, "value.regions.length + value.specs.length") == count
    assert d.state(quick, "pending") is False
    if example.is_faulty:  # the fault is heard before it is erased
        d.wait(quick, "player.playing && state.version === 'original'")
    else:
        assert d.state(quick, "state.version") in ("masked", "filled")
    features = example.recipe.selection.features
    assert set(erased(quick)) == set(features)
    shown = quick.inner_text("#advanced-toggle [data-unknown]")
    assert shown == ("" if example.recipe.selection.erases else ", ".join(features))
    assert quick.input_value("#order input") == f"Order: {example.recipe.settings.order}"
    assert d.state(quick, "state.readout.count") > 0
    quick.click(f"{d.VIEW} [data-act=clear]")  # the visitor's own selections are not the example's
    quick.wait_for_function("document.querySelector('#order input').value === 'Order: automatic'")
    assert erased(quick) == ["velocity", "sign"]
    assert quick.inner_text("#advanced-toggle [data-unknown]") == ""


def test_every_example_loads_selects_and_fills(quick):
    for name in EXAMPLES:  # one after the other, as a visitor tries them
        try:
            check_example(quick, name)
        except Exception as error:
            raise AssertionError(f"the example {name!r} fails") from error


def test_new_sound_or_example_resets_the_settings(quick, sounds):
    def chosen():
        return (
            erased(quick),
            quick.input_value("#order input"),
            quick.is_checked("#reverse input"),
            quick.input_value("#steps textarea"),
            d.state(quick, "state.op"),
        )

    defaults = (["velocity", "sign"], "Order: automatic", False, "", "replace")

    def alter():
        d.set_steps(quick, 3)
        quick.check("#reverse input")
        quick.check("#feature-time input")
        quick.click(f"{d.VIEW} [data-act=subtract]")
        assert chosen()[2:] == (True, "3", "subtract")

    d.play_example(quick, "signs")
    assert chosen() == (["sign"], "Order: velocity", False, "", "replace")
    alter()
    quick.uncheck("#feature-time input")
    quick.click(f"{d.VIEW} [data-act=clear]")
    assert erased(quick) == ["sign"], "what the visitor has chosen stays for another selection"
    d.upload(quick, sounds["stereo"])
    assert chosen() == defaults
    alter()
    d.upload(quick, sounds["mono"])
    assert chosen()[1:4] == ("Order: automatic", True, "3"), (
        "settings of the visitor stay for other sounds"
    )
    d.play_example(quick, "hole")
    assert chosen() == (["velocity", "sign"], "Order: random", False, "", "replace")
    alter()
    name = d.state(quick, "state.scene.name")
    quick.click("#example-sounds input")
    quick.click("#example-sounds [role=option] >> nth=2")
    d.wait(quick, f"state.scene.name !== '{name}' && player.urls.original === state.originalUrl")
    assert chosen() == defaults


def test_undo_from_an_example_restores_sound_and_fills(quick, sounds):
    """Undo restores the visitor's sound with its variations, selection and features.

    So it does for a selection that has no fill.
    """
    d.upload(quick, sounds["stereo"])
    d.draw_box(quick, 1, 2, 300, 3000)
    quick.check("#feature-time input")
    d.set_steps(quick, 2)
    d.fill(quick)
    d.fill(quick)
    before = d.state(
        quick, "[items, state.variations.map(v => [v.id, v.title]), player.duration()]"
    )
    filled = d.sound_of(quick, "filled")[0]
    d.play_example(quick, "signs")
    back = f"{d.VIEW} [data-act=revert]"
    assert quick.inner_text(back) == "Back to " + sounds["stereo"].name
    assert not quick.is_checked("#feature-time input")
    quick.click(back)
    d.wait(
        quick,
        f"state.scene.name === '{sounds['stereo'].name}' && state.variations.length === 2",
        "state.variation && player.urls.filled === state.variation.sound.url",
    )
    assert (
        d.state(quick, "[items, state.variations.map(v => [v.id, v.title]), player.duration()]")
        == before
    )
    assert (d.sound_of(quick, "filled")[0] == filled).all() and "as you left it" in d.status(quick)
    assert d.state(quick, "pending") is False and not d.state(quick, "player.playing")
    assert quick.is_checked("#feature-time input") and quick.input_value("#steps textarea") == "2"
    assert quick.is_hidden(back), "the example had no user work"
    d.fill(quick)
    assert d.state(quick, "state.variations.length") == 3

    # and a selection that is not filled yet, with nothing of the variations shown
    d.paint(quick, [(0.5, 200), (1.5, 210)], "harmonics", radius=6)
    d.wait_status(quick, "Ready: press Fill in.")
    drawn = d.state(quick, "items")
    assert len(drawn) == 2
    d.play_example(quick, "signs")
    quick.click(back)
    d.wait(
        quick,
        f"state.scene.name === '{sounds['stereo'].name}'",
        "state.variations.length === 3 && player.buffers.masked",
    )
    assert d.state(quick, "items") == drawn and quick.is_checked("#feature-time input")
    assert d.state(quick, "[state.variation, state.version]") == [None, "original"]
    assert d.fill(quick) and d.state(quick, "state.variations.length") == 4


def test_cached_example_can_be_filled_again(page):
    d.play_example(page, "hole")
    first = d.sound_of(page, "filled")[0]
    d.play_example(page, "hole")
    again = d.sound_of(page, "filled")[0]
    assert abs(first - again).max() < 1e-3 and "switch between" in d.status(page)
    d.set_steps(page, 1)
    d.fill(page)
    assert d.state(page, "state.variations.length") == 2


def test_example_plays_masked_then_filled_in_a_loop(open_page):
    page = open_page(app="quick_app_url", fresh=True)
    loading = """() => {
      document.querySelector('#example-hole').click();
      return document.querySelector('[data-listen]').textContent; }"""
    assert page.evaluate(loading) == "Loading Repair a dropout …"
    d.wait(page, "player.playing && player.version === 'masked'")
    assert d.state(page, "player.loopSpan") == pytest.approx([3.5, 4.62], abs=0.05)
    assert d.state(page, "player.loops && state.looping")
    d.wait(page, "player.version === 'filled' && state.revealed")  # the picture follows
    d.wait(page, "!state.revealed && player.passes() >= 2")
    assert d.state(page, "state.version") == "filled"
    # another selection takes the mark and the sentence away, undo brings them back
    d.draw_box(page, 1, 2, 300, 3000)
    assert page.locator("#examples [aria-pressed=true]").count() == 0
    assert "Click to hear" in page.inner_text("[data-listen]")
    page.keyboard.press("Control+z")
    assert "violin" in page.inner_text("[data-listen]")
    page.keyboard.press("Space")
    d.wait(page, "!player.playing")
    d.fill(page)  # what a visitor fills in does not start to play
    assert not d.state(page, "player.playing")


def test_a_choice_ends_the_example(quick):
    page = quick
    page.click("#example-hole")
    d.wait(page, "player.playing && player.version === 'masked'")
    page.keyboard.press("1")
    d.wait(page, "player.passes() >= 1")
    assert d.state(page, "player.version") == "original"


def test_example_scrolls_to_the_player_on_a_phone(open_page):
    # as by its button
    page = open_page(390, 844, "?example=hole", app="quick_app_url", has_touch=True)
    d.wait(page, "state.variation && !state.busy && player.buffers.filled")
    assert d.state(page, "state.example") == "hole" and page.url.endswith("?example=hole")
    edge = page.locator("#fill").bounding_box()["y"]
    page.wait_for_function(
        """edge => ['.listen'].every((s) => {
          const element = document.querySelector('.atom-view ' + s);
          const {top, bottom} = element.getBoundingClientRect();
          return top > 0 && bottom <= edge + 1; })""",
        arg=edge,
    )


def test_an_unknown_example_in_the_address_is_named(open_page):
    page = open_page(query="?example=bell", app="quick_app_url")
    d.wait_status(page, 'There is no example "bell": choose one above.')
    assert d.state(page, "state.example") == "" and "example=" not in page.url


def test_help_how_it_works_and_shortcuts(quick):
    page = quick
    page.click("[data-open=how]")
    page.wait_for_selector("dialog[open] >> text=Transformer")
    assert page.locator("dialog[open] .drawing").first.locator(
        ".names text"
    ).all_text_contents() == ["time", "frequency", "channel", "velocity", "sign"]
    assert page.locator("dialog[open] .mask").count() >= 3
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.focus(d.VIEW)
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] >> text=harmonic brush")
    page.keyboard.press("b")  # the sheet is modal: keys do nothing below it
    page.click("dialog[open] .close")
    for key, tool in (
        ("l", "lasso"),
        ("p", "brush"),
        ("k", "harmonics"),
        ("v", "move"),
        ("z", "zoom"),
        ("h", "pan"),
        ("b", "box"),
    ):
        page.keyboard.press(key)
        assert d.state(page, "state.tool") == tool


def test_a_fill_moves_nothing_and_everything_can_be_reached(quick, sounds):
    """Nothing jumps while it fills, everything has a name, and Tab goes through it in order."""
    d.upload(quick, sounds["stereo"])
    d.draw_box(quick, 1, 2, 300, 3000)

    def places():
        return quick.evaluate(
            "['.stage', '.listen', '[data-name=readout]'].map("
            "s => document.querySelector('.atom-view ' + s).getBoundingClientRect().top + scrollY)"
        )

    before = places()
    quick.click("#fill")
    for _ in range(5):
        assert places() == before
        quick.wait_for_timeout(60)
    d.wait_filled(quick)
    assert places() == before
    nameless = quick.evaluate("""[...document.querySelectorAll(
        ['button', 'input', 'select', '[role]'].map(s => '.atom-view ' + s).join())]
        .filter(e => e.offsetParent)
        .filter(e => !['aria-label', 'title'].some(name => e.getAttribute(name)))
        .filter(e => !e.textContent.trim() && !e.closest('label'))
        .map(e => e.outerHTML)""")
    assert nameless == []
    quick.focus(d.VIEW)
    seen = []
    for _ in range(60):
        quick.keyboard.press("Tab")
        seen.append(
            quick.evaluate(
                "(({dataset: {act, version, name}, id, tagName}) => "
                "act || version || name || id || tagName)(document.activeElement)"
            )
        )
    order = [
        seen.index(name)
        for name in ("scale", "box", "preset", "play", "original", "volume", "noise")
    ]
    assert order == sorted(order), seen
    outline = quick.evaluate(
        "(() => { const e = document.querySelector('.atom-view [data-act=play]');"
        "e.focus(); return e.matches(':focus'); })()"
    )
    assert outline
    assert re.search(r"Press \? for the keys", quick.get_attribute(d.VIEW, "aria-label"))
