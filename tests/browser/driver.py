"""What a person does on the page, in the words of the tests."""

from __future__ import annotations

import io
import urllib.request

import numpy as np
import soundfile

VIEW = ".atom-view"
ATOM_VIEW = "document.querySelector('.atom-view').atomView"


def state(page, expression: str):
    """A value of the component, for instance "state.items"."""
    return page.evaluate(f"(() => {{ const {{state, player, picture}} = {ATOM_VIEW}; return {expression}; }})()")


def wait(page, expression: str) -> None:
    page.wait_for_function(f"(() => {{ const {{state, player, picture}} = {ATOM_VIEW}; return {expression}; }})()")


def status(page) -> str:
    return page.inner_text(f"{VIEW} .status")


def wait_status(page, text: str) -> str:
    page.wait_for_function("text => document.querySelector('.atom-view .status').textContent.includes(text)", arg=text)
    return status(page)


def upload(page, path) -> None:
    """Load a sound and wait until its atoms are drawn and it can be played."""
    page.set_input_files("#file input[type=file]", str(path))
    wait(page, f"state.scene && state.scene.name === '{path.name}' && player.buffers.original")


def pixel(page, seconds: float, hertz: float) -> tuple[float, float]:
    """Where a point of the plane lies on the screen."""
    return tuple(page.evaluate("""([t, f]) => {
        const plot = document.querySelector('.atom-view .plot'), box = plot.getBoundingClientRect();
        const {xaxis: x, yaxis: y} = plot._fullLayout;
        return [box.left + x._offset + x.d2p(t), box.top + y._offset + y.d2p(f)]; }""", [seconds, hertz]))


def drag(page, *points, steps: int = 8) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def tool(page, name: str) -> None:
    page.click(f"{VIEW} [data-act={name}]")
    wait(page, f"picture.tool === '{name}'")


def draw_box(page, t0, t1, f0, f1) -> None:
    tool(page, "box")
    before = state(page, "state.items.length")
    drag(page, pixel(page, t0, f1), pixel(page, t1, f0))
    wait(page, f"state.items.length === {before + 1}")


def draw_lasso(page, corners) -> None:
    tool(page, "lasso")
    before = state(page, "state.items.length")
    drag(page, *[pixel(page, *corner) for corner in [*corners, corners[0]]])
    wait(page, f"state.items.length === {before + 1}")


def add_preset(page, name: str, *values) -> None:
    page.select_option(f"{VIEW} [data-name=preset]", name)
    for field, value in zip(("first", "second"), values):
        page.fill(f"{VIEW} [data-name={field}]", str(value))
    before = state(page, "state.items.length")
    page.click(f"{VIEW} [data-act=preset]")
    wait(page, f"state.items.length === {before + 1}")


def set_steps(page, steps: int) -> None:
    if not page.is_visible("#steps textarea"):
        page.click("#settings > button")
    page.fill("#steps textarea", str(steps))
    page.press("#steps textarea", "Tab")


def fill(page, button: str = "#fill") -> str:
    """Press a button that fills, wait for the end, and return the status line."""
    announced = state(page, "state.announced || 0")
    page.click(button)
    wait(page, f"!state.busy && player.buffers.filled && state.announced > {announced}")
    return status(page)


def sound_of(page, version: str) -> tuple[np.ndarray, int]:
    """(samples, channels) and rate of a version, exactly as the page fetched it."""
    url = state(page, f"player.urls['{version}']")
    with urllib.request.urlopen(url) as response:
        return soundfile.read(io.BytesIO(response.read()), always_2d=True)
