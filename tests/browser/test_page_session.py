"""A session is saved as a file, and loaded on another page."""

import driver as d
import numpy as np
import soundfile

FACTS = """state.variations.map(({label, title, details, heard, count, changed, spans, shape}) =>
  [label, title, details, heard, count, changed, spans])"""
WORK = ("#seed textarea", "#count input")


def exported(page, folder) -> np.ndarray:
    path = folder / "exported.wav"
    d.export(page, "float").save_as(path)
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def test_a_saved_session_is_the_same_on_another_page(open_page, sounds, tmp_path):
    page = open_page(app="quick_app_url")
    d.upload(page, sounds["mono"])
    d.draw_box(page, 1, 2, 300, 3000)
    d.fill(page)
    d.fill(page)
    page.fill(f"{d.VIEW} input[name=wet]", "60")
    page.fill(f"{d.VIEW} input[name=level_db]", "-3")
    for field, value in zip(WORK, ("41", "2")):
        d.enter(page, field, value)
    page.focus(d.VIEW)
    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    assert download.value.suggested_filename == "mono.atomizer"
    path = tmp_path / "renamed.atomizer"
    download.value.save_as(path)
    shown = [d.state(page, text) for text in (FACTS, "items", "player.shape", "pending")]
    heard, samples = d.sound_of(page, "filled")[0], exported(page, tmp_path)
    page.close()

    page = open_page(app="quick_app_url")
    d.wait(page, "state.scene && player.buffers.original")
    page.set_input_files("#file input[type=file]", path)
    d.wait(page, "state.scene.name === 'mono.wav' && state.variation && player.buffers.filled")
    d.wait(page, "player.urls.filled === state.variation.sound.url")
    assert d.status(page) == "The session of mono.wav is back, with 2 variations."
    found = [d.state(page, text) for text in (FACTS, "items", "player.shape", "pending")]
    assert found == shown and found[2]["wet"] == 0.6 and found[3] is False
    assert [page.input_value(field) for field in WORK] == ["41", "2"]
    assert not d.state(page, "player.playing")
    assert np.array_equal(d.sound_of(page, "filled")[0], heard)
    assert np.array_equal(exported(page, tmp_path), samples)

    # one that is cut off changes nothing where it is dropped; one can be chosen like a selection
    cut = tmp_path / "cut.atomizer"
    cut.write_bytes(path.read_bytes()[:2000])
    d.drop(page, cut)
    d.wait_status(page, "This session file is damaged")
    page.wait_for_selector("#file input[type=file]", state="attached")
    assert d.state(page, FACTS) == shown[0]
    scene = d.state(page, "state.base.id")
    page.set_input_files(f"{d.VIEW} [data-name=selection-file]", path)
    d.wait(page, f"state.base.id !== '{scene}' && state.variations.length === 2")
    d.wait(page, "state.variation && player.urls.filled === state.variation.sound.url")
    page.click("#fill")
    d.wait(page, "state.variations.length === 4 && !state.busy")
    assert d.state(page, "state.variations[3].title") == "noise, seed 42"


def test_a_duplicated_tab_goes_on_by_itself(quick, sounds):
    d.upload(quick, sounds["mono"])
    d.draw_box(quick, 1, 2, 300, 3000)
    d.fill(quick)
    copied = quick.evaluate("JSON.stringify({...sessionStorage})")
    other = quick.context.new_page()
    other.add_init_script(f"Object.assign(sessionStorage, {copied})")
    other.goto(quick.url, wait_until="domcontentloaded")
    other.reload()  # a duplicate is no new visit either
    other.wait_for_selector(f'{d.VIEW}[data-ready="true"]')
    d.wait(other, "!state.restored && state.variation && player.buffers.filled")
    assert d.state(other, FACTS) == d.state(quick, FACTS)
    d.upload(other, sounds["stereo"])
    d.fill(quick)
    assert d.state(quick, "state.variations.length") == 2
    other.click(f"{d.VIEW} [data-act=revert]")
    d.wait(other, "state.scene.name === 'mono.wav' && state.variations.length === 1")
