"""What passes a limit is answered with a sentence, and nothing is lost."""

import driver as d
import numpy as np
import soundfile


def test_a_fill_that_takes_too_long_keeps_what_it_has(strict, sounds):
    d.upload(strict, sounds["mono"])
    d.draw_box(strict, 0.1, 0.9, 300, 3000)
    strict.click("#fill")
    said = d.wait_status(strict, "at most 2 s")
    assert "Stopped after step" in said and "what was filled in so far is kept" in said
    d.wait(strict, "!state.busy && state.variation && player.buffers.filled")
    assert d.state(strict, "state.shown.state.filter(s => s === 2).length") > 0
    assert d.state(strict, "state.variation.title").endswith("of 8")
    strict.click("#fill")  # and the next one starts
    d.wait(strict, "state.busy")


def test_too_many_variations_and_steps(strict, sounds):
    d.upload(strict, sounds["mono"])
    d.draw_box(strict, 0.1, 0.9, 300, 3000)
    d.set_steps(strict, 10)
    strict.click("#fill")
    strict.wait_for_selector(".toast-body >> text=1 to 9 steps")
    d.set_steps(strict, 2)
    d.enter(strict, "#count input", "3")
    strict.click("#fill")
    strict.wait_for_selector(".toast-body >> text=1 to 2 variations")
    assert d.state(strict, "items.length") == 1


def test_variations_that_go_are_named(strict, sounds):
    d.upload(strict, sounds["mono"])
    d.draw_box(strict, 0.1, 0.9, 300, 3000)
    for _ in range(3):
        announced = d.state(strict, "state.lastShownId || 0")
        strict.click("#fill")
        d.wait_filled(strict, announced)
    assert d.state(strict, "state.variations.length") == 2


def test_fewer_atoms_are_drawn_and_the_title_says_so(strict, sounds):
    d.upload(strict, sounds["mono"])
    title = strict.get_attribute(f"{d.VIEW} [data-name=facts]", "title")
    assert title == "The 1,000 loudest are drawn"


def test_a_file_that_is_too_large(strict, sounds, tmp_path):
    d.upload(strict, sounds["mono"])
    scene = d.state(strict, "state.base.id")
    soundfile.write(tmp_path / "large.wav", np.zeros(400_000), 44_100)
    strict.set_input_files("#file input[type=file]", str(tmp_path / "large.wav"))
    strict.wait_for_selector(".toast-body")
    # Gradio's own sentence where it refuses the file before we do
    said = strict.inner_text(".toast-body")
    assert "up to 0.5 MB are accepted" in said or "maximum allowed size of 512" in said
    assert d.state(strict, "state.base.id") == scene


def test_more_regions_than_there_may_be_are_refused(strict, sounds):
    d.upload(strict, sounds["mono"])
    for k in range(2):
        d.paint(strict, [(1 + k, 120), (1.5 + k, 130)], "harmonics")
    ends = d.pixel(strict, 1, 240), d.pixel(strict, 2, 250)
    d.adding(strict, lambda: d.drag(strict, *ends))
    d.wait_status(strict, "at most 40 regions")
    assert d.state(strict, "items.length") == 2
