"""The server is killed while it fills; it comes back, and the page has its sound and its selection."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from conftest import FLAGS, ROOT, SLOW_APP, WAIT  # noqa: F401
from driver import add_preset, draw_box, state, upload, wait


def start(port, tmp_path):
    env = dict(os.environ, GRADIO_SERVER_NAME="127.0.0.1", GRADIO_SERVER_PORT=str(port), HF_HUB_OFFLINE="1", GRADIO_TEMP_DIR=str(tmp_path / "gradio"),
               ATOMIZER_CACHE=str(tmp_path / "cache"), PYTHONPATH=str(ROOT))
    with (tmp_path / "app.log").open("a") as log:
        process = subprocess.Popen([sys.executable, "-c", SLOW_APP], cwd=ROOT, env=env, stdout=log, stderr=log)
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/config", timeout=5).read()
            return process
        except OSError:
            assert process.poll() is None, (tmp_path / "app.log").read_text()
            time.sleep(0.3)
    raise AssertionError("the page did not start")


def test_a_server_that_is_killed_during_a_fill_comes_back_to_the_same_sound_and_selection(browser, sounds, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = start(port, tmp_path)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(f"http://127.0.0.1:{port}/", wait_until="domcontentloaded")
        page.wait_for_selector('.atom-view[data-scene]')
        upload(page, sounds["mono"])
        draw_box(page, 0.5, 1.2, 500, 3000)
        add_preset(page, "random", 30)
        before = state(page, "JSON.stringify(items)"), state(page, "state.scene.total")
        page.click("#fill")
        wait(page, "state.live && state.live.done >= 1")
        process.send_signal(signal.SIGKILL)
        process.wait()
        page.wait_for_timeout(500)
        process = start(port, tmp_path)
        page.wait_for_event("load")  # Gradio reloads the page when the server answers again
        page.wait_for_selector('.atom-view[data-scene]')
        wait(page, f"state.scene && state.scene.name === '{sounds['mono'].name}' && items.length === 2")
        assert (state(page, "JSON.stringify(items)"), state(page, "state.scene.total")) == before
        wait(page, "!state.busy && player.buffers.original")
        page.click("#fill")
        wait(page, "state.live && state.live.done >= 1")  # and it fills in again
    finally:
        context.close()
        process.kill()
        process.wait()
