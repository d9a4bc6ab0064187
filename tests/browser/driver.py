"""What a person does on the page, in the words of the tests."""

from __future__ import annotations

import base64
import io
import json
import urllib.request

import numpy as np
import soundfile
from playwright.sync_api import TimeoutError

VIEW = ".atom-view"
API = f"document.querySelector('{VIEW}').atomView.testApi"
READ = f"""(() => {{
  const api = {API};
  const {{ state, player, picture, orders, items, value, pending, undoSteps }} = api;
  const {{ isRenderingPreview }} = api;
  return (EXPRESSION);
}})()"""


def state(page, expression: str):
    """A value of the component's test API (util/test_api.js), for instance "state.variations"."""
    return page.evaluate(READ.replace("EXPRESSION", expression))


def large(page, expression: str):
    """A large value of the test API, as JSON; `state` takes seconds for one."""
    return json.loads(state(page, f"JSON.stringify({expression})"))


def stereo_buffer(page, version: str) -> np.ndarray:
    """(2, n) the samples that the player has of a version."""
    channel = f"Array.from(player.buffers.{version}.getChannelData(c))"
    return np.array(large(page, f"[0, 1].map(c => {channel})"))


def wait(page, *conditions: str) -> None:
    """Wait until conditions of the test API hold; the error shows what the page has reached."""
    expression = " && ".join(f"({condition})" for condition in conditions)
    try:
        page.wait_for_function(READ.replace("EXPRESSION", expression))
    except TimeoutError as error:
        page_state = f"{state(page, 'api.summary')}, {status(page)!r}"
        raise AssertionError(f"This never holds: {expression}. The page: {page_state}") from error


def status(page) -> str:
    return page.inner_text(f"{VIEW} .status")


def wait_status(page, text: str) -> str:
    shown = "text => document.querySelector('.atom-view .status').textContent.includes(text)"
    try:
        page.wait_for_function(shown, arg=text)
    except TimeoutError as error:
        found = f"{status(page)!r}, {state(page, 'api.summary')}"
        raise AssertionError(f"The status never says {text!r}. The page: {found}") from error
    return status(page)


def drop(page, *paths) -> None:
    """Drop files on the picture."""
    # as text: Playwright takes seconds for a million numbers
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(
        """files => {
          const data = new DataTransfer();
          for (const [name, text] of files) {
            const bytes = Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
            data.items.add(new File([bytes], name));
          }
          const stage = document.querySelector('.atom-view .stage');
          for (const type of ['dragover', 'drop'])
            stage.dispatchEvent(new DragEvent(type, {
              dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        files,
    )


def upload(page, path) -> None:
    """Load a sound and wait until its atoms are drawn and it can be played."""
    page.set_input_files("#file input[type=file]", str(path))
    wait(
        page,
        f"state.scene && state.scene.name === '{path.name}'",
        "player.urls.original === state.originalUrl",
    )


def enter(page, field: str, text: str) -> None:
    """Type into a field of Gradio; again if a late update, or an opening section, resets it."""
    for _ in range(10):
        page.fill(field, text)
        page.press(field, "Tab")
        page.wait_for_timeout(300)
        if page.input_value(field) == text:
            return
    raise AssertionError(f"{field} does not keep {text!r}")


def pixel(page, seconds: float, hertz: float, lane: int = 0) -> tuple[float, float]:
    """Position of a point of the plane on the screen; `lane` is the channel if they are stacked."""
    return tuple(state(page, f"api.pixel({seconds}, {hertz}, {lane})"))


def drag(page, *points, steps: int = 4) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def tool(page, name: str) -> None:
    page.click(f"{VIEW} [data-act={name}]")
    wait(page, f"state.tool === '{name}'")


def adding(page, act) -> None:
    """Hold Shift, with which a drawn region is added to the others, unless a button says more."""
    adds = state(page, "state.op === 'replace'")
    if adds:
        page.keyboard.down("Shift")
    act()
    if adds:
        page.keyboard.up("Shift")


def draw_box(page, t0, t1, f0, f1) -> None:
    tool(page, "box")
    before = state(page, "items.length")
    adding(page, lambda: drag(page, pixel(page, t0, f1), pixel(page, t1, f0)))
    wait(page, f"items.length === {before + 1}")


def draw_lasso(page, corners) -> None:
    tool(page, "lasso")
    before = state(page, "items.length")
    adding(page, lambda: drag(page, *[pixel(page, *c) for c in [*corners, corners[0]]]))
    wait(page, f"items.length === {before + 1}")


def paint(page, points, name: str = "brush", radius: int = 14) -> None:
    """A stroke of the brush, or of the harmonic one, through (seconds, Hz) points."""
    tool(page, name)
    page.fill(f"{VIEW} [data-name=radius]", str(radius))
    before = state(page, "items.length")
    adding(page, lambda: drag(page, *[pixel(page, *point) for point in points]))
    wait(page, f"items.length === {before + 1}")


def add_preset(page, name: str, *values) -> None:
    page.select_option(f"{VIEW} [data-name=preset]", name)
    if page.is_visible(f"{VIEW} [data-name=side]"):
        page.select_option(f"{VIEW} [data-name=side]", str(values[0]))
        values = ()
    for field, value in zip(("first", "second"), values):
        page.fill(f"{VIEW} [data-name={field}]", str(value))
    before = state(page, "items.length")
    page.click(f"{VIEW} [data-act=preset]")
    wait(page, f"items.length === {before + 1}")


def set_steps(page, steps: int) -> None:
    enter(page, "#steps textarea", str(steps))


def fill(page, button: str = "#fill") -> str:
    """Press a button that fills, wait for the end, and return the status line."""
    announced = state(page, "state.lastShownId || 0")
    page.click(button)
    wait_filled(page, announced)
    return status(page)


def wait_filled(page, announced: int = 0) -> None:
    """Wait until a variation after `announced` is shown and can be played."""
    wait(
        page,
        f"!state.busy && state.lastShownId > {announced}",
        "state.variation && state.variation.id === state.lastShownId",
        "player.urls.filled === state.variation.sound.url && player.buffers.filled",
    )


def export(page, kind: str):
    """Press a line of the export menu and return the download."""
    page.click(f"{VIEW} [data-name=export-menu] summary")
    with page.expect_download() as download:
        page.click(f"{VIEW} [data-export={kind}]")
    return download.value


def play_example(page, example: str) -> None:
    """Press an example, and wait until it can be played."""
    before = state(page, "state.base && state.base.id")
    page.click(f"#example-{example}")
    wait(
        page,
        f"state.base.id !== '{before}' && state.variation && !state.busy && player.buffers.filled",
    )


def sound_of(page, version: str) -> tuple[np.ndarray, int]:
    """(samples, channels) and rate of a version, exactly as the page fetched it."""
    url = state(page, f"player.urls['{version}']")
    with urllib.request.urlopen(url) as response:
        return soundfile.read(io.BytesIO(response.read()), always_2d=True)
