"""Variations: settings and metrics, switching, noise, a new original, and exports."""

import json
import os
import re
import subprocess
import sys

import driver as d
import numpy as np
import pytest
import soundfile

from atomizer import Atoms
from atomizer.io.audio import read


def variations(page) -> list:
    return d.state(
        page,
        "state.variations.map(({id, label, title, snr_db: snr, lsd, details}) =>"
        " ({id, label, title, snr, lsd, details}))",
    )


def fill_count(page, count: int) -> None:
    d.enter(page, "#count input", str(count))
    wanted = len(variations(page)) + count
    page.click("#fill")
    d.wait(page, f"state.variations.length === {wanted} && !state.busy")
    d.wait_filled(page)


@pytest.fixture
def page(quick, sounds):
    d.upload(quick, sounds["stereo"])
    d.draw_box(quick, 1, 2, 300, 3000)
    return quick


def test_the_chosen_variation_is_in_sight(page):
    fill_count(page, 6)
    made = variations(page)
    page.evaluate("scrollTo(0, 0)")
    for key, which in (("", 5), ("]", 0), ("[", 5)):  # the newest is chosen; keys wrap around
        if key:
            page.keyboard.press(key)
        chosen = made[which]["id"]
        d.wait(page, f"state.variation?.id === {chosen}")
        row, rows = (
            page.locator(f"{d.VIEW} {part}").bounding_box()
            for part in (f"[data-variation='{chosen}']", ".list")
        )
        assert rows["y"] - 1 <= row["y"]
        assert row["y"] + row["height"] <= rows["y"] + rows["height"] + 1
    assert page.evaluate("scrollY") == 0


def test_several_variations_are_listed_and_switched(page):
    fill_count(page, 3)
    made = variations(page)
    assert [v["label"] for v in made] == ["A", "B", "C"] and [v["title"] for v in made] == [
        f"noise, seed {k}" for k in range(3)
    ]
    assert len({v["snr"] for v in made}) == 3 and all(
        v["snr"] is not None and v["lsd"] > 0 for v in made
    )
    assert len({d.sound_of(page, "filled")[0].tobytes()} | {None}) == 2
    last = d.sound_of(page, "filled")[0]
    change, filled, masked = (
        np.array(d.large(page, f"Array.from(player.buffers.{v}.getChannelData(0))"))
        for v in ("change", "filled", "masked")
    )
    assert np.allclose(change, filled - masked, atol=1e-6) and np.abs(change).max() > 1e-3
    text = page.inner_text(f"{d.VIEW} [data-variation='{made[2]['id']}']")
    assert "1–2 s, 300 Hz–3 kHz · took" in text and "seed" not in text
    page.click(f"{d.VIEW} .details summary")
    text = page.inner_text(f"{d.VIEW} .details dl")
    assert re.search(r"unknown\s+velocity, sign", text) and re.search(r"seed\s+2", text)
    assert "level" in text and "LSD" in text
    page.focus(d.VIEW)
    page.keyboard.press("Space")
    d.wait(page, "player.playing && player.version === 'filled'")
    page.click(f"{d.VIEW} [data-variation='{made[0]['id']}']")
    d.wait(
        page,
        f"state.variation.id === {made[0]['id']}",
        "player.urls.filled === state.variation.sound.url",
    )
    assert d.state(
        page, "player.playing && player.voices.filled.sources[0].buffer === player.buffers.filled"
    )
    assert page.inner_text(f"{d.VIEW} [data-version=filled]") == "Filled A"
    assert not np.array_equal(d.sound_of(page, "filled")[0], last)
    page.focus(d.VIEW)
    page.keyboard.press("]")
    d.wait(page, f"state.variation.id === {made[1]['id']}")
    page.keyboard.press("[")
    d.wait(page, f"state.variation.id === {made[0]['id']}")
    page.focus(f"{d.VIEW} [data-variation='{made[0]['id']}']")
    page.keyboard.press("ArrowDown")
    d.wait(page, f"state.variation.id === {made[1]['id']}")
    page.click(f"{d.VIEW} [data-act=forget]")
    d.wait(page, "state.variations.length === 2")
    d.wait(page, f"state.variation && state.variation.id === {made[2]['id']}")
    assert [v["label"] for v in variations(page)] == ["A", "C"]


def check_last_choice(page, late: str) -> None:
    """From the third to the second: the file `late` of the first one, in between, comes last."""
    first, second, third = (v["id"] for v in variations(page))
    shown = "Array.from(state.shown.velocity).reduce((sum, v, i) => sum + v * (i + 1), 0)"
    samples = "Array.from(player.buffers.filled.getChannelData(0).subarray(60000, 60100))"
    heard = "player.urls.filled === state.variation.sound.url"
    page.click(f"{d.VIEW} [data-variation='{third}']")
    d.wait(page, f"state.variation.id === {third} && {heard}")
    url = d.state(page, f"state.variations[0].{late}.url")
    d.state(page, "api.clearSoundCache()")
    held = []
    page.route(url, lambda route: held.append(route))
    page.focus(d.VIEW)
    page.keyboard.press("]")  # from the third to the first
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("]")
    d.wait(page, f"{heard} && state.variation.id === {second}")
    before = d.state(page, shown), d.state(page, samples)
    with page.expect_event("requestfinished", lambda request: request.url == url):
        held[0].fallback()
    page.wait_for_timeout(500)
    assert d.state(page, "state.variation.id") == second and d.state(page, heard), late
    assert (d.state(page, shown), d.state(page, samples)) == before, late
    row = f"{d.VIEW} [data-variation='{second}']"
    assert page.get_attribute(row, "aria-checked") == "true", late
    page.unroute(url)
    page.keyboard.press("[")
    d.wait(page, f"state.variation.id === {first} && {heard}")
    assert d.state(page, shown) != before[0], late


def test_the_last_choice_counts_when_another_variation_is_late(page):
    fill_count(page, 3)
    for late in ("atoms", "sound"):
        check_last_choice(page, late)


def test_a_message_takes_no_button_that_is_being_pressed(page):
    d.fill(page)
    d.draw_box(page, 2.5, 3.3, 300, 3000)
    d.wait(page, "state.variation === null")
    d.wait_status(page, "Ready: press Fill in.")
    number = d.state(page, "state.messageNumber")
    page.hover(f"{d.VIEW} [data-variation]")
    page.mouse.down()
    page.evaluate("document.querySelector('#feature-sign input').click()")
    d.wait(page, f"state.messageNumber > {number}")
    page.mouse.up()
    d.wait(page, "state.variation && state.version === 'filled'")


def test_another_selection_shows_the_original_and_its_own_hole(page):
    hole = (
        "player.buffers.masked && (() => { const {masked, original} = player.buffers,"
        "x = masked.getChannelData(0), y = original.getChannelData(0),"
        "r = x.length / masked.duration,"
        "d = (t) => Math.max(...x.subarray(t * r, (t + 0.4) * r)"
        ".map((v, i) => Math.abs(v - y[Math.floor(t * r) + i]))); return [d(1.3), d(2.7)]; })()"
    )
    d.wait(page, f"(({hole}) || [])[0] > 1e-2")
    first, other = d.state(page, hole)
    assert other < 1e-6
    d.fill(page)
    exact, other = d.state(page, hole)
    assert exact == pytest.approx(first, rel=0.02) and d.state(page, "state.version") == "filled"
    page.click(f"{d.VIEW} [data-act=clear]")
    d.draw_box(page, 2.5, 3.3, 300, 3000)
    d.wait(
        page,
        "state.variation === null && state.version === 'original'",
        "player.buffers.masked && !player.urls.masked",
    )
    d.wait(page, f"(({hole}) || [])[1] > 1e-2")  # and not that of the box while it was drawn
    first, other = d.state(page, hole)
    assert first < 1e-6
    d.wait_status(page, "Ready: press Fill in.")
    page.wait_for_timeout(300)
    assert d.state(
        page,
        "state.variation === null && state.variations.length === 1"
        " && !player.buffers.filled && !player.buffers.change",
    )
    assert page.is_disabled(f"{d.VIEW} [data-version=filled]")
    page.uncheck("#feature-velocity input")  # known velocities are heard: there is no hole
    d.wait(page, "!player.buffers.masked")
    page.check("#feature-velocity input")
    d.wait(page, "player.buffers.masked")
    page.click(f"{d.VIEW} [data-variation]")
    d.wait(
        page,
        "state.variation && state.version === 'filled'",
        "player.urls.masked === state.variation.masked.url",
    )
    # its selection is back, as a step that can be undone
    d.wait(page, "items.length === 1 && items[0].t[0] < 2", "!pending")
    assert page.inner_text(f"{d.VIEW} [data-variation] .facts").startswith("1–2 s, 300 Hz")
    page.click(f"{d.VIEW} [data-act=undo]")
    d.wait(page, "items[0].t[0] > 2 && state.variation === null")


def test_each_fill_is_another_unless_a_seed_is_named(page):
    d.fill(page)
    first = d.sound_of(page, "filled")[0]
    d.fill(page)
    assert not np.array_equal(d.sound_of(page, "filled")[0], first)
    for seed in ("0", "7", ""):
        d.enter(page, "#seed textarea", seed)
        d.fill(page)
        assert np.array_equal(d.sound_of(page, "filled")[0], first) == (seed == "0")
    assert [v["title"] for v in variations(page)] == [f"noise, seed {k}" for k in (0, 1, 0, 7, 8)]


def test_a_random_part_is_shown_as_the_fill_took_it(quick, sounds):
    d.upload(quick, sounds["mono"])
    d.add_preset(quick, "random", 40)
    d.wait(quick, "state.partBits && state.readout")
    energy = []
    for _ in range(2):
        d.fill(quick)
        # of the atoms that are marked as selected none is among those that were kept
        d.wait(
            quick,
            "(() => { const kept = new Set(state.shown.source);"
            "return state.original.selected.every((s, i) => !s || !kept.has(i)); })()",
        )
        energy.append(d.state(quick, "state.readout.energy"))
    assert energy[0] != energy[1]


def test_levels_are_matched_at_a_click(page):
    d.add_preset(page, "below", 5000)
    d.fill(page)
    page.focus(d.VIEW)
    page.keyboard.press("m")
    assert re.fullmatch(
        r"Levels are matched: Filled plays [\d.]+ dB (louder|quieter) than it is exported.",
        d.status(page),
    )
    levels = d.state(page, "player.levels")
    assert d.state(page, "player.gainOf('filled')") == pytest.approx(
        min(4, levels["original"] / levels["filled"]), rel=1e-6
    )
    page.keyboard.press("m")
    assert d.state(page, "player.gainOf('filled')") == 1
    assert d.status(page).startswith("Levels are not matched")
    page.fill(f"{d.VIEW} [data-name=volume]", "50")
    assert d.state(page, "player.volume") == 0.25


def test_a_variation_is_accepted_and_taken_back(page):
    fill_count(page, 2)
    made = variations(page)
    layers = f"{d.VIEW} [data-name=layers]"
    assert page.is_hidden(layers)
    filled = d.sound_of(page, "filled")[0]
    scene = d.state(page, "state.base.id")
    page.click(f"{d.VIEW} [data-act=accept]")
    d.wait(
        page,
        f"state.base.id !== '{scene}' && !state.variations.length",
        "state.scene.id === state.base.id && player.urls.original === state.originalUrl",
    )
    assert np.array_equal(d.sound_of(page, "original")[0], filled)
    assert (
        "filled in once" in page.inner_text(f"{d.VIEW} [data-name=name]")
        and d.state(page, "items.length") == 0
    )
    assert page.inner_text(f"{layers} li") == "B: Noise as loud as what is around it"
    assert d.status(page) == "B is kept: the next fills start from it."
    d.draw_box(page, 2.5, 3, 300, 3000)
    d.fill(page)
    saved = json.loads(open(d.export(page, "settings").path()).read())
    assert len(saved["fills"]) == 2
    page.click(f"{layers} [data-act=revert]")
    d.wait(
        page,
        "state.variations.length === 2 && player.urls.original === state.originalUrl",
        f"!state.scene.name.includes('filled') && state.variation?.id === {made[1]['id']}",
        "items.length === 1 && !pending",
    )
    d.wait(page, "player.urls.filled === state.variation.sound.url")
    assert variations(page) == made and np.array_equal(d.sound_of(page, "filled")[0], filled)
    assert not np.array_equal(d.sound_of(page, "original")[0], filled)
    assert page.is_hidden(layers) and page.is_hidden(f"{d.VIEW} [data-name=revert]")


def test_a_fill_elsewhere_says_before_what_it_starts_from(page):
    line = f"{d.VIEW} [data-name=base]"
    fill_count(page, 2)
    assert page.is_hidden(line)
    assert "All start from the original, without A and B." in page.inner_text("[data-additions]")
    d.state(page, "document.querySelector('.atom-view [data-variation]').click()")
    d.wait(
        page, "state.variation.label === 'A' && player.urls.filled === state.variation.sound.url"
    )
    page.fill(f"{d.VIEW} [name=level_db]", "-3")
    d.tool(page, "box")
    d.drag(page, d.pixel(page, 3, 2000), d.pixel(page, 3.5, 500))
    page.wait_for_selector(line)
    said = page.inner_text(line)
    assert said == "The next fill starts from the original, without A and B. Keep A first"
    page.click(f"{line} button")
    d.wait(page, "state.layers.length === 1 && !state.variations.length && items.length === 1")
    assert page.is_hidden(line) and "without" not in page.inner_text("[data-additions]")
    d.wait_status(page, "A is kept")
    d.fill(page)
    fills = json.loads(open(d.export(page, "settings").path()).read())["fills"]
    assert [fill.get("shape", {}).get("level_db") for fill in fills] == [-3, None]
    d.drag(page, d.pixel(page, 2.5, 2000), d.pixel(page, 2.8, 500))
    page.wait_for_selector(line)
    assert "starts from the last kept fill, without A and B." in page.inner_text(line)


def test_exports_and_the_command_line_makes_it_again(page, sounds, tmp_path):
    fill_count(page, 2)
    expected = {
        "same": "PCM_24",
        "wav16": "PCM_16",
        "wav24": "PCM_24",
        "float": "FLOAT",
        "flac": "PCM_24",
    }
    for kind, subtype in expected.items():
        path = d.export(page, kind).path()
        assert soundfile.info(path).subtype == subtype and soundfile.info(path).frames == 4 * 44_100
    exact = soundfile.read(d.export(page, "float").path())[0]
    atoms = Atoms.load(d.export(page, "npz").path())
    assert atoms.audible.sum() > 1000
    sizes = {
        kind: float(
            re.match(r"about ([\d.]+) MB", page.text_content(f"{d.VIEW} [data-name=size-{kind}]"))[
                1
            ]
        )
        for kind in ("npz", "csv")
    }
    download = d.export(page, "csv")
    for kind, made in (("csv", download), ("npz", d.export(page, "npz"))):
        assert sizes[kind] == pytest.approx(os.path.getsize(made.path()) / 1e6, rel=0.2)
    assert download.suggested_filename == "stereo-filled-B.csv"
    lines = open(download.path()).read().splitlines()
    assert (
        lines[0] == "time,frequency,channel,velocity,sign,seconds,hertz,db,amplitude"
        and len(lines) == atoms.audible.sum() + 1
    )
    settings = tmp_path / "settings.json"
    settings.write_bytes(open(d.export(page, "settings").path(), "rb").read())
    subprocess.run(
        [
            sys.executable,
            "-m",
            "atomizer",
            "fill",
            sounds["stereo"],
            tmp_path / "again.wav",
            "--settings",
            settings,
        ],
        check=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert np.abs(read(tmp_path / "again.wav").samples.T - exact).max() < 2**-22, (
        "to the 24 bits of the file"
    )
    page.keyboard.press("1")
    assert soundfile.info(d.export(page, "wav16").path()).subtype == "PCM_16"


def test_noise_for_comparison_and_a_continuation(quick, sounds):
    d.upload(quick, sounds["mono"])
    d.enter(quick, "#seconds input", "1")
    quick.evaluate(
        "new MutationObserver(() => { for (const e of document.querySelectorAll('.sr-only'))"
        " if (e.textContent.includes('common.')) console.error(e.textContent); })"
        ".observe(document.body, { subtree: true, childList: true, characterData: true })"
    )
    d.fill(quick, "#continue")
    assert quick.inner_text(f"{d.VIEW} .variation .how").startswith("1 s longer")
    assert quick.inner_text(f"{d.VIEW} .variation .metrics") == ""
    end = int(3.1 * 44_100)
    filled, masked = (d.sound_of(quick, version)[0] for version in ("filled", "masked"))
    assert len(filled) == 4 * 44_100 and np.abs(filled[end:]).max() > 1e-4
    assert np.abs(masked[end:]).max() < 1e-3
    first = d.state(quick, "state.variation.id")
    quick.click(f"{d.VIEW} [data-act=noise]")
    d.wait(quick, f"state.variations.length === 2 && state.variation.id !== {first}")
    d.wait_filled(quick, first)
    assert d.state(quick, "state.scene.duration") == pytest.approx(4)
    quick.click(f"{d.VIEW} [data-version=original]")
    d.draw_box(quick, 1, 2, 300, 3000)
    d.fill(quick)
    assert d.state(quick, "state.scene.duration") == pytest.approx(3)
    quick.click(f"{d.VIEW} [data-variation='{first}']")
    d.wait(quick, "state.scene.duration > 3.9 && picture.t[1] > 3.9")


def test_similar_boxes_are_selected_and_atoms_are_pasted(page):
    page.fill(f"{d.VIEW} [data-name=bound-end]", "1.4")
    page.press(f"{d.VIEW} [data-name=bound-end]", "Enter")
    d.wait(page, "items[0].t[1] === 1.4")
    page.focus(d.VIEW)
    page.keyboard.press("d")  # the notes of the sound are repeated every 0.5 s
    d.wait(page, "items.length > 3")
    starts = np.array([item["t"][0] for item in d.state(page, "items")])
    assert np.abs((starts + 0.25) % 0.5 - 0.25).max() < 0.03
    assert d.state(page, "items.every(({ f }) => String(f) === String(items[0].f))")
    page.keyboard.press("Control+z")
    d.wait(page, "items.length === 1")

    assert page.is_disabled(f"{d.VIEW} [data-act=paste]")
    page.keyboard.press("Control+c")
    d.wait(page, "state.clipboard.length === 1")
    page.mouse.move(*d.pixel(page, 2.6, 1000))
    page.keyboard.press("Control+v")
    d.wait_filled(page)
    assert variations(page)[0]["title"] == "pasted from 1.60 s earlier"
    assert d.state(page, "items[0].t[0]") == pytest.approx(2.6, abs=0.013)
    assert not d.state(page, "pending")
    page.keyboard.press("Control+z")
    d.wait(page, "items[0].t[0] < 2 && !state.variation && player.version === 'original'")
    page.keyboard.press("Control+y")
    d.wait(page, "items[0].t[0] > 2 && state.variation && player.version === 'filled'")
