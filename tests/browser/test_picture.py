"""The picture: axes, lanes, colours, zoom and hover, at 200,000 atoms."""

import io
import re

import driver as d
import matplotlib.image
import numpy as np
import pytest


@pytest.fixture
def page(quick, many):
    d.upload(quick, many)
    return quick


def colours_drawn(page) -> set:
    """The colours of the canvas, as #rrggbb."""
    return set(
        d.state(
            page,
            "[...new Set(new Uint32Array(picture.image.data.buffer))]"
            ".map(v => '#' + [v & 255, (v >> 8) & 255, (v >> 16) & 255]"
            ".map(x => x.toString(16).padStart(2, '0')).join(''))",
        )
    )


def redrawn(page, act) -> None:
    before = d.state(page, "picture.draws")
    act()
    d.wait(page, f"picture.draws > {before}")
    page.wait_for_timeout(100)


def test_every_atom_of_half_a_minute_is_drawn(page):
    assert (
        d.state(page, "state.scene.count")
        == d.state(page, "state.scene.total")
        == pytest.approx(200_000, abs=100)
    )
    assert "the" not in page.inner_text(f"{d.VIEW} [data-name=facts]")
    assert len(colours_drawn(page)) > 100


def test_axes_lanes_and_colours(page):
    for scale in ("linear", "mel", "log"):
        redrawn(page, lambda scale=scale: page.select_option(f"{d.VIEW} [data-name=scale]", scale))
        assert d.state(page, "picture.scale") == scale
        labels = page.evaluate(
            "[...document.querySelectorAll('.atom-view .ytick text')].map(t => t.textContent)"
        )
        assert len(labels) >= 3 and all(re.fullmatch(r"[\d.]+ k?Hz", label) for label in labels)
    page.select_option(f"{d.VIEW} [data-name=channels]", "stacked")
    d.wait(page, "picture.lanes().length === 2")
    page.wait_for_selector(
        f"{d.VIEW} .plot .yaxislayer-above, {d.VIEW} .plot .y2tick", state="attached"
    )
    page.select_option(f"{d.VIEW} [data-name=channels]", "1")
    d.wait(page, "picture.lanes().length === 1 && state.channel === 1")
    assert (
        d.state(
            page,
            "picture.atoms.colourRow"
            ".filter((k, i) => k !== 255 && picture.atoms.channel[i] !== 1).length",
        )
        == 0
    )
    page.select_option(f"{d.VIEW} [data-name=channels]", "overlaid")
    for colour in ("state", "channel", "rank", "sign"):
        redrawn(
            page, lambda colour=colour: page.select_option(f"{d.VIEW} [data-name=colour]", colour)
        )
        legend = page.inner_text(f"{d.VIEW} .legend").split("\n")
        assert len(legend) >= 3 and "unknown" in legend
        kinds = d.state(page, "new Set(picture.atoms.colourRow).size")
        assert kinds == {"state": 1, "channel": 2, "rank": 16, "sign": 2}[colour]
    page.focus(d.VIEW)
    page.keyboard.press("c")
    assert d.state(page, "state.colour") == "state"


def test_zoom_and_pan_by_wheel_tool_and_keys(page):
    page.mouse.move(*d.pixel(page, 10, 1000))
    page.mouse.wheel(0, -400)
    d.wait(page, "picture.t[1] - picture.t[0] < 16")
    assert d.state(page, "picture.t[0]") < 10 < d.state(page, "picture.t[1]"), (
        "the wheel zooms around the pointer"
    )
    assert d.state(page, "picture.u.every((u, k) => Math.abs(u - picture.fullUnits[k]) < 1e-6)")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -400)
    page.keyboard.up("Shift")
    d.wait(page, "picture.u[1] < picture.fullUnits[1]")
    d.tool(page, "pan")
    t0, x, y = d.state(page, "picture.t[0]"), *d.pixel(page, 10, 1000)
    d.drag(page, (x, y), (x + 80, y))
    d.wait(page, f"picture.t[0] < {t0}")
    page.focus(d.VIEW)
    page.keyboard.press("0")
    d.wait(page, "picture.t[0] === 0 && picture.t[1] > 29")
    page.keyboard.press("+")
    d.wait(page, "picture.t[1] - picture.t[0] < 25")
    page.keyboard.press("-")
    page.keyboard.press("0")
    d.tool(page, "zoom")
    d.drag(page, d.pixel(page, 5, 5000), d.pixel(page, 6, 500))
    d.wait(page, "picture.t[0] > 4.9 && picture.t[1] < 6.1")
    assert d.state(page, "picture.hertz(picture.u[1])") == pytest.approx(5000, rel=0.03)
    assert d.state(page, "items.length") == 0


def test_hover_tells_everything_about_an_atom(page):
    d.tool(page, "zoom")
    d.drag(page, d.pixel(page, 11.8, 4000), d.pixel(page, 12.5, 2000))
    d.wait(page, "picture.t[1] < 12.7")
    d.tool(page, "box")
    atom = d.state(
        page,
        """(() => { const {atoms, axes} = picture;
        for (let i = atoms.count - 1; i >= 0; i--) {
          const t = axes.seconds[atoms.frame[i]], f = axes.hertz[atoms.bin[i]];
          const atom = {t, f, sign: atoms.sign[i], channel: atoms.channel[i]};
          if (t > 12.1 && t < 12.2 && f > 2500 && f < 3500) return atom; } })()""",
    )
    page.mouse.move(*d.pixel(page, atom["t"], atom["f"]))
    page.wait_for_selector(f"{d.VIEW} .tip:not([hidden])")
    text = page.inner_text(f"{d.VIEW} .tip")
    assert (
        re.search(r"kHz\s+[A-G]♯?\d", text)
        and f"{atom['t']:.3f} s" in text
        and ["left", "right"][atom["channel"]] in text
    )
    assert re.search(r"−?\d+ dB · sign " + ("\\+" if atom["sign"] else "−"), text)
    assert "rank" not in text
    page.select_option(f"{d.VIEW} [data-name=colour]", "rank")
    page.mouse.move(*d.pixel(page, 12.25, 2200))
    page.mouse.move(*d.pixel(page, atom["t"], atom["f"]))
    page.wait_for_function(
        "document.querySelector('.atom-view .tip').textContent.includes('by velocity')"
    )
    page.mouse.move(5, 5)
    page.wait_for_selector(f"{d.VIEW} .tip", state="hidden")


def test_the_picture_can_be_taken_home(page):
    page.select_option(f"{d.VIEW} [data-name=channels]", "stacked")
    page.select_option(f"{d.VIEW} [data-name=scale]", "mel")
    png = d.export(page, "png")
    assert png.suggested_filename == "many.png"
    pixels = matplotlib.image.imread(io.BytesIO(open(png.path(), "rb").read()))
    assert (
        pixels.shape[1] == 1600
        and len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 100
    )
    assert open(d.export(page, "svg").path(), "rb").read().startswith(b"<?xml")


def test_the_tooltip_hides_when_the_picture_moves(page):
    tip = f"{d.VIEW} .tip"
    i = d.state(
        page,
        "(() => { const {atoms, axes} = picture;"
        "for (let i = atoms.count - 1; ; i--) if (axes.hertz[atoms.bin[i]] > 400) return i; })()",
    )
    place = d.pixel(
        page,
        *d.state(
            page,
            f"[picture.axes.seconds[picture.atoms.frame[{i}]],"
            f"picture.axes.hertz[picture.atoms.bin[{i}]]]",
        ),
    )

    def hover():
        page.mouse.move(place[0] + 40, place[1])
        page.mouse.move(*place)
        page.wait_for_selector(f"{tip}:not([hidden])")

    hover()
    page.mouse.down()
    page.wait_for_selector(tip, state="hidden")
    page.mouse.move(place[0] - 60, place[1] + 40, steps=3)
    page.wait_for_timeout(100)
    assert page.is_hidden(tip)
    page.mouse.up()
    hover()
    page.mouse.wheel(0, -300)
    page.wait_for_selector(tip, state="hidden")
