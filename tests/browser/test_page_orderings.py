"""Orderings: the page shows and plays the first n atoms of Python's ordering."""

import driver as d
import numpy as np
import pytest

from atomizer import ORDERINGS, MDCTAtomizer, order
from atomizer.io.audio import read


@pytest.fixture
def page(quick, sounds):
    d.upload(quick, sounds["stereo"])
    quick.focus(d.VIEW)
    quick.keyboard.press("o")
    d.wait(quick, "orders.open && player.buffers.first && state.version === 'first'")
    return quick


def go(page, place: int) -> int:
    page.fill(f"{d.VIEW} [data-name=order-place]", str(place))
    d.wait(
        page,
        f"orders.position === {place} && !orders.rendering",
        "orders.renderedKey.endsWith(',' + orders.first)",
    )
    return d.state(page, "orders.first")


def cells(columns) -> set:
    return set(map(tuple, np.stack(columns, 1).tolist()))


def test_the_first_atoms_are_pythons_and_are_played(page, sounds):
    sound = read(sounds["stereo"])
    whole, atoms = (
        sound.samples,
        MDCTAtomizer().analyse(sound.at(44_100)).loudest(d.state(page, "state.scene.count")),
    )
    for name, reverse in (
        ("time", False),
        ("frequency", True),
        ("velocity", False),
        ("channel", False),
        ("random", True),
    ):
        page.select_option(f"{d.VIEW} [data-name=order-name]", name)
        page.set_checked(f"{d.VIEW} [data-name=order-reverse]", reverse)
        n = go(page, 600)
        assert f"first {n:,} of" in page.inner_text(f"{d.VIEW} [data-name=order-count]"), name
        shown = d.large(
            page,
            "(() => { const {atoms} = picture, rows = atoms.colourRow;"
            "const keep = [...rows.keys()].filter(i => rows[i] !== 255);"
            "return [atoms.channel, atoms.frame, atoms.bin].map(a => keep.map(i => a[i])); })()",
        )
        assert len(shown[0]) == n, name
        if name == "random":
            expected = atoms[
                np.isin(
                    atoms.channel * 10**8 + atoms.time * 10**4 + atoms.frequency,
                    np.array(shown[0]) * 10**8 + np.array(shown[1]) * 10**4 + np.array(shown[2]),
                )
            ]
            assert len(expected) == n
        else:
            expected = atoms[order(atoms, name, reverse)[:n]]
            mine, python = (
                cells(shown),
                cells([expected.channel, expected.time, expected.frequency]),
            )
            assert len(mine ^ python) <= 4, f"{name}: but for atoms of the very same loudness"
        heard = d.stereo_buffer(page, "first")
        wanted = MDCTAtomizer().synthesise(expected, 2)
        assert heard.shape == wanted.shape
        assert np.abs(heard - wanted).max() < 2e-3 * np.abs(wanted).max(), name
        snr = d.state(page, "document.querySelector('[data-name=order-worth]').textContent")
        mine = 10 * np.log10((whole**2).sum() / ((whole - wanted) ** 2).sum())
        assert float(snr.split()[1].replace("−", "-")) == pytest.approx(mine, abs=1), name


def test_dragging_shows_more_and_keys_move_the_slider(page):
    counts = [go(page, place) for place in (0, 300, 900, 1000)]
    assert (
        counts[0] == 0
        and counts == sorted(counts)
        and counts[-1] == d.state(page, "state.scene.count")
    )
    assert "100 % of the energy" in page.inner_text(f"{d.VIEW} [data-name=order-worth]")
    page.focus(f"{d.VIEW} [data-name=order-place]")
    page.keyboard.press("ArrowLeft")
    d.wait(page, "orders.position === 999")


def test_playing_through_builds_the_sound_while_it_plays(page):
    page.click(f"{d.VIEW} [data-act=through]")
    d.wait(page, "orders.isBuildingUp && player.playing && player.version === 'first'")
    first = d.state(page, "orders.position")
    d.wait(page, f"orders.position > {first} + 50")
    assert page.inner_text(f"{d.VIEW} [data-act=through]") == "Pause"
    page.click(f"{d.VIEW} [data-act=through]")
    d.wait(page, "!orders.isBuildingUp")
    place = d.state(page, "orders.position")
    page.wait_for_timeout(400)
    assert d.state(page, "orders.position") == place
    page.keyboard.press("o")
    d.wait(page, "!orders.open && state.version === 'original' && !player.buffers.first")


@pytest.mark.parametrize("reverse", [False, True])
def test_by_time_what_is_played_has_come(page, reverse):
    """The position follows the playhead; reversed, the sound plays again from its new start."""
    page.select_option(f"{d.VIEW} [data-name=order-name]", "time")
    if reverse:
        page.check(f"{d.VIEW} [data-name=order-reverse]")
    go(page, 0)
    page.click(f"{d.VIEW} [data-act=through]")
    d.wait(
        page,
        "orders.isBuildingUp && player.playing && player.version === 'first' && orders.first > 0",
    )
    # time of the last of the first n atoms; reversed, the sound pauses before it starts again
    edge = (
        "orders.atoms.frame[orders.permutation('time').found.at("
        "orders.reverse ? -orders.first : orders.first - 1)]"
        " * orders.scene.hop / orders.scene.rate"
    )
    for _ in range(5):
        page.wait_for_timeout(150)
        near = (
            f"player.position() > {edge} - 0.3"
            if reverse
            else f"Math.abs(player.position() - {edge}) < 0.3"
        )
        d.wait(page, f"orders.isBuildingUp && player.playing && {near}")
    if not reverse:
        d.wait(page, "player.level() > 0.001")
    page.click(f"{d.VIEW} [data-act=through]")
    d.wait(page, "!orders.isBuildingUp && !player.playing")


def test_curves_of_all_orderings_with_the_current_point(page):
    go(page, 500)
    page.click(f"{d.VIEW} [data-name=order-curves] summary")
    d.wait(page, "orders.curves.traceCount")
    page.wait_for_timeout(500)
    curves = page.evaluate(
        "document.querySelector('[data-name=curves]').data.map("
        "t => ({name: t.name, x: [...t.x], y: [...t.y], axis: t.yaxis || 'y', mode: t.mode}))"
    )
    lines, points = (
        [c for c in curves if c["mode"] == "lines"],
        [c for c in curves if c["mode"] == "markers"],
    )
    assert (
        {c["name"] for c in lines} == set(ORDERINGS)
        and len(lines) == 2 * len(ORDERINGS)
        and len(points) == 2
    )
    for curve in lines:
        assert (np.diff(curve["y"]) > -1e-9).all()
        if curve["axis"] == "y2":
            assert curve["y"][-1] == pytest.approx(100, abs=0.1)
    assert points[0]["x"] == [d.state(page, "orders.first")]
    go(page, 800)
    page.wait_for_function(
        "n => document.querySelector('[data-name=curves]').data.at(-1).x[0] === n",
        arg=d.state(page, "orders.first"),
    )


def test_two_hundred_thousand_atoms(quick, many):
    d.upload(quick, many)
    quick.click(f"{d.VIEW} [data-act=order]")
    d.wait(quick, "orders.open && player.buffers.first")
    n = go(quick, 500)
    assert d.state(quick, "picture.atoms.colourRow.filter(k => k !== 255).length") == n
