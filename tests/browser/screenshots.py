"""Take screenshots of the states of the page: `python tests/browser/screenshots.py`.

Starts the page and writes test-results/screens/*.webp (ignored by git), in the light and the dark
theme and in the size of a phone, and the two pictures of the README: screenshot-light.png and
screenshot-dark.png of assets/. Needs Chromium and Playwright; uses the model if it is there.
"""

import io
from pathlib import Path

import driver as d
from PIL import Image
from playwright.sync_api import sync_playwright

from atomizer.benchmarks.page import find_browser, server

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "test-results" / "screens"
DESK, PHONE = (1400, 900), (390, 844)


class Camera:
    """One page, and the folder for its screenshots, whose names begin with `theme`."""

    def __init__(self, browser, url: str, theme: str, size: tuple[int, int]):
        phone = size == PHONE
        self.name = f"phone-{theme}" if phone else theme
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), size)),
            has_touch=phone,
            device_scale_factor=2 if phone else 1,
        )
        self.page = context.new_page()
        self.page.set_default_timeout(300_000)
        self.page.goto(f"{url}/?__theme={theme}")
        self.page.wait_for_selector(f'{d.VIEW}[data-ready="true"]')
        d.wait(self.page, "player.buffers.original && picture.draws")

    def take(self, state: str, whole: bool = False) -> None:
        self.page.wait_for_timeout(700)
        image = Image.open(io.BytesIO(self.page.screenshot(full_page=whole))).convert("RGB")
        image.save(SCREENS / f"{self.name}-{state}.webp", quality=82)
        if state == "filled":  # 256 colours are plenty for two ramps, and halve the file
            image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                ROOT / "assets" / f"screenshot-{self.name}.png", optimize=True
            )


def main_states(camera: Camera) -> None:
    """What most visitors see: the start, a selection, a fill, an example."""
    page = camera.page
    camera.take("start")
    d.draw_box(page, 3.6, 5.6, 900, 12_000)
    camera.take("selected")
    d.fill(page)
    page.evaluate(f"{d.API}.player.seek(4.6)")
    page.mouse.move(10, 600)
    camera.take("filled")
    announced = d.state(page, "state.lastShownId")
    page.click(f"{d.VIEW} [data-act=noise]")
    d.wait_filled(page, announced)
    camera.take("variations", whole=True)


def orderings(camera: Camera) -> None:
    page = camera.page
    page.click("[data-fold=more]")
    page.click(f"{d.VIEW} [data-act=order]")
    d.wait(page, "player.buffers.first")
    page.fill(f"{d.VIEW} [data-name=order-place]", "720")
    page.click(f"{d.VIEW} [data-name=order-curves] summary")
    d.wait(page, "orders.curves.traceCount && !orders.rendering")
    camera.take("orderings", whole=True)
    page.click(f"{d.VIEW} [data-act=order]")


def dialogs(camera: Camera) -> None:
    page = camera.page
    for name in ("how", "keys"):
        page.click(f"[data-open={name}]")
        camera.take(name)
        page.keyboard.press("Escape")
    page.click(f"{d.VIEW} [data-name=export-menu] summary")
    camera.take("export")
    page.click(f"{d.VIEW} [data-name=export-menu] summary")


def looks(camera: Camera) -> None:
    """Other axes, lanes and colours; brushes; grips; a live fill; an error."""
    page = camera.page
    page.focus(d.VIEW)
    page.keyboard.press("Escape")
    page.click(f"{d.VIEW} [data-version=original]")
    page.select_option(f"{d.VIEW} [data-name=channels]", "stacked")
    page.select_option(f"{d.VIEW} [data-name=scale]", "mel")
    page.select_option(f"{d.VIEW} [data-name=colour]", "rank")
    camera.take("stacked-mel-rank")
    for name, value in (("channels", "overlaid"), ("scale", "log"), ("colour", "sign")):
        page.select_option(f"{d.VIEW} [data-name={name}]", value)
    d.paint(page, [(2, 500), (3.5, 900), (5, 650)], radius=18)
    d.paint(page, [(6, 180), (8, 200)], "harmonics", radius=8)
    page.mouse.move(*d.pixel(page, 7, 4000))
    camera.take("brushes")
    d.tool(page, "move")
    page.click(f"{d.VIEW} [data-chip='0']")
    camera.take("move")
    page.click("#fill")
    d.wait(page, "state.busy && state.live && state.live.done")
    camera.take("filling")
    page.click("#stop")
    d.wait(page, "!state.busy")
    page.focus(d.VIEW)
    page.keyboard.press("Escape")
    page.click("#fill", force=True)  # dimmed: it says why
    d.wait_status(page, "Nothing is selected")
    camera.take("error")


def edits(camera: Camera) -> None:
    """The same again, pasted atoms, an accepted fill."""
    page = camera.page
    page.focus(d.VIEW)
    page.keyboard.press("Escape")
    d.draw_box(page, 1.0, 1.5, 900, 5000)
    page.click(f"{d.VIEW} [data-act=similar]")
    d.wait(page, "items.length > 1 || state.status.includes('Nothing')")
    camera.take("similar")
    page.click(f"{d.VIEW} [data-act=copy]")
    announced = d.state(page, "state.lastShownId || 0")
    page.mouse.move(*d.pixel(page, 3.0, 2000))
    page.keyboard.press("Control+v")
    d.wait_filled(page, announced)
    camera.take("pasted", whole=True)
    page.click(f"{d.VIEW} [data-act=accept]")
    d.wait(page, "state.layers.length === 1 && !state.variations.length")
    camera.take("layers", whole=True)
    page.click(f"{d.VIEW} [data-name=layers] button")
    d.wait(page, "!state.layers.length")


def example(camera: Camera) -> None:
    """An example that plays, stopped shortly before its fill."""
    d.play_example(camera.page, "hole")
    camera.page.evaluate(f"{d.API}.player.pause()")
    camera.page.evaluate(f"{d.API}.player.seek(3.6)")
    camera.take("example")


def main() -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    with server() as url, sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu", "--mute-audio"]
        )
        for theme in ("light", "dark"):
            camera = Camera(browser, url, theme, DESK)
            main_states(camera)
            orderings(camera)
            dialogs(camera)
            edits(camera)
            looks(camera)
            example(camera)
            camera.page.context.close()
            camera = Camera(browser, url, theme, PHONE)
            camera.take("start")
            camera.page.locator("#extend").scroll_into_view_if_needed()
            camera.take("controls")
            example(camera)
            camera.page.context.close()
        browser.close()


if __name__ == "__main__":
    main()
