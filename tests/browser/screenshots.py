"""Take the screenshots of the README: python tests/browser/screenshots.py [SOUND]

Starts the page, fills the highs of a box of SOUND (by default the first example) in, and writes assets/screenshot-light.png and
assets/screenshot-dark.png. Needs Chromium and Playwright; uses the trained model where there is one.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from driver import VIEW, draw_box, fill, state, upload, wait
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
SIZE = {"width": 1400, "height": 900}


def start():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    env = dict(os.environ, GRADIO_SERVER_NAME="127.0.0.1", GRADIO_SERVER_PORT=str(port), GRADIO_ANALYTICS_ENABLED="False")
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=env)
    url = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            urllib.request.urlopen(url + "/config", timeout=2)
            return process, url
        except OSError:
            time.sleep(0.5)
    raise SystemExit("The page did not start.")


def take(browser, url: str, theme: str, sound: Path | None) -> None:
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{url}/?__theme={theme}")
    page.wait_for_selector(f'{VIEW}[data-ready="true"]')
    if sound:
        upload(page, sound)
    wait(page, "player.buffers.original")
    end = state(page, "state.scene.duration")
    draw_box(page, 0.35 * end, 0.62 * end, 900, 12_000)
    fill(page)
    page.evaluate(f"document.querySelector('{VIEW}').atomView.player.seek({0.45 * end})")
    page.mouse.move(10, 600)
    page.wait_for_timeout(1000)
    image = Image.open(io.BytesIO(page.screenshot()))
    # 256 colours are plenty for two ramps, and halve the file
    image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(ROOT / "assets" / f"screenshot-{theme}.png", optimize=True)


def main() -> None:
    sound = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    process, url = start()
    try:
        with sync_playwright() as p:
            executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
            browser = p.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            for theme in ("light", "dark"):
                take(browser, url, theme, sound)
            browser.close()
    finally:
        process.terminate()


if __name__ == "__main__":
    main()
