"""What a fill is made of, its shape, and how it is compared; the tests share one page."""

import json
import re

import driver as d
import numpy as np
import pytest
import soundfile

# the page's own nodes, rendered at once: the first channel of the shaped fill
RENDER_SHAPED = """async (shape) => {
  const files = performance.getEntriesByType('resource').map((entry) => entry.name);
  const { renderShaped } = await import(files.find((name) => name.endsWith('shaping.js')));
  const { player } = document.querySelector('.atom-view').atomView.testApi;
  const rendered = await renderShaped(player.buffers, player.fillSpans, shape);
  const samples = Array.from(rendered.getChannelData(0));
  return JSON.stringify({ samples, rate: rendered.sampleRate });
}"""


@pytest.fixture
def page(quick, sounds):
    """A page with a filled hole from 1 to 1.2 s."""
    d.upload(quick, sounds["stereo"])
    d.add_preset(quick, "time", 1, 1.2)
    d.fill(quick)
    return quick


def test_sources_of_a_hole_are_named_and_drawn(page):
    labels = page.locator(f"{d.VIEW} .source")
    assert [text.split("\n")[0] for text in labels.all_inner_texts()] == [
        "copied from 0.5–0.7 s",
        "copied from 2–2.2 s",
    ]
    assert page.inner_text(f"{d.VIEW} .variation .how") == "Copied from 0.5 s and 1 other place"
    page.click(f"{d.VIEW} .details summary")
    details = f"{d.VIEW} .details dl"
    assert "0.90" in page.inner_text(f"{details} [title^='How sure']")
    changed = "17,640 samples in 1.00–1.20 s changed, all others are bit-identical"
    assert d.status(page).endswith(changed) and changed in page.inner_text(details)
    box, hole = labels.first.bounding_box(), d.pixel(page, 1, 1000)[0]
    assert box["x"] == pytest.approx(d.pixel(page, 0.5, 1000)[0], abs=1)
    assert box["x"] + box["width"] < hole
    page.click(f"{d.VIEW} [data-version=original]")
    assert not page.is_visible(f"{d.VIEW} .source")
    page.click(f"{d.VIEW} [data-version=filled]")
    first = d.state(page, "state.lastShownId")
    grip = labels.first.locator("button").first.bounding_box()
    start = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    moved = d.pixel(page, 2.9, 0)[0] - d.pixel(page, 0.5, 0)[0]
    d.drag(page, start, (start[0] + moved, start[1]))
    d.wait_filled(page, first)
    setting = d.state(page, "state.variation.details.find(([name]) => name === 'source')[1]")
    assert [float(t) for t in setting.split("-")] == pytest.approx([2.875, 3.125], abs=0.03)
    first = d.state(page, "state.lastShownId")
    page.click(f"{d.VIEW} [aria-label='Not from 2–2.2 s']")
    d.wait_filled(page, first)
    assert re.search(r"not from\s+2.0000-2.2000", page.inner_text(details))


def slide(page, name: str, value: float) -> None:
    page.fill(f"{d.VIEW} input[name={name}]", str(value))


def test_shape_is_heard_exported_and_reset(page, tmp_path):
    shape = {"level_db": -6, "tilt_db": 2, "wet": 0.75, "width": 1}
    page.evaluate(f"{d.API}.player.start()")
    for name, value in (("level_db", -6), ("tilt_db", 2), ("wet", 75)):
        slide(page, name, value)
    assert d.state(page, "player.shape") == shape
    assert d.state(page, "player.playing && !!player.voices.filled.shaper")
    page.evaluate(f"{d.API}.player.pause()")
    rendered = json.loads(page.evaluate(RENDER_SHAPED, shape))
    assert page.text_content(f"{d.VIEW} [data-export=float]") == "Filled A as WAV, float"
    d.export(page, "float").save_as(tmp_path / "shaped.wav")
    exported, rate = soundfile.read(tmp_path / "shaped.wav", always_2d=True)
    assert rate == rendered["rate"] == 44_100
    filled = d.sound_of(page, "filled")[0][:, 0]
    error = np.abs(np.array(rendered["samples"]) - exported[:, 0])
    hole = slice(44_100, 52_920)
    assert error.max() < 1e-4 < 0.05 * np.abs(exported[hole, 0] - filled[hole]).max()
    page.click(f"{d.VIEW} [data-act=resetShape]")
    assert d.state(page, "player.shape.wet === 1 && player.shape.level_db === 0")


def test_width_of_an_added_channel_keeps_the_mono_sum(quick, sounds, tmp_path):
    d.upload(quick, sounds["mono"])
    quick.click("#add-channel")
    d.wait_filled(quick)
    assert quick.is_hidden(f"{d.VIEW} input[name=level_db]")
    quick.select_option(f"{d.VIEW} [data-name=preset]", "channel")
    side = quick.locator(f"{d.VIEW} [data-name=side] option")
    assert side.all_inner_texts() == ["mid", "side"]
    slide(quick, "width", 150)
    assert d.state(quick, "player.shape.width") == 1.5
    original, filled = (d.sound_of(quick, name)[0] for name in ("original", "filled"))
    d.export(quick, "float").save_as(tmp_path / "wide.wav")
    wide = soundfile.read(tmp_path / "wide.wav")[0]
    assert np.array_equal(wide.sum(1) / 2, soundfile.read(sounds["mono"])[0])
    sides = (np.abs(np.diff(samples, axis=1)).mean() for samples in (wide, filled))
    assert next(sides) == pytest.approx(1.5 * next(sides), rel=0.01)
    assert original.shape == (len(wide), 1)


def test_blind_test_counts_right_answers(page):
    page.click(f"{d.VIEW} [data-act=blind]")
    d.wait(page, "!!api.blind.player.buffers.masked")
    page.click("[data-hear=a]")
    page.keyboard.press("x")
    d.wait(page, "api.blind.player.playing && api.blind.player.version === 'masked'")
    assert d.state(page, "api.blind.player.loopSpan") == pytest.approx([0.5, 1.7], abs=1e-3)
    level = "((version) => api.blind.player.levelOf(version, [0.5, 1.7]))"
    levels = [
        d.state(page, f"{level}('{version}')") for version in ("original", "filled", "masked")
    ]
    assert levels == pytest.approx([levels[0]] * 3, rel=1e-3) and levels[0] > 1e-3
    for _ in range(5):
        page.click(f"[data-answer={d.state(page, 'api.blind.trials.x')}]")
    said = page.inner_text(f"{d.VIEW} .blind [role=status]")
    assert said.startswith("Right: X was ") and "5 of 5 right" in said and "3.1 %" in said
    page.select_option(f"{d.VIEW} .blind [name=b]", "original")
    assert page.is_disabled("[data-answer=a]")
    page.keyboard.press("Escape")
    assert not d.state(page, "api.blind.player.playing")
    # the count of a pair goes on, until it is started over
    page.click(f"{d.VIEW} [data-act=blind]")
    said = page.locator(f"{d.VIEW} .blind [role=status]")
    assert said.inner_text().startswith("5 of 5 right")
    page.click("[data-again]")
    assert said.inner_text().startswith("No answers yet")


def test_reference_is_chosen_named_and_removed(open_page, sounds):
    page = open_page()
    d.upload(page, sounds["stereo"])
    assert page.is_hidden("#reference")
    d.draw_box(page, 1, 2, 300, 3000)
    d.upload(page, sounds["low_rate"])  # Brighten takes a reference
    name, choice = "[data-reference=name]", "[data-reference=choice]"
    page.wait_for_selector(choice)
    choices = page.locator(f"{choice} option").all_inner_texts()
    assert choices[-2:] == ["a span of this sound", "stereo.wav"] and page.is_hidden(name)
    page.set_input_files("#reference-file input[type=file]", str(sounds["mono"]))
    page.wait_for_selector(f"{name} >> text=mono.wav")
    assert "of those of mono.wav" in d.status(page)
    page.click("[data-reference=remove]")
    page.select_option(choice, "span")
    page.fill("[data-reference=stop]", "2")
    page.click("[data-reference=use]")
    page.wait_for_selector(f"{name} >> text=0-2 s of low_rate.wav")
    page.click("[data-reference=remove]")
    page.select_option(choice, "stereo.wav")
    page.wait_for_selector(f"{name} >> text=stereo.wav")
    assert d.state(page, "state.scene.name") == "low_rate.wav"


def test_cutoff_is_found_and_filled_above_with_one_click(quick, sounds):
    d.upload(quick, sounds["low_rate"])
    quick.wait_for_selector(f"{d.VIEW} [data-finding]")
    text = "stops at 8.0 kHz: its sample rate holds no more Fill above 7."
    assert text in quick.inner_text(f"{d.VIEW} .findings span >> nth=0")
    quick.click(f"{d.VIEW} [data-finding='0']")
    d.wait_filled(quick)
    assert d.state(quick, "items[0].f[1]") is None and "filled, took" in d.status(quick)
    quick.click(f"{d.VIEW} [data-act=accept]")  # its highs are not offered again
    kinds = "state.findings.map((finding) => finding.kind).join() === 'search'"
    d.wait(quick, "state.layers.length === 1", kinds)
    d.upload(quick, sounds["stereo"])
    quick.wait_for_selector("text=Clicks: look for them")
    quick.click("text=look for them")
    d.wait_status(quick, "No clicks were found.")
